package service_test

import (
	"testing"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

func TestADecisionThatPanicsFailsNoOtherOfItsGroup(t *testing.T) {
	on(t, func(w *world) {
		p, q := w.person(), w.person()
		w.pay(p.attempt(dollars(20)))
		broken := keyed("broken", "broken", p.strange())
		broken.Answer = func(service.PaymentView) (service.StoredAnswer, error) { panic("for the test") }
		results := w.s.AuthorizePayments(w.Context(), w.key, []service.PaymentRequest{
			{Attempt: q.attempt(dollars(20))}, broken, {Attempt: q.attempt(dollars(21))},
		})
		refused(w, results[1].Err, problem.Unavailable, "payment_not_stored")
		for _, i := range []int{0, 2} {
			w.must(results[i].Err)
			if got := results[i].View.Payment.Outcome; got != payment.Approved {
				t.Errorf("got %s for another account's payment", got)
			}
		}
		if got := w.counts()["payments"]; got != 3 {
			t.Errorf("got %d payments in the log, want 3", got)
		}
	})
}
