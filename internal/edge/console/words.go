package console

import (
	"strings"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
)

// upperFirst writes a code as words: "id_card" → "Id card". It is for codes that have no name of their own below.
func upperFirst(code string) string {
	words := strings.ReplaceAll(code, "_", " ")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func kindName(k account.Kind) string {
	switch k {
	case account.Individual:
		return "Individual"
	case account.Enterprise:
		return "Enterprise"
	default:
		return upperFirst(string(k))
	}
}

func requirementName(k verification.RequirementKind) string {
	switch k {
	case verification.GovernmentID:
		return "Government ID"
	case verification.PaymentMethod:
		return "Payment method"
	case verification.BillingStatement:
		return "Latest statement"
	default:
		return upperFirst(string(k))
	}
}

func documentName(t verification.DocumentType) string {
	switch t {
	case verification.Passport:
		return "Passport"
	case verification.DrivingLicence:
		return "Driving licence"
	case verification.IDCard:
		return "ID card"
	case verification.BusinessLicence:
		return "Business licence"
	default:
		return upperFirst(string(t))
	}
}

func decisionName(d casework.Decision) string {
	switch d {
	case casework.Approve:
		return "Approved"
	case casework.RequestResubmission:
		return "Resubmission requested"
	case casework.Decline:
		return "Declined"
	case casework.Reject:
		return "Rejected"
	default:
		return "Withdrawn"
	}
}

func decisionTone(d casework.Decision) web.Tone {
	switch d {
	case casework.Approve:
		return web.Positive
	case casework.RequestResubmission:
		return web.Attention
	case casework.Decline, casework.Reject:
		return web.Negative
	default:
		return web.Neutral
	}
}

func noticeName(k notice.Kind) string {
	switch k {
	case notice.PaymentMethodAlert:
		return "Payment Method Security Alert"
	case notice.SubmissionReceived:
		return "Submission received, with the query code"
	case notice.ResubmissionRequested:
		return "Request to resubmit"
	case notice.VerificationApproved:
		return "Approval"
	case notice.VerificationDeclined:
		return "Decline"
	case notice.VerificationCanceled:
		return "Cancellation"
	case notice.ResourcesSuspended:
		return "Resources suspended"
	default:
		return upperFirst(string(k))
	}
}

// findingName says what was learned of a payment after it was decided.
func findingName(k payment.FindingKind) string {
	switch k {
	case payment.Settled:
		return "settled"
	case payment.Refunded:
		return "refunded"
	case payment.Chargeback:
		return "charged back"
	case payment.FraudConfirmed:
		return "fraud, confirmed"
	case payment.LegitimateConfirmed:
		return "legitimate, confirmed"
	case payment.ReviewApproved:
		return "approved by review"
	case payment.ReviewRejected:
		return "rejected by review"
	default:
		return string(k)
	}
}

func findingTone(k payment.FindingKind) web.Tone {
	switch k {
	case payment.Chargeback, payment.FraudConfirmed, payment.ReviewRejected:
		return web.Negative
	case payment.LegitimateConfirmed, payment.ReviewApproved:
		return web.Positive
	default:
		return web.Neutral
	}
}

// reasonLabel names a reason of the catalogue, or shows the code of one that a later version dropped.
func reasonLabel(code string) string {
	reason, known := casework.Catalogue().Lookup(code)
	if !known {
		return code
	}
	return reason.Label(web.English)
}

// sentBy says who sent a piece of evidence.
func sentBy(kind string) string {
	switch kind {
	case "staff":
		return "added by staff"
	case "key":
		return "sent by the platform"
	default:
		return "sent by the holder"
	}
}

// evidenceTitle names a piece of evidence: "Passport, front".
func evidenceTitle(e verification.Evidence) string {
	title := requirementName(e.Requirement)
	if e.DocumentType != "" {
		title = documentName(e.DocumentType)
	}
	if e.Side == verification.Back || e.Requirement == verification.GovernmentID {
		title += ", " + string(e.Side)
	}
	return title
}

// join writes words as a list: "a", "a and b", "a, b and c".
func join(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
