package history

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

var decidedAt = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func TestX(t *testing.T) {
	set, err := NewSeriesSet(
		Definition{Entity: []Field{Account}, Function: Count, Window: time.Hour},
		Definition{Entity: []Field{Account}, Function: Mean, Window: 30 * 24 * time.Hour},
		Definition{Entity: []Field{Account, Merchant}, Function: Mean, Window: 30 * 24 * time.Hour},
		Definition{Entity: []Field{Account}, Function: Distinct, Field: Device, Window: 30 * 24 * time.Hour},
		Definition{Entity: []Field{Account}, Function: TimeSinceLast, Window: 30 * 24 * time.Hour},
		Definition{Entity: []Field{Merchant}, Function: FraudShare, Window: 30 * 24 * time.Hour, Delay: 7 * 24 * time.Hour},
	)
	if err != nil {
		t.Fatal(err)
	}
	var p Profile
	for i := range 50 {
		e := Entry{Payment{AccountID: "a", AmountMinor: int64(1000 + i*37), AmountReference: int64(1000 + i), AmountKnown: true, Currency: "EUR", Merchant: fmt.Sprint(i % 5), DeviceID: fmt.Sprint(i % 3),
			Place: Place{Country: "DE", Region: fmt.Sprint(i % 3)}, Method: Method{ID: fmt.Sprint(i % 3)}, OccurredAt: decidedAt.Add(-time.Duration(i) * 170 * time.Hour)}, Approved}
		p.Fold(set, &e)
	}
	data := p.AppendBinary(nil)
	q, err := DecodeProfile(data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(q.AppendBinary(nil), data) {
		t.Fatal("differs")
	}
	t.Log(len(data))
}
