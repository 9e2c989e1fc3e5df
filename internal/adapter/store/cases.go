package store

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

const caseColumns = "tenant_id, id, kind, account_id, verification_id, payment_id, round, status, version, opened_at, due_at, overdue_at, decided_at, decision"

func scanCase(r row) (casework.Case, error) {
	var c casework.Case
	err := r.Scan(&c.TenantID, &c.ID, &c.Kind, &c.AccountID, orEmpty{&c.VerificationID}, &c.PaymentID, &c.Round, &c.Status, &c.Version, instant{&c.OpenedAt},
		instant{&c.DueAt}, instant{&c.OverdueAt}, instant{&c.DecidedAt}, &c.Decision)
	return c, err
}

// InsertCase adds a case. A verification has at most one that is open, a payment has one for ever.
func (tx *Tx) InsertCase(actor access.Actor, c casework.Case, drafts []journal.Draft) error {
	taken := problem.New(problem.Conflict, "case_open", "this verification or payment has a case already")
	err := tx.insert("cases", caseColumns, taken, c.TenantID, c.ID, c.Kind, c.AccountID, orNull(c.VerificationID), c.PaymentID, c.Round, c.Status, c.Version,
		micros(c.OpenedAt), micros(c.DueAt), micros(c.OverdueAt), micros(c.DecidedAt), c.Decision)
	if err != nil {
		return err
	}
	return tx.record(actor, c.TenantID, drafts)
}

