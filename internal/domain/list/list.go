// Package list is the named lists that a tenant's policy asks: whether a payment's merchant, device or address stands on one. A value
// may say something about a person, so it is shown where it is asked for and never written to a log, an error or the journal.
package list

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// Kind says what standing on a list is good for. It is for people: what a list does, the policy's rules say. The zero value is invalid.
type Kind string

// The kinds.
const (
	Allow Kind = "allow"
	Block Kind = "block"
)

// Valid reports whether k can be stored.
func (k Kind) Valid() bool { return k == Allow || k == Block }

// List is one named list of a tenant.
type List struct {
	ID          string
	TenantID    string
	Name        string // as rules read it: list.<name>
	Kind        Kind
	Description string
	CreatedBy   string
	CreatedAt   time.Time
	DeletedAt   time.Time // zero while it is used
}

// Entry is one value on a list.
type Entry struct {
	ID        string
	TenantID  string
	ListID    string
	Value     string // as compared, see Normal
	Reason    string
	AddedBy   string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	RemovedAt time.Time // zero while it stands
	RemovedBy string
}

// Stands reports whether the value is on the list at the instant.
func (e Entry) Stands(at time.Time) bool {
	return e.RemovedAt.IsZero() && (e.ExpiresAt.IsZero() || at.Before(e.ExpiresAt))
}

// The bounds of lists. Every node keeps all entries of a tenant in memory, about 100 bytes each.
const (
	MaxLists   = 50
	MaxEntries = 100_000 // of one list
	// MaxEntriesOfTenant is how many entries all lists of a tenant have: they are in the memory of each node.
	MaxEntriesOfTenant = 200_000
	MaxValue           = 200 // bytes
	MaxReason          = 500 // characters
	MaxDescription     = 500
)

var nameShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Start returns a new list.
func Start(id, name string, kind Kind, description string, by access.Actor, now time.Time) (List, []journal.Draft, error) {
	l := List{ID: id, TenantID: by.TenantID, Name: name, Kind: kind, Description: description, CreatedBy: by.ID, CreatedAt: now}
	if !nameShape.MatchString(name) {
		return l, nil, problem.Field("name", "name_malformed", "a list's name is lower-case letters, digits and underscores, such as blocked_devices")
	}
	if !kind.Valid() {
		return l, nil, problem.Field("kind", "kind_unknown", "kind must be allow or block")
	}
	return l, []journal.Draft{journal.Of(journal.ListCreated, id, "", "name", name, "kind", string(kind))}, nil
}

// Delete ends a list.
func (l List) Delete(now time.Time) (List, []journal.Draft) {
	l.DeletedAt = now
	return l, []journal.Draft{journal.Of(journal.ListDeleted, l.ID, "", "name", l.Name)}
}

// Normal returns a value as it is kept and compared: without the space around it, and an IP address in its shortest spelling. Everything
// else is compared as it is written.
func Normal(value string) string {
	value = strings.TrimSpace(value)
	if address, err := netip.ParseAddr(value); err == nil {
		return address.Unmap().String()
	}
	return value
}

// NewEntry is a value to put on a list.
type NewEntry struct {
	Value     string
	Reason    string
	ExpiresAt time.Time
}

// Add returns a new entry. The journal names it by its id.
func (l List) Add(id string, in NewEntry, by access.Actor, now time.Time) (Entry, []journal.Draft, error) {
	in.ExpiresAt = in.ExpiresAt.UTC().Truncate(time.Microsecond) // as it is stored
	e := Entry{
		ID: id, TenantID: l.TenantID, ListID: l.ID, Value: Normal(in.Value), Reason: in.Reason, AddedBy: by.ID, CreatedAt: now, ExpiresAt: in.ExpiresAt,
	}
	if e.Value == "" {
		return e, nil, problem.Field("value", "required", "an entry needs a value: what the payment's field is compared with")
	}
	if len(e.Value) > MaxValue {
		return e, nil, problem.Field("value", "too_long", "a value has at most 200 bytes")
	}
	if !in.ExpiresAt.IsZero() && !in.ExpiresAt.After(now) {
		return e, nil, problem.Field("expires_at", "out_of_range", "expires_at must lie ahead; leave it out for an entry that stands until it is removed")
	}
	return e, []journal.Draft{journal.Of(journal.ListEntryAdded, id, "", "list_id", l.ID, "list", l.Name, "expires_at", text(in.ExpiresAt))}, nil
}

// Remove ends an entry. It reports whether it stood.
func (l List) Remove(e Entry, by access.Actor, now time.Time) (Entry, []journal.Draft, bool) {
	if !e.RemovedAt.IsZero() {
		return e, nil, false
	}
	e.RemovedAt, e.RemovedBy = now, by.ID
	return e, []journal.Draft{journal.Of(journal.ListEntryRemoved, e.ID, "", "list_id", l.ID, "list", l.Name)}, true
}

func text(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
