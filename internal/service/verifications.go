package service

import (
	"context"
	"slices"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/calendar"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/standard/querycode"
)

// VerificationView is a verification with everything a person needs to understand it.
type VerificationView struct {
	Tenant       policy.Tenant
	Account      account.Account
	Verification verification.Verification
	Method       payment.Method  // zero when no payment method is concerned
	Payment      payment.Payment // zero when opened without a payment
	Enforcement  enforcement.Enforcement
	Restricted   bool
	Evidence     []verification.Evidence // what counts, oldest first
	Case         casework.Case           // the latest; zero before the first submission
	Zone         *time.Location          // in which the holder's due dates run
	// EarliestDue is what a notice received now would give; it is shown while no clock runs. Zero when the holder has nothing to do.
	EarliestDue calendar.Due
}

// Verification returns one verification of the tenant, or of the holder's own account.
func (s *Service) Verification(ctx context.Context, actor access.Actor, verificationID string) (VerificationView, error) {
	var view VerificationView
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		v, err := s.ownVerification(tx, actor, access.ReadTenant, verificationID)
		if err != nil {
			return err
		}
		view, err = s.verificationView(tx, v)
		view.Verification = shownTo(actor, view.Verification)
		return err
	})
	return view, err
}

// shownTo leaves out of a verification what its holder must not see: the opener's reason and the reviewers' notes.
func shownTo(actor access.Actor, v verification.Verification) verification.Verification {
	if actor.Kind != access.Holder {
		return v
	}
	v.OpeningReason = ""
	requirements := slices.Clone(v.Requirements)
	for i := range requirements {
		requirements[i].Reasons = slices.Clone(requirements[i].Reasons)
		for j := range requirements[i].Reasons {
			requirements[i].Reasons[j].Note = ""
		}
	}
	v.Requirements = requirements
	return v
}

// VerificationByQueryCode finds a verification by the code that its holder was given.
func (s *Service) VerificationByQueryCode(ctx context.Context, actor access.Actor, queryCode string) (VerificationView, error) {
	var view VerificationView
	if err := actor.Require(access.ReadTenant); err != nil {
		return view, err
	}
	canonical, err := querycode.Parse(queryCode)
	if err != nil {
		return view, err
	}
	err = s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		v, err := tx.VerificationByQueryCode(actor.TenantID, canonical)
		if err != nil {
			return err
		}
		view, err = s.verificationView(tx, v)
		return err
	})
	return view, err
}

// Verifications lists verifications, newest first. A holder sees their own account's only.
func (s *Service) Verifications(ctx context.Context, actor access.Actor, filter store.VerificationFilter, page store.Page) ([]verification.Verification, string, error) {
	var found []verification.Verification
	var next string
	if actor.Kind == access.Holder {
		filter.AccountID = actor.ID
	} else if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	if filter.Status != "" && !filter.Status.Valid() {
		return nil, "", problem.Field("status", "status_unknown", "status must be a verification status such as in_review")
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		found, next, err = tx.ListVerifications(actor.TenantID, filter, page)
		for i := range found {
			found[i] = shownTo(actor, found[i])
		}
		return err
	})
	return found, next, err
}

// ownVerification loads a verification that the actor may see or act on. A holder is told of no other account's.
func (s *Service) ownVerification(tx *store.Tx, actor access.Actor, p access.Permission, verificationID string) (verification.Verification, error) {
	if actor.Kind != access.Holder {
		if err := actor.Require(p); err != nil {
			return verification.Verification{}, err
		}
	}
	v, err := tx.Verification(actor.TenantID, verificationID)
	if err != nil {
		return v, err
	}
	if actor.Kind == access.Holder && v.AccountID != actor.ID {
		return verification.Verification{}, problem.Missing("verification")
	}
	return v, nil
}

