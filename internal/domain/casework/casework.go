// Package casework is human work with a due time: the case a submission opens, the decision on it, and the tickets that account
// holders send to support.
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

// Case is the review of one submission.
type Case struct {
	ID             string
	TenantID       string
	AccountID      string
	VerificationID string
	Round          int // of the verification
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
)

// Valid reports whether d can be stored.
func (d Decision) Valid() bool { return d == Approve || d == RequestResubmission || d == Decline }

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
		ID: id, TenantID: v.TenantID, AccountID: v.AccountID, VerificationID: v.ID, Round: v.Round, Status: Open, Version: 1,
		OpenedAt: now, DueAt: dueAt,
	}
	return c, []journal.Draft{journal.Of(journal.CaseOpened, id, v.AccountID,
		"verification_id", v.ID, "due_at", dueAt.UTC().Format(time.RFC3339))}
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
	if !d.Valid() {
		return c, nil, problem.Field("decision", "decision_unknown", "decision must be approve, request_resubmission or decline")
	}
	if c.Status != Open {
		return c, nil, c.closed()
	}
	c.Status, c.Decision, c.DecidedAt = Decided, d, now
	c.Version++
	return c, []journal.Draft{journal.Of(journal.CaseDecided, c.ID, c.AccountID,
		"verification_id", c.VerificationID, "decision", string(d))}, nil
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
	return c, []journal.Draft{journal.Of(journal.CaseWithdrawn, c.ID, c.AccountID, "verification_id", c.VerificationID)}, true
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
	return c, []journal.Draft{journal.Of(journal.CaseOverdue, c.ID, c.AccountID, "verification_id", c.VerificationID)}, true
}
