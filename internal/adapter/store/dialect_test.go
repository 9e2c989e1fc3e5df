package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/postgres"
)

func openFor(t *testing.T, address string) *Store {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }
	s, err := Open(t.Context(), Config{DSN: address, Now: now, Wall: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLiteRunsDurablyAndItsReadersOnlyRead(t *testing.T) {
	s := openFor(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	for _, test := range []struct{ pragma, writer, reader string }{
		{"journal_mode", "wal", "wal"},
		{"synchronous", "2", "2"}, // FULL
		{"foreign_keys", "1", "1"},
		{"busy_timeout", "10000", "10000"},
		{"query_only", "0", "1"},
	} {
		var writer, reader string
		if err := s.writer.QueryRowContext(t.Context(), "PRAGMA "+test.pragma).Scan(&writer); err != nil {
			t.Fatal(err)
		}
		if err := s.reader.QueryRowContext(t.Context(), "PRAGMA "+test.pragma).Scan(&reader); err != nil {
			t.Fatal(err)
		}
		if writer != test.writer || reader != test.reader {
			t.Errorf("%s: got %s for the writer and %s for readers, want %s and %s", test.pragma, writer, reader, test.writer, test.reader)
		}
	}
	if open := s.writer.Stats().MaxOpenConnections; open != 1 {
		t.Errorf("got %d writing connections, want 1", open)
	}
}

// Two transactions each hold an account and ask for the other's. PostgreSQL gives one up, which must run again and succeed.
func TestATransactionGivenUpInADeadlockRunsAgain(t *testing.T) {
	s := openFor(t, postgres.DSN(t))
	actor := access.SystemActor("ten_1", "test")
	told := []journal.Draft{journal.Of(journal.AccountCreated, "x", "")}
	err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error {
		if err := tx.InsertTenant(actor, policy.Tenant{ID: "ten_1", Name: "x", Version: 1, CreatedAt: tx.Now()}, told); err != nil {
			return err
		}
		for _, id := range []string{"acct_a", "acct_b"} {
			a := account.Account{ID: id, TenantID: "ten_1", Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(), Profile: account.Profile{Kind: account.Individual}}
			if err := tx.InsertAccount(actor, a, told); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tries := make(chan struct{}, 2*maxTries)
	hold := func(first, second string, mine chan<- struct{}, theirs <-chan struct{}) error {
		once := false
		return s.Write(t.Context(), func(_ context.Context, tx *Tx) error {
			tries <- struct{}{}
			if err := tx.LockAccount("ten_1", first); err != nil {
				return err
			}
			if !once {
				once = true
				close(mine)
				<-theirs
			}
			return tx.LockAccount("ten_1", second)
		})
	}
	gotA, gotB := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- hold("acct_a", "acct_b", gotA, gotB) }()
	if err := hold("acct_b", "acct_a", gotB, gotA); err != nil {
		t.Errorf("one of them: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("the other: %v", err)
	}
	if len(tries) < 3 || len(tries) > 4 {
		t.Errorf("got %d tries, want 3, at most 4: one of the two was given up, and did not come back into the other's way", len(tries))
	}
}

// While a node works on a request with a key, another one is told so at once, and doesn't wait for what the first is changing.
func TestAnIdempotencyKeyIsHeldUntilItsTransactionEnds(t *testing.T) {
	s := openFor(t, postgres.DSN(t))
	try := func(tenantID, key string) error {
		return s.Write(t.Context(), func(_ context.Context, tx *Tx) error { return tx.HoldIdempotency(tenantID, "POST /v1/x", key) })
	}
	err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error {
		if err := tx.HoldIdempotency("ten_1", "POST /v1/x", "order-1"); err != nil {
			return err
		}
		if found := problem.As(try("ten_1", "order-1")); found == nil || found.Code != "idempotency_in_flight" {
			t.Errorf("the same key meanwhile: got %v, want idempotency_in_flight", found)
		}
		for _, other := range [][2]string{{"ten_1", "order-2"}, {"ten_2", "order-1"}} {
			if err := try(other[0], other[1]); err != nil {
				t.Errorf("another key meanwhile: %v", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := try("ten_1", "order-1"); err != nil {
		t.Errorf("the same key afterwards: %v", err)
	}
}
