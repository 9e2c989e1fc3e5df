package service

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// errNoOutcome is the refusal of a decision that came out as neither approved nor rejected.
var errNoOutcome = errors.New("the policy gave no outcome")

// ReasonRestricted is the reason code of a payment that is rejected because its account is restricted already.
const ReasonRestricted = "account_restricted"

// PaymentView is a decided payment with what the platform should tell its customer next.
type PaymentView struct {
	Payment  payment.Payment
	NextStep NextStep // zero unless the payment was rejected
}

// NextStep is what the account holder can do about a rejection.
type NextStep struct {
	Kind    string // "verify" while evidence is wanted, "wait" during review, "retry" after an approval, otherwise "contact_support"
	URL     string // the KYC Center's page of the verification; opens after signing in to the account only
	Message string
}

// decided is what AuthorizePayment reads, under the account's lock, before it decides.
type decided struct {
	account account.Account
	method  payment.Method
	profile risk.Profile
	attempt payment.Attempt
}

// storedFacts is what a payment keeps for replay.
type storedFacts struct {
	Facts       *risk.Facts       `json:"facts,omitempty"`
	Evaluations []risk.Evaluation `json:"evaluations,omitempty"`
	Restricted  bool              `json:"restricted,omitempty"`
}

// AuthorizePayment decides a payment, durably. A rejection restricts the account, opens a verification and notifies its holder, all
// in the transaction of the decision.
func (s *Service) AuthorizePayment(ctx context.Context, actor access.Actor, attempt payment.Attempt) (PaymentView, error) {
	var view PaymentView
	if err := actor.Require(access.ManageAccounts); err != nil {
		return view, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		in, err := s.loadForDecision(tx, actor, attempt)
		if err != nil {
			return err
		}
		p := payment.Payment{
			ID: id.New(id.Payment, tx.Now()), TenantID: actor.TenantID, Attempt: in.attempt, CreatedAt: tx.Now(),
			PolicyID: s.Policy.ID, PolicyVersion: s.Policy.Version,
		}
		restriction, restricted, err := tx.StandingRestriction(actor.TenantID, in.account.ID)
		if err != nil {
			return err
		}
		if restricted {
			view.Payment, err = s.rejectRestricted(tx, actor, p, restriction)
		} else {
			view.Payment, err = s.decidePayment(tx, actor, in, p)
		}
		if err != nil {
			return err
		}
		view.NextStep, err = s.nextStep(tx, view.Payment)
		return err
	})
	return view, err
}

func (s *Service) loadForDecision(tx *store.Tx, actor access.Actor, attempt payment.Attempt) (decided, error) {
	in := decided{attempt: attempt}
	if err := in.attempt.Check(tx.Now()); err != nil {
		return in, err
	}
	if in.attempt.OccurredAt.IsZero() {
		in.attempt.OccurredAt = tx.Now()
	}
	if err := tx.LockAccount(actor.TenantID, attempt.AccountID); err != nil {
		return in, withField(err, "account_id")
	}
	var err error
	if in.account, err = tx.Account(actor.TenantID, attempt.AccountID); err != nil {
		return in, err
	}
	if attempt.PaymentMethodID == "" {
		method, found, err := tx.DefaultPaymentMethod(actor.TenantID, in.account.ID)
		if err != nil {
			return in, err
		}
		if !found {
			return in, problem.Field("payment_method_id", "required", "payment_method_id is required: the account has no default payment method")
		}
		in.method, in.attempt.PaymentMethodID = method, method.ID
	} else if in.method, err = tx.PaymentMethod(actor.TenantID, in.account.ID, attempt.PaymentMethodID); err != nil {
		return in, withField(err, "payment_method_id")
	}
	in.profile, err = loadProfile(tx, actor.TenantID, in.account.ID)
	return in, err
}

// withField says which field of the request led to the problem.
func withField(err error, field string) error {
	p := problem.As(err)
	if p == nil {
		return err
	}
	named := *p
	named.Field = field
	return &named
}

func loadProfile(tx *store.Tx, tenantID, accountID string) (risk.Profile, error) {
	var profile risk.Profile
	raw, err := tx.Profile(tenantID, accountID)
	if err != nil || raw == nil {
		return profile, err
	}
	return profile, json.Unmarshal(raw, &profile)
}

func saveProfile(tx *store.Tx, tenantID, accountID string, profile risk.Profile) error {
	raw, err := json.Marshal(profile)
	if err != nil {
		return err
	}
	return tx.SaveProfile(tenantID, accountID, raw)
}

