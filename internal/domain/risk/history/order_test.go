package history

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var decidedAt = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// over is a filter for tests: amounts above it pass.
type over int64

func (o over) Match(p *Payment) bool { return p.AmountMinor > int64(o) }

// world has every kind of state, with and without keys, filter and delay.
func world(tb testing.TB) *SeriesSet {
	tb.Helper()
	set, err := NewSeriesSet(append(usual(),
		Definition{Entity: []Field{Account}, Function: Count, Window: time.Minute, Where: "big", Filter: over(50_000)},
		Definition{Entity: []Field{Account, Device}, Function: Stddev, Field: AmountMinor, Window: 400 * testDay},
		Definition{Entity: []Field{Account, Country}, Function: LastSeen, Window: testDay},
		Definition{Entity: []Field{Account, Currency}, Function: Distinct, Field: Amount, Window: 40 * testDay},
		Definition{Entity: []Field{Account}, Of: Attempts, Function: FraudShare, Window: testDay, Delay: 30 * testDay},
		Definition{Entity: []Field{Device, IP}, Function: Max, Window: 10 * testDay, Where: "big", Filter: over(50_000)},
		Definition{Entity: []Field{Region}, Function: TimeSinceLast, Window: 10 * testDay},
		Definition{Entity: []Field{City}, Function: FraudShare, Window: 10 * testDay},
	)...)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// step is something that happens to an account.
type step struct {
	entry  *Entry
	label  *Label
	lesson *Lesson
}

func (s step) into(set *SeriesSet, p *Profile, x *Index) {
	switch {
	case s.entry != nil:
		p.Fold(set, s.entry)
		x.Fold(s.entry)
	case s.label != nil:
		p.FoldLabel(set, s.label)
		x.FoldLabel(s.label)
	default:
		p.Learn(*s.lesson)
	}
}

func drawPayment(t *rapid.T) Payment {
	pick := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	age := rapid.OneOf(rapid.Int64Range(0, 1000*24*3600), rapid.Int64Range(0, 7200), rapid.SampledFrom([]int64{0, 400 * 24 * 3600})).Draw(t, "age")
	amount := rapid.OneOf(rapid.Int64Range(0, 100_000), rapid.Int64Range(math.MaxInt64-9, math.MaxInt64)).Draw(t, "amount")
	return Payment{
		AccountID: "acc", AmountMinor: amount, Currency: pick("currency", "USD", "EUR", "JPY"),
		AmountReference: amount / 2, AmountKnown: rapid.Bool().Draw(t, "known"),
		Place: Place{Country: pick("country", "", "DE", "fr", "Europe"), Region: pick("region", "", "BE", "de-be", "IDF"), City: pick("city", "", "Berlin")},
		IP:    pick("ip", "", "192.0.2.1", "2001:db8::1"), DeviceID: pick("device", "", "laptop", "phone"),
		Method:   Method{ID: pick("method", "", "pm_1", "pm_2"), Fingerprint: pick("fingerprint", "", "f1", "f2")},
		Merchant: pick("merchant", "", "shop", "market"), OccurredAt: decidedAt.Add(-time.Duration(age) * time.Second),
	}
}

func drawStep(t *rapid.T) step {
	payment := drawPayment(t)
	outcome := rapid.SampledFrom([]Outcome{Approved, Approved, Review, Rejected, ApprovedAfterReview}).Draw(t, "outcome")
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return step{lesson: &Lesson{Place: payment.Place, DeviceID: payment.DeviceID, Method: payment.Method, At: payment.OccurredAt}}
	case 1:
		return step{label: &Label{Payment: payment, Outcome: outcome, Fraud: true, Undo: rapid.Bool().Draw(t, "undo")}}
	}
	return step{entry: &Entry{Payment: payment, Outcome: outcome}}
}

func encodings(p *Profile, x *Index) map[uint64][]byte {
	out := map[uint64][]byte{0: p.AppendBinary(nil)}
	x.Each(func(id uint64, encoded []byte) bool {
		out[id] = bytes.Clone(encoded)
		return true
	})
	return out
}

