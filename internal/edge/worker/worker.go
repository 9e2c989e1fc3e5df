// Package worker runs due jobs: mails, deadlines, commands to platforms, webhooks. Any number of workers and nodes may run; the
// store hands each job to one of them.
package worker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
)

// pollEvery is how long the worker waits for a wake-up before it looks anyway: for jobs that became due, or that another node added.
const pollEvery = 250 * time.Millisecond

// atOnce is how many jobs run at the same time, so that one slow mail server or platform does not hold up the rest.
const atOnce = 8

// Runner claims and runs jobs. RunJob never fails: it puts back what did not work.
type Runner interface {
	ClaimJobs(ctx context.Context, limit int) ([]store.Job, error)
	RunJob(ctx context.Context, job store.Job)
}

// Worker is one loop over the due jobs.
type Worker struct {
	runner Runner
	log    *slog.Logger
	wake   chan struct{}
}

// New returns a worker that has not started.
func New(runner Runner, log *slog.Logger) *Worker {
	return &Worker{runner: runner, log: log, wake: make(chan struct{}, 1)}
}

// Wake makes the worker look for due jobs now. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run claims and runs jobs until ctx ends, and returns when the jobs in hand have ended.
func (w *Worker) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, atOnce)
	for range atOnce {
		free <- struct{}{}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		w.runDue(ctx, free, &running)
		timer.Reset(pollEvery)
	}
}

// runDue starts as many due jobs as there are free slots.
func (w *Worker) runDue(ctx context.Context, free chan struct{}, running *sync.WaitGroup) {
	for slots := len(free); slots > 0 && ctx.Err() == nil; slots = len(free) {
		jobs, err := w.runner.ClaimJobs(ctx, slots)
		if err != nil {
			if ctx.Err() == nil {
				w.log.Error("due jobs could not be claimed; the database may be unreachable")
			}
			return
		}
		if len(jobs) == 0 {
			return
		}
		for _, job := range jobs {
			<-free
			running.Add(1)
			go func() {
				defer running.Done()
				w.runner.RunJob(ctx, job)
				free <- struct{}{}
				// A finished job may have made way for another one.
				w.Wake()
			}()
		}
	}
}
