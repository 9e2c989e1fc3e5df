package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/standard/problem"
)

// Tx is one transaction. It is used by one goroutine, and not after the function that it was given to has returned.
type Tx struct {
	ctx       context.Context
	store     *Store
	sql       *sql.Tx
	conn      *sql.Conn // what sql runs on, when it writes to PostgreSQL
	waiting   []asked   // statements that are sent with the next; likewise
	now       time.Time
	writable  bool
	poisoned  error   // why it must not commit
	pending   []entry // journal entries that wait for their sequence numbers
	after     []func()
	enqueued  bool
	policies  map[policyName]int64            // numbers that this transaction has looked up
	heads     map[AccountKey]int64            // the last payments of accounts, as far as it has asked
	appended  map[AccountKey]int64            // those that it added to the log, and that are not in profiles.head
	places    []int64                         // of the log, taken since it locked accounts last; on PostgreSQL
	settings  map[string]publication.Settings // of tenants, as far as they came with the accounts; likewise
	touched   map[AccountKey]bool             // accounts of which it changes something that a decision reads; with hot, as all below
	warm      map[AccountKey]*Payer           // what to keep in memory of accounts
	looked    bool                            // at the version of the file
	last      int64                           // the log's last place, 0 when it has added nothing
	written   []*Payer                        // whose profiles it stores as memory has them
	headsUpTo int64                           // how far heads are written by it
}

// Now returns the one instant of this transaction, in business time.
func (tx *Tx) Now() time.Time { return tx.now }

// AfterCommit has the function called once the transaction is committed, in order; never after a rollback.
func (tx *Tx) AfterCommit(hook func()) { tx.after = append(tx.after, hook) }

// poison makes the transaction fail at its end, with the first reason given.
func (tx *Tx) poison(err error) {
	if tx.poisoned == nil {
		tx.poisoned = err
	}
}

// finish does what a transaction does last: the last payments of accounts are stored, and the journal gets its sequence numbers.
func (tx *Tx) finish() error {
	if tx.poisoned == nil && tx.store.hot == nil && len(tx.appended) > 0 {
		if err := tx.saveHeads(tx.appended); err != nil {
			return err
		}
	}
	if tx.poisoned == nil {
		if err := tx.writeJournal(); err != nil {
			return err
		}
	}
	if tx.poisoned == nil {
		if err := tx.sendWaiting(); err != nil {
			return err
		}
	}
	return tx.poisoned
}

// exec runs a statement and returns how many rows it touched. An error poisons the transaction: PostgreSQL accepts nothing more
// after one, and SQLite is held to the same.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if err := checkText(args); err != nil {
		return 0, err
	}
	result, err := tx.execOne(query, args...)
	if err != nil {
		return 0, err
	}
	count, err := result.RowsAffected()
	if err != nil {
		return 0, tx.broken(err)
	}
	return count, nil
}

// errReadOnly is the refusal of a change in a transaction that only reads.
var errReadOnly = errors.New("store: a change inside a Read; begin with Write")

// execOne runs a statement whose texts are checked, prepared if it is one of the hot path's.
func (tx *Tx) execOne(query string, args ...any) (sql.Result, error) {
	if !tx.writable {
		return nil, errReadOnly
	}
	if tx.poisoned != nil {
		// A full or failing disk makes SQLite undo the whole transaction by itself: what came after it would be stored at once, and alone.
		return nil, tx.poisoned
	}
	if err := tx.sendWaiting(); err != nil {
		return nil, err
	}
	var result sql.Result
	var err error
	if kept := tx.kept(query); kept != nil {
		result, err = kept.ExecContext(tx.ctx, args...)
	} else {
		result, err = tx.sql.ExecContext(tx.ctx, query, args...)
	}
	if err != nil {
		return nil, tx.broken(err)
	}
	return result, nil
}

// query runs a SELECT, prepared if it is one of the hot path's.
func (tx *Tx) query(query string, args ...any) (*sql.Rows, error) {
	if err := tx.sendWaiting(); err != nil {
		return nil, err
	}
	if kept := tx.kept(query); kept != nil {
		return kept.QueryContext(tx.ctx, args...)
	}
	return tx.sql.QueryContext(tx.ctx, query, args...)
}

// kept returns the statement if it is kept prepared on the connection that writes to SQLite; pgx keeps its own.
func (tx *Tx) kept(query string) *sql.Stmt {
	if !tx.writable || tx.store.hot == nil {
		return nil
	}
	if kept := tx.store.hot.statements[query]; kept != nil {
		return tx.sql.StmtContext(tx.ctx, kept)
	}
	return nil
}

func (tx *Tx) broken(err error) error {
	err = fmt.Errorf("store: %w", err)
	tx.poison(err)
	return err
}

// insert adds one row; columns is a comma-separated list as long as args. A duplicate answers with taken, when that is given.
func (tx *Tx) insert(table, columns string, taken *problem.Problem, args ...any) error {
	_, err := tx.exec("INSERT INTO "+table+" ("+columns+") VALUES ("+placeholders(1, len(args))+")", args...)
	if err != nil && taken != nil && isDuplicate(err) {
		return taken
	}
	return err
}

