// Package querycode makes and reads the codes that an account holder quotes to support: nine random symbols and a check symbol, written
// XXXXX-XXXXX, easy to say on a telephone and hard to get wrong unnoticed.
//
// The alphabet has 31 symbols: digits and capitals without I, L, O, U and Z, which are read as 1, 1, 0, V and 2. Because 31 is prime and
// the weights 10, 9, … 1 of the ten symbols are all different modulo 31, the check finds every single wrong symbol and every exchange
// of two symbols, neighbours or not. A code is one of 31^9 (2.6 × 10^13): it names a verification and proves nothing about who quotes it.
package querycode

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/probity/probity/internal/standard/problem"
)

const (
	alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXY"
	modulus  = len(alphabet)
	symbols  = 10 // with the check symbol
	half     = symbols / 2
)

// Field and Code are the field name and the stable code of the problem that Parse answers with.
const (
	Field = "query_code"
	Code  = "query_code_invalid"
)

// New returns a fresh code in its written form. Randomness is read from random, which should be crypto/rand.Reader; the only error is
// one of reading it. Whoever stores the code makes sure that it is unique.
func New(random io.Reader) (string, error) {
	// The largest multiple of 31 that fits in a byte: higher bytes are thrown away so that each symbol is equally likely.
	const fair = 256 / modulus * modulus
	var values [symbols]int
	var one [1]byte
	for i := 0; i < symbols-1; {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return "", fmt.Errorf("read randomness for a query code: %w", err)
		}
		if int(one[0]) < fair {
			values[i] = int(one[0]) % modulus
			i++
		}
	}
	// The last weight is 1, so the check symbol is what the sum lacks.
	values[symbols-1] = (modulus - sum(values)) % modulus
	return written(values), nil
}

// Parse returns the written form of a code as people type it: letters in either case, O for 0, I or L for 1, full-width characters,
// with or without dash and spaces. Otherwise the error is a *problem.Problem for the field query_code that says what is wrong.
func Parse(s string) (string, error) {
	var values [symbols]int
	count := 0
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r) || r == '\u2212' {
			continue
		}
		value, why := read(r)
		if why != "" {
			return "", invalid(why)
		}
		if count < symbols {
			values[count] = value
		}
		count++
	}
	switch {
	case count == 0:
		return "", invalid("is empty; a query code looks like 7F3KD-92QX8 and stands on the page shown after submitting")
	case count < symbols:
		return "", invalid(fmt.Sprintf("has too few characters; a query code has %d, besides the dash", symbols))
	case count > symbols:
		return "", invalid(fmt.Sprintf("has too many characters; a query code has %d, besides the dash", symbols))
	case sum(values) != 0:
		return "", invalid("has a wrong or exchanged character; compare it with the page or the message that shows it")
	}
	return written(values), nil
}

// read returns the value of a typed character, or why it cannot stand in a code.
func read(r rune) (value int, why string) {
	if r >= '！' && r <= '～' {
		r += '!' - '！' // full-width forms, as East Asian keyboards type them
	}
	if r >= 'a' && r <= 'z' {
		r += 'A' - 'a'
	}
	switch r {
	case 'O':
		r = '0'
	case 'I', 'L':
		r = '1'
	case 'U', 'Z':
		return 0, "has the letter U or Z, which query codes never use; it may be a V or a 2"
	}
	value = strings.IndexRune(alphabet, r)
	if value < 0 {
		return 0, "has a character that query codes never use; they have digits and letters only"
	}
	return value, ""
}

// sum returns the weighted sum modulo 31, which is 0 for a sound code.
func sum(values [symbols]int) int {
	total := 0
	for i, value := range values {
		total += (symbols - i) * value
	}
	return total % modulus
}

func written(values [symbols]int) string {
	var out strings.Builder
	for i, value := range values {
		if i == half {
			out.WriteByte('-')
		}
		out.WriteByte(alphabet[value])
	}
	return out.String()
}

func invalid(why string) error {
	return problem.Field(Field, Code, why)
}
