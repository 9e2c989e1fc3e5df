package store

// AccountIDs returns the ids of the tenant's accounts by the tenant's own identifiers; what nobody has is not among them.
func (tx *Tx) AccountIDs(tenantID string, externalIDs []string) (map[string]string, error) {
	found := make(map[string]string, len(externalIDs))
	if len(externalIDs) == 0 {
		return found, nil
	}
	tenants := make([]string, len(externalIDs))
	for i := range tenants {
		tenants[i] = tenantID
	}
	args, err := tx.store.dialect.keyArgs(tenants, externalIDs)
	if err != nil {
		return nil, err
	}
	from, _ := tx.store.dialect.keys("tenant_id text", "external_id text")
	type pair struct{ external, id string }
	err = each(tx, func(r row) (p pair, err error) {
		err = r.Scan(&p.external, &p.id)
		return p, err
	}, func(p pair) error {
		found[p.external] = p.id
		return nil
	}, "SELECT a.external_id, a.id FROM "+from+` JOIN accounts a ON a.tenant_id = k.tenant_id AND a.external_id = k.external_id
		AND a.external_id <> ''`, args...)
	return found, err
}
