package store

// This file is the only one that changes a status or state. Each change names the version or state that it supposes, so of two that
// start from the same one only the first is made, and takes the journal drafts that tell of it.

import (
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
	"strings"
)

// SaveVerification saves what a verification has become.
func (tx *Tx) SaveVerification(actor access.Actor, v verification.Verification, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE verifications SET status = $1, version = $2, requirements = $3, round = $4, query_code = $5, case_id = $6,
		received_at = $7, due_at = $8, due_because = $9, submitted_at = $10, decided_at = $11
		WHERE tenant_id = $12 AND id = $13 AND version = $14`,
		v.Status, v.Version, asJSON{v.Requirements}, v.Round, v.QueryCode, v.CaseID, micros(v.ReceivedAt), micros(v.DueAt),
		asJSON{v.DueBecause}, micros(v.SubmittedAt), micros(v.DecidedAt), v.TenantID, v.ID, v.Version-1)
	if isDuplicate(err) {
		return problem.New(problem.Conflict, "query_code_taken", "another verification has this query code; try again with a new one")
	}
	if err != nil {
		return err
	}
	return tx.record(actor, v.TenantID, drafts)
}

// SaveCase saves what a case has become.
func (tx *Tx) SaveCase(actor access.Actor, c casework.Case, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE cases SET status = $1, version = $2, overdue_at = $3, decided_at = $4, decision = $5
		WHERE tenant_id = $6 AND id = $7 AND version = $8`,
		c.Status, c.Version, micros(c.OverdueAt), micros(c.DecidedAt), c.Decision, c.TenantID, c.ID, c.Version-1)
	if err != nil {
		return err
	}
	return tx.record(actor, c.TenantID, drafts)
}

// SaveTicket saves what a ticket has become.
func (tx *Tx) SaveTicket(actor access.Actor, t casework.Ticket, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE tickets SET status = $1, version = $2, answer = $3, closed_at = $4
		WHERE tenant_id = $5 AND id = $6 AND version = $7`,
		t.Status, t.Version, t.Answer, micros(t.ClosedAt), t.TenantID, t.ID, t.Version-1)
	if err != nil {
		return err
	}
	return tx.record(actor, t.TenantID, drafts)
}

// SaveEnforcement saves where enforcement on an account stands; version 1 is the first there is.
func (tx *Tx) SaveEnforcement(actor access.Actor, e enforcement.Enforcement, drafts []journal.Draft) error {
	var err error
	if e.Version == 1 {
		err = tx.swap("INSERT INTO enforcements ("+enforcementColumns+") VALUES ("+placeholders(1, 9)+`)
			ON CONFLICT (tenant_id, account_id) DO NOTHING`, e.TenantID, e.AccountID, e.State, e.Version, e.VerificationID, micros(e.DueAt),
			micros(e.SuspendedAt), micros(e.AcknowledgedAt), e.Sequence)
	} else {
		err = tx.swap(`UPDATE enforcements SET state = $1, version = $2, verification_id = $3, due_at = $4, suspended_at = $5,
			acknowledged_at = $6, sequence = $7 WHERE tenant_id = $8 AND account_id = $9 AND version = $10`,
			e.State, e.Version, e.VerificationID, micros(e.DueAt), micros(e.SuspendedAt), micros(e.AcknowledgedAt), e.Sequence,
			e.TenantID, e.AccountID, e.Version-1)
	}
	if err != nil {
		return err
	}
	return tx.record(actor, e.TenantID, drafts)
}

// SaveCommand saves the platform's answer to a command that was pending.
func (tx *Tx) SaveCommand(actor access.Actor, c enforcement.Command, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE commands SET state = $1, settled_at = $2 WHERE tenant_id = $3 AND id = $4 AND state = $5`,
		c.State, micros(c.SettledAt), c.TenantID, c.ID, enforcement.Pending)
	if err != nil {
		return err
	}
	return tx.record(actor, c.TenantID, drafts)
}

// BuryJob keeps a claimed job that will not be tried again, for people to look at.
func (tx *Tx) BuryJob(job Job, category string) error {
	return tx.held(`UPDATE jobs SET state = 'dead', error_category = $1, lease = '', leased_until = 0
		WHERE id = $2 AND lease = $3 AND lease <> '' AND state = 'pending'`, category, job.ID, job.Lease)
}

// SavePolicyVersion saves what a version of a policy has become.
func (tx *Tx) SavePolicyVersion(actor access.Actor, v publication.Version, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE policies SET state = $1, revision = $2, policy_id = $3, policy_version = $4, body = $5, digest = $6, note = $7,
		drafted_by = $8, editors = $9, proposed_by = $10, approved_by = $11, proposed_at = $12, effective_at = $13, approved_at = $14,
		prepared_at = $15, live_at = $16, retired_at = $17, rollback_reason = $18, done_steps = $19, total_steps = $20
		WHERE tenant_id = $21 AND id = $22 AND revision = $23`,
		v.State, v.Revision, v.PolicyID, v.PolicyVersion, v.Text, v.Digest, v.Note, v.DraftedBy, strings.Join(v.Editors, " "), v.ProposedBy,
		v.ApprovedBy, micros(v.ProposedAt), micros(v.EffectiveAt), micros(v.ApprovedAt), micros(v.PreparedAt), micros(v.LiveAt),
		micros(v.RetiredAt), v.RollbackReason, v.Done, v.Total, v.TenantID, v.ID, v.Revision-1)
	if isDuplicate(err) {
		return problem.New(problem.Conflict, "policy_version_taken",
			"another version has this policy and version in its text already; payments name them, so give the text a new version")
	}
	if err != nil {
		return err
	}
	return tx.record(actor, v.TenantID, drafts)
}
