package store

import (
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
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
	tx.touch(AccountKey{m.TenantID, m.AccountID})
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
