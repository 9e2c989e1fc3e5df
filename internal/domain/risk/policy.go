package risk

import (
	_ "embed" // for the default policy
	"strings"
	"sync"
	"sync/atomic"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/domain/risk/scorecard"
)

//go:embed default_policy.yaml
var defaultPolicy []byte

// Mode says what a rule's truth is good for. The zero value is invalid.
type Mode string

// The modes of a rule.
const (
	Active   Mode = "active"   // a raised rule counts
	Shadow   Mode = "shadow"   // evaluated and recorded, never counts
	Disabled Mode = "disabled" // not evaluated
)

// Effect is what a raised active rule asks for. The zero value is invalid.
type Effect string

// The effects of a rule.
const (
	EffectTrigger Effect = "trigger"  // counts towards the combination
	EffectReview  Effect = "review"   // hold the payment for a person
	EffectReject  Effect = "rejected" // reject it
	EffectApprove Effect = "approved" // let it pass, unless something with a higher priority objects
)

// Policy is a compiled policy. It is immutable and safe for concurrent use. Only ParsePolicy makes one.
type Policy struct {
	ID            string
	Version       string // compared as a whole; by custom the date of writing, e.g. 2026-11-20
	EffectiveFrom string // YYYY-MM-DD
	Description   string
	Combination   Combination
	Thresholds    []Threshold
	Aggregates    []Aggregate
	Lists         []List
	Rules         []Rule
	Scorecard     *Scorecard // nil when the policy has none

	reference reference
	order     []int // indices of Rules: those that the budget never skips first, without disabled ones
	protected int   // of order: so many are hard
	// The active rules by what they ask for.
	triggers, direct, hard RuleSet
	shape                  uint32 // of the facts: what the codec checks before it reads
	slots                  atomic.Pointer[boundSlots]
	readings               sync.Pool // of *history.Reading, so that a decision need not allocate one
}

// Combination says how raised triggers become an outcome. Amounts are minor units of the reference currency.
type Combination struct {
	// EstablishedAfterApproved is the number of approved payments from which an account is established.
	EstablishedAfterApproved int64
	// CappedAmountMinor: below it, the triggers of an account that is not established do not reject.
	CappedAmountMinor int64
	// TriggersToReject is the number of triggers that reject together whatever the amount.
	TriggersToReject int64
}

// Threshold is a named number that conditions read as threshold.<name>.
type Threshold struct {
	Name    string
	Value   string // as written, e.g. "50.00"
	Unit    Unit
	Meaning string // one sentence for the guide
}

// Unit is what a threshold counts. The zero value is invalid.
type Unit string

// The units of thresholds.
const (
	UnitPayments Unit = "payments" // a whole number of payments
	UnitCount    Unit = "count"    // a whole number of anything else
	UnitFactor   Unit = "factor"   // a number to multiply with
	UnitShare    Unit = "share"    // from 0 to 1
	UnitSeconds  Unit = "seconds"  // a whole number
	UnitAmount   Unit = "amount"   // in the reference currency; a condition reads its minor units
)

// Aggregate is a number about the past that conditions read as aggregate.<name>.
type Aggregate struct {
	Name       string
	Meaning    string
	Where      string // the filter as written; empty for all payments
	Definition history.Definition
}

// Kind returns the type that a condition sees: counts, sums and instants are int, the rest is double.
func (a *Aggregate) Kind() Kind {
	switch a.Definition.Function {
	case history.Count, history.Sum, history.Min, history.Max, history.Distinct, history.FirstSeen, history.LastSeen:
		return KindInt
	case history.Mean, history.Stddev, history.TimeSinceFirst, history.TimeSinceLast, history.Ratio, history.FraudShare:
		return KindDouble
	default:
		return KindDouble
	}
}

// List is a list of values that people keep outside the policy. Conditions read list.<name>: the payment's field is on the list.
type List struct {
	Name    string
	Kind    ListKind
	Field   history.Field
	Meaning string
}

// ListKind says what being on a list is meant for. The zero value is invalid. What follows is up to the rules.
type ListKind string

