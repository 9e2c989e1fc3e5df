package service

import (
	"context"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// PolicyDraft is what somebody writes.
type PolicyDraft struct {
	Text             string // YAML, see docs/guides/payment-policy.md
	Note             string // why, for colleagues
	ExpectedRevision int64  // when it replaces another; 0 means whatever stands
}

// PolicyChange asks for the next step of a version.
type PolicyChange struct {
	ID               string
	ExpectedRevision int64     // 0 means whatever stands
	EffectiveAt      time.Time // Propose: zero means as soon as it is ready

	already func(publication.Version) bool // whether the same person made the step before: a button was pressed twice
}

// made reports whether the step was made before, and the version may be answered as it is.
func (c PolicyChange) made(v publication.Version) bool {
	return c.already != nil && c.already(v) && c.ExpectedRevision < v.Revision
}

// PolicyRollback makes an earlier version live again.
type PolicyRollback struct {
	ID           string // of the version to go back to; empty for number 0, the policy that ships
	ExpectedLive int64  // number of the version that was live when the person looked; another one is refused
	Reason       string
}

// CheckPolicy compiles a policy's text and stores nothing. What is wrong with it is a problem with its places.
func (s *Service) CheckPolicy(_ context.Context, actor access.Actor, text string) error {
	if err := actor.Require(access.ReadTenant); err != nil {
		return err
	}
	_, err := s.compileDraft(text)
	return err
}

// content checks a draft and returns what a version keeps of it.
func (s *Service) content(in PolicyDraft) (publication.Content, error) {
	if err := account.CheckText("note", in.Note, publication.MaxNote); err != nil {
		return publication.Content{}, err
	}
	policy, err := s.compileDraft(in.Text)
	if err != nil {
		return publication.Content{}, err
	}
	return publication.Content{PolicyID: policy.ID, PolicyVersion: policy.Version, Text: in.Text, Note: in.Note}, nil
}

// DraftPolicy stores a new version that decides nothing yet.
func (s *Service) DraftPolicy(ctx context.Context, actor access.Actor, in PolicyDraft) (publication.Version, error) {
	var v publication.Version
	if err := actor.Require(access.DraftPolicies); err != nil {
		return v, err
	}
	content, err := s.content(in)
	if err != nil {
		return v, err
	}
	err = s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.HoldRiskSettings(actor.TenantID); err != nil {
			return err
		}
		open, err := tx.CountPolicies(actor.TenantID, publication.Draft)
		if err != nil {
			return err
		}
		if open >= publication.MaxDrafts {
			return problem.New(problem.Conflict, "too_many_drafts", "a tenant has at most 100 drafts; withdraw or propose some first")
		}
		number, err := tx.NextPolicyNumber(actor.TenantID)
		if err != nil {
			return err
		}
		var drafts []journal.Draft
		v, drafts = publication.Start(id.New(id.Policy, tx.Now()), number, content, actor, tx.Now())
		return tx.InsertPolicyVersion(actor, v, drafts)
	})
	return v, err
}

// EditPolicy replaces the text of a draft.
func (s *Service) EditPolicy(ctx context.Context, actor access.Actor, policyID string, in PolicyDraft) (publication.Version, error) {
	if err := actor.Require(access.DraftPolicies); err != nil {
		return publication.Version{}, err
	}
	content, err := s.content(in)
	if err != nil {
		return publication.Version{}, err
	}
	change := PolicyChange{ID: policyID, ExpectedRevision: in.ExpectedRevision}
	return s.changePolicy(ctx, actor, change, func(tx *store.Tx, v publication.Version) (publication.Version, []journal.Draft, error) {
		return v.Edit(content, actor)
	})
}

// ProposePolicy asks a second person to publish a draft.
func (s *Service) ProposePolicy(ctx context.Context, actor access.Actor, in PolicyChange) (publication.Version, error) {
	if err := actor.Require(access.PublishPolicies); err != nil {
		return publication.Version{}, err
	}
	in.already = func(v publication.Version) bool { return v.ProposedAlready(actor) }
	return s.changePolicy(ctx, actor, in, func(tx *store.Tx, v publication.Version) (publication.Version, []journal.Draft, error) {
		if err := s.checkName(tx, v); err != nil {
			return v, nil, err
		}
		return v.Propose(actor, in.EffectiveAt, tx.Now())
	})
}

