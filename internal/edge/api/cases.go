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

// Case is the review of one submission, or of one held payment.
type Case struct {
	ID             string     `json:"id" doc:"Our id of the case." example:"case_01jc0000000000000000000000"`
	Kind           string     `json:"kind" enum:"verification,payment_review" doc:"verification: what a holder submitted; payment_review: a payment that the policy holds." example:"verification"`
	AccountID      string     `json:"account_id" doc:"Whose submission or payment it is." example:"acct_01jc0000000000000000000000"`
	VerificationID *string    `json:"verification_id" doc:"The verification; null for a held payment." example:"ver_01jc0000000000000000000000"`
	PaymentID      *string    `json:"payment_id" doc:"The held payment; null for a submission." example:"pay_01jc0000000000000000000000"`
	Round          int        `json:"round" doc:"Of the verification; 1 for a held payment." example:"1"`
	Status         string     `json:"status" enum:"open,decided,withdrawn" doc:"withdrawn: the verification was canceled before anyone decided." example:"open"`
	Version        int64      `json:"version" doc:"Send it as expected_version, so that a decision is about what you saw." example:"1"`
	OpenedAt       time.Time  `json:"opened_at" doc:"When the evidence was submitted, or the payment held." example:"2026-11-09T11:00:00Z"`
	DueAt          time.Time  `json:"due_at" doc:"Until when it should be decided: two business days." example:"2026-11-11T15:59:59Z"`
	Overdue        bool       `json:"overdue" doc:"Whether it was not decided in time." example:"false"`
	DecidedAt      *time.Time `json:"decided_at" doc:"When it was decided or withdrawn." example:"2026-11-10T09:00:00Z"`
	Decision       *string    `json:"decision" doc:"approve, request_resubmission or decline; for a held payment approve or reject; null while open." example:"approve"`
}

// CaseWithReviews is a case with every decision on its verification.
type CaseWithReviews struct {
	Case
	OpeningReason *string  `json:"opening_reason" doc:"Why the verification was opened, when that was without a payment; internal." example:"chargeback reported by the card scheme"`
	Reviews       []Review `json:"reviews" doc:"Every decision on the verification, oldest first; internal."`
}

// Review is one decision with its grounds. It is for the platform's back office, never for the holder.
type Review struct {
	CaseID    string         `json:"case_id" doc:"The case that was decided." example:"case_01jc0000000000000000000000"`
	Decision  string         `json:"decision" enum:"approve,request_resubmission,decline,reject" doc:"What was decided." example:"request_resubmission"`
	Reasons   []ReviewReason `json:"reasons" doc:"The grounds."`
	Note      *string        `json:"note" doc:"Internal note." example:"name matches, photo does not"`
	DecidedBy Decider        `json:"decided_by" doc:"Who decided."`
	DecidedAt time.Time      `json:"decided_at" doc:"When." example:"2026-11-10T09:00:00Z"`
}

// Decider is who decided a case: a member of staff or an API key.
type Decider struct {
	Kind string `json:"kind" enum:"staff,key" doc:"Whether a person or the platform decided." example:"staff"`
	ID   string `json:"id" doc:"Who." example:"stf_01jc0000000000000000000000"`
}

// ReviewReason is a ground of a decision, with its internal note.
type ReviewReason struct {
	Requirement *string `json:"requirement" doc:"The requirement it is about; null when it is about none." example:"government_id"`
	Code        string  `json:"code" doc:"A code of the reason catalogue." example:"id.blurred"`
	Message     string  `json:"message" doc:"What the holder reads." example:"The photo is blurred. Take it again in good light."`
	Note        *string `json:"note" doc:"Internal note." example:"number unreadable"`
}

// NewDecision is a decision on a case.
type NewDecision struct {
	Decision         string      `json:"decision" enum:"approve,request_resubmission,decline,reject" doc:"What is decided. A held payment is approved or rejected." example:"request_resubmission"`
	Reasons          []NewReason `json:"reasons,omitempty" maxItems:"30" doc:"request_resubmission needs at least one, each with its requirement; decline may have some; approve has none. Of a held payment: reject needs at least one, approve may have some."`
	OpenVerification bool        `json:"open_verification,omitempty" doc:"Beside the rejection of a held payment: restrict the account, open a verification and notify the holder, as a rejection by the policy does." example:"false"`
	Note             string      `json:"note,omitempty" maxLength:"4000" doc:"Internal note." example:"name matches, photo does not"`
	ExpectedVersion  int64       `json:"expected_version,omitempty" minimum:"1" doc:"The version you saw; 409 when another stands. Without it, whatever stands is decided." example:"1"`
}