func TestAnyOrderOfTheSameStepsGivesTheSameBytes(t *testing.T) {
	set := world(t)
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 14).Draw(t, "steps")
		var inOrder, shuffled Profile
		indexed, reindexed := NewIndex(set, 1000), NewIndex(set, 1000)
		for _, s := range steps {
			s.into(set, &inOrder, indexed)
		}
		for _, s := range rapid.Permutation(steps).Draw(t, "order") {
			s.into(set, &shuffled, reindexed)
		}
		want, got := encodings(&inOrder, indexed), encodings(&shuffled, reindexed)
		if len(got) != len(want) {
			t.Fatalf("got %d encodings, want %d", len(got), len(want))
		}
		for id := range want {
			if !bytes.Equal(got[id], want[id]) {
				t.Fatalf("entity %d: got %x, want %x", id, got[id], want[id])
			}
		}
	})
}

func TestFoldingAnEncodedProfileIsFoldingTheProfile(t *testing.T) {
	set := world(t)
	var slots []Slot
	for _, d := range usual() {
		slots = append(slots, set.Slot(d))
	}
	rapid.Check(t, func(t *rapid.T) {
		var kept, stored Profile
		index, reloaded := NewIndex(set, 1000), NewIndex(set, 1000)
		var data []byte
		for _, s := range rapid.SliceOfN(rapid.Custom(drawStep), 1, 14).Draw(t, "steps") {
			s.into(set, &kept, index)
			if err := stored.Decode(data); err != nil {
				t.Fatal(err)
			}
			s.into(set, &stored, reloaded)
			data = stored.AppendBinary(data[:0])
			if want := kept.AppendBinary(nil); !bytes.Equal(data, want) {
				t.Fatalf("got %x, want %x", data, want)
			}
			next := NewIndex(set, 1000)
			reloaded.Each(func(id uint64, encoded []byte) bool {
				if err := next.Put(id, encoded); err != nil {
					t.Fatal(err)
				}
				return true
			})
			reloaded = next
		}
		again, err := DecodeProfile(data)
		if err != nil {
			t.Fatal(err)
		}
		payment := drawPayment(t)
		for i, slot := range slots {
			got, want := Value(slot, &again, reloaded, &payment), Value(slot, &kept, index, &payment)
			if got != want {
				t.Fatalf("aggregate %d: got %v, want %v", i, got, want)
			}
		}
		if got, want := again.Known(&payment), kept.Known(&payment); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestOneReadingReadsWhatSingleValuesAre(t *testing.T) {
	set, slots := usualSet(t)
	var reading Reading
	rapid.Check(t, func(t *rapid.T) {
		var p Profile
		x := NewIndex(set, 1000)
		for _, s := range rapid.SliceOfN(rapid.Custom(drawStep), 1, 14).Draw(t, "steps") {
			s.into(set, &p, x)
		}
		payment := drawPayment(t)
		reading.Reset(&p, x, &payment)
		for i, slot := range slots {
			if got, want := reading.Value(slot), Value(slot, &p, x, &payment); got != want {
				t.Fatalf("aggregate %d: got %v, want %v", i, got, want)
			}
		}
	})
}

// model computes an aggregate from all payments, as the package comment says it: buckets count as a whole while their newest payment is in the
// window (since, until]; without a delay, until is the payment itself and a bucket counts as soon as it begins before that.
type model struct {
	unit, width, since, until int64
	delayed                   bool
}

// counted returns the amounts of the payments that count.
func (m model) counted(payments []Entry) (amounts []int64) {
	newest, earliest := map[int64]int64{}, map[int64]int64{}
	for i := range payments {
		at := payments[i].Payment.OccurredAt.UnixMicro()
		number := at / m.width
		newest[number] = max(newest[number], at/m.unit)
		if first, found := earliest[number]; !found || at/m.unit < first {
			earliest[number] = at / m.unit
		}
	}
	for i := range payments {
		number := payments[i].Payment.OccurredAt.UnixMicro() / m.width
		last := newest[number]
		if last > m.since/m.unit && (last <= m.until/m.unit || !m.delayed && earliest[number] <= m.until/m.unit) {
			amounts = append(amounts, payments[i].Payment.AmountMinor)
		}
	}
	return amounts
}

func TestValuesAreThoseOfAPlainScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, testDay, 30 * testDay, 400 * testDay}).Draw(t, "window")
		delay := rapid.SampledFrom([]time.Duration{0, 0, time.Hour, 7 * testDay, 90 * testDay}).Draw(t, "delay")
		define := func(f Function) Definition {
			return Definition{Entity: []Field{Account}, Function: f, Field: AmountMinor, Window: window, Delay: delay}
		}
		set, err := NewSeriesSet(define(Count), define(Sum))
		if err != nil {
			t.Fatal(err)
		}
		payments := make([]Entry, rapid.IntRange(0, 60).Draw(t, "payments"))
		var p Profile
		for i := range payments {
			age := time.Duration(rapid.Int64Range(0, int64((window+delay)*3/2)).Draw(t, "age")).Truncate(time.Microsecond)
			payments[i] = paid(age, rapid.Int64Range(0, 1_000_000).Draw(t, "amount"))
			p.Fold(set, &payments[i])
		}
		unit := int64(set.Slot(define(Sum)).series.ticks.unit)
		until := decidedAt.Add(-delay).UnixMicro()
		m := model{unit: unit, width: unit << tickBits, since: until - window.Microseconds(), until: until, delayed: delay > 0}
		compare(t, set, define, &p, m.counted(payments))
	})
}

