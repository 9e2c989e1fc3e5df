package service_test

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// hold publishes a policy that holds large payments, and makes one.
func (w *world) hold(p person) service.PaymentView {
	w.Helper()
	live, err := w.s.LivePolicy(w.Context(), w.key)
	w.must(err)
	if live.Version.PolicyID != "small" {
		w.publish(small("1", "review"))
	}
	held := w.pay(p.attempt(dollars(150)))
	if held.Payment.Outcome != payment.Review {
		w.Fatalf("got %s, want review", held.Payment.Outcome)
	}
	held, err = w.s.Payment(w.Context(), w.key, held.Payment.ID)
	w.must(err)
	return held
}

func TestAHeldPaymentOpensACaseAndNothingElse(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.publish(small("1", "review"))
		before, entries := w.counts(), len(w.entries())
		held := w.pay(p.attempt(dollars(150)))
		if held.Payment.Outcome != payment.Review || len(held.Payment.Reasons) != 1 || held.Payment.VerificationID != "" || held.NextStep != (service.NextStep{}) {
			w.Errorf("got %+v", held)
		}
		if got, want := w.grown(before), "payments+1 cases+1 journal+2 jobs+1"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
		w.wantTypes(entries, journal.PaymentHeld, journal.CaseOpened)
		queue, _, err := w.s.Cases(w.Context(), w.reviewer, store.CaseFilter{Status: casework.Open}, store.Page{})
		w.must(err)
		if len(queue) != 1 || queue[0].Case.Kind != casework.PaymentReview || queue[0].Case.PaymentID != held.Payment.ID || queue[0].Case.DueAt.IsZero() {
			w.Fatalf("got %+v", queue)
		}
		view, err := w.s.Case(w.Context(), w.reviewer, queue[0].Case.ID)
		w.must(err)
		if view.Held.Payment.ID != held.Payment.ID || view.Account.ID != p.account.ID || view.Method.ID != p.method.ID || view.Held.CaseID != view.ThisCase.ID {
			w.Errorf("got %+v", view)
		}
		// Others of the account are decided meanwhile.
		if got := w.pay(p.attempt(dollars(20))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s for a small payment beside the held one", got)
		}
	})
}

// approvedInProfile returns how many approved payments the stored profile of an account holds.
func (w *world) approvedInProfile(p person) int64 {
	w.Helper()
	var body []byte
	w.must(w.db.QueryRowContext(w.Context(), "SELECT body FROM profiles WHERE account_id = '"+p.account.ID+"'").Scan(&body))
	profile, err := history.DecodeProfile(body)
	w.must(err)
	approved, _ := profile.Spending("USD", w.now())
	return approved
}

func TestAHeldPaymentIsApproved(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		held := w.hold(p)
		before, entries := w.counts(), len(w.entries())
		view := w.decide(held.CaseID, service.CaseDecision{Decision: casework.Approve, Reasons: []verification.Reason{{Code: "payment.confirmed_by_holder"}}})
		if view.ThisCase.Decision != casework.Approve || view.Held.Outcome() != payment.Approved || len(view.Reviews) != 1 {
			w.Errorf("got %+v", view)
		}
		if got, want := w.grown(before), "profiles+1 reviews+1 journal+3 jobs-1 payment_findings+2"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
		w.wantTypes(entries, journal.CaseDecided, journal.PaymentHeldApproved, journal.PaymentOutcome)
		// It counts as approved from now on: the method and the place are known to the account.
		if got := w.approvedInProfile(p); got != 1 {
			w.Errorf("got %d approved payments in the profile, want 1", got)
		}
		_, err := w.s.DecideCase(w.Context(), w.reviewer, service.CaseDecision{CaseID: held.CaseID, Decision: casework.Reject, Reasons: []verification.Reason{{Code: "payment.policy"}}})
		refused(w, err, problem.Conflict, "case_decided")
	})
}

func TestAHeldPaymentIsRejected(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		held := w.hold(p)
		before, entries := w.counts(), len(w.entries())
		for _, c := range []struct {
			name string
			in   service.CaseDecision
			code string
		}{
			{"without a reason", service.CaseDecision{Decision: casework.Reject}, "reasons_required"},
			{"as a submission is", service.CaseDecision{Decision: casework.Decline}, "decision_unknown"},
			{"with a verification although it is approved", service.CaseDecision{Decision: casework.Approve, OpenVerification: true}, "not_expected"},
		} {
			c.in.CaseID = held.CaseID
			_, err := w.s.DecideCase(w.Context(), w.reviewer, c.in)
			refused(w, err, problem.Invalid, c.code)
		}
		view := w.decide(held.CaseID, service.CaseDecision{Decision: casework.Reject, Reasons: []verification.Reason{{Code: "payment.suspicious"}}, Note: "told on the telephone"})
		if view.Held.Outcome() != payment.Rejected || view.Held.Reasons()[0].Code != "payment.suspicious" || view.Held.NextStep != (service.NextStep{}) {
			w.Errorf("got %+v", view.Held)
		}
		if got, want := w.grown(before), "reviews+1 journal+2 jobs-1 payment_findings+1"; got != want {
			w.Errorf("got %s, want %s: a rejection by a person restricts nothing by itself", got, want)
		}
		w.wantTypes(entries, journal.CaseDecided, journal.PaymentHeldRejected)
		if got := w.pay(p.attempt(dollars(20))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s for the account's next payment", got)
		}
	})
}

