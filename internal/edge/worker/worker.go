// Package worker runs due jobs: mails, deadlines, commands to platforms, webhooks. Any number of workers and nodes may run; the
// store hands each job to one of them.
package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/service"
)

// pollEvery is how long the worker waits for a wake-up before it looks anyway: for jobs that became due, or that another node added.
const pollEvery = 250 * time.Millisecond

// Runner claims and runs jobs. RunJob never fails: it puts back what did not work.
type Runner interface {
	ClaimLane(ctx context.Context, lane service.JobLane, limit int) ([]store.Job, error)
	RunJob(ctx context.Context, job store.Job)
}

// Worker is one loop over the due jobs of each lane.
type Worker struct {
	lanes []*lane
}

// lane is a loop of its own. Its jobs run side by side, so that one slow mail server or platform does not hold up the rest; when all of
// them hang, the other lanes go on.
type lane struct {
	service.JobLane
	runner Runner
	log    *slog.Logger
	wake   chan struct{}
}

// New returns a worker that has not started, with the lanes of service.JobLanes.
func New(runner Runner, log *slog.Logger) *Worker {
	w := &Worker{}
	for _, l := range service.JobLanes() {
		w.lanes = append(w.lanes, &lane{JobLane: l, runner: runner, log: log, wake: make(chan struct{}, 1)})
	}
	return w
}

// Wake makes the worker look for due jobs now. It never blocks.
func (w *Worker) Wake() {
	for _, l := range w.lanes {
		l.wakeUp()
	}
}

func (l *lane) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run claims and runs jobs until ctx ends, and returns when the jobs in hand have ended.
func (w *Worker) Run(ctx context.Context) {
	var lanes sync.WaitGroup
	for _, l := range w.lanes {
		lanes.Go(func() { l.run(ctx) })
	}
	lanes.Wait()
}

func (l *lane) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, l.AtOnce)
	for range l.AtOnce {
		free <- struct{}{}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		l.runDue(ctx, free, &running)
		timer.Reset(pollEvery)
	}
}

// runDue starts as many due jobs as there are free slots.
func (l *lane) runDue(ctx context.Context, free chan struct{}, running *sync.WaitGroup) {
	for slots := len(free); slots > 0 && ctx.Err() == nil; slots = len(free) {
		jobs, err := l.runner.ClaimLane(ctx, l.JobLane, slots)
		if err != nil {
			if ctx.Err() == nil {
				l.log.Error("due jobs could not be claimed; the database may be unreachable")
			}
			return
		}
		if len(jobs) == 0 {
			return
		}
		for _, job := range jobs {
			<-free
			running.Go(func() {
				l.runner.RunJob(ctx, job)
				free <- struct{}{}
				// A finished job may have made way for another one.
				l.wakeUp()
			})
		}
	}
}
