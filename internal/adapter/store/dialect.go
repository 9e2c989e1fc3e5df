package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlitecode "modernc.org/sqlite/lib"
)

// dialect is what differs between the two databases beside the migrations. Everything else is one text.
type dialect string

const (
	onSQLite   dialect = "sqlite"
	onPostgres dialect = "postgres"
)

const (
	sqliteReaders = 4
	postgresConns = 16
)

// connect opens the pools that the DSN asks for.
func (s *Store) connect() error {
	if path, found := strings.CutPrefix(s.config.DSN, "sqlite:"); found {
		return s.connectSQLite(path)
	}
	if strings.HasPrefix(s.config.DSN, "postgres://") || strings.HasPrefix(s.config.DSN, "postgresql://") {
		return s.connectPostgres()
	}
	return errors.New("the database address must begin with sqlite: or postgres://")
}

// connectSQLite opens one connection that writes, with every transaction begun as a writer's so that none fails half-way for the lock,
// and a few that only read.
func (s *Store) connectSQLite(path string) error {
	if path == "" {
		return errors.New("sqlite: needs the path of a file")
	}
	// SQLite gives its side files the mode of the main file, so this closes all of them to others.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	pragmas := []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"}
	address := func(options url.Values, more ...string) string {
		options["_pragma"] = append(append([]string{}, pragmas...), more...)
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options.Encode()
	}
	s.dialect, s.hot = onSQLite, newHot()
	// The writer's pages in memory hold what a long transaction changes, and the inner pages of the log's indexes.
	s.writer, err = sql.Open("sqlite", address(url.Values{"_txlock": {"immediate"}}, "cache_size(-65536)", "temp_store(MEMORY)",
		"wal_autocheckpoint(0)"))
	if err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	s.reader, err = sql.Open("sqlite", address(url.Values{}, "query_only(ON)"))
	if err != nil {
		return errors.Join(err, s.writer.Close())
	}
	s.checkpoints = &checkpointer{}
	if s.checkpoints.db, err = sql.Open("sqlite", address(url.Values{})); err != nil {
		return errors.Join(err, s.writer.Close(), s.reader.Close())
	}
	s.checkpoints.db.SetMaxOpenConns(1)
	s.reader.SetMaxOpenConns(sqliteReaders)
	s.reader.SetMaxIdleConns(sqliteReaders)
	return nil
}

func (s *Store) connectPostgres() error {
	config, err := pgx.ParseConfig(s.config.DSN)
	if err != nil {
		// pgx's own text may hold parts of the address, which may hold a password.
		return errors.New("the postgres:// address cannot be read; check its form")
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "probity"
	}
	s.dialect = onPostgres
	s.writer = stdlib.OpenDB(*config)
	s.writer.SetMaxOpenConns(postgresConns)
	s.writer.SetMaxIdleConns(postgresConns)
	s.reader = s.writer
	return nil
}

// readOptions make a Read see one state throughout. SQLite's readers do so by themselves.
func (d dialect) readOptions() *sql.TxOptions {
	if d == onPostgres {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return nil
}

// writeOptions make each statement of a Write see what was committed before it, however the database is configured: who waited for a lock
// must see what its last holder did.
func (d dialect) writeOptions() *sql.TxOptions {
	if d == onPostgres {
		return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	return nil
}

// lockRow returns what to write behind a SELECT of rows that must not change before the end of a writing transaction. SQLite has one writer.
func (d dialect) lockRow() string {
	if d == onPostgres {
		// Weaker than FOR UPDATE: inserts of rows that refer to this one need not wait.
		return " FOR NO KEY UPDATE"
	}
	return ""
}

// skipLocked is lockRow for a queue: rows that another worker is taking are passed over.
func (d dialect) skipLocked() string {
	if d == onPostgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// retryable reports whether PostgreSQL gave the transaction up only because another one stood in its way (serialization failure, deadlock).
func (d dialect) retryable(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "40001" || refused.Code == "40P01")
}

// Retryable reports whether the transaction was given up for another one: Write runs it again.
func (s *Store) Retryable(err error) bool { return s.dialect.retryable(err) }

// isDuplicate reports whether err is a broken rule of uniqueness.
func isDuplicate(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == "23505"
	}
	var failed *sqlite.Error
	if errors.As(err, &failed) {
		return failed.Code() == sqlitecode.SQLITE_CONSTRAINT_UNIQUE || failed.Code() == sqlitecode.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// migrationLock is the key of the advisory lock that one migrating node holds.
const migrationLock int64 = 0x70726f62697479 // "probity"

// lockMigrations keeps other nodes from migrating until unlock is called. A SQLite file has its own lock.
func (s *Store) lockMigrations(ctx context.Context) (unlock func() error, err error) {
	if s.dialect != onPostgres {
		return func() error { return nil }, nil
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		// Not ctx: the lock belongs to the connection, which goes back to the pool.
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
		return errors.Join(err, conn.Close())
	}, nil
}
