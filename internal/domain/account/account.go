// Package account is the tenant's account holder: who they say they are, and what they may not do at present.
package account

import (
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/probity/probity/internal/standard/country"
	"github.com/probity/probity/internal/standard/problem"
)

// Kind says whether a person or an organisation holds the account.
type Kind string

// The kinds of account.
const (
	Individual Kind = "individual"
	Enterprise Kind = "enterprise"
)

// Valid reports whether k is a kind that can be stored.
func (k Kind) Valid() bool { return k == Individual || k == Enterprise }

// Address is a postal address as the tenant states it.
type Address struct {
	Lines      []string `json:"lines,omitempty"`
	City       string   `json:"city,omitempty"`
	Region     string   `json:"region,omitempty"`
	PostalCode string   `json:"postal_code,omitempty"`
	Country    string   `json:"country,omitempty"` // ISO 3166-1 alpha-2
}

// Profile is what the tenant says about an account holder: claims, not verified facts.
type Profile struct {
	ExternalID         string // the tenant's own identifier, unique in the tenant when given
	Kind               Kind
	Name               string
	Email              string
	Phone              string
	Address            Address
	Country            string // ISO 3166-1 alpha-2 of residence or registration
	DateOfBirth        string // YYYY-MM-DD
	Locale             string // BCP 47, e.g. "en", "zh-CN"
	TimeZone           string // IANA, e.g. "Asia/Shanghai"; empty means the tenant's
	Industry           string
	BusinessActivities string
}

// Account is one account holder of a tenant.
type Account struct {
	ID        string
	TenantID  string
	Profile   Profile
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// RestrictionKind says what an account may not do.
type RestrictionKind string

// PaymentsRestricted stops every payment of the account.
const PaymentsRestricted RestrictionKind = "payments"

// Restriction is what an account may not do, what put it there and what lifts it: the approval of its verification.
type Restriction struct {
	ID             string
	TenantID       string
	AccountID      string
	Kind           RestrictionKind
	VerificationID string
	Version        int64
	PlacedAt       time.Time
	LiftedAt       time.Time // zero while it stands
}

// Standing reports whether the restriction is in force.
func (r Restriction) Standing() bool { return r.ID != "" && r.LiftedAt.IsZero() }

const (
	maxText  = 200
	maxLines = 6
)

var dateOfBirth = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// Check returns the first rule that the profile breaks at the instant, as a problem that names the field.
func (p Profile) Check(now time.Time) error {
	if !p.Kind.Valid() {
		return problem.Field("kind", "kind_unknown", "kind must be individual or enterprise")
	}
	if strings.TrimSpace(p.Name) == "" {
		return problem.Field("name", "required", "name is required: it is compared with the documents")
	}
	for _, text := range []struct{ field, value string }{
		{"external_id", p.ExternalID}, {"name", p.Name}, {"phone", p.Phone}, {"industry", p.Industry},
		{"business_activities", p.BusinessActivities}, {"address.city", p.Address.City}, {"address.region", p.Address.Region},
		{"address.postal_code", p.Address.PostalCode},
	} {
		if err := CheckText(text.field, text.value, maxText); err != nil {
			return err
		}
	}
	if len(p.Address.Lines) > maxLines {
		return problem.Field("address.lines", "too_long", "an address has at most 6 lines")
	}
	for _, line := range p.Address.Lines {
		if err := CheckText("address.lines", line, maxText); err != nil {
			return err
		}
	}
	if err := checkEmail(p.Email); err != nil {
		return err
	}
	if err := checkCountry("country", p.Country); err != nil {
		return err
	}
	if err := checkCountry("address.country", p.Address.Country); err != nil {
		return err
	}
	if err := checkBirth(p.DateOfBirth, now); err != nil {
		return err
	}
	if p.TimeZone != "" {
		if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
			return problem.Field("time_zone", "time_zone_unknown", "time_zone must be an IANA name such as Asia/Shanghai")
		}
	}
	return checkLocale(p.Locale)
}

// CheckText refuses control characters and text longer than limit characters.
func CheckText(field, value string, limit int) error {
	count := 0
	for _, r := range value {
		count++
		if (r < ' ' && r != '\n' && r != '\t') || r == 0x7f || r == '\uFFFD' {
			return problem.Field(field, "control_character", "control characters and broken UTF-8 are not accepted")
		}
	}
	if count > limit {
		return problem.Field(field, "too_long", "the text is longer than this field holds")
	}
	return nil
}

func checkEmail(value string) error {
	if value == "" {
		return nil
	}
	address, err := mail.ParseAddress(value)
	if err != nil || address.Address != value || len(value) > 254 || strings.ContainsAny(value, "\r\n") {
		return problem.Field("email", "email_malformed", "email must be a plain address such as name@example.com")
	}
	return nil
}

func checkCountry(field, value string) error {
	if value != "" && !country.Valid(value) {
		return problem.Field(field, "country_unknown", "a country is an ISO 3166-1 alpha-2 code such as SG")
	}
	return nil
}

func checkBirth(value string, now time.Time) error {
	if value == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, value)
	if err != nil || !dateOfBirth.MatchString(value) || day.After(now) || day.Year() < 1900 {
		return problem.Field("date_of_birth", "date_out_of_range", "date_of_birth must be a past date since 1900, as YYYY-MM-DD")
	}
	return nil
}

var localePattern = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`)

func checkLocale(value string) error {
	if value != "" && (len(value) > 35 || !localePattern.MatchString(value)) {
		return problem.Field("locale", "locale_malformed", "locale must be a BCP 47 tag such as en or zh-CN")
	}
	return nil
}

// Zone returns the account's time zone, else the fallback (the tenant's).
func (p Profile) Zone(fallback *time.Location) *time.Location {
	if p.TimeZone == "" {
		return fallback
	}
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return fallback
	}
	return zone
}
