package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// EventType is the type of an event, as <object>.<past participle>.
type EventType string

// Schema implements huma.SchemaProvider: the list of types has one home, the journal.
func (EventType) Schema(huma.Registry) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString, Examples: []any{string(journal.VerificationApprove)}}
	for _, t := range journal.EventTypes {
		schema.Enum = append(schema.Enum, string(t))
	}
	return schema
}

// Event is a journal entry as the outside sees it: references and codes, no personal data.
type Event struct {
	ID        string            `json:"id" doc:"Our id of the event; the webhook-id of its webhooks." example:"evt_01jc0000000000000000000000"`
	Type      EventType         `json:"type" doc:"What happened."`
	Timestamp time.Time         `json:"timestamp" doc:"When." example:"2026-11-09T10:00:00Z"`
	Data      map[string]string `json:"data" doc:"object_id, account_id when an account is concerned, actor_kind, and what belongs to the type." example:"{\"object_id\":\"ver_01jc0000000000000000000000\",\"account_id\":\"acct_01jc0000000000000000000000\",\"actor_kind\":\"staff\"}"`
}

// EventList is a part of the tenant's events. Unlike other lists it has no end, so its cursor is always there.
type EventList struct {
	Items      []Event `json:"items" doc:"In the order in which they happened. With type, a page may be empty although more follow."`
	NextCursor string  `json:"next_cursor" doc:"Keep it, and send it as cursor to continue from here, now or tomorrow." example:"1042"`
}

func eventOf(entry journal.Entry) Event {
	body := service.EventOf(entry)
	return Event{ID: body.ID, Type: EventType(body.Type), Timestamp: body.Timestamp, Data: body.Data}
}

func (e *edge) registerEvents() {
	register(e, operation{
		id: "list-events", method: http.MethodGet, path: "/v1/events", tag: tagEvents, status: http.StatusOK,
		summary: "Read events", description: "The journal as events, oldest first, without gaps. Poll it with the last next_cursor, or register a webhook endpoint, or both: ids are the same.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		Cursor string    `query:"cursor" maxLength:"20" doc:"next_cursor of the page before; leave it out to begin with the first event." example:"1042"`
		Limit  int       `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items at most." example:"50"`
		Type   EventType `query:"type" doc:"Only events of this type."`
	}) (EventList, error) {
		return e.events(ctx, actor, in.Cursor, in.Limit, journal.EventType(in.Type))
	})
}

// scanPages bounds how much of the journal one call reads when it looks for a type.
const scanPages = 10

func (e *edge) events(ctx context.Context, actor access.Actor, cursor string, limit int, only journal.EventType) (EventList, error) {
	var after int64
	if cursor != "" {
		var err error
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil || after < 0 {
			return EventList{}, problem.Field("cursor", "cursor_invalid", "cursor must be the next_cursor of an earlier answer, unchanged")
		}
	}
	out := EventList{Items: []Event{}}
	for range scanPages {
		take := limit
		if only != "" {
			take = store.MaxLimit
		}
		entries, err := e.Service.Events(ctx, actor, after, take)
		if err != nil {
			return EventList{}, err
		}
		for _, entry := range entries {
			if len(out.Items) == limit {
				break
			}
			after = entry.Sequence
			if only == "" || entry.Type == only {
				out.Items = append(out.Items, eventOf(entry))
			}
		}
		if len(out.Items) == limit || len(entries) < take || only == "" {
			break
		}
	}
	out.NextCursor = strconv.FormatInt(after, 10)
	return out, nil
}

// NewWebhookEndpoint is where the tenant wants to be told of events.
type NewWebhookEndpoint struct {
	URL        string      `json:"url" maxLength:"2000" doc:"An absolute https URL on a public host." example:"https://platform.example.com/probity/events"`
	EventTypes []EventType `json:"event_types,omitempty" maxItems:"100" doc:"Which types to tell; empty means all."`
}

// WebhookEndpoint is a registered destination of events.
type WebhookEndpoint struct {
	ID         string      `json:"id" doc:"Our id of the endpoint." example:"whe_01jc0000000000000000000000"`
	URL        string      `json:"url" doc:"Where events go." example:"https://platform.example.com/probity/events"`
	EventTypes []EventType `json:"event_types" doc:"Which types are told; empty means all."`
	CreatedAt  time.Time   `json:"created_at" doc:"When it was registered." example:"2026-11-09T10:00:00Z"`
	DisabledAt *time.Time  `json:"disabled_at" doc:"When it was given up, after three days of failures or an answer of 410; null while it is used." example:"2026-11-12T10:00:00Z"`
}

// WebhookEndpointWithSecret is the answer to the registration: the only time that the secret is shown.
type WebhookEndpointWithSecret struct {
	WebhookEndpoint
	Secret string `json:"secret" doc:"Verifies the signatures (Standard Webhooks 1.0.0). Keep it: it is not shown again." example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
}

func webhookEndpointOf(endpoint journal.Endpoint) WebhookEndpoint {
	out := WebhookEndpoint{
		ID: endpoint.ID, URL: endpoint.URL, EventTypes: []EventType{}, CreatedAt: endpoint.CreatedAt, DisabledAt: instant(endpoint.DisabledAt),
	}
	for _, t := range endpoint.EventTypes {
		out.EventTypes = append(out.EventTypes, EventType(t))
	}
	return out
}

func (e *edge) registerWebhookEndpoints() {
	register(e, operation{
		id: "create-webhook-endpoint", method: http.MethodPost, path: "/v1/webhook_endpoints", tag: tagEvents, status: http.StatusCreated,
		summary:     "Register a webhook endpoint",
		description: "Events are sent as Standard Webhooks 1.0.0: signed, thin, at least once, repeated for about three days. A tenant has ten at most.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body NewWebhookEndpoint }) (WebhookEndpointWithSecret, error) {
		var types []journal.EventType
		for _, t := range in.Body.EventTypes {
			types = append(types, journal.EventType(t))
		}
		endpoint, err := e.Service.AddWebhookEndpoint(ctx, actor, in.Body.URL, types)
		return WebhookEndpointWithSecret{WebhookEndpoint: webhookEndpointOf(endpoint), Secret: endpoint.Secret.Reveal()}, err
	})
	register(e, operation{
		id: "list-webhook-endpoints", method: http.MethodGet, path: "/v1/webhook_endpoints", tag: tagEvents, status: http.StatusOK,
		summary: "List the webhook endpoints", description: "All of them, in one page, without their secrets.",
	}, func(ctx context.Context, actor access.Actor, _ *struct{}) (list[WebhookEndpoint], error) {
		endpoints, err := e.Service.WebhookEndpoints(ctx, actor)
		return listOf(endpoints, "", webhookEndpointOf), err
	})
	registerEmpty(e, operation{
		id: "delete-webhook-endpoint", method: http.MethodDelete, path: "/v1/webhook_endpoints/{id}", tag: tagEvents, status: http.StatusNoContent,
		summary: "Delete a webhook endpoint", description: "Nothing more is sent to it, repetitions included.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		ID string `path:"id" doc:"The endpoint." example:"whe_01jc0000000000000000000000"`
	}) error {
		return e.Service.DeleteWebhookEndpoint(ctx, actor, in.ID)
	})
}
