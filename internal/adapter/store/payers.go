package store

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/probity/probity/internal/domain/payment"
)

// AccountKey names an account of a tenant.
type AccountKey struct{ TenantID, AccountID string }

// Asked names an account that wants to pay, and with what; an empty MethodID means its default payment method.
type Asked struct {
	AccountKey
	MethodID string
}

// Payer is what a decision needs to know of an account. It is read under the account's lock.
type Payer struct {
	AccountKey
	Restricted bool   // a restriction of payments is in force
	Grants     bool   // there are retry grants that are neither used nor expired
	Profile    []byte // the fold of the account's part of the log up to Seq, as the risk engine encodes it; nil when there is none
	Seq        int64
	Unsaved    int     // entries of the log that Profile holds and the stored one does not
	Behind     bool    // the log has more than ShortTail of the account after Seq
	head       int64   // the account's last payment in the log
	tail       []int64 // the payments after Seq, the last one first; only when there are few
	methods    []payment.Method
	kept       bool // it comes from memory, where Profile has all that the log has
}

// Rebuilt says that Profile was made anew from the whole of what is stored, so that it is to be stored soon.
func (p *Payer) Rebuilt() { p.Unsaved, p.kept = max(saveEverySQLite, saveEveryPostgres), false }

// Kept reports whether the payer comes from memory, where it has everything already.
func (p *Payer) Kept() bool { return p.kept }

// Method returns a payment method that was asked for: its id, kind, fingerprint and whether it is the default one.
func (p *Payer) Method(id string) (payment.Method, bool) {
	for _, m := range p.methods {
		if m.ID == id || (id == "" && m.Default) {
			return m, true
		}
	}
	return payment.Method{}, false
}

// How many payments of an account are decided before its profile is stored again. SQLite has it in memory, so the stored one only bounds
// what has to be folded when it was dropped from there; on PostgreSQL any node may decide next, and has nothing but what is stored.
const (
	saveEverySQLite   = 32
	saveEveryPostgres = 1
)

// ShortTail is how many payments of an account are folded while others wait: a few milliseconds' work.
const ShortTail = 1000

// maxKeptMethods bounds the payment methods that are kept in memory for one account.
const maxKeptMethods = 16

// Payers locks the accounts, in the order of their keys, and returns what decisions about them need; an account that does not exist is not
// among them. Tails then gives what the log has of them that their profiles do not hold yet. payments is how many are likely to be added to the log.
func (tx *Tx) Payers(asked []Asked, payments int) (map[AccountKey]*Payer, error) {
	if tx.heads == nil {
		tx.heads = make(map[AccountKey]int64, len(asked))
	}
	if tx.store.dialect == onPostgres {
		return tx.payersTogether(asked, payments)
	}
	found := make(map[AccountKey]*Payer, len(asked))
	var missing []AccountKey
	if err := tx.lookAtVersion(); err != nil {
		return nil, err
	}
	for _, a := range asked {
		if _, seen := found[a.AccountKey]; seen {
			continue
		}
		found[a.AccountKey] = tx.keptPayer(a.AccountKey)
		if found[a.AccountKey] == nil {
			missing = append(missing, a.AccountKey)
		}
	}
	if err := tx.readPayers(missing, found); err != nil {
		return nil, err
	}
	for key, payer := range found {
		if payer == nil {
			delete(found, key)
			continue
		}
		tx.heads[key] = payer.head
	}
	return found, tx.readMethods(asked, found)
}

func (tx *Tx) readPayers(keys []AccountKey, into map[AccountKey]*Payer) error {
	if len(keys) == 0 {
		return nil
	}
	slices.SortFunc(keys, compareKeys)
	q := tx.store.dialect.payerQueries()
	columns := newKeyColumns(keys)
	args, err := tx.store.dialect.keyArgs(columns.shards, columns.tenants, columns.accounts)
	if err != nil {
		return err
	}
	tenants := map[string]string{} // what is kept in memory holds each tenant's id once
	for _, key := range keys {
		tenants[key.TenantID] = key.TenantID
	}
	if err := each(tx, scanPayer, func(p *Payer) error {
		if p != nil {
			p.TenantID = tenants[p.TenantID]
			into[p.AccountKey] = p
		}
		return nil
	}, q.payers, append(args, tx.now.UnixMicro())...); err != nil {
		return err
	}
	return tx.findTails(keys, into)
}

