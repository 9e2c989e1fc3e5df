package service

import (
	"context"
	"log/slog"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/enforcer"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
)

// missDeadline runs when a submission was due. It looks again at everything the deadline was computed from, under the account's
// lock, and does nothing when the holder was in time: a deadline fires once in effect, however often its job runs.
func (s *Service) missDeadline(ctx context.Context, job store.Job) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		actor := access.SystemActor(job.TenantID, "deadlines")
		v, err := s.lockVerificationOfSystem(tx, job)
		if err != nil {
			return err
		}
		if err := tx.CompleteJob(job); err != nil {
			return err
		}
		if !v.Status.AwaitsHolder() || strconv.Itoa(v.Round) != job.Payload["round"] || v.DueAt.IsZero() {
			return nil
		}
		if !tx.Now().After(v.DueAt) {
			// The due date moved later since the job was queued.
			return tx.Enqueue(store.Job{
				TenantID: v.TenantID, Kind: JobSubmissionDue, DueAt: justAfter(v.DueAt), Key: submissionDueKey(v), Payload: job.Payload,
			})
		}
		e, err := tx.Enforcement(v.TenantID, v.AccountID)
		if err != nil {
			return err
		}
		suspended, command, drafts, changed := e.Suspend(id.New(id.Command, tx.Now()), tx.Now())
		missed := journal.Of(journal.DeadlineMissed, v.ID, v.AccountID, "due_at", v.DueAt.Format(time.RFC3339), "round", strconv.Itoa(v.Round))
		if !changed {
			return tx.Append(actor, missed)
		}
		if err := tx.SaveEnforcement(actor, suspended, append([]journal.Draft{missed}, drafts...)); err != nil {
			return err
		}
		if err := s.command(tx, command); err != nil {
			return err
		}
		return s.notify(tx, v, notice.ResourcesSuspended)
	})
}

func (s *Service) lockVerificationOfSystem(tx *store.Tx, job store.Job) (verification.Verification, error) {
	v, err := tx.Verification(job.TenantID, job.Payload["verification_id"])
	if err != nil {
		return v, err
	}
	if err := tx.LockAccount(v.TenantID, v.AccountID); err != nil {
		return v, err
	}
	return tx.Verification(v.TenantID, v.ID)
}

// resume follows an approval or a cancellation.
func (s *Service) resume(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	e, err := tx.Enforcement(v.TenantID, v.AccountID)
	if err != nil {
		return err
	}
	resumed, command, drafts, changed := e.Resume(id.New(id.Command, tx.Now()), tx.Now())
	if !changed {
		return nil
	}
	if err := tx.SaveEnforcement(actor, resumed, drafts); err != nil {
		return err
	}
	return s.command(tx, command)
}

// command writes the intent down and queues its delivery, before anything outside happens.
func (s *Service) command(tx *store.Tx, c enforcement.Command) error {
	if err := tx.InsertCommand(c); err != nil {
		return err
	}
	return tx.EnqueueNow(store.Job{
		TenantID: c.TenantID, Kind: JobSendCommand, Payload: map[string]string{"command_id": c.ID}, Key: "command:" + c.ID,
	})
}

