package casework

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func open() Case {
	c, _ := Start("case_1", verification.Verification{ID: "ver_1", TenantID: "ten_1", AccountID: "acct_1", Round: 2}, noon.Add(48*time.Hour), noon)
	return c
}

func everyCase(t *testing.T) map[Status]Case {
	decided, _, err := open().Decide(Approve, noon)
	if err != nil {
		t.Fatal(err)
	}
	withdrawn, _, _ := open().Withdraw(noon)
	return map[Status]Case{Open: open(), Decided: decided, Withdrawn: withdrawn}
}

func types(drafts []journal.Draft) []string {
	var out []string
	for _, draft := range drafts {
		out = append(out, string(draft.Type))
	}
	return out
}

type caseMove func(Case) (Case, []journal.Draft, bool)

var caseMoves = map[string]caseMove{
	"Decide": func(c Case) (Case, []journal.Draft, bool) {
		out, drafts, err := c.Decide(Decline, noon)
		return out, drafts, err == nil
	},
	"Withdraw": func(c Case) (Case, []journal.Draft, bool) { return c.Withdraw(noon) },
	"NoteEvidence": func(c Case) (Case, []journal.Draft, bool) {
		out, drafts, err := c.NoteEvidence("ev_1", "government_id")
		return out, drafts, err == nil
	},
	"MarkOverdue": func(c Case) (Case, []journal.Draft, bool) { return c.MarkOverdue(noon.Add(72 * time.Hour)) },
}

func TestTheCasePageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "case")
	c, drafts := Start("case_1", verification.Verification{}, noon, noon)
	seen := []string{statedoc.Seen(statedoc.Start, string(c.Status), "Start", types(drafts)...)}
	held, drafts := StartPayment("case_1", Held{}, noon, noon)
	seen = append(seen, statedoc.Seen(statedoc.Start, string(held.Status), "StartPayment", types(drafts)...))
	for from, c := range everyCase(t) {
		for name, do := range caseMoves {
			if out, drafts, changed := do(c); changed && out.Status != from {
				seen = append(seen, statedoc.Seen(string(from), string(out.Status), name, types(drafts)...))
			}
		}
	}
	compare(t, seen, page)
}

func TestTheTicketPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "ticket")
	ticket, drafts, err := StartTicket(Ticket{ID: "tkt_1", Message: "it fails"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	seen := []string{statedoc.Seen(statedoc.Start, string(ticket.Status), "StartTicket", types(drafts)...)}
	for _, from := range []TicketStatus{TicketOpen, TicketClosed} {
		if out, drafts, err := (Ticket{Status: from}).Close("done", noon); err == nil {
			seen = append(seen, statedoc.Seen(string(from), string(out.Status), "Close", types(drafts)...))
		}
	}
	compare(t, seen, page)
}

func compare(t *testing.T, seen []string, page statedoc.Page) {
	t.Helper()
	if got, want := statedoc.Sorted(seen), page.Built(); !slices.Equal(got, want) {
		t.Errorf("the code does\n%s\nthe page says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if p := problem.As(err); p == nil || p.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestACase(t *testing.T) {
	cases := everyCase(t)
	t.Run("opens with a due time for the round it reviews", func(t *testing.T) {
		c := open()
		if c.Status != Open || c.Round != 2 || c.Version != 1 || c.DueAt != noon.Add(48*time.Hour) || c.Decision != "" {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("takes one decision and keeps it", func(t *testing.T) {
		out, drafts, err := cases[Decided].Decide(Decline, noon)
		wantCode(t, err, "case_decided")
		if out.Decision != Approve || drafts != nil {
			t.Errorf("got %s, want the first decision to stand", out.Decision)
		}
	})
	t.Run("refuses a decision that is none of the three", func(t *testing.T) {
		for _, d := range []Decision{"", "approved", "maybe"} {
			_, _, err := open().Decide(d, noon)
			wantCode(t, err, "decision_unknown")
		}
	})
	t.Run("that was withdrawn can't be decided", func(t *testing.T) {
		_, _, err := cases[Withdrawn].Decide(Approve, noon)
		wantCode(t, err, "case_decided")
		if !strings.Contains(err.Error(), "withdrawn") {
			t.Errorf("got %q, want to be told that it was withdrawn", err)
		}
	})
	t.Run("that was decided can't be withdrawn", func(t *testing.T) {
		if _, _, changed := cases[Decided].Withdraw(noon); changed {
			t.Error("got withdrawn")
		}
	})
	t.Run("takes more evidence while open, as a new version", func(t *testing.T) {
		c, drafts, err := open().NoteEvidence("ev_1", "government_id")
		if err != nil || c.Version != 2 || drafts[0].Data["requirement"] != "government_id" {
			t.Errorf("got %+v %v %v", c, drafts, err)
		}
	})
	t.Run("takes no evidence once decided", func(t *testing.T) {
		_, _, err := cases[Decided].NoteEvidence("ev_1", "government_id")
		wantCode(t, err, "case_decided")
	})
	t.Run("tells a reviewer who saw another version", func(t *testing.T) {
		wantCode(t, open().CheckVersion(2), "case_changed")
		if err := open().CheckVersion(1); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestACaseBecomesOverdue(t *testing.T) {
	due := open().DueAt
	for _, c := range []struct {
		name string
		at   time.Time
		want bool
	}{{"not before its due time", due.Add(-time.Second), false}, {"not at its due time", due, false}, {"after its due time", due.Add(time.Microsecond), true}} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, got := open().MarkOverdue(c.at); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	t.Run("once", func(t *testing.T) {
		c, _, _ := open().MarkOverdue(due.Add(time.Hour))
		if _, _, changed := c.MarkOverdue(due.Add(2 * time.Hour)); changed {
			t.Error("got a second entry")
		}
	})
	t.Run("and can still be decided", func(t *testing.T) {
		c, _, _ := open().MarkOverdue(due.Add(time.Hour))
		if _, _, err := c.Decide(Approve, due.Add(2*time.Hour)); err != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestValidityOfStatusesAndDecisions(t *testing.T) {
	for _, s := range []Status{Open, Decided, Withdrawn} {
		if !s.Valid() {
			t.Errorf("got %s invalid", s)
		}
	}
	for _, d := range []Decision{Approve, RequestResubmission, Decline} {
		if !d.Valid() {
			t.Errorf("got %s invalid", d)
		}
	}
	if Status("").Valid() || Decision("").Valid() || Status("closed").Valid() || Decision("approved").Valid() {
		t.Error("got the zero value or an unknown one valid")
	}
}

func TestATicket(t *testing.T) {
	long := strings.Repeat("x", MaxNote+1)
	for _, c := range []struct {
		name   string
		ticket Ticket
		code   string
	}{
		{"with a message alone is accepted", Ticket{Message: "it fails"}, ""},
		{"with the steps alone is accepted", Ticket{StepsTaken: "I tried twice"}, ""},
		{"that says nothing is refused", Ticket{ErrorCode: "RISK.RISK_CONTROL_REJECTION"}, "required"},
		{"with a message that is too long is refused", Ticket{Message: long}, "too_long"},
		{"with steps that are too long is refused", Ticket{StepsTaken: long}, "too_long"},
		{"with an error code that is too long is refused", Ticket{Message: "m", ErrorCode: strings.Repeat("x", 101)}, "too_long"},
		{"with control characters is refused", Ticket{Message: "a\x00b"}, "control_character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, drafts, err := StartTicket(c.ticket, noon)
			if c.code != "" {
				wantCode(t, err, c.code)
				if drafts != nil {
					t.Error("got a journal entry for a refused ticket")
				}
				return
			}
			if err != nil || out.Status != TicketOpen || out.Version != 1 || out.CreatedAt != noon {
				t.Errorf("got %+v %v", out, err)
			}
		})
	}
	ticket, _, _ := StartTicket(Ticket{Message: "it fails"}, noon)
	t.Run("is closed by an answer", func(t *testing.T) {
		out, _, err := ticket.Close("we looked", noon)
		if err != nil || out.Status != TicketClosed || out.Answer != "we looked" || out.Version != 2 {
			t.Errorf("got %+v %v", out, err)
		}
		_, _, err = out.Close("again", noon)
		wantCode(t, err, "ticket_closed")
	})
	t.Run("is not closed without an answer", func(t *testing.T) {
		_, _, err := ticket.Close("", noon)
		wantCode(t, err, "required")
	})
	t.Run("is not closed with an answer that is too long", func(t *testing.T) {
		_, _, err := ticket.Close(long, noon)
		wantCode(t, err, "too_long")
	})
}

func TestNoSequenceOfEventsLeavesTheAllowedStates(t *testing.T) {
	names := []string{"Decide", "MarkOverdue", "NoteEvidence", "Withdraw"}
	rapid.Check(t, func(t *rapid.T) {
		c := open()
		for range rapid.IntRange(1, 20).Draw(t, "events") {
			before := c
			out, drafts, changed := caseMoves[rapid.SampledFrom(names).Draw(t, "event")](c)
			if changed != (out.Version == before.Version+1) || changed != (len(drafts) == 1) {
				t.Fatalf("got changed %v, version %d after %d, %d entries", changed, out.Version, before.Version, len(drafts))
			}
			if before.Status != Open && out != before {
				t.Fatalf("got %+v after a final %s", out, before.Status)
			}
			c = out
			if !c.Status.Valid() || (c.Status == Decided) != c.Decision.Valid() || (c.Status == Open) != c.DecidedAt.IsZero() {
				t.Fatalf("got %+v", c)
			}
		}
	})
}
