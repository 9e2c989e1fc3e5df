package calendar

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// listed is Weekdays with the exceptions of one year, as real calendars have them.
type listed struct {
	year       int
	exceptions map[string]Day
}

func (c listed) Version() string { return "listed-1" }

func (c listed) Day(d Date) (Day, error) {
	if d.Year != c.year {
		return Day{}, fmt.Errorf("year %d: %w", d.Year, ErrNoData)
	}
	if day, found := c.exceptions[d.String()]; found {
		return day, nil
	}
	return Weekdays{}.Day(d)
}

// springFestival holds the days around the Spring Festival of 2026 in mainland China.
func springFestival() listed {
	exceptions := map[string]Day{"2026-02-14": {Workday: true, Reason: "make-up workday"}}
	for day := NewDate(2026, time.February, 15); day.Before(NewDate(2026, time.February, 24)); day = day.AddDays(1) {
		exceptions[day.String()] = Day{Reason: "public holiday (Spring Festival)"}
	}
	return listed{year: 2026, exceptions: exceptions}
}

func TestDueAt(t *testing.T) {
	tests := []struct {
		name, received, zone string
		calendar             Calendar
		cutOff               time.Duration
		days                 int
		wantDate, wantAt     string
	}{
		{"in the morning is due the next day", "2026-11-17T09:00:00Z", "UTC", Weekdays{}, 0, 1, "2026-11-18", "2026-11-18T23:59:59Z"},
		{"at the cut-off counts today", "2026-11-17T18:00:00Z", "UTC", Weekdays{}, 0, 1, "2026-11-18", "2026-11-18T23:59:59Z"},
		{"a microsecond after the cut-off counts tomorrow", "2026-11-17T18:00:00.000001Z", "UTC", Weekdays{}, 0, 1, "2026-11-19", "2026-11-19T23:59:59Z"},
		{"at 23:59 counts tomorrow", "2026-11-17T23:59:00Z", "UTC", Weekdays{}, 0, 1, "2026-11-19", "2026-11-19T23:59:59Z"},
		{"on Friday is due on Monday", "2026-11-20T12:00:00Z", "UTC", Weekdays{}, 0, 1, "2026-11-23", "2026-11-23T23:59:59Z"},
		{"on Friday evening counts on Monday", "2026-11-20T19:00:00Z", "UTC", Weekdays{}, 0, 1, "2026-11-24", "2026-11-24T23:59:59Z"},
		{"on Saturday counts on Monday", "2026-11-21T09:00:00Z", "UTC", Weekdays{}, 0, 1, "2026-11-24", "2026-11-24T23:59:59Z"},
		{"on Sunday night counts on Monday", "2026-11-22T23:00:00Z", "UTC", Weekdays{}, 0, 1, "2026-11-24", "2026-11-24T23:59:59Z"},
		{"two business days over a weekend", "2026-11-19T12:00:00Z", "UTC", Weekdays{}, 0, 2, "2026-11-23", "2026-11-23T23:59:59Z"},
		{"an earlier cut-off", "2026-11-17T15:00:00Z", "UTC", Weekdays{}, 12 * time.Hour, 1, "2026-11-19", "2026-11-19T23:59:59Z"},
		{"no cut-off", "2026-11-17T23:59:59.999999Z", "UTC", Weekdays{}, 24 * time.Hour, 1, "2026-11-18", "2026-11-18T23:59:59Z"},
		{"the zone's date counts", "2026-11-19T22:00:00Z", "Asia/Shanghai", Weekdays{}, 0, 1, "2026-11-23", "2026-11-23T15:59:59Z"},
		{"the zone's cut-off counts", "2026-11-19T11:00:00Z", "Asia/Shanghai", Weekdays{}, 0, 1, "2026-11-23", "2026-11-23T15:59:59Z"},
		{"a make-up Saturday is a business day", "2026-02-13T08:20:00Z", "Asia/Shanghai", springFestival(), 0, 1, "2026-02-14", "2026-02-14T15:59:59Z"},
		{"a make-up Saturday receives", "2026-02-14T02:00:00Z", "Asia/Shanghai", springFestival(), 0, 1, "2026-02-24", "2026-02-24T15:59:59Z"},
		{"a holiday counts on the day after the holidays", "2026-02-17T02:00:00Z", "Asia/Shanghai", springFestival(), 0, 1, "2026-02-25", "2026-02-25T15:59:59Z"},
		{"over the night that summer time begins", "2026-03-06T15:00:00Z", "America/New_York", Weekdays{}, 0, 1, "2026-03-09", "2026-03-10T03:59:59Z"},
		{"over the night that summer time ends", "2026-10-30T15:00:00Z", "America/New_York", Weekdays{}, 0, 1, "2026-11-02", "2026-11-03T04:59:59Z"},
		{"due before a missing midnight in Cairo", "2026-04-22T08:00:00Z", "Africa/Cairo", Weekdays{}, 0, 1, "2026-04-23", "2026-04-23T21:59:59Z"},
		{"due when the last hour comes twice in Cairo", "2026-10-28T08:00:00Z", "Africa/Cairo", Weekdays{}, 0, 1, "2026-10-29", "2026-10-29T21:59:59Z"},
		{"a date that Samoa skipped is no business day", "2011-12-29T20:00:00Z", "Pacific/Apia", Weekdays{}, 0, 1, "2012-01-02", "2012-01-02T09:59:59Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			due, err := DueAt(DueInput{
				Received: instant(t, test.received), Zone: zone(t, test.zone), Calendar: test.calendar,
				CutOff: test.cutOff, BusinessDays: test.days,
			})
			if err != nil {
				t.Fatal(err)
			}
			if due.Date.String() != test.wantDate || due.At.Format(time.RFC3339Nano) != test.wantAt {
				t.Errorf("got %s, %s, want %s, %s", due.Date, due.At.Format(time.RFC3339Nano), test.wantDate, test.wantAt)
			}
			if due.Version != test.calendar.Version() || due.At.Location() != time.UTC {
				t.Errorf("got version %q in %v", due.Version, due.At.Location())
			}
		})
	}
}

