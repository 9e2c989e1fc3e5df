package history

import (
	"math"
	"slices"
	"time"
)

// Profile is the fold of one account's entries, labels and lessons. The zero value has no history and is ready to use. It is changed in
// place and must not be copied: fold the copy and the original changes too.
type Profile struct {
	folds    folds
	places   []seen // by key: placeKey
	devices  []seen
	methods  []seen  // the identifier and the fingerprint are two keys
	spending tracked // amounts by currency
	room     room    // memory that Decode uses again
}

// knownClock is the clock of what is known, in minutes.
var knownClock = newTicks(uint64(time.Minute.Microseconds()))

// spendingSeries is the built-in series of spending.
var spendingSeries = &series{
	entity: [2]field{fieldAccount, fieldCurrency}, other: fieldCurrency, of: ApprovedOnly,
	kind: kindAmounts, field: fieldAmountMinor, window: MaxWindow.Microseconds(), ticks: ticksFor(MaxWindow, 0),
}

// knownAt is the minute in which something was met, or a MaxWindow ago.
func knownAt(at int64) (met, horizon uint64) {
	return knownClock.at(at), knownClock.at(at - MaxWindow.Microseconds())
}

// Fold adds one entry, with the series of the set: state of series that are not in it is dropped, and a series that the profile lacks stays
// lacking (see Lacks). Entries may come in any order; each must be folded once. See the package comment for what is ignored.
func (p *Profile) Fold(set *SeriesSet, e *Entry) {
	at, ok := instant(e.Payment.OccurredAt)
	if !ok || e.Payment.AmountMinor < 0 || !e.Outcome.Valid() {
		return
	}
	p.folds.adopt(set.account)
	if p.folds.advance(at) {
		p.forget(set)
	}
	folded := event{subject: subject{payment: &e.Payment, at: at}, outcome: e.Outcome}
	if e.Outcome.approved() {
		p.approve(&folded)
	}
	p.folds.entry(set.account, &folded)
}

// approve learns from an approved payment.
func (p *Profile) approve(e *event) {
	p.meet(&e.subject)
	p.spending.kind, p.spending.keyed = kindAmounts, true
	tick, ok := p.folds.tick(spendingSeries, e)
	if !ok {
		return
	}
	if st := p.spending.state(spendingSeries, e); st != nil {
		st.addAmount(tick, e.payment.AmountMinor)
		p.spending.bound(MaxCurrencies)
	}
}

func (p *Profile) meet(s *subject) {
	tick, _ := knownAt(s.at)
	if _, horizon := knownAt(p.folds.second); p.folds.second > 0 && tick < horizon {
		return
	}
	if key, known := placeKey(&s.payment.Place); known {
		p.places = remember(p.places, key, tick, MaxKnown)
	}
	if h, known := s.hash(fieldDevice); known {
		p.devices = remember(p.devices, shortened(h), tick, MaxKnown)
	}
	for _, f := range [...]field{fieldPaymentMethod, fieldFingerprint} {
		if h, known := s.hash(f); known {
			p.methods = remember(p.methods, shortened(h), tick, MaxKnown)
		}
	}
}

// forget drops what is out of reach.
func (p *Profile) forget(set *SeriesSet) {
	_, horizon := knownAt(p.folds.second)
	p.places = forgetSeen(p.places, horizon)
	p.devices = forgetSeen(p.devices, horizon)
	p.methods = forgetSeen(p.methods, horizon)
	p.spending.forget(&spendingSeries.ticks, spendingSeries.reach(p.folds.second))
	p.folds.forget(set.account)
}

// FoldLabel adds one label, from now on and not before. Labels and entries may come in any order. A label of a payment that is out of
// reach is ignored, and so is one that says legitimate.
func (p *Profile) FoldLabel(set *SeriesSet, l *Label) {
	if folded, ok := l.event(); ok {
		p.folds.adopt(set.account)
		p.folds.label(set.account, &folded, l.Undo)
	}
}

// Learn adds a lesson: it lasts as long as a payment's, MaxWindow.
func (p *Profile) Learn(l Lesson) {
	at, ok := instant(l.At)
	if !ok {
		return
	}
	payment := Payment{Place: l.Place, DeviceID: l.DeviceID, Method: l.Method}
	p.meet(&subject{payment: &payment, at: at})
}

