// Package casework is human work with a due time: the case that a submission or a held payment opens, the decision on it, and the
// tickets that account holders send to support.
package casework

import (
	"time"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

// Status is where a case stands. The zero value is invalid and never stored.
type Status string

// The statuses.
const (
	Open      Status = "open"
	Decided   Status = "decided"
	Withdrawn Status = "withdrawn" // its verification was canceled before anyone decided
)

// Valid reports whether s can be stored.
func (s Status) Valid() bool { return s == Open || s == Decided || s == Withdrawn }

// Kind says what a case decides. The zero value is invalid and never stored.
type Kind string

// The kinds.
const (
	VerificationReview Kind = "verification"   // what a holder submitted
	PaymentReview      Kind = "payment_review" // a payment that the policy holds until a person decides
)

// Valid reports whether k can be stored.
func (k Kind) Valid() bool { return k == VerificationReview || k == PaymentReview }

// Case is the review of one submission, or of one held payment.
type Case struct {
	ID             string
	TenantID       string
	Kind           Kind
	AccountID      string
	VerificationID string // empty for the review of a payment
	PaymentID      string // empty for the review of a submission
	Round          int    // of the verification; 1 for the review of a payment
	Status         Status
	Version        int64
	OpenedAt       time.Time
	DueAt          time.Time
	OverdueAt      time.Time // when it was found overdue; zero otherwise
	DecidedAt      time.Time
	Decision       Decision // zero while open
}

// Decision is what a reviewer decides. The zero value is invalid.
type Decision string

// The decisions.
const (
	Approve             Decision = "approve"
	RequestResubmission Decision = "request_resubmission"
	Decline             Decision = "decline"
	Reject              Decision = "reject" // of a held payment
)

// Valid reports whether d can be stored.
func (d Decision) Valid() bool {
	return d == Approve || d == RequestResubmission || d == Decline || d == Reject
}

// Decides reports whether a case of the kind can be decided so.
func (d Decision) Decides(k Kind) bool {
	switch k {
	case VerificationReview:
		return d == Approve || d == RequestResubmission || d == Decline
	case PaymentReview:
		return d == Approve || d == Reject
	default:
		return false
	}
}

// Review is the human decision on a case, with its grounds. Notes are internal.
type Review struct {
	ID        string
	TenantID  string
	CaseID    string
	Decision  Decision
	Reasons   []verification.Reason
	Note      string
	ActorKind string
	ActorID   string
	DecidedAt time.Time
}

// MaxNote is the longest internal note, in characters.
const MaxNote = 4000

// Start returns a new open case for the submission of a verification.
func Start(id string, v verification.Verification, dueAt, now time.Time) (Case, []journal.Draft) {
	c := Case{
		ID: id, TenantID: v.TenantID, Kind: VerificationReview, AccountID: v.AccountID, VerificationID: v.ID, Round: v.Round, Status: Open,
		Version: 1, OpenedAt: now, DueAt: dueAt,
	}
	return c, []journal.Draft{journal.Of(journal.CaseOpened, id, v.AccountID,
		"verification_id", v.ID, "due_at", dueAt.UTC().Format(time.RFC3339))}
}

// Held names a payment that waits for a person.
type Held struct {
	TenantID  string
	AccountID string
	PaymentID string
}

// StartPayment returns a new open case for a payment that the policy holds.
func StartPayment(id string, held Held, dueAt, now time.Time) (Case, []journal.Draft) {
	c := Case{
		ID: id, TenantID: held.TenantID, Kind: PaymentReview, AccountID: held.AccountID, PaymentID: held.PaymentID, Round: 1, Status: Open,
		Version: 1, OpenedAt: now, DueAt: dueAt,
	}
	return c, []journal.Draft{journal.Of(journal.CaseOpened, id, held.AccountID,
		"payment_id", held.PaymentID, "due_at", dueAt.UTC().Format(time.RFC3339))}
}

// CheckVersion returns a conflict when another version of the case stands than the decider saw.
func (c Case) CheckVersion(expected int64) error {
	if expected == c.Version {
		return nil
	}
	return problem.New(problem.Conflict, "case_changed", "the case changed since you opened it; look at it again and decide on what stands now")
}

// Decide closes the case with a decision.
func (c Case) Decide(d Decision, now time.Time) (Case, []journal.Draft, error) {
	if !d.Decides(c.Kind) {
		return c, nil, c.undecidable()
	}
	if c.Status != Open {
		return c, nil, c.closed()
	}
	c.Status, c.Decision, c.DecidedAt = Decided, d, now
	c.Version++
	return c, []journal.Draft{journal.Of(journal.CaseDecided, c.ID, c.AccountID,
		"verification_id", c.VerificationID, "payment_id", c.PaymentID, "decision", string(d))}, nil
}

// undecidable says how the case can be decided.
func (c Case) undecidable() error {
	if c.Kind == PaymentReview {
		return problem.Field("decision", "decision_unknown", "the decision on a held payment must be approve or reject")
	}
	return problem.Field("decision", "decision_unknown", "decision must be approve, request_resubmission or decline")
}

// closed says why a case takes nothing more.
func (c Case) closed() error {
	if c.Status == Withdrawn {
		return problem.New(problem.Conflict, "case_decided", "this case was withdrawn, because its verification was canceled; there is nothing to decide")
	}
	return problem.New(problem.Conflict, "case_decided", "this case was decided already; its decision stands")
}

// Withdraw closes an open case whose verification was canceled.
func (c Case) Withdraw(now time.Time) (Case, []journal.Draft, bool) {
	if c.Status != Open {
		return c, nil, false
	}
	c.Status, c.DecidedAt = Withdrawn, now
	c.Version++
	return c, []journal.Draft{journal.Of(journal.CaseWithdrawn, c.ID, c.AccountID, "verification_id", c.VerificationID, "payment_id", c.PaymentID)}, true
}

// NoteEvidence makes a new version of an open case, because what there is to decide on has changed.
func (c Case) NoteEvidence(evidenceID, requirement string) (Case, []journal.Draft, error) {
	if c.Status != Open {
		return c, nil, c.closed()
	}
	c.Version++
	return c, []journal.Draft{journal.Of(journal.EvidenceReceived, evidenceID, c.AccountID,
		"case_id", c.ID, "verification_id", c.VerificationID, "requirement", requirement)}, nil
}

// MarkOverdue notes, once, that the due time passed without a decision.
func (c Case) MarkOverdue(now time.Time) (Case, []journal.Draft, bool) {
	if c.Status != Open || !c.OverdueAt.IsZero() || !now.After(c.DueAt) {
		return c, nil, false
	}
	c.OverdueAt = now
	c.Version++
	return c, []journal.Draft{journal.Of(journal.CaseOverdue, c.ID, c.AccountID, "verification_id", c.VerificationID, "payment_id", c.PaymentID)}, true
}
