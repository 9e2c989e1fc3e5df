package history

import (
	"errors"
	"testing"
	"time"
)

func TestWrongDefinitionsAreRefusedWithTheField(t *testing.T) {
	good := Definition{Entity: []Field{Account}, Function: Count, Window: time.Hour}
	for name, c := range map[string]struct {
		change func(*Definition)
		field  string
	}{
		"no entity":                           {func(d *Definition) { d.Entity = nil }, "entity"},
		"three fields":                        {func(d *Definition) { d.Entity = []Field{Account, Device, IP} }, "entity"},
		"the same field twice":                {func(d *Definition) { d.Entity = []Field{Device, Device} }, "entity"},
		"an amount as an entity":              {func(d *Definition) { d.Entity = []Field{Amount} }, "entity"},
		"an unknown field as an entity":       {func(d *Definition) { d.Entity = []Field{"shoe_size"} }, "entity"},
		"an unknown function":                 {func(d *Definition) { d.Function = 0 }, "function"},
		"a function after the last":           {func(d *Definition) { d.Function = FraudShare + 1 }, "function"},
		"an unknown kind of entries":          {func(d *Definition) { d.Of = 7 }, "of"},
		"an unknown field":                    {func(d *Definition) { d.Field = "shoe_size" }, "field"},
		"the sum of devices":                  {func(d *Definition) { d.Function, d.Field = Sum, Device }, "field"},
		"distinct nothing":                    {func(d *Definition) { d.Function = Distinct }, "field"},
		"distinct accounts of an account":     {func(d *Definition) { d.Function, d.Field = Distinct, Account }, "field"},
		"a window of a second":                {func(d *Definition) { d.Window = time.Second }, "window"},
		"a window of two years":               {func(d *Definition) { d.Window = 2 * 365 * testDay }, "window"},
		"a window with nanoseconds":           {func(d *Definition) { d.Window++ }, "window"},
		"a negative delay":                    {func(d *Definition) { d.Delay = -1 }, "delay"},
		"a delay of a year":                   {func(d *Definition) { d.Delay = 365 * testDay }, "delay"},
		"a delay of distinct":                 {func(d *Definition) { d.Function, d.Field, d.Delay = Distinct, Device, time.Hour }, "delay"},
		"a delay with the payment itself":     {func(d *Definition) { d.IncludeCurrent, d.Delay = true, time.Hour }, "delay"},
		"the payment itself in a fraud share": {func(d *Definition) { d.Function, d.IncludeCurrent = FraudShare, true }, "include_current"},
		"the payment itself as the latest":    {func(d *Definition) { d.Function, d.IncludeCurrent = TimeSinceLast, true }, "include_current"},
		"a filter without its text":           {func(d *Definition) { d.Filter = over(1) }, "where"},
		"a text without its filter":           {func(d *Definition) { d.Where = "amount > 1" }, "where"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			c.change(&bad)
			_, err := NewSeriesSet(good, bad)
			var fault *DefinitionError
			if !errors.As(err, &fault) || fault.Definition != 1 || fault.Field != c.field {
				t.Errorf("got %v, want a fault of the second definition's %s", err, c.field)
			}
			set, err := NewSeriesSet(good)
			if err != nil || set.Slot(bad).Valid() {
				t.Errorf("a wrong definition must have no slot")
			}
		})
	}
}

func TestDefinitionsShareStateWhereTheyCan(t *testing.T) {
	base := Definition{Entity: []Field{Account, Merchant}, Function: Mean, Window: time.Hour}
	for name, c := range map[string]struct {
		change func(*Definition)
		shared bool
	}{
		"another moment of the same amounts": {func(d *Definition) { d.Function = Stddev }, true},
		"the ratio to them":                  {func(d *Definition) { d.Function = Ratio }, true},
		"the same default named":             {func(d *Definition) { d.Field, d.Of = Amount, ApprovedOnly }, true},
		"the entity in another order":        {func(d *Definition) { d.Entity = []Field{Merchant, Account} }, true},
		"with the payment itself":            {func(d *Definition) { d.IncludeCurrent = true }, true},
		"a count, which needs no amounts":    {func(d *Definition) { d.Function = Count }, false},
		"another amount":                     {func(d *Definition) { d.Field = AmountMinor }, false},
		"another window":                     {func(d *Definition) { d.Window = 2 * time.Hour }, false},
		"a delay":                            {func(d *Definition) { d.Delay = time.Hour }, false},
		"attempts":                           {func(d *Definition) { d.Of = Attempts }, false},
		"another entity":                     {func(d *Definition) { d.Entity = []Field{Account, Device} }, false},
		"a filter":                           {func(d *Definition) { d.Where, d.Filter = "big", over(1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			other := base
			c.change(&other)
			set, err := NewSeriesSet(base, other)
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Slot(base).SeriesID() == set.Slot(other).SeriesID(); got != c.shared {
				t.Errorf("got shared %v, want %v", got, c.shared)
			}
			if account, others := set.Series(); account+others == 1 != c.shared {
				t.Errorf("got %d series", account+others)
			}
		})
	}
}

// TestTheIdentityOfASeriesNeverChanges holds what is stored: another number would make every profile lack the series.
func TestTheIdentityOfASeriesNeverChanges(t *testing.T) {
	d := Definition{Entity: []Field{Account, Merchant}, Function: Mean, Window: time.Hour, Where: "big", Filter: over(1)}
	set, err := NewSeriesSet(d)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := set.Slot(d).SeriesID(), uint64(0x8162451d2d); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
	// From a reference implementation of SipHash-1-3 in another language.
	if got, want := hash(7, "a device identifier of some length"), uint64(0x1ee3b4f0789cfbb1); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

// asked counts how often a filter is asked.
type asked struct{ times *int }

func (a asked) Match(*Payment) bool { *a.times++; return true }

func TestAFilterIsAskedOnceForAPayment(t *testing.T) {
	var times int
	filter := asked{&times}
	set, err := NewSeriesSet(
		Definition{Entity: []Field{Account}, Function: Count, Window: time.Hour, Where: "x", Filter: filter},
		Definition{Entity: []Field{Account}, Function: Sum, Window: time.Hour, Where: "x", Filter: filter},
		Definition{Entity: []Field{Account}, Function: Sum, Window: testDay, Where: "x", Filter: filter},
	)
	if err != nil {
		t.Fatal(err)
	}
	var p Profile
	e := paid(0, 1)
	p.Fold(set, &e)
	if times != 1 {
		t.Errorf("asked %d times, want once", times)
	}
}
