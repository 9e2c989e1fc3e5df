package backtest

import "time"

// Report is what a Run measured. Amounts are in minor units of the policy's reference currency; payments without a rate add nothing to
// them (AmountUnknown counts those). A measure that has no value, such as the precision of nothing, is null.
type Report struct {
	From time.Time `json:"from"` // of the payments that were measured; the zero time when there was none
	To   time.Time `json:"to"`
	// Seconds is how long the run took; the caller fills it, who has a clock.
	Seconds           float64 `json:"seconds"`
	PaymentsPerSecond float64 `json:"payments_per_second"` // Streamed / Seconds

	Payments      int64  `json:"payments"` // measured
	Streamed      int64  `json:"streamed"` // decided or learned from, also outside the measured window
	Labelled      int64  `json:"labelled"` // of the measured, with a known truth; the others count as good
	Fraud         int64  `json:"fraud"`    // of the measured
	Currency      string `json:"currency"` // of all amounts here
	AmountMinor   int64  `json:"amount_minor"`
	FraudMinor    int64  `json:"fraud_minor"`
	AmountUnknown int64  `json:"amount_unknown"`

	Result
	Against *Comparison `json:"against,omitempty"`
}

// Result is how one policy did on the measured payments. "Stopped" is rejected or held for review.
type Result struct {
	PolicyID      string `json:"policy_id"`
	PolicyVersion string `json:"policy_version"`

	// ScoredBy is what payments were ranked by: "probability" of the policy's scorecard, or "rules" (RankOf).
	ScoredBy         string   `json:"scored_by"`
	AveragePrecision *float64 `json:"average_precision"`
	AUCROC           *float64 `json:"auc_roc"`
	// CardPrecision100 is the mean over the days of the share of the first 100 accounts that have a fraud that day; see CardPrecision.
	CardPrecision100 *float64 `json:"card_precision_100"`
	// Ranked is the number of payments behind the three measures: all, or, for the public protocol, those of accounts that were not known to
	// be compromised.
	Ranked      int64 `json:"ranked"`
	RankedFraud int64 `json:"ranked_fraud"`

	Outcomes Outcomes `json:"outcomes"`
	Stopped  Measure  `json:"stopped"`
	// SavedMinor is the amount of fraud that was rejected, HeldMinor that was held for review, LostMinor that was approved.
	SavedMinor int64 `json:"saved_minor"`
	HeldMinor  int64 `json:"held_minor"`
	LostMinor  int64 `json:"lost_minor"`
	// GoodBlocked counts good payments that were rejected, GoodHeld those that were held.
	GoodBlocked      int64    `json:"good_blocked"`
	GoodBlockedMinor int64    `json:"good_blocked_minor"`
	GoodHeld         int64    `json:"good_held"`
	GoodHeldMinor    int64    `json:"good_held_minor"`
	FalsePositives   *float64 `json:"false_positive_rate"` // good payments stopped / good payments

	Rules       []RuleResult   `json:"rules"`
	Reasons     []ReasonResult `json:"reasons"`
	Days        []DayResult    `json:"days"`
	Calibration []Bin          `json:"calibration,omitempty"` // of a scorecard's probability
	Curves      Curves         `json:"curves"`
	Missed      []Example      `json:"missed"`       // approved frauds, the largest first
	BlockedGood []Example      `json:"blocked_good"` // stopped good payments, the largest first
}

// Outcomes counts payments by the answer they would have got.
type Outcomes struct {
	Approved OutcomeCount `json:"approved"`
	Review   OutcomeCount `json:"review"`
	Rejected OutcomeCount `json:"rejected"`
}

// OutcomeCount is the payments with one answer.
type OutcomeCount struct {
	Payments    int64 `json:"payments"`
	Fraud       int64 `json:"fraud"`
	AmountMinor int64 `json:"amount_minor"`
	FraudMinor  int64 `json:"fraud_minor"`
}

func (c *OutcomeCount) add(p *payment) {
	c.Payments++
	c.AmountMinor = plus(c.AmountMinor, p.amount)
	if p.fraud {
		c.Fraud++
		c.FraudMinor = plus(c.FraudMinor, p.amount)
	}
}

// Measure is how well a selection of payments fits the fraud.
type Measure struct {
	Payments  int64    `json:"payments"`
	Fraud     int64    `json:"fraud"`
	Precision *float64 `json:"precision"` // Fraud / Payments
	Recall    *float64 `json:"recall"`    // Fraud / all fraud
}

