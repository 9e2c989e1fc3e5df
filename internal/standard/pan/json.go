package pan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/standard/id"
)

// ErrMalformed says that a body is not one JSON document. Its text holds nothing of the body.
var ErrMalformed = errors.New("the body is not a well-formed json document")

// HiddenName stands in a path for a member name that is not shown, because it holds a card number or is no plain name.
const HiddenName = "(name)"

// FindInJSON looks for a card number in the strings, the numbers and the member names of any JSON document (RFC 8259) and returns the
// path of the first, such as "address.lines[1]". A name that holds a card number itself, or is not a plain ASCII word, appears in the
// path as "(name)", so the path never tells what was found. At the root the path is "(body)". The only error is ErrMalformed.
//
// Left alone, by their value: our own identifiers (id.Looks), RFC 3339 instants, and opaque identifiers made of hexadecimal digits (UUIDs
// and digests of 128 bits or more with at least one letter). Left alone, by their name:
//
//   - phone: at most 15 digits after the separators are removed, as E.164 allows
//   - amount_minor: a JSON number
//   - names that end in _at: a JSON number (a count of seconds or of parts of a second)
//   - policy_text: the digits of numbers with a decimal point, of which a learned scorecard has thousands; anything else in it is looked at
//
// A number is looked at as it is written and as the whole number it stands for: 4.111e15 is not a way round.
func FindInJSON(body []byte) (path string, found bool, err error) {
	// The decoder's token stream forgives some things; Valid does not, and bounds the depth.
	if !json.Valid(body) {
		return "", false, ErrMalformed
	}
	walk := walker{decoder: json.NewDecoder(bytes.NewReader(body))}
	walk.decoder.UseNumber()
	for {
		token, err := walk.decoder.Token()
		if errors.Is(err, io.EOF) {
			return "", false, nil
		}
		if err != nil {
			return "", false, ErrMalformed
		}
		if walk.take(token) {
			return walk.path(), true, nil
		}
	}
}

// frame is an array or object that is being read.
type frame struct {
	object   bool
	name     string // of the member being read
	wantName bool   // the next token is a member name
	index    int    // of the element being read
}

type walker struct {
	decoder *json.Decoder
	frames  []frame
}

// take reads one token and reports whether it holds a card number.
func (w *walker) take(token json.Token) bool {
	if delimiter, ok := token.(json.Delim); ok {
		switch delimiter {
		case '{':
			w.frames = append(w.frames, frame{object: true, wantName: true})
		case '[':
			w.frames = append(w.frames, frame{})
		default:
			w.frames = w.frames[:len(w.frames)-1]
			w.next()
		}
		return false
	}
	if top := w.top(); top != nil && top.wantName {
		top.name, _ = token.(string)
		top.wantName = false
		return Find(top.name)
	}
	found := false
	switch value := token.(type) {
	case string:
		found = Find(value) && !exemptString(w.name(), value)
	case json.Number:
		found = !exemptNumber(w.name()) && (Find(value.String()) || Find(wholeNumber(value.String())))
	}
	if !found {
		w.next()
	}
	return found
}

func (w *walker) top() *frame {
	if len(w.frames) == 0 {
		return nil
	}
	return &w.frames[len(w.frames)-1]
}

// next moves on to the next member or element.
func (w *walker) next() {
	if top := w.top(); top != nil {
		top.wantName = top.object
		top.index++
	}
}

// name returns the name of the member that is being read; an element of an array has none.
func (w *walker) name() string {
	if top := w.top(); top != nil && top.object {
		return top.name
	}
	return ""
}

// path writes where the walker stands, without any name that could carry a number.
func (w *walker) path() string {
	var out strings.Builder
	for i := range w.frames {
		if !w.frames[i].object {
			fmt.Fprintf(&out, "[%d]", w.frames[i].index)
			continue
		}
		if out.Len() > 0 {
			out.WriteByte('.')
		}
		if plainName(w.frames[i].name) {
			out.WriteString(w.frames[i].name)
		} else {
			out.WriteString(HiddenName)
		}
	}
	switch path := out.String(); {
	case path == "":
		return "(body)"
	case len(path) > 400, Find(path): // names that are harmless one by one can spell a number together
		return HiddenName
	default:
		return path
	}
}

// plainName reports whether a member name is a short ASCII word without a card number, as all names of the API are.
func plainName(name string) bool {
	if name == "" || len(name) > 64 || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return !Find(name)
}

func exemptString(name, value string) bool {
	if name == "phone" && digitCount(value) <= phoneDigits {
		return true
	}
	if isIdentifier(value) || name == "policy_text" && !Find(decimals.ReplaceAllString(value, "x")) {
		return true
	}
	_, err := time.Parse(time.RFC3339Nano, value)
	return err == nil
}

// decimals are numbers with a decimal point, at most six digits of which are before it: nobody writes a card number that way.
var decimals = regexp.MustCompile(`\b[0-9]{1,6}\.[0-9]+(?:[eE][-+]?[0-9]+)?\b`)

// FindInIdentifier is Find for a value that programs make up, such as an idempotency key: one of our ids, a UUID or a long hexadecimal
// number is never taken for a card, though chance puts a passing number into some of them.
func FindInIdentifier(s string) bool { return !isIdentifier(s) && Find(s) }

func isIdentifier(s string) bool { return id.Looks(s) || opaque(s) }

func exemptNumber(name string) bool {
	return name == "amount_minor" || strings.HasSuffix(name, "_at")
}

func digitCount(s string) int {
	count := 0
	for _, r := range s {
		if _, ok := digitValue(r); ok {
			count++
		}
	}
	return count
}

// opaque reports whether s is a UUID (8-4-4-4-12) or an unbroken run of at least 32 characters, in both cases of hexadecimal digits with
// at least one letter among them. Chance puts a passing number into some of these, and nobody writes a card number that way.
func opaque(s string) bool {
	uuid := len(s) == 36
	if !uuid && len(s) < 32 {
		return false
	}
	letter := false
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case uuid && (i == 8 || i == 13 || i == 18 || i == 23):
			if s[i] != '-' {
				return false
			}
		case s[i] >= '0' && s[i] <= '9':
		case c >= 'a' && c <= 'f':
			letter = true
		default:
			return false
		}
	}
	return letter
}

// wholeNumber writes the whole part of a JSON number without exponent: "4.1e3" becomes "4100". A number with more than 40 digits before
// the point is no card number, and becomes the empty string, so that an exponent of a billion costs nothing.
func wholeNumber(number string) string {
	mantissa, power, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(number, "-")), "e")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return ""
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	point := len(whole) + exponent
	leading := len(digits) - len(strings.TrimLeft(digits, "0"))
	digits, point = digits[leading:], point-leading
	if digits == "" || point <= 0 || point > 40 {
		return ""
	}
	if missing := point - len(digits); missing > 0 {
		digits += strings.Repeat("0", missing)
	}
	return digits[:point]
}