// compare reads all functions of amounts and compares them with a computation in floating point.
func compare(t *rapid.T, set *SeriesSet, define func(Function) Definition, p *Profile, amounts []int64) {
	var sum, squares float64
	for _, amount := range amounts {
		sum += float64(amount)
		squares += float64(amount) * float64(amount)
	}
	want := map[Function]float64{Count: float64(len(amounts)), Sum: sum}
	if n := float64(len(amounts)); n > 0 {
		mean := sum / n
		want[Min], want[Max], want[Mean] = float64(slices.Min(amounts)), float64(slices.Max(amounts)), mean
		want[Stddev] = math.Sqrt(max(squares/n-mean*mean, 0))
	}
	payment := paid(0, 1).Payment
	for _, f := range []Function{Count, Sum, Min, Max, Mean, Stddev} {
		if got := Value(set.Slot(define(f)), p, nil, &payment); math.Abs(got-want[f]) > 0.01 {
			t.Fatalf("function %d: got %v, want %v", f, got, want[f])
		}
	}
}

func TestTicksAreDivisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := time.Duration(rapid.Int64Range(int64(MinWindow/time.Microsecond), int64(MaxWindow/time.Microsecond)).Draw(t, "window")) * time.Microsecond
		delay := time.Duration(rapid.Int64Range(0, int64(MaxDelay/time.Microsecond)).Draw(t, "delay")) * time.Microsecond
		clock := ticksFor(window, delay)
		at := rapid.Int64Range(0, maxInstant).Draw(t, "at")
		near := at / int64(clock.unit) * int64(clock.unit)
		for _, micros := range []int64{at, near, near - 1, near + int64(clock.unit) - 1} {
			if got, want := clock.at(micros), uint64(max(micros, 0))/clock.unit; got != want {
				t.Fatalf("got %d, want %d", got, want)
			}
		}
		if buckets := uint64((window+delay).Microseconds())>>tickBits/clock.unit + 2; buckets > MaxBuckets {
			t.Fatalf("got %d buckets, want at most %d", buckets, MaxBuckets)
		}
		if clock.at(maxInstant)>>tickBits > math.MaxUint32 {
			t.Fatal("bucket numbers do not fit 32 bits")
		}
	})
}
