// Package notice is what an account holder is told: by e-mail and as an Internal Message, in their language. The notices that ask
// something of the holder start a clock when they are received.
package notice

import (
	"strconv"
	"time"

	"github.com/probity/probity/internal/domain/journal"
)

// Kind says what a notice tells.
type Kind string

// The kinds of notice.
const (
	PaymentMethodAlert    Kind = "payment_method_security_alert" // starts the clock of round 1
	SubmissionReceived    Kind = "submission_received"           // carries the query code
	ResubmissionRequested Kind = "resubmission_requested"        // starts the clock of a later round
	VerificationApproved  Kind = "verification_approved"
	VerificationDeclined  Kind = "verification_declined"
	VerificationCanceled  Kind = "verification_canceled"
	ResourcesSuspended    Kind = "resources_suspended"
)

// Kinds lists every kind, for completeness tests of the texts.
var Kinds = []Kind{
	PaymentMethodAlert, SubmissionReceived, ResubmissionRequested, VerificationApproved, VerificationDeclined, VerificationCanceled, ResourcesSuspended,
}

// StartsClock reports whether the receipt of the notice starts the clock of a submission.
func (k Kind) StartsClock() bool { return k == PaymentMethodAlert || k == ResubmissionRequested }

// Notice is one thing told to one account holder.
type Notice struct {
	ID             string
	TenantID       string
	AccountID      string
	VerificationID string
	Round          int // of the verification, so that a late receipt does not start a later round's clock
	Kind           Kind
	MessageID      string // its Internal Message
	Version        int64
	CreatedAt      time.Time
	AcceptedAt     time.Time // when a mail server took the mail
	BouncedAt      time.Time // when it was refused for good
	ReceivedAt     time.Time // when it counts as received: final acceptance, or the Internal Message opened
}

// Message is an Internal Message: the notice as the holder reads it in the KYC Center.
type Message struct {
	ID             string
	TenantID       string
	AccountID      string
	VerificationID string
	NoticeID       string
	Subject        string
	Body           string // plain text
	CreatedAt      time.Time
	ReadAt         time.Time // zero while unread
}

// Accept notes that a mail server took the mail. Only a final acceptance, by the recipient's own server, counts as receipt; behind
// a relay it does not (design §5).
func (n Notice) Accept(final bool, now time.Time) (Notice, []journal.Draft, bool) {
	if !n.AcceptedAt.IsZero() {
		return n, nil, false
	}
	n.AcceptedAt = now
	n.Version++
	drafts := []journal.Draft{journal.Of(journal.NoticeAccepted, n.ID, n.AccountID,
		"verification_id", n.VerificationID, "final", strconv.FormatBool(final))}
	if final && n.ReceivedAt.IsZero() {
		n.ReceivedAt = now
		drafts = append(drafts, n.received("mail"))
	}
	return n, drafts, true
}

// Bounce notes that the mail was refused for good. Staff see it; no clock starts by it.
func (n Notice) Bounce(now time.Time) (Notice, []journal.Draft, bool) {
	if !n.AcceptedAt.IsZero() || !n.BouncedAt.IsZero() {
		return n, nil, false
	}
	n.BouncedAt = now
	n.Version++
	return n, []journal.Draft{journal.Of(journal.NoticeBounced, n.ID, n.AccountID, "verification_id", n.VerificationID)}, true
}

// Opened notes that the holder opened the Internal Message, which is receipt.
func (n Notice) Opened(now time.Time) (Notice, []journal.Draft, bool) {
	if !n.ReceivedAt.IsZero() {
		return n, nil, false
	}
	n.ReceivedAt = now
	n.Version++
	return n, []journal.Draft{n.received("internal_message")}, true
}

func (n Notice) received(by string) journal.Draft {
	return journal.Of(journal.NoticeReceived, n.ID, n.AccountID,
		"verification_id", n.VerificationID, "by", by, "kind", string(n.Kind), "round", strconv.Itoa(n.Round))
}
