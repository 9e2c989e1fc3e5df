package history

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"testing"
	"time"
)

// goldenProfile was written by version 1 of the encoding. A change here makes every stored profile unreadable: raise the version instead.
const goldenProfile = "01070405070480e0fbccab9f930380c8ceb40d01f263b245440001c94a490b160002b606288498009e745e1a9b000dea0cd677c34e2602007a60fe5fa9" +
	"38e5021ec286a0070b0080c8ceb40d01d91ae3461d86ab01c3b2fefb160200bb23f24188200b655e02006023a103ef30ab378b02008e23922b37009f" +
	"19650807cf8b28c023006a2602152500cf144a58650a01c0ffdcc002c94a490b1600"

func TestTheEncodingStaysReadable(t *testing.T) {
	d := []Definition{
		{Entity: []Field{Account}, Function: Count, Window: testDay},
		{Entity: []Field{Account, Merchant}, Function: Sum, Window: 30 * testDay},
		{Entity: []Field{Account}, Function: Distinct, Field: Device, Window: testDay},
		{Entity: []Field{Account}, Function: LastSeen, Window: testDay},
	}
	set, err := NewSeriesSet(d...)
	if err != nil {
		t.Fatal(err)
	}
	entries := idle(1)[:3]
	for i := range entries {
		entries[i].Payment.OccurredAt = decidedAt.Add(-time.Duration(i) * time.Hour)
	}
	p := folded(set, entries)
	p.FoldLabel(set, &Label{Payment: entries[1].Payment, Outcome: Approved, Fraud: true})
	if got := hex.EncodeToString(p.AppendBinary(nil)); got != goldenProfile {
		t.Errorf("got %s, want %s", got, goldenProfile)
	}
	data, err := hex.DecodeString(goldenProfile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeProfile(data); err != nil {
		t.Error(err)
	}
}

func TestGarbageIsRefused(t *testing.T) {
	set, _ := usualSet(t)
	good := folded(set, idle(1)).AppendBinary(nil)
	for n := 1; n < len(good); n++ {
		if _, err := DecodeProfile(good[:n]); !errors.Is(err, ErrEncoding) {
			t.Fatalf("the first %d of %d bytes: got %v, want %v", n, len(good), err, ErrEncoding)
		}
	}
	if _, err := DecodeProfile(append(bytes.Clone(good), 0)); !errors.Is(err, ErrEncoding) {
		t.Errorf("a byte too many: got %v, want %v", err, ErrEncoding)
	}
	if _, err := DecodeProfile(append([]byte{2}, good[1:]...)); !errors.Is(err, ErrEncoding) {
		t.Errorf("a later version: got %v, want %v", err, ErrEncoding)
	}
	if p, err := DecodeProfile(nil); err != nil || p.Lacks(set) {
		t.Errorf("no bytes are a profile without history: got %v", err)
	}
	if err := NewIndex(set, 9).Put(1, good); !errors.Is(err, ErrEncoding) {
		t.Errorf("a profile as an entity: got %v, want %v", err, ErrEncoding)
	}
}

func TestAnIndexIsLoadedAsItWas(t *testing.T) {
	set, slots := usualSet(t)
	x := NewIndex(set, 40)
	for seed := range uint64(9) {
		for _, e := range idle(seed) {
			x.Fold(&e)
		}
	}
	if x.Len() != 40 {
		t.Fatalf("got %d entities, want the limit of 40", x.Len())
	}
	again := NewIndex(set, 40)
	var order, orderAgain []uint64
	x.Each(func(id uint64, encoded []byte) bool {
		order = append(order, id)
		if err := again.Put(id, encoded); err != nil {
			t.Fatal(err)
		}
		return true
	})
	again.Each(func(id uint64, _ []byte) bool {
		orderAgain = append(orderAgain, id)
		return true
	})
	for i := range order {
		if order[i] != orderAgain[i] {
			t.Fatalf("entity %d comes in another order", i)
		}
	}
	payment := idle(8)[49].Payment
	for i, slot := range slots {
		if got, want := Value(slot, nil, again, &payment), Value(slot, nil, x, &payment); got != want {
			t.Errorf("aggregate %d: got %v, want %v", i, got, want)
		}
	}
	other, err := NewSeriesSet(Definition{Entity: []Field{Merchant}, Function: Max, Window: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	x.Each(func(id uint64, encoded []byte) bool {
		err := NewIndex(other, 9).Put(id, encoded)
		if errors.Is(err, ErrOtherSeries) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
		return true
	})
	if refused == 0 || refused == x.Len() {
		t.Errorf("got %d entities refused, want those of merchants alone", refused)
	}
}

func TestTheEntityFoldedTheLongestAgoIsForgottenFirst(t *testing.T) {
	d := Definition{Entity: []Field{Merchant}, Function: Count, Window: testDay}
	set, err := NewSeriesSet(d)
	if err != nil {
		t.Fatal(err)
	}
	x := NewIndex(set, 2)
	sold := func(merchant string) Entry {
		return paid(time.Hour, 1).with(func(e *Entry) { e.Payment.Merchant = merchant })
	}
	for _, merchant := range []string{"a", "b", "a", "c"} {
		e := sold(merchant)
		x.Fold(&e)
	}
	for merchant, want := range map[string]float64{"a": 2, "b": 0, "c": 1} {
		now := sold(merchant).Payment
		now.OccurredAt = decidedAt
		if got := Value(set.Slot(d), nil, x, &now); got != want {
			t.Errorf("merchant %s: got %v, want %v", merchant, got, want)
		}
	}
}

func FuzzDecodeProfile(f *testing.F) {
	set, slots := usualSet(f)
	f.Add(folded(set, idle(1)).AppendBinary(nil))
	f.Add(folded(set, idle(2)[:2]).AppendBinary(nil))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0})
	payment := idle(1)[49].Payment
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := DecodeProfile(data)
		if err != nil {
			return
		}
		encoded := p.AppendBinary(nil)
		again, err := DecodeProfile(encoded)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if !bytes.Equal(again.AppendBinary(nil), encoded) {
			t.Fatal("what was read is written differently")
		}
		for _, slot := range slots {
			Value(slot, &p, nil, &payment)
		}
		p.Known(&payment)
		p.Spending("EUR", decidedAt)
		p.Fold(set, &Entry{payment, Approved})
		p.FoldLabel(set, &Label{Payment: payment, Outcome: Approved, Fraud: true})
		if _, err := DecodeProfile(p.AppendBinary(nil)); err != nil {
			t.Fatalf("what was read and folded cannot be read again: %v", err)
		}
	})
}

