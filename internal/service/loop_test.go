package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/problem"
)

func TestARejectionWritesEverythingThatFollowsFromItAndNothingElse(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		before, entries := w.counts(), len(w.entries())
		view, v := w.reject(p)
		want := "restrictions+1 payments+1 verifications+1 notices+1 messages+1 journal+4 jobs+1"
		if got := w.grown(before); got != want {
			w.Errorf("got %s, want %s", got, want)
		}
		if got, want := join(w.types(entries)), "verification.opened restriction.placed payment.rejected notice.created"; got != want {
			w.Errorf("got entries %s, want %s", got, want)
		}
		if view.NextStep.Kind != "verify" || !strings.HasSuffix(view.NextStep.URL, "/kyc/verifications/"+v.ID) {
			w.Errorf("got next step %+v, want to verify", view.NextStep)
		}
		if v.Status != verification.AwaitingSubmission || v.PaymentID != view.Payment.ID || v.PaymentMethodID != p.method.ID || !v.DueAt.IsZero() {
			w.Errorf("got verification %+v, want one of the payment that awaits its submission without a clock", v)
		}
		if got := reasonCodes(view.Payment); got != "new_location new_payment_method" {
			w.Errorf("got reasons %s", got)
		}
	})
}

func TestAnApprovedPaymentWritesItselfAndTheProfileOnly(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		before := w.counts()
		if view := w.pay(p.attempt(dollars(20))); view.Payment.Outcome != payment.Approved || view.NextStep != (service.NextStep{}) {
			w.Errorf("got %s with next step %+v, want approved", view.Payment.Outcome, view.NextStep)
		}
		// The profile is stored now and then; until then it is a fold of the log.
		if got, want := strings.TrimSuffix(w.grown(before), " profiles+1"), "payments+1"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestLaterPaymentsOfARestrictedAccountGetTheSameVerificationAndNoNotice(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		w.work()
		before := w.counts()
		small := w.pay(p.attempt(dollars(1)))
		if small.Payment.Outcome != payment.Rejected || small.Payment.VerificationID != v.ID || reasonCodes(small.Payment) != service.ReasonRestricted {
			w.Errorf("got %s %s %s, want rejected for %s", small.Payment.Outcome, small.Payment.VerificationID, reasonCodes(small.Payment), v.ID)
		}
		if got, want := w.grown(before), "payments+1 journal+1"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestApprovalLiftsTeachesAndGrantsOneRetry(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		w.work()
		submitted := w.submit(p, v.ID)
		if submitted.Verification.Status != verification.InReview || submitted.Verification.QueryCode == "" {
			w.Fatalf("got %s with query code %q, want in review", submitted.Verification.Status, submitted.Verification.QueryCode)
		}
		w.work()
		before, entries := w.counts(), len(w.entries())
		decided := w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Approve})
		if decided.Verification.Status != verification.Approved || decided.Restricted {
			w.Errorf("got %s, restricted %v, want approved and free", decided.Verification.Status, decided.Restricted)
		}
		// The job that would have noticed an overdue review goes, the mail's comes.
		if got, want := w.grown(before), "profiles+1 retry_grants+1 reviews+1 notices+1 messages+1 journal+5"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
		want := "case.decided verification.approved restriction.lifted payment.retry_granted notice.created"
		if got := join(w.types(entries)); got != want {
			w.Errorf("got entries %s, want %s", got, want)
		}
		retry := w.pay(p.attempt(dollars(900)))
		if retry.Payment.Outcome != payment.Approved || retry.Payment.GrantID == "" {
			w.Errorf("got %s by grant %q, want approved by the grant", retry.Payment.Outcome, retry.Payment.GrantID)
		}
		again := w.pay(p.attempt(dollars(900)))
		if again.Payment.Outcome != payment.Approved || again.Payment.GrantID != "" {
			w.Errorf("got %s by grant %q, want approved by what was learned", again.Payment.Outcome, again.Payment.GrantID)
		}
		if got := w.countEvents(journal.RetryUsed); got != 1 {
			w.Errorf("got %d uses of the grant, want 1", got)
		}
		w.work()
		if mails := w.post.about("approved"); len(mails) != 1 || !strings.Contains(mails[0].Text, "900.00") {
			w.Errorf("got %d mails about the approval that name the payment to retry, want 1: %+v", len(mails), w.post.mails())
		}
	})
}

