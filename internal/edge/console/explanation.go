package console

import (
	"strings"

	"github.com/probity/probity/internal/edge/web"
)

// explanationView is why one payment was decided as it was, as its page shows it: everything already in words.
type explanationView struct {
	PaymentID string
	Amount    string
	Merchant  string
	When      string
	Stamp     string

	Tone  web.Tone
	Title string // one line: what happened
	Why   string // one or two sentences: why
	Links []linkTo

	Rules    []ruleResult // raised ones first
	Past     []figure     // what was known of the account
	Sums     []figure     // aggregates
	Score    *scoreView   // nil without a scorecard
	Lists    []listHit
	Payment  []web.Definition
	Versions []web.Definition
	Learned  []web.TimelineItem // what was reported later
	Unasked  bool               // the policy was not asked
	Partial  string             // why the explanation is not whole, or ""

	CanReport bool
	Report    *form
	Replay    *replayResult // nil until it is asked for
	CanReplay bool
}

// linkTo is a way on.
type linkTo struct{ Label, URL string }

// figure is a number with its meaning.
type figure struct {
	Value string
	Words string
	Name  string // as rules read it
	Used  bool   // a raised rule read it
}

// ruleResult is what came of one rule.
type ruleResult struct {
	Name   string
	Code   string
	When   string // the condition as written
	Saw    []saw  // the values that it read
	Steps  []stepOf
	Effect string // what it does when it is raised, in words

	Raised   bool
	Decisive bool // it is a ground of the outcome
	Also     bool // another rule decided, and as strictly or more
	Shadow   bool
	Hard     bool
	Approves bool
	Failed   string // why it could not be evaluated, in words
}

// stepOf is a comparison of a condition with its values: "12 > 10", true.
type stepOf struct{ Text, Values, Truth string }

// saw is one value that a rule read.
type saw struct{ Words, Value, Name string }

// listHit is a list that the policy asks, and whether the payment stands on it.
type listHit struct {
	Name, Field, URL string
	On               bool
}

// scoreView is a learned score with its parts.
type scoreView struct {
	Title  string // "18.4 % likely to be fraud"
	Note   string // what the score did
	Model  string
	Base   string // where every payment begins
	Parts  []part // those that weigh most
	Others []part
}

// replayResult is what deciding again from the stored facts gave.
type replayResult struct {
	Same bool
	Text string
}

// raised and calm split the rules: what spoke up is shown whole, the rest as lines.
func (e explanationView) raised() []ruleResult { return e.rulesThat(true) }
func (e explanationView) calm() []ruleResult   { return e.rulesThat(false) }

func (e explanationView) rulesThat(raised bool) []ruleResult {
	var out []ruleResult
	for _, r := range e.Rules {
		if (r.Raised || r.Failed != "") == raised {
			out = append(out, r)
		}
	}
	return out
}

func (r ruleResult) class() string {
	classes := []string{"check"}
	switch {
	case r.Raised:
		classes = append(classes, "check--raised")
	case r.Failed != "":
		classes = append(classes, "check--failed")
	default:
		classes = append(classes, "check--calm")
	}
	if r.Shadow {
		classes = append(classes, "check--quiet")
	}
	if r.Approves {
		classes = append(classes, "check--approves")
	}
	return strings.Join(classes, " ")
}

// state says what came of the rule, and how much that weighs.
func (r ruleResult) state() (string, web.Tone) {
	switch {
	case r.Failed != "" && r.Raised:
		return "Failed, counts as raised", web.Attention
	case r.Failed != "":
		return "Not evaluated", web.Attention
	case !r.Raised:
		return "Not raised", web.Neutral
	case r.Shadow:
		return "Raised in shadow", web.Neutral
	case r.Approves:
		return "Raised, approves", web.Positive
	case r.Decisive:
		return "Raised", web.Negative
	case r.Also:
		return "Also raised", web.Negative
	default:
		return "Raised, not enough", web.Attention
	}
}

// hits splits lists into those that the payment stands on and the others.
func (e explanationView) hits() (on, off []listHit) {
	for _, l := range e.Lists {
		if l.On {
			on = append(on, l)
		} else {
			off = append(off, l)
		}
	}
	return on, off
}

// outcomeOptions are what can be reported of a payment.
func (e explanationView) outcomeOptions() []web.Option {
	options := []web.Option{
		{Value: "", Label: "Choose"}, {Value: "fraud_confirmed", Label: "Fraud, confirmed"}, {Value: "legitimate_confirmed", Label: "Legitimate, confirmed"},
		{Value: "settled", Label: "Settled"}, {Value: "refunded", Label: "Refunded"}, {Value: "chargeback", Label: "Charged back"},
	}
	for i := range options {
		options[i].Selected = e.Report != nil && options[i].Value != "" && e.Report.text("outcome") == options[i].Value
	}
	return options
}
