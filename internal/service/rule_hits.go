package service

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/standard/problem"
)

// flushHitsEvery is how often counts are written. They are statistics: a crash loses the last seconds of them.
const flushHitsEvery = 5 * time.Second

// countedDecision is a decision for the statistics.
type countedDecision struct {
	tenantID string
	policy   *risk.Policy
	decision risk.Decision
}

// hitCounter counts in memory how often rules were evaluated and true, until the counts are written.
type hitCounter struct {
	mu     sync.Mutex
	counts map[hitKey]*hitCount
}

type hitKey struct {
	tenantID string
	policy   *risk.Policy
	hour     int64 // since 1970
}

// hitCount is what one policy did in one hour; the lists are by the position of the rule.
type hitCount struct {
	decisions                  int64
	evaluated, raised, decided []int64
}

// count adds decisions that were committed.
func (c *hitCounter) count(decisions []countedDecision, at time.Time) {
	if len(decisions) == 0 {
		return
	}
	hour := at.Unix() / 3600
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[hitKey]*hitCount{}
	}
	for i := range decisions {
		d := &decisions[i]
		key := hitKey{d.tenantID, d.policy, hour}
		count := c.counts[key]
		if count == nil {
			rules := len(d.policy.Rules)
			count = &hitCount{evaluated: make([]int64, rules), raised: make([]int64, rules), decided: make([]int64, rules)}
			c.counts[key] = count
		}
		count.add(d.policy, &d.decision)
	}
}

func (c *hitCount) add(policy *risk.Policy, decision *risk.Decision) {
	c.decisions++
	for i := range policy.Rules {
		rule := &policy.Rules[i]
		if rule.Mode == risk.Disabled || decision.Skipped.Has(i) {
			continue
		}
		c.evaluated[i]++
		if !decision.Raised.Has(i) {
			continue
		}
		c.raised[i]++
		if rule.Mode == risk.Active && (decision.DecidedBy == rule.Code || decision.Outcome != risk.Approved && rule.Effect != risk.EffectApprove) {
			c.decided[i]++
		}
	}
}

// take returns what was counted, and begins anew.
func (c *hitCounter) take() map[hitKey]*hitCount {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.counts
	c.counts = nil
	return taken
}

// giveBack adds counts that could not be written to those of meanwhile.
func (c *hitCounter) giveBack(taken map[hitKey]*hitCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = taken
		return
	}
	for key, count := range taken {
		now := c.counts[key]
		if now == nil {
			c.counts[key] = count
			continue
		}
		now.decisions += count.decisions
		for i := range now.evaluated {
			now.evaluated[i] += count.evaluated[i]
			now.raised[i] += count.raised[i]
			now.decided[i] += count.decided[i]
		}
	}
}

// FlushRuleHits writes what was counted since the last time.
func (s *Service) FlushRuleHits(ctx context.Context) error {
	taken := s.ruleHits.take()
	if len(taken) == 0 {
		return nil
	}
	var hits []store.RuleHit
	for key, count := range taken {
		hit := store.RuleHit{
			TenantID: key.tenantID, PolicyID: key.policy.ID, PolicyVersion: key.policy.Version, Hour: time.Unix(key.hour*3600, 0).UTC(), Evaluated: count.decisions,
		}
		hits = append(hits, hit)
		for i := range key.policy.Rules {
			rule := &key.policy.Rules[i]
			if rule.Mode == risk.Disabled {
				continue
			}
			hit.Rule, hit.Mode = rule.Code, string(rule.Mode)
			hit.Evaluated, hit.Raised, hit.Decided = count.evaluated[i], count.raised[i], count.decided[i]
			hits = append(hits, hit)
		}
	}
	// In one order on every node: two that add to the same rows otherwise wait for each other for ever.
	slices.SortFunc(hits, func(a, b store.RuleHit) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.PolicyID, b.PolicyID), cmp.Compare(a.PolicyVersion, b.PolicyVersion),
			a.Hour.Compare(b.Hour), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Mode, b.Mode))
	})
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error { return tx.AddRuleHits(hits) })
	if err != nil {
		s.ruleHits.giveBack(taken)
	}
	return err
}

// flushHitsLast writes what is left when the node stops.
func (s *Service) flushHitsLast(ctx context.Context) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushHitsEvery)
	defer cancel()
	if err := s.FlushRuleHits(bounded); err != nil {
		s.Log.Warn("the last statistics of rules were lost", "category", errorCategory(err))
	}
}

// maxHitSpan bounds the hours that one question asks about.
const maxHitSpan = 31 * 24 * time.Hour

// RuleHits returns how often each rule was evaluated and true, by hour. The last seconds may be missing.
func (s *Service) RuleHits(ctx context.Context, actor access.Actor, filter store.RuleHitFilter) ([]store.RuleHit, error) {
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	if filter.To.IsZero() {
		filter.To = now.Add(time.Hour)
	}
	if filter.From.IsZero() {
		filter.From = filter.To.Add(-24 * time.Hour)
	}
	if filter.To.Sub(filter.From) > maxHitSpan {
		return nil, problem.Field("from", "out_of_range", "ask about at most 31 days at a time")
	}
	var hits []store.RuleHit
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		hits, err = tx.RuleHits(actor.TenantID, filter)
		return err
	})
	return hits, err
}
