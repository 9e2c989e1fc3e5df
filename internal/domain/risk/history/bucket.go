package history

import (
	"math"
	"math/bits"
	"slices"
)

// bucket counts the payments of one stretch of time.
type bucket struct {
	number uint32 // the stretch: ticks since 1970, divided by 2^tickBits
	first  uint16 // earliest and latest payment, in ticks from the start of the stretch; first is
	last   uint16 // 0 in a bucket of amounts with more than one payment
	count  uint32 // saturates; 0 when only a label was folded
	frauds int32  // confirmed less undone; saturates
}

// moments sums the amounts of a bucket's payments, beside the bucket so that series without amounts stay small.
type moments struct {
	sum  int64 // saturates
	min  int64
	max  int64
	high uint64 // sum of the amounts' squares, 128 bits: exact, so that the order of folding does not matter; saturates
	low  uint64
}

func (b *bucket) firstTick() uint64 { return uint64(b.number)<<tickBits | uint64(b.first) }
func (b *bucket) lastTick() uint64  { return uint64(b.number)<<tickBits | uint64(b.last) }

// extend makes the bucket reach the tick in it.
func (b *bucket) extend(tick uint64) {
	offset := uint16(tick & tickMask)
	b.last = max(b.last, offset)
	b.first = min(b.first, offset)
}

// addPayment adds one payment. Its first payment makes a bucket forget the instants of labels, which are those of payments too.
func (b *bucket) addPayment(tick uint64) {
	if b.count == 0 {
		b.first, b.last = tickMask, 0
	}
	b.extend(tick)
	if b.count < math.MaxUint32 {
		b.count++
	}
}

// add adds an amount, not negative, to moments that have one already.
func (m *moments) add(amount int64) {
	m.min, m.max = min(m.min, amount), max(m.max, amount)
	m.sum = addCapped(m.sum, amount)
	high, low := bits.Mul64(uint64(amount), uint64(amount))
	m.high, m.low = addCapped128(m.high, m.low, high, low)
}

// momentsOf returns the moments of one amount.
func momentsOf(amount int64) moments {
	high, low := bits.Mul64(uint64(amount), uint64(amount))
	return moments{sum: amount, min: amount, max: amount, high: high, low: low}
}

// label adds a confirmed fraud, or takes one back.
func (b *bucket) label(tick uint64, undo bool) {
	if b.count == 0 {
		b.extend(tick)
	}
	switch {
	case undo && b.frauds > math.MinInt32:
		b.frauds--
	case !undo && b.frauds < math.MaxInt32:
		b.frauds++
	}
}

// latest is the two latest payments of an entity, in microseconds; 0 for none. The second serves payments decided out of order.
type latest struct {
	last, before int64
}

func (l *latest) meet(at int64) {
	switch {
	case at > l.last:
		l.last, l.before = at, l.last
	case at > l.before:
		l.before = at
	}
}

// seen is a value and the tick in which it was met last.
type seen struct {
	key  uint64
	last uint64
}

// state is what one series keeps for one key; key is 0 in a series without keys.
type state struct {
	key     uint64
	buckets []bucket  // by number
	moments []moments // of kindAmounts: one for each bucket
	seen    []seen    // by key
	latest  latest
}

func (st *state) empty() bool {
	return len(st.buckets) == 0 && len(st.seen) == 0 && st.latest.last == 0
}

// newest orders the states of a series by when they were met last.
func (st *state) newest() uint64 {
	if n := len(st.buckets); n > 0 {
		return st.buckets[n-1].lastTick()
	}
	newest := uint64(max(st.latest.last, 0))
	for i := range st.seen {
		newest = max(newest, st.seen[i].last)
	}
	return newest
}

// bucket returns the position of the tick's bucket, made when it is missing; -1 when it would be older than the MaxBuckets that are kept.
func (st *state) bucket(tick uint64, k kind) int {
	number := uint32(tick >> tickBits)
	i := len(st.buckets)
	for i > 0 && st.buckets[i-1].number > number {
		i--
	}
	if i > 0 && st.buckets[i-1].number == number {
		return i - 1
	}
	if len(st.buckets) == MaxBuckets {
		if i == 0 {
			return -1
		}
		st.drop(1)
		i--
	}
	st.buckets = slices.Insert(st.buckets, i, bucket{number: number, first: tickMask})
	if k == kindAmounts {
		st.moments = slices.Insert(st.moments, i, moments{})
	}
	return i
}

// drop forgets the oldest buckets. The others are moved to the front, so that the room at the end stays usable.
func (st *state) drop(n int) {
	st.buckets = st.buckets[:copy(st.buckets, st.buckets[n:])]
	if len(st.moments) > 0 {
		st.moments = st.moments[:copy(st.moments, st.moments[n:])]
	}
}

// addPayment counts a payment.
func (st *state) addPayment(tick uint64) {
	if i := st.bucket(tick, kindEvents); i >= 0 {
		st.buckets[i].addPayment(tick)
	}
}

// addAmount counts a payment with its amount, not negative.
func (st *state) addAmount(tick uint64, amount int64) {
	i := st.bucket(tick, kindAmounts)
	if i < 0 {
		return
	}
	b := &st.buckets[i]
	b.addPayment(tick)
	if b.count == 1 {
		st.moments[i] = momentsOf(amount)
		return
	}
	b.first = 0
	st.moments[i].add(amount)
}

// label adds a confirmed fraud, or takes one back.
func (st *state) label(tick uint64, undo bool) {
	if i := st.bucket(tick, kindEvents); i >= 0 {
		st.buckets[i].label(tick, undo)
	}
}

// forget drops what is older than the tick, which begins a bucket.
func (st *state) forget(clock *ticks, before uint64) {
	drop := 0
	for drop < len(st.buckets) && uint64(st.buckets[drop].number) < before>>tickBits {
		drop++
	}
	if drop > 0 {
		st.drop(drop)
	}
	st.seen = forgetSeen(st.seen, before)
	if instant := clock.micros(before); st.latest.before < instant {
		st.latest.before = 0
		if st.latest.last < instant {
			st.latest.last = 0
		}
	}
}

// find returns the position of the key among sorted values, and whether it is there.
func find(list []seen, key uint64) (int, bool) {
	low, high := 0, len(list)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if list[middle].key < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(list) && list[low].key == key
}

// remember meets the key in the tick; beyond the limit, the one met the longest ago is forgotten.
func remember(list []seen, key, tick uint64, limit int) []seen {
	i, found := find(list, key)
	if found {
		list[i].last = max(list[i].last, tick)
		return list
	}
	list = slices.Insert(list, i, seen{key, tick})
	if len(list) <= limit {
		return list
	}
	oldest := 0
	for j := range list {
		if list[j].last < list[oldest].last {
			oldest = j
		}
	}
	return slices.Delete(list, oldest, oldest+1)
}

func forgetSeen(list []seen, before uint64) []seen {
	for i := range list {
		if list[i].last < before {
			return slices.DeleteFunc(list, func(s seen) bool { return s.last < before })
		}
	}
	return list
}

func addCapped(a, b int64) int64 {
	sum := a + b
	if sum < a {
		return math.MaxInt64
	}
	return sum
}

func addCapped128(high, low, addHigh, addLow uint64) (uint64, uint64) {
	low, carry := bits.Add64(low, addLow, 0)
	high, carry = bits.Add64(high, addHigh, carry)
	if carry != 0 {
		return math.MaxUint64, math.MaxUint64
	}
	return high, low
}
