package store

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

// IdempotencyRecord is the answer that was given to a request with an Idempotency-Key. It is written in the transaction of the change.
type IdempotencyRecord struct {
	TenantID  string
	Key       string
	Route     string // method and path pattern; the same key elsewhere is another request
	BodyHash  []byte // SHA-256
	Status    int    // HTTP status
	Response  []byte
	CreatedAt time.Time
	ExpiresAt time.Time
}

const idempotencyColumns = "tenant_id, key, route, body_hash, status, response, created_at, expires_at"

func scanIdempotency(r row) (IdempotencyRecord, error) {
	var rec IdempotencyRecord
	err := r.Scan(&rec.TenantID, &rec.Key, &rec.Route, &rec.BodyHash, &rec.Status, &rec.Response, instant{&rec.CreatedAt}, instant{&rec.ExpiresAt})
	return rec, err
}

// FindIdempotency returns the record of a key that has not expired at the wall time, and whether there is one.
func (tx *Tx) FindIdempotency(tenantID, route, key string, wall time.Time) (IdempotencyRecord, bool, error) {
	return maybe(tx, scanIdempotency, "SELECT "+idempotencyColumns+` FROM idempotency
		WHERE tenant_id = $1 AND route = $2 AND key = $3 AND expires_at > $4`, tenantID, route, key, micros(wall))
}

// HoldIdempotency lets no other node work on a request with the key until the transaction ends; the conflict "idempotency_in_flight"
// says that one does already. It comes first: otherwise the repetition would wait for what its first attempt is changing, and be
// refused because of that. On SQLite there is one process, and one writer.
func (tx *Tx) HoldIdempotency(tenantID, route, key string) error {
	if tx.store.dialect != onPostgres {
		return nil
	}
	sum := sha256.Sum256([]byte("idempotency\x00" + tenantID + "\x00" + route + "\x00" + key))
	held, _, err := maybe(tx, func(r row) (held bool, err error) {
		err = r.Scan(&held)
		return held, err
	}, "SELECT pg_try_advisory_xact_lock($1)", int64(binary.BigEndian.Uint64(sum[:8])))
	if err == nil && !held {
		return problem.New(problem.Conflict, "idempotency_in_flight", "a request with this idempotency key is being worked on; try again in a moment")
	}
	return err
}

// InsertIdempotency adds a record, in the place of one that has expired when it is made. The conflict "idempotency_key_taken" says that another request with
// the key has been answered meanwhile: roll back, and answer from its record.
func (tx *Tx) InsertIdempotency(rec IdempotencyRecord) error {
	count, err := tx.exec("INSERT INTO idempotency ("+idempotencyColumns+") VALUES ("+placeholders(1, 8)+`)
		ON CONFLICT (tenant_id, route, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status,
		response = excluded.response, created_at = excluded.created_at, expires_at = excluded.expires_at
		WHERE idempotency.expires_at <= $9`,
		rec.TenantID, rec.Key, rec.Route, some(rec.BodyHash), rec.Status, some(rec.Response), micros(rec.CreatedAt), micros(rec.ExpiresAt),
		micros(rec.CreatedAt))
	if err == nil && count == 0 {
		return problem.New(problem.Conflict, "idempotency_key_taken", "another request with this Idempotency-Key was answered meanwhile; repeat it to get its answer")
	}
	return err
}

// PruneIdempotency removes the records that expired before the instant.
func (tx *Tx) PruneIdempotency(now time.Time) error {
	_, err := tx.exec("DELETE FROM idempotency WHERE expires_at <= $1", micros(now))
	return err
}
