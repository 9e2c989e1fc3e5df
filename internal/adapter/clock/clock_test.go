package clock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/standard/problem"
)

func fixed() *clock.Clock {
	singapore := time.FixedZone("SGT", 8*3600)
	return clock.New(func() time.Time { return time.Date(2026, 11, 9, 18, 0, 0, 123456789, singapore) })
}

func TestClock(t *testing.T) {
	t.Run("wall time is UTC and truncated to microseconds", func(t *testing.T) {
		want := time.Date(2026, 11, 9, 10, 0, 0, 123456000, time.UTC)
		if got := fixed().Wall(); got != want { // == on purpose: location and monotonic reading must match too
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("moving the clock moves business time and leaves wall time", func(t *testing.T) {
		c := fixed()
		wall := c.Wall()
		if _, err := c.Advance(36 * time.Hour); err != nil {
			t.Fatal(err)
		}
		offset, err := c.Advance(time.Hour + 999*time.Nanosecond)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := offset, 37*time.Hour; got != want {
			t.Errorf("offset: got %v, want %v", got, want)
		}
		if got, want := c.Now(), wall.Add(37*time.Hour); got != want {
			t.Errorf("business time: got %v, want %v", got, want)
		}
		if got := c.Wall(); got != wall {
			t.Errorf("wall time moved: got %v, want %v", got, wall)
		}
	})
	t.Run("an offset is put back after a restart", func(t *testing.T) {
		c := fixed()
		if err := c.SetOffset(48 * time.Hour); err != nil {
			t.Fatal(err)
		}
		if got, want := c.Now(), c.Wall().Add(48*time.Hour); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("the clock refuses to move backwards or out of range, and stays as it was", func(t *testing.T) {
		c := fixed()
		if err := c.SetOffset(time.Hour); err != nil {
			t.Fatal(err)
		}
		for _, step := range []time.Duration{-time.Second, clock.MaxOffset, 1<<63 - 1} {
			if _, err := c.Advance(step); !problem.Is(err, problem.Invalid) {
				t.Errorf("Advance(%v): got %v, want a problem of kind Invalid", step, err)
			}
		}
		for _, offset := range []time.Duration{-1, clock.MaxOffset + 1} {
			if err := c.SetOffset(offset); !problem.Is(err, problem.Invalid) {
				t.Errorf("SetOffset(%v): got %v, want a problem of kind Invalid", offset, err)
			}
		}
		if got, want := c.Offset(), time.Hour; got != want {
			t.Errorf("offset: got %v, want %v", got, want)
		}
	})
	t.Run("steps taken at once all count", func(t *testing.T) {
		c := clock.System()
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if _, err := c.Advance(time.Minute); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got, want := c.Offset(), 50*time.Minute; got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
