package service_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/ledger"
)

// nodes returns two services: of two processes on PostgreSQL, of one on SQLite.
func (w *world) nodes() []*service.Service {
	w.Helper()
	config := w.config
	if w.store.Dialect() == "postgres" {
		var err error
		config.Store, err = store.Open(w.Context(), store.Config{DSN: w.dsn, Now: w.clock.Now, Wall: w.clock.Wall})
		w.must(err)
		w.Cleanup(func() { _ = config.Store.Close() })
	}
	second, err := service.New(config)
	w.must(err)
	return []*service.Service{w.s, second}
}

// strange is a payment that nobody would expect of the account.
func (p person) strange() payment.Attempt {
	attempt := p.attempt(dollars(5000))
	attempt.Location, attempt.DeviceID = payment.Location{Country: "NO", Region: "03"}, "a-new-device"
	return attempt
}

// keyed is a request that may be repeated.
func keyed(key, body string, attempt payment.Attempt) service.PaymentRequest {
	return service.PaymentRequest{
		Attempt: attempt, Repeat: service.IdempotentRequest{Key: key, Route: "POST /v1/payments", BodyHash: []byte(body), Payment: true},
		Answer: func(view service.PaymentView) (service.StoredAnswer, error) {
			return service.StoredAnswer{Status: 201, Body: []byte(view.Payment.ID + " " + string(view.Payment.Outcome))}, nil
		},
	}
}

func TestManyAtOnceOnTwoNodesDecideAsOneAfterAnother(t *testing.T) {
	on(t, func(w *world) {
		seed := uint64(time.Now().UnixNano())
		w.Logf("seed %d", seed)
		nodes := w.nodes()
		people := []person{w.person(), w.person(), w.person(), w.person(), w.person(), w.person()}
		var mu sync.Mutex
		told := map[string]payment.Outcome{}
		errs := atOnce(16, func(i int) error {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			for range 30 {
				attempt := people[r.IntN(len(people))].attempt(dollars(1 + r.Int64N(30)))
				if r.IntN(60) == 0 {
					attempt.Location, attempt.DeviceID, attempt.Amount = payment.Location{Country: "NO"}, "a-new-device", dollars(5000)
				}
				if r.IntN(4) == 0 {
					attempt.OccurredAt = start.Add(-time.Duration(r.IntN(100)) * time.Hour)
				}
				view, err := nodes[i%2].AuthorizePayment(w.Context(), w.key, attempt)
				if err != nil {
					return err
				}
				mu.Lock()
				told[view.Payment.ID] = view.Payment.Outcome
				mu.Unlock()
			}
			return nil
		})
		for _, err := range errs {
			w.must(err)
		}
		total, approved, rejected := 0, 0, 0
		for _, p := range people {
			account := ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, p.account.ID)
			total += len(account.Entries)
			approved, rejected = approved+account.Approved, rejected+account.Rejected
			for _, entry := range account.Entries {
				if told[entry.ID] != entry.Outcome {
					w.Errorf("a payment was told %q and is %s", told[entry.ID], entry.Outcome)
				}
			}
		}
		if total != len(told) || total != 16*30 || approved == 0 || rejected == 0 {
			w.Errorf("got %d payments in the log, %d approved and %d rejected, want %d of both sorts", total, approved, rejected, len(told))
		}
	})
}

func TestAKeyIsAnsweredFromTheLog(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		request := keyed("order-1", "body", p.attempt(dollars(20)))
		first := w.s.AuthorizePaymentOnce(w.Context(), w.key, request)
		w.must(first.Err)
		if first.Replayed || first.View.Payment.Outcome != payment.Approved || w.counts()["idempotency"] != 0 {
			w.Errorf("got %+v and %d records, want an approval that needs none", first, w.counts()["idempotency"])
		}
		rejected := keyed("order-2", "risky", p.strange())
		second := w.s.AuthorizePaymentOnce(w.Context(), w.key, rejected)
		w.must(second.Err)
		before := w.counts()
		w.open() // what is remembered outlives the process
		for _, node := range w.nodes() {
			again := node.AuthorizePaymentOnce(w.Context(), w.key, request)
			w.must(again.Err)
			if got, want := fmt.Sprintf("%+v", again.View.Payment), fmt.Sprintf("%+v", first.View.Payment); !again.Replayed || got != want {
				w.Errorf("got %s, want %s", got, want)
			}
			again = node.AuthorizePaymentOnce(w.Context(), w.key, rejected)
			w.must(again.Err)
			if got, want := string(again.Stored.Body), second.View.Payment.ID+" rejected"; !again.Replayed || got != want {
				w.Errorf("got %q, want %q", got, want)
			}
			other := node.AuthorizePaymentOnce(w.Context(), w.key, keyed("order-1", "another body", p.attempt(dollars(21))))
			refused(w, other.Err, problem.Invalid, "idempotency_key_reused")
		}
		if got := w.grown(before); got != "" {
			w.Errorf("repetitions wrote %s", got)
		}
		w.pass(29 * 24 * time.Hour)
		if again := w.s.AuthorizePaymentOnce(w.Context(), w.key, request); !again.Replayed {
			w.Errorf("after 29 days: got %+v, want it remembered", again)
		}
		w.pass(2 * 24 * time.Hour)
		if again := w.s.AuthorizePaymentOnce(w.Context(), w.key, request); again.Err != nil || again.Replayed {
			w.Errorf("after 31 days: got %+v, want a new decision", again)
		}
	})
}

