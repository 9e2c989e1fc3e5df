package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// Job is work to be done at or after an instant, at least once. It is enqueued in the transaction that makes it necessary.
type Job struct {
	ID            string // given by Enqueue when empty
	TenantID      string // empty for the installation's own work
	Kind          string
	Key           string    // unique among the tenant's pending jobs; empty for none
	DueAt         time.Time // business time
	Payload       map[string]string
	Attempts      int    // how often it was claimed, this time included
	ErrorCategory string // of the last attempt that failed
	CreatedAt     time.Time
	Lease         string // who holds it since Claim; proves it to CompleteJob and the others
}

const jobColumns = "id, tenant_id, kind, key, due_at, payload, attempts, error_category, created_at, lease"

func scanJob(r row) (Job, error) {
	var j Job
	err := r.Scan(&j.ID, &j.TenantID, &j.Kind, &j.Key, instant{&j.DueAt}, fromJSON{&j.Payload}, &j.Attempts, &j.ErrorCategory,
		instant{&j.CreatedAt}, &j.Lease)
	return j, err
}

// Enqueue adds a job. When a pending one of the tenant has its key already, that one stands and nothing is added.
func (tx *Tx) Enqueue(job Job) error {
	if job.DueAt.IsZero() {
		return errors.New("store: a job without a due time; EnqueueNow means at once")
	}
	if job.ID == "" {
		job.ID = id.New(id.Job, tx.now)
	}
	count, err := tx.exec("INSERT INTO jobs ("+jobColumns+", state, leased_until) VALUES ("+placeholders(1, 7)+`, '', $8, '', 'pending', 0)
		ON CONFLICT DO NOTHING`,
		job.ID, job.TenantID, job.Kind, job.Key, micros(job.DueAt), asJSON{job.Payload}, 0, micros(tx.now))
	if count > 0 {
		tx.enqueued = true
	}
	return err
}

// EnqueueNow adds a job that is due at once.
func (tx *Tx) EnqueueNow(job Job) error {
	job.DueAt = tx.now
	return tx.Enqueue(job)
}

// CancelJob removes the pending job with the key, if there is one. Somebody who works on it at this moment finds its lease lost.
func (tx *Tx) CancelJob(tenantID, key string) error {
	_, err := tx.exec("DELETE FROM jobs WHERE tenant_id = $1 AND key = $2 AND key <> '' AND state = 'pending'", tenantID, key)
	return err
}

// held runs a statement on a job that is claimed, and answers with a conflict when the lease is no longer the caller's.
func (tx *Tx) held(query string, args ...any) error {
	count, err := tx.exec(query, args...)
	if err == nil && count == 0 {
		return problem.New(problem.Conflict, "job_lease_lost", "another worker has this job now, or it was canceled; leave it alone")
	}
	return err
}

// CompleteJob removes a claimed job in the transaction of its effect, so that the effect happens exactly once.
func (tx *Tx) CompleteJob(job Job) error {
	return tx.held("DELETE FROM jobs WHERE id = $1 AND lease = $2 AND lease <> '' AND state = 'pending'", job.ID, job.Lease)
}

// RetryJob gives a claimed job back, due again at an instant of business time.
func (tx *Tx) RetryJob(job Job, at time.Time, category string) error {
	return tx.held(`UPDATE jobs SET due_at = $1, error_category = $2, lease = '', leased_until = 0
		WHERE id = $3 AND lease = $4 AND lease <> '' AND state = 'pending'`, micros(at), category, job.ID, job.Lease)
}

// KindFilter chooses jobs by their kind. The zero value chooses none; Others turns it around.
type KindFilter struct {
	Names  []string
	Others bool // every kind but the named ones
}

// Claim takes up to limit due jobs, earliest first, for the duration of a lease in wall time. Until then nobody else gets them.
func (s *Store) Claim(ctx context.Context, limit int, lease time.Duration) ([]Job, error) {
	return s.ClaimKinds(ctx, KindFilter{Others: true}, limit, lease)
}