// swap runs an UPDATE that names the version or state it supposes, and answers with a conflict when no row is so.
func (tx *Tx) swap(query string, args ...any) error {
	count, err := tx.exec(query, args...)
	if err != nil {
		return err
	}
	if count != 1 {
		return problem.New(problem.Conflict, "changed_meanwhile", "somebody else changed this at the same time; look at it again and repeat")
	}
	return nil
}

// row is a result that can be scanned.
type row interface{ Scan(into ...any) error }

// one returns the only row of a query, or the problem that what is missing.
func one[T any](tx *Tx, what string, scan func(row) (T, error), query string, args ...any) (T, error) {
	found, ok, err := maybe(tx, scan, query, args...)
	if err == nil && !ok {
		err = problem.Missing(what)
	}
	return found, err
}

// maybe returns the first row of a query, and whether there is one.
func maybe[T any](tx *Tx, scan func(row) (T, error), query string, args ...any) (T, bool, error) {
	var none T
	if err := checkText(args); err != nil {
		return none, false, err
	}
	rows, err := tx.query(query, args...)
	if err != nil {
		return none, false, tx.broken(err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return none, false, tx.broken(err)
		}
		return none, false, nil
	}
	found, err := scan(rows)
	if err == nil {
		err = rows.Close()
	}
	if err != nil {
		return none, false, tx.broken(err)
	}
	return found, true, nil
}

// all returns every row of a query.
func all[T any](tx *Tx, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	if err := checkText(args); err != nil {
		return nil, err
	}
	var found []T
	err := each(tx, scan, func(item T) error {
		found = append(found, item)
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// each calls do with every row of a query, whose texts are checked. do must not use the transaction.
func each[T any](tx *Tx, scan func(row) (T, error), do func(T) error, query string, args ...any) error {
	rows, err := tx.query(query, args...)
	if err != nil {
		return tx.broken(err)
	}
	defer rows.Close()
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return tx.broken(err)
		}
		if err := do(item); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return tx.broken(err)
	}
	return nil
}

// scanCount reads a single number.
func scanCount(r row) (int, error) {
	var count int
	err := r.Scan(&count)
	return count, err
}

// checkText refuses text that only one of the databases would keep.
func checkText(args []any) error {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (strings.Contains(text, "\x00") || !utf8.ValidString(text)) {
			return problem.New(problem.Malformed, "text_not_storable", "text with NUL characters or broken UTF-8 is not accepted")
		}
	}
	return nil
}

// placeholders returns "$from, …" for count arguments.
func placeholders(from, count int) string {
	names := make([]string, count)
	for i := range names {
		names[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.Join(names, ", ")
}

// shards is how many parts the tables on the payment path can be spread over.
const shards = 64

// ShardOf returns the part that an account's payments belong to.
func ShardOf(key AccountKey) int { return int(shardOf(key.TenantID, key.AccountID)) }

// shardOf returns the part that an account's payments belong to.
func shardOf(tenantID, accountID string) int64 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(tenantID + "\x00" + accountID)) // never fails
	return int64(hash.Sum32() % shards)
}

// stored returns the instant as both databases keep it.
func stored(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

// micros is an instant as an argument: NULL for the zero time.
func micros(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UnixMicro()
}

// instant scans what micros wrote.
type instant struct{ into *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*i.into = time.Time{}
	case int64:
		*i.into = time.UnixMicro(value).UTC()
	default:
		return errors.New("an instant is kept as a whole number")
	}
	return nil
}

// asJSON is a list or map as an argument.
type asJSON struct{ value any }

// Value implements driver.Valuer.
func (j asJSON) Value() (driver.Value, error) {
	text, err := json.Marshal(j.value)
	return string(text), err
}

// fromJSON scans what asJSON wrote. The zero value comes back as such: null stays nil.
type fromJSON struct{ into any }

// Scan implements sql.Scanner.
func (j fromJSON) Scan(value any) error {
	switch value := value.(type) {
	case string:
		return json.Unmarshal([]byte(value), j.into)
	case []byte:
		return json.Unmarshal(value, j.into)
	default:
		return errors.New("a list or map is kept as JSON text")
	}
}

// asText scans text into bytes, the empty text as nil.
type asText struct{ into *[]byte }

// Scan implements sql.Scanner.
func (t asText) Scan(value any) error {
	*t.into = nil
	switch value := value.(type) {
	case string:
		*t.into = []byte(value)
	case []byte:
		*t.into = slices.Clone(value)
	default:
		return errors.New("this is kept as text")
	}
	if len(*t.into) == 0 {
		*t.into = nil
	}
	return nil
}

// orNull is a text as an argument: NULL when it is empty, for columns that refer to another table.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// orEmpty scans what orNull wrote.
type orEmpty struct{ into *string }

// Scan implements sql.Scanner.
func (o orEmpty) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*o.into = ""
	case string:
		*o.into = value
	default:
		return errors.New("this is kept as text")
	}
	return nil
}

// flag is a truth as an argument: SQLite has no type for it.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// some is bytes as an argument: NULL when there are none.
func some(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// lowered is an e-mail address as it is compared.
func lowered(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