func TestOneKeyOnTwoNodesAtOnceIsOnePayment(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		nodes := w.nodes()
		for round := range 10 {
			key := fmt.Sprintf("order-%d", round)
			ids := make([]string, 8)
			for i, err := range atOnce(8, func(i int) error {
				result := nodes[i%2].AuthorizePaymentOnce(w.Context(), w.key, keyed(key, "body", p.attempt(dollars(3))))
				ids[i] = result.View.Payment.ID
				return result.Err
			}) {
				if err != nil {
					refused(w, err, problem.Conflict, "idempotency_in_flight")
				} else if again := nodes[0].AuthorizePaymentOnce(w.Context(), w.key, keyed(key, "body", p.attempt(dollars(3)))); again.View.Payment.ID != ids[i] {
					w.Errorf("got two payments for one key")
				}
			}
			if got := w.counts()["payments"]; got != round+1 {
				w.Fatalf("got %d payments for %d keys", got, round+1)
			}
		}
	})
}

func TestABatchIsDecidedInItsOrderAndOneRefusalIsOne(t *testing.T) {
	on(t, func(w *world) {
		p, other := w.person(), w.person()
		unknown, broken := p.attempt(dollars(3)), p.attempt(dollars(3))
		unknown.AccountID, broken.Location.Country = "acct_none", "XX"
		foreign := p.attempt(dollars(3))
		foreign.PaymentMethodID = other.method.ID
		bare := p.attempt(dollars(3))
		bare.PaymentMethodID = ""
		requests := []service.PaymentRequest{
			{Attempt: p.attempt(dollars(3))}, {Attempt: unknown}, {Attempt: broken}, {Attempt: foreign}, {Attempt: bare}, {Attempt: p.strange()},
			{Attempt: p.attempt(dollars(3))}, {Attempt: other.attempt(dollars(4))}, keyed("k", "b", other.attempt(dollars(4))), keyed("k", "b", other.attempt(dollars(4))),
		}
		results := w.s.AuthorizePayments(w.Context(), w.key, requests)
		var got []string
		for _, r := range results {
			switch p := problem.As(r.Err); {
			case p != nil:
				got = append(got, p.Code)
			case r.Err != nil:
				w.must(r.Err)
			default:
				got = append(got, string(r.View.Payment.Outcome))
			}
		}
		want := "[approved not_found country_unknown not_found approved rejected rejected approved approved idempotency_in_flight]"
		if fmt.Sprint(got) != want {
			w.Errorf("got %v, want %s", got, want)
		}
		if reason := results[6].View.Payment.Reasons; len(reason) != 1 || reason[0].Code != service.ReasonRestricted {
			w.Errorf("got reasons %v for the payment after a rejection of the same batch, want that the account is restricted", reason)
		}
		first := ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, p.account.ID)
		if first.Approved != 2 || first.Rejected != 2 {
			w.Errorf("got %d approved and %d rejected, want 2 of each", first.Approved, first.Rejected)
		}
	})
}

func TestADecisionSeesWhatOthersChangedBefore(t *testing.T) {
	on(t, func(w *world) {
		ctx := w.Context()
		p := w.person()
		pay := func(a payment.Attempt) payment.Payment { return w.pay(a).Payment }
		if got := pay(p.attempt(dollars(5))).Outcome; got != payment.Approved {
			t.Fatalf("got %s", got)
		}
		second := w.method(w.key, p, true)
		bare := p.attempt(dollars(5))
		bare.PaymentMethodID = ""
		if got := pay(bare).Attempt.PaymentMethodID; got != second.ID {
			w.Errorf("paid with %s, want the new default %s", got, second.ID)
		}
		_, err := w.s.UpdateAccount(ctx, w.key, p.account.ID, func(a account.Profile) account.Profile { a.Phone = "+65 6555 0100"; return a })
		w.must(err)
		if _, err := w.s.OpenVerification(ctx, w.reviewer, service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity}); err != nil {
			t.Fatal(err)
		}
		restricted := pay(p.attempt(dollars(5)))
		if restricted.Outcome != payment.Rejected {
			w.Errorf("got %s for a restricted account", restricted.Outcome)
		}
		_, err = w.s.CancelVerification(ctx, w.reviewer, restricted.VerificationID)
		w.must(err)
		if got := pay(p.attempt(dollars(5))).Outcome; got != payment.Approved {
			w.Errorf("got %s after the restriction was lifted", got)
		}
		// A lesson: what was rejected is known after the approval, and the grant is used once.
		risky := p.strange()
		rejected := pay(risky)
		submitted := w.submit(p, rejected.VerificationID)
		w.decide(submitted.Case.ID, service.CaseDecision{Decision: casework.Approve})
		if got := pay(risky); got.Outcome != payment.Approved || got.GrantID == "" {
			w.Errorf("got %s with grant %q for the retry", got.Outcome, got.GrantID)
		}
		taught := p.attempt(dollars(5))
		taught.Location, taught.DeviceID = risky.Location, risky.DeviceID
		if got := pay(taught); got.Outcome != payment.Approved || got.GrantID != "" {
			w.Errorf("got %s with grant %q for the place that was learned", got.Outcome, got.GrantID)
		}
		w.invariants()
	})
}

