package risk

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// The bounds of a Profile. Beyond a bound the entry that was seen the longest ago is forgotten first.
const (
	WindowDays    = 400 // days back from a payment that its decision looks at
	MaxKnown      = 256 // places, devices and payment method keys, each
	MaxCurrencies = 32  // currencies with spending statistics
)

const (
	window       = WindowDays * 24 * time.Hour
	microsPerDay = int64(24 * time.Hour / time.Microsecond)
	maxKeyBytes  = 64
)

// Place says where a payment came from, as coarsely as it is known. Empty fields are unknown.
type Place struct {
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	Region  string `json:"region,omitempty"`  // ISO 3166-2 subdivision, with or without the country ("DE-BE", "BE"), or a name
	City    string `json:"city,omitempty"`    // never compared: a city change inside a region is not a new place
}

// Method names a payment method by both of its keys. Either may be empty. A method is known when one of its keys is: the tenant's
// fingerprint joins a card that was registered twice, the identifier covers methods that have no fingerprint or got one later.
type Method struct {
	ID          string `json:"id,omitempty"`          // our payment method id
	Fingerprint string `json:"fingerprint,omitempty"` // the tenant's opaque fingerprint
}

// ApprovedPayment is one approved entry of the decision log.
type ApprovedPayment struct {
	AmountMinor int64 // not negative
	Currency    string
	Place       Place
	DeviceID    string
	Method      Method
	OccurredAt  time.Time
}

// Lesson is what the approval of a verification teaches: that the place, device and method of the payment which was rejected
// belong to the account holder after all. It is not an approved payment and adds nothing to the statistics.
type Lesson struct {
	Place    Place
	DeviceID string
	Method   Method
	At       time.Time // when the verification was approved
}

// Profile is the fold of one account's decision log: all that a decision needs to know of the past. The zero value is the
// profile of an account without history. It is bounded (WindowDays, MaxKnown, MaxCurrencies) and a JSON round trip keeps it equal.
// Instants are microseconds since 1970 UTC. A Profile is a value: Fold and Learn return a new one and never change the old.
type Profile struct {
	Newest     int64    `json:"newest,omitempty"`     // newest instant folded or learned
	Days       []Bucket `json:"days,omitempty"`       // by day, then currency
	Currencies []Seen   `json:"currencies,omitempty"` // by key
	Places     []Seen   `json:"places,omitempty"`     // by key: country "/" region
	Devices    []Seen   `json:"devices,omitempty"`    // by key
	Methods    []Seen   `json:"methods,omitempty"`    // by key: "id:" or "fp:" and the key of the method
}

// Bucket sums the approved payments of one UTC day in one currency. Sums saturate instead of overflowing.
type Bucket struct {
	Day        int64     `json:"d"` // days since 1970-01-01 UTC
	Currency   string    `json:"c"`
	Count      int64     `json:"n"`
	Sum        int64     `json:"s"` // minor units
	SumSquares [2]uint64 `json:"q"` // minor units squared, 128 bits, high word first: exact, so that the order of folding does not matter
	Max        int64     `json:"m"` // minor units
	First      int64     `json:"f"` // earliest payment in the bucket
	Last       int64     `json:"l"` // latest payment in the bucket
}

// Seen says when a place, device, method or currency was met. First is the earliest instant since it was last forgotten: a help for
// people, no rule reads it.
type Seen struct {
	Key   string `json:"k"`
	First int64  `json:"f"`
	Last  int64  `json:"l"`
}

// Fold returns the profile with one more approved payment. Payments may come in any order, also from before the account was
// created. One of a UTC day more than WindowDays before the newest day is ignored. Unless MaxKnown or MaxCurrencies is exceeded, any order
// of the same payments and lessons gives the same profile but for Seen.First. The caller folds each payment once, and refuses instants in
// the future: one would make the profile forget the past.
func Fold(p Profile, payment ApprovedPayment) Profile {
	at := payment.OccurredAt.UnixMicro()
	if payment.AmountMinor < 0 || !p.reaches(at) {
		return p
	}
	p = p.advance(at)
	p = p.meet(payment.Place, payment.DeviceID, payment.Method, at)
	p.Currencies = remember(p.Currencies, payment.Currency, at, MaxCurrencies)
	if !known(p.Currencies, payment.Currency) {
		return p
	}
	p.Days = addToBucket(p.Days, payment, at)
	if len(p.Currencies) == MaxCurrencies {
		p.Days = dropForgotten(p.Days, p.Currencies)
	}
	return p
}

// Learn returns the profile after an approved verification. The lesson lasts as long as a payment's: WindowDays.
func Learn(p Profile, lesson Lesson) Profile {
	at := lesson.At.UnixMicro()
	if !p.reaches(at) {
		return p
	}
	return p.advance(at).meet(lesson.Place, lesson.DeviceID, lesson.Method, at)
}

// empty reports whether nothing was ever folded or learned; Newest alone cannot say so.
func (p Profile) empty() bool {
	return p.Newest == 0 && len(p.Days) == 0 && len(p.Places) == 0 && len(p.Devices) == 0 && len(p.Methods) == 0
}

// reaches reports whether the profile still looks back as far as the instant.
func (p Profile) reaches(at int64) bool {
	return p.empty() || day(at) >= day(p.Newest)-WindowDays
}

