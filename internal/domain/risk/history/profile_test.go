package history

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestKnownPlacesDevicesAndMethods(t *testing.T) {
	used := func(ago time.Duration, place Place, device string, method Method) Entry {
		return paid(ago, 10).with(func(e *Entry) { e.Payment.Place, e.Payment.DeviceID, e.Payment.Method = place, device, method })
	}
	berlin, germany, paris := Place{Country: "DE", Region: "BE"}, Place{Country: "DE"}, Place{Country: "FR", Region: "IDF"}
	card := Method{ID: "pm_1", Fingerprint: "f1"}
	for name, c := range map[string]struct {
		past, now Entry
		want      Known
	}{
		"all of it known":                        {used(testDay, berlin, "phone", card), used(0, berlin, "phone", card), Known{true, true, true, Never}},
		"the region written in another way":      {used(testDay, berlin, "", Method{}), used(0, Place{Country: " de", Region: "de-be", City: "Berlin"}, "", Method{}), Known{Place: true, SinceElsewhere: Never}},
		"another region":                         {used(testDay, berlin, "", Method{}), used(0, Place{Country: "DE", Region: "BY"}, "", Method{}), Known{SinceElsewhere: Never}},
		"the payment does not know the region":   {used(testDay, berlin, "", Method{}), used(0, germany, "", Method{}), Known{Place: true, SinceElsewhere: Never}},
		"the history does not know the region":   {used(testDay, germany, "", Method{}), used(0, berlin, "", Method{}), Known{Place: true, SinceElsewhere: Never}},
		"the same card under another identifier": {used(testDay, berlin, "", card), used(0, berlin, "", Method{ID: "pm_2", Fingerprint: "f1"}), Known{true, false, true, Never}},
		"a card that got its fingerprint later":  {used(testDay, berlin, "", Method{ID: "pm_1"}), used(0, berlin, "", card), Known{true, false, true, Never}},
		"an identifier is no fingerprint":        {used(testDay, berlin, "", Method{ID: "x"}), used(0, berlin, "", Method{Fingerprint: "x"}), Known{Place: true, SinceElsewhere: Never}},
		"an hour inside 400 days":                {used(400*testDay-time.Hour, berlin, "phone", card), used(0, berlin, "phone", card), Known{true, true, true, Never}},
		"exactly 400 days ago":                   {used(400*testDay, berlin, "phone", card), used(0, berlin, "phone", card), Known{SinceElsewhere: Never}},
		"nothing is given":                       {used(testDay, berlin, "phone", card), paid(0, 10), Known{SinceElsewhere: Never}},
		"it was rejected":                        {used(testDay, berlin, "phone", card).with(func(e *Entry) { e.Outcome = Rejected }), used(0, berlin, "phone", card), Known{SinceElsewhere: Never}},
		"a country that is no code":              {used(testDay, Place{Country: "Europe"}, "", Method{}), used(0, Place{Country: "europe", Region: "x"}, "", Method{}), Known{Place: true, SinceElsewhere: Never}},
		"later than the payment, out of order":   {used(-time.Hour, berlin, "phone", card), used(0, berlin, "phone", card), Known{true, true, true, Never}},
		"later in another country, out of order": {used(-time.Hour, paris, "", Method{}), used(0, berlin, "", Method{}), Known{SinceElsewhere: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			set, _ := usualSet(t)
			if got := folded(set, []Entry{c.past}).Known(&c.now.Payment); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	t.Run("an hour after another country", func(t *testing.T) {
		set, _ := usualSet(t)
		p := folded(set, []Entry{used(5*time.Hour, berlin, "", Method{}), used(time.Hour, paris, "", Method{}), used(time.Minute, berlin, "", Method{})})
		now := used(0, germany, "", Method{}).Payment
		if got := p.Known(&now).SinceElsewhere; got < 3600 || got > 3666 {
			t.Errorf("got %v seconds, want 3600 to 3666", got)
		}
	})
}

func TestALessonTeachesPlaceDeviceAndMethodOnly(t *testing.T) {
	set, slots := usualSet(t)
	p := folded(set, []Entry{paid(time.Hour, 10)})
	payment := idle(1)[3].Payment
	payment.OccurredAt = decidedAt
	before := Value(slots[0], p, nil, &payment)
	p.Learn(Lesson{Place: payment.Place, DeviceID: payment.DeviceID, Method: payment.Method, At: decidedAt.Add(-time.Minute)})
	if got, want := p.Known(&payment), (Known{true, true, true, Never}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if approved, _ := p.Spending("EUR", decidedAt); approved != 1 || Value(slots[0], p, nil, &payment) != before {
		t.Errorf("the lesson was counted as a payment")
	}
}

func TestSpendingIsKeptForEachCurrency(t *testing.T) {
	set, _ := usualSet(t)
	var entries []Entry
	for i, amount := range []int64{200, 400, 400, 400, 500, 500, 700, 900} {
		entries = append(entries, paid(time.Duration(i)*testDay, amount))
	}
	entries = append(entries, paid(0, 7).with(func(e *Entry) { e.Payment.Currency = "USD" }))
	got, spending := folded(set, entries).Spending("EUR", decidedAt)
	if want := (Spending{Count: 8, MeanMinor: 500, StddevMinor: 200, MaxMinor: 900}); got != 9 || spending != want {
		t.Errorf("got %d %+v, want 9 %+v", got, spending, want)
	}
	if got, spending := folded(set, entries).Spending("JPY", decidedAt); got != 9 || spending != (Spending{}) {
		t.Errorf("got %d %+v, want 9 and nothing", got, spending)
	}
}

func TestTheEdgeOf400DaysIsDecidedByThePaymentsOwnInstant(t *testing.T) {
	set, _ := usualSet(t)
	for name, c := range map[string]struct {
		ago  []time.Duration
		want int64
	}{
		"exactly 400 days ago is outside":                     {[]time.Duration{400 * testDay}, 0},
		"an hour inside":                                      {[]time.Duration{400*testDay - time.Hour}, 1},
		"an hour outside, with a newer one":                   {[]time.Duration{400*testDay + time.Hour, testDay}, 1},
		"a bucket with payments on both sides counts whole":   {[]time.Duration{400*testDay - time.Hour, 400*testDay + time.Hour}, 2},
		"a payment after the one decided, out of order, also": {[]time.Duration{-30 * testDay}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var entries []Entry
			for _, ago := range c.ago {
				entries = append(entries, paid(ago, 100))
			}
			if got, _ := folded(set, entries).Spending("EUR", decidedAt); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestOnePaymentWithAWrongDateDestroysNothing(t *testing.T) {
	set, slots := usualSet(t)
	good := idle(1)
	payment := good[49].Payment
	want := folded(set, good)
	for name, year := range map[string]int{
		"in 2150, which the past survives": 2150, "in 2300, which is ignored": 2300, "in 1950, which is ignored": 1950, "in 2001, before the reach": 2001,
	} {
		t.Run(name, func(t *testing.T) {
			wrong := good[5]
			wrong.Payment.OccurredAt = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			held, approved := wrong, wrong
			held.Outcome, approved.Outcome = Review, ApprovedAfterReview
			got := folded(set, append([]Entry{held, approved}, good...))
			for i, slot := range slots {
				if got, want := Value(slot, got, nil, &payment), Value(slot, want, nil, &payment); got != want {
					t.Errorf("aggregate %d: got %v, want %v", i, got, want)
				}
			}
			if got, want := got.Known(&payment), want.Known(&payment); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestAProfileIsBounded(t *testing.T) {
	d := []Definition{
		{Entity: []Field{Account, Merchant}, Function: Count, Window: 400 * testDay},
		{Entity: []Field{Account}, Function: Distinct, Field: Device, Window: 400 * testDay},
		{Entity: []Field{Account}, Function: Stddev, Window: 400 * testDay},
		{Entity: []Field{Account}, Function: FraudShare, Window: testDay, Delay: 90 * testDay},
	}
	set, err := NewSeriesSet(d...)
	if err != nil {
		t.Fatal(err)
	}
	var p Profile
	var e Entry
	for i := range 40_000 {
		e = paid(-time.Duration(i)*13*time.Minute, int64(i)).with(func(e *Entry) {
			e.Payment.Currency, e.Payment.Merchant = fmt.Sprintf("C%02d", i/10%30), fmt.Sprint("shop", i%100)
			e.Payment.Place = Place{Country: "DE", Region: fmt.Sprint(i % 300)}
			e.Payment.DeviceID = strings.Repeat("x", 1000) + fmt.Sprint(i)
			e.Payment.Method = Method{ID: fmt.Sprint(i), Fingerprint: fmt.Sprint(i)}
		})
		p.Fold(set, &e)
	}
	for name, got := range map[string][2]int{
		"places": {len(p.places), MaxKnown}, "devices": {len(p.devices), MaxKnown}, "methods": {len(p.methods), MaxKnown},
		"currencies": {len(p.spending.states), MaxCurrencies}, "merchants": {len(p.folds.find(set.Slot(d[0]).SeriesID(), 0).states), MaxKeys},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %d, want %d", name, got[0], got[1])
		}
	}
	if got := Value(set.Slot(d[1]), &p, nil, &e.Payment); got != MaxDistinct {
		t.Errorf("distinct: got %v, want it to saturate at %d", got, MaxDistinct)
	}
	if got := len(p.folds.find(set.Slot(d[3]).SeriesID(), 0).states[0].buckets); got > MaxBuckets || got < 60 {
		t.Errorf("got %d buckets, want 60 to %d", got, MaxBuckets)
	}
	if got := len(p.folds.find(set.Slot(d[2]).SeriesID(), 0).states[0].buckets); got > 34 {
		t.Errorf("got %d buckets without a delay, want at most 34", got)
	}
	if !p.Known(&e.Payment).Device {
		t.Errorf("the newest device is not known")
	}
	size := len(p.AppendBinary(nil))
	if t.Logf("the fullest profile of four series: %d bytes", size); size > 32<<10 {
		t.Errorf("got %d bytes, want at most 32 KiB", size)
	}
	again, err := DecodeProfile(p.AppendBinary(nil))
	if err != nil || again.Lacks(set) {
		t.Errorf("the fullest profile cannot be read: %v", err)
	}
}

func TestAProfileFollowsTheSeriesThatAreMaintained(t *testing.T) {
	hour := Definition{Entity: []Field{Account}, Function: Count, Window: time.Hour}
	day := Definition{Entity: []Field{Account}, Function: Count, Window: testDay}
	sets := map[string]*SeriesSet{}
	for name, d := range map[string][]Definition{"hour": {hour}, "day": {day}, "both": {hour, day}, "none": nil} {
		set, err := NewSeriesSet(d...)
		if err != nil {
			t.Fatal(err)
		}
		sets[name] = set
	}
	e := paid(time.Minute, 10)
	var p Profile
	if p.Lacks(sets["both"]) {
		t.Error("a profile without history lacks something")
	}
	p.Learn(Lesson{DeviceID: "phone", At: decidedAt})
	if p.Lacks(sets["both"]) {
		t.Error("a profile without entries lacks something")
	}
	p.Fold(sets["both"], &e)
	for _, name := range []string{"hour", "day", "both", "none"} {
		if p.Lacks(sets[name]) {
			t.Errorf("a profile folded with both lacks %s", name)
		}
	}
	p.Fold(sets["hour"], &e)
	if p.Lacks(sets["hour"]) || !p.Lacks(sets["day"]) || !p.Lacks(sets["both"]) {
		t.Error("folding with fewer series must drop the state of the others")
	}
	p.Fold(sets["both"], &e)
	if !p.Lacks(sets["both"]) {
		t.Error("a series that was missing must stay missing until the profile is folded anew")
	}
	if got := Value(sets["both"].Slot(hour), &p, nil, &e.Payment); got != 3 {
		t.Errorf("the series that both sets have: got %v, want 3", got)
	}
	if got := Value(sets["both"].Slot(day), &p, nil, &e.Payment); got != 0 {
		t.Errorf("the series that is missing: got %v, want 0", got)
	}
}

func TestAnIdleProfileIsSmall(t *testing.T) {
	set, _ := usualSet(t)
	if account, _ := set.Series(); account != 12 {
		t.Fatalf("got %d account series, want 12", account)
	}
	total, most := 0, 0
	const accounts = 200
	for seed := range uint64(accounts) {
		size := len(folded(set, idle(seed)).AppendBinary(nil))
		total, most = total+size, max(most, size)
	}
	t.Logf("50 payments over a year, 12 series: %d bytes on average, %d at most", total/accounts, most)
	if total/accounts > 600 || most > 700 {
		t.Errorf("got %d bytes on average and %d at most, want 600 and 700", total/accounts, most)
	}
}

func TestTheStandardDeviationIsComputedFromWholeNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		amounts []int64
		want    float64
	}{
		"equal amounts have none":              {[]int64{333_333_333_333, 333_333_333_333, 333_333_333_333}, 0},
		"a cent in ten billions is not lost":   {[]int64{1_000_000_000_000, 1_000_000_000_002}, 1},
		"a known result":                       {[]int64{2, 4, 4, 4, 5, 5, 7, 9}, 2},
		"one amount has none":                  {[]int64{5}, 0},
		"beyond 128 bits it is about the same": {[]int64{math.MaxInt64, 0, math.MaxInt64, 0}, math.MaxInt64 / 2},
	} {
		t.Run(name, func(t *testing.T) {
			var s summary
			for _, amount := range c.amounts {
				s.addCurrent(amount)
			}
			if got := s.stddev(); got != c.want && c.want < 1<<60 {
				t.Errorf("got %v, want %v", got, c.want)
			} else if math.IsNaN(got) || got < 0 {
				t.Errorf("got %v, want a number", got)
			}
		})
	}
}
