package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// PaymentPath is the path of one payment.
type PaymentPath struct {
	ID string `path:"id" doc:"The payment." example:"pay_01jc0000000000000000000000"`
}

// NewOutcome is what became of a payment.
type NewOutcome struct {
	Outcome string     `json:"outcome" enum:"settled,refunded,chargeback,fraud_confirmed,legitimate_confirmed" doc:"What became of it. A chargeback counts as fraud until a later report says otherwise; settlement and refund say nothing about fraud." example:"chargeback"`
	At      *time.Time `json:"at,omitempty" doc:"When it happened, between the payment and now. Without it, now. Whatever is computed from it counts from the moment you tell us." example:"2026-11-19T10:00:00Z"`
}

func (e *edge) registerPaymentOutcomes() {
	register(e, operation{
		id: "report-payment-outcome", method: http.MethodPost, path: "/v1/payments/{id}/outcome", tag: tagPayments, status: http.StatusOK,
		summary: "Report what became of a payment",
		description: "A later report supersedes an earlier one, and the same report again changes nothing. Aggregates such as a merchant's share of confirmed fraud count it from now on, " +
			"and never for a decision that was made before we knew. Only an approved payment settles, is refunded or charged back; fraud and its absence can be confirmed of any.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		PaymentPath
		Body NewOutcome
	}) (Payment, error) {
		view, err := e.Service.ReportOutcome(ctx, actor, service.OutcomeReport{
			PaymentID: in.ID, Kind: payment.FindingKind(in.Body.Outcome), At: given(in.Body.At).UTC().Truncate(time.Microsecond),
		})
		return paymentOf(view), err
	})
}
