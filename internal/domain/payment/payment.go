// Package payment is one attempt to pay, the payment method it uses, and the answer it got.
package payment

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/standard/country"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/problem"
)

// RejectionCode is the error code of every payment that risk control rejects.
const RejectionCode = "RISK.RISK_CONTROL_REJECTION"

// The span of occurred_at that is accepted, counted from now.
const (
	MaxPast   = 400 * 24 * time.Hour
	MaxFuture = 5 * time.Minute
)

// MethodKind is the sort of a payment method.
type MethodKind string

// The kinds of payment method.
const (
	Card        MethodKind = "card"
	BankAccount MethodKind = "bank_account"
	Wallet      MethodKind = "wallet"
)

// Valid reports whether k can be stored.
func (k MethodKind) Valid() bool { return k == Card || k == BankAccount || k == Wallet }

// Method is a payment method: at most the first six and last four digits, never the number (PCI DSS 3.4.1, PCI SSC FAQ 1091).
type Method struct {
	ID          string
	TenantID    string
	AccountID   string
	Kind        MethodKind
	Brand       string
	First6      string
	Last4       string
	HolderName  string
	Fingerprint string // opaque, the tenant's; equal for the same card under another id
	Default     bool
	CreatedAt   time.Time
}

var (
	sixDigits  = regexp.MustCompile(`^[0-9]{6}$`)
	fourDigits = regexp.MustCompile(`^[0-9]{4}$`)
	lastFour   = regexp.MustCompile(`^[0-9A-Za-z]{4}$`)
)

// Check returns the first rule that the method breaks.
func (m Method) Check() error {
	if !m.Kind.Valid() {
		return problem.Field("kind", "kind_unknown", "kind must be card, bank_account or wallet")
	}
	if m.Kind == Card {
		if !sixDigits.MatchString(m.First6) {
			return problem.Field("first6", "first6_malformed", "first6 must be the first six digits of the card, nothing more")
		}
		if !fourDigits.MatchString(m.Last4) {
			return problem.Field("last4", "last4_malformed", "last4 must be the last four digits of the card, nothing more")
		}
	} else {
		if m.First6 != "" {
			return problem.Field("first6", "first6_not_expected", "only a card has first6; leave it out")
		}
		if m.Last4 != "" && !lastFour.MatchString(m.Last4) {
			return problem.Field("last4", "last4_malformed", "last4 must be the last four characters of the account number")
		}
	}
	for _, text := range []struct {
		field, value string
		limit        int
	}{{"brand", m.Brand, 40}, {"holder_name", m.HolderName, 200}, {"fingerprint", m.Fingerprint, 128}} {
		if err := account.CheckText(text.field, text.value, text.limit); err != nil {
			return err
		}
	}
	return nil
}

// BrandName returns the brand as people know it: card schemes in their own spelling, however the tenant wrote them ("visa" is Visa),
// anything else as it was given.
func (m Method) BrandName() string {
	for _, scheme := range []string{"Visa", "Mastercard", "American Express", "UnionPay", "JCB", "Discover", "Diners Club", "Maestro"} {
		if strings.EqualFold(m.Brand, scheme) {
			return scheme
		}
	}
	return m.Brand
}

// Label names the method for a person, e.g. "Visa 411111••••••1111" or "bank account ••••4321".
func (m Method) Label() string { return m.LabelAs(strings.ReplaceAll(string(m.Kind), "_", " ")) }

// LabelAs is Label with the name, in the reader's language, that stands for the kind of a method without a brand.
func (m Method) LabelAs(kindName string) string {
	name := m.BrandName()
	if name == "" {
		name = kindName
	}
	if m.Last4 == "" {
		return name
	}
	if m.First6 == "" {
		return name + " ••••" + m.Last4
	}
	return name + " " + m.First6 + "••••••" + m.Last4
}

// Location is where a payment was made, as precisely as the tenant knows.
type Location struct {
	Country string // ISO 3166-1 alpha-2
	Region  string
	City    string
}

// Attempt is what the tenant asks about.
type Attempt struct {
	AccountID       string
	PaymentMethodID string
	Amount          money.Amount
	IP              string
	Location        Location
	DeviceID        string
	Merchant        string
	OccurredAt      time.Time // zero means now
}

