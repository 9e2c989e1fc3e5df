package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk/backtest"
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

func TestATrialCountsAHeldPaymentFromItsApprovalOn(t *testing.T) {
	on(t, func(w *world) {
		w.publish(strings.Replace(busyPolicy("1"), "outcome: approved", "outcome: review", 1))
		w.pass(2 * 1e9)
		w.follow()
		var cases []string
		for range 3 {
			view, err := w.s.Payment(w.Context(), w.key, w.pay(w.person().attempt(dollars(150))).Payment.ID)
			w.must(err)
			cases = append(cases, view.CaseID)
		}
		w.at(w.now().Add(10 * time.Minute))
		w.follow()
		if got := w.pay(w.person().attempt(dollars(20))).Payment.Outcome; got != payment.Approved {
			w.Fatalf("got %s while the three are held", got)
		}
		w.at(w.now().Add(10 * time.Minute))
		for _, id := range cases {
			w.decide(id, service.CaseDecision{Decision: "approve"})
		}
		w.follow()
		w.at(w.now().Add(time.Minute))
		if got := w.pay(w.person().attempt(dollars(20))).Payment.Outcome; got != payment.Rejected {
			w.Fatalf("got %s after the three were approved", got)
		}
		w.at(w.now().Add(time.Hour))
		if got := w.tryLive().Outcomes; got.Rejected.Payments != 1 || got.Review.Payments != 3 || got.Approved.Payments != 1 {
			w.Errorf("got %+v, want the answers that were given", got)
		}
	})
}

func TestATrialSeesFraudFromWhenItWasKnownUntilItWasTakenBack(t *testing.T) {
	on(t, func(w *world) {
		w.publish(busyPolicy("1"))
		w.pass(2 * 1e9)
		w.follow()
		p := w.person()
		first := w.pay(p.attempt(dollars(20))).Payment
		next := func(want payment.Outcome) {
			w.Helper()
			w.follow()
			w.at(w.now().Add(time.Minute))
			if got := w.pay(p.attempt(dollars(20))).Payment.Outcome; got != want {
				w.Fatalf("got %s, want %s", got, want)
			}
			w.at(w.now().Add(time.Minute))
		}
		for _, kind := range []payment.FindingKind{payment.Chargeback, payment.LegitimateConfirmed} {
			_, err := w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: first.ID, Kind: kind})
			w.must(err)
			next(map[bool]payment.Outcome{true: payment.Review, false: payment.Approved}[kind == payment.Chargeback])
		}
		w.at(w.now().Add(time.Hour))
		report := w.tryLive()
		if got := report.Outcomes; got.Review.Payments != 1 || got.Approved.Payments != 2 || report.Fraud != 0 {
			w.Errorf("got %+v and %d fraud, want the answers that were given", got, report.Fraud)
		}
	})
}

// tryLive tries the live version on everything.
func (w *world) tryLive() *backtest.Report {
	w.Helper()
	ana, _ := w.analysts()
	live, err := w.s.LivePolicy(w.Context(), w.key)
	w.must(err)
	got, err := w.s.TryPolicy(w.Context(), ana, service.PolicyTrial{PolicyID: live.Version.ID, From: start.Add(-time.Hour), To: w.now()})
	w.must(err)
	return got.Report
}

func TestALongTrialTellsHowFarItIs(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		for part := range 3 {
			past := make([]service.PastPayment, 2500)
			for i := range past {
				past[i] = service.PastPayment{ExternalID: fmt.Sprint(part, "-", i), Outcome: payment.Approved, Attempt: p.attempt(dollars(20))}
				past[i].Attempt.OccurredAt = start.Add(-time.Duration(7500-2500*part-i) * time.Minute)
			}
			_, err := w.s.ImportPayments(w.Context(), w.key, past)
			w.must(err)
		}
		ana, _ := w.analysts()
		var told []service.TrialProgress
		trial := service.PolicyTrial{From: start.Add(-24 * time.Hour), To: w.now(), Progress: func(p service.TrialProgress) { told = append(told, p) }}
		_, err := w.s.TryPolicy(w.Context(), ana, trial)
		w.must(err)
		if len(told) == 0 {
			w.Fatal("a trial of 7500 payments said nothing")
		}
		want := []service.TrialProgress{
			{Read: 5000, OfAbout: told[0].OfAbout, Share: told[0].Share}, {Decided: 5000, Payments: 7500, Share: 2.0 / 3},
		}
		if !slices.Equal(told, want) || told[0].OfAbout < 6500 || told[0].OfAbout > 8500 || told[0].Share < 0.6 || told[0].Share > 0.7 {
			w.Errorf("got %+v, want %+v", told, want)
		}
	})
}
