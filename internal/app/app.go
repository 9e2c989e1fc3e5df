// Package app puts the parts together: configuration in, a running installation out. The commands and the tests share it, so what is
// tested is what runs.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/enforcer"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/netguard"
	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/edge/worker"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/calendar"
)

// Config says how an installation runs. DataDir, BaseURL, Clock and Log are required.
type Config struct {
	DataDir  string // key file, attachments and, by default, the database; created with mode 0700
	Database string // "sqlite:PATH" or "postgres://…"; empty means a SQLite file in DataDir
	BaseURL  string // how browsers reach it, without a slash at its end
	Mail     mail.Config
	// MailAcceptanceIsFinal: the mail server is the recipients' own, so its acceptance is receipt (design §5).
	MailAcceptanceIsFinal bool
	// AllowNetworks are private networks that webhooks and connectors may reach. Everything else must be public.
	AllowNetworks []netip.Prefix
	AllowLoopback bool // for a demo, whose platform runs on the same machine
	PolicyFile    string
	Distributed   bool // the database keeps its shards on several machines
	Demo          bool
	// Serves: this process answers requests and runs jobs. One such process owns a data directory; commands may use it beside that one.
	Serves bool
	// CreateDataKey allows a missing key file to be made. Without it a typo in DataDir cannot start an empty installation.
	CreateDataKey bool
	Clock         *clock.Clock
	Log           *slog.Logger
}

// App is an opened installation.
type App struct {
	Service *service.Service
	Store   *store.Store
	Worker  *worker.Worker
	Config  Config
	unlock  func()
	extra   map[string]http.Handler
}

