package service

import (
	"cmp"
	"slices"
	"time"
)

// logCursor remembers which entries of a log were taken. On PostgreSQL a number can be missing for a while, because the transaction that
// took it has not ended; and for ever, when it was rolled back.
type logCursor struct {
	high    int64 // every number up to here was taken or is missing
	missing []gap // in order
}

// gap is a run of numbers that are missing.
type gap struct {
	span
	since time.Time // when it was first missed, in wall time
}

// span is a run of numbers.
type span struct{ from, to int64 }

// gapAge is how long a missing number is looked for. No transaction of ours lasts as long.
const gapAge = 30 * time.Second

// find returns the place of the first gap that ends at the number or after it, and whether the number is in it.
func (c *logCursor) find(seq int64) (int, bool) {
	i, _ := slices.BinarySearchFunc(c.missing, seq, func(g gap, seq int64) int { return cmp.Compare(g.to, seq) })
	return i, i < len(c.missing) && c.missing[i].from <= seq
}

// take notes an entry that was read, and reports whether it is new.
func (c *logCursor) take(seq int64, wall time.Time) bool {
	if seq > c.high {
		if seq > c.high+1 { // by thousands, while others bring in their past
			c.missing = append(c.missing, gap{span{c.high + 1, seq - 1}, wall})
		}
		c.high = seq
		return true
	}
	i, late := c.find(seq)
	if !late {
		return false
	}
	var rest []gap
	if g := c.missing[i]; g.from < seq {
		rest = append(rest, gap{span{g.from, seq - 1}, g.since})
	}
	if g := c.missing[i]; g.to > seq {
		rest = append(rest, gap{span{seq + 1, g.to}, g.since})
	}
	c.missing = slices.Replace(c.missing, i, i+1, rest...)
	return true
}

// low returns the number up to which nothing is missing any more.
func (c *logCursor) low() int64 {
	if len(c.missing) > 0 {
		return c.missing[0].from - 1
	}
	return c.high
}

// forget gives up numbers that have been missing for too long.
func (c *logCursor) forget(wall time.Time) {
	c.missing = slices.DeleteFunc(c.missing, func(g gap) bool { return wall.Sub(g.since) > gapAge })
}

// gaps returns the missing numbers as runs, in order.
func (c *logCursor) gaps() []span {
	var runs []span
	for _, g := range c.missing {
		runs = append(runs, g.span)
	}
	return runs
}

// holds reports whether the entry was taken.
func (c *logCursor) holds(seq int64) bool {
	_, missing := c.find(seq)
	return seq <= c.high && !missing
}
