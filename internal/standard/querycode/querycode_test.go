package querycode

import (
	"crypto/rand"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/probity/probity/internal/standard/problem"
)

var form = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Y]{5}-[0-9A-HJKMNP-TV-Y]{5}$`)

func fresh(t testing.TB) string {
	t.Helper()
	code, err := New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestNewCodesHaveTheWrittenFormAndParse(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		code := fresh(t)
		if !form.MatchString(code) {
			t.Fatalf("%q does not have the written form", code)
		}
		if got, err := Parse(code); err != nil || got != code {
			t.Fatalf("Parse(%q) = %q, %v", code, got, err)
		}
		if seen[code] {
			t.Fatalf("%q came twice", code)
		}
		seen[code] = true
	}
}

func TestNewFailsWithoutRandomness(t *testing.T) {
	if code, err := New(strings.NewReader("short")); !errors.Is(err, io.EOF) || code != "" {
		t.Errorf("got %q, %v, want io.EOF", code, err)
	}
}

func TestNewThrowsUnfairBytesAway(t *testing.T) {
	got, err := New(strings.NewReader("\xff\xf8\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	if err != nil || got != "00000-00000" {
		t.Errorf("got %q, %v, want zeros", got, err)
	}
}

// TestTheCheckSymbolFindsEverySlip changes every symbol to every other one, and exchanges every two different symbols, of many codes.
// The sum is linear, so what holds for the differences of these codes holds for all.
func TestTheCheckSymbolFindsEverySlip(t *testing.T) {
	for range 200 {
		code := strings.ReplaceAll(fresh(t), "-", "")
		for i := range len(code) {
			for _, other := range alphabet {
				if byte(other) != code[i] {
					refuse(t, code, code[:i]+string(other)+code[i+1:])
				}
			}
			for j := i + 1; j < len(code); j++ {
				if code[i] != code[j] {
					swapped := []byte(code)
					swapped[i], swapped[j] = swapped[j], swapped[i]
					refuse(t, code, string(swapped))
				}
			}
		}
	}
}

// TestTheWeightsFindEverySlip proves the same for all codes: weights and their differences have no zero modulo 31.
func TestTheWeightsFindEverySlip(t *testing.T) {
	for i := range symbols {
		for difference := 1; difference < modulus; difference++ {
			if (symbols-i)*difference%modulus == 0 {
				t.Errorf("a slip of %d at %d goes unseen", difference, i)
			}
			for j := range i {
				if (i-j)*difference%modulus == 0 {
					t.Errorf("an exchange of %d and %d goes unseen", i, j)
				}
			}
		}
	}
}

func refuse(t *testing.T, code, slip string) {
	t.Helper()
	if _, err := Parse(slip); err == nil {
		t.Fatalf("the slip %q of %q goes unseen", slip, code)
	}
}

func TestParse(t *testing.T) {
	// 0·10 + 1·9 + 10·8 + 11·7 + 12·6 + 13·5 + 14·4 + 15·3 + 16·2 = 436, and 436 + 29 = 15·31.
	const code = "01ABC-DEFGX"
	tests := []struct {
		name, input, want, wantWhy string
	}{
		{"the written form", code, code, ""},
		{"small letters", "01abc-defgx", code, ""},
		{"no dash", "01ABCDEFGX", code, ""},
		{"spaces everywhere", "  01 ABC  DE FGX\n", code, ""},
		{"a long dash", "01ABC—DEFGX", code, ""},
		{"O is zero and I is one", "OIABC-DEFGX", code, ""},
		{"o is zero and l is one", "olabc-defgx", code, ""},
		{"full-width characters", "０１ＡＢＣ－ＤＥＦＧＸ", code, ""},
		{"nothing", "  ", "", "is empty"},
		{"too short", "01ABC-DEFG", "", "too few"},
		{"too long", "01ABC-DEFGXX", "", "too many"},
		{"very long", strings.Repeat("A", 100_000), "", "too many"},
		{"a letter that is never used", "01ABC-DEFGZ", "", "U or Z"},
		{"a character that is never used", "01ABC/DEFGX", "", "digits and letters only"},
		{"a broken character", "01ABC-DEFG\xff", "", "digits and letters only"},
		{"two exchanged", "10ABC-DEFGX", "", "exchanged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse(test.input)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.wantWhy == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			p := problem.As(err)
			if p == nil || p.Kind != problem.Invalid || p.Code != Code || p.Field != Field || !strings.Contains(p.Message, test.wantWhy) {
				t.Errorf("got %v, want a problem that says %q", err, test.wantWhy)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"01ABC-DEFGX", "oiabc defgx", "", "-----", "０１ＡＢＣ", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		canonical, err := Parse(s)
		if err != nil {
			if problem.As(err) == nil || canonical != "" {
				t.Fatalf("got %q with %v", canonical, err)
			}
			return
		}
		if !form.MatchString(canonical) {
			t.Fatalf("Parse(%q) = %q, which is not the written form", s, canonical)
		}
		if again, err := Parse(canonical); err != nil || again != canonical {
			t.Fatalf("Parse is not settled: %q, %v", again, err)
		}
	})
}
