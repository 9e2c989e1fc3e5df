package client

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// EventData is what an event refers to, by name: object_id, account_id when an account is concerned, actor_kind, and what belongs to the
// type.
type EventData map[string]string

// UnmarshalJSON keeps numbers and the like as they are written.
func (d *EventData) UnmarshalJSON(raw []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	*d = EventData{}
	for name, value := range members {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		(*d)[name] = text
	}
	return nil
}

// Event is something that happened. It holds references, no personal data: ask for the rest.
type Event struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"` // e.g. "verification.approved"
	Timestamp time.Time `json:"timestamp"`
	Data      EventData `json:"data"`
}

// ListEvents returns one page of events, oldest first, from a cursor on; an empty one begins with the first event, limit 0 means 50. The
// list has no end: keep NextCursor, which is always there, and ask again with it later. types may name one type.
func (c *Client) ListEvents(ctx context.Context, cursor string, limit int, types ...string) (List[Event], error) {
	query := paging(cursor, limit)
	if len(types) > 0 {
		query.Set("type", types[0])
	}
	return call[List[Event]](ctx, c, http.MethodGet, "/v1/events", query, nil)
}

// AllEvents walks through the events from a cursor on until there are no more for now. It ends after the first error. To continue later,
// use ListEvents and keep its cursor.
func (c *Client) AllEvents(ctx context.Context, cursor string) iter.Seq2[Event, error] {
	return pages(func(next string) (List[Event], error) {
		page, err := c.ListEvents(ctx, first(next, cursor), 200)
		if len(page.Items) == 0 {
			page.NextCursor = ""
		}
		return page, err
	})
}

// NewWebhookEndpoint is where you want to be told of events.
type NewWebhookEndpoint struct {
	URL        string   `json:"url"`                   // https, on a public host
	EventTypes []string `json:"event_types,omitempty"` // empty: all
}

// WebhookEndpoint is a registered destination of events.
type WebhookEndpoint struct {
	ID         string     `json:"id"`
	URL        string     `json:"url"`
	EventTypes []string   `json:"event_types"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at"`
	Secret     string     `json:"secret,omitempty"` // answered by CreateWebhookEndpoint only; keep it
}

// CreateWebhookEndpoint registers an endpoint. Its secret is answered this once.
func (c *Client) CreateWebhookEndpoint(ctx context.Context, in NewWebhookEndpoint, options ...CallOption) (WebhookEndpoint, error) {
	return call[WebhookEndpoint](ctx, c, http.MethodPost, "/v1/webhook_endpoints", nil, in, options...)
}

// WebhookEndpoints returns every endpoint, without its secret.
func (c *Client) WebhookEndpoints(ctx context.Context) ([]WebhookEndpoint, error) {
	list, err := call[List[WebhookEndpoint]](ctx, c, http.MethodGet, "/v1/webhook_endpoints", nil, nil)
	return list.Items, err
}

// DeleteWebhookEndpoint ends deliveries to an endpoint.
func (c *Client) DeleteWebhookEndpoint(ctx context.Context, id string) error {
	_, err := call[struct{}](ctx, c, http.MethodDelete, "/v1/webhook_endpoints/"+url.PathEscape(id), nil, nil)
	return err
}

// DemoClock is the business time of a demo.
type DemoClock struct {
	Now           time.Time `json:"now"`
	OffsetSeconds int64     `json:"offset_seconds"` // ahead of the machine's own clock
}

// DemoClock returns the business time of a demo; elsewhere it is not found.
func (c *Client) DemoClock(ctx context.Context) (DemoClock, error) {
	return call[DemoClock](ctx, c, http.MethodGet, "/v1/demo/clock", nil, nil)
}

// AdvanceDemoClock moves a demo's business time forward, by whole seconds.
func (c *Client) AdvanceDemoClock(ctx context.Context, by time.Duration, options ...CallOption) (DemoClock, error) {
	return call[DemoClock](ctx, c, http.MethodPost, "/v1/demo/clock", nil, map[string]int64{"advance_seconds": int64(by / time.Second)}, options...)
}

// Tolerance is how far the timestamp of a webhook may be off.
const Tolerance = 5 * time.Minute

// The refusals of VerifyWebhook.
var (
	ErrWebhookSecret    = errors.New("probity: the webhook secret is none: it looks like whsec_ followed by base64")
	ErrWebhookTimestamp = errors.New("probity: the webhook is more than five minutes old, or from the future; it may be a replay")
	ErrWebhookSignature = errors.New("probity: the signature of the webhook does not fit; it is not from Probity, or was changed on its way")
)

// VerifyWebhook checks that a request comes from Probity, unchanged and recently (Standard Webhooks 1.0.0), and returns its event. Give it
// the bytes of the body as they came, and the time now. A webhook is sent at least once: its event's ID is the same each time, so drop
// those you have seen. It verifies enforcement commands too, which are signed in the same way.
func VerifyWebhook(secret string, header http.Header, body []byte, now time.Time) (Event, error) {
	encoded, found := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) == 0 {
		return Event{}, ErrWebhookSecret
	}
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" {
		return Event{}, ErrWebhookSignature
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(id + "." + timestamp + ".")) // writing to a hash never fails
	_, _ = mac.Write(body)
	if !signedBy(mac.Sum(nil), header.Get("webhook-signature")) {
		return Event{}, ErrWebhookSignature
	}
	// Judged last, so that only who knows the secret learns that the clock is what is wrong.
	if off := now.Sub(time.Unix(seconds, 0)); off > Tolerance || off < -Tolerance {
		return Event{}, ErrWebhookTimestamp
	}
	var event Event
	if err := json.Unmarshal(body, &event); err != nil {
		return Event{}, fmt.Errorf("probity: the webhook holds no event: %w", err)
	}
	event.ID = id
	return event, nil
}

// signedBy reports whether one of the signatures, which are separated by spaces, is the expected one. There are several while a secret is
// being changed.
func signedBy(want []byte, signatures string) bool {
	for _, signature := range strings.Fields(signatures) {
		encoded, found := strings.CutPrefix(signature, "v1,")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if found && err == nil && hmac.Equal(got, want) {
			return true
		}
	}
	return false
}
