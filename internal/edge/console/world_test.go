package console_test

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/console"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/samples"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/testkit/installation"
)

const passphrase = "correct horse battery staple"

// world is one installation with its console behind a server.
type world struct {
	*testing.T
	*installation.Installation
	s       *service.Service
	key     access.Actor
	handler http.Handler
	server  *httptest.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	made := installation.New(t, installation.Options{BaseURL: "http://localhost:8080"})
	w := &world{T: t, Installation: made, s: made.Service, key: made.Actor}
	w.handler = console.Handler(console.Config{Service: w.s, Log: w.s.Log, Demo: true})
	mux := http.NewServeMux()
	mux.Handle("/assets/", web.Assets())
	mux.Handle("/console/", w.handler)
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

var papers = sync.OnceValues(func() (samples.Set, error) { return samples.Draw(samples.Options{}) })

// customers numbers the accounts of all tests.
var customers atomic.Int64

// holder makes an account with a rejected payment and returns its verification.
func (w *world) holder(key access.Actor, change ...func(*account.Profile)) service.VerificationView {
	w.Helper()
	w.Advance(time.Second) // so that cases have an order
	profile := account.Profile{
		ExternalID: "customer-" + strconv.FormatInt(customers.Add(1), 10), Kind: account.Individual, Name: "Alma Petersen", Email: "alma@mail.example",
		Phone: "+45 33 12 34 56", Country: "DK", DateOfBirth: "1988-04-17", Locale: "en",
		Address: account.Address{Lines: []string{"Havnegade 12"}, City: "København", PostalCode: "1058", Country: "DK"},
	}
	for _, one := range change {
		one(&profile)
	}
	view, err := w.s.CreateAccount(w.Context(), key, profile)
	w.must(err)
	method, err := w.s.AddPaymentMethod(w.Context(), key, payment.Method{
		AccountID: view.Account.ID, Kind: payment.Card, Brand: "Visa", First6: "400012", Last4: "9876", HolderName: strings.ToUpper(profile.Name), Default: true,
	})
	w.must(err)
	paid, err := w.s.AuthorizePayment(w.Context(), key, payment.Attempt{
		AccountID: view.Account.ID, PaymentMethodID: method.ID, Amount: money.Amount{AmountMinor: 120000, Currency: "USD"}, IP: "203.0.113.77", DeviceID: "device-1",
		Location: payment.Location{Country: "BR", Region: "SP", City: "Campinas"}, Merchant: "Harbour Cloud",
	})
	w.must(err)
	if paid.Payment.VerificationID == "" {
		w.Fatal("the payment was not rejected")
	}
	found, err := w.s.Verification(w.Context(), key, paid.Payment.VerificationID)
	w.must(err)
	return found
}

// submitted is holder with all evidence submitted; the view has its case.
func (w *world) submitted(key access.Actor, change ...func(*account.Profile)) service.VerificationView {
	w.Helper()
	view := w.holder(key, change...)
	w.RunJobs()
	w.provide(access.Actor{Kind: access.Holder, TenantID: key.TenantID, ID: view.Account.ID}, view.Verification.ID)
	view, err := w.s.Submit(w.Context(), key, view.Verification.ID)
	w.must(err)
	w.RunJobs()
	return view
}

func (w *world) provide(actor access.Actor, verificationID string) {
	w.Helper()
	set, err := papers()
	w.must(err)
	for _, up := range []service.EvidenceUpload{
		{Requirement: verification.GovernmentID, DocumentType: verification.IDCard, Raw: set.GovernmentID},
		{Requirement: verification.PaymentMethod, Raw: set.PaymentMethod},
		{Requirement: verification.BillingStatement, Raw: set.BillingStatement},
	} {
		up.VerificationID = verificationID
		_, err := w.s.SendEvidence(w.Context(), actor, up)
		w.must(err)
	}
}

// reviewer is a browser with somebody in front of it. It follows redirects and keeps cookies.
type reviewer struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *reviewer {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &reviewer{w: w, client: &http.Client{Jar: jar}}
}

// administrator joins by the first-start link of the world's tenant.
func (w *world) administrator(name, email string) *reviewer {
	w.Helper()
	link, err := w.s.FirstStartLink(w.Context(), w.Tenant.ID)
	w.must(err)
	return w.joined(link, name, email)
}

// joined opens a one-time link and joins.
func (w *world) joined(link, name, email string) *reviewer {
	w.Helper()
	r := w.browser()
	parsed, err := url.Parse(link)
	w.must(err)
	if got := r.get(parsed.RequestURI()).status; got != http.StatusOK {
		w.Fatalf("got status %d for a fresh link, want 200", got)
	}
	page := r.send("/console/join", url.Values{
		"token": {parsed.Query().Get("token")}, "name": {name}, "email": {email}, "passphrase": {passphrase}, "passphrase_again": {passphrase},
	})
	if page.status != http.StatusOK || page.path != "/console/" {
		w.Fatalf("got %d at %s after joining, want the queue: %s", page.status, page.path, page.text())
	}
	return r
}

// page is an answer.
type page struct {
	status int
	path   string // where redirects ended
	header http.Header
	body   string
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// text is what the page says, without its tags.
func (p page) text() string {
	return html.UnescapeString(strings.TrimSpace(spaces.ReplaceAllString(tags.ReplaceAllString(p.body, " "), " ")))
}

func (r *reviewer) get(path string) page {
	r.w.Helper()
	request, err := http.NewRequestWithContext(r.w.Context(), http.MethodGet, r.w.server.URL+path, http.NoBody)
	r.w.must(err)
	return r.do(request)
}

func (r *reviewer) send(path string, fields url.Values) page {
	r.w.Helper()
	request, err := http.NewRequestWithContext(r.w.Context(), http.MethodPost, r.w.server.URL+path, strings.NewReader(fields.Encode()))
	r.w.must(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r.do(request)
}

// upload sends a multipart form; file is the attachment.
func (r *reviewer) upload(path string, fields map[string]string, file []byte) page {
	r.w.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, value := range fields {
		r.w.must(parts.WriteField(name, value))
	}
	part, err := parts.CreateFormFile("file", "photo.png")
	r.w.must(err)
	_, err = part.Write(file)
	r.w.must(err)
	r.w.must(parts.Close())
	request, err := http.NewRequestWithContext(r.w.Context(), http.MethodPost, r.w.server.URL+path, &body)
	r.w.must(err)
	request.Header.Set("Content-Type", parts.FormDataContentType())
	return r.do(request)
}

func (r *reviewer) do(request *http.Request) page {
	r.w.Helper()
	answer, err := r.client.Do(request)
	r.w.must(err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	r.w.must(err)
	return page{status: answer.StatusCode, path: answer.Request.URL.RequestURI(), header: answer.Header, body: string(body)}
}

// says fails unless the page says each of the texts.
func (w *world) says(p page, texts ...string) {
	w.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			w.Errorf("the page %s (%d) does not say %q:\n%s", p.path, p.status, text, p.text())
		}
	}
}

// status fails unless the page has the status.
func (w *world) status(p page, want int) {
	w.Helper()
	if p.status != want {
		w.Errorf("got status %d at %s, want %d: %s", p.status, p.path, want, p.text())
	}
}
