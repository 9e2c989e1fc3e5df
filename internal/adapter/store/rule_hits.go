package store

import "time"

// RuleHit is how often a rule was evaluated and true within one hour. The empty rule counts the decisions of the hour.
type RuleHit struct {
	TenantID      string
	PolicyID      string
	PolicyVersion string
	Hour          time.Time // its beginning
	Rule          string    // reason code
	Mode          string
	Evaluated     int64
	Raised        int64
	Decided       int64 // raised, and a ground of the outcome
}

// AddRuleHits adds counts to those that are stored.
func (tx *Tx) AddRuleHits(hits []RuleHit) error {
	for _, h := range hits {
		_, err := tx.exec(`INSERT INTO rule_hits (tenant_id, policy_id, policy_version, hour, rule, mode, evaluated, raised, decided)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (tenant_id, policy_id, policy_version, hour, rule, mode) DO UPDATE SET
			evaluated = rule_hits.evaluated + excluded.evaluated, raised = rule_hits.raised + excluded.raised, decided = rule_hits.decided + excluded.decided`,
			h.TenantID, h.PolicyID, h.PolicyVersion, micros(h.Hour), h.Rule, h.Mode, h.Evaluated, h.Raised, h.Decided)
		if err != nil {
			return err
		}
	}
	return nil
}

// RuleHitFilter chooses counts; empty members choose all.
type RuleHitFilter struct {
	PolicyID      string
	PolicyVersion string
	From, To      time.Time // the hours that begin in [From, To)
}

// maxRuleHits bounds one answer: 31 days of 100 rules.
const maxRuleHits = 31 * 24 * 100

// RuleHits returns counts by hour, then rule.
func (tx *Tx) RuleHits(tenantID string, filter RuleHitFilter) ([]RuleHit, error) {
	list := listing[RuleHit]{}
	list.and("tenant_id =", tenantID)
	list.andText("policy_id =", filter.PolicyID)
	list.andText("policy_version =", filter.PolicyVersion)
	if !filter.From.IsZero() {
		list.and("hour >=", micros(filter.From))
	}
	if !filter.To.IsZero() {
		list.and("hour <", micros(filter.To))
	}
	list.args = append(list.args, maxRuleHits)
	return all(tx, func(r row) (RuleHit, error) {
		var h RuleHit
		err := r.Scan(&h.TenantID, &h.PolicyID, &h.PolicyVersion, instant{&h.Hour}, &h.Rule, &h.Mode, &h.Evaluated, &h.Raised, &h.Decided)
		return h, err
	}, "SELECT tenant_id, policy_id, policy_version, hour, rule, mode, evaluated, raised, decided FROM rule_hits WHERE "+list.conditions()+
		" ORDER BY hour, policy_id, policy_version, rule, mode LIMIT $"+list.last(), list.args...)
}
