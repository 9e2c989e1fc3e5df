package service_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/enforcer"
	"github.com/probity/probity/internal/adapter/netguard"
	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/calendar"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/postgres"
)

// start is a Wednesday, ten in the morning in Hangzhou.
var start = time.Date(2026, 11, 11, 2, 0, 0, 0, time.UTC)

// world is one installation with real parts: database, vault, reader, policy, and HTTP to a platform. Mail is caught.
type world struct {
	testing.TB
	s        *service.Service
	store    *store.Store
	clock    *clock.Clock
	wall     *atomic.Int64 // microseconds
	post     *post
	platform *platform
	blobs    *blobs
	config   service.Config
	data     string // data directory
	dsn      string
	db       *sql.DB // beside the store, to look at what is there
	logs     *logs
	tenant   policy.Tenant
	key      access.Actor
	reviewer access.Actor
}

// on runs a test on both databases, and checks afterwards what must always be true.
func on(t *testing.T, test func(w *world)) {
	t.Helper()
	for _, database := range []struct {
		name    string
		address func(t testing.TB) string
	}{
		{"sqlite", func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "probity.db") }},
		{"postgres", postgres.DSN},
	} {
		t.Run(database.name, func(t *testing.T) {
			t.Parallel() // most of the time goes into waiting for a disk
			w := newWorld(t, database.address(t))
			test(w)
			w.invariants()
		})
	}
}

// alone marks a test in which nothing meets, so that the short run under the race detector goes without it.
func alone(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("nothing meets here")
	}
}

// compiledPolicy is the policy that ships. Compiling it takes longer than a test.
var compiledPolicy = sync.OnceValues(risk.Default)

func newWorld(t testing.TB, dsn string) *world {
	t.Helper()
	w := &world{TB: t, dsn: dsn, data: t.TempDir(), wall: &atomic.Int64{}, post: &post{}, logs: &logs{}}
	w.wall.Store(start.UnixMicro())
	w.clock = clock.New(func() time.Time { return time.UnixMicro(w.wall.Load()) })
	w.platform = newPlatform(t)
	w.open()
	var err error
	w.tenant, err = w.s.CreateTenant(t.Context(), policy.Tenant{
		Name: "Harbour Cloud", TimeZone: "Asia/Shanghai", SupportEmail: "help@harbour.example", ConnectorURL: w.platform.server.URL + "/commands",
	})
	w.must(err)
	w.key = w.newKey(w.tenant.ID)
	w.reviewer = access.Actor{Kind: access.Staff, TenantID: w.tenant.ID, ID: "staff_reviewer", Role: access.Reviewer}
	return w
}

