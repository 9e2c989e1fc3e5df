package service_test

import (
	"fmt"
	"testing"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// TestABatchOfWhichMuchIsHeldIsDecidedInItsOrder has more payments held in one group than one transaction has room for.
func TestABatchOfWhichMuchIsHeldIsDecidedInItsOrder(t *testing.T) {
	on(t, func(w *world) {
		w.publish(small("1", "review"))
		people := []person{w.person(), w.person(), w.person()}
		var requests []service.PaymentRequest
		for i := range 200 {
			amount := int64(150)
			if i%10 == 0 {
				amount = 20
			}
			requests = append(requests, keyed(fmt.Sprint("key-", i), fmt.Sprint("body-", i), people[i%len(people)].attempt(dollars(amount))))
		}
		results := w.s.AuthorizePayments(w.Context(), w.key, requests)
		for i, result := range results {
			w.must(result.Err)
			want := payment.Review
			if i%10 == 0 {
				want = payment.Approved
			}
			if got := result.View.Payment.Outcome; got != want {
				w.Fatalf("payment %d: got %s, want %s", i, got, want)
			}
		}
		rows, err := w.db.Query("SELECT id FROM payments ORDER BY seq")
		w.must(err)
		defer rows.Close()
		place := map[string]int{}
		for rows.Next() {
			var id string
			w.must(rows.Scan(&id))
			place[id] = len(place)
		}
		if len(place) != len(requests) {
			w.Fatalf("got %d payments in the log, want %d", len(place), len(requests))
		}
		for i := len(people); i < len(results); i++ {
			if place[results[i].View.Payment.ID] < place[results[i-len(people)].View.Payment.ID] {
				w.Errorf("payment %d of the batch was decided before payment %d of the same account", i, i-len(people))
			}
		}
	})
}
