package history

import (
	"math"
	"math/bits"
)

// summary is what the buckets inside a window add up to.
type summary struct {
	count  uint64
	frauds int64
	first  uint64 // ticks
	moments
}

// add adds the buckets whose newest payment is later than the tick since, up to the tick until. With whole, a bucket counts once its newest
// payment is not later than until; without, as soon as its first may be.
func (s *summary) add(st *state, since, until uint64, whole bool) {
	for i := len(st.buckets) - 1; i >= 0; i-- {
		b := &st.buckets[i]
		last := b.lastTick()
		if last <= since {
			return
		}
		if last > until && (whole || b.firstTick() > until) {
			continue
		}
		s.first = b.firstTick()
		s.frauds += int64(b.frauds)
		if b.count == 0 {
			continue
		}
		if i < len(st.moments) {
			s.addMoments(&st.moments[i])
		}
		s.count += uint64(b.count)
	}
}

func (s *summary) addMoments(m *moments) {
	if s.count == 0 || m.min < s.min {
		s.min = m.min
	}
	s.max = max(s.max, m.max)
	s.sum = addCapped(s.sum, m.sum)
	s.high, s.low = addCapped128(s.high, s.low, m.high, m.low)
}

// addCurrent adds the payment that is being decided.
func (s *summary) addCurrent(amount int64) {
	m := momentsOf(amount)
	s.addMoments(&m)
	s.count++
}

func (s *summary) mean() float64 {
	if s.count == 0 {
		return 0
	}
	return float64(s.sum) / float64(s.count)
}

// stddev is computed from whole numbers as sqrt(n·Σx² − (Σx)²) / n, so that equal amounts give exactly 0 and every processor the same digits.
func (s *summary) stddev() float64 {
	if s.count < 2 {
		return 0
	}
	carry, high := bits.Mul64(s.count, s.high)
	middle, low := bits.Mul64(s.count, s.low)
	high, overflow := bits.Add64(high, middle, 0)
	n := float64(s.count)
	if carry != 0 || overflow != 0 {
		mean := s.mean()
		squares := float64(float64(s.high)*(1<<64)) + float64(s.low)
		return math.Sqrt(max(float64(squares/n)-float64(mean*mean), 0))
	}
	squareHigh, squareLow := bits.Mul64(uint64(s.sum), uint64(s.sum))
	low, borrow := bits.Sub64(low, squareLow, 0)
	high, borrow = bits.Sub64(high, squareHigh, borrow)
	if borrow != 0 {
		return 0 // only when a sum is saturated
	}
	return math.Sqrt(float64(float64(high)*(1<<64))+float64(low)) / n
}

// seconds turns microseconds into seconds, 0 for a negative number.
func seconds(micros int64) float64 { return float64(max(micros, 0)) / 1e6 }

// Value reads one aggregate for a payment that is being decided: from the profile or from the index, whichever holds its entity. Either
// may be nil, and then has no history. It changes neither. To read many aggregates for one payment, use a Reading.
func Value(slot Slot, profile *Profile, index *Index, payment *Payment) float64 {
	var r Reading
	r.Reset(profile, index, payment)
	return r.Value(slot)
}

// Reading reads many aggregates for one payment, and works out once what they share. The zero value reads nothing; Reset starts the
// reading of a payment and uses the memory again. It is not safe for concurrent use, and the profile and the index must not change while it reads.
type Reading struct {
	subject  subject
	profile  *Profile
	index    *Index
	valid    bool
	started  uint64       // number of resets
	memory   []remembered // by the series' place in its set
	entities [8]struct {
		group  uint64
		asked  uint64 // the reset at which
		entity *entity
	}
}

// remembered is what one series gave for the payment.
type remembered struct {
	id      uint64
	started uint64
	state   *state
	known   bool // the payment has the series' entity
	summed  bool
	summary summary
}

// Reset starts the reading of another payment. Either of profile and index may be nil.
func (r *Reading) Reset(profile *Profile, index *Index, payment *Payment) {
	r.profile, r.index = profile, index
	at, ok := instant(payment.OccurredAt)
	r.valid = ok
	r.subject = subject{payment: payment, at: at}
	r.started++
}

// Value reads one aggregate. All slots that one Reading reads should come from the same set: others are read correctly, but may ask filters again.
func (r *Reading) Value(slot Slot) float64 {
	s := slot.series
	if s == nil || !r.valid {
		return 0
	}
	for len(r.memory) <= s.place {
		r.memory = append(r.memory, remembered{})
	}
	m := &r.memory[s.place]
	if m.id != s.id || m.started != r.started {
		*m = remembered{id: s.id, started: r.started}
		m.state, m.known = r.find(s)
	}
	current := slot.current && m.known && s.passes(&r.subject)
	switch s.kind {
	case kindEvents, kindAmounts:
		return r.fromBuckets(slot, m, current)
	case kindDistinct:
		return r.distinct(s, m.state, current)
	case kindLatest:
		return r.latest(slot, m.state)
	}
	return 0
}

