package history

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The bounds of the state.
const (
	MaxKnown      = 64  // places, devices and keys of payment methods, each
	MaxCurrencies = 16  // currencies with spending statistics
	MaxKeys       = 64  // values of the other field of an entity that is the account and a field
	MaxDistinct   = 64  // values that Distinct counts; it saturates there
	MaxBuckets    = 66  // of one series for one entity; 34 without a delay
	MaxSeries     = 256 // of a SeriesSet, those of accounts and of other entities together
)

// kind is the form of a series' state; its numbers are stored.
type kind uint8

const (
	kindEvents   kind = iota // buckets: count, first, last, frauds
	kindAmounts              // buckets: count, sum, squares, min, max, last
	kindDistinct             // values and when they were seen last
	kindLatest               // the two latest instants
)

// series is the state that definitions share. Its id is made from everything that the state depends on, so that policy versions share it.
type series struct {
	id     uint64
	entity [2]field // sorted; the second is 0 for an entity of one field
	other  field    // for an account series: the field that keys it, 0 for none
	of     Of
	filter Filter // nil for none
	owner  *SeriesSet
	bit    int // position of the filter among the owner's
	place  int // position of the series among the owner's
	kind   kind
	field  field // of kindAmounts and kindDistinct
	window int64 // microseconds
	delay  int64
	ticks  ticks
}

// SeriesSet is the series that a number of policies need. It is immutable and safe for concurrent use.
type SeriesSet struct {
	account []*series // by id
	groups  []*group  // by id
	byID    map[uint64]*series
}

// group is the series of one kind of entity of the Index.
type group struct {
	id     uint64
	entity [2]field
	series []*series // by id
}

// DefinitionError says what is wrong with a definition.
type DefinitionError struct {
	Definition int    // its position in the arguments of NewSeriesSet
	Field      string // entity, of, function, field, window, delay, include_current, where
	Text       string // the rule that is broken and the way out
}

// Error names the definition, counted from 1, the field and the rule; never a value.
func (e *DefinitionError) Error() string {
	return fmt.Sprintf("aggregate %d: %s: %s", e.Definition+1, e.Field, e.Text)
}

// NewSeriesSet turns definitions into series, one for all that can share state. The error is a *DefinitionError, for the first definition that
// breaks a rule.
func NewSeriesSet(definitions ...Definition) (*SeriesSet, error) {
	set := &SeriesSet{byID: make(map[uint64]*series)}
	filters := make(map[string]int)
	for i := range definitions {
		made, fault := compile(&definitions[i])
		if fault != nil {
			fault.Definition = i
			return nil, fault
		}
		if kept, found := set.byID[made.id]; found {
			if !kept.same(made) {
				return nil, &DefinitionError{i, "window", "has by chance the number of another aggregate; change the window by a second"}
			}
			continue
		}
		made.owner = set
		if made.filter != nil {
			where := strings.TrimSpace(definitions[i].Where)
			if _, found := filters[where]; !found {
				filters[where] = len(filters)
			}
			made.bit = filters[where]
		}
		set.add(made)
		if len(set.byID) > MaxSeries {
			return nil, &DefinitionError{i, "window", fmt.Sprintf("all aggregates together need more than %d different states; let some share entity, filter and window", MaxSeries)}
		}
	}
	slices.SortFunc(set.account, byID)
	slices.SortFunc(set.groups, func(a, b *group) int { return cmp.Compare(a.id, b.id) })
	for _, g := range set.groups {
		slices.SortFunc(g.series, byID)
	}
	place := 0
	for _, list := range append([][]*series{set.account}, seriesOf(set.groups)...) {
		for _, s := range list {
			s.place = place
			place++
		}
	}
	return set, nil
}

func seriesOf(groups []*group) [][]*series {
	lists := make([][]*series, len(groups))
	for i, g := range groups {
		lists[i] = g.series
	}
	return lists
}

func byID(a, b *series) int { return cmp.Compare(a.id, b.id) }

