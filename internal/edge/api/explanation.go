package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
)

// Explanation is why a payment was decided as it was. It holds values of the payment: it is for the platform's back office.
type Explanation struct {
	PaymentID     string            `json:"payment_id" doc:"The payment." example:"pay_01jc0000000000000000000000"`
	Outcome       string            `json:"outcome" enum:"approved,review,rejected" doc:"What became of it." example:"rejected"`
	Unexplained   *string           `json:"unexplained" doc:"Why there is nothing to explain: not_asked (the account was restricted, or the payment was decided elsewhere), text_gone or facts_gone; null when there is." example:"not_asked"`
	Policy        *string           `json:"policy" doc:"The policy that decided." example:"default"`
	PolicyVersion *string           `json:"policy_version" doc:"Its version." example:"2026-11-20"`
	PolicyNumber  int64             `json:"policy_number" doc:"Number of the version; 0 is the policy that ships." example:"3"`
	DecidedBy     *string           `json:"decided_by" doc:"The rule that decided, combination for the triggers together, budget when the time was over; null for an approval to which nothing objected." example:"combination"`
	GrantID       *string           `json:"grant_id" doc:"The retry grant that let it pass, whatever the rules say." example:"grant_01jc0000000000000000000000"`
	Rules         []RuleExplanation `json:"rules" doc:"Each rule with the values that made it true or false."`
	Aggregates    []NamedValue      `json:"aggregates" doc:"What was known of the past."`
	History       []NamedValue      `json:"history" doc:"What was known of the account."`
	Lists         []ListAnswer      `json:"lists" doc:"Whether the payment stands on each list."`
	Score         *ScoreParts       `json:"score" doc:"The score and its parts; null without a scorecard."`
}

// RuleExplanation is one rule with the values that made it true or false.
type RuleExplanation struct {
	Code     string       `json:"code" doc:"Its reason code." example:"new_location"`
	Name     string       `json:"name" doc:"Its name." example:"New or unrecognised location"`
	Mode     string       `json:"mode" doc:"active or shadow." example:"active"`
	Effect   string       `json:"effect" doc:"What it asks for when it is true: trigger, review, rejected or approved." example:"trigger"`
	Priority int64        `json:"priority" doc:"The highest wins; the triggers together have 0." example:"0"`
	Hard     bool         `json:"hard" doc:"Whether nothing overrides it." example:"false"`
	True     bool         `json:"true" doc:"Whether it was true." example:"true"`
	Decisive bool         `json:"decisive" doc:"Whether the decision is this rule's." example:"true"`
	Failure  *string      `json:"failure" doc:"Why it has no truth: evaluation_failed or budget_overrun; null when it has." example:"evaluation_failed"`
	When     string       `json:"when" doc:"The condition as written." example:"!history.place_known"`
	Reads    []NamedValue `json:"reads" doc:"Each value that the condition names."`
	Parts    []RulePart   `json:"parts" doc:"The comparisons that it consists of."`
}

// RulePart is one comparison inside a condition.
type RulePart struct {
	Text   string `json:"text" doc:"As it is written." example:"payment.amount_reference >= threshold.large"`
	Truth  string `json:"truth" doc:"true, false or failed." example:"true"`
	Values string `json:"values" doc:"The same with the values in place of the names." example:"60000 >= 50000"`
}

// NamedValue is a value as a condition sees it.
type NamedValue struct {
	Name    string  `json:"name" doc:"As a condition writes it." example:"history.place_known"`
	Value   string  `json:"value" doc:"What it was." example:"false"`
	Meaning *string `json:"meaning" doc:"For people." example:"Whether the account has paid from the place before."`
}

// ListAnswer says whether a payment stands on a list.
type ListAnswer struct {
	Name   string `json:"name" doc:"The list." example:"blocked_devices"`
	Field  string `json:"field" doc:"The field that was compared." example:"device"`
	Listed bool   `json:"listed" doc:"Whether it stands there." example:"false"`
}

