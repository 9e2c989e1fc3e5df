package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// The decisions on a case.
const (
	Approve             = "approve"
	RequestResubmission = "request_resubmission"
	Decline             = "decline"
	Reject              = "reject" // of a held payment
)

// Case is the review of one submission, or of one held payment.
type Case struct {
	ID             string     `json:"id"`
	Kind           string     `json:"kind"` // "verification" or "payment_review"
	AccountID      string     `json:"account_id"`
	VerificationID *string    `json:"verification_id"` // nil for a held payment
	PaymentID      *string    `json:"payment_id"`      // nil for a submission
	Round          int        `json:"round"`
	Status         string     `json:"status"`  // "open", "decided" or "withdrawn"
	Version        int64      `json:"version"` // send it as ExpectedVersion
	OpenedAt       time.Time  `json:"opened_at"`
	DueAt          time.Time  `json:"due_at"`
	Overdue        bool       `json:"overdue"`
	DecidedAt      *time.Time `json:"decided_at"`
	Decision       *string    `json:"decision"` // Approve, RequestResubmission, Decline or Reject; nil while open
	// The following are answered by Case and DecideCase only. They are internal: keep them from the holder.
	OpeningReason *string      `json:"opening_reason"`
	Reviews       []CaseReview `json:"reviews"`
}

// CaseReview is one decision on a verification, with its grounds.
type CaseReview struct {
	CaseID    string         `json:"case_id"`
	Decision  string         `json:"decision"`
	Reasons   []ReviewReason `json:"reasons"`
	Note      *string        `json:"note"`
	DecidedBy Decider        `json:"decided_by"`
	DecidedAt time.Time      `json:"decided_at"`
}

// Decider is who decided.
type Decider struct {
	Kind string `json:"kind"` // "staff" or "key"
	ID   string `json:"id"`
}

// ReviewReason is a ground of a decision.
type ReviewReason struct {
	Requirement *string `json:"requirement"`
	Code        string  `json:"code"`
	Message     string  `json:"message"` // what the holder reads
	Note        *string `json:"note"`    // internal
}

// NewDecision is a decision on a case.
type NewDecision struct {
	Decision        string      `json:"decision"` // Approve, RequestResubmission or Decline
	Reasons         []NewReason `json:"reasons,omitempty"`
	Note            string      `json:"note,omitempty"`             // internal
	ExpectedVersion int64       `json:"expected_version,omitempty"` // of the case you saw; 0 decides whatever stands
	// OpenVerification asks for a verification beside the rejection of a held payment.
	OpenVerification bool `json:"open_verification,omitempty"`
}

// NewReason is a ground of a decision, from the reason catalogue.
type NewReason struct {
	Requirement string `json:"requirement,omitempty"`
	Code        string `json:"code"`
	Note        string `json:"note,omitempty"` // internal
}

// CaseFilter chooses cases; empty fields choose all.
type CaseFilter struct {
	Status string // "open", "decided" or "withdrawn"
	Kind   string // "verification" or "payment_review"
	Cursor string
	Limit  int // 1 … 200; 0 means 50
}

// ListCases returns one page of cases: open ones by due time, others newest first.
func (c *Client) ListCases(ctx context.Context, filter CaseFilter) (List[Case], error) {
	query := paging(filter.Cursor, filter.Limit)
	set(query, "status", filter.Status)
	set(query, "kind", filter.Kind)
	return call[List[Case]](ctx, c, http.MethodGet, "/v1/cases", query, nil)
}

// AllCases walks through all pages of ListCases. It ends after the first error.
func (c *Client) AllCases(ctx context.Context, filter CaseFilter) iter.Seq2[Case, error] {
	return pages(func(cursor string) (List[Case], error) {
		filter.Cursor = first(cursor, filter.Cursor)
		return c.ListCases(ctx, filter)
	})
}

// Case returns one case with its reviews.
func (c *Client) Case(ctx context.Context, id string) (Case, error) {
	return call[Case](ctx, c, http.MethodGet, "/v1/cases/"+url.PathEscape(id), nil, nil)
}

// DecideCase decides a case. The first decision stands: a later one is an *Error of status 409.
func (c *Client) DecideCase(ctx context.Context, id string, in NewDecision, options ...CallOption) (Case, error) {
	return call[Case](ctx, c, http.MethodPost, "/v1/cases/"+url.PathEscape(id)+"/decision", nil, in, options...)
}

// NewTicket is what an account holder tells support.
type NewTicket struct {
	AccountID  string `json:"account_id"`
	ErrorCode  string `json:"error_code,omitempty"`
	QueryCode  string `json:"query_code,omitempty"`
	StepsTaken string `json:"steps_taken,omitempty"`
	Message    string `json:"message,omitempty"`
}

// Ticket is what was told to support, and its answer.
type Ticket struct {
	ID             string     `json:"id"`
	AccountID      string     `json:"account_id"`
	VerificationID *string    `json:"verification_id"`
	ErrorCode      *string    `json:"error_code"`
	QueryCode      *string    `json:"query_code"`
	StepsTaken     *string    `json:"steps_taken"`
	Message        *string    `json:"message"`
	Status         string     `json:"status"` // "open" or "closed"
	Answer         *string    `json:"answer"`
	CreatedAt      time.Time  `json:"created_at"`
	ClosedAt       *time.Time `json:"closed_at"`
}

// CreateTicket opens a support ticket.
func (c *Client) CreateTicket(ctx context.Context, in NewTicket, options ...CallOption) (Ticket, error) {
	return call[Ticket](ctx, c, http.MethodPost, "/v1/tickets", nil, in, options...)
}

// Ticket returns one support ticket.
func (c *Client) Ticket(ctx context.Context, id string) (Ticket, error) {
	return call[Ticket](ctx, c, http.MethodGet, "/v1/tickets/"+url.PathEscape(id), nil, nil)
}
