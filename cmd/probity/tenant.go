package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/policy"
)

// tenantCommand manages the organisations of an installation.
type tenantCommand struct {
	Create    tenantCreateCommand    `cmd:"" help:"Add an organisation."`
	List      tenantListCommand      `cmd:"" help:"List the organisations."`
	Connector tenantConnectorCommand `cmd:"" help:"Say where an organisation's platform takes suspend and resume commands."`
	Decisions tenantDecisionsCommand `cmd:"" help:"Say how long an organisation's decisions may take, and whether one person may publish its policies."`
}

type tenantCreateCommand struct {
	installationFlags
	Name         string `arg:"" help:"Shown to account holders in mails and pages."`
	TimeZone     string `help:"IANA zone of its deadlines." default:"UTC" name:"time-zone"`
	SupportEmail string `help:"Where account holders may write." name:"support-email"`
	BrandColor   string `help:"Accent of its pages and mails, e.g. #1f5eff." name:"brand-color"`
}

// Run creates a tenant and prints its id.
func (c *tenantCreateCommand) Run(ctx context.Context) error {
	c.installationFlags.Create = true
	return c.with(ctx, func(a *app.App) error {
		t, err := a.Service.CreateTenant(ctx, policy.Tenant{Name: c.Name, TimeZone: c.TimeZone, SupportEmail: c.SupportEmail, BrandColor: c.BrandColor})
		if err != nil {
			return err
		}
		fmt.Println(t.ID)
		return nil
	})
}

type tenantListCommand struct{ installationFlags }

// Run prints the tenants, one a line.
func (c *tenantListCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		tenants, err := a.Service.Tenants(ctx)
		for _, t := range tenants {
			fmt.Printf("%s  %s  %s\n", t.ID, t.Name, t.TimeZone)
		}
		return err
	})
}

type tenantConnectorCommand struct {
	installationFlags
	outboundFlags
	Tenant string `help:"Tenant id." required:""`
	URL    string `arg:"" help:"Where commands are posted, e.g. https://platform.example.com/probity."`
}

// Run sets the connector and prints the secret that signs its commands, once.
func (c *tenantConnectorCommand) Run(ctx context.Context) error {
	return c.withOutbound(ctx, c.outboundFlags, func(a *app.App) error {
		t, err := a.Service.SetConnector(ctx, c.Tenant, c.URL, "")
		if err != nil {
			return err
		}
		fmt.Printf("Commands are signed with this secret; it is not shown again:\n%s\n", t.ConnectorKey.Reveal())
		return nil
	})
}

// keyCommand manages API keys.
type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Make an API key for a tenant's platform and print it, once."`
	List   keyListCommand   `cmd:"" help:"List a tenant's API keys."`
	Revoke keyRevokeCommand `cmd:"" help:"End an API key: within a second no process accepts it."`
}

type keyCreateCommand struct {
	installationFlags
	Tenant string `help:"Tenant id; may be left out when there is only one."`
	Name   string `help:"The system that will use the key." default:"platform"`
}

// Run creates a key and prints it.
func (c *keyCreateCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		tenantID, err := oneTenant(ctx, a, c.Tenant)
		if err != nil {
			return err
		}
		_, secret, err := a.Service.CreateKey(ctx, tenantID, c.Name)
		if err != nil {
			return err
		}
		fmt.Println(secret.Reveal())
		return nil
	})
}

type keyListCommand struct {
	installationFlags
	Tenant string `help:"Tenant id; may be left out when there is only one."`
}

// Run prints the keys, one a line, without their secrets.
func (c *keyListCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		tenantID, err := oneTenant(ctx, a, c.Tenant)
		if err != nil {
			return err
		}
		keys, err := a.Service.APIKeys(ctx, tenantID)
		for _, k := range keys {
			state := "active"
			if !k.RevokedAt.IsZero() {
				state = "revoked"
			}
			fmt.Printf("%s  …%s  %s  %s\n", k.ID, k.Hint, state, k.Name)
		}
		return err
	})
}

type keyRevokeCommand struct {
	installationFlags
	Tenant string `help:"Tenant id; may be left out when there is only one."`
	Key    string `arg:"" help:"Key id."`
}

// Run revokes a key.
func (c *keyRevokeCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		tenantID, err := oneTenant(ctx, a, c.Tenant)
		if err != nil {
			return err
		}
		return a.Service.RevokeKey(ctx, tenantID, c.Key)
	})
}

// with opens the installation, runs fn and closes it again.
func (f installationFlags) with(ctx context.Context, fn func(a *app.App) error) error {
	return f.withOutbound(ctx, outboundFlags{}, fn)
}

// withOutbound is with for a command that registers an address.
func (f installationFlags) withOutbound(ctx context.Context, outbound outboundFlags, fn func(a *app.App) error) error {
	a, err := f.open(ctx, outbound)
	if err != nil {
		return err
	}
	defer a.Close()
	return fn(a)
}

// oneTenant returns the named tenant's id, or the only one's when none is named.
func oneTenant(ctx context.Context, a *app.App, tenantID string) (string, error) {
	if tenantID != "" {
		return tenantID, nil
	}
	tenants, err := a.Service.Tenants(ctx)
	if err != nil {
		return "", err
	}
	if len(tenants) == 0 {
		return "", errors.New("there is no tenant yet; make one with `probity tenant create NAME`")
	}
	if len(tenants) != 1 {
		return "", errors.New("name the tenant with --tenant; `probity tenant list` shows them")
	}
	return tenants[0].ID, nil
}
