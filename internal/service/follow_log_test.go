package service_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/service"
)

// busyPolicy rejects at a merchant with three payments in an hour, and holds where a fifth of them was fraud.
func busyPolicy(version string) string {
	text := small(version, "approved")
	text = strings.Replace(text, "rules:\n", `aggregates:
  - {name: at_merchant, entity: merchant, of: approved, function: count, window: 1h, meaning: Approved payments at the merchant.}
  - {name: merchant_fraud, entity: merchant, of: approved, function: fraud_share, window: 30d, meaning: Confirmed fraud at the merchant.}
rules:
  - name: Fraud at the merchant
    code: merchant_fraud
    mode: active
    outcome: review
    priority: 50
    message: {en: Fraud at the merchant.}
    when: aggregate.merchant_fraud >= 0.2
  - name: Busy merchant
    code: busy_merchant
    mode: active
    outcome: rejected
    priority: 20
    message: {en: Too many.}
    when: aggregate.at_merchant >= 3
`, 1)
	return text
}

// follow lets the follower do all that there is to do.
func (w *world) follow() {
	w.Helper()
	for more := true; more; {
		var err error
		more, err = w.s.FollowOnce(w.Context())
		w.must(err)
	}
}

func TestANewAggregateIsFilledFromHistoryBeforeItDecides(t *testing.T) {
	on(t, func(w *world) {
		w.follow()
		for range 3 {
			p := w.person()
			w.pay(p.attempt(dollars(20)))
		}
		w.follow()
		v := w.publish(busyPolicy("1"))
		if v.State != publication.Preparing || !v.PreparedAt.IsZero() {
			w.Fatalf("got %s, want it preparing: the index lacks its aggregates", v.State)
		}
		p := w.person()
		if got := w.pay(p.attempt(dollars(20))).Payment; got.Outcome != payment.Approved || got.PolicyID != "default" {
			w.Errorf("got %s by %s while the version is prepared", got.Outcome, got.PolicyID)
		}
		w.pass(2 * 1e9)
		w.follow()
		v, err := w.s.PolicyVersion(w.Context(), w.key, v.ID)
		w.must(err)
		if v.State != publication.Live {
			w.Fatalf("got %s after everything was filled", v.State)
		}
		q := w.person()
		if got := w.pay(q.attempt(dollars(20))).Payment; got.Outcome != payment.Rejected || got.Reasons[0].Code != "busy_merchant" {
			w.Errorf("got %s %v, want what happened before to count", got.Outcome, got.Reasons)
		}
		status := w.s.FollowerStatus()
		if status.Filling || status.Entities == 0 || status.Folded == 0 {
			w.Errorf("got %+v", status)
		}
	})
}

func TestASecondVersionWaitsForAggregatesThatAreStillBeingFilled(t *testing.T) {
	on(t, func(w *world) {
		w.follow()
		for range 3 {
			w.pay(w.person().attempt(dollars(20)))
		}
		w.follow()
		first, second := w.publish(busyPolicy("1")), w.publish(busyPolicy("2"))
		if first.State != publication.Preparing || second.State != publication.Preparing {
			w.Errorf("got %s and %s, want both preparing: they read the same aggregates, and nothing has been filled", first.State, second.State)
		}
		if got := w.pay(w.person().attempt(dollars(20))).Payment; got.PolicyID != "default" {
			w.Errorf("got %s by %s %s, with an aggregate that has no past", got.Outcome, got.PolicyID, got.PolicyVersion)
		}
		w.pass(2 * 1e9)
		w.follow()
		if got := w.pay(w.person().attempt(dollars(20))).Payment; got.Outcome != payment.Rejected || got.PolicyVersion != "2" {
			w.Errorf("got %s by %s %s after everything was filled", got.Outcome, got.PolicyID, got.PolicyVersion)
		}
		// What has its past already is waited for no more.
		if third := w.publish(busyPolicy("3")); third.State != publication.Live {
			w.Errorf("got %s, want it live: its aggregates are those of the live version", third.State)
		}
	})
}

func TestConfirmedFraudCountsFromWhenItIsKnown(t *testing.T) {
	on(t, func(w *world) {
		w.publish(busyPolicy("1"))
		w.pass(2 * 1e9)
		w.follow()
		p := w.person()
		first := w.pay(p.attempt(dollars(20))).Payment
		w.follow()
		if got := w.pay(p.attempt(dollars(20))).Payment.Outcome; got != payment.Approved {
			w.Fatalf("got %s before anything is known", got)
		}
		report := func(kind payment.FindingKind) {
			w.Helper()
			_, err := w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: first.ID, Kind: kind})
			w.must(err)
			w.follow()
		}
		report(payment.Chargeback)
		held := w.pay(p.attempt(dollars(20))).Payment
		if held.Outcome != payment.Review {
			w.Errorf("got %s with half of the merchant's payments fraud", held.Outcome)
		}
		// A second node that starts now knows the same.
		w.rebuild()
		w.follow()
		if got := w.pay(p.attempt(dollars(20))).Payment.Outcome; got != payment.Review {
			w.Errorf("got %s on a node that has just started", got)
		}
		report(payment.LegitimateConfirmed)
		if got := w.pay(p.attempt(dollars(20))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s after it turned out to be legitimate", got)
		}
	})
}