// Check returns the first rule that the attempt breaks at the instant.
func (a Attempt) Check(now time.Time) error {
	if err := a.Amount.Check("amount"); err != nil {
		return err
	}
	if a.Location.Country != "" && !country.Valid(a.Location.Country) {
		return problem.Field("location.country", "country_unknown", "a country is an ISO 3166-1 alpha-2 code such as SG")
	}
	if a.Location.Country == "" && (a.Location.Region != "" || a.Location.City != "") {
		return problem.Field("location.country", "required", "a region or city needs its country")
	}
	// A zone is free text, and names an interface of the tenant's own machine.
	if address, err := netip.ParseAddr(a.IP); a.IP != "" && (err != nil || address.Zone() != "") {
		return problem.Field("ip", "ip_malformed", "an IP address is written like 203.0.113.7 or 2001:db8::7, without a zone")
	}
	for _, text := range []struct {
		field, value string
		limit        int
	}{{"location.region", a.Location.Region, 100}, {"location.city", a.Location.City, 100}, {"device.id", a.DeviceID, 128}, {"merchant", a.Merchant, 200}} {
		if err := account.CheckText(text.field, text.value, text.limit); err != nil {
			return err
		}
	}
	if a.OccurredAt.IsZero() {
		return nil
	}
	if a.OccurredAt.After(now.Add(MaxFuture)) {
		return problem.Field("occurred_at", "occurred_at_out_of_range", "occurred_at may lie at most 5 minutes ahead of now")
	}
	if a.OccurredAt.Before(now.Add(-MaxPast)) {
		return problem.Field("occurred_at", "occurred_at_out_of_range", "occurred_at may lie at most 400 days back")
	}
	return nil
}

// Outcome is the answer to a payment. The zero value is invalid: forgetting to decide never approves.
type Outcome string

// The outcomes.
const (
	Approved Outcome = "approved"
	Review   Outcome = "review" // held until a case decides
	Rejected Outcome = "rejected"
)

// Reason is one ground of a rejection, with a sentence for a person.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Source says how a payment came into the log. The zero value is invalid.
type Source string

// The sources.
const (
	FromAPI     Source = "api"     // asked about by itself
	FromBatch   Source = "batch"   // asked about with others
	FromHistory Source = "history" // decided elsewhere, before; brought in to teach profiles
)

// Payment is one decided attempt.
type Payment struct {
	ID             string
	TenantID       string
	Attempt        Attempt
	Source         Source
	MethodKind     MethodKind // of a past payment that names no payment method of ours; otherwise empty, see the method
	Fingerprint    string     // likewise
	Outcome        Outcome
	Reasons        []Reason
	VerificationID string // set when rejected by us, unless Unchecked
	PolicyID       string
	PolicyVersion  string
	Facts          []byte // what the decision was made from, for replay, as the risk engine encodes it
	GrantID        string // the retry grant that let it pass, if one did
	CreatedAt      time.Time
}

// ReasonBudget is the reason of a payment that was rejected because the time for its decision was over.
const ReasonBudget = "budget"

// Unchecked reports whether the payment was rejected because the time for its decision was over. Nothing was found against its holder: it
// restricts nobody, and it can be tried again.
func (p *Payment) Unchecked() bool {
	return p.Outcome == Rejected && slices.ContainsFunc(p.Reasons, func(r Reason) bool { return r.Code == ReasonBudget })
}

// RetryGrantFor is how long a granted retry can be used.
const RetryGrantFor = 30 * 24 * time.Hour

// RetryGrant lets one payment pass after its holder was verified: same account, currency and payment method, up to the amount that
// had been rejected. It is used by the first payment that it fits.
type RetryGrant struct {
	ID              string
	TenantID        string
	AccountID       string
	VerificationID  string
	PaymentID       string // the rejected payment
	PaymentMethodID string // empty when the rejected payment named none
	Amount          money.Amount
	CreatedAt       time.Time
	ExpiresAt       time.Time
	UsedBy          string // payment id, empty while unused
}

// Fits reports whether the grant covers the attempt at the instant.
func (g RetryGrant) Fits(a Attempt, now time.Time) bool {
	return g.UsedBy == "" && now.Before(g.ExpiresAt) &&
		g.AccountID == a.AccountID && g.Amount.Currency == a.Amount.Currency && a.Amount.AmountMinor <= g.Amount.AmountMinor &&
		(g.PaymentMethodID == "" || g.PaymentMethodID == a.PaymentMethodID)
}
