package risk

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/probity/probity/internal/standard/strictyaml"
)

// reference is the coarse, dated rate table that lets one threshold serve all currencies.
type reference struct {
	currency string
	decimals int64
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

// readReference reads the rate table.
func (p *Policy) readReference(o strictyaml.Mapping) {
	decimals := o.Whole("decimals", 0, 4)
	p.reference = reference{
		currency: o.Matching("currency", currencyShape, "an ISO 4217 code, as USD"),
		decimals: decimals,
		asOf:     o.Date("as_of"),
		factors:  map[string]uint64{},
	}
	o.Text("source", 4096)
	p.reference.factors[p.reference.currency] = factorUnit
	for i, node := range o.List("rates", 1, maxRates) {
		rate := strictyaml.NewMapping(o.Faults, node, o.At("rates["+strconv.Itoa(i)+"]"), "currency", "decimals", "value")
		currency := rate.Matching("currency", currencyShape, "an ISO 4217 code, as EUR")
		value := rate.Text("value", 128)
		minor := rate.Whole("decimals", 0, 4)
		if currency == "" || value == "" {
			continue
		}
		if p.reference.factors[currency] != 0 {
			rate.Refuse("currency", "this currency already has a rate")
			continue
		}
		factor, ok := strictyaml.ParseScaled(value, 9+decimals)
		if ok {
			factor.Quo(factor, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(minor), nil)))
		}
		if !ok || !wholeUint64(factor) {
			rate.Faults.Add(rate.Fields["value"], rate.At("value"),
				"must be the price of one unit in the reference currency, as 1.17, not 0 and with at most 9 decimals")
			continue
		}
		p.reference.factors[currency] = factor.Num().Uint64()
	}
}

func wholeUint64(r *big.Rat) bool { return r.IsInt() && r.Num().IsUint64() && r.Num().Sign() > 0 }
