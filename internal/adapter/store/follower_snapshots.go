package store

import "time"

// SnapshotPart is a part of what a follower of the decision log keeps in memory of a tenant, written down so that a start need not read
// the whole log. Part 0 is written last and makes the snapshot whole; its body says how many parts there are besides.
type SnapshotPart struct {
	TenantID  string
	Follower  string // names the snapshot; parts of one have the same
	Part      int64
	Payments  int64 // every payment up to this sequence number is in it
	Findings  int64
	Body      []byte
	CreatedAt time.Time
}

const snapshotColumns = "tenant_id, follower, part, payments, findings, body, created_at"

func scanSnapshot(r row) (SnapshotPart, error) {
	var p SnapshotPart
	err := r.Scan(&p.TenantID, &p.Follower, &p.Part, &p.Payments, &p.Findings, &p.Body, instant{&p.CreatedAt})
	return p, err
}

// InsertSnapshotPart adds a part.
func (tx *Tx) InsertSnapshotPart(p SnapshotPart) error {
	return tx.insert("follower_snapshots", snapshotColumns, nil, p.TenantID, p.Follower, p.Part, p.Payments, p.Findings, bytesOf(p.Body), micros(p.CreatedAt))
}

// LatestSnapshot returns part 0 of the latest snapshot that is whole, and whether there is one.
func (tx *Tx) LatestSnapshot(tenantID string) (SnapshotPart, bool, error) {
	return maybe(tx, scanSnapshot, "SELECT "+snapshotColumns+` FROM follower_snapshots
		WHERE tenant_id = $1 AND part = 0 ORDER BY payments DESC, created_at DESC, follower DESC LIMIT 1`, tenantID)
}

// SnapshotPart returns one part of a snapshot.
func (tx *Tx) SnapshotPart(tenantID, follower string, part int64) (SnapshotPart, error) {
	return one(tx, "snapshot", scanSnapshot, "SELECT "+snapshotColumns+` FROM follower_snapshots
		WHERE tenant_id = $1 AND follower = $2 AND part = $3`, tenantID, follower, part)
}

// DropSnapshots removes a tenant's snapshots that were made before an instant, but for the one that is named.
func (tx *Tx) DropSnapshots(tenantID, keep string, before time.Time) error {
	_, err := tx.exec("DELETE FROM follower_snapshots WHERE tenant_id = $1 AND follower <> $2 AND created_at < $3", tenantID, keep, micros(before))
	return err
}
