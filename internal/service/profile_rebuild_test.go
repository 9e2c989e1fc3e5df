package service_test

import (
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
)

// withAccountAggregate is a policy that keeps up something more of each account.
func withAccountAggregate(text, name, window string) string {
	return strings.Replace(text, "rules:\n", "aggregates:\n  - {name: "+name+", entity: account, of: approved, function: count, window: "+window+
		", meaning: Approved payments of the account.}\nrules:\n", 1)
}

func TestAReviewThatMeetsAProfileOfAnEarlierPolicyCountsOnce(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.publish(withAccountAggregate(small("1", "review"), "in_an_hour", "1h"))
		for range 40 { // so that the profile is stored on either database
			w.pay(p.attempt(dollars(20)))
		}
		held := w.pay(p.attempt(dollars(150)))
		held, err := w.s.Payment(w.Context(), w.key, held.Payment.ID)
		w.must(err)
		w.publish(withAccountAggregate(small("2", "review"), "in_a_while", "37h"))
		w.decide(held.CaseID, service.CaseDecision{Decision: casework.Approve, Reasons: []verification.Reason{{Code: "payment.confirmed_by_holder"}}})
		if got := w.approvedInProfile(p); got != 41 {
			t.Errorf("got %d approved payments in the profile, want 41", got)
		}
	})
}
