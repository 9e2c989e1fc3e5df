package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
)

// NewVerification asks for a verification without a payment, because a risk was seen on a payment method.
type NewVerification struct {
	AccountID       string `json:"account_id" maxLength:"100" doc:"Who is to be verified." example:"acct_01jc0000000000000000000000"`
	Type            string `json:"type" enum:"payment_security" doc:"What the verification is for." example:"payment_security"`
	PaymentMethodID string `json:"payment_method_id,omitempty" maxLength:"100" doc:"The payment method concerned; without it, the account's default, when there is one." example:"pm_01jc0000000000000000000000"`
	Reason          string `json:"reason,omitempty" maxLength:"500" doc:"Why, for reviewers. The holder does not see it." example:"chargeback reported by the card scheme"`
}

// Requirement is one thing asked for, and where it stands.
type Requirement struct {
	Kind    string              `json:"kind" enum:"government_id,payment_method,billing_statement" doc:"What is asked for." example:"government_id"`
	Status  string              `json:"status" enum:"required,provided,submitted,accepted,resubmission_requested,declined" doc:"provided: evidence is there and can still be changed; submitted: with the reviewer." example:"required"`
	Reasons []RequirementReason `json:"reasons" doc:"Why it is asked for again, or was not accepted; empty otherwise."`
}

// RequirementReason is why an item was not accepted, in the words for its holder.
type RequirementReason struct {
	Code    string `json:"code" doc:"A code of the reason catalogue." example:"id.blurred"`
	Message string `json:"message" doc:"What is wrong and what to do, for the holder." example:"The photo is blurred. Take it again in good light."`
}

// Verification is one run of requirements, evidence, review and outcome.
type Verification struct {
	ID              string        `json:"id" doc:"Our id of the verification." example:"ver_01jc0000000000000000000000"`
	AccountID       string        `json:"account_id" doc:"Who is verified." example:"acct_01jc0000000000000000000000"`
	Type            string        `json:"type" enum:"payment_security" doc:"What it is for." example:"payment_security"`
	Status          string        `json:"status" enum:"awaiting_submission,processing,in_review,approved,resubmission_requested,declined,expired,canceled" doc:"Where it stands." example:"awaiting_submission"`
	Version         int64         `json:"version" doc:"One more with each change." example:"3"`
	Requirements    []Requirement `json:"requirements" doc:"What is asked for, in the order in which a holder meets it."`
	Round           int           `json:"round" doc:"1, and one more for each request to resubmit." example:"1"`
	DueAt           *time.Time    `json:"due_at" doc:"The last second in which a submission is in time; null while no clock runs: before the notice was received, and during review." example:"2026-11-10T15:59:59Z"`
	EarliestDueAt   *time.Time    `json:"earliest_due_at" doc:"What due_at would be if the notice were received now; null when a clock runs, when the holder has nothing to do, and in lists." example:"2026-11-10T15:59:59Z"`
	QueryCode       *string       `json:"query_code" doc:"What the holder quotes to support; from the first submission on." example:"7F3KD-92QX8"`
	CaseID          *string       `json:"case_id" doc:"The latest case; from the first submission on." example:"case_01jc0000000000000000000000"`
	PaymentID       *string       `json:"payment_id" doc:"The rejected payment; null when opened without one." example:"pay_01jc0000000000000000000000"`
	PaymentMethodID *string       `json:"payment_method_id" doc:"The payment method concerned." example:"pm_01jc0000000000000000000000"`
	OpenedAt        time.Time     `json:"opened_at" doc:"When it was opened." example:"2026-11-09T10:00:00Z"`
	SubmittedAt     *time.Time    `json:"submitted_at" doc:"When evidence was last submitted." example:"2026-11-09T11:00:00Z"`
	DecidedAt       *time.Time    `json:"decided_at" doc:"When it was last decided." example:"2026-11-10T09:00:00Z"`
}