// lockVerification loads a verification for a change: the account's row is locked first, so that all changes of one account queue up.
func (s *Service) lockVerification(tx *store.Tx, actor access.Actor, p access.Permission, verificationID string) (verification.Verification, error) {
	v, err := s.ownVerification(tx, actor, p, verificationID)
	if err != nil {
		return v, err
	}
	if err := tx.LockAccount(v.TenantID, v.AccountID); err != nil {
		return v, err
	}
	return tx.Verification(v.TenantID, v.ID)
}

func (s *Service) verificationView(tx *store.Tx, v verification.Verification) (VerificationView, error) {
	view := VerificationView{Verification: v}
	var err error
	if view.Tenant, err = tx.Tenant(v.TenantID); err != nil {
		return view, err
	}
	if view.Account, err = tx.Account(v.TenantID, v.AccountID); err != nil {
		return view, err
	}
	if v.PaymentMethodID != "" {
		if view.Method, err = tx.PaymentMethod(v.TenantID, v.AccountID, v.PaymentMethodID); err != nil {
			return view, err
		}
	}
	if v.PaymentID != "" {
		if view.Payment, err = tx.Payment(v.TenantID, v.PaymentID); err != nil {
			return view, err
		}
	}
	if view.Enforcement, err = tx.Enforcement(v.TenantID, v.AccountID); err != nil {
		return view, err
	}
	if _, view.Restricted, err = tx.StandingRestriction(v.TenantID, v.AccountID); err != nil {
		return view, err
	}
	if view.Evidence, err = tx.EvidenceOf(v.TenantID, v.ID); err != nil {
		return view, err
	}
	if v.CaseID != "" {
		if view.Case, err = tx.Case(v.TenantID, v.CaseID); err != nil {
			return view, err
		}
	}
	view.Zone = v.Zone()
	if v.Status.AwaitsHolder() && v.DueAt.IsZero() {
		view.EarliestDue, err = s.submissionDue(v, tx.Now())
	}
	return view, err
}

// submissionDue computes when a submission is due if its notice is received at the instant (design §5). It runs in the zone that the
// account had when the verification was opened: a printed due date may only become later, also when the holder moves.
func (s *Service) submissionDue(v verification.Verification, receivedAt time.Time) (calendar.Due, error) {
	rules := policy.Current(v.OpenedAt)
	return calendar.DueAt(calendar.DueInput{
		Received: receivedAt, Zone: v.Zone(), Calendar: s.Calendar, CutOff: rules.CutOff, BusinessDays: rules.SubmitWithin,
	})
}

// reviewDue computes when a review is due, in the tenant's zone and calendar.
func (s *Service) reviewDue(t policy.Tenant, v verification.Verification, submittedAt time.Time) (calendar.Due, error) {
	return s.reviewDueUnder(policy.Current(v.OpenedAt), t, submittedAt)
}

// reviewDueUnder computes when a review is due under the given rules.
func (s *Service) reviewDueUnder(rules policy.Consequence, t policy.Tenant, submittedAt time.Time) (calendar.Due, error) {
	return calendar.DueAt(calendar.DueInput{
		Received: submittedAt, Zone: t.Zone(), Calendar: s.Calendar, CutOff: rules.CutOff, BusinessDays: rules.ReviewWithin,
	})
}

// History returns the journal entries of an account, newest first.
func (s *Service) History(ctx context.Context, actor access.Actor, accountID string, page store.Page) ([]journal.Entry, string, error) {
	var entries []journal.Entry
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.Account(actor.TenantID, accountID); err != nil {
			return err
		}
		var err error
		entries, next, err = tx.EntriesOf(actor.TenantID, store.EntryFilter{AccountID: accountID}, page)
		return err
	})
	return entries, next, err
}

// NoticesOf returns the notices of a verification, oldest first.
func (s *Service) NoticesOf(ctx context.Context, actor access.Actor, verificationID string) ([]notice.Notice, error) {
	var notices []notice.Notice
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.Verification(actor.TenantID, verificationID); err != nil {
			return err
		}
		var err error
		notices, err = tx.NoticesOf(actor.TenantID, verificationID)
		return err
	})
	return notices, err
}
