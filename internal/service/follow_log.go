package service

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk/history"
)

const (
	// followEvery is how long the follower waits between two looks at the log when there was nothing new.
	followEvery = 25 * time.Millisecond
	// followBatch is how many entries one look reads, and foldBatch how many are folded while decisions wait.
	followBatch = 2000
	foldBatch   = 256
	// lookAtPolicies is how often the follower asks whether other aggregates are wanted.
	lookAtPolicies = time.Second
	// maxEntities bounds what one tenant's index holds in the memory of each node; with the default policy an entity takes about 700 bytes
	// (measured with 300,000), so that a full index takes 350 MB.
	maxEntities = 500_000
)

// follower keeps the aggregates of merchants, devices, addresses and other entities than accounts folded behind the answers: each node
// reads the decision log and what is learned of payments, and folds both in memory. Decisions read what is there.
type follower struct {
	mu      sync.RWMutex // guards the indexes while they are folded
	indexes map[string]*tenantIndex

	running  sync.Mutex // one look at a time
	started  bool
	payments logCursor
	findings logCursor
	looked   time.Time // at the policies, in wall time
	compare  bool      // the policies may have changed: are preparing versions complete?
	caughtUp bool      // what came before the start of this node is folded
	lag      lagMeter
	ready    atomic.Bool // see CaughtUp
	peers    peers

	handed      handOver // payments that need not be read
	readFromLog int64    // entries of the log that were
	readToFill  int64    // and those that were read to fill an index

	saved     time.Time // when the last snapshot began, in wall time
	savedHigh int64     // the payments in it
	saving    *snapshotWriter
}

// tenantIndex is the index of one tenant, and the one that will take its place.
type tenantIndex struct {
	index *history.Index
	live  *livePolicy // what the index was last compared with
	next  *refill     // nil when the index has all that is wanted
}

// readIndex calls do with what is known of other entities than accounts; with nil while nothing is.
func (f *follower) readIndex(tenantID string, do func(index *history.Index)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if t := f.indexes[tenantID]; t != nil {
		do(t.index)
		return
	}
	do(nil)
}

// Follow keeps what is written behind the answers going until ctx ends: aggregates of entities other than accounts, profiles of accounts
// whose past was brought in, and statistics.
func (s *Service) Follow(ctx context.Context) {
	var warming sync.WaitGroup
	defer warming.Wait()
	warming.Go(func() { s.warmProfiles(ctx) })
	timer, flush, gather := time.NewTimer(0), time.NewTicker(flushHitsEvery), time.NewTimer(gatherFor)
	defer timer.Stop()
	defer flush.Stop()
	defer gather.Stop()
	handed, gathering := s.follower.handed.woken(), true
	for {
		select {
		case <-ctx.Done():
			s.flushHitsLast(ctx)
			s.leave(ctx)
			return
		case <-flush.C:
			if err := s.FlushRuleHits(ctx); err != nil && ctx.Err() == nil {
				s.Log.Warn("statistics of rules could not be written; it is tried again", "category", errorCategory(err))
			}
			continue
		case <-handed:
			if !gathering {
				gather.Reset(gatherFor)
				gathering = true
			}
			continue
		case <-gather.C:
			gathering = false
			s.foldHanded()
			continue
		case <-timer.C:
		}
		more, err := s.FollowOnce(ctx)
		wait := followEvery
		if err != nil {
			if ctx.Err() != nil {
				continue
			}
			s.Log.Warn("the decision log could not be followed; it is tried again", "category", errorCategory(err))
			wait = time.Second
		} else if more {
			wait = 0
		}
		timer.Reset(wait)
	}
}

// CatchUp folds what a node has not seen yet, until nothing is left or ctx ends; before it answers anybody.
func (s *Service) CatchUp(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = s.FollowOnce(ctx); err != nil {
			return // Follow tries again, and says so
		}
	}
}

