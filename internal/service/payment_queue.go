package service

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/standard/problem"
)

// The bounds of the queue of payments that wait for their decision.
const (
	slowGroup     = 50 * time.Millisecond // after which another transaction begins beside one, however few wait
	worthAGroup   = 16                    // decisions that begin a transaction beside another one; fewer wait for its end, because one of few costs as much as one of many
	groupSize     = 512                   // decisions that one transaction holds at most
	unitSize      = 256                   // decisions of one batch that are queued together
	waitingAtMost = 2048                  // single payments; beyond, one is refused
	batchesAtMost = 2048                  // payments of batches; beyond, a batch waits. Room of their own, so that they never keep single ones out
	// groupsDistributed is groupsPostgres where each holds one shard: they are smaller, and on several machines.
	groupsDistributed = 8
	groupsPostgres    = 2 // transactions at a time; SQLite has one that writes
	// partsAtMost is how many decisions of one transaction may be made in parts of it that can fail by themselves; the rest of its group is
	// decided in the next. PostgreSQL remembers 64 parts of a transaction in memory, and beyond that slows every reader down.
	partsAtMost  = 60
	groupTimeout = 20 * time.Second
)

// paymentQueue gathers payments that are asked about at the same time, and has each group decided and stored in one transaction. Nobody
// waits for a group to fill: whenever a transaction can begin, it takes what is there.
type paymentQueue struct {
	decide func(ctx context.Context, decisions []*decision) // sets every result
	late   func(ctx context.Context, decisions []*decision) // decides what was left out because it takes long; sets every result
	room   *semaphore.Weighted                              // of single payments
	batch  *semaphore.Weighted                              // of batches
	atOnce int
	shard  func(*decision) int // where the database is distributed: a group holds the payments of one shard

	mu      sync.Mutex
	waiting []*unit
	queued  int // decisions that wait
	running int
}

// unit is decisions that are queued, and told of, together and in their order.
type unit struct {
	decisions []*decision
	room      *semaphore.Weighted // what they take room of
	shard     int                 // of all of them, where groups hold one
	done      chan struct{}       // closed when every decision has its result
}

func newPaymentQueue(atOnce int, decide func(context.Context, []*decision)) *paymentQueue {
	return &paymentQueue{decide: decide, room: semaphore.NewWeighted(waitingAtMost), batch: semaphore.NewWeighted(batchesAtMost), atOnce: atOnce}
}

// decideOne has one payment decided, or refuses it when too many wait.
func (q *paymentQueue) decideOne(ctx context.Context, d *decision) error {
	if !q.room.TryAcquire(1) {
		return problem.New(problem.TooMany, "too_many_payments_waiting", "more payments wait for their decision than can be made in time; try again in a moment")
	}
	return q.wait(ctx, q.room, []*decision{d})
}

// decideAll has payments decided in their order, and waits for room first.
func (q *paymentQueue) decideAll(ctx context.Context, decisions []*decision) error {
	if len(decisions) == 0 {
		return nil
	}
	if err := q.batch.Acquire(ctx, int64(len(decisions))); err != nil {
		return err
	}
	if q.shard == nil {
		return q.wait(ctx, q.batch, decisions)
	}
	parts := map[int][]*decision{}
	for _, d := range decisions {
		parts[q.shard(d)] = append(parts[q.shard(d)], d)
	}
	var all errgroup.Group
	for _, part := range parts {
		all.Go(func() error { return q.wait(ctx, q.batch, part) })
	}
	return all.Wait()
}

