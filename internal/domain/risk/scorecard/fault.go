package scorecard

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with the text of a model.
type Fault struct {
	Line, Column int    // from 1; 0 when the place is not known
	Path         string // e.g. features[2].bins[0].points; empty for the document as a whole
	Message      string // what is wrong and what is accepted
}

// Error lists what is wrong with the text of a model, in the order of the text, at most 20 entries.
type Error struct {
	Faults []Fault
}

const maxFaults = 20

// Error returns one line for each fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return "scorecard refused: " + strings.Join(lines, "\n")
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
