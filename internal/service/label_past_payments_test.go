package service_test

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

func TestPastPaymentsAreLabelledOnce(t *testing.T) {
	on(t, func(w *world) {
		p, other := w.person(), w.person()
		results, err := w.s.ImportPayments(w.Context(), w.key, []service.PastPayment{p.past("a", 20), p.past("b", 19), other.past("c", 18)})
		w.must(err)
		known := start.Add(-10 * 24 * time.Hour)
		labels := []service.PastLabel{
			{PaymentID: results[0].PaymentID, Fraud: true, KnownAt: known}, {PaymentID: results[1].PaymentID}, {PaymentID: results[2].PaymentID, Fraud: true},
			{PaymentID: "pay_none"}, {PaymentID: results[1].PaymentID, Fraud: true, KnownAt: start.Add(-25 * 24 * time.Hour)},
		}
		before := w.counts()
		refused, err := w.s.LabelPastPayments(w.Context(), w.key, labels)
		w.must(err)
		for i, want := range []string{"", "", "", "not_found", "at_out_of_range"} {
			got := ""
			if broken := problem.As(refused[i]); broken != nil {
				got = broken.Code
			}
			if got != want {
				w.Errorf("label %d: got %q, want %q (%v)", i, got, want, refused[i])
			}
		}
		grown := w.grown(before)
		if _, err := w.s.LabelPastPayments(w.Context(), w.key, labels[:1]); err != nil {
			w.Error(err)
		}
		if got := w.grown(before); got != grown {
			w.Errorf("the same again: got %s, want %s", got, grown)
		}
		view, err := w.s.Payment(w.Context(), w.key, results[0].PaymentID)
		w.must(err)
		if f := view.Findings; len(f) != 1 || f[0].Kind != payment.FraudConfirmed || !f[0].KnownAt.Equal(known) {
			w.Errorf("got %+v", f)
		}
	})
}

func TestAccountsAreFoundByTheTenantsOwnIDs(t *testing.T) {
	on(t, func(w *world) {
		found, err := w.s.AccountIDs(w.Context(), w.key, []string{"nobody", "", "a\x00b"})
		w.must(err)
		if len(found) != 0 {
			w.Errorf("got %v", found)
		}
	})
}
