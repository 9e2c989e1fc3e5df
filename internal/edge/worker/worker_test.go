package worker_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/edge/worker"
	"github.com/probity/probity/internal/service"
)

// queue is a runner whose jobs of some kinds do not end by themselves.
type queue struct {
	mu    sync.Mutex
	due   []store.Job
	hangs string        // this kind waits for release
	until chan struct{} // closed to release
	ran   []string      // the kinds that ended
}

func (q *queue) ClaimLane(_ context.Context, lane service.JobLane, limit int) ([]store.Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var claimed, left []store.Job
	for _, job := range q.due {
		if len(claimed) < limit && slices.Contains(lane.Kinds.Names, job.Kind) != lane.Kinds.Others {
			claimed = append(claimed, job)
			continue
		}
		left = append(left, job)
	}
	q.due = left
	return claimed, nil
}

func (q *queue) RunJob(_ context.Context, job store.Job) {
	if job.Kind == q.hangs {
		<-q.until
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ran = append(q.ran, job.Kind)
}

func (q *queue) count(kind string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, ran := range q.ran {
		if ran == kind {
			n++
		}
	}
	return n
}

func TestWhatHangsInOneLaneHoldsUpNoOther(t *testing.T) {
	for _, hangs := range []string{store.WebhookJob, service.JobSendCommand, service.JobSendNotice} {
		t.Run(hangs, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kinds := []string{store.WebhookJob, service.JobSendCommand, service.JobSendNotice}
				q := &queue{hangs: hangs, until: make(chan struct{})}
				const each = 100
				for range each {
					for _, kind := range kinds {
						q.due = append(q.due, store.Job{Kind: kind})
					}
				}
				ctx, stop := context.WithCancel(t.Context())
				w := worker.New(q, slog.New(slog.DiscardHandler))
				ended := make(chan struct{})
				go func() { defer close(ended); w.Run(ctx) }()
				synctest.Wait()
				for _, kind := range kinds {
					want := each
					if kind == hangs {
						want = 0
					}
					if got := q.count(kind); got != want {
						t.Errorf("jobs of kind %s while %s hangs: got %d, want %d", kind, hangs, got, want)
					}
				}
				close(q.until)
				synctest.Wait()
				if got, want := q.count(hangs), each; got != want {
					t.Errorf("jobs of kind %s once it goes on: got %d, want %d", hangs, got, want)
				}
				stop()
				<-ended
			})
		})
	}
}

func TestRunEndsWhenTheJobsInHandHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{hangs: "slow", until: make(chan struct{}), due: []store.Job{{Kind: "slow"}}}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			worker.New(q, slog.New(slog.DiscardHandler)).Run(ctx)
		}()
		synctest.Wait()
		stop()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("it ended with a job in hand")
		default:
		}
		close(q.until)
		<-ended
	})
}