func (set *SeriesSet) add(s *series) {
	set.byID[s.id] = s
	if s.ofAccount() {
		set.account = append(set.account, s)
		return
	}
	id := groupID(s.entity)
	for _, g := range set.groups {
		if g.id == id {
			g.series = append(g.series, s)
			return
		}
	}
	set.groups = append(set.groups, &group{id: id, entity: s.entity, series: []*series{s}})
}

func groupID(entity [2]field) uint64 { return uint64(entity[0])<<8 | uint64(entity[1]) }

// Series returns how many states the set keeps for an account, and for all other entities.
func (set *SeriesSet) Series() (account, others int) {
	return len(set.account), len(set.byID) - len(set.account)
}

func (s *series) ofAccount() bool { return s.entity[0] == fieldAccount }

// Slot is one definition, prepared for Value. The zero Slot is invalid and reads as 0. A slot reads from any profile and index that
// maintain its series, whichever set they were folded with.
type Slot struct {
	series   *series
	function Function
	current  bool
}

// Valid reports whether the slot reads anything.
func (slot Slot) Valid() bool { return slot.series != nil }

// OfAccount reports whether the value is in the account's profile; otherwise it is in the index.
func (slot Slot) OfAccount() bool { return slot.series != nil && slot.series.ofAccount() }

// SeriesID returns the identity of the state that the slot reads: equal for definitions that share state, in all versions of a policy.
func (slot Slot) SeriesID() uint64 {
	if slot.series == nil {
		return 0
	}
	return slot.series.id
}

// Slot returns how the value of a definition is read; the zero Slot for one that is not in the set.
func (set *SeriesSet) Slot(d Definition) Slot {
	made, fault := compile(&d)
	if fault != nil {
		return Slot{}
	}
	kept, found := set.byID[made.id]
	if !found {
		return Slot{}
	}
	return Slot{series: kept, function: d.Function, current: d.IncludeCurrent}
}

// compile checks a definition and returns its series.
func compile(d *Definition) (*series, *DefinitionError) {
	s := &series{of: d.Of, filter: d.Filter}
	if s.of == 0 {
		s.of = ApprovedOnly
	}
	if s.of > Attempts {
		return nil, &DefinitionError{Field: "of", Text: "must be approved or attempts"}
	}
	for _, check := range []func(*series, *Definition) *DefinitionError{compileEntity, compileFunction, compileWindow} {
		if fault := check(s, d); fault != nil {
			return nil, fault
		}
	}
	if (strings.TrimSpace(d.Where) == "") != (d.Filter == nil) {
		return nil, &DefinitionError{Field: "where", Text: "a filter needs its text and a text its filter"}
	}
	s.window, s.delay = d.Window.Microseconds(), d.Delay.Microseconds()
	s.ticks = ticksFor(d.Window, d.Delay)
	s.id = s.identity(d.Where)
	return s, nil
}

func compileEntity(s *series, d *Definition) *DefinitionError {
	if len(d.Entity) == 0 || len(d.Entity) > len(s.entity) {
		return &DefinitionError{Field: "entity", Text: "must be one field or two"}
	}
	for i, name := range d.Entity {
		s.entity[i] = name.number()
		if s.entity[i] == 0 || s.entity[i].isAmount() {
			return &DefinitionError{Field: "entity", Text: "must be account, payment_method, method_kind, fingerprint, merchant, device, ip, country, region, city or currency"}
		}
	}
	if len(d.Entity) == 2 {
		if s.entity[0] == s.entity[1] {
			return &DefinitionError{Field: "entity", Text: "names the same field twice; name two different fields"}
		}
		slices.Sort(s.entity[:])
	}
	if s.ofAccount() {
		s.other = s.entity[1]
	}
	return nil
}