// approvedOnce gives an established account whose unusual payment of 5,000 dollars was rejected and then approved: its place and
// method were known before, so only the grant lets that amount pass.
func (w *world) approvedOnce() person {
	w.Helper()
	p := w.person()
	for i := range 12 {
		ordinary := p.attempt(dollars(20))
		ordinary.OccurredAt = w.now().Add(-time.Duration(i+1) * 24 * time.Hour)
		w.pay(ordinary)
	}
	view := w.pay(p.attempt(dollars(5000)))
	if got := reasonCodes(view.Payment); view.Payment.Outcome != payment.Rejected || got != "unusual_spending" {
		w.Fatalf("got %s for %q, want rejected for unusual_spending", view.Payment.Outcome, got)
	}
	submitted := w.submit(p, view.Payment.VerificationID)
	w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Approve})
	return p
}

func TestWhatARetryGrantLetsPass(t *testing.T) {
	alone(t)
	for _, test := range []struct {
		name  string
		tries []func(w *world, p person) payment.Attempt
		want  string // outcomes, with + for by the grant
	}{
		{"the same payment once, the second on what was learned", []func(*world, person) payment.Attempt{same, same}, "approved+ approved"},
		{"a smaller amount uses it up", []func(*world, person) payment.Attempt{smaller, same}, "approved+ rejected"},
		{"a larger amount is judged on its own and leaves nothing", []func(*world, person) payment.Attempt{larger}, "rejected"},
		{"another method is judged on its own and does not use it up", []func(*world, person) payment.Attempt{smallOtherMethod, same}, "approved approved+"},
		{"another currency is judged on its own and does not use it up", []func(*world, person) payment.Attempt{smallOtherCurrency, same}, "approved approved+"},
		{"a month later it is gone", []func(*world, person) payment.Attempt{monthLater}, "rejected"},
		{"on the last day it is there", []func(*world, person) payment.Attempt{lastDay}, "approved+"},
	} {
		t.Run(test.name, func(t *testing.T) {
			on(t, func(w *world) {
				p := w.approvedOnce()
				var got []string
				for _, try := range test.tries {
					view := w.pay(try(w, p))
					outcome := string(view.Payment.Outcome)
					if view.Payment.GrantID != "" {
						outcome += "+"
					}
					got = append(got, outcome)
				}
				if strings.Join(got, " ") != test.want {
					w.Errorf("got %s, want %s", strings.Join(got, " "), test.want)
				}
			})
		})
	}
}

func same(_ *world, p person) payment.Attempt    { return p.attempt(dollars(5000)) }
func smaller(_ *world, p person) payment.Attempt { return p.attempt(dollars(10)) }
func larger(_ *world, p person) payment.Attempt {
	return p.attempt(money.Amount{AmountMinor: 500001, Currency: "USD"})
}

func smallOtherMethod(w *world, p person) payment.Attempt {
	a := p.attempt(dollars(20))
	a.PaymentMethodID = w.method(w.key, p, false).ID
	return a
}

func smallOtherCurrency(_ *world, p person) payment.Attempt {
	return p.attempt(money.Amount{AmountMinor: 2000, Currency: "EUR"})
}

func monthLater(w *world, p person) payment.Attempt {
	w.at(w.now().Add(payment.RetryGrantFor))
	return same(w, p)
}

func lastDay(w *world, p person) payment.Attempt {
	w.at(w.now().Add(payment.RetryGrantFor - time.Second))
	return same(w, p)
}

