package service

import (
	"context"
	"encoding/json"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// maxEndpoints bounds the fan-out of one journal entry.
const maxEndpoints = 10

// Events returns journal entries with a sequence number above after, oldest first.
func (s *Service) Events(ctx context.Context, actor access.Actor, after int64, limit int) ([]journal.Entry, error) {
	var entries []journal.Entry
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		entries, err = tx.Entries(actor.TenantID, after, limit)
		return err
	})
	return entries, err
}

// EventBody is a journal entry as the outside sees it, in /v1/events and in a webhook: thin, without personal data.
type EventBody struct {
	ID        string            `json:"id"`
	Type      journal.EventType `json:"type"`
	Timestamp time.Time         `json:"timestamp"`
	Data      map[string]string `json:"data"`
}

// EventOf renders a journal entry.
func EventOf(e journal.Entry) EventBody {
	data := map[string]string{"object_id": e.ObjectID}
	if e.AccountID != "" {
		data["account_id"] = e.AccountID
	}
	for name, value := range e.Data {
		data[name] = value
	}
	data["actor_kind"] = string(e.Actor.Kind)
	return EventBody{ID: e.ID, Type: e.Type, Timestamp: e.At, Data: data}
}

// AddWebhookEndpoint registers where the tenant wants to be told of events. The secret is returned here and never again.
func (s *Service) AddWebhookEndpoint(ctx context.Context, actor access.Actor, target string, types []journal.EventType) (journal.Endpoint, error) {
	var e journal.Endpoint
	if err := actor.Require(access.ManageWebhooks); err != nil {
		return e, err
	}
	if err := s.Outbound.CheckURL("url", target); err != nil {
		return e, err
	}
	if len(types) > 100 {
		return e, problem.Field("event_types", "too_many", "at most 100 event types; leave the list empty for all")
	}
	for _, t := range types {
		if !journal.Known(t) {
			return e, problem.Field("event_types", "event_type_unknown", "event_types holds a type that does not exist; see the list in the documentation")
		}
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		existing, err := tx.Endpoints(actor.TenantID)
		if err != nil {
			return err
		}
		if len(existing) >= maxEndpoints {
			return problem.New(problem.Conflict, "too_many_endpoints", "a tenant has at most 10 webhook endpoints; delete one first")
		}
		secret := webhook.NewSecret().Reveal()
		sealed, err := s.Keys.SealText(actor.TenantID, sealedForWebhooks, secret)
		if err != nil {
			return err
		}
		e = journal.Endpoint{
			ID: id.New(id.WebhookEndpoint, tx.Now()), TenantID: actor.TenantID, URL: target, EventTypes: types,
			Secret: policy.Secret(sealed), CreatedAt: tx.Now(),
		}
		if err := tx.InsertEndpoint(actor, e, []journal.Draft{journal.Of(journal.WebhookEndpointMade, e.ID, "")}); err != nil {
			return err
		}
		e.Secret = policy.Secret(secret)
		return nil
	})
	return e, err
}

// The purposes that signing secrets are sealed for.
const (
	sealedForWebhooks  = "webhooks"
	sealedForConnector = "connector"
)

// signingSecret opens a stored signing secret.
func (s *Service) signingSecret(tenantID, purpose string, sealed policy.Secret) (webhook.Secret, error) {
	text, err := s.Keys.OpenText(tenantID, purpose, sealed.Reveal())
	if err != nil {
		return webhook.Secret{}, err
	}
	return webhook.ParseSecret(text)
}

// WebhookEndpoints lists the tenant's endpoints. Their secrets stay sealed.
func (s *Service) WebhookEndpoints(ctx context.Context, actor access.Actor) ([]journal.Endpoint, error) {
	var endpoints []journal.Endpoint
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		endpoints, err = tx.Endpoints(actor.TenantID)
		return err
	})
	return endpoints, err
}

// DeleteWebhookEndpoint ends deliveries to an endpoint.
func (s *Service) DeleteWebhookEndpoint(ctx context.Context, actor access.Actor, endpointID string) error {
	if err := actor.Require(access.ManageWebhooks); err != nil {
		return err
	}
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		e, err := tx.Endpoint(actor.TenantID, endpointID)
		if err != nil {
			return err
		}
		e.DeletedAt = tx.Now()
		return tx.SaveEndpoint(actor, e, []journal.Draft{journal.Of(journal.WebhookEndpointGone, e.ID, "")})
	})
}

// sendWebhook delivers one journal entry to one endpoint, on the schedule of Standard Webhooks. When that is used up, or the endpoint
// says it is gone, the endpoint is disabled, which is an event of its own.
func (s *Service) sendWebhook(ctx context.Context, job store.Job) error {
	var e journal.Endpoint
	var entry journal.Entry
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		if e, err = tx.Endpoint(job.TenantID, job.Payload["endpoint_id"]); err != nil {
			return err
		}
		sequence, err := strconv.ParseInt(job.Payload["sequence"], 10, 64)
		if err != nil {
			return err
		}
		entry, err = tx.EntryBySequence(job.TenantID, sequence)
		return err
	})
	if problem.Is(err, problem.NotFound) || (err == nil && !e.Wants(entry.Type)) {
		return s.finish(ctx, job)
	}
	if err != nil {
		return err
	}
	body, err := json.Marshal(EventOf(entry))
	if err != nil {
		return err
	}
	secret, err := s.signingSecret(e.TenantID, sealedForWebhooks, e.Secret)
	if err != nil {
		return err
	}
	result := s.Webhooks.Send(ctx, webhook.Delivery{
		URL: e.URL, Secrets: []webhook.Secret{secret}, ID: entry.ID, Timestamp: s.Clock.Wall(), Body: body,
	})
	if result.Outcome == webhook.Delivered {
		return s.finish(ctx, job)
	}
	wait, more := result.NextRetry(job.Attempts, mathrand.Float64())
	if !more {
		return s.disableEndpoint(ctx, job, e)
	}
	return s.Store.Retry(ctx, job, s.Clock.Now().Add(wait), string(result.Cause))
}

func (s *Service) disableEndpoint(ctx context.Context, job store.Job, e journal.Endpoint) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.CompleteJob(job); err != nil {
			return err
		}
		if !e.DisabledAt.IsZero() {
			return nil
		}
		e.DisabledAt = tx.Now()
		return tx.SaveEndpoint(access.SystemActor(e.TenantID, "webhooks"), e, []journal.Draft{journal.Of(journal.WebhookEndpointOff, e.ID, "")})
	})
}
