package verification

import (
	"testing"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/standard/problem"
)

func TestThePlaceOfEvidence(t *testing.T) {
	for _, c := range []struct {
		name     string
		kind     account.Kind
		evidence Evidence
		field    string
		code     string
	}{
		{"a passport of a person is accepted", account.Individual, Evidence{Requirement: GovernmentID, DocumentType: Passport}, "", ""},
		{"the back of an ID card is accepted", account.Individual, Evidence{Requirement: GovernmentID, DocumentType: IDCard, Side: Back}, "", ""},
		{"a business licence of an enterprise is accepted", account.Enterprise, Evidence{Requirement: GovernmentID, DocumentType: BusinessLicence}, "", ""},
		{"a passport of an enterprise's owner is accepted", account.Enterprise, Evidence{Requirement: GovernmentID, DocumentType: Passport}, "", ""},
		{"a statement needs no document type", account.Individual, Evidence{Requirement: BillingStatement}, "", ""},
		{"a business licence of a person is not accepted", account.Individual, Evidence{Requirement: GovernmentID, DocumentType: BusinessLicence}, "document_type", "id.type_not_accepted"},
		{"a government ID without its document type is refused", account.Individual, Evidence{Requirement: GovernmentID}, "document_type", "required"},
		{"an unknown document type is refused", account.Individual, Evidence{Requirement: GovernmentID, DocumentType: "library_card"}, "document_type", "document_type_unknown"},
		{"a card with a document type is refused", account.Individual, Evidence{Requirement: PaymentMethod, DocumentType: Passport}, "document_type", "document_type_not_expected"},
		{"an unknown requirement is refused", account.Individual, Evidence{Requirement: "selfie"}, "requirement", "requirement_unknown"},
		{"no requirement is refused", account.Individual, Evidence{}, "requirement", "requirement_unknown"},
		{"an unknown side is refused", account.Individual, Evidence{Requirement: PaymentMethod, Side: "edge"}, "side", "side_unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.evidence.CheckPlacement(c.kind)
			if c.code == "" {
				if err != nil {
					t.Errorf("got %v, want it accepted", err)
				}
				return
			}
			if p := problem.As(err); p == nil || p.Code != c.code || p.Field != c.field {
				t.Errorf("got %v, want %s of %s", err, c.code, c.field)
			}
		})
	}
}
