package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// fraudPolicy keeps up everything that findings change, of accounts and of merchants, over a window of some days.
func fraudPolicy(version string, days int) string {
	var text strings.Builder
	text.WriteString("aggregates:\n")
	for _, entity := range []string{"account", "merchant"} {
		for _, of := range []string{"approved", "attempts"} {
			for _, function := range []string{"fraud_share", "count"} {
				fmt.Fprintf(&text, "  - {name: %s_%s_%s, entity: %s, of: %s, function: %s, window: %dd, meaning: Of the %s.}\n", entity, of, function, entity, of, function, days, entity)
			}
		}
	}
	return strings.Replace(small(version, "review"), "rules:\n", text.String()+"rules:\n", 1)
}

// TestWhatIsFoldedAsItIsLearnedIsWhatARebuildFolds has everything happen to two accounts that can be learned of a payment in two steps. What
// the first has become step by step must be what the second is made anew as, for a policy with other windows.
func TestWhatIsFoldedAsItIsLearnedIsWhatARebuildFolds(t *testing.T) {
	on(t, func(w *world) {
		w.follow()
		w.publish(fraudPolicy("1", 30))
		w.pass(2 * 1e9)
		w.follow()
		kinds := []payment.FindingKind{
			payment.Settled, payment.Refunded, payment.Chargeback, payment.FraudConfirmed, payment.LegitimateConfirmed, payment.ReviewApproved, payment.ReviewRejected,
		}
		type pair struct {
			name  string
			twins [2]person
			live  []float64
		}
		var pairs []pair
		for _, amount := range []int64{20, 150} { // approved, and held
			for _, first := range kinds {
				for _, second := range kinds {
					one := pair{name: fmt.Sprintf("%d dollars, %s, %s", amount, first, second)}
					possible := true
					for i := range one.twins {
						if !possible {
							break
						}
						p := w.person()
						one.twins[i] = p
						w.pay(p.ofOwnMerchant(20))
						paid := w.pay(p.ofOwnMerchant(amount)).Payment
						possible = possible && w.learn(paid, first) && w.learn(paid, second)
					}
					if possible {
						pairs = append(pairs, one)
					}
				}
			}
		}
		if len(pairs) < 30 {
			w.Fatalf("got %d sequences, want more", len(pairs))
		}
		w.follow()
		aggregates := func(p person) []float64 {
			w.Helper()
			explained, err := w.s.ExplainPayment(w.Context(), w.key, w.pay(p.ofOwnMerchant(20)).Payment.ID)
			w.must(err)
			return explained.Facts.Aggregates
		}
		for i := range pairs {
			pairs[i].live = aggregates(pairs[i].twins[0])
		}
		w.publish(fraudPolicy("2", 31))
		w.pass(2 * 1e9)
		w.follow()
		frauds := 0
		for _, one := range pairs {
			rebuilt := aggregates(one.twins[1])
			if !slices.Equal(one.live, rebuilt) {
				w.Errorf("%s: got %v step by step and %v made anew", one.name, one.live, rebuilt)
			}
			if rebuilt[0] > 0 {
				frauds++
			}
		}
		if frauds == 0 {
			w.Error("nothing was fraud")
		}
	})
}

// ofOwnMerchant is a payment at a merchant where nobody else pays.
func (p person) ofOwnMerchant(whole int64) payment.Attempt {
	attempt := p.attempt(dollars(whole))
	attempt.Merchant = "Merchant of " + p.account.ID
	return attempt
}

// learn lets something be learned of a payment, and reports whether that was possible.
func (w *world) learn(p payment.Payment, kind payment.FindingKind) bool {
	w.Helper()
	w.pass(1e9)
	if kind.Reportable() {
		_, err := w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: p.ID, Kind: kind})
		if problem.As(err) == nil {
			w.must(err)
		}
		return err == nil
	}
	view, err := w.s.Payment(w.Context(), w.key, p.ID)
	w.must(err)
	if view.CaseID == "" {
		return false
	}
	decision := service.CaseDecision{CaseID: view.CaseID, Decision: casework.Approve}
	if kind == payment.ReviewRejected {
		decision.Decision, decision.Reasons = casework.Reject, []verification.Reason{{Code: "payment.policy"}}
	}
	_, err = w.s.DecideCase(w.Context(), w.reviewer, decision)
	if problem.As(err) == nil {
		w.must(err)
	}
	return err == nil
}
