package store

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

const accountColumns = "tenant_id, id, external_id, kind, name, email, phone, address, country, date_of_birth, locale, time_zone, " +
	"industry, business_activities, version, created_at, updated_at"

func scanAccount(r row) (account.Account, error) {
	var a account.Account
	p := &a.Profile
	err := r.Scan(&a.TenantID, &a.ID, &p.ExternalID, &p.Kind, &p.Name, &p.Email, &p.Phone, fromJSON{&p.Address}, &p.Country, &p.DateOfBirth,
		&p.Locale, &p.TimeZone, &p.Industry, &p.BusinessActivities, &a.Version, instant{&a.CreatedAt}, instant{&a.UpdatedAt})
	return a, err
}

func externalIDTaken() *problem.Problem {
	return &problem.Problem{Kind: problem.Conflict, Code: "external_id_taken", Field: "external_id",
		Message: "another account has this external_id; look it up with GET /v1/accounts?external_id="}
}

// InsertAccount adds an account.
func (tx *Tx) InsertAccount(actor access.Actor, a account.Account, drafts []journal.Draft) error {
	p := a.Profile
	err := tx.insert("accounts", accountColumns+", email_key", externalIDTaken(),
		a.TenantID, a.ID, p.ExternalID, p.Kind, p.Name, p.Email, p.Phone, asJSON{p.Address}, p.Country, p.DateOfBirth, p.Locale, p.TimeZone,
		p.Industry, p.BusinessActivities, a.Version, micros(a.CreatedAt), micros(a.UpdatedAt), lowered(p.Email))
	if err != nil {
		return err
	}
	return tx.record(actor, a.TenantID, drafts)
}

// UpdateAccount saves a changed profile.
func (tx *Tx) UpdateAccount(actor access.Actor, a account.Account, drafts []journal.Draft) error {
	p := a.Profile
	err := tx.swap(`UPDATE accounts SET external_id = $1, kind = $2, name = $3, email = $4, email_key = $5, phone = $6, address = $7,
		country = $8, date_of_birth = $9, locale = $10, time_zone = $11, industry = $12, business_activities = $13, version = $14,
		updated_at = $15 WHERE tenant_id = $16 AND id = $17 AND version = $18`,
		p.ExternalID, p.Kind, p.Name, p.Email, lowered(p.Email), p.Phone, asJSON{p.Address}, p.Country, p.DateOfBirth, p.Locale, p.TimeZone,
		p.Industry, p.BusinessActivities, a.Version, micros(a.UpdatedAt), a.TenantID, a.ID, a.Version-1)
	if isDuplicate(err) {
		return externalIDTaken()
	}
	if err != nil {
		return err
	}
	return tx.record(actor, a.TenantID, drafts)
}

