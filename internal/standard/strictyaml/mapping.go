package strictyaml

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxScalar bounds texts that have a shape of their own, in bytes.
const maxScalar = 128

// Mapping is one YAML mapping that is read strictly: every key is known, given once and, but for optional ones, there.
type Mapping struct {
	Faults *Faults
	Node   *yaml.Node
	Path   string                // of the mapping in the document; "" for its root
	Fields map[string]*yaml.Node // by key, only what is there
}

// NewMapping reads the node as a mapping with the keys. A key that ends in "?" is optional. A node without a kind is what a fault left
// behind: it adds none.
func NewMapping(f *Faults, node *yaml.Node, path string, keys ...string) Mapping {
	m := Mapping{Faults: f, Node: node, Path: path, Fields: map[string]*yaml.Node{}}
	if node.Kind == 0 {
		return m
	}
	known := func() string { return strings.ReplaceAll(strings.Join(keys, ", "), "?", "") }
	if node.Kind != yaml.MappingNode {
		f.Add(node, path, "must be a mapping with the keys %s", known())
		return m
	}
	for i := 0; i+1 < len(node.Content) && !f.Full(); i += 2 { // a text can have a hundred thousand keys that nobody knows
		key := node.Content[i]
		switch {
		case !slices.Contains(keys, key.Value) && !slices.Contains(keys, key.Value+"?"):
			f.Add(key, path, "unknown key; known are %s%s", known(), Suggestion(key.Value, strings.Split(known(), ", ")))
		case m.Fields[key.Value] != nil:
			f.Add(key, path, "the key %s is given twice", key.Value)
		default:
			m.Fields[key.Value] = node.Content[i+1]
		}
	}
	for _, key := range keys {
		if m.Fields[key] == nil && !strings.HasSuffix(key, "?") {
			f.Add(node, path, "the key %s is missing", key)
		}
	}
	return m
}

// Has reports whether the key is there.
func (m Mapping) Has(key string) bool { return m.Fields[key] != nil }

// At returns the path of a key's value in the document.
func (m Mapping) At(key string) string {
	if m.Path == "" {
		return key
	}
	return m.Path + "." + key
}

// Refuse adds a fault at the value of a key that is there.
func (m Mapping) Refuse(key, format string, args ...any) {
	m.Faults.Add(m.Fields[key], m.At(key), format, args...)
}

// Text returns a scalar as written, "" when it is missing. A blank one is a fault.
func (m Mapping) Text(key string, maxBytes int) string {
	node := m.Fields[key]
	if node == nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode || strings.TrimSpace(node.Value) == "" || len(node.Value) > maxBytes || !utf8.ValidString(node.Value) {
		m.Refuse(key, "must be a text of 1 to %d bytes", maxBytes)
		return ""
	}
	return node.Value
}

// TextOrBlank returns a scalar as written, "" when it is missing.
func (m Mapping) TextOrBlank(key string, maxBytes int) string {
	node := m.Fields[key]
	if node == nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode || len(node.Value) > maxBytes || !utf8.ValidString(node.Value) {
		m.Refuse(key, "must be a text of at most %d bytes", maxBytes)
		return ""
	}
	return node.Value
}

// Matching returns a text that has the shape; hint says the shape in words.
func (m Mapping) Matching(key string, shape *regexp.Regexp, hint string) string {
	value := m.Text(key, maxScalar)
	if value != "" && !shape.MatchString(value) {
		m.Refuse(key, "must be %s", hint)
		return ""
	}
	return value
}

// OneOf returns a text that is one of the values.
func (m Mapping) OneOf(key string, values ...string) string {
	value := m.Text(key, maxScalar)
	if value != "" && !slices.Contains(values, value) {
		m.Refuse(key, "must be one of %s%s", strings.Join(values, ", "), Suggestion(value, values))
		return ""
	}
	return value
}

// Date returns a date as it is written, as 2026-11-20.
func (m Mapping) Date(key string) string {
	value := m.Text(key, maxScalar)
	if value == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		m.Refuse(key, "must be a date as 2026-11-20")
		return ""
	}
	return value
}

