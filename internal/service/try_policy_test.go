package service_test

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

func TestAPolicyIsTriedOnStoredPayments(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		began := w.clock.Now()
		fraud := w.pay(p.attempt(dollars(150)))
		w.pay(p.attempt(dollars(160)))
		w.pay(p.attempt(dollars(20)))
		w.at(w.now().Add(time.Hour))
		_, err := w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: fraud.Payment.ID, Kind: payment.FraudConfirmed})
		w.must(err)
		ana, _ := w.analysts()
		v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: small("1", "rejected")})
		w.must(err)
		before := w.counts()

		trial := service.PolicyTrial{PolicyID: v.ID, From: began.Add(-time.Hour), To: w.clock.Now().Add(time.Hour)}
		got, err := w.s.TryPolicy(w.Context(), ana, trial)
		w.must(err)
		if grown := w.grown(before); grown != "" {
			w.Errorf("got %s, want a trial to change nothing", grown)
		}
		r := got.Report
		if got.Tried.ID != v.ID || got.Live.Number != 0 || r.Payments != 3 || r.Fraud != 1 || r.Labelled != 1 {
			w.Errorf("got %d payments, %d fraud, %d labelled, of %+v", r.Payments, r.Fraud, r.Labelled, got.Tried)
		}
		if r.Outcomes.Rejected.Payments != 2 || r.Against.Outcomes.Rejected.Payments != 0 || r.Against.Changed != 2 || r.GoodBlocked != 1 || r.SavedMinor == 0 {
			w.Errorf("got %+v, live %+v", r.Outcomes, r.Against.Outcomes)
		}

		later := trial
		later.From = w.clock.Now().Add(time.Minute)
		if got, err := w.s.TryPolicy(w.Context(), ana, later); err != nil || got.Report.Payments != 0 {
			w.Errorf("got %d payments, %v, in a span without any", got.Report.Payments, err)
		}
	})
}

func TestWhoMayTryAPolicyAndOnWhat(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		now := w.clock.Now()
		reviewer := access.Actor{Kind: access.Staff, TenantID: w.tenant.ID, ID: "stf_1", Role: access.Reviewer}
		for name, c := range map[string]struct {
			actor access.Actor
			in    service.PolicyTrial
			want  problem.Kind
		}{
			"a reviewer may not":               {reviewer, service.PolicyTrial{From: now.Add(-time.Hour), To: now}, problem.Forbidden},
			"a span that ends before it began": {ana, service.PolicyTrial{From: now, To: now.Add(-time.Hour)}, problem.Invalid},
			"a span without a beginning":       {ana, service.PolicyTrial{To: now}, problem.Invalid},
			"a version that is not there":      {ana, service.PolicyTrial{PolicyID: "pol_none", From: now.Add(-time.Hour), To: now}, problem.NotFound},
		} {
			if _, err := w.s.TryPolicy(w.Context(), c.actor, c.in); !problem.Is(err, c.want) {
				w.Errorf("%s: got %v", name, err)
			}
		}
	})
}
