package store

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

const apiKeyColumns = "tenant_id, id, name, hint, hash, created_at, last_used_at, revoked_at"

func scanAPIKey(r row) (access.APIKey, error) {
	var k access.APIKey
	err := r.Scan(&k.TenantID, &k.ID, &k.Name, &k.Hint, &k.Hash, instant{&k.CreatedAt}, instant{&k.LastUsedAt}, instant{&k.RevokedAt})
	return k, err
}

// InsertAPIKey adds an API key.
func (tx *Tx) InsertAPIKey(actor access.Actor, k access.APIKey, drafts []journal.Draft) error {
	err := tx.insert("api_keys", apiKeyColumns, nil, k.TenantID, k.ID, k.Name, k.Hint, some(k.Hash), micros(k.CreatedAt), micros(k.LastUsedAt),
		micros(k.RevokedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, k.TenantID, drafts)
}

// APIKeyByHash returns the key of any tenant with the hash, unless it was revoked: it is how a tenant is recognised.
func (tx *Tx) APIKeyByHash(hash []byte) (access.APIKey, error) {
	return one(tx, "API key", scanAPIKey, "SELECT "+apiKeyColumns+" FROM api_keys WHERE hash = $1 AND revoked_at IS NULL", hash)
}

// TouchAPIKey notes when a key was last used.
func (tx *Tx) TouchAPIKey(id string, at time.Time) error {
	_, err := tx.exec("UPDATE api_keys SET last_used_at = $1 WHERE id = $2", micros(at), id)
	return err
}

// APIKeys returns the tenant's keys, revoked ones too, oldest first.
func (tx *Tx) APIKeys(tenantID string) ([]access.APIKey, error) {
	return all(tx, scanAPIKey, "SELECT "+apiKeyColumns+" FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, id", tenantID)
}

// RevokeAPIKey saves when a key was revoked; a second time is a conflict.
func (tx *Tx) RevokeAPIKey(actor access.Actor, k access.APIKey, drafts []journal.Draft) error {
	err := tx.swap("UPDATE api_keys SET revoked_at = $1 WHERE tenant_id = $2 AND id = $3 AND revoked_at IS NULL",
		micros(k.RevokedAt), k.TenantID, k.ID)
	if err != nil {
		return err
	}
	return tx.record(actor, k.TenantID, drafts)
}

const memberColumns = "tenant_id, id, name, email, role, passphrase_hash, failures, locked_until, version, created_at, disabled_at"

func scanMember(r row) (access.Member, error) {
	var m access.Member
	err := r.Scan(&m.TenantID, &m.ID, &m.Name, &m.Email, &m.Role, &m.PassphraseHash, &m.Failures, instant{&m.LockedUntil}, &m.Version,
		instant{&m.CreatedAt}, instant{&m.DisabledAt})
	return m, err
}

func emailTaken() *problem.Problem {
	return &problem.Problem{Kind: problem.Conflict, Code: "email_taken", Field: "email",
		Message: "somebody signs in with this e-mail address already; use another"}
}

// InsertMember adds a person of the tenant.
func (tx *Tx) InsertMember(actor access.Actor, m access.Member, drafts []journal.Draft) error {
	err := tx.insert("members", memberColumns+", email_key", emailTaken(), m.TenantID, m.ID, m.Name, m.Email, m.Role, m.PassphraseHash,
		m.Failures, micros(m.LockedUntil), m.Version, micros(m.CreatedAt), micros(m.DisabledAt), lowered(m.Email))
	if err != nil {
		return err
	}
	return tx.record(actor, m.TenantID, drafts)
}

// Member returns a person of the tenant.
func (tx *Tx) Member(tenantID, id string) (access.Member, error) {
	return one(tx, "member of staff", scanMember, "SELECT "+memberColumns+" FROM members WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// MemberByEmail returns the person of any tenant who signs in with the e-mail address, whatever its case.
func (tx *Tx) MemberByEmail(email string) (access.Member, error) {
	return one(tx, "member of staff", scanMember, "SELECT "+memberColumns+" FROM members WHERE email_key = $1", lowered(email))
}

// Members returns the people of the tenant, oldest first.
func (tx *Tx) Members(tenantID string) ([]access.Member, error) {
	return all(tx, scanMember, "SELECT "+memberColumns+" FROM members WHERE tenant_id = $1 ORDER BY created_at, id", tenantID)
}

// SaveMember saves what became of a person's access: refused sign-ins, lock, passphrase, role, end. Who did it is for Append to say.
func (tx *Tx) SaveMember(m access.Member) error {
	err := tx.swap(`UPDATE members SET name = $1, email = $2, email_key = $3, role = $4, passphrase_hash = $5, failures = $6,
		locked_until = $7, disabled_at = $8, version = $9 WHERE tenant_id = $10 AND id = $11 AND version = $12`,
		m.Name, m.Email, lowered(m.Email), m.Role, m.PassphraseHash, m.Failures, micros(m.LockedUntil), micros(m.DisabledAt), m.Version,
		m.TenantID, m.ID, m.Version-1)
	if isDuplicate(err) {
		return emailTaken()
	}
	return err
}