// FollowOnce folds what is new in the logs, up to a few thousand entries, and goes on filling what new aggregates need. It reports whether
// there is more to do at once.
func (s *Service) FollowOnce(ctx context.Context) (more bool, err error) {
	f := &s.follower
	f.running.Lock()
	defer f.running.Unlock()
	if err := s.lookAtTenants(ctx); err != nil {
		return false, err
	}
	moreEntries, err := s.followPayments(ctx)
	if err != nil {
		return false, err
	}
	moreFindings, err := s.followFindings(ctx)
	if err != nil {
		return false, err
	}
	moreToFill, err := s.fillIndexes(ctx)
	if err != nil {
		return false, err
	}
	if err := s.publishPrepared(ctx); err != nil {
		return false, err
	}
	f.noteReady()
	moreToSave, err := s.snapshotIndexes(ctx)
	return moreEntries || moreFindings || moreToFill || moreToSave, err
}

// lookAtTenants compares what each tenant's policies want with what its index has, now and then.
func (s *Service) lookAtTenants(ctx context.Context) error {
	f := &s.follower
	wall := s.Clock.Wall()
	if f.started && wall.Sub(f.looked) < lookAtPolicies && wall.Sub(f.looked) >= 0 {
		return nil
	}
	return s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		tenants, err := tx.Tenants()
		if err != nil {
			return err
		}
		if !f.started {
			ids := make([]string, len(tenants))
			for i, tenant := range tenants {
				ids[i] = tenant.ID
			}
			if err := s.loadSnapshots(tx, ids); err != nil {
				return err
			}
			f.saved = wall
		}
		var known []*livePolicy
		for _, tenant := range tenants {
			live, err := s.livePolicy(tx, tenant.ID)
			if errors.Is(err, errStoredPolicy) {
				continue // nothing of this tenant is decided until it is rolled back; the others' aggregates go on
			}
			if err != nil {
				return err
			}
			if err := s.holdLists(tx, live); err != nil {
				return err
			}
			f.want(tenant.ID, live)
			known = append(known, live)
		}
		if !f.started && f.payments.high == 0 {
			if err := f.beginAt(tx, known); err != nil {
				return err
			}
		}
		f.looked, f.started, f.compare = wall, true, true
		return nil
	})
}

// beginAt passes over what no policy of any tenant can need any more, when a node starts without a snapshot.
func (f *follower) beginAt(tx *store.Tx, known []*livePolicy) (err error) {
	since := tx.Now()
	for _, live := range known {
		if reached := live.reachesTo(tx.Now()); reached.Before(since) {
			since = reached
		}
	}
	if f.payments.high, err = tx.LogSince(since); err != nil {
		return err
	}
	f.findings.high, err = tx.FindingsSince(since)
	return err
}

// want makes or compares the index of a tenant. At first there is nothing in it: it is filled from the log like any other.
func (f *follower) want(tenantID string, live *livePolicy) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.indexes == nil {
		f.indexes = map[string]*tenantIndex{}
	}
	t := f.indexes[tenantID]
	switch {
	case t == nil:
		t = &tenantIndex{index: history.NewIndex(live.Series, maxEntities), live: live}
		if f.payments.high > 0 {
			t.next = newRefill(live) // there is a past that this index has not seen
		}
		f.indexes[tenantID] = t
	case t.live == live:
	case covers(t.index.Set(), live):
		t.live, t.next = live, nil
	case t.next == nil || !covers(t.next.index.Set(), live):
		t.live, t.next = live, newRefill(live)
	default:
		t.live = live
	}
}

// covers reports whether a set has every series of other entities than accounts that the policies want.
func covers(set *history.SeriesSet, live *livePolicy) bool {
	return !slices.ContainsFunc(live.needs, func(d history.Definition) bool {
		return !slices.Contains(d.Entity, history.Account) && !set.Slot(d).Valid()
	})
}

