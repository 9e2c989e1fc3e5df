package store

import (
	"errors"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
)

const grantColumns = "shard, tenant_id, account_id, id, verification_id, payment_id, payment_method_id, amount_minor, currency, " +
	"created_at, expires_at, used_by"

func scanGrant(r row) (payment.RetryGrant, error) {
	var g payment.RetryGrant
	var shard int64
	err := r.Scan(&shard, &g.TenantID, &g.AccountID, &g.ID, &g.VerificationID, &g.PaymentID, &g.PaymentMethodID, &g.Amount.AmountMinor,
		&g.Amount.Currency, instant{&g.CreatedAt}, instant{&g.ExpiresAt}, &g.UsedBy)
	return g, err
}

// InsertRetryGrant adds a retry grant.
func (tx *Tx) InsertRetryGrant(actor access.Actor, g payment.RetryGrant, drafts []journal.Draft) error {
	tx.touch(AccountKey{g.TenantID, g.AccountID})
	err := tx.insert("retry_grants", grantColumns, nil, shardOf(g.TenantID, g.AccountID), g.TenantID, g.AccountID, g.ID, g.VerificationID,
		g.PaymentID, g.PaymentMethodID, g.Amount.AmountMinor, g.Amount.Currency, micros(g.CreatedAt), micros(g.ExpiresAt), g.UsedBy)
	if err != nil {
		return err
	}
	return tx.record(actor, g.TenantID, drafts)
}

// OpenRetryGrants returns the grants of an account that are neither used nor expired, oldest first.
func (tx *Tx) OpenRetryGrants(tenantID, accountID string) ([]payment.RetryGrant, error) {
	return all(tx, scanGrant, "SELECT "+grantColumns+` FROM retry_grants
		WHERE shard = $1 AND tenant_id = $2 AND account_id = $3 AND used_by = '' AND expires_at > $4 ORDER BY created_at, id`,
		shardOf(tenantID, accountID), tenantID, accountID, micros(tx.now))
}

// UseRetryGrant notes the payment that used up a grant; one payment only can.
func (tx *Tx) UseRetryGrant(actor access.Actor, g payment.RetryGrant, paymentID string, drafts []journal.Draft) error {
	if paymentID == "" {
		return errors.New("store: a retry grant is used by a payment")
	}
	tx.touch(AccountKey{g.TenantID, g.AccountID})
	err := tx.swap(`UPDATE retry_grants SET used_by = $1
		WHERE shard = $2 AND tenant_id = $3 AND account_id = $4 AND id = $5 AND used_by = ''`,
		paymentID, shardOf(g.TenantID, g.AccountID), g.TenantID, g.AccountID, g.ID)
	if err != nil {
		return err
	}
	return tx.record(actor, g.TenantID, drafts)
}
