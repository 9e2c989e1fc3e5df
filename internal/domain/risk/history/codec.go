package history

import (
	"encoding/binary"
	"errors"
	"math"
)

// The encoding, version 1. Numbers are unsigned varints unless a size is given.
//
//	profile  = version(1 byte) totals newest (newest-second) known known known tracked folds
//	entity   = version(1 byte) totals newest (newest-second) group folds
//	totals   = buckets moments values states series, so that decoding allocates once for each
//	known    = count { key(5 bytes) (tick of newest - tick, zigzag) }
//	folds    = { id(5 bytes) tracked }            by id
//	tracked  = states<<3|keyed<<2|kind [base] { [key(5 bytes)] state }
//	state    = buckets | values | latest          by kind; a base only of buckets with keys
//	buckets  = count<<1|frauds (last number, or base - last number) { bucket }, the last first
//	bucket   = count(3 bits) step(3 bits) last(10 bits) [step] [count] [frauds, zigzag] [moments]
//	step     = number before - number; steps and counts from 7 on follow as numbers
//	moments  = of events: last-first unless count is 1; of amounts: sum [max [min [low high]]], as far as they do not follow
//	values   = count [latest tick] { key(5 bytes) (latest tick - tick) }
//	latest   = (newest-last) (last-before)        in microseconds
const (
	version  = 1
	inline   = 7 // steps and counts below it are in the head of a bucket
	keyedBit = 4
)

// ErrEncoding says that the bytes are not what AppendBinary wrote. State is a fold over the decision log: the way out is to fold it again.
var ErrEncoding = errors.New("history: not an encoding of a profile or entity, or of a later version; fold the log again")

// Unfolded is kept in place of a profile that has to be folded anew from everything that is known: Decode refuses it.
const Unfolded = "\x00"

// AppendBinary appends the profile's encoding: the same bytes for the same history, on every processor.
func (p *Profile) AppendBinary(dst []byte) []byte {
	t := p.folds.totals()
	t.add(&p.spending)
	t.values += len(p.places) + len(p.devices) + len(p.methods)
	dst = t.append(append(dst, version))
	dst = p.folds.appendInstants(dst)
	base := knownClock.at(p.folds.newest)
	dst = appendKnown(dst, p.places, base)
	dst = appendKnown(dst, p.devices, base)
	dst = appendKnown(dst, p.methods, base)
	p.spending.kind, p.spending.keyed = kindAmounts, true
	dst = p.spending.append(dst, p.folds.newest)
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
	base := knownClock.at(p.folds.newest)
	p.places = d.known(base, 1)
	p.devices = d.known(base, 1)
	p.methods = d.known(base, 2)
	d.tracked(&p.spending, MaxCurrencies, p.folds.newest)
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
	buckets, moments, values, states, series int
}

func (t *totals) append(dst []byte) []byte {
	dst = appendUvarint(dst, uint64(t.buckets))
	dst = appendUvarint(dst, uint64(t.moments))
	dst = appendUvarint(dst, uint64(t.values))
	dst = appendUvarint(dst, uint64(t.states))
	return appendUvarint(dst, uint64(t.series))
}

func (t *totals) add(tracked *tracked) {
	t.states += len(tracked.states)
	for i := range tracked.states {
		t.buckets += len(tracked.states[i].buckets)
		t.moments += len(tracked.states[i].moments)
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
		dst = appendKey(dst, f.series[i].id)
		dst = f.series[i].append(dst, f.newest)
	}
	return dst
}

func (t *tracked) append(dst []byte, newest int64) []byte {
	head := uint64(len(t.states))<<3 | uint64(t.kind)
	if t.keyed {
		head |= keyedBit
	}
	dst = appendUvarint(dst, head)
	base := t.base()
	if t.countsBack() {
		dst = appendUvarint(dst, base)
	}
	for i := range t.states {
		st := &t.states[i]
		if t.keyed {
			dst = appendKey(dst, st.key)
		}
		switch t.kind {
		case kindEvents, kindAmounts:
			dst = appendBuckets(dst, st, t, base)
		case kindDistinct:
			dst = appendSeen(dst, st.seen)
		case kindLatest:
			dst = appendUvarint(dst, uint64(newest-st.latest.last))
			dst = appendUvarint(dst, uint64(st.latest.last-st.latest.before))
		}
	}
	return dst
}

// countsBack reports whether the bucket numbers of the states are counted back from a base: where there are several states, that is shorter.
func (t *tracked) countsBack() bool {
	return t.keyed && len(t.states) > 0 && (t.kind == kindEvents || t.kind == kindAmounts)
}

// base returns the highest bucket number of the states.
func (t *tracked) base() uint64 {
	base := uint32(0)
	for i := range t.states {
		if list := t.states[i].buckets; len(list) > 0 {
			base = max(base, list[len(list)-1].number)
		}
	}
	return uint64(base)
}

func appendKey(dst []byte, key uint64) []byte {
	return append(dst, byte(key), byte(key>>8), byte(key>>16), byte(key>>24), byte(key>>32))
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

// appendKnown appends values of which some may be later than the base.
func appendKnown(dst []byte, list []seen, base uint64) []byte {
	dst = appendUvarint(dst, uint64(len(list)))
	for i := range list {
		dst = appendKey(dst, list[i].key)
		back := int64(base - list[i].last)
		dst = appendUvarint(dst, uint64(back<<1)^uint64(back>>63))
	}
	return dst
}

func appendBuckets(dst []byte, st *state, t *tracked, base uint64) []byte {
	list, frauds := st.buckets, uint64(0)
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
	if t.countsBack() {
		dst = appendUvarint(dst, base-uint64(before))
	} else {
		dst = appendUvarint(dst, uint64(before))
	}
	for i := len(list) - 1; i >= 0; i-- {
		b := &list[i]
		step := before - b.number
		before = b.number
		head := min(b.count, inline)<<(3+tickBits) | min(step, inline)<<tickBits | uint32(b.last)
		dst = append(dst, byte(head), byte(head>>8))
		if step >= inline {
			dst = appendUvarint(dst, uint64(step))
		}
		if b.count >= inline {
			dst = appendUvarint(dst, uint64(b.count))
		}
		if frauds != 0 {
			dst = appendUvarint(dst, uint64(uint32(b.frauds<<1)^uint32(b.frauds>>31)))
		}
		if t.kind == kindAmounts {
			dst = st.moments[i].append(dst, b.count)
		} else if b.count != 1 {
			dst = appendUvarint(dst, uint64(b.last-b.first))
		}
	}
	return dst
}

func (m *moments) append(dst []byte, count uint32) []byte {
	dst = appendUvarint(dst, uint64(m.sum))
	if count == 1 {
		return dst
	}
	dst = appendUvarint(dst, uint64(m.max))
	if count == 2 && m.follow(count) {
		return dst
	}
	dst = appendUvarint(dst, uint64(m.min))
	if m.follow(count) {
		return dst
	}
	dst = appendUvarint(dst, m.low)
	return appendUvarint(dst, m.high)
}

// follow reports whether the sum of squares follows from sum, max and min: up to three amounts are known from these.
func (m *moments) follow(count uint32) bool { return count <= 3 && m.sum < math.MaxInt64 }

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
