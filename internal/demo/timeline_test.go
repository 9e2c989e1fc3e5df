package demo

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/demo/world"
	"github.com/probity/probity/internal/standard/calendar"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// The demo is started at any hour of any day, so each hour of two weeks is tried.
func eachHour(try func(now time.Time)) {
	start := time.Date(2026, 11, 2, 0, 30, 0, 0, time.UTC)
	for hour := range 14 * 24 {
		try(start.Add(time.Duration(hour) * time.Hour))
	}
}

func TestWhatWasAskedForInThePastIsOverdueToday(t *testing.T) {
	for _, name := range []string{"America/Los_Angeles", "Asia/Singapore", "Pacific/Kiritimati", "Pacific/Pago_Pago"} {
		eachHour(func(now time.Time) {
			behind, err := behindOf(world.Past, now, tenantZone())
			if err != nil {
				t.Fatal(err)
			}
			due, err := calendar.DueAt(calendar.DueInput{
				Received: now.Add(-behind), Zone: zone(t, name), Calendar: calendar.Weekdays{}, CutOff: 18 * time.Hour, BusinessDays: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			if !due.At.Before(now) {
				t.Errorf("%s: asked for at %v, due at %v, and it is %v only", name, now.Add(-behind), due.At, now)
			}
		})
	}
}

func TestWhatWasSubmittedRecentlyIsDueSoon(t *testing.T) {
	eachHour(func(now time.Time) {
		behind, err := behindOf(world.Recent, now, tenantZone())
		if err != nil {
			t.Fatal(err)
		}
		past, err := behindOf(world.Past, now, tenantZone())
		if err != nil {
			t.Fatal(err)
		}
		due, err := calendar.DueAt(calendar.DueInput{
			Received: now.Add(-behind), Zone: tenantZone(), Calendar: calendar.Weekdays{}, CutOff: 18 * time.Hour, BusinessDays: 2,
		})
		if err != nil {
			t.Fatal(err)
		}
		// Over a weekend the next review is due on Monday evening.
		left := due.At.Sub(now)
		if behind <= 0 || behind >= past || left < soonestMargin || left > 75*time.Hour {
			t.Errorf("at %v: submitted %v ago, due in %v", now, behind, left)
		}
	})
}

func TestTheTimelineNeverGoesBack(t *testing.T) {
	now := time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)
	line := &timeline{source: func() time.Time { return now }}
	last := time.Time{}
	for chapter := world.Past; chapter <= world.Today; chapter++ {
		behind, err := behindOf(chapter, now, tenantZone())
		if err != nil {
			t.Fatal(err)
		}
		line.setBehind(behind)
		if !line.now().After(last) {
			t.Errorf("chapter %d begins at %v, after %v", chapter, line.now(), last)
		}
		last = line.now()
	}
	if !last.Equal(now) {
		t.Errorf("got %v at the end, want the machine's own time", last)
	}
}
