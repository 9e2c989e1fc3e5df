package service

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

// gated is a decider that holds every group until it is let go.
type gated struct {
	mu     sync.Mutex
	groups [][]*decision
	open   chan struct{}
}

func (g *gated) decide(_ context.Context, decisions []*decision) {
	g.mu.Lock()
	g.groups = append(g.groups, decisions)
	g.mu.Unlock()
	<-g.open
}

func TestPaymentsThatWaitTogetherAreOneGroupInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{open: make(chan struct{})}
		q := newPaymentQueue(1, g.decide)
		var all sync.WaitGroup
		var asked []*decision
		for range 600 {
			d := &decision{}
			asked = append(asked, d)
			all.Go(func() {
				if err := q.decideOne(t.Context(), d); err != nil {
					t.Errorf("got %v", err)
				}
			})
			synctest.Wait() // so that they queue in this order
		}
		close(g.open)
		all.Wait()
		if len(g.groups) != 3 || len(g.groups[0]) != 1 || len(g.groups[1]) != groupSize || len(g.groups[2]) != 600-1-groupSize {
			t.Fatalf("got %d groups, want the first alone, then all that waited, %d at most", len(g.groups), groupSize)
		}
		i := 0
		for _, group := range g.groups {
			for _, d := range group {
				if d != asked[i] {
					t.Fatalf("decision %d is out of its order", i)
				}
				i++
			}
		}
	})
}

func TestAnotherGroupBeginsForManyOrWhenOneTakesLong(t *testing.T) {
	for name, c := range map[string]struct {
		waiting int
		passed  time.Duration
		want    int // groups
	}{
		"few wait for the end of one":            {worthAGroup - 1, slowGroup - time.Millisecond, 1},
		"many begin another":                     {worthAGroup, 0, 2},
		"few begin another when one takes long":  {1, slowGroup + time.Millisecond, 2},
		"nobody begins another when nobody asks": {0, slowGroup + time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gated{open: make(chan struct{})}
				q := newPaymentQueue(2, g.decide)
				var all sync.WaitGroup
				for range 1 + c.waiting {
					all.Go(func() {
						if err := q.decideOne(t.Context(), &decision{}); err != nil {
							t.Errorf("got %v", err)
						}
					})
					synctest.Wait()
				}
				<-time.After(c.passed)
				synctest.Wait()
				g.mu.Lock()
				if got := len(g.groups); got != c.want {
					t.Errorf("got %d groups, want %d", got, c.want)
				}
				g.mu.Unlock()
				close(g.open)
				all.Wait()
			})
		})
	}
}

func TestTooManyWaitingAreRefusedBeforeTheyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{open: make(chan struct{})}
		q := newPaymentQueue(2, g.decide)
		var all sync.WaitGroup
		for range batchesAtMost / unitSize {
			all.Go(func() {
				if err := q.decideAll(t.Context(), undecided(unitSize)); err != nil {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		for range waitingAtMost { // however many batches wait
			all.Go(func() {
				if err := q.decideOne(t.Context(), &decision{}); err != nil {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		if err := q.decideOne(t.Context(), &decision{}); !problem.Is(err, problem.TooMany) {
			t.Errorf("got %v for one payment more, want it refused", err)
		}
		batch := make(chan error)
		go func() { batch <- q.decideAll(t.Context(), undecided(3)) }()
		gone, cancel := context.WithCancel(t.Context())
		given := make(chan error)
		go func() { given <- q.decideAll(gone, undecided(3)) }()
		synctest.Wait()
		cancel()
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v for a batch that gave up, want that it did", err)
		}
		close(g.open)
		if err := <-batch; err != nil {
			t.Errorf("got %v for a batch, want that it waited for room", err)
		}
		all.Wait()
		if err := q.decideOne(t.Context(), &decision{}); err != nil {
			t.Errorf("got %v once there is room again", err)
		}
		synctest.Wait()
		q.mu.Lock()
		defer q.mu.Unlock()
		if g.groups == nil || q.running != 0 || len(q.waiting) != 0 {
			t.Errorf("something is left: %d run, %d wait", q.running, len(q.waiting))
		}
	})
}

func TestWhoStopsWaitingLeavesTheQueueWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gated{open: make(chan struct{})}
		q := newPaymentQueue(1, g.decide)
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		for range 3 {
			go func() { gone <- q.decideOne(ctx, &decision{}) }()
		}
		synctest.Wait()
		cancel()
		for range 3 {
			if err := <-gone; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want that it gave up", err)
			}
		}
		close(g.open)
		if err := q.decideOne(t.Context(), &decision{}); err != nil {
			t.Errorf("got %v for the next", err)
		}
		synctest.Wait()
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.running != 0 || !q.room.TryAcquire(waitingAtMost) {
			t.Error("who gave up still takes room")
		}
	})
}

func TestWhoWaitsForALongHistoryHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folded := make(chan struct{})
		long := &decision{}
		q := newPaymentQueue(1, func(_ context.Context, decisions []*decision) {
			for _, d := range decisions {
				d.late = d == long
			}
		})
		q.late = func(_ context.Context, decisions []*decision) {
			if len(decisions) != 1 || decisions[0] != long {
				t.Errorf("got %d decisions", len(decisions))
			}
			<-folded
		}
		answered := false
		go func() {
			if err := q.decideAll(t.Context(), []*decision{{}, long}); err != nil {
				t.Errorf("got %v", err)
			}
			answered = true
		}()
		synctest.Wait()
		if err := q.decideOne(t.Context(), &decision{}); err != nil || answered {
			t.Errorf("got %v, and the other answered %v", err, answered)
		}
		close(folded)
		synctest.Wait()
		if !answered || !q.batch.TryAcquire(batchesAtMost) {
			t.Errorf("got answered %v, want it so and its room given back", answered)
		}
	})
}

func undecided(count int) []*decision {
	decisions := make([]*decision, count)
	for i := range decisions {
		decisions[i] = &decision{}
	}
	return decisions
}
