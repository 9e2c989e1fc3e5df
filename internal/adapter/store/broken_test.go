package store

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity/probity/internal/testkit/postgres"
)

// A full or failing disk makes SQLite undo a whole transaction inside one of its statements, and every later one would stand alone.
func TestNothingIsStoredAfterSQLiteUndidATransactionByItself(t *testing.T) {
	s := openFor(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error {
		failed := tx.Nested(func() error {
			if _, err := tx.sql.ExecContext(tx.ctx, "ROLLBACK"); err != nil {
				return err
			}
			return errors.New("disk full")
		})
		if failed == nil {
			t.Error("the part did not fail")
		}
		if err := tx.SaveSetting("a", "b"); err == nil {
			t.Error("a change was taken after that")
		}
		return nil
	})
	if err == nil {
		t.Error("the transaction did not fail")
	}
	if err := s.Read(t.Context(), func(_ context.Context, tx *Tx) error {
		_, found, err := tx.Setting("a")
		if found {
			t.Error("it is stored")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error { return tx.SaveSetting("a", "c") }); err != nil {
		t.Errorf("got %v for the next transaction", err)
	}
}

func TestAWriteSeesWhatWasCommittedBeforeEachStatementHoweverTheDatabaseIsConfigured(t *testing.T) {
	address := postgres.DSN(t)
	if strings.Contains(address, "?") {
		address += "&"
	} else {
		address += "?"
	}
	s := openFor(t, address+"default_transaction_isolation=serializable")
	if err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error {
		got, _, err := maybe(tx, func(r row) (level string, err error) {
			err = r.Scan(&level)
			return level, err
		}, "SHOW transaction_isolation")
		if got != "read committed" {
			t.Errorf("got %q", got)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
