package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
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
		{"key file", c.checkKey(ctx), "restore master.key from its backup; without it no attachment can be read"},
		{"database", c.checkDatabase(ctx), "check --database, and that the server runs and lets this user in; `probity migrate` updates an old schema"},
		{"jobs", c.checkJobs(ctx), "look at the log of `probity serve`; what waits runs when it serves again, and nothing is lost"},
		{"payment policy", c.checkPolicy(), "mend the policy at the line named; the running one is untouched"},
		{"mail server", c.checkMail(ctx), "check --smtp-host, --smtp-port, --smtp-tls and the sign-in; without mail no notice is delivered and no deadline starts"},
	} {
		if f.err == nil {
			fmt.Printf("ok     %s\n", f.what)
			continue
		}
		wrong++
		fmt.Printf("WRONG  %s: %s\n       %s\n", f.what, plain(f.err), f.cure)
	}
	if wrong > 0 {
		return fmt.Errorf("%d of 6 checks failed", wrong)
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

// checkKey also asks the database whether this is its key, when there is one to ask; that it answers is another check.
func (c *doctorCommand) checkKey(ctx context.Context) error {
	keys, err := vault.OpenKeyFile(filepath.Join(c.Data, "master.key"))
	if err != nil {
		return err
	}
	s, err := c.openStore(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = s.Close() }()
	if current, latest, err := s.SchemaVersion(ctx); err != nil || current != latest {
		return nil
	}
	return service.LookAtKeys(ctx, s, keys)
}

// openStore opens the database as it is.
func (c *doctorCommand) openStore(ctx context.Context) (*store.Store, error) {
	if c.Database == "" {
		// Opening a missing SQLite file would make an empty one.
		if _, err := os.Stat(filepath.Join(c.Data, "probity.db")); err != nil {
			return nil, err
		}
	}
	clock := clock.System()
	return store.Open(ctx, store.Config{DSN: app.DatabaseOf(app.Config{DataDir: c.Data, Database: c.Database}), Now: clock.Now, Wall: clock.Wall})
}

func (c *doctorCommand) checkDatabase(ctx context.Context) error {
	s, err := c.openStore(ctx)
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

// lateAfter is how long a due job may wait before something is wrong: nothing serves, or everything it tries fails.
const lateAfter = 15 * time.Minute

// checkJobs looks for jobs that were given up, and for due ones that nobody runs. Whether there is a database is another check's to say.
func (c *doctorCommand) checkJobs(ctx context.Context) error {
	s, err := c.openStore(ctx)
	if err != nil {
		return nil
	}
	defer func() { _ = s.Close() }()
	if current, latest, err := s.SchemaVersion(ctx); err != nil || current != latest {
		return nil
	}
	dead, err := s.DeadJobs(ctx)
	if err != nil {
		return err
	}
	if len(dead) > 0 {
		return fmt.Errorf("%d jobs were given up, the latest of kind %s (%s)", len(dead), dead[0].Kind, dead[0].ErrorCategory)
	}
	due, found, err := s.NextDue(ctx)
	if late := clock.System().Now().Sub(due); err == nil && found && late > lateAfter {
		return fmt.Errorf("a job has been due for %s; does `probity serve` run?", late.Round(time.Minute))
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
	config := c.config()
	if config.From == "" {
		config.From = "probity@localhost.localdomain" // nothing is sent
	}
	config.Timeout = 10 * time.Second
	sender, err := mail.NewSender(config)
	if err != nil {
		return err
	}
	return sender.Check(ctx)
}
