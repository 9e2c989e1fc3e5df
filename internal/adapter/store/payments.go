package store

import (
	"errors"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/problem"
)

// LogEntry is a payment in the decision log, with what the log keeps beside it.
type LogEntry struct {
	payment.Payment
	Seq int64 // its place, given when it is appended
	// KeyHash stands for the idempotency key that the payment came with, or for the tenant's own id of a past one, and BodyHash for what
	// came with it: 16 bytes each, nil without a key. KeyUntil ends the memory of the key, in wall time; zero means never.
	KeyHash  []byte
	BodyHash []byte
	KeyUntil time.Time
}

// logColumns are what an INSERT into the log gives.
const logColumns = "seq, prev, created_at, occurred_at, amount_minor, key_until, policy, shard, tenant_id, account_id, id, source, outcome, " +
	"payment_method_id, method_kind, fingerprint, currency, ip, country, region, city, device_id, merchant, reasons, verification_id, " +
	"grant_id, facts, key_hash, body_hash"

const entryQuery = "SELECT p.seq, p.created_at, p.occurred_at, p.amount_minor, p.key_until, p.tenant_id, p.account_id, p.id, p.source, " +
	"p.outcome, p.payment_method_id, p.method_kind, p.fingerprint, p.currency, p.ip, p.country, p.region, p.city, p.device_id, p.merchant, " +
	"p.reasons, p.verification_id, p.grant_id, p.facts, p.key_hash, p.body_hash, d.policy_id, d.policy_version"

const fromLog = " FROM payments p LEFT JOIN payment_policies d ON d.policy = p.policy"

func scanLogEntry(r row) (LogEntry, error) {
	var e LogEntry
	a := &e.Attempt
	var policyID, policyVersion *string
	err := r.Scan(&e.Seq, instant{&e.CreatedAt}, instant{&a.OccurredAt}, &a.Amount.AmountMinor, orZero{&e.KeyUntil}, &e.TenantID, &a.AccountID,
		&e.ID, &e.Source, &e.Outcome, &a.PaymentMethodID, &e.MethodKind, &e.Fingerprint, &a.Amount.Currency, &a.IP, &a.Location.Country,
		&a.Location.Region, &a.Location.City, &a.DeviceID, &a.Merchant, listOrNone{&e.Reasons}, &e.VerificationID, &e.GrantID,
		asText{&e.Facts}, asText{&e.KeyHash}, asText{&e.BodyHash}, &policyID, &policyVersion)
	if policyID != nil && policyVersion != nil {
		e.PolicyID, e.PolicyVersion = *policyID, *policyVersion
	}
	return e, err
}

func scanPayment(r row) (payment.Payment, error) {
	e, err := scanLogEntry(r)
	return e.Payment, err
}

// InsertPayment adds a decided payment that was not rejected: the row itself is its journal (design §4).
func (tx *Tx) InsertPayment(p payment.Payment) error {
	if p.Outcome == payment.Rejected {
		return errors.New("store: a rejected payment is recorded with InsertRejectedPayment")
	}
	return tx.AppendPayments([]*LogEntry{{Payment: p}})
}

// InsertRejectedPayment adds a rejected payment.
func (tx *Tx) InsertRejectedPayment(actor access.Actor, p payment.Payment, drafts []journal.Draft) error {
	return tx.AppendRejectedPayment(actor, &LogEntry{Payment: p}, drafts)
}

// AppendRejectedPayment adds a rejected payment with what the log keeps beside it.
func (tx *Tx) AppendRejectedPayment(actor access.Actor, e *LogEntry, drafts []journal.Draft) error {
	if e.Outcome != payment.Rejected {
		return errors.New("store: only a rejected payment is recorded with its journal entry")
	}
	if err := tx.AppendPayments([]*LogEntry{e}); err != nil {
		return err
	}
	return tx.record(actor, e.TenantID, drafts)
}

// Payment returns a payment.
func (tx *Tx) Payment(tenantID, id string) (payment.Payment, error) {
	return one(tx, "payment", scanPayment, entryQuery+fromLog+" WHERE p.tenant_id = $1 AND p.id = $2", tenantID, id)
}

// ListPayments returns the payments of an account, newest first.
func (tx *Tx) ListPayments(tenantID, accountID string, page Page) ([]payment.Payment, string, error) {
	if accountID == "" {
		return nil, "", problem.Field("account_id", "required", "say whose payments: account_id")
	}
	limit, err := page.limit()
	if err != nil {
		return nil, "", err
	}
	const name = "payments"
	var from int64 // the first of the page
	if page.Cursor == "" {
		from, err = tx.head(AccountKey{tenantID, accountID})
	} else {
		from, err = tx.before(tenantID, accountID, name, page.Cursor)
	}
	if err != nil || from == 0 {
		return nil, "", err
	}
	found, err := all(tx, scanLogEntry, chainFrom+entryQuery+fromChain+" LEFT JOIN payment_policies d ON d.policy = p.policy"+inChain+" ORDER BY p.seq DESC",
		from, shardOf(tenantID, accountID), 0, limit+1)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = writeCursor(name, found[limit-1].Seq, found[limit-1].ID)
	}
	var payments []payment.Payment
	for _, e := range found {
		payments = append(payments, e.Payment)
	}
	return payments, next, nil
}

// before returns the place of the account's payment before the one that a cursor names, 0 when that is its first.
func (tx *Tx) before(tenantID, accountID, list, cursor string) (int64, error) {
	seq, _, err := readCursor(list, cursor)
	if err != nil {
		return 0, err
	}
	prev, found, err := maybe(tx, scanCount64, "SELECT prev FROM payments WHERE seq = $1 AND shard = $2 AND tenant_id = $3 AND account_id = $4",
		seq, shardOf(tenantID, accountID), tenantID, accountID)
	if err == nil && !found {
		err = errCursor
	}
	return prev, err
}

// PaymentLog returns up to limit entries of the whole log after a sequence number, in order. On PostgreSQL a number can be missing
// because its transaction has not ended yet: a reader that follows the log looks again until the gap is filled or too old to be.
func (tx *Tx) PaymentLog(after int64, limit int) ([]LogEntry, error) {
	return all(tx, scanLogEntry, entryQuery+fromLog+" WHERE p.seq > $1 ORDER BY p.seq LIMIT $2", after, limit)
}

// orZero scans an instant that is 0 when there is none.
type orZero struct{ into *time.Time }

// Scan implements sql.Scanner.
func (o orZero) Scan(value any) error {
	if value == int64(0) {
		value = nil
	}
	return instant(o).Scan(value)
}

// listOrNone scans a list that is kept as the empty text when it has no items.
type listOrNone struct{ into any }

// Scan implements sql.Scanner.
func (l listOrNone) Scan(value any) error {
	if text, isText := value.(string); isText && text == "" {
		return nil
	}
	if raw, isBytes := value.([]byte); isBytes && len(raw) == 0 {
		return nil
	}
	return fromJSON(l).Scan(value)
}