// open makes the service over the data directory and the database, as a process that starts does.
func (w *world) open() {
	w.Helper()
	var err error
	w.store, err = store.Open(w.Context(), store.Config{DSN: w.dsn, Now: w.clock.Now, Wall: w.clock.Wall})
	w.must(err)
	w.Cleanup(func() { _ = w.store.Close() })
	w.must(w.store.Migrate(w.Context()))
	keyFile := filepath.Join(w.data, "master.key")
	keys, err := vault.OpenKeyFile(keyFile)
	if err != nil {
		keys, err = vault.CreateKeyFile(keyFile)
	}
	w.must(err)
	directory, err := vault.OpenDirectory(filepath.Join(w.data, "attachments"))
	w.must(err)
	w.blobs = &blobs{Directory: directory}
	rules := netguard.Rules{AllowLoopback: true}
	sender := webhook.NewSender(netguard.NewClient(netguard.Options{Rules: rules, Timeout: 5 * time.Second}))
	policy, err := compiledPolicy()
	w.must(err)
	w.config = service.Config{
		Store: w.store, Clock: w.clock, Keys: keys, Blobs: w.blobs, Inspector: reader.New(), Mailer: w.post, Connector: enforcer.New(sender),
		Webhooks: sender, Outbound: rules, Policy: policy, Calendar: calendar.Weekdays{}, BaseURL: "https://kyc.example.com",
		MailAcceptanceIsFinal: true, Demo: true, Log: slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	w.rebuild()
	driver, address := "pgx", w.dsn
	if path, isFile := strings.CutPrefix(w.dsn, "sqlite:"); isFile {
		driver, address = "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)"
	}
	w.db, err = sql.Open(driver, address)
	w.must(err)
	w.Cleanup(func() { _ = w.db.Close() })
}

// rebuild makes the service anew from its configuration.
func (w *world) rebuild() {
	w.Helper()
	var err error
	w.s, err = service.New(w.config)
	w.must(err)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

// now is business time.
func (w *world) now() time.Time { return w.clock.Now() }

// at moves business time forward to an instant; wall time stays.
func (w *world) at(instant time.Time) {
	w.Helper()
	step := instant.Sub(w.now())
	if step < 0 {
		w.Fatalf("time only moves forward: it is %v", w.now())
	}
	_, err := w.clock.Advance(step)
	w.must(err)
}

// pass lets wall time, and business time with it, go on.
func (w *world) pass(step time.Duration) { w.wall.Add(step.Microseconds()) }

// work runs due jobs until there are none.
func (w *world) work() {
	w.Helper()
	_, err := w.s.RunDueJobs(w.Context())
	w.must(err)
}

func (w *world) newKey(tenantID string) access.Actor {
	w.Helper()
	_, secret, err := w.s.CreateKey(w.Context(), tenantID, "platform")
	w.must(err)
	actor, err := w.s.AuthenticateKey(w.Context(), secret.Reveal())
	w.must(err)
	return actor
}

// person is an account with its default payment method.
type person struct {
	account account.Account
	method  payment.Method
	holder  access.Actor
}

// person makes an account; change may alter its profile.
func (w *world) person(change ...func(*account.Profile)) person {
	w.Helper()
	profile := account.Profile{
		Kind: account.Individual, Name: "Alma Petersen", Email: "alma@mail.example", Country: "CN", Locale: "en", TimeZone: "Asia/Shanghai",
	}
	for _, one := range change {
		one(&profile)
	}
	return w.personOf(w.key, profile)
}

func (w *world) personOf(key access.Actor, profile account.Profile) person {
	w.Helper()
	view, err := w.s.CreateAccount(w.Context(), key, profile)
	w.must(err)
	p := person{account: view.Account, holder: access.Actor{Kind: access.Holder, TenantID: key.TenantID, ID: view.Account.ID}}
	p.method = w.method(key, p, true)
	return p
}

// method adds a card.
func (w *world) method(key access.Actor, p person, isDefault bool) payment.Method {
	w.Helper()
	m, err := w.s.AddPaymentMethod(w.Context(), key, payment.Method{
		AccountID: p.account.ID, Kind: payment.Card, Brand: "Visa", First6: "400012", Last4: "9876", HolderName: "ALMA PETERSEN", Default: isDefault,
	})
	w.must(err)
	return m
}

func dollars(whole int64) money.Amount {
	return money.Amount{AmountMinor: whole * 100, Currency: "USD"}
}

// attempt is a payment from an ordinary place.
func (p person) attempt(amount money.Amount) payment.Attempt {
	return payment.Attempt{
		AccountID: p.account.ID, PaymentMethodID: p.method.ID, Amount: amount, IP: "203.0.113.77", DeviceID: "device-of-alma",
		Location: payment.Location{Country: "BR", Region: "SP", City: "Campinas"}, Merchant: "Harbour Cloud",
	}
}

func (w *world) pay(attempt payment.Attempt) service.PaymentView {
	w.Helper()
	view, err := w.s.AuthorizePayment(w.Context(), w.key, attempt)
	w.must(err)
	return view
}

// reject makes a payment that risk control rejects: the first of a fresh account, over the cap.
func (w *world) reject(p person) (service.PaymentView, verification.Verification) {
	w.Helper()
	view := w.pay(p.attempt(dollars(900)))
	if view.Payment.Outcome != payment.Rejected {
		w.Fatalf("got outcome %s, want rejected", view.Payment.Outcome)
	}
	return view, w.verification(view.Payment.VerificationID)
}

func (w *world) verification(id string) verification.Verification {
	w.Helper()
	view, err := w.s.Verification(w.Context(), w.key, id)
	w.must(err)
	return view.Verification
}

var sample = sync.OnceValue(func() []byte {
	img := image.NewGray(image.Rect(0, 0, 240, 240))
	for x := range 240 {
		for y := range 240 {
			img.SetGray(x, y, color.Gray{Y: uint8(x ^ y)})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
})

func upload(verificationID string, kind verification.RequirementKind) service.EvidenceUpload {
	up := service.EvidenceUpload{VerificationID: verificationID, Requirement: kind, Raw: sample()}
	if kind == verification.GovernmentID {
		up.DocumentType = verification.Passport
	}
	return up
}

// provide sends evidence for requirements; without any, for all.
func (w *world) provide(actor access.Actor, verificationID string, kinds ...verification.RequirementKind) {
	w.Helper()
	if len(kinds) == 0 {
		kinds = verification.RequirementKinds
	}
	for _, kind := range kinds {
		_, err := w.s.SendEvidence(w.Context(), actor, upload(verificationID, kind))
		w.must(err)
	}
}

// submit sends all evidence and submits.
func (w *world) submit(p person, verificationID string) service.VerificationView {
	w.Helper()
	w.provide(p.holder, verificationID)
	view, err := w.s.Submit(w.Context(), p.holder, verificationID)
	w.must(err)
	return view
}

func (w *world) decide(caseID string, decision service.CaseDecision) service.CaseView {
	w.Helper()
	decision.CaseID = caseID
	view, err := w.s.DecideCase(w.Context(), w.reviewer, decision)
	w.must(err)
	return view
}

// events returns the types of the tenant's journal entries after a sequence number, in order.
func (w *world) entries() []journal.Entry {
	w.Helper()
	var all []journal.Entry
	for after := int64(0); ; {
		page, err := w.s.Events(w.Context(), w.key, after, 100)
		w.must(err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].Sequence
	}
}

// types returns the types of the entries from the nth on.
func (w *world) types(from int) []journal.EventType {
	w.Helper()
	types := []journal.EventType{}
	for _, e := range w.entries()[from:] {
		types = append(types, e.Type)
	}
	return types
}

func (w *world) countEvents(t journal.EventType) int {
	w.Helper()
	count := 0
	for _, one := range w.types(0) {
		if one == t {
			count++
		}
	}
	return count
}

var tables = []string{
	"tenants", "accounts", "payment_methods", "restrictions", "payments", "profiles", "retry_grants", "verifications", "evidence", "data_keys",
	"cases", "reviews", "tickets", "notices", "messages", "enforcements", "commands", "journal", "jobs", "webhook_endpoints", "api_keys",
	"members", "links", "sessions", "challenges", "idempotency", "settings", "risk_settings", "policies", "shipped_policies", "lists", "list_entries",
	"payment_findings", "rule_hits", "follower_snapshots",
}

// counts returns how many rows each table has.
func (w *world) counts() map[string]int {
	w.Helper()
	found := map[string]int{}
	for _, table := range tables {
		var count int
		from := table
		if table == "profiles" {
			from += " WHERE seq > 0 OR length(body) > 0" // without those rows that only hold an account's last payment
		}
		w.must(w.db.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM "+from).Scan(&count))
		found[table] = count
	}
	return found
}

// grown says which tables have more or fewer rows than before, as "table+n".
func (w *world) grown(before map[string]int) string {
	w.Helper()
	var changes []string
	for _, table := range tables {
		now := w.counts()[table]
		if now != before[table] {
			changes = append(changes, fmt.Sprintf("%s%+d", table, now-before[table]))
		}
	}
	return strings.Join(changes, " ")
}

// text returns everything that stands in some tables, as text.
func (w *world) text(names ...string) string {
	w.Helper()
	var out strings.Builder
	for _, name := range names {
		rows, err := w.db.QueryContext(w.Context(), "SELECT * FROM "+name)
		w.must(err)
		columns, err := rows.Columns()
		w.must(err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			w.must(rows.Scan(values...))
			for i, value := range values {
				switch v := (*value.(*any)).(type) {
				case []byte:
					fmt.Fprintf(&out, "%s.%s=%s\n", name, columns[i], v)
				default:
					fmt.Fprintf(&out, "%s.%s=%v\n", name, columns[i], v)
				}
			}
		}
		w.must(rows.Err())
		w.must(rows.Close())
	}
	return out.String()
}

// refused checks that an error is a problem of the kind and code; an empty code is any.
func refused(t testing.TB, err error, kind problem.Kind, code string) {
	t.Helper()
	p := problem.As(err)
	if p == nil {
		t.Fatalf("got error %v, want a problem %q", err, code)
	}
	if p.Kind != kind || (code != "" && p.Code != code) {
		t.Fatalf("got problem %q of kind %d, want %q of kind %d", p.Code, p.Kind, code, kind)
	}
}

// logs is a log that can be read while it is written.
type logs struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

// errPart is the failure that a test makes a part have.
var errPart = errors.New("the part failed")

// blobs is a vault directory whose steps can be made to fail.
type blobs struct {
	*vault.Directory
	put, get, remove func(do func() error) error // nil: just do it
}

func (b *blobs) Put(ctx context.Context, id string, sealed []byte) error {
	do := func() error { return b.Directory.Put(ctx, id, sealed) }
	if b.put != nil {
		return b.put(do)
	}
	return do()
}

func (b *blobs) Get(ctx context.Context, id string) (sealed []byte, err error) {
	do := func() error {
		sealed, err = b.Directory.Get(ctx, id)
		return err
	}
	if b.get != nil {
		return sealed, b.get(do)
	}
	return sealed, do()
}

func (b *blobs) Delete(ctx context.Context, id string) error {
	do := func() error { return b.Directory.Delete(ctx, id) }
	if b.remove != nil {
		return b.remove(do)
	}
	return do()
}

// platform is a tenant's platform: it suspends and resumes in the order of the sequence numbers, and takes webhooks.
type platform struct {
	server *httptest.Server
	mu     sync.Mutex
	// answer, when set, is asked first; a status other than 0 is answered instead. before reports whether the command was carried out.
	answer    func(command string) (status int, carryOut bool)
	sequences map[string]int64
	suspended map[string]bool
	carried   []string // "suspend acct 1"
	bodies    []string // of everything received
}

// files returns the paths of the attachments on disk.
func (w *world) files() []string {
	w.Helper()
	var found []string
	w.must(filepath.WalkDir(filepath.Join(w.data, "attachments"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	}))
	return found
}