// advance moves Newest forward to the instant and forgets what falls out of the window. The window moves by whole days, so that a
// payment is kept or dropped by its day alone and not by what happened to arrive before it.
func (p Profile) advance(at int64) Profile {
	if p.empty() {
		p.Newest = at
		return p
	}
	if at <= p.Newest {
		return p
	}
	moved := day(at) != day(p.Newest)
	p.Newest = at
	if !moved {
		return p
	}
	horizon := day(at) - WindowDays
	p.Days = without(p.Days, func(b Bucket) bool { return b.Day < horizon })
	p.Currencies = withoutOlder(p.Currencies, horizon)
	p.Places = withoutOlder(p.Places, horizon)
	p.Devices = withoutOlder(p.Devices, horizon)
	p.Methods = withoutOlder(p.Methods, horizon)
	return p
}

func (p Profile) meet(place Place, deviceID string, method Method, at int64) Profile {
	if place.Country != "" {
		p.Places = remember(p.Places, place.key(), at, MaxKnown)
	}
	if deviceID != "" {
		p.Devices = remember(p.Devices, bounded(deviceID), at, MaxKnown)
	}
	for _, key := range method.keys() {
		p.Methods = remember(p.Methods, key, at, MaxKnown)
	}
	return p
}

func addToBucket(days []Bucket, payment ApprovedPayment, at int64) []Bucket {
	wanted := Bucket{Day: day(at), Currency: payment.Currency, First: at, Last: at}
	i, found := slices.BinarySearchFunc(days, wanted, func(a, b Bucket) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Currency, b.Currency))
	})
	out := make([]Bucket, len(days), len(days)+1)
	copy(out, days)
	if !found {
		out = slices.Insert(out, i, wanted)
	}
	b := &out[i]
	b.Count++
	b.Sum = addCapped(b.Sum, payment.AmountMinor)
	b.SumSquares = addSquare(b.SumSquares, uint64(payment.AmountMinor))
	b.Max = max(b.Max, payment.AmountMinor)
	b.First, b.Last = min(b.First, at), max(b.Last, at)
	return out
}

// dropForgotten keeps the buckets of the currencies that are still remembered.
func dropForgotten(days []Bucket, currencies []Seen) []Bucket {
	return without(days, func(b Bucket) bool { return !known(currencies, b.Currency) })
}

// key names the place down to its region: "DE/BE", or "DE/" when the region is not known.
func (place Place) key() string {
	country := strings.ToUpper(strings.TrimSpace(place.Country))
	region := strings.ToUpper(strings.TrimSpace(place.Region))
	return bounded(country + "/" + strings.TrimPrefix(region, country+"-"))
}

func (m Method) keys() []string {
	keys := make([]string, 0, 2)
	if m.ID != "" {
		keys = append(keys, bounded("id:"+m.ID))
	}
	if m.Fingerprint != "" {
		keys = append(keys, bounded("fp:"+m.Fingerprint))
	}
	return keys
}

// bounded replaces the tail of an over-long key by a digest, so that no caller can grow a profile with long values.
func bounded(key string) string {
	if len(key) <= maxKeyBytes {
		return key
	}
	digest := sha256.Sum256([]byte(key))
	return strings.ToValidUTF8(key[:maxKeyBytes-33], "") + "#" + hex.EncodeToString(digest[:16])
}

// remember returns the list with the key met at the instant, without the one met the longest ago when it grows beyond limit.
func remember(list []Seen, key string, at int64, limit int) []Seen {
	i, found := search(list, key)
	if found && list[i].First <= at && at <= list[i].Last {
		return list
	}
	out := make([]Seen, len(list), len(list)+1)
	copy(out, list)
	if found {
		out[i].First, out[i].Last = min(out[i].First, at), max(out[i].Last, at)
		return out
	}
	out = slices.Insert(out, i, Seen{Key: key, First: at, Last: at})
	if len(out) <= limit {
		return out
	}
	oldest := 0
	for j := range out {
		if out[j].Last < out[oldest].Last {
			oldest = j
		}
	}
	return slices.Delete(out, oldest, oldest+1)
}

func search(list []Seen, key string) (int, bool) {
	return slices.BinarySearchFunc(list, key, func(s Seen, k string) int { return strings.Compare(s.Key, k) })
}

func known(list []Seen, key string) bool {
	_, found := search(list, key)
	return found
}

func withoutOlder(list []Seen, horizonDay int64) []Seen {
	return without(list, func(s Seen) bool { return day(s.Last) < horizonDay })
}

// without returns the list less what drop says, never in the caller's array, and nil rather than empty so that JSON keeps it equal.
func without[T any](list []T, drop func(T) bool) []T {
	if !slices.ContainsFunc(list, drop) {
		return list
	}
	out := slices.DeleteFunc(slices.Clone(list), drop)
	if len(out) == 0 {
		return nil
	}
	return out
}

func day(micros int64) int64 {
	d := micros / microsPerDay
	if micros%microsPerDay < 0 {
		d--
	}
	return d
}

func addCapped(a, b int64) int64 {
	sum := a + b
	if sum < a {
		return 1<<63 - 1
	}
	return sum
}

func addSquare(total [2]uint64, amount uint64) [2]uint64 {
	high, low := bits.Mul64(amount, amount)
	low, carry := bits.Add64(total[1], low, 0)
	high, carry = bits.Add64(total[0], high, carry)
	if carry != 0 {
		return [2]uint64{1<<64 - 1, 1<<64 - 1}
	}
	return [2]uint64{high, low}
}
