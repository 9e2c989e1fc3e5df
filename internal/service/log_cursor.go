package service

import (
	"slices"
	"time"
)

// logCursor remembers which entries of a log were taken. On PostgreSQL a number can be missing for a while, because the transaction that
// took it has not ended; and for ever, when it was rolled back.
type logCursor struct {
	high    int64               // every number up to here was taken or is missing
	missing map[int64]time.Time // when it was first missed, in wall time
}

const (
	// gapAge is how long a missing number is looked for. No transaction of ours lasts as long.
	gapAge = 30 * time.Second
	// maxGap bounds how many numbers one jump can leave missing: sequences jump when a server restarts.
	maxGap = 4096
)

// take notes an entry that was read, and reports whether it is new.
func (c *logCursor) take(seq int64, wall time.Time) bool {
	if seq <= c.high {
		_, late := c.missing[seq]
		delete(c.missing, seq)
		return late
	}
	for gap := max(c.high+1, seq-maxGap); gap < seq; gap++ {
		if c.missing == nil {
			c.missing = map[int64]time.Time{}
		}
		c.missing[gap] = wall
	}
	c.high = seq
	return true
}

// low returns the number up to which nothing is missing any more.
func (c *logCursor) low() int64 {
	low := c.high
	for seq := range c.missing {
		low = min(low, seq-1)
	}
	return low
}

// forget gives up numbers that have been missing for too long.
func (c *logCursor) forget(wall time.Time) {
	for seq, since := range c.missing {
		if wall.Sub(since) > gapAge {
			delete(c.missing, seq)
		}
	}
}

// span is a run of numbers.
type span struct{ from, to int64 }

// gaps returns the missing numbers as runs, in order.
func (c *logCursor) gaps() []span {
	if len(c.missing) == 0 {
		return nil
	}
	numbers := make([]int64, 0, len(c.missing))
	for seq := range c.missing {
		numbers = append(numbers, seq)
	}
	slices.Sort(numbers)
	runs := []span{{numbers[0], numbers[0]}}
	for _, seq := range numbers[1:] {
		if last := &runs[len(runs)-1]; seq == last.to+1 {
			last.to = seq
		} else {
			runs = append(runs, span{seq, seq})
		}
	}
	return runs
}

// holds reports whether the entry was taken.
func (c *logCursor) holds(seq int64) bool {
	_, missing := c.missing[seq]
	return seq <= c.high && !missing
}
