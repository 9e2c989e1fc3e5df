package calendar

import (
	"errors"
	"time"
)

// ErrDate says that a text is not a date of the calendar written YYYY-MM-DD.
var ErrDate = errors.New("not a date; write year, month and day like 2026-02-13")

const dateForm = "2006-01-02"

// Date is a civil date of the Gregorian calendar, without a time zone. Two dates are equal when == says so. The zero value is no date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// NewDate returns the date, with days and months beyond their end carried over as time.Date does: 31 April is 1 May.
func NewDate(year int, month time.Month, day int) Date {
	return civil(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf returns the date that a wall calendar in the zone shows at the instant.
func DateOf(at time.Time, zone *time.Location) Date {
	return civil(at.In(zone))
}

func civil(t time.Time) Date {
	year, month, day := t.Date()
	return Date{Year: year, Month: month, Day: day}
}

// ParseDate reads YYYY-MM-DD of the years 0001 to 9999. The error is ErrDate.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateForm, s)
	if err != nil || t.Year() < 1 {
		return Date{}, ErrDate
	}
	return civil(t), nil
}

// String returns the date as YYYY-MM-DD.
func (d Date) String() string {
	return d.midnightUTC().Format(dateForm)
}

// MarshalText writes the date as YYYY-MM-DD, and the zero value as nothing.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes. The error is ErrDate.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// IsZero reports whether d is the zero value, which is no date.
func (d Date) IsZero() bool {
	return d == Date{}
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	return d.midnightUTC().Weekday()
}

// AddDays returns the date n days later, or earlier when n is negative.
func (d Date) AddDays(n int) Date {
	return NewDate(d.Year, d.Month, d.Day+n)
}

// Compare returns -1, 0 or 1 as d is before, equal to or after other.
func (d Date) Compare(other Date) int {
	return d.midnightUTC().Compare(other.midnightUTC())
}

// Before reports whether d is earlier than other.
func (d Date) Before(other Date) bool {
	return d.Compare(other) < 0
}

func (d Date) midnightUTC() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// In returns the instant, in UTC, at which the date begins in the zone: usually midnight; the first instant after the gap where a
// clock skips midnight (America/Santiago, Africa/Cairo, Asia/Beirut in spring); and where a clock goes back over midnight and shows the
// day before once more, the end of that repetition. So one date ends exactly where the next begins, everywhere.
func (d Date) In(zone *time.Location) time.Time {
	midnight := d.midnightUTC()
	var begins time.Time
	for _, span := range spans(midnight, zone) {
		// The part of this span in which the clock shows an earlier date ends at its own midnight or with the span.
		ends := midnight.Add(-span.offset)
		if !span.end.IsZero() && ends.After(span.end) {
			ends = span.end
		}
		if (span.start.IsZero() || ends.After(span.start)) && ends.After(begins) {
			begins = ends
		}
	}
	return begins
}

// EndIn returns the last second of the date in the zone, in UTC: 23:59:59 except in the odd night. For a date that the zone skipped
// altogether (Pacific/Apia, 30 December 2011) it is the last second of the date before.
func (d Date) EndIn(zone *time.Location) time.Time {
	return d.AddDays(1).In(zone).Add(-time.Second)
}

// existsIn reports whether the zone had this date.
func (d Date) existsIn(zone *time.Location) bool {
	return d.In(zone).Before(d.AddDays(1).In(zone))
}

// span is a stretch of time during which a zone keeps one offset from UTC. A zero start or end is open.
type span struct {
	start, end time.Time
	offset     time.Duration
}

// spans returns, in order, the zone's spans that reach into the 30 hours before and after an instant. No zone was ever 16 hours away
// from UTC.
func spans(around time.Time, zone *time.Location) []span {
	const reach = 30 * time.Hour
	var found []span
	for at := around.Add(-reach); ; {
		local := at.In(zone)
		start, end := local.ZoneBounds()
		_, seconds := local.Zone()
		next := span{offset: time.Duration(seconds) * time.Second}
		if !start.IsZero() {
			next.start = start.UTC()
		}
		if !end.IsZero() {
			next.end = end.UTC()
		}
		found = append(found, next)
		if next.end.IsZero() || next.end.After(around.Add(reach)) {
			return found
		}
		at = next.end
	}
}
