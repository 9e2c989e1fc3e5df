package service

import (
	"context"
	"slices"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk/history"
)

// refill is an index in the making: what can matter of the log is folded into it, while the one that it will replace goes on.
type refill struct {
	live     *livePolicy
	index    *history.Index
	cursor   int64 // every entry up to here was looked at
	began    bool
	from, to int64 // of the log, for the progress
	known    map[string][]payment.Finding
	later    []learnedOf // what was learned since it began
	noted    time.Time   // when the progress was last written down, in wall time
}

const (
	// noteEvery is how often the progress is written down.
	noteEvery = 2 * time.Second
	// fillSpan is how many numbers of the log one batch looks at: those of other tenants are passed over by the database.
	fillSpan = 10 * followBatch
)

func newRefill(live *livePolicy) *refill {
	return &refill{live: live, index: history.NewIndex(live.Series, maxEntities)}
}

// fillIndexes goes on with one index that lacks something, by one batch of the log. It reports whether there is more to do.
func (s *Service) fillIndexes(ctx context.Context) (more bool, err error) {
	f := &s.follower
	f.mu.RLock()
	tenantID := ""
	for id, t := range f.indexes {
		if t.next != nil && (tenantID == "" || id < tenantID) {
			tenantID = id
		}
	}
	tenant := f.indexes[tenantID]
	f.mu.RUnlock()
	if tenant == nil {
		return false, nil
	}
	complete, err := s.fill(ctx, tenantID, tenant.next)
	if err != nil {
		return false, err
	}
	if complete {
		f.mu.Lock()
		for _, learned := range tenant.next.later {
			learned.foldInto(tenant.next.index)
		}
		tenant.index, tenant.next, f.compare = tenant.next.index, nil, true
		f.mu.Unlock()
		return true, nil
	}
	return true, s.noteProgress(ctx, tenantID, tenant.next)
}

// fill folds one batch, and reports whether the index has everything that the follower has taken.
func (s *Service) fill(ctx context.Context, tenantID string, r *refill) (complete bool, err error) {
	f := &s.follower
	var entries []*store.LogEntry
	end := int64(0)
	err = s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		entries = nil
		if !r.began {
			if err := s.beginFill(tx, tenantID, r); err != nil {
				return err
			}
		}
		end = min(r.cursor+fillSpan, f.payments.high) // beyond, the follower itself takes it
		return tx.PastOfTenant(tenantID, store.Span{From: r.cursor + 1, To: end}, followBatch, func(e *store.LogEntry) error {
			entries = append(entries, e)
			return nil
		})
	})
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if f.payments.holds(e.Seq) {
			r.fold(e)
		}
	}
	f.readToFill += int64(len(entries))
	if len(entries) == followBatch {
		end = entries[len(entries)-1].Seq
	}
	r.cursor = max(r.cursor, end)
	return r.cursor >= f.payments.high, nil
}

// lateBy is how long after a payment occurred it may be asked about, so that the aggregates that a node has filled from the log are those
// of a node that has folded it as it came. It covers clocks that differ, too.
const lateBy = 7 * 24 * time.Hour

// reachesTo returns since when payments must have been stored to matter to what the policies keep of other entities than accounts: what was
// stored earlier also occurred earlier, and has left every window.
func (l *livePolicy) reachesTo(now time.Time) time.Time {
	longest := time.Duration(0)
	for _, d := range l.needs {
		if !slices.Contains(d.Entity, history.Account) {
			longest = max(longest, d.Window+d.Window/16+d.Delay) // a bucket at the edge counts whole, and is a 32nd
		}
	}
	return now.Add(-longest - lateBy)
}

