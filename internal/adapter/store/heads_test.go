package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
)

var errUndo = errors.New("undo")

func entryFor(account string, number int) *LogEntry {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	e := &LogEntry{Payment: payment.Payment{
		ID: fmt.Sprintf("pay_%06d", number), TenantID: "ten_1", Source: payment.FromAPI, Outcome: payment.Approved, CreatedAt: at,
	}}
	e.Attempt.AccountID, e.Attempt.OccurredAt = account, at
	e.Attempt.Amount.AmountMinor, e.Attempt.Amount.Currency = 100, "USD"
	return e
}

// chainOf returns the ids of an account's payments in the order of the log.
func chainOf(tx *Tx, account string) (ids []string, err error) {
	err = tx.Past("ten_1", account, 0, func(e *LogEntry) error {
		ids = append(ids, e.ID)
		return nil
	})
	return ids, err
}

func TestTheLogOfEachAccountIsWholeWhoeverWroteItAndWhateverWasUndone(t *testing.T) {
	if testing.Short() {
		t.Skip("nothing meets here")
	}
	path := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
	stores := []*Store{openFor(t, path), openFor(t, path)} // as two processes
	random := rand.New(rand.NewPCG(3, 7))
	logs, number := map[string][]string{}, 0
	add := func(tx *Tx, into map[string][]string) error {
		var entries []*LogEntry
		for range 1 + random.IntN(5) {
			number++
			e := entryFor(fmt.Sprintf("acct_%d", random.IntN(6)), number)
			entries = append(entries, e)
			into[e.Attempt.AccountID] = append(slices.Clip(into[e.Attempt.AccountID]), e.ID)
		}
		return tx.AppendPayments(entries)
	}
	copied := func() map[string][]string {
		all := map[string][]string{}
		for account, ids := range logs {
			all[account] = slices.Clone(ids)
		}
		return all
	}
	for step := range 100 {
		s := stores[random.IntN(2)]
		switch random.IntN(8) {
		case 0:
			if err := s.writeHeads(t.Context()); err != nil {
				t.Fatal(err)
			}
		case 1:
			i := slices.Index(stores, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			stores[i] = openFor(t, path)
		case 2:
			if err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error {
				return errors.Join(add(tx, copied()), errUndo)
			}); !errors.Is(err, errUndo) {
				t.Fatal(err)
			}
		default:
			after := copied()
			if err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error {
				if err := add(tx, after); err != nil {
					return err
				}
				if undone := tx.Nested(func() error { return errors.Join(add(tx, copied()), errUndo) }); !errors.Is(undone, errUndo) {
					return undone
				}
				return add(tx, after)
			}); err != nil {
				t.Fatal(err)
			}
			logs = after
		}
		for _, s := range stores {
			for account, want := range logs {
				look := func(_ context.Context, tx *Tx) error {
					got, err := chainOf(tx, account)
					if err == nil && !slices.Equal(got, want) {
						t.Errorf("step %d, %s: got %v, want %v", step, account, got, want)
					}
					return err
				}
				if err := errors.Join(s.Read(t.Context(), look), s.Write(t.Context(), look)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
}

func TestWhoReadsWhileOthersWriteSeesEveryPaymentThatWasStoredBefore(t *testing.T) {
	s := openFor(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	s.hot.heads.every = 7
	var stored atomic.Int64
	done := make(chan error, 3)
	for range cap(done) - 1 {
		go func() {
			for {
				before := stored.Load()
				var ids []string
				err := s.Read(context.Background(), func(_ context.Context, tx *Tx) (err error) {
					ids, err = chainOf(tx, "acct_1")
					return err
				})
				for i, id := range ids {
					if id != fmt.Sprintf("pay_%06d", 2*i+1) {
						err = fmt.Errorf("payment %d is %s", i, id)
					}
				}
				if err == nil && int64(len(ids)) < before {
					err = fmt.Errorf("saw %d of %d payments", len(ids), before)
				}
				if err != nil || before == 100 {
					done <- err
					return
				}
			}
		}()
	}
	go func() {
		for i := range 100 {
			if err := s.Write(context.Background(), func(_ context.Context, tx *Tx) error {
				return tx.AppendPayments([]*LogEntry{entryFor("acct_1", 2*i+1), entryFor("acct_2", 2*i+2)})
			}); err != nil {
				done <- err
				return
			}
			stored.Add(1)
		}
		done <- nil
	}()
	for range cap(done) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

func TestALargeImportHasTheLogOfSQLiteCopied(t *testing.T) {
	if testing.Short() {
		t.Skip("nothing meets here")
	}
	s := openFor(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	entries := make([]*LogEntry, 64*checkpointEvery)
	for i := range entries {
		entries[i] = entryFor("acct_1", i)
	}
	if err := s.Write(t.Context(), func(_ context.Context, tx *Tx) error { return tx.AppendPayments(entries) }); err != nil {
		t.Fatal(err)
	}
	s.checkpoints.ended.Wait()
	if err := s.hot.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.hot.leave()
	if got := s.checkpoints.commits; got != 0 {
		t.Errorf("got %d commits counted after one of %d payments, want it copied", got, len(entries))
	}
}