// ScoreParts is a score and the parts that it consists of.
type ScoreParts struct {
	Probability float64     `json:"probability" doc:"Of fraud, calibrated." example:"0.031"`
	Points      float64     `json:"points" doc:"Base and parts together." example:"-12.5"`
	Base        float64     `json:"base" doc:"What every payment begins with." example:"-40"`
	Parts       []ScorePart `json:"parts" doc:"The largest towards fraud first."`
}

// ScorePart is one addend of a score.
type ScorePart struct {
	Features []string `json:"features" doc:"One feature, or the two of a pair."`
	Range    string   `json:"range" doc:"Where the values lie." example:"5 to below 10"`
	Points   float64  `json:"points" doc:"What that is worth." example:"7.5"`
}

// Replay is what deciding a stored payment again gave.
type Replay struct {
	PaymentID string   `json:"payment_id" doc:"The payment." example:"pay_01jc0000000000000000000000"`
	Decided   bool     `json:"decided" doc:"Whether there was anything to decide again." example:"true"`
	Same      bool     `json:"same" doc:"Whether outcome and reasons are those that are stored." example:"true"`
	Folded    int      `json:"folded" doc:"How many earlier payments of the account were folded again." example:"42"`
	Differing []string `json:"differing" doc:"The facts about the account that came out otherwise than stored; none, unless records were changed or past payments came in since."`
}

func namedValues(values []risk.Value) []NamedValue {
	out := make([]NamedValue, 0, len(values))
	for _, v := range values {
		out = append(out, NamedValue{Name: v.Name, Value: v.Text, Meaning: orNull(v.Meaning)})
	}
	return out
}

func explanationOf(e service.PaymentExplanation) Explanation {
	p := e.Payment
	out := Explanation{
		PaymentID: p.ID, Outcome: string(e.Outcome()), Unexplained: orNull(string(e.Unexplained)), Policy: orNull(p.PolicyID), PolicyVersion: orNull(p.PolicyVersion),
		PolicyNumber: e.Version.Number, GrantID: orNull(p.GrantID), Rules: []RuleExplanation{}, Aggregates: []NamedValue{}, History: []NamedValue{}, Lists: []ListAnswer{},
	}
	if e.Explanation == nil {
		return out
	}
	out.DecidedBy = orNull(e.Explanation.Decision.DecidedBy)
	out.Aggregates, out.History = namedValues(e.Explanation.Aggregates), namedValues(e.Explanation.History)
	for _, rule := range e.Explanation.Rules {
		out.Rules = append(out.Rules, ruleExplanationOf(rule))
	}
	for _, hit := range e.Explanation.Lists {
		out.Lists = append(out.Lists, ListAnswer{Name: hit.Name, Field: string(hit.Field), Listed: hit.Listed})
	}
	out.Score = scoreOf(e.Explanation)
	return out
}

func ruleExplanationOf(rule risk.RuleExplanation) RuleExplanation {
	out := RuleExplanation{
		Code: rule.Code, Name: rule.Rule, Mode: string(rule.Mode), Effect: string(rule.Effect), Priority: rule.Priority, Hard: rule.Hard, True: rule.True,
		Decisive: rule.Decisive, Failure: orNull(string(rule.Error)), When: rule.When, Reads: namedValues(rule.Reads), Parts: []RulePart{},
	}
	for _, part := range rule.Parts {
		out.Parts = append(out.Parts, RulePart{Text: part.Text, Truth: part.Truth, Values: part.Values})
	}
	return out
}

func scoreOf(e *risk.Explanation) *ScoreParts {
	if e.Score == nil {
		return nil
	}
	out := &ScoreParts{Probability: e.Score.Probability, Points: e.Score.Points.Float(), Base: e.Score.Base.Float(), Parts: []ScorePart{}}
	for _, part := range e.Score.Parts {
		one := ScorePart{Features: []string{e.ScoreFeatures[part.First]}, Range: part.FirstRange, Points: part.Points.Float()}
		if part.Second >= 0 {
			one.Features = append(one.Features, e.ScoreFeatures[part.Second])
			one.Range += ", " + part.SecondRange
		}
		out.Parts = append(out.Parts, one)
	}
	return out
}

