package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	domain "github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/service"
)

// ValueList is a named list of values.
type ValueList struct {
	ID          string    `json:"id" doc:"Our id of the list." example:"lst_01jc0000000000000000000000"`
	Name        string    `json:"name" doc:"As rules read it: list.<name>." example:"blocked_devices"`
	Kind        string    `json:"kind" enum:"allow,block" doc:"What standing on it is meant for. What follows, the policy's rules say." example:"block"`
	Description *string   `json:"description" doc:"For people." example:"devices of confirmed fraud"`
	Entries     int       `json:"entries" doc:"How many values were put on it and not removed." example:"12"`
	Field       *string   `json:"field" doc:"The field of a payment that the live policy compares with it; null when it does not read it." example:"device"`
	CreatedAt   time.Time `json:"created_at" doc:"When it was made." example:"2026-11-09T10:00:00Z"`
}

// NewValueList is a list to be made.
type NewValueList struct {
	Name        string `json:"name" maxLength:"64" doc:"Lower-case letters, digits and underscores." example:"blocked_devices"`
	Kind        string `json:"kind" enum:"allow,block" doc:"What standing on it is meant for." example:"block"`
	Description string `json:"description,omitempty" maxLength:"500" doc:"For people." example:"devices of confirmed fraud"`
}

// ListEntry is a value on a list.
type ListEntry struct {
	ID        string     `json:"id" doc:"Our id of the entry; the journal names it by this." example:"lse_01jc0000000000000000000000"`
	Value     string     `json:"value" doc:"As it is compared." example:"dev-7c1f"`
	Reason    *string    `json:"reason" doc:"Why." example:"three chargebacks"`
	AddedBy   string     `json:"added_by" doc:"A key or a member of staff." example:"stf_01jc0000000000000000000000"`
	CreatedAt time.Time  `json:"created_at" doc:"When it was put there." example:"2026-11-09T10:00:00Z"`
	ExpiresAt *time.Time `json:"expires_at" doc:"From when it does not count any more; null: until it is removed." example:"2027-11-09T10:00:00Z"`
	RemovedAt *time.Time `json:"removed_at" doc:"When it was removed; null while it was not." example:"2026-12-09T10:00:00Z"`
}

// NewListEntry is a value to be put on a list.
type NewListEntry struct {
	Value     string     `json:"value" maxLength:"200" doc:"What the payment's field is compared with. An address is kept in its shortest spelling." example:"dev-7c1f"`
	Reason    string     `json:"reason" minLength:"1" maxLength:"500" doc:"Why, for colleagues." example:"three chargebacks"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"From when it does not count any more." example:"2027-11-09T10:00:00Z"`
}

// ListSearch asks for a value.
type ListSearch struct {
	Value string `json:"value" maxLength:"200" doc:"The value to look for. It is in the body because a URL may be kept by programs in between." example:"dev-7c1f"`
}

func listViewOf(view service.ListView) ValueList {
	l := view.List
	return ValueList{
		ID: l.ID, Name: l.Name, Kind: string(l.Kind), Description: orNull(l.Description), Entries: view.Entries, Field: orNull(view.Field), CreatedAt: l.CreatedAt,
	}
}

func listEntryOf(e domain.Entry) ListEntry {
	return ListEntry{
		ID: e.ID, Value: e.Value, Reason: orNull(e.Reason), AddedBy: e.AddedBy, CreatedAt: e.CreatedAt, ExpiresAt: instant(e.ExpiresAt), RemovedAt: instant(e.RemovedAt),
	}
}

// ListPath is the path of one list.
type ListPath struct {
	ID string `path:"id" doc:"The list." example:"lst_01jc0000000000000000000000"`
}