func measure(payments, fraud, allFraud int64) Measure {
	return Measure{Payments: payments, Fraud: fraud, Precision: share(fraud, payments), Recall: share(fraud, allFraud)}
}

// RuleResult is how one rule did by itself.
type RuleResult struct {
	Name string `json:"name"`
	Code string `json:"code"`
	Mode string `json:"mode"`
	// Effect is what a raised rule asks for: trigger, review, rejected or approved.
	Effect string `json:"effect"`
	Measure
	FraudMinor int64 `json:"fraud_minor"` // of the fraud it was raised for
	// Alone counts payments for which no other active rule was raised.
	Alone      int64 `json:"alone"`
	AloneFraud int64 `json:"alone_fraud"`
	// Let counts payments that the policy approved although the rule was raised: what a shadow rule would add.
	Let      int64 `json:"let"`
	LetFraud int64 `json:"let_fraud"`
	Failed   int64 `json:"failed"` // could not be evaluated
}

// ReasonResult is the payments that were stopped for a reason, among others.
type ReasonResult struct {
	Code string `json:"code"`
	Measure
	FraudMinor int64 `json:"fraud_minor"`
}

// DayResult is one UTC day.
type DayResult struct {
	Date          string   `json:"date"` // 2006-01-02
	Payments      int64    `json:"payments"`
	Approved      int64    `json:"approved"`
	Review        int64    `json:"review"`
	Rejected      int64    `json:"rejected"`
	Fraud         int64    `json:"fraud"`
	FraudStopped  int64    `json:"fraud_stopped"`
	FraudMinor    int64    `json:"fraud_minor"`
	StoppedMinor  int64    `json:"stopped_minor"` // of the fraud
	GoodStopped   int64    `json:"good_stopped"`
	CardPrecision *float64 `json:"card_precision_100"`
}

// Bin is the payments whose probability lies in [From, To).
type Bin struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Payments int64   `json:"payments"`
	Fraud    int64   `json:"fraud"`
	Mean     float64 `json:"mean"`     // of the probabilities
	Observed float64 `json:"observed"` // share of fraud
}

// Curves are what plots are drawn from.
type Curves struct {
	ROC             []Point `json:"roc"`
	PrecisionRecall []Point `json:"precision_recall"`
	// Budget is, for payments stopped from the riskiest down: x good payments stopped for each thousand good ones, y the share of the fraud
	// amount stopped.
	Budget []Point `json:"budget"`
}

// Example is one payment to look at. It names no account, because an account's id may be personal data.
type Example struct {
	PaymentID   string    `json:"payment_id"`
	At          time.Time `json:"at"`
	AmountMinor int64     `json:"amount_minor"` // in Currency
	Currency    string    `json:"currency"`
	Score       float64   `json:"score"`
	Outcome     string    `json:"outcome"`
	Raised      []string  `json:"raised"` // codes of the raised active rules

	reference int64
}

// Comparison is the policy beside another one, usually the current one.
type Comparison struct {
	Result
	Changed int64 `json:"changed"` // payments with another outcome
	// Moves counts payments by both outcomes; only those that differ.
	Moves []Move `json:"moves"`
	// Differences are the changed payments with the largest amounts, at most as many as the Setup says.
	Differences []Difference `json:"differences"`
}

// Move is the payments that one policy answers so and the other so.
type Move struct {
	Before     string `json:"before"` // the outcome of the policy that is compared against
	After      string `json:"after"`
	Payments   int64  `json:"payments"`
	Fraud      int64  `json:"fraud"`
	FraudMinor int64  `json:"fraud_minor"`
	GoodMinor  int64  `json:"good_minor"`
}

// Difference is one payment that the two policies answer differently.
type Difference struct {
	Example         // as the policy answers
	Before   string `json:"before"` // as the policy that is compared against answers
	Fraud    bool   `json:"fraud"`
	Labelled bool   `json:"labelled"`
}

// share returns a / b, nil when b is 0.
func share(a, b int64) *float64 {
	if b == 0 {
		return nil
	}
	s := float64(a) / float64(b)
	return &s
}

// plus adds without overflow.
func plus(a, b int64) int64 {
	if sum := a + b; sum >= a == (b >= 0) {
		return sum
	}
	if b > 0 {
		return 1<<63 - 1
	}
	return -1 << 63
}