func TestADueDateExplainsItself(t *testing.T) {
	due, err := DueAt(DueInput{
		Received: instant(t, "2026-02-13T16:20:00+08:00"), Zone: zone(t, "Asia/Shanghai"), Calendar: springFestival(), BusinessDays: 1,
	})
	want := "received Friday 13 February 2026 16:20 in Asia/Shanghai; Saturday 14 February 2026 is a make-up workday; " +
		"due at the end of the next business day after that, Saturday 14 February 2026"
	if got := strings.Join(due.Explanation, "; "); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	due, err = DueAt(DueInput{
		Received: instant(t, "2026-11-20T18:30:00Z"), Zone: time.UTC, Calendar: Weekdays{}, BusinessDays: 2,
	})
	want = "received Friday 20 November 2026 18:30 in UTC; that is after the cut-off at 18:00; Saturday 21 November 2026 is not a business day; " +
		"Sunday 22 November 2026 is not a business day; it counts as received on the next business day, Monday 23 November 2026; " +
		"due at the end of the business day number 2 after that, Wednesday 25 November 2026"
	if got := strings.Join(due.Explanation, "; "); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestDueAtRefuses(t *testing.T) {
	good := DueInput{Received: instant(t, "2026-12-31T12:00:00Z"), Zone: time.UTC, Calendar: Weekdays{}, BusinessDays: 1}
	closed := listed{year: 2026, exceptions: map[string]Day{}}
	for d := NewDate(2026, time.January, 1); d.Year == 2026; d = d.AddDays(1) {
		closed.exceptions[d.String()] = Day{}
	}
	tests := []struct {
		name   string
		change func(*DueInput)
		noData bool
	}{
		{"no zone", func(in *DueInput) { in.Zone = nil }, false},
		{"no calendar", func(in *DueInput) { in.Calendar = nil }, false},
		{"no receipt", func(in *DueInput) { in.Received = time.Time{} }, false},
		{"no business days", func(in *DueInput) { in.BusinessDays = 0 }, false},
		{"too many business days", func(in *DueInput) { in.BusinessDays = 367 }, false},
		{"a negative cut-off", func(in *DueInput) { in.CutOff = -1 }, false},
		{"a cut-off beyond the day", func(in *DueInput) { in.CutOff = 25 * time.Hour }, false},
		{"a calendar that never opens", func(in *DueInput) { in.Calendar, in.Received = closed, instant(t, "2026-01-05T00:00:00Z") }, false},
		{"a calendar that ends before the due date", func(in *DueInput) { in.Calendar = springFestival() }, true},
		{"a calendar that ends before the receipt", func(in *DueInput) { in.Calendar, in.Received = springFestival(), instant(t, "2027-01-05T00:00:00Z") }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := good
			test.change(&in)
			due, err := DueAt(in)
			if err == nil || errors.Is(err, ErrNoData) != test.noData || !due.At.IsZero() {
				t.Errorf("got %v, %v", due, err)
			}
		})
	}
	if _, err := DueAt(good); err != nil {
		t.Errorf("the unchanged input is refused: %v", err)
	}
}

