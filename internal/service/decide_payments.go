package service

import (
	"bytes"
	"slices"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// group is payments that are decided in one transaction.
type group struct {
	*Service
	tx       *store.Tx
	payers   map[store.AccountKey]*payer
	policies map[string]*livePolicy // by tenant
	changed  []*payer               // whose profile has grown
	facts    risk.Facts             // of the payment that is decided now
	pending  []appending            // approved, and not in the log yet
	hits     []countedDecision      // what the rules came to, for the statistics
	handed   []*store.LogEntry      // what it has put in the log, for the follower
	parts    int                    // of the transaction, that could fail by themselves
	patient  bool                   // accounts with much to fold are left out, and named in long
	long     map[store.AccountKey]bool
}

// How many bytes facts take, and a profile grows by, mostly.
const (
	usualFacts  = 96
	usualGrowth = 32
)

// payer is an account in a group: what is stored of it, and its profile as decisions of the group leave it.
type payer struct {
	*store.Payer
	profile history.Profile // in it are the tail of the log and what the group has approved
	series  *history.SeriesSet
	changed bool
}

// appending is a payment that is appended to the log with others.
type appending struct {
	entry *store.LogEntry
	payer *payer
}

// decideGroup decides payments in their order, and sets their results; those that it has no room for stay open. What is approved is appended to the log with a few statements for
// all; anything else changes more than the log, and is done in a part of the transaction that can fail by itself. An error fails all.
func (s *Service) decideGroup(tx *store.Tx, decisions []*decision) error {
	g := &group{Service: s, tx: tx, payers: map[store.AccountKey]*payer{}, policies: map[string]*livePolicy{}}
	for _, d := range decisions {
		d.result, d.open, d.late = PaymentResult{}, false, false // a transaction may run again
	}
	open, err := g.answerRepeated(decisions)
	if err != nil {
		return err
	}
	g.patient = decisions[0].patient
	if err := g.load(askedByAll(open), len(open)); err != nil {
		return err
	}
	g.patient = false // what the group itself has added is short
	for _, d := range open {
		if d.late = g.long[askedBy(d).AccountKey]; d.late {
			continue
		}
		if d.open = g.parts >= partsAtMost; d.open {
			continue
		}
		if err := g.decide(d); err != nil {
			return err
		}
	}
	if err := g.finish(); err != nil {
		return err
	}
	for _, p := range g.payers {
		p.Payer = nil
		g.payersToUse.Put(p) // with the memory of its profile
	}
	return nil
}

// answerRepeated answers the decisions that were made before, and returns the others.
func (g *group) answerRepeated(decisions []*decision) ([]*decision, error) {
	var keys [][]byte
	for _, d := range decisions {
		if d.key != nil {
			keys = append(keys, d.key)
		}
	}
	if len(keys) == 0 {
		return decisions, nil
	}
	busy, err := g.tx.HoldKeys(keys)
	if err != nil {
		return nil, err
	}
	known, err := g.tx.Repeated(keys, g.Clock.Wall())
	if err != nil {
		return nil, err
	}
	var open []*decision
	for _, d := range decisions {
		if d.key == nil {
			open = append(open, d)
			continue
		}
		before, found := known[[hashSize]byte(d.key)]
		switch {
		case busy[[hashSize]byte(d.key)]:
			d.result.Err = errInFlight()
		case !found:
			open = append(open, d)
		default:
			if d.result, err = g.answerAgain(d, before); err != nil {
				return nil, err
			}
		}
	}
	return open, nil
}

func (g *group) answerAgain(d *decision, before store.LogEntry) (PaymentResult, error) {
	if !bytes.Equal(before.BodyHash, d.body) {
		return PaymentResult{Err: errKeyReused()}, nil
	}
	if before.Outcome == payment.Approved {
		return PaymentResult{View: PaymentView{Payment: before.Payment}, Replayed: true}, nil
	}
	stored, err := g.storedAnswer(g.tx, d.actor.TenantID, d.request.Repeat)
	if err != nil {
		return PaymentResult{}, err
	}
	if !stored.Replayed {
		// Its record expired between two looks at the clock.
		return PaymentResult{Err: errInFlight()}, nil
	}
	return PaymentResult{Stored: stored, Replayed: true}, nil
}

// load locks the accounts and reads what decisions need to know of them. payments is how many are likely to be added to the log.
func (g *group) load(asked []store.Asked, payments int) error {
	found, err := g.tx.Payers(asked, payments)
	if err != nil {
		return err
	}
	var fresh []*store.Payer
	for key, stored := range found {
		if err := g.add(stored); err != nil {
			return err
		}
		if !g.long[key] {
			fresh = append(fresh, stored)
		}
	}
	return g.tx.Tails(fresh, func(stored *store.Payer, e *store.LogEntry) error {
		p := g.payers[stored.AccountKey]
		live, err := g.policy(stored.TenantID)
		if err != nil {
			return err
		}
		entry := entryOf(live.Policy, e)
		p.profile.Fold(p.series, &entry)
		g.boundTail(p)
		return nil
	})
}

// longestTail is how many payments of an account the log may have that its stored profile lacks, before it is stored for their sake.
const longestTail = 32

// boundTail has the profile kept also when nothing of the account is approved now: a tail of rejections would otherwise be folded again by
// each group, and grow.
func (g *group) boundTail(p *payer) {
	if p.Unsaved >= longestTail {
		g.markChanged(p)
	}
}

// markChanged has finish keep what the account has become.
func (g *group) markChanged(p *payer) {
	if !p.changed {
		p.changed, g.changed = true, append(g.changed, p)
	}
}

func askedByAll(decisions []*decision) []store.Asked {
	asked := make([]store.Asked, len(decisions))
	for i, d := range decisions {
		asked[i] = askedBy(d)
	}
	return asked
}

func askedBy(d *decision) store.Asked {
	return store.Asked{
		AccountKey: store.AccountKey{TenantID: d.actor.TenantID, AccountID: d.request.Attempt.AccountID}, MethodID: d.request.Attempt.PaymentMethodID,
	}
}

// add makes an account known to the group, with its profile as it is stored; unless that takes long and the group leaves such out.
func (g *group) add(stored *store.Payer) error {
	live, err := g.policy(stored.TenantID)
	if err != nil || g.leaveOut(stored, stored.Behind) {
		return err
	}
	p, _ := g.payersToUse.Get().(*payer)
	if p == nil {
		p = &payer{}
	}
	p.Payer, p.series, p.changed = stored, live.Series, false
	g.payers[stored.AccountKey] = p
	if err := p.profile.Decode(stored.Profile); err == nil && !p.profile.Lacks(p.series) {
		return nil
	}
	if long, err := g.isLong(stored); err != nil || g.leaveOut(stored, long) {
		delete(g.payers, stored.AccountKey)
		return err
	}
	p.profile = history.Profile{}
	if stored.Seq, err = g.foldAll(g.tx, live, stored.TenantID, stored.AccountID, &p.profile); err == nil {
		stored.Rebuilt()
		g.markChanged(p)
	}
	return err
}

// reload reads an account again after its restriction, grants or profile were changed by the group itself.
func (g *group) reload(d *decision) error {
	key := askedBy(d).AccountKey
	if p := g.payers[key]; p != nil {
		g.changed = slices.DeleteFunc(g.changed, func(other *payer) bool { return other == p })
		delete(g.payers, key)
	}
	return g.load([]store.Asked{askedBy(d)}, 0)
}

func (g *group) policy(tenantID string) (*livePolicy, error) {
	if known := g.policies[tenantID]; known != nil {
		return known, nil
	}
	live, err := g.livePolicy(g.tx, tenantID)
	g.policies[tenantID] = live
	return live, err
}

// decide sets the result of one decision. An error fails the group.
func (g *group) decide(d *decision) error {
	p := g.payers[askedBy(d).AccountKey]
	if p == nil {
		d.result.Err = withField(problem.Missing("account"), "account_id")
		return nil
	}
	method, found := p.Method(d.request.Attempt.PaymentMethodID)
	if !found {
		if d.result.Err = withField(problem.Missing("payment method"), "payment_method_id"); d.request.Attempt.PaymentMethodID == "" {
			d.result.Err = problem.Field("payment_method_id", "required", "payment_method_id is required: the account has no default payment method")
		}
		return nil
	}
	live, err := g.policy(d.actor.TenantID)
	if err != nil {
		return err
	}
	e := g.entry(d, live, method)
	if p.Restricted {
		return g.appendRestricted(d, e, p, method)
	}
	facts, decided := g.evaluate(p, live, e, method)
	g.hits = append(g.hits, countedDecision{d.actor.TenantID, live.Policy, decided})
	e.Facts = facts.AppendBinary(live.Policy, make([]byte, 0, usualFacts))
	if p.Grants {
		grant, fits, err := fittingGrant(g.tx, e.Attempt, d.actor.TenantID)
		if err != nil {
			return err
		}
		if fits {
			return g.apart(d, e, func() error { return g.approveGranted(d, e, grant) })
		}
	}
	switch decided.Outcome {
	case risk.Approved:
		e.Outcome = payment.Approved
		g.pending = append(g.pending, appending{e, p})
		p.profile.Fold(p.series, &history.Entry{Payment: facts.Payment, Outcome: history.Approved})
		g.markChanged(p)
		d.result.View.Payment = e.Payment
		return nil
	case risk.Rejected:
		e.Reasons = reasonsOf(decided)
		if decided.DecidedBy == risk.DecidedByBudget {
			return g.apart(d, e, func() error { return g.rejectUnchecked(d, e) })
		}
		return g.apart(d, e, func() error { return g.reject(d, e, method) })
	case risk.Review:
		e.Reasons = reasonsOf(decided)
		return g.apart(d, e, func() error { return g.hold(d, e) })
	default:
		// An outcome that nobody decided must never pass.
		return errNoOutcome
	}
}

// evaluate derives the facts of a payment and applies the policy to them, within the tenant's budget of time.
func (g *group) evaluate(p *payer, live *livePolicy, e *store.LogEntry, method payment.Method) (*risk.Facts, risk.Decision) {
	asked := historyPayment(e.ID, e.Attempt, method)
	facts := &g.facts
	g.follower.readIndex(e.TenantID, func(index *history.Index) {
		facts.Derive(live.Policy, risk.Sources{Set: live.Series, Profile: &p.profile, Index: index, Lists: live.Lists, DecidedAt: e.CreatedAt}, &asked)
	})
	if live.Budget.Limit <= 0 {
		return facts, risk.Decide(live.Policy, facts)
	}
	ends := g.Clock.Wall().Add(live.Budget.Limit)
	return facts, risk.DecideWithin(live.Policy, facts, func() bool { return g.Clock.Wall().After(ends) }, live.Budget.FailClosed)
}

// entry is the payment before its outcome.
func (g *group) entry(d *decision, live *livePolicy, method payment.Method) *store.LogEntry {
	now := g.tx.Now()
	e := &store.LogEntry{
		Payment: payment.Payment{
			ID: id.New(id.Payment, now), TenantID: d.actor.TenantID, Attempt: d.request.Attempt, Source: d.source, CreatedAt: now,
			PolicyID: live.Policy.ID, PolicyVersion: live.Policy.Version,
		},
		KeyHash: d.key, BodyHash: d.body,
	}
	if e.Attempt.OccurredAt.IsZero() {
		e.Attempt.OccurredAt = now
	}
	e.Attempt.PaymentMethodID = method.ID
	if d.key != nil {
		e.KeyUntil = g.Clock.Wall().Add(keepPaymentKeys)
	}
	return e
}

// appendRestricted rejects a payment of a restricted account. Nothing but the log changes, so the account need not be read again: somebody
// who goes on trying must not hold up everybody else.
func (g *group) appendRestricted(d *decision, e *store.LogEntry, p *payer, method payment.Method) error {
	rejected, err := g.nested(d, e, func() error { return g.rejectRestricted(d, e) })
	if err != nil {
		return err
	}
	if !rejected {
		return g.reload(d)
	}
	live, err := g.policy(e.TenantID)
	if err != nil {
		return err
	}
	logged := *e
	logged.MethodKind, logged.Fingerprint = method.Kind, method.Fingerprint
	entry := entryOf(live.Policy, &logged)
	p.profile.Fold(p.series, &entry)
	p.Seq = e.Seq
	p.Unsaved++
	g.boundTail(p)
	return nil
}

// apart does what changes more than the log. If it fails, the others of the group are not concerned.
func (g *group) apart(d *decision, e *store.LogEntry, do func() error) error {
	if _, err := g.nested(d, e, do); err != nil {
		return err
	}
	return g.reload(d)
}

// nested runs do in a part of the transaction of its own, after everything that was decided before, and reports whether it is stored. An
// error fails the group.
func (g *group) nested(d *decision, e *store.LogEntry, do func() error) (bool, error) {
	if err := g.flush(); err != nil {
		return false, err
	}
	g.parts++
	err := g.tx.Nested(func() error {
		if err := do(); err != nil {
			return err
		}
		var err error
		d.result.View.Payment = e.Payment
		if d.result.View.NextStep, err = g.nextStep(g.tx, e.Payment); err != nil {
			return err
		}
		return g.keepAnswerOf(d, e)
	})
	if err == nil {
		g.logged(e, g.payers[askedBy(d).AccountKey])
		return true, nil
	}
	if g.Store.Retryable(err) {
		return false, err
	}
	d.result = PaymentResult{Err: g.notStored(d.ctx, 1, err)}
	return false, nil
}

// keepAnswerOf keeps what is answered to a repetition, unless the log has all of it.
func (g *group) keepAnswerOf(d *decision, e *store.LogEntry) error {
	if d.key == nil || e.Outcome == payment.Approved {
		return nil
	}
	answer, err := d.request.Answer(d.result.View)
	if err != nil {
		return err
	}
	return g.keepAnswer(g.tx, d.actor.TenantID, d.request.Repeat, answer, keepPaymentKeys)
}

// flush appends what was approved to the log.
func (g *group) flush() error {
	entries := make([]*store.LogEntry, len(g.pending))
	for i, a := range g.pending {
		entries[i] = a.entry
	}
	if err := g.tx.AppendPayments(entries); err != nil {
		return err
	}
	for _, a := range g.pending {
		a.payer.Seq = a.entry.Seq
		a.payer.Unsaved++
		g.logged(a.entry, a.payer)
	}
	g.pending = nil
	return nil
}

// finish appends what is left and keeps what the accounts have become.
func (g *group) finish() error {
	if err := g.flush(); err != nil {
		return err
	}
	stored := make([]*store.Payer, len(g.changed))
	for i, p := range g.changed {
		p.Profile = p.profile.AppendBinary(make([]byte, 0, len(p.Profile)+usualGrowth))
		stored[i] = p.Payer
	}
	hits, handed, now := g.hits, g.handed, g.tx.Now()
	g.tx.AfterCommit(func() { g.ruleHits.count(hits, now); g.follower.hand(handed) })
	return g.tx.KeepPayers(stored)
}
