package store

import (
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/standard/problem"
)

const settingsColumns = "tenant_id, epoch, list_epoch, live_id, one_person, budget_micros, fail_closed"

func scanRiskSettings(r row) (publication.Settings, error) {
	var s publication.Settings
	var onePerson, failClosed, budget int64
	err := r.Scan(&s.TenantID, &s.Epoch, &s.ListEpoch, &s.LiveID, &onePerson, &budget, &failClosed)
	s.OnePerson, s.Budget.FailClosed, s.Budget.Limit = onePerson == 1, failClosed == 1, time.Duration(budget)*time.Microsecond
	return s, err
}

// RiskSettings returns what a tenant decides about its decisions; before it decided anything, the settings that every tenant begins with.
func (tx *Tx) RiskSettings(tenantID string) (publication.Settings, error) {
	if s, known := tx.settings[tenantID]; known {
		return s, nil
	}
	s, found, err := maybe(tx, scanRiskSettings, riskSettingsQuery, tenantID)
	if err == nil && !found {
		s = publication.Settings{TenantID: tenantID}
	}
	return s, err
}

const riskSettingsQuery = "SELECT " + settingsColumns + " FROM risk_settings WHERE tenant_id = $1"

// HoldRiskSettings returns the settings, and lets nobody else change what decides the tenant's payments until the transaction ends. Each
// change of a policy's state, of a list or of the settings begins with it; taken first of all but the account's lock.
func (tx *Tx) HoldRiskSettings(tenantID string) (publication.Settings, error) {
	// A tenant that does not exist has no settings; the foreign key would answer with an error that nobody understands.
	if _, err := tx.Tenant(tenantID); err != nil {
		return publication.Settings{}, err
	}
	delete(tx.settings, tenantID)
	return one(tx, "tenant", scanRiskSettings, "INSERT INTO risk_settings ("+settingsColumns+`) VALUES ($1, 1, 1, '', 0, 0, 0)
		ON CONFLICT (tenant_id) DO UPDATE SET epoch = risk_settings.epoch RETURNING `+settingsColumns, tenantID)
}

