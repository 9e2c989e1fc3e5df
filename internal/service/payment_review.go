package service

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/standard/id"
)

// holdPayment opens the case of a payment that the policy wants a person to decide. The caller stores the payment itself, with the
// outcome review, in the same transaction, before or after. The account's lock is held by the caller.
func (s *Service) holdPayment(tx *store.Tx, actor access.Actor, p payment.Payment) error {
	t, err := tx.Tenant(p.TenantID)
	if err != nil {
		return err
	}
	due, err := s.reviewDueUnder(policy.Current(tx.Now()), t, tx.Now())
	if err != nil {
		return err
	}
	held := casework.Held{TenantID: p.TenantID, AccountID: p.Attempt.AccountID, PaymentID: p.ID}
	c, drafts := casework.StartPayment(id.New(id.Case, tx.Now()), held, due.At, tx.Now())
	opened := journal.Of(journal.PaymentHeld, p.ID, p.Attempt.AccountID, "case_id", c.ID, "reasons", reasonCodes(p.Reasons))
	return insertCase(tx, actor, c, append([]journal.Draft{opened}, drafts...))
}

// reasonCodes are the codes of the reasons, with a space between them, for the journal.
func reasonCodes(reasons []payment.Reason) string {
	codes := ""
	for i, reason := range reasons {
		if i > 0 {
			codes += " "
		}
		codes += reason.Code
	}
	return codes
}
