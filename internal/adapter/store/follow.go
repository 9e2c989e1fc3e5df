package store

import (
	"time"

	"github.com/probity/probity/internal/domain/payment"
)

// Span is a run of sequence numbers, both ends included.
type Span struct{ From, To int64 }

// NewestPayment returns the highest sequence number of the decision log that the transaction sees, 0 when the log is empty.
func (tx *Tx) NewestPayment() (int64, error) {
	return one(tx, "payment", scanCount64, "SELECT COALESCE(MAX(seq), 0) FROM payments")
}

// LogIn gives up to limit payments of the whole log whose numbers are in the spans to do, in order, as PastLog does.
func (tx *Tx) LogIn(spans []Span, limit int, do func(*LogEntry) error) error {
	if len(spans) == 0 {
		return nil
	}
	from, to := make([]int64, len(spans)), make([]int64, len(spans))
	for i, s := range spans {
		from[i], to[i] = s.From, s.To
	}
	keys, next := tx.store.dialect.keys("low bigint", "high bigint")
	args, err := tx.store.dialect.keyArgs(from, to)
	if err != nil {
		return err
	}
	limited := placeholders(next, 1)
	// A cross join has SQLite look up each span, and not each payment; a lateral one has PostgreSQL do so.
	query := "SELECT " + pastColumns + " FROM " + keys + " CROSS JOIN payments p WHERE p.seq BETWEEN k.low AND k.high ORDER BY p.seq LIMIT " + limited
	if tx.store.dialect == onPostgres {
		query = "SELECT " + pastColumns + " FROM " + keys + " CROSS JOIN LATERAL (SELECT " + loggedColumns +
			" FROM payments WHERE seq BETWEEN k.low AND k.high ORDER BY seq LIMIT " + limited + ") p ORDER BY p.seq LIMIT " + limited
	}
	return each(tx, scanPast, do, query, append(args, limit)...)
}

// PastOfTenant gives up to limit payments of one tenant whose numbers are in the span to do, in order, as PastLog does. The database looks at
// every payment in the span, so bound it.
func (tx *Tx) PastOfTenant(tenantID string, span Span, limit int, do func(*LogEntry) error) error {
	return each(tx, scanPast, do, "SELECT "+pastColumns+" FROM payments p"+
		" WHERE p.seq > $1 AND p.seq <= $2 AND p.tenant_id = $3 ORDER BY p.seq LIMIT $4", span.From-1, span.To, tenantID, limit)
}

// FindingsOfTenant returns up to limit findings of one tenant behind a sequence number, in order.
func (tx *Tx) FindingsOfTenant(tenantID string, sequence int64, limit int) ([]payment.Finding, error) {
	return all(tx, scanFinding, findingsWhere+"seq > $1 AND tenant_id = $2 ORDER BY seq LIMIT $3", sequence, tenantID, limit)
}

// sinceProbes is into how many parts LogSince cuts a log.
const sinceProbes = 256

// LogSince returns a number of the decision log such that every payment that was stored at the instant or later has a higher one. It may be
// too low by one part in 256 of the log. Numbers and instants grow together but for transactions that overlap and clocks that differ, so take an
// instant that is earlier by more than that. It looks at the log from its beginning in steps, and not by halves, so that a clock that was
// wrong for a while makes it return too low a number rather than one too high.
func (tx *Tx) LogSince(at time.Time) (int64, error) { return tx.since("payments", "created_at", at) }

// FindingsSince is LogSince of what was learned of payments, by when it was known.
func (tx *Tx) FindingsSince(at time.Time) (int64, error) {
	return tx.since("payment_findings", "known_at", at)
}

func (tx *Tx) since(table, column string, at time.Time) (int64, error) {
	newest, err := one(tx, "number", scanCount64, "SELECT COALESCE(MAX(seq), 0) FROM "+table)
	if err != nil || newest == 0 {
		return 0, err
	}
	step := newest/sinceProbes + 1
	var probes []int64
	for after := int64(0); after < newest; after += step {
		probes = append(probes, after)
	}
	keys, _ := tx.store.dialect.keys("after bigint")
	args, err := tx.store.dialect.keyArgs(probes)
	if err != nil {
		return 0, err
	}
	found := probes[len(probes)-1]
	type probe struct{ after, at int64 }
	err = each(tx, func(r row) (p probe, err error) {
		err = r.Scan(&p.after, &p.at)
		return p, err
	}, func(p probe) error {
		if p.at >= at.UnixMicro() {
			found = min(found, max(p.after-step, 0))
		}
		return nil
	}, "SELECT k.after, (SELECT p."+column+" FROM "+table+" p WHERE p.seq > k.after ORDER BY p.seq LIMIT 1) FROM "+keys, args...)
	return found, err
}
