package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// RejectionCode is the error code of every payment that risk control rejected.
const RejectionCode = "RISK.RISK_CONTROL_REJECTION"

// The outcomes of a payment.
const (
	Approved = "approved"
	Review   = "review" // held until a case decides
	Rejected = "rejected"
)

// Money is an amount in minor units: cents, yen, fils.
type Money struct {
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"` // ISO 4217
}

// Location is where a payment was made, as precisely as you know.
type Location struct {
	Country string `json:"country"` // ISO 3166-1 alpha-2
	Region  string `json:"region,omitempty"`
	City    string `json:"city,omitempty"`
}

// PaidFrom is the place of a payment, as it is answered.
type PaidFrom struct {
	Country string  `json:"country"`
	Region  *string `json:"region"`
	City    *string `json:"city"`
}

// Device is what a payment was made with.
type Device struct {
	ID string `json:"id"` // your own stable id
}

// NewPayment is a payment to be decided.
type NewPayment struct {
	AccountID       string     `json:"account_id"`
	PaymentMethodID string     `json:"payment_method_id,omitempty"` // empty: the account's default
	Amount          Money      `json:"amount"`
	IP              string     `json:"ip,omitempty"`
	Location        *Location  `json:"location,omitempty"`
	Device          *Device    `json:"device,omitempty"`
	Merchant        string     `json:"merchant,omitempty"`
	OccurredAt      *time.Time `json:"occurred_at,omitempty"` // nil: now; at most 400 days back
}

// PaymentError is how a rejection is told.
type PaymentError struct {
	Code    string `json:"code"` // RejectionCode
	Message string `json:"message"`
}

// Reason is a ground, with a sentence for a person.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// NextStep is what the account holder can do about a rejection.
type NextStep struct {
	Kind    string `json:"kind"` // "verify", "wait", "retry" or "contact_support"
	URL     string `json:"url"`  // the page of the KYC Center to lead the holder to
	Message string `json:"message"`
}

// Payment is a decided payment.
type Payment struct {
	ID              string        `json:"id"`
	AccountID       string        `json:"account_id"`
	PaymentMethodID *string       `json:"payment_method_id"`
	Amount          Money         `json:"amount"`
	IP              *string       `json:"ip"`
	Location        *PaidFrom     `json:"location"`
	Device          *Device       `json:"device"`
	Merchant        *string       `json:"merchant"`
	OccurredAt      time.Time     `json:"occurred_at"`
	Outcome         string        `json:"outcome"` // Approved, Review or Rejected
	Error           *PaymentError `json:"error"`   // nil unless rejected
	Reasons         []Reason      `json:"reasons"`
	VerificationID  *string       `json:"verification_id"`
	CaseID          *string       `json:"case_id"`          // of a payment that was held
	ReportedOutcome *string       `json:"reported_outcome"` // what was reported last of what became of it
	NextStep        *NextStep     `json:"next_step"`        // nil unless rejected
	PolicyVersion   string        `json:"policy_version"`
	CreatedAt       time.Time     `json:"created_at"`
}

// PaymentFilter chooses payments.
type PaymentFilter struct {
	AccountID string // required
	Cursor    string
	Limit     int // 1 … 200; 0 means 50
}

// CreatePayment has a payment decided. A rejected payment is no error: look at Outcome. The key of Once is remembered for 30 days.
func (c *Client) CreatePayment(ctx context.Context, in NewPayment, options ...CallOption) (Payment, error) {
	return call[Payment](ctx, c, http.MethodPost, "/v1/payments", nil, in, options...)
}

// Payment returns one payment. Its decision stands; NextStep tells what can be done now.
func (c *Client) Payment(ctx context.Context, id string) (Payment, error) {
	return call[Payment](ctx, c, http.MethodGet, "/v1/payments/"+url.PathEscape(id), nil, nil)
}

// What can be reported of a payment.
const (
	Settled             = "settled"
	Refunded            = "refunded"
	Chargeback          = "chargeback"
	FraudConfirmed      = "fraud_confirmed"
	LegitimateConfirmed = "legitimate_confirmed"
)

// NewOutcome is what became of a payment.
type NewOutcome struct {
	Outcome string     `json:"outcome"`      // Settled, Refunded, Chargeback, FraudConfirmed or LegitimateConfirmed
	At      *time.Time `json:"at,omitempty"` // when it happened; nil: now
}

// ReportOutcome tells what became of a payment. A later report supersedes an earlier one.
func (c *Client) ReportOutcome(ctx context.Context, paymentID string, in NewOutcome, options ...CallOption) (Payment, error) {
	return call[Payment](ctx, c, http.MethodPost, "/v1/payments/"+url.PathEscape(paymentID)+"/outcome", nil, in, options...)
}

// ListPayments returns one page of an account's payments, newest first.
func (c *Client) ListPayments(ctx context.Context, filter PaymentFilter) (List[Payment], error) {
	query := paging(filter.Cursor, filter.Limit)
	set(query, "account_id", filter.AccountID)
	return call[List[Payment]](ctx, c, http.MethodGet, "/v1/payments", query, nil)
}

// AllPayments walks through all pages of ListPayments. It ends after the first error.
func (c *Client) AllPayments(ctx context.Context, filter PaymentFilter) iter.Seq2[Payment, error] {
	return pages(func(cursor string) (List[Payment], error) {
		filter.Cursor = first(cursor, filter.Cursor)
		return c.ListPayments(ctx, filter)
	})
}
