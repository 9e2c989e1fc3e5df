package console

import (
	"net/http"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
)

// showExplanation shows why a payment was decided as it was.
func showExplanation(v *visit) error { return v.explanationBody(http.StatusOK, &form{}, nil) }

func (v *visit) explanationBody(status int, f *form, replay *replayResult) error {
	view, err := v.s.Service.Payment(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	e, err := v.explanation(view)
	if err != nil {
		return err
	}
	e.CanReport, e.Report, e.Replay = v.canReport(), f, replay
	return v.show(status, e.Amount, "/console/accounts", explanationPage(e))
}

// explanation says in words why a payment was decided as it was.
func (v *visit) explanation(view service.PaymentView) (explanationView, error) {
	p := view.Payment
	a, err := v.s.Service.Account(v.r.Context(), v.actor, p.Attempt.AccountID)
	if err != nil {
		return explanationView{}, err
	}
	people, err := v.people()
	if err != nil {
		return explanationView{}, err
	}
	e := explanationView{
		PaymentID: p.ID, Amount: amount(p), Merchant: p.Attempt.Merchant, When: v.full(p.Attempt.OccurredAt), Stamp: web.Stamp(p.Attempt.OccurredAt),
		Learned: v.learnedOf(view.Findings, people), Links: linksOf(view, a),
	}
	d := decided{view: view}
	e.Title, e.Why, e.Tone = d.verdict()
	if e.Payment, err = v.paymentLines(p, a); err != nil {
		return e, err
	}
	e.Versions = []web.Definition{{Term: "Policy", Value: p.PolicyID + " " + p.PolicyVersion}}
	return e, nil
}

// linksOf are the ways on from a payment.
func linksOf(view service.PaymentView, a service.AccountView) []linkTo {
	var links []linkTo
	if view.CaseID != "" {
		links = append(links, linkTo{"The case of this payment", "/console/cases/" + view.CaseID})
	}
	if verificationID := view.VerificationID(); verificationID != "" {
		links = append(links, linkTo{"The verification that followed", "/console/verifications/" + verificationID})
	}
	return append(links, linkTo{"Account of " + a.Account.Profile.Name, "/console/accounts/" + a.Account.ID})
}

// paymentLines are what the platform said of the payment.
func (v *visit) paymentLines(p payment.Payment, a service.AccountView) ([]web.Definition, error) {
	methods, err := v.s.Service.PaymentMethods(v.r.Context(), v.actor, a.Account.ID)
	if err != nil {
		return nil, err
	}
	lines := []web.Definition{{Term: "Account", Body: link(a.Account.Profile.Name, "/console/accounts/"+a.Account.ID)}, {Term: "Merchant", Value: p.Attempt.Merchant}}
	for _, m := range methods {
		if m.ID == p.Attempt.PaymentMethodID {
			lines = append(lines, web.Definition{Term: "Method", Value: m.Label()})
		}
	}
	lines = append(lines,
		web.Definition{Term: "Where", Value: place(p.Attempt.Location)}, web.Definition{Term: "IP address", Value: p.Attempt.IP},
		web.Definition{Term: "Device", Value: p.Attempt.DeviceID}, web.Definition{Term: "Asked", Value: sourceName(p.Source)},
	)
	if !p.CreatedAt.Equal(p.Attempt.OccurredAt) {
		lines = append(lines, web.Definition{Term: "Decided", Value: v.short(p.CreatedAt)})
	}
	return lines, nil
}

func sourceName(s payment.Source) string {
	switch s {
	case payment.FromAPI:
		return "by itself"
	case payment.FromBatch:
		return "in a batch"
	case payment.FromHistory:
		return "not asked: brought in from the past"
	default:
		return string(s)
	}
}
