package store

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/probity/probity/internal/testkit/postgres"
)

func TestPostgresKnowsHowManyPaymentsThereAreAfterItLooked(t *testing.T) {
	s := openFor(t, postgres.DSN(t))
	known := func() (rows int64) {
		t.Helper()
		err := s.Read(t.Context(), func(_ context.Context, tx *Tx) error {
			var err error
			rows, err = one(tx, "table", scanCount64, "SELECT count(*) FROM pg_stat_user_tables WHERE relname IN ('payments', 'profiles', 'accounts', 'payment_findings') AND last_analyze IS NOT NULL")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if before := known(); before != 0 {
		t.Fatalf("got %d tables that were looked at before", before)
	}
	if err := s.AnalyzePayments(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := known(); after != 4 {
		t.Errorf("got %d tables that were looked at, want 4", after)
	}
	if err := openFor(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db")).AnalyzePayments(t.Context()); err != nil {
		t.Errorf("got %v on SQLite, where there is nothing to do", err)
	}
}
