package console

import (
	"net/http"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
)

// dossier is a verification as its pages show it, with or without a case.
type dossier struct {
	v         *visit
	view      service.CaseView
	people    people
	history   []web.TimelineItem
	notices   []notice.Notice
	sections  []section
	form      *decisionForm // nil where nothing is to be decided
	colleague string        // who looked at the evidence a moment ago, and when; empty when nobody did
}

// section is one requirement with its evidence: what counts now, and what earlier rounds brought.
type section struct {
	requirement verification.Requirement
	current     []verification.Evidence
	earlier     []verification.Evidence
}

// sectionsOf sorts the evidence that was there in the round by requirement.
func sectionsOf(view service.VerificationView, round int) []section {
	var sections []section
	for _, requirement := range view.Verification.Requirements {
		latest := 0
		for _, e := range view.Evidence {
			if e.Requirement == requirement.Kind && e.Round <= round {
				latest = max(latest, e.Round)
			}
		}
		one := section{requirement: requirement}
		for _, e := range view.Evidence {
			switch {
			case e.Requirement != requirement.Kind || e.Round > round:
			case e.Round == latest:
				one.current = append(one.current, e)
			default:
				one.earlier = append(one.earlier, e)
			}
		}
		sections = append(sections, one)
	}
	return sections
}

// newDossier loads what stands around a verification.
func newDossier(v *visit, view service.CaseView) (*dossier, error) {
	d := &dossier{v: v, view: view}
	var err error
	if d.people, err = v.people(); err != nil {
		return nil, err
	}
	var entries []journal.Entry
	if d.history, entries, err = v.historyOf(view.Verification, d.people); err != nil {
		return nil, err
	}
	if d.notices, err = v.s.Service.NoticesOf(v.r.Context(), v.actor, view.Verification.ID); err != nil {
		return nil, err
	}
	round := view.Verification.Round
	if view.ThisCase.ID != "" {
		round = view.ThisCase.Round
	}
	d.sections = sectionsOf(view.VerificationView, round)
	if e, busy := v.colleagueAt(entries, view.Verification.ID); busy {
		d.colleague = d.people.name(e.Actor.Kind, e.Actor.ID) + " looked at this evidence " + v.ago(e.At)
	}
	return d, nil
}

// showCase shows the evidence beside what the account says, and the form that decides.
func showCase(v *visit) error {
	view, err := v.s.Service.Case(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if view.ThisCase.Kind == casework.PaymentReview {
		return v.heldBody(http.StatusOK, view, &form{}, heldNotice{})
	}
	return v.caseBody(http.StatusOK, view, newDecisionForm(view))
}

// caseBody shows a case with a decision form as it stands.
func (v *visit) caseBody(status int, view service.CaseView, f *decisionForm) error {
	d, err := newDossier(v, view)
	if err != nil {
		return err
	}
	if view.ThisCase.Status == casework.Open {
		d.form = f
	}
	return v.show(status, view.Account.Profile.Name, "", casePage(d))
}

// showVerification shows a verification by itself: one that waits for its holder, or one whose case is found through it.
func showVerification(v *visit) error {
	view, err := v.s.Service.Verification(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	shown := service.CaseView{VerificationView: view}
	if view.Case.ID != "" {
		latest, err := v.s.Service.Case(v.r.Context(), v.actor, view.Case.ID)
		if err != nil {
			return err
		}
		shown.Reviews = latest.Reviews
	}
	d, err := newDossier(v, shown)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, view.Account.Profile.Name, "", verificationPage(d))
}

// standing says what is in force against the account, in words.
func (d *dossier) standing() []web.Definition {
	v := d.v
	lines := []web.Definition{{Term: "Payments", Body: web.BadgeText("Not restricted", web.Positive)}}
	if d.view.Restricted {
		lines[0].Body = web.BadgeText("Restricted", web.Negative)
	}
	e := d.view.Enforcement
	line := web.Definition{Term: "Resources"}
	switch e.State {
	case enforcement.Grace:
		line.Body = stateLine("Running, due date runs", web.Attention, "Suspended unless submitted by "+v.short(e.DueAt))
	case enforcement.Suspended:
		detail := "The platform has not acknowledged yet"
		if !e.AcknowledgedAt.IsZero() {
			detail = "Acknowledged by the platform " + v.short(e.AcknowledgedAt)
		}
		line.Body = stateLine("Suspended since "+v.short(e.SuspendedAt), web.Negative, detail)
	case enforcement.ReleaseScheduled:
		line.Body = stateLine("Release scheduled", web.Negative, "")
	case enforcement.Released:
		line.Body = stateLine("Released", web.Negative, "")
	case enforcement.None:
		line.Body = web.BadgeText("Running", web.Positive)
	default:
		line.Body = web.BadgeText("Running", web.Positive)
	}
	return append(lines, line)
}

// delivery says how far a notice has come.
func (v *visit) delivery(n notice.Notice) (string, web.Tone) {
	switch {
	case !n.ReceivedAt.IsZero():
		return "Received " + v.short(n.ReceivedAt), web.Positive
	case !n.BouncedAt.IsZero():
		return "Bounced " + v.short(n.BouncedAt), web.Negative
	case !n.AcceptedAt.IsZero():
		return "Taken by a mail relay " + v.short(n.AcceptedAt), web.Info
	default:
		return "Being sent", web.Neutral
	}
}

// reviewer says who made a review.
func (d *dossier) reviewer(r casework.Review) string {
	return d.people.name(access.ActorKind(r.ActorKind), r.ActorID)
}

// missed reports whether the holder let the due date pass.
func (d *dossier) missed() bool {
	ver := d.view.Verification
	return ver.Status.AwaitsHolder() && !ver.DueAt.IsZero() && d.v.now.After(ver.DueAt)
}

func (d *dossier) holderClockTone() web.Tone {
	if d.missed() {
		return web.Attention
	}
	return web.Info
}

// holderClock says when the holder's submission is due, or why no clock runs.
func (d *dossier) holderClock() (title, text string) {
	ver := d.view.Verification
	switch {
	case !ver.Status.AwaitsHolder():
		return "", ""
	case d.missed():
		return "The due date was missed: " + web.FormatInstant(ver.DueAt, d.view.Zone, web.English),
			"In the holder's time zone. Notice received " + d.v.short(ver.ReceivedAt) + ". The holder can still submit."
	case !ver.DueAt.IsZero():
		return "The holder's submission is due " + web.FormatInstant(ver.DueAt, d.view.Zone, web.English),
			"In the holder's time zone. Notice received " + d.v.short(ver.ReceivedAt) + "."
	default:
		return "No clock runs yet", "The notice has not been received, so there is no due date. The restriction stays."
	}
}
