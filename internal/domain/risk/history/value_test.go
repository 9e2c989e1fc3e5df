package history

import (
	"math"
	"slices"
	"testing"
	"time"
)

// paid is an approved payment of the account "a" so long before decidedAt, in EUR and without a reference rate other than 1.
func paid(ago time.Duration, amount int64) Entry {
	return Entry{Outcome: Approved, Payment: Payment{
		AccountID: "a", AmountMinor: amount, Currency: "EUR", AmountReference: amount, AmountKnown: true, OccurredAt: decidedAt.Add(-ago),
	}}
}

// with returns the entry changed.
func (e Entry) with(change func(e *Entry)) Entry {
	change(&e)
	return e
}

// read folds the entries and reads the aggregate for a payment of 1,000 at decidedAt, from the profile or the index.
func read(t *testing.T, d Definition, entries ...Entry) float64 {
	t.Helper()
	return readFor(t, d, paid(0, 1000).Payment, entries...)
}

func readFor(t *testing.T, d Definition, payment Payment, entries ...Entry) float64 {
	t.Helper()
	if d.Entity == nil {
		d.Entity = []Field{Account}
	}
	set, err := NewSeriesSet(d)
	if err != nil {
		t.Fatal(err)
	}
	var p Profile
	x := NewIndex(set, 100)
	for i := range entries {
		p.Fold(set, &entries[i])
		x.Fold(&entries[i])
	}
	return Value(set.Slot(d), &p, x, &payment)
}

func TestEachFunctionComputesWhatItsNameSays(t *testing.T) {
	week := []Entry{paid(time.Hour, 200), paid(testDay, 400), paid(2*testDay, 400), paid(3*testDay, 400), paid(4*testDay, 500), paid(5*testDay, 500), paid(6*testDay, 700), paid(6*testDay+time.Hour, 900), paid(8*testDay, 9999)}
	at := float64(decidedAt.Unix())
	for name, c := range map[string]struct {
		d    Definition
		want float64
	}{
		"count":                                   {Definition{Function: Count}, 8},
		"count with the payment itself":           {Definition{Function: Count, IncludeCurrent: true}, 9},
		"sum":                                     {Definition{Function: Sum}, 4000},
		"sum with the payment itself":             {Definition{Function: Sum, IncludeCurrent: true}, 5000},
		"min":                                     {Definition{Function: Min}, 200},
		"max":                                     {Definition{Function: Max}, 900},
		"max with the payment itself":             {Definition{Function: Max, IncludeCurrent: true}, 1000},
		"mean":                                    {Definition{Function: Mean}, 500},
		"mean with the payment itself":            {Definition{Function: Mean, IncludeCurrent: true}, 5000.0 / 9},
		"standard deviation":                      {Definition{Function: Stddev}, 200},
		"ratio to the mean":                       {Definition{Function: Ratio}, 2},
		"ratio to the mean of minor units":        {Definition{Function: Ratio, Field: AmountMinor}, 2},
		"seconds since the latest":                {Definition{Function: TimeSinceLast}, 3600},
		"instant of the latest":                   {Definition{Function: LastSeen}, at - 3600},
		"distinct amounts":                        {Definition{Function: Distinct, Field: Amount}, 5},
		"distinct amounts and the payment's own":  {Definition{Function: Distinct, Field: Amount, IncludeCurrent: true}, 6},
		"share of fraud without a label":          {Definition{Function: FraudShare}, 0},
		"count of what ended a day before":        {Definition{Function: Count, Delay: testDay + time.Minute}, 7},
		"count of payments above 400":             {Definition{Function: Count, Where: "over 400", Filter: over(400)}, 4},
		"the payment itself does not pass filter": {Definition{Function: Count, Where: "over 1000", Filter: over(1000), IncludeCurrent: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.d.Window = 7 * testDay
			if got := read(t, c.d, week...); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		function Function
		want     float64
	}{
		"seconds since the earliest": {TimeSinceFirst, 6*86400 + 3600}, "instant of the earliest": {FirstSeen, at - 6*86400 - 3600},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, Definition{Function: c.function, Window: 7 * testDay}, week...); math.Abs(got-c.want) > 19 {
				t.Errorf("got %v, want %v to 19 seconds", got, c.want)
			}
		})
	}
}

func TestWithoutHistoryEachFunctionHasItsStatedValue(t *testing.T) {
	stranger := paid(0, 1000).Payment
	stranger.AccountID, stranger.AmountKnown = "", false
	for f := Count; f <= FraudShare; f++ {
		want := 0.0
		if f == TimeSinceLast {
			want = Never
		}
		d := Definition{Function: f, Window: testDay}
		if f == Distinct {
			d.Field = Device
		}
		if got := read(t, d); got != want {
			t.Errorf("function %d of an account without history: got %v, want %v", f, got, want)
		}
		if got := read(t, d, paid(testDay, 5)); got != want {
			t.Errorf("function %d with a payment exactly as old as the window: got %v, want %v", f, got, want)
		}
		d.Entity = []Field{Account, Merchant}
		if got := readFor(t, d, stranger, paid(time.Hour, 5)); got != want {
			t.Errorf("function %d of an unknown merchant: got %v, want %v", f, got, want)
		}
		d.Entity = []Field{IP}
		if got := readFor(t, d, stranger, paid(time.Hour, 5)); got != want {
			t.Errorf("function %d of an unknown address: got %v, want %v", f, got, want)
		}
	}
}