// Account returns an account.
func (tx *Tx) Account(tenantID, id string) (account.Account, error) {
	return one(tx, "account", scanAccount, "SELECT "+accountColumns+" FROM accounts WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// AccountByExternalID returns the account that the tenant knows by its own identifier.
func (tx *Tx) AccountByExternalID(tenantID, externalID string) (account.Account, error) {
	return one(tx, "account", scanAccount,
		"SELECT "+accountColumns+" FROM accounts WHERE tenant_id = $1 AND external_id = $2 AND external_id <> ''", tenantID, externalID)
}

// maxSameEmail bounds how many accounts one e-mail address signs in to.
const maxSameEmail = 5

// AccountsByEmail returns accounts of any tenant that have the e-mail address, whatever its case: a person who signs in has not said yet
// whose account they hold. Those come first that have a verification under way, because somebody waits for them and accounts made
// elsewhere with the same address must not stand in their way; then the oldest.
func (tx *Tx) AccountsByEmail(email string) ([]account.Account, error) {
	return all(tx, scanAccount,
		"SELECT "+accountColumns+` FROM accounts WHERE email_key = $1 AND email_key <> ''
		ORDER BY CASE WHEN EXISTS (SELECT 1 FROM verifications v WHERE v.tenant_id = accounts.tenant_id AND v.account_id = accounts.id
			AND v.status IN ('awaiting_submission', 'processing', 'in_review', 'resubmission_requested')) THEN 0 ELSE 1 END,
			created_at, id LIMIT $2`, lowered(email), maxSameEmail)
}

// ListAccounts returns accounts, newest first.
func (tx *Tx) ListAccounts(tenantID string, page Page) ([]account.Account, string, error) {
	list := listing[account.Account]{
		name: "accounts", query: "SELECT " + accountColumns + " FROM accounts", by: "created_at", scan: scanAccount,
		place: func(a account.Account) (time.Time, string) { return a.CreatedAt, a.ID },
	}
	list.and("tenant_id =", tenantID)
	return list.read(tx, page)
}

// LockAccount lets one writing transaction at a time go on with an account. It comes first in whatever touches the account, so that
// locks are taken in one order: account, its things, the journal.
func (tx *Tx) LockAccount(tenantID, id string) error {
	tx.places = nil // taken under fewer locks
	_, err := one(tx, "account", scanCount,
		"SELECT 1 FROM accounts WHERE tenant_id = $1 AND id = $2"+tx.lockRow(), tenantID, id)
	return err
}

// lockRow is the dialect's, in a transaction that can write.
func (tx *Tx) lockRow() string {
	if !tx.writable {
		return ""
	}
	return tx.store.dialect.lockRow()
}

const restrictionColumns = "shard, tenant_id, account_id, id, kind, verification_id, version, placed_at, lifted_at"

func scanRestriction(r row) (account.Restriction, error) {
	var restriction account.Restriction
	var shard int64
	err := r.Scan(&shard, &restriction.TenantID, &restriction.AccountID, &restriction.ID, &restriction.Kind, &restriction.VerificationID,
		&restriction.Version, instant{&restriction.PlacedAt}, instant{&restriction.LiftedAt})
	return restriction, err
}

// PlaceRestriction puts a restriction on an account; one of each kind can stand.
func (tx *Tx) PlaceRestriction(actor access.Actor, r account.Restriction, drafts []journal.Draft) error {
	tx.touch(AccountKey{r.TenantID, r.AccountID})
	taken := problem.New(problem.Conflict, "restriction_stands", "the account is restricted already")
	err := tx.insert("restrictions", restrictionColumns, taken, shardOf(r.TenantID, r.AccountID), r.TenantID, r.AccountID, r.ID, r.Kind,
		r.VerificationID, r.Version, micros(r.PlacedAt), micros(r.LiftedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, r.TenantID, drafts)
}

// UpdateRestriction points a restriction at another verification, or lifts it.
func (tx *Tx) UpdateRestriction(actor access.Actor, r account.Restriction, drafts []journal.Draft) error {
	tx.touch(AccountKey{r.TenantID, r.AccountID})
	err := tx.swap(`UPDATE restrictions SET verification_id = $1, lifted_at = $2, version = $3
		WHERE shard = $4 AND tenant_id = $5 AND account_id = $6 AND id = $7 AND version = $8 AND lifted_at IS NULL`,
		r.VerificationID, micros(r.LiftedAt), r.Version, shardOf(r.TenantID, r.AccountID), r.TenantID, r.AccountID, r.ID, r.Version-1)
	if err != nil {
		return err
	}
	return tx.record(actor, r.TenantID, drafts)
}

// StandingRestriction returns the restriction of payments in force on an account, and whether there is one.
func (tx *Tx) StandingRestriction(tenantID, accountID string) (account.Restriction, bool, error) {
	return maybe(tx, scanRestriction, "SELECT "+restrictionColumns+` FROM restrictions
		WHERE shard = $1 AND tenant_id = $2 AND account_id = $3 AND kind = $4 AND lifted_at IS NULL`,
		shardOf(tenantID, accountID), tenantID, accountID, account.PaymentsRestricted)
}

// Restrictions returns every restriction in force on an account.
func (tx *Tx) Restrictions(tenantID, accountID string) ([]account.Restriction, error) {
	return all(tx, scanRestriction, "SELECT "+restrictionColumns+` FROM restrictions
		WHERE shard = $1 AND tenant_id = $2 AND account_id = $3 AND lifted_at IS NULL ORDER BY placed_at, id`,
		shardOf(tenantID, accountID), tenantID, accountID)
}
