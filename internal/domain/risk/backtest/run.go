package backtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
)

// Row is one past payment with what turned out about it.
type Row struct {
	Payment history.Payment
	Outcome history.Outcome // what became of it then: history is folded as it happened, whatever the policy would have answered
	// Labelled says that the truth is known; a payment without a label counts as good.
	Labelled bool
	Fraud    bool
	KnownAt  time.Time // zero: Setup.LabelDelay after the payment
	// Learned is what became known of the payment, and when, in that order, where more is known than KnownAt can say: no payment before sees it.
	// If it is not nil, history learns from it alone, and Labelled and Fraud are the truth to measure by.
	Learned []Learned
}

// Learned is one thing that became known of a payment.
type Learned struct {
	At       time.Time
	Approved bool // a payment that was held was approved; otherwise this is about fraud:
	Undo     bool // it is no fraud after all
}

// Setup says what to measure.
type Setup struct {
	Policy  *risk.Policy
	Against *risk.Policy // nil for none
	Lists   *risk.Lists  // as they are now; nil for none
	// Payments from From on and before To are measured; the zero time is no bound. Those before From are folded, so that history is known.
	// Those from To on are left out.
	From, To time.Time
	// LabelDelay is when a label becomes known that does not say when.
	LabelDelay time.Duration
	// Protocol leaves payments out of the measures of ranking whose account is known to be compromised, as the public benchmark does: that had a
	// fraud within CompromisedFor before From − LabelDelay or since, and it became known before the day of the payment began.
	Protocol       bool
	CompromisedFor time.Duration // 0: seven days
	MaxDifferences int           // that are listed; 0: 100
	// Observe is called with each measured payment and its facts, which are the function's until it returns; nil for nobody.
	Observe     func(row *Row, facts *risk.Facts)
	MaxEntities int // in the index of merchants, devices and so on; 0: a million
}

// ErrOrder is returned for a payment that was made before the one before it.
var ErrOrder = errors.New("payments must come in the order of time")

// ErrOutcome is returned for a row without a valid outcome.
var ErrOutcome = errors.New("a past payment needs an outcome: approved, review or rejected")

// Run measures policies on a stream of payments. It is used by one goroutine at a time.
type Run struct {
	setup    Setup
	set      *history.SeriesSet
	index    *history.Index
	accounts map[string]*account
	pending  labels
	last     time.Time
	streamed int64

	facts, before risk.Facts // of the payment that is being decided; their memory is used again
	report        Report
	tally         *tally
	against       *tally // nil without one
	moves         map[[2]risk.Outcome]*Move
	differences   []Difference
}

// account is what is kept of one account.
type account struct {
	number  uint32
	profile history.Profile
	// compromised is when the earliest fraud that counts for the protocol became known; zero: none.
	compromised time.Time
}

// New prepares a run. An error says which policy's aggregates cannot be kept.
func New(setup Setup) (*Run, error) {
	if setup.Policy == nil {
		return nil, errors.New("a backtest needs a policy")
	}
	setup.CompromisedFor = cmp.Or(setup.CompromisedFor, 7*24*time.Hour)
	setup.MaxDifferences = cmp.Or(setup.MaxDifferences, 100)
	setup.MaxEntities = cmp.Or(setup.MaxEntities, 1_000_000)
	policies := []*risk.Policy{setup.Policy}
	if setup.Against != nil {
		policies = append(policies, setup.Against)
	}
	set, err := risk.Maintain(policies...)
	if err != nil {
		return nil, fmt.Errorf("aggregates of the policies: %w", err)
	}
	r := &Run{
		setup: setup, set: set, index: history.NewIndex(set, setup.MaxEntities), accounts: map[string]*account{},
		tally: newTally(setup.Policy), moves: map[[2]risk.Outcome]*Move{},
	}
	if setup.Against != nil {
		r.against = newTally(setup.Against)
	}
	r.report.Currency, _ = setup.Policy.ReferenceCurrency()
	return r, nil
}

