package store

import (
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/problem"
)

const findingColumns = "shard, tenant_id, account_id, payment_id, id, kind, occurred_at, known_at, case_id, verification_id, reasons, reported_by"

func scanFinding(r row) (payment.Finding, error) {
	var f payment.Finding
	var shard int64
	err := r.Scan(&f.Sequence, &shard, &f.TenantID, &f.AccountID, &f.PaymentID, &f.ID, &f.Kind, instant{&f.OccurredAt}, instant{&f.KnownAt},
		&f.CaseID, &f.VerificationID, fromJSON{&f.Reasons}, &f.ReportedBy)
	return f, err
}

// InsertFinding adds what was learned of a payment, and returns it with its sequence number. A held payment is decided once.
func (tx *Tx) InsertFinding(actor access.Actor, f payment.Finding, drafts []journal.Draft) (payment.Finding, error) {
	sequence, _, err := maybe(tx, scanCount64, "INSERT INTO payment_findings ("+findingColumns+") VALUES ("+placeholders(1, 12)+") RETURNING seq",
		shardOf(f.TenantID, f.AccountID), f.TenantID, f.AccountID, f.PaymentID, f.ID, string(f.Kind), micros(f.OccurredAt), micros(f.KnownAt), f.CaseID,
		f.VerificationID, asJSON{f.Reasons}, f.ReportedBy)
	if isDuplicate(err) {
		return f, problem.New(problem.Conflict, "payment_not_held", "this payment was decided already; that decision stands")
	}
	if err != nil {
		return f, err
	}
	f.Sequence = sequence
	return f, tx.record(actor, f.TenantID, drafts)
}

const findingsWhere = "SELECT seq, " + findingColumns + " FROM payment_findings WHERE "

// FindingsOf returns what was learned of a payment, in order.
func (tx *Tx) FindingsOf(tenantID, accountID, paymentID string) ([]payment.Finding, error) {
	return all(tx, scanFinding, findingsWhere+"shard = $1 AND tenant_id = $2 AND account_id = $3 AND payment_id = $4 ORDER BY seq",
		shardOf(tenantID, accountID), tenantID, accountID, paymentID)
}

// FindingsOfAccount returns what was learned of an account's payments, in order.
func (tx *Tx) FindingsOfAccount(tenantID, accountID string) ([]payment.Finding, error) {
	return all(tx, scanFinding, findingsWhere+"shard = $1 AND tenant_id = $2 AND account_id = $3 ORDER BY seq",
		shardOf(tenantID, accountID), tenantID, accountID)
}

// FindingsAfter returns up to limit findings of all tenants behind a sequence number, in order. On PostgreSQL a number may be missing that a
// transaction still holds.
func (tx *Tx) FindingsAfter(sequence int64, limit int) ([]payment.Finding, error) {
	return all(tx, scanFinding, findingsWhere+"seq > $1 ORDER BY seq LIMIT $2", sequence, limit)
}