// beginFill finds where the part of the log begins that can matter, and what is known of its payments already.
func (s *Service) beginFill(tx *store.Tx, tenantID string, r *refill) error {
	since := r.live.reachesTo(tx.Now())
	tenant, err := tx.Tenant(tenantID)
	if err != nil {
		return err
	}
	if first := tenant.CreatedAt.Add(-lateBy); first.After(since) {
		since = first
	}
	after, err := tx.FindingsSince(since)
	if err != nil {
		return err
	}
	r.known = map[string][]payment.Finding{}
	for more := true; more; {
		found, err := tx.FindingsOfTenant(tenantID, after, followBatch)
		if err != nil {
			return err
		}
		for _, finding := range found {
			after = finding.Sequence
			if s.follower.findings.holds(finding.Sequence) {
				r.known[finding.PaymentID] = append(r.known[finding.PaymentID], finding)
			}
		}
		more = len(found) == followBatch
	}
	if r.from, err = tx.LogSince(since); err != nil {
		return err
	}
	r.cursor, r.to, r.began = r.from, s.follower.payments.high, true
	return nil
}

// fold adds a payment with all that was known of it when the filling began.
func (r *refill) fold(e *store.LogEntry) {
	entry := entryOf(r.live.Policy, e)
	r.index.Fold(&entry)
	known := r.known[e.ID]
	if len(known) == 0 {
		return
	}
	if effective := e.Payment.Effective(known); effective == payment.Approved && e.Outcome == payment.Review {
		entry.Outcome = history.ApprovedAfterReview
		r.index.Fold(&entry)
	}
	if payment.VerdictOf(known) == payment.Fraud {
		r.index.FoldLabel(&history.Label{
			Payment: entry.Payment, Outcome: outcomeOf(e.Payment.Effective(known)), Fraud: true, KnownAt: payment.FraudSince(known),
		})
	}
}

// noteProgress writes down how far the tenant's preparing versions are.
func (s *Service) noteProgress(ctx context.Context, tenantID string, r *refill) error {
	wall := s.Clock.Wall()
	if passed := wall.Sub(r.noted); passed >= 0 && passed < noteEvery {
		return nil
	}
	r.noted = wall
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.HoldRiskSettings(tenantID); err != nil {
			return err
		}
		preparing, err := tx.PoliciesIn(tenantID, publication.Preparing)
		if err != nil {
			return err
		}
		for _, v := range preparing {
			if next, changed := v.Progress(r.cursor-r.from, max(r.to, s.follower.payments.high)-r.from, false, tx.Now()); changed {
				if err := tx.NotePolicyProgress(next); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// needsPreparing reports whether a version compares long lists that are not in memory, or reads aggregates of other entities than accounts
// that do not have their past yet, those included that are being filled for another version. Those of accounts need no preparation: a profile that lacks one is made anew from the account's part of the log before its next payment is decided.
func (s *Service) needsPreparing(tx *store.Tx, v publication.Version) (bool, error) {
	live, err := s.livePolicy(tx, v.TenantID)
	if err != nil {
		return false, err
	}
	policy, err := s.compiledPolicy(v.Text)
	if err != nil {
		return false, err
	}
	has, err := s.hasLists(tx, live, policy)
	return !has || !covers(live.complete, &livePolicy{needs: policy.Definitions()}), err
}

// lagMeter keeps the latest delays between answers and the aggregates behind them.
type lagMeter struct {
	latest [1024]time.Duration
	count  int
}

func (m *lagMeter) note(lag time.Duration) {
	m.latest[m.count%len(m.latest)] = max(lag, 0)
	m.count++
}

// FollowerStatus is how far the aggregates of merchants, devices and addresses are behind the answers, over the latest thousand payments.
type FollowerStatus struct {
	Median, P99, Longest time.Duration
	Folded               int64 // the sequence number up to which everything is folded
	Entities             int
	Filling              bool // whether an index is being filled from the log
}

// FollowerStatus returns how the follower of this node stands.
func (s *Service) FollowerStatus() FollowerStatus {
	f := &s.follower
	f.running.Lock()
	defer f.running.Unlock()
	out := FollowerStatus{Folded: f.payments.low(), Filling: !f.caughtUp}
	lags := slices.Clone(f.lag.latest[:min(f.lag.count, len(f.lag.latest))])
	slices.Sort(lags)
	if len(lags) > 0 {
		out.Median, out.P99, out.Longest = lags[len(lags)/2], lags[len(lags)*99/100], lags[len(lags)-1]
	}
	for _, t := range f.indexes {
		out.Entities += t.index.Len()
		out.Filling = out.Filling || t.next != nil
	}
	return out
}
