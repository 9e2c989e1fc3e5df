package enforcement

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var (
	noon   = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	due    = noon.Add(36 * time.Hour)
	states = []State{None, Grace, Suspended, ReleaseScheduled, Released}
)

func at(state State) Enforcement {
	e := Enforcement{TenantID: "ten_1", AccountID: "acct_1", State: state, Version: 3, Sequence: 7}
	if state != None {
		e.VerificationID = "ver_1"
	}
	return e
}

func types(drafts []journal.Draft) []string {
	var out []string
	for _, draft := range drafts {
		out = append(out, string(draft.Type))
	}
	return out
}

type outcome struct {
	after   Enforcement
	command Command
	drafts  []journal.Draft
	changed bool
}

var moves = map[string]func(Enforcement) outcome{
	"StartGrace": func(e Enforcement) outcome {
		after, drafts, changed := e.StartGrace("ver_1", due)
		return outcome{after, Command{}, drafts, changed}
	},
	"EndGrace": func(e Enforcement) outcome {
		after, drafts, changed := e.EndGrace()
		return outcome{after, Command{}, drafts, changed}
	},
	"Suspend": func(e Enforcement) outcome {
		after, command, drafts, changed := e.Suspend("cmd_1", noon)
		return outcome{after, command, drafts, changed}
	},
	"Resume": func(e Enforcement) outcome {
		after, command, drafts, changed := e.Resume("cmd_1", noon)
		return outcome{after, command, drafts, changed}
	},
}

func TestTheEnforcementPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "enforcement")
	var seen []string
	for _, state := range states {
		for name, do := range moves {
			if o := do(at(state)); o.changed && o.after.State != state {
				seen = append(seen, statedoc.Seen(string(state), string(o.after.State), name, types(o.drafts)...))
			}
		}
	}
	compare(t, seen, page)
}

func TestTheCommandPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "command")
	var seen []string
	for name, state := range map[string]State{"Suspend": Grace, "Resume": Suspended} {
		o := moves[name](at(state))
		seen = append(seen, statedoc.Seen(statedoc.Start, string(o.command.State), name, types(o.drafts)...))
	}
	for _, from := range []CommandState{Pending, Acknowledged, Superseded} {
		for _, to := range []CommandState{"", Pending, Acknowledged, Superseded} {
			if after, drafts, changed := (Command{State: from}).Settle(to, noon); changed {
				seen = append(seen, statedoc.Seen(string(from), string(after.State), "Settle", types(drafts)...))
			}
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

func TestAnEventThatDoesNotFitTheStateChangesNothing(t *testing.T) {
	for _, state := range states {
		for name, do := range moves {
			t.Run(string(state)+" "+name, func(t *testing.T) {
				before := at(state)
				o := do(before)
				if o.changed {
					if o.after.Version != before.Version+1 || len(o.drafts) != 1 {
						t.Errorf("got version %d and %d entries, want one version on and one entry", o.after.Version, len(o.drafts))
					}
					return
				}
				if o.after != before || o.command != (Command{}) || o.drafts != nil {
					t.Errorf("got %+v %+v %v, want nothing", o.after, o.command, o.drafts)
				}
			})
		}
	}
}

func TestMovesOfEnforcement(t *testing.T) {
	t.Run("a later due date replaces the one that runs", func(t *testing.T) {
		e, _, _ := at(None).StartGrace("ver_1", due)
		later, drafts, changed := e.StartGrace("ver_1", due.Add(time.Hour))
		if !changed || later.State != Grace || later.DueAt != due.Add(time.Hour) || len(drafts) != 1 {
			t.Errorf("got %+v", later)
		}
	})
	t.Run("a due date of a suspended account does not end its suspension", func(t *testing.T) {
		if _, _, changed := at(Suspended).StartGrace("ver_2", due); changed {
			t.Error("got grace, want the suspension to stand")
		}
	})
	t.Run("a suspension is commanded under the next number", func(t *testing.T) {
		e, command, drafts, _ := at(Grace).Suspend("cmd_1", noon)
		if command.Kind != Suspend || command.Sequence != 8 || e.Sequence != 8 || command.State != Pending || command.VerificationID != "ver_1" {
			t.Errorf("got %+v", command)
		}
		if e.SuspendedAt != noon || !e.DueAt.IsZero() || drafts[0].Data["sequence"] != "8" {
			t.Errorf("got %+v %v", e, drafts)
		}
	})
	t.Run("a resumption forgets the suspension but not the number", func(t *testing.T) {
		suspended, _, _, _ := at(Grace).Suspend("cmd_1", noon)
		e, command, _, _ := suspended.Resume("cmd_2", noon)
		if command.Kind != Resume || command.Sequence != 9 || e.Sequence != 9 || !e.SuspendedAt.IsZero() || e.VerificationID != "" {
			t.Errorf("got %+v %+v", e, command)
		}
		if command.VerificationID != "ver_1" {
			t.Errorf("got verification %q, want the command to name the one it follows", command.VerificationID)
		}
	})
	t.Run("grace that ends leaves no due date", func(t *testing.T) {
		e, _, _ := at(None).StartGrace("ver_1", due)
		if e, drafts, _ := e.EndGrace(); !e.DueAt.IsZero() || e.VerificationID != "" || drafts[0].Data["verification_id"] != "ver_1" {
			t.Errorf("got %+v %v", e, drafts)
		}
	})
	t.Run("a settled command keeps its first answer", func(t *testing.T) {
		c, _, _ := Command{State: Pending}.Settle(Acknowledged, noon)
		if _, drafts, changed := c.Settle(Superseded, noon); changed || drafts != nil {
			t.Error("got a second answer, want the first to stand")
		}
	})
	t.Run("a command can't be settled as pending or as nothing", func(t *testing.T) {
		for _, state := range []CommandState{"", Pending, "lost"} {
			if _, _, changed := (Command{State: Pending}).Settle(state, noon); changed {
				t.Errorf("got settled as %q", state)
			}
		}
	})
}

func TestNoSequenceOfEventsLeavesTheAllowedStates(t *testing.T) {
	names := []string{"EndGrace", "Resume", "StartGrace", "Suspend"}
	rapid.Check(t, func(t *rapid.T) {
		e := Enforcement{State: rapid.SampledFrom(states).Draw(t, "from")}
		last := int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			before := e
			o := moves[rapid.SampledFrom(names).Draw(t, "event")](e)
			e = o.after
			if !slices.Contains(states, e.State) {
				t.Fatalf("got state %q", e.State)
			}
			if before.State == None && e.State == Suspended {
				t.Fatal("got a suspension without a due date")
			}
			if before.State == Released && o.changed {
				t.Fatal("got a change of what was released")
			}
			if (e.State == Grace) == e.DueAt.IsZero() && before.State != e.State {
				t.Fatalf("got due %v in %s", e.DueAt, e.State)
			}
			if o.command.ID != "" {
				if o.command.Sequence <= last || o.command.Sequence != e.Sequence {
					t.Fatalf("got command number %d after %d", o.command.Sequence, last)
				}
				last = o.command.Sequence
			}
		}
	})
}