func TestARejectionMayOpenAVerification(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		held := w.hold(p)
		view := w.decide(held.CaseID, service.CaseDecision{
			Decision: casework.Reject, OpenVerification: true, Reasons: []verification.Reason{{Code: "payment.stolen_method"}},
		})
		v := w.verification(view.Held.VerificationID())
		if v.PaymentID != held.Payment.ID || !v.Status.AwaitsHolder() || view.Held.NextStep.Kind != "verify" {
			w.Errorf("got %+v with %+v", v, view.Held.NextStep)
		}
		if got := w.countEvents(journal.NoticeCreated); got != 1 {
			w.Errorf("got %d notices, want 1", got)
		}
		if got := w.pay(p.attempt(dollars(20))).Payment; got.Outcome != payment.Rejected || got.VerificationID != v.ID {
			w.Errorf("got %s while the account is restricted", got.Outcome)
		}
		// A ground that says fraud is a report of fraud.
		found, err := w.s.Payment(w.Context(), w.key, held.Payment.ID)
		w.must(err)
		if payment.VerdictOf(found.Findings) != payment.Fraud {
			w.Errorf("got %+v", found.Findings)
		}
		// Approving the verification grants the retry of the held payment.
		submitted := w.submit(p, v.ID)
		w.decide(submitted.Case.ID, service.CaseDecision{Decision: casework.Approve})
		if got := w.pay(p.attempt(dollars(150))).Payment; got.Outcome != payment.Approved || got.GrantID == "" {
			w.Errorf("got %s, want the retry to pass", got.Outcome)
		}
	})
}

func TestARestrictedAccountPaysNothingWhoeverApproves(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		held := w.hold(p)
		_, err := w.s.OpenVerification(w.Context(), w.key, service.OpenVerification{
			Type: verification.PaymentSecurity, AccountID: p.account.ID, Reason: "seen elsewhere",
		})
		w.must(err)
		before := w.counts()
		_, err = w.s.DecideCase(w.Context(), w.reviewer, service.CaseDecision{CaseID: held.CaseID, Decision: casework.Approve})
		refused(w, err, problem.Conflict, service.ReasonRestricted)
		if got := w.grown(before); got != "" {
			w.Errorf("got %s, want nothing of a refused decision", got)
		}
	})
}

func TestAHeldPaymentThatNobodyDecidesIsNotedOnce(t *testing.T) {
	on(t, func(w *world) {
		held := w.hold(w.person())
		w.at(start.Add(9 * 24 * time.Hour))
		w.work()
		w.work()
		if got := w.countEvents(journal.CaseOverdue); got != 1 {
			w.Errorf("got %d entries, want 1", got)
		}
		found, err := w.s.Payment(w.Context(), w.key, held.Payment.ID)
		if err != nil || found.Outcome() != payment.Review {
			w.Errorf("got %s %v, want it still held", found.Outcome(), err)
		}
	})
}

func TestWhatBecameOfAPaymentIsReported(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		paid := w.pay(p.attempt(dollars(20)))
		report := func(kind payment.FindingKind, at time.Time) (service.PaymentView, error) {
			return w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: paid.Payment.ID, Kind: kind, At: at})
		}
		before, entries := w.counts(), len(w.entries())
		w.pass(time.Hour)
		happened := w.now().Add(-10 * time.Minute)
		view, err := report(payment.Settled, happened)
		w.must(err)
		if len(view.Findings) != 1 || view.Findings[0].OccurredAt != happened || view.Findings[0].KnownAt != w.now() {
			w.Errorf("got %+v, want it known since we were told", view.Findings)
		}
		_, err = report(payment.Settled, happened)
		w.must(err)
		if got, want := w.grown(before), "journal+1 payment_findings+1"; got != want {
			w.Errorf("got %s, want %s: the same report twice is one", got, want)
		}
		w.wantTypes(entries, journal.PaymentOutcome)
		_, err = report(payment.Chargeback, time.Time{})
		w.must(err)
		view, err = report(payment.LegitimateConfirmed, time.Time{})
		w.must(err)
		if last, _ := payment.Latest(view.Findings); last.Kind != payment.LegitimateConfirmed || len(view.Findings) != 3 {
			w.Errorf("got %+v", view.Findings)
		}
		_, err = report("lost", time.Time{})
		refused(w, err, problem.Invalid, "outcome_unknown")
		_, err = w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: "pay_none", Kind: payment.Settled})
		refused(w, err, problem.NotFound, "not_found")
		_, err = w.s.ReportOutcome(w.Context(), p.holder, service.OutcomeReport{PaymentID: paid.Payment.ID, Kind: payment.Settled})
		refused(w, err, problem.Forbidden, "forbidden")
	})
}