// findTails says of the payers what the log has of them after their profiles, as far as that is little.
func (tx *Tx) findTails(keys []AccountKey, payers map[AccountKey]*Payer) error {
	var grown []*Payer
	for _, key := range keys {
		p := payers[key]
		if p == nil {
			continue
		}
		if seq, known := tx.heads[key]; known {
			p.head = seq
		} else if seq, known := tx.keptHead(key); known {
			p.head = seq
		}
		if p.head > p.Seq {
			grown = append(grown, p)
		}
	}
	return tx.chains(grown, ShortTail+1, func(l place) {
		p := payers[l.AccountKey]
		if p.Behind = len(p.tail) == ShortTail; p.Behind {
			p.tail = nil // the one too many comes last
		} else {
			p.tail = append(p.tail, l.seq)
		}
	})
}

// Tails gives fold what the log has of the accounts after their profiles' Seq, in order. Seq and Unsaved say so already when fold is
// called. fold must not use the transaction.
func (tx *Tx) Tails(payers []*Payer, fold func(*Payer, *LogEntry) error) error {
	read := make(map[AccountKey]*Payer, len(payers))
	var long []*Payer
	var seqs, shards []int64
	for _, p := range payers {
		if p.kept || p.head <= p.Seq {
			continue
		}
		read[p.AccountKey] = p
		if p.Behind {
			long = append(long, p)
			continue
		}
		for _, seq := range p.tail {
			seqs, shards = append(seqs, seq), append(shards, shardOf(p.TenantID, p.AccountID))
		}
	}
	if err := tx.chains(long, anyDepth, func(l place) {
		seqs, shards = append(seqs, l.seq), append(shards, shardOf(l.TenantID, l.AccountID))
	}); err != nil || len(seqs) == 0 {
		return err
	}
	args, err := tx.store.dialect.keyArgs(seqs, shards)
	if err != nil {
		return err
	}
	return each(tx, scanPast, func(e *LogEntry) error {
		p := read[AccountKey{e.TenantID, e.Attempt.AccountID}]
		p.Seq = e.Seq
		p.Unsaved++
		return fold(p, e)
	}, tx.store.dialect.payerQueries().tails, args...)
}

func compareKeys(a, b AccountKey) int {
	if order := strings.Compare(a.TenantID, b.TenantID); order != 0 {
		return order
	}
	return strings.Compare(a.AccountID, b.AccountID)
}

// readMethods adds the payment methods that are asked for and not known yet.
func (tx *Tx) readMethods(asked []Asked, payers map[AccountKey]*Payer) error {
	var named, usual []AccountKey
	var ids []string
	for _, a := range asked {
		p := payers[a.AccountKey]
		if p == nil {
			continue
		}
		if _, known := p.Method(a.MethodID); known {
			continue
		}
		if a.MethodID == "" {
			usual = append(usual, a.AccountKey)
			continue
		}
		named, ids = append(named, a.AccountKey), append(ids, a.MethodID)
	}
	q := tx.store.dialect.payerQueries()
	if len(named) > 0 {
		columns := newKeyColumns(named)
		if err := tx.addMethods(payers, q.methods, columns.tenants, columns.accounts, ids); err != nil {
			return err
		}
	}
	if len(usual) > 0 {
		columns := newKeyColumns(usual)
		return tx.addMethods(payers, q.defaults, columns.tenants, columns.accounts)
	}
	return nil
}

func (tx *Tx) addMethods(payers map[AccountKey]*Payer, query string, columns ...any) error {
	args, err := tx.store.dialect.keyArgs(columns...)
	if err != nil {
		return err
	}
	return each(tx, scanPaidWith, func(m payment.Method) error {
		addMethod(payers, m)
		return nil
	}, query, args...)
}

func addMethod(payers map[AccountKey]*Payer, m payment.Method) {
	p := payers[AccountKey{m.TenantID, m.AccountID}]
	if p == nil {
		return
	}
	if _, known := p.Method(m.ID); !known {
		m.TenantID, m.AccountID = p.TenantID, p.AccountID
		// Never in place: the list may be the one that is kept in memory.
		p.methods = append(slices.Clip(p.methods), m)
	}
}