func verificationOf(v verification.Verification) Verification {
	out := Verification{
		ID: v.ID, AccountID: v.AccountID, Type: string(v.Type), Status: string(v.Status), Version: v.Version, Requirements: []Requirement{}, Round: v.Round,
		DueAt: instant(v.DueAt), QueryCode: orNull(v.QueryCode), CaseID: orNull(v.CaseID), PaymentID: orNull(v.PaymentID),
		PaymentMethodID: orNull(v.PaymentMethodID), OpenedAt: v.OpenedAt, SubmittedAt: instant(v.SubmittedAt), DecidedAt: instant(v.DecidedAt),
	}
	for _, r := range v.Requirements {
		requirement := Requirement{Kind: string(r.Kind), Status: string(r.Status), Reasons: []RequirementReason{}}
		for _, reason := range r.Reasons {
			// The reviewer's note stays inside: holders may be shown this answer.
			requirement.Reasons = append(requirement.Reasons, RequirementReason{Code: reason.Code, Message: casework.Catalogue().Text(reason.Code, "en")})
		}
		out.Requirements = append(out.Requirements, requirement)
	}
	return out
}

func verificationView(view service.VerificationView) Verification {
	out := verificationOf(view.Verification)
	out.EarliestDueAt = instant(view.EarliestDue.At)
	return out
}

// VerificationPath is the path of one verification.
type VerificationPath struct {
	ID string `path:"id" doc:"The verification." example:"ver_01jc0000000000000000000000"`
}

// EmptyBody is the body of a call that needs none: nothing at all, or {}.
type EmptyBody struct{}

func (e *edge) registerVerifications() {
	register(e, operation{
		id: "open-verification", method: http.MethodPost, path: "/v1/verifications", tag: tagVerifications, status: http.StatusCreated,
		summary: "Open a verification",
		description: "Without a payment, because a risk was seen on a payment method. It restricts the account's payments and notifies the holder, as a rejected payment does, but its approval " +
			"grants no retry. While one is open, another answers 409 with its verification_id.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body NewVerification }) (Verification, error) {
		view, err := e.Service.OpenVerification(ctx, actor, service.OpenVerification{
			AccountID: in.Body.AccountID, Type: verification.Type(in.Body.Type), PaymentMethodID: in.Body.PaymentMethodID, Reason: in.Body.Reason,
		})
		return verificationView(view), err
	})
	register(e, operation{
		id: "list-verifications", method: http.MethodGet, path: "/v1/verifications", tag: tagVerifications, status: http.StatusOK,
		summary: "List verifications", description: "Newest first.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		Paging
		AccountID string `query:"account_id" maxLength:"100" doc:"Only this account's." example:"acct_01jc0000000000000000000000"`
		Status    string `query:"status" enum:"awaiting_submission,processing,in_review,approved,resubmission_requested,declined,expired,canceled" doc:"Only those that stand here." example:"in_review"`
	}) (list[Verification], error) {
		found, next, err := e.Service.Verifications(ctx, actor, store.VerificationFilter{AccountID: in.AccountID, Status: verification.Status(in.Status)}, in.page())
		return listOf(found, next, verificationOf), err
	})
	register(e, operation{
		id: "get-verification", method: http.MethodGet, path: "/v1/verifications/{id}", tag: tagVerifications, status: http.StatusOK,
		summary: "Get a verification", description: "Where it stands, what is asked for, and when it is due.",
	}, func(ctx context.Context, actor access.Actor, in *VerificationPath) (Verification, error) {
		view, err := e.Service.Verification(ctx, actor, in.ID)
		return verificationView(view), err
	})
	register(e, operation{
		id: "submit-verification", method: http.MethodPost, path: "/v1/verifications/{id}/submit", tag: tagVerifications, status: http.StatusOK,
		summary:     "Submit the evidence",
		description: "Hands everything provided to a reviewer: the clock stops, a case opens, and the holder gets the query code. A second submission of the same round answers 409.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		VerificationPath
		Body *EmptyBody
	}) (Verification, error) {
		view, err := e.Service.Submit(ctx, actor, in.ID)
		return verificationView(view), err
	})
	register(e, operation{
		id: "cancel-verification", method: http.MethodPost, path: "/v1/verifications/{id}/cancel", tag: tagVerifications, status: http.StatusOK,
		summary:     "Cancel a verification",
		description: "Ends one that should not have been opened: the restriction is lifted and suspended resources resume, but nothing is learned and no retry is granted.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		VerificationPath
		Body *EmptyBody
	}) (Verification, error) {
		view, err := e.Service.CancelVerification(ctx, actor, in.ID)
		return verificationView(view), err
	})
}
