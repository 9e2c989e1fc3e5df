package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Explanation is why a payment was decided as it was. It holds values of the payment: keep it in the back office.
type Explanation struct {
	PaymentID     string            `json:"payment_id"`
	Outcome       string            `json:"outcome"`
	Unexplained   *string           `json:"unexplained"` // why there is nothing to explain; nil when there is
	Policy        *string           `json:"policy"`
	PolicyVersion *string           `json:"policy_version"`
	PolicyNumber  int64             `json:"policy_number"`
	DecidedBy     *string           `json:"decided_by"` // a rule's code, "combination" or "budget"
	GrantID       *string           `json:"grant_id"`
	Rules         []RuleExplanation `json:"rules"`
	Aggregates    []NamedValue      `json:"aggregates"`
	History       []NamedValue      `json:"history"`
	Lists         []ListAnswer      `json:"lists"`
	Score         *ScoreParts       `json:"score"`
}

// RuleExplanation is one rule with the values that made it true or false.
type RuleExplanation struct {
	Code     string       `json:"code"`
	Name     string       `json:"name"`
	Mode     string       `json:"mode"`
	Effect   string       `json:"effect"`
	Priority int64        `json:"priority"`
	Hard     bool         `json:"hard"`
	True     bool         `json:"true"`
	Decisive bool         `json:"decisive"`
	Failure  *string      `json:"failure"`
	When     string       `json:"when"`
	Reads    []NamedValue `json:"reads"`
	Parts    []RulePart   `json:"parts"`
}

// RulePart is one comparison inside a condition.
type RulePart struct {
	Text   string `json:"text"`
	Truth  string `json:"truth"`
	Values string `json:"values"`
}

// NamedValue is a value as a condition sees it.
type NamedValue struct {
	Name    string  `json:"name"`
	Value   string  `json:"value"`
	Meaning *string `json:"meaning"`
}

// ListAnswer says whether a payment stands on a list.
type ListAnswer struct {
	Name   string `json:"name"`
	Field  string `json:"field"`
	Listed bool   `json:"listed"`
}

// ScoreParts is a score and the parts that it consists of.
type ScoreParts struct {
	Probability float64     `json:"probability"`
	Points      float64     `json:"points"`
	Base        float64     `json:"base"`
	Parts       []ScorePart `json:"parts"`
}

// ScorePart is one addend of a score.
type ScorePart struct {
	Features []string `json:"features"`
	Range    string   `json:"range"`
	Points   float64  `json:"points"`
}

// Replay is what deciding a stored payment again gave.
type Replay struct {
	PaymentID string   `json:"payment_id"`
	Decided   bool     `json:"decided"`
	Same      bool     `json:"same"`
	Folded    int      `json:"folded"`
	Differing []string `json:"differing"`
}

// RuleHit is how often a rule was evaluated and true within an hour.
type RuleHit struct {
	Policy        string    `json:"policy"`
	PolicyVersion string    `json:"policy_version"`
	Hour          time.Time `json:"hour"`
	Rule          *string   `json:"rule"` // nil counts all decisions of the hour
	Mode          *string   `json:"mode"`
	Evaluated     int64     `json:"evaluated"`
	Raised        int64     `json:"raised"`
	Decided       int64     `json:"decided"`
}

// ExplainPayment says why a payment was decided as it was.
func (c *Client) ExplainPayment(ctx context.Context, id string) (Explanation, error) {
	return call[Explanation](ctx, c, http.MethodGet, "/v1/payments/"+url.PathEscape(id)+"/explanation", nil, nil)
}

// ReplayPayment has a stored payment decided again, to prove that it comes out the same.
func (c *Client) ReplayPayment(ctx context.Context, id string) (Replay, error) {
	return call[Replay](ctx, c, http.MethodGet, "/v1/payments/"+url.PathEscape(id)+"/replay", nil, nil)
}

// RuleHits counts how often rules were true by hour, of the last day.
func (c *Client) RuleHits(ctx context.Context) (List[RuleHit], error) {
	return call[List[RuleHit]](ctx, c, http.MethodGet, "/v1/policies/hits", nil, nil)
}
