package service

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/standard/problem"
)

// What a decision changes beside the log. Each of these runs in a part of the group's transaction of its own.

// rejectRestricted answers a payment of an account that may not pay: the same code and the same verification, and no new notice.
func (g *group) rejectRestricted(d *decision, e *store.LogEntry) error {
	restriction, found, err := g.tx.StandingRestriction(e.TenantID, e.Attempt.AccountID)
	if err != nil {
		return err
	}
	if !found {
		return problem.New(problem.Conflict, "changed_meanwhile", "the account's restriction was lifted at the same time; repeat the payment")
	}
	e.Outcome, e.VerificationID = payment.Rejected, restriction.VerificationID
	e.Reasons = []payment.Reason{{Code: ReasonRestricted, Message: "Payments of this account are restricted until its verification is approved."}}
	return g.tx.AppendRejectedPayment(d.actor, e, []journal.Draft{rejected(e.Payment)})
}

// rejectUnchecked answers a payment for whose rules the time was over. Nothing was found against its holder, so nobody is restricted, and
// it can be tried again.
func (g *group) rejectUnchecked(d *decision, e *store.LogEntry) error {
	e.Outcome = payment.Rejected
	return g.tx.AppendRejectedPayment(d.actor, e, []journal.Draft{rejected(e.Payment)})
}

// reject restricts the account, opens a verification and notifies its holder.
func (g *group) reject(d *decision, e *store.LogEntry, method payment.Method) error {
	a, err := g.tx.Account(e.TenantID, e.Attempt.AccountID)
	if err != nil {
		return err
	}
	e.Outcome = payment.Rejected
	v, opened, err := g.openVerification(g.tx, d.actor, opening{account: a, methodID: method.ID, paymentID: e.ID})
	if err != nil {
		return err
	}
	e.VerificationID = v.ID
	if err := g.tx.AppendRejectedPayment(d.actor, e, []journal.Draft{rejected(e.Payment)}); err != nil || !opened {
		return err
	}
	// The notice names the payment, so it comes last.
	return g.notify(g.tx, v, notice.PaymentMethodAlert)
}

// approveGranted stores a payment that a retry grant lets pass. The grant is used up, needed or not: it was meant for this retry, and
// must not wait for another payment.
func (g *group) approveGranted(d *decision, e *store.LogEntry, grant payment.RetryGrant) error {
	e.Outcome, e.GrantID = payment.Approved, grant.ID
	if err := g.tx.UseRetryGrant(d.actor, grant, e.ID, []journal.Draft{
		journal.Of(journal.RetryUsed, e.ID, e.Attempt.AccountID, "grant_id", grant.ID, "verification_id", grant.VerificationID),
	}); err != nil {
		return err
	}
	return g.tx.AppendPayments([]*store.LogEntry{e})
}

// hold keeps a payment until a person has decided it.
func (g *group) hold(d *decision, e *store.LogEntry) error {
	e.Outcome = payment.Review
	if err := g.tx.AppendPayments([]*store.LogEntry{e}); err != nil {
		return err
	}
	caseID, err := g.holdPayment(g.tx, d.actor, e.Payment)
	d.result.View.CaseID = caseID
	return err
}

func rejected(p payment.Payment) journal.Draft {
	return journal.Of(journal.PaymentRejected, p.ID, p.Attempt.AccountID, "verification_id", p.VerificationID, "reasons", reasonCodes(p.Reasons))
}

func reasonsOf(decided risk.Decision) []payment.Reason {
	var reasons []payment.Reason
	for _, reason := range decided.Reasons {
		reasons = append(reasons, payment.Reason{Code: reason.Code, Message: reason.Message("en")})
	}
	return reasons
}

// fittingGrant finds the retry that the attempt may use, the oldest and so the one that expires first.
func fittingGrant(tx *store.Tx, attempt payment.Attempt, tenantID string) (payment.RetryGrant, bool, error) {
	grants, err := tx.OpenRetryGrants(tenantID, attempt.AccountID)
	if err != nil {
		return payment.RetryGrant{}, false, err
	}
	for _, grant := range grants {
		if grant.Fits(attempt, tx.Now()) {
			return grant, true, nil
		}
	}
	return payment.RetryGrant{}, false, nil
}
