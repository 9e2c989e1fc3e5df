package history

import "time"

// The bounds of the state.
const (
	MaxKnown      = 64 // places, devices and keys of payment methods, each
	MaxCurrencies = 16 // currencies with spending statistics
	MaxKeys       = 64 // values of the other field of an entity that is the account and a field
	MaxDistinct   = 64 // values that Distinct counts; it saturates there
	MaxBuckets    = 66 // of one series for one entity; 34 without a delay
)

// SeriesSet is the series that a number of policies need. It is immutable and safe for concurrent use.
type SeriesSet struct{}

// NewSeriesSet turns definitions into series. The error is a *DefinitionError.
func NewSeriesSet(definitions ...Definition) (*SeriesSet, error) { return &SeriesSet{}, nil }

// Slot returns how the value of a definition is read; the zero Slot, which reads as 0, for a definition that is not in the set. A slot reads from any
// profile and index that maintain the series, whichever set they were folded with.
func (set *SeriesSet) Slot(d Definition) Slot { return Slot{} }

// Slot is one definition, prepared for Value.
type Slot struct{}

// DefinitionError says what is wrong with a definition.
type DefinitionError struct {
	Definition int    // its position in the arguments of NewSeriesSet
	Field      string // entity, function, field, window, delay, include_current, where
	Text       string // the rule that is broken and the way out
}

func (e *DefinitionError) Error() string { return e.Field + ": " + e.Text }

// Profile is the fold of one account's entries, labels and lessons. The zero value has no history.
type Profile struct{}

// Fold adds one entry.
func (p *Profile) Fold(set *SeriesSet, e *Entry) {}

// FoldLabel adds one label.
func (p *Profile) FoldLabel(set *SeriesSet, l *Label) {}

// Learn adds a lesson.
func (p *Profile) Learn(l Lesson) {}

// Lacks reports whether the profile was folded without one of the set's account series, so that the caller must rebuild it.
func (p *Profile) Lacks(set *SeriesSet) bool { return false }

// AppendBinary appends the profile's encoding.
func (p *Profile) AppendBinary(dst []byte) []byte { return dst }

// DecodeProfile reads what AppendBinary wrote.
func DecodeProfile(data []byte) (Profile, error) { return Profile{}, nil }

// Decode is DecodeProfile into p, reusing its memory.
func (p *Profile) Decode(data []byte) error { return nil }

// Known says what of a payment the account has used in approved payments or lessons in the MaxWindow before it.
type Known struct {
	Place, Device, Method bool
	// SinceElsewhere is the seconds since the account was last seen in another country; Never when it was not, or this one is unknown.
	SinceElsewhere float64
}

// Known looks up the payment's place, device and method.
func (p *Profile) Known(payment *Payment) Known { return Known{} }

// Spending are the statistics of approved payments in one currency, in its minor units; all 0 when Count is 0.
type Spending struct {
	Count       int64
	MeanMinor   float64
	StddevMinor float64 // of the population
	MaxMinor    int64
}

// Spending returns how many payments were approved in the MaxWindow before the instant, and the statistics of those in the currency.
func (p *Profile) Spending(currency string, at time.Time) (approved int64, s Spending) {
	return 0, Spending{}
}

// Index is the fold over the entities that are not an account. It is not safe for concurrent use while it is folded.
type Index struct{}

// NewIndex returns an empty index of at most limit entities.
func NewIndex(set *SeriesSet, limit int) *Index { return &Index{} }

// Fold adds one entry.
func (x *Index) Fold(e *Entry) {}

// FoldLabel adds one label.
func (x *Index) FoldLabel(l *Label) {}

// Value reads one aggregate for a payment that is being decided: from the profile or from the index, whichever holds its entity.
func Value(slot Slot, profile *Profile, index *Index, payment *Payment) float64 { return 0 }

// Reading reads many aggregates for one payment; it computes what they share once. Use it again for the next payment with Reset.
type Reading struct{}

// Reset starts the reading of another payment.
func (r *Reading) Reset(profile *Profile, index *Index, payment *Payment) {}

// Value reads one aggregate.
func (r *Reading) Value(slot Slot) float64 { return 0 }
