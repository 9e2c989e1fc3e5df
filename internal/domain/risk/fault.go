package risk

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a policy.
type Fault struct {
	Line, Column int    // from 1; 0 when the place is not known
	Path         string // e.g. rules[2].when; empty for the document as a whole
	Message      string // what is wrong and what is accepted
}

// PolicyError lists what is wrong with a policy, in the order of the document, at most maxFaults entries.
type PolicyError struct {
	Faults []Fault
}

const maxFaults = 20

// Error returns one line for each fault.
func (e *PolicyError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
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
