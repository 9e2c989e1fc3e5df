package history

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// room is the memory of a decoded profile, by what it holds.
type room struct {
	buckets []bucket
	moments []moments
	values  []seen
	states  []state
	series  []tracked
}

// decoder reads an encoding. Once something is wrong it is bad, and reads zeros.
type decoder struct {
	data   []byte
	at     int // what is read of it
	bad    bool
	room   room // what is left of:
	whole  room
	series int
}

// The least bytes that one of them takes, so that garbage cannot ask for much memory.
const (
	minBucket = 2
	minSeen   = keyBytes + 1
	minState  = 2
	minSeries = keyBytes + 1
)

// begin reads the version and the totals, and makes the room.
func (d *decoder) begin() {
	if d.byte() != version {
		d.fail()
	}
	size := uint64(len(d.data) - d.at)
	buckets := d.below(size / minBucket)
	amounts, values := d.below(buckets), d.below(size/minSeen)
	states, series := d.below(size/minState), d.below(min(size/minSeries, MaxSeries))
	if d.bad {
		return
	}
	// One more for each list, so that folding the next payment allocates nothing; two for the methods, which have two keys.
	d.whole = room{
		buckets: sized(d.room.buckets, buckets+states),
		moments: sized(d.room.moments, amounts+states),
		values:  sized(d.room.values, values+states+4),
		states:  sized(d.room.states, states+series+1),
		series:  sized(d.room.series, series),
	}
	d.room, d.series = d.whole, int(series)
}

// sized returns memory for n, the list's own when that is enough.
func sized[T any](list []T, n uint64) []T {
	if uint64(cap(list)) >= n {
		return list[:cap(list)]
	}
	return make([]T, n)
}

// take cuts n off the room, with place for spare more behind them.
func take[T any](room *[]T, n, spare int) []T {
	size := min(n+spare, len(*room))
	if n > size {
		return nil
	}
	taken := (*room)[:n:size]
	*room = (*room)[size:]
	return taken
}

func (d *decoder) done() bool { return !d.bad && d.at == len(d.data) }

func (d *decoder) instants() (newest, second int64) {
	newest = int64(d.below(maxInstant))
	return newest, newest - int64(d.below(uint64(newest)))
}

// seen reads the values of a distinct count, sorted.
func (d *decoder) seen() []seen {
	n := int(d.below(MaxDistinct))
	list := take(&d.room.values, n, 1)
	if n == 0 {
		return list
	}
	latest := d.below(maxInstant)
	if len(list) < n {
		d.fail()
	}
	for i := range list {
		key := d.key()
		list[i] = seen{key: key, last: latest - d.below(latest)}
		if i > 0 && list[i-1].key >= key {
			d.fail()
			return nil
		}
	}
	return list
}

// known reads sorted values of which some may be later than the base.
func (d *decoder) known(base uint64, spare int) []seen {
	list := take(&d.room.values, int(d.below(MaxKnown)), spare)
	for i := range list {
		key := d.key()
		zigzag := d.uvarint()
		last := base - (zigzag>>1 ^ -(zigzag & 1))
		if last > maxInstant || i > 0 && list[i-1].key >= key {
			d.fail()
			return nil
		}
		list[i] = seen{key: key, last: last}
	}
	return list
}

func (d *decoder) folds(f *folds) {
	f.series = d.room.series
	if d.bad {
		return
	}
	f.series = f.series[:d.series]
	for i := range f.series {
		t := &f.series[i]
		id := d.key()
		d.tracked(t, MaxKeys, f.newest)
		t.id = id
		if d.bad || i > 0 && f.series[i-1].id >= id {
			d.fail()
			return
		}
	}
}

// tracked reads the state of one series, with limit keys at most.
func (d *decoder) tracked(t *tracked, limit int, newest int64) {
	head := d.uvarint()
	*t = tracked{kind: kind(head & 3), keyed: head&keyedBit != 0}
	n := head >> 3
	if n > uint64(limit) || !t.keyed && n > 1 {
		d.fail()
		return
	}
	t.states = take(&d.room.states, int(n), 1)
	if uint64(len(t.states)) < n {
		d.fail()
		return
	}
	base := uint64(0)
	if t.countsBack() {
		base = d.below(math.MaxUint32)
	}
	for i := range t.states {
		st := &t.states[i]
		*st = state{}
		if t.keyed {
			st.key = d.key()
		}
		switch t.kind {
		case kindEvents, kindAmounts:
			d.buckets(st, t, base)
		case kindDistinct:
			st.seen = d.seen()
		case kindLatest:
			st.latest.last = newest - int64(d.below(uint64(newest)))
			st.latest.before = st.latest.last - int64(d.below(uint64(st.latest.last)))
		}
		if d.bad || st.empty() || i > 0 && t.states[i-1].key >= st.key {
			d.fail()
			return
		}
	}
}

