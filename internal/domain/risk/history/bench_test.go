package history

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

const testDay = 24 * time.Hour

// usual are the aggregates of a policy as a bank would write one: 12 states of the account behind 20 aggregates, and 6 of others.
func usual() []Definition {
	account, merchant, device := []Field{Account}, []Field{Merchant}, []Field{Device}
	return []Definition{
		{Entity: account, Of: Attempts, Function: Count, Window: time.Hour},
		{Entity: account, Of: Attempts, Function: Count, Window: testDay},
		{Entity: account, Function: Count, Window: testDay},
		{Entity: account, Function: Sum, Window: testDay},
		{Entity: account, Function: Mean, Window: testDay},
		{Entity: account, Function: Count, Window: 7 * testDay},
		{Entity: account, Function: Mean, Window: 7 * testDay},
		{Entity: account, Function: Sum, Window: 7 * testDay},
		{Entity: account, Function: Max, Window: 30 * testDay},
		{Entity: account, Function: Mean, Window: 30 * testDay},
		{Entity: account, Function: Stddev, Window: 30 * testDay},
		{Entity: account, Function: Ratio, Window: 30 * testDay, IncludeCurrent: true},
		{Entity: account, Function: Distinct, Field: Country, Window: 30 * testDay},
		{Entity: account, Function: Distinct, Field: Device, Window: 7 * testDay},
		{Entity: account, Function: TimeSinceLast, Window: 90 * testDay},
		{Entity: account, Function: FraudShare, Window: 90 * testDay},
		{Entity: account, Function: TimeSinceFirst, Window: 90 * testDay},
		{Entity: []Field{Account, Merchant}, Function: Count, Window: 30 * testDay},
		{Entity: merchant, Of: Attempts, Function: FraudShare, Window: 7 * testDay, Delay: 7 * testDay},
		{Entity: merchant, Of: Attempts, Function: FraudShare, Window: 30 * testDay, Delay: 7 * testDay},
		{Entity: merchant, Of: Attempts, Function: Count, Window: testDay},
		{Entity: device, Of: Attempts, Function: Distinct, Field: Account, Window: 30 * testDay},
		{Entity: []Field{IP}, Of: Attempts, Function: Count, Window: time.Hour},
		{Entity: []Field{Fingerprint}, Of: Attempts, Function: Distinct, Field: Account, Window: 30 * testDay},
	}
}

func usualSet(tb testing.TB) (*SeriesSet, []Slot) {
	tb.Helper()
	set, err := NewSeriesSet(usual()...)
	if err != nil {
		tb.Fatal(err)
	}
	var slots []Slot
	for _, d := range usual() {
		slots = append(slots, set.Slot(d))
	}
	return set, slots
}

// idle are 50 payments over a year of an account with three places, devices and methods, the last one at decidedAt; the same for the same seed.
func idle(seed uint64) []Entry {
	random := rand.New(rand.NewPCG(seed, 1))
	entries := make([]Entry, 50)
	for i := range entries {
		habit := random.IntN(10) * random.IntN(10) / 28
		amount := 300 + random.Int64N(8000)
		entries[i] = Entry{Outcome: Approved, Payment: Payment{
			ID: fmt.Sprint("pay_", i), AccountID: fmt.Sprint("acc_", seed), AmountMinor: amount, Currency: "EUR", AmountReference: amount * 117 / 100, AmountKnown: true,
			Place: Place{Country: "DE", Region: []string{"BE", "BY", "HH"}[habit]}, IP: fmt.Sprint("192.0.2.", random.IntN(9)),
			DeviceID:   fmt.Sprint("device-", seed, "-", habit),
			Method:     Method{ID: fmt.Sprint("pm_", seed, "_", habit), Fingerprint: fmt.Sprint("fp_", seed, "_", habit)},
			MethodKind: "card", Merchant: fmt.Sprint("shop-", random.IntN(20)),
			OccurredAt: decidedAt.Add(-time.Duration(random.Int64N(int64(365 * testDay)))),
		}}
	}
	entries[49].Payment.OccurredAt = decidedAt
	return entries
}

