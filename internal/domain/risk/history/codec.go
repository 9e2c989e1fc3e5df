package history

import (
	"encoding/binary"
	"errors"
	"math"
)

// The encoding, version 1. Numbers are unsigned varints unless a size is given; the last of a list comes first, because lists
// grow at their end and deltas count back from it.
//
//	profile  = version(1 byte) totals newest (newest-second) known known known tracked folds
//	entity   = version(1 byte) totals newest (newest-second) group folds
//	totals   = buckets values states series       so that decoding allocates once for each
//	known    = values
//	folds    = { id(8 bytes) tracked }            by id
//	tracked  = states<<3|keyed<<2|kind { [key(6 bytes)] state }
//	state    = buckets | values | latest          by kind
//	buckets  = count<<1|frauds [number of the last] { bucket }
//	bucket   = (number before - number)<<3|min(count,7) [count] last(2 bytes) [frauds, zigzag] [moments]
//	moments  = of events: [first(2 bytes)] unless count is 1; of amounts: sum, then unless it follows from count and sum: max, min, low, high
//	values   = count [latest tick] { key(6 bytes) (latest tick - tick) }
//	latest   = last (last-before)                 in microseconds
const (
	version     = 1
	inlineCount = 7
)

// ErrEncoding says that the bytes are not what AppendBinary wrote. State is a fold over the decision log: the way out is to fold it again.
var ErrEncoding = errors.New("history: not an encoding of a profile or entity, or of a later version; fold the log again")

// AppendBinary appends the profile's encoding: the same bytes for the same history, on every processor.
func (p *Profile) AppendBinary(dst []byte) []byte {
	t := p.folds.totals()
	t.add(&p.spending)
	t.values += len(p.places) + len(p.devices) + len(p.methods)
	dst = t.append(append(dst, version))
	dst = p.folds.appendInstants(dst)
	dst = appendSeen(dst, p.places)
	dst = appendSeen(dst, p.devices)
	dst = appendSeen(dst, p.methods)
	p.spending.kind, p.spending.keyed = kindAmounts, true
	dst = p.spending.append(dst)
	return p.folds.append(dst)
}

// DecodeProfile reads what AppendBinary wrote. The error is ErrEncoding. The profile does not refer to data.
func DecodeProfile(data []byte) (Profile, error) {
	var p Profile
	if err := p.Decode(data); err != nil {
		return Profile{}, err
	}
	return p, nil
}

// Decode is DecodeProfile into p, whose memory it uses again. After an error p is a zero profile. No data is a profile without history.
func (p *Profile) Decode(data []byte) error {
	d := decoder{data: data, room: p.room}
	*p = Profile{room: p.room}
	if len(data) == 0 {
		return nil
	}
	d.begin()
	p.folds.newest, p.folds.second = d.instants()
	p.places = d.seen(MaxKnown, 1)
	p.devices = d.seen(MaxKnown, 1)
	p.methods = d.seen(MaxKnown, 2)
	d.tracked(&p.spending, MaxCurrencies)
	d.folds(&p.folds)
	p.room = d.whole
	if !d.done() || p.spending.kind != kindAmounts || !p.spending.keyed {
		*p = Profile{room: p.room}
		return ErrEncoding
	}
	return nil
}

// totals counts what is about to be encoded.
type totals struct {
	buckets, values, states, series int
}

func (t *totals) append(dst []byte) []byte {
	dst = appendUvarint(dst, uint64(t.buckets))
	dst = appendUvarint(dst, uint64(t.values))
	dst = appendUvarint(dst, uint64(t.states))
	return appendUvarint(dst, uint64(t.series))
}

func (t *totals) add(tracked *tracked) {
	t.states += len(tracked.states)
	for i := range tracked.states {
		t.buckets += len(tracked.states[i].buckets)
		t.values += len(tracked.states[i].seen)
	}
}

func (f *folds) totals() totals {
	t := totals{series: len(f.series)}
	for i := range f.series {
		t.add(&f.series[i])
	}
	return t
}

func (f *folds) appendInstants(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(f.newest))
	return binary.AppendUvarint(dst, uint64(f.newest-f.second))
}

func (f *folds) append(dst []byte) []byte {
	for i := range f.series {
		dst = binary.LittleEndian.AppendUint64(dst, f.series[i].id)
		dst = f.series[i].append(dst)
	}
	return dst
}

