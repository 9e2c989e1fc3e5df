// Package journal is the append-only record of every state change. An entry is written in the transaction of its change, so
// neither can exist without the other. Entries hold references and codes, never personal data: they outlive an erasure.
package journal

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
)

// EventType names what happened, as <object>.<past participle>. It is also the type of the webhook that tells of it.
type EventType string

// The event types.
const (
	TenantCreated       EventType = "tenant.created"
	TenantUpdated       EventType = "tenant.updated"
	AccountCreated      EventType = "account.created"
	AccountUpdated      EventType = "account.updated"
	PaymentMethodAdded  EventType = "payment_method.added"
	PaymentRejected     EventType = "payment.rejected"
	RetryGranted        EventType = "payment.retry_granted"
	RetryUsed           EventType = "payment.retry_used"
	PaymentHeld         EventType = "payment.review_opened"
	PaymentHeldApproved EventType = "payment.review_approved"
	PaymentHeldRejected EventType = "payment.review_rejected"
	PaymentOutcome      EventType = "payment.outcome_reported"
	PolicyDrafted       EventType = "policy.drafted"
	PolicyEdited        EventType = "policy.edited"
	PolicyProposed      EventType = "policy.proposed"
	PolicyApproved      EventType = "policy.approved"
	PolicyPublished     EventType = "policy.published"
	PolicyRetired       EventType = "policy.retired"
	PolicyWithdrawn     EventType = "policy.withdrawn"
	PolicyRolledBack    EventType = "policy.rolled_back"
	ListCreated         EventType = "list.created"
	ListDeleted         EventType = "list.deleted"
	ListEntryAdded      EventType = "list.entry_added"
	ListEntryRemoved    EventType = "list.entry_removed"
	RestrictionPlaced   EventType = "restriction.placed"
	RestrictionLifted   EventType = "restriction.lifted"
	VerificationOpened  EventType = "verification.opened"
	EvidenceReceived    EventType = "evidence.received"
	EvidenceWithdrawn   EventType = "evidence.withdrawn"
	DeadlineSet         EventType = "deadline.set"
	DeadlineMissed      EventType = "deadline.missed"
	VerificationSubmit  EventType = "verification.submitted"
	VerificationReview  EventType = "verification.in_review"
	VerificationApprove EventType = "verification.approved"
	VerificationResubmt EventType = "verification.resubmission_requested"
	VerificationDecline EventType = "verification.declined"
	VerificationCancel  EventType = "verification.canceled"
	CaseOpened          EventType = "case.opened"
	CaseDecided         EventType = "case.decided"
	CaseOverdue         EventType = "case.overdue"
	CaseWithdrawn       EventType = "case.withdrawn"
	NoticeCreated       EventType = "notice.created"
	NoticeAccepted      EventType = "notice.accepted"
	NoticeBounced       EventType = "notice.bounced"
	NoticeReceived      EventType = "notice.received"
	MessageRead         EventType = "message.read"
	TicketOpened        EventType = "ticket.opened"
	TicketClosed        EventType = "ticket.closed"
	EnforcementGrace    EventType = "enforcement.grace_started"
	EnforcementCleared  EventType = "enforcement.grace_ended"
	EnforcementSuspend  EventType = "enforcement.suspended"
	EnforcementResume   EventType = "enforcement.resumed"
	CommandAcknowledged EventType = "enforcement.acknowledged"
	CommandSuperseded   EventType = "enforcement.superseded"
	KeyCreated          EventType = "api_key.created"
	KeyRevoked          EventType = "api_key.revoked"
	StaffInvited        EventType = "staff.invited"
	StaffJoined         EventType = "staff.joined"
	StaffAccessEnded    EventType = "staff.access_ended"
	StaffAccessRestored EventType = "staff.access_restored"
	StaffSignedIn       EventType = "staff.signed_in"
	StaffSignInRefused  EventType = "staff.sign_in_refused"
	HolderSignedIn      EventType = "holder.signed_in"
	PortalSessionMinted EventType = "portal_session.created"
	WebhookEndpointMade EventType = "webhook_endpoint.created"
	WebhookEndpointGone EventType = "webhook_endpoint.deleted"
	WebhookEndpointOff  EventType = "webhook_endpoint.disabled"
	ClockAdvanced       EventType = "demo_clock.advanced"
	EvidenceViewed      EventType = "evidence.viewed"
)

// Draft is an entry before the store gives it its place and instant.
type Draft struct {
	Type      EventType
	ObjectID  string
	AccountID string            // empty when no account is concerned
	Data      map[string]string // references, codes and counts only; never personal data
}

// Entry is a stored journal entry. Sequence numbers of one tenant have no gaps.
type Entry struct {
	ID        string
	TenantID  string
	Sequence  int64
	At        time.Time
	Actor     access.Actor
	Type      EventType
	ObjectID  string
	AccountID string
	Data      map[string]string
}

// Of returns a draft with its data given as name, value, name, value …; empty values are left out.
func Of(t EventType, objectID, accountID string, pairs ...string) Draft {
	draft := Draft{Type: t, ObjectID: objectID, AccountID: accountID}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if draft.Data == nil {
			draft.Data = map[string]string{}
		}
		draft.Data[pairs[i]] = pairs[i+1]
	}
	return draft
}

// Known reports whether t is one of the event types.
func Known(t EventType) bool {
	for _, one := range EventTypes {
		if one == t {
			return true
		}
	}
	return false
}

// EventTypes lists every event type, in the order of the documentation.
var EventTypes = []EventType{
	TenantCreated, TenantUpdated, AccountCreated, AccountUpdated, PaymentMethodAdded, PaymentRejected, RetryGranted, RetryUsed,
	PaymentHeld, PaymentHeldApproved, PaymentHeldRejected, PaymentOutcome, PolicyDrafted, PolicyEdited, PolicyProposed, PolicyApproved,
	PolicyPublished, PolicyRetired, PolicyWithdrawn, PolicyRolledBack, ListCreated, ListDeleted, ListEntryAdded, ListEntryRemoved,
	RestrictionPlaced, RestrictionLifted, VerificationOpened, EvidenceReceived, EvidenceWithdrawn, EvidenceViewed, DeadlineSet,
	DeadlineMissed, VerificationSubmit, VerificationReview, VerificationApprove, VerificationResubmt, VerificationDecline,
	VerificationCancel, CaseOpened, CaseDecided, CaseOverdue, CaseWithdrawn, NoticeCreated, NoticeAccepted, NoticeBounced,
	NoticeReceived, MessageRead, TicketOpened, TicketClosed, EnforcementGrace, EnforcementCleared, EnforcementSuspend,
	EnforcementResume, CommandAcknowledged, CommandSuperseded, KeyCreated, KeyRevoked, StaffInvited, StaffJoined, StaffAccessEnded,
	StaffAccessRestored, StaffSignedIn,
	StaffSignInRefused, HolderSignedIn, PortalSessionMinted, WebhookEndpointMade, WebhookEndpointGone, WebhookEndpointOff, ClockAdvanced,
}
