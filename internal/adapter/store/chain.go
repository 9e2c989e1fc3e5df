package store

import (
	"maps"
	"math"
	"slices"
)

// The payments of an account are a chain in the log: each names the one before it (payments.prev), and the account's head names the last. An
// index on accounts would instead be written at another place for each payment, which cost more than all else about it.
//
// A head is in profiles.head. PostgreSQL writes it in the transaction that adds the payment. SQLite keeps it in memory (see heads) and writes
// it behind, for many payments at once; what is not in memory yet is in the log's end.

// anyDepth is no bound of a chain.
const anyDepth = math.MaxInt32

// chainFrom begins a query with an account's payments from one back to another, which is not among them, as chain(seq). Its arguments are
// the sequence number of the first, the shard, that of the other, and how many at most.
const chainFrom = `WITH RECURSIVE chain(seq, depth) AS (SELECT CAST($1 AS BIGINT), 1 UNION ALL SELECT p.prev, c.depth + 1
	FROM chain c CROSS JOIN payments p WHERE p.seq = c.seq AND p.shard = $2 AND p.prev > $3 AND c.depth < $4) `

// fromChain continues it: the order of a CROSS JOIN is the one in which SQLite reads.
const fromChain = " FROM chain c CROSS JOIN payments p"

const inChain = " WHERE p.seq = c.seq AND p.shard = $2"

// chainsQuery is the chains of several accounts: the keys, the sequence number of the first and that of the one before the last; then how
// many at most of each.
func chainsQuery(d dialect) string {
	keys, next := d.keys("shard bigint", "tenant_id text", "account_id text", "head bigint", "after bigint")
	return `WITH RECURSIVE chain(shard, tenant_id, account_id, after, seq, depth) AS (
		SELECT k.shard, k.tenant_id, k.account_id, k.after, k.head, 1 FROM ` + keys + ` UNION ALL
		SELECT c.shard, c.tenant_id, c.account_id, c.after, p.prev, c.depth + 1 FROM chain c CROSS JOIN payments p
		WHERE p.seq = c.seq AND p.shard = c.shard AND p.prev > c.after AND c.depth < ` + placeholders(next, 1) + `)
		SELECT tenant_id, account_id, seq FROM chain`
}

// place is a payment of an account by its place in the log.
type place struct {
	AccountKey
	seq int64
}

func scanPlace(r row) (l place, err error) {
	err = r.Scan(&l.TenantID, &l.AccountID, &l.seq)
	return l, err
}

// chains gives do each payment of each payer between its Seq and its Head, the later ones of an account first, and at most depth of each.
func (tx *Tx) chains(payers []*Payer, depth int, do func(place)) error {
	if len(payers) == 0 {
		return nil
	}
	keys := make([]AccountKey, len(payers))
	heads, after := make([]int64, len(payers)), make([]int64, len(payers))
	for i, p := range payers {
		keys[i], heads[i], after[i] = p.AccountKey, p.head, p.Seq
	}
	columns := newKeyColumns(keys)
	args, err := tx.store.dialect.keyArgs(columns.shards, columns.tenants, columns.accounts, heads, after)
	if err != nil {
		return err
	}
	return each(tx, scanPlace, func(l place) error {
		do(l)
		return nil
	}, tx.store.dialect.payerQueries().chains, append(args, depth)...)
}

// head returns the place of an account's last payment in the log, 0 when there is none.
func (tx *Tx) head(key AccountKey) (int64, error) {
	if tx.store.hot != nil && !tx.writable {
		return tx.headOnSQLite(key)
	}
	found, err := tx.headsOf([]AccountKey{key})
	return found[key], err
}

// headsOf returns the last payments of accounts, as this writing transaction leaves them. Callers hold the locks of the accounts.
func (tx *Tx) headsOf(keys []AccountKey) (map[AccountKey]int64, error) {
	if err := tx.lookAtVersion(); err != nil {
		return nil, err
	}
	if tx.heads == nil {
		tx.heads = make(map[AccountKey]int64, len(keys))
	}
	var unknown []AccountKey
	for _, key := range keys {
		if _, known := tx.heads[key]; known {
			continue
		}
		if seq, known := tx.keptHead(key); known {
			tx.heads[key] = seq
		} else {
			tx.heads[key] = 0 // unless it is found
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return tx.heads, nil
	}
	slices.SortFunc(unknown, compareKeys)
	columns := newKeyColumns(unknown)
	args, err := tx.store.dialect.keyArgs(columns.shards, columns.tenants, columns.accounts)
	if err != nil {
		return nil, err
	}
	from, _ := tx.store.dialect.keys("shard bigint", "tenant_id text", "account_id text")
	return tx.heads, each(tx, scanPlace, func(l place) error {
		tx.heads[l.AccountKey] = l.seq
		return nil
	}, "SELECT f.tenant_id, f.account_id, f.head FROM "+from+" CROSS JOIN profiles f"+
		" WHERE f.shard = k.shard AND f.tenant_id = k.tenant_id AND f.account_id = k.account_id", args...)
}

// saveHeads stores the last payments of accounts, whose profiles stay as they are.
func (tx *Tx) saveHeads(heads map[AccountKey]int64) error {
	keys := byShard(maps.Keys(heads))
	const save = "INSERT INTO profiles (shard, tenant_id, account_id, seq, head, body) "
	const orReplace = " ON CONFLICT (shard, tenant_id, account_id) DO UPDATE SET head = excluded.head"
	columns := newKeyColumns(keys)
	if tx.store.dialect == onSQLite {
		for i, key := range keys {
			if _, err := tx.exec(save+"VALUES ($1, $2, $3, 0, $4, x'')"+orReplace, columns.shards[i], key.TenantID, key.AccountID, heads[key]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(keys) == 0 {
		return nil
	}
	seqs := make([]int64, len(keys))
	for i, key := range keys {
		seqs[i] = heads[key]
	}
	from, _ := tx.store.dialect.keys("shard bigint", "tenant_id text", "account_id text", "head bigint")
	tx.later(save+"SELECT k.shard, k.tenant_id, k.account_id, 0, k.head, ''::bytea FROM "+from+orReplace,
		columns.shards, columns.tenants, columns.accounts, seqs)
	return nil
}
