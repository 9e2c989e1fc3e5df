package main

import (
	"context"
	"fmt"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/app"
)

// migrateCommand brings a schema up to date before the new version serves. Serving does it too.
type migrateCommand struct {
	installationFlags
	Status bool `help:"Only show where the schema stands."`
}

// Run migrates, or shows the status.
func (c *migrateCommand) Run(ctx context.Context) error {
	clock := clock.System()
	s, err := store.Open(ctx, store.Config{DSN: app.DatabaseOf(app.Config{DataDir: c.Data, Database: c.Database}), Now: clock.Now, Wall: clock.Wall})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if !c.Status {
		if err := s.Migrate(ctx); err != nil {
			return err
		}
	}
	current, latest, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("schema version %d of %d (%s)\n", current, latest, s.Dialect())
	return nil
}
