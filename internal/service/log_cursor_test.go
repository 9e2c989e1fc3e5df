package service

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestALogCursorTakesEachEntryOnceWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c logCursor
		now := time.Unix(0, 0)
		taken := map[int64]bool{}
		for range rapid.IntRange(1, 200).Draw(t, "reads") {
			seq := rapid.Int64Range(1, 60).Draw(t, "seq")
			if got := c.take(seq, now); got == taken[seq] {
				t.Fatalf("entry %d: got new %v after it was taken %v", seq, got, taken[seq])
			}
			taken[seq] = true
			low := c.low()
			for at := int64(1); at <= 60; at++ {
				if at <= low && !taken[at] {
					t.Fatalf("got %d as the low end, and %d was never taken", low, at)
				}
				if c.holds(at) != taken[at] {
					t.Fatalf("got %v for entry %d, taken %v", c.holds(at), at, taken[at])
				}
			}
			for _, run := range c.gaps() {
				for at := run.from; at <= run.to; at++ {
					if taken[at] {
						t.Fatalf("entry %d is in a gap and was taken", at)
					}
				}
			}
		}
	})
}

func TestALogCursorGivesUpWhatNeverCame(t *testing.T) {
	c := logCursor{high: 10}
	start := time.Unix(0, 0)
	c.take(13, start)
	if c.low() != 10 || len(c.gaps()) != 1 || c.gaps()[0] != (span{11, 12}) {
		t.Fatalf("got %d %v", c.low(), c.gaps())
	}
	c.forget(start.Add(gapAge))
	if c.low() != 10 {
		t.Error("a gap was given up too soon")
	}
	c.forget(start.Add(gapAge + time.Second))
	if c.low() != 13 {
		t.Errorf("got %d, want the gap given up", c.low())
	}
}

func TestALogCursorMissesWhatALargeTransactionHasTakenAndNotEnded(t *testing.T) {
	const imported = 16 * MaxPastPayments // as many as can be brought in at once by all connections of a node
	c, now := logCursor{high: 10}, time.Unix(0, 0)
	c.take(10+imported+1, now)
	for seq := int64(11); seq <= 10+imported; seq++ {
		if !c.take(seq, now) {
			t.Fatalf("entry %d came late and was passed over", seq)
		}
	}
	if c.low() != 10+imported+1 {
		t.Errorf("got %d as the low end", c.low())
	}
}
