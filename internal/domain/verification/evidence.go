package verification

import (
	"time"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/standard/problem"
)

// DocumentType is the sort of document sent for government_id.
type DocumentType string

// The document types. A business licence is accepted from an enterprise only.
const (
	Passport        DocumentType = "passport"
	DrivingLicence  DocumentType = "driving_licence"
	IDCard          DocumentType = "id_card"
	BusinessLicence DocumentType = "business_licence"
)

// DocumentTypes lists what an account of the kind may send for government_id.
func DocumentTypes(kind account.Kind) []DocumentType {
	if kind == account.Enterprise {
		return []DocumentType{BusinessLicence, Passport, DrivingLicence, IDCard}
	}
	return []DocumentType{Passport, DrivingLicence, IDCard}
}

// Side is the side of a document or card.
type Side string

// The sides.
const (
	Front Side = "front"
	Back  Side = "back"
)

// MaxEvidencePerRequirement bounds what one requirement of one verification can hold.
const MaxEvidencePerRequirement = 10

// Finding is something about a piece of evidence that its sender should know before submitting. It never blocks submission.
type Finding struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Evidence is one thing submitted for a requirement. Its bytes are an attachment in the vault.
type Evidence struct {
	ID             string
	TenantID       string
	VerificationID string
	AccountID      string
	Requirement    RequirementKind
	DocumentType   DocumentType // government_id only
	Side           Side
	Round          int
	AttachmentID   string
	MediaType      string
	Size           int64 // bytes of the attachment before sealing
	Width, Height  int   // pixels; zero for a PDF
	Pages          int
	Findings       []Finding
	SentBy         string // key, staff or holder
	CreatedAt      time.Time
	WithdrawnAt    time.Time // zero while it counts
}

// CheckPlacement returns the first rule that the evidence's place breaks: requirement, document type and side.
func (e Evidence) CheckPlacement(kind account.Kind) error {
	switch e.Requirement {
	case GovernmentID:
		if err := checkDocumentType(e.DocumentType, kind); err != nil {
			return err
		}
	case PaymentMethod, BillingStatement:
		if e.DocumentType != "" {
			return problem.Field("document_type", "document_type_not_expected", "document_type is for government_id only; leave it out")
		}
	default:
		return problem.Field("requirement", "requirement_unknown", "requirement must be government_id, payment_method or billing_statement")
	}
	if e.Side != "" && e.Side != Front && e.Side != Back {
		return problem.Field("side", "side_unknown", "side must be front or back")
	}
	return nil
}

func checkDocumentType(t DocumentType, kind account.Kind) error {
	if t == "" {
		return problem.Field("document_type", "required", "government_id needs document_type: passport, driving_licence, id_card or, for an enterprise, business_licence")
	}
	for _, accepted := range DocumentTypes(kind) {
		if t == accepted {
			return nil
		}
	}
	if t == BusinessLicence {
		return problem.Field("document_type", "id.type_not_accepted", "a business licence is accepted from an enterprise only; send a passport, driving licence or ID card")
	}
	return problem.Field("document_type", "document_type_unknown", "document_type must be passport, driving_licence, id_card or, for an enterprise, business_licence")
}