// SaveRiskSettings saves held settings under the next epoch, so that every node looks at what decides the tenant's payments anew.
func (tx *Tx) SaveRiskSettings(actor access.Actor, s publication.Settings, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE risk_settings SET epoch = $1, live_id = $2, one_person = $3, budget_micros = $4, fail_closed = $5
		WHERE tenant_id = $6 AND epoch = $7`,
		s.Epoch+1, s.LiveID, flag(s.OnePerson), s.Budget.Limit.Microseconds(), flag(s.Budget.FailClosed), s.TenantID, s.Epoch)
	if err != nil {
		return err
	}
	return tx.record(actor, s.TenantID, drafts)
}

// SwitchPolicy saves which version of held settings is live, under the next epoch; also when only what is kept up beside it changed. The
// entries about the versions tell of it.
func (tx *Tx) SwitchPolicy(s publication.Settings) error {
	return tx.swap("UPDATE risk_settings SET epoch = $1, live_id = $2 WHERE tenant_id = $3 AND epoch = $4", s.Epoch+1, s.LiveID, s.TenantID, s.Epoch)
}

// SwitchLists makes the next list epoch: every node looks at the entries that were changed since the last that it knows.
func (tx *Tx) SwitchLists(s publication.Settings) error {
	return tx.swap("UPDATE risk_settings SET list_epoch = $1 WHERE tenant_id = $2 AND list_epoch = $3", s.ListEpoch+1, s.TenantID, s.ListEpoch)
}

const versionColumns = "tenant_id, id, number, state, revision, policy_id, policy_version, body, digest, note, drafted_by, editors, proposed_by, " +
	"approved_by, created_at, proposed_at, effective_at, approved_at, prepared_at, live_at, retired_at, rollback_reason, done_steps, total_steps"

func scanVersion(r row) (publication.Version, error) {
	var v publication.Version
	var editors string
	err := r.Scan(&v.TenantID, &v.ID, &v.Number, &v.State, &v.Revision, &v.PolicyID, &v.PolicyVersion, &v.Text, &v.Digest, &v.Note,
		&v.DraftedBy, &editors, &v.ProposedBy, &v.ApprovedBy, instant{&v.CreatedAt}, instant{&v.ProposedAt}, instant{&v.EffectiveAt},
		instant{&v.ApprovedAt}, instant{&v.PreparedAt}, instant{&v.LiveAt}, instant{&v.RetiredAt}, &v.RollbackReason, &v.Done, &v.Total)
	v.Editors = strings.Fields(editors)
	return v, err
}

// NextPolicyNumber returns the number of the tenant's next version. Its caller holds the settings.
func (tx *Tx) NextPolicyNumber(tenantID string) (int64, error) {
	return one(tx, "policy", scanCount64, "SELECT COALESCE(MAX(number), 0) + 1 FROM policies WHERE tenant_id = $1", tenantID)
}

// InsertPolicyVersion adds a draft.
func (tx *Tx) InsertPolicyVersion(actor access.Actor, v publication.Version, drafts []journal.Draft) error {
	taken := problem.New(problem.Conflict, "changed_meanwhile", "somebody else drafted a policy at the same time; repeat")
	err := tx.insert("policies", versionColumns, taken, v.TenantID, v.ID, v.Number, v.State, v.Revision, v.PolicyID, v.PolicyVersion, v.Text,
		v.Digest, v.Note, v.DraftedBy, strings.Join(v.Editors, " "), v.ProposedBy, v.ApprovedBy, micros(v.CreatedAt), micros(v.ProposedAt), micros(v.EffectiveAt),
		micros(v.ApprovedAt), micros(v.PreparedAt), micros(v.LiveAt), micros(v.RetiredAt), v.RollbackReason, v.Done, v.Total)
	if err != nil {
		return err
	}
	return tx.record(actor, v.TenantID, drafts)
}

// NotePolicyProgress saves how far the preparation of a version is. That is no change of its state, so it has no journal entry.
func (tx *Tx) NotePolicyProgress(v publication.Version) error {
	return tx.swap(`UPDATE policies SET prepared_at = $1, done_steps = $2, total_steps = $3
		WHERE tenant_id = $4 AND id = $5 AND revision = $6 AND prepared_at IS NULL`,
		micros(v.PreparedAt), v.Done, v.Total, v.TenantID, v.ID, v.Revision)
}

const versionsOf = "SELECT " + versionColumns + " FROM policies WHERE tenant_id = $1"

// PolicyVersion returns a version of the tenant's policy.
func (tx *Tx) PolicyVersion(tenantID, id string) (publication.Version, error) {
	return one(tx, "policy", scanVersion, versionsOf+" AND id = $2", tenantID, id)
}

// PolicyByName returns the version that payments name so, and whether there is one. Drafts and what was withdrawn are named by no payment.
func (tx *Tx) PolicyByName(tenantID, policyID, policyVersion string) (publication.Version, bool, error) {
	return maybe(tx, scanVersion, versionsOf+" AND policy_id = $2 AND policy_version = $3 AND state NOT IN ('draft', 'withdrawn')",
		tenantID, policyID, policyVersion)
}

// CountPolicies returns how many of the tenant's versions stand in a state.
func (tx *Tx) CountPolicies(tenantID string, state publication.State) (int, error) {
	return one(tx, "policy", scanCount, "SELECT COUNT(*) FROM policies WHERE tenant_id = $1 AND state = $2", tenantID, string(state))
}

// PoliciesIn returns the tenant's versions that stand in a state, oldest first.
func (tx *Tx) PoliciesIn(tenantID string, state publication.State) ([]publication.Version, error) {
	return all(tx, scanVersion, versionsOf+" AND state = $2 ORDER BY number", tenantID, string(state))
}

// AllPoliciesIn returns the versions of all tenants that stand in a state: what the installation itself works on.
func (tx *Tx) AllPoliciesIn(state publication.State) ([]publication.Version, error) {
	return all(tx, scanVersion, "SELECT "+versionColumns+" FROM policies WHERE state = $1 ORDER BY tenant_id, number", string(state))
}

// RetiredLast returns the version that was live before the one that is, and whether there is one.
func (tx *Tx) RetiredLast(tenantID string) (publication.Version, bool, error) {
	return maybe(tx, scanVersion, versionsOf+" AND state = 'retired' ORDER BY retired_at DESC, number DESC LIMIT 1", tenantID)
}

// ListPolicyVersions returns versions without their texts, newest first; an empty state means all.
func (tx *Tx) ListPolicyVersions(tenantID string, state publication.State, page Page) ([]publication.Version, string, error) {
	list := listing[publication.Version]{
		name: "policies", query: "SELECT " + strings.Replace(versionColumns, " body,", " '' AS body,", 1) + " FROM policies", by: "created_at", scan: scanVersion,
		place: func(v publication.Version) (time.Time, string) { return v.CreatedAt, v.ID },
	}
	list.and("tenant_id =", tenantID)
	list.andText("state =", string(state))
	return list.read(tx, page)
}

// ShippedPolicy is a policy that came with the program, or as the installation's file.
type ShippedPolicy struct {
	PolicyID      string
	PolicyVersion string
	Digest        string
	Text          string
	SeenAt        time.Time
}

const shippedColumns = "policy_id, policy_version, digest, body, seen_at"

// KeepShippedPolicy remembers the text of a shipped policy; a second time it does nothing.
func (tx *Tx) KeepShippedPolicy(p ShippedPolicy) error {
	_, err := tx.exec("INSERT INTO shipped_policies ("+shippedColumns+") VALUES ("+placeholders(1, 5)+`)
		ON CONFLICT (policy_id, policy_version, digest) DO NOTHING`, p.PolicyID, p.PolicyVersion, p.Digest, p.Text, micros(p.SeenAt))
	return err
}

// ShippedPolicies returns the texts that shipped under a name, the latest first. There is more than one when an installation changed its
// file and not the version in it.
func (tx *Tx) ShippedPolicies(policyID, policyVersion string) ([]ShippedPolicy, error) {
	return all(tx, func(r row) (ShippedPolicy, error) {
		var p ShippedPolicy
		err := r.Scan(&p.PolicyID, &p.PolicyVersion, &p.Digest, &p.Text, instant{&p.SeenAt})
		return p, err
	}, "SELECT "+shippedColumns+" FROM shipped_policies WHERE policy_id = $1 AND policy_version = $2 ORDER BY seen_at DESC, digest",
		policyID, policyVersion)
}
