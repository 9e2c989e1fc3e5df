package service

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
)

const (
	// handedAtMost bounds the payments that wait to be folded in memory. What does not fit is read from the log.
	handedAtMost = 16_384
	// handedAhead is how far beyond the last folded number a payment may be that is taken from memory. Beyond that there is much to read
	// first, and the log has this one too, in its place.
	handedAhead = 2 * followBatch
	// gatherFor is how long the follower gathers what is handed over before it folds, so that decisions wait for it seldom.
	gatherFor = 5 * time.Millisecond
)

// handOver is payments that this node has decided, on their way to the follower past the database.
type handOver struct {
	mu      sync.Mutex
	open    bool // somebody folds what is put here
	waiting []*store.LogEntry
	spare   []*store.LogEntry // empty: its memory is used again
	wake    chan struct{}
}

// hand gives the follower payments that were committed, so that it need not read them. They are as PastLog would return them, and nobody
// changes them afterwards. It never waits: what there is no room for is left to be read.
func (f *follower) hand(entries []*store.LogEntry) {
	h := &f.handed
	h.mu.Lock()
	wake := h.wake
	if !h.open || len(entries) == 0 {
		wake = nil
	} else {
		h.waiting = append(h.waiting, entries[:min(len(entries), handedAtMost-len(h.waiting))]...)
	}
	h.mu.Unlock()
	select {
	case wake <- struct{}{}:
	default: // it is awake, or nobody is there
	}
}

// woken returns the channel that tells of payments which wait.
func (h *handOver) woken() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wake == nil {
		h.wake = make(chan struct{}, 1)
	}
	return h.wake
}

// take empties the hand-over, and opens it: whoever takes once goes on doing so.
func (h *handOver) take() []*store.LogEntry {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := h.waiting
	h.waiting, h.spare, h.open = h.spare, nil, true
	return taken
}

// giveBack clears what take returned, and keeps its memory.
func (h *handOver) giveBack(taken []*store.LogEntry) {
	clear(taken)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spare = taken[:0]
}

// unseen is the state of the log under which a payment is taken from memory: none that was looked at.
var unseen = store.Snapshot{Xmax: math.MaxInt64}

// foldHanded folds what this node has decided since the last time, without a look at the database.
func (s *Service) foldHanded() {
	f := &s.follower
	f.running.Lock()
	defer f.running.Unlock()
	if f.started {
		f.takeHanded(s.Clock.Wall(), s.Clock.Now())
	}
}

// takeHanded folds what was handed over. Its caller holds running.
func (f *follower) takeHanded(wall, now time.Time) {
	taken := f.handed.take()
	if len(taken) == 0 {
		return
	}
	slices.SortFunc(taken, func(a, b *store.LogEntry) int { return cmp.Compare(a.Seq, b.Seq) })
	fresh := make([]*store.LogEntry, 0, len(taken))
	for _, e := range taken {
		if e.Seq > f.payments.high+handedAhead {
			break
		}
		if f.payments.take(e.Seq, wall, unseen) {
			fresh = append(fresh, e)
		}
	}
	f.foldFresh(fresh, now)
	f.handed.giveBack(taken)
}

// foldFresh folds payments in parts, so that no decision waits for all of them.
func (f *follower) foldFresh(fresh []*store.LogEntry, now time.Time) {
	for part := range slices.Chunk(fresh, foldBatch) {
		f.fold(part)
		for _, e := range part {
			if f.caughtUp && e.Source != payment.FromHistory {
				f.lag.note(now.Sub(e.CreatedAt))
			}
		}
	}
}

// logged notes a payment that the group has put in the log, as the follower reads it from there: with how it was paid, and an instant as
// the databases keep it.
func (g *group) logged(e *store.LogEntry, p *payer) {
	if e.Seq == 0 || p == nil {
		return
	}
	method, _ := p.Method(e.Attempt.PaymentMethodID)
	e.MethodKind, e.Fingerprint = method.Kind, method.Fingerprint
	e.Attempt.OccurredAt = e.Attempt.OccurredAt.UTC().Truncate(time.Microsecond)
	g.handed = append(g.handed, e)
}
