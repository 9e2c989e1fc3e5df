package store

// Snapshot says which transactions the state that a transaction reads can lack: all that began before Xmin have ended, and none that began
// at Xmax or later is in it. Both are 0 on SQLite, where numbers are given in the order of the commits.
type Snapshot struct{ Xmin, Xmax int64 }

// Snapshot returns that of this transaction; it is of all that a Read reads.
func (tx *Tx) Snapshot() (Snapshot, error) {
	if tx.store.dialect != onPostgres {
		return Snapshot{}, nil
	}
	return one(tx, "snapshot", func(r row) (s Snapshot, err error) {
		err = r.Scan(&s.Xmin, &s.Xmax)
		return s, err
	}, "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() AS s")
}
