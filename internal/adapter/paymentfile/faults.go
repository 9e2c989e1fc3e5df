package paymentfile

import (
	"cmp"
	"slices"
)

// maxListed bounds the faults that are listed; all are counted.
const maxListed = 100

// Fault is one row that was not used.
type Fault struct {
	Line   int64  `json:"line"`   // from 1, the heading included; where the row begins
	Reason string `json:"reason"` // names the column and the rule, never the value
}

// Count says how many rows had a reason.
type Count struct {
	Reason string `json:"reason"`
	Rows   int64  `json:"rows"`
}

// Faults is what could not be used of a file.
type Faults struct {
	Total    int64   `json:"total"`
	ByReason []Count `json:"by_reason"` // the most frequent first
	Listed   []Fault `json:"listed"`    // the first ones, in the order of the file, at most 100
}

// faultList collects Faults.
type faultList struct {
	told   func(Fault) // of each; may be nil
	total  int64
	counts map[string]int64
	listed []Fault
}

func (f *faultList) add(line int64, reason string) {
	if f.told != nil {
		f.told(Fault{Line: line, Reason: reason})
	}
	if f.counts == nil {
		f.counts = map[string]int64{}
	}
	f.total++
	f.counts[reason]++
	if len(f.listed) < maxListed {
		f.listed = append(f.listed, Fault{Line: line, Reason: reason})
	}
}

// faults returns the list as it stands. Reasons are a closed set, so counts stay few.
func (f *faultList) faults() Faults {
	out := Faults{Total: f.total, ByReason: []Count{}, Listed: slices.Clone(f.listed)}
	for reason, rows := range f.counts {
		out.ByReason = append(out.ByReason, Count{Reason: reason, Rows: rows})
	}
	slices.SortFunc(out.ByReason, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Reason, b.Reason)) })
	slices.SortStableFunc(out.Listed, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	if out.Listed == nil {
		out.Listed = []Fault{}
	}
	return out
}
