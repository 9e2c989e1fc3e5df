package money

import (
	"math"
	"strings"
	"testing"

	"github.com/probity/probity/internal/standard/problem"
)

func TestExponent(t *testing.T) {
	tests := []struct {
		name, code string
		want       int
		known      bool
	}{
		{"the dollar has cents", "USD", 2, true},
		{"the yuan has fen", "CNY", 2, true},
		{"the yen has no minor unit", "JPY", 0, true},
		{"the Icelandic krona lost its minor unit", "ISK", 0, true},
		{"the dinar of Kuwait has a thousand fils", "KWD", 3, true},
		{"the Chilean unit of account has four digits", "CLF", 4, true},
		{"the Caribbean guilder is new", "XCG", 2, true},
		{"the Zimbabwe Gold is new", "ZWG", 2, true},
		{"the lev may still occur in late reports", "BGN", 2, true},
		{"the Antillean guilder is withdrawn", "ANG", 0, false},
		{"the kuna is withdrawn", "HRK", 0, false},
		{"gold has no exponent", "XAU", 0, false},
		{"the code for tests is no money", "XTS", 0, false},
		{"the code for no currency is no money", "XXX", 0, false},
		{"lower case is not a code", "usd", 0, false},
		{"nothing is not a code", "", 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, known := Exponent(test.code); got != test.want || known != test.known {
				t.Errorf("Exponent(%q) = %d, %v, want %d, %v", test.code, got, known, test.want, test.known)
			}
			if got := Valid(test.code); got != test.known {
				t.Errorf("Valid(%q) = %v, want %v", test.code, got, test.known)
			}
		})
	}
	if len(exponents) < 160 {
		t.Errorf("only %d currencies: a list was lost", len(exponents))
	}
}

func TestFormat(t *testing.T) {
	tests := []struct {
		name, currency string
		amount         int64
		want           string
	}{
		{"cents follow a point", "USD", 1250, "USD 12.50"},
		{"yen have no point and thousands have a comma", "JPY", 1250, "JPY 1,250"},
		{"less than one unit has a leading zero", "EUR", 7, "EUR 0.07"},
		{"zero is written out", "EUR", 0, "EUR 0.00"},
		{"three decimals", "KWD", -5, "KWD -0.005"},
		{"four decimals", "CLF", 123456789, "CLF 12,345.6789"},
		{"a million", "USD", 100_000_000, "USD 1,000,000.00"},
		{"three digits take no comma", "JPY", 999, "JPY 999"},
		{"the smallest number does not overflow", "JPY", math.MinInt64, "JPY -9,223,372,036,854,775,808"},
		{"an unknown currency admits what it does not know", "ZZZ", 1250, "ZZZ 1,250 (minor units)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Format(test.amount, test.currency); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := (Amount{test.amount, test.currency}).String(); got != test.want {
				t.Errorf("String: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name      string
		amount    Amount
		field     string
		wantCode  string
		wantField string
	}{
		{"one cent is an amount", Amount{1, "USD"}, "amount", "", ""},
		{"the largest amount is an amount", Amount{MaxAmountMinor, "USD"}, "amount", "", ""},
		{"zero is out of range", Amount{0, "USD"}, "amount", CodeAmountOutOfRange, "amount.amount_minor"},
		{"a negative amount is out of range", Amount{-1, "USD"}, "amount", CodeAmountOutOfRange, "amount.amount_minor"},
		{"an absurd amount is out of range", Amount{MaxAmountMinor + 1, "USD"}, "amount", CodeAmountOutOfRange, "amount.amount_minor"},
		{"an unknown currency is told", Amount{1, "ZZZ"}, "ceiling", CodeCurrencyUnknown, "ceiling.currency"},
		{"the zero value is refused", Amount{}, "amount", CodeCurrencyUnknown, "amount.currency"},
		{"a field at the root has no dot", Amount{0, "JPY"}, "", CodeAmountOutOfRange, "amount_minor"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.amount.Check(test.field)
			if test.wantCode == "" {
				if err != nil {
					t.Fatalf("got %v, want nil", err)
				}
				return
			}
			p := problem.As(err)
			if p == nil {
				t.Fatalf("got %v, want a problem", err)
			}
			if p.Kind != problem.Invalid || p.Code != test.wantCode || p.Field != test.wantField {
				t.Errorf("got %v %q at %q, want Invalid %q at %q", p.Kind, p.Code, p.Field, test.wantCode, test.wantField)
			}
		})
	}
}

func FuzzFormat(f *testing.F) {
	f.Add(int64(1250), "USD")
	f.Add(int64(math.MinInt64), "KWD")
	f.Add(int64(-1), "")
	f.Fuzz(func(t *testing.T, amount int64, currency string) {
		got := Format(amount, currency)
		if !strings.HasPrefix(got, currency+" ") {
			t.Errorf("Format(%d, %q) = %q does not start with the currency", amount, currency, got)
		}
	})
}
