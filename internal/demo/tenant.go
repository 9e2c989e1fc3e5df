package demo

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/demo/platform"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// The tenant of the demo. Its id is always the same, so that scripts may rely on it.
const (
	tenantID    = "ten_01jc0n1mbvsc10vd0000000000"
	tenantName  = "Nimbus Cloud"
	tenantColor = "#3346a8"
	zoneName    = "Asia/Singapore"
)

func tenantZone() *time.Location { return policy.Tenant{TimeZone: zoneName}.Zone() }

func brand() web.Brand { return web.Brand{Name: tenantName, Colour: tenantColor} }

// openTenant finds or makes the tenant and its API key. It is what `probity tenant create` and `probity key create` do elsewhere.
func (d *demo) openTenant(ctx context.Context) error {
	var known bool
	var err error
	if d.state, known, err = loadState(filepath.Join(d.DataDir, "demo.json")); err != nil {
		return err
	}
	tenants, err := d.app.Service.Tenants(ctx)
	if err != nil {
		return err
	}
	exists := false
	for _, t := range tenants {
		exists = exists || t.ID == tenantID
	}
	switch {
	case !exists && len(tenants) > 0:
		return errors.New("the data directory holds an installation that is no demo; choose another directory with --data")
	case exists && !known:
		// The notes were removed; the world is there, and must not be played into once more.
		d.state.Complete = true
	}
	if d.state.ConnectorSecret == "" {
		d.state.ConnectorSecret = webhook.NewSecret().Reveal()
		if err := d.state.save(); err != nil {
			return err
		}
	}
	if !d.state.Complete {
		// The tenant belongs to the past that is about to be played.
		if err := d.begin(max(d.state.Chapter, 1)); err != nil {
			return err
		}
	}
	if !exists {
		if _, err := d.app.Service.CreateTenant(ctx, policy.Tenant{
			ID: tenantID, Name: tenantName, BrandColor: tenantColor, SupportEmail: "support@nimbus-cloud.example", TimeZone: zoneName,
		}); err != nil {
			return err
		}
		// A visitor is alone at first, and can publish a policy all the same.
		if _, err := d.app.Service.SetRiskSettings(ctx, tenantID, service.PolicySettings{OnePerson: true}); err != nil {
			return err
		}
	}
	return d.openKey(ctx)
}

// openKey keeps the API key of the notes while it is valid, and makes a new one otherwise.
func (d *demo) openKey(ctx context.Context) error {
	if d.state.APIKey != "" {
		_, err := d.app.Service.AuthenticateKey(ctx, d.state.APIKey)
		if !problem.Is(err, problem.Unauthenticated) {
			return err
		}
	}
	_, secret, err := d.app.Service.CreateKey(ctx, tenantID, "Nimbus Cloud platform")
	if err != nil {
		return err
	}
	d.state.APIKey = secret.Reveal()
	return d.state.save()
}

// connect tells Probity where the platform takes commands, which changes with the port.
func (d *demo) connect(ctx context.Context) error {
	t, err := d.app.Service.Tenant(ctx, tenantID)
	if err != nil {
		return err
	}
	target := d.own() + platform.Prefix + "connector"
	if t.ConnectorURL == target && t.ConnectorKey.Reveal() == d.state.ConnectorSecret {
		return nil
	}
	_, err = d.app.Service.SetConnector(ctx, tenantID, target, policy.Secret(d.state.ConnectorSecret))
	return err
}