// Open checks the configuration, opens the data and brings the schema up to date. Nothing is served yet.
func Open(ctx context.Context, c Config) (*App, error) {
	if c.DataDir == "" || c.BaseURL == "" || c.Clock == nil || c.Log == nil {
		return nil, errors.New("app: data directory, base URL, clock and log are required")
	}
	if err := checkBaseURL(c.BaseURL); err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.DataDir); errors.Is(err, os.ErrNotExist) && !c.CreateDataKey {
		return nil, fmt.Errorf("there is no installation in %s; check --data, or make one with --create", c.DataDir)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("create the data directory: %w", err)
	}
	a := &App{Config: c, extra: map[string]http.Handler{}}
	if c.Serves {
		unlock, err := lockDirectory(c.DataDir)
		if err != nil {
			return nil, err
		}
		a.unlock = unlock
	}
	if err := a.open(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// checkBaseURL refuses what links in mails could not be made of: it would show when the first payment is rejected.
func checkBaseURL(text string) error {
	base, err := url.Parse(text)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.User != nil || base.Path != "" ||
		base.RawQuery != "" || base.Fragment != "" {
		return errors.New("the base URL must be http:// or https:// and a host, with nothing behind it, such as https://kyc.example.com")
	}
	return nil
}

func (a *App) open(ctx context.Context) error {
	c := a.Config
	policy, policyText, err := loadPolicy(c.PolicyFile)
	if err != nil {
		return err
	}
	keyFile := filepath.Join(c.DataDir, "master.key")
	keys, made, err := openKeys(keyFile, c.CreateDataKey)
	if err != nil {
		return err
	}
	blobs, err := vault.OpenDirectory(filepath.Join(c.DataDir, "attachments"))
	if err != nil {
		return err
	}
	mailer, err := mail.NewSender(c.Mail)
	if err != nil {
		return err
	}
	wake := func() {
		if a.Worker != nil {
			a.Worker.Wake()
		}
	}
	a.Store, err = store.Open(ctx, store.Config{DSN: DatabaseOf(c), Now: c.Clock.Now, Wall: c.Clock.Wall, Wake: wake, Log: c.Log})
	if err != nil {
		return err
	}
	if err := a.Store.Migrate(ctx); err != nil {
		return err
	}
	outbound := netguard.Rules{AllowLoopback: c.AllowLoopback, Allow: c.AllowNetworks}
	sender := webhook.NewSender(netguard.NewClient(netguard.Options{Rules: outbound, Timeout: 20 * time.Second}))
	a.Service, err = service.New(service.Config{
		Store: a.Store, Clock: c.Clock, Keys: keys, Blobs: blobs, Inspector: reader.New(), Mailer: mailer, Connector: enforcer.New(sender),
		Webhooks: sender, Outbound: outbound, Policy: policy, PolicyText: policyText, Calendar: calendar.Weekdays{}, BaseURL: c.BaseURL,
		MailAcceptanceIsFinal: c.MailAcceptanceIsFinal, Distributed: c.Distributed, Demo: c.Demo, Log: c.Log, Wake: wake,
	})
	if err != nil {
		return err
	}
	if err := a.Service.CheckKeys(ctx); err != nil {
		if made {
			err = errors.Join(err, os.Remove(keyFile))
		}
		return err
	}
	if err := a.Service.RestoreClock(ctx); err != nil {
		return err
	}
	if err := a.Service.RememberShippedPolicy(ctx); err != nil {
		return err
	}
	// One process works on a SQLite file's jobs, so whatever was leased when it last ended is free again.
	if c.Serves && a.Store.Dialect() == "sqlite" {
		if err := a.Store.ReleaseLeases(ctx); err != nil {
			return err
		}
	}
	a.Worker = worker.New(a.Service, c.Log)
	return nil
}

// DatabaseOf returns the data source name, by default a SQLite file in the data directory.
func DatabaseOf(c Config) string {
	if c.Database != "" {
		return c.Database
	}
	return "sqlite:" + filepath.Join(c.DataDir, "probity.db")
}

func loadPolicy(file string) (*risk.Policy, []byte, error) {
	raw := risk.DefaultYAML()
	if file != "" {
		var err error
		if raw, err = os.ReadFile(file); err != nil {
			return nil, nil, fmt.Errorf("read the payment policy: %w", err)
		}
	}
	policy, err := risk.ParsePolicy(raw)
	if err != nil && file != "" {
		err = fmt.Errorf("payment policy %s: %w", file, err)
	}
	return policy, raw, err
}

// openKeys opens the key file, or makes it when that is allowed, and says whether it did.
func openKeys(path string, create bool) (keys *vault.KeyFile, made bool, err error) {
	if _, err := os.Stat(path); create && errors.Is(err, os.ErrNotExist) {
		keys, err := vault.CreateKeyFile(path)
		return keys, err == nil, err
	}
	keys, err = vault.OpenKeyFile(path)
	if errors.Is(err, vault.ErrKeyFileMissing) {
		return nil, false, fmt.Errorf("%s is missing; put it back from its backup, or make a new installation there with --create", path)
	}
	return keys, false, err
}

// Mount adds a handler, for what a demo shows beside the product. Call it before Handler.
func (a *App) Mount(pattern string, handler http.Handler) { a.extra[pattern] = handler }

// NewServer returns a server with the bounds that every request has. Five minutes let a telephone with little reception send 20 MB; the time
// to answer includes them.
func NewServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, WriteTimeout: 5 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// Serve answers requests on the listener and runs due jobs until ctx ends, then lets both finish what they have in hand.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	server := NewServer(a.Handler(), a.Config.Log)
	working, stopWorking := context.WithCancel(ctx)
	defer stopWorking()
	a.catchUp(working)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var background sync.WaitGroup
		background.Go(func() { a.Worker.Run(working) })
		background.Go(func() { a.Service.Follow(working) })
		background.Wait()
	}()
	go a.prune(working)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if stopError := server.Shutdown(ending); err == nil {
		err = stopError
	}
	stopWorking()
	<-done
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// catchUpWithin bounds how long a start waits for the aggregates of merchants, devices and addresses to hold what was decided before; a
// longer past is folded while the node serves.
const catchUpWithin = 10 * time.Second

func (a *App) catchUp(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, catchUpWithin)
	defer cancel()
	a.Service.CatchUp(bounded)
	if status := a.Service.FollowerStatus(); bounded.Err() != nil && ctx.Err() == nil {
		a.Config.Log.Warn("the decision log is long: aggregates of merchants, devices and addresses are filled while the node serves", "folded", status.Folded)
	}
}

// pruneEvery is how often expired sessions, links and idempotency records are removed.
const pruneEvery = 10 * time.Minute

func (a *App) prune(ctx context.Context) {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := a.Service.Prune(ctx); err != nil && ctx.Err() == nil {
				a.Config.Log.Warn("expired records could not be removed; it is tried again")
			}
		}
	}
}

// Close gives everything back. It may be called more than once.
func (a *App) Close() {
	if a.Store != nil {
		if err := a.Store.Close(); err != nil {
			a.Config.Log.Warn("the database did not close cleanly")
		}
		a.Store = nil
	}
	if a.unlock != nil {
		a.unlock()
		a.unlock = nil
	}
}
