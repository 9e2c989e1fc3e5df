package verification

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func started() Verification {
	v, _ := Start(Opening{
		ID: "ver_1", TenantID: "ten_1", AccountID: "acct_1", PaymentID: "pay_1", PaymentMethodID: "pm_1", NoticeCode: "ABC-123",
		PolicyVersion: "2026-03-30", CalendarVersion: "weekdays-1",
	}, noon)
	return v
}

// must returns v after a move that is expected to be allowed.
func must(t *testing.T) func(Verification, []journal.Draft, error) Verification {
	return func(v Verification, _ []journal.Draft, err error) Verification {
		t.Helper()
		if err != nil {
			t.Fatalf("got %v, want the move to be allowed", err)
		}
		return v
	}
}

func provided(t *testing.T) Verification {
	v := started()
	for _, kind := range RequirementKinds {
		v = must(t)(v.Provide(kind, "ev_"+string(kind)))
	}
	return v
}

func submitted(t *testing.T) Verification { return must(t)(provided(t).Submit("QC", "case_1", noon)) }

func inReview(t *testing.T) Verification { return must(t)(submitted(t).BeginReview()) }

var blurred = []Reason{{Requirement: GovernmentID, Code: "id.blurred", Note: "internal"}}

func askedAgain(t *testing.T) Verification {
	return must(t)(inReview(t).RequestResubmission(blurred, noon))
}

// everyStatus holds a verification in each status that can be stored.
func everyStatus(t *testing.T) map[Status]Verification {
	expired := started()
	expired.Status = Expired // release, which does not exist yet, is the only way there
	return map[Status]Verification{
		AwaitingSubmission:    provided(t),
		Processing:            submitted(t),
		InReview:              inReview(t),
		Approved:              must(t)(inReview(t).Approve(noon)),
		ResubmissionRequested: must(t)(askedAgain(t).Provide(GovernmentID, "ev_2")),
		Declined:              must(t)(inReview(t).Decline(blurred, noon)),
		Expired:               expired,
		Canceled:              must(t)(started().Cancel(noon)),
	}
}

type move struct {
	name string
	do   func(Verification) (Verification, []journal.Draft, error)
}

var moves = []move{
	{"Submit", func(v Verification) (Verification, []journal.Draft, error) { return v.Submit("QC", "case_2", noon) }},
	{"BeginReview", Verification.BeginReview},
	{"Approve", func(v Verification) (Verification, []journal.Draft, error) { return v.Approve(noon) }},
	{"RequestResubmission", func(v Verification) (Verification, []journal.Draft, error) {
		return v.RequestResubmission(blurred, noon)
	}},
	{"Decline", func(v Verification) (Verification, []journal.Draft, error) { return v.Decline(blurred, noon) }},
	{"Cancel", func(v Verification) (Verification, []journal.Draft, error) { return v.Cancel(noon) }},
}

func types(drafts []journal.Draft) []string {
	var out []string
	for _, draft := range drafts {
		out = append(out, string(draft.Type))
	}
	return out
}

func TestTheStatesPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "verification")
	var drawn, allowed, seen, states []string
	for _, edge := range page.Edges {
		if edge.From != statedoc.Start {
			drawn = append(drawn, edge.From+" "+edge.To)
		}
	}
	for from, tos := range next {
		states = append(states, string(from))
		for _, to := range tos {
			allowed = append(allowed, string(from)+" "+string(to))
		}
	}
	if got, want := statedoc.Sorted(drawn), statedoc.Sorted(allowed); !slices.Equal(got, want) {
		t.Errorf("got transitions %q on the page, want those of the map next %q", got, want)
	}
	if got, want := statedoc.Sorted(page.States), statedoc.Sorted(states); !slices.Equal(got, want) {
		t.Errorf("got states %q on the page, want %q", got, want)
	}
	v, drafts := Start(Opening{ID: "ver_1"}, noon)
	seen = append(seen, statedoc.Seen(statedoc.Start, string(v.Status), "Start", types(drafts)...))
	for from, v := range everyStatus(t) {
		for _, m := range moves {
			if out, drafts, err := m.do(v); err == nil {
				seen = append(seen, statedoc.Seen(string(from), string(out.Status), m.name, types(drafts)...))
			}
		}
	}
	if got, want := statedoc.Sorted(seen), page.Built(); !slices.Equal(got, want) {
		t.Errorf("the code does\n%s\nthe page says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryMoveThatIsNotAllowedIsAConflictThatChangesNothing(t *testing.T) {
	for from, v := range everyStatus(t) {
		for _, m := range moves {
			t.Run(string(from)+" "+m.name, func(t *testing.T) {
				out, drafts, err := m.do(v)
				if err == nil {
					if out.Version != v.Version+1 || len(drafts) == 0 {
						t.Errorf("got version %d and %d entries, want one version on and an entry", out.Version, len(drafts))
					}
					return
				}
				if p := problem.As(err); p == nil || p.Kind != problem.Conflict || p.Code != "verification_"+string(from) {
					t.Errorf("got %v, want a conflict that names the status", err)
				}
				if out.Status != v.Status || out.Version != v.Version || drafts != nil {
					t.Errorf("got status %s version %d entries %v, want nothing changed", out.Status, out.Version, drafts)
				}
			})
		}
	}
}

func TestAStartedVerification(t *testing.T) {
	v, drafts := Start(Opening{ID: "ver_1", AccountID: "acct_1", PaymentID: "pay_1", NoticeCode: "ABC-123"}, noon)
	t.Run("awaits its submission in round one without a clock", func(t *testing.T) {
		if v.Status != AwaitingSubmission || v.Round != 1 || v.Version != 1 || !v.DueAt.IsZero() || v.QueryCode != "" || v.OpenedAt != noon {
			t.Errorf("got %+v", v)
		}
	})
	t.Run("misses all three items in the order a holder meets them", func(t *testing.T) {
		if got := v.Missing(); !slices.Equal(got, RequirementKinds) {
			t.Errorf("got %v, want %v", got, RequirementKinds)
		}
	})
	t.Run("is journalled by reference", func(t *testing.T) {
		if len(drafts) != 1 || drafts[0].Data["payment_id"] != "pay_1" || drafts[0].AccountID != "acct_1" {
			t.Errorf("got %+v", drafts)
		}
	})
}

func TestTheClock(t *testing.T) {
	due := noon.Add(36 * time.Hour)
	because := []string{"received on Wednesday"}
	t.Run("starts when the notice is received", func(t *testing.T) {
		v, drafts, changed := started().StartClock(noon, due, because)
		if !changed || v.DueAt != due || v.ReceivedAt != noon || !slices.Equal(v.DueBecause, because) || len(drafts) != 1 {
			t.Errorf("got %v %+v", changed, v)
		}
	})
	t.Run("does not start twice in a round", func(t *testing.T) {
		v, _, _ := started().StartClock(noon, due, because)
		if out, drafts, changed := v.StartClock(noon, due.Add(-time.Hour), because); changed || drafts != nil || out.DueAt != due {
			t.Errorf("got changed %v, due %v; want the first due date to stand", changed, out.DueAt)
		}
	})
	t.Run("stops at submission", func(t *testing.T) {
		v, _, _ := provided(t).StartClock(noon, due, because)
		if out := must(t)(v.Submit("QC", "case_1", noon)); !out.DueAt.IsZero() || out.DueBecause != nil {
			t.Errorf("got due %v, want none", out.DueAt)
		}
	})
	t.Run("does not start while a person looks at the evidence", func(t *testing.T) {
		if _, _, changed := inReview(t).StartClock(noon, due, because); changed {
			t.Error("got a clock during review, want none")
		}
	})
	t.Run("starts anew after a request to resubmit", func(t *testing.T) {
		v := askedAgain(t)
		if !v.DueAt.IsZero() || !v.ReceivedAt.IsZero() || v.Round != 2 {
			t.Fatalf("got due %v received %v round %d", v.DueAt, v.ReceivedAt, v.Round)
		}
		if out, _, changed := v.StartClock(noon, due, because); !changed || out.DueAt != due {
			t.Errorf("got changed %v due %v", changed, out.DueAt)
		}
	})
	t.Run("stops when the verification is canceled", func(t *testing.T) {
		v, _, _ := started().StartClock(noon, due, because)
		if out := must(t)(v.Cancel(noon)); !out.DueAt.IsZero() || out.DecidedAt != noon {
			t.Errorf("got %+v", out)
		}
	})
}

func TestSubmit(t *testing.T) {
	t.Run("is refused while items are missing, and names them", func(t *testing.T) {
		v := must(t)(started().Provide(PaymentMethod, "ev_1"))
		_, _, err := v.Submit("QC", "case_1", noon)
		p := problem.As(err)
		if p == nil || p.Code != "evidence_missing" || !strings.Contains(p.Message, "government_id, billing_statement") || strings.Contains(p.Message, "payment_method") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("gives the query code once and keeps it", func(t *testing.T) {
		again := must(t)(askedAgain(t).Provide(GovernmentID, "ev_2"))
		out := must(t)(again.Submit("OTHER", "case_2", noon))
		if out.QueryCode != "QC" || out.CaseID != "case_2" {
			t.Errorf("got query code %s case %s, want QC case_2", out.QueryCode, out.CaseID)
		}
	})
	t.Run("leaves what was accepted before as it is", func(t *testing.T) {
		again := must(t)(askedAgain(t).Provide(GovernmentID, "ev_2"))
		out := must(t)(again.Submit("QC", "case_2", noon))
		if out.Requirement(PaymentMethod).Status != Accepted || out.Requirement(GovernmentID).Status != Submitted {
			t.Errorf("got %+v", out.Requirements)
		}
	})
	t.Run("does not change the value it was called on", func(t *testing.T) {
		v := provided(t)
		must(t)(v.Submit("QC", "case_1", noon))
		if v.Status != AwaitingSubmission || v.Requirement(GovernmentID).Status != Provided {
			t.Errorf("got %+v, want the old value whole", v)
		}
	})
}

func TestDecisions(t *testing.T) {
	t.Run("an approval accepts every item", func(t *testing.T) {
		v := must(t)(inReview(t).Approve(noon))
		for _, r := range v.Requirements {
			if r.Status != Accepted || r.Reasons != nil {
				t.Errorf("got %+v", r)
			}
		}
	})
	t.Run("a request to resubmit asks only for the item with a reason", func(t *testing.T) {
		v := askedAgain(t)
		if got := v.Missing(); !slices.Equal(got, []RequirementKind{GovernmentID}) {
			t.Errorf("got %v, want government_id only", got)
		}
		if v.Requirement(BillingStatement).Status != Accepted {
			t.Errorf("got %s, want accepted", v.Requirement(BillingStatement).Status)
		}
	})
	t.Run("a request to resubmit without a reason is refused", func(t *testing.T) {
		_, _, err := inReview(t).RequestResubmission(nil, noon)
		if p := problem.As(err); p == nil || p.Code != "reasons_required" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a reason for an item that was never asked for is refused", func(t *testing.T) {
		_, _, err := inReview(t).RequestResubmission([]Reason{{Requirement: "selfie", Code: "id.blurred"}}, noon)
		if p := problem.As(err); p == nil || p.Code != "requirement_unknown" || p.Field != "reasons.requirement" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a decline keeps its reasons with their items", func(t *testing.T) {
		v := must(t)(inReview(t).Decline([]Reason{{Requirement: GovernmentID, Code: "id.suspected_tampering"}, {Code: "policy.other"}}, noon))
		if r := v.Requirement(GovernmentID); r.Status != NotAccepted || len(r.Reasons) != 1 {
			t.Errorf("got %+v", r)
		}
		if r := v.Requirement(PaymentMethod); r.Status != Submitted || r.Reasons != nil {
			t.Errorf("got %+v", r)
		}
	})
}

func TestStatusesKnowWhoIsToAct(t *testing.T) {
	for _, c := range []struct {
		status             Status
		valid, open, holds bool
	}{
		{"", false, false, false}, {"done", false, false, false},
		{AwaitingSubmission, true, true, true}, {ResubmissionRequested, true, true, true},
		{Processing, true, true, false}, {InReview, true, true, false},
		{Approved, true, false, false}, {Declined, true, false, false}, {Expired, true, false, false}, {Canceled, true, false, false},
	} {
		if c.status.Valid() != c.valid || c.status.Open() != c.open || c.status.AwaitsHolder() != c.holds {
			t.Errorf("%q: got valid %v open %v awaits holder %v", c.status, c.status.Valid(), c.status.Open(), c.status.AwaitsHolder())
		}
	}
}