// Add decides one payment, if it is to be measured, and learns from it. Payments come in the order of OccurredAt: ErrOrder.
func (r *Run) Add(row *Row) error {
	at := row.Payment.OccurredAt
	if at.Before(r.last) {
		return ErrOrder
	}
	if !row.Outcome.Valid() {
		return ErrOutcome
	}
	r.last = at
	if !r.setup.To.IsZero() && !at.Before(r.setup.To) {
		return nil
	}
	r.streamed++
	r.learn(at)
	a := r.accounts[row.Payment.AccountID]
	if a == nil {
		a = &account{number: uint32(len(r.accounts))}
		r.accounts[row.Payment.AccountID] = a
	}
	entry := history.Entry{Payment: row.Payment, Outcome: row.Outcome}
	if !r.setup.From.IsZero() && at.Before(r.setup.From) {
		entry.Payment.AmountReference, entry.Payment.AmountKnown = r.setup.Policy.ReferenceAmount(row.Payment.AmountMinor, row.Payment.Currency)
	} else {
		entry.Payment = r.decide(a, row)
	}
	a.profile.Fold(r.set, &entry)
	r.index.Fold(&entry)
	switch {
	case row.Learned != nil:
		r.await(a, row.Learned, &entry)
	case row.Labelled && row.Fraud:
		r.expect(a, row, &entry)
	}
	return nil
}

// decide asks the policies and counts their answers. It returns the payment to fold.
func (r *Run) decide(a *account, row *Row) history.Payment {
	sources := risk.Sources{Set: r.set, Profile: &a.profile, Index: r.index, Lists: r.setup.Lists}
	facts := &r.facts
	facts.Derive(r.setup.Policy, sources, &row.Payment)
	decision := risk.Decide(r.setup.Policy, facts)
	if r.setup.Observe != nil {
		r.setup.Observe(row, facts)
	}
	p := payment{
		id: row.Payment.ID, at: row.Payment.OccurredAt, amountMinor: row.Payment.AmountMinor, currency: row.Payment.Currency,
		account: a.number, day: int32(row.Payment.OccurredAt.Unix() / 86400), labelled: row.Labelled, fraud: row.Labelled && row.Fraud,
		ranked: !r.setup.Protocol || !r.isCompromised(a, row.Payment.OccurredAt),
	}
	if facts.Payment.AmountKnown {
		p.amount = facts.Payment.AmountReference
	}
	r.count(&p, facts.Payment.AmountKnown)
	v := verdict{decision: &decision, score: scoreOf(r.setup.Policy, &decision, facts)}
	r.tally.add(&p, v)
	if r.against != nil {
		r.before.Derive(r.setup.Against, sources, &row.Payment)
		was := risk.Decide(r.setup.Against, &r.before)
		r.against.add(&p, verdict{decision: &was, score: scoreOf(r.setup.Against, &was, &r.before)})
		if was.Outcome != decision.Outcome {
			r.differ(&p, was.Outcome, v)
		}
	}
	return facts.Payment
}

func scoreOf(policy *risk.Policy, decision *risk.Decision, facts *risk.Facts) float64 {
	if isScored(policy) {
		return facts.Score.Probability
	}
	return RankOf(policy, decision, facts)
}

// isScored reports whether the policy has a model to score with, and not only features to train one with.
func isScored(policy *risk.Policy) bool {
	return policy.Scorecard != nil && policy.Scorecard.Model != nil
}

// isCompromised reports whether a fraud of the account that counts became known before the day began.
func (r *Run) isCompromised(a *account, at time.Time) bool {
	return !a.compromised.IsZero() && a.compromised.Before(at.UTC().Truncate(24*time.Hour))
}

