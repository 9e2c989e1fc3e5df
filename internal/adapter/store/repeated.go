package store

import "time"

// keyBytes is the length of the hashes that the log keeps of keys and bodies.
const keyBytes = 16

// Repeated returns the payments that came with the keys, by their hashes, as far as those are still remembered at the wall time.
func (tx *Tx) Repeated(keyHashes [][]byte, wall time.Time) (map[[keyBytes]byte]LogEntry, error) {
	found := map[[keyBytes]byte]LogEntry{}
	if len(keyHashes) == 0 {
		return found, nil
	}
	var keys any = keyHashes
	if tx.store.dialect == onSQLite {
		keys = hexList(keyHashes)
	}
	err := each(tx, scanLogEntry, func(e LogEntry) error {
		found[[keyBytes]byte(e.KeyHash)] = e
		return nil
	}, repeatedQuery(tx.store.dialect), keys, wall.UnixMicro())
	return found, err
}

func repeatedQuery(d dialect) string {
	keys := "(SELECT unhex(e.value) AS hash FROM json_each($1) e) AS k"
	if d == onPostgres {
		keys = "unnest($1::bytea[]) AS k(hash)"
	}
	// In the order of the log: of two that came with the same key, the first of which was forgotten meanwhile, the last one counts.
	return entryQuery + " FROM " + keys + ` JOIN payments p ON p.key_hash = k.hash AND length(p.key_hash) > 0
		AND (p.key_until = 0 OR p.key_until > $2) LEFT JOIN payment_policies d ON d.policy = p.policy ORDER BY p.seq`
}

// hexList is a list of bytes as JSON.
func hexList(items [][]byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(items)*(2*keyBytes+3)+2)
	out = append(out, '[')
	for i, item := range items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		for _, b := range item {
			out = append(out, digits[b>>4], digits[b&15])
		}
		out = append(out, '"')
	}
	return string(append(out, ']'))
}

// HoldKeys lets no other node work on requests with the keys, by their hashes, until the transaction ends, and returns those that
// another one works on already. On SQLite there is one process, and one writer.
func (tx *Tx) HoldKeys(keyHashes [][]byte) (busy map[[keyBytes]byte]bool, err error) {
	if tx.store.dialect != onPostgres || len(keyHashes) == 0 {
		return nil, nil
	}
	busy = map[[keyBytes]byte]bool{}
	err = each(tx, func(r row) (hash []byte, err error) {
		var held bool
		if err = r.Scan(&hash, &held); held {
			hash = nil
		}
		return hash, err
	}, func(hash []byte) error {
		if hash != nil {
			busy[[keyBytes]byte(hash)] = true
		}
		return nil
	}, `SELECT k.hash, pg_try_advisory_xact_lock(('x' || encode(substring(k.hash for 8), 'hex'))::bit(64)::bigint)
		FROM unnest($1::bytea[]) AS k(hash)`, keyHashes)
	return busy, err
}

// HoldImports waits until no other transaction brings in past payments of the tenant, and keeps others waiting until this one ends: two that
// bring in the same payment must see each other, even under different accounts. One lock for all its keys, because PostgreSQL has room for
// a few thousand locks in all. On SQLite there is one writer.
func (tx *Tx) HoldImports(tenantID string) error {
	if tx.store.dialect != onPostgres {
		return nil
	}
	_, err := tx.exec("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "past payments of "+tenantID)
	return err
}
