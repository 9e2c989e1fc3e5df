package service

import (
	"context"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// OutcomeReport is what became of a payment, as its platform or a member of staff tells.
type OutcomeReport struct {
	PaymentID string
	Kind      payment.FindingKind
	At        time.Time // when it happened; zero means now
}

// knownPayment is a payment with what was learned of it, and as history knows it.
type knownPayment struct {
	payment.Payment
	findings []payment.Finding
	entry    history.Entry // its Outcome is the effective one
}

// knownPayment reads a payment with all that is known of it. Callers that change something hold its account's lock.
func (s *Service) knownPayment(tx *store.Tx, tenantID, paymentID string) (knownPayment, error) {
	var known knownPayment
	var err error
	if known.Payment, err = tx.Payment(tenantID, paymentID); err != nil {
		return known, err
	}
	if known.findings, err = tx.FindingsOf(tenantID, known.Attempt.AccountID, paymentID); err != nil {
		return known, err
	}
	live, err := s.livePolicy(tx, tenantID)
	if err != nil {
		return known, err
	}
	logged := store.LogEntry{Payment: known.Payment}
	if methodID := known.Attempt.PaymentMethodID; methodID != "" {
		method, err := tx.PaymentMethod(tenantID, known.Attempt.AccountID, methodID)
		if err == nil {
			logged.MethodKind, logged.Fingerprint = method.Kind, method.Fingerprint
		} else if !problem.Is(err, problem.NotFound) { // a past payment may name one that we never knew
			return known, err
		}
	}
	known.entry = entryOf(live.Policy, &logged)
	known.entry.Outcome = outcomeOf(known.Effective(known.findings))
	return known, nil
}

// ReportOutcome stores what became of a payment. What aggregates compute from it counts from now on and never for an earlier instant: we
// did not know then. A later report supersedes an earlier one; the same one again changes nothing.
func (s *Service) ReportOutcome(ctx context.Context, actor access.Actor, in OutcomeReport) (PaymentView, error) {
	var view PaymentView
	if err := actor.Require(access.ReportOutcomes); err != nil {
		return view, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		p, err := tx.Payment(actor.TenantID, in.PaymentID)
		if err != nil {
			return err
		}
		if err := tx.LockAccount(p.TenantID, p.Attempt.AccountID); err != nil {
			return err
		}
		known, err := s.knownPayment(tx, p.TenantID, p.ID)
		if err != nil {
			return err
		}
		if _, err := s.learnOutcome(tx, actor, known, payment.Report{Kind: in.Kind, At: in.At}); err != nil {
			return err
		}
		view, err = s.paymentView(tx, p.TenantID, p.ID)
		return err
	})
	return view, err
}

// learnOutcome stores a report and lets the account's profile learn what it says about fraud. Other aggregates follow behind.
func (s *Service) learnOutcome(tx *store.Tx, actor access.Actor, p knownPayment, report payment.Report) (payment.Finding, error) {
	finding, drafts, isNew, err := p.Learn(id.New(id.Finding, tx.Now()), report, p.findings, actor.ID, tx.Now())
	if err != nil || !isNew {
		return finding, err
	}
	if finding, err = tx.InsertFinding(actor, finding, drafts); err != nil {
		return finding, err
	}
	before, after := payment.VerdictOf(p.findings), payment.VerdictOf(append(p.findings[:len(p.findings):len(p.findings)], finding))
	label, changed := labelOf(p.entry, before, after, finding.KnownAt)
	if !changed {
		return finding, nil
	}
	return finding, s.changeProfile(tx, p.TenantID, p.Attempt.AccountID, func(series *history.SeriesSet, profile *history.Profile) {
		profile.FoldLabel(series, &label)
	})
}

// labelOf is what history has to learn when the verdict on a payment changes; only fraud is counted.
func labelOf(entry history.Entry, before, after payment.Verdict, knownAt time.Time) (history.Label, bool) {
	if (before == payment.Fraud) == (after == payment.Fraud) {
		return history.Label{}, false
	}
	return history.Label{Payment: entry.Payment, Outcome: entry.Outcome, Fraud: true, Undo: before == payment.Fraud, KnownAt: knownAt}, true
}