func TestAVerificationWithoutAPayment(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		before := w.counts()
		in := service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity, Reason: "chargeback on the card"}
		view, err := w.s.OpenVerification(w.Context(), w.key, in)
		w.must(err)
		if got, want := w.grown(before), "restrictions+1 verifications+1 notices+1 messages+1 journal+3 jobs+1"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
		if view.Verification.PaymentMethodID != p.method.ID || !view.Restricted || view.Verification.PaymentID != "" {
			w.Errorf("got %+v, want the default payment method and a restriction", view.Verification)
		}
		_, err = w.s.OpenVerification(w.Context(), w.key, in)
		refused(w, err, problem.Conflict, "verification_already_open")
		if ref := problem.As(err).Ref; ref != view.Verification.ID {
			w.Errorf("got ref %s, want %s", ref, view.Verification.ID)
		}
		w.work()
		submitted := w.submit(p, view.Verification.ID)
		before = w.counts()
		w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Approve})
		if got := w.grown(before); strings.Contains(got, "retry_grants") || !strings.Contains(got, "profiles+1") {
			w.Errorf("got %s, want a lesson and no retry", got)
		}
		if after := w.pay(p.attempt(dollars(20))); after.Payment.Outcome != payment.Approved {
			w.Errorf("got %s, want approved", after.Payment.Outcome)
		}
	})
}

func TestADeclineKeepsTheRestrictionUntilANewVerificationIsApproved(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, first := w.reject(p)
		submitted := w.submit(p, first.ID)
		declined := w.decide(submitted.Verification.CaseID, service.CaseDecision{
			Decision: casework.Decline, Reasons: []verification.Reason{{Requirement: verification.GovernmentID, Code: "id.blurred", Note: "looks forged"}},
		})
		if !declined.Restricted || declined.Verification.Status != verification.Declined || declined.Enforcement.State != enforcement.None {
			w.Errorf("got %s, restricted %v, enforcement %s", declined.Verification.Status, declined.Restricted, declined.Enforcement.State)
		}
		if blocked := w.pay(p.attempt(dollars(1))); blocked.Payment.VerificationID != first.ID || blocked.NextStep.Kind != "contact_support" {
			w.Errorf("got verification %s, next %s", blocked.Payment.VerificationID, blocked.NextStep.Kind)
		}
		second, err := w.s.OpenVerification(w.Context(), w.reviewer, service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity})
		w.must(err)
		blocked := w.pay(p.attempt(dollars(1)))
		if blocked.Payment.VerificationID != second.Verification.ID || blocked.NextStep.Kind != "verify" {
			w.Errorf("got verification %s, next %s, want the new one", blocked.Payment.VerificationID, blocked.NextStep.Kind)
		}
		again := w.submit(p, second.Verification.ID)
		if after := w.decide(again.Verification.CaseID, service.CaseDecision{Decision: casework.Approve}); after.Restricted {
			w.Error("the account is still restricted after the approval of the second verification")
		}
		w.work()
		for _, m := range w.post.mails() {
			if strings.Contains(m.Text+m.HTML, "forged") {
				w.Error("a reviewer's internal note was mailed")
			}
		}
	})
}

func TestACancelLiftsAndTeachesNothing(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		w.work()
		submitted := w.submit(p, v.ID)
		before := w.counts()
		canceled, err := w.s.CancelVerification(w.Context(), w.reviewer, v.ID)
		w.must(err)
		if canceled.Restricted || canceled.Verification.Status != verification.Canceled || canceled.Enforcement.State != enforcement.None {
			w.Errorf("got %+v", canceled.Verification)
		}
		if got := w.grown(before); strings.Contains(got, "retry_grants") || strings.Contains(got, "profiles") {
			w.Errorf("got %s, want nothing learned", got)
		}
		found, err := w.s.Case(w.Context(), w.reviewer, submitted.Verification.CaseID)
		w.must(err)
		if found.ThisCase.Status != casework.Withdrawn {
			w.Errorf("got case %s, want withdrawn", found.ThisCase.Status)
		}
		_, err = w.s.DecideCase(w.Context(), w.reviewer, service.CaseDecision{CaseID: submitted.Verification.CaseID, Decision: casework.Approve})
		refused(w, err, problem.Conflict, "")
		if again := w.pay(p.attempt(dollars(900))); again.Payment.Outcome != payment.Rejected || again.Payment.VerificationID == v.ID {
			w.Errorf("got %s %s, want rejected with a new verification", again.Payment.Outcome, again.Payment.VerificationID)
		}
	})
}

