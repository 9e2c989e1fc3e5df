package client

import (
	"bytes"
	"context"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"
)

// PaymentSecurity is the type of a verification that follows a payment, or a payment method, that looked wrong.
const PaymentSecurity = "payment_security"

// The requirements of a payment_security verification.
const (
	GovernmentID         = "government_id"
	PaymentMethodPicture = "payment_method"
	BillingStatement     = "billing_statement"
)

// NewVerification asks for a verification without a payment.
type NewVerification struct {
	AccountID       string `json:"account_id"`
	Type            string `json:"type"`                        // PaymentSecurity
	PaymentMethodID string `json:"payment_method_id,omitempty"` // empty: the account's default
	Reason          string `json:"reason,omitempty"`            // for reviewers
}

// Requirement is one thing asked for.
type Requirement struct {
	Kind    string   `json:"kind"`
	Status  string   `json:"status"` // "required", "provided", "submitted", "accepted", "resubmission_requested" or "declined"
	Reasons []Reason `json:"reasons"`
}

// Verification is one run of requirements, evidence, review and outcome.
type Verification struct {
	ID              string        `json:"id"`
	AccountID       string        `json:"account_id"`
	Type            string        `json:"type"`
	Status          string        `json:"status"`
	Version         int64         `json:"version"`
	Requirements    []Requirement `json:"requirements"`
	Round           int           `json:"round"`
	DueAt           *time.Time    `json:"due_at"`          // nil while no clock runs
	EarliestDueAt   *time.Time    `json:"earliest_due_at"` // what DueAt would be if the notice were received now
	QueryCode       *string       `json:"query_code"`
	CaseID          *string       `json:"case_id"`
	PaymentID       *string       `json:"payment_id"`
	PaymentMethodID *string       `json:"payment_method_id"`
	OpenedAt        time.Time     `json:"opened_at"`
	SubmittedAt     *time.Time    `json:"submitted_at"`
	DecidedAt       *time.Time    `json:"decided_at"`
}

// VerificationFilter chooses verifications; empty fields choose all.
type VerificationFilter struct {
	AccountID string
	Status    string
	Cursor    string
	Limit     int // 1 … 200; 0 means 50
}

// OpenVerification opens a verification without a payment. While one is open, the *Error has Code "verification_already_open" and its
// VerificationID.
func (c *Client) OpenVerification(ctx context.Context, in NewVerification, options ...CallOption) (Verification, error) {
	return call[Verification](ctx, c, http.MethodPost, "/v1/verifications", nil, in, options...)
}

// Verification returns one verification.
func (c *Client) Verification(ctx context.Context, id string) (Verification, error) {
	return call[Verification](ctx, c, http.MethodGet, "/v1/verifications/"+url.PathEscape(id), nil, nil)
}

// ListVerifications returns one page of verifications, newest first.
func (c *Client) ListVerifications(ctx context.Context, filter VerificationFilter) (List[Verification], error) {
	query := paging(filter.Cursor, filter.Limit)
	set(query, "account_id", filter.AccountID)
	set(query, "status", filter.Status)
	return call[List[Verification]](ctx, c, http.MethodGet, "/v1/verifications", query, nil)
}

// AllVerifications walks through all pages of ListVerifications. It ends after the first error.
func (c *Client) AllVerifications(ctx context.Context, filter VerificationFilter) iter.Seq2[Verification, error] {
	return pages(func(cursor string) (List[Verification], error) {
		filter.Cursor = first(cursor, filter.Cursor)
		return c.ListVerifications(ctx, filter)
	})
}

// SubmitVerification hands the evidence to a reviewer.
func (c *Client) SubmitVerification(ctx context.Context, id string, options ...CallOption) (Verification, error) {
	return call[Verification](ctx, c, http.MethodPost, "/v1/verifications/"+url.PathEscape(id)+"/submit", nil, nil, options...)
}

// CancelVerification ends a verification that should not have been opened.
func (c *Client) CancelVerification(ctx context.Context, id string, options ...CallOption) (Verification, error) {
	return call[Verification](ctx, c, http.MethodPost, "/v1/verifications/"+url.PathEscape(id)+"/cancel", nil, nil, options...)
}

// NewEvidence is one attachment for one requirement.
type NewEvidence struct {
	Requirement  string // GovernmentID, PaymentMethodPicture or BillingStatement
	DocumentType string // for GovernmentID only: "passport", "driving_licence", "id_card" or "business_licence"
	Side         string // "front" or "back"; empty means front
	FileName     string // for people who look at the wire; Probity does not keep it
	Content      []byte // JPEG, PNG, WebP or PDF; at most 20 MiB
}

// Evidence is what was stored of an attachment, and what may be wrong with it.
type Evidence struct {
	ID             string    `json:"id"`
	VerificationID string    `json:"verification_id"`
	Requirement    string    `json:"requirement"`
	DocumentType   *string   `json:"document_type"`
	Side           string    `json:"side"`
	MediaType      string    `json:"media_type"`
	SizeBytes      int64     `json:"size_bytes"`
	Width          *int      `json:"width"`
	Height         *int      `json:"height"`
	Pages          *int      `json:"pages"`
	Findings       []Reason  `json:"findings"`
	CreatedAt      time.Time `json:"created_at"`
}

// SendEvidence sends one attachment.
func (c *Client) SendEvidence(ctx context.Context, verificationID string, in NewEvidence, options ...CallOption) (Evidence, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	err := form.WriteField("requirement", in.Requirement)
	for _, text := range []struct{ name, value string }{{"document_type", in.DocumentType}, {"side", in.Side}} {
		if err == nil && text.value != "" {
			err = form.WriteField(text.name, text.value)
		}
	}
	if err == nil {
		part, partError := form.CreateFormFile("file", first(in.FileName, "attachment"))
		if err = partError; err == nil {
			_, err = part.Write(in.Content)
		}
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return Evidence{}, err
	}
	return send[Evidence](ctx, c, request{
		method: http.MethodPost, path: "/v1/verifications/" + url.PathEscape(verificationID) + "/evidence", body: body.Bytes(), contentType: form.FormDataContentType(),
	}, options...)
}

// ListEvidence returns what counts as evidence of a verification, oldest first.
func (c *Client) ListEvidence(ctx context.Context, verificationID string) ([]Evidence, error) {
	list, err := call[List[Evidence]](ctx, c, http.MethodGet, "/v1/verifications/"+url.PathEscape(verificationID)+"/evidence", nil, nil)
	return list.Items, err
}