// checkName refuses a version that names itself like the policy that ships: payments could not tell which decided them.
func (s *Service) checkName(tx *store.Tx, v publication.Version) error {
	shipped, err := tx.ShippedPolicies(v.PolicyID, v.PolicyVersion)
	if err != nil {
		return err
	}
	if len(shipped) > 0 || (v.PolicyID == s.Policy.ID && v.PolicyVersion == s.Policy.Version) {
		return problem.New(problem.Conflict, "policy_version_taken",
			"the policy that ships has this policy and version in its text already; payments name them, so give the text a new version")
	}
	return nil
}

// ApprovePolicy is the second person's yes. The version goes live in the same moment when it is due and reads no aggregate that has to
// be filled from history first; otherwise it is prepared.
func (s *Service) ApprovePolicy(ctx context.Context, actor access.Actor, in PolicyChange) (publication.Version, error) {
	var v publication.Version
	if err := actor.Require(access.PublishPolicies); err != nil {
		return v, err
	}
	in.already = func(v publication.Version) bool { return v.ApprovedAlready(actor) }
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.HoldRiskSettings(actor.TenantID)
		if err != nil {
			return err
		}
		found, err := expectedVersion(tx, actor, in)
		if v = found; err != nil || in.made(found) {
			return err
		}
		approved, drafts, err := found.Approve(actor, settings.OnePerson, tx.Now())
		if err != nil {
			return err
		}
		// Asked before anything is changed: what decides now is kept in memory by its epoch.
		needed, err := s.needsPreparing(tx, approved)
		if err != nil {
			return err
		}
		if err := tx.SavePolicyVersion(actor, approved, drafts); err != nil {
			return err
		}
		if !needed {
			approved, _ = approved.Progress(0, 0, true, tx.Now())
			if err := tx.NotePolicyProgress(approved); err != nil {
				return err
			}
		}
		v, err = s.publishWhenReady(tx, actor, settings, approved)
		return err
	})
	return v, err
}

// publishWhenReady lets an approved version decide, or has a job do so when it is due. Either way every node looks anew at what decides.
func (s *Service) publishWhenReady(tx *store.Tx, actor access.Actor, settings publication.Settings, v publication.Version) (publication.Version, error) {
	if !v.Ready(tx.Now()) {
		if err := tx.SwitchPolicy(settings); err != nil || v.PreparedAt.IsZero() {
			return v, err
		}
		return v, tx.Enqueue(store.Job{
			TenantID: v.TenantID, Kind: JobPublishPolicy, DueAt: v.EffectiveAt, Payload: map[string]string{"policy_id": v.ID}, Key: publishKey(v),
		})
	}
	if err := s.retireLive(tx, actor, settings, ""); err != nil {
		return v, err
	}
	v, drafts, err := v.Publish(tx.Now())
	if err != nil {
		return v, err
	}
	if err := tx.SavePolicyVersion(actor, v, drafts); err != nil {
		return v, err
	}
	settings.LiveID = v.ID
	return v, tx.SwitchPolicy(settings)
}

func publishKey(v publication.Version) string { return "publish_policy:" + v.ID }

// retireLive ends the time of the version that decides; number 0 has no record to change.
func (s *Service) retireLive(tx *store.Tx, actor access.Actor, settings publication.Settings, reason string) error {
	if settings.LiveID == "" {
		return nil
	}
	live, err := tx.PolicyVersion(settings.TenantID, settings.LiveID)
	if err != nil {
		return err
	}
	live, drafts, err := live.Retire(reason, tx.Now())
	if err != nil {
		return err
	}
	return tx.SavePolicyVersion(actor, live, drafts)
}

// publishDue lets a version go live whose effective instant has come.
func (s *Service) publishDue(ctx context.Context, job store.Job) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.HoldRiskSettings(job.TenantID)
		if err != nil {
			return err
		}
		v, err := tx.PolicyVersion(job.TenantID, job.Payload["policy_id"])
		if err != nil {
			return err
		}
		if err := tx.CompleteJob(job); err != nil {
			return err
		}
		if !v.Ready(tx.Now()) {
			return nil // withdrawn, or live already
		}
		_, err = s.publishWhenReady(tx, access.SystemActor(v.TenantID, "policies"), settings, v)
		return err
	})
}

