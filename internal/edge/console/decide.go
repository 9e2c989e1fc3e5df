package console

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
)

// decisionForm is the decision as it is being written.
type decisionForm struct {
	form
	version  int64
	decision casework.Decision
	// changed says that the case has moved on since the form was shown, so that its writer must look again.
	changed bool
}

func newDecisionForm(view service.CaseView) *decisionForm {
	return &decisionForm{form: form{values: map[string][]string{}}, version: view.ThisCase.Version}
}

// chosen reports whether a reason is ticked for a requirement.
func (f *decisionForm) chosen(kind verification.RequirementKind, code string) bool {
	for _, one := range f.values["reason."+string(kind)] {
		if one == code {
			return true
		}
	}
	return false
}

// touched reports whether anything was chosen or written for a requirement.
func (f *decisionForm) touched(kind verification.RequirementKind) bool {
	return len(f.values["reason."+string(kind)]) > 0 || f.text("note."+string(kind)) != ""
}

// reasons returns what was ticked, in the order of the requirements. The internal note of a requirement goes with its first reason.
func (f *decisionForm) reasons() []verification.Reason {
	var reasons []verification.Reason
	if f.decision == casework.Approve {
		return nil
	}
	for _, kind := range verification.RequirementKinds {
		note := f.text("note." + string(kind))
		for _, code := range f.values["reason."+string(kind)] {
			reasons = append(reasons, verification.Reason{Requirement: kind, Code: code, Note: note})
			note = ""
		}
	}
	return reasons
}

// note returns the internal note. What was written for a requirement that has no reason joins it, so that nothing is lost.
func (f *decisionForm) note() string {
	var parts []string
	if general := f.text("note"); general != "" {
		parts = append(parts, general)
	}
	for _, kind := range verification.RequirementKinds {
		note := f.text("note." + string(kind))
		if note != "" && (f.decision == casework.Approve || len(f.values["reason."+string(kind)]) == 0) {
			parts = append(parts, requirementName(kind)+": "+note)
		}
	}
	return strings.Join(parts, "\n")
}

// fields are the names under which the form travels.
func decisionFields() []string {
	names := []string{"note"}
	for _, kind := range verification.RequirementKinds {
		names = append(names, "note."+string(kind))
	}
	return names
}

// readDecision reads the form and checks what needs no case.
func readDecision(v *visit) (*decisionForm, error) {
	read, err := readForm(v.w, v.r)
	if err != nil {
		return nil, err
	}
	f := &decisionForm{form: *read, decision: casework.Decision(read.text("decision"))}
	if f.version, err = strconv.ParseInt(f.text("expected_version"), 10, 64); err != nil || f.version < 1 {
		return nil, problem.New(problem.Malformed, "version_missing", "the form does not say which version of the case it is about; open the case again")
	}
	if !f.decision.Valid() {
		f.fail("decision", "Choose a decision.")
	}
	f.refuseCardNumbers(decisionFields()...)
	if !pan.Find(f.raw("note")) && pan.Find(f.note()) {
		f.fail("note", panMessage)
	}
	if f.decision == casework.RequestResubmission && len(f.reasons()) == 0 && len(f.errors) == 0 {
		f.fail("decision", "Choose at least one reason for an item that has to be sent again.")
	}
	return f, nil
}

// decide carries a decision from the form over its confirmation to the service. Nothing that was typed is lost on the way.
func decide(v *visit) error {
	caseID := v.r.PathValue("id")
	view, err := v.s.Service.Case(v.r.Context(), v.actor, caseID)
	if err != nil {
		return err
	}
	if view.ThisCase.Kind == casework.PaymentReview {
		return v.decideHeld(view)
	}
	f, err := readDecision(v)
	if err != nil {
		return err
	}
	switch {
	case view.ThisCase.Status != casework.Open:
		return v.alreadyDecided(view, f)
	case f.version != view.ThisCase.Version:
		f.version, f.changed = view.ThisCase.Version, true
		return v.caseBody(http.StatusConflict, view, f)
	case f.text("step") == "edit":
		f.errors = nil
		return v.caseBody(http.StatusOK, view, f)
	case len(f.errors) > 0:
		return v.caseBody(http.StatusUnprocessableEntity, view, f)
	}
	if err := casework.Catalogue().CheckReasons(f.reasons(), f.decision); err != nil && f.take(err, decisionRename) {
		return v.caseBody(http.StatusUnprocessableEntity, view, f)
	}
	if f.text("step") != "confirm" {
		return v.show(http.StatusOK, "Confirm: "+decisionName(f.decision), "", confirmPage(v, view, f))
	}
	_, err = v.s.Service.DecideCase(v.r.Context(), v.actor, service.CaseDecision{
		CaseID: caseID, Decision: f.decision, Reasons: f.reasons(), Note: f.note(), ExpectedVersion: f.version,
	})
	return v.decided(caseID, f, err)
}

