package demo

import (
	"sync/atomic"
	"time"

	"github.com/probity/probity/internal/demo/world"
	"github.com/probity/probity/internal/standard/calendar"
)

// timeline is the machine's clock as the demo sees it. While the world's past is played it runs some days behind, so that what began
// then can have been reviewed, missed or suspended by today; it catches up chapter by chapter, never goes back, and ends at the
// machine's own time. It may be used by many goroutines.
type timeline struct {
	source func() time.Time
	behind atomic.Int64 // nanoseconds
}

// now returns the machine's time less how far the timeline is behind.
func (t *timeline) now() time.Time { return t.source().Add(-time.Duration(t.behind.Load())) }

func (t *timeline) setBehind(d time.Duration) { t.behind.Store(int64(d)) }

// The world's past begins six days ago: whatever the weekday, a notice of then was due within the next four.
const pastBehind = 6 * 24 * time.Hour

// soonestMargin is how long a review that is due soon is still ahead at least, so that a visitor sees it before it is overdue.
const soonestMargin = 2 * time.Hour

// behindOf returns how far a chapter is played in the past. A submission in the recent chapter has its review due next.
func behindOf(chapter world.Chapter, now time.Time, zone *time.Location) (time.Duration, error) {
	switch chapter {
	case world.Past:
		return pastBehind, nil
	case world.Recent:
		for behind := pastBehind - 24*time.Hour; behind > 0; behind -= 24 * time.Hour {
			due, err := calendar.DueAt(calendar.DueInput{
				Received: now.Add(-behind), Zone: zone, Calendar: calendar.Weekdays{}, CutOff: 18 * time.Hour, BusinessDays: 2,
			})
			if err != nil {
				return 0, err
			}
			if due.At.After(now.Add(soonestMargin)) {
				return behind, nil
			}
		}
		return 24 * time.Hour, nil
	default:
		return 0, nil
	}
}
