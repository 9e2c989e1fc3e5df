package service_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/service"
)

// atMerchantPolicy counts the payments at a merchant over some days.
func atMerchantPolicy(version string, days int) string {
	return strings.Replace(small(version, "approved"), "rules:\n",
		fmt.Sprintf("aggregates:\n  - {name: at_merchant, entity: merchant, of: approved, function: count, window: %dd, meaning: Approved payments at the merchant.}\nrules:\n", days), 1)
}

// atMerchant is what a node counts at the merchant where everybody pays.
func (w *world) atMerchant(node *service.Service) float64 {
	w.Helper()
	view, err := node.AuthorizePayment(w.Context(), w.key, w.person().attempt(dollars(20)))
	w.must(err)
	explained, err := node.ExplainPayment(w.Context(), w.key, view.Payment.ID)
	w.must(err)
	return explained.Facts.Aggregates[0]
}

// TestAnIndexIsFilledFromTheTenantsPaymentsThatCanMatter has a long past, payments of another tenant, and old payments that were brought in
// lately: those count.
func TestAnIndexIsFilledFromTheTenantsPaymentsThatCanMatter(t *testing.T) {
	on(t, func(w *world) {
		const day = 24 * time.Hour
		w.follow()
		for range 300 {
			w.pay(w.person().attempt(dollars(20)))
			w.pass(day)
		}
		other, err := w.s.CreateTenant(w.Context(), policy.Tenant{Name: "Pier Nine", TimeZone: "Asia/Shanghai", SupportEmail: "help@pier.example"})
		w.must(err)
		key, mine := w.newKey(other.ID), w.key
		w.key = key
		theirs := w.person()
		for range 10 {
			w.pay(theirs.attempt(dollars(20)))
		}
		w.key = mine
		p := w.person()
		var past []service.PastPayment
		for i := range 60 {
			one := p.past(fmt.Sprint("old-", i), i)
			one.Attempt.Merchant, one.Attempt.OccurredAt = "Harbour Cloud", w.now().Add(-time.Duration(i)*day)
			past = append(past, one)
		}
		_, err = w.s.ImportPayments(w.Context(), w.key, past)
		w.must(err)
		w.looks(w.s, 1)
		before := w.s.ReadToFill()
		v := w.publish(atMerchantPolicy("1", 20))
		w.looks(w.s, 1)
		if got := w.stateOf(v); got != publication.Live {
			w.Fatalf("got %s", got)
		}
		// 60 that were brought in, and those of about 200 days: the policy that ships is kept up too, and looks back for half a year.
		if got := w.s.ReadToFill() - before; got < 60+180 || got > 60+205 {
			w.Errorf("got %d payments read, want those that can matter", got)
		}
		got := w.atMerchant(w.s)
		if got < 39 || got > 41 {
			w.Errorf("got %v payments at the merchant in 20 days, want 20 that were decided and 20 that were brought in", got)
		}
		// A node that starts without a snapshot passes over the same part of the log.
		w.s.Leave(w)
		w.rebuild()
		w.looks(w.s, 1)
		if read := w.s.ReadFromLog(); read >= 300 || read < 60+180 {
			w.Errorf("got %d payments read at the start", read)
		}
		if again := w.atMerchant(w.s); again != got+1 {
			w.Errorf("got %v on a node that has just started, want %v", again, got+1)
		}
	})
}

func TestTheLogIsSearchedForAnInstant(t *testing.T) {
	on(t, func(w *world) {
		var at []time.Time
		p := w.person()
		for range 20 {
			at = append(at, w.now())
			w.pay(p.attempt(dollars(2)))
			w.pass(time.Hour)
		}
		since := func(at time.Time) (seq int64) {
			w.Helper()
			var err error
			seq, err = w.logSince(at)
			w.must(err)
			return seq
		}
		var found []int64
		for _, one := range at {
			found = append(found, since(one))
		}
		if !slices.IsSorted(found) || found[19]-found[0] < 17 {
			w.Errorf("got %v", found)
		}
		for i, seq := range found {
			if left := w.storedAfter(seq); left < 20-i || left > 20-i+1 {
				w.Errorf("got %d payments after the number for that of payment %d, want %d or one more", left, i, 20-i)
			}
		}
		if got := w.storedAfter(since(w.now())); got > 1 {
			w.Errorf("got %d payments after now", got)
		}
		if got := w.storedAfter(since(start.Add(-time.Hour))); got != 20 {
			w.Errorf("got %d payments after the beginning", got)
		}
	})
}

func (w *world) logSince(at time.Time) (seq int64, err error) {
	err = w.store.Read(w.Context(), func(_ context.Context, tx *store.Tx) (err error) {
		seq, err = tx.LogSince(at)
		return err
	})
	return seq, err
}

func (w *world) storedAfter(seq int64) int {
	w.Helper()
	count := 0
	w.must(w.store.Read(w.Context(), func(_ context.Context, tx *store.Tx) error {
		entries, err := tx.PaymentLog(seq, 100)
		count = len(entries)
		return err
	}))
	return count
}