// Lacks reports whether the profile was folded without one of the set's account series. The caller then rebuilds it: folds the account's log
// into a zero Profile. A profile without entries lacks nothing.
func (p *Profile) Lacks(set *SeriesSet) bool { return p.folds.lacks(set.account) }

// Newest returns the newest instant that was folded, and false when there was none.
func (p *Profile) Newest() (time.Time, bool) {
	return time.UnixMicro(p.folds.newest).UTC(), p.folds.newest > 0
}

// Known says what of a payment the account has used in approved payments, or was taught by lessons, less than MaxWindow before it. What is not
// given is not known.
type Known struct {
	Place  bool // country and region; where either side does not know the region, the country decides
	Device bool
	Method bool
	// SinceElsewhere is the seconds since the account was last met in another country, to a minute, 0 when that is later than the
	// payment; Never when it was not, or when this payment names no country.
	SinceElsewhere float64
}

// Known looks up the payment's place, device and method. What is later than the payment, when that is out of order, is known too.
func (p *Profile) Known(payment *Payment) Known {
	out := Known{SinceElsewhere: Never}
	at, ok := instant(payment.OccurredAt)
	if !ok {
		return out
	}
	_, since := knownAt(at)
	s := subject{payment: payment}
	if h, known := s.hash(fieldDevice); known {
		out.Device = knownSince(p.devices, shortened(h), since)
	}
	for _, f := range [...]field{fieldPaymentMethod, fieldFingerprint} {
		if h, known := s.hash(f); known && !out.Method {
			out.Method = knownSince(p.methods, shortened(h), since)
		}
	}
	if key, known := placeKey(&payment.Place); known {
		out.Place = p.knowsPlace(key, since)
		out.SinceElsewhere = p.sinceElsewhere(key, at, since)
	}
	return out
}

func knownSince(list []seen, key, since uint64) bool {
	i, found := find(list, key)
	return found && list[i].last > since
}

func (p *Profile) knowsPlace(key, since uint64) bool {
	country := key &^ regionMask
	if key != country {
		return knownSince(p.places, key, since) || knownSince(p.places, country, since)
	}
	first, _ := find(p.places, country)
	for _, place := range p.places[first:] {
		if place.key&^regionMask != country {
			return false
		}
		if place.last > since {
			return true
		}
	}
	return false
}

func (p *Profile) sinceElsewhere(key uint64, at int64, since uint64) float64 {
	latest := since
	for _, place := range p.places {
		if (place.key^key)&^regionMask != 0 {
			latest = max(latest, place.last)
		}
	}
	if latest == since {
		return Never
	}
	return seconds(at - knownClock.micros(latest))
}

// Spending are the statistics of approved payments in one currency, in its minor units; all 0 when Count is 0.
type Spending struct {
	Count       int64
	MeanMinor   float64
	StddevMinor float64 // of the population, so 0 when all amounts are equal
	MaxMinor    int64
}

// Spending returns how many payments were approved less than MaxWindow before the instant, in all currencies, and the statistics of those in the
// currency (ISO 4217). Payments later than the instant count too. The bucket at the far end of the window counts whole: with more than one payment in the
// 12.5 days there, some may be up to that much too old.
func (p *Profile) Spending(currency string, at time.Time) (approved int64, s Spending) {
	micros, ok := instant(at)
	if !ok {
		return 0, Spending{}
	}
	since := spendingSeries.ticks.at(micros - spendingSeries.window)
	wanted := shortened(hash(uint64(fieldCurrency), currency))
	for i := range p.spending.states {
		st := &p.spending.states[i]
		if st.key != wanted {
			approved += countSince(st, since)
			continue
		}
		var sum summary
		sum.add(st, since, math.MaxUint64, false)
		approved += int64(sum.count)
		s = Spending{Count: int64(sum.count), MeanMinor: sum.mean(), StddevMinor: sum.stddev(), MaxMinor: sum.max}
	}
	return approved, s
}

func countSince(st *state, since uint64) (count int64) {
	for _, b := range slices.Backward(st.buckets) {
		if b.lastTick() <= since {
			break
		}
		count += int64(b.count)
	}
	return count
}