// KeepPayers keeps what the accounts have become, after their payments were appended: Profile holds them all, and Seq is the last one's.
func (tx *Tx) KeepPayers(payers []*Payer) error {
	every := saveEveryPostgres
	if tx.store.hot != nil {
		every = saveEverySQLite
	}
	var save []*Payer
	for _, p := range payers {
		p.Behind, p.head, p.tail = false, p.Seq, nil
		if p.Unsaved >= every {
			p.Unsaved = 0
			save = append(save, p)
		}
		if tx.store.hot != nil {
			if tx.warm == nil {
				tx.warm = map[AccountKey]*Payer{}
			}
			p.kept = true
			if more := len(p.methods) - maxKeptMethods; more > 0 {
				p.methods = slices.Clone(p.methods[more:])
			}
			tx.warm[p.AccountKey] = p
		}
	}
	return tx.saveProfiles(save)
}

func scanPayer(r row) (*Payer, error) {
	var p Payer
	var account *string
	var restricted, grants int64
	err := r.Scan(&p.TenantID, &p.AccountID, &account, &restricted, &grants, &p.Seq, &p.head, &p.Profile)
	if account == nil {
		return nil, err
	}
	p.Restricted, p.Grants = restricted > 0, grants > 0
	return &p, err
}

func scanPaidWith(r row) (payment.Method, error) {
	var m payment.Method
	var isDefault int64
	err := r.Scan(&m.TenantID, &m.AccountID, &m.ID, &m.Kind, &m.Fingerprint, &isDefault)
	m.Default = isDefault == 1
	return m, err
}

// pastColumns are what a profile is folded from: the payment, and how it was paid. That is looked up for each payment: a join would be planned by
// PostgreSQL as one of whole tables.
const pastColumns = `p.seq, p.tenant_id, p.account_id, p.id, p.source, p.outcome, p.occurred_at, p.created_at, p.amount_minor, p.currency, p.ip, p.country,
	p.region, p.city, p.device_id, p.merchant, p.payment_method_id, COALESCE((SELECT m.kind` + ofMethod + `), p.method_kind), COALESCE((SELECT m.fingerprint` + ofMethod + `), p.fingerprint)`

// loggedColumns are those of the log that pastColumns takes.
const loggedColumns = "seq, tenant_id, account_id, id, source, outcome, occurred_at, created_at, amount_minor, currency, ip, country, region, city, " +
	"device_id, merchant, payment_method_id, method_kind, fingerprint"

const ofMethod = ` FROM payment_methods m WHERE m.tenant_id = p.tenant_id AND m.account_id = p.account_id AND m.id = p.payment_method_id`

func scanPast(r row) (*LogEntry, error) {
	var e LogEntry
	a := &e.Attempt
	err := r.Scan(&e.Seq, &e.TenantID, &a.AccountID, &e.ID, &e.Source, &e.Outcome, instant{&a.OccurredAt}, instant{&e.CreatedAt}, &a.Amount.AmountMinor,
		&a.Amount.Currency, &a.IP, &a.Location.Country, &a.Location.Region, &a.Location.City, &a.DeviceID, &a.Merchant, &a.PaymentMethodID,
		&e.MethodKind, &e.Fingerprint)
	return &e, err
}

// payerQueries are the texts of the hot path, which differ in how a list of keys is given.
type payerQueries struct {
	lock, payers, chains, tails, methods, defaults, saveProfiles string
}

// payerQueriesOf are the texts by dialect.
var payerQueriesOf = map[dialect]payerQueries{onSQLite: newPayerQueries(onSQLite), onPostgres: newPayerQueries(onPostgres)}

func (d dialect) payerQueries() payerQueries { return payerQueriesOf[d] }