func TestAHolderSeesNeitherInternalNotesNorTheOpeningReason(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		opened, err := w.s.OpenVerification(w.Context(), w.key, service.OpenVerification{
			AccountID: p.account.ID, Type: verification.PaymentSecurity, Reason: "suspected mule",
		})
		w.must(err)
		submitted := w.submit(p, opened.Verification.ID)
		w.decide(submitted.Verification.CaseID, service.CaseDecision{
			Decision: casework.RequestResubmission,
			Reasons:  []verification.Reason{{Requirement: verification.GovernmentID, Code: "id.blurred", Note: "smells wrong"}},
		})
		view, err := w.s.Verification(w.Context(), p.holder, opened.Verification.ID)
		w.must(err)
		list, _, err := w.s.Verifications(w.Context(), p.holder, storeFilter(), storePage())
		w.must(err)
		for _, v := range append(list, view.Verification, submitted.Verification) {
			if v.OpeningReason != "" {
				w.Error("the opening reason is for staff only")
			}
			for _, r := range v.Requirements {
				for _, reason := range r.Reasons {
					if reason.Note != "" {
						w.Error("a reviewer's note is for staff only")
					}
				}
			}
		}
		staff, err := w.s.Verification(w.Context(), w.reviewer, opened.Verification.ID)
		w.must(err)
		if staff.Verification.OpeningReason == "" || staff.Verification.Requirement(verification.GovernmentID).Reasons[0].Note == "" {
			w.Error("staff see both")
		}
	})
}

func TestResubmissionAsksOnlyForTheBadItem(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		first := w.submit(p, v.ID)
		w.decide(first.Verification.CaseID, service.CaseDecision{
			Decision: casework.RequestResubmission, Reasons: []verification.Reason{{Requirement: verification.GovernmentID, Code: "id.blurred"}},
		})
		_, err := w.s.SendEvidence(w.Context(), p.holder, upload(v.ID, verification.BillingStatement))
		refused(w, err, problem.Conflict, "requirement_accepted")
		_, err = w.s.Submit(w.Context(), p.holder, v.ID)
		refused(w, err, problem.Invalid, "evidence_missing")
		w.provide(p.holder, v.ID, verification.GovernmentID)
		second, err := w.s.Submit(w.Context(), p.holder, v.ID)
		w.must(err)
		if second.Verification.QueryCode != first.Verification.QueryCode || second.Verification.CaseID == first.Verification.CaseID {
			w.Error("a second round keeps the query code and has a case of its own")
		}
		w.work()
		found, err := w.s.VerificationByQueryCode(w.Context(), w.reviewer, strings.ToLower(" "+first.Verification.QueryCode+" "))
		w.must(err)
		if found.Verification.ID != v.ID {
			w.Errorf("got %s by query code, want %s", found.Verification.ID, v.ID)
		}
		if got := len(w.post.about("received")); got < 1 {
			w.Errorf("no mail with the query code: %+v", w.post.mails())
		}
	})
}

func TestWhoMayDoWhat(t *testing.T) {
	on(t, func(w *world) {
		p, other := w.person(), w.person()
		_, v := w.reject(p)
		submitted := w.submit(p, v.ID)
		_, err := w.s.DecideCase(w.Context(), p.holder, service.CaseDecision{CaseID: submitted.Verification.CaseID, Decision: casework.Approve})
		refused(w, err, problem.Forbidden, "forbidden")
		_, err = w.s.AuthorizePayment(w.Context(), w.reviewer, p.attempt(dollars(1)))
		refused(w, err, problem.Forbidden, "forbidden")
		_, err = w.s.Verification(w.Context(), other.holder, v.ID)
		refused(w, err, problem.NotFound, "")
		_, err = w.s.CancelVerification(w.Context(), p.holder, v.ID)
		refused(w, err, problem.Forbidden, "forbidden")
		_, err = w.s.Account(w.Context(), access.Actor{}, p.account.ID)
		refused(w, err, problem.Unauthenticated, "")
	})
}
