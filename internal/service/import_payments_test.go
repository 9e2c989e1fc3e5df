package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// past is a payment that was approved elsewhere some days ago.
func (p person) past(externalID string, days int) service.PastPayment {
	attempt := p.attempt(dollars(900))
	attempt.OccurredAt = start.Add(-time.Duration(days) * 24 * time.Hour)
	return service.PastPayment{ExternalID: externalID, Attempt: attempt, Outcome: payment.Approved}
}

func TestPastPaymentsTeachTheProfileWithoutBeingDecided(t *testing.T) {
	on(t, func(w *world) {
		p, stranger := w.person(), w.person()
		var past []service.PastPayment
		for i := range 30 {
			past = append(past, p.past(fmt.Sprintf("old-%d", i), 3+i))
		}
		before := w.counts()
		results, err := w.s.ImportPayments(w.Context(), w.key, past)
		w.must(err)
		if got, want := w.grown(before), "payments+30"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
		again, err := w.s.ImportPayments(w.Context(), w.key, past)
		w.must(err)
		for i := range results {
			if results[i].Err != nil || again[i].PaymentID != results[i].PaymentID || !again[i].Known {
				w.Errorf("payment %d: got %+v and then %+v, want it brought in once", i, results[i], again[i])
			}
		}
		if got, want := w.grown(before), "payments+30"; got != want {
			w.Errorf("a second time: got %s, want %s", got, want)
		}
		if got := w.pay(p.attempt(dollars(900))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s for what the account has done thirty times, want approved", got)
		}
		if got := w.pay(stranger.attempt(dollars(900))).Payment.Outcome; got != payment.Rejected {
			w.Errorf("got %s for an account without history, want rejected", got)
		}
	})
}

func TestPastPaymentsThatAreRefusedDoNotKeepTheOthersOut(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		other := w.person()
		good := p.past("good", 5)
		_, err := w.s.ImportPayments(w.Context(), w.key, []service.PastPayment{p.past("taken", 9)})
		w.must(err)
		wrong := []struct {
			code   string
			change func(*service.PastPayment)
		}{
			{"required", func(q *service.PastPayment) { q.ExternalID = "" }},
			{"required", func(q *service.PastPayment) { q.Attempt.OccurredAt = time.Time{} }},
			{"occurred_at_out_of_range", func(q *service.PastPayment) { q.Attempt.OccurredAt = start.Add(time.Hour) }},
			{"outcome_unknown", func(q *service.PastPayment) { q.Outcome = payment.Review }},
			{"amount_out_of_range", func(q *service.PastPayment) { q.Attempt.Amount.AmountMinor = -5 }},
			{"not_found", func(q *service.PastPayment) { q.Attempt.AccountID = "acct_none" }},
			{"not_found", func(q *service.PastPayment) { q.Attempt.PaymentMethodID = other.method.ID }},
			{"external_id_reused", func(q *service.PastPayment) { q.ExternalID = "taken" }},
			{"text_not_storable", func(q *service.PastPayment) { q.Attempt.AccountID = "a\x00b" }},
			{"external_id_reused", func(q *service.PastPayment) { q.ExternalID, q.Attempt.Amount.AmountMinor = "good", 7 }},
		}
		past := []service.PastPayment{good}
		for i, one := range wrong {
			q := p.past(fmt.Sprintf("wrong-%d", i), 5)
			one.change(&q)
			past = append(past, q)
		}
		before := w.counts()
		results, err := w.s.ImportPayments(w.Context(), w.key, past)
		w.must(err)
		if results[0].Err != nil || w.grown(before) != "payments+1" {
			w.Errorf("got %v and %s, want the good one and nothing else", results[0].Err, w.grown(before))
		}
		for i, one := range wrong {
			p := problem.As(results[i+1].Err)
			if p == nil || p.Code != one.code {
				w.Errorf("payment %d: got %v, want %s", i, results[i+1].Err, one.code)
			}
		}
		found, err := w.s.PastPaymentID(w.Context(), w.key, "good")
		w.must(err)
		if found != results[0].PaymentID {
			w.Errorf("got %s by its external id, want %s", found, results[0].PaymentID)
		}
		_, err = w.s.PastPaymentID(w.Context(), w.key, "bad")
		refused(w, err, problem.NotFound, "not_found")
	})
}

func TestOnePastPaymentThatTwoNodesBringInAtOnceIsOne(t *testing.T) {
	on(t, func(w *world) {
		nodes, people := w.nodes(), []person{w.person(), w.person()}
		for round := range 20 {
			before := w.counts()
			refused := make([]int, len(nodes))
			for i, err := range atOnce(len(nodes), func(i int) error {
				var past []service.PastPayment
				for n := range 20 {
					past = append(past, people[i].past(fmt.Sprintf("both-%d-%d", round, n), 5))
				}
				results, err := nodes[i].ImportPayments(w.Context(), w.key, past)
				for _, result := range results {
					if p := problem.As(result.Err); p != nil && p.Code == "external_id_reused" {
						refused[i]++
					}
				}
				return err
			}) {
				if err != nil {
					w.Fatalf("node %d: %v", i, err)
				}
			}
			if got, want := w.grown(before), "payments+20"; got != want || refused[0]+refused[1] != 20 {
				w.Fatalf("round %d: got %s and %v refused, want each brought in under one account", round, got, refused)
			}
		}
	})
}