func newPayerQueries(d dialect) payerQueries {
	keys, next := d.keys("shard bigint", "tenant_id text", "account_id text")
	now := "$" + strconv.Itoa(next)
	q := payerQueries{
		payers: `SELECT k.tenant_id, k.account_id, a.id, CASE WHEN r.id IS NULL THEN 0 ELSE 1 END, (SELECT COUNT(*) FROM retry_grants g
			WHERE g.shard = k.shard AND g.tenant_id = k.tenant_id AND g.account_id = k.account_id AND g.used_by = '' AND g.expires_at > ` + now + `),
			COALESCE(f.seq, 0), COALESCE(f.head, 0), f.body
			FROM ` + keys + ` LEFT JOIN accounts a ON a.tenant_id = k.tenant_id AND a.id = k.account_id
			LEFT JOIN restrictions r ON r.shard = k.shard AND r.tenant_id = k.tenant_id AND r.account_id = k.account_id AND r.kind = 'payments'
				AND r.lifted_at IS NULL
			LEFT JOIN profiles f ON f.shard = k.shard AND f.tenant_id = k.tenant_id AND f.account_id = k.account_id`,
	}
	keys, _ = d.keys("seq bigint", "shard bigint")
	q.tails = "SELECT " + pastColumns + " FROM " + keys + " CROSS JOIN payments p WHERE p.seq = k.seq AND p.shard = k.shard ORDER BY p.seq"
	q.chains = chainsQuery(d)
	keys, _ = d.keys("tenant_id text", "account_id text", "id text")
	const paidWith = "SELECT m.tenant_id, m.account_id, m.id, m.kind, m.fingerprint, m.is_default FROM "
	q.methods = paidWith + keys + " JOIN payment_methods m ON m.tenant_id = k.tenant_id AND m.account_id = k.account_id AND m.id = k.id"
	keys, _ = d.keys("tenant_id text", "account_id text")
	q.defaults = paidWith + keys + " JOIN payment_methods m ON m.tenant_id = k.tenant_id AND m.account_id = k.account_id AND m.is_default = 1"
	const save = "INSERT INTO profiles (shard, tenant_id, account_id, seq, head, body) "
	const orReplace = " ON CONFLICT (shard, tenant_id, account_id) DO UPDATE SET seq = excluded.seq, head = excluded.head, body = excluded.body"
	if d == onSQLite {
		q.saveProfiles = save + "VALUES ($1, $2, $3, $4, $4, $5)" + orReplace
		return q
	}
	q.lock = "SELECT 1 FROM " + keys + ` JOIN accounts a ON a.tenant_id = k.tenant_id AND a.id = k.account_id
		ORDER BY a.tenant_id, a.id FOR NO KEY UPDATE OF a`
	keys, _ = d.keys("shard bigint", "tenant_id text", "account_id text", "seq bigint", "body bytea")
	q.saveProfiles = save + "SELECT k.shard, k.tenant_id, k.account_id, k.seq, k.seq, k.body FROM " + keys + orReplace
	return q
}

// keys is a list of keys that a query selects from as k, and the number of the first argument after them.
func (d dialect) keys(columns ...string) (from string, next int) {
	var names, parts []string
	for i, column := range columns {
		name, kind, _ := strings.Cut(column, " ")
		names = append(names, name)
		if d == onPostgres {
			parts = append(parts, "$"+strconv.Itoa(i+1)+"::"+kind+"[]")
		} else {
			parts = append(parts, "e.value ->> "+strconv.Itoa(i)+" AS "+name)
		}
	}
	if d == onPostgres {
		return "unnest(" + strings.Join(parts, ", ") + ") AS k(" + strings.Join(names, ", ") + ")", len(columns) + 1
	}
	return "(SELECT " + strings.Join(parts, ", ") + " FROM json_each($1) e) AS k", 2
}

// keyArgs are the arguments for keys: each column a []int64, []string or [][]byte, all as long.
func (d dialect) keyArgs(columns ...any) ([]any, error) {
	if d == onPostgres {
		return columns, nil
	}
	var rows [][]any
	for c, column := range columns {
		switch column := column.(type) {
		case []int64:
			rows = addColumn(rows, c, len(columns), column)
		case []string:
			rows = addColumn(rows, c, len(columns), column)
		}
	}
	text, err := json.Marshal(rows)
	return []any{string(text)}, err
}

func addColumn[T any](rows [][]any, c, width int, values []T) [][]any {
	if rows == nil {
		rows = make([][]any, len(values))
		for i := range rows {
			rows[i] = make([]any, width)
		}
	}
	for i, value := range values {
		rows[i][c] = value
	}
	return rows
}

type keyColumns struct {
	shards            []int64
	tenants, accounts []string
}

func newKeyColumns(keys []AccountKey) keyColumns {
	c := keyColumns{shards: make([]int64, len(keys)), tenants: make([]string, len(keys)), accounts: make([]string, len(keys))}
	for i, key := range keys {
		c.shards[i], c.tenants[i], c.accounts[i] = shardOf(key.TenantID, key.AccountID), key.TenantID, key.AccountID
	}
	return c
}

// CheckStorable refuses texts that only one of the databases would keep, before they meet others in a group.
func CheckStorable(texts ...string) error {
	for _, text := range texts {
		if err := checkText([]any{text}); err != nil {
			return err
		}
	}
	return nil
}
