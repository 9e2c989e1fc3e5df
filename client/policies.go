package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Policy is one version of your payment policy.
type Policy struct {
	ID            *string        `json:"id"` // nil for number 0, the policy that ships
	Number        int64          `json:"number"`
	State         string         `json:"state"`    // "draft", "proposed", "preparing", "live", "retired" or "withdrawn"
	Revision      int64          `json:"revision"` // send it as ExpectedRevision
	Policy        string         `json:"policy"`
	PolicyVersion string         `json:"policy_version"`
	SHA256        string         `json:"sha256"`
	Note          *string        `json:"note"`
	DraftedBy     *string        `json:"drafted_by"`
	ProposedBy    *string        `json:"proposed_by"`
	ApprovedBy    *string        `json:"approved_by"`
	CreatedAt     *time.Time     `json:"created_at"`
	EffectiveAt   *time.Time     `json:"effective_at"`
	LiveAt        *time.Time     `json:"live_at"`
	RetiredAt     *time.Time     `json:"retired_at"`
	Preparation   *PreparedSoFar `json:"preparation"` // nil unless State is "preparing"
	PolicyText    string         `json:"policy_text"` // YAML; empty in lists
}

// PreparedSoFar is how far the aggregates of a version are filled from history.
type PreparedSoFar struct {
	Done     int64 `json:"done"`
	Total    int64 `json:"total"`
	Complete bool  `json:"complete"` // it waits for its effective instant only
}

// NewPolicy is a policy to be drafted. A key drafts; people publish, in the console.
type NewPolicy struct {
	PolicyText string `json:"policy_text"`
	Note       string `json:"note,omitempty"`
}

// PolicyEdit replaces a draft.
type PolicyEdit struct {
	PolicyText       string `json:"policy_text"`
	Note             string `json:"note,omitempty"`
	ExpectedRevision int64  `json:"expected_revision,omitempty"` // 0 replaces whatever stands
}

// PolicyFilter chooses versions; empty fields choose all.
type PolicyFilter struct {
	State  string
	Cursor string
	Limit  int // 1 … 200; 0 means 50
}

// DraftPolicy stores a new version that decides nothing yet. One that does not compile is refused with the code policy_faulty.
func (c *Client) DraftPolicy(ctx context.Context, in NewPolicy, options ...CallOption) (Policy, error) {
	return call[Policy](ctx, c, http.MethodPost, "/v1/policies", nil, in, options...)
}

// EditPolicy replaces a draft.
func (c *Client) EditPolicy(ctx context.Context, id string, in PolicyEdit) (Policy, error) {
	return call[Policy](ctx, c, http.MethodPut, "/v1/policies/"+url.PathEscape(id), nil, in)
}

// LivePolicy returns the policy that decides now.
func (c *Client) LivePolicy(ctx context.Context) (Policy, error) {
	return call[Policy](ctx, c, http.MethodGet, "/v1/policies/live", nil, nil)
}

// Policy returns one version.
func (c *Client) Policy(ctx context.Context, id string) (Policy, error) {
	return call[Policy](ctx, c, http.MethodGet, "/v1/policies/"+url.PathEscape(id), nil, nil)
}

// ListPolicies returns one page of the versions, newest first, without their texts.
func (c *Client) ListPolicies(ctx context.Context, filter PolicyFilter) (List[Policy], error) {
	query := paging(filter.Cursor, filter.Limit)
	set(query, "state", filter.State)
	return call[List[Policy]](ctx, c, http.MethodGet, "/v1/policies", query, nil)
}

// ValueList is a named list of values that the policy may ask.
type ValueList struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Kind        string    `json:"kind"` // "allow" or "block"
	Description *string   `json:"description"`
	Entries     int       `json:"entries"`
	Field       *string   `json:"field"` // of a payment that the live policy compares with it; nil when it does not read it
	CreatedAt   time.Time `json:"created_at"`
}

// NewValueList is a list to be made.
type NewValueList struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	Description string `json:"description,omitempty"`
}

// ListEntry is a value on a list.
type ListEntry struct {
	ID        string     `json:"id"`
	Value     string     `json:"value"`
	Reason    *string    `json:"reason"`
	AddedBy   string     `json:"added_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RemovedAt *time.Time `json:"removed_at"`
}

// NewListEntry is a value to be put on a list.
type NewListEntry struct {
	Value     string     `json:"value"`
	Reason    string     `json:"reason"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// CreateList makes an empty list.
func (c *Client) CreateList(ctx context.Context, in NewValueList, options ...CallOption) (ValueList, error) {
	return call[ValueList](ctx, c, http.MethodPost, "/v1/lists", nil, in, options...)
}

// Lists returns all lists, by name.
func (c *Client) Lists(ctx context.Context) (List[ValueList], error) {
	return call[List[ValueList]](ctx, c, http.MethodGet, "/v1/lists", nil, nil)
}

// AddListEntry puts a value on a list. Decisions see it at once.
func (c *Client) AddListEntry(ctx context.Context, listID string, in NewListEntry, options ...CallOption) (ListEntry, error) {
	return call[ListEntry](ctx, c, http.MethodPost, "/v1/lists/"+url.PathEscape(listID)+"/entries", nil, in, options...)
}

// ListEntries returns one page of what stands on a list, newest first.
func (c *Client) ListEntries(ctx context.Context, listID, cursor string, limit int) (List[ListEntry], error) {
	return call[List[ListEntry]](ctx, c, http.MethodGet, "/v1/lists/"+url.PathEscape(listID)+"/entries", paging(cursor, limit), nil)
}

// SearchList returns the entry of a value, or an empty list.
func (c *Client) SearchList(ctx context.Context, listID, value string) (List[ListEntry], error) {
	body := struct {
		Value string `json:"value"`
	}{value}
	return call[List[ListEntry]](ctx, c, http.MethodPost, "/v1/lists/"+url.PathEscape(listID)+"/search", nil, body)
}

// RemoveListEntry takes a value off a list.
func (c *Client) RemoveListEntry(ctx context.Context, listID, entryID string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "/v1/lists/"+url.PathEscape(listID)+"/entries/"+url.PathEscape(entryID), nil, nil)
	return err
}
