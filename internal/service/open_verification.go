package service

import (
	"context"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// OpenVerification asks for a verification without a payment, because a risk was seen on a payment method.
type OpenVerification struct {
	AccountID       string
	Type            verification.Type
	PaymentMethodID string // empty means the account's default payment method
	Reason          string // in the opener's words; staff only
}

// opening is what openVerification needs to know.
type opening struct {
	account   account.Account
	methodID  string
	paymentID string
	reason    string
}

// OpenVerification opens a verification, restricts the account's payments and notifies its holder.
func (s *Service) OpenVerification(ctx context.Context, actor access.Actor, in OpenVerification) (VerificationView, error) {
	var view VerificationView
	if err := actor.Require(access.OpenVerification); err != nil {
		return view, err
	}
	if in.Type != verification.PaymentSecurity {
		return view, problem.Field("type", "type_unknown", "type must be payment_security")
	}
	if err := account.CheckText("reason", in.Reason, 500); err != nil {
		return view, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.LockAccount(actor.TenantID, in.AccountID); err != nil {
			return withField(err, "account_id")
		}
		a, err := tx.Account(actor.TenantID, in.AccountID)
		if err != nil {
			return err
		}
		methodID := in.PaymentMethodID
		if methodID == "" {
			method, found, err := tx.DefaultPaymentMethod(actor.TenantID, a.ID)
			if err != nil {
				return err
			}
			if found {
				methodID = method.ID
			}
		} else if _, err := tx.PaymentMethod(actor.TenantID, a.ID, methodID); err != nil {
			return withField(err, "payment_method_id")
		}
		standing, found, err := tx.OpenVerificationOf(actor.TenantID, a.ID)
		if err != nil {
			return err
		}
		if found {
			return &problem.Problem{
				Kind: problem.Conflict, Code: "verification_already_open", Field: "account_id", Ref: standing.ID,
				Message: "a verification of this account is open already; continue with that one",
			}
		}
		v, _, err := s.openVerification(tx, actor, opening{account: a, methodID: methodID, reason: in.Reason})
		if err != nil {
			return err
		}
		if err := s.notify(tx, v, notice.PaymentMethodAlert); err != nil {
			return err
		}
		view, err = s.verificationView(tx, v)
		return err
	})
	return view, err
}

// openVerification opens a verification and places its restriction, inside a transaction that holds the account's lock. The alert is
// for the caller to send. When a verification is open already (its restriction was lifted by hand) that one is restricted again, and
// it says that it opened none.
func (s *Service) openVerification(tx *store.Tx, actor access.Actor, o opening) (_ verification.Verification, opened bool, _ error) {
	standing, found, err := tx.OpenVerificationOf(actor.TenantID, o.account.ID)
	if err != nil {
		return standing, false, err
	}
	if found {
		return standing, false, s.restrict(tx, actor, standing)
	}
	t, err := tx.Tenant(o.account.TenantID)
	if err != nil {
		return standing, false, err
	}
	started, drafts := verification.Start(verification.Opening{
		ID: id.New(id.Verification, tx.Now()), TenantID: actor.TenantID, AccountID: o.account.ID, PaymentMethodID: o.methodID, PaymentID: o.paymentID,
		Reason: o.reason, NoticeCode: noticeCode(), PolicyVersion: policy.Current(tx.Now()).Version, CalendarVersion: s.Calendar.Version(),
		TimeZone: o.account.Profile.Zone(t.Zone()).String(),
	}, tx.Now())
	if err := tx.InsertVerification(actor, started, drafts); err != nil {
		return started, false, err
	}
	return started, true, s.restrict(tx, actor, started)
}

// restrict places the restriction of the verification, or points a standing one at it.
func (s *Service) restrict(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	standing, found, err := tx.StandingRestriction(v.TenantID, v.AccountID)
	if err != nil {
		return err
	}
	if found {
		standing.VerificationID = v.ID
		standing.Version++
		return tx.UpdateRestriction(actor, standing, []journal.Draft{
			journal.Of(journal.RestrictionPlaced, standing.ID, v.AccountID, "verification_id", v.ID, "kind", string(standing.Kind)),
		})
	}
	r := account.Restriction{
		ID: id.New(id.Restriction, tx.Now()), TenantID: v.TenantID, AccountID: v.AccountID, Kind: account.PaymentsRestricted,
		VerificationID: v.ID, Version: 1, PlacedAt: tx.Now(),
	}
	return tx.PlaceRestriction(actor, r, []journal.Draft{
		journal.Of(journal.RestrictionPlaced, r.ID, v.AccountID, "verification_id", v.ID, "kind", string(r.Kind)),
	})
}

// liftRestriction lifts what stands against the account.
func (s *Service) liftRestriction(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	standing, found, err := tx.StandingRestriction(v.TenantID, v.AccountID)
	if err != nil || !found {
		return err
	}
	standing.LiftedAt = tx.Now()
	standing.Version++
	return tx.UpdateRestriction(actor, standing, []journal.Draft{
		journal.Of(journal.RestrictionLifted, standing.ID, v.AccountID, "verification_id", v.ID, "kind", string(standing.Kind)),
	})
}
