package paymentfile

import (
	"encoding/json"
	"strings"
)

// The reasons for which a line of NDJSON is refused.
const (
	jsonMalformed = "row: not a JSON object on one line"
	jsonTwice     = "row: a member is there twice"
	jsonDeep      = "row: nested deeper than 32"
)

const maxDepth = 32

// members finds the wanted members of one JSON object (RFC 8259) without building the others. A path names a member of a member with a dot.
type members struct {
	root   *member
	values [][]byte
	arena  []byte // strings without their escapes
	text   []byte // what is left to read
	reason string
}

// member is one name on the way to wanted values.
type member struct {
	slots []int // the values that want this member's scalar
	below map[string]*member
}

// newMembers wants the member at each path for the value of its index; an empty path is wanted by nobody.
func newMembers(paths []string) *members {
	m := &members{root: &member{}, values: make([][]byte, len(paths))}
	for slot, path := range paths {
		if path == "" {
			continue
		}
		at := m.root
		for name := range strings.SplitSeq(path, ".") {
			next := at.below[name]
			if next == nil {
				next = &member{}
				if at.below == nil {
					at.below = map[string]*member{}
				}
				at.below[name] = next
			}
			at = next
		}
		at.slots = append(at.slots, slot)
	}
	return m
}

// read returns the wanted scalars as text, nil where a member is missing, null, an object or an array; valid until the next call.
func (m *members) read(line []byte) ([][]byte, string) {
	clear(m.values)
	if cap(m.arena) < len(line) {
		m.arena = make([]byte, 0, 2*len(line)) // room beforehand: values point into it
	}
	m.arena, m.text, m.reason = m.arena[:0], line, ""
	m.space()
	if len(m.text) == 0 || m.text[0] != '{' || !m.object(m.root, 1) {
		return nil, m.failure()
	}
	if m.space(); len(m.text) != 0 {
		return nil, jsonMalformed
	}
	return m.values, ""
}

func (m *members) failure() string {
	if m.reason != "" {
		return m.reason
	}
	return jsonMalformed
}

func (m *members) space() {
	for len(m.text) > 0 && (m.text[0] == ' ' || m.text[0] == '\t' || m.text[0] == '\r' || m.text[0] == '\n') {
		m.text = m.text[1:]
	}
}

// skip takes one byte of punctuation with the space before it.
func (m *members) skip(c byte) bool {
	m.space()
	if len(m.text) == 0 || m.text[0] != c {
		return false
	}
	m.text = m.text[1:]
	return true
}

func (m *members) object(at *member, depth int) bool {
	if depth > maxDepth {
		m.reason = jsonDeep
		return false
	}
	m.text = m.text[1:]
	if m.skip('}') {
		return true
	}
	for {
		m.space()
		name, ok := m.string()
		if !ok || !m.skip(':') {
			return false
		}
		var below *member
		if at != nil {
			below = at.below[string(name)]
		}
		if !m.value(below, depth) {
			return false
		}
		if !m.skip(',') {
			return m.skip('}')
		}
	}
}

func (m *members) array(depth int) bool {
	if depth > maxDepth {
		m.reason = jsonDeep
		return false
	}
	m.text = m.text[1:]
	if m.skip(']') {
		return true
	}
	for {
		if !m.value(nil, depth) {
			return false
		}
		if !m.skip(',') {
			return m.skip(']')
		}
	}
}

func (m *members) value(at *member, depth int) bool {
	m.space()
	if len(m.text) == 0 {
		return false
	}
	var scalar []byte
	ok := true
	switch m.text[0] {
	case '{':
		return m.object(at, depth+1)
	case '[':
		return m.array(depth + 1)
	case '"':
		scalar, ok = m.string()
	case 'n':
		return m.literal("null") != nil
	case 't':
		scalar = m.literal("true")
		ok = scalar != nil
	case 'f':
		scalar = m.literal("false")
		ok = scalar != nil
	default:
		scalar, ok = m.number()
	}
	if !ok {
		return false
	}
	if at != nil {
		for _, slot := range at.slots {
			if m.values[slot] != nil {
				m.reason = jsonTwice
				return false
			}
			m.values[slot] = scalar
		}
	}
	return true
}

func (m *members) literal(word string) []byte {
	if !strings.HasPrefix(string(m.text[:min(len(m.text), len(word))]), word) {
		return nil
	}
	scalar := m.text[:len(word)]
	m.text = m.text[len(word):]
	return scalar
}

// number takes a number of RFC 8259, section 6, as it is written.
func (m *members) number() ([]byte, bool) {
	i, text := 0, m.text
	digits := func() bool {
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	isZero := i < len(text) && text[i] == '0'
	from := i
	if !digits() || isZero && i > from+1 {
		return nil, false
	}
	if i < len(text) && text[i] == '.' {
		i++
		if !digits() {
			return nil, false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digits() {
			return nil, false
		}
	}
	m.text = text[i:]
	return text[:i], true
}

// string takes a string; only one with escapes is copied.
func (m *members) string() ([]byte, bool) {
	if len(m.text) == 0 || m.text[0] != '"' {
		return nil, false
	}
	for i := 1; i < len(m.text); i++ {
		switch c := m.text[i]; {
		case c == '"':
			s := m.text[1:i:i]
			m.text = m.text[i+1:]
			return s, true
		case c < ' ':
			return nil, false
		case c == '\\':
			return m.escaped(i)
		}
	}
	return nil, false
}

// escaped finds the end of a string whose first escape is at i and lets the standard library say what it means.
func (m *members) escaped(i int) ([]byte, bool) {
	for ; i < len(m.text); i++ {
		switch m.text[i] {
		case '\\':
			i++
		case '"':
			var s string
			if json.Unmarshal(m.text[:i+1], &s) != nil {
				return nil, false
			}
			m.text = m.text[i+1:]
			from := len(m.arena)
			m.arena = append(m.arena, s...)
			return m.arena[from:len(m.arena):len(m.arena)], true
		}
	}
	return nil, false
}
