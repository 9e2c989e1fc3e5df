package store

import (
	"slices"

	"github.com/probity/probity/internal/domain/payment"
)

// HoldAccounts locks the accounts, in the order of their keys, and returns those that exist, and of the named payment methods those that
// exist too.
func (tx *Tx) HoldAccounts(asked []Asked) (accounts map[AccountKey]bool, methods map[Asked]bool, err error) {
	accounts, methods = map[AccountKey]bool{}, map[Asked]bool{}
	var keys, named []AccountKey
	var ids []string
	seen := map[Asked]bool{}
	for _, a := range asked {
		if bare := (Asked{AccountKey: a.AccountKey}); !seen[bare] {
			seen[bare] = true
			keys = append(keys, a.AccountKey)
		}
		if a.MethodID != "" && !seen[a] {
			seen[a] = true
			named, ids = append(named, a.AccountKey), append(ids, a.MethodID)
		}
	}
	slices.SortFunc(keys, compareKeys)
	tx.places = nil // taken under fewer locks
	columns := newKeyColumns(keys)
	args, err := tx.store.dialect.keyArgs(columns.tenants, columns.accounts)
	if err != nil || len(keys) == 0 {
		return accounts, methods, err
	}
	from, _ := tx.store.dialect.keys("tenant_id text", "account_id text")
	lock := ""
	if tx.lockRow() != "" {
		lock = " ORDER BY a.tenant_id, a.id" + tx.lockRow() + " OF a"
	}
	err = each(tx, func(r row) (key AccountKey, err error) {
		err = r.Scan(&key.TenantID, &key.AccountID)
		return key, err
	}, func(key AccountKey) error {
		accounts[key] = true
		return nil
	}, "SELECT a.tenant_id, a.id FROM "+from+" JOIN accounts a ON a.tenant_id = k.tenant_id AND a.id = k.account_id"+lock, args...)
	if err != nil || len(named) == 0 {
		return accounts, methods, err
	}
	columns = newKeyColumns(named)
	if args, err = tx.store.dialect.keyArgs(columns.tenants, columns.accounts, ids); err != nil {
		return accounts, methods, err
	}
	err = each(tx, scanPaidWith, func(m payment.Method) error {
		methods[Asked{AccountKey{m.TenantID, m.AccountID}, m.ID}] = true
		return nil
	}, tx.store.dialect.payerQueries().methods, args...)
	return accounts, methods, err
}
