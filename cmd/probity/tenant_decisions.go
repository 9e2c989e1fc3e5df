package main

import (
	"context"
	"fmt"
	"time"

	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/service"
)

// tenantDecisionsCommand saves what the operator decides about a tenant's decisions. The console cannot: a single administrator could do away
// with the second person.
type tenantDecisionsCommand struct {
	installationFlags
	Tenant     string         `help:"Tenant id." required:""`
	Budget     *time.Duration `help:"How long the rules of one payment may take, e.g. 20ms; 0s is without a limit."`
	FailClosed *bool          `help:"Reject a payment whose rules take longer; otherwise the rules that are left are skipped." name:"fail-closed" negatable:""`
	OnePerson  *bool          `help:"Let one person publish a policy alone. For demos." name:"one-person" negatable:""`
}

// Run saves the settings that were given, leaves the others as they are, and prints what stands.
func (c *tenantDecisionsCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		saved, err := a.Service.ChangeRiskSettings(ctx, c.Tenant, c.change)
		if err != nil {
			return err
		}
		people := "two people publish"
		if saved.OnePerson {
			people = "one person may publish alone"
		}
		limit := "without a limit"
		switch {
		case saved.Budget.Limit > 0 && saved.Budget.FailClosed:
			limit = "at most " + saved.Budget.Limit.String() + " for the rules of one payment, rejected beyond it"
		case saved.Budget.Limit > 0:
			limit = "at most " + saved.Budget.Limit.String() + " for the rules of one payment, what is left is skipped beyond it"
		}
		fmt.Printf("%s  %s; %s\n", saved.TenantID, people, limit)
		return nil
	})
}

func (c *tenantDecisionsCommand) change(settings *service.PolicySettings) {
	if c.Budget != nil {
		settings.Budget.Limit = *c.Budget
	}
	if c.FailClosed != nil {
		settings.Budget.FailClosed = *c.FailClosed
	}
	if c.OnePerson != nil {
		settings.OnePerson = *c.OnePerson
	}
}