// The kinds of lists.
const (
	ListBlock ListKind = "block"
	ListAllow ListKind = "allow"
)

// Rule is one condition with what follows from it.
type Rule struct {
	Name     string
	Code     string // the reason code, e.g. new_location
	Mode     Mode
	Effect   Effect
	Priority int64  // of a rule that is not a trigger; the combination has 0
	Hard     bool   // a rejection that nothing overrides
	When     string // the CEL condition as written
	Text     Text   // the sentence for the account holder
	// AloneAboveMinor: when this is the only trigger, it rejects amounts above it, in minor units of the reference currency.
	AloneAboveMinor int64

	condition *condition
}

// Scorecard is a learned model and how its features are computed. Conditions read score.probability and score.points.
type Scorecard struct {
	Model    *scorecard.Model // nil in a policy that says how features are computed and has not been trained
	Features []Feature        // in the model's order

	sources []func(p *history.Payment, f *Facts) (float64, bool)
}

// Feature is one number that a model is given.
type Feature struct {
	Name  string
	Value string // the CEL expression; when it fails, the feature is missing

	condition *condition
}

// Text is one sentence by locale (BCP 47). English, "en", is always there.
type Text map[string]string

// In returns the sentence in the locale, else in its language, else in English. Case and "_" for "-" do not matter.
func (t Text) In(locale string) string {
	wanted := strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
	language, _, _ := strings.Cut(wanted, "-")
	found := t["en"]
	best := "~"
	for tag, sentence := range t {
		lower := strings.ToLower(tag)
		if lower == wanted {
			return sentence
		}
		if have, _, _ := strings.Cut(lower, "-"); have == language && lower < best {
			found, best = sentence, lower
		}
	}
	return found
}

// Default returns the policy that ships with Probity.
func Default() (*Policy, error) { return ParsePolicy(defaultPolicy) }

// DefaultYAML returns the text of the policy that ships with Probity, to start an own one from.
func DefaultYAML() []byte { return append([]byte(nil), defaultPolicy...) }

// Definitions returns what the policy's aggregates need from history.
func (p *Policy) Definitions() []history.Definition {
	out := make([]history.Definition, len(p.Aggregates))
	for i := range p.Aggregates {
		out[i] = p.Aggregates[i].Definition
	}
	return out
}

// scored reports whether the facts of the policy have a score.
func (p *Policy) scored() bool { return p.Scorecard != nil && p.Scorecard.Model != nil }

// ReferenceAmount returns about the same amount in minor units of the policy's reference currency, and false when its rate table does not have the
// currency. Whoever folds a payment sets history.Payment.AmountReference and AmountKnown from it.
func (p *Policy) ReferenceAmount(amountMinor int64, currency string) (int64, bool) {
	return p.reference.convert(amountMinor, currency)
}

// ReferenceCurrency returns the currency of the policy's amounts, and its decimals.
func (p *Policy) ReferenceCurrency() (currency string, decimals int) {
	return p.reference.currency, int(p.reference.decimals)
}

// Maintain returns the series that the policies need together. Whoever keeps profiles and an index keeps these.
func Maintain(policies ...*Policy) (*history.SeriesSet, error) {
	var definitions []history.Definition
	for _, policy := range policies {
		definitions = append(definitions, policy.Definitions()...)
	}
	return history.NewSeriesSet(definitions...)
}

// boundSlots are the places of a policy's aggregates in one series set.
type boundSlots struct {
	set   *history.SeriesSet
	slots []history.Slot
}

// slotsIn returns the places of the aggregates in the set. The last set is remembered: it changes only when a policy does.
func (p *Policy) slotsIn(set *history.SeriesSet) []history.Slot {
	if bound := p.slots.Load(); bound != nil && bound.set == set {
		return bound.slots
	}
	bound := &boundSlots{set: set, slots: make([]history.Slot, len(p.Aggregates))}
	for i := range p.Aggregates {
		bound.slots[i] = set.Slot(p.Aggregates[i].Definition)
	}
	p.slots.Store(bound)
	return bound.slots
}
