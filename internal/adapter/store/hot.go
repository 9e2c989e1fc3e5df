package store

import (
	"bytes"
	"container/list"
	"context"
	"database/sql"
	"fmt"
	"maps"
)

// hot is what the one process on a SQLite file keeps in memory for its hot path: prepared statements, and what decisions need to know of the
// accounts that paid last. It belongs to whoever holds the gate, which is held from before a writing transaction begins until what it
// changed is known here, so that no transaction sees an account as it was before the one that ended last.
type hot struct {
	gate       chan struct{} // one token: the right to write
	statements map[string]*sql.Stmt
	accounts   map[AccountKey]*list.Element // of *Payer
	recent     *list.List                   // *Payer, the latest used first
	bytes      int
	limit      int
	version    int64 // the file's, as PRAGMA data_version tells it: it changes with commits of others
	heads      heads
}

// hotLimit is how many bytes the accounts that are kept in memory may take, about.
const hotLimit = 256 << 20

// payerBytes is about what a kept account takes beside its profile: keys, a payment method, the map and the list.
const payerBytes = 520

func newHot() *hot {
	h := &hot{gate: make(chan struct{}, 1), limit: hotLimit, statements: map[string]*sql.Stmt{}, heads: heads{every: writeHeadsEvery}}
	h.drop()
	return h
}

// enter waits for the right to write.
func (h *hot) enter(ctx context.Context) error {
	select {
	case h.gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("begin transaction: %w", context.Cause(ctx))
	}
}

func (h *hot) leave() { <-h.gate }

// drop forgets all accounts.
func (h *hot) drop() { h.accounts, h.recent, h.bytes = map[AccountKey]*list.Element{}, list.New(), 0 }

func (h *hot) get(key AccountKey) *Payer {
	element := h.accounts[key]
	if element == nil {
		return nil
	}
	h.recent.MoveToFront(element)
	return element.Value.(*Payer)
}

func (h *hot) forget(key AccountKey) {
	if element := h.accounts[key]; element != nil {
		h.bytes -= sizeOf(h.recent.Remove(element).(*Payer))
		delete(h.accounts, key)
	}
}

func (h *hot) put(p *Payer) {
	if cap(p.Profile)-len(p.Profile) > maxSpare { // room that it was given to grow while it was encoded
		p.Profile = bytes.Clone(p.Profile)
	}
	h.bytes += sizeOf(p)
	if element := h.accounts[p.AccountKey]; element != nil {
		h.bytes -= sizeOf(element.Value.(*Payer))
		element.Value = p
		h.recent.MoveToFront(element)
	} else {
		h.accounts[p.AccountKey] = h.recent.PushFront(p)
	}
	for h.bytes > h.limit {
		h.forget(h.recent.Back().Value.(*Payer).AccountKey)
	}
}

// maxSpare bounds the memory that a kept profile takes and does not use, but for how memory is given out.
const maxSpare = 64

func sizeOf(p *Payer) int { return payerBytes + cap(p.Profile) + 200*max(0, len(p.methods)-1) }

// prepare keeps the statements of the hot path prepared on the connection that writes.
func (s *Store) prepare(ctx context.Context) error {
	if s.hot == nil {
		return nil
	}
	if err := s.hot.enter(ctx); err != nil {
		return err
	}
	defer s.hot.leave()
	q := s.dialect.payerQueries()
	texts := []string{q.payers, q.chains, q.tails, q.methods, q.defaults, q.saveProfiles, dataVersion, riskSettingsQuery, repeatedQuery(onSQLite)}
	for _, text := range appendLogTexts {
		texts = append(texts, text)
	}
	for _, text := range texts {
		if s.hot.statements[text] != nil {
			continue
		}
		statement, err := s.writer.PrepareContext(ctx, text)
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		s.hot.statements[text] = statement
	}
	return nil
}

const dataVersion = "SELECT data_version FROM pragma_data_version"

// lookAtVersion drops what is in memory when another process has written to the file.
func (tx *Tx) lookAtVersion() error {
	hot := tx.store.hot
	if hot == nil || !tx.writable || tx.looked {
		return nil
	}
	version, err := one(tx, "data version", scanCount64, dataVersion)
	if err != nil {
		return err
	}
	if version != hot.version || !hot.heads.loaded {
		hot.drop()
		if err := tx.loadHeads(); err != nil {
			return err
		}
		hot.version = version
	}
	tx.looked = true
	return nil
}

// keptPayer returns a copy of what is kept of an account, unless this transaction has changed it.
func (tx *Tx) keptPayer(key AccountKey) *Payer {
	hot := tx.store.hot
	if hot == nil || !tx.writable || tx.touched[key] {
		return nil
	}
	if _, grown := tx.appended[key]; grown {
		return nil // what is kept lacks the payments that this transaction has added
	}
	kept := hot.get(key)
	if kept == nil {
		return nil
	}
	payer := *kept
	return &payer
}

// touch notes that something which a decision reads of an account has changed.
func (tx *Tx) touch(key AccountKey) {
	if tx.store.hot == nil {
		return
	}
	if tx.touched == nil {
		tx.touched = map[AccountKey]bool{}
	}
	tx.touched[key] = true
}

// settle brings what is in memory to the state after the commit.
func (tx *Tx) settle() {
	hot := tx.store.hot
	if hot == nil {
		return
	}
	hot.heads.grown(tx.appended, tx.last)
	for _, p := range tx.written {
		p.Unsaved = 0
	}
	if tx.headsUpTo > 0 {
		hot.heads.upTo(tx.headsUpTo)
	}
	for key, seq := range tx.appended {
		if p := tx.warm[key]; p == nil || p.Seq < seq {
			hot.forget(key)
			delete(tx.warm, key)
		}
	}
	for key, p := range tx.warm {
		if !tx.touched[key] {
			hot.put(p)
		}
	}
	for key := range tx.touched {
		hot.forget(key)
	}
}

// Joined reports whether the context belongs to a transaction of this store that is still running.
func (s *Store) Joined(ctx context.Context) bool { return s.txOf(ctx) != nil }

// Nested runs fn, whose changes stand or fall apart from those around it: when it returns an error they are undone, whatever the error,
// and the transaction goes on. Only what PostgreSQL gave up for another transaction fails the whole.
func (tx *Tx) Nested(fn func() error) error {
	if tx.poisoned != nil {
		return tx.poisoned
	}
	if _, err := tx.exec("SAVEPOINT part"); err != nil {
		return err
	}
	before := *tx
	before.heads, before.appended = maps.Clone(tx.heads), maps.Clone(tx.appended)
	err := fn()
	if err == nil {
		err = tx.poisoned
	}
	if err == nil {
		err = tx.sendWaiting()
	}
	if err == nil {
		_, err = tx.exec("RELEASE SAVEPOINT part")
		return err
	}
	if tx.store.dialect.retryable(err) || tx.store.dialect.retryable(tx.poisoned) {
		return err
	}
	tx.pending, tx.after, tx.enqueued, tx.poisoned, tx.policies = before.pending, before.after, before.enqueued, nil, nil
	tx.heads, tx.appended, tx.last, tx.waiting = before.heads, before.appended, before.last, nil
	if _, undone := tx.exec("ROLLBACK TO SAVEPOINT part"); undone != nil {
		return undone
	}
	if _, undone := tx.exec("RELEASE SAVEPOINT part"); undone != nil {
		return undone
	}
	return err
}
