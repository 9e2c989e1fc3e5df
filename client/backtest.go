package client

import (
	"context"
	"net/http"
	"time"
)

// NewBacktest says on which stored payments a version is tried.
type NewBacktest struct {
	PolicyID *string   `json:"policy_id,omitempty"` // nil: the policy that ships
	From     time.Time `json:"from"`                // payments that occurred from here on are measured
	To       time.Time `json:"to"`                  // and before this
}

// Backtest is how a version would have answered stored payments, beside the live one.
type Backtest struct {
	Payments    int64                `json:"payments"`
	Labelled    int64                `json:"labelled"` // of which it is known whether they were fraud; the others count as good
	Fraud       int64                `json:"fraud"`
	Currency    string               `json:"currency"` // of all amounts here
	Tried       BacktestResult       `json:"tried"`
	Live        BacktestResult       `json:"live"`
	Changed     int64                `json:"changed"`     // payments that the two answer differently
	Differences []BacktestDifference `json:"differences"` // the largest of these, 50 at most
}

// BacktestResult is how one version answered the payments.
type BacktestResult struct {
	Number        int64          `json:"number"`
	Policy        string         `json:"policy"`
	PolicyVersion string         `json:"policy_version"`
	Approved      int64          `json:"approved"`
	Review        int64          `json:"review"`
	Rejected      int64          `json:"rejected"`
	FraudStopped  int64          `json:"fraud_stopped"`
	SavedMinor    int64          `json:"saved_minor"`
	LostMinor     int64          `json:"lost_minor"`
	GoodBlocked   int64          `json:"good_blocked"`
	GoodHeld      int64          `json:"good_held"`
	Precision     *float64       `json:"precision"` // nil when nothing is stopped
	Recall        *float64       `json:"recall"`    // nil without fraud
	Rules         []BacktestRule `json:"rules"`
}

// BacktestRule is how often one rule was true.
type BacktestRule struct {
	Code   string `json:"code"`
	Mode   string `json:"mode"`
	Raised int64  `json:"raised"`
	Fraud  int64  `json:"fraud"`
}

// BacktestDifference is a payment that two versions answer differently.
type BacktestDifference struct {
	PaymentID string   `json:"payment_id"`
	Live      string   `json:"live"`
	Tried     string   `json:"tried"`
	Raised    []string `json:"raised"`
	Fraud     *bool    `json:"fraud"` // nil when nothing is known
}

// BacktestPolicy tries a version of the policy on stored payments, beside the live one. It changes nothing.
func (c *Client) BacktestPolicy(ctx context.Context, in NewBacktest) (Backtest, error) {
	return call[Backtest](ctx, c, http.MethodPost, "/v1/policies/backtest", nil, in)
}
