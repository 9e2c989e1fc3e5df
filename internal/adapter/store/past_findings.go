package store

import (
	"slices"
	"strings"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
)

// LoggedPayments returns payments of a tenant by their ids, as the log has them; what does not exist is not among them.
func (tx *Tx) LoggedPayments(tenantID string, ids []string) (map[string]*LogEntry, error) {
	found := make(map[string]*LogEntry, len(ids))
	from, args, err := tx.ofTenant(tenantID, ids)
	if err != nil || len(ids) == 0 {
		return found, err
	}
	err = each(tx, scanLogEntry, func(e LogEntry) error {
		found[e.ID] = &e
		return nil
	}, entryQuery+" FROM "+from+` JOIN payments p ON p.id = k.id AND p.tenant_id = k.tenant_id
		LEFT JOIN payment_policies d ON d.policy = p.policy`, args...)
	return found, err
}

// ofTenant is a list of ids of a tenant that a query selects from as k.
func (tx *Tx) ofTenant(tenantID string, ids []string) (from string, args []any, err error) {
	tenants := make([]string, len(ids))
	for i := range tenants {
		tenants[i] = tenantID
	}
	from, _ = tx.store.dialect.keys("tenant_id text", "id text")
	args, err = tx.store.dialect.keyArgs(tenants, ids)
	return from, args, err
}

// FindingsOfPayments returns what was learned of several payments, each in order.
func (tx *Tx) FindingsOfPayments(payments map[string]*LogEntry) (map[string][]payment.Finding, error) {
	found := map[string][]payment.Finding{}
	var shards []int64
	var tenants, accounts, ids []string
	for id, e := range payments {
		shards, tenants = append(shards, shardOf(e.TenantID, e.Attempt.AccountID)), append(tenants, e.TenantID)
		accounts, ids = append(accounts, e.Attempt.AccountID), append(ids, id)
	}
	if len(ids) == 0 {
		return found, nil
	}
	from, _ := tx.store.dialect.keys("shard bigint", "tenant_id text", "account_id text", "payment_id text")
	args, err := tx.store.dialect.keyArgs(shards, tenants, accounts, ids)
	if err != nil {
		return nil, err
	}
	columns := "f." + strings.ReplaceAll(findingColumns, ", ", ", f.")
	err = each(tx, scanFinding, func(f payment.Finding) error {
		found[f.PaymentID] = append(found[f.PaymentID], f)
		return nil
	}, "SELECT f.seq, "+columns+" FROM "+from+` JOIN payment_findings f ON f.shard = k.shard AND f.tenant_id = k.tenant_id
		AND f.account_id = k.account_id AND f.payment_id = k.payment_id ORDER BY f.seq`, args...)
	return found, err
}

// InsertFindings adds what was learned of several payments of one tenant, with the entries that tell of it.
func (tx *Tx) InsertFindings(actor access.Actor, findings []payment.Finding, drafts []journal.Draft) error {
	if len(findings) == 0 {
		return nil
	}
	for batch := range slices.Chunk(findings, insertBatch) {
		var args []any
		for _, f := range batch {
			args = append(args, shardOf(f.TenantID, f.AccountID), f.TenantID, f.AccountID, f.PaymentID, f.ID, string(f.Kind), micros(f.OccurredAt),
				micros(f.KnownAt), f.CaseID, f.VerificationID, asJSON{f.Reasons}, f.ReportedBy)
		}
		if _, err := tx.exec("INSERT INTO payment_findings ("+findingColumns+") VALUES "+tx.store.dialect.rows(len(batch), len(args)), args...); err != nil {
			return err
		}
	}
	return tx.record(actor, findings[0].TenantID, drafts)
}
