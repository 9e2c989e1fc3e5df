package service_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
)

// slow returns a service whose wall clock goes on by ten milliseconds each time it is looked at.
func (w *world) slow() *service.Service {
	w.Helper()
	var looks atomic.Int64
	config := w.config
	config.Clock = clock.New(func() time.Time { return time.UnixMicro(w.wall.Load() + looks.Add(1)*10_000) })
	slow, err := service.New(config)
	w.must(err)
	return slow
}

func TestABudgetThatIsOverSkipsRulesOrRejectsRestrictsNobodyAndSkipsNoRestriction(t *testing.T) {
	on(t, func(w *world) {
		p, other := w.person(), w.person()
		slow := w.slow()
		budget := func(failClosed bool) {
			_, err := w.s.SetRiskSettings(w.Context(), w.tenant.ID, service.PolicySettings{Budget: publication.Budget{Limit: time.Millisecond, FailClosed: failClosed}})
			w.must(err)
		}
		decide := func(attempt payment.Attempt) payment.Payment {
			view, err := slow.AuthorizePayment(w.Context(), w.key, attempt)
			w.must(err)
			return view.Payment
		}
		budget(false)
		if got := decide(p.strange()).Outcome; got != payment.Approved {
			w.Errorf("fail-open: got %s, want that no rule was asked", got)
		}
		budget(true)
		before := w.counts()
		view, err := slow.AuthorizePayment(w.Context(), w.key, other.attempt(dollars(3)))
		w.must(err)
		rejected := view.Payment
		if rejected.Outcome != payment.Rejected || len(rejected.Reasons) == 0 || rejected.Reasons[0].Code != risk.DecidedByBudget {
			w.Errorf("fail-closed: got %s for %v, want a rejection that says why", rejected.Outcome, rejected.Reasons)
		}
		if got, want := w.grown(before), "payments+1 journal+1"; got != want || view.NextStep.Kind != "retry" {
			w.Errorf("got %s and %q, want %s and a retry: nothing was found against the holder", got, view.NextStep.Kind, want)
		}
		if got := w.pay(other.attempt(dollars(3))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s for the retry in time", got)
		}
		third := w.person()
		w.reject(third)
		budget(false)
		if got := decide(third.attempt(dollars(3))); got.Outcome != payment.Rejected || got.Reasons[0].Code != service.ReasonRestricted {
			w.Errorf("got %s for a restricted account, want that nothing skips a restriction", got.Outcome)
		}
	})
}