// followPayments folds payments that are new: what this node has handed over, and from the log what is missing of it and what is beyond it,
// which is of other nodes, was brought in, or found no room.
func (s *Service) followPayments(ctx context.Context) (more bool, err error) {
	f := &s.follower
	var fresh []*store.LogEntry
	var on store.Snapshot
	late, read, wall := 0, 0, s.Clock.Wall()
	err = s.read(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		fresh, late, read = nil, 0, 0
		if on, err = tx.Snapshot(); err != nil {
			return err
		}
		f.payments.sight(on)
		newest, err := tx.NewestPayment()
		if err != nil {
			return err
		}
		// After the look, so that little is read that somebody is just handing over.
		f.takeHanded(wall, s.Clock.Now())
		if err := tx.LogIn(f.payments.gaps(wall), followBatch, func(e *store.LogEntry) error {
			fresh, late = append(fresh, e), late+1
			return nil
		}); err != nil || newest <= f.payments.high {
			return err
		}
		return tx.PastLog(f.payments.high, followBatch, func(e *store.LogEntry) error {
			fresh, read = append(fresh, e), read+1
			return nil
		})
	})
	if err != nil {
		return false, err
	}
	f.readFromLog += int64(len(fresh))
	fresh = slices.DeleteFunc(fresh, func(e *store.LogEntry) bool { return !f.payments.take(e.Seq, wall, on) })
	if late < followBatch { // else not every gap was looked at
		f.payments.forget(wall, on)
	}
	f.foldFresh(fresh, s.Clock.Now())
	f.caughtUp = f.caughtUp || read < followBatch && late < followBatch
	return read == followBatch || late == followBatch, nil
}

// fold adds entries to the indexes of their tenants. One that is filled anew meets them when it comes to them.
func (f *follower) fold(entries []*store.LogEntry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		if t := f.indexes[e.TenantID]; t != nil {
			entry := entryOf(t.live.Policy, e)
			t.index.Fold(&entry)
			if t.next != nil && e.Seq <= t.next.cursor {
				t.next.index.Fold(&entry) // it was missing when the filling came by
			}
		}
	}
}

// followFindings folds what was learned of payments: approvals after a review, and confirmed fraud.
func (s *Service) followFindings(ctx context.Context) (more bool, err error) {
	f := &s.follower
	var fresh []payment.Finding
	var learned []learnedOf
	var on store.Snapshot
	read, wall := 0, s.Clock.Wall()
	err = s.read(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		fresh, learned, read = nil, nil, 0
		if on, err = tx.Snapshot(); err != nil {
			return err
		}
		for _, gap := range f.findings.gaps(wall) {
			late, err := tx.FindingsAfter(gap.From-1, int(gap.To-gap.From+1))
			if err != nil {
				return err
			}
			fresh = append(fresh, slices.DeleteFunc(late, func(l payment.Finding) bool { return l.Sequence > gap.To })...)
		}
		newest, err := tx.FindingsAfter(f.findings.high, followBatch)
		if err != nil {
			return err
		}
		read = len(newest)
		fresh = append(fresh, newest...)
		for _, finding := range fresh {
			what, err := s.learnedBy(tx, finding)
			if err != nil && !errors.Is(err, errStoredPolicy) { // a tenant without a policy that compiles has no index either
				return err
			}
			learned = append(learned, what)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.findings.forget(wall, on)
	for i, finding := range fresh {
		if !f.findings.take(finding.Sequence, wall, on) {
			continue
		}
		if t := f.indexes[finding.TenantID]; t != nil {
			learned[i].foldInto(t.index)
			if t.next != nil && t.next.began {
				t.next.later = append(t.next.later, learned[i])
			}
		}
	}
	return read == followBatch, nil
}

// learnedOf is what one finding changes in an index.
type learnedOf struct {
	entry *history.Entry // a held payment that was approved
	label *history.Label
}

func (l learnedOf) foldInto(index *history.Index) {
	if l.entry != nil {
		index.Fold(l.entry)
	}
	if l.label != nil {
		index.FoldLabel(l.label)
	}
}

// learnedBy says what a finding changes, given those of its payment that came before it.
func (s *Service) learnedBy(tx *store.Tx, finding payment.Finding) (learnedOf, error) {
	p, err := s.knownPayment(tx, finding.TenantID, finding.PaymentID)
	if err != nil {
		return learnedOf{}, err
	}
	var before []payment.Finding
	for _, other := range p.findings {
		if other.Sequence < finding.Sequence {
			before = append(before, other)
		}
	}
	after := append(before[:len(before):len(before)], finding)
	var out learnedOf
	if finding.Kind == payment.ReviewApproved {
		entry := p.entry
		entry.Outcome = history.ApprovedAfterReview
		out.entry = &entry
	}
	entry := p.entry
	entry.Outcome = outcomeOf(p.Effective(after))
	if label, changed := labelOf(entry, payment.VerdictOf(before), payment.VerdictOf(after), finding.KnownAt); changed {
		out.label = &label
	}
	return out, nil
}
