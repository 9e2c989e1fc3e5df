package history

import (
	"math"
	"slices"
)

// tracked is the state of one series in a profile or entity of the index.
type tracked struct {
	id     uint64
	kind   kind
	keyed  bool
	states []state // by key; one at most when not keyed, none when nothing is in reach
}

// folds is the fold of the entries of one account or of one entity of the index.
type folds struct {
	newest int64     // the newest instant folded, in microseconds; 0 for none
	second int64     // the second newest: reach is counted back from it
	series []tracked // by id
}

// event is one entry or label on its way into the state.
type event struct {
	subject
	outcome Outcome
}

// event returns the label as an event, and false when there is nothing to fold.
func (l *Label) event() (event, bool) {
	at, ok := instant(l.Payment.OccurredAt)
	if !ok || !l.Fraud || l.Payment.AmountMinor < 0 || !l.Outcome.Valid() {
		return event{}, false
	}
	e := event{subject: subject{payment: &l.Payment, at: at}, outcome: l.Outcome}
	if e.outcome == ApprovedAfterReview {
		e.outcome = Approved // it was an attempt too, if another entry's
	}
	return e, true
}

// unused is the key of a state that was made before it is needed. Keys have five bytes.
const unused = math.MaxUint64

// adopt makes the tracked series those of the list: state of others is dropped, and series are added only while there is no history that they
// would miss.
func (f *folds) adopt(list []*series) {
	if f.newest == 0 && len(f.series) == 0 {
		f.series = make([]tracked, len(list))
		// Room for the first of each, made at once: an index holds hundreds of thousands, and each piece of memory is looked at again and again
		// while garbage is collected.
		states, buckets := make([]state, len(list)), make([]bucket, len(list))
		for i, s := range list {
			f.series[i] = tracked{id: s.id, kind: s.kind, keyed: s.other != 0}
			if s.other == 0 {
				states[i] = state{key: unused, buckets: buckets[i : i : i+1]}
				f.series[i].states = states[i : i : i+1]
			}
		}
		return
	}
	same := len(f.series) == len(list)
	for i := 0; same && i < len(list); i++ {
		same = f.series[i].holds(list[i])
	}
	if same {
		return
	}
	f.series = slices.DeleteFunc(f.series, func(t tracked) bool {
		i, found := slices.BinarySearchFunc(list, t.id, compareSeries)
		return !found || !t.holds(list[i])
	})
}

// holds reports whether t is the state of the series. One with its identity and another form was not written by us.
func (t *tracked) holds(s *series) bool {
	return t.id == s.id && t.kind == s.kind && t.keyed == (s.other != 0)
}

func compareSeries(s *series, id uint64) int {
	switch {
	case s.id < id:
		return -1
	case s.id > id:
		return 1
	}
	return 0
}

// lacks reports whether a series of the list is not tracked, though there is history.
func (f *folds) lacks(list []*series) bool {
	if f.newest == 0 && len(f.series) == 0 {
		return false
	}
	i := 0
	for _, s := range list {
		for i < len(f.series) && f.series[i].id < s.id {
			i++
		}
		if i == len(f.series) || !f.series[i].holds(s) {
			return true
		}
	}
	return false
}

