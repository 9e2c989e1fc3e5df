// Package installation makes whole installations for tests: the real service over a real SQLite database, vault, reader and policy, a real
// SMTP server that keeps what it is sent, a clock that the test moves, and a platform and webhook receivers that take notes.
//
//	i := installation.New(t, installation.Options{})
//	view, err := i.Service.CreateAccount(t.Context(), i.Actor, …)
//	i.RunJobs()             // mails, deadlines, commands
//	i.Advance(24 * time.Hour)
//
// Nothing runs by itself: jobs run when RunJobs is called, so a test can say what had happened at each moment. What a refused request
// left behind is seen by comparing Digest before and after it; what an accepted one did, by Since.
package installation

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/netguard"
	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/calendar"
)

// Start is the wall time at which an installation begins: a Monday, ten in the morning in Singapore, two at night in UTC.
var Start = time.Date(2026, 11, 9, 2, 0, 0, 0, time.UTC)

// BaseURL is how browsers would reach an installation, unless Options say otherwise.
const BaseURL = "https://kyc.example.com"

// Options change what New makes. The zero value is a demo whose mail server is the recipients' own.
type Options struct {
	BaseURL   string
	NoDemo    bool // the clock cannot be moved over the API
	Relay     bool // the mail server is a relay: its acceptance is no receipt
	Connector service.Connector
	Webhooks  service.WebhookSender
}

// Installation is one running installation with one tenant and one API key.
type Installation struct {
	t       testing.TB
	Service *service.Service
	Store   *store.Store
	Clock   *clock.Clock
	Tenant  policy.Tenant
	Actor   access.Actor // the API key
	Key     string       // its secret
	// Platform keeps the enforcement commands, unless Options brought another connector.
	Platform *Platform
	// Hooks keeps the webhooks, unless Options brought another sender.
	Hooks *Hooks

	database string // path of the SQLite file
	blobs    string // folder of the sealed attachments
	mails    *mailbox
	log      *lockedBuffer
	wall     *wall
}

// compiledPolicy is the policy that ships. Compiling it takes longer than a test.
var compiledPolicy = sync.OnceValues(risk.Default)

// New makes an installation that is gone when the test ends.
func New(t testing.TB, o Options) *Installation {
	t.Helper()
	dir := t.TempDir()
	i := &Installation{
		t: t, database: filepath.Join(dir, "probity.db"), blobs: filepath.Join(dir, "attachments"), mails: &mailbox{}, log: &lockedBuffer{},
		wall: &wall{now: Start}, Platform: &Platform{}, Hooks: &Hooks{},
	}
	i.Clock = clock.New(i.wall.read)
	if o.BaseURL == "" {
		o.BaseURL = BaseURL
	}
	if o.Connector == nil {
		o.Connector = i.Platform
	}
	if o.Webhooks == nil {
		o.Webhooks = i.Hooks
	}
	i.open(dir, o)
	i.Tenant = i.NewTenant("Nimbus Cloud")
	i.Actor, i.Key = i.NewKey(i.Tenant.ID)
	return i
}

func (i *Installation) open(dir string, o Options) {
	i.t.Helper()
	ctx := context.Background()
	keys, err := vault.CreateKeyFile(filepath.Join(dir, "master.key"))
	i.must("create the key file", err)
	blobs, err := vault.OpenDirectory(i.blobs)
	i.must("open the vault", err)
	policy, err := compiledPolicy()
	i.must("compile the policy", err)
	sender, err := mail.NewSender(mail.Config{
		Host: "127.0.0.1", Port: i.serveMail(), TLS: mail.NoTLS, From: "Probity <no-reply@kyc.example.com>", Timeout: 10 * time.Second,
	})
	i.must("configure mail", err)
	i.Store, err = store.Open(ctx, store.Config{DSN: "sqlite:" + i.database, Now: i.Clock.Now, Wall: i.Clock.Wall})
	i.must("open the database", err)
	i.t.Cleanup(func() { _ = i.Store.Close() })
	i.must("make the schema", i.Store.Migrate(ctx))
	i.Service, err = service.New(service.Config{
		Store: i.Store, Clock: i.Clock, Keys: keys, Blobs: blobs, Inspector: reader.New(), Mailer: sender, Connector: o.Connector,
		Webhooks: o.Webhooks, Outbound: netguard.Rules{AllowLoopback: true}, Policy: policy, Calendar: calendar.Weekdays{}, BaseURL: o.BaseURL,
		MailAcceptanceIsFinal: !o.Relay, Demo: !o.NoDemo, Log: slog.New(slog.NewJSONHandler(i.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	i.must("make the service", err)
}

func (i *Installation) must(what string, err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatalf("%s: %v", what, err)
	}
}

// NewTenant adds a tenant in Singapore's time zone, with a connector.
func (i *Installation) NewTenant(name string) policy.Tenant {
	i.t.Helper()
	tenant, err := i.Service.CreateTenant(context.Background(), policy.Tenant{
		Name: name, TimeZone: "Asia/Singapore", SupportEmail: "support@example.com", ConnectorURL: "https://platform.example.com/connector",
	})
	i.must("create a tenant", err)
	return tenant
}

// NewKey adds an API key to a tenant, and returns the actor it stands for and its secret.
func (i *Installation) NewKey(tenantID string) (access.Actor, string) {
	i.t.Helper()
	key, secret, err := i.Service.CreateKey(context.Background(), tenantID, "test")
	i.must("create a key", err)
	return access.Actor{Kind: access.Key, TenantID: tenantID, ID: key.ID}, secret.Reveal()
}

// Advance moves wall time, and business time with it.
func (i *Installation) Advance(by time.Duration) { i.wall.advance(by) }

// RunJobs runs every job that is due, and those that become due by it, and returns how many ran.
func (i *Installation) RunJobs() int {
	i.t.Helper()
	count, err := i.Service.RunDueJobs(context.Background())
	i.must("run jobs", err)
	return count
}

// Log returns what was logged so far, as JSON lines.
func (i *Installation) Log() string { return i.log.String() }

// wall is a clock that stands still until it is moved.
type wall struct {
	mu  sync.Mutex
	now time.Time
}

func (w *wall) read() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *wall) advance(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(by)
}

// lockedBuffer is a buffer that several goroutines may write to.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(part []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(part)
}

// String returns everything written so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// serveMail starts an SMTP server on loopback and returns its port.
func (i *Installation) serveMail() int {
	i.t.Helper()
	server := smtp.NewServer(i.mails)
	server.Domain = "mail.example.com"
	server.EnableSMTPUTF8 = true
	server.ErrorLog = log.New(i.log, "smtp ", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	i.must("listen for mail", err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	i.t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // the server does not know it yet when it has only just begun to serve
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			i.t.Errorf("the mail server ended with %v", err)
		}
	})
	return listener.Addr().(*net.TCPAddr).Port
}
