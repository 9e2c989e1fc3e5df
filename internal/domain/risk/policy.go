package risk

import (
	_ "embed" // for the default policy
	"math"
	"math/bits"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
)

//go:embed default_policy.yaml
var defaultPolicy []byte

// Mode says what a rule's truth is good for. The zero value is invalid.
type Mode string

// The modes of a rule.
const (
	Active   Mode = "active"   // a raised rule is a trigger
	Shadow   Mode = "shadow"   // evaluated and recorded, never a trigger
	Disabled Mode = "disabled" // not evaluated
)

// Policy is a compiled policy. It is immutable and safe for concurrent use. Only ParsePolicy makes one.
type Policy struct {
	ID            string
	Version       string // compared as a whole; by custom the date of writing, e.g. 2026-11-20
	EffectiveFrom string // YYYY-MM-DD
	Description   string
	Combination   Combination
	Thresholds    []Threshold
	Rules         []Rule

	reference reference
	adapt     func(value any) ref.Val
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
	UnitPayments Unit = "payments" // a whole number
	UnitFactor   Unit = "factor"   // a number to multiply with
	UnitAmount   Unit = "amount"   // in the reference currency; a condition reads its minor units
)

// Rule is one trigger.
type Rule struct {
	Name string
	Code string // the reason code, e.g. new_location
	Mode Mode
	When string // the CEL condition as written
	Text Text   // the sentence for the account holder
	// AloneAboveMinor: when this is the only trigger, it rejects amounts above it, in minor units of the reference currency.
	AloneAboveMinor int64

	program cel.Program
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

// reference is the coarse, dated rate table that lets one threshold serve all currencies.
type reference struct {
	currency string
	asOf     string
	factors  map[string]uint64 // reference minor units for 10^9 minor units of the currency
}

const factorUnit = 1_000_000_000

// convert returns about the same amount in minor units of the reference currency, rounded half up, and false when the table does not
// have the currency. Amounts too large to say are the largest there is: a huge amount never turns into a small one.
func (r reference) convert(amountMinor int64, currency string) (int64, bool) {
	factor, ok := r.factors[currency]
	if !ok || amountMinor < 0 {
		return 0, false
	}
	high, low := bits.Mul64(uint64(amountMinor), factor)
	low, carry := bits.Add64(low, factorUnit/2, 0)
	high += carry
	if high >= factorUnit {
		return math.MaxInt64, true
	}
	quotient, _ := bits.Div64(high, low, factorUnit)
	return int64(min(quotient, math.MaxInt64)), true
}
