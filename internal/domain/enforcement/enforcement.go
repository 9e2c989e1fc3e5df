// Package enforcement is what happens to an account's resources when nobody answers: suspend, and resume after an approval.
// docs/states/enforcement.md draws the states. Release (permanent deletion) is not decided here yet.
package enforcement

import (
	"strconv"
	"time"

	"github.com/probity/probity/internal/domain/journal"
)

// State is where enforcement on an account stands. The zero value is invalid and never stored.
type State string

// The states.
const (
	None             State = "none"
	Grace            State = "grace"     // a due date runs
	Suspended        State = "suspended" // the due date was missed
	ReleaseScheduled State = "release_scheduled"
	Released         State = "released"
)

// Enforcement is the state of one account.
type Enforcement struct {
	TenantID       string
	AccountID      string
	State          State
	Version        int64
	VerificationID string    // the verification whose deadline runs or was missed
	DueAt          time.Time // in grace: when it ends
	SuspendedAt    time.Time
	AcknowledgedAt time.Time // when the platform confirmed the latest command
	Sequence       int64     // of the latest command to the platform
}

// CommandKind is what the platform is told to do.
type CommandKind string

// The commands.
const (
	Suspend CommandKind = "suspend"
	Resume  CommandKind = "resume"
)

// CommandState is how far a command has come.
type CommandState string

// The states of a command.
const (
	Pending      CommandState = "pending"
	Acknowledged CommandState = "acknowledged"
	Superseded   CommandState = "superseded" // the platform had seen a later one
)

// Command is one instruction to the platform. The platform refuses a sequence number that is not above the last one it saw for the account.
type Command struct {
	ID             string
	TenantID       string
	AccountID      string
	VerificationID string
	Kind           CommandKind
	Sequence       int64
	State          CommandState
	CreatedAt      time.Time
	SettledAt      time.Time
}

// StartGrace notes that a due date runs. An account that is suspended already stays so.
func (e Enforcement) StartGrace(verificationID string, dueAt time.Time) (Enforcement, []journal.Draft, bool) {
	if e.State != None && e.State != Grace {
		return e, nil, false
	}
	e.State, e.VerificationID, e.DueAt = Grace, verificationID, dueAt
	e.Version++
	return e, []journal.Draft{journal.Of(journal.EnforcementGrace, e.AccountID, e.AccountID,
		"verification_id", verificationID, "due_at", dueAt.UTC().Format(time.RFC3339))}, true
}

// EndGrace notes that the due date no longer runs, because the holder submitted. It changes nothing unless grace was running.
func (e Enforcement) EndGrace() (Enforcement, []journal.Draft, bool) {
	if e.State != Grace {
		return e, nil, false
	}
	verificationID := e.VerificationID
	e.State, e.DueAt, e.VerificationID = None, time.Time{}, ""
	e.Version++
	return e, []journal.Draft{journal.Of(journal.EnforcementCleared, e.AccountID, e.AccountID, "verification_id", verificationID)}, true
}

// Suspend follows a missed due date: grace ends in suspension. From any other state nothing happens.
func (e Enforcement) Suspend(commandID string, now time.Time) (Enforcement, Command, []journal.Draft, bool) {
	if e.State != Grace {
		return e, Command{}, nil, false
	}
	e.State, e.DueAt, e.SuspendedAt, e.AcknowledgedAt = Suspended, time.Time{}, now, time.Time{}
	command := e.command(commandID, Suspend, now)
	e.Sequence = command.Sequence
	e.Version++
	return e, command, []journal.Draft{journal.Of(journal.EnforcementSuspend, e.AccountID, e.AccountID,
		"verification_id", e.VerificationID, "command_id", commandID, "sequence", strconv.FormatInt(e.Sequence, 10))}, true
}

// Resume follows an approval or a cancellation: what was suspended runs again. From none nothing happens; grace just ends, without a command.
func (e Enforcement) Resume(commandID string, now time.Time) (Enforcement, Command, []journal.Draft, bool) {
	if e.State != Suspended && e.State != ReleaseScheduled {
		return e, Command{}, nil, false
	}
	command := e.command(commandID, Resume, now)
	drafts := []journal.Draft{journal.Of(journal.EnforcementResume, e.AccountID, e.AccountID,
		"verification_id", e.VerificationID, "command_id", commandID, "sequence", strconv.FormatInt(command.Sequence, 10))}
	e.State, e.DueAt, e.SuspendedAt, e.AcknowledgedAt, e.VerificationID = None, time.Time{}, time.Time{}, time.Time{}, ""
	e.Sequence = command.Sequence
	e.Version++
	return e, command, drafts, true
}

func (e Enforcement) command(id string, kind CommandKind, now time.Time) Command {
	return Command{
		ID: id, TenantID: e.TenantID, AccountID: e.AccountID, VerificationID: e.VerificationID, Kind: kind,
		Sequence: e.Sequence + 1, State: Pending, CreatedAt: now,
	}
}

// Settle notes the platform's answer to a command. Only the latest command's acknowledgement counts for the account.
func (c Command) Settle(state CommandState, now time.Time) (Command, []journal.Draft, bool) {
	if c.State != Pending || (state != Acknowledged && state != Superseded) {
		return c, nil, false
	}
	c.State, c.SettledAt = state, now
	event := journal.CommandAcknowledged
	if state == Superseded {
		event = journal.CommandSuperseded
	}
	return c, []journal.Draft{journal.Of(event, c.ID, c.AccountID,
		"kind", string(c.Kind), "sequence", strconv.FormatInt(c.Sequence, 10), "verification_id", c.VerificationID)}, true
}