// Whole returns a whole number, the lowest one when it is missing.
func (m Mapping) Whole(key string, lowest, highest int64) int64 {
	value := m.Text(key, maxScalar)
	if value == "" {
		return lowest
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < lowest || n > highest {
		m.Refuse(key, "must be a whole number from %d to %d", lowest, highest)
		return lowest
	}
	return n
}

// Number returns a decimal number, the lowest one when it is missing.
func (m Mapping) Number(key string, lowest, highest float64) float64 {
	node := m.Fields[key]
	if node == nil {
		return lowest
	}
	return m.Faults.Number(node, m.At(key), lowest, highest)
}

// numberShape leaves out what ParseFloat also takes: hexadecimal, underscores, infinities and NaN.
var numberShape = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

// Number returns the node's decimal number, the lowest one after a fault. It is never -0.
func (f *Faults) Number(node *yaml.Node, path string, lowest, highest float64) float64 {
	value, err := strconv.ParseFloat(node.Value, 64)
	if node.Kind != yaml.ScalarNode || len(node.Value) > 64 || !numberShape.MatchString(node.Value) || err != nil ||
		value < lowest || value > highest {
		f.Add(node, path, "must be a number from %s to %s", decimal(lowest), decimal(highest))
		return lowest
	}
	if value == 0 {
		return 0 // -0 is written as 0
	}
	return value
}

func decimal(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// Amount returns minor units of a currency with so many decimals.
func (m Mapping) Amount(key string, decimals int64) int64 {
	value := m.Text(key, maxScalar)
	if value == "" {
		return 0
	}
	minor, ok := ParseScaled(value, decimals)
	if !ok || !minor.IsInt() || !minor.Num().IsInt64() {
		m.Refuse(key, "must be an amount with at most %d decimals, as 500.00", decimals)
		return 0
	}
	return minor.Num().Int64()
}

var decimalShape = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,15})?$`)

// ParseScaled returns a plain decimal number times 10^decimals, exactly, and whether the text is one.
func ParseScaled(value string, decimals int64) (*big.Rat, bool) {
	if !decimalShape.MatchString(value) {
		return nil, false
	}
	number, ok := new(big.Rat).SetString(value)
	if !ok {
		return nil, false
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(decimals), nil)
	return number.Mul(number, new(big.Rat).SetInt(scale)), true
}

// Flag returns a bool, false when it is missing.
func (m Mapping) Flag(key string) bool {
	node := m.Fields[key]
	if node == nil {
		return false
	}
	if node.Kind != yaml.ScalarNode || node.Value != "true" && node.Value != "false" {
		m.Refuse(key, "must be true or false")
		return false
	}
	return node.Value == "true"
}

// Span returns a duration written as a whole number of minutes, hours or days: 10m, 24h, 30d.
func (m Mapping) Span(key string, lowest, highest time.Duration) time.Duration {
	value := m.Text(key, maxScalar)
	if value == "" {
		return 0
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	n, err := strconv.ParseInt(value[:len(value)-1], 10, 64)
	unit := units[value[len(value)-1]]
	if err != nil || unit == 0 || n < 1 || n > int64(highest/unit) || time.Duration(n)*unit < lowest {
		m.Refuse(key, "must be a span as 10m, 24h or 30d, from %s to %s", spanText(lowest), spanText(highest))
		return 0
	}
	return time.Duration(n) * unit
}

// spanText writes a span of whole minutes as Span reads it.
func spanText(span time.Duration) string {
	switch {
	case span%(24*time.Hour) == 0:
		return strconv.Itoa(int(span/(24*time.Hour))) + "d"
	case span%time.Hour == 0:
		return strconv.Itoa(int(span/time.Hour)) + "h"
	default:
		return strconv.Itoa(int(span/time.Minute)) + "m"
	}
}

// List returns the entries of a sequence of lowest to highest length, nil when it is missing.
func (m Mapping) List(key string, lowest, highest int) []*yaml.Node {
	node := m.Fields[key]
	if node == nil {
		return nil
	}
	return m.Faults.Entries(node, m.At(key), lowest, highest)
}

// Entries returns the entries of a sequence of lowest to highest length, nil after a fault.
func (f *Faults) Entries(node *yaml.Node, path string, lowest, highest int) []*yaml.Node {
	if node.Kind != yaml.SequenceNode || len(node.Content) < lowest || len(node.Content) > highest {
		f.Add(node, path, "must be a list of %d to %d entries", lowest, highest)
		return nil
	}
	return node.Content
}

// Child returns the mapping under a key, an empty one when it is missing.
func (m Mapping) Child(key string, keys ...string) Mapping {
	node := m.Fields[key]
	if node == nil {
		return Mapping{Faults: m.Faults, Node: m.Node, Path: m.At(key)}
	}
	return NewMapping(m.Faults, node, m.At(key), keys...)
}