func (t *tracked) append(dst []byte) []byte {
	head := uint64(len(t.states))<<3 | uint64(t.kind)
	if t.keyed {
		head |= 4
	}
	dst = binary.AppendUvarint(dst, head)
	for i := range t.states {
		st := &t.states[i]
		if t.keyed {
			dst = appendKey(dst, st.key)
		}
		switch t.kind {
		case kindEvents, kindAmounts:
			dst = appendBuckets(dst, st.buckets, t.kind)
		case kindDistinct:
			dst = appendSeen(dst, st.seen)
		case kindLatest:
			dst = binary.AppendUvarint(dst, uint64(st.latest.last))
			dst = binary.AppendUvarint(dst, uint64(st.latest.last-st.latest.before))
		}
	}
	return dst
}

func appendKey(dst []byte, key uint64) []byte {
	return append(dst, byte(key), byte(key>>8), byte(key>>16), byte(key>>24), byte(key>>32), byte(key>>40))
}

func appendSeen(dst []byte, list []seen) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	if len(list) == 0 {
		return dst
	}
	latest := uint64(0)
	for i := range list {
		latest = max(latest, list[i].last)
	}
	dst = binary.AppendUvarint(dst, latest)
	for i := range list {
		dst = appendKey(dst, list[i].key)
		dst = appendUvarint(dst, latest-list[i].last)
	}
	return dst
}

func appendBuckets(dst []byte, list []bucket, k kind) []byte {
	frauds := uint64(0)
	for i := range list {
		if list[i].frauds != 0 {
			frauds = 1
		}
	}
	dst = appendUvarint(dst, uint64(len(list))<<1|frauds)
	if len(list) == 0 {
		return dst
	}
	before := list[len(list)-1].number
	dst = appendUvarint(dst, uint64(before))
	for i := len(list) - 1; i >= 0; i-- {
		b := &list[i]
		dst = appendUvarint(dst, uint64(before-b.number)<<3|uint64(min(b.count, inlineCount)))
		before = b.number
		if b.count >= inlineCount {
			dst = appendUvarint(dst, uint64(b.count))
		}
		dst = append(dst, byte(b.last), byte(b.last>>8))
		if frauds != 0 {
			dst = appendUvarint(dst, uint64(uint32(b.frauds<<1)^uint32(b.frauds>>31)))
		}
		if k == kindAmounts {
			dst = b.appendAmounts(dst)
		} else if b.count != 1 {
			dst = append(dst, byte(b.first), byte(b.first>>8))
		}
	}
	return dst
}

func (b *bucket) appendAmounts(dst []byte) []byte {
	dst = appendUvarint(dst, uint64(b.sum))
	if b.count == 1 {
		return dst
	}
	dst = appendUvarint(dst, uint64(b.max))
	if b.followsFromMax() {
		return dst
	}
	dst = appendUvarint(dst, uint64(b.min))
	dst = appendUvarint(dst, b.low)
	return appendUvarint(dst, b.high)
}

// followsFromMax reports whether there are two amounts, which their sum and the larger one give.
func (b *bucket) followsFromMax() bool { return b.count == 2 && b.sum < math.MaxInt64 }

// appendUvarint is binary.AppendUvarint with the short cases in line.
func appendUvarint(dst []byte, v uint64) []byte {
	if v < 1<<7 {
		return append(dst, byte(v))
	}
	if v < 1<<14 {
		return append(dst, byte(v)|0x80, byte(v>>7))
	}
	return binary.AppendUvarint(dst, v)
}

// append appends the entity's encoding.
func (en *entity) append(dst []byte) []byte {
	t := en.folds.totals()
	dst = t.append(append(dst, version))
	dst = en.folds.appendInstants(dst)
	dst = appendUvarint(dst, en.group.id)
	return en.folds.append(dst)
}

// decode reads what append wrote, but for the group, which it returns.
func (en *entity) decode(data []byte) (group uint64, err error) {
	d := decoder{data: data}
	d.begin()
	en.folds.newest, en.folds.second = d.instants()
	group = d.uvarint()
	d.folds(&en.folds)
	if !d.done() {
		return 0, ErrEncoding
	}
	return group, nil
}
