package console

import (
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/risk"
)

// countHits adds to the rules how often each was raised, by the days of the tenant's zone, today last.
func (v *visit) countHits(view *policyView, policy *risk.Policy) error {
	zone := v.tenant.Zone()
	year, month, day := v.now.In(zone).Date()
	first := time.Date(year, month, day-trendDays+1, 0, 0, 0, 0, zone)
	hits, err := v.s.Service.RuleHits(v.r.Context(), v.actor, store.RuleHitFilter{
		PolicyID: policy.ID, PolicyVersion: policy.Version, From: first, To: v.now.Add(time.Hour),
	})
	if err != nil {
		return err
	}
	view.Days = trendDays
	at := map[string]int{}
	for i := range view.Rules {
		at[view.Rules[i].Code] = i
	}
	for _, hit := range hits {
		if hit.Rule == "" {
			view.Decided += hit.Evaluated
			continue
		}
		i, known := at[hit.Rule]
		if !known || view.Rules[i].Mode != hit.Mode {
			continue
		}
		rule := &view.Rules[i]
		rule.Total += hit.Raised
		rule.Ground += hit.Decided
		column := dayOf(hit.Hour.In(zone), first)
		if column >= 0 && column < trendDays {
			rule.Hits.Counts[column] += hit.Raised
		}
	}
	for i := range view.Rules {
		rule := &view.Rules[i]
		rule.Today = rule.Hits.Counts[trendDays-1]
		if view.Decided > 0 {
			rule.Share = percent(float64(rule.Total) / float64(view.Decided))
		}
	}
	return nil
}

// dayOf counts the days from the first to the instant's, both in one zone; a day of 23 or 25 hours is a day.
func dayOf(at, first time.Time) int {
	year, month, day := at.Date()
	from := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, time.UTC)
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Sub(from) / (24 * time.Hour))
}
