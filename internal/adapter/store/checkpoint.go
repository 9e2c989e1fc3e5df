package store

import (
	"context"
	"database/sql"
	"sync"
)

// checkpointer copies SQLite's write-ahead log into the file beside the transactions, so that no commit waits while thousands of pages are
// written: half-way through a rush, that would be felt by everybody who waits. Without its work the log would only grow.
type checkpointer struct {
	db      *sql.DB // one connection of its own
	running sync.Mutex
	ended   sync.WaitGroup
	commits int // since the last time; belongs to whoever holds the gate
}

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
		s.copyLog(context.Background())
	})
}

// copyLog copies what the log holds while others write, and then the little that they have added meanwhile while they wait: only a log that
// was copied to its end begins anew. An error is not told: it is tried again, and the last connection to close copies everything.
func (s *Store) copyLog(ctx context.Context) {
	const passive = "PRAGMA wal_checkpoint(PASSIVE)"
	if _, err := s.checkpoints.db.ExecContext(ctx, passive); err != nil {
		return
	}
	if err := s.hot.enter(ctx); err != nil {
		return
	}
	defer s.hot.leave()
	_, _ = s.checkpoints.db.ExecContext(ctx, passive)
}
