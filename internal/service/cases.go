package service

import (
	"context"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// CaseView is a case with everything that its decision needs.
type CaseView struct {
	VerificationView
	ThisCase casework.Case     // the case asked for, which need not be the verification's latest
	Reviews  []casework.Review // every decision on the verification, oldest first
	// Held is the payment that the case is about, when its kind is payment_review. Then of the verification only Tenant, Account and Method are set.
	Held PaymentView
}

// CaseCounts says how much work waits.
type CaseCounts struct {
	Open    int
	Overdue int
}

// CaseSummary is a case as a line of the queue.
type CaseSummary struct {
	Case    casework.Case
	Account account.Account
	Held    payment.Payment // that the case is about, when its kind is payment_review
}

// CaseDecision is what a reviewer, or a key, decides on a case.
type CaseDecision struct {
	CaseID          string
	Decision        casework.Decision
	Reasons         []verification.Reason
	Note            string // internal
	ExpectedVersion int64  // 0 means: whatever version stands
	// OpenVerification asks for a verification of the account beside the rejection of a held payment, with all that goes with one: the
	// account is restricted and its holder notified.
	OpenVerification bool
}

// Cases lists cases: open ones by due time, others newest first.
func (s *Service) Cases(ctx context.Context, actor access.Actor, filter store.CaseFilter, page store.Page) ([]CaseSummary, string, error) {
	var out []CaseSummary
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	if filter.Status != "" && !filter.Status.Valid() {
		return nil, "", problem.Field("status", "status_unknown", "status must be open, decided or withdrawn")
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		found, cursor, err := tx.ListCases(actor.TenantID, filter, page)
		if err != nil {
			return err
		}
		next = cursor
		held, err := heldPayments(tx, actor.TenantID, found)
		if err != nil {
			return err
		}
		for _, c := range found {
			a, err := tx.Account(c.TenantID, c.AccountID)
			if err != nil {
				return err
			}
			summary := CaseSummary{Case: c, Account: a}
			if p, is := held[c.PaymentID]; is {
				summary.Held = p.Payment
			}
			out = append(out, summary)
		}
		return nil
	})
	return out, next, err
}

// heldPayments returns the payments that some of the cases are about, by their ids.
func heldPayments(tx *store.Tx, tenantID string, cases []casework.Case) (map[string]*store.LogEntry, error) {
	var ids []string
	for _, c := range cases {
		if c.Kind == casework.PaymentReview {
			ids = append(ids, c.PaymentID)
		}
	}
	return tx.LoggedPayments(tenantID, ids)
}

// CountCases says how many cases are open, and how many of them are overdue.
func (s *Service) CountCases(ctx context.Context, actor access.Actor) (CaseCounts, error) {
	var counts CaseCounts
	if err := actor.Require(access.ReadTenant); err != nil {
		return counts, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		counts.Open, counts.Overdue, err = tx.CountCases(actor.TenantID)
		return err
	})
	return counts, err
}

// Case returns one case of the tenant.
func (s *Service) Case(ctx context.Context, actor access.Actor, caseID string) (CaseView, error) {
	var view CaseView
	if err := actor.Require(access.ReadTenant); err != nil {
		return view, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		c, err := tx.Case(actor.TenantID, caseID)
		if err != nil {
			return err
		}
		view, err = s.caseView(tx, c)
		return err
	})
	return view, err
}

func (s *Service) caseView(tx *store.Tx, c casework.Case) (CaseView, error) {
	view := CaseView{ThisCase: c}
	if c.Kind == casework.PaymentReview {
		return s.heldView(tx, view)
	}
	v, err := tx.Verification(c.TenantID, c.VerificationID)
	if err != nil {
		return view, err
	}
	if view.VerificationView, err = s.verificationView(tx, v); err != nil {
		return view, err
	}
	view.Reviews, err = tx.ReviewsOf(c.TenantID, v.ID)
	return view, err
}

// openCase opens the case of a submission, due two business days on, and the job that notices when that is missed.
func (s *Service) openCase(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	t, err := tx.Tenant(v.TenantID)
	if err != nil {
		return err
	}
	due, err := s.reviewDue(t, v, tx.Now())
	if err != nil {
		return err
	}
	c, drafts := casework.Start(v.CaseID, v, due.At, tx.Now())
	return insertCase(tx, actor, c, drafts)
}

