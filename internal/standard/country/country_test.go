package country

import (
	"slices"
	"testing"
)

func TestName(t *testing.T) {
	tests := []struct {
		name, code, locale, want string
	}{
		{"English", "CN", "en", "China"},
		{"Chinese", "CN", "zh-CN", "中国"},
		{"a script does not matter", "DE", "zh-Hans-SG", "德国"},
		{"the case of the locale does not matter", "SG", "ZH", "新加坡"},
		{"an underscore is understood", "SG", "zh_CN", "新加坡"},
		{"other languages get English", "JP", "fr-FR", "Japan"},
		{"no locale gets English", "CI", "", "Côte d’Ivoire"},
		{"a new name", "MK", "en", "North Macedonia"},
		{"an unknown code is its own name", "ZZ", "en", "ZZ"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Name(test.code, test.locale); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestValid(t *testing.T) {
	for code, want := range map[string]bool{
		"US": true, "GB": true, "SS": true, "CW": true, "AX": true,
		"UK": false, "EU": false, "XK": false, "ZZ": false, "AN": false, "us": false, "USA": false, "": false,
	} {
		if got := Valid(code); got != want {
			t.Errorf("Valid(%q) = %v, want %v", code, got, want)
		}
	}
}

func TestEveryCountryHasBothNames(t *testing.T) {
	codes := Codes()
	if len(codes) != 249 || !slices.IsSorted(codes) {
		t.Errorf("got %d codes, want the 249 of ISO 3166-1 in order", len(codes))
	}
	for _, code := range codes {
		if len(code) != 2 || Name(code, "en") == "" || Name(code, "zh") == "" || Name(code, "en") == Name(code, "zh") {
			t.Errorf("%q: names %q, %q", code, Name(code, "en"), Name(code, "zh"))
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add("CN", "zh-CN")
	f.Add("", "")
	f.Add("ZZ", "_")
	f.Fuzz(func(t *testing.T, code, locale string) {
		if got := Name(code, locale); got == "" && code != "" {
			t.Errorf("Name(%q, %q) is empty", code, locale)
		}
	})
}
