package risk

import (
	"math"
	"slices"
	"time"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/domain/risk/scorecard"
)

// Facts is all that a rule may read. A decision stores its facts (AppendBinary), so that it can be replayed.
type Facts struct {
	Payment    history.Payment
	History    HistoryFacts
	Aggregates []float64 // in the policy's order; never NaN or infinite
	Listed     uint64    // bit i: the payment is on the policy's list i
	Score      ScoreFacts
	Budget     Budget
}

// HistoryFacts is the account's past as a rule sees it: approved payments in the 400 days before the payment, the payment itself not
// included. What is not given is not known.
type HistoryFacts struct {
	ApprovedPayments int64
	Established      bool
	PlaceKnown       bool
	DeviceKnown      bool
	MethodKnown      bool
	// SinceElsewhere is the seconds since the account was last seen in another country; history.Never when it was not.
	SinceElsewhere float64
	Spending       history.Spending
}

// ScoreFacts is what the scorecard says; zero when the policy has none.
type ScoreFacts struct {
	Points      scorecard.Points
	Probability float64
}

// Budget says where a decision ran out of time. The zero value is one that did not.
type Budget struct {
	Overrun    bool
	FailClosed bool // then the payment was rejected for it
	Evaluated  int  // rules that were evaluated before, in the order of evaluation
}

// Sources is where facts come from besides the payment. A nil Profile is an account without history, a nil Index or Lists is empty.
type Sources struct {
	Set     *history.SeriesSet // what the profile and the index maintain: Maintain of this policy, perhaps with others
	Profile *history.Profile
	Index   *history.Index // the caller sees to it that nothing is folded into it meanwhile
	Lists   *Lists
	// DecidedAt is when the payment is decided, in business time: an entry of a list that expires then or before does not count, whatever the
	// payment says of when it was made. Zero: when it was made, for payments of the past that are tried again.
	DecidedAt time.Time
}

// FactsFor derives the facts of a payment. It sets the payment's AmountReference and AmountKnown from the policy's rates, so that the
// payment in the result is the one to fold.
func FactsFor(policy *Policy, from Sources, payment *history.Payment) *Facts {
	facts := &Facts{}
	facts.Derive(policy, from, payment)
	return facts
}

// Derive is FactsFor into f, whose memory it uses again.
func (f *Facts) Derive(policy *Policy, from Sources, payment *history.Payment) {
	*f = Facts{Payment: *payment, Aggregates: f.Aggregates[:0]}
	p := &f.Payment
	p.OccurredAt = p.OccurredAt.UTC().Truncate(time.Microsecond)
	p.AmountReference, p.AmountKnown = policy.reference.convert(p.AmountMinor, p.Currency)
	profile := from.Profile
	if profile == nil {
		profile = &history.Profile{}
	}
	known := profile.Known(p)
	approved, spending := profile.Spending(p.Currency, p.OccurredAt)
	f.History = HistoryFacts{
		ApprovedPayments: approved, Established: approved >= policy.Combination.EstablishedAfterApproved,
		PlaceKnown: known.Place, DeviceKnown: known.Device, MethodKnown: known.Method,
		SinceElsewhere: known.SinceElsewhere, Spending: spending,
	}
	if len(policy.Aggregates) > 0 {
		f.Aggregates = slices.Grow(f.Aggregates, len(policy.Aggregates))[:len(policy.Aggregates)]
		clear(f.Aggregates)
		if from.Set != nil {
			policy.readAggregatesOf(f, from, profile)
		}
	}
	if from.Lists != nil {
		at := from.DecidedAt
		if at.IsZero() {
			at = p.OccurredAt
		}
		f.Listed = from.Lists.match(policy, p, at)
	}
	if policy.scored() {
		score := policy.Scorecard.score(f)
		f.Score = ScoreFacts{Points: score.Points, Probability: score.Probability}
	}
}

func (p *Policy) readAggregatesOf(facts *Facts, from Sources, profile *history.Profile) {
	reading, ok := p.readings.Get().(*history.Reading)
	if !ok {
		reading = &history.Reading{}
	}
	reading.Reset(profile, from.Index, &facts.Payment)
	for i, slot := range p.slotsIn(from.Set) {
		facts.Aggregates[i] = finite(reading.Value(slot))
	}
	p.readings.Put(reading)
}

// finite keeps what a condition reads a number: neither NaN nor infinite.
func finite(value float64) float64 {
	switch {
	case value != value:
		return 0
	case value > math.MaxFloat64:
		return math.MaxFloat64
	case value < -math.MaxFloat64:
		return -math.MaxFloat64
	default:
		return value
	}
}

// aggregate returns one value, 0 when the facts come from elsewhere than FactsFor and lack it.
func (f *Facts) aggregate(i int) float64 {
	if i >= len(f.Aggregates) {
		return 0
	}
	return f.Aggregates[i]
}

func (s *Scorecard) score(facts *Facts) scorecard.Score {
	var features [scorecard.MaxFeatures]float64
	return s.Model.Score(s.Inputs(facts, features[:0]))
}

// Inputs appends the features of the facts, in the order of Features: what a model is trained with and given. One that cannot be
// computed is missing (NaN).
func (s *Scorecard) Inputs(facts *Facts, dst []float64) []float64 {
	for _, source := range s.sources {
		value, ok := source(&facts.Payment, facts)
		if !ok {
			value = math.NaN()
		}
		dst = append(dst, value)
	}
	return dst
}
