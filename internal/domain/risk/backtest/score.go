package backtest

import "github.com/probity/probity/internal/domain/risk"

// RankOf returns the score by which a payment is ranked under a policy without a scorecard. The policy's own answer comes first (rejected
// above review above approved), then what was raised, then the amount, as a team that cannot look at everything would go about it:
//
//	10,000 × (2 rejected, 1 review, 0 approved)
//	+ 100 × the sum over the raised active rules of: 4 a hard one, 3 a rejecting one, 2 a holding one, 1 a trigger, −1 an approving one
//	+ 99 × amount ÷ (amount + 100,000), the amount in minor units of the reference currency
//
// A larger part never loses against a smaller one while fewer than about 25 rules are raised at once. An unknown amount counts as large.
func RankOf(policy *risk.Policy, decision *risk.Decision, facts *risk.Facts) float64 {
	var severity, weight int64
	switch decision.Outcome {
	case risk.Rejected:
		severity = 2
	case risk.Review:
		severity = 1
	case risk.Approved:
	}
	if decision.Raised != (risk.RuleSet{}) {
		for i := range policy.Rules {
			if rule := &policy.Rules[i]; rule.Mode == risk.Active && decision.Raised.Has(i) {
				weight += weightOf(rule)
			}
		}
	}
	amount := float64(max(facts.Payment.AmountReference, 0))
	size := amount / (amount + 100_000)
	if !facts.Payment.AmountKnown {
		size = 1
	}
	return float64(10_000*severity+100*weight) + float64(99*size)
}

func weightOf(rule *risk.Rule) int64 {
	switch {
	case rule.Hard:
		return 4
	case rule.Effect == risk.EffectReject:
		return 3
	case rule.Effect == risk.EffectReview:
		return 2
	case rule.Effect == risk.EffectTrigger:
		return 1
	case rule.Effect == risk.EffectApprove:
		return -1
	}
	return 0
}