func TestADecisionSeesWhatAnotherProcessWroteToTheFile(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.pay(p.attempt(dollars(5)))
		_, err := w.db.ExecContext(w.Context(), `INSERT INTO restrictions (shard, tenant_id, account_id, id, kind, verification_id, version, placed_at)
			SELECT shard, tenant_id, account_id, '`+id.New(id.Restriction, start)+`', 'payments', 'ver_of_another_process', 1, 1 FROM payments`)
		w.must(err)
		view, err := w.s.AuthorizePayment(w.Context(), w.key, p.attempt(dollars(5)))
		if err == nil && view.Payment.Outcome == payment.Approved {
			w.Error("a restriction that another process placed was not seen")
		}
		_, err = w.db.ExecContext(w.Context(), "DELETE FROM restrictions")
		w.must(err)
		if got := w.pay(p.attempt(dollars(5))).Payment.Outcome; got != payment.Approved {
			w.Errorf("got %s after another process had lifted it", got)
		}
	})
}

func TestWhoGivesUpHarmsNobody(t *testing.T) {
	on(t, func(w *world) {
		p, other := w.person(), w.person()
		answered := make([]bool, 40)
		for i, err := range atOnce(len(answered), func(i int) error {
			ctx, cancel := context.WithCancel(w.Context())
			defer cancel()
			if i%2 == 0 {
				timer := time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
				defer timer.Stop()
			}
			attempt := other.attempt(dollars(2))
			if i%4 == 0 {
				attempt = p.attempt(dollars(2))
			}
			result := w.s.AuthorizePaymentOnce(ctx, w.key, keyed(fmt.Sprintf("k%d", i), "b", attempt))
			answered[i] = result.Err == nil
			return result.Err
		}) {
			if err != nil && (i%2 == 1 || !errors.Is(err, context.Canceled)) {
				w.Errorf("request %d: got %v", i, err)
			}
		}
		for i := range answered {
			attempt := other.attempt(dollars(2))
			if i%4 == 0 {
				attempt = p.attempt(dollars(2))
			}
			again := w.s.AuthorizePaymentOnce(w.Context(), w.key, keyed(fmt.Sprintf("k%d", i), "b", attempt))
			w.must(again.Err)
			if answered[i] && !again.Replayed {
				w.Errorf("request %d was answered and is not known", i)
			}
		}
		if got := w.counts()["payments"]; got != len(answered) {
			w.Errorf("got %d payments for %d keys", got, len(answered))
		}
		for _, one := range []person{p, other} {
			ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, one.account.ID)
		}
	})
}

func TestWhatCannotBeStoredIsToldAndForgotten(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.pay(p.attempt(dollars(5)))
		statements := []string{`CREATE TRIGGER full BEFORE INSERT ON payments BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`, `DROP TRIGGER full`}
		if w.store.Dialect() == "postgres" {
			_, err := w.db.ExecContext(w.Context(), `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$`)
			w.must(err)
			// At the commit itself.
			statements = []string{`CREATE CONSTRAINT TRIGGER no_room AFTER INSERT ON payments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no_room()`,
				`DROP TRIGGER no_room ON payments`}
		}
		_, err := w.db.ExecContext(w.Context(), statements[0])
		w.must(err)
		before := w.counts()
		for _, err := range atOnce(12, func(i int) error {
			attempt := p.attempt(dollars(5))
			if i == 3 {
				attempt = p.strange()
			}
			return w.s.AuthorizePaymentOnce(w.Context(), w.key, keyed(fmt.Sprint(i), "b", attempt)).Err
		}) {
			refused(w, err, problem.Unavailable, "payment_not_stored")
		}
		if got := w.grown(before); got != "" {
			w.Errorf("got %s, want nothing stored", got)
		}
		_, err = w.db.ExecContext(w.Context(), statements[1])
		w.must(err)
		for i := range 4 {
			w.must(w.s.AuthorizePaymentOnce(w.Context(), w.key, keyed(fmt.Sprint(i), "b", p.attempt(dollars(5)))).Err)
		}
		if got := ledger.Check(w, w.store, w.config.Policy, w.tenant.ID, p.account.ID); got.Approved != 5 {
			w.Errorf("got %d approved, want 5: what was not stored left a trace", got.Approved)
		}
	})
}
