package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema to the latest version. Any number of nodes may call it at once.
func (s *Store) Migrate(ctx context.Context) (err error) {
	unlock, err := s.lockMigrations(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for range maxTries {
		var provider *goose.Provider
		if provider, err = s.migrator(); err != nil {
			return err
		}
		if _, err = provider.Up(ctx); err == nil {
			return s.prepare(ctx)
		}
		if s.dialect != onSQLite {
			break
		}
		// Another process may have migrated the same SQLite file meanwhile; then there is nothing left to do the next time.
	}
	return fmt.Errorf("migrate: %w", err)
}

// SchemaVersion returns the version that the database has and the one that this program brings.
func (s *Store) SchemaVersion(ctx context.Context) (current, latest int64, err error) {
	provider, err := s.migrator()
	if err != nil {
		return 0, 0, err
	}
	current, latest, err = provider.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("schema version: %w", err)
	}
	return current, latest, nil
}

func (s *Store) migrator() (*goose.Provider, error) {
	folder, err := fs.Sub(migrations, "migrations/"+string(s.dialect))
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	dialect := goose.DialectPostgres
	if s.dialect == onSQLite {
		dialect = goose.DialectSQLite3
	}
	provider, err := goose.NewProvider(dialect, s.writer, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return provider, nil
}