// wait queues the decisions and returns when they have their results, or when ctx ends: then they may be made all the same.
func (q *paymentQueue) wait(ctx context.Context, room *semaphore.Weighted, decisions []*decision) error {
	u := &unit{decisions: decisions, room: room, done: make(chan struct{})}
	if q.shard != nil {
		u.shard = q.shard(decisions[0])
	}
	q.mu.Lock()
	q.waiting = append(q.waiting, u)
	q.queued += len(u.decisions)
	begin := q.running == 0 || q.running < q.atOnce && q.queued >= worthAGroup
	if begin {
		q.running++
	}
	q.mu.Unlock()
	if begin {
		go q.run(context.WithoutCancel(ctx))
	}
	select {
	case <-u.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run has groups decided until nothing waits.
func (q *paymentQueue) run(ctx context.Context) {
	for {
		units, decisions := q.take()
		if len(units) == 0 {
			return
		}
		slow := time.AfterFunc(slowGroup, func() { q.beginAnother(ctx) })
		q.decide(ctx, decisions)
		slow.Stop()
		for _, u := range units {
			if late := lateOf(u.decisions); len(late) > 0 {
				go func() {
					q.late(ctx, late)
					u.end()
				}()
				continue
			}
			u.end()
		}
	}
}

// beginAnother has what waits decided beside a group that takes long: it may be waiting for an account that somebody else holds.
func (q *paymentQueue) beginAnother(ctx context.Context) {
	q.mu.Lock()
	begin := q.running < q.atOnce && len(q.waiting) > 0
	if begin {
		q.running++
	}
	q.mu.Unlock()
	if begin {
		q.run(ctx)
	}
}

// end tells who waits for the unit.
func (u *unit) end() {
	close(u.done)
	u.room.Release(int64(len(u.decisions)))
}

func lateOf(decisions []*decision) []*decision {
	var late []*decision
	for _, d := range decisions {
		if d.late {
			late = append(late, d)
		}
	}
	return late
}

// take removes the next group from the queue. When there is none, whoever asks has ended.
func (q *paymentQueue) take() (units []*unit, decisions []*decision) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := q.waiting[:0]
	for i, u := range q.waiting {
		if len(units) > 0 && u.shard != units[0].shard {
			rest = append(rest, u) // for a group of its own
			continue
		}
		if len(decisions)+len(u.decisions) > groupSize {
			rest = append(rest, q.waiting[i:]...)
			break
		}
		units, decisions = append(units, u), append(decisions, u.decisions...)
		q.queued -= len(u.decisions)
	}
	clear(q.waiting[len(rest):])
	q.waiting = rest
	if len(units) == 0 {
		q.running--
	}
	return units, decisions
}

// storeGroup decides a group in one transaction, or a few when much of it is not approved. If one fails before its last step, each decision gets a transaction of its own, so
// that none fails for another.
func (s *Service) storeGroup(ctx context.Context, decisions []*decision) {
	defer func() {
		if cause := recover(); cause != nil {
			s.Log.ErrorContext(ctx, "deciding payments panicked", "payments", len(decisions), "stack", string(debug.Stack()))
			fail(decisions, errGroupPanicked)
		}
	}()
	if s.Store.Dialect() == "postgres" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, groupTimeout)
		defer cancel()
	}
	live := decisions[:0:0]
	for _, d := range decisions {
		d.late = false
		if d.result.Err = d.ctx.Err(); d.result.Err == nil {
			live = append(live, d)
		}
	}
	if len(live) == 0 {
		return
	}
	err := s.decideTogether(ctx, live)
	for err == nil {
		if live = slices.DeleteFunc(live, func(d *decision) bool { return !d.open }); len(live) == 0 {
			return
		}
		err = s.decideTogether(ctx, live)
	}
	if len(live) == 1 || errors.Is(err, store.ErrCommit) || errors.Is(err, store.ErrBegin) {
		fail(live, s.notStored(ctx, len(live), err))
		return
	}
	for i, d := range live {
		if gone := d.ctx.Err(); gone != nil {
			fail(live[i:i+1], gone)
			continue
		}
		if err := s.decideTogether(ctx, live[i:i+1]); err != nil {
			fail(live[i:i+1], s.notStored(ctx, 1, err))
			if errors.Is(err, store.ErrBegin) { // as would each of the others, after as long
				fail(live[i+1:], s.notStored(ctx, len(live)-i-1, err))
				return
			}
		}
	}
}

// errGroupPanicked stands for a panic in a transaction, which was undone.
var errGroupPanicked = errors.New("deciding payments panicked")

// decideTogether decides payments in one transaction. A panic undoes it, as an error does.
func (s *Service) decideTogether(ctx context.Context, decisions []*decision) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				s.Log.ErrorContext(ctx, "deciding payments panicked", "payments", len(decisions), "stack", string(debug.Stack()))
				err = errGroupPanicked
			}
		}()
		return s.decideGroup(tx, decisions)
	})
}

func fail(decisions []*decision, err error) {
	for _, d := range decisions {
		d.result = PaymentResult{Err: err}
	}
}

// notStored is what is told when a decision could not be stored, or it is not known whether it was.
func (s *Service) notStored(ctx context.Context, payments int, err error) error {
	if problem.As(err) != nil {
		return err
	}
	s.Log.LogAttrs(ctx, slog.LevelError, "payments could not be stored", slog.Int("payments", payments), slog.String("sort", problem.Sort(err)))
	return problem.New(problem.Unavailable, "payment_not_stored",
		"the decision could not be stored; repeat the request with its idempotency key, which finds the decision if it was made after all")
}
