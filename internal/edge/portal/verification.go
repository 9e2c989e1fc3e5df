package portal

import (
	"net/http"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
)

// maxListed bounds a list that is shown whole. An account has one open verification at a time, so a hundred are years.
const maxListed = 100

func (p *portal) verifications(r *http.Request, actor access.Actor) ([]verification.Verification, error) {
	found, _, err := p.Service.Verifications(r.Context(), actor, store.VerificationFilter{}, store.Page{Limit: maxListed})
	return found, err
}

// status is one verification as its holder sees it at an instant.
type status struct {
	visitor
	view  service.VerificationView
	now   time.Time
	flash string // key of the catalog, or ""
}

func (p *portal) status(r *http.Request, v visitor, verificationID string) (status, error) {
	view, err := p.Service.Verification(r.Context(), v.actor, verificationID)
	return status{visitor: v, view: view, now: p.Service.Clock.Now()}, err
}

// showVerification shows a verification to its holder. Whoever is not signed in is told why a link alone opens nothing.
func (p *portal) showVerification(w http.ResponseWriter, r *http.Request) {
	v, err := p.visitor(w, r)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	verificationID := r.PathValue("verification")
	if !wellFormed(verificationID) {
		p.showMissing(w, r, v)
		return
	}
	if !v.signedIn() {
		p.render(w, r, http.StatusOK, p.frame(v, r, v.p.T("gate.title")), gateBody(v, verificationID))
		return
	}
	s, err := p.status(r, v, verificationID)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	s.flash = p.flash(w, r)
	p.render(w, r, http.StatusOK, p.frame(v, r, s.title()), verificationBody(s))
}

func (s status) url() string { return verificationURL(s.view.Verification.ID) }

func (s status) requirementURL(kind verification.RequirementKind) string {
	return s.url() + "/" + string(kind)
}

// title is the heading of the verification's page: what stands, in a few words.
func (s status) title() string { return s.p.T("verification." + s.mood() + ".title") }

func (s status) lead() string {
	if s.mood() == string(verification.AwaitingSubmission) && s.amount() != "" {
		return s.p.T("verification.awaiting_submission.lead.payment", "amount", s.amount(), "method", shortMethodName(s.p, s.view.Method))
	}
	return s.p.T("verification." + s.mood() + ".lead")
}

// mood is the status with the two that a holder need not tell apart put together.
func (s status) mood() string {
	switch current := s.view.Verification.Status; current {
	case verification.Processing:
		return string(verification.InReview)
	default:
		return string(current)
	}
}

func (s status) awaitsHolder() bool { return s.view.Verification.Status.AwaitsHolder() }

// consequence is the version of the rules that the verification was opened under.
func (s status) consequence() policy.Consequence {
	return policy.Current(s.view.Verification.OpenedAt)
}

func (s status) clockRuns() bool { return s.awaitsHolder() && !s.view.Verification.DueAt.IsZero() }

// overdue reports whether the due date has passed.
func (s status) overdue() bool { return s.clockRuns() && s.now.After(s.view.Verification.DueAt) }

func (s status) due() string {
	if s.clockRuns() {
		return dueText(s.p, s.view.Verification.DueAt, s.view.Zone)
	}
	return dueText(s.p, s.view.EarliestDue.At, s.view.Zone)
}

func (s status) dueStamp() string {
	if s.clockRuns() {
		return web.Stamp(s.view.Verification.DueAt)
	}
	return web.Stamp(s.view.EarliestDue.At)
}

func (s status) remaining() string {
	return web.FormatRemaining(s.view.Verification.DueAt.Sub(s.now), s.locale)
}

// reviewDue is when the reviewer's answer is due, in the tenant's zone.
func (s status) reviewDue() string {
	return dueText(s.p, s.view.Case.DueAt, s.view.Tenant.Zone())
}

func (s status) reviewLate() bool {
	return !s.view.Case.DueAt.IsZero() && s.now.After(s.view.Case.DueAt)
}

// keptUntil is the earliest day on which suspended resources could be deleted: the days count from the platform's confirmation.
func (s status) keptUntil() string {
	from := s.view.Enforcement.SuspendedAt
	if s.view.Enforcement.AcknowledgedAt.After(from) {
		from = s.view.Enforcement.AcknowledgedAt
	}
	return web.FormatDate(from.AddDate(0, 0, s.consequence().KeepSuspended), s.view.Zone, s.locale)
}

// whatHappened lists the facts of the stopped payment.
func (s status) whatHappened() []web.Definition {
	attempt := s.view.Payment.Attempt
	facts := []web.Definition{
		{Term: s.p.T("happened.amount"), Value: money.Format(attempt.Amount.AmountMinor, attempt.Amount.Currency)},
	}
	if attempt.Merchant != "" {
		facts = append(facts, web.Definition{Term: s.p.T("happened.merchant"), Value: attempt.Merchant})
	}
	at := attempt.OccurredAt
	if at.IsZero() {
		at = s.view.Payment.CreatedAt
	}
	facts = append(facts, web.Definition{Term: s.p.T("happened.when"), Value: web.FormatInstant(at, s.view.Zone, s.locale)})
	if where := place(s.p, attempt.Location); where != "" {
		facts = append(facts, web.Definition{Term: s.p.T("happened.where"), Value: where})
	}
	if s.view.Method.ID != "" {
		facts = append(facts, web.Definition{Term: s.p.T("happened.method"), Value: methodName(s.p, s.view.Method)})
	}
	return facts
}

