// Package verification is one run of requirements → evidence → review → outcome. Every change of status is one of the functions
// here; docs/states/verification.md draws them.
package verification

import (
	"time"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// Type says what a verification is for.
type Type string

// PaymentSecurity follows a payment, or a payment method, that looked wrong.
const PaymentSecurity Type = "payment_security"

// Status is where a verification stands. The zero value is invalid and never stored.
type Status string

// The statuses.
const (
	AwaitingSubmission    Status = "awaiting_submission"
	Processing            Status = "processing"
	InReview              Status = "in_review"
	Approved              Status = "approved"
	ResubmissionRequested Status = "resubmission_requested"
	Declined              Status = "declined"
	Expired               Status = "expired"
	Canceled              Status = "canceled"
)

// Valid reports whether s is a status that can be stored.
func (s Status) Valid() bool { _, known := next[s]; return known }

// next holds every allowed transition. Expired is reached only by a release.
var next = map[Status][]Status{
	AwaitingSubmission:    {Processing, Expired, Canceled},
	Processing:            {InReview, Canceled},
	InReview:              {Approved, ResubmissionRequested, Declined, Canceled},
	ResubmissionRequested: {Processing, Expired, Canceled},
	Approved:              nil,
	Declined:              nil,
	Expired:               nil,
	Canceled:              nil,
}

// Open reports whether the status is not final.
func (s Status) Open() bool { return len(next[s]) > 0 }

// AwaitsHolder reports whether the holder is the one to act.
func (s Status) AwaitsHolder() bool { return s == AwaitingSubmission || s == ResubmissionRequested }

// RequirementKind is one thing asked for.
type RequirementKind string

// The requirements of a payment_security verification.
const (
	GovernmentID     RequirementKind = "government_id"
	PaymentMethod    RequirementKind = "payment_method"
	BillingStatement RequirementKind = "billing_statement"
)

// RequirementKinds lists them in the order in which a holder meets them.
var RequirementKinds = []RequirementKind{GovernmentID, PaymentMethod, BillingStatement}

// RequirementStatus is where one requirement stands.
type RequirementStatus string

// The statuses of a requirement.
const (
	Required    RequirementStatus = "required"  // nothing was sent yet
	Provided    RequirementStatus = "provided"  // evidence is there, and can still be changed
	Submitted   RequirementStatus = "submitted" // with the reviewer
	Accepted    RequirementStatus = "accepted"
	AskedAgain  RequirementStatus = "resubmission_requested"
	NotAccepted RequirementStatus = "declined"
)

// Reason is a code of the reason catalogue, with the reviewer's note, which the holder never sees.
type Reason struct {
	Requirement RequirementKind `json:"requirement,omitempty"`
	Code        string          `json:"code"`
	Note        string          `json:"note,omitempty"`
}

// Requirement is one thing asked for in a verification, and where it stands.
type Requirement struct {
	Kind    RequirementKind   `json:"kind"`
	Status  RequirementStatus `json:"status"`
	Reasons []Reason          `json:"reasons,omitempty"` // why it is asked for again, or was not accepted
}

// Verification is one run of the whole process for one account.
type Verification struct {
	ID              string
	TenantID        string
	AccountID       string
	Type            Type
	Status          Status
	Version         int64
	PaymentMethodID string // the payment method concerned; may be empty
	PaymentID       string // the rejected payment; empty when opened without one
	OpeningReason   string // why it was opened without a payment, in the opener's words; staff only
	Requirements    []Requirement
	Round           int    // 1, and one more for each request to resubmit
	NoticeCode      string // printed in every mail and shown in the KYC Center, so that a holder can tell our mail from phishing
	QueryCode       string // from the first submission on
	CaseID          string // the latest case
	ReceivedAt      time.Time
	DueAt           time.Time // zero while no clock runs
	DueBecause      []string  // how the due date was computed, sentence by sentence
	PolicyVersion   string
	CalendarVersion string
	TimeZone        string // IANA; in which its due dates run. A later move of the account does not move them
	OpenedAt        time.Time
	SubmittedAt     time.Time
	DecidedAt       time.Time
}

// Opening is what a verification starts from.
type Opening struct {
	ID              string
	TenantID        string
	AccountID       string
	PaymentMethodID string
	PaymentID       string
	Reason          string
	NoticeCode      string
	PolicyVersion   string
	CalendarVersion string
	TimeZone        string
}

// Start returns a new payment_security verification that awaits its submission.
func Start(o Opening, now time.Time) (Verification, []journal.Draft) {
	v := Verification{
		ID: o.ID, TenantID: o.TenantID, AccountID: o.AccountID, Type: PaymentSecurity, Status: AwaitingSubmission, Version: 1,
		PaymentMethodID: o.PaymentMethodID, PaymentID: o.PaymentID, OpeningReason: o.Reason, Round: 1, NoticeCode: o.NoticeCode,
		PolicyVersion: o.PolicyVersion, CalendarVersion: o.CalendarVersion, TimeZone: o.TimeZone, OpenedAt: now,
	}
	for _, kind := range RequirementKinds {
		v.Requirements = append(v.Requirements, Requirement{Kind: kind, Status: Required})
	}
	return v, []journal.Draft{journal.Of(journal.VerificationOpened, v.ID, v.AccountID,
		"payment_id", v.PaymentID, "payment_method_id", v.PaymentMethodID, "policy_version", v.PolicyVersion)}
}

// Requirement returns the requirement of the kind, or nil.
func (v *Verification) Requirement(kind RequirementKind) *Requirement {
	for i := range v.Requirements {
		if v.Requirements[i].Kind == kind {
			return &v.Requirements[i]
		}
	}
	return nil
}

// Missing lists the requirements without which nothing can be submitted.
func (v *Verification) Missing() []RequirementKind {
	var missing []RequirementKind
	for _, r := range v.Requirements {
		if r.Status == Required || r.Status == AskedAgain {
			missing = append(missing, r.Kind)
		}
	}
	return missing
}

// Zone returns the zone in which the due dates run, UTC when its name is not known on this machine.
func (v Verification) Zone() *time.Location {
	zone, err := time.LoadLocation(v.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// clone returns a copy that shares nothing with v, one version on.
func (v Verification) clone() Verification {
	requirements := make([]Requirement, len(v.Requirements))
	copy(requirements, v.Requirements)
	v.Requirements = requirements
	v.Version++
	return v
}

// move returns v with the status, or a conflict that says where it stands.
func (v Verification) move(to Status) (Verification, error) {
	for _, allowed := range next[v.Status] {
		if allowed == to {
			out := v.clone()
			out.Status = to
			return out, nil
		}
	}
	return v, stateProblem(v.Status)
}

func stateProblem(s Status) error {
	message := "the verification is " + string(s) + ", which does not allow this"
	switch s {
	case InReview, Processing:
		message = "the evidence was submitted and is under review; wait for the decision"
	case Approved, Declined, Expired, Canceled:
		message = "the verification is finished (" + string(s) + "); nothing more can be done with it"
	case AwaitingSubmission, ResubmissionRequested:
		message = "the verification awaits its submission"
	}
	return problem.New(problem.Conflict, "verification_"+string(s), message)
}

// CheckAwaitsHolder returns a conflict unless evidence can be added or taken back now.
func (v Verification) CheckAwaitsHolder() error {
	if v.Status.AwaitsHolder() {
		return nil
	}
	return stateProblem(v.Status)
}
