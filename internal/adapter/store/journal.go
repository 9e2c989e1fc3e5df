package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/id"
)

// WebhookJob is the kind of the jobs that tell an endpoint of a journal entry. Their payload is "endpoint_id" and "sequence".
const WebhookJob = "webhook"

const entryColumns = "tenant_id, sequence, id, at, actor_kind, actor_id, actor_role, type, object_id, account_id, data"

// entry is a journal entry without its sequence number.
type entry = journal.Entry

func scanEntry(r row) (entry, error) {
	var e entry
	err := r.Scan(&e.TenantID, &e.Sequence, &e.ID, instant{&e.At}, &e.Actor.Kind, &e.Actor.ID, &e.Actor.Role, &e.Type, &e.ObjectID,
		&e.AccountID, fromJSON{&e.Data})
	e.Actor.TenantID = e.TenantID
	return e, err
}

// Append adds entries about things that have no row of their own, or none that changed. They get their sequence numbers when the
// transaction ends, so it does not read them back itself.
func (tx *Tx) Append(actor access.Actor, drafts ...journal.Draft) error {
	return tx.record(actor, actor.TenantID, drafts)
}

// record keeps the drafts until the end of the transaction. The head of a tenant's journal is the one row that all its writers
// share; taking it last keeps them apart for the shortest time, and never in a deadlock.
func (tx *Tx) record(actor access.Actor, tenantID string, drafts []journal.Draft) error {
	if !tx.writable {
		return errors.New("store: a journal entry inside a Read; begin with Write")
	}
	err := checkRecord(actor, tenantID, drafts)
	if err != nil {
		tx.poison(err) // the change that it was to tell of may stand already
		return err
	}
	for _, draft := range drafts {
		tx.pending = append(tx.pending, entry{
			ID: id.New(id.Event, tx.now), TenantID: tenantID, At: tx.now, Actor: actor,
			Type: draft.Type, ObjectID: draft.ObjectID, AccountID: draft.AccountID, Data: maps.Clone(draft.Data),
		})
	}
	return nil
}

func checkRecord(actor access.Actor, tenantID string, drafts []journal.Draft) error {
	switch {
	case len(drafts) == 0:
		return errors.New("store: a change of state without a journal entry")
	case tenantID == "" || actor.TenantID != tenantID:
		return errors.New("store: the actor belongs to another tenant than what changes")
	case actor.Kind == "" || actor.ID == "":
		return errors.New("store: a change of state without an actor")
	}
	for _, draft := range drafts {
		if draft.Type == "" {
			return errors.New("store: a journal entry without a type")
		}
	}
	return nil
}

// writeJournal gives the kept entries their places, and tells the endpoints that want them.
func (tx *Tx) writeJournal() error {
	byTenant := map[string][]entry{}
	for _, e := range tx.pending {
		byTenant[e.TenantID] = append(byTenant[e.TenantID], e)
	}
	tx.pending = nil
	// Sorted, so that two transactions over the same tenants take the heads of their journals in the same order.
	for _, tenantID := range slices.Sorted(maps.Keys(byTenant)) {
		entries := byTenant[tenantID]
		endpoints, err := tx.Endpoints(tenantID)
		if err != nil {
			return err
		}
		last, err := one(tx, "tenant", scanCount64,
			"UPDATE tenants SET journal_length = journal_length + $1 WHERE id = $2 RETURNING journal_length", len(entries), tenantID)
		if err != nil {
			return err
		}
		for i := range entries {
			entries[i].Sequence = last - int64(len(entries)) + int64(i) + 1
		}
		if err := tx.insertEntries(entries); err != nil {
			return err
		}
		if err := tx.fanOut(endpoints, entries); err != nil {
			return err
		}
	}
	return nil
}

func scanCount64(r row) (int64, error) {
	var count int64
	err := r.Scan(&count)
	return count, err
}

// insertBatch bounds the rows, and so the arguments, of one INSERT.
const insertBatch = 100

