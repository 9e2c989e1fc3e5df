package portal_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/portal"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/edge/web/webtest"
	"github.com/probity/probity/internal/samples"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/testkit/installation"
)

// start is a Monday, two at night in UTC and three in Copenhagen.
var start = installation.Start

var sixDigits = regexp.MustCompile(`(?m)^\s*(\d{6})\s*$`)

// world is one installation with its portal on a server.
type world struct {
	*testing.T
	*installation.Installation
	site     *httptest.Server
	reviewer access.Actor
	logs     bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	mux := http.NewServeMux()
	w := &world{T: t, site: httptest.NewServer(mux)}
	t.Cleanup(w.site.Close)
	w.Installation = installation.New(t, installation.Options{BaseURL: w.site.URL})
	w.reviewer = access.Actor{Kind: access.Staff, TenantID: w.Tenant.ID, ID: "stf_1", Role: access.Reviewer}
	log := slog.New(slog.NewTextHandler(&w.logs, nil))
	mux.Handle("/kyc/", portal.Handler(portal.Config{Service: w.Service, Log: log, Demo: true}))
	mux.Handle("/assets/", web.Assets())
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

// pass lets business time go on; wall time, and with it the sessions, stays.
func (w *world) pass(step time.Duration) {
	w.Helper()
	_, err := w.Clock.Advance(step)
	w.must(err)
}

// person is an account with a card.
type person struct {
	account account.Account
	method  payment.Method
	actor   access.Actor
}

func (w *world) person(profile account.Profile, method payment.Method) person {
	w.Helper()
	view, err := w.Service.CreateAccount(w.T.Context(), w.Actor, profile)
	w.must(err)
	method.AccountID, method.Default = view.Account.ID, true
	added, err := w.Service.AddPaymentMethod(w.T.Context(), w.Actor, method)
	w.must(err)
	return person{account: view.Account, method: added, actor: access.Actor{Kind: access.Holder, TenantID: w.Tenant.ID, ID: view.Account.ID}}
}

func (w *world) alma() person {
	return w.person(account.Profile{
		Kind: account.Individual, Name: "Alma Petersen", Email: "alma@mail.example", Country: "DK", Locale: "en", TimeZone: "Europe/Copenhagen",
	}, payment.Method{Kind: payment.Card, Brand: "Visa", First6: "400012", Last4: "9876", HolderName: "ALMA PETERSEN"})
}

func (w *world) yunfan() person {
	return w.person(account.Profile{
		Kind: account.Enterprise, Name: "上海云帆科技有限公司", Email: "caiwu@yunfan.example", Country: "CN", Locale: "zh-CN", TimeZone: "Asia/Shanghai",
	}, payment.Method{Kind: payment.BankAccount, Last4: "4321", HolderName: "上海云帆科技有限公司"})
}

// reject makes a payment that risk control rejects, sends the mails and returns the verification.
func (w *world) reject(p person) string {
	w.Helper()
	view, err := w.Service.AuthorizePayment(w.T.Context(), w.Actor, payment.Attempt{
		AccountID: p.account.ID, PaymentMethodID: p.method.ID, Amount: money.Amount{AmountMinor: 124_000, Currency: "EUR"}, IP: "203.0.113.77",
		DeviceID: "device-1", Location: payment.Location{Country: "BR", Region: "São Paulo", City: "Campinas"}, Merchant: "Harbour Cloud Compute",
	})
	w.must(err)
	if view.Payment.VerificationID == "" {
		w.Fatal("the payment was not rejected")
	}
	return view.Payment.VerificationID
}

func (w *world) papers() samples.Set {
	w.Helper()
	set, err := samples.Draw(samples.Options{Date: start})
	w.must(err)
	return set
}

// provide sends all three items through the service.
func (w *world) provide(p person, verificationID string) {
	w.Helper()
	set := w.papers()
	document := verification.Passport
	if p.account.Profile.Kind == account.Enterprise {
		document = verification.BusinessLicence
	}
	for _, up := range []service.EvidenceUpload{
		{Requirement: verification.GovernmentID, DocumentType: document, Raw: set.GovernmentID},
		{Requirement: verification.PaymentMethod, Raw: set.PaymentMethod},
		{Requirement: verification.BillingStatement, Raw: set.BillingStatement},
	} {
		up.VerificationID = verificationID
		_, err := w.Service.SendEvidence(w.T.Context(), p.actor, up)
		w.must(err)
	}
}

// decide ends the open case of a verification.
func (w *world) decide(verificationID string, decision service.CaseDecision) {
	w.Helper()
	view, err := w.Service.Verification(w.T.Context(), w.Actor, verificationID)
	w.must(err)
	decision.CaseID, decision.ExpectedVersion = view.Case.ID, view.Case.Version
	_, err = w.Service.DecideCase(w.T.Context(), w.reviewer, decision)
	w.must(err)
}

func (w *world) verification(verificationID string) verification.Verification {
	w.Helper()
	view, err := w.Service.Verification(w.T.Context(), w.Actor, verificationID)
	w.must(err)
	return view.Verification
}

func (w *world) requirement(verificationID string, kind verification.RequirementKind) verification.RequirementStatus {
	w.Helper()
	v := w.verification(verificationID)
	return v.Requirement(kind).Status
}

// code returns the sign-in code of the latest mail to an address.
func (w *world) code(to string) string {
	w.Helper()
	w.RunJobs()
	mails := w.Mails()
	for i := len(mails) - 1; i >= 0; i-- {
		if found := sixDigits.FindStringSubmatch(mails[i].Raw); mails[i].To == to && found != nil {
			return found[1]
		}
	}
	w.Fatalf("no code was mailed to %s", to)
	return ""
}

// guest is a browser with its cookies.
type guest struct {
	w      *world
	client *http.Client
	header http.Header // of every request
}

func (w *world) guest() *guest {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &guest{w: w, client: &http.Client{Jar: jar}, header: http.Header{}}
}

// answer is the page that a request led to.
type answer struct {
	status int
	path   string // after redirects
	body   string
	header http.Header
}

func (g *guest) do(r *http.Request) answer {
	g.w.Helper()
	for name, values := range g.header {
		r.Header[name] = values
	}
	response, err := g.client.Do(r)
	g.w.must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	g.w.must(err)
	a := answer{status: response.StatusCode, path: response.Request.URL.RequestURI(), body: string(body), header: response.Header}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		webtest.CheckPage(g.w.T, a.body)
	}
	return a
}

