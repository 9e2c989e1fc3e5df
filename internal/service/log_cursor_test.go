package service

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/adapter/store"
)

func TestALogCursorTakesEachEntryOnceWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c logCursor
		now := time.Unix(0, 0)
		taken := map[int64]bool{}
		for range rapid.IntRange(1, 200).Draw(t, "reads") {
			seq := rapid.Int64Range(1, 60).Draw(t, "seq")
			if got := c.take(seq, now, store.Snapshot{}); got == taken[seq] {
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
			for _, run := range c.gaps(now) {
				for at := run.From; at <= run.To; at++ {
					if taken[at] {
						t.Fatalf("entry %d is in a gap and was taken", at)
					}
				}
			}
		}
	})
}

func TestALogCursorGivesUpWhatNeverCame(t *testing.T) {
	start := time.Unix(0, 0)
	for _, test := range []struct {
		name  string
		after time.Duration
		on    store.Snapshot
		low   int64
	}{
		{"young, and what took it may still run", gapAge, store.Snapshot{Xmin: 50, Xmax: 200}, 10},
		{"young, and nothing runs that may have taken it", gapAge, store.Snapshot{Xmin: 100, Xmax: 200}, 10},
		{"old, and what took it may still run", time.Hour, store.Snapshot{Xmin: 99, Xmax: 200}, 10},
		{"old, and nothing runs that may have taken it", gapAge + time.Second, store.Snapshot{Xmin: 100, Xmax: 200}, 13},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := logCursor{high: 10}
			c.take(13, start, store.Snapshot{Xmin: 50, Xmax: 100})
			if gaps := c.gaps(start.Add(test.after)); c.low() != 10 || len(gaps) != 1 || gaps[0] != (store.Span{From: 11, To: 12}) {
				t.Fatalf("got %d %v", c.low(), gaps)
			}
			c.forget(start.Add(test.after), test.on)
			if got := c.low(); got != test.low {
				t.Errorf("got %d as the low end, want %d", got, test.low)
			}
		})
	}
}

func TestALogCursorLooksAtOldGapsOnceASecond(t *testing.T) {
	c, wall := logCursor{high: 10}, time.Unix(0, 0)
	c.take(12, wall, store.Snapshot{Xmin: 50, Xmax: 100})
	for range 10 {
		if got := len(c.gaps(wall)); got != 1 {
			t.Errorf("got %d gaps to look at while it is young, want 1 at every look", got)
		}
	}
	wall = wall.Add(time.Minute)
	if got := len(c.gaps(wall)); got != 1 {
		t.Errorf("got %d gaps to look at, want 1", got)
	}
	c.forget(wall, store.Snapshot{Xmin: 50, Xmax: 200})
	wall = wall.Add(lookAtOld / 2)
	if got := len(c.gaps(wall)); got != 0 {
		t.Errorf("got %d gaps to look at half a second later, want none", got)
	}
	// Nobody has looked, so nothing is known.
	if c.forget(wall, store.Snapshot{Xmin: 150, Xmax: 200}); c.low() != 10 {
		t.Error("a gap was given up without a look")
	}
	wall = wall.Add(lookAtOld)
	c.gaps(wall)
	if c.forget(wall, store.Snapshot{Xmin: 150, Xmax: 200}); c.low() != 12 {
		t.Errorf("got %d as the low end, want the gap given up", c.low())
	}
}

func TestALogCursorMissesWhatALargeTransactionHasTakenAndNotEnded(t *testing.T) {
	const imported = 16 * MaxPastPayments // as many as can be brought in at once by all connections of a node
	c, now := logCursor{high: 10}, time.Unix(0, 0)
	c.take(10+imported+1, now, store.Snapshot{})
	for seq := int64(11); seq <= 10+imported; seq++ {
		if !c.take(seq, now, store.Snapshot{}) {
			t.Fatalf("entry %d came late and was passed over", seq)
		}
	}
	if c.low() != 10+imported+1 {
		t.Errorf("got %d as the low end", c.low())
	}
}