func (e *edge) registerExplanations() {
	register(e, operation{
		id: "explain-payment", method: http.MethodGet, path: "/v1/payments/{id}/explanation", tag: tagPayments, status: http.StatusOK,
		summary:     "Explain a decision",
		description: "Each rule with the values that made it true or false, each aggregate, the score's parts, and the versions, from what was stored with the decision.",
	}, func(ctx context.Context, actor access.Actor, in *PaymentPath) (Explanation, error) {
		explained, err := e.Service.ExplainPayment(ctx, actor, in.ID)
		return explanationOf(explained), err
	})
	register(e, operation{
		id: "replay-payment", method: http.MethodGet, path: "/v1/payments/{id}/replay", tag: tagPayments, status: http.StatusOK,
		summary: "Decide a stored payment again",
		description: "Proves that the stored facts under the stored policy give the stored outcome, and folds the account's past again up to the payment. " +
			"Facts about merchants, devices and addresses are taken as stored: they follow the answers with a lag.",
	}, func(ctx context.Context, actor access.Actor, in *PaymentPath) (Replay, error) {
		replayed, err := e.Service.ReplayPayment(ctx, actor, in.ID)
		return Replay{
			PaymentID: replayed.Payment.ID, Decided: replayed.Explanation != nil, Same: replayed.Same, Folded: replayed.Folded,
			Differing: append([]string{}, replayed.Differing...),
		}, err
	})
	register(e, operation{
		id: "list-rule-hits", method: http.MethodGet, path: "/v1/policies/hits", tag: tagPolicies, status: http.StatusOK,
		summary: "Count how often rules were true", description: "By hour, of the last day unless from and to say otherwise, 31 days at most. These are statistics: the last seconds may be missing, and a crash loses them.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		Policy        string    `query:"policy" maxLength:"64" doc:"Only of this policy." example:"default"`
		PolicyVersion string    `query:"policy_version" maxLength:"64" doc:"Only of this version." example:"2026-11-20"`
		From          time.Time `query:"from" doc:"The first hour." example:"2026-11-09T00:00:00Z"`
		To            time.Time `query:"to" doc:"Before this hour." example:"2026-11-10T00:00:00Z"`
	}) (list[RuleHit], error) {
		hits, err := e.Service.RuleHits(ctx, actor, store.RuleHitFilter{PolicyID: in.Policy, PolicyVersion: in.PolicyVersion, From: in.From.UTC(), To: in.To.UTC()})
		return listOf(hits, "", ruleHitOf), err
	})
}

// RuleHit is how often a rule was evaluated and true within an hour.
type RuleHit struct {
	Policy        string    `json:"policy" doc:"The policy." example:"default"`
	PolicyVersion string    `json:"policy_version" doc:"Its version." example:"2026-11-20"`
	Hour          time.Time `json:"hour" doc:"The beginning of the hour." example:"2026-11-09T10:00:00Z"`
	Rule          *string   `json:"rule" doc:"The reason code of the rule; null counts all decisions of the hour." example:"new_location"`
	Mode          *string   `json:"mode" doc:"active or shadow." example:"active"`
	Evaluated     int64     `json:"evaluated" doc:"Decisions in which it was evaluated." example:"1200"`
	Raised        int64     `json:"raised" doc:"Of these, in which it was true." example:"17"`
	Decided       int64     `json:"decided" doc:"Of these, in which it was a ground of the outcome." example:"9"`
}

func ruleHitOf(h store.RuleHit) RuleHit {
	return RuleHit{
		Policy: h.PolicyID, PolicyVersion: h.PolicyVersion, Hour: h.Hour, Rule: orNull(h.Rule), Mode: orNull(h.Mode), Evaluated: h.Evaluated, Raised: h.Raised,
		Decided: h.Decided,
	}
}