var decisionRename = map[string]string{
	"decision": "decision", "note": "note", "reasons": "decision", "reasons.code": "decision", "reasons.requirement": "decision", "reasons.note": "note",
}

// decided answers what the service said to a decision.
func (v *visit) decided(caseID string, f *decisionForm, err error) error {
	if err == nil {
		return v.leave("/console/cases/"+caseID, decisionFlash(f.decision))
	}
	view, loadError := v.s.Service.Case(v.r.Context(), v.actor, caseID)
	if loadError != nil {
		return loadError
	}
	switch {
	case view.ThisCase.Status != casework.Open && problem.Is(err, problem.Conflict):
		return v.alreadyDecided(view, f)
	case isConflict(err, "case_changed"):
		f.version, f.changed = view.ThisCase.Version, true
		return v.caseBody(http.StatusConflict, view, f)
	case f.take(err, decisionRename):
		return v.caseBody(statusOf(err), view, f)
	default:
		return err
	}
}

// alreadyDecided tells a reviewer kindly that the case is decided. A second click on one's own decision is no news.
func (v *visit) alreadyDecided(view service.CaseView, f *decisionForm) error {
	review, found := reviewOf(view)
	own := found && review.ActorKind == string(access.Staff) && review.ActorID == v.actor.ID
	if own && review.Decision == f.decision {
		return v.leave("/console/cases/"+view.ThisCase.ID, decisionFlash(f.decision))
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	name := "Nobody"
	if found {
		name = p.name(access.ActorKind(review.ActorKind), review.ActorID)
	}
	return v.show(http.StatusConflict, "Already decided", "", tooLatePage(v, view, f, lateView{review: review, found: found, name: name}))
}

// lateView is the decision that stands.
type lateView struct {
	review casework.Review
	found  bool
	name   string
}

func reviewOf(view service.CaseView) (casework.Review, bool) {
	for _, r := range view.Reviews {
		if r.CaseID == view.ThisCase.ID {
			return r, true
		}
	}
	return casework.Review{}, false
}

func decisionFlash(d casework.Decision) string {
	switch d {
	case casework.Approve:
		return "approved"
	case casework.RequestResubmission:
		return "resubmission"
	case casework.Decline:
		return "declined"
	default:
		return ""
	}
}

// consequences says what a decision will do, a sentence each.
func consequences(view service.CaseView, d casework.Decision, asked []verification.RequirementKind) []string {
	suspended := view.Enforcement.State == enforcement.Suspended || view.Enforcement.State == enforcement.ReleaseScheduled
	switch d {
	case casework.Approve:
		return approvalConsequences(view, suspended)
	case casework.RequestResubmission:
		lines := []string{"Accepts every other item, and asks again only for the items with a reason."}
		if len(asked) > 0 {
			var names []string
			for _, kind := range asked {
				names = append(names, requirementName(kind))
			}
			lines[0] = "Asks again for " + join(names) + ", and accepts the rest."
		}
		lines = append(lines, "Starts a new due date: the end of the first business day after the holder receives the notice.", "The restriction stays.")
		if suspended {
			lines = append(lines, "Suspended resources stay suspended.")
		}
		return append(lines, "Tells the holder by e-mail and Internal Message, with the reasons in their language.")
	case casework.Decline:
		lines := []string{"Ends the verification. The restriction stays."}
		if suspended {
			lines = append(lines, "Suspended resources stay suspended.")
		}
		return append(lines, "Releases nothing, and nothing is deleted by it.",
			"Tells the holder by e-mail and Internal Message, with the reasons; they can open a ticket.")
	default:
		return nil
	}
}

func approvalConsequences(view service.CaseView, suspended bool) []string {
	var lines []string
	if view.Restricted {
		lines = append(lines, "Lifts the restriction: payments pass again.")
	}
	if suspended {
		lines = append(lines, "Resumes the suspended resources.")
	}
	if p := view.Payment; p.ID != "" {
		lines = append(lines, "Grants one retry of up to "+money.Format(p.Attempt.Amount.AmountMinor, p.Attempt.Amount.Currency)+", within 30 days.",
			"Makes the payment's place, device and payment method known for this account.")
	} else if view.Method.ID != "" {
		lines = append(lines, "Makes the payment method known for this account. No retry is granted, as no payment was rejected.")
	}
	return append(lines, "Tells the holder by e-mail and Internal Message.")
}

// askedAgain lists the requirements that have a reason.
func (f *decisionForm) askedAgain() []verification.RequirementKind {
	var kinds []verification.RequirementKind
	for _, kind := range verification.RequirementKinds {
		if len(f.values["reason."+string(kind)]) > 0 {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// holderText is what the holder will read for a reason of a decision, and in which language besides English.
func holderText(code string, d casework.Decision, locale string) (english, translated string) {
	tell := casework.Catalogue().Text
	if d == casework.Decline {
		tell = casework.Catalogue().Ground
	}
	english = tell(code, web.English)
	if web.Match(locale) != web.English {
		translated = tell(code, locale)
	}
	return english, translated
}