// buckets reads the buckets of a state, and their moments.
func (d *decoder) buckets(st *state, t *tracked, base uint64) {
	head := d.below(MaxBuckets<<1 | 1)
	n := int(head >> 1)
	st.buckets = take(&d.room.buckets, n, 1)
	if t.kind == kindAmounts {
		st.moments = take(&d.room.moments, n, 1)
	}
	if len(st.buckets) < n || t.kind == kindAmounts && len(st.moments) < n || n == 0 {
		d.fail()
		return
	}
	number := d.below(math.MaxUint32)
	if t.countsBack() {
		if number > base {
			d.fail()
			return
		}
		number = base - number
	}
	for i := n - 1; i >= 0; i-- {
		packed := d.uint16()
		step, count := uint64(packed>>tickBits&inline), uint64(packed>>(tickBits+3))
		if step == inline {
			step = d.uvarint()
		}
		if step > number || (step == 0) != (i == n-1) {
			d.fail()
			return
		}
		number -= step
		if count == inline {
			count = d.below(math.MaxUint32)
		}
		b := bucket{number: uint32(number), count: uint32(count), last: packed & tickMask}
		if head&1 != 0 {
			zigzag := uint32(d.below(math.MaxUint32))
			b.frauds = int32(zigzag>>1) ^ -int32(zigzag&1)
		}
		switch {
		case t.kind == kindAmounts:
			d.moments(&st.moments[i], b.count)
			if b.count == 1 {
				b.first = b.last
			}
		case count == 1:
			b.first = b.last
		default:
			b.first = b.last - uint16(d.below(uint64(b.last)))
		}
		st.buckets[i] = b
	}
}

// moments reads the moments of so many amounts.
func (d *decoder) moments(m *moments, count uint32) {
	sum := int64(d.below(math.MaxInt64))
	if count <= 1 {
		*m = momentsOf(sum)
		if count == 0 {
			d.fail()
		}
		return
	}
	*m = moments{sum: sum, max: int64(d.below(uint64(sum)))}
	if count == 2 && m.follow(count) {
		m.min = m.sum - m.max
	} else {
		m.min = int64(d.below(uint64(m.max)))
	}
	if !m.follow(count) {
		m.low = d.uvarint()
		m.high = d.uvarint()
		return
	}
	third := m.sum - m.max - m.min
	if m.min > m.max || third < 0 || count == 3 && (third < m.min || third > m.max) {
		d.fail()
		return
	}
	for _, amount := range [...]int64{m.max, m.min, third} {
		high, low := bits.Mul64(uint64(amount), uint64(amount))
		m.high, m.low = addCapped128(m.high, m.low, high, low)
	}
}

// fail makes the decoder bad; nothing is left to read.
func (d *decoder) fail() uint64 {
	d.bad, d.at = true, len(d.data)
	return 0
}

func (d *decoder) byte() byte {
	if d.at == len(d.data) {
		return byte(d.fail())
	}
	d.at++
	return d.data[d.at-1]
}

func (d *decoder) uvarint() uint64 {
	if d.at < len(d.data) && d.data[d.at] < 0x80 {
		d.at++
		return uint64(d.data[d.at-1])
	}
	return d.longUvarint()
}

// longUvarint reads a number of more than one byte.
func (d *decoder) longUvarint() uint64 {
	rest := d.data[d.at:]
	if len(rest) >= 2 && rest[1] < 0x80 {
		d.at += 2
		return uint64(rest[0]&0x7f) | uint64(rest[1])<<7
	}
	v, n := binary.Uvarint(rest)
	if n <= 0 {
		return d.fail()
	}
	d.at += n
	return v
}

// below reads a number and refuses one above the limit.
func (d *decoder) below(limit uint64) uint64 {
	v := d.uvarint()
	if v > limit {
		return d.fail()
	}
	return v
}

func (d *decoder) uint16() uint16 {
	if len(d.data)-d.at < 2 {
		return uint16(d.fail())
	}
	d.at += 2
	return binary.LittleEndian.Uint16(d.data[d.at-2:])
}

func (d *decoder) key() uint64 {
	if len(d.data)-d.at < keyBytes {
		return d.fail()
	}
	b := d.data[d.at : d.at+keyBytes]
	d.at += keyBytes
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32
}
