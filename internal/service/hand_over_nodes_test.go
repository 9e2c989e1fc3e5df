package service_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// TestPaymentsThatAreHandedOverAreFoldedAsThoseReadFromTheLog has every kind of payment decided by a node that folds them from memory, and
// compares its index, byte for byte, with that of a node that has read them all.
func TestPaymentsThatAreHandedOverAreFoldedAsThoseReadFromTheLog(t *testing.T) {
	on(t, func(w *world) {
		outcomes := map[payment.Outcome]int{}
		pay := func(attempt payment.Attempt) {
			w.Helper()
			w.pass(1234567)
			outcomes[w.pay(attempt).Payment.Outcome]++
		}
		compare := func(do func()) {
			w.Helper()
			w.follow()
			before := w.s.ReadFromLog()
			do()
			w.s.FoldHanded()
			folded := w.s.Index(w.tenant.ID)
			w.follow()
			if read := w.s.ReadFromLog() - before; read != 0 || !bytes.Equal(w.s.Index(w.tenant.ID), folded) {
				w.Errorf("got %d payments read, want all from memory", read)
			}
			reader, err := service.New(w.config)
			w.must(err)
			reader.CatchUp(w.Context())
			reader.Leave(w)
			if reader.ReadFromLog() == 0 || len(folded) == 0 {
				w.Fatal("there is nothing to compare")
			}
			if !bytes.Equal(reader.Index(w.tenant.ID), folded) {
				w.Error("what was folded from memory is not what the log has")
			}
		}
		w.pay(w.person().attempt(dollars(20)))
		granted, restricted := w.approvedOnce(), w.person()
		compare(func() { // by the policy that ships: approved, rejected, rejected again, and let pass by a grant
			pay(granted.attempt(dollars(10)))
			pay(restricted.attempt(dollars(900)))
			for range 3 {
				pay(restricted.attempt(dollars(20)))
			}
		})
		w.publish(fraudPolicy("1", 30))
		w.pass(2 * 1e9)
		compare(func() { // some held, some late, with the usual method, and as a batch
			p := w.person()
			for i := range 20 {
				attempt := p.ofOwnMerchant(int64(20 + i))
				attempt.OccurredAt = w.now().Add(-time.Duration(i)*time.Hour - 789)
				attempt.PaymentMethodID = ""
				pay(attempt)
			}
			var batch []service.PaymentRequest
			for i := range 40 {
				batch = append(batch, service.PaymentRequest{Attempt: w.person().attempt(dollars(int64(10*i + 1)))})
			}
			for _, result := range w.s.AuthorizePayments(w.Context(), w.key, batch) {
				w.must(result.Err)
				outcomes[result.View.Payment.Outcome]++
			}
		})
		if outcomes[payment.Approved] == 0 || outcomes[payment.Review] == 0 || outcomes[payment.Rejected] < 4 {
			w.Errorf("got %v, want some of each", outcomes)
		}
	})
}

// TestPaymentsOfBothNodesAreFoldedOnEach has each of two nodes hand over its own payments, and read those of the other.
func TestPaymentsOfBothNodesAreFoldedOnEach(t *testing.T) {
	on(t, func(w *world) {
		w.publish(strings.Replace(busyPolicy("1"), "aggregate.at_merchant >= 3", "aggregate.at_merchant >= 1000", 1))
		nodes := w.nodes()
		for range 2 {
			w.pass(2 * 1e9)
			for _, node := range nodes {
				node.CatchUp(w.Context())
			}
		}
		ctx, stop := context.WithCancel(w.Context())
		done := make(chan struct{}, len(nodes))
		for _, node := range nodes {
			go func() { node.Follow(ctx); done <- struct{}{} }()
		}
		people := []person{w.person(), w.person(), w.person(), w.person(), w.person(), w.person(), w.person(), w.person()}
		for _, err := range atOnce(len(people), func(i int) error {
			for range 20 {
				if _, err := nodes[i%2].AuthorizePayment(w.Context(), w.key, people[i].attempt(dollars(2))); err != nil {
					return err
				}
			}
			return nil
		}) {
			w.must(err)
		}
		stop()
		for range nodes {
			<-done
		}
		for _, node := range nodes {
			node.CatchUp(w.Context())
		}
		fresh, err := service.New(w.config)
		w.must(err)
		fresh.CatchUp(w.Context())
		want := fresh.Index(w.tenant.ID)
		for i, node := range nodes {
			if got := node.Index(w.tenant.ID); !bytes.Equal(got, want) || len(got) == 0 {
				w.Errorf("node %d: got another index than the log gives", i)
			}
			if read := node.ReadFromLog(); read >= 160 {
				w.Errorf("node %d: got %d of 160 payments read, half of which it has decided itself", i, read)
			}
		}
	})
}
