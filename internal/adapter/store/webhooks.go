package store

import (
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
)

const endpointColumns = "tenant_id, id, url, event_types, secret, created_at, disabled_at, deleted_at"

func scanEndpoint(r row) (journal.Endpoint, error) {
	var e journal.Endpoint
	err := r.Scan(&e.TenantID, &e.ID, &e.URL, fromJSON{&e.EventTypes}, (*string)(&e.Secret), instant{&e.CreatedAt}, instant{&e.DisabledAt},
		instant{&e.DeletedAt})
	return e, err
}

// InsertEndpoint adds a webhook endpoint. It is told of its own creation, and of what follows.
func (tx *Tx) InsertEndpoint(actor access.Actor, e journal.Endpoint, drafts []journal.Draft) error {
	err := tx.insert("webhook_endpoints", endpointColumns, nil, e.TenantID, e.ID, e.URL, asJSON{e.EventTypes}, e.Secret.Reveal(),
		micros(e.CreatedAt), micros(e.DisabledAt), micros(e.DeletedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, e.TenantID, drafts)
}

// Endpoint returns a webhook endpoint that was not deleted.
func (tx *Tx) Endpoint(tenantID, id string) (journal.Endpoint, error) {
	return one(tx, "webhook endpoint", scanEndpoint,
		"SELECT "+endpointColumns+" FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL", tenantID, id)
}

// Endpoints returns the tenant's webhook endpoints that were not deleted, disabled ones too, oldest first.
func (tx *Tx) Endpoints(tenantID string) ([]journal.Endpoint, error) {
	return all(tx, scanEndpoint,
		"SELECT "+endpointColumns+" FROM webhook_endpoints WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY created_at, id", tenantID)
}

// SaveEndpoint disables or deletes an endpoint. A deleted one stays so, and one that is disabled is not disabled again: two deliveries
// may learn at the same time that it is gone.
func (tx *Tx) SaveEndpoint(actor access.Actor, e journal.Endpoint, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE webhook_endpoints SET disabled_at = $1, deleted_at = $2 WHERE tenant_id = $3 AND id = $4 AND deleted_at IS NULL
		AND (disabled_at IS NULL OR $5)`,
		micros(e.DisabledAt), micros(e.DeletedAt), e.TenantID, e.ID, !e.DeletedAt.IsZero())
	if err != nil {
		return err
	}
	return tx.record(actor, e.TenantID, drafts)
}
