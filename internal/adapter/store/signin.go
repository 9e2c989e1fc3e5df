package store

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/standard/problem"
)

// Everything in this file keeps wall time.

const linkColumns = "tenant_id, id, purpose, hash, account_id, role, email, created_by, created_at, expires_at, used_at"

func scanLink(r row) (access.Link, error) {
	var l access.Link
	err := r.Scan(&l.TenantID, &l.ID, &l.Purpose, &l.Hash, &l.AccountID, &l.Role, &l.Email, &l.CreatedBy, instant{&l.CreatedAt},
		instant{&l.ExpiresAt}, instant{&l.UsedAt})
	return l, err
}

// InsertLink adds a one-time link.
func (tx *Tx) InsertLink(l access.Link) error {
	return tx.insert("links", linkColumns, nil, l.TenantID, l.ID, l.Purpose, some(l.Hash), l.AccountID, l.Role, l.Email, l.CreatedBy,
		micros(l.CreatedAt), micros(l.ExpiresAt), micros(l.UsedAt))
}

// LinkByHash returns the link of any tenant with the hash, used and expired ones too.
func (tx *Tx) LinkByHash(hash []byte) (access.Link, error) {
	return one(tx, "link", scanLink, "SELECT "+linkColumns+" FROM links WHERE hash = $1", hash)
}

// UseLink notes that a link was used. Only the first use succeeds; the others are told that the link is gone.
func (tx *Tx) UseLink(l access.Link, at time.Time) error {
	count, err := tx.exec("UPDATE links SET used_at = $1 WHERE tenant_id = $2 AND id = $3 AND used_at IS NULL", micros(at), l.TenantID, l.ID)
	if err == nil && count == 0 {
		return problem.New(problem.Gone, "link_used", "this link was used already; ask for a new one")
	}
	return err
}

// RevokeLinks removes the tenant's unused links for a purpose.
func (tx *Tx) RevokeLinks(tenantID string, purpose access.LinkPurpose) error {
	_, err := tx.exec("DELETE FROM links WHERE tenant_id = $1 AND purpose = $2 AND used_at IS NULL", tenantID, purpose)
	return err
}

const sessionColumns = "tenant_id, id, kind, subject_id, hash, created_at, seen_at, expires_at, revoked_at, return_path"

func scanSession(r row) (access.Session, error) {
	var s access.Session
	err := r.Scan(&s.TenantID, &s.ID, &s.Kind, &s.SubjectID, &s.Hash, instant{&s.CreatedAt}, instant{&s.SeenAt}, instant{&s.ExpiresAt},
		instant{&s.RevokedAt}, &s.ReturnPath)
	return s, err
}

// InsertSession adds a signed-in browser.
func (tx *Tx) InsertSession(s access.Session) error {
	return tx.insert("sessions", sessionColumns, nil, s.TenantID, s.ID, s.Kind, s.SubjectID, some(s.Hash), micros(s.CreatedAt),
		micros(s.SeenAt), micros(s.ExpiresAt), micros(s.RevokedAt), s.ReturnPath)
}

// SessionByHash returns the session of any tenant with the hash, unless it was revoked. Its expiry is for the caller to check.
func (tx *Tx) SessionByHash(hash []byte) (access.Session, error) {
	return one(tx, "session", scanSession, "SELECT "+sessionColumns+" FROM sessions WHERE hash = $1 AND revoked_at IS NULL", hash)
}

// TouchSession notes when a session was last seen.
func (tx *Tx) TouchSession(id string, at time.Time) error {
	_, err := tx.exec("UPDATE sessions SET seen_at = $1 WHERE id = $2 AND revoked_at IS NULL", micros(at), id)
	return err
}

// RevokeSession ends a session.
func (tx *Tx) RevokeSession(id string, at time.Time) error {
	_, err := tx.exec("UPDATE sessions SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL", micros(at), id)
	return err
}

const challengeColumns = "tenant_id, id, account_id, asked_by, browser_hash, code_hash, attempts, created_at, expires_at, used_at"

func scanChallenge(r row) (access.Challenge, error) {
	var c access.Challenge
	err := r.Scan(&c.TenantID, &c.ID, &c.AccountID, &c.AskedBy, &c.BrowserHash, &c.CodeHash, &c.Attempts, instant{&c.CreatedAt}, instant{&c.ExpiresAt},
		instant{&c.UsedAt})
	return c, err
}

// InsertChallenge adds a pending sign-in by one-time code.
func (tx *Tx) InsertChallenge(c access.Challenge) error {
	return tx.insert("challenges", challengeColumns, nil, c.TenantID, c.ID, c.AccountID, c.AskedBy, some(c.BrowserHash), some(c.CodeHash), c.Attempts,
		micros(c.CreatedAt), micros(c.ExpiresAt), micros(c.UsedAt))
}

// SaveChallenge saves the code's hash, the attempts and the use of a challenge. A used one, and a count of attempts that went on
// meanwhile, are conflicts, so that guesses sent at the same time all count.
func (tx *Tx) SaveChallenge(c access.Challenge) error {
	return tx.swap(`UPDATE challenges SET code_hash = $1, attempts = $2, used_at = $3
		WHERE tenant_id = $4 AND id = $5 AND used_at IS NULL AND attempts <= $6`,
		some(c.CodeHash), c.Attempts, micros(c.UsedAt), c.TenantID, c.ID, c.Attempts)
}

// Challenge returns a challenge. In a transaction that writes, nobody else changes it until the end.
func (tx *Tx) Challenge(tenantID, id string) (access.Challenge, error) {
	return one(tx, "sign-in", scanChallenge, "SELECT "+challengeColumns+" FROM challenges WHERE tenant_id = $1 AND id = $2"+tx.lockRow(),
		tenantID, id)
}

// ChallengesByBrowser returns the challenges of a browser that were not used, of any tenant, newest first; expiry is for the caller to
// check. In a transaction that writes, nobody else changes them until the end, so that guesses sent at the same time all count.
func (tx *Tx) ChallengesByBrowser(browserHash []byte) ([]access.Challenge, error) {
	return all(tx, scanChallenge, "SELECT "+challengeColumns+` FROM challenges
		WHERE browser_hash = $1 AND used_at IS NULL ORDER BY created_at DESC, id DESC`+tx.lockRow(), browserHash)
}

// CountChallenges returns how many sign-ins were asked for an account in that way since the instant.
func (tx *Tx) CountChallenges(tenantID, accountID string, by access.AskedBy, since time.Time) (int, error) {
	return one(tx, "sign-in", scanCount,
		"SELECT COUNT(*) FROM challenges WHERE tenant_id = $1 AND account_id = $2 AND asked_by = $3 AND created_at >= $4",
		tenantID, accountID, by, micros(since))
}

// keepExpired is how long links, sessions and challenges stay after their end, so that one who brings them late is told so.
const keepExpired = 7 * 24 * time.Hour

// PruneAccess removes the links, sessions and challenges that ended long before the instant.
func (tx *Tx) PruneAccess(wall time.Time) error {
	before := micros(wall.Add(-keepExpired))
	for _, table := range []string{"links", "sessions", "challenges"} {
		if _, err := tx.exec("DELETE FROM "+table+" WHERE expires_at <= $1", before); err != nil {
			return err
		}
	}
	return nil
}
