package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/standard/problem"
)

// The bounds of a trial. What is larger is tried on the command line, from a file (docs/guides/backtesting.md).
const (
	maxTried      = 100_000   // payments of the tenant, those that only bring history included
	maxTriedRead  = 2_000_000 // entries of the log, of all tenants
	triedAtOnce   = 5000      // entries read in one look at the database
	triedExamples = 50        // payments to show that would be decided otherwise
)

// PolicyTrial asks what a version of the policy would have answered to stored payments.
type PolicyTrial struct {
	PolicyID string    // of the version to try; empty for the policy that ships
	From, To time.Time // payments that occurred from From on and before To are measured; earlier ones are their history
	// Progress is told how far the trial is, between parts of some thousand payments, by the goroutine of TryPolicy; nil for nobody.
	Progress func(TrialProgress)
}

// TrialProgress is how far a trial is: first the log is read, then its payments are decided.
type TrialProgress struct {
	Read, OfAbout     int     // payments of the tenant, of about how many: as many more as the rest of the log would have if it is like what was read
	Decided, Payments int     // of how many; 0 of 0 while the log is read
	Share             float64 // of the log that was read, then of the payments that were decided
}

func (in PolicyTrial) tell(p TrialProgress) {
	if in.Progress != nil {
		in.Progress(p)
	}
}

// PolicyTrialResult is what came of a trial.
type PolicyTrialResult struct {
	Tried, Live publication.Version
	Report      *backtest.Report // of the tried version, against the live one
	// Policies are those that were compiled, so that a reader can be told what a rule does.
	TriedPolicy, LivePolicy *risk.Policy
}

// trialsAtOnce bounds the trials that run on a node: each holds its payments in memory, and a processor.
const trialsAtOnce = 2

// trials are the tenants that try a policy on this node.
type trials struct {
	mu      sync.Mutex
	running map[string]bool
}

// begin takes a tenant's turn, unless it has one or all are taken.
func (t *trials) begin(tenantID string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running[tenantID] || len(t.running) >= trialsAtOnce {
		return false
	}
	if t.running == nil {
		t.running = map[string]bool{}
	}
	t.running[tenantID] = true
	return true
}

func (t *trials) end(tenantID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, tenantID)
}

// TryPolicy decides stored payments again by a version of the policy and by the live one, each payment with the history that it had, and
// says how the answers differ. It changes nothing. Lists are taken as they stand now. One trial of a tenant runs at a time on a node,
// and trialsAtOnce of all tenants: another is refused with TooMany. More than maxTried payments up to the end of the span are refused: Invalid, field "to".
func (s *Service) TryPolicy(ctx context.Context, actor access.Actor, in PolicyTrial) (PolicyTrialResult, error) {
	var out PolicyTrialResult
	if err := actor.Require(access.DraftPolicies); err != nil {
		return out, err
	}
	if in.From.IsZero() || !in.To.After(in.From) {
		return out, problem.Field("to", "out_of_range", "the span must end after it begins")
	}
	if !s.trying.begin(actor.TenantID) {
		return out, problem.New(problem.TooMany, "trial_running", "another policy is being tried on history; wait until it is done and try again")
	}
	defer s.trying.end(actor.TenantID)
	var lists *risk.Lists
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.RiskSettings(actor.TenantID)
		if err != nil {
			return err
		}
		if out.Live, out.LivePolicy, err = s.versionOf(tx, actor.TenantID, settings.LiveID); err != nil {
			return err
		}
		if out.Tried, out.TriedPolicy, err = s.versionOf(tx, actor.TenantID, in.PolicyID); err != nil {
			return withField(err, "policy_id")
		}
		lists, err = loadLists(tx, actor.TenantID, listsOfBoth(out.TriedPolicy, out.LivePolicy))
		return err
	})
	if err != nil {
		return out, err
	}
	rows, err := s.pastRows(ctx, actor.TenantID, in)
	if err != nil {
		return out, err
	}
	run, err := backtest.New(backtest.Setup{
		Policy: out.TriedPolicy, Against: out.LivePolicy, Lists: lists, From: in.From, To: in.To, MaxDifferences: triedExamples, MaxEntities: maxTried,
	})
	if err != nil {
		return out, err
	}
	for i := range rows {
		if i%triedAtOnce == 0 {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			if i > 0 {
				in.tell(TrialProgress{Decided: i, Payments: len(rows), Share: float64(i) / float64(len(rows))})
			}
		}
		if err := run.Add(&rows[i]); err != nil {
			return out, err
		}
	}
	out.Report = run.Report()
	return out, nil
}