// insertCase adds an open case, and the job that notices when its due time passes.
func insertCase(tx *store.Tx, actor access.Actor, c casework.Case, drafts []journal.Draft) error {
	if err := tx.InsertCase(actor, c, drafts); err != nil {
		return err
	}
	return tx.Enqueue(store.Job{
		TenantID: c.TenantID, Kind: JobCaseOverdue, DueAt: justAfter(c.DueAt), Payload: map[string]string{"case_id": c.ID}, Key: "case_overdue:" + c.ID,
	})
}

// DecideCase records a decision and carries out what follows from it, all in one transaction: the first of two reviewers decides,
// the second is told.
func (s *Service) DecideCase(ctx context.Context, actor access.Actor, in CaseDecision) (CaseView, error) {
	var view CaseView
	if err := actor.Require(access.DecideCases); err != nil {
		return view, err
	}
	if err := account.CheckText("note", in.Note, casework.MaxNote); err != nil {
		return view, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		c, err := tx.Case(actor.TenantID, in.CaseID)
		if err != nil {
			return err
		}
		if err := checkCaseDecision(c, in); err != nil {
			return err
		}
		if c.Kind == casework.PaymentReview {
			view, err = s.decidePaymentReview(tx, actor, in)
			return err
		}
		v, err := s.lockVerification(tx, actor, access.DecideCases, c.VerificationID)
		if err != nil {
			return err
		}
		if c, err = tx.Case(actor.TenantID, in.CaseID); err != nil {
			return err
		}
		if err := s.decide(tx, actor, in, c, v); err != nil {
			return err
		}
		if c, err = tx.Case(actor.TenantID, in.CaseID); err != nil {
			return err
		}
		view, err = s.caseView(tx, c)
		return err
	})
	return view, err
}

// checkCaseDecision checks what needs no lock: the decision, and its reasons against the catalogue of the case's kind.
func checkCaseDecision(c casework.Case, in CaseDecision) error {
	if c.Kind == casework.PaymentReview {
		if in.OpenVerification && in.Decision != casework.Reject {
			return problem.Field("open_verification", "not_expected", "a verification is opened with a rejection only; leave open_verification out")
		}
		return casework.CheckPaymentReasons(in.Reasons, in.Decision)
	}
	if in.OpenVerification {
		return problem.Field("open_verification", "not_expected", "this case is about a verification already; leave open_verification out")
	}
	return casework.CheckReasons(in.Reasons, in.Decision)
}

func (s *Service) decide(tx *store.Tx, actor access.Actor, in CaseDecision, c casework.Case, v verification.Verification) error {
	if err := s.closeCase(tx, actor, in, c); err != nil {
		return err
	}
	switch in.Decision {
	case casework.Approve:
		return s.approve(tx, actor, v)
	case casework.RequestResubmission:
		return s.requestResubmission(tx, actor, v, in.Reasons)
	case casework.Decline:
		return s.decline(tx, actor, v, in.Reasons)
	default:
		return problem.Field("decision", "decision_unknown", "decision must be approve, request_resubmission or decline")
	}
}

// closeCase records the decision on a case, whatever follows from it.
func (s *Service) closeCase(tx *store.Tx, actor access.Actor, in CaseDecision, c casework.Case) error {
	decidedCase, drafts, err := c.Decide(in.Decision, tx.Now())
	if err != nil {
		return err
	}
	if in.ExpectedVersion != 0 {
		if err := c.CheckVersion(in.ExpectedVersion); err != nil {
			return err
		}
	}
	if err := tx.SaveCase(actor, decidedCase, drafts); err != nil {
		return err
	}
	if err := tx.InsertReview(casework.Review{
		ID: id.New(id.Review, tx.Now()), TenantID: c.TenantID, CaseID: c.ID, Decision: in.Decision, Reasons: in.Reasons, Note: in.Note,
		ActorKind: string(actor.Kind), ActorID: actor.ID, DecidedAt: tx.Now(),
	}); err != nil {
		return err
	}
	return tx.CancelJob(c.TenantID, "case_overdue:"+c.ID)
}

