package verification

import (
	"slices"
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/statedoc"
)

// requirementMoves are the ways in which government_id moves, and the functions that move it.
var requirementMoves = []move{
	{"Provide", func(v Verification) (Verification, []journal.Draft, error) { return v.Provide(GovernmentID, "ev_9") }},
	{"Withdraw", func(v Verification) (Verification, []journal.Draft, error) {
		return v.Withdraw(GovernmentID, "ev_9", 0)
	}},
	{"Submit", func(v Verification) (Verification, []journal.Draft, error) { return v.Submit("QC", "case_9", noon) }},
	{"Approve", func(v Verification) (Verification, []journal.Draft, error) { return v.Approve(noon) }},
	{"RequestResubmission", func(v Verification) (Verification, []journal.Draft, error) {
		return v.RequestResubmission(blurred, noon)
	}},
	{"RequestResubmission", func(v Verification) (Verification, []journal.Draft, error) {
		return v.RequestResubmission([]Reason{{Requirement: PaymentMethod, Code: "card.wrong_side"}}, noon)
	}},
	{"Decline", func(v Verification) (Verification, []journal.Draft, error) { return v.Decline(blurred, noon) }},
}

func TestTheRequirementPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "requirement")
	v, drafts := Start(Opening{ID: "ver_1"}, noon)
	seen := []string{statedoc.Seen(statedoc.Start, string(v.Requirement(GovernmentID).Status), "Start", types(drafts)...)}
	secondReview := func(asked Reason) Verification { // government_id accepted or submitted for the second time
		v := must(t)(inReview(t).RequestResubmission([]Reason{asked}, noon))
		v = must(t)(v.Provide(asked.Requirement, "ev_2"))
		return must(t)(must(t)(v.Submit("QC", "case_2", noon)).BeginReview())
	}
	for _, v := range []Verification{
		started(), provided(t), inReview(t), askedAgain(t), must(t)(askedAgain(t).Provide(GovernmentID, "ev_2")),
		secondReview(blurred[0]), secondReview(Reason{Requirement: BillingStatement, Code: "statement.edited"}),
	} {
		before := v.Requirement(GovernmentID).Status
		for _, m := range requirementMoves {
			out, drafts, err := m.do(v)
			if err == nil && out.Requirement(GovernmentID).Status != before {
				seen = append(seen, statedoc.Seen(string(before), string(out.Requirement(GovernmentID).Status), m.name, types(drafts)...))
			}
		}
	}
	if got, want := statedoc.Sorted(seen), page.Built(); !slices.Equal(got, want) {
		t.Errorf("the code does\n%s\nthe page says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSendingAndTakingBackEvidence(t *testing.T) {
	accepted := askedAgain(t)
	for _, c := range []struct {
		name string
		do   func() error
		code string
	}{
		{"an item that is not asked for is refused", func() error { _, _, err := started().Provide("selfie", "ev_1"); return err }, "requirement_unknown"},
		{"an item that was accepted is not taken again", func() error { _, _, err := accepted.Provide(PaymentMethod, "ev_1"); return err }, "requirement_accepted"},
		{"nothing can be added during review", func() error { _, _, err := inReview(t).Provide(GovernmentID, "ev_1"); return err }, "verification_in_review"},
		{"nothing can be taken back during review", func() error { _, _, err := inReview(t).Withdraw(GovernmentID, "ev_1", 0); return err }, "verification_in_review"},
		{"what was never sent can't be taken back", func() error { _, _, err := started().Withdraw(GovernmentID, "ev_1", 0); return err }, "evidence_submitted"},
		{"an accepted item can't be taken back", func() error { _, _, err := accepted.Withdraw(PaymentMethod, "ev_1", 0); return err }, "evidence_submitted"},
		{"an item that is not asked for can't be taken back", func() error { _, _, err := started().Withdraw("selfie", "ev_1", 0); return err }, "evidence_submitted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p := problem.As(c.do()); p == nil || p.Code != c.code {
				t.Errorf("got %v, want %s", p, c.code)
			}
		})
	}
	t.Run("taking back one of two pieces leaves the item provided", func(t *testing.T) {
		if v := must(t)(provided(t).Withdraw(GovernmentID, "ev_1", 1)); v.Requirement(GovernmentID).Status != Provided {
			t.Errorf("got %s", v.Requirement(GovernmentID).Status)
		}
	})
}
