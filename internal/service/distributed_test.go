package service_test

import (
	"testing"

	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/ledger"
	"github.com/probity/probity/internal/testkit/postgres"
)

func TestOnADistributedDatabaseATransactionHoldsThePaymentsOfOneShard(t *testing.T) {
	w := newWorld(t, postgres.DSN(t))
	config := w.config
	config.Distributed = true
	node, err := service.New(config)
	w.must(err)
	var people []person
	for range 24 {
		people = append(people, w.person())
	}
	var batch []service.PaymentRequest
	for i := range 3 * len(people) {
		batch = append(batch, service.PaymentRequest{Attempt: people[i%len(people)].attempt(dollars(10))})
	}
	for _, err := range atOnce(len(people)+1, func(i int) error {
		if i < len(people) {
			_, err := node.AuthorizePayment(w.Context(), w.key, people[i].attempt(dollars(10)))
			return err
		}
		for _, result := range node.AuthorizePayments(w.Context(), w.key, batch) {
			if result.Err != nil {
				return result.Err
			}
		}
		return nil
	}) {
		w.must(err)
	}
	var mixed, stored int
	w.must(w.db.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM (SELECT xmin::text FROM payments GROUP BY xmin::text HAVING COUNT(DISTINCT shard) > 1) t").Scan(&mixed))
	w.must(w.db.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM payments").Scan(&stored))
	if mixed != 0 || stored != 4*len(people) {
		t.Errorf("got %d payments and %d transactions with several shards, want %d and none", stored, mixed, 4*len(people))
	}
	for _, p := range people {
		if got := ledger.Check(t, w.store, config.Policy, w.tenant.ID, p.account.ID).Approved; got != 4 {
			t.Errorf("got %d approved payments of an account, want 4", got)
		}
	}
}

func TestASQLiteFileIsNotDistributed(t *testing.T) {
	w := newWorld(t, "sqlite:"+t.TempDir()+"/probity.db")
	config := w.config
	config.Distributed = true
	if _, err := service.New(config); err == nil {
		t.Error("it was taken for one")
	}
}