// sendCommand delivers a command to the tenant's platform and records its answer. Without an acknowledgement it is tried again, for
// as long as it takes; the sequence number lets the platform refuse what came too late.
func (s *Service) sendCommand(ctx context.Context, job store.Job) error {
	var outgoing enforcer.Command
	var target enforcer.Target
	connected, pending, superseded := false, false, false
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		c, err := tx.Command(job.TenantID, job.Payload["command_id"])
		if err != nil {
			return err
		}
		t, err := tx.Tenant(c.TenantID)
		if err != nil {
			return err
		}
		a, err := tx.Account(c.TenantID, c.AccountID)
		if err != nil {
			return err
		}
		latest, _, err := tx.LatestCommand(c.TenantID, c.AccountID)
		if err != nil {
			return err
		}
		connected, pending, superseded = t.ConnectorURL != "", c.State == enforcement.Pending, latest.Sequence > c.Sequence
		outgoing = enforcer.Command{
			ID: c.ID, Action: actionOf(c.Kind), DecidedAt: c.CreatedAt, AccountID: c.AccountID, ExternalID: a.Profile.ExternalID,
			Sequence: c.Sequence, VerificationID: c.VerificationID, Reason: reasonOf(c.Kind),
		}
		if !connected || !pending || superseded {
			return nil
		}
		secret, err := s.signingSecret(t.ID, sealedForConnector, t.ConnectorKey)
		target = enforcer.Target{URL: t.ConnectorURL, Secrets: []webhook.Secret{secret}}
		return err
	})
	if err != nil {
		return err
	}
	if !pending {
		return s.finish(ctx, job)
	}
	if superseded {
		// The opposite was decided since. The platform would refuse this one for its number; it is better not sent at all.
		return s.settleCommand(ctx, job, enforcer.Result{Outcome: enforcer.Superseded})
	}
	if !connected {
		return errNoConnector
	}
	result, err := s.Connector.Send(ctx, target, outgoing, s.Clock.Wall())
	if err != nil {
		return err
	}
	if result.Outcome == enforcer.NotAcknowledged {
		level := slog.LevelWarn
		if job.Attempts >= enforcer.TellStaffAfter {
			level = slog.LevelError // somebody has to look at the platform
		}
		s.Log.Log(ctx, level, "the platform did not acknowledge a command; it will be sent again",
			"command", outgoing.ID, "attempt", job.Attempts, "status", result.StatusCode, "cause", string(result.Cause))
		return s.Store.Retry(ctx, job, s.Clock.Now().Add(result.NextRetry(job.Attempts, mathrand.Float64())), "not_acknowledged")
	}
	return s.settleCommand(ctx, job, result)
}

func actionOf(kind enforcement.CommandKind) enforcer.Action {
	if kind == enforcement.Suspend {
		return enforcer.Suspend
	}
	return enforcer.Resume
}

// reasonOf is the code that a command carries: why the platform is told.
func reasonOf(kind enforcement.CommandKind) string {
	if kind == enforcement.Suspend {
		return "submission_overdue"
	}
	return "verification_ended"
}

func (s *Service) settleCommand(ctx context.Context, job store.Job, result enforcer.Result) error {
	state := enforcement.Acknowledged
	if result.Outcome == enforcer.Superseded {
		state = enforcement.Superseded
	}
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		c, err := tx.Command(job.TenantID, job.Payload["command_id"])
		if err != nil {
			return err
		}
		if err := tx.LockAccount(c.TenantID, c.AccountID); err != nil {
			return err
		}
		if err := tx.CompleteJob(job); err != nil {
			return err
		}
		c, drafts, changed := c.Settle(state, tx.Now())
		if !changed {
			return nil
		}
		if err := tx.SaveCommand(access.SystemActor(c.TenantID, "connector"), c, drafts); err != nil {
			return err
		}
		if state != enforcement.Acknowledged {
			return nil
		}
		return tx.NoteAcknowledged(c.TenantID, c.AccountID, c.Sequence, tx.Now())
	})
}

// markOverdue notes, once, that a case was not decided in time.
func (s *Service) markOverdue(ctx context.Context, job store.Job) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		c, err := tx.Case(job.TenantID, job.Payload["case_id"])
		if err != nil {
			return err
		}
		if err := tx.LockAccount(c.TenantID, c.AccountID); err != nil {
			return err
		}
		if c, err = tx.Case(c.TenantID, c.ID); err != nil {
			return err
		}
		if err := tx.CompleteJob(job); err != nil {
			return err
		}
		c, drafts, changed := c.MarkOverdue(tx.Now())
		if !changed {
			return nil
		}
		return tx.SaveCase(access.SystemActor(c.TenantID, "deadlines"), c, drafts)
	})
}
