package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/store/storetest"
	"github.com/probity/probity/internal/testkit/postgres"
)

func sqliteAddress(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "a name with % and ?.db")
}

func postgresAddress(t testing.TB) string { return postgres.DSN(t) }

func TestSQLiteKeepsTheContract(t *testing.T) { storetest.Run(t, sqliteAddress) }

func TestPostgresKeepsTheContract(t *testing.T) { storetest.Run(t, postgresAddress) }

var databases = []struct {
	name    string
	address func(testing.TB) string
}{{"sqlite", sqliteAddress}, {"postgres", postgresAddress}}

func open(t *testing.T, address string) *store.Store {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }
	s, err := store.Open(t.Context(), store.Config{DSN: address, Now: now, Wall: now})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// raw opens the database beside the store.
func raw(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver := "pgx"
	if path, found := strings.CutPrefix(address, "sqlite:"); found {
		driver, address = "sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f").Replace(path)
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSeveralNodesMayMigrateAtOnce(t *testing.T) {
	for _, database := range databases {
		t.Run(database.name, func(t *testing.T) {
			address := database.address(t)
			var all sync.WaitGroup
			for range 4 {
				s := open(t, address)
				all.Go(func() {
					if err := s.Migrate(t.Context()); err != nil {
						t.Errorf("migrate: %v", err)
					}
				})
			}
			all.Wait()
			s := open(t, address)
			if s.Dialect() != database.name {
				t.Errorf("got dialect %q, want %q", s.Dialect(), database.name)
			}
			current, latest, err := s.SchemaVersion(t.Context())
			if err != nil || current != latest || latest < 1 {
				t.Errorf("got schema %d of %d, %v, want the latest", current, latest, err)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("migrate again: %v", err)
			}
		})
	}
}

// columns lists every column of the schema as table.column.
func columns(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var table, column string
		var required bool
		if err := rows.Scan(&table, &column, &required); err != nil {
			t.Fatal(err)
		}
		found = append(found, fmt.Sprintf("%s.%s required=%v", table, column, required))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

func TestBothDatabasesHaveTheSameColumnsAndIndexes(t *testing.T) {
	queries := map[string][2]string{
		"sqlite": {`SELECT m.name, p.name, p."notnull" FROM sqlite_schema m JOIN pragma_table_info(m.name) p
			WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`,
			`SELECT tbl_name, name, 1 FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite%'`},
		"postgres": {`SELECT table_name, column_name, is_nullable = 'NO' FROM information_schema.columns
			WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'`,
			`SELECT tablename, indexname, true FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey'`},
	}
	found := map[string][]string{}
	for _, database := range databases {
		address := database.address(t)
		if err := open(t, address).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		db := raw(t, address)
		for _, query := range queries[database.name] {
			found[database.name] = append(found[database.name], columns(t, db, query)...)
		}
	}
	if !slices.Equal(found["sqlite"], found["postgres"]) {
		t.Errorf("sqlite has\n%s\npostgres has\n%s", strings.Join(found["sqlite"], "\n"), strings.Join(found["postgres"], "\n"))
	}
	if len(found["sqlite"]) < 250 {
		t.Errorf("only %d columns and indexes were compared", len(found["sqlite"]))
	}
}

func TestTheJournalRefusesToBeChanged(t *testing.T) {
	for _, database := range databases {
		t.Run(database.name, func(t *testing.T) {
			address := database.address(t)
			if err := open(t, address).Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			db := raw(t, address)
			for _, statement := range []string{
				`INSERT INTO tenants VALUES ('ten_1', 'x', '', '', '', '', '', '', 1, 0, 1)`,
				`INSERT INTO journal VALUES ('ten_1', 1, 'evt_1', 0, 'system', 'x', '', 'x.happened', '', '', '{}')`,
			} {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			for _, statement := range []string{"UPDATE journal SET type = 'y.happened'", "DELETE FROM journal"} {
				if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
					t.Errorf("%s: got error %v, want a refusal", statement, err)
				}
			}
		})
	}
}

func TestASQLiteFileIsTheOwnersAloneAndDurable(t *testing.T) {
	address := sqliteAddress(t)
	s := open(t, address)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(address, "sqlite:")
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), mode)
		}
	}
	err := s.Write(t.Context(), func(_ context.Context, tx *store.Tx) error { return tx.SaveSetting("a", "b") })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err = open(t, address).Read(t.Context(), func(_ context.Context, tx *store.Tx) error {
		value, found, err := tx.Setting("a")
		if value != "b" || !found {
			t.Errorf("got %q, %v after a restart, want b", value, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnAddressThatCannotBeUsedIsRefusedWithoutShowingIt(t *testing.T) {
	now := func() time.Time { return time.Unix(0, 0) }
	for name, address := range map[string]string{
		"empty": "", "unknown scheme": "mysql://u:secret@h/db", "no path": "sqlite:", "no folder": "sqlite:" + t.TempDir() + "/none/x.db",
		"broken": "postgres://u:secret@h:port/db?x=%zz",
	} {
		s, err := store.Open(t.Context(), store.Config{DSN: address, Now: now, Wall: now})
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: it was opened", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password", name)
		}
	}
	if _, err := store.Open(t.Context(), store.Config{DSN: sqliteAddress(t)}); err == nil {
		t.Error("a store without clocks was opened")
	}
}
