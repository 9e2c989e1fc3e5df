package api

import (
	"bytes"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/pan"
)

// The limits of NewPayment's members, as its tags say; a test holds both together. They count characters there and bytes here, so what is
// short enough in bytes is short enough.
const (
	longestKey      = 255
	longestPastID   = 200
	longestID       = 100
	longestPlace    = 100
	longestDevice   = 128
	longestMerchant = 200
	longestIP       = 45
	longestCurrency = 8 // no limit of its own: the domain knows the currencies
	longestCountry  = 8
	longestInstant  = 40
	largestAmount   = 1_000_000_000_000_000
)

// plainPayment reads the body of a payment in one pass, as nearly all programs write it, and says whether it could. It gives up on
// whatever is not quite ordinary: escapes, null, unknown, repeated or missing members, anything out of bounds, anything that might hold a
// card number. Such a body is read again by the general way, which either understands it or says what is wrong; so there is one place
// for refusals, and what is accepted here is what would be accepted there (a fuzz test compares the two).
//
// more reads the members that a line has beyond those of a payment; it is called with those that are not known here, and numbers them from
// firstMore. Nil means that there are none.
func plainPayment(body []byte, wanted uint, more func(s *scanner, name []byte) (member int, ok bool)) (payment.Attempt, bool) {
	s := scanner{rest: body}
	var a payment.Attempt
	ok := s.object(func(name []byte) (member int, ok bool) {
		switch string(name) {
		case "account_id":
			return memberAccount, s.text(&a.AccountID, longestID)
		case "payment_method_id":
			return 1, s.text(&a.PaymentMethodID, longestID)
		case "amount":
			return memberAmount, s.amount(&a)
		case "ip":
			return 3, s.text(&a.IP, longestIP) && isAddress(a.IP)
		case "location":
			return 4, s.place(&a.Location)
		case "device":
			return 5, s.device(&a.DeviceID)
		case "merchant":
			return 6, s.text(&a.Merchant, longestMerchant)
		case "occurred_at":
			return memberInstant, s.instant(&a.OccurredAt)
		}
		if more == nil {
			return 0, false
		}
		return more(&s, name)
	}, wanted)
	if !ok || !s.end() {
		return payment.Attempt{}, false
	}
	return a, true
}

// The members that have to be there, and the first number of those that only lines have.
const (
	memberAccount = 0
	memberAmount  = 2
	memberInstant = 7
	firstMore     = 8

	wantedOfPayment = 1<<memberAccount | 1<<memberAmount
)

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// scanner reads JSON that is written the plain way.
type scanner struct{ rest []byte }

// skip passes over white space.
func (s *scanner) skip() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\n' || s.rest[0] == '\t' || s.rest[0] == '\r') {
		s.rest = s.rest[1:]
	}
}

// take passes over white space and one byte, which must be the one given.
func (s *scanner) take(want byte) bool {
	s.skip()
	if len(s.rest) == 0 || s.rest[0] != want {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// end reports whether nothing but white space is left.
func (s *scanner) end() bool {
	s.skip()
	return len(s.rest) == 0
}

// object reads an object. read is called for each member and returns which one it was; none may come twice, and those of wanted must come.
func (s *scanner) object(read func(name []byte) (member int, ok bool), wanted uint) bool {
	if !s.take('{') {
		return false
	}
	var seen uint
	for {
		s.skip()
		name, ok := s.raw()
		if !ok || !s.take(':') {
			return false
		}
		member, ok := read(name)
		if !ok || seen&(1<<member) != 0 {
			return false
		}
		seen |= 1 << member
		if s.take(',') {
			continue
		}
		return s.take('}') && seen&wanted == wanted
	}
}

// raw reads a string without escapes, and looks at nothing else in it but that it is valid UTF-8.
func (s *scanner) raw() ([]byte, bool) {
	if len(s.rest) == 0 || s.rest[0] != '"' {
		return nil, false
	}
	ascii := true
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			found := s.rest[1:i]
			s.rest = s.rest[i+1:]
			return found, ascii || utf8.Valid(found)
		case c == '\\' || c < 0x20:
			return nil, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, false
}

// text reads a string of at most longest bytes that cannot hold a card number.
func (s *scanner) text(into *string, longest int) bool {
	s.skip()
	found, ok := s.raw()
	if !ok || len(found) > longest {
		return false
	}
	*into = string(found)
	return !mayHoldCard(*into)
}

// shortestCard is how many digits a card number has at least (package pan).
const shortestCard = 13

// mayHoldCard reports whether a string would have to be looked at more closely: package pan leaves some strings alone by their form or
// their name, which is not decided here.
func mayHoldCard(text string) bool {
	digits := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= utf8.RuneSelf:
			return pan.Find(text) // digits of other scripts
		}
	}
	return digits >= shortestCard && pan.Find(text)
}

func (s *scanner) amount(a *payment.Attempt) bool {
	return s.object(func(name []byte) (int, bool) {
		switch string(name) {
		case "amount_minor":
			return 0, s.whole(&a.Amount.AmountMinor)
		case "currency":
			return 1, s.text(&a.Amount.Currency, longestCurrency)
		}
		return 0, false
	}, 1<<0|1<<1)
}

// whole reads a number from 1 to largestAmount that is written with digits only.
func (s *scanner) whole(into *int64) bool {
	s.skip()
	value, i := int64(0), 0
	for i < len(s.rest) && s.rest[i] >= '0' && s.rest[i] <= '9' {
		if value = value*10 + int64(s.rest[i]-'0'); value > largestAmount || value == 0 {
			return false
		}
		i++
	}
	s.rest = s.rest[i:]
	*into = value
	return value > 0 && len(s.rest) > 0 && s.rest[0] != '.' && s.rest[0] != 'e' && s.rest[0] != 'E'
}

func (s *scanner) place(l *payment.Location) bool {
	s.skip()
	return s.object(func(name []byte) (int, bool) {
		switch string(name) {
		case "country":
			return 0, s.text(&l.Country, longestCountry)
		case "region":
			return 1, s.text(&l.Region, longestPlace)
		case "city":
			return 2, s.text(&l.City, longestPlace)
		}
		return 0, false
	}, 1<<0)
}

func (s *scanner) device(id *string) bool {
	return s.object(func(name []byte) (int, bool) { return 0, string(name) == "id" && s.text(id, longestDevice) }, 1<<0)
}

// instant reads an instant as RFC 3339 has it, in UTC: "2026-11-09T10:00:00Z", with or without a fraction. To the microsecond, as both
// databases keep it.
func (s *scanner) instant(into *time.Time) bool {
	s.skip()
	found, ok := s.raw()
	if !ok || len(found) < len("2026-11-09T10:00:00Z") || len(found) > longestInstant || found[10] != 'T' || found[len(found)-1] != 'Z' {
		return false
	}
	at, err := time.Parse(time.RFC3339Nano, string(found))
	if err != nil {
		return false
	}
	*into = at.Truncate(time.Microsecond)
	return !into.IsZero() // which would mean that none was given
}

// truth reads true or false.
func (s *scanner) truth(into *bool) bool {
	s.skip()
	rest, found := bytes.CutPrefix(s.rest, []byte("true"))
	if *into = found; !found {
		rest, found = bytes.CutPrefix(s.rest, []byte("false"))
	}
	s.rest = rest
	return found
}