// find returns the state of the series for the payment, nil when there is none, and whether the payment has such an entity at all.
func (r *Reading) find(s *series) (*state, bool) {
	var holder *folds
	hint, key := s.place, uint64(0)
	if s.ofAccount() {
		if s.other != 0 {
			h, known := r.subject.hash(s.other)
			if !known {
				return nil, false
			}
			key = shortened(h)
		}
		if r.profile == nil {
			return nil, true
		}
		holder = &r.profile.folds
	} else {
		e, known := r.entity(s.entity)
		if e == nil {
			return nil, known
		}
		holder = &e.folds
		hint = s.place - e.group.series[0].place
	}
	t := holder.find(s.id, hint)
	if t == nil {
		return nil, true
	}
	if i, found := t.search(key); found {
		return &t.states[i], true
	}
	return nil, true
}

// entity returns the entity of the index that the payment has, nil when the index has none, and whether the payment has one.
func (r *Reading) entity(fields [2]field) (*entity, bool) {
	key, known := entityKey(fields, &r.subject)
	if !known {
		return nil, false
	}
	if r.index == nil {
		return nil, true
	}
	group := groupID(fields)
	for i := range r.entities {
		slot := &r.entities[i]
		if slot.asked == r.started && slot.group == group {
			return slot.entity, true
		}
		if slot.asked != r.started {
			slot.group, slot.asked, slot.entity = group, r.started, r.index.entities[entityID(group, key)]
			return slot.entity, true
		}
	}
	return r.index.entities[entityID(group, key)], true
}

// fromBuckets computes the functions of kindEvents and kindAmounts.
func (r *Reading) fromBuckets(slot Slot, m *remembered, current bool) float64 {
	s := slot.series
	if !m.summed && m.state != nil {
		until := r.subject.at - s.delay
		m.summary.add(m.state, s.ticks.at(until-s.window), s.ticks.at(until), s.delay > 0)
	}
	m.summed = true
	sum := &m.summary
	if current {
		amount, known := int64(0), true
		if s.kind == kindAmounts {
			amount, known = r.subject.amount(s.field)
		}
		if known {
			with := m.summary
			with.addCurrent(amount)
			sum = &with
		}
	}
	switch slot.function {
	case Count:
		return float64(sum.count)
	case Sum:
		return float64(sum.sum)
	case Min:
		return float64(sum.min)
	case Max:
		return float64(sum.max)
	case Mean:
		return sum.mean()
	case Stddev:
		return sum.stddev()
	case Ratio:
		return r.ratio(s, sum)
	case FraudShare:
		return sum.fraudShare()
	case FirstSeen, TimeSinceFirst:
		return r.first(slot, sum)
	}
	return 0
}

func (s *summary) fraudShare() float64 {
	if s.count == 0 || s.frauds <= 0 {
		return 0
	}
	return min(float64(s.frauds)/float64(s.count), 1)
}

// ratio is the payment's amount divided by the mean; 0 when either is not known or the mean is 0.
func (r *Reading) ratio(s *series, sum *summary) float64 {
	amount, known := r.subject.amount(s.field)
	if mean := sum.mean(); known && mean > 0 {
		return float64(amount) / mean
	}
	return 0
}

// first computes FirstSeen and TimeSinceFirst. The bucket at the far end of the window may begin before it; the window does not.
func (r *Reading) first(slot Slot, sum *summary) float64 {
	if sum.count == 0 {
		return 0
	}
	s := slot.series
	instant := max(s.ticks.micros(sum.first), r.subject.at-s.delay-s.window)
	if slot.function == FirstSeen {
		return seconds(instant)
	}
	return seconds(r.subject.at - instant)
}

// distinct counts the values met in the window.
func (r *Reading) distinct(s *series, st *state, current bool) float64 {
	count, since := 0, s.ticks.at(r.subject.at-s.window)
	value, known := uint64(0), false
	if current {
		value, known = r.subject.hash(s.field)
		value = shortened(value)
	}
	if st != nil {
		for i := range st.seen {
			if st.seen[i].last > since {
				count++
				known = known && st.seen[i].key != value
			}
		}
	}
	if known {
		count++
	}
	return float64(min(count, MaxDistinct))
}

// latest computes LastSeen and TimeSinceLast. A payment that is decided out of order sees the later of the two latest instants that is
// not after it, and when both are, 0 seconds since the last.
func (r *Reading) latest(slot Slot, st *state) float64 {
	at, found := int64(0), false
	if st != nil {
		at = st.latest.last
		if at > r.subject.at && st.latest.before > 0 {
			at = st.latest.before
		}
		found = at > r.subject.at-slot.series.window
	}
	switch {
	case slot.function == LastSeen && found:
		return seconds(at)
	case slot.function == LastSeen:
		return 0
	case found:
		return seconds(r.subject.at - at)
	}
	return Never
}
