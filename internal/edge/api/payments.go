package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// Location is where a payment was made, as precisely as the platform knows.
type Location struct {
	Country string `json:"country" doc:"ISO 3166-1 alpha-2." example:"SG"`
	Region  string `json:"region,omitempty" maxLength:"100" doc:"State, province or region." example:"Central"`
	City    string `json:"city,omitempty" maxLength:"100" doc:"City or town." example:"Singapore"`
}

// Device is what a payment was made with.
type Device struct {
	ID string `json:"id" maxLength:"128" doc:"The platform's own stable id of the device." example:"dev-7c1f"`
}

// NewPayment is what the platform asks about.
type NewPayment struct {
	AccountID       string     `json:"account_id" maxLength:"100" doc:"Who pays." example:"acct_01jc0000000000000000000000"`
	PaymentMethodID string     `json:"payment_method_id,omitempty" maxLength:"100" doc:"With what; without it, the account's default payment method." example:"pm_01jc0000000000000000000000"`
	Amount          Money      `json:"amount" doc:"How much."`
	IP              string     `json:"ip,omitempty" format:"ip" maxLength:"45" doc:"The address the payment came from." example:"203.0.113.7"`
	Location        *Location  `json:"location,omitempty" doc:"Where it was made. A payment without a place is never new in its place."`
	Device          *Device    `json:"device,omitempty" doc:"What it was made with."`
	Merchant        string     `json:"merchant,omitempty" maxLength:"200" doc:"Who is paid, as the platform calls them." example:"compute"`
	OccurredAt      *time.Time `json:"occurred_at,omitempty" doc:"When it was made: at most 400 days back and 5 minutes ahead. Without it, now." example:"2026-11-09T10:00:00Z"`
}

// PaymentError is how a rejected payment is told.
type PaymentError struct {
	Code    string `json:"code" enum:"RISK.RISK_CONTROL_REJECTION" doc:"The error code to show and to quote to support." example:"RISK.RISK_CONTROL_REJECTION"`
	Message string `json:"message" doc:"One sentence for a person." example:"This payment was rejected by risk control."`
}

// Reason is a ground for a decision.
type Reason struct {
	Code    string `json:"code" doc:"Stable. For payments: new_location, unusual_spending, new_payment_method, account_restricted, and those of your own policy." example:"new_location"`
	Message string `json:"message" doc:"One sentence for a person." example:"This payment came from a place that your account has not paid from before."`
}

// NextStep is what the account holder can do about a rejection.
type NextStep struct {
	Kind    string `json:"kind" enum:"verify,wait,retry,contact_support" doc:"verify: evidence is wanted; wait: it is under review; retry: it was approved, or the payment could not be checked in time: pay again; contact_support: the decision was final." example:"verify"`
	URL     string `json:"url" doc:"The page of the KYC Center to lead the holder to. It opens after signing in to this account only. Empty when there is nothing to do there." example:"https://kyc.example.com/kyc/verifications/ver_01jc0000000000000000000000"`
	Message string `json:"message" doc:"One sentence to the account holder, for the platform's own page." example:"Sign in to the KYC Center and send a government ID."`
}

// Payment is a decided payment.
type Payment struct {
	ID              string        `json:"id" doc:"Our id of the payment." example:"pay_01jc0000000000000000000000"`
	AccountID       string        `json:"account_id" doc:"Who pays." example:"acct_01jc0000000000000000000000"`
	PaymentMethodID *string       `json:"payment_method_id" doc:"With what." example:"pm_01jc0000000000000000000000"`
	Amount          Money         `json:"amount" doc:"How much."`
	IP              *string       `json:"ip" doc:"The address it came from." example:"203.0.113.7"`
	Location        *PaidFrom     `json:"location" doc:"Where it was made; null when not said."`
	Device          *Device       `json:"device" doc:"What it was made with; null when not said."`
	Merchant        *string       `json:"merchant" doc:"Who is paid." example:"compute"`
	OccurredAt      time.Time     `json:"occurred_at" doc:"When it was made." example:"2026-11-09T10:00:00Z"`
	Outcome         string        `json:"outcome" enum:"approved,review,rejected" doc:"review: held until a case decides; then what that decided." example:"rejected"`
	Error           *PaymentError `json:"error" doc:"Null unless the payment was rejected."`
	Reasons         []Reason      `json:"reasons" doc:"Why it was rejected; empty otherwise."`
	VerificationID  *string       `json:"verification_id" doc:"The verification that stands between the holder and their next payment." example:"ver_01jc0000000000000000000000"`
	CaseID          *string       `json:"case_id" doc:"The case that decides, or decided, a held payment; null when it was not held." example:"case_01jc0000000000000000000000"`
	ReportedOutcome *string       `json:"reported_outcome" doc:"What was reported last of what became of it: settled, refunded, chargeback, fraud_confirmed or legitimate_confirmed; null when nothing was, and in lists." example:"settled"`
	NextStep        *NextStep     `json:"next_step" doc:"What the holder can do now; null unless the payment was rejected."`
	PolicyVersion   string        `json:"policy_version" doc:"The version of the policy that decided." example:"2026-11-20"`
	CreatedAt       time.Time     `json:"created_at" doc:"When it was decided." example:"2026-11-09T10:00:00Z"`
}

