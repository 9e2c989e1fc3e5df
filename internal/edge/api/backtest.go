package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/service"
)

// NewBacktest says on which stored payments a version is tried.
type NewBacktest struct {
	PolicyID *string   `json:"policy_id,omitempty" maxLength:"100" doc:"The version to try; without it, the policy that ships." example:"pol_01jc0000000000000000000001"`
	From     time.Time `json:"from" doc:"Payments that occurred from here on are measured; earlier ones are their history." example:"2026-10-20T00:00:00Z"`
	To       time.Time `json:"to" doc:"Payments that occurred before this are measured." example:"2026-11-20T00:00:00Z"`
}

// Backtest is how a version would have answered stored payments, beside the live one.
type Backtest struct {
	Payments    int64                `json:"payments" doc:"Payments that were measured." example:"18231"`
	Labelled    int64                `json:"labelled" doc:"Of these, of which it is known whether they were fraud; the others count as good." example:"410"`
	Fraud       int64                `json:"fraud" doc:"Of these, known to be fraud." example:"41"`
	Currency    string               `json:"currency" doc:"Of all amounts here: the reference currency of the tried policy." example:"USD"`
	Tried       BacktestResult       `json:"tried" doc:"The version that was tried."`
	Live        BacktestResult       `json:"live" doc:"The version that is live, on the same payments."`
	Changed     int64                `json:"changed" doc:"Payments that the two answer differently." example:"64"`
	Differences []BacktestDifference `json:"differences" doc:"Of these, the largest, 50 at most."`
}

// BacktestResult is how one version answered the payments.
type BacktestResult struct {
	Number        int64          `json:"number" doc:"Number of the version; 0 is the policy that ships." example:"4"`
	Policy        string         `json:"policy" doc:"The policy." example:"default"`
	PolicyVersion string         `json:"policy_version" doc:"Its version." example:"2026-11-21"`
	Approved      int64          `json:"approved" doc:"Payments that pass." example:"18000"`
	Review        int64          `json:"review" doc:"Payments that are held for a person." example:"31"`
	Rejected      int64          `json:"rejected" doc:"Payments that are rejected." example:"200"`
	FraudStopped  int64          `json:"fraud_stopped" doc:"Fraud that is rejected or held." example:"34"`
	SavedMinor    int64          `json:"saved_minor" doc:"Amount of the fraud that is rejected, in minor units." example:"1499000"`
	LostMinor     int64          `json:"lost_minor" doc:"Amount of the fraud that passes, in minor units." example:"120000"`
	GoodBlocked   int64          `json:"good_blocked" doc:"Good payments that are rejected." example:"140"`
	GoodHeld      int64          `json:"good_held" doc:"Good payments that are held." example:"25"`
	Precision     *float64       `json:"precision" doc:"Share of fraud among what is rejected or held; null when nothing is." example:"0.17"`
	Recall        *float64       `json:"recall" doc:"Share of the fraud that is rejected or held; null without fraud." example:"0.83"`
	Rules         []BacktestRule `json:"rules" doc:"Each rule by itself."`
}

// BacktestRule is how often one rule was true.
type BacktestRule struct {
	Code   string `json:"code" doc:"Its reason code." example:"new_location"`
	Mode   string `json:"mode" doc:"active or shadow." example:"active"`
	Raised int64  `json:"raised" doc:"Payments for which it is true." example:"401"`
	Fraud  int64  `json:"fraud" doc:"Of these, fraud." example:"12"`
}

// BacktestDifference is a payment that two versions answer differently.
type BacktestDifference struct {
	PaymentID string   `json:"payment_id" doc:"The payment." example:"pay_01jc0000000000000000000000"`
	Live      string   `json:"live" enum:"approved,review,rejected" doc:"What the live version answers." example:"approved"`
	Tried     string   `json:"tried" enum:"approved,review,rejected" doc:"What the tried version answers." example:"review"`
	Raised    []string `json:"raised" doc:"Reason codes of the active rules of the tried version that are true."`
	Fraud     *bool    `json:"fraud" doc:"Whether it was fraud; null when nothing is known." example:"true"`
}

func backtestOf(got service.PolicyTrialResult) Backtest {
	r := got.Report
	out := Backtest{
		Payments: r.Payments, Labelled: r.Labelled, Fraud: r.Fraud, Currency: r.Currency, Tried: backtestResult(got.Tried, &r.Result),
		Live: backtestResult(got.Live, &r.Against.Result), Changed: r.Against.Changed, Differences: []BacktestDifference{},
	}
	for _, d := range r.Against.Differences {
		one := BacktestDifference{PaymentID: d.PaymentID, Live: d.Before, Tried: d.Outcome, Raised: append([]string{}, d.Raised...)}
		if d.Labelled {
			one.Fraud = &d.Fraud
		}
		out.Differences = append(out.Differences, one)
	}
	return out
}

func backtestResult(v publication.Version, r *backtest.Result) BacktestResult {
	out := BacktestResult{
		Number: v.Number, Policy: r.PolicyID, PolicyVersion: r.PolicyVersion, Approved: r.Outcomes.Approved.Payments, Review: r.Outcomes.Review.Payments,
		Rejected: r.Outcomes.Rejected.Payments, FraudStopped: r.Stopped.Fraud, SavedMinor: r.SavedMinor, LostMinor: r.LostMinor, GoodBlocked: r.GoodBlocked,
		GoodHeld: r.GoodHeld, Precision: r.Stopped.Precision, Recall: r.Stopped.Recall, Rules: []BacktestRule{},
	}
	for _, rule := range r.Rules {
		out.Rules = append(out.Rules, BacktestRule{Code: rule.Code, Mode: rule.Mode, Raised: rule.Payments, Fraud: rule.Fraud})
	}
	return out
}

func (e *edge) registerBacktests() {
	register(e, operation{
		id: "backtest-policy", method: http.MethodPost, path: "/v1/policies/backtest", tag: tagPolicies, status: http.StatusOK, route: route{reads: true},
		summary: "Try a version on stored payments",
		description: "Decides each stored payment of the span again, by the version and by the live one, with the history that it had, and tells how the answers differ. It changes nothing. " +
			"Lists are taken as they stand now. Up to 100,000 payments until the end of the span, one backtest at a time on a node; another is answered 429. Larger ones are for probity policy backtest.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body NewBacktest }) (Backtest, error) {
		trial := service.PolicyTrial{From: in.Body.From.UTC(), To: in.Body.To.UTC()}
		if in.Body.PolicyID != nil {
			trial.PolicyID = *in.Body.PolicyID
		}
		got, err := e.Service.TryPolicy(ctx, actor, trial)
		if err != nil {
			return Backtest{}, err
		}
		return backtestOf(got), nil
	})
}
