package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

func TestEveryDecisionIsExplainedAndProvedByReplay(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		for range 6 {
			w.pay(p.attempt(dollars(20)))
			w.at(w.now().Add(48 * time.Hour))
		}
		known := w.pay(p.attempt(dollars(25)))
		w.publish(small("1", "review"))
		held := w.pay(p.attempt(dollars(150)))
		for name, c := range map[string]struct {
			payment payment.Payment
			number  int64
			outcome risk.Outcome
			raised  string
		}{
			"approved by the policy that ships, after another was published": {known.Payment, 0, risk.Approved, ""},
			"held by a version of the tenant's own":                          {held.Payment, 1, risk.Review, "large_amount"},
		} {
			got, err := w.s.ReplayPayment(w.Context(), w.reviewer, c.payment.ID)
			w.must(err)
			if got.Unexplained != "" || !got.Same || got.Version.Number != c.number || got.Explanation.Decision.Outcome != c.outcome {
				w.Errorf("%s: got same %v, number %d, %+v", name, got.Same, got.Version.Number, got.Explanation)
				continue
			}
			if len(got.Differing) != 0 || got.Folded < 6 || got.Facts.History.ApprovedPayments < 6 {
				w.Errorf("%s: got %d folded, %v differing, %+v", name, got.Folded, got.Differing, got.Facts.History)
			}
			var raised []string
			for _, rule := range got.Explanation.Rules {
				if rule.True && rule.Decisive {
					raised = append(raised, rule.Code)
				}
			}
			if c.raised != "" && !slices.Equal(raised, []string{c.raised}) {
				w.Errorf("%s: got %v raised", name, raised)
			}
		}
		// What is learned later changes neither the decision nor its proof.
		_, err := w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: known.Payment.ID, Kind: payment.FraudConfirmed})
		w.must(err)
		again, err := w.s.ReplayPayment(w.Context(), w.reviewer, held.Payment.ID)
		w.must(err)
		if !again.Same || len(again.Differing) != 0 {
			w.Errorf("got same %v, %v differing, after feedback", again.Same, again.Differing)
		}
	})
}

func TestAPaymentThatWasNotDecidedByRulesSaysSo(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		first, _ := w.reject(p)
		restricted := w.pay(p.attempt(dollars(5)))
		if restricted.Payment.Outcome != payment.Rejected || first.Payment.ID == restricted.Payment.ID {
			w.Fatalf("got %s", restricted.Payment.Outcome)
		}
		got, err := w.s.ExplainPayment(w.Context(), w.reviewer, restricted.Payment.ID)
		w.must(err)
		if got.Unexplained != service.NotAsked || got.Explanation != nil {
			w.Errorf("got %+v", got)
		}
		if _, err := w.s.ExplainPayment(w.Context(), w.reviewer, "pay_none"); !problem.Is(err, problem.NotFound) {
			w.Errorf("got %v, want that it is not found", err)
		}
	})
}