// find returns the tracked series with the id, nil when there is none; hint is where it probably is.
func (f *folds) find(id uint64, hint int) *tracked {
	if uint(hint) < uint(len(f.series)) && f.series[hint].id == id {
		return &f.series[hint]
	}
	low, high := 0, len(f.series)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if f.series[middle].id < id {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(f.series) && f.series[low].id == id {
		return &f.series[low]
	}
	return nil
}

// advance takes note of an instant, and reports whether the reach moved. An instant counts once, so that a payment held and then approved is not
// taken for two.
func (f *folds) advance(at int64) bool {
	switch {
	case at > f.newest:
		f.newest, f.second = at, f.newest
	case at > f.second && at < f.newest:
		f.second = at
	default:
		return false
	}
	return f.second > 0
}

// forget drops what is out of reach; list holds at least the tracked series.
func (f *folds) forget(list []*series) {
	i := 0
	for t := range f.series {
		tracked := &f.series[t]
		for list[i].id != tracked.id {
			i++
		}
		if len(tracked.states) > 0 {
			tracked.forget(&list[i].ticks, list[i].reach(f.second))
		}
	}
}

func (t *tracked) forget(clock *ticks, before uint64) {
	vanished := false
	for i := range t.states {
		t.states[i].forget(clock, before)
		vanished = vanished || t.states[i].empty()
	}
	if vanished {
		t.states = slices.DeleteFunc(t.states, func(st state) bool { return st.empty() })
	}
}

// entry folds an entry into every tracked series that is about it; list holds at least the tracked series.
func (f *folds) entry(list []*series, e *event) {
	i := 0
	for t := range f.series {
		for list[i].id != f.series[t].id {
			i++
		}
		if tick, ok := f.tick(list[i], e); ok {
			f.series[t].entry(list[i], e, tick)
		}
	}
}

// label folds a label into every tracked series that counts frauds.
func (f *folds) label(list []*series, e *event, undo bool) {
	i := 0
	for t := range f.series {
		for list[i].id != f.series[t].id {
			i++
		}
		if list[i].kind != kindEvents {
			continue
		}
		if tick, ok := f.tick(list[i], e); ok {
			f.series[t].label(list[i], e, tick, undo)
		}
	}
}

// tick returns the event's tick, and false when the series is not about the event or does not reach back to it.
func (f *folds) tick(s *series, e *event) (uint64, bool) {
	if !s.wants(e.outcome, &e.subject) {
		return 0, false
	}
	tick := s.ticks.at(e.at)
	return tick, f.second == 0 || tick >= s.reach(f.second)
}

func (t *tracked) entry(s *series, e *event, tick uint64) {
	switch s.kind {
	case kindEvents:
		if st := t.state(s, e); st != nil {
			st.addPayment(tick)
		}
	case kindAmounts:
		amount, known := e.amount(s.field)
		if !known {
			return
		}
		if st := t.state(s, e); st != nil {
			st.addAmount(tick, amount)
		}
	case kindDistinct:
		value, known := e.hash(s.field)
		if !known {
			return
		}
		if st := t.state(s, e); st != nil {
			st.seen = remember(st.seen, shortened(value), tick, MaxDistinct)
		}
	case kindLatest:
		if st := t.state(s, e); st != nil {
			st.latest.meet(e.at)
		}
	}
	t.bound(MaxKeys)
}

// state returns the state for the event's key, made when it is missing; nil when the event has no such key.
func (t *tracked) state(s *series, e *event) *state {
	key := uint64(0)
	if s.other != 0 {
		value, known := e.hash(s.other)
		if !known {
			return nil
		}
		key = shortened(value)
	}
	i, found := t.search(key)
	if found {
		return &t.states[i]
	}
	if len(t.states) == 0 && cap(t.states) > 0 && t.states[:1][0].key == unused {
		t.states = t.states[:1]
		t.states[0].key = key
		return &t.states[0]
	}
	t.states = slices.Insert(t.states, i, state{key: key})
	return &t.states[i]
}

func (t *tracked) search(key uint64) (int, bool) {
	low, high := 0, len(t.states)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if t.states[middle].key < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(t.states) && t.states[low].key == key
}

// bound forgets the key that was met the longest ago when there are too many.
func (t *tracked) bound(limit int) {
	if len(t.states) <= limit {
		return
	}
	oldest := 0
	for i := range t.states {
		if t.states[i].newest() < t.states[oldest].newest() {
			oldest = i
		}
	}
	t.states = slices.Delete(t.states, oldest, oldest+1)
}

func (t *tracked) label(s *series, e *event, tick uint64, undo bool) {
	st := t.state(s, e)
	if st == nil {
		return
	}
	st.label(tick, undo)
	t.bound(MaxKeys)
}