// NewReason is a ground of a decision.
type NewReason struct {
	Requirement string `json:"requirement,omitempty" enum:"government_id,payment_method,billing_statement" doc:"The requirement it is about." example:"government_id"`
	Code        string `json:"code" maxLength:"100" doc:"A code of the reason catalogue." example:"id.blurred"`
	Note        string `json:"note,omitempty" maxLength:"4000" doc:"Internal note." example:"number unreadable"`
}

func caseOf(c casework.Case) Case {
	return Case{
		ID: c.ID, Kind: string(c.Kind), AccountID: c.AccountID, VerificationID: orNull(c.VerificationID), PaymentID: orNull(c.PaymentID), Round: c.Round,
		Status: string(c.Status), Version: c.Version, OpenedAt: c.OpenedAt, DueAt: c.DueAt, Overdue: !c.OverdueAt.IsZero(), DecidedAt: instant(c.DecidedAt), Decision: orNull(string(c.Decision)),
	}
}

func caseView(view service.CaseView) CaseWithReviews {
	out := CaseWithReviews{Case: caseOf(view.ThisCase), OpeningReason: orNull(view.Verification.OpeningReason), Reviews: []Review{}}
	for _, r := range view.Reviews {
		review := Review{
			CaseID: r.CaseID, Decision: string(r.Decision), Reasons: []ReviewReason{}, Note: orNull(r.Note),
			DecidedBy: Decider{Kind: r.ActorKind, ID: r.ActorID}, DecidedAt: r.DecidedAt,
		}
		for _, reason := range r.Reasons {
			review.Reasons = append(review.Reasons, ReviewReason{
				Requirement: orNull(string(reason.Requirement)), Code: reason.Code, Message: reasonText(view.ThisCase.Kind, reason.Code), Note: orNull(reason.Note),
			})
		}
		out.Reviews = append(out.Reviews, review)
	}
	return out
}

// reasonText is what a ground means to its reader, by the catalogue of the case's kind.
func reasonText(kind casework.Kind, code string) string {
	if kind == casework.PaymentReview {
		reason, _ := casework.LookupPaymentReason(code)
		return reason.Text("en")
	}
	return casework.Catalogue().Text(code, "en")
}

func (d NewDecision) decision(caseID string) service.CaseDecision {
	out := service.CaseDecision{CaseID: caseID, Decision: casework.Decision(d.Decision), Note: d.Note, ExpectedVersion: d.ExpectedVersion,
		OpenVerification: d.OpenVerification}
	for _, reason := range d.Reasons {
		out.Reasons = append(out.Reasons, verification.Reason{
			Requirement: verification.RequirementKind(reason.Requirement), Code: reason.Code, Note: reason.Note,
		})
	}
	return out
}

// CasePath is the path of one case.
type CasePath struct {
	ID string `path:"id" doc:"The case." example:"case_01jc0000000000000000000000"`
}

func (e *edge) registerCases() {
	register(e, operation{
		id: "list-cases", method: http.MethodGet, path: "/v1/cases", tag: tagCases, status: http.StatusOK,
		summary: "List cases", description: "Open ones by due time when status is open, otherwise newest first.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		Paging
		Status string `query:"status" enum:"open,decided,withdrawn" doc:"Only those that stand here." example:"open"`
		Kind   string `query:"kind" enum:"verification,payment_review" doc:"Only those of this kind." example:"payment_review"`
	}) (list[Case], error) {
		found, next, err := e.Service.Cases(ctx, actor, store.CaseFilter{Status: casework.Status(in.Status), Kind: casework.Kind(in.Kind)}, in.page())
		return listOf(found, next, func(s service.CaseSummary) Case { return caseOf(s.Case) }), err
	})
	register(e, operation{
		id: "get-case", method: http.MethodGet, path: "/v1/cases/{id}", tag: tagCases, status: http.StatusOK,
		summary: "Get a case", description: "For the platform's back office: it holds internal notes.",
	}, func(ctx context.Context, actor access.Actor, in *CasePath) (CaseWithReviews, error) {
		view, err := e.Service.Case(ctx, actor, in.ID)
		return caseView(view), err
	})
	register(e, operation{
		id: "decide-case", method: http.MethodPost, path: "/v1/cases/{id}/decision", tag: tagCases, status: http.StatusOK,
		summary: "Decide a case",
		description: "approve lifts the restriction, resumes what was suspended and grants one retry; request_resubmission asks again for the items with a reason; decline ends the verification " +
			"and leaves the restriction. A held payment is approved or rejected; its rejection restricts nothing unless open_verification asks for it. The first decision stands: a second one, or one on another version, answers 409. It is recorded under the API key.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		CasePath
		Body NewDecision
	}) (CaseWithReviews, error) {
		view, err := e.Service.DecideCase(ctx, actor, in.Body.decision(in.ID))
		return caseView(view), err
	})
}
