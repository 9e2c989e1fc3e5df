package paymentfile

import (
	"bytes"

	"github.com/probity/probity/internal/standard/money"
)

// amounts turns the text of one column into minor units.
type amounts struct {
	minor, round bool
	point        byte
	prefix       []byte
}

func newAmounts(c Column) amounts {
	a := amounts{minor: c.Unit == "minor", round: c.Round, point: '.', prefix: []byte(c.Prefix)}
	if c.DecimalComma {
		a.point = ','
	}
	return a
}

// The reasons for which an amount is refused.
const (
	notAnAmount  = "amount: not a plain number such as 12.50"
	tooPrecise   = "amount: more decimals than the currency has; say round: true in the map to accept them"
	negative     = "amount: negative; a refund is not a payment"
	tooLarge     = "amount: above 10^15 minor units"
	noCurrency   = "currency: not an active ISO 4217 code in capitals"
	noFractional = "amount: minor units are whole numbers"
)

// parse returns the amount in minor units of a currency with so many decimals, or the reason why it is none. Zero is an amount: past payments
// hold card checks.
func (a amounts) parse(text []byte, exponent int) (int64, string) {
	if len(a.prefix) > 0 {
		text = bytes.TrimPrefix(text, a.prefix)
	}
	isNegative := len(text) > 0 && text[0] == '-'
	if isNegative {
		text = text[1:]
	}
	if a.minor {
		exponent = 0
	}
	var minor int64
	count, decimals := 0, -1
	half, rest := byte('0'), false
	for _, c := range text {
		switch {
		case c == a.point && decimals < 0:
			decimals = 0
		case c < '0' || c > '9':
			return 0, notAnAmount
		case decimals >= exponent:
			if decimals == exponent {
				half = c
			}
			rest = rest || c != '0'
			decimals++
			count++
		default:
			if minor = minor*10 + int64(c-'0'); minor > money.MaxAmountMinor {
				return 0, tooLarge
			}
			if decimals >= 0 {
				decimals++
			}
			count++
		}
	}
	for decimals = max(decimals, 0); decimals < exponent; decimals++ {
		if minor *= 10; minor > money.MaxAmountMinor {
			return 0, tooLarge
		}
	}
	if rest && a.round && half >= '5' {
		minor++
	}
	switch {
	case count == 0:
		return 0, notAnAmount
	case rest && a.minor && !a.round:
		return 0, noFractional
	case rest && !a.round:
		return 0, tooPrecise
	case isNegative:
		return 0, negative
	case minor > money.MaxAmountMinor:
		return 0, tooLarge
	}
	return minor, ""
}
