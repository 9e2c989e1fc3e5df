package service_test

import (
	"testing"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/ledger"
)

func TestAPaymentThatIsHeldAmongOthersLeavesTheirPlaceInTheProfile(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		text := small("1", "review")
		w.publish(text)
		policy, err := risk.ParsePolicy([]byte(text))
		w.must(err)
		w.pay(p.attempt(dollars(20))) // its account is in memory from here
		var requests []service.PaymentRequest
		for _, amount := range []int64{21, 150, 22, 23, 151, 24} {
			requests = append(requests, service.PaymentRequest{Attempt: p.attempt(dollars(amount))})
		}
		for i, result := range w.s.AuthorizePayments(w.Context(), w.key, requests) {
			w.must(result.Err)
			want := payment.Approved
			if i == 1 || i == 4 {
				want = payment.Review
			}
			if got := result.View.Payment.Outcome; got != want {
				t.Errorf("payment %d: got %s, want %s", i, got, want)
			}
		}
		w.pay(p.attempt(dollars(25)))
		if got := ledger.Check(w, w.store, policy, w.tenant.ID, p.account.ID); got.Approved != 6 || got.Held != 2 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestAnAccountMayPayWithAnyNumberOfMethodsAtOnce(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.publish(small("1", "review"))
		requests := []service.PaymentRequest{{Attempt: p.attempt(dollars(20))}}
		for range 20 {
			attempt := p.attempt(dollars(20))
			attempt.PaymentMethodID = w.method(w.key, p, false).ID
			requests = append(requests, service.PaymentRequest{Attempt: attempt})
		}
		for range 2 { // at first from what is stored, then from memory
			for i, result := range w.s.AuthorizePayments(w.Context(), w.key, requests) {
				if result.Err != nil {
					t.Fatalf("payment %d: got %v", i, result.Err)
				}
			}
		}
	})
}

func TestWhoGoesOnTryingWhileRestrictedLeavesNoTailThatIsFoldedAgainAndAgain(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.reject(p)
		for range 5 {
			requests := make([]service.PaymentRequest, 20)
			for i := range requests {
				requests[i].Attempt = p.attempt(dollars(20))
			}
			for _, result := range w.s.AuthorizePayments(w.Context(), w.key, requests) {
				w.must(result.Err)
				if got := result.View.Payment.Outcome; got != payment.Rejected {
					t.Fatalf("got %s, want %s", got, payment.Rejected)
				}
			}
			var behind int
			w.must(w.db.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM payments WHERE account_id = '"+p.account.ID+
				"' AND seq > COALESCE((SELECT seq FROM profiles WHERE account_id = '"+p.account.ID+"'), 0)").Scan(&behind))
			// A longer tail is stored.
			if behind >= 32 {
				t.Errorf("the stored profile is %d payments behind the log", behind)
			}
		}
		if got := ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, p.account.ID); got.Rejected != 101 {
			t.Errorf("got %+v", got)
		}
	})
}
