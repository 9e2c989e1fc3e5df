package service_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/ledger"
)

// bringIn adds a long past, longer than what is folded while others wait.
func (w *world) bringIn(p person, name string) {
	w.Helper()
	var past []service.PastPayment
	for i := range store.ShortTail + 50 {
		one := p.past(fmt.Sprintf("%s-%d", name, i), 3+i%300)
		one.Attempt.Amount = dollars(10 + int64(i%7))
		past = append(past, one)
	}
	results, err := w.s.ImportPayments(w.Context(), w.key, past)
	w.must(err)
	for _, result := range results {
		w.must(result.Err)
	}
}

func TestPaymentsOfAnAccountWithALongHistoryAreDecidedOnAllOfIt(t *testing.T) {
	on(t, func(w *world) {
		long, other := w.person(), w.person()
		w.bringIn(long, "first")
		pay := func() []service.PaymentResult {
			w.Helper()
			var requests []service.PaymentRequest
			for i := range 4 {
				p := []person{long, other}[i%2]
				requests = append(requests, service.PaymentRequest{Attempt: p.attempt(dollars(10))})
			}
			results := w.s.AuthorizePayments(w.Context(), w.key, requests)
			for _, result := range results {
				w.must(result.Err)
				if result.View.Payment.Outcome != payment.Approved {
					w.Errorf("got %q, want approved", result.View.Payment.Outcome)
				}
			}
			return results
		}
		pay()
		w.bringIn(long, "second") // behind a profile that is stored
		for _, err := range atOnce(4, func(int) error {
			_, err := w.s.AuthorizePayment(w.Context(), w.key, long.attempt(dollars(10)))
			return err
		}) {
			w.must(err)
		}
		pay()
		ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, other.account.ID)
		if got := ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, long.account.ID).Approved; got != 2*(store.ShortTail+50)+8 {
			w.Errorf("got %d approved payments", got)
		}
		// A policy that wants more of the account has all of it folded again.
		w.publish(withAccountAggregate(small("1", "review"), "in_a_year", "380d"))
		explained, err := w.s.ExplainPayment(w.Context(), w.key, pay()[0].View.Payment.ID)
		w.must(err)
		if got, want := explained.Facts.Aggregates[0], float64(2*(store.ShortTail+50)+8); got != want {
			w.Errorf("got %v payments in a year, want %v", got, want)
		}
	})
}

func TestWhatWasBroughtInIsFoldedBeforeTheNextPayment(t *testing.T) {
	on(t, func(w *world) {
		people := []person{w.person(), w.person()}
		w.bringIn(people[0], "long")
		_, err := w.s.ImportPayments(w.Context(), w.key, []service.PastPayment{people[1].past("one", 3), people[1].past("two", 4)})
		w.must(err)
		if found, err := w.s.WarmOnce(w.Context()); found || err != nil {
			w.Errorf("got %v %v while more may be coming", found, err)
		}
		w.pass(2 * time.Second)
		for found := true; found; {
			found, err = w.s.WarmOnce(w.Context())
			w.must(err)
		}
		for i, p := range people {
			key := store.AccountKey{TenantID: w.tenant.ID, AccountID: p.account.ID}
			w.must(w.store.Write(w.Context(), func(_ context.Context, tx *store.Tx) error {
				found, err := tx.Payers([]store.Asked{{AccountKey: key}}, 0)
				if err != nil {
					return err
				}
				return tx.Tails([]*store.Payer{found[key]}, func(_ *store.Payer, e *store.LogEntry) error {
					w.Errorf("account %d: payment %s is not in the profile", i, e.ID)
					return nil
				})
			}))
		}
		for _, p := range people {
			w.pay(p.attempt(dollars(10)))
			ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, p.account.ID)
		}
	})
}

func TestWhatIsLearnedOfALongHistoryDoesNotHoldOthersUp(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		first, err := w.s.AuthorizePayment(w.Context(), w.key, p.attempt(dollars(10)))
		w.must(err)
		w.bringIn(p, "later")
		stored := func() (body []byte) {
			w.must(w.db.QueryRowContext(w.Context(), "SELECT body FROM profiles WHERE account_id = '"+p.account.ID+"'").Scan(&body))
			return body
		}
		_, err = w.s.ReportOutcome(w.Context(), w.key, service.OutcomeReport{PaymentID: first.Payment.ID, Kind: payment.FraudConfirmed})
		w.must(err)
		if got := stored(); string(got) != history.Unfolded {
			w.Errorf("got %d bytes of a profile, want it left for later", len(got))
		}
		w.pass(2 * time.Second)
		found, err := w.s.WarmOnce(w.Context())
		w.must(err)
		if !found {
			w.Error("nothing was left to fold")
		}
		if _, err := history.DecodeProfile(stored()); err != nil {
			w.Errorf("it was not folded: %v", err)
		}
		next, err := w.s.AuthorizePayment(w.Context(), w.key, p.attempt(dollars(10)))
		w.must(err)
		explained, err := w.s.ExplainPayment(w.Context(), w.key, next.Payment.ID)
		w.must(err)
		for i, aggregate := range w.config.Policy.Aggregates {
			if aggregate.Name == "account_fraud_14d" && !(explained.Facts.Aggregates[i] > 0) {
				w.Errorf("got a share of fraud of %v, want what was learned", explained.Facts.Aggregates[i])
			}
		}
	})
}
