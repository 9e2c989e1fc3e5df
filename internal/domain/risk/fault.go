package risk

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Fault is one thing wrong with a policy.
type Fault struct {
	Line, Column int    // from 1, Column in characters; 0 when the place is not known
	Path         string // e.g. rules[2].when; empty for the document as a whole
	Message      string // what is wrong and what is accepted
	Source       string // the line of the policy, cut to what surrounds the place; empty when it is not known
	Caret        int    // where in Source the place is, in characters from 0
}

// PolicyError lists what is wrong with a policy, in the order of the document, at most maxFaults entries.
type PolicyError struct {
	Faults []Fault
}

const (
	maxFaults   = 20
	maxExcerpt  = 120 // characters of a line that an excerpt shows
	excerptLead = 80  // of these, at most so many before the place
)

// Error returns the faults, each with its excerpt.
func (e *PolicyError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
		if excerpt := f.Excerpt(); excerpt != "" {
			lines[i] += "\n" + excerpt
		}
	}
	return "policy refused: " + strings.Join(lines, "\n")
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

// Excerpt returns the line of the policy and, below it, a caret under the place; "" when the place is not known.
func (f Fault) Excerpt() string {
	if f.Source == "" {
		return ""
	}
	return "  | " + f.Source + "\n  | " + strings.Repeat(".", f.Caret) + "^"
}

// faults collects what is wrong while a policy is read, so that its author sees all of it at once.
type faults struct {
	list  []Fault
	lines []string // of the document

	expressions int    // bytes of those that were compiled, of all compilers of the policy
	cost        uint64 // the most that they can cost together
}

// full reports whether no further fault is told.
func (f *faults) full() bool { return len(f.list) >= maxFaults }

func (f *faults) add(node *yaml.Node, path, format string, args ...any) {
	if f.full() {
		return
	}
	f.put(Fault{Line: node.Line, Column: node.Column, Path: path, Message: fmt.Sprintf(format, args...)})
}

func (f *faults) put(fault Fault) {
	if f.full() {
		return
	}
	fault.Source, fault.Caret = f.excerpt(fault.Line, fault.Column)
	f.list = append(f.list, fault)
}

// place is one inside a condition: the line from 1, the column in characters from 0.
type place struct {
	line, column int
}

// inside adds a fault at a place inside a text of the policy.
func (f *faults) inside(node *yaml.Node, path string, at place, message string) {
	line, column := f.locate(node, at)
	f.put(Fault{Line: line, Column: column, Path: path, Message: message})
}

// locate turns a place inside a text into one of the document. A folded text (">") has lost its line breaks, so there only the place of
// the text is known.
func (f *faults) locate(node *yaml.Node, at place) (int, int) {
	switch {
	case node.Style&yaml.FoldedStyle != 0, at.line < 1:
		return node.Line, node.Column
	case node.Style&yaml.LiteralStyle != 0:
		line := node.Line + at.line
		if line > len(f.lines) {
			return node.Line, node.Column
		}
		return line, f.indent(node.Line) + at.column + 1
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return node.Line, node.Column + 1 + at.column
	default:
		return node.Line, node.Column + at.column
	}
}

// indent returns the indentation of the text block whose indicator stands on the line: that of its first line that is not blank.
func (f *faults) indent(indicatorLine int) int {
	for _, text := range f.lines[min(indicatorLine, len(f.lines)):] {
		if trimmed := strings.TrimLeft(text, " "); strings.TrimSpace(trimmed) != "" {
			return len(text) - len(trimmed)
		}
	}
	return 0
}

// excerpt returns what of the line surrounds the column, and where in it the column is.
func (f *faults) excerpt(line, column int) (string, int) {
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

// suggestion returns "; did you mean x?" when one of the names is close to what was written.
func suggestion(written string, names []string) string {
	best, bestDistance := "", 1+max(2, utf8.RuneCountInString(written)/4)
	for _, name := range names {
		distance := editDistance(written, name)
		// payment.amount for payment.amount_minor: the beginning of a name is a near miss however long the rest.
		if strings.HasPrefix(name, written+"_") || strings.HasSuffix(name, "."+written) {
			distance = min(distance, 2)
		}
		if distance < bestDistance {
			best, bestDistance = name, distance
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// editDistance counts the characters to insert, delete or replace to get from a to b.
func editDistance(a, b string) int {
	if max(len(a), len(b)) > 200 {
		return 200
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
