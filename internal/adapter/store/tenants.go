package store

import (
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/policy"
)

const tenantColumns = "id, name, brand_color, support_email, time_zone, calendar, connector_url, connector_key, version, created_at"

func scanTenant(r row) (policy.Tenant, error) {
	var t policy.Tenant
	err := r.Scan(&t.ID, &t.Name, &t.BrandColor, &t.SupportEmail, &t.TimeZone, &t.Calendar, &t.ConnectorURL, (*string)(&t.ConnectorKey),
		&t.Version, instant{&t.CreatedAt}, &t.JournalLength)
	return t, err
}

// InsertTenant adds a tenant, whose journal begins with the drafts. The actor is of the new tenant.
func (tx *Tx) InsertTenant(actor access.Actor, t policy.Tenant, drafts []journal.Draft) error {
	err := tx.insert("tenants", tenantColumns, nil, t.ID, t.Name, t.BrandColor, t.SupportEmail, t.TimeZone, t.Calendar, t.ConnectorURL,
		t.ConnectorKey.Reveal(), t.Version, micros(t.CreatedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, t.ID, drafts)
}

// Tenant returns a tenant.
func (tx *Tx) Tenant(id string) (policy.Tenant, error) {
	return one(tx, "tenant", scanTenant, "SELECT "+tenantColumns+", journal_length FROM tenants WHERE id = $1", id)
}

// Tenants returns every tenant of the installation, oldest first.
func (tx *Tx) Tenants() ([]policy.Tenant, error) {
	return all(tx, scanTenant, "SELECT "+tenantColumns+", journal_length FROM tenants ORDER BY created_at, id")
}

// UpdateTenant saves what a tenant decided for itself. Its journal length is the store's own.
func (tx *Tx) UpdateTenant(actor access.Actor, t policy.Tenant, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE tenants SET name = $1, brand_color = $2, support_email = $3, time_zone = $4, calendar = $5, connector_url = $6,
		connector_key = $7, version = $8 WHERE id = $9 AND version = $10`,
		t.Name, t.BrandColor, t.SupportEmail, t.TimeZone, t.Calendar, t.ConnectorURL, t.ConnectorKey.Reveal(), t.Version, t.ID, t.Version-1)
	if err != nil {
		return err
	}
	return tx.record(actor, t.ID, drafts)
}
