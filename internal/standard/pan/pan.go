// Package pan finds payment card numbers (primary account numbers, ISO/IEC 7812) in text and in JSON, so that they can be refused before
// anything is written.
//
// A card number is 13 to 19 digits, once spaces, dashes, dots and underscores between them are removed, that pass the Luhn check and lie
// in an issuer range that allows that length (see the table in issuer.go). Digits of every script count (full-width, Arabic-Indic …) and
// characters that nobody sees (zero-width spaces, direction marks) do not separate.
//
// What the search looks at:
//
//   - Digits fall into groups; groups with one to three separators between them form a sequence. Every stretch of whole groups of a
//     sequence is tried, so "order 12 4111 1111 1111 1111 12/27" is found. A stretch never begins or ends inside a group: an unbroken run
//     of 20 digits or more is no card number. Order numbers of payment systems are such runs, and most of them hold, somewhere, sixteen
//     digits that pass.
//   - A dot separates only groups of three digits or more, so that coordinates and amounts are not glued together.
//   - A plus sign before a stretch of at most 15 digits makes it a telephone number (E.164), not a card number.
//   - A line break separates always: columns of a table are not one number.
package pan

import "unicode"

const (
	maxSeparators = 3  // "4111 - 1111"
	phoneDigits   = 15 // E.164
	dottedGroup   = 3  // digits that a group beside a dot needs
)

// Luhn reports whether a string of ASCII digits ends in the right check digit (ISO/IEC 7812-1 annex B). Anything but digits, and the
// empty string, is false.
func Luhn(digits string) bool {
	values := make([]byte, len(digits))
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
		values[i] = digits[i] - '0'
	}
	return len(digits) > 0 && luhn(values)
}

func luhn(values []byte) bool {
	sum := 0
	for i := range values {
		value := int(values[len(values)-1-i])
		if i%2 == 1 {
			value *= 2
			if value > 9 {
				value -= 9
			}
		}
		sum += value
	}
	return sum%10 == 0
}

// Find reports whether the text holds a card number. Its cost grows with the length of the text and with nothing else.
func Find(s string) bool {
	var scan scanner
	for _, r := range s {
		if scan.take(r) {
			return true
		}
	}
	return scan.endGroup()
}

// isCard reports whether digits (values 0–9) are a card number.
func isCard(digits []byte) bool {
	return len(digits) >= shortest && len(digits) <= longest && luhn(digits) && issued(digits)
}

// group is a run of digits within a sequence.
type group struct {
	start, length int  // in the scanner's digits
	afterPlus     bool // a plus sign stands right before it
}

// scanner reads a text rune by rune and keeps only the last 19 digits' worth of groups of the current sequence.
type scanner struct {
	digits     []byte
	groups     []group
	open       bool // the last group may still grow
	overlong   bool // the open group has more than 19 digits
	plus       bool // the last rune was a plus sign
	separators int  // since the last group
	dotted     bool // one of them was a dot
}

// take reads one rune and reports whether it ended a card number.
func (s *scanner) take(r rune) bool {
	if value, ok := digitValue(r); ok {
		s.digit(value)
		return false
	}
	if invisible(r) {
		return false
	}
	found := s.endGroup()
	s.plus = r == '+' || r == '＋'
	if dot := isDot(r); dot || isSeparator(r) {
		s.separators++
		s.dotted = s.dotted || dot
		if s.separators <= maxSeparators {
			return found
		}
	}
	s.endSequence()
	return found
}

func (s *scanner) digit(value byte) {
	if s.open {
		last := &s.groups[len(s.groups)-1]
		if last.length == longest {
			s.overlong = true
			return
		}
		last.length++
		s.digits = append(s.digits, value)
		return
	}
	if s.dotted && len(s.groups) > 0 && s.groups[len(s.groups)-1].length < dottedGroup {
		s.endSequence()
	}
	s.groups = append(s.groups, group{start: len(s.digits), length: 1, afterPlus: s.plus})
	s.digits = append(s.digits, value)
	s.open, s.plus, s.separators = true, false, 0
}

// endGroup closes the open group and tries every stretch of whole groups that ends with it.
func (s *scanner) endGroup() bool {
	if !s.open {
		return false
	}
	s.open = false
	last := s.groups[len(s.groups)-1]
	if s.overlong {
		s.overlong = false
		s.endSequence()
		return false
	}
	if s.dotted && last.length < dottedGroup {
		s.keepOnly(last)
	}
	s.dotted = false
	end := len(s.digits)
	for i := len(s.groups) - 1; i >= 0; i-- {
		length := end - s.groups[i].start
		if length > longest {
			s.drop(i + 1)
			break
		}
		if s.groups[i].afterPlus && length <= phoneDigits {
			continue
		}
		if isCard(s.digits[s.groups[i].start:end]) {
			return true
		}
	}
	return false
}

// endSequence forgets all groups: what follows belongs to another number.
func (s *scanner) endSequence() {
	s.digits, s.groups = s.digits[:0], s.groups[:0]
	s.separators, s.dotted = 0, false
}

// keepOnly forgets all groups but the last.
func (s *scanner) keepOnly(last group) {
	if last.start > 0 {
		s.drop(len(s.groups) - 1)
	}
}

// drop forgets the first n groups, which are too far back to belong to a card number.
func (s *scanner) drop(n int) {
	offset := s.groups[n].start
	s.digits = append(s.digits[:0], s.digits[offset:]...)
	s.groups = append(s.groups[:0], s.groups[n:]...)
	for i := range s.groups {
		s.groups[i].start -= offset
	}
}

// digitValue returns the value of a decimal digit of any script. Every range of Unicode's category Nd begins with a zero and holds
// whole sets of ten (a test checks it for the tables in use).
func digitValue(r rune) (byte, bool) {
	if r < 0x80 {
		return byte(r - '0'), r >= '0' && r <= '9'
	}
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, span := range unicode.Nd.R16 {
		if rune(span.Lo) <= r && r <= rune(span.Hi) {
			return byte((r - rune(span.Lo)) % 10), true
		}
	}
	for _, span := range unicode.Nd.R32 {
		if rune(span.Lo) <= r && r <= rune(span.Hi) {
			return byte((r - rune(span.Lo)) % 10), true
		}
	}
	return 0, false
}

// invisible reports whether r leaves no trace on a screen: format characters, variation selectors, the combining grapheme joiner.
func invisible(r rune) bool {
	return r >= 0x80 && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || r == '\u034F')
}

func isDot(r rune) bool {
	return r == '.' || r == '．' || r == '·' || r == '․'
}

// isSeparator reports whether r is a space, a dash, a minus sign or an underscore of some kind, but not a line break.
func isSeparator(r rune) bool {
	switch r {
	case ' ', '-', '_', '\t', '\u2212', '＿', '\u00AF', '\u30FC':
		return true
	}
	return r >= 0x80 && (unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Pd, r))
}