// oddNights are transitions in whose neighbourhood order is hardest to keep.
var oddNights = []struct{ zone, at string }{
	{"UTC", "2026-11-20T18:00:00Z"},
	{"America/New_York", "2026-03-08T07:00:00Z"},
	{"America/New_York", "2026-11-01T06:00:00Z"},
	{"America/Santiago", "2026-09-06T04:00:00Z"},
	{"America/Santiago", "2026-04-05T03:00:00Z"},
	{"Africa/Cairo", "2026-04-23T22:00:00Z"},
	{"Africa/Cairo", "2026-10-29T21:00:00Z"},
	{"Asia/Beirut", "2026-03-28T22:00:00Z"},
	{"Asia/Beirut", "2026-10-24T21:00:00Z"},
	{"America/St_Johns", "2010-11-07T02:31:00Z"},
	{"Pacific/Apia", "2011-12-30T10:00:00Z"},
	{"America/Asuncion", "2024-10-06T04:00:00Z"},
}

// alternating is a calendar without any pattern that a bug could hide in.
type alternating struct{ seed int }

func (alternating) Version() string { return "alternating-1" }

func (c alternating) Day(d Date) (Day, error) {
	return Day{Workday: (d.Day*7+int(d.Month)*3+d.Year+c.seed)%5 < 3}, nil
}

// TestReceivingLaterIsNeverDueEarlier is why a mail may print the earliest possible due date before it is received.
func TestReceivingLaterIsNeverDueEarlier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		night := rapid.SampledFrom(oddNights).Draw(t, "night")
		location, err := time.LoadLocation(night.zone)
		if err != nil {
			t.Fatal(err)
		}
		around, err := time.Parse(time.RFC3339, night.at)
		if err != nil {
			t.Fatal(err)
		}
		in := DueInput{
			Received: around.Add(time.Duration(rapid.Int64Range(-72*3600, 72*3600).Draw(t, "seconds")) * time.Second), Zone: location,
			Calendar:     rapid.SampledFrom([]Calendar{Weekdays{}, alternating{0}, alternating{1}, alternating{2}}).Draw(t, "calendar"),
			CutOff:       time.Duration(rapid.Int64Range(1, 24*60).Draw(t, "cut-off minutes")) * time.Minute,
			BusinessDays: rapid.IntRange(1, 5).Draw(t, "days"),
		}
		earlier, err := DueAt(in)
		if err != nil {
			t.Fatal(err)
		}
		received := in.Received
		in.Received = received.Add(time.Duration(rapid.Int64Range(0, 3*3600).Draw(t, "later by seconds")) * time.Second)
		later, err := DueAt(in)
		if err != nil {
			t.Fatal(err)
		}
		if later.At.Before(earlier.At) || later.Date.Before(earlier.Date) {
			t.Fatalf("received %v is due %v, but received later, %v, it is due %v", received, earlier.At, in.Received, later.At)
		}
		if !earlier.At.After(received) || DateOf(earlier.At, location) != earlier.Date {
			t.Fatalf("received %v is due %v on %s", received, earlier.At, earlier.Date)
		}
		day, err := in.Calendar.Day(earlier.Date)
		if err != nil || !day.Workday {
			t.Fatalf("due on %s, which is no business day", earlier.Date)
		}
	})
}