// listsOfBoth declares the lists of two policies together.
func listsOfBoth(tried, live *risk.Policy) *risk.Policy {
	both := &risk.Policy{Lists: slices.Clone(tried.Lists)}
	for _, l := range live.Lists {
		if !slices.ContainsFunc(both.Lists, func(have risk.List) bool { return have.Name == l.Name }) {
			both.Lists = append(both.Lists, l)
		}
	}
	return both
}

// pastRows reads the tenant's payments that occurred before the end of the trial's span, with what became of them, in the order in which they occurred.
// The log is read in parts, so that nobody waits for a trial.
func (s *Service) pastRows(ctx context.Context, tenantID string, in PolicyTrial) ([]backtest.Row, error) {
	findings, err := s.findingsByPayment(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	var rows []backtest.Row
	read, after, newest := 0, int64(0), int64(0)
	for more := true; more; {
		var part []backtest.Row
		seen, last := 0, after
		err := s.read(ctx, func(_ context.Context, tx *store.Tx) (err error) {
			part, seen = part[:0], 0 // the look may be repeated
			if newest, err = tx.NewestPayment(); err != nil {
				return err
			}
			return tx.PastLog(after, triedAtOnce, func(e *store.LogEntry) error {
				seen++
				last = e.Seq
				if e.TenantID == tenantID && e.Attempt.OccurredAt.Before(in.To) {
					part = append(part, rowOf(s.Policy, e, findings[e.ID]))
				}
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
		rows, after, more = append(rows, part...), last, seen == triedAtOnce
		read += seen
		if len(rows) > maxTried || read > maxTriedRead {
			return nil, problem.Field("to", "too_many_payments",
				"there are more payments up to the end of this span than can be tried here; use probity policy backtest on a file of them")
		}
		if more {
			share := float64(after) / float64(max(newest, after))
			in.tell(TrialProgress{Read: len(rows), OfAbout: int(float64(len(rows)) / share), Share: share})
		}
	}
	slices.SortStableFunc(rows, func(a, b backtest.Row) int { return a.Payment.OccurredAt.Compare(b.Payment.OccurredAt) })
	return rows, nil
}

// findingsByPayment reads what was learned of the tenant's payments.
func (s *Service) findingsByPayment(ctx context.Context, tenantID string) (map[string][]payment.Finding, error) {
	known := map[string][]payment.Finding{}
	after, read := int64(0), 0
	for more := true; more && read <= maxTriedRead; {
		var part []payment.Finding
		err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
			var err error
			part, err = tx.FindingsAfter(after, triedAtOnce)
			return err
		})
		if err != nil {
			return nil, err
		}
		more = len(part) == triedAtOnce
		read += len(part)
		for _, f := range part {
			after = f.Sequence
			if f.TenantID == tenantID {
				known[f.PaymentID] = append(known[f.PaymentID], f)
			}
		}
	}
	return known, nil
}

// rowOf is a stored payment as a backtest takes it: as it was answered, with what became known of it, and when.
func rowOf(policy *risk.Policy, e *store.LogEntry, findings []payment.Finding) backtest.Row {
	entry := entryOf(policy, e)
	verdict := payment.VerdictOf(findings)
	row := backtest.Row{
		Payment: entry.Payment, Outcome: outcomeOf(e.Outcome), Labelled: verdict != payment.Unknown, Fraud: verdict == payment.Fraud, Learned: []backtest.Learned{},
	}
	known := payment.Unknown
	for i, f := range findings {
		before := known
		known = payment.VerdictOf(findings[:i+1])
		switch {
		case f.Kind == payment.ReviewApproved && e.Outcome == payment.Review:
			row.Learned = append(row.Learned, backtest.Learned{At: f.KnownAt, Approved: true})
		case before != payment.Fraud && known == payment.Fraud:
			row.Learned = append(row.Learned, backtest.Learned{At: f.KnownAt})
		case before == payment.Fraud && known != payment.Fraud:
			row.Learned = append(row.Learned, backtest.Learned{At: f.KnownAt, Undo: true})
		}
	}
	return row
}
