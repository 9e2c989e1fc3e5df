package service_test

import (
	"fmt"
	"testing"

	"github.com/probity/probity/internal/service"
)

func TestProgressMakesNoNewRevisionSoAVersionCanBeWithdrawn(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		for round := range 10 {
			var past []service.PastPayment
			for i := range 500 {
				past = append(past, p.past(fmt.Sprintf("old-%d-%d", round, i), 3+i%90))
			}
			_, err := w.s.ImportPayments(w.Context(), w.key, past)
			w.must(err)
		}
		w.follow()
		v := w.publish(busyPolicy("1"))
		w.pass(2 * 1e9)
		_, err := w.s.FollowOnce(w.Context())
		w.must(err)
		_, bo := w.analysts()
		if now, _ := w.s.PolicyVersion(w.Context(), bo, v.ID); now.Done == 0 {
			w.Fatalf("got no progress of %d", now.Total)
		}
		_, err = w.s.WithdrawPolicy(w.Context(), bo, service.PolicyChange{ID: v.ID, ExpectedRevision: v.Revision})
		w.must(err)
	})
}
