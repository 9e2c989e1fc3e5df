package calendar

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
	_ "time/tzdata" // so that the tests see the same zones everywhere
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDate(t *testing.T) {
	d := NewDate(2026, time.February, 13)
	if got, want := d.String(), "2026-02-13"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := d.Weekday(), time.Friday; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := d.AddDays(16), NewDate(2026, time.March, 1); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := NewDate(2028, time.February, 28).AddDays(1).String(), "2028-02-29"; got != want {
		t.Errorf("a leap day: got %v, want %v", got, want)
	}
	if got, want := d.AddDays(-44), NewDate(2025, time.December, 31); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if !d.Before(d.AddDays(1)) || d.Before(d) || d.Compare(d) != 0 || d.AddDays(1).Compare(d) != 1 {
		t.Errorf("dates are out of order")
	}
	at := instant(t, "2026-02-13T16:30:00Z")
	if got, want := DateOf(at, zone(t, "Asia/Shanghai")).String(), "2026-02-14"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseDate(t *testing.T) {
	for text, valid := range map[string]bool{
		"2026-02-13": true, "2028-02-29": true, "0001-01-01": true, "9999-12-31": true,
		"2026-02-29": false, "2026-2-13": false, "2026-13-01": false, "0000-01-01": false, "2026-02-13T00:00:00Z": false,
		"20260213": false, " 2026-02-13": false, "": false,
	} {
		got, err := ParseDate(text)
		if valid != (err == nil) || valid && got.String() != text || !valid && !errors.Is(err, ErrDate) {
			t.Errorf("ParseDate(%q) = %v, %v", text, got, err)
		}
	}
}

func TestDateInJSON(t *testing.T) {
	type record struct {
		Due   Date `json:"due"`
		Other Date `json:"other"`
	}
	raw, err := json.Marshal(record{Due: NewDate(2026, time.February, 13)})
	if got, want := string(raw), `{"due":"2026-02-13","other":""}`; got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	var back record
	if err := json.Unmarshal(raw, &back); err != nil || back.Due != NewDate(2026, time.February, 13) || !back.Other.IsZero() {
		t.Errorf("got %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"due":"tomorrow"}`), &back); !errors.Is(err, ErrDate) {
		t.Errorf("got %v, want ErrDate", err)
	}
}

func TestADayBeginsAndEnds(t *testing.T) {
	tests := []struct {
		name, zone, date, wantBegin, wantEnd string
	}{
		{"in UTC", "UTC", "2026-02-13", "2026-02-13T00:00:00Z", "2026-02-13T23:59:59Z"},
		{"in Shanghai", "Asia/Shanghai", "2026-02-13", "2026-02-12T16:00:00Z", "2026-02-13T15:59:59Z"},
		{"with 23 hours in New York", "America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z"},
		{"with 25 hours in New York", "America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z"},
		{"without a midnight at its beginning in Santiago", "America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T02:59:59Z"},
		{"before a missing midnight in Santiago", "America/Santiago", "2026-09-05", "2026-09-05T04:00:00Z", "2026-09-06T03:59:59Z"},
		{"with its last hour twice in Santiago", "America/Santiago", "2026-04-04", "2026-04-04T03:00:00Z", "2026-04-05T03:59:59Z"},
		{"without a midnight at its beginning in Cairo", "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T20:59:59Z"},
		{"with its last hour twice in Cairo", "Africa/Cairo", "2026-10-29", "2026-10-28T21:00:00Z", "2026-10-29T21:59:59Z"},
		{"without a midnight at its beginning in Beirut", "Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T20:59:59Z"},
		{"with its last hour twice in Beirut", "Asia/Beirut", "2026-10-24", "2026-10-23T21:00:00Z", "2026-10-24T21:59:59Z"},
		{"at its end repeated past midnight in St. John's", "America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z", "2010-11-07T03:29:59Z"},
		{"before the one that Samoa skipped", "Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T09:59:59Z"},
		{"that Samoa skipped", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T09:59:59Z"},
		{"with half-hour summer time", "Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", "2026-10-04T12:59:59Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			location, d := zone(t, test.zone), date(t, test.date)
			if got := d.In(location).Format(time.RFC3339); got != test.wantBegin {
				t.Errorf("begins %s, want %s", got, test.wantBegin)
			}
			if got := d.EndIn(location).Format(time.RFC3339); got != test.wantEnd {
				t.Errorf("ends %s, want %s", got, test.wantEnd)
			}
		})
	}
}

// TestDaysFollowEachOther checks, for zones with odd nights, that each day begins where the one before ends, lasts between 22 and 26
// hours, holds the instants that a wall clock gives it, and that its last second shows its date.
func TestDaysFollowEachOther(t *testing.T) {
	for _, name := range []string{
		"UTC", "America/Santiago", "Africa/Cairo", "Asia/Beirut", "America/New_York", "Europe/London", "Asia/Gaza", "America/Asuncion",
		"America/Havana", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Chatham", "America/Nuuk", "Africa/Casablanca", "Antarctica/Troll",
	} {
		location := zone(t, name)
		for d := NewDate(2020, time.January, 1); d.Year < 2029; d = d.AddDays(1) {
			begin, end := d.In(location), d.EndIn(location)
			if length := end.Sub(begin) + time.Second; length < 22*time.Hour || length > 26*time.Hour {
				t.Errorf("%s %s lasts %v", name, d, length)
			}
			if DateOf(begin, location) != d || DateOf(end, location) != d {
				t.Errorf("%s %s begins on %s and ends on %s", name, d, DateOf(begin, location), DateOf(end, location))
			}
			if got := dayHolding(begin.Add(-time.Microsecond), location); got != d.AddDays(-1) {
				t.Errorf("%s: just before %s it is %s", name, d, got)
			}
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2026-02-13", "2026-02-30", "", "0000-00-00", "10000-01-01"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err == nil && (d.String() != s || d.IsZero()) {
			t.Errorf("ParseDate(%q) = %v", s, d)
		}
		if err != nil && !errors.Is(err, ErrDate) {
			t.Errorf("ParseDate(%q): %v", s, err)
		}
	})
}
