package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// claim takes due jobs, at most limit, for an hour.
func (w *world) claim(limit int) []store.Job {
	w.Helper()
	jobs, err := w.store.Claim(w.Context(), limit, time.Hour)
	if err != nil {
		w.Fatalf("claim: %v", err)
	}
	return jobs
}

// enqueue adds a job that is due now.
func (w *world) enqueue(job store.Job) {
	w.Helper()
	w.write(func(tx *store.Tx) error { return tx.EnqueueNow(job) })
}

func claimOnce(w *world) {
	const count, workers = 60, 6
	w.write(func(tx *store.Tx) error {
		for i := range count {
			if err := tx.EnqueueNow(store.Job{TenantID: "ten_1", Kind: "mail", Payload: map[string]string{"n": fmt.Sprint(i)}}); err != nil {
				return err
			}
		}
		return nil
	})
	round := func() map[string]store.Job {
		var mu sync.Mutex
		var all sync.WaitGroup
		claimed := map[string]store.Job{}
		for range workers {
			all.Go(func() {
				for {
					jobs, err := w.store.Claim(w.Context(), 4, time.Minute)
					if err != nil {
						w.Errorf("claim: %v", err)
						return
					}
					if len(jobs) == 0 {
						return
					}
					if len(jobs) > 4 {
						w.Errorf("claimed %d jobs, want at most 4", len(jobs))
					}
					mu.Lock()
					for _, job := range jobs {
						if _, twice := claimed[job.ID]; twice {
							w.Errorf("job %s was claimed twice", job.Payload["n"])
						}
						claimed[job.ID] = job
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		return claimed
	}
	first := round()
	w.same("jobs claimed", len(first), count)
	w.same("jobs claimed while leased", len(round()), 0)
	_, found, err := w.store.NextDue(w.Context())
	w.same("whether a job is to be had", []any{found, err}, []any{false, nil})
	w.advance(time.Minute)
	second := round()
	w.same("jobs claimed after their lease", len(second), count)
	for id, job := range first {
		w.wantCode("completing on a lost lease", w.store.Complete(w.Context(), job), problem.Conflict, "job_lease_lost")
		w.same("attempts", []int{job.Attempts, second[id].Attempts}, []int{1, 2})
		if err := w.store.Complete(w.Context(), second[id]); err != nil {
			w.Errorf("complete: %v", err)
		}
	}
	pending, dead := w.countJobs()
	w.same("jobs left", [2]int{pending, dead}, [2]int{})
}

func jobsDue(w *world) {
	w.write(func(tx *store.Tx) error {
		for i, minutes := range []int{30, 10, 20, 300} {
			job := store.Job{TenantID: "ten_1", Kind: "deadline", DueAt: at(minutes), Payload: map[string]string{"n": fmt.Sprint(i)}}
			if err := tx.Enqueue(job); err != nil {
				return err
			}
		}
		return nil
	})
	due, found, err := w.store.NextDue(w.Context())
	w.same("when the next is due", []any{due, found, err}, []any{at(10), true, nil})
	w.same("jobs due at the start", len(w.claim(10)), 0)
	w.advance(time.Hour)
	var order []string
	for _, job := range append(w.claim(2), w.claim(10)...) {
		order = append(order, job.Payload["n"])
	}
	w.same("jobs due an hour later, in order", order, []string{"1", "2", "0"})
	if err := w.try(func(tx *store.Tx) error { return tx.Enqueue(store.Job{Kind: "x"}) }); err == nil {
		w.Error("a job without a due time was stored")
	}
	if err := w.try(func(tx *store.Tx) error { return tx.EnqueueNow(store.Job{}) }); err == nil {
		w.Error("a job without a kind was stored")
	}
}

func completeJob(w *world) {
	tenant := w.tenant()
	w.enqueue(store.Job{TenantID: tenant.ID, Kind: "effect"})
	job := w.claim(1)[0]
	effect := func(tx *store.Tx) error {
		if err := tx.Append(of(tenant.ID), journal.Of(journal.DeadlineMissed, "ver_1", "")); err != nil {
			return err
		}
		return tx.CompleteJob(job)
	}
	_ = w.try(func(tx *store.Tx) error {
		if err := effect(tx); err != nil {
			return err
		}
		return errOnPurpose
	})
	pending, _ := w.countJobs()
	w.same("jobs after a rollback", pending, 1)
	w.write(effect)
	w.wantCode("the effect a second time", w.try(effect), problem.Conflict, "job_lease_lost")
	w.same("entries", w.journalLength(tenant.ID), int64(2))
	unclaimed := store.Job{ID: w.name("job"), TenantID: tenant.ID, Kind: "x"}
	w.enqueue(unclaimed)
	w.wantCode("completing a job that nobody claimed", w.store.Complete(w.Context(), unclaimed), problem.Conflict, "job_lease_lost")
}

func retryAndBury(w *world) {
	w.enqueue(store.Job{TenantID: "ten_1", Kind: "mail", Key: "k"})
	job := w.claim(1)[0]
	later := w.tick().Add(10 * time.Minute)
	if err := w.store.Retry(w.Context(), job, later, "mail_refused"); err != nil {
		w.Fatal(err)
	}
	w.wantCode("a second retry", w.store.Retry(w.Context(), job, later, "x"), problem.Conflict, "job_lease_lost")
	w.same("jobs due before the retry", len(w.claim(1)), 0)
	w.advance(time.Hour)
	job = w.claim(1)[0]
	w.same("the job at its retry", []any{job.Attempts, job.ErrorCategory, job.DueAt}, []any{2, "mail_refused", later})
	if err := w.store.Bury(w.Context(), job, "mail_gone"); err != nil {
		w.Fatal(err)
	}
	w.wantCode("completing a buried job", w.store.Complete(w.Context(), job), problem.Conflict, "job_lease_lost")
	w.advance(2 * time.Hour)
	w.same("jobs due after it was buried", len(w.claim(1)), 0)
	pending, dead := w.countJobs()
	w.same("jobs", [2]int{pending, dead}, [2]int{0, 1})
	buried, err := w.store.DeadJobs(w.Context())
	if err != nil || len(buried) != 1 || buried[0].ID != job.ID || buried[0].ErrorCategory != "mail_gone" {
		w.Errorf("dead jobs: got %+v, %v", buried, err)
	}
	w.enqueue(store.Job{TenantID: "ten_1", Kind: "mail", Key: "k"})
	pending, _ = w.countJobs()
	w.same("jobs with the key of a dead one", pending, 1)
	leased := w.claim(1)[0]
	if err := w.store.ReleaseLeases(w.Context()); err != nil {
		w.Fatal(err)
	}
	again := w.claim(1)
	if w.store.Dialect() == "sqlite" {
		w.same("the job after its process began anew", []any{len(again), again[0].ID}, []any{1, leased.ID})
	} else {
		w.same("another node's job", len(again), 0)
	}
}

func jobKeys(w *world) {
	keyed := func(tenantID, n string) store.Job {
		return store.Job{TenantID: tenantID, Kind: "deadline", Key: "deadline:ver_1", Payload: map[string]string{"n": n}}
	}
	w.enqueue(keyed("ten_1", "first"))
	w.enqueue(keyed("ten_1", "second"))
	w.enqueue(keyed("ten_2", "other"))
	w.enqueue(store.Job{TenantID: "ten_1", Kind: "deadline"})
	w.enqueue(store.Job{TenantID: "ten_1", Kind: "deadline"})
	pending, _ := w.countJobs()
	w.same("jobs", pending, 4)
	var mine store.Job
	for _, job := range w.claim(10) {
		if job.Payload["n"] == "second" {
			w.Error("the second job with the key was kept")
		}
		if job.Payload["n"] == "first" {
			mine = job
		}
	}
	w.write(func(tx *store.Tx) error { return tx.CancelJob("ten_1", "deadline:ver_1") })
	w.wantCode("completing a canceled job", w.store.Complete(w.Context(), mine), problem.Conflict, "job_lease_lost")
	w.write(func(tx *store.Tx) error { return tx.CancelJob("ten_1", "") })
	pending, _ = w.countJobs()
	w.same("jobs after one was canceled", pending, 3)
}

// claimKinds: each lane takes its own kinds, and together they take all.
func claimKinds(w *world) {
	tenant := w.tenant()
	for _, kind := range []string{"mail", "webhook", "deadline", "command"} {
		w.enqueue(store.Job{TenantID: tenant.ID, Kind: kind})
	}
	take := func(kinds store.KindFilter) []string {
		w.Helper()
		jobs, err := w.store.ClaimKinds(w.Context(), kinds, 10, time.Hour)
		if err != nil {
			w.Fatalf("claim: %v", err)
		}
		var taken []string
		for _, job := range jobs {
			taken = append(taken, job.Kind)
		}
		return taken
	}
	w.same("no kind", take(store.KindFilter{}), []string(nil))
	w.same("one kind", take(store.KindFilter{Names: []string{"webhook"}}), []string{"webhook"})
	w.same("all others", take(store.KindFilter{Names: []string{"webhook", "command"}, Others: true}), []string{"mail", "deadline"})
	w.same("every kind", take(store.KindFilter{Others: true}), []string{"command"})
}
