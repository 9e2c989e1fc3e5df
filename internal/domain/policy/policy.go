// Package policy holds the versioned rules of consequence: what a verification asks for, how long its holder and its reviewer
// have, and what follows. A verification pins the version it was opened under. Every domain may speak of it.
package policy

import "time"

// Consequence is one version of the rules that follow a rejected payment.
type Consequence struct {
	Version       string    // the day it was published, e.g. "2026-03-30"
	EffectiveFrom time.Time // applies to verifications opened from this instant
	Citation      string    // where the rule is written down
	// SubmitWithin and ReviewWithin are business days, counted from receipt of the notice and from submission.
	SubmitWithin int
	ReviewWithin int
	// KeepSuspended is how many calendar days suspended resources are kept before they may be released.
	KeepSuspended int
	CutOff        time.Duration // since local midnight; what arrives later counts as the next business day's
}

// Current returns the consequence policy in force for a verification that is opened at the instant.
func Current(time.Time) Consequence {
	return Consequence{
		Version:       "2026-03-30",
		EffectiveFrom: time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC),
		Citation:      "KYC Center terms of 30 March 2026: submit within one business day of receipt, review within two, keep suspended resources 15 days",
		SubmitWithin:  1,
		ReviewWithin:  2,
		KeepSuspended: 15,
		CutOff:        18 * time.Hour,
	}
}

// Tenant is an organisation that uses this installation, with what it has decided for itself.
type Tenant struct {
	ID            string
	Name          string // shown as the brand in mails, in the portal and in the console
	BrandColor    string // #rrggbb, the accent of its portal pages and mails
	SupportEmail  string
	TimeZone      string // IANA; deadlines of accounts without a zone, and every review deadline
	Calendar      string // business calendar, e.g. "weekdays"
	ConnectorURL  string // where enforcement commands go; empty when the platform has none
	ConnectorKey  Secret // whsec_… that signs them
	Version       int64
	CreatedAt     time.Time
	JournalLength int64
}

// Zone returns the tenant's time zone, or UTC when it has none.
func (t Tenant) Zone() *time.Location {
	zone, err := time.LoadLocation(t.TimeZone)
	if err != nil || t.TimeZone == "Local" {
		return time.UTC
	}
	return zone
}

// Secret is a text that refuses to print itself.
type Secret string

// String returns a placeholder, so that a secret cannot reach a log by accident.
func (Secret) String() string { return "[secret]" }

// GoString returns a placeholder.
func (Secret) GoString() string { return "[secret]" }

// MarshalText returns a placeholder, so that a secret cannot reach JSON by accident.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }
