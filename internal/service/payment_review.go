package service

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// holdPayment opens the case of a payment that the policy wants a person to decide. The caller stores the payment itself, with the
// outcome review, in the same transaction, before or after. The account's lock is held by the caller. It returns the case's id.
func (s *Service) holdPayment(tx *store.Tx, actor access.Actor, p payment.Payment) (caseID string, err error) {
	t, err := tx.Tenant(p.TenantID)
	if err != nil {
		return "", err
	}
	due, err := s.reviewDueUnder(policy.Current(tx.Now()), t, tx.Now())
	if err != nil {
		return "", err
	}
	held := casework.Held{TenantID: p.TenantID, AccountID: p.Attempt.AccountID, PaymentID: p.ID}
	c, drafts := casework.StartPayment(id.New(id.Case, tx.Now()), held, due.At, tx.Now())
	opened := journal.Of(journal.PaymentHeld, p.ID, p.Attempt.AccountID, "case_id", c.ID, "reasons", payment.Codes(p.Reasons))
	return c.ID, insertCase(tx, actor, c, append([]journal.Draft{opened}, drafts...))
}

// decidePaymentReview carries out a person's decision on a held payment, all in one transaction: the payment becomes approved or
// rejected, its account's profile learns of it, and so does whoever follows the events.
func (s *Service) decidePaymentReview(tx *store.Tx, actor access.Actor, in CaseDecision) (CaseView, error) {
	c, err := tx.Case(actor.TenantID, in.CaseID)
	if err != nil {
		return CaseView{}, err
	}
	if err := tx.LockAccount(c.TenantID, c.AccountID); err != nil {
		return CaseView{}, err
	}
	if c, err = tx.Case(c.TenantID, c.ID); err != nil {
		return CaseView{}, err
	}
	p, err := s.knownPayment(tx, c.TenantID, c.PaymentID)
	if err != nil {
		return CaseView{}, err
	}
	if err := s.closeCase(tx, actor, in, c); err != nil {
		return CaseView{}, err
	}
	resolution := payment.Resolution{Approve: in.Decision == casework.Approve, CaseID: c.ID, Reasons: reasonsGiven(in.Reasons), By: actor.ID}
	if resolution.Approve {
		err = s.approveHeld(tx, actor, p, resolution)
	} else {
		err = s.rejectHeld(tx, actor, p, resolution, in.OpenVerification)
	}
	if err != nil {
		return CaseView{}, err
	}
	if err := s.confirmByReview(tx, actor, p.ID, in.Reasons); err != nil {
		return CaseView{}, err
	}
	if c, err = tx.Case(c.TenantID, c.ID); err != nil {
		return CaseView{}, err
	}
	return s.caseView(tx, c)
}

// reasonsGiven are the grounds of a review as the payment's platform and customer read them.
func reasonsGiven(reasons []verification.Reason) []payment.Reason {
	var out []payment.Reason
	for _, given := range reasons {
		known, _ := casework.LookupPaymentReason(given.Code)
		out = append(out, payment.Reason{Code: given.Code, Message: known.Text("en")})
	}
	return out
}

// approveHeld lets a held payment pass. An account that was restricted meanwhile pays nothing, whoever approves: its verification is decided first.
func (s *Service) approveHeld(tx *store.Tx, actor access.Actor, p knownPayment, resolution payment.Resolution) error {
	if _, restricted, err := tx.StandingRestriction(p.TenantID, p.Attempt.AccountID); err != nil {
		return err
	} else if restricted {
		return problem.New(problem.Conflict, ReasonRestricted,
			"the account's payments are restricted until its verification is approved; decide that first, or reject this payment")
	}
	if payment.VerdictOf(p.findings) == payment.Fraud {
		return problem.New(problem.Conflict, "payment_is_fraud", "this payment was reported as fraud; reject it, or report it as legitimate first")
	}
	finding, drafts, err := p.Resolve(id.New(id.Finding, tx.Now()), resolution, p.findings, tx.Now())
	if err != nil {
		return err
	}
	if _, err := tx.InsertFinding(actor, finding, drafts); err != nil {
		return err
	}
	return s.changeProfile(tx, p.TenantID, p.Attempt.AccountID, func(series *history.SeriesSet, profile *history.Profile) {
		entry := p.entry
		entry.Outcome = history.ApprovedAfterReview
		profile.Fold(series, &entry)
	})
}

// rejectHeld rejects a held payment. Unlike a rejection by the policy it restricts nothing by itself: a person has looked, and says
// whether the account has to be verified too.
func (s *Service) rejectHeld(tx *store.Tx, actor access.Actor, p knownPayment, resolution payment.Resolution, verify bool) error {
	var v verification.Verification
	opened := false
	if verify {
		a, err := tx.Account(p.TenantID, p.Attempt.AccountID)
		if err != nil {
			return err
		}
		if v, opened, err = s.openVerification(tx, actor, opening{account: a, methodID: p.Attempt.PaymentMethodID, paymentID: p.ID}); err != nil {
			return err
		}
		resolution.VerificationID = v.ID
	}
	finding, drafts, err := p.Resolve(id.New(id.Finding, tx.Now()), resolution, p.findings, tx.Now())
	if err != nil {
		return err
	}
	if _, err := tx.InsertFinding(actor, finding, drafts); err != nil || !opened {
		return err
	}
	return s.notify(tx, v, notice.PaymentMethodAlert)
}

// confirmByReview reports what the grounds of a review say about fraud, as a platform would.
func (s *Service) confirmByReview(tx *store.Tx, actor access.Actor, paymentID string, reasons []verification.Reason) error {
	kind := payment.FindingKind("")
	for _, given := range reasons {
		reason, _ := casework.LookupPaymentReason(given.Code)
		switch {
		case reason.Fraud:
			kind = payment.FraudConfirmed
		case reason.Legitimate && kind == "":
			kind = payment.LegitimateConfirmed
		}
	}
	if kind == "" {
		return nil
	}
	p, err := s.knownPayment(tx, actor.TenantID, paymentID)
	if err != nil {
		return err
	}
	_, err = s.learnOutcome(tx, actor, p, payment.Report{Kind: kind})
	return err
}

// heldView fills the view of a case about a held payment.
func (s *Service) heldView(tx *store.Tx, view CaseView) (CaseView, error) {
	c := view.ThisCase
	var err error
	if view.Held, err = s.paymentView(tx, c.TenantID, c.PaymentID); err != nil {
		return view, err
	}
	if view.Tenant, err = tx.Tenant(c.TenantID); err != nil {
		return view, err
	}
	if view.Account, err = tx.Account(c.TenantID, c.AccountID); err != nil {
		return view, err
	}
	if methodID := view.Held.Payment.Attempt.PaymentMethodID; methodID != "" {
		if view.Method, err = tx.PaymentMethod(c.TenantID, c.AccountID, methodID); err != nil {
			return view, err
		}
	}
	review, found, err := tx.ReviewOf(c.TenantID, c.ID)
	if found {
		view.Reviews = []casework.Review{review}
	}
	return view, err
}

// reasonCodes are the codes of the reasons, with a space between them, for the journal.
func reasonCodes(reasons []payment.Reason) string { return payment.Codes(reasons) }
