package service

import (
	"bytes"
	"context"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/risk/history"
)

const (
	// refoldsAtOnce bounds the long histories that a node folds at a time, and refoldTries how often one is folded again because it was
	// changed meanwhile. After that its account is locked while it is folded.
	refoldsAtOnce = 2
	refoldTries   = 3
	// warmChunk is how many accounts one transaction folds after an import, warmPause the time it leaves to others after that, and
	// warmQuiet how long there must have been no import.
	warmChunk = 16
	warmPause = 5 * time.Millisecond
	warmQuiet = time.Second
	// warmAtMost bounds the accounts that are remembered for that. What is forgotten is folded with its next payment.
	warmAtMost = 200_000
)

// refolds is profiles that are folded from a long history, each once however many wait for it.
type refolds struct {
	running singleflight.Group
	room    *semaphore.Weighted
}

// isLong reports whether an account's whole history is too long to be folded while others wait; only where that matters.
func (g *group) isLong(p *store.Payer) (bool, error) {
	if !g.patient {
		return false, nil
	}
	return g.tx.HasLongPast(p.TenantID, p.AccountID, 0)
}

// leaveOut notes an account whose history is long, and reports whether the group goes on without it.
func (g *group) leaveOut(p *store.Payer, long bool) bool {
	if !g.patient || !long {
		return false
	}
	if g.long == nil {
		g.long = map[store.AccountKey]bool{}
	}
	g.long[p.AccountKey] = true
	return true
}

// decideLate decides payments that their group has left out: first their accounts' profiles are folded, while other groups go on.
func (s *Service) decideLate(ctx context.Context, decisions []*decision) {
	defer func() {
		if cause := recover(); cause != nil {
			s.Log.ErrorContext(ctx, "folding a history panicked", "payments", len(decisions), "stack", string(debug.Stack()))
			fail(decisions, errGroupPanicked)
		}
	}()
	for try := range refoldTries {
		done := map[store.AccountKey]bool{}
		for _, d := range decisions {
			key := askedBy(d).AccountKey
			if done[key] {
				continue
			}
			done[key] = true
			if err := s.refold(ctx, key); err != nil {
				fail(decisions, s.notStored(ctx, len(decisions), err))
				return
			}
		}
		for _, d := range decisions {
			d.patient = try < refoldTries-1
		}
		s.storeGroup(ctx, decisions)
		if decisions = lateOf(decisions); len(decisions) == 0 {
			return
		}
	}
}

// refold brings the stored profile of an account up to date with its part of the log, however long that is.
func (s *Service) refold(ctx context.Context, key store.AccountKey) error {
	_, err, _ := s.refolds.running.Do(key.TenantID+"\x00"+key.AccountID, func() (any, error) {
		if err := s.refolds.room.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		defer s.refolds.room.Release(1)
		for range refoldTries {
			if done, err := s.refoldOnce(ctx, key); done || err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	return err
}

// refoldOnce folds a history without holding its account, and stores the profile unless something else has changed it meanwhile: what is
// learned of an account is always stored with its profile.
func (s *Service) refoldOnce(ctx context.Context, key store.AccountKey) (done bool, err error) {
	var live *livePolicy
	var stored, folded []byte
	var from, last int64
	err = s.read(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if live, err = s.livePolicy(tx, key.TenantID); err != nil {
			return err
		}
		if stored, from, err = tx.Profile(key.TenantID, key.AccountID); err != nil {
			return err
		}
		var profile history.Profile
		if err := profile.Decode(stored); err != nil || profile.Lacks(live.Series) {
			profile = history.Profile{}
			last, err = s.foldAll(tx, live, key.TenantID, key.AccountID, &profile)
			if err != nil {
				return err
			}
		} else if last, err = foldTail(tx, live, key, from, &profile); err != nil {
			return err
		}
		folded = profile.AppendBinary(nil)
		return nil
	})
	if err != nil {
		return false, err
	}
	err = s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		done = false
		if err := tx.LockAccount(key.TenantID, key.AccountID); err != nil {
			return err
		}
		now, at, err := tx.Profile(key.TenantID, key.AccountID)
		if err != nil || at != from || !bytes.Equal(now, stored) {
			return err
		}
		current, err := s.livePolicy(tx, key.TenantID)
		if err != nil || current.Series != live.Series {
			return err
		}
		var profile history.Profile
		if err := profile.Decode(folded); err != nil {
			return err
		}
		end, err := foldTail(tx, live, key, last, &profile)
		if err != nil {
			return err
		}
		done = true
		return tx.SaveProfile(key.TenantID, key.AccountID, end, profile.AppendBinary(nil))
	})
	return done, err
}

