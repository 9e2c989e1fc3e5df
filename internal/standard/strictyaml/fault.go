package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxFaults bounds the faults that are told of one document.
const MaxFaults = 20

const (
	maxExcerpt  = 120 // characters of a line that an excerpt shows
	excerptLead = 80  // of these, at most so many before the place
)

// Fault is one thing wrong with a document.
type Fault struct {
	Line, Column int    // from 1, Column in characters; 0 when the place is not known
	Path         string // e.g. rules[2].when; empty for the document as a whole
	Message      string // what is wrong and what is accepted
	Source       string // the line of the document, cut to what surrounds the place; empty when it is not known
	Caret        int    // where in Source the place is, in characters from 0
}

// String returns the place and the message on one line.
func (f Fault) String() string {
	place := ""
	if f.Line > 0 {
		place = fmt.Sprintf("line %d", f.Line)
		if f.Column > 0 {
			place += fmt.Sprintf(", column %d", f.Column)
		}
		place += ": "
	}
	if f.Path != "" {
		place += f.Path + ": "
	}
	return place + f.Message
}

// Excerpt returns the line of the document and, below it, a caret under the place; "" when the place is not known.
func (f Fault) Excerpt() string {
	if f.Source == "" {
		return ""
	}
	return "  | " + f.Source + "\n  | " + strings.Repeat(".", f.Caret) + "^"
}

// Error lists what is wrong with a document, in the order of its lines, at most MaxFaults entries.
type Error struct {
	Document string // what the document is, as "policy"
	Faults   []Fault
}

// Error returns the faults, each with its excerpt.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
		if excerpt := f.Excerpt(); excerpt != "" {
			lines[i] += "\n" + excerpt
		}
	}
	return e.Document + " refused: " + strings.Join(lines, "\n")
}

// Faults collects what is wrong while a document is read, so that its author sees all of it at once. The zero value knows no lines to
// show and is ready to use.
type Faults struct {
	document string
	list     []Fault
	lines    []string // of the document
}

// Err returns an *Error with what was collected, in the order of the lines, or nil when nothing is wrong.
func (f *Faults) Err() error {
	if len(f.list) == 0 {
		return nil
	}
	sorted := slices.Clone(f.list)
	slices.SortStableFunc(sorted, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{Document: f.document, Faults: sorted}
}

// Len returns how many faults were collected.
func (f *Faults) Len() int { return len(f.list) }

// Full reports whether no further fault is told.
func (f *Faults) Full() bool { return len(f.list) >= MaxFaults }

// Add adds a fault at a node.
func (f *Faults) Add(node *yaml.Node, path, format string, args ...any) {
	if !f.Full() { // a message can be long to make
		f.put(Fault{Line: node.Line, Column: node.Column, Path: path, Message: fmt.Sprintf(format, args...)})
	}
}

func (f *Faults) put(fault Fault) {
	if f.Full() {
		return
	}
	fault.Source, fault.Caret = f.excerpt(fault.Line, fault.Column)
	f.list = append(f.list, fault)
}

// Place is one inside a text of the document: the line from 1, the column in characters from 0.
type Place struct {
	Line, Column int
}

// AddInside adds a fault at a place inside a node's text, such as a condition in another language.
func (f *Faults) AddInside(node *yaml.Node, path string, at Place, message string) {
	line, column := f.locate(node, at)
	f.put(Fault{Line: line, Column: column, Path: path, Message: message})
}

// locate turns a place inside a text into one of the document. A folded text (">") has lost its line breaks, so there only the place of
// the text is known.
func (f *Faults) locate(node *yaml.Node, at Place) (int, int) {
	switch {
	case node.Style&yaml.FoldedStyle != 0, at.Line < 1:
		return node.Line, node.Column
	case node.Style&yaml.LiteralStyle != 0:
		line := node.Line + at.Line
		if line > len(f.lines) {
			return node.Line, node.Column
		}
		return line, f.indent(node.Line) + at.Column + 1
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return node.Line, node.Column + 1 + at.Column
	default:
		return node.Line, node.Column + at.Column
	}
}

// indent returns the indentation of the text block whose indicator stands on the line: that of its first line that is not blank.
func (f *Faults) indent(indicatorLine int) int {
	for _, text := range f.lines[min(indicatorLine, len(f.lines)):] {
		if trimmed := strings.TrimLeft(text, " "); strings.TrimSpace(trimmed) != "" {
			return len(text) - len(trimmed)
		}
	}
	return 0
}

// excerpt returns what of the line surrounds the column, and where in it the column is.
func (f *Faults) excerpt(line, column int) (string, int) {
	if line < 1 || line > len(f.lines) || column < 1 {
		return "", 0
	}
	text := []rune(strings.ReplaceAll(strings.ToValidUTF8(strings.TrimRight(f.lines[line-1], "\r"), "?"), "\t", " "))
	caret := min(column-1, len(text))
	if caret > excerptLead {
		text, caret = text[caret-excerptLead:], excerptLead
	}
	if len(text) > maxExcerpt {
		text = text[:maxExcerpt]
	}
	return string(text), caret
}
