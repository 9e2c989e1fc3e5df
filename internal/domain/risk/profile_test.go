package risk

import (
	"github.com/probity/probity/internal/domain/risk/history"

	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawEvent draws an approved payment or a lesson from a small world, so that keys, days and currencies meet often.
func drawEvent(t *rapid.T, name string) func(Profile) Profile {
	place := Place{
		Country: rapid.SampledFrom([]string{"", "DE", "FR", "CN"}).Draw(t, name+" country"),
		Region:  rapid.SampledFrom([]string{"", "BE", "de-be", "IDF"}).Draw(t, name+" region"),
	}
	method := Method{
		ID:          rapid.SampledFrom([]string{"", "pm_1", "pm_2"}).Draw(t, name+" method"),
		Fingerprint: rapid.SampledFrom([]string{"", "f1", strings.Repeat("long", 40)}).Draw(t, name+" fingerprint"),
	}
	device := rapid.SampledFrom([]string{"", "laptop", "phone"}).Draw(t, name+" device")
	at := decidedAt.Add(-time.Duration(rapid.Int64Range(0, 1000*24*3600).Draw(t, name+" age")) * time.Second)
	if rapid.IntRange(0, 4).Draw(t, name+" kind") == 0 {
		return func(p Profile) Profile {
			return Learn(p, Lesson{Place: place, DeviceID: device, Method: method, At: at})
		}
	}
	payment := ApprovedPayment{
		AmountMinor: rapid.OneOf(rapid.Int64Range(0, 100_000), rapid.Int64Range(0, math.MaxInt64)).Draw(t, name+" amount"),
		Currency:    rapid.SampledFrom([]string{"USD", "EUR", "JPY"}).Draw(t, name+" currency"),
		Place:       place, DeviceID: device, Method: method, OccurredAt: at,
	}
	return func(p Profile) Profile { return Fold(p, payment) }
}

// withoutFirst clears the one field that depends on the order of folding.
func withoutFirst(p Profile) Profile {
	for _, list := range []*[]Seen{&p.Currencies, &p.Places, &p.Devices, &p.Methods} {
		copied := append([]Seen(nil), *list...)
		for i := range copied {
			copied[i].First = 0
		}
		*list = copied
	}
	return p
}

func TestAnyOrderOfTheSameEventsGivesTheSameProfile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := make([]func(Profile) Profile, rapid.IntRange(1, 12).Draw(t, "events"))
		order := make([]int, len(events))
		for i := range events {
			events[i], order[i] = drawEvent(t, fmt.Sprint(i)), i
		}
		var inOrder, shuffled Profile
		for _, event := range events {
			inOrder = event(inOrder)
		}
		for _, i := range rapid.Permutation(order).Draw(t, "order") {
			shuffled = events[i](shuffled)
		}
		if got, want := withoutFirst(shuffled), withoutFirst(inOrder); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestFoldingLeavesTheOldProfileAndJSONKeepsTheNewOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var profile Profile
		for i := range rapid.IntRange(1, 12).Draw(t, "events") {
			before, err := json.Marshal(profile)
			if err != nil {
				t.Fatal(err)
			}
			next := drawEvent(t, fmt.Sprint(i))(profile)
			if after, _ := json.Marshal(profile); string(after) != string(before) {
				t.Fatalf("the old profile changed: got %s, want %s", after, before)
			}
			profile = next
		}
		data, err := json.Marshal(profile)
		if err != nil {
			t.Fatal(err)
		}
		var back Profile
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, profile) {
			t.Fatalf("got %+v, want %+v", back, profile)
		}
	})
}

