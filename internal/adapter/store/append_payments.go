package store

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/payment"
)

// logWidth is how many columns an INSERT into the log gives.
var logWidth = strings.Count(logColumns, ",") + 1

// logRows are the sizes, largest first, of the INSERTs that a list of entries is cut into on SQLite, so that a few statements can be
// kept prepared.
var logRows = []int{64, 8, 1}

// AppendPayments adds payments to the decision log, in order, and gives each its Seq. Callers hold the locks of their accounts, so that
// the payments of one account are numbered in the order in which they are decided.
func (tx *Tx) AppendPayments(entries []*LogEntry) error {
	if len(entries) == 0 {
		return nil
	}
	if !tx.writable {
		return errReadOnly
	}
	before, err := tx.placeInLog(entries)
	if err != nil {
		return err
	}
	rows := make([]logRow, len(entries))
	for i, e := range entries {
		if e.Outcome == payment.Rejected && e.VerificationID == "" && e.Source != payment.FromHistory && !e.Unchecked() {
			return errors.New("store: a rejected payment without its verification")
		}
		policy, err := tx.policyNumber(e.PolicyID, e.PolicyVersion)
		if err != nil {
			return err
		}
		if rows[i], err = rowOf(e, before[i], policy); err != nil {
			return err
		}
	}
	if tx.store.dialect == onPostgres {
		return tx.appendArrays(rows)
	}
	tx.store.checkpoints.commits += len(rows) / 64 // an import changes as many pages as many groups
	return tx.appendRows(rows)
}

// placeInLog gives entries their places, and returns for each that of its account's payment before it.
func (tx *Tx) placeInLog(entries []*LogEntry) ([]int64, error) {
	keys := make([]AccountKey, len(entries))
	for i, e := range entries {
		keys[i] = AccountKey{e.TenantID, e.Attempt.AccountID}
	}
	heads, err := tx.headsOf(keys)
	if err != nil {
		return nil, err
	}
	seqs, err := tx.takePlaces(len(entries))
	if err != nil {
		return nil, err
	}
	before := make([]int64, len(entries))
	if tx.appended == nil {
		tx.appended = make(map[AccountKey]int64, len(entries))
	}
	for i, e := range entries {
		e.Seq, before[i] = seqs[i], heads[keys[i]]
		heads[keys[i]], tx.appended[keys[i]] = e.Seq, e.Seq
	}
	return before, nil
}

// nextPlacesQuery takes places of the log on PostgreSQL.
const nextPlacesQuery = "SELECT nextval('payments_seq_seq') FROM generate_series(1, $1)"

// takePlaces takes the next places of the log. On PostgreSQL each is higher than any that a transaction took which held the same account before:
// they are taken while the accounts are locked.
func (tx *Tx) takePlaces(count int) ([]int64, error) {
	if tx.store.hot == nil {
		taken := tx.places[:min(count, len(tx.places)):min(count, len(tx.places))]
		tx.places = tx.places[len(taken):]
		if len(taken) == count {
			return taken, nil
		}
		more, err := all(tx, scanCount64, nextPlacesQuery, count-len(taken))
		return append(taken, more...), err
	}
	if tx.last == 0 {
		tx.last = tx.store.hot.heads.last
	}
	seqs := make([]int64, count)
	for i := range seqs {
		tx.last++
		seqs[i] = tx.last
	}
	return seqs, nil
}

// logRow is one entry as it is stored.
type logRow struct {
	entry   *LogEntry
	prev    int64 // the place of the account's payment before it
	policy  int64
	shard   int64
	reasons string
}

func rowOf(e *LogEntry, prev, policy int64) (logRow, error) {
	row := logRow{entry: e, prev: prev, policy: policy, shard: shardOf(e.TenantID, e.Attempt.AccountID)}
	if len(e.Reasons) > 0 {
		text, err := json.Marshal(e.Reasons)
		if err != nil {
			return row, err
		}
		row.reasons = string(text)
	}
	return row, nil
}

// args are the values of logColumns.
func (r logRow) args(into []any) []any {
	e, a := r.entry, &r.entry.Attempt
	return append(into, e.Seq, r.prev, e.CreatedAt.UnixMicro(), a.OccurredAt.UnixMicro(), a.Amount.AmountMinor, microsOrZero(e.KeyUntil), r.policy, r.shard,
		e.TenantID, a.AccountID, e.ID, string(e.Source), string(e.Outcome), a.PaymentMethodID, string(e.MethodKind), e.Fingerprint,
		a.Amount.Currency, a.IP, a.Location.Country, a.Location.Region, a.Location.City, a.DeviceID, a.Merchant, r.reasons, e.VerificationID,
		e.GrantID, bytesOf(e.Facts), bytesOf(e.KeyHash), bytesOf(e.BodyHash))
}