func TestTheWindowRunsOnOccurredAt(t *testing.T) {
	for name, c := range map[string]struct {
		window time.Duration
		ago    []time.Duration
		want   float64
	}{
		"exactly the window ago is outside":                               {testDay, []time.Duration{testDay}, 0},
		"a tick of 2.7 seconds later is inside":                           {testDay, []time.Duration{testDay - 6*time.Second}, 1},
		"an hour inside 400 days":                                         {400 * testDay, []time.Duration{400*testDay - time.Hour}, 1},
		"an hour outside 400 days":                                        {400 * testDay, []time.Duration{400*testDay + time.Hour}, 0},
		"a bucket with payments on both sides of the edge counts whole":   {32 * testDay, []time.Duration{32*testDay - time.Hour, 32*testDay + time.Hour}, 2},
		"at the same instant is inside":                                   {testDay, []time.Duration{0}, 1},
		"a payment of a later bucket, out of order, is outside":           {testDay, []time.Duration{time.Hour, -2 * time.Hour}, 1},
		"a payment 3 seconds later, alone in its bucket, is outside":      {testDay, []time.Duration{-3 * time.Second}, 0},
		"one minute, with payments 59 and 61 seconds ago":                 {time.Minute, []time.Duration{59 * time.Second, 61 * time.Second}, 1},
		"late payments count like those in order":                         {testDay, []time.Duration{0, time.Hour, 23 * time.Hour, 2 * time.Hour, 30 * time.Hour}, 4},
		"an old payment first and the newest last":                        {testDay, []time.Duration{900 * testDay, 23 * time.Hour, 0}, 2},
		"a payment from before the reach is ignored, whenever it arrives": {testDay, []time.Duration{0, time.Hour, 900 * testDay}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var entries []Entry
			for _, ago := range c.ago {
				entries = append(entries, paid(ago, 10))
			}
			d := Definition{Function: Count, Window: c.window}
			if got := read(t, d, entries...); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			slices.Reverse(entries)
			if got := read(t, d, entries...); got != c.want {
				t.Errorf("in reverse: got %v, want %v", got, c.want)
			}
		})
	}
}

