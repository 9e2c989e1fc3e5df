// Package statedoc reads docs/states/*.md, so that a test of each domain can hold the page against the code. A page has a Mermaid
// state diagram, a table of the states (`state`, meaning) and a table of the transitions (from, to, when, function, journal).
package statedoc

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Start is the From of a transition that begins a life.
const Start = "[*]"

// Edge is one row of the transitions. Function and Journal are empty when the row has a dash; Journal is sorted.
type Edge struct {
	From, To string
	When     string
	Function string
	Journal  []string
}

// Page is what a page says.
type Page struct {
	States []string
	Edges  []Edge
}

var arrow = regexp.MustCompile(`^\s+(\S+) --> (\S+)(?:: (.+))?$`)

// Read returns what docs/states/<name>.md says, and fails the test when its diagram and its tables disagree.
func Read(t testing.TB, name string) Page {
	t.Helper()
	_, here, _, known := runtime.Caller(0)
	if !known {
		t.Fatal("the place of this source file is not known")
	}
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "..", "..", "docs", "states", name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	page, drawn := parse(string(raw))
	listed := []string{}
	for _, edge := range page.Edges {
		listed = append(listed, edge.From+" "+edge.To+" "+edge.When)
		for _, state := range []string{edge.From, edge.To} {
			if state != Start && !slices.Contains(page.States, state) {
				t.Errorf("%s.md: state %s is in a transition but not in the table of states", name, state)
			}
		}
	}
	slices.Sort(listed)
	slices.Sort(drawn)
	if !slices.Equal(listed, drawn) {
		t.Errorf("%s.md: the diagram and the table of transitions disagree:\ndiagram %q\ntable   %q", name, drawn, listed)
	}
	return page
}

func parse(text string) (Page, []string) {
	var page Page
	drawn := []string{}
	for _, line := range strings.Split(text, "\n") {
		if match := arrow.FindStringSubmatch(line); match != nil && match[2] != Start {
			drawn = append(drawn, match[1]+" "+match[2]+" "+match[3])
			continue
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		switch len(cells) {
		case 2:
			page.States = append(page.States, words(cells[0])...)
		case 5:
			page.Edges = append(page.Edges, Edge{
				From: words(cells[0])[0], To: words(cells[1])[0], When: strings.TrimSpace(cells[2]),
				Function: strings.Join(words(cells[3]), " "), Journal: words(cells[4]),
			})
		}
	}
	return page, drawn
}

// words returns what is in a cell, sorted, without ticks and commas; nothing for a dash.
func words(cell string) []string {
	found := strings.FieldsFunc(cell, func(r rune) bool { return r == ' ' || r == ',' || r == '`' || r == '—' })
	slices.Sort(found)
	return found
}

// Built returns the transitions that a function makes, each as "from to function journal…", sorted and without repeats. The test of a
// domain compares them with the ones that it saw the code make; Seen writes those in the same form.
func (p Page) Built() []string {
	var rows []string
	for _, edge := range p.Edges {
		if edge.Function != "" {
			rows = append(rows, Seen(edge.From, edge.To, edge.Function, edge.Journal...))
		}
	}
	return Sorted(rows)
}

// Seen writes a transition as Built does.
func Seen(from, to, function string, journal ...string) string {
	journal = slices.Clone(journal)
	slices.Sort(journal)
	return strings.Join(append([]string{from, to, function}, journal...), " ")
}

// Sorted returns the rows in order, each once.
func Sorted(rows []string) []string {
	rows = slices.Clone(rows)
	slices.Sort(rows)
	return slices.Compact(rows)
}
