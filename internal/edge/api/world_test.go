package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/probity/probity/internal/edge/api"
	"github.com/probity/probity/internal/samples"
	"github.com/probity/probity/internal/testkit/installation"
)

// world is an installation with its API.
type world struct {
	*installation.Installation
	t        testing.TB
	handler  http.Handler
	observed *observations
}

// observations are what was told to be counted.
type observations struct {
	mu  sync.Mutex
	all []api.Observation
}

func (o *observations) note(one api.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, one)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return over(t, installation.New(t, installation.Options{}), true)
}

func over(t testing.TB, i *installation.Installation, demo bool) *world {
	w := &world{Installation: i, t: t, observed: &observations{}}
	w.handler = api.Handler(api.Config{Service: i.Service, Demo: demo, Observe: w.observed.note})
	return w
}

// on returns the world for a subtest.
func (w *world) on(t testing.TB) *world {
	return &world{Installation: w.Installation, t: t, handler: w.handler}
}

// call is one request in the making.
type call struct {
	method, path string
	body         string
	contentType  string
	key          string // API key; "-" sends none
	idempotency  string
	header       map[string]string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (w *world) do(c call) answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), c.method, c.path, strings.NewReader(c.body))
	if c.body != "" && c.contentType == "" {
		c.contentType = "application/json"
	}
	if c.contentType != "" {
		r.Header.Set("Content-Type", c.contentType)
	}
	switch c.key {
	case "-":
	case "":
		r.Header.Set("Authorization", "Bearer "+w.Key)
	default:
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	if c.idempotency != "" {
		r.Header.Set("Idempotency-Key", c.idempotency)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	out := answer{status: recorder.Code, header: recorder.Header(), body: recorder.Body.String()}
	if out.body != "" {
		if err := json.Unmarshal([]byte(out.body), &out.json); err != nil {
			w.t.Fatalf("%s %s answered no JSON object: %v", c.method, c.path, err)
		}
	}
	return out
}

// ok makes a call that must succeed with the status.
func (w *world) ok(status int, c call) answer {
	w.t.Helper()
	out := w.do(c)
	if out.status != status {
		w.t.Fatalf("%s %s: got %d, want %d: %s", c.method, c.path, out.status, status, out.body)
	}
	return out
}

// refusal is what a refused call must answer.
type refusal struct {
	status int
	code   string
	field  string
}

// refused makes a call that must be refused as said, and must have written nothing at all.
func (w *world) refused(c call, want refusal) answer {
	w.t.Helper()
	before := w.Digest()
	out := w.do(c)
	got := refusal{status: out.status, code: out.text("code"), field: out.text("field")}
	if got != want {
		w.t.Errorf("%s %s: got %+v, want %+v: %s", c.method, c.path, got, want, out.body)
	}
	if kind := out.header.Get("Content-Type"); kind != "application/problem+json" {
		w.t.Errorf("%s %s: the refusal is %q, not a problem", c.method, c.path, kind)
	}
	for _, member := range []string{"type", "title", "detail", "request_id"} {
		if out.text(member) == "" {
			w.t.Errorf("%s %s: the problem has no %s: %s", c.method, c.path, member, out.body)
		}
	}
	if out.number("status") != float64(out.status) {
		w.t.Errorf("the problem's status is %v, the answer's %d", out.json["status"], out.status)
	}
	if w.Digest() != before {
		w.t.Errorf("%s %s: was refused and wrote something all the same", c.method, c.path)
	}
	return out
}

func (a answer) text(name string) string {
	value, _ := a.json[name].(string)
	return value
}

func (a answer) number(name string) float64 {
	value, _ := a.json[name].(float64)
	return value
}

func (a answer) object(name string) map[string]any {
	value, _ := a.json[name].(map[string]any)
	return value
}

func (a answer) items() []map[string]any {
	list, _ := a.json["items"].([]any)
	out := []map[string]any{}
	for _, item := range list {
		object, _ := item.(map[string]any)
		out = append(out, object)
	}
	return out
}

func get(path string) call        { return call{method: http.MethodGet, path: path} }
func post(path, body string) call { return call{method: http.MethodPost, path: path, body: body} }

// account makes an account with a payment method and returns both ids.
func (w *world) account() (accountID, methodID string) {
	w.t.Helper()
	accountID = w.ok(201, post("/v1/accounts", `{"kind":"individual","name":"Alma Petersen","email":"alma@example.com","country":"SG","time_zone":"Asia/Singapore"}`)).text("id")
	methodID = w.ok(201, post("/v1/accounts/"+accountID+"/payment_methods",
		`{"kind":"card","brand":"visa","first6":"400012","last4":"9876","holder_name":"ALMA PETERSEN","default":true}`)).text("id")
	return accountID, methodID
}

// risky is a payment that the default policy rejects from any account: a large amount, a new place, a new method.
func risky(accountID string) string {
	return `{"account_id":"` + accountID + `","amount":{"amount_minor":900000,"currency":"USD"},"ip":"203.0.113.7","location":{"country":"BR","region":"SP"},"device":{"id":"dev-1"},"merchant":"compute"}`
}

// rejected makes an account whose payment was rejected, and returns the ids of account, payment and verification.
func (w *world) rejected() (accountID, paymentID, verificationID string) {
	w.t.Helper()
	accountID, _ = w.account()
	p := w.ok(201, post("/v1/payments", risky(accountID)))
	if p.text("outcome") != "rejected" {
		w.t.Fatalf("the risky payment was not rejected: %s", p.body)
	}
	return accountID, p.text("id"), p.text("verification_id")
}

// part is a part of a form; a name of an attachment makes it a file.
type part struct {
	name, fileName string
	content        []byte
}

func form(parts ...part) (body, contentType string) {
	var out bytes.Buffer
	writer := multipart.NewWriter(&out)
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		disposition := `form-data; name="` + p.name + `"`
		if p.fileName != "" {
			disposition += `; filename="` + p.fileName + `"`
			header.Set("Content-Type", "image/png")
		}
		header.Set("Content-Disposition", disposition)
		into, _ := writer.CreatePart(header)
		_, _ = into.Write(p.content)
	}
	_ = writer.Close()
	return out.String(), writer.FormDataContentType()
}

