package service

import (
	"context"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
)

// PaymentView is a decided payment with what the platform should tell its customer next.
type PaymentView struct {
	Payment  payment.Payment
	Findings []payment.Finding // what was learned of it since, in order; in a list of payments, of held ones only
	CaseID   string            // of a payment that was held
	NextStep NextStep          // zero unless the payment was rejected
}

// Outcome is what became of the payment: its decision, but for a held one what its review decided.
func (v PaymentView) Outcome() payment.Outcome { return v.Payment.Effective(v.Findings) }

// Reasons are the grounds of the outcome: those of the policy, but for a held payment that was decided those of its review.
func (v PaymentView) Reasons() []payment.Reason {
	if review, found := v.Review(); found {
		return review.Reasons
	}
	return v.Payment.Reasons
}

// VerificationID is the verification that came with the rejection; empty when none did.
func (v PaymentView) VerificationID() string {
	if review, found := v.Review(); found {
		return review.VerificationID
	}
	return v.Payment.VerificationID
}

// Review returns the decision on a held payment, and whether it was made.
func (v PaymentView) Review() (payment.Finding, bool) {
	for _, f := range v.Findings {
		if f.Kind == payment.ReviewApproved || f.Kind == payment.ReviewRejected {
			return f, true
		}
	}
	return payment.Finding{}, false
}

// NextStep is what the account holder can do about a rejection.
type NextStep struct {
	Kind    string // "verify" while evidence is wanted, "wait" during review, "retry" after an approval, otherwise "contact_support"
	URL     string // the KYC Center's page of the verification; opens after signing in to the account only
	Message string
}

// Payment returns one payment of the tenant.
func (s *Service) Payment(ctx context.Context, actor access.Actor, paymentID string) (PaymentView, error) {
	var view PaymentView
	if err := actor.Require(access.ReadTenant); err != nil {
		return view, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		view, err = s.paymentView(tx, actor.TenantID, paymentID)
		return err
	})
	return view, err
}

func (s *Service) paymentView(tx *store.Tx, tenantID, paymentID string) (PaymentView, error) {
	p, err := tx.Payment(tenantID, paymentID)
	if err != nil {
		return PaymentView{}, err
	}
	view := PaymentView{Payment: p}
	if view.Findings, err = tx.FindingsOf(tenantID, p.Attempt.AccountID, paymentID); err != nil {
		return view, err
	}
	return s.withStep(tx, view)
}

// withStep adds the case of a held payment, and what the account holder can do about a rejection.
func (s *Service) withStep(tx *store.Tx, view PaymentView) (PaymentView, error) {
	p := view.Payment
	if p.Outcome == payment.Review {
		c, _, err := tx.CaseOfPayment(p.TenantID, p.ID)
		if err != nil {
			return view, err
		}
		view.CaseID = c.ID
	}
	if p.Outcome == payment.Review && view.VerificationID() == "" {
		return view, nil // a person decides, or has decided: there is nothing for the holder to do
	}
	// The step follows from what stands now.
	p.Outcome, p.VerificationID = view.Outcome(), view.VerificationID()
	var err error
	view.NextStep, err = s.nextStep(tx, p)
	return view, err
}

// Payments lists the payments of an account, newest first.
func (s *Service) Payments(ctx context.Context, actor access.Actor, accountID string, page store.Page) ([]PaymentView, string, error) {
	var views []PaymentView
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.Account(actor.TenantID, accountID); err != nil {
			return withField(err, "account_id")
		}
		found, cursor, err := tx.ListPayments(actor.TenantID, accountID, page)
		if err != nil {
			return err
		}
		next = cursor
		for _, p := range found {
			view := PaymentView{Payment: p}
			if p.Outcome == payment.Review {
				if view.Findings, err = tx.FindingsOf(p.TenantID, p.Attempt.AccountID, p.ID); err != nil {
					return err
				}
			}
			if view, err = s.withStep(tx, view); err != nil {
				return err
			}
			views = append(views, view)
		}
		return nil
	})
	return views, next, err
}

func (s *Service) nextStep(tx *store.Tx, p payment.Payment) (NextStep, error) {
	if p.Unchecked() && p.VerificationID == "" {
		return NextStep{Kind: "retry", Message: "The payment could not be checked in time. Please try it again."}, nil
	}
	if p.Outcome != payment.Rejected || p.VerificationID == "" {
		return NextStep{}, nil
	}
	v, err := tx.Verification(p.TenantID, p.VerificationID)
	if err != nil {
		return NextStep{}, err
	}
	step := NextStep{URL: s.verificationURL(v.ID)}
	switch {
	case v.Status == verification.ResubmissionRequested:
		step.Kind, step.Message = "verify", "Sign in to the KYC Center and send again what could not be accepted."
	case v.Status.AwaitsHolder():
		step.Kind, step.Message = "verify", "Sign in to the KYC Center and send a government ID, the payment method and the latest statement."
	case v.Status.Open():
		step.Kind, step.Message = "wait", "What you sent is under review. You are told as soon as it is decided."
	case v.Status == verification.Approved:
		step.Kind, step.Message = "retry", "The verification was approved. The payment can be tried again."
	default:
		step.Kind, step.Message = "contact_support", "The verification is finished. If you disagree or have a question, open a support ticket in the KYC Center."
	}
	return step, nil
}

func (s *Service) verificationURL(verificationID string) string {
	return s.BaseURL + "/kyc/verifications/" + verificationID
}
