package store

// Profile returns an account's risk profile as it was stored, nil when it never was, and the sequence number up to which it holds the
// account's part of the log; Past gives what comes after it.
func (tx *Tx) Profile(tenantID, accountID string) (body []byte, seq int64, err error) {
	type stored struct {
		body []byte
		seq  int64
	}
	found, _, err := maybe(tx, func(r row) (s stored, err error) {
		err = r.Scan(asText{&s.body}, &s.seq)
		return s, err
	}, "SELECT body, seq FROM profiles WHERE shard = $1 AND tenant_id = $2 AND account_id = $3"+tx.lockRow(),
		shardOf(tenantID, accountID), tenantID, accountID)
	return found.body, found.seq, err
}

// SaveProfile stores an account's risk profile and the sequence number of the last payment in it. Callers hold LockAccount, so that none
// overwrites what another learned.
func (tx *Tx) SaveProfile(tenantID, accountID string, seq int64, body []byte) error {
	tx.touch(AccountKey{tenantID, accountID})
	_, err := tx.exec(`INSERT INTO profiles (shard, tenant_id, account_id, seq, head, body) VALUES ($1, $2, $3, $4, 0, $5)
		ON CONFLICT (shard, tenant_id, account_id) DO UPDATE SET seq = excluded.seq, body = excluded.body`,
		shardOf(tenantID, accountID), tenantID, accountID, seq, bytesOf(body))
	return err
}

// saveProfiles stores the profiles of payers.
func (tx *Tx) saveProfiles(payers []*Payer) error {
	query := tx.store.dialect.payerQueries().saveProfiles
	if tx.store.dialect == onSQLite {
		for _, p := range payers {
			if _, err := tx.exec(query, shardOf(p.TenantID, p.AccountID), p.TenantID, p.AccountID, p.Seq, bytesOf(p.Profile)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(payers) == 0 {
		return nil
	}
	keys := make([]AccountKey, len(payers))
	seqs, bodies := make([]int64, len(payers)), make([][]byte, len(payers))
	for i, p := range payers {
		keys[i], seqs[i], bodies[i] = p.AccountKey, p.Seq, bytesOf(p.Profile)
	}
	columns := newKeyColumns(keys)
	for _, p := range payers {
		delete(tx.appended, p.AccountKey) // its head is stored with it
	}
	tx.later(query, columns.shards, columns.tenants, columns.accounts, seqs, bodies)
	return nil
}

// Past gives each payment of an account after a sequence number to do, in the order of the log, with how it was paid and without why it
// was decided so: what its profile is folded from. do must not use the transaction.
func (tx *Tx) Past(tenantID, accountID string, after int64, do func(*LogEntry) error) error {
	head, err := tx.head(AccountKey{tenantID, accountID})
	if err != nil || head <= after {
		return err
	}
	return each(tx, scanPast, do, chainFrom+"SELECT "+pastColumns+fromChain+inChain+" ORDER BY p.seq",
		head, shardOf(tenantID, accountID), after, anyDepth)
}

// HasLongPast reports whether the log has more than ShortTail payments of an account after a sequence number.
func (tx *Tx) HasLongPast(tenantID, accountID string, after int64) (bool, error) {
	head, err := tx.head(AccountKey{tenantID, accountID})
	if err != nil || head <= after {
		return false, err
	}
	count, err := one(tx, "count", scanCount, chainFrom+"SELECT COUNT(*) FROM chain", head, shardOf(tenantID, accountID), after, ShortTail+1)
	return count > ShortTail, err
}

// PastLog gives up to limit payments of the whole log after a sequence number to do, as Past does. On PostgreSQL a number can be missing
// because its transaction has not ended yet: who follows the log looks again until the gap is filled, or can be no more (see Snapshot).
func (tx *Tx) PastLog(after int64, limit int, do func(*LogEntry) error) error {
	return each(tx, scanPast, do, "SELECT "+pastColumns+" FROM payments p WHERE p.seq > $1 ORDER BY p.seq LIMIT $2", after, limit)
}
