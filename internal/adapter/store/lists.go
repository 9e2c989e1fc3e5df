package store

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/standard/problem"
)

const listColumns = "tenant_id, id, name, kind, description, created_by, created_at, deleted_at"

func scanList(r row) (list.List, error) {
	var l list.List
	err := r.Scan(&l.TenantID, &l.ID, &l.Name, &l.Kind, &l.Description, &l.CreatedBy, instant{&l.CreatedAt}, instant{&l.DeletedAt})
	return l, err
}

// InsertList adds a list. Its name is its own among the tenant's lists that are not deleted.
func (tx *Tx) InsertList(actor access.Actor, l list.List, drafts []journal.Draft) error {
	taken := problem.New(problem.Conflict, "list_name_taken", "another list has this name")
	taken.Field = "name"
	err := tx.insert("lists", listColumns, taken, l.TenantID, l.ID, l.Name, l.Kind, l.Description, l.CreatedBy, micros(l.CreatedAt), micros(l.DeletedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, l.TenantID, drafts)
}

// DeleteList ends a list that stands. Its entries stay for who wants to know why a payment was decided.
func (tx *Tx) DeleteList(actor access.Actor, l list.List, drafts []journal.Draft) error {
	err := tx.swap("UPDATE lists SET deleted_at = $1 WHERE tenant_id = $2 AND id = $3 AND deleted_at IS NULL", micros(l.DeletedAt), l.TenantID, l.ID)
	if err != nil {
		return err
	}
	return tx.record(actor, l.TenantID, drafts)
}

// List returns a list that is not deleted.
func (tx *Tx) List(tenantID, id string) (list.List, error) {
	return one(tx, "list", scanList, "SELECT "+listColumns+" FROM lists WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL", tenantID, id)
}

// Lists returns the tenant's lists by name.
func (tx *Tx) Lists(tenantID string) ([]list.List, error) {
	return all(tx, scanList, "SELECT "+listColumns+" FROM lists WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY name", tenantID)
}

const listEntryColumns = "tenant_id, list_id, id, value, reason, added_by, created_at, expires_at, removed_at, removed_by"

func scanListEntry(r row) (list.Entry, error) {
	var e list.Entry
	err := r.Scan(&e.TenantID, &e.ListID, &e.ID, &e.Value, &e.Reason, &e.AddedBy, instant{&e.CreatedAt}, instant{&e.ExpiresAt},
		instant{&e.RemovedAt}, &e.RemovedBy)
	return e, err
}

// InsertListEntry adds a value to a list. A list has each value once; one that has expired and was not removed is in the way, so remove it first.
func (tx *Tx) InsertListEntry(actor access.Actor, e list.Entry, drafts []journal.Draft) error {
	taken := problem.New(problem.Conflict, "list_value_taken", "this value is on the list already; remove it first to change its reason or expiry")
	taken.Field = "value"
	err := tx.insert("list_entries", listEntryColumns, taken, e.TenantID, e.ListID, e.ID, e.Value, e.Reason, e.AddedBy, micros(e.CreatedAt),
		micros(e.ExpiresAt), micros(e.RemovedAt), e.RemovedBy)
	if err == nil {
		err = tx.noteChange(e)
	}
	if err != nil {
		return err
	}
	return tx.record(actor, e.TenantID, drafts)
}

// RemoveListEntry ends an entry that stands.
func (tx *Tx) RemoveListEntry(actor access.Actor, e list.Entry, drafts []journal.Draft) error {
	err := tx.swap("UPDATE list_entries SET removed_at = $1, removed_by = $2 WHERE tenant_id = $3 AND id = $4 AND removed_at IS NULL",
		micros(e.RemovedAt), e.RemovedBy, e.TenantID, e.ID)
	if err == nil {
		err = tx.noteChange(e)
	}
	if err != nil {
		return err
	}
	return tx.record(actor, e.TenantID, drafts)
}

// noteChange marks an entry with the list epoch that SwitchLists is about to make.
func (tx *Tx) noteChange(e list.Entry) error {
	_, err := tx.exec(`UPDATE list_entries SET changed = COALESCE((SELECT list_epoch + 1 FROM risk_settings WHERE tenant_id = $1), 1)
		WHERE tenant_id = $1 AND id = $2`, e.TenantID, e.ID)
	return err
}

// ListEntry returns an entry of a list.
func (tx *Tx) ListEntry(tenantID, listID, id string) (list.Entry, error) {
	return one(tx, "list entry", scanListEntry, "SELECT "+listEntryColumns+" FROM list_entries WHERE tenant_id = $1 AND list_id = $2 AND id = $3",
		tenantID, listID, id)
}

// FindListEntry returns the entry of a value that was not removed, and whether there is one.
func (tx *Tx) FindListEntry(tenantID, listID, value string) (list.Entry, bool, error) {
	return maybe(tx, scanListEntry, "SELECT "+listEntryColumns+` FROM list_entries
		WHERE tenant_id = $1 AND list_id = $2 AND value = $3 AND removed_at IS NULL`, tenantID, listID, value)
}

// ListEntryFilter chooses entries of a list; empty members choose all that were not removed.
type ListEntryFilter struct {
	Value   string // exactly this, in its normal form
	Removed bool   // those that were removed instead
}

// ListEntries returns entries of a list, newest first.
func (tx *Tx) ListEntries(tenantID, listID string, filter ListEntryFilter, page Page) ([]list.Entry, string, error) {
	entries := listing[list.Entry]{
		name: "list_entries", query: "SELECT " + listEntryColumns + " FROM list_entries", by: "created_at", scan: scanListEntry,
		place: func(e list.Entry) (time.Time, string) { return e.CreatedAt, e.ID },
	}
	entries.and("tenant_id =", tenantID)
	entries.and("list_id =", listID)
	entries.andText("value =", filter.Value)
	if filter.Removed {
		entries.where = append(entries.where, "removed_at IS NOT NULL")
	} else {
		entries.where = append(entries.where, "removed_at IS NULL")
	}
	return entries.read(tx, page)
}

// CountListEntries returns how many entries of a list were not removed.
func (tx *Tx) CountListEntries(tenantID, listID string) (int, error) {
	return one(tx, "list", scanCount, "SELECT COUNT(*) FROM list_entries WHERE tenant_id = $1 AND list_id = $2 AND removed_at IS NULL", tenantID, listID)
}

// CountEntriesOfTenant returns how many entries of all lists were not removed.
func (tx *Tx) CountEntriesOfTenant(tenantID string) (int, error) {
	return one(tx, "list", scanCount, `SELECT COUNT(*) FROM list_entries WHERE tenant_id = $1 AND removed_at IS NULL
		AND list_id IN (SELECT id FROM lists WHERE tenant_id = $1 AND deleted_at IS NULL)`, tenantID)
}

// ChangedValue is a value that was put on a list or taken off it.
type ChangedValue struct {
	StandingValue
	Removed bool
}

// ChangedValues returns what was changed on the tenant's lists after a list epoch, in the order of the changes.
func (tx *Tx) ChangedValues(tenantID string, since int64) ([]ChangedValue, error) {
	return all(tx, func(r row) (ChangedValue, error) {
		var v ChangedValue
		var removedAt time.Time
		err := r.Scan(&v.List, &v.Value, instant{&v.ExpiresAt}, instant{&removedAt})
		v.Removed = !removedAt.IsZero()
		return v, err
	}, `SELECT l.name, e.value, e.expires_at, e.removed_at FROM list_entries e JOIN lists l ON l.tenant_id = e.tenant_id AND l.id = e.list_id
		WHERE e.tenant_id = $1 AND e.changed > $2 AND l.deleted_at IS NULL
		ORDER BY e.changed, CASE WHEN e.removed_at IS NULL THEN 1 ELSE 0 END`, tenantID, since)
}

// StandingValue is a value on a list, for comparing.
type StandingValue struct {
	List      string // its name
	Value     string
	ExpiresAt time.Time // zero: never
}

// StandingValues returns every value on the tenant's lists that was neither removed nor has expired at Tx.Now.
func (tx *Tx) StandingValues(tenantID string) ([]StandingValue, error) {
	return all(tx, func(r row) (StandingValue, error) {
		var v StandingValue
		err := r.Scan(&v.List, &v.Value, instant{&v.ExpiresAt})
		return v, err
	}, `SELECT l.name, e.value, e.expires_at FROM lists l JOIN list_entries e ON e.tenant_id = l.tenant_id AND e.list_id = l.id
		WHERE l.tenant_id = $1 AND l.deleted_at IS NULL AND e.removed_at IS NULL AND (e.expires_at IS NULL OR e.expires_at > $2)`,
		tenantID, micros(tx.now))
}
