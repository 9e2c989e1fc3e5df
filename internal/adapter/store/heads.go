package store

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

// heads is what the one process on a SQLite file knows of the log's end: the last payments of accounts that have paid since those of all were
// written to profiles.head. Whoever holds the gate changes it; readers look under mu.
type heads struct {
	mu      sync.RWMutex
	loaded  bool
	of      map[AccountKey]int64 // since they were begun to be written last
	before  map[AccountKey]int64 // those that are being written; never changed
	written int64                // up to here, the log is known from profiles.head
	last    int64                // of the log

	writing sync.Mutex // one at a time
	every   int64      // writeHeadsEvery, but for tests
	next    int64      // how far the log has to grow until they are written; belongs to whoever holds the gate
}

const (
	// writeHeadsEvery is after how many payments heads are written: the more at once, the more of them share a page. As many are read at a
	// start, which takes some tenths of a second.
	writeHeadsEvery = 1 << 18
	// headsChunk is how many accounts one transaction writes, so that decisions wait a millisecond at most, and headsPause the time that it
	// leaves to them after that.
	headsChunk = 64
	headsPause = 4 * time.Millisecond
	// headsWritten is the setting that says how far they are written.
	headsWritten = "payments.heads_written"
)

// forget drops what is known; it is read again when it is needed next.
func (h *heads) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loaded, h.of, h.before, h.written, h.last = false, nil, nil, 0, 0
}

// loadHeads reads the log's end, or what others have added to it: nothing that is in the log ever changes.
func (tx *Tx) loadHeads() error {
	h := &tx.store.hot.heads
	written, err := tx.headsWritten()
	if err != nil {
		return err
	}
	if written > h.last {
		h.forget() // what is known here may be older than what another process has written
	}
	of, last := map[AccountKey]int64{}, max(written, h.last)
	tenants := map[string]string{} // one copy of each
	err = each(tx, scanPlace, func(l place) error {
		if _, known := tenants[l.TenantID]; !known {
			tenants[l.TenantID] = l.TenantID
		}
		l.TenantID = tenants[l.TenantID]
		of[l.AccountKey], last = l.seq, l.seq
		return nil
	}, "SELECT tenant_id, account_id, seq FROM payments WHERE seq > $1 ORDER BY seq", last)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.loaded {
		maps.Copy(h.of, of)
	} else {
		h.loaded, h.of, h.next = true, of, written+h.every
	}
	h.written, h.last = written, last
	return nil
}

func (tx *Tx) headsWritten() (int64, error) {
	value, found, err := tx.Setting(headsWritten)
	if err != nil || !found {
		return 0, err
	}
	written, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, tx.broken(err)
	}
	return written, nil
}

// keptHead returns an account's last payment as memory has it. The caller holds the gate and has looked at the version.
func (tx *Tx) keptHead(key AccountKey) (int64, bool) {
	if tx.store.hot == nil {
		return 0, false
	}
	return tx.store.hot.heads.get(key)
}

// get returns an account's last payment, if it is known. The caller holds the gate or mu.
func (h *heads) get(key AccountKey) (int64, bool) {
	if seq, known := h.of[key]; known {
		return seq, true
	}
	seq, known := h.before[key]
	return seq, known
}

// headOnSQLite returns an account's last payment as a reading transaction sees it.
func (tx *Tx) headOnSQLite(key AccountKey) (int64, error) {
	written, err := tx.headsWritten()
	if err != nil {
		return 0, err
	}
	h := &tx.store.hot.heads
	h.mu.RLock()
	known, _ := h.get(key)
	last := h.last
	if !h.loaded || h.written != written {
		// Another process has written, or heads were written between: the log's end says it, as this transaction sees it.
		known, last = 0, written
	}
	h.mu.RUnlock()
	const query = "SELECT seq FROM payments WHERE seq > $1 AND tenant_id = $2 AND account_id = $3 ORDER BY seq DESC LIMIT 1"
	seq, found, err := maybe(tx, scanCount64, query, last, key.TenantID, key.AccountID)
	if err != nil || found {
		return seq, err
	}
	if known > 0 {
		// What memory knows may be later than what this transaction sees.
		if _, found, err = maybe(tx, scanCount, "SELECT 1 FROM payments WHERE seq = $1", known); err != nil || found {
			return known, err
		}
		if seq, found, err = maybe(tx, scanCount64, query, written, key.TenantID, key.AccountID); err != nil || found {
			return seq, err
		}
	}
	seq, _, err = maybe(tx, scanCount64, "SELECT head FROM profiles WHERE shard = $1 AND tenant_id = $2 AND account_id = $3",
		shardOf(key.TenantID, key.AccountID), key.TenantID, key.AccountID)
	return seq, err
}

