package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
)

// Message is an Internal Message: a notice as the holder reads it in the KYC Center.
type Message struct {
	ID             string     `json:"id" doc:"Our id of the message." example:"msg_01jc0000000000000000000000"`
	VerificationID *string    `json:"verification_id" doc:"The verification it is about." example:"ver_01jc0000000000000000000000"`
	Subject        string     `json:"subject" doc:"Its subject, in the account's language." example:"Payment Method Security Alert"`
	Body           string     `json:"body" doc:"Plain text." example:"A payment of USD 12.50 was rejected."`
	CreatedAt      time.Time  `json:"created_at" doc:"When it was created." example:"2026-11-09T10:00:00Z"`
	ReadAt         *time.Time `json:"read_at" doc:"When the holder opened it; null until then. Listing does not open." example:"2026-11-09T12:00:00Z"`
}

func messageOf(m notice.Message) Message {
	return Message{
		ID: m.ID, VerificationID: orNull(m.VerificationID), Subject: m.Subject, Body: m.Body, CreatedAt: m.CreatedAt, ReadAt: instant(m.ReadAt),
	}
}

// PortalSession is a one-time way into the KYC Center.
type PortalSession struct {
	URL       string    `json:"url" doc:"Redirect the holder's browser here at once. It works once, for this account only." example:"https://kyc.example.com/kyc/session?token=q2Zp"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when it can be used." example:"2026-11-09T10:05:00Z"`
}

func (e *edge) registerMessages() {
	register(e, operation{
		id: "list-messages", method: http.MethodGet, path: "/v1/accounts/{id}/messages", tag: tagAccounts, status: http.StatusOK,
		summary: "List the Internal Messages of an account", description: "Newest first. Listing them does not open them: only the holder does.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		AccountPath
		Paging
	}) (list[Message], error) {
		messages, next, err := e.Service.Messages(ctx, actor, in.ID, in.page())
		return listOf(messages, next, messageOf), err
	})
	register(e, operation{
		id: "create-portal-session", method: http.MethodPost, path: "/v1/accounts/{id}/portal_sessions", tag: tagAccounts, status: http.StatusCreated,
		summary:     "Sign a holder in to the KYC Center",
		description: "For the tenant's own site, which knows who is signed in there: a one-time URL, good for five minutes, that signs its bearer in to this one account.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		AccountPath
		Body *EmptyBody
	}) (PortalSession, error) {
		url, expires, err := e.Service.MintPortalSession(ctx, actor, in.ID)
		return PortalSession{URL: url, ExpiresAt: expires}, err
	})
}

// NewTicket is what an account holder tells support.
type NewTicket struct {
	AccountID  string `json:"account_id" maxLength:"100" doc:"Who asks." example:"acct_01jc0000000000000000000000"`
	ErrorCode  string `json:"error_code,omitempty" maxLength:"100" doc:"The error that was shown." example:"RISK.RISK_CONTROL_REJECTION"`
	QueryCode  string `json:"query_code,omitempty" maxLength:"40" doc:"The query code of a submission, in any case, with or without its dash." example:"7F3KD-92QX8"`
	StepsTaken string `json:"steps_taken,omitempty" maxLength:"4000" doc:"What was done before; this or message is needed." example:"sent all three items twice"`
	Message    string `json:"message,omitempty" maxLength:"4000" doc:"What happened; this or steps_taken is needed." example:"the page says the photo is blurred, but it is sharp"`
}

// Ticket is what an account holder sent to support, and its answer.
type Ticket struct {
	ID             string     `json:"id" doc:"Our id of the ticket." example:"tkt_01jc0000000000000000000000"`
	AccountID      string     `json:"account_id" doc:"Who asks." example:"acct_01jc0000000000000000000000"`
	VerificationID *string    `json:"verification_id" doc:"Found by the query code." example:"ver_01jc0000000000000000000000"`
	ErrorCode      *string    `json:"error_code" doc:"The error that was shown." example:"RISK.RISK_CONTROL_REJECTION"`
	QueryCode      *string    `json:"query_code" doc:"As it is written." example:"7F3KD-92QX8"`
	StepsTaken     *string    `json:"steps_taken" doc:"What was done before." example:"sent all three items twice"`
	Message        *string    `json:"message" doc:"What happened." example:"the page says the photo is blurred, but it is sharp"`
	Status         string     `json:"status" enum:"open,closed" doc:"closed: answered." example:"open"`
	Answer         *string    `json:"answer" doc:"What support answered." example:"please send the back side too"`
	CreatedAt      time.Time  `json:"created_at" doc:"When it was sent." example:"2026-11-09T12:00:00Z"`
	ClosedAt       *time.Time `json:"closed_at" doc:"When it was answered." example:"2026-11-10T09:00:00Z"`
}

func ticketOf(t casework.Ticket) Ticket {
	return Ticket{
		ID: t.ID, AccountID: t.AccountID, VerificationID: orNull(t.VerificationID), ErrorCode: orNull(t.ErrorCode), QueryCode: orNull(t.QueryCode),
		StepsTaken: orNull(t.StepsTaken), Message: orNull(t.Message), Status: string(t.Status), Answer: orNull(t.Answer), CreatedAt: t.CreatedAt,
		ClosedAt: instant(t.ClosedAt),
	}
}

func (e *edge) registerTickets() {
	register(e, operation{
		id: "create-ticket", method: http.MethodPost, path: "/v1/tickets", tag: tagTickets, status: http.StatusCreated,
		summary: "Open a support ticket", description: "What an account holder tells support, or the platform for them.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body NewTicket }) (Ticket, error) {
		b := in.Body
		t, err := e.Service.OpenTicket(ctx, actor, casework.Ticket{
			AccountID: b.AccountID, ErrorCode: b.ErrorCode, QueryCode: b.QueryCode, StepsTaken: b.StepsTaken, Message: b.Message,
		})
		return ticketOf(t), err
	})
	register(e, operation{
		id: "get-ticket", method: http.MethodGet, path: "/v1/tickets/{id}", tag: tagTickets, status: http.StatusOK,
		summary: "Get a support ticket", description: "With its answer once it is closed.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		ID string `path:"id" doc:"The ticket." example:"tkt_01jc0000000000000000000000"`
	}) (Ticket, error) {
		t, err := e.Service.Ticket(ctx, actor, in.ID)
		return ticketOf(t), err
	})
}
