package backtest

import (
	"time"

	"github.com/probity/probity/internal/domain/risk/history"
)

// labels is what will become known, the next first: a binary heap.
type labels struct {
	heap   []waiting
	pushed int64
}

type waiting struct {
	at      int64 // microseconds
	order   int64 // of pushing, so that labels of one instant keep theirs
	account *account
	label   *history.Label
	entry   *history.Entry // nil when it is a label: a held payment that was approved
}

func (w waiting) before(other waiting) bool {
	return w.at < other.at || w.at == other.at && w.order < other.order
}

func (l *labels) push(known time.Time, a *account, label history.Label) {
	l.add(waiting{at: known.UnixMicro(), account: a, label: &label})
}

func (l *labels) pushEntry(known time.Time, a *account, entry history.Entry) {
	l.add(waiting{at: known.UnixMicro(), account: a, entry: &entry})
}

func (l *labels) add(w waiting) {
	l.pushed++
	w.order = l.pushed
	l.heap = append(l.heap, w)
	for i := len(l.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !l.heap[i].before(l.heap[parent]) {
			return
		}
		l.heap[i], l.heap[parent] = l.heap[parent], l.heap[i]
		i = parent
	}
}

// pop returns the earliest that is known by the instant.
func (l *labels) pop(at time.Time) (waiting, bool) {
	if len(l.heap) == 0 || l.heap[0].at > at.UnixMicro() {
		return waiting{}, false
	}
	first := l.heap[0]
	last := len(l.heap) - 1
	l.heap[0] = l.heap[last]
	l.heap[last] = waiting{}
	l.heap = l.heap[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if l.heap[child].before(l.heap[least]) {
				least = child
			}
		}
		if least == i {
			return first, true
		}
		l.heap[i], l.heap[least] = l.heap[least], l.heap[i]
		i = least
	}
}
