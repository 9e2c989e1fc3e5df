package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/risk"
)

// doctorCommand looks at an installation without changing it.
type doctorCommand struct {
	installationFlags
	mailFlags
	Policy string `help:"Payment policy (YAML) to check; by default the one that ships with Probity." type:"path"`
}

// finding is one line of the doctor's report.
type finding struct {
	what string
	err  error
	cure string
}

// Run prints what it found, and fails when something is wrong.
func (c *doctorCommand) Run(ctx context.Context) error {
	wrong := 0
	for _, f := range []finding{
		{"data directory", c.checkDirectory(), "make an installation with `probity serve --create …`, or name the right directory with --data"},
		{"key file", c.checkKey(), "restore master.key from its backup; without it no attachment can be read"},
		{"database", c.checkDatabase(ctx), "check --database, and that the server runs and lets this user in; `probity migrate` updates an old schema"},
		{"payment policy", c.checkPolicy(), "mend the policy at the line named; the running one is untouched"},
		{"mail server", c.checkMail(ctx), "check --smtp-host and --smtp-port; without mail no notice is delivered and no deadline starts"},
	} {
		if f.err == nil {
			fmt.Printf("ok     %s\n", f.what)
			continue
		}
		wrong++
		fmt.Printf("WRONG  %s: %s\n       %s\n", f.what, plain(f.err), f.cure)
	}
	if wrong > 0 {
		return fmt.Errorf("%d of 5 checks failed", wrong)
	}
	return nil
}

func (c *doctorCommand) checkDirectory() error {
	info, err := os.Stat(c.Data)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", c.Data)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by others (mode %o); chmod 700 it", c.Data, info.Mode().Perm())
	}
	return nil
}

func (c *doctorCommand) checkKey() error {
	_, err := vault.OpenKeyFile(filepath.Join(c.Data, "master.key"))
	return err
}

func (c *doctorCommand) checkDatabase(ctx context.Context) error {
	if c.Database == "" {
		// Opening a missing SQLite file would make an empty one.
		if _, err := os.Stat(filepath.Join(c.Data, "probity.db")); err != nil {
			return err
		}
	}
	clock := clock.System()
	s, err := store.Open(ctx, store.Config{DSN: app.DatabaseOf(app.Config{DataDir: c.Data, Database: c.Database}), Now: clock.Now, Wall: clock.Wall})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	current, latest, err := s.SchemaVersion(ctx)
	if err == nil && current != latest {
		err = fmt.Errorf("the schema is at version %d, this program needs %d", current, latest)
	}
	return err
}

func (c *doctorCommand) checkPolicy() error {
	if c.Policy == "" {
		_, err := risk.Default()
		return err
	}
	raw, err := os.ReadFile(c.Policy)
	if err != nil {
		return err
	}
	_, err = risk.ParsePolicy(raw)
	return err
}

func (c *doctorCommand) checkMail(ctx context.Context) error {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.SMTPHost, strconv.Itoa(c.SMTPPort)))
	if err != nil {
		return err
	}
	return connection.Close()
}
