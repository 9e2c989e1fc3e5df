package paymentfile

import (
	"errors"
	"time"
)

// instants turns the text of one column into microseconds since 1970 UTC.
type instants struct {
	zone   *time.Location // nil: UTC
	unit   int64          // microseconds of one step of a number; 0: a text
	since  int64          // the instant of the number 0
	layout string         // a pattern of YYYY MM DD hh mm ss; empty: iso
}

// newInstants compiles the format of a checked column.
func newInstants(c Column) (instants, error) {
	var in instants
	if c.Zone != "" && c.Zone != "UTC" {
		zone, err := time.LoadLocation(c.Zone)
		if err != nil {
			return in, errors.New("unknown time zone; give an IANA name such as Europe/Paris")
		}
		in.zone = zone
	}
	units := map[string]int64{"unix": 1e6, "unix_ms": 1e3, "unix_us": 1, "seconds": 1e6, "minutes": 60e6, "hours": 3600e6, "days": 86400e6}
	if unit, found := units[c.Format]; found {
		in.unit = unit
		if c.Since != "" {
			since, ok := in.iso([]byte(c.Since))
			if !ok {
				return in, errors.New("since must be a date or instant, e.g. 2018-04-01")
			}
			in.since = since
		}
		return in, nil
	}
	if c.Format != "" && c.Format != "iso" {
		in.layout = c.Format
	}
	return in, nil
}

// parse returns the instant, and false when the text is none.
func (in instants) parse(text []byte) (int64, bool) {
	switch {
	case in.unit != 0:
		return in.number(text)
	case in.layout != "":
		return in.pattern(text)
	}
	return in.iso(text)
}

// The instants that are believed: the years 1970 to 9999.
const latest = 253402300799_999999

// number reads a whole number or one with decimals, which are kept as far as microseconds go.
func (in instants) number(text []byte) (int64, bool) {
	var whole, fraction, scale int64
	scale = 1
	dot := false
	if len(text) == 0 || len(text) > 30 {
		return 0, false
	}
	digits := 0
	for _, c := range text {
		switch {
		case c == '.' && !dot:
			dot = true
			continue
		case c < '0' || c > '9':
			return 0, false
		case !dot:
			if whole = whole*10 + int64(c-'0'); whole > latest {
				return 0, false
			}
		case scale < 1e6:
			fraction, scale = fraction*10+int64(c-'0'), scale*10
		}
		digits++
	}
	if digits == 0 || whole > latest/in.unit {
		return 0, false
	}
	at := in.since + whole*in.unit + fraction*in.unit/scale
	return at, at <= latest
}

// clock is a date and time of day before its zone is known.
type clock struct{ year, month, day, hour, minute, second, micro int64 }

// iso reads 2018-04-01, optionally followed by T or a space and 10:30, 10:30:05 or 10:30:05.123456, optionally followed by Z or +02:00.
func (in instants) iso(text []byte) (int64, bool) {
	var c clock
	if len(text) < 10 || text[4] != '-' || text[7] != '-' || !digits(text[0:4], &c.year) || !digits(text[5:7], &c.month) || !digits(text[8:10], &c.day) {
		return 0, false
	}
	rest := text[10:]
	if len(rest) == 0 {
		return in.at(c)
	}
	if len(rest) < 6 || rest[0] != 'T' && rest[0] != ' ' && rest[0] != 't' || rest[3] != ':' || !digits(rest[1:3], &c.hour) || !digits(rest[4:6], &c.minute) {
		return 0, false
	}
	rest = rest[6:]
	if len(rest) >= 3 && rest[0] == ':' {
		if !digits(rest[1:3], &c.second) {
			return 0, false
		}
		rest = rest[3:]
		if len(rest) > 1 && rest[0] == '.' {
			rest = c.fraction(rest[1:])
		}
	}
	offset, given, ok := zoneOffset(rest)
	if !ok {
		return 0, false
	}
	if !given {
		return in.at(c)
	}
	at, ok := instants{}.at(c)
	return at - offset, ok && at >= offset
}

// fraction reads the digits after the point and returns what follows them.
func (c *clock) fraction(text []byte) []byte {
	i := 0
	for scale := int64(100_000); i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		c.micro += int64(text[i]-'0') * scale
		scale /= 10
	}
	return text[i:]
}

// zoneOffset reads Z, +02:00, +0200 or nothing.
func zoneOffset(text []byte) (micros int64, given, ok bool) {
	if len(text) == 0 {
		return 0, false, true
	}
	if len(text) == 1 && (text[0] == 'Z' || text[0] == 'z') {
		return 0, true, true
	}
	var hours, minutes int64
	switch {
	case text[0] != '+' && text[0] != '-':
		return 0, false, false
	case len(text) == 6 && text[3] == ':' && digits(text[1:3], &hours) && digits(text[4:6], &minutes):
	case len(text) == 5 && digits(text[1:3], &hours) && digits(text[3:5], &minutes):
	default:
		return 0, false, false
	}
	if hours > 23 || minutes > 59 {
		return 0, false, false
	}
	micros = (hours*60 + minutes) * 60e6
	if text[0] == '-' {
		micros = -micros
	}
	return micros, true, true
}

// pattern reads a text by the layout; what is not YYYY MM DD hh mm ss must be there as it is.
func (in instants) pattern(text []byte) (int64, bool) {
	c := clock{month: 1, day: 1}
	parts := [...]struct {
		token string
		into  *int64
	}{{"YYYY", &c.year}, {"MM", &c.month}, {"DD", &c.day}, {"hh", &c.hour}, {"mm", &c.minute}, {"ss", &c.second}}
	layout := in.layout
next:
	for layout != "" {
		for _, part := range parts {
			n := len(part.token)
			if len(layout) < n || layout[:n] != part.token {
				continue
			}
			if len(text) < n || !digits(text[:n], part.into) {
				return 0, false
			}
			layout, text = layout[n:], text[n:]
			continue next
		}
		if len(text) == 0 || text[0] != layout[0] {
			return 0, false
		}
		layout, text = layout[1:], text[1:]
	}
	if len(text) != 0 {
		return 0, false
	}
	return in.at(c)
}

func digits(text []byte, into *int64) bool {
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	*into = n
	return true
}

// at returns the instant of a date and time in the zone; false when there is no such date or time, or it lies outside 1970 to 9999. A time
// that a zone's clock skips or repeats is read as package time does.
func (in instants) at(c clock) (int64, bool) {
	if c.year < 1970 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > daysIn(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 59 {
		return 0, false
	}
	if in.zone != nil {
		at := time.Date(int(c.year), time.Month(c.month), int(c.day), int(c.hour), int(c.minute), int(c.second), int(c.micro)*1000, in.zone).UnixMicro()
		return at, at >= 0
	}
	seconds := ((daysSince1970(c.year, c.month, c.day)*24+c.hour)*60+c.minute)*60 + c.second
	return seconds*1e6 + c.micro, true
}

func daysIn(year, month int64) int64 {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

// daysSince1970 counts the days of the Gregorian calendar with years that begin in March, so that the leap day is the last of its year.
func daysSince1970(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}