// evidence is the call that sends an attachment.
func evidence(verificationID, requirement, documentType string, content []byte) call {
	parts := []part{{name: "requirement", content: []byte(requirement)}}
	if documentType != "" {
		parts = append(parts, part{name: "document_type", content: []byte(documentType)})
	}
	parts = append(parts, part{name: "file", fileName: "photo.png", content: content})
	body, contentType := form(parts...)
	return call{method: http.MethodPost, path: "/v1/verifications/" + verificationID + "/evidence", body: body, contentType: contentType}
}

// papers are drawn once: they are the same every time.
var papers = sync.OnceValues(func() (samples.Set, error) { return samples.Draw(samples.Options{}) })

func (w *world) papers() samples.Set {
	w.t.Helper()
	set, err := papers()
	if err != nil {
		w.t.Fatal(err)
	}
	return set
}

// submitted sends all three items of a verification and submits it; it returns the case.
func (w *world) submitted(verificationID string) (caseID string) {
	w.t.Helper()
	set := w.papers()
	w.ok(201, evidence(verificationID, "government_id", "id_card", set.GovernmentID))
	w.ok(201, evidence(verificationID, "payment_method", "", set.PaymentMethod))
	w.ok(201, evidence(verificationID, "billing_statement", "", set.BillingStatement))
	return w.ok(200, post("/v1/verifications/"+verificationID+"/submit", "")).text("case_id")
}

// did compares what came to be since a state with what should have.
func (w *world) did(before installation.State, rows map[string]int, types ...string) {
	w.t.Helper()
	got := w.Since(before)
	delete(got.Rows, "payment_policies") // the name of the policy, written once for all that it decides
	if rows == nil {
		rows = map[string]int{}
	}
	if !maps.Equal(got.Rows, rows) {
		w.t.Errorf("rows: got %v, want %v", got.Rows, rows)
	}
	if !slices.Equal(got.Types, types) {
		w.t.Errorf("journal: got %v, want %v", got.Types, types)
	}
}

// codes returns the codes of a list of reasons or findings.
func codes(list any) []string {
	var out []string
	items, _ := list.([]any)
	for _, item := range items {
		object, _ := item.(map[string]any)
		code, _ := object["code"].(string)
		out = append(out, code)
	}
	return out
}