func (g *guest) get(path string) answer {
	g.w.Helper()
	r, err := http.NewRequestWithContext(g.w.T.Context(), http.MethodGet, g.w.site.URL+path, nil)
	g.w.must(err)
	return g.do(r)
}

// post sends a form: names and values in turn.
func (g *guest) post(path string, pairs ...string) answer {
	g.w.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(g.w.T.Context(), http.MethodPost, g.w.site.URL+path, strings.NewReader(form.Encode()))
	g.w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return g.do(r)
}

// upload sends a form with attachments.
func (g *guest) upload(path string, attachments [][]byte, pairs ...string) answer {
	g.w.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		g.w.must(form.WriteField(pairs[i], pairs[i+1]))
	}
	for _, raw := range attachments {
		part, err := form.CreateFormFile("file", "private name.png")
		g.w.must(err)
		_, err = part.Write(raw)
		g.w.must(err)
	}
	g.w.must(form.Close())
	r, err := http.NewRequestWithContext(g.w.T.Context(), http.MethodPost, g.w.site.URL+path, &body)
	g.w.must(err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return g.do(r)
}

// signIn signs the guest in with a mailed code.
func (g *guest) signIn(email string) answer {
	g.w.Helper()
	g.post("/kyc/sign-in", "email", email)
	return g.post("/kyc/code", "code", g.w.code(email))
}

// wants fails the test unless the answer has the status and the fragments of text.
func (a answer) wants(t *testing.T, status int, fragments ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: got status %d, want %d", a.path, a.status, status)
	}
	for _, fragment := range fragments {
		if !strings.Contains(a.body, fragment) {
			t.Errorf("%s: the page does not say %q", a.path, fragment)
		}
	}
}

// lacks fails the test when the page holds one of the fragments.
func (a answer) lacks(t *testing.T, fragments ...string) {
	t.Helper()
	for _, fragment := range fragments {
		if strings.Contains(a.body, fragment) {
			t.Errorf("%s: the page says %q", a.path, fragment)
		}
	}
}

var (
	ticketFilter = store.TicketFilter{}
	firstPage    = store.Page{}
)

// tiny is a picture that is accepted with the finding that it is very small.
func tiny(t *testing.T) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 180, 120))
	for x := range 180 {
		for y := range 120 {
			picture.SetGray(x, y, color.Gray{Y: uint8(x ^ y)})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