func microsOrZero(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// bytesOf is bytes as an argument for a column that is never NULL.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// appendLog is the INSERT of a number of rows on SQLite. OR FAIL spares SQLite the copies of pages by which it could undo one statement:
// when one fails, its whole transaction or savepoint is undone here.
func appendLog(rows int) string {
	var text strings.Builder
	text.WriteString("INSERT OR FAIL INTO payments (" + logColumns + ") VALUES ")
	for i := range rows {
		if i > 0 {
			text.WriteString(", ")
		}
		// Without numbers: the driver looks up the name of each argument that has one.
		text.WriteString("(" + strings.Repeat("?, ", logWidth-1) + "?)")
	}
	return text.String()
}

var appendLogTexts = func() map[int]string {
	texts := map[int]string{}
	for _, rows := range logRows {
		texts[rows] = appendLog(rows)
	}
	return texts
}()

func (tx *Tx) appendRows(rows []logRow) error {
	for done := 0; done < len(rows); {
		size := 1
		for _, size = range logRows {
			if size <= len(rows)-done {
				break
			}
		}
		args := make([]any, 0, size*logWidth)
		for _, row := range rows[done : done+size] {
			args = row.args(args)
		}
		if err := checkText(args); err != nil {
			return err
		}
		if _, err := tx.execOne(appendLogTexts[size], args...); err != nil {
			return err
		}
		done += size
	}
	return nil
}

// appendArrays adds rows on PostgreSQL by arrays, one for each column: one text, prepared once, for any number of rows.
const appendArraysQuery = "INSERT INTO payments (" + logColumns + `)
	SELECT t.c1, t.c2, t.c3, t.c4, t.c5, t.c6, t.c7, t.c8, t.c9, t.c10, t.c11, t.c12, t.c13, t.c14, t.c15, t.c16, t.c17, t.c18, t.c19, t.c20,
		t.c21, t.c22, t.c23, t.c24, t.c25, t.c26, t.c27, t.c28, t.c29
	FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[], $8::smallint[], $9::text[],
		$10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
		$20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::bytea[], $28::bytea[], $29::bytea[])
		AS t(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29)`

func (tx *Tx) appendArrays(rows []logRow) error {
	columns := make([]any, logWidth)
	values := make([]any, 0, logWidth)
	for i, row := range rows {
		values = row.args(values[:0])
		for c, value := range values {
			switch value := value.(type) {
			case int64:
				columns[c] = put(columns[c], i, len(rows), value)
			case string:
				if err := checkText([]any{value}); err != nil {
					return err
				}
				columns[c] = put(columns[c], i, len(rows), value)
			case []byte:
				columns[c] = put(columns[c], i, len(rows), value)
			}
		}
	}
	tx.later(appendArraysQuery, columns...)
	return nil
}

// put sets one item of a column, which is made with the first.
func put[T any](column any, i, length int, value T) []T {
	list, made := column.([]T)
	if !made {
		list = make([]T, length)
	}
	list[i] = value
	return list
}

// policyName is what names a policy that decided.
type policyName struct{ id, version string }

// policyNumber returns the number that payments keep for a policy, 0 for none.
func (tx *Tx) policyNumber(id, version string) (int64, error) {
	if id == "" && version == "" {
		return 0, nil
	}
	name := policyName{id, version}
	if known, found := tx.store.policies.Load(name); found {
		return known.(int64), nil
	}
	if known, found := tx.policies[name]; found {
		return known, nil
	}
	const query = "SELECT policy FROM payment_policies WHERE policy_id = $1 AND policy_version = $2"
	number, found, err := maybe(tx, scanCount64, query, id, version)
	if err == nil && !found {
		if _, err = tx.exec("INSERT INTO payment_policies (policy_id, policy_version) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, version); err == nil {
			number, err = one(tx, "policy", scanCount64, query, id, version)
		}
	}
	if err != nil {
		return 0, err
	}
	if tx.policies == nil {
		tx.policies = map[policyName]int64{}
	}
	tx.policies[name] = number
	tx.AfterCommit(func() { tx.store.policies.Store(name, number) })
	return number, nil
}
