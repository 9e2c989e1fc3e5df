package history

import (
	"math/bits"
	"time"
)

// A bucket is 2^tickBits ticks wide; a tick is the precision to which instants inside a bucket are kept. With 10 bits, an instant, the step from the
// bucket before and a small count fit two bytes together.
const (
	tickBits = 10
	tickMask = 1<<tickBits - 1
)

// The instants that can be folded, in microseconds since 1970: later than 1970 and before 2200, so that bucket numbers fit 32 bits.
const (
	minInstant = 1
	maxInstant = 7_258_118_400_000_000
)

// ticks cuts time: one tick is unit microseconds, counted from 1970.
type ticks struct {
	unit       uint64
	reciprocal uint64 // with shift: division by unit as a multiplication
	shift      uint8
}

// ticksFor returns the clock of a series: buckets of a 32nd of the window, or of a 64th of window and delay together.
func ticksFor(window, delay time.Duration) ticks {
	span := max(window.Microseconds()*2, (window + delay).Microseconds())
	const perSpan = 64 << tickBits
	// Odd, so that it is no power of two, whose reciprocal would not fit; rounded up, so that the window never has more than 32 widths.
	return newTicks((uint64(span)+perSpan-1)/perSpan | 1)
}

func newTicks(unit uint64) ticks {
	shift := uint8(bits.Len64(unit) - 1)
	quotient, _ := bits.Div64(1<<shift, 0, unit)
	return ticks{unit: unit, reciprocal: quotient + 1, shift: shift}
}

// at returns the number of the tick that holds the instant, 0 for one before 1970. It equals a division by unit for all instants below 2^53: the
// reciprocal is too large by less than one, which adds less than 2^(53-64-shift), while quotients are 1/unit > 2^-(shift+1) apart.
func (t *ticks) at(micros int64) uint64 {
	if micros < 0 {
		return 0
	}
	high, _ := bits.Mul64(uint64(micros), t.reciprocal)
	return high >> t.shift
}

// micros returns the instant at which the tick begins.
func (t *ticks) micros(tick uint64) int64 { return int64(tick * t.unit) }

// instant returns the moment in microseconds, and false for one that cannot be folded.
func instant(moment time.Time) (int64, bool) {
	seconds := moment.Unix()
	if seconds < 0 || seconds > maxInstant/1_000_000 {
		return 0, false
	}
	micros := seconds*1_000_000 + int64(moment.Nanosecond()/1000)
	return micros, micros >= minInstant && micros < maxInstant
}
