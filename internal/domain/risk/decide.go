package risk

// Outcome is the answer to a payment. The zero value is invalid and never stored.
type Outcome string

// The outcomes. The policies of this version never yield Review, which holds a payment until a case decides.
const (
	Approved Outcome = "approved"
	Review   Outcome = "review"
	Rejected Outcome = "rejected"
)

// Valid reports whether the outcome is one of the three.
func (o Outcome) Valid() bool { return o == Approved || o == Review || o == Rejected }

// The reason codes of the default policy.
const (
	NewLocation      = "new_location"
	UnusualSpending  = "unusual_spending"
	NewPaymentMethod = "new_payment_method"
)

// Reason says to the account holder why a payment was rejected. It carries its text, so that a stored decision keeps the words of the
// policy that made it.
type Reason struct {
	Code string `json:"code"`
	Text Text   `json:"text"`
}

// Message returns the sentence in the locale, else in English.
func (r Reason) Message(locale string) string { return r.Text.In(locale) }

// Failure says why a rule could not be evaluated; "" when it could. It never carries a value of the payment.
type Failure string

// The failures of an evaluation.
const (
	FailureCost       Failure = "cost_limit_exceeded"
	FailureEvaluation Failure = "evaluation_failed" // e.g. a division by zero or a missing key
)

// Evaluation is what came of one rule.
type Evaluation struct {
	Rule  string  `json:"rule"`
	Code  string  `json:"code"`
	Mode  Mode    `json:"mode"`
	True  bool    `json:"true"` // raised, also when Error says that it counts as raised
	Error Failure `json:"error,omitempty"`
}

// Decision is the answer of a policy to the facts of a payment.
type Decision struct {
	Outcome       Outcome      `json:"outcome"`
	Reasons       []Reason     `json:"reasons,omitempty"` // every raised active rule of a rejection; none of an approval
	Evaluations   []Evaluation `json:"evaluations"`       // every rule that is not disabled, in the policy's order
	PolicyID      string       `json:"policy_id"`
	PolicyVersion string       `json:"policy_version"`
}

// Decide applies the policy to the facts. The same policy and facts always give the same decision.
//
// An active rule that fails or overruns its cost counts as raised: a broken rule may trouble an honest payment, but never waves one
// through. Without a policy the decision is the zero value, whose outcome is invalid.
func Decide(policy *Policy, facts Facts) Decision {
	if policy == nil || len(policy.Rules) == 0 {
		return Decision{}
	}
	scope := &activation{payment: policy.adapt(&facts.Payment), history: policy.adapt(&facts.History)}
	decision := Decision{
		Outcome:       Approved,
		Evaluations:   make([]Evaluation, 0, len(policy.Rules)),
		PolicyID:      policy.ID,
		PolicyVersion: policy.Version,
	}
	triggers := make([]*Rule, 0, len(policy.Rules))
	for i := range policy.Rules {
		rule := &policy.Rules[i]
		if rule.Mode == Disabled {
			continue
		}
		raised, failure := evaluate(rule.program, scope)
		decision.Evaluations = append(decision.Evaluations,
			Evaluation{Rule: rule.Name, Code: rule.Code, Mode: rule.Mode, True: raised, Error: failure})
		if raised && rule.Mode == Active {
			triggers = append(triggers, rule)
		}
	}
	if policy.Combination.rejects(facts, triggers) {
		decision.Outcome = Rejected
		for _, rule := range triggers {
			decision.Reasons = append(decision.Reasons, Reason{Code: rule.Code, Text: rule.Text})
		}
	}
	return decision
}

// rejects combines the triggers. An amount that the reference table cannot express gets no benefit of being small: it counts as at the
// cap and above every threshold.
func (c Combination) rejects(facts Facts, triggers []*Rule) bool {
	if len(triggers) == 0 {
		return false
	}
	amount, amountKnown := facts.Payment.AmountReference, facts.Payment.AmountKnown
	established := facts.History.ApprovedPayments >= c.EstablishedAfterApproved
	if !established && amountKnown && amount < c.CappedAmountMinor {
		return false
	}
	if int64(len(triggers)) >= c.TriggersToReject {
		return true
	}
	for _, rule := range triggers {
		if !amountKnown || amount > rule.AloneAboveMinor {
			return true
		}
	}
	return false
}