// WithdrawPolicy gives up a version that was never live.
func (s *Service) WithdrawPolicy(ctx context.Context, actor access.Actor, in PolicyChange) (publication.Version, error) {
	var v publication.Version
	if err := actor.Require(access.DraftPolicies); err != nil {
		return v, err
	}
	in.already = func(v publication.Version) bool { return v.State == publication.Withdrawn } // whoever did it: it is given up
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.HoldRiskSettings(actor.TenantID)
		if err != nil {
			return err
		}
		found, err := expectedVersion(tx, actor, in)
		if v = found; err != nil || in.made(found) {
			return err
		}
		if found.State == publication.Proposed || found.State == publication.Preparing {
			if err := actor.Require(access.PublishPolicies); err != nil {
				return err
			}
		}
		var drafts []journal.Draft
		if v, drafts, err = found.Withdraw(); err != nil {
			return err
		}
		if err := tx.SavePolicyVersion(actor, v, drafts); err != nil {
			return err
		}
		if err := tx.CancelJob(v.TenantID, publishKey(v)); err != nil || found.State != publication.Preparing {
			return err
		}
		return tx.SwitchPolicy(settings)
	})
	return v, err
}

// RollBackPolicy makes the version that was live immediately before, or number 0, decide again, at once: their aggregates are kept up for
// that. One person is enough: it was published by two, and what it replaces does harm. An older version takes the way of any other: its text
// is drafted anew, approved by a second person, and prepared. Conflict policy_changed when another version is live than was expected.
func (s *Service) RollBackPolicy(ctx context.Context, actor access.Actor, in PolicyRollback) (PolicyInForce, error) {
	var live PolicyInForce
	if err := actor.Require(access.PublishPolicies); err != nil {
		return live, err
	}
	if in.Reason == "" {
		return live, problem.Field("reason", "required", "say why, for colleagues who ask later")
	}
	if err := account.CheckText("reason", in.Reason, publication.MaxReason); err != nil {
		return live, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.HoldRiskSettings(actor.TenantID)
		if err != nil {
			return err
		}
		if err := checkRollback(tx, settings, in); err != nil {
			return err
		}
		if err := s.retireLive(tx, actor, settings, in.Reason); err != nil {
			return err
		}
		target, number := actor.TenantID, int64(0)
		if in.ID != "" {
			found, err := tx.PolicyVersion(actor.TenantID, in.ID)
			if err != nil {
				return err
			}
			back, drafts, err := found.Return(in.Reason, tx.Now())
			if err != nil {
				return err
			}
			if err := tx.SavePolicyVersion(actor, back, drafts); err != nil {
				return err
			}
			target, number = back.ID, back.Number
		}
		if err := tx.Append(actor, journal.Of(journal.PolicyRolledBack, target, "", "number", strconv.FormatInt(number, 10), "from", settings.LiveID)); err != nil {
			return err
		}
		settings.LiveID = in.ID
		if err := tx.SwitchPolicy(settings); err != nil {
			return err
		}
		live, err = s.inForce(tx, actor.TenantID, in.ID)
		return err
	})
	return live, err
}

// checkRollback refuses what is no single step back from what the person saw.
func checkRollback(tx *store.Tx, settings publication.Settings, in PolicyRollback) error {
	number := int64(0)
	if settings.LiveID != "" {
		live, err := tx.PolicyVersion(settings.TenantID, settings.LiveID)
		if err != nil {
			return err
		}
		number = live.Number
	}
	if number != in.ExpectedLive {
		return problem.New(problem.Conflict, "policy_changed", "another version is live than when you looked; look again and repeat")
	}
	if settings.LiveID == in.ID {
		return problem.New(problem.Conflict, "policy_state", "this version is live already")
	}
	if in.ID == "" {
		return nil
	}
	before, found, err := tx.RetiredLast(settings.TenantID)
	if err == nil && (!found || before.ID != in.ID) {
		err = problem.New(problem.Conflict, "policy_state",
			"only the version that was live immediately before, or the policy that ships, decides again at once; draft the text of an older one under a new version")
	}
	return err
}

func expectedVersion(tx *store.Tx, actor access.Actor, in PolicyChange) (publication.Version, error) {
	v, err := tx.PolicyVersion(actor.TenantID, in.ID)
	if err != nil {
		return v, err
	}
	if in.made(v) {
		return v, nil
	}
	return v, v.CheckRevision(in.ExpectedRevision)
}

// changePolicy makes one step of a version that changes nothing about what decides.
func (s *Service) changePolicy(ctx context.Context, actor access.Actor, in PolicyChange,
	step func(tx *store.Tx, v publication.Version) (publication.Version, []journal.Draft, error)) (publication.Version, error) {
	var v publication.Version
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.HoldRiskSettings(actor.TenantID); err != nil {
			return err
		}
		found, err := expectedVersion(tx, actor, in)
		if v = found; err != nil || in.made(found) {
			return err
		}
		var drafts []journal.Draft
		if v, drafts, err = step(tx, found); err != nil {
			return err
		}
		return tx.SavePolicyVersion(actor, v, drafts)
	})
	return v, err
}
