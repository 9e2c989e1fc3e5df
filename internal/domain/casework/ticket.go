package casework

import (
	"time"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// TicketStatus is where a ticket stands.
type TicketStatus string

// The statuses of a ticket.
const (
	TicketOpen   TicketStatus = "open"
	TicketClosed TicketStatus = "closed"
)

// Ticket is what an account holder sends to support: what they saw, and what they did.
type Ticket struct {
	ID             string
	TenantID       string
	AccountID      string
	VerificationID string // found by the query code, when one was given
	ErrorCode      string
	QueryCode      string
	StepsTaken     string
	Message        string
	Answer         string // from support, shown to the holder
	Status         TicketStatus
	Version        int64
	CreatedAt      time.Time
	ClosedAt       time.Time
}

// StartTicket checks what was written and returns an open ticket.
func StartTicket(t Ticket, now time.Time) (Ticket, []journal.Draft, error) {
	if t.Message == "" && t.StepsTaken == "" {
		return t, nil, problem.Field("message", "required", "say what happened: fill in message or steps_taken")
	}
	for _, text := range []struct {
		field, value string
		limit        int
	}{{"error_code", t.ErrorCode, 100}, {"steps_taken", t.StepsTaken, MaxNote}, {"message", t.Message, MaxNote}} {
		if err := account.CheckText(text.field, text.value, text.limit); err != nil {
			return t, nil, err
		}
	}
	t.Status, t.Version, t.CreatedAt = TicketOpen, 1, now
	return t, []journal.Draft{journal.Of(journal.TicketOpened, t.ID, t.AccountID, "verification_id", t.VerificationID)}, nil
}

// Close ends a ticket with an answer for the holder.
func (t Ticket) Close(answer string, now time.Time) (Ticket, []journal.Draft, error) {
	if t.Status != TicketOpen {
		return t, nil, problem.New(problem.Conflict, "ticket_closed", "this ticket was answered already")
	}
	if answer == "" {
		return t, nil, problem.Field("answer", "required", "write the holder an answer")
	}
	if err := account.CheckText("answer", answer, MaxNote); err != nil {
		return t, nil, err
	}
	t.Status, t.Answer, t.ClosedAt = TicketClosed, answer, now
	t.Version++
	return t, []journal.Draft{journal.Of(journal.TicketClosed, t.ID, t.AccountID)}, nil
}