// amount is the stopped payment's, or "" without one.
func (s status) amount() string {
	if s.view.Payment.ID == "" {
		return ""
	}
	return money.Format(s.view.Payment.Attempt.Amount.AmountMinor, s.view.Payment.Attempt.Amount.Currency)
}

// evidence lists what counts for a requirement: of this round while the holder can change it, otherwise of all.
func (s status) evidence(kind verification.RequirementKind) []verification.Evidence {
	requirement := s.view.Verification.Requirement(kind)
	var found []verification.Evidence
	for _, one := range s.view.Evidence {
		open := requirement != nil && s.awaitsHolder() && requirement.Status != verification.Accepted
		if one.Requirement == kind && (!open || one.Round == s.view.Verification.Round) {
			found = append(found, one)
		}
	}
	return found
}

// canChange reports whether evidence for the requirement can be added or taken back now.
func (s status) canChange(kind verification.RequirementKind) bool {
	requirement := s.view.Verification.Requirement(kind)
	return s.awaitsHolder() && requirement != nil && requirement.Status != verification.Accepted
}

// backMissing reports whether a document with two sides came with its front only. It is a hint and blocks nothing.
func (s status) backMissing() bool {
	sides := map[verification.Side]bool{}
	backMatters := false
	for _, one := range s.evidence(verification.GovernmentID) {
		if one.MediaType == "application/pdf" {
			return false
		}
		backMatters = backMatters || twoSided(one.DocumentType)
		sides[one.Side] = true
	}
	return backMatters && sides[verification.Front] && !sides[verification.Back]
}

// asked counts what is asked for in this round, and how much of it is there.
func (s status) asked() (there, total int) {
	for _, one := range s.view.Verification.Requirements {
		switch one.Status {
		case verification.Accepted:
		case verification.Required, verification.AskedAgain, verification.NotAccepted:
			total++
		case verification.Provided, verification.Submitted:
			total++
			there++
		}
	}
	return there, total
}

func (s status) progress() string {
	there, total := s.asked()
	return s.p.T("verification.progress", "there", there, "total", total)
}

// nextAction is the one button that leads on: to the first item that is missing, or to the check before submission.
func (s status) nextAction() wayOut {
	if missing := s.view.Verification.Missing(); len(missing) > 0 {
		there, _ := s.asked()
		key := "verification.start"
		switch {
		case there > 0:
			key = "verification.continue"
		case s.view.Verification.Status == verification.ResubmissionRequested:
			key = "verification.again"
		}
		return wayOut{s.p.T(key, "item", requirementTitle(s.p, missing[0])), s.requirementURL(missing[0])}
	}
	return wayOut{s.p.T("verification.check"), s.url() + "/check"}
}

// steps is the checklist.
func (s status) steps() []web.Step {
	var steps []web.Step
	current := true
	for _, one := range s.view.Verification.Requirements {
		step := web.Step{
			Label: requirementTitle(s.p, one.Kind), Detail: s.stepDetail(one), URL: s.requirementURL(one.Kind), State: web.StepUpcoming,
			Aside: requirementBadge(s.p, one.Status),
		}
		switch one.Status {
		case verification.Provided, verification.Submitted, verification.Accepted:
			step.State = web.StepDone
		case verification.AskedAgain, verification.NotAccepted:
			step.State = web.StepProblem
			current = current && one.Status != verification.AskedAgain
		case verification.Required:
			if current {
				step.State = web.StepCurrent
				current = false
			}
		}
		steps = append(steps, step)
	}
	if s.awaitsHolder() {
		last := web.Step{Label: s.p.T("verification.check"), Detail: s.p.T("verification.check.detail"), State: web.StepUpcoming}
		if len(s.view.Verification.Missing()) == 0 {
			last.State, last.URL = web.StepCurrent, s.url()+"/check"
		}
		steps = append(steps, last)
	}
	return steps
}

func (s status) stepDetail(one verification.Requirement) string {
	if count := len(s.evidence(one.Kind)); count > 0 && one.Status != verification.AskedAgain {
		return s.p.N("verification.added", count)
	}
	if len(one.Reasons) > 0 {
		return evidenceReason(s.p, one.Reasons[0])
	}
	switch one.Kind {
	case verification.PaymentMethod:
		return methodName(s.p, s.view.Method)
	case verification.BillingStatement:
		return s.p.T("requirement.billing_statement.short", "method", shortMethodName(s.p, s.view.Method))
	case verification.GovernmentID:
		return s.p.T("requirement.government_id.short." + string(s.view.Account.Profile.Kind))
	}
	return ""
}

// history is the short story of a verification, newest first.
func (s status) history() []web.TimelineItem {
	v := s.view.Verification
	var items []web.TimelineItem
	add := func(at time.Time, key string, tone web.Tone) {
		if !at.IsZero() {
			items = append(items, web.TimelineItem{
				When: web.FormatInstant(at, s.view.Zone, s.locale), Stamp: web.Stamp(at), Title: s.p.T(key), Tone: tone,
			})
		}
	}
	if !v.Status.Open() || v.Status == verification.ResubmissionRequested {
		add(v.DecidedAt, "history."+string(v.Status), web.ToneOf(string(v.Status)))
	}
	add(v.SubmittedAt, "history.submitted", web.Info)
	if v.Round == 1 {
		add(v.ReceivedAt, "history.received", web.Info)
	}
	add(v.OpenedAt, "history.opened", web.Attention)
	return items
}
