package console

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// latestPayments is how many payments of the account stand beside a held one.
const latestPayments = 6

// heldBody shows the case of a held payment, with the decision form as it stands.
func (v *visit) heldBody(status int, view service.CaseView, f *form, notice heldNotice) error {
	c := view.ThisCase
	x, err := v.s.Service.ExplainPayment(v.r.Context(), v.actor, c.PaymentID)
	if err != nil {
		return err
	}
	explanation, err := v.explanation(x)
	if err != nil {
		return err
	}
	words, tone := v.dueWords(c)
	h := heldView{
		caseID: c.ID, version: c.Version, accountID: c.AccountID, accountName: view.Account.Profile.Name, accountWho: who(view.Account.Profile),
		due: words, dueTone: tone, dueWhen: v.full(c.DueAt), dueStamp: web.Stamp(c.DueAt), explanation: explanation, notice: notice,
	}
	if c.Status == casework.Open {
		h.form = f
	} else if err := v.describeDecision(&h, view); err != nil {
		return err
	}
	payments, _, err := v.s.Service.Payments(v.r.Context(), v.actor, c.AccountID, store.Page{Limit: latestPayments + 1})
	if err != nil {
		return err
	}
	for _, one := range payments {
		if one.Payment.ID != view.Held.Payment.ID && len(h.latest) < latestPayments {
			h.latest = append(h.latest, v.paymentLine(one))
		}
	}
	return v.show(status, "Held payment", "", heldPage(h))
}

// describeDecision says what was decided, by whom and why.
func (v *visit) describeDecision(h *heldView, view service.CaseView) error {
	h.decided, h.decidedTone = decisionName(view.ThisCase.Decision), decisionTone(view.ThisCase.Decision)
	if len(view.Reviews) == 0 {
		h.decidedBy = "The case was closed before anyone decided."
		return nil
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	review := view.Reviews[0]
	h.decidedBy = p.name(access.ActorKind(review.ActorKind), review.ActorID) + " decided this " + v.ago(review.DecidedAt) + ", " + v.short(review.DecidedAt) + "."
	for _, given := range review.Reasons {
		h.decidedWhy = append(h.decidedWhy, heldReasonLabel(given.Code))
	}
	h.decidedNote = review.Note
	return nil
}

// heldReasonLabel names a ground of the catalogue, or shows the code of one that a later version dropped.
func heldReasonLabel(code string) string {
	reason, known := casework.LookupPaymentReason(code)
	if !known {
		return code
	}
	return reason.Label(web.English)
}

func (v *visit) paymentLine(one service.PaymentView) paymentLine {
	outcome := one.Outcome()
	return paymentLine{
		URL: "/console/payments/" + one.Payment.ID, Amount: amount(one.Payment), Note: comma(v.short(one.Payment.Attempt.OccurredAt), one.Payment.Attempt.Merchant),
		Outcome: web.StatusLabel(web.English, string(outcome)), Tone: web.ToneOf(string(outcome)),
	}
}

// decideHeld carries a decision on a held payment to the service. Nothing that was typed is lost on the way.
func (v *visit) decideHeld(view service.CaseView) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(f.text("expected_version"), 10, 64)
	if err != nil || version < 1 {
		return problem.New(problem.Malformed, "version_missing", "the form does not say which version of the case it is about; open the case again")
	}
	in := service.CaseDecision{CaseID: view.ThisCase.ID, Decision: casework.Decision(f.text("decision")), Note: f.text("note"), ExpectedVersion: version}
	f.refuseCardNumbers("note")
	if !in.Decision.Decides(casework.PaymentReview) {
		f.fail("decision", "Choose a decision.")
	} else {
		in.Reasons = heldReasons(f, in.Decision)
		in.OpenVerification = in.Decision == casework.Reject && f.text("verify") == "yes"
		if in.Decision == casework.Reject && len(in.Reasons) == 0 {
			f.fail("decision", "Choose at least one reason for the rejection.")
		}
	}
	switch {
	case view.ThisCase.Status != casework.Open:
		return v.tooLateForHeld(view, in)
	case version != view.ThisCase.Version:
		return v.heldBody(http.StatusConflict, view, f, heldNotice{changed: true})
	case len(f.errors) > 0:
		return v.heldBody(http.StatusUnprocessableEntity, view, f, heldNotice{})
	}
	_, err = v.s.Service.DecideCase(v.r.Context(), v.actor, in)
	return v.heldDecided(view.ThisCase.ID, f, in, err)
}

// heldReasons returns the ticked grounds that fit the decision, in the order of the catalogue.
func heldReasons(f *form, d casework.Decision) []verification.Reason {
	var reasons []verification.Reason
	for _, reason := range casework.PaymentReasons(d) {
		if slices.Contains(f.values["reason."+string(d)], reason.Code) {
			reasons = append(reasons, verification.Reason{Code: reason.Code})
		}
	}
	return reasons
}

// heldDecided answers what the service said to a decision.
func (v *visit) heldDecided(caseID string, f *form, in service.CaseDecision, err error) error {
	if err == nil {
		return v.leave("/console/cases/"+caseID, heldFlash(in.Decision))
	}
	view, loadError := v.s.Service.Case(v.r.Context(), v.actor, caseID)
	if loadError != nil {
		return loadError
	}
	switch {
	case view.ThisCase.Status != casework.Open && problem.Is(err, problem.Conflict):
		return v.tooLateForHeld(view, in)
	case isConflict(err, "case_changed"):
		return v.heldBody(http.StatusConflict, view, f, heldNotice{changed: true})
	case f.take(err, decisionRename):
		return v.heldBody(statusOf(err), view, f, heldNotice{})
	default:
		return err
	}
}

// tooLateForHeld shows what a colleague decided, and what the reader had written. A second click on one's own decision is no news.
func (v *visit) tooLateForHeld(view service.CaseView, in service.CaseDecision) error {
	review, found := reviewOf(view)
	if found && review.ActorKind == string(access.Staff) && review.ActorID == v.actor.ID && review.Decision == in.Decision {
		return v.leave("/console/cases/"+view.ThisCase.ID, heldFlash(in.Decision))
	}
	notice := heldNotice{late: true, note: in.Note}
	if in.Decision.Valid() {
		notice.wanted = decisionName(in.Decision)
	}
	return v.heldBody(http.StatusConflict, view, &form{}, notice)
}

func heldFlash(d casework.Decision) string {
	if d == casework.Approve {
		return "held_approved"
	}
	return "held_rejected"
}

// reportOutcome records what became of a payment.
func reportOutcome(v *visit) error {
	paymentID := v.r.PathValue("id")
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	_, err = v.s.Service.ReportOutcome(v.r.Context(), v.actor, service.OutcomeReport{PaymentID: paymentID, Kind: payment.FindingKind(f.text("outcome"))})
	if err == nil {
		return v.leave("/console/payments/"+paymentID, "outcome_reported")
	}
	if !f.take(err, map[string]string{"outcome": "outcome"}) {
		return err
	}
	return v.explanationBody(statusOf(err), f)
}
