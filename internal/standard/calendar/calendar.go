// Package calendar computes due dates in business days: civil dates, the seam that calendars fill, and the one rule by which every
// deadline of the product is computed (design §5).
//
// The rule: what is received after the cut-off, or on a day that is not a business day, counts as received on the next business day; it
// is due at the end of the n-th business day after that. The end of a day is its last second in the zone, and a deadline has passed when
// now is later than that. Receiving later never yields an earlier due date, so a mail, written before it is received, may print the due
// date computed for the moment of writing as the earliest possible one.
//
// Nothing here reads a clock. Instants come in and go out as time.Time; those that go out are in UTC.
package calendar

import (
	"errors"
	"time"
)

// ErrNoData says that a calendar holds nothing for the year asked about. It is never answered with a guess: the deadline waits, staff
// are told, and nothing is enforced. Calendars wrap it.
var ErrNoData = errors.New("the calendar has no data for that year")

// Calendar says which dates are business days. An implementation is a value that never changes: a correction is another calendar with
// another version.
type Calendar interface {
	// Day returns what the date is. The error wraps ErrNoData when the calendar does not know the date's year.
	Day(Date) (Day, error)
	// Version names the calendar and its edition, e.g. "weekdays-1". It is stored with every due date computed from it.
	Version() string
}

// Day is what a calendar knows about one date.
type Day struct {
	Workday bool
	// Reason says, in a few lower-case words that follow "is a", why the day is or is not a business day where that needs saying, e.g.
	// "Saturday" needs none but "make-up workday" or "public holiday (Spring Festival)" does. It may be empty.
	Reason string
}

// Weekdays is the calendar in which Monday to Friday are business days and there are no holidays. Its zero value is ready to use, and it
// knows every year.
type Weekdays struct{}

// Day reports Monday to Friday as business days. The error is always nil.
func (Weekdays) Day(date Date) (Day, error) {
	weekday := date.Weekday()
	return Day{Workday: weekday != time.Saturday && weekday != time.Sunday}, nil
}

// Version returns "weekdays-1".
func (Weekdays) Version() string {
	return "weekdays-1"
}