// grown notes, after a commit, what was added to the log. The caller holds the gate.
func (h *heads) grown(appended map[AccountKey]int64, last int64) {
	if len(appended) == 0 || !h.loaded {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.Copy(h.of, appended)
	h.last = last
}

// upTo notes, after a commit, that heads are written up to a place of the log. The caller holds the gate.
func (h *heads) upTo(written int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.written, h.before = written, nil
}

// turn begins to write what is known, and returns it with how far that is. The caller holds the gate.
func (h *heads) turn() (map[AccountKey]int64, int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.of
	if len(h.before) > 0 { // the last time has failed
		all = maps.Clone(h.before)
		maps.Copy(all, h.of)
	}
	h.before, h.of = all, map[AccountKey]int64{}
	return all, h.last
}

// writeHeadsBehind has the heads written when it is time. The caller holds the gate.
func (s *Store) writeHeadsBehind() {
	h := &s.hot.heads
	if !h.loaded || h.last < h.next || !h.writing.TryLock() {
		return
	}
	h.next = h.last + h.every
	s.checkpoints.ended.Go(func() {
		defer h.writing.Unlock()
		if err := s.writeHeads(s.closing); err != nil && s.closing.Err() == nil && s.config.Log != nil {
			s.config.Log.Error("the last payments of accounts could not be written; it is tried again after more payments", "sort", problem.Sort(err))
		}
	})
}

// writeHeads writes the last payments of the accounts that have paid since the last time, with those profiles that are in memory, in the order
// of their keys and in small transactions; and then how far the log is known so.
func (s *Store) writeHeads(ctx context.Context) error {
	h := &s.hot.heads
	if err := s.hot.enter(ctx); err != nil {
		return err
	}
	if !h.loaded {
		s.hot.leave()
		return nil
	}
	known, upTo := h.turn()
	s.hot.leave()
	keys := byShard(maps.Keys(known))
	for chunk := range slices.Chunk(keys, headsChunk) {
		if err := s.Write(ctx, func(_ context.Context, tx *Tx) error { return tx.writeHeads(chunk) }); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(headsPause):
		}
	}
	return s.Write(ctx, func(_ context.Context, tx *Tx) error {
		if err := tx.lookAtVersion(); err != nil {
			return err
		}
		if written, err := tx.headsWritten(); err != nil || written >= upTo {
			return err // another process is further
		}
		tx.headsUpTo = upTo
		return tx.SaveSetting(headsWritten, strconv.FormatInt(upTo, 10))
	})
}

// byShard returns accounts in the order of the rows of their profiles.
func byShard(keys iter.Seq[AccountKey]) []AccountKey {
	var parts [shards][]AccountKey
	for key := range keys {
		shard := shardOf(key.TenantID, key.AccountID)
		parts[shard] = append(parts[shard], key)
	}
	var all []AccountKey
	for _, part := range parts {
		slices.SortFunc(part, compareKeys)
		all = append(all, part...)
	}
	return all
}

// writeHeads writes what memory has of the accounts.
func (tx *Tx) writeHeads(keys []AccountKey) error {
	if err := tx.lookAtVersion(); err != nil {
		return err
	}
	hot := tx.store.hot
	bare := map[AccountKey]int64{}
	for _, key := range keys {
		seq, found := hot.heads.get(key)
		if !found {
			continue
		}
		if element := hot.accounts[key]; element != nil {
			if p := element.Value.(*Payer); p.Seq == seq {
				tx.written = append(tx.written, p)
				continue
			}
		}
		bare[key] = seq
	}
	tx.store.checkpoints.commits += headsChunk / 8 // each row may be on a page of its own
	if err := tx.saveProfiles(tx.written); err != nil {
		return err
	}
	return tx.saveHeads(bare)
}