func (r *Run) count(p *payment, amountKnown bool) {
	report := &r.report
	if report.Payments == 0 {
		report.From = p.at
	}
	report.To = p.at
	report.Payments++
	report.AmountMinor = plus(report.AmountMinor, p.amount)
	count(&report.Labelled, p.labelled)
	count(&report.AmountUnknown, !amountKnown)
	if p.fraud {
		report.Fraud++
		report.FraudMinor = plus(report.FraudMinor, p.amount)
	}
}

// expect remembers a fraud until it becomes known. Nothing else is remembered: no aggregate counts payments confirmed to be good.
func (r *Run) expect(a *account, row *Row, entry *history.Entry) {
	known := row.KnownAt
	if known.IsZero() {
		known = row.Payment.OccurredAt.Add(r.setup.LabelDelay)
	}
	r.pending.push(known, a, history.Label{Payment: entry.Payment, Outcome: row.Outcome, Fraud: true, KnownAt: known})
	counts := !row.Payment.OccurredAt.Before(r.setup.From.Add(-r.setup.LabelDelay - r.setup.CompromisedFor))
	if counts && (a.compromised.IsZero() || known.Before(a.compromised)) {
		a.compromised = known
	}
}

// await remembers what will become known of a payment.
func (r *Run) await(a *account, learned []Learned, entry *history.Entry) {
	outcome := entry.Outcome
	for _, l := range learned {
		if l.Approved {
			outcome = history.Approved
			r.pending.pushEntry(l.At, a, history.Entry{Payment: entry.Payment, Outcome: history.ApprovedAfterReview})
			continue
		}
		r.pending.push(l.At, a, history.Label{Payment: entry.Payment, Outcome: outcome, Fraud: true, Undo: l.Undo, KnownAt: l.At})
		if !l.Undo && (a.compromised.IsZero() || l.At.Before(a.compromised)) {
			a.compromised = l.At
		}
	}
}

// learn folds what has become known by the instant.
func (r *Run) learn(at time.Time) {
	for {
		known, found := r.pending.pop(at)
		if !found {
			return
		}
		if known.entry != nil {
			known.account.profile.Fold(r.set, known.entry)
			r.index.Fold(known.entry)
			continue
		}
		known.account.profile.FoldLabel(r.set, known.label)
		r.index.FoldLabel(known.label)
	}
}

// differ counts a payment that the policies answer differently.
func (r *Run) differ(p *payment, before risk.Outcome, v verdict) {
	key := [2]risk.Outcome{before, v.decision.Outcome}
	move := r.moves[key]
	if move == nil {
		move = &Move{Before: string(before), After: string(v.decision.Outcome)}
		r.moves[key] = move
	}
	move.Payments++
	if p.fraud {
		move.Fraud++
		move.FraudMinor = plus(move.FraudMinor, p.amount)
	} else {
		move.GoodMinor = plus(move.GoodMinor, p.amount)
	}
	r.differences = append(r.differences, Difference{Example: r.tally.example(p, v), Before: string(before), Fraud: p.fraud, Labelled: p.labelled})
	if len(r.differences) >= 2*r.setup.MaxDifferences {
		r.cutDifferences()
	}
}

// cutDifferences keeps the largest; of equal ones the first.
func (r *Run) cutDifferences() {
	slices.SortStableFunc(r.differences, func(a, b Difference) int { return cmp.Compare(b.reference, a.reference) })
	r.differences = r.differences[:min(len(r.differences), r.setup.MaxDifferences)]
}

// Report sums up what was added so far.
func (r *Run) Report() *Report {
	out := r.report
	out.Streamed = r.streamed
	out.Result = r.tally.result()
	if r.against == nil {
		return &out
	}
	r.cutDifferences()
	out.Against = &Comparison{Result: r.against.result(), Moves: []Move{}, Differences: append([]Difference{}, r.differences...)}
	for _, move := range r.moves {
		out.Against.Changed += move.Payments
		out.Against.Moves = append(out.Against.Moves, *move)
	}
	slices.SortFunc(out.Against.Moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.Payments, a.Payments), cmp.Compare(a.Before+a.After, b.Before+b.After))
	})
	return &out
}
