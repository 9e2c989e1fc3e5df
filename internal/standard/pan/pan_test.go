package pan

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
)

// complete appends the Luhn check digit to all digits but the last.
func complete(digits string) string {
	for check := range 10 {
		if whole := fmt.Sprintf("%s%d", digits, check); Luhn(whole) {
			return whole
		}
	}
	panic("no digit completes " + digits)
}

func TestLuhn(t *testing.T) {
	for digits, want := range map[string]bool{
		"4111111111111111": true, "79927398713": true, "0": true, "18": true,
		"4111111111111112": false, "1": false, "": false, "4111 1111": false, "４１": false,
	} {
		if got := Luhn(digits); got != want {
			t.Errorf("Luhn(%q) = %v, want %v", digits, got, want)
		}
	}
}

// The test numbers below are the ones that the schemes and the gateways publish for tests; no account stands behind them.
func TestFind(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
	}{
		{"Visa of 16", "4111111111111111", true},
		{"Visa of 13", "4222222222222", true},
		{"Visa of 19", complete("411111111111111111"), true},
		{"Mastercard", "5555555555554444", true},
		{"Mastercard of the 2 series", "2223003122003222", true},
		{"American Express", "378282246310005", true},
		{"Discover", "6011111111111117", true},
		{"Diners Club of 14", "30569309025904", true},
		{"JCB", "3530111333300000", true},
		{"UnionPay of 16", "6200000000000005", true},
		{"UnionPay of 19", complete("620000000000000000"), true},
		{"Maestro of 13", complete("500000000000"), true},
		{"Mir", complete("220000000000000"), true},
		{"Troy", complete("979200000000000"), true},
		{"UATP", "135410014004955", true},
		{"Verve", complete("50610500000000000"), true},
		{"RuPay", complete("608200000000000"), true},
		{"Uzcard", complete("860000000000000"), true},
		{"Humo", complete("986000000000000"), true},

		{"groups with spaces", "4111 1111 1111 1111", true},
		{"groups with dashes", "4111-1111-1111-1111", true},
		{"groups with dots", "4111.1111.1111.1111", true},
		{"groups with underscores", "4111_1111_1111_1111", true},
		{"groups with several separators", "4111 - 1111 - 1111 - 1111", true},
		{"groups with tabs", "4111\t1111\t1111\t1111", true},
		{"every digit alone", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", true},
		{"groups as on an American Express", "3782 822463 10005", true},
		{"no-break spaces", "4111\u00a01111\u202f1111\u20071111", true},
		{"an em dash, an en dash and a minus sign", "4111—1111–1111−1111", true},
		{"zero-width spaces", "4111\u200b1111\u200d1111\ufeff1111", true},
		{"soft hyphens and direction marks", "\u202a4111\u00ad1111\u200e1111\u20691111", true},
		{"full-width digits", "４１１１　１１１１－１１１１．１１１１", true},
		{"Arabic-Indic digits", "٤١١١ ١١١١ ١١١١ ١١١١", true},
		{"Devanagari digits", "४१११११११११११११११", true},
		{"mathematical bold digits", "𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏", true},

		{"in a sentence", "I paid with 4111111111111111, please help.", true},
		{"in Chinese without spaces", "我的卡号是4111111111111111请帮忙", true},
		{"between letters", "card4111111111111111end", true},
		{"behind our prefix", "acct_4111111111111111", true},
		{"after another number", "12 4111 1111 1111 1111", true},
		{"after a long number", "12345678901234567890123 4111 1111 1111 1111", true},
		{"before the expiry", "4111 1111 1111 1111 12/27 123", true},
		{"before the expiry without a slash", "4111 1111 1111 1111 1227 123", true},
		{"after a telephone number", "+49 151 12345678, 4111 1111 1111 1111", true},
		{"after a decimal", "12.50 4111 1111 1111 1111", true},
		{"of track 2", "4111111111111111=27121010000012300000", true},
		{"a plus sign does not hide 16 digits", "+4111111111111111", true},
		{"in a URL", "https://shop.example/pay?n=4111111111111111&x=1", true},
		{"after a line break", "number:\n4111111111111111\n", true},

		{"nothing", "", false},
		{"a wrong check digit", "4111111111111112", false},
		{"no issuer", complete("999999999999999"), false},
		{"zeros", "0000000000000000", false},
		{"too short", complete("41111111111"), false},
		{"too long", complete("4111111111111111111"), false},
		{"a length that Visa does not have", complete("4111111111111"), false},
		{"a length that American Express does not have", complete("340000000000000"), false},
		{"first six and last four", "411111******1111", false},
		{"masked with dots", "4111 11•• •••• 1111", false},
		{"a telephone number", "+49 151 12345678", false},
		{"a telephone number that passes as a Visa of 13", "+" + complete("491511234567"), false},
		{"a date and time", "2026-11-20 12:00:00.123456", false},
		{"coordinates that pass as an American Express", "37.8282246310005", false},
		{"an address of the internet", "192.168.100.200", false},
		{"digits on lines of their own", "4111\n1111\n1111\n1111", false},
		{"four separators part", "4111    1111    1111    1111", false},
		{"letters part", "4111a1111a1111a1111", false},
		{"a run that only contains one", "41111111111111110000000", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Find(test.text); got != test.want {
				t.Errorf("Find(%q) = %v, want %v", test.text, got, test.want)
			}
		})
	}
}

func TestEveryIssuerRangeIsFoundAtEachOfItsLengthsAndNoOther(t *testing.T) {
	for _, issuer := range issuers {
		if issuer.first > issuer.last || len(fmt.Sprint(issuer.first)) != len(fmt.Sprint(issuer.last)) {
			t.Errorf("%s: the range %d–%d is not well-formed", issuer.scheme, issuer.first, issuer.last)
		}
		for length := shortest; length <= longest; length++ {
			if issuer.allowed&(1<<length) == 0 {
				continue
			}
			for _, leading := range []int{issuer.first, issuer.last} {
				prefix := fmt.Sprint(leading)
				if !Find(complete(prefix + strings.Repeat("7", length-1-len(prefix)))) {
					t.Errorf("%s: %s with %d digits is not found", issuer.scheme, prefix, length)
				}
			}
		}
	}
}

func TestDigitRangesOfUnicodeAreWholeSetsOfTen(t *testing.T) {
	check := func(low, high, stride int) {
		if stride != 1 || (high-low+1)%10 != 0 {
			t.Errorf("%#x–%#x by %d: digitValue would be wrong", low, high, stride)
		}
	}
	for _, span := range unicode.Nd.R16 {
		check(int(span.Lo), int(span.Hi), int(span.Stride))
	}
	for _, span := range unicode.Nd.R32 {
		check(int(span.Lo), int(span.Hi), int(span.Stride))
	}
}

func FuzzFind(f *testing.F) {
	for _, seed := range []string{"4111 1111 1111 1111", "+49 151 12345678", "37.77", "٤١١١", "\xff4111", "1.2.3 4_5-6", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		Find(s)
		// Whatever stands before it, a card number on a line of its own is found.
		if !Find(s+"\n4111 1111 1111 1111") || !Find("4111-1111-1111-1111\n"+s) {
			t.Errorf("a card number beside %q is not found", s)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for name, text := range map[string]string{
		"prose":         strings.Repeat("The payment of 12.50 on 2026-11-20 was refused. ", 1000),
		"single digits": strings.Repeat("9 ", 25_000),
		"one long run":  strings.Repeat("9", 50_000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Find(text)
			}
		})
	}
}
