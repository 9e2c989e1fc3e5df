package store

import (
	"errors"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/problem"
)

const methodColumns = "tenant_id, account_id, id, kind, brand, first6, last4, holder_name, fingerprint, is_default, created_at"

func scanMethod(r row) (payment.Method, error) {
	var m payment.Method
	var isDefault int64
	err := r.Scan(&m.TenantID, &m.AccountID, &m.ID, &m.Kind, &m.Brand, &m.First6, &m.Last4, &m.HolderName, &m.Fingerprint, &isDefault,
		instant{&m.CreatedAt})
	m.Default = isDefault == 1
	return m, err
}

// InsertPaymentMethod adds a payment method. A default one takes that place from another.
func (tx *Tx) InsertPaymentMethod(actor access.Actor, m payment.Method, drafts []journal.Draft) error {
	if m.Default {
		_, err := tx.exec("UPDATE payment_methods SET is_default = 0 WHERE tenant_id = $1 AND account_id = $2 AND is_default = 1",
			m.TenantID, m.AccountID)
		if err != nil {
			return err
		}
	}
	err := tx.insert("payment_methods", methodColumns, nil, m.TenantID, m.AccountID, m.ID, m.Kind, m.Brand, m.First6, m.Last4,
		m.HolderName, m.Fingerprint, flag(m.Default), micros(m.CreatedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, m.TenantID, drafts)
}

const methodsOf = "SELECT " + methodColumns + " FROM payment_methods WHERE tenant_id = $1 AND account_id = $2"

// PaymentMethod returns a payment method of an account.
func (tx *Tx) PaymentMethod(tenantID, accountID, id string) (payment.Method, error) {
	return one(tx, "payment method", scanMethod, methodsOf+" AND id = $3", tenantID, accountID, id)
}

// PaymentMethods returns the payment methods of an account, oldest first.
func (tx *Tx) PaymentMethods(tenantID, accountID string) ([]payment.Method, error) {
	return all(tx, scanMethod, methodsOf+" ORDER BY created_at, id", tenantID, accountID)
}

// DefaultPaymentMethod returns the account's default payment method, and whether it has one.
func (tx *Tx) DefaultPaymentMethod(tenantID, accountID string) (payment.Method, bool, error) {
	return maybe(tx, scanMethod, methodsOf+" AND is_default = 1", tenantID, accountID)
}

const paymentColumns = "shard, tenant_id, account_id, created_at, id, payment_method_id, amount_minor, currency, ip, country, region, city, " +
	"device_id, merchant, occurred_at, outcome, reasons, verification_id, policy_id, policy_version, facts, grant_id"

func scanPayment(r row) (payment.Payment, error) {
	var p payment.Payment
	var shard int64
	a := &p.Attempt
	err := r.Scan(&shard, &p.TenantID, &a.AccountID, instant{&p.CreatedAt}, &p.ID, &a.PaymentMethodID, &a.Amount.AmountMinor,
		&a.Amount.Currency, &a.IP, &a.Location.Country, &a.Location.Region, &a.Location.City, &a.DeviceID, &a.Merchant,
		instant{&a.OccurredAt}, &p.Outcome, fromJSON{&p.Reasons}, &p.VerificationID, &p.PolicyID, &p.PolicyVersion, asText{&p.Facts}, &p.GrantID)
	return p, err
}

// InsertPayment adds a decided payment that was not rejected: the row itself is its journal (design §4).
func (tx *Tx) InsertPayment(p payment.Payment) error {
	if p.Outcome == payment.Rejected {
		return errors.New("store: a rejected payment is recorded with InsertRejectedPayment")
	}
	return tx.insertPayment(p)
}

// InsertRejectedPayment adds a rejected payment.
func (tx *Tx) InsertRejectedPayment(actor access.Actor, p payment.Payment, drafts []journal.Draft) error {
	if p.Outcome != payment.Rejected {
		return errors.New("store: only a rejected payment is recorded with InsertRejectedPayment")
	}
	if err := tx.insertPayment(p); err != nil {
		return err
	}
	return tx.record(actor, p.TenantID, drafts)
}

func (tx *Tx) insertPayment(p payment.Payment) error {
	a := p.Attempt
	return tx.insert("payments", paymentColumns, nil,
		shardOf(p.TenantID, a.AccountID), p.TenantID, a.AccountID, micros(p.CreatedAt), p.ID, a.PaymentMethodID, a.Amount.AmountMinor,
		a.Amount.Currency, a.IP, a.Location.Country, a.Location.Region, a.Location.City, a.DeviceID, a.Merchant, micros(a.OccurredAt),
		p.Outcome, asJSON{p.Reasons}, p.VerificationID, p.PolicyID, p.PolicyVersion, string(p.Facts), p.GrantID)
}

// Payment returns a payment.
func (tx *Tx) Payment(tenantID, id string) (payment.Payment, error) {
	return one(tx, "payment", scanPayment, "SELECT "+paymentColumns+" FROM payments WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// ListPayments returns the payments of an account, newest first.
func (tx *Tx) ListPayments(tenantID, accountID string, page Page) ([]payment.Payment, string, error) {
	if accountID == "" {
		return nil, "", problem.Field("account_id", "required", "say whose payments: account_id")
	}
	list := listing[payment.Payment]{
		name: "payments", query: "SELECT " + paymentColumns + " FROM payments", by: "created_at", scan: scanPayment,
		place: func(p payment.Payment) (time.Time, string) { return p.CreatedAt, p.ID },
	}
	list.and("shard =", shardOf(tenantID, accountID))
	list.and("tenant_id =", tenantID)
	list.and("account_id =", accountID)
	return list.read(tx, page)
}

// Profile returns the JSON of an account's risk profile, or nil when it has none yet.
func (tx *Tx) Profile(tenantID, accountID string) ([]byte, error) {
	body, _, err := maybe(tx, func(r row) (body []byte, err error) {
		err = r.Scan(asText{&body})
		return body, err
	}, "SELECT body FROM profiles WHERE shard = $1 AND tenant_id = $2 AND account_id = $3"+tx.lockRow(),
		shardOf(tenantID, accountID), tenantID, accountID)
	return body, err
}

// SaveProfile keeps the JSON of an account's risk profile. Callers hold LockAccount, so that none overwrites what another learned.
func (tx *Tx) SaveProfile(tenantID, accountID string, body []byte) error {
	_, err := tx.exec(`INSERT INTO profiles (shard, tenant_id, account_id, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (shard, tenant_id, account_id) DO UPDATE SET body = excluded.body`,
		shardOf(tenantID, accountID), tenantID, accountID, string(body))
	return err
}

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
	err := tx.swap(`UPDATE retry_grants SET used_by = $1
		WHERE shard = $2 AND tenant_id = $3 AND account_id = $4 AND id = $5 AND used_by = ''`,
		paymentID, shardOf(g.TenantID, g.AccountID), g.TenantID, g.AccountID, g.ID)
	if err != nil {
		return err
	}
	return tx.record(actor, g.TenantID, drafts)
}
