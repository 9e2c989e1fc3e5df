package service

import (
	"cmp"
	"slices"
	"time"

	"github.com/probity/probity/internal/adapter/store"
)

// logCursor remembers which entries of a log were taken. On PostgreSQL a number can be missing for a while, because the transaction that
// took it has not ended; and for ever, when it was rolled back.
type logCursor struct {
	high    int64 // every number up to here was taken or is missing
	missing []gap // in order

	lookedAtAll time.Time // wall time of the last look that was at the old gaps too
	all         bool      // the look that is going on is one
}

// gap is a run of numbers that are missing.
type gap struct {
	store.Span
	since time.Time // when it was first missed, in wall time
	xmax  int64     // what took the numbers and has not ended is a transaction before this one (see store.Snapshot)
}

const (
	// gapAge is how long a missing number is looked for at least. After that it is looked for until every transaction has ended that had begun
	// when it was missed first: a commit that stalls is late, and never lost.
	gapAge = 30 * time.Second
	// lookAtOld is how often gaps are looked at that are older than that themselves: most numbers that are missing so long were taken by what
	// was undone, and are many where much is.
	lookAtOld = time.Second
)

// find returns the place of the first gap that ends at the number or after it, and whether the number is in it.
func (c *logCursor) find(seq int64) (int, bool) {
	i, _ := slices.BinarySearchFunc(c.missing, seq, func(g gap, seq int64) int { return cmp.Compare(g.To, seq) })
	return i, i < len(c.missing) && c.missing[i].From <= seq
}

// take notes an entry that was read, when and on what state of the log, and reports whether it is new.
func (c *logCursor) take(seq int64, wall time.Time, on store.Snapshot) bool {
	if seq > c.high {
		if seq > c.high+1 { // by thousands, while others bring in their past
			c.missing = append(c.missing, gap{store.Span{From: c.high + 1, To: seq - 1}, wall, on.Xmax})
		}
		c.high = seq
		return true
	}
	i, late := c.find(seq)
	if !late {
		return false
	}
	var rest []gap
	if g := c.missing[i]; g.From < seq {
		rest = append(rest, gap{store.Span{From: g.From, To: seq - 1}, g.since, g.xmax})
	}
	if g := c.missing[i]; g.To > seq {
		rest = append(rest, gap{store.Span{From: seq + 1, To: g.To}, g.since, g.xmax})
	}
	c.missing = slices.Replace(c.missing, i, i+1, rest...)
	return true
}

// low returns the number up to which nothing is missing any more.
func (c *logCursor) low() int64 {
	if len(c.missing) > 0 {
		return c.missing[0].From - 1
	}
	return c.high
}

// gaps returns the missing numbers that it is time to look for, as runs, in order.
func (c *logCursor) gaps(wall time.Time) []store.Span {
	passed := wall.Sub(c.lookedAtAll)
	if c.all = passed >= lookAtOld || passed < 0; c.all {
		c.lookedAtAll = wall
	}
	var runs []store.Span
	for _, g := range c.missing {
		if c.all || wall.Sub(g.since) <= lookAtOld {
			runs = append(runs, g.Span)
		}
	}
	return runs
}

// sight says on what state of the log a look begins, of what was missed since the last one without a look: it was missed before this state.
func (c *logCursor) sight(on store.Snapshot) {
	for i := len(c.missing) - 1; i >= 0; i-- {
		if c.missing[i].xmax == unseen.Xmax {
			c.missing[i].xmax = on.Xmax
		}
	}
}

// forget gives up, after a look on a state of the log, what can come no more: what took the numbers was undone.
func (c *logCursor) forget(wall time.Time, on store.Snapshot) {
	if !c.all {
		return
	}
	c.missing = slices.DeleteFunc(c.missing, func(g gap) bool { return wall.Sub(g.since) > gapAge && on.Xmin >= g.xmax })
}

// holds reports whether the entry was taken.
func (c *logCursor) holds(seq int64) bool {
	_, missing := c.find(seq)
	return seq <= c.high && !missing
}