// Case returns a case.
func (tx *Tx) Case(tenantID, id string) (casework.Case, error) {
	return one(tx, "case", scanCase, "SELECT "+caseColumns+" FROM cases WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// CaseFilter chooses cases; empty members choose all. Overdue ones are open and past their due time at Tx.Now, noted or not.
type CaseFilter struct {
	Status         casework.Status
	Kind           casework.Kind
	AccountID      string
	VerificationID string
	Overdue        bool
}

// ListCases returns the open cases in the order in which they are due, when the filter asks for open ones, and otherwise newest first.
func (tx *Tx) ListCases(tenantID string, filter CaseFilter, page Page) ([]casework.Case, string, error) {
	list := listing[casework.Case]{
		name: "cases", query: "SELECT " + caseColumns + " FROM cases", by: "opened_at", scan: scanCase,
		place: func(c casework.Case) (time.Time, string) { return c.OpenedAt, c.ID },
	}
	if filter.Status == casework.Open {
		list.name, list.by, list.ascending = "cases_due", "due_at", true
		list.place = func(c casework.Case) (time.Time, string) { return c.DueAt, c.ID }
	}
	list.and("tenant_id =", tenantID)
	list.andText("status =", string(filter.Status))
	list.andText("kind =", string(filter.Kind))
	list.andText("account_id =", filter.AccountID)
	list.andText("verification_id =", filter.VerificationID)
	if filter.Overdue {
		if filter.Status != casework.Open {
			list.and("status =", casework.Open)
		}
		list.and("due_at <", micros(tx.now))
	}
	return list.read(tx, page)
}

// CountCases returns how many cases are open, and how many of those are past their due time.
func (tx *Tx) CountCases(tenantID string) (open, overdue int, err error) {
	open, err = one(tx, "case", scanCount, "SELECT COUNT(*) FROM cases WHERE tenant_id = $1 AND status = 'open'", tenantID)
	if err != nil {
		return 0, 0, err
	}
	overdue, err = one(tx, "case", scanCount, "SELECT COUNT(*) FROM cases WHERE tenant_id = $1 AND status = 'open' AND due_at < $2",
		tenantID, micros(tx.now))
	return open, overdue, err
}

const reviewColumns = "tenant_id, id, case_id, decision, reasons, note, actor_kind, actor_id, decided_at"

func scanReview(r row) (casework.Review, error) {
	var review casework.Review
	err := r.Scan(&review.TenantID, &review.ID, &review.CaseID, &review.Decision, fromJSON{&review.Reasons}, &review.Note, &review.ActorKind,
		&review.ActorID, instant{&review.DecidedAt})
	return review, err
}

// InsertReview adds the decision on a case, which has one at most. It is journalled with its case.
func (tx *Tx) InsertReview(r casework.Review) error {
	taken := problem.New(problem.Conflict, "case_decided", "this case was decided already; its decision stands")
	return tx.insert("reviews", reviewColumns, taken, r.TenantID, r.ID, r.CaseID, r.Decision, asJSON{r.Reasons}, r.Note, r.ActorKind,
		r.ActorID, micros(r.DecidedAt))
}

// ReviewsOf returns the decisions on all cases of a verification, oldest first.
func (tx *Tx) ReviewsOf(tenantID, verificationID string) ([]casework.Review, error) {
	return all(tx, scanReview, "SELECT "+reviewColumns+` FROM reviews
		WHERE tenant_id = $1 AND case_id IN (SELECT id FROM cases WHERE tenant_id = $1 AND verification_id = $2)
		ORDER BY decided_at, id`, tenantID, verificationID)
}

// CaseOfPayment returns the case of a held payment, and whether it has one.
func (tx *Tx) CaseOfPayment(tenantID, paymentID string) (casework.Case, bool, error) {
	return maybe(tx, scanCase, "SELECT "+caseColumns+" FROM cases WHERE tenant_id = $1 AND payment_id = $2 AND payment_id <> ''", tenantID, paymentID)
}

// ReviewOf returns the decision on a case, and whether there is one.
func (tx *Tx) ReviewOf(tenantID, caseID string) (casework.Review, bool, error) {
	return maybe(tx, scanReview, "SELECT "+reviewColumns+" FROM reviews WHERE tenant_id = $1 AND case_id = $2", tenantID, caseID)
}

const ticketColumns = "tenant_id, id, account_id, verification_id, error_code, query_code, steps_taken, message, answer, status, version, " +
	"created_at, closed_at"

func scanTicket(r row) (casework.Ticket, error) {
	var t casework.Ticket
	err := r.Scan(&t.TenantID, &t.ID, &t.AccountID, &t.VerificationID, &t.ErrorCode, &t.QueryCode, &t.StepsTaken, &t.Message, &t.Answer,
		&t.Status, &t.Version, instant{&t.CreatedAt}, instant{&t.ClosedAt})
	return t, err
}

// InsertTicket adds a ticket.
func (tx *Tx) InsertTicket(actor access.Actor, t casework.Ticket, drafts []journal.Draft) error {
	err := tx.insert("tickets", ticketColumns, nil, t.TenantID, t.ID, t.AccountID, t.VerificationID, t.ErrorCode, t.QueryCode, t.StepsTaken,
		t.Message, t.Answer, t.Status, t.Version, micros(t.CreatedAt), micros(t.ClosedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, t.TenantID, drafts)
}

// Ticket returns a ticket.
func (tx *Tx) Ticket(tenantID, id string) (casework.Ticket, error) {
	return one(tx, "ticket", scanTicket, "SELECT "+ticketColumns+" FROM tickets WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// TicketFilter chooses tickets; empty members choose all.
type TicketFilter struct {
	AccountID string
	Status    casework.TicketStatus
}

// ListTickets returns tickets, newest first.
func (tx *Tx) ListTickets(tenantID string, filter TicketFilter, page Page) ([]casework.Ticket, string, error) {
	list := listing[casework.Ticket]{
		name: "tickets", query: "SELECT " + ticketColumns + " FROM tickets", by: "created_at", scan: scanTicket,
		place: func(t casework.Ticket) (time.Time, string) { return t.CreatedAt, t.ID },
	}
	list.and("tenant_id =", tenantID)
	list.andText("account_id =", filter.AccountID)
	list.andText("status =", string(filter.Status))
	return list.read(tx, page)
}
