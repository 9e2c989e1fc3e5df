package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/id"
)

// TestAPaymentWhoseCommitStallsIsFoldedWhenItComes has a transaction take a number in the log, and end only after any time that a node would
// wait by its clock.
func TestAPaymentWhoseCommitStallsIsFoldedWhenItComes(t *testing.T) {
	on(t, func(w *world) {
		if w.store.Dialect() != "postgres" {
			return // one transaction at a time
		}
		w.publish(strings.Replace(busyPolicy("1"), "aggregate.at_merchant >= 3", "aggregate.at_merchant >= 1000", 1))
		w.pass(2 * 1e9)
		w.follow()
		late, p := w.person(), w.person()
		stalled := func(how error) (end func()) {
			w.Helper()
			appended, held, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				err := w.store.Write(context.Background(), func(_ context.Context, tx *store.Tx) error {
					if err := tx.LockAccount(w.tenant.ID, late.account.ID); err != nil {
						return err
					}
					attempt := late.attempt(dollars(2))
					attempt.OccurredAt = tx.Now()
					err := tx.InsertPayment(payment.Payment{
						ID: id.New(id.Payment, tx.Now()), TenantID: w.tenant.ID, Attempt: attempt, Source: payment.FromAPI, Outcome: payment.Approved, CreatedAt: tx.Now(),
					})
					close(appended)
					<-held
					return errors.Join(err, how)
				})
				if !errors.Is(err, how) {
					w.Errorf("the transaction that stalled: %v", err)
				}
			}()
			<-appended
			return func() { close(held); <-ended }
		}
		atMerchant := func() float64 {
			w.Helper()
			explained, err := w.s.ExplainPayment(w.Context(), w.key, w.pay(p.attempt(dollars(2))).Payment.ID)
			w.must(err)
			w.follow()
			return explained.Facts.Aggregates[0]
		}
		end := stalled(nil)
		if got := atMerchant(); got != 0 {
			w.Fatalf("got %v payments at the merchant before any", got)
		}
		for range 3 {
			w.pass(30 * 1e9)
			w.follow()
		}
		end()
		w.pass(2 * 1e9)
		w.follow()
		if got := atMerchant(); got != 2 {
			w.Errorf("got %v payments at the merchant, want the late one too", got)
		}
		end = stalled(errors.New("undone"))
		atMerchant()
		end()
		folded := w.s.FollowerStatus().Folded
		w.pass(31 * 1e9)
		w.follow()
		if got := w.s.FollowerStatus().Folded; got != folded+2 {
			w.Errorf("got everything folded up to %d, want %d: what was undone is waited for no more", got, folded+2)
		}
	})
}