// approve lifts the restriction, resumes what was suspended, teaches the account's profile, grants one retry and tells the holder.
func (s *Service) approve(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	v, drafts, err := v.Approve(tx.Now())
	if err != nil {
		return err
	}
	if err := tx.SaveVerification(actor, v, drafts); err != nil {
		return err
	}
	if err := s.liftRestriction(tx, actor, v); err != nil {
		return err
	}
	if err := s.resume(tx, actor, v); err != nil {
		return err
	}
	if err := s.teach(tx, actor, v); err != nil {
		return err
	}
	return s.notify(tx, v, notice.VerificationApproved)
}

// teach makes the rejected payment's place, device and method known, and grants one retry up to its amount (design §4). Without a
// payment only the method concerned becomes known.
func (s *Service) teach(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	lesson, p, err := lessonOf(tx, v)
	if err != nil {
		return err
	}
	lesson.At = tx.Now()
	if p != nil {
		grant := payment.RetryGrant{
			ID: id.New(id.RetryGrant, tx.Now()), TenantID: v.TenantID, AccountID: v.AccountID, VerificationID: v.ID, PaymentID: p.ID,
			PaymentMethodID: p.Attempt.PaymentMethodID, Amount: p.Attempt.Amount, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(payment.RetryGrantFor),
		}
		if err := tx.InsertRetryGrant(actor, grant, []journal.Draft{
			journal.Of(journal.RetryGranted, p.ID, v.AccountID, "grant_id", grant.ID, "verification_id", v.ID),
		}); err != nil {
			return err
		}
	}
	return s.changeProfile(tx, v.TenantID, v.AccountID, func(_ *history.SeriesSet, profile *history.Profile) { profile.Learn(lesson) })
}

func (s *Service) requestResubmission(tx *store.Tx, actor access.Actor, v verification.Verification, reasons []verification.Reason) error {
	v, drafts, err := v.RequestResubmission(reasons, tx.Now())
	if err != nil {
		return err
	}
	if err := tx.SaveVerification(actor, v, drafts); err != nil {
		return err
	}
	return s.notify(tx, v, notice.ResubmissionRequested)
}

// decline ends the verification; the restriction stays, and nothing is released by it (design §5).
func (s *Service) decline(tx *store.Tx, actor access.Actor, v verification.Verification, reasons []verification.Reason) error {
	v, drafts, err := v.Decline(reasons, tx.Now())
	if err != nil {
		return err
	}
	if err := tx.SaveVerification(actor, v, drafts); err != nil {
		return err
	}
	return s.notify(tx, v, notice.VerificationDeclined)
}

// CancelVerification ends a verification that should not have been opened: the restriction is lifted and suspended resources resume,
// but nothing is learned and no retry is granted.
func (s *Service) CancelVerification(ctx context.Context, actor access.Actor, verificationID string) (VerificationView, error) {
	var view VerificationView
	if err := actor.Require(access.DecideCases); err != nil {
		return view, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		v, err := s.lockVerification(tx, actor, access.DecideCases, verificationID)
		if err != nil {
			return err
		}
		v, drafts, err := v.Cancel(tx.Now())
		if err != nil {
			return err
		}
		if err := tx.SaveVerification(actor, v, drafts); err != nil {
			return err
		}
		if err := s.withdrawCase(tx, actor, v); err != nil {
			return err
		}
		if err := s.stopClock(tx, actor, v); err != nil {
			return err
		}
		if err := s.liftRestriction(tx, actor, v); err != nil {
			return err
		}
		if err := s.resume(tx, actor, v); err != nil {
			return err
		}
		if err := s.notify(tx, v, notice.VerificationCanceled); err != nil {
			return err
		}
		view, err = s.verificationView(tx, v)
		return err
	})
	return view, err
}

func (s *Service) withdrawCase(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	if v.CaseID == "" {
		return nil
	}
	c, err := tx.Case(v.TenantID, v.CaseID)
	if err != nil {
		return err
	}
	c, drafts, changed := c.Withdraw(tx.Now())
	if !changed {
		return nil
	}
	if err := tx.CancelJob(c.TenantID, "case_overdue:"+c.ID); err != nil {
		return err
	}
	return tx.SaveCase(actor, c, drafts)
}
