package service_test

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/standard/problem"
)

func TestRulesAreCountedByHourAndMode(t *testing.T) {
	on(t, func(w *world) {
		w.publish(small("1", "review"))
		p := w.person()
		for _, amount := range []int64{20, 30, 150} {
			w.pay(p.attempt(dollars(amount)))
		}
		before, err := w.s.RuleHits(w.Context(), w.reviewer, store.RuleHitFilter{})
		if err != nil || len(before) != 0 {
			w.Fatalf("got %v %v before anything was written", before, err)
		}
		w.must(w.s.FlushRuleHits(w.Context()))
		w.pay(p.attempt(dollars(40)))
		w.must(w.s.FlushRuleHits(w.Context()))
		w.must(w.s.FlushRuleHits(w.Context())) // nothing is counted twice
		hits, err := w.s.RuleHits(w.Context(), w.reviewer, store.RuleHitFilter{PolicyID: "small"})
		w.must(err)
		got := map[string]store.RuleHit{}
		for _, hit := range hits {
			got[hit.Rule] = hit
		}
		if len(hits) != 3 || got[""].Evaluated != 4 || got["large_amount"].Evaluated != 4 || got["large_amount"].Raised != 1 || got["large_amount"].Decided != 1 ||
			got["listed_device"].Raised != 0 || got["large_amount"].Mode != "active" {
			w.Errorf("got %+v", hits)
		}
		_, err = w.s.RuleHits(w.Context(), w.reviewer, store.RuleHitFilter{From: w.now().Add(-40 * 24 * time.Hour)})
		refused(w, err, problem.Invalid, "out_of_range")
	})
}
