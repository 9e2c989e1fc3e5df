package risk

import (
	"math/bits"

	"github.com/probity/probity/internal/domain/risk/history"
)

// Outcome is the answer to a payment. The zero value is invalid and never stored.
type Outcome string

// The outcomes. Review holds a payment until a case decides.
const (
	Approved Outcome = "approved"
	Review   Outcome = "review"
	Rejected Outcome = "rejected"
)

// Valid reports whether the outcome is one of the three.
func (o Outcome) Valid() bool { return o == Approved || o == Review || o == Rejected }

// strictness orders the outcomes.
func (o Outcome) strictness() int {
	switch o {
	case Approved:
		return 1
	case Review:
		return 2
	case Rejected:
		return 3
	default:
		return 0
	}
}

// The reason codes that the mission names.
const (
	NewLocation      = "new_location"
	UnusualSpending  = "unusual_spending"
	NewPaymentMethod = "new_payment_method"
)

// What a decision was decided by when it was not one rule. No rule may have these codes.
const (
	DecidedByCombination = "combination" // the triggers together
	DecidedByBudget      = "budget"      // the time for the decision was over, and the tenant rejects then
)

// Reason says to the account holder why a payment was not approved. It carries its text, so that a stored decision keeps the words of the
// policy that made it.
type Reason struct {
	Code string `json:"code"`
	Text Text   `json:"text"`
}

// Message returns the sentence in the locale, else in English.
func (r Reason) Message(locale string) string { return r.Text.In(locale) }

// Failure says why a rule has no truth; "" when it has. It never carries a value of the payment.
type Failure string

// The failures of an evaluation.
const (
	FailureEvaluation Failure = "evaluation_failed" // e.g. a division by zero; a rule that could hold a payment back counts as raised
	FailureBudget     Failure = "budget_overrun"    // the rule was skipped
)

// Evaluation is what came of one rule.
type Evaluation struct {
	Rule  string  `json:"rule"`
	Code  string  `json:"code"`
	Mode  Mode    `json:"mode"`
	True  bool    `json:"true"` // raised, also when Error says that it counts as raised
	Error Failure `json:"error,omitempty"`
}

// MaxRules bounds the rules of a policy.
const MaxRules = 256

// RuleSet is a set of rules by their position in the policy.
type RuleSet [MaxRules / 64]uint64

// Has reports whether the rule is in the set.
func (s *RuleSet) Has(rule int) bool { return s[rule>>6&3]&(1<<(rule&63)) != 0 }

func (s *RuleSet) add(rule int) { s[rule>>6&3] |= 1 << (rule & 63) }

// and returns the rules that are in both sets.
func (s *RuleSet) and(other *RuleSet) RuleSet {
	var out RuleSet
	for i := range s {
		out[i] = s[i] & other[i]
	}
	return out
}

// first returns the first rule of the set, -1 when there is none.
func (s RuleSet) first() int {
	for i := range s.each {
		return i
	}
	return -1
}

// each yields the rules in order.
func (s *RuleSet) each(yield func(rule int) bool) {
	for word, left := range s {
		for ; left != 0; left &= left - 1 {
			if !yield(word<<6 + bits.TrailingZeros64(left)) {
				return
			}
		}
	}
}

// Decision is the answer of a policy to the facts of a payment.
type Decision struct {
	Outcome Outcome
	// DecidedBy is the code of the rule that decided, or one of the DecidedBy constants; empty for an approval to which nothing objected.
	DecidedBy string
	// Reasons are what argued for it, in the policy's order: the raised active rules that ask for a review or a rejection and, where the
	// combination rejects, every trigger. An approval has none.
	Reasons []Reason
	Raised  RuleSet
	Failed  RuleSet // could not be evaluated
	Skipped RuleSet // by the budget

	policy *Policy
}

// Evaluations returns what came of every rule that is not disabled, in the policy's order.
func (d *Decision) Evaluations() []Evaluation {
	if d.policy == nil {
		return nil
	}
	out := make([]Evaluation, 0, len(d.policy.Rules))
	for i := range d.policy.Rules {
		rule := &d.policy.Rules[i]
		if rule.Mode == Disabled {
			continue
		}
		evaluation := Evaluation{Rule: rule.Name, Code: rule.Code, Mode: rule.Mode, True: d.Raised.Has(i)}
		switch {
		case d.Skipped.Has(i):
			evaluation.Error = FailureBudget
		case d.Failed.Has(i):
			evaluation.Error = FailureEvaluation
		}
		out = append(out, evaluation)
	}
	return out
}

// Decide applies the policy to the facts. The same policy and facts always give the same decision, also one that ran out of time: facts
// that were stored say where.
//
// An active rule that fails counts as raised, but for one that approves: a broken rule may trouble an honest payment, but never waves one
// through. Without a policy the decision is the zero value, whose outcome is invalid.
func Decide(policy *Policy, facts *Facts) Decision {
	if policy == nil || len(policy.Rules) == 0 {
		return Decision{}
	}
	d := Decision{policy: policy}
	for position, i := range policy.order {
		if facts.Budget.Overrun && position >= facts.Budget.Evaluated {
			d.Skipped.add(i)
			continue
		}
		d.evaluate(i, facts)
	}
	d.conclude(facts)
	return d
}

