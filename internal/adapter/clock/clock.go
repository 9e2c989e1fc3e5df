// Package clock is the only place beneath cmd that asks the machine what time it is.
//
// It keeps two times. Wall time is the machine's own, for whatever a forged or moved clock must not touch: sign-in sessions,
// one-time codes, webhook signatures, the guard against clock jumps. Business time is wall time plus an offset, zero but in the
// demo, for due dates and everything a person waits for. Both are UTC and truncated to microseconds, which is what both
// databases keep, so an instant read back equals the instant written.
package clock

import (
	"sync/atomic"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

// Precision is the finest step of an instant. PostgreSQL keeps microseconds, and SQLite stores them as integers here.
const Precision = time.Microsecond

// MaxOffset bounds how far business time may run ahead, so that arithmetic on instants cannot overflow.
const MaxOffset = 10 * 366 * 24 * time.Hour

// Clock tells wall time and business time. It is safe for concurrent use; make one with System or New.
type Clock struct {
	source func() time.Time
	offset atomic.Int64 // nanoseconds, a multiple of Precision, 0 … MaxOffset
}

// System returns the machine's clock with no offset.
func System() *Clock { return New(time.Now) }

// New returns a clock on another source of wall time, with no offset. Tests use it; the source must be safe for concurrent use.
func New(source func() time.Time) *Clock { return &Clock{source: source} }

// Wall returns the source's time in UTC, truncated to Precision and without a monotonic reading.
func (c *Clock) Wall() time.Time { return c.source().UTC().Truncate(Precision) }

// Now returns business time: Wall plus Offset.
func (c *Clock) Now() time.Time { return c.Wall().Add(c.Offset()) }

// Offset returns how far business time runs ahead of wall time; never negative.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset puts back an offset that was stored, truncated to Precision. Negative offsets and those beyond MaxOffset are refused
// with a problem of kind Invalid, and the clock stays as it was: business time only moves forward, because a deadline that has
// fired cannot be unfired.
func (c *Clock) SetOffset(offset time.Duration) error {
	if offset < 0 || offset > MaxOffset {
		return outOfRange()
	}
	c.offset.Store(int64(offset.Truncate(Precision)))
	return nil
}

// Advance moves business time forward by a step and returns the new offset, for the caller to store. A negative step, or one past
// MaxOffset in total, is refused as SetOffset does.
func (c *Clock) Advance(step time.Duration) (time.Duration, error) {
	if step < 0 || step > MaxOffset {
		return c.Offset(), outOfRange()
	}
	for {
		before := c.offset.Load()
		after := before + int64(step.Truncate(Precision))
		if after > int64(MaxOffset) {
			return time.Duration(before), outOfRange()
		}
		if c.offset.CompareAndSwap(before, after) {
			return time.Duration(after), nil
		}
	}
}

func outOfRange() error {
	return problem.Field("advance_seconds", "clock_out_of_range",
		"the clock only moves forward, by at most ten years in all; start with a fresh data directory to begin again")
}
