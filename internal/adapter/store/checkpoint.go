package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"github.com/probity/probity/internal/standard/problem"
)

// checkpointer copies SQLite's write-ahead log into the file beside the transactions, so that no commit waits while thousands of pages are
// written: half-way through a rush, that would be felt by everybody who waits. Without its work the log would only grow.
type checkpointer struct {
	db      *sql.DB // one connection of its own
	running sync.Mutex
	ended   sync.WaitGroup
	commits int          // since the last time; belongs to whoever holds the gate
	failed  int          // in a row; belongs to whoever holds running
	failing atomic.Int64 // failed, for everybody
}

// FailedCheckpoints returns how often in a row SQLite's log could not be copied into the file, 0 when it was the last time. While it is
// above 0 the log grows. On PostgreSQL it is always 0.
func (s *Store) FailedCheckpoints() int64 {
	if s.checkpoints == nil {
		return 0
	}
	return s.checkpoints.failing.Load()
}

// tellAfter is after how many failures in a row it is told: one may come from a disk that was full for a moment, and the log grows until it
// works again.
const tellAfter = 5

// checkpointEvery is after how many commits the log is copied. It bounds the log: a group of decisions changes a page for each, at most.
const checkpointEvery = 96

// committed counts a commit, and has the log copied when it is time. The caller holds the gate.
func (s *Store) committed() {
	c := s.checkpoints
	if c.commits++; c.commits < checkpointEvery || !c.running.TryLock() {
		return
	}
	c.commits = 0
	c.ended.Go(func() {
		defer c.running.Unlock()
		err := s.copyLog(context.Background())
		if c.failed++; err == nil {
			c.failed = 0
		}
		c.failing.Store(int64(c.failed))
		if c.failed > 0 && c.failed%tellAfter == 0 && s.config.Log != nil {
			s.config.Log.Error("SQLite's write-ahead log could not be copied into the database file; it grows until this works again",
				"failures_in_a_row", c.failed, "sort", problem.Sort(err))
		}
	})
}

// copyLog copies what the log holds while others write, and then the little that they have added meanwhile while they wait: only a log that
// was copied to its end begins anew. What fails is tried again, and the last connection to close copies everything.
func (s *Store) copyLog(ctx context.Context) error {
	const passive = "PRAGMA wal_checkpoint(PASSIVE)"
	if _, err := s.checkpoints.db.ExecContext(ctx, passive); err != nil {
		return err
	}
	if err := s.hot.enter(ctx); err != nil {
		return err
	}
	defer s.hot.leave()
	_, err := s.checkpoints.db.ExecContext(ctx, passive)
	return err
}