func folded(set *SeriesSet, entries []Entry) *Profile {
	var p Profile
	for i := range entries {
		p.Fold(set, &entries[i])
	}
	return &p
}

func BenchmarkFoldAndRead(b *testing.B) {
	set, slots := usualSet(b)
	index := NewIndex(set, 1000)
	p := folded(set, idle(1))
	e := idle(1)[7]
	e.Payment.OccurredAt = decidedAt
	var reading Reading
	var sum float64
	b.ReportAllocs()
	for b.Loop() {
		e.Payment.OccurredAt = e.Payment.OccurredAt.Add(time.Hour)
		reading.Reset(p, index, &e.Payment)
		for _, slot := range slots {
			sum += reading.Value(slot)
		}
		p.Fold(set, &e)
	}
	_ = sum
}

func BenchmarkRead(b *testing.B) {
	set, slots := usualSet(b)
	index := NewIndex(set, 1000)
	entries := idle(1)
	for i := range entries {
		index.Fold(&entries[i])
	}
	p := folded(set, entries)
	var reading Reading
	var sum float64
	b.ReportAllocs()
	for b.Loop() {
		reading.Reset(p, index, &entries[49].Payment)
		for _, slot := range slots {
			sum += reading.Value(slot)
		}
		k := p.Known(&entries[49].Payment)
		_, s := p.Spending("EUR", decidedAt)
		sum += k.SinceElsewhere + s.MeanMinor
	}
	_ = sum
}

func BenchmarkFold(b *testing.B) {
	set, _ := usualSet(b)
	p := folded(set, idle(1))
	e := idle(1)[7]
	e.Payment.OccurredAt = decidedAt
	b.ReportAllocs()
	for b.Loop() {
		e.Payment.OccurredAt = e.Payment.OccurredAt.Add(time.Hour)
		p.Fold(set, &e)
	}
}

func BenchmarkIndexFold(b *testing.B) {
	set, _ := usualSet(b)
	index := NewIndex(set, 1000)
	e := idle(1)[7]
	b.ReportAllocs()
	for b.Loop() {
		e.Payment.OccurredAt = e.Payment.OccurredAt.Add(time.Hour)
		index.Fold(&e)
	}
}

func BenchmarkDecode(b *testing.B) {
	set, _ := usualSet(b)
	data := folded(set, idle(1)).AppendBinary(nil)
	b.Run("into used memory", func(b *testing.B) {
		var p Profile
		b.ReportAllocs()
		for b.Loop() {
			if p.Decode(data) != nil {
				b.Fatal()
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeProfile(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendBinary(b *testing.B) {
	set, _ := usualSet(b)
	p := folded(set, idle(1))
	data := p.AppendBinary(nil)
	b.ReportMetric(float64(len(data)), "bytes")
	b.ReportAllocs()
	for b.Loop() {
		data = p.AppendBinary(data[:0])
	}
}

// BenchmarkAttempt is what the hot path does with one profile: decode, read, fold, encode.
func BenchmarkAttempt(b *testing.B) {
	set, slots := usualSet(b)
	index := NewIndex(set, 1000)
	data := folded(set, idle(1)).AppendBinary(nil)
	e := idle(1)[7]
	e.Payment.OccurredAt = decidedAt.Add(time.Hour)
	var p Profile
	var reading Reading
	var out []byte
	var sum float64
	b.ReportAllocs()
	for b.Loop() {
		if p.Decode(data) != nil {
			b.Fatal()
		}
		reading.Reset(&p, index, &e.Payment)
		for _, slot := range slots {
			sum += reading.Value(slot)
		}
		k := p.Known(&e.Payment)
		_, s := p.Spending("EUR", e.Payment.OccurredAt)
		sum += k.SinceElsewhere + s.MeanMinor
		p.Fold(set, &e)
		out = p.AppendBinary(out[:0])
	}
	_ = sum
}
