package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The kinds of account.
const (
	Individual = "individual"
	Enterprise = "enterprise"
)

// Address is a postal address.
type Address struct {
	Lines      []string `json:"lines,omitempty"`
	City       string   `json:"city,omitempty"`
	Region     string   `json:"region,omitempty"`
	PostalCode string   `json:"postal_code,omitempty"`
	Country    string   `json:"country,omitempty"` // ISO 3166-1 alpha-2
}

// NewAccount is what you say about an account holder.
type NewAccount struct {
	ExternalID         string   `json:"external_id,omitempty"` // your own id; unique when given
	Kind               string   `json:"kind"`                  // Individual or Enterprise
	Name               string   `json:"name"`
	Email              string   `json:"email,omitempty"`
	Phone              string   `json:"phone,omitempty"`
	Address            *Address `json:"address,omitempty"`
	Country            string   `json:"country,omitempty"`       // ISO 3166-1 alpha-2
	DateOfBirth        string   `json:"date_of_birth,omitempty"` // YYYY-MM-DD
	Locale             string   `json:"locale,omitempty"`        // BCP 47
	TimeZone           string   `json:"time_zone,omitempty"`     // IANA
	Industry           string   `json:"industry,omitempty"`
	BusinessActivities string   `json:"business_activities,omitempty"`
}

// Account is an account holder with what stands against it.
type Account struct {
	ID                 string        `json:"id"`
	ExternalID         *string       `json:"external_id"`
	Kind               string        `json:"kind"`
	Name               string        `json:"name"`
	Email              *string       `json:"email"`
	Phone              *string       `json:"phone"`
	Address            *Address      `json:"address"`
	Country            *string       `json:"country"`
	DateOfBirth        *string       `json:"date_of_birth"`
	Locale             *string       `json:"locale"`
	TimeZone           *string       `json:"time_zone"`
	Industry           *string       `json:"industry"`
	BusinessActivities *string       `json:"business_activities"`
	Restrictions       []Restriction `json:"restrictions"` // what the account may not do at present
	Enforcement        Enforcement   `json:"enforcement"`
	CreatedAt          time.Time     `json:"created_at"`
	UpdatedAt          time.Time     `json:"updated_at"`
}

// Restriction is something an account may not do, until its verification is approved.
type Restriction struct {
	ID             string    `json:"id"`
	Kind           string    `json:"kind"` // "payments"
	VerificationID string    `json:"verification_id"`
	PlacedAt       time.Time `json:"placed_at"`
}

// Enforcement is what happens to an account's resources.
type Enforcement struct {
	State string     `json:"state"` // "none", "grace", "suspended", "release_scheduled" or "released"
	DueAt *time.Time `json:"due_at"`
}

// List is a part of a list. NextCursor is empty at its end.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// AccountFilter chooses accounts.
type AccountFilter struct {
	ExternalID string // your own id
	Cursor     string
	Limit      int // 1 … 200; 0 means 50
}

// CreateAccount registers an account holder.
func (c *Client) CreateAccount(ctx context.Context, in NewAccount, options ...CallOption) (Account, error) {
	return call[Account](ctx, c, http.MethodPost, "/v1/accounts", nil, in, options...)
}

// Account returns one account.
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	return call[Account](ctx, c, http.MethodGet, "/v1/accounts/"+url.PathEscape(id), nil, nil)
}

// UpdateAccount changes an account by a JSON merge patch (RFC 7396): what the map does not name stays, nil clears. The names are those of
// the JSON fields of NewAccount.
func (c *Client) UpdateAccount(ctx context.Context, id string, changes map[string]any) (Account, error) {
	return call[Account](ctx, c, http.MethodPatch, "/v1/accounts/"+url.PathEscape(id), nil, changes)
}

// ListAccounts returns one page of accounts, newest first.
func (c *Client) ListAccounts(ctx context.Context, filter AccountFilter) (List[Account], error) {
	query := paging(filter.Cursor, filter.Limit)
	set(query, "external_id", filter.ExternalID)
	return call[List[Account]](ctx, c, http.MethodGet, "/v1/accounts", query, nil)
}