// ClaimKinds is Claim for some kinds of job only.
func (s *Store) ClaimKinds(ctx context.Context, kinds KindFilter, limit int, lease time.Duration) ([]Job, error) {
	if len(kinds.Names) == 0 && !kinds.Others {
		return nil, nil
	}
	var claimed []Job
	err := s.Write(ctx, func(_ context.Context, tx *Tx) error {
		wall := stored(s.config.Wall())
		args := []any{micros(tx.now), micros(wall), limit, id.New(id.Job, wall), micros(wall.Add(lease))}
		chosen := ""
		if len(kinds.Names) > 0 {
			chosen = " AND kind IN (" + placeholders(len(args)+1, len(kinds.Names)) + ")"
			if kinds.Others {
				chosen = " AND kind NOT IN (" + placeholders(len(args)+1, len(kinds.Names)) + ")"
			}
			for _, name := range kinds.Names {
				args = append(args, name)
			}
		}
		// Materialized, because PostgreSQL could otherwise run the inner query, and take rows, more than once.
		query := `WITH due AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'pending' AND due_at <= $1 AND leased_until <= $2` + chosen + `
				ORDER BY due_at, id LIMIT $3` + s.dialect.skipLocked() + `)
			UPDATE jobs SET lease = $4, leased_until = $5, attempts = attempts + 1 WHERE id IN (SELECT id FROM due)
			RETURNING ` + jobColumns
		jobs, err := all(tx, scanJob, query, args...)
		claimed = jobs
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(claimed, func(a, b Job) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	return claimed, nil
}

// Complete removes a claimed job.
func (s *Store) Complete(ctx context.Context, job Job) error {
	return s.Write(ctx, func(_ context.Context, tx *Tx) error { return tx.CompleteJob(job) })
}

// Retry gives a claimed job back, due again at an instant of business time. The category names the failure without any value.
func (s *Store) Retry(ctx context.Context, job Job, at time.Time, category string) error {
	return s.Write(ctx, func(_ context.Context, tx *Tx) error { return tx.RetryJob(job, at, category) })
}

// Bury keeps a claimed job that will not be tried again, for people to look at.
func (s *Store) Bury(ctx context.Context, job Job, category string) error {
	return s.Write(ctx, func(_ context.Context, tx *Tx) error { return tx.BuryJob(job, category) })
}

// NextDue returns when the next job that nobody holds is due, in business time, and whether there is one. A lease that ends is not
// announced: look again after the length of one at the latest.
func (s *Store) NextDue(ctx context.Context) (time.Time, bool, error) {
	var due time.Time
	var found bool
	err := s.Read(ctx, func(_ context.Context, tx *Tx) (err error) {
		due, found, err = maybe(tx, func(r row) (at time.Time, err error) {
			err = r.Scan(instant{&at})
			return at, err
		}, "SELECT due_at FROM jobs WHERE state = 'pending' AND leased_until <= $1 ORDER BY due_at, id LIMIT 1", micros(stored(s.config.Wall())))
		return err
	})
	return due, found, err
}

// ReleaseLeases gives back every claimed job, when the only process that could hold one has just started: on SQLite. On PostgreSQL
// other nodes hold theirs, and it does nothing.
func (s *Store) ReleaseLeases(ctx context.Context) error {
	if s.dialect != onSQLite {
		return nil
	}
	return s.Write(ctx, func(_ context.Context, tx *Tx) error {
		_, err := tx.exec("UPDATE jobs SET lease = '', leased_until = 0 WHERE leased_until > 0")
		return err
	})
}

// CountJobs returns how many jobs wait or are worked on, and how many were given up.
func (s *Store) CountJobs(ctx context.Context) (pending, dead int, err error) {
	err = s.Read(ctx, func(_ context.Context, tx *Tx) (err error) {
		const count = "SELECT COUNT(*) FROM jobs WHERE state = $1"
		if pending, err = one(tx, "job", scanCount, count, "pending"); err != nil {
			return err
		}
		dead, err = one(tx, "job", scanCount, count, "dead")
		return err
	})
	return pending, dead, err
}

// DeadJobs returns the latest MaxLimit jobs that were given up.
func (s *Store) DeadJobs(ctx context.Context) ([]Job, error) {
	var jobs []Job
	err := s.Read(ctx, func(_ context.Context, tx *Tx) (err error) {
		jobs, err = all(tx, scanJob, "SELECT "+jobColumns+" FROM jobs WHERE state = 'dead' ORDER BY due_at DESC, id DESC LIMIT $1", MaxLimit)
		return err
	})
	return jobs, err
}
