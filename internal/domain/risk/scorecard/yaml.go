package scorecard

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// faults collects what is wrong while a model is read.
type faults struct{ list []Fault }

func (f *faults) add(node *yaml.Node, path, format string, args ...any) {
	if len(f.list) < maxFaults {
		f.list = append(f.list, Fault{Line: node.Line, Column: node.Column, Path: path, Message: fmt.Sprintf(format, args...)})
	}
}

// object reads one YAML mapping strictly: every key is known, given once and, unless its name ends in "?", there.
type object struct {
	faults *faults
	node   *yaml.Node
	path   string
	fields map[string]*yaml.Node
}

func newObject(f *faults, node *yaml.Node, path string, keys ...string) object {
	o := object{faults: f, node: node, path: path, fields: map[string]*yaml.Node{}}
	known := func() string { return strings.ReplaceAll(strings.Join(keys, ", "), "?", "") }
	if node.Kind != yaml.MappingNode {
		f.add(node, path, "must be a mapping with the keys %s", known())
		return o
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch {
		case !slices.Contains(keys, key.Value) && !slices.Contains(keys, key.Value+"?"):
			f.add(key, path, "unknown key; known are %s", known())
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

func (o object) text(key string, maxBytes int) string {
	node := o.fields[key]
	if node == nil {
		return ""
	}
	if node.Kind != yaml.ScalarNode || len(node.Value) > maxBytes || !utf8.ValidString(node.Value) {
		o.faults.add(node, o.at(key), "must be a text of at most %d bytes", maxBytes)
		return ""
	}
	return node.Value
}

var (
	wordShape        = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	fingerprintShape = regexp.MustCompile(`^[a-z0-9]{1,64}$`)
)

func (o object) matching(key string, shape *regexp.Regexp, hint string) string {
	value := o.text(key, 128)
	if o.fields[key] != nil && !shape.MatchString(value) {
		o.faults.add(o.fields[key], o.at(key), "must be %s", hint)
		return ""
	}
	return value
}

func (o object) date(key string) string {
	value := o.text(key, 32)
	if _, err := time.Parse(time.DateOnly, value); err != nil && o.fields[key] != nil {
		o.faults.add(o.fields[key], o.at(key), "must be a date as 2026-11-20")
		return ""
	}
	return value
}

func (o object) whole(key string, lowest, highest int64) int64 {
	node := o.fields[key]
	if node == nil {
		return lowest
	}
	n, err := strconv.ParseInt(node.Value, 10, 64)
	if node.Kind != yaml.ScalarNode || err != nil || n < lowest || n > highest {
		o.faults.add(node, o.at(key), "must be a whole number from %d to %d", lowest, highest)
		return lowest
	}
	return n
}

func (o object) number(key string, lowest, highest float64) float64 {
	node := o.fields[key]
	if node == nil {
		return lowest
	}
	return o.faults.number(node, o.at(key), lowest, highest)
}

// numberShape leaves out what ParseFloat also takes: hexadecimal, underscores, infinities and NaN.
var numberShape = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

func (f *faults) number(node *yaml.Node, path string, lowest, highest float64) float64 {
	value, err := strconv.ParseFloat(node.Value, 64)
	if node.Kind != yaml.ScalarNode || len(node.Value) > 64 || !numberShape.MatchString(node.Value) || err != nil ||
		value < lowest || value > highest {
		f.add(node, path, "must be a number from %s to %s", decimal(lowest), decimal(highest))
		return lowest
	}
	if value == 0 {
		return 0 // -0 is written as 0
	}
	return value
}

func (o object) points(key string) Points {
	node := o.fields[key]
	if node == nil {
		return 0
	}
	return o.faults.points(node, o.at(key))
}

func (f *faults) points(node *yaml.Node, path string) Points {
	value := f.number(node, path, -maxPoints/100, maxPoints/100)
	hundredths := math.Round(value * 100)
	if math.Abs(float64(value*100)-hundredths) > 1e-6 {
		f.add(node, path, "must be points with at most 2 decimals")
	}
	return Points(hundredths)
}

// list returns the entries of a sequence of lowest to highest length; nil when it is missing.
func (o object) list(key string, lowest, highest int) []*yaml.Node {
	node := o.fields[key]
	if node == nil {
		return nil
	}
	return o.faults.entries(node, o.at(key), lowest, highest)
}

func (f *faults) entries(node *yaml.Node, path string, lowest, highest int) []*yaml.Node {
	if node.Kind != yaml.SequenceNode || len(node.Content) < lowest || len(node.Content) > highest {
		f.add(node, path, "must be a list of %d to %d entries", lowest, highest)
		return nil
	}
	return node.Content
}

var yamlLine = regexp.MustCompile(`line ([0-9]+): (.*)`)

// readDocument returns the root of the one document in the data, without anchors and aliases.
func readDocument(data []byte) (*yaml.Node, *Fault) {
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, syntaxFault(err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &Fault{Line: more.Line, Column: more.Column, Message: "a scorecard is one YAML document; remove what follows the first"}
	}
	if len(document.Content) != 1 {
		return nil, &Fault{Message: "the scorecard is empty"}
	}
	return document.Content[0], nil
}

func syntaxFault(err error) *Fault {
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line, _ := strconv.Atoi(found[1])
		return &Fault{Line: line, Message: "not YAML: " + found[2]}
	}
	if errors.Is(err, io.EOF) {
		return &Fault{Message: "the scorecard is empty"}
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