func TestAProfileIsBounded(t *testing.T) {
	var profile Profile
	for i := range 3 * MaxKnown {
		profile = Fold(profile, ApprovedPayment{
			AmountMinor: 1, Currency: fmt.Sprintf("C%02d", i%100),
			Place:      Place{Country: "DE", Region: fmt.Sprint(i)},
			DeviceID:   strings.Repeat("x", 1000) + fmt.Sprint(i),
			Method:     Method{ID: fmt.Sprint(i), Fingerprint: fmt.Sprint(i)},
			OccurredAt: decidedAt.AddDate(0, 0, i),
		})
	}
	for name, list := range map[string][]Seen{"places": profile.Places, "devices": profile.Devices, "methods": profile.Methods} {
		if len(list) != MaxKnown {
			t.Errorf("%s: got %d, want %d", name, len(list), MaxKnown)
		}
		for _, seen := range list {
			if len(seen.Key) > maxKeyBytes {
				t.Errorf("%s: a key of %d bytes, want at most %d", name, len(seen.Key), maxKeyBytes)
			}
		}
	}
	if len(profile.Currencies) != MaxCurrencies {
		t.Errorf("currencies: got %d, want %d", len(profile.Currencies), MaxCurrencies)
	}
	for _, bucket := range profile.Days {
		if !known(profile.Currencies, bucket.Currency) {
			t.Errorf("a bucket of a forgotten currency")
		}
		if bucket.Day < day(profile.Newest)-WindowDays {
			t.Errorf("a bucket older than the window")
		}
	}
	newest := 3*MaxKnown - 1
	if !known(profile.Devices, bounded(strings.Repeat("x", 1000)+fmt.Sprint(newest))) {
		t.Errorf("the newest device is not known")
	}
	if knownSince(profile.Places, "DE/0", math.MinInt64) {
		t.Errorf("the oldest place is still known")
	}
}

func TestStatistics(t *testing.T) {
	var profile Profile
	for i, amount := range []int64{200, 400, 400, 400, 500, 500, 700, 900} {
		profile = Fold(profile, ApprovedPayment{AmountMinor: amount, Currency: "USD", OccurredAt: decidedAt.AddDate(0, 0, -i)})
	}
	profile = Fold(profile, ApprovedPayment{AmountMinor: 7, Currency: "EUR", OccurredAt: decidedAt})
	all, got := profile.spending("USD", decidedAt.Add(-window).UnixMicro())
	if want := (history.Spending{Count: 8, MeanMinor: 500, StddevMinor: 200, MaxMinor: 900}); got != want || all != 9 {
		t.Errorf("got %d %+v, want 9 %+v", all, got, want)
	}
}

func TestAHugeAmountSaturates(t *testing.T) {
	var profile Profile
	for range 5 {
		profile = Fold(profile, ApprovedPayment{AmountMinor: math.MaxInt64, Currency: "USD", OccurredAt: decidedAt})
	}
	bucket := profile.Days[0]
	if bucket.Sum != math.MaxInt64 || bucket.SumSquares != [2]uint64{math.MaxUint64, math.MaxUint64} || bucket.Count != 5 {
		t.Errorf("got %+v, want saturated sums", bucket)
	}
	if got := Fold(profile, ApprovedPayment{AmountMinor: -1, Currency: "USD", OccurredAt: decidedAt}); !reflect.DeepEqual(got, profile) {
		t.Errorf("a negative amount changed the profile")
	}
}

func TestTheWindowIsExactAndItsEdgeDayCountsWhole(t *testing.T) {
	edge := decidedAt.Add(-window)
	pay := func(at time.Time) ApprovedPayment {
		return ApprovedPayment{AmountMinor: 100, Currency: "USD", OccurredAt: at}
	}
	for name, c := range map[string]struct {
		at   []time.Time
		want int64
	}{
		"exactly 400 days ago is outside":                     {[]time.Time{edge}, 0},
		"a microsecond later is inside":                       {[]time.Time{edge.Add(time.Microsecond)}, 1},
		"a day with payments on both sides counts whole":      {[]time.Time{edge.Add(-time.Hour), edge.Add(time.Hour)}, 2},
		"a payment after the one decided, out of order, also": {[]time.Time{decidedAt.Add(time.Hour)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var profile Profile
			for _, at := range c.at {
				profile = Fold(profile, pay(at))
			}
			if got, _ := profile.spending("USD", edge.UnixMicro()); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func FuzzProfileJSON(f *testing.F) {
	f.Add([]byte(`{"newest":1,"days":[{"d":1,"c":"USD","n":1,"s":5,"q":[0,25],"m":5,"f":1,"l":1}],"places":[{"k":"DE/BE","f":1,"l":1}]}`))
	policy := defaultForTest(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var profile Profile
		if json.Unmarshal(data, &profile) != nil {
			return
		}
		payment := Payment{AmountMinor: 1, Currency: "USD", Place: Place{Country: "DE"}, OccurredAt: decidedAt}
		if got := decideOld(policy, profile, payment); !got.Outcome.Valid() {
			t.Errorf("got an invalid outcome %q", got.Outcome)
		}
	})
}