func TestAHeldPaymentCountsAtTheMerchantOnceItIsApproved(t *testing.T) {
	on(t, func(w *world) {
		w.publish(strings.Replace(busyPolicy("1"), "outcome: approved", "outcome: review", 1))
		w.pass(2 * 1e9)
		w.follow()
		var cases []string
		for range 3 {
			held := w.pay(w.person().attempt(dollars(150))).Payment
			if held.Outcome != payment.Review {
				w.Fatalf("got %s", held.Outcome)
			}
			view, err := w.s.Payment(w.Context(), w.key, held.ID)
			w.must(err)
			cases = append(cases, view.CaseID)
		}
		w.follow()
		if got := w.pay(w.person().attempt(dollars(20))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s while the three are held", got)
		}
		for _, id := range cases {
			w.decide(id, service.CaseDecision{Decision: "approve"})
		}
		w.follow()
		if got := w.pay(w.person().attempt(dollars(20))).Payment.Outcome; got != payment.Rejected {
			w.Errorf("got %s after the three were approved", got)
		}
	})
}

func TestANodeThatStartsReadsTheSnapshotAndWhatCameAfter(t *testing.T) {
	on(t, func(w *world) {
		w.publish(busyPolicy("1"))
		w.pass(2 * 1e9)
		w.follow()
		w.pay(w.person().attempt(dollars(20)))
		w.pay(w.person().attempt(dollars(20)))
		w.follow()
		w.s.SnapshotNow(w)
		w.follow()
		entities := w.s.FollowerStatus().Entities
		w.rebuild()
		w.follow()
		if got := w.s.FollowerStatus().Entities; got != entities || entities == 0 {
			w.Errorf("got %d entities, want the %d of before", got, entities)
		}
		// Two at the merchant: counted twice, they would be four and the next one rejected.
		if got := w.pay(w.person().attempt(dollars(20))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s after two payments at the merchant", got)
		}
		w.rebuild()
		w.follow()
		if got := w.pay(w.person().attempt(dollars(20))).Payment.Outcome; got != payment.Rejected {
			w.Errorf("got %s after three payments, one of them since the snapshot", got)
		}
	})
}

// TestTwoNodesThatDecideAtOnceFoldTheSame has transactions of two nodes end in another order than that of their numbers.
func TestTwoNodesThatDecideAtOnceFoldTheSame(t *testing.T) {
	on(t, func(w *world) {
		w.publish(strings.Replace(busyPolicy("1"), "aggregate.at_merchant >= 3", "aggregate.at_merchant >= 1000", 1))
		first := w.s
		w.rebuild()
		second := w.s
		nodes := []*service.Service{first, second}
		w.pass(2 * 1e9)
		const each, payments = 4, 6
		var people []person
		for range each * len(nodes) {
			people = append(people, w.person())
		}
		var paying, following sync.WaitGroup
		stop := make(chan struct{})
		for _, node := range nodes {
			following.Go(func() {
				for {
					if _, err := node.FollowOnce(w.Context()); err != nil {
						w.Errorf("follow: %v", err)
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
			for range each {
				p := people[0]
				people = people[1:]
				paying.Go(func() {
					for range payments {
						if view, err := node.AuthorizePayment(w.Context(), w.key, p.attempt(dollars(2))); err != nil || view.Payment.Outcome != payment.Approved {
							w.Errorf("got %s %v", view.Payment.Outcome, err)
						}
					}
				})
			}
		}
		paying.Wait()
		close(stop)
		following.Wait()
		for _, node := range nodes {
			for more := true; more; {
				var err error
				more, err = node.FollowOnce(w.Context())
				w.must(err)
			}
		}
		for i, node := range nodes {
			view, err := node.AuthorizePayment(w.Context(), w.key, w.person().attempt(dollars(2)))
			w.must(err)
			explained, err := node.ExplainPayment(w.Context(), w.key, view.Payment.ID)
			w.must(err)
			// The second node has not followed what the first just decided.
			if got, want := explained.Facts.Aggregates[0], float64(2*each*payments); got != want {
				w.Errorf("node %d: got %v payments at the merchant, want %v", i+1, got, want)
			}
		}
	})
}
