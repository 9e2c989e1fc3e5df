package risk

import (
	"errors"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// object reads one YAML mapping strictly: every key is known, given once and, but for optional ones, there.
type object struct {
	faults *faults
	node   *yaml.Node
	path   string
	fields map[string]*yaml.Node
}

// newObject reads the node as a mapping with the keys. A key that ends in "?" is optional.
func newObject(f *faults, node *yaml.Node, path string, keys ...string) object {
	o := object{faults: f, node: node, path: path, fields: map[string]*yaml.Node{}}
	if node.Kind != yaml.MappingNode {
		f.add(node, path, "must be a mapping with the keys %s", strings.ReplaceAll(strings.Join(keys, ", "), "?", ""))
		return o
	}
	for i := 0; i+1 < len(node.Content) && !f.full(); i += 2 { // a text can have a hundred thousand keys that nobody knows
		key := node.Content[i]
		switch {
		case !slices.Contains(keys, key.Value) && !slices.Contains(keys, key.Value+"?"):
			known := strings.ReplaceAll(strings.Join(keys, ", "), "?", "")
			f.add(key, path, "unknown key; known are %s%s", known, suggestion(key.Value, strings.Split(known, ", ")))
		case o.fields[key.Value] != nil:
			f.add(key, path, "the key %s is given twice", key.Value)
		default:
			o.fields[key.Value] = node.Content[i+1]
		}
	}
	for _, key := range keys {
		if o.fields[key] == nil && !strings.HasSuffix(key, "?") {
			f.add(node, path, "the key %s is missing", key)
		}
	}
	return o
}

func (o object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// text returns a scalar as written, "" when it is missing. An empty one is a fault.
func (o object) text(key string, maxBytes int) string {
	node := o.fields[key]
	if node == nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode || strings.TrimSpace(node.Value) == "" || len(node.Value) > maxBytes {
		o.faults.add(node, o.at(key), "must be a text of 1 to %d bytes", maxBytes)
		return ""
	}
	return node.Value
}

// matching returns a text that has the shape; hint says the shape in words.
func (o object) matching(key string, shape *regexp.Regexp, hint string) string {
	value := o.text(key, 128)
	if value != "" && !shape.MatchString(value) {
		o.faults.add(o.fields[key], o.at(key), "must be %s", hint)
		return ""
	}
	return value
}

func (o object) oneOf(key string, values ...string) string {
	value := o.text(key, 128)
	if value != "" && !slices.Contains(values, value) {
		o.faults.add(o.fields[key], o.at(key), "must be one of %s%s", strings.Join(values, ", "), suggestion(value, values))
		return ""
	}
	return value
}

func (o object) date(key string) string {
	value := o.text(key, 128)
	if value == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		o.faults.add(o.fields[key], o.at(key), "must be a date as 2026-11-20")
		return ""
	}
	return value
}

func (o object) whole(key string, lowest, highest int64) int64 {
	value := o.text(key, 128)
	if value == "" {
		return lowest
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < lowest || n > highest {
		o.faults.add(o.fields[key], o.at(key), "must be a whole number from %d to %d", lowest, highest)
		return lowest
	}
	return n
}

// amount returns minor units of a currency with so many decimals.
func (o object) amount(key string, decimals int64) int64 {
	value := o.text(key, 128)
	if value == "" {
		return 0
	}
	minor, ok := parseScaled(value, decimals)
	if !ok || !minor.IsInt() || !minor.Num().IsInt64() {
		o.faults.add(o.fields[key], o.at(key), "must be an amount with at most %d decimals, as 500.00", decimals)
		return 0
	}
	return minor.Num().Int64()
}

// flag returns a bool, false when it is missing.
func (o object) flag(key string) bool {
	node := o.fields[key]
	if node == nil {
		return false
	}
	if node.Kind != yaml.ScalarNode || node.Value != "true" && node.Value != "false" {
		o.faults.add(node, o.at(key), "must be true or false")
		return false
	}
	return node.Value == "true"
}

// span returns a duration written as a whole number of minutes, hours or days: 10m, 24h, 30d.
func (o object) span(key string, lowest, highest time.Duration) time.Duration {
	value := o.text(key, 128)
	if value == "" {
		return 0
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	n, err := strconv.ParseUint(value[:len(value)-1], 10, 20)
	span := time.Duration(n) * units[value[len(value)-1]]
	if err != nil || span < lowest || span > highest || n == 0 {
		o.faults.add(o.fields[key], o.at(key), "must be a span as 10m, 24h or 30d, from %s to %s", spanText(lowest), spanText(highest))
		return 0
	}
	return span
}

// spanText writes a span as span reads it.
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

func (o object) list(key string, most int) []*yaml.Node {
	node := o.fields[key]
	if node == nil {
		return nil
	}
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 || len(node.Content) > most {
		o.faults.add(node, o.at(key), "must be a list of 1 to %d entries", most)
		return nil
	}
	return node.Content
}

func (o object) child(key string, keys ...string) object {
	node := o.fields[key]
	if node == nil {
		return object{faults: o.faults, node: o.node, path: o.at(key)}
	}
	return newObject(o.faults, node, o.at(key), keys...)
}

var decimalShape = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,15})?$`)

// parseScaled returns a plain decimal number times 10^decimals, exactly.
func parseScaled(value string, decimals int64) (*big.Rat, bool) {
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

var yamlLine = regexp.MustCompile(`line ([0-9]+): (.*)`)

// readDocument returns the root of the one document in the data. Anchors and aliases are refused: a policy says what it says in place.
func readDocument(data []byte) (*yaml.Node, *Fault) {
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, syntaxFault(err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &Fault{Line: more.Line, Column: more.Column, Message: "a policy is one YAML document; remove what follows the first"}
	}
	if len(document.Content) != 1 {
		return nil, &Fault{Message: "the policy is empty"}
	}
	root := document.Content[0]
	if node := findAlias(root); node != nil {
		return nil, &Fault{Line: node.Line, Column: node.Column, Message: "anchors and aliases are not accepted; write the value out"}
	}
	return root, nil
}

func syntaxFault(err error) *Fault {
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ := strconv.Atoi(found[1])
		return &Fault{Line: line, Message: "not YAML: " + found[2]}
	}
	if errors.Is(err, io.EOF) {
		return &Fault{Message: "the policy is empty"}
	}
	return &Fault{Message: "not YAML; check the indentation and quotes"}
}

func findAlias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return node
	}
	for _, child := range node.Content {
		if found := findAlias(child); found != nil {
			return found
		}
	}
	return nil
}