// foldTail folds what the log has of an account after a sequence number, and returns the last one.
func foldTail(tx *store.Tx, live *livePolicy, key store.AccountKey, after int64, profile *history.Profile) (last int64, err error) {
	last = after
	err = tx.Past(key.TenantID, key.AccountID, after, func(e *store.LogEntry) error {
		entry := entryOf(live.Policy, e)
		profile.Fold(live.Series, &entry)
		last = e.Seq
		return nil
	})
	return last, err
}

// warmList is accounts of whose past much is not in their profiles: it was brought in, or they have to be made anew. They are folded before they
// pay again.
type warmList struct {
	mu       sync.Mutex
	accounts map[store.AccountKey]struct{}
	since    time.Time // the last import, in wall time
}

// add notes an account.
func (w *warmList) add(key store.AccountKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.accounts == nil {
		w.accounts = map[store.AccountKey]struct{}{}
	}
	if len(w.accounts) < warmAtMost {
		w.accounts[key] = struct{}{}
	}
}

// warmLater notes the accounts of what was brought in.
func (s *Service) warmLater(tenantID string, past []PastPayment, results []ImportResult) {
	s.warm.mu.Lock()
	s.warm.since = s.Clock.Wall()
	s.warm.mu.Unlock()
	for i, p := range past {
		if results[i].Err == nil && !results[i].Known {
			s.warm.add(store.AccountKey{TenantID: tenantID, AccountID: p.Attempt.AccountID})
		}
	}
}

// Settled reports whether nothing of what was brought in waits to be folded.
func (s *Service) Settled() bool {
	s.warm.mu.Lock()
	defer s.warm.mu.Unlock()
	return len(s.warm.accounts) == 0
}

// next takes some accounts out of the list; none while past payments are still coming.
func (w *warmList) next(wall time.Time) (asked []store.Asked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if passed := wall.Sub(w.since); passed >= 0 && passed < warmQuiet {
		return nil
	}
	for key := range w.accounts {
		if len(asked) == warmChunk {
			break
		}
		asked = append(asked, store.Asked{AccountKey: key})
		delete(w.accounts, key)
	}
	return asked
}

// WarmOnce folds and stores the profiles of some accounts whose past was brought in, so that their next payments need not wait for it. It
// reports whether it found any.
func (s *Service) WarmOnce(ctx context.Context) (found bool, err error) {
	asked := s.warm.next(s.Clock.Wall())
	if len(asked) == 0 {
		return false, nil
	}
	var long map[store.AccountKey]bool
	err = s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		g := &group{Service: s, tx: tx, payers: map[store.AccountKey]*payer{}, policies: map[string]*livePolicy{}, patient: true}
		if err := g.load(asked, 0); err != nil {
			return err
		}
		for _, p := range g.payers {
			if !p.Kept() {
				g.markChanged(p)
			}
		}
		if err := g.finish(); err != nil {
			return err
		}
		long = g.long
		return nil
	})
	for key := range long {
		if err == nil {
			err = s.refold(ctx, key)
		}
	}
	return true, err
}

// warmProfiles goes on with WarmOnce until ctx ends.
func (s *Service) warmProfiles(ctx context.Context) {
	timer := time.NewTimer(warmQuiet)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		found, err := s.WarmOnce(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("profiles of what was brought in could not be folded; they are with their next payments", "category", errorCategory(err))
		}
		if found && err == nil {
			timer.Reset(warmPause)
		} else {
			timer.Reset(warmQuiet)
		}
	}
}