func (e *edge) registerLists() {
	register(e, operation{
		id: "list-lists", method: http.MethodGet, path: "/v1/lists", tag: tagLists, status: http.StatusOK,
		summary: "List the lists", description: "By name. A tenant has fifty at most, so there is one page.",
	}, func(ctx context.Context, actor access.Actor, _ *struct{}) (list[ValueList], error) {
		views, err := e.Service.Lists(ctx, actor)
		return listOf(views, "", listViewOf), err
	})
	register(e, operation{
		id: "create-list", method: http.MethodPost, path: "/v1/lists", tag: tagLists, status: http.StatusCreated,
		summary: "Make a list", description: "Rules read it by its name, as soon as a policy that declares it is live.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body NewValueList }) (ValueList, error) {
		view, err := e.Service.CreateList(ctx, actor, service.NewList{Name: in.Body.Name, Kind: domain.Kind(in.Body.Kind), Description: in.Body.Description})
		return listViewOf(view), err
	})
	register(e, operation{
		id: "get-list", method: http.MethodGet, path: "/v1/lists/{id}", tag: tagLists, status: http.StatusOK,
		summary: "Get a list", description: "Without its entries.",
	}, func(ctx context.Context, actor access.Actor, in *ListPath) (ValueList, error) {
		view, err := e.Service.List(ctx, actor, in.ID)
		return listViewOf(view), err
	})
	registerEmpty(e, operation{
		id: "delete-list", method: http.MethodDelete, path: "/v1/lists/{id}", tag: tagLists, status: http.StatusNoContent,
		summary: "Delete a list", description: "A person of the risk team deletes lists, in the console; a key is refused with `person_required`. A list that the live policy, or one that is being prepared, reads is refused with `list_in_use`.",
	}, func(ctx context.Context, actor access.Actor, in *ListPath) error {
		return e.Service.DeleteList(ctx, actor, in.ID)
	})
	e.registerListEntries()
}

func (e *edge) registerListEntries() {
	register(e, operation{
		id: "list-list-entries", method: http.MethodGet, path: "/v1/lists/{id}/entries", tag: tagLists, status: http.StatusOK,
		summary: "List what stands on a list", description: "Newest first.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		ListPath
		Paging
		Removed bool `query:"removed" doc:"Those that were removed instead." example:"false"`
	}) (list[ListEntry], error) {
		found, next, err := e.Service.ListEntries(ctx, actor, in.ID, store.ListEntryFilter{Removed: in.Removed}, in.page())
		return listOf(found, next, listEntryOf), err
	})
	register(e, operation{
		id: "search-list", method: http.MethodPost, path: "/v1/lists/{id}/search", tag: tagLists, status: http.StatusOK, route: route{reads: true},
		summary: "Look for a value", description: "Answers the entry of the value, or an empty list.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		ListPath
		Body ListSearch
	}) (list[ListEntry], error) {
		found, next, err := e.Service.ListEntries(ctx, actor, in.ID, store.ListEntryFilter{Value: in.Body.Value}, store.Page{})
		return listOf(found, next, listEntryOf), err
	})
	register(e, operation{
		id: "add-list-entry", method: http.MethodPost, path: "/v1/lists/{id}/entries", tag: tagLists, status: http.StatusCreated,
		summary: "Put a value on a list", description: "Decisions see it at once, on every node. A list has each value once. A key puts nothing on a list of kind allow: `person_required`.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		ListPath
		Body NewListEntry
	}) (ListEntry, error) {
		entry, err := e.Service.AddListEntry(ctx, actor, service.NewListEntry{ListID: in.ID, NewEntry: domain.NewEntry{
			Value: in.Body.Value, Reason: in.Body.Reason, ExpiresAt: given(in.Body.ExpiresAt).UTC().Truncate(time.Microsecond),
		}})
		return listEntryOf(entry), err
	})
	registerEmpty(e, operation{
		id: "remove-list-entry", method: http.MethodDelete, path: "/v1/lists/{id}/entries/{entry_id}", tag: tagLists, status: http.StatusNoContent,
		summary: "Take a value off a list", description: "Taking it off again changes nothing. A key takes nothing off a list of kind allow: `person_required`.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		ListPath
		EntryID string `path:"entry_id" doc:"The entry." example:"lse_01jc0000000000000000000000"`
	}) error {
		return e.Service.RemoveListEntry(ctx, actor, in.ID, in.EntryID)
	})
}
