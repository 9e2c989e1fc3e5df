// Package money knows the currencies of ISO 4217 and amounts in their minor units: cents, yen, fils. An amount is never a fraction and
// never a float.
package money

import (
	"strconv"

	"github.com/probity/probity/internal/standard/problem"
)

// MaxAmountMinor is the largest amount that is believed: 10^15 minor units, ten thousand billion dollars. A larger one is a mistake or
// an attack; and every amount below it, and a sum of nine of them, is exact in a JavaScript number (2^53).
const MaxAmountMinor int64 = 1_000_000_000_000_000

// The stable codes of the problems that Check answers with.
const (
	CodeAmountOutOfRange = "amount_out_of_range"
	CodeCurrencyUnknown  = "currency_unknown"
)

// Amount is a sum of money as the API writes it: {"amount_minor":1250,"currency":"USD"} is 12.50 US dollars.
type Amount struct {
	AmountMinor int64  `json:"amount_minor"` // in minor units of the currency
	Currency    string `json:"currency"`     // ISO 4217 alphabetic code in capitals
}

// Check returns nil for an amount from 1 to MaxAmountMinor of a known currency, and otherwise a *problem.Problem of kind Invalid that
// blames field+".amount_minor" or field+".currency" (without the dot when field is empty). An unknown currency is told first.
func (a Amount) Check(field string) error {
	if field != "" {
		field += "."
	}
	if !Valid(a.Currency) {
		return problem.Field(field+"currency", CodeCurrencyUnknown,
			"not an active ISO 4217 code; send three capital letters, for example USD")
	}
	if a.AmountMinor <= 0 {
		return problem.Field(field+"amount_minor", CodeAmountOutOfRange,
			"must be at least 1; send a whole number of minor units, for example 1250 for USD 12.50")
	}
	if a.AmountMinor > MaxAmountMinor {
		return problem.Field(field+"amount_minor", CodeAmountOutOfRange,
			"must be at most 1000000000000000 minor units; check that it was not multiplied twice")
	}
	return nil
}

// String returns the amount as Format writes it.
func (a Amount) String() string {
	return Format(a.AmountMinor, a.Currency)
}

// Exponent returns the number of decimal digits of the currency's minor unit (2 for USD, 0 for JPY, 3 for KWD), and false when the code
// is not an active one. Codes are upper case.
func Exponent(code string) (int, bool) {
	exponent, known := exponents[code]
	return exponent, known
}

// Valid reports whether code is an active ISO 4217 code that has an exponent, in capitals.
func Valid(code string) bool {
	_, known := exponents[code]
	return known
}

// Format writes an amount for people: the code, a space, and the amount with commas between thousands and the currency's number of
// decimals, e.g. "USD 1,250.00", "JPY 1,250", "KWD -0.005". An amount of an unknown currency is written in minor units and says so.
func Format(amountMinor int64, currency string) string {
	exponent, known := Exponent(currency)
	sign, magnitude := "", uint64(amountMinor)
	if amountMinor < 0 {
		sign, magnitude = "-", -magnitude // in two's complement right for the smallest int64 too
	}
	digits := strconv.FormatUint(magnitude, 10)
	if !known {
		return currency + " " + sign + grouped(digits) + " (minor units)"
	}
	for len(digits) <= exponent {
		digits = "0" + digits
	}
	whole, fraction := digits[:len(digits)-exponent], digits[len(digits)-exponent:]
	if fraction != "" {
		fraction = "." + fraction
	}
	return currency + " " + sign + grouped(whole) + fraction
}

// grouped puts a comma before every third digit from the right.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