func FuzzPutEntity(f *testing.F) {
	set, slots := usualSet(f)
	x := NewIndex(set, 1000)
	for _, e := range idle(1) {
		x.Fold(&e)
	}
	x.Each(func(id uint64, encoded []byte) bool {
		f.Add(bytes.Clone(encoded))
		return len(encoded) < 200
	})
	e := idle(1)[49]
	f.Fuzz(func(t *testing.T, data []byte) {
		x := NewIndex(set, 1000)
		key, _ := entityKey([2]field{fieldMerchant}, &subject{payment: &e.Payment})
		if x.Put(entityID(groupID([2]field{fieldMerchant}), key), data) != nil {
			return
		}
		x.Fold(&e)
		for _, slot := range slots {
			Value(slot, nil, x, &e.Payment)
		}
	})
}

func TestGarbageCannotAskForMuchMemory(t *testing.T) {
	data := bytes.Repeat([]byte{0xff}, 4096)
	// The most that the totals may claim for the bytes that follow.
	copy(data, []byte{1, 0xaa, 0x0a, 0xc8, 0x04, 0x80, 0x10, 0x80, 0x02})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := DecodeProfile(data); err == nil {
		t.Fatal("garbage was read")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("got %d bytes for %d of garbage, want at most 1 MiB", got, len(data))
	}
}