// PaidFrom is the place of a payment, as it answers.
type PaidFrom struct {
	Country string  `json:"country" doc:"ISO 3166-1 alpha-2." example:"SG"`
	Region  *string `json:"region" doc:"State, province or region." example:"Central"`
	City    *string `json:"city" doc:"City or town." example:"Singapore"`
}

// uncheckedMessage tells of a rejection because the rules took longer than they may, which restricts nothing.
const uncheckedMessage = "This payment could not be checked in time. It can be tried again."

// heldMessage tells of a rejection by a person, which restricts nothing by itself.
const heldMessage = "This payment was rejected after a review."

const rejectionMessage = "This payment was rejected by risk control. The account's payments are restricted until its holder is verified."

func paymentOf(view service.PaymentView) Payment {
	p := view.Payment
	out := Payment{
		ID: p.ID, AccountID: p.Attempt.AccountID, PaymentMethodID: orNull(p.Attempt.PaymentMethodID),
		Amount: Money{AmountMinor: p.Attempt.Amount.AmountMinor, Currency: p.Attempt.Amount.Currency}, IP: orNull(p.Attempt.IP),
		Merchant: orNull(p.Attempt.Merchant), OccurredAt: p.Attempt.OccurredAt, Outcome: string(view.Outcome()), Reasons: []Reason{},
		VerificationID: orNull(view.VerificationID()), CaseID: orNull(view.CaseID), PolicyVersion: p.PolicyVersion, CreatedAt: p.CreatedAt,
	}
	if l := p.Attempt.Location; l != (payment.Location{}) {
		out.Location = &PaidFrom{Country: l.Country, Region: orNull(l.Region), City: orNull(l.City)}
	}
	if p.Attempt.DeviceID != "" {
		out.Device = &Device{ID: p.Attempt.DeviceID}
	}
	if view.Outcome() == payment.Rejected {
		out.Error = &PaymentError{Code: payment.RejectionCode, Message: rejectionMessage}
		if view.VerificationID() == "" {
			out.Error.Message = heldMessage
			if view.NextStep.Kind == "retry" {
				out.Error.Message = uncheckedMessage
			}
		}
	}
	if reported, found := payment.Latest(view.Findings); found {
		kind := string(reported.Kind)
		out.ReportedOutcome = &kind
	}
	for _, reason := range view.Reasons() {
		out.Reasons = append(out.Reasons, Reason{Code: reason.Code, Message: reason.Message})
	}
	if step := view.NextStep; step.Kind != "" {
		out.NextStep = &NextStep{Kind: step.Kind, URL: step.URL, Message: step.Message}
	}
	return out
}

func (p NewPayment) attempt() payment.Attempt {
	attempt := payment.Attempt{
		AccountID: p.AccountID, PaymentMethodID: p.PaymentMethodID, Amount: p.Amount.amount(), IP: p.IP, DeviceID: given(p.Device).ID, Merchant: p.Merchant,
		// Both databases keep microseconds.
		OccurredAt: given(p.OccurredAt).UTC().Truncate(time.Microsecond),
	}
	if p.OccurredAt != nil && attempt.OccurredAt.IsZero() {
		attempt.OccurredAt = attempt.OccurredAt.Add(time.Microsecond) // the zero time means that none was given, and one was
	}
	if p.Location != nil {
		attempt.Location = payment.Location{Country: p.Location.Country, Region: p.Location.Region, City: p.Location.City}
	}
	return attempt
}

func (e *edge) registerPayments() {
	register(e, operation{
		id: "create-payment", method: http.MethodPost, path: paymentPath, tag: tagPayments, status: http.StatusCreated, route: route{payment: true},
		summary: "Decide a payment",
		description: "Answers 201 whatever the outcome: look at outcome. A rejection restricts the account's payments, opens a verification and notifies the holder; " +
			"later payments of the account are rejected with the same verification until it is approved. A payment that the policy wants a person to decide answers review: it is held, a case is opened, " +
			"and the events payment.review_approved and payment.review_rejected tell how it ended. An Idempotency-Key is remembered for 30 days.",
	}, func(ctx context.Context, _ access.Actor, in *struct{ Body NewPayment }) (Payment, error) {
		result := e.authorizeOnce(ctx, requestOf(ctx), in.Body.attempt())
		return paymentOf(result.View), result.Err
	})
	register(e, operation{
		id: "get-payment", method: http.MethodGet, path: "/v1/payments/{id}", tag: tagPayments, status: http.StatusOK,
		summary: "Get a payment", description: "The decision stands as it was made, but that a held payment has the outcome of its review; next_step tells what can be done now.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		ID string `path:"id" doc:"The payment." example:"pay_01jc0000000000000000000000"`
	}) (Payment, error) {
		view, err := e.Service.Payment(ctx, actor, in.ID)
		return paymentOf(view), err
	})
	register(e, operation{
		id: "list-payments", method: http.MethodGet, path: "/v1/payments", tag: tagPayments, status: http.StatusOK,
		summary: "List the payments of an account", description: "Newest first.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		Paging
		AccountID string `query:"account_id" required:"true" maxLength:"100" doc:"Whose payments." example:"acct_01jc0000000000000000000000"`
	}) (list[Payment], error) {
		views, next, err := e.Service.Payments(ctx, actor, in.AccountID, in.page())
		return listOf(views, next, paymentOf), err
	})
}