// rows is what follows VALUES for a number of rows with so many arguments together. SQLite's driver looks up the name of each argument that
// has one, which takes longer than the row.
func (d dialect) rows(rows, args int) string {
	width := args / rows
	all := make([]string, rows)
	for i := range all {
		if d == onPostgres {
			all[i] = "(" + placeholders(i*width+1, width) + ")"
		} else {
			all[i] = "(" + strings.Repeat("?, ", width-1) + "?)"
		}
	}
	return strings.Join(all, ", ")
}

func (tx *Tx) insertEntries(entries []entry) error {
	for batch := range slices.Chunk(entries, insertBatch) {
		var args []any
		for _, e := range batch {
			args = append(args, e.TenantID, e.Sequence, e.ID, e.At.UnixMicro(), e.Actor.Kind, e.Actor.ID, e.Actor.Role, e.Type, e.ObjectID,
				e.AccountID, asJSON{e.Data})
		}
		if _, err := tx.exec("INSERT INTO journal ("+entryColumns+") VALUES "+tx.store.dialect.rows(len(batch), len(args)), args...); err != nil {
			return err
		}
	}
	return nil
}

// fanOut enqueues a webhook job for each endpoint and entry it wants.
func (tx *Tx) fanOut(endpoints []journal.Endpoint, entries []entry) error {
	for _, endpoint := range endpoints {
		for _, e := range entries {
			if !endpoint.Wants(e.Type) {
				continue
			}
			sequence := strconv.FormatInt(e.Sequence, 10)
			err := tx.EnqueueNow(Job{
				TenantID: e.TenantID, Kind: WebhookJob, Key: "webhook:" + endpoint.ID + ":" + sequence,
				Payload: map[string]string{"endpoint_id": endpoint.ID, "sequence": sequence},
			})
			if err != nil {
				return fmt.Errorf("enqueue webhooks: %w", err)
			}
		}
	}
	return nil
}

// Entries returns up to limit entries (1 … MaxLimit, zero means DefaultLimit) after a sequence number, in order.
func (tx *Tx) Entries(tenantID string, after int64, limit int) ([]journal.Entry, error) {
	limit, err := Page{Limit: limit}.limit()
	if err != nil {
		return nil, err
	}
	return all(tx, scanEntry, "SELECT "+entryColumns+" FROM journal WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
		tenantID, after, limit)
}

// EntryBySequence returns one entry.
func (tx *Tx) EntryBySequence(tenantID string, sequence int64) (journal.Entry, error) {
	return one(tx, "event", scanEntry, "SELECT "+entryColumns+" FROM journal WHERE tenant_id = $1 AND sequence = $2", tenantID, sequence)
}

// EntryFilter chooses journal entries; what is given must hold together, and something must be given.
type EntryFilter struct {
	AccountID string
	ObjectIDs []string
}

// EntriesOf returns the entries about an account or some objects, newest first.
func (tx *Tx) EntriesOf(tenantID string, filter EntryFilter, page Page) ([]journal.Entry, string, error) {
	if filter.AccountID == "" && len(filter.ObjectIDs) == 0 {
		return nil, "", errors.New("store: journal entries of nothing in particular; use Entries")
	}
	list := listing[entry]{
		// A page is placed by the sequence number alone: it is unique, so the instant column of the cursor is spared.
		name: "journal", query: "SELECT " + entryColumns + " FROM journal", by: "sequence", scan: scanEntry,
		place: func(e entry) (time.Time, string) { return time.UnixMicro(e.Sequence), e.ID },
	}
	list.and("tenant_id =", tenantID)
	list.andText("account_id =", filter.AccountID)
	if len(filter.ObjectIDs) > 0 {
		from := len(list.args) + 1
		for _, object := range filter.ObjectIDs {
			list.args = append(list.args, object)
		}
		list.where = append(list.where, "object_id IN ("+placeholders(from, len(filter.ObjectIDs))+")")
	}
	return list.read(tx, page)
}
