// Package store keeps every record in SQL: SQLite for one process, PostgreSQL for many, behind one Tx and one text per query.
//
// A Tx has one instant, and what it changes, the journal entries about it and the jobs that follow commit together or not at all.
// Every method that changes the state of something takes the journal drafts that tell of it, so an unrecorded change cannot be
// written. Changes are compare-and-set: the caller hands over the new value with its new version, and the store refuses it with the
// conflict "changed_meanwhile" unless the version before is what stands. Every query names its tenant.
//
// What does not exist in the tenant is problem.Missing; a broken rule of uniqueness is a problem of kind Conflict; any other error is
// internal and carries no value of a row.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Config says where the records are and what time it is. Now and Wall may be called from several goroutines.
type Config struct {
	DSN  string           // "sqlite:PATH", or "postgres://…" as pgx understands it
	Now  func() time.Time // business time
	Wall func() time.Time // wall time, for the leases of jobs
	Wake func()           // called after the commit of each transaction that enqueued a job; may be nil
	Log  *slog.Logger     // is told what keeps failing behind the transactions; may be nil
}

// Store is a database of records. It is safe for concurrent use.
type Store struct {
	config  Config
	dialect dialect
	writer  *sql.DB
	reader  *sql.DB // the writer itself on PostgreSQL
	hot     *hot    // SQLite only, as the next

	checkpoints *checkpointer
	closing     context.Context // ends with Close
	close       context.CancelFunc

	policies sync.Map // policyName → the number that payments keep for it
}

// Open connects to the database and checks that it answers. It does not migrate. The folder of a SQLite file must exist; the file is
// made when it does not, readable by its owner only.
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.Now == nil || config.Wall == nil {
		return nil, errors.New("open store: Now and Wall are required")
	}
	s := &Store{config: config}
	s.closing, s.close = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.connect(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := s.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Close())
	}
	return s, nil
}

// Close ends every connection. Transactions that still run fail.
func (s *Store) Close() error {
	var err error
	s.close()
	if s.checkpoints != nil {
		s.checkpoints.ended.Wait()
		err = s.checkpoints.db.Close()
	}
	err = errors.Join(err, s.writer.Close())
	if s.reader != s.writer {
		err = errors.Join(err, s.reader.Close())
	}
	return err
}

// Ping reports whether the database answers, to writers and to readers.
func (s *Store) Ping(ctx context.Context) error {
	// The writer comes first: it makes a missing SQLite file, which a reader may not.
	if err := s.writer.PingContext(ctx); err != nil {
		return err
	}
	return s.reader.PingContext(ctx)
}

// Dialect returns "sqlite" or "postgres".
func (s *Store) Dialect() string { return string(s.dialect) }

// ErrBegin says that a transaction could not begin, whatever it was for.
var ErrBegin = errors.New("begin transaction")

// ErrCommit says that a transaction failed in its last step: whether it is stored is not known.
var ErrCommit = errors.New("commit")

// maxTries bounds how often a transaction that PostgreSQL gave up for another one is run again.
const maxTries = 6

// Write runs fn in a transaction that can write, and commits when fn returns nil. Inside another Write of the same context it joins that
// one, and an error of the inner then fails the outer too, whatever the outer makes of it. fn may run more than once, on a new Tx
// each time: it must have no effect beside the Tx; those belong in Tx.AfterCommit.
func (s *Store) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if outer := s.txOf(ctx); outer != nil {
		if !outer.writable {
			return errors.New("store: a Write inside a Read; begin with Write")
		}
		err := fn(ctx, outer)
		if err != nil {
			outer.poison(err)
		}
		return err
	}
	var err error
	for try := range maxTries {
		err = s.once(ctx, true, fn)
		if !s.dialect.retryable(err) || !giveWay(ctx, try) {
			return err
		}
	}
	return err
}

// giveWay waits a little, at random, longer after each try, and reports whether ctx goes on. Who was given up in a deadlock and came back
// at once could take the row that the other is just being woken for, and both would be where they were.
func giveWay(ctx context.Context, try int) bool {
	const shortest = 10 * time.Millisecond
	timer := time.NewTimer(shortest + rand.N(shortest<<try))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Read runs fn on one unchanging state of the records. Inside a Write or Read of the same context it joins that one.
func (s *Store) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	if outer := s.txOf(ctx); outer != nil {
		return fn(ctx, outer)
	}
	return s.once(ctx, false, fn)
}

// once runs fn in one transaction of its own.
func (s *Store) once(ctx context.Context, writable bool, fn func(ctx context.Context, tx *Tx) error) (err error) {
	db, options, leave := s.reader, s.dialect.readOptions(), func() {}
	if writable {
		db, options = s.writer, s.dialect.writeOptions()
		if s.hot != nil {
			if err := s.hot.enter(ctx); err != nil {
				return err
			}
			leave = sync.OnceFunc(s.hot.leave)
			defer leave()
		}
	}
	tx := &Tx{store: s, ctx: ctx, writable: writable}
	giveBack, err := s.begin(tx, db, options)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBegin, err)
	}
	defer giveBack()
	under := tx.sql
	tx.now = stored(s.config.Now())
	tx.ctx = context.WithValue(ctx, txKey{s}, tx)
	committed := false
	defer func() {
		if !committed {
			// After a panic too: a pool of one writer must not lose its connection.
			_ = under.Rollback()
		}
	}()
	if err := fn(tx.ctx, tx); err != nil {
		if s.dialect.retryable(tx.poisoned) {
			return tx.poisoned // fn may have made something else of it
		}
		return err
	}
	if err := tx.finish(); err != nil {
		return err
	}
	if err := under.Commit(); err != nil {
		if writable && s.hot != nil {
			s.hot.drop() // what is stored now is not known
			s.hot.heads.forget()
		}
		return fmt.Errorf("%w: %w", ErrCommit, err)
	}
	committed = true
	if writable && s.hot != nil {
		tx.settle()
		s.committed()
		s.writeHeadsBehind()
	}
	leave()
	for _, hook := range tx.after {
		hook()
	}
	if tx.enqueued && s.config.Wake != nil {
		s.config.Wake()
	}
	return nil
}

// txKey finds the running transaction of one store in a context.
type txKey struct{ store *Store }

func (s *Store) txOf(ctx context.Context) *Tx {
	tx, _ := ctx.Value(txKey{s}).(*Tx)
	return tx
}
