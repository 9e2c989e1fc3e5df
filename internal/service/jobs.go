package service

import (
	"context"
	"errors"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/standard/problem"
)

// The kinds of job.
const (
	JobSendNotice       = "send_notice"
	JobSendSignInCode   = "send_sign_in_code"
	JobSubmissionDue    = "submission_due"
	JobCaseOverdue      = "case_overdue"
	JobSendCommand      = "send_command"
	JobDeleteAttachment = "delete_attachment"
	JobPublishPolicy    = "publish_policy"
)

// errNoConnector is why a command waits: its tenant has no connector. It is tried again, because one may be configured later.
var errNoConnector = errors.New("the tenant has no enforcement connector")

// errUnknownKind is the failure of a job that a newer version queued. It is kept for people to look at.
var errUnknownKind = errors.New("unknown kind of job")

// errPanicked is the failure of a job that ran into a mistake of ours.
var errPanicked = errors.New("the job panicked")

// jobLease is how long, in wall time, a claimed job belongs to its worker. After a crash another worker takes it up.
const jobLease = 2 * time.Minute

// jobTimeout bounds one run of a job; it is well inside the lease.
const jobTimeout = 45 * time.Second

// ClaimJobs takes up to limit due jobs for this process. Each has to be given to RunJob.
func (s *Service) ClaimJobs(ctx context.Context, limit int) ([]store.Job, error) {
	return s.Store.Claim(ctx, limit, jobLease)
}

// JobLane is a part of the queue with runners of its own, so that what hangs in one lane holds up nothing in another.
type JobLane struct {
	Kinds  store.KindFilter
	AtOnce int // how many jobs of the lane a process runs at the same time
}

// JobLanes returns the lanes, which share out all kinds of job. Webhooks and commands go to addresses of tenants, which may take long to
// answer, or not answer at all: neither may keep a sign-in code from its reader, or a resume command from a platform that answers.
func JobLanes() []JobLane {
	return []JobLane{
		{Kinds: store.KindFilter{Names: []string{store.WebhookJob}}, AtOnce: 8},
		{Kinds: store.KindFilter{Names: []string{JobSendCommand}}, AtOnce: 4},
		{Kinds: store.KindFilter{Names: []string{store.WebhookJob, JobSendCommand}, Others: true}, AtOnce: 8},
	}
}

// ClaimLane is ClaimJobs for one lane.
func (s *Service) ClaimLane(ctx context.Context, lane JobLane, limit int) ([]store.Job, error) {
	return s.Store.ClaimKinds(ctx, lane.Kinds, limit, jobLease)
}

// RunDueJobs runs due jobs one after another until none is left, and returns how many it ran.
func (s *Service) RunDueJobs(ctx context.Context) (int, error) {
	const batch = 16
	count := 0
	for {
		jobs, err := s.ClaimJobs(ctx, batch)
		if err != nil || len(jobs) == 0 {
			return count, err
		}
		for _, job := range jobs {
			s.RunJob(ctx, job)
		}
		count += len(jobs)
	}
}

// RunJob runs a claimed job. A job runs at least once; what it does is idempotent, and its effect and its end are one transaction. A
// failed one is put back with a growing wait.
func (s *Service) RunJob(ctx context.Context, job store.Job) {
	// A shutdown lets the job in hand end: its own time limit bounds it.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobTimeout)
	defer cancel()
	err := s.handleSafely(bounded, job)
	if err == nil {
		return
	}
	category := errorCategory(err)
	if category == "job_lease_lost" {
		// Another worker has it, or the reason for it is gone; our effect was rolled back.
		return
	}
	if errors.Is(err, errUnknownKind) {
		s.bury(ctx, job)
		return
	}
	s.Log.Warn("job failed, will be tried again", "job", job.ID, "kind", job.Kind, "attempt", job.Attempts, "category", category)
	again := s.Clock.Now().Add(backoff(job.Attempts))
	// With a time limit of its own: the job's may be what ended it.
	putBack, cancelPutBack := context.WithTimeout(context.WithoutCancel(ctx), jobTimeout)
	defer cancelPutBack()
	if retryError := s.Store.Retry(putBack, job, again, category); retryError != nil {
		s.Log.Error("job could not be put back; its lease will run out", "job", job.ID, "kind", job.Kind, "category", errorCategory(retryError))
	}
}

// handleSafely is handleJob, but a panic fails the one job and nothing else: otherwise the job would end each process that takes it up.
func (s *Service) handleSafely(ctx context.Context, job store.Job) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			// What was panicked with may quote anything, so only that it happened is told.
			err = errPanicked
		}
	}()
	return s.handleJob(ctx, job)
}

func (s *Service) handleJob(ctx context.Context, job store.Job) error {
	switch job.Kind {
	case JobSendNotice:
		return s.sendNotice(ctx, job)
	case JobSendSignInCode:
		return s.sendSignInCode(ctx, job)
	case JobSubmissionDue:
		return s.missDeadline(ctx, job)
	case JobCaseOverdue:
		return s.markOverdue(ctx, job)
	case JobSendCommand:
		return s.sendCommand(ctx, job)
	case JobDeleteAttachment:
		return s.deleteAttachment(ctx, job)
	case JobPublishPolicy:
		return s.publishDue(ctx, job)
	case store.WebhookJob:
		return s.sendWebhook(ctx, job)
	default:
		return errUnknownKind
	}
}

// bury keeps a job that this version can't run.
func (s *Service) bury(ctx context.Context, job store.Job) {
	s.Log.Error("a job of an unknown kind is kept and not run; was it queued by a newer version?", "job", job.ID, "kind", job.Kind)
	if err := s.Store.Bury(context.WithoutCancel(ctx), job, "unknown_kind"); err != nil {
		s.Log.Error("job could not be kept; its lease will run out", "job", job.ID, "kind", job.Kind, "category", errorCategory(err))
	}
}

// finish ends a job that has nothing left to do.
func (s *Service) finish(ctx context.Context, job store.Job) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error { return tx.CompleteJob(job) })
}

// backoff is how long a job waits after its nth failed attempt: 2 s, 4 s, 8 s … up to an hour.
func backoff(attempts int) time.Duration {
	if attempts > 11 {
		return time.Hour
	}
	return min(time.Duration(1<<max(attempts, 1))*time.Second, time.Hour)
}

// errorCategory names the sort of an error without its text, which may quote what must not be logged.
func errorCategory(err error) string {
	switch {
	case problem.As(err) != nil:
		return problem.As(err).Code
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errPanicked):
		return "panicked"
	case errors.Is(err, errNoConnector):
		return "no_connector"
	case errors.As(err, new(*mail.Error)):
		return "mail_refused"
	default:
		return "failed"
	}
}
