package calendar

import (
	"errors"
	"fmt"
	"time"
)

// DefaultCutOff is the time of day after which something counts as received on the next business day, unless the tenant sets another.
const DefaultCutOff = 18 * time.Hour

const (
	maxBusinessDays = 366
	// longestClosure bounds the search for a business day: a calendar that is closed for longer is broken.
	longestClosure = 60
)

// DueInput is what a due date is computed from.
type DueInput struct {
	Received time.Time      // when it was received
	Zone     *time.Location // whose days count
	Calendar Calendar       // which days are business days
	// CutOff is the wall-clock time of day, as a duration since midnight, up to and including which a business day's receipt counts as that
	// day's: more than 0 and at most 24 hours. Zero means DefaultCutOff.
	CutOff       time.Duration
	BusinessDays int // how many business days there are after the day of receipt, 1 to 366
}

// Due is a due date and how it came about.
type Due struct {
	Date    Date      // the civil date in the zone
	At      time.Time // the last second of that date in the zone, in UTC; the deadline has passed when now is later
	Version string    // of the calendar
	// Explanation tells the steps in plain English, in order, each a clause without a full stop.
	Explanation []string
}

// DueAt computes the end of the n-th business day after receipt. An error that wraps ErrNoData means that the calendar does not reach
// far enough and the deadline has to wait; any other error is a mistake of the caller or a broken calendar.
func DueAt(in DueInput) (Due, error) {
	if in.CutOff == 0 {
		in.CutOff = DefaultCutOff
	}
	if err := in.check(); err != nil {
		return Due{}, err
	}
	walk := walk{zone: in.Zone, calendar: in.Calendar}
	date := dayHolding(in.Received, in.Zone)
	walk.say("received %s in %s", in.Received.In(in.Zone).Format("Monday 2 January 2006 15:04"), in.Zone)

	workday, err := walk.look(date)
	if err != nil {
		return Due{}, err
	}
	late := in.Received.After(cutOffInstant(date, in.Zone, in.CutOff))
	if workday && late {
		walk.say("that is after the cut-off at %s", clock(in.CutOff))
	}
	if !workday || late {
		if date, err = walk.next(date); err != nil {
			return Due{}, err
		}
		walk.say("it counts as received on the next business day, %s", long(date))
	}
	for range in.BusinessDays {
		if date, err = walk.next(date); err != nil {
			return Due{}, err
		}
	}
	if in.BusinessDays == 1 {
		walk.say("due at the end of the next business day after that, %s", long(date))
	} else {
		walk.say("due at the end of the business day number %d after that, %s", in.BusinessDays, long(date))
	}
	return walk.due(date), nil
}

func (in DueInput) check() error {
	switch {
	case in.Zone == nil:
		return errors.New("compute a due date: a zone is required")
	case in.Calendar == nil:
		return errors.New("compute a due date: a calendar is required")
	case in.CutOff < 0 || in.CutOff > 24*time.Hour:
		return errors.New("compute a due date: the cut-off must be a time of day, more than 0 and at most 24 hours after midnight")
	case in.BusinessDays < 1 || in.BusinessDays > maxBusinessDays:
		return fmt.Errorf("compute a due date: business days must be 1 to %d", maxBusinessDays)
	case in.Received.IsZero():
		return errors.New("compute a due date: the instant of receipt is required")
	}
	return nil
}

// walk goes through a calendar day by day and notes what is worth telling.
type walk struct {
	zone     *time.Location
	calendar Calendar
	notes    []string
}

func (w *walk) say(format string, arguments ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, arguments...))
}

func (w *walk) due(date Date) Due {
	return Due{Date: date, At: date.EndIn(w.zone), Version: w.calendar.Version(), Explanation: w.notes}
}

// next returns the first business day after the date.
func (w *walk) next(date Date) (Date, error) {
	for range longestClosure {
		date = date.AddDays(1)
		workday, err := w.look(date)
		if err != nil {
			return Date{}, err
		}
		if workday {
			return date, nil
		}
	}
	return Date{}, fmt.Errorf("compute a due date: calendar %s has no business day in %d days", w.calendar.Version(), longestClosure)
}

// look reports whether the date is a business day, and notes why when that needs saying.
func (w *walk) look(date Date) (bool, error) {
	if !date.existsIn(w.zone) {
		w.say("%s was skipped in this time zone", long(date))
		return false, nil
	}
	day, err := w.calendar.Day(date)
	if err != nil {
		return false, fmt.Errorf("compute a due date: calendar %s: %w", w.calendar.Version(), err)
	}
	switch {
	case day.Reason != "":
		w.say("%s is a %s", long(date), day.Reason)
	case !day.Workday:
		w.say("%s is not a business day", long(date))
	}
	return day.Workday, nil
}

// dayHolding returns the date in whose stretch of time the instant lies. It differs from DateOf only in the repetition after a clock went
// back over midnight, and unlike DateOf it never goes back as time goes on.
func dayHolding(at time.Time, zone *time.Location) Date {
	date := DateOf(at, zone)
	for at.Before(date.In(zone)) {
		date = date.AddDays(-1)
	}
	for !at.Before(date.AddDays(1).In(zone)) {
		date = date.AddDays(1)
	}
	return date
}

// cutOffInstant returns the first instant of the date at which the clock in the zone shows the cut-off or, where it is skipped, a later
// time. Taking the first, when the clock shows it twice, favours the holder and keeps due dates in the order of receipt.
func cutOffInstant(date Date, zone *time.Location, cutOff time.Duration) time.Time {
	begins, ends := date.In(zone), date.AddDays(1).In(zone)
	shown := date.midnightUTC().Add(cutOff)
	for _, span := range spans(shown, zone) {
		at := shown.Add(-span.offset)
		if at.Before(begins) {
			at = begins
		}
		if at.Before(span.start) {
			at = span.start
		}
		if (span.end.IsZero() || at.Before(span.end)) && at.Before(ends) {
			return at
		}
	}
	return ends
}

func long(date Date) string {
	return date.midnightUTC().Format("Monday 2 January 2006")
}

func clock(cutOff time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(cutOff.Hours()), int(cutOff.Minutes())%60)
}