// rejectRestricted answers a payment of an account that may not pay: the same code and the same verification, and no new notice.
func (s *Service) rejectRestricted(tx *store.Tx, actor access.Actor, p payment.Payment, r account.Restriction) (payment.Payment, error) {
	p.Outcome, p.VerificationID = payment.Rejected, r.VerificationID
	p.Reasons = []payment.Reason{{Code: ReasonRestricted, Message: "Payments of this account are restricted until its verification is approved."}}
	facts, err := json.Marshal(storedFacts{Restricted: true})
	if err != nil {
		return p, err
	}
	p.Facts = facts
	return p, tx.InsertRejectedPayment(actor, p, []journal.Draft{rejected(p)})
}

func rejected(p payment.Payment) journal.Draft {
	draft := journal.Of(journal.PaymentRejected, p.ID, p.Attempt.AccountID, "verification_id", p.VerificationID)
	for _, reason := range p.Reasons {
		if draft.Data["reasons"] != "" {
			draft.Data["reasons"] += " "
		}
		draft.Data["reasons"] += reason.Code
	}
	return draft
}

func (s *Service) decidePayment(tx *store.Tx, actor access.Actor, in decided, p payment.Payment) (payment.Payment, error) {
	facts := risk.FactsOf(s.Policy, in.profile, riskPayment(in.attempt, in.method))
	decision := risk.Decide(s.Policy, facts)
	stored, err := json.Marshal(storedFacts{Facts: &facts, Evaluations: decision.Evaluations})
	if err != nil {
		return p, err
	}
	p.Facts = stored
	grant, granted, err := fittingGrant(tx, in.attempt, actor.TenantID)
	if err != nil {
		return p, err
	}
	if decision.Outcome == risk.Approved || granted {
		return s.approvePayment(tx, actor, in, p, grant)
	}
	if decision.Outcome != risk.Rejected {
		// No policy of this version can ask for a review; an outcome that nobody decided must never pass.
		return p, errNoOutcome
	}
	p.Outcome = payment.Rejected
	for _, reason := range decision.Reasons {
		p.Reasons = append(p.Reasons, payment.Reason{Code: reason.Code, Message: reason.Message("en")})
	}
	v, opened, err := s.openVerification(tx, actor, opening{account: in.account, methodID: in.method.ID, paymentID: p.ID})
	if err != nil {
		return p, err
	}
	p.VerificationID = v.ID
	if err := tx.InsertRejectedPayment(actor, p, []journal.Draft{rejected(p)}); err != nil || !opened {
		return p, err
	}
	// The notice names the payment, so it comes last.
	return p, s.notify(tx, v, notice.PaymentMethodAlert)
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

// approvePayment stores the payment and folds it into the account's profile. A grant that fits is used up, needed or not: it was
// meant for this retry, and must not wait for another payment.
func (s *Service) approvePayment(tx *store.Tx, actor access.Actor, in decided, p payment.Payment, grant payment.RetryGrant) (payment.Payment, error) {
	p.Outcome = payment.Approved
	if grant.ID != "" {
		p.GrantID = grant.ID
		if err := tx.UseRetryGrant(actor, grant, p.ID, []journal.Draft{
			journal.Of(journal.RetryUsed, p.ID, in.account.ID, "grant_id", grant.ID, "verification_id", grant.VerificationID),
		}); err != nil {
			return p, err
		}
	}
	if err := tx.InsertPayment(p); err != nil {
		return p, err
	}
	rp := riskPayment(in.attempt, in.method)
	return p, saveProfile(tx, actor.TenantID, in.account.ID, risk.Fold(in.profile, risk.ApprovedPayment{
		AmountMinor: rp.AmountMinor, Currency: rp.Currency, Place: rp.Place, DeviceID: rp.DeviceID, Method: rp.Method, OccurredAt: rp.OccurredAt,
	}))
}

func riskPayment(a payment.Attempt, m payment.Method) risk.Payment {
	return risk.Payment{
		AmountMinor: a.Amount.AmountMinor, Currency: a.Amount.Currency,
		Place:    risk.Place{Country: a.Location.Country, Region: a.Location.Region, City: a.Location.City},
		DeviceID: a.DeviceID, Method: risk.Method{ID: m.ID, Fingerprint: m.Fingerprint}, MethodKind: string(m.Kind),
		Merchant: a.Merchant, OccurredAt: a.OccurredAt,
	}
}

// Payment returns one payment of the tenant.
func (s *Service) Payment(ctx context.Context, actor access.Actor, paymentID string) (PaymentView, error) {
	var view PaymentView
	if err := actor.Require(access.ReadTenant); err != nil {
		return view, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		if view.Payment, err = tx.Payment(actor.TenantID, paymentID); err != nil {
			return err
		}
		view.NextStep, err = s.nextStep(tx, view.Payment)
		return err
	})
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
			step, err := s.nextStep(tx, p)
			if err != nil {
				return err
			}
			views = append(views, PaymentView{Payment: p, NextStep: step})
		}
		return nil
	})
	return views, next, err
}

func (s *Service) nextStep(tx *store.Tx, p payment.Payment) (NextStep, error) {
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
