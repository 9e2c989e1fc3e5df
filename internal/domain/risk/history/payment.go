package history

import (
	"strings"
	"time"
)

// Payment is a payment that is being decided, or an earlier one as the decision log has it. Empty strings are unknown.
type Payment struct {
	ID        string
	AccountID string
	// AmountMinor is in minor units of Currency (ISO 4217). A negative one is never folded.
	AmountMinor int64
	Currency    string
	// AmountReference is about the same amount in minor units of the policy's reference currency; meaningless unless AmountKnown. For an
	// earlier payment it is what was computed when that was decided.
	AmountReference int64
	AmountKnown     bool
	Place           Place
	IP              string
	DeviceID        string
	Method          Method
	MethodKind      string // card, bank_account, wallet
	Merchant        string
	OccurredAt      time.Time
}

// Place says where a payment came from, as coarsely as it is known. Empty fields are unknown.
type Place struct {
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	Region  string `json:"region,omitempty"`  // ISO 3166-2 subdivision, with or without the country ("DE-BE", "BE"), or a name
	City    string `json:"city,omitempty"`
}

// Method names a payment method by both of its keys. Either may be empty. A method is known when one of its keys is: the tenant's
// fingerprint joins a card that was registered twice, the identifier covers methods that have no fingerprint or got one later.
type Method struct {
	ID          string `json:"id,omitempty"`          // our payment method id
	Fingerprint string `json:"fingerprint,omitempty"` // the tenant's opaque fingerprint
}

// Outcome is what became of a payment, as far as history cares. The zero value is invalid and never folded.
type Outcome uint8

// The outcomes. An account learns its places, devices, methods and spending from the approved ones alone.
const (
	Approved Outcome = iota + 1
	Review           // held for a person
	Rejected
	// ApprovedAfterReview is the second entry of a payment that was first folded as Review: it is now an approved payment, and not
	// another attempt.
	ApprovedAfterReview
)

// Valid reports whether o can be folded.
func (o Outcome) Valid() bool { return o >= Approved && o <= ApprovedAfterReview }

// approved reports whether the payment went through.
func (o Outcome) approved() bool { return o == Approved || o == ApprovedAfterReview }

// attempt reports whether the entry is the payment's first, and so counts as an attempt.
func (o Outcome) attempt() bool { return o == Approved || o == Review || o == Rejected }

// Entry is one entry of the decision log, imported history included. Each is folded once; a held payment that a person approves has two.
type Entry struct {
	Payment Payment
	Outcome Outcome
}

// Label is what became known about an earlier payment: a confirmed fraud or a payment confirmed to be legitimate. It changes shares of
// fraud from the moment it is folded and never earlier; the caller folds it when it becomes known (KnownAt), and in a backtest
// before the first payment decided after that.
type Label struct {
	Payment Payment
	Outcome Outcome // what the payment's entry says; Approved too for one approved after review
	Fraud   bool    // false: confirmed legitimate, which no aggregate counts
	Undo    bool    // takes back an earlier label of the same payment with the same Fraud
	KnownAt time.Time
}

// Lesson is what the approval of a verification teaches: that the place, device and method of the payment which was rejected belong to
// the account holder after all. It is not an approved payment and adds nothing to counts and sums.
type Lesson struct {
	Place    Place
	DeviceID string
	Method   Method
	At       time.Time // when the verification was approved
}

// country returns the normal form: upper case, no spaces around it.
func (p Place) country() string { return strings.ToUpper(strings.TrimSpace(p.Country)) }

// region returns the normal form, upper case and without the country before it ("DE-BE" is "BE").
func (p Place) region() string {
	region := strings.ToUpper(strings.TrimSpace(p.Region))
	if country := p.country(); country != "" && len(region) > len(country) && region[len(country)] == '-' {
		return strings.TrimPrefix(region, country+"-")
	}
	return region
}