func compileFunction(s *series, d *Definition) *DefinitionError {
	f := d.Field.number()
	if d.Field != "" && f == 0 {
		return &DefinitionError{Field: "field", Text: "is no field of a payment"}
	}
	switch d.Function {
	case Count, FirstSeen, TimeSinceFirst, FraudShare:
		s.kind = kindEvents
	case LastSeen, TimeSinceLast:
		s.kind = kindLatest
	case Sum, Min, Max, Mean, Stddev, Ratio:
		s.kind = kindAmounts
		s.field = cmp.Or(f, fieldAmount)
		if !s.field.isAmount() {
			return &DefinitionError{Field: "field", Text: "must be amount or amount_minor for this function"}
		}
	case Distinct:
		s.kind = kindDistinct
		s.field = f
		if f == 0 {
			return &DefinitionError{Field: "field", Text: "distinct needs the field whose values are counted"}
		}
		if s.entity[0] == f || s.entity[1] == f {
			return &DefinitionError{Field: "field", Text: "is the entity itself, which has one value; name another field"}
		}
	default:
		return &DefinitionError{Field: "function", Text: "is not known"}
	}
	switch d.Function {
	case FirstSeen, TimeSinceFirst, FraudShare, LastSeen, TimeSinceLast:
		if d.IncludeCurrent {
			return &DefinitionError{Field: "include_current", Text: "has no meaning for times and shares of fraud; leave it out"}
		}
	}
	return nil
}

func compileWindow(s *series, d *Definition) *DefinitionError {
	if d.Window < MinWindow || d.Window > MaxWindow {
		return &DefinitionError{Field: "window", Text: "must be between 1 minute and 400 days"}
	}
	if d.Delay < 0 || d.Delay > MaxDelay {
		return &DefinitionError{Field: "delay", Text: "must be between 0 and 90 days"}
	}
	if d.Delay > 0 && (s.kind == kindDistinct || s.kind == kindLatest || d.IncludeCurrent) {
		return &DefinitionError{Field: "delay", Text: "has no meaning for distinct, last_seen and time_since_last, nor with include_current; leave it out"}
	}
	if d.Window%time.Microsecond != 0 || d.Delay%time.Microsecond != 0 {
		return &DefinitionError{Field: "window", Text: "window and delay must be whole microseconds"}
	}
	return nil
}

// identity hashes everything that the state depends on.
func (s *series) identity(where string) uint64 {
	var b []byte
	b = append(b, "series/1"...)
	b = append(b, byte(s.entity[0]), byte(s.entity[1]), byte(s.of), byte(s.kind), byte(s.field))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.window))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.delay))
	b = append(b, strings.TrimSpace(where)...)
	return shortened(hash(0, string(b)))
}

// same reports whether two series with one identity are about the same payments; filters are compared by identity alone.
func (s *series) same(other *series) bool {
	return s.entity == other.entity && s.of == other.of && s.kind == other.kind && s.field == other.field &&
		s.window == other.window && s.delay == other.delay && (s.filter == nil) == (other.filter == nil)
}

// wants reports whether the series is about such a payment.
func (s *series) wants(outcome Outcome, sub *subject) bool {
	if s.of == ApprovedOnly && !outcome.approved() || s.of == Attempts && !outcome.attempt() {
		return false
	}
	return s.passes(sub)
}

// passes reports whether the payment passes the filter, asking each filter of a set once.
func (s *series) passes(sub *subject) bool {
	if s.filter == nil {
		return true
	}
	if sub.owner == nil {
		sub.owner = s.owner
	}
	if s.bit >= 64 || sub.owner != s.owner {
		return s.filter.Match(sub.payment)
	}
	bit := uint64(1) << s.bit
	if sub.filtered&bit == 0 {
		sub.filtered |= bit
		if s.filter.Match(sub.payment) {
			sub.passed |= bit
		}
	}
	return sub.passed&bit != 0
}

// reach returns the tick from which on the series looks back from the instant: the beginning of the bucket at the end of the window.
func (s *series) reach(from int64) uint64 {
	return s.ticks.at(from-s.window-s.delay) &^ tickMask
}