func TestOutcomesDecideWhatIsFolded(t *testing.T) {
	with := func(outcomes ...Outcome) (entries []Entry) {
		for i, o := range outcomes {
			entries = append(entries, paid(time.Duration(i)*time.Hour, 10).with(func(e *Entry) { e.Outcome = o }))
		}
		return entries
	}
	for name, c := range map[string]struct {
		of       Of
		outcomes []Outcome
		want     float64
	}{
		"approved payments by default":                            {0, []Outcome{Approved, Review, Rejected}, 1},
		"approved payments":                                       {ApprovedOnly, []Outcome{Approved, Review, Rejected}, 1},
		"attempts are all":                                        {Attempts, []Outcome{Approved, Review, Rejected}, 3},
		"a held payment that is approved is one attempt":          {Attempts, []Outcome{Review, ApprovedAfterReview}, 1},
		"a held payment that is approved is one approved payment": {ApprovedOnly, []Outcome{Review, ApprovedAfterReview}, 1},
		"no outcome is nothing":                                   {Attempts, []Outcome{0, 9}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, Definition{Function: Count, Of: c.of, Window: testDay}, with(c.outcomes...)...); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestEntitiesKeepTheirHistoriesApart(t *testing.T) {
	at := func(account, merchant, device, region string) Entry {
		return paid(time.Hour, 10).with(func(e *Entry) {
			e.Payment.AccountID, e.Payment.Merchant, e.Payment.DeviceID, e.Payment.Place = account, merchant, device, Place{Country: "DE", Region: region}
		})
	}
	entries := []Entry{at("a", "shop", "phone", "DE-BE"), at("b", "shop", "phone", "be"), at("b", "shop", "laptop", "BY"), at("b", "", "phone", "")}
	for name, c := range map[string]struct {
		entity []Field
		want   float64
	}{
		"a merchant":                                {[]Field{Merchant}, 3},
		"a device":                                  {[]Field{Device}, 3},
		"a merchant and a device":                   {[]Field{Merchant, Device}, 2},
		"in the other order, the same":              {[]Field{Device, Merchant}, 2},
		"a region, however it is written":           {[]Field{Region}, 2},
		"a country":                                 {[]Field{Country}, 4},
		"an account and a merchant, in the profile": {[]Field{Merchant, Account}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			// The profile is that of one account: here everything is folded into it, so that only the other field separates.
			if got := readFor(t, Definition{Entity: c.entity, Function: Count, Window: testDay}, entries[0].Payment, entries...); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestALabelCountsFromTheMomentItIsFolded(t *testing.T) {
	d := Definition{Entity: []Field{Merchant}, Function: FraudShare, Window: 30 * testDay, Delay: 7 * testDay}
	set, err := NewSeriesSet(d)
	if err != nil {
		t.Fatal(err)
	}
	x, slot := NewIndex(set, 10), set.Slot(d)
	sold := func(ago time.Duration) Entry {
		return paid(ago, 10).with(func(e *Entry) { e.Payment.Merchant = "shop" })
	}
	recent, old, other := sold(3*testDay), sold(10*testDay), sold(20*testDay)
	now := sold(0).Payment
	label := func(e Entry) Label { return Label{Payment: e.Payment, Outcome: e.Outcome, Fraud: true} }
	fraudOld, fraudRecent := label(old), label(recent)
	undo, legitimate, rejected := label(old), label(old), label(other)
	undo.Undo, legitimate.Fraud, rejected.Outcome = true, false, Rejected

	for _, c := range []struct {
		name string
		do   func()
		want float64
	}{
		{"no label", func() { x.Fold(&recent); x.Fold(&old); x.Fold(&other) }, 0},
		{"a fraud younger than the delay does not show", func() { x.FoldLabel(&fraudRecent) }, 0},
		{"a fraud older than the delay does", func() { x.FoldLabel(&fraudOld) }, 0.5},
		{"a payment confirmed to be legitimate changes nothing", func() { x.FoldLabel(&legitimate) }, 0.5},
		{"a label of a rejected payment is none of an approved one", func() { x.FoldLabel(&rejected) }, 0.5},
		{"taken back", func() { x.FoldLabel(&undo) }, 0},
		{"taken back twice is no negative share", func() { x.FoldLabel(&undo) }, 0},
		{"a week later the recent fraud shows", func() { now.OccurredAt = now.OccurredAt.Add(7 * testDay) }, 0},
		{"once the label that was taken back too often is there", func() { x.FoldLabel(&fraudOld) }, 1.0 / 3},
	} {
		c.do()
		if got := Value(slot, nil, x, &now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestThePaymentItselfCountsOnlyWhenAsked(t *testing.T) {
	phone := paid(time.Hour, 10).with(func(e *Entry) { e.Payment.DeviceID = "phone" })
	laptop := paid(0, 10).with(func(e *Entry) { e.Payment.DeviceID = "laptop" })
	for name, c := range map[string]struct {
		payment Entry
		current bool
		want    float64
	}{
		"without it":                             {laptop, false, 1},
		"with a new device":                      {laptop, true, 2},
		"with a device that was there":           {phone, true, 1},
		"with no device":                         {paid(0, 10), true, 1},
		"as the first of an account, in reverse": {paid(400*testDay, 10), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := Definition{Function: Distinct, Field: Device, Window: testDay, IncludeCurrent: c.current}
			entries := []Entry{phone}
			if c.want == 0 {
				entries = nil
			}
			if got := readFor(t, d, c.payment.Payment, entries...); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSumsSaturate(t *testing.T) {
	huge := []Entry{paid(time.Hour, math.MaxInt64), paid(time.Hour, math.MaxInt64), paid(2*time.Hour, math.MaxInt64), paid(testDay, math.MaxInt64), paid(3*testDay, math.MaxInt64)}
	const most = float64(math.MaxInt64)
	for f, want := range map[Function]float64{Count: 5, Sum: most, Max: most, Min: most, Mean: most / 5} {
		if got := read(t, Definition{Function: f, Window: 30 * testDay}, huge...); got != want {
			t.Errorf("function %d: got %v, want %v", f, got, want)
		}
	}
	if got := read(t, Definition{Function: Stddev, Window: 30 * testDay}, huge...); math.IsNaN(got) || got < 0 {
		t.Errorf("standard deviation: got %v, want a number", got)
	}
	if got := read(t, Definition{Function: Count, Window: testDay}, paid(time.Hour, -1)); got != 0 {
		t.Errorf("a negative amount was counted")
	}
}

func TestAPaymentWithoutAReferenceRateHasNoAmount(t *testing.T) {
	unknown := paid(time.Hour, 500).with(func(e *Entry) { e.Payment.AmountKnown = false })
	known := paid(2*time.Hour, 100)
	for name, c := range map[string]struct {
		d    Definition
		want float64
	}{
		"it is counted":                   {Definition{Function: Count}, 2},
		"it is left out of the mean":      {Definition{Function: Mean}, 100},
		"but not of that in minor units":  {Definition{Function: Mean, Field: AmountMinor}, 300},
		"nor of the count of minor units": {Definition{Function: Distinct, Field: AmountMinor}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c.d.Window = testDay
			if got := read(t, c.d, unknown, known); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAPaymentDecidedOutOfOrderSeesTheLatestBeforeIt(t *testing.T) {
	d := Definition{Function: TimeSinceLast, Window: testDay}
	for name, c := range map[string]struct {
		entries []Entry
		want    float64
	}{
		"one later, one earlier": {[]Entry{paid(-time.Minute, 1), paid(time.Minute, 1)}, 60},
		"only later ones":        {[]Entry{paid(-time.Minute, 1), paid(-time.Hour, 1)}, 0},
		"at the same instant":    {[]Entry{paid(0, 1)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, d, c.entries...); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
