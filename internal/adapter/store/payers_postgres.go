package store

import (
	"slices"

	"github.com/probity/probity/internal/domain/publication"
)

// payersTogether is Payers on PostgreSQL, in one exchange: the locks first, and what they protect after them. With it come places in the log, and
// what the tenants have set. All is planned once for each connection: by itself PostgreSQL plans what takes arrays anew each time, which takes
// longer than to run it.
func (tx *Tx) payersTogether(wanted []Asked, places int) (map[AccountKey]*Payer, error) {
	found := make(map[AccountKey]*Payer, len(wanted))
	if len(wanted) == 0 {
		return found, nil
	}
	var keys, named, usual []AccountKey
	var ids []string
	seen := make(map[AccountKey]bool, len(wanted))
	tenants := map[string]string{}
	locked := true // all of them, before
	for _, a := range wanted {
		if _, known := tx.heads[a.AccountKey]; !known {
			locked = false
		}
		if !seen[a.AccountKey] {
			seen[a.AccountKey] = true
			keys = append(keys, a.AccountKey)
			tenants[a.TenantID] = a.TenantID
		}
		if a.MethodID == "" {
			usual = append(usual, a.AccountKey)
		} else {
			named, ids = append(named, a.AccountKey), append(ids, a.MethodID)
		}
	}
	slices.SortFunc(keys, compareKeys)
	q := tx.store.dialect.payerQueries()
	columns := newKeyColumns(keys)
	if !locked {
		tx.places = nil // taken under fewer locks
	}
	tx.settings = make(map[string]publication.Settings, len(tenants))
	takeMethod := func(r row) error {
		m, err := scanPaidWith(r)
		if err == nil {
			addMethod(found, m)
		}
		return err
	}
	statements := []asked{
		{query: "SET LOCAL plan_cache_mode = force_generic_plan"},
		{query: q.lock, args: []any{columns.tenants, columns.accounts}},
		{query: q.payers, args: []any{columns.shards, columns.tenants, columns.accounts, tx.now.UnixMicro()}, rows: func(r row) error {
			p, err := scanPayer(r)
			if err == nil && p != nil {
				p.TenantID = tenants[p.TenantID]
				found[p.AccountKey] = p
			}
			return err
		}},
	}
	if places > 0 {
		statements = append(statements, asked{query: nextPlacesQuery, args: []any{places}, rows: func(r row) error {
			seq, err := scanCount64(r)
			tx.places = append(tx.places, seq)
			return err
		}})
	}
	if len(named) > 0 {
		c := newKeyColumns(named)
		statements = append(statements, asked{query: q.methods, args: []any{c.tenants, c.accounts, ids}, rows: takeMethod})
	}
	if len(usual) > 0 {
		c := newKeyColumns(usual)
		statements = append(statements, asked{query: q.defaults, args: []any{c.tenants, c.accounts}, rows: takeMethod})
	}
	for tenant := range tenants {
		tx.settings[tenant] = publication.Settings{TenantID: tenant} // unless there are others
		statements = append(statements, asked{query: riskSettingsQuery, args: []any{tenant}, rows: func(r row) error {
			s, err := scanRiskSettings(r)
			tx.settings[tenant] = s
			return err
		}})
	}
	if err := tx.together(statements...); err != nil {
		return nil, err
	}
	if err := tx.findTails(keys, found); err != nil {
		return nil, err
	}
	for key, p := range found {
		tx.heads[key] = p.head
	}
	return found, nil
}