// AllAccounts walks through all pages of ListAccounts. It ends after the first error.
func (c *Client) AllAccounts(ctx context.Context, filter AccountFilter) iter.Seq2[Account, error] {
	return pages(func(cursor string) (List[Account], error) {
		filter.Cursor = first(cursor, filter.Cursor)
		return c.ListAccounts(ctx, filter)
	})
}

// NewPaymentMethod is a payment method as you know it: never its number.
type NewPaymentMethod struct {
	Kind        string `json:"kind"` // "card", "bank_account" or "wallet"
	Brand       string `json:"brand,omitempty"`
	First6      string `json:"first6,omitempty"` // cards only
	Last4       string `json:"last4,omitempty"`
	HolderName  string `json:"holder_name,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"` // your own opaque mark, equal for the same card under another id
	Default     bool   `json:"default,omitempty"`
}

// PaymentMethod is a payment method of an account.
type PaymentMethod struct {
	ID          string    `json:"id"`
	AccountID   string    `json:"account_id"`
	Kind        string    `json:"kind"`
	Brand       *string   `json:"brand"`
	First6      *string   `json:"first6"`
	Last4       *string   `json:"last4"`
	HolderName  *string   `json:"holder_name"`
	Fingerprint *string   `json:"fingerprint"`
	Default     bool      `json:"default"`
	CreatedAt   time.Time `json:"created_at"`
}

// AddPaymentMethod notes a payment method of an account.
func (c *Client) AddPaymentMethod(ctx context.Context, accountID string, in NewPaymentMethod, options ...CallOption) (PaymentMethod, error) {
	return call[PaymentMethod](ctx, c, http.MethodPost, "/v1/accounts/"+url.PathEscape(accountID)+"/payment_methods", nil, in, options...)
}

// PaymentMethods returns every payment method of an account.
func (c *Client) PaymentMethods(ctx context.Context, accountID string) ([]PaymentMethod, error) {
	list, err := call[List[PaymentMethod]](ctx, c, http.MethodGet, "/v1/accounts/"+url.PathEscape(accountID)+"/payment_methods", nil, nil)
	return list.Items, err
}

// Message is an Internal Message, as its holder reads it.
type Message struct {
	ID             string     `json:"id"`
	VerificationID *string    `json:"verification_id"`
	Subject        string     `json:"subject"`
	Body           string     `json:"body"` // plain text
	CreatedAt      time.Time  `json:"created_at"`
	ReadAt         *time.Time `json:"read_at"`
}

// ListMessages returns one page of an account's Internal Messages, newest first. It does not open them. An empty cursor begins, limit 0
// means 50.
func (c *Client) ListMessages(ctx context.Context, accountID, cursor string, limit int) (List[Message], error) {
	return call[List[Message]](ctx, c, http.MethodGet, "/v1/accounts/"+url.PathEscape(accountID)+"/messages", paging(cursor, limit), nil)
}

// AllMessages walks through all pages of ListMessages. It ends after the first error.
func (c *Client) AllMessages(ctx context.Context, accountID string) iter.Seq2[Message, error] {
	return pages(func(cursor string) (List[Message], error) { return c.ListMessages(ctx, accountID, cursor, 0) })
}

// PortalSession is a one-time way into the KYC Center.
type PortalSession struct {
	URL       string    `json:"url"` // redirect the holder's browser here at once
	ExpiresAt time.Time `json:"expires_at"`
}

// CreatePortalSession makes a one-time URL that signs its bearer in to one account. Hand it only to the browser of its holder.
func (c *Client) CreatePortalSession(ctx context.Context, accountID string, options ...CallOption) (PortalSession, error) {
	return call[PortalSession](ctx, c, http.MethodPost, "/v1/accounts/"+url.PathEscape(accountID)+"/portal_sessions", nil, nil, options...)
}

// pages walks through a list. read is given an empty cursor first.
func pages[T any](read func(cursor string) (List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		cursor := ""
		for {
			page, err := read(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			cursor = page.NextCursor
		}
	}
}

func paging(cursor string, limit int) url.Values {
	query := url.Values{}
	set(query, "cursor", cursor)
	if limit != 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}

// set adds a parameter unless it is empty.
func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