// budgetStep is how many rules are evaluated between two looks at the clock.
const budgetStep = 4

// DecideWithin is Decide under a budget. Whenever overrun returns true, the rules that are left are skipped; hard rules come first and are
// never skipped. With failClosed the payment is then rejected, unless a hard rule has done so, otherwise the others decide. Where it stopped is written
// to facts.Budget, so that a replay stops there too.
func DecideWithin(policy *Policy, facts *Facts, overrun func() bool, failClosed bool) Decision {
	if policy == nil || len(policy.Rules) == 0 {
		return Decision{}
	}
	facts.Budget = Budget{}
	d := Decision{policy: policy}
	for position, i := range policy.order {
		skippable := position - policy.protected
		if !facts.Budget.Overrun && skippable >= 0 && skippable%budgetStep == 0 && overrun() {
			facts.Budget = Budget{Overrun: true, FailClosed: failClosed, Evaluated: position}
		}
		if facts.Budget.Overrun {
			d.Skipped.add(i)
			continue
		}
		d.evaluate(i, facts)
	}
	d.conclude(facts)
	return d
}

func (d *Decision) evaluate(i int, facts *Facts) {
	rule := &d.policy.Rules[i]
	switch rule.condition.truth(&facts.Payment, facts) {
	case yes:
		d.Raised.add(i)
	case failed:
		d.Failed.add(i)
		if rule.Effect != EffectApprove {
			d.Raised.add(i)
		}
	case no:
	}
}

// conclude turns what was raised into the outcome: a hard rejection; else the highest priority among the combination's rejection and the
// rules that ask for an outcome, the strictest of several; else approval.
func (d *Decision) conclude(facts *Facts) {
	d.Outcome = Approved
	combined := d.combined(facts)
	if rule := d.policy.hard.and(&d.Raised).first(); rule >= 0 {
		d.Outcome, d.DecidedBy = Rejected, d.policy.Rules[rule].Code
		d.explain(combined)
		return
	}
	if facts.Budget.Overrun && facts.Budget.FailClosed {
		d.Outcome, d.DecidedBy = Rejected, DecidedByBudget
		d.explain(combined)
		return
	}
	highest, decided := int64(0), combined
	if combined {
		d.Outcome, d.DecidedBy = Rejected, DecidedByCombination
	}
	direct := d.policy.direct.and(&d.Raised)
	for i := range direct.each {
		rule := &d.policy.Rules[i]
		outcome := rule.Effect.outcome()
		if !decided || rule.Priority > highest || rule.Priority == highest && outcome.strictness() > d.Outcome.strictness() {
			d.Outcome, d.DecidedBy, highest, decided = outcome, rule.Code, rule.Priority, true
		}
	}
	if d.Outcome != Approved {
		d.explain(combined)
	}
}

func (e Effect) outcome() Outcome {
	switch e {
	case EffectReview:
		return Review
	case EffectApprove:
		return Approved
	case EffectReject, EffectTrigger:
		return Rejected
	default:
		return Rejected
	}
}

// explain lists the reasons, in the policy's order.
func (d *Decision) explain(combined bool) {
	for i := range d.Raised.each {
		rule := &d.policy.Rules[i]
		argues := rule.Effect == EffectReview || rule.Effect == EffectReject || rule.Effect == EffectTrigger && combined
		if argues && rule.Mode == Active {
			d.Reasons = append(d.Reasons, Reason{Code: rule.Code, Text: rule.Text})
		}
	}
	if d.DecidedBy == DecidedByBudget {
		d.Reasons = append(d.Reasons, Reason{Code: DecidedByBudget, Text: Text{
			"en": "The payment could not be checked in time.", "zh-CN": "未能及时完成对此次付款的检查。"}})
	}
}

// combined reports whether the raised triggers reject. An amount that the reference table cannot express gets no benefit of being small:
// it counts as at the cap and above every threshold.
func (d *Decision) combined(facts *Facts) bool {
	raised := d.policy.triggers.and(&d.Raised)
	if raised == (RuleSet{}) {
		return false
	}
	c := &d.policy.Combination
	amount, amountKnown := facts.Payment.AmountReference, facts.Payment.AmountKnown
	triggers, alone := int64(0), false
	for i := range raised.each {
		triggers++
		alone = alone || !amountKnown || amount > d.policy.Rules[i].AloneAboveMinor
	}
	if !facts.History.Established && amountKnown && amount < c.CappedAmountMinor {
		return false
	}
	return triggers >= c.TriggersToReject || alone
}

// History returns the outcome as history folds it.
func (o Outcome) History() history.Outcome {
	switch o {
	case Approved:
		return history.Approved
	case Review:
		return history.Review
	case Rejected:
		return history.Rejected
	default:
		return 0
	}
}
