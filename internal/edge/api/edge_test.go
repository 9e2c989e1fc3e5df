package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/probity/probity/internal/edge/api"
	"github.com/probity/probity/internal/testkit/installation"
)

func TestProbes(t *testing.T) {
	w := newWorld(t)
	probe := func(path string) call { return call{method: "GET", path: path, key: "-"} }
	if out := w.ok(200, probe("/healthz")); out.text("status") != "ok" {
		t.Errorf("got %s", out.body)
	}
	if out := w.ok(503, probe("/readyz")); !strings.Contains(out.body, "still being read") {
		t.Errorf("got %s from a node that has read nothing yet", out.body)
	}
	w.Service.CatchUp(t.Context())
	w.Advance(2 * time.Second) // an answer is given again for a moment
	if out := w.ok(200, probe("/readyz")); out.text("status") != "ok" || len(out.json["checks"].([]any)) != 3 {
		t.Errorf("got %s", out.body)
	}
	if err := w.Store.Close(); err != nil {
		t.Fatal(err)
	}
	w.ok(200, probe("/healthz"))
	w.Advance(2 * time.Second) // an answer is given again for a moment
	out := w.ok(503, probe("/readyz"))
	if out.text("status") != "unavailable" || !strings.Contains(out.body, "does not answer") || out.header.Get("Retry-After") == "" {
		t.Errorf("got %v %s", out.header, out.body)
	}
	broken := w.do(get("/v1/accounts"))
	if broken.status != 503 || broken.text("code") != "database_unavailable" || strings.Contains(broken.body, "sql") {
		t.Errorf("got %d %s", broken.status, broken.body)
	}
	if !strings.Contains(w.Log(), `"sort":"`) || !strings.Contains(w.Log(), broken.text("request_id")) {
		t.Error("the log does not tell of what failed, under the request's id")
	}
}

func TestWhatIsLoggedAndCounted(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	w.observed.all = nil
	before := len(w.Log())
	w.ok(200, get("/v1/accounts/"+accountID))
	w.do(get("/v1/accounts/alma@example.com"))
	w.do(get("/v1/accounts?external_id=alma"))
	w.do(get("/v1/secret-path?x=alma"))
	w.do(call{method: "BREW", path: "/v1/accounts"})
	want := []string{"GET /v1/accounts/{id} 200", "GET /v1/accounts/{id} 404", "GET /v1/accounts 200", "GET unmatched 404", "other unmatched 405"}
	var counted []string
	for _, o := range w.observed.all {
		counted = append(counted, o.Method+" "+o.Route+" "+http.StatusText(o.Status))
	}
	for at := range want {
		method, rest, _ := strings.Cut(want[at], " ")
		route, status, _ := strings.Cut(rest, " ")
		if o := w.observed.all[at]; o.Method != method || o.Route != route || statusText(o.Status) != status {
			t.Errorf("counted: got %v, want %s", counted[at], want[at])
		}
	}
	logged := w.Log()[before:]
	for _, leak := range []string{"alma", "secret-path", "BREW", accountID} {
		if strings.Contains(logged, leak) {
			t.Errorf("the log holds %q", leak)
		}
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(strings.SplitN(logged, "\n", 2)[0]), &line); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"method": "GET", "route": "/v1/accounts/{id}", "status": 200.0, "actor": w.Actor.ID} {
		if line[name] != want {
			t.Errorf("%s: got %v, want %v", name, line[name], want)
		}
	}
}

func statusText(status int) string {
	raw, _ := json.Marshal(status)
	return string(raw)
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics, err := api.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	again, err := api.NewMetrics(registry)
	if err != nil {
		t.Fatalf("registered twice: %v", err)
	}
	for _, m := range []*api.Metrics{metrics, again} {
		m.Observe(api.Observation{Method: "GET", Route: "/v1/accounts/{id}", Status: 200})
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("got %d families and %v", len(families), err)
	}
	if got := families[0].GetMetric()[0].GetHistogram().GetSampleCount(); got != 2 {
		t.Errorf("got %d, want 2", got)
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	out := w.ok(200, get("/v1/accounts"))
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got := out.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if out.header.Get("X-Request-Id") == "" || out.header.Get("Link") != "" || out.json["$schema"] != nil {
		t.Errorf("got %v %s", out.header, out.body)
	}
	if head := w.ok(200, call{method: "HEAD", path: "/v1/accounts"}); head.body != "" || head.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: got %v %q", head.header, head.body)
	}
	if refused := w.do(call{method: "PUT", path: "/v1/accounts"}); refused.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("Allow: got %q", refused.header.Get("Allow"))
	}
	if accepts := w.ok(200, call{method: "GET", path: "/v1/accounts", header: map[string]string{"Accept": "text/html"}}); accepts.header.Get("Content-Type") != "application/json" {
		t.Error("whatever is asked for, the API speaks JSON")
	}
}

func TestTheContract(t *testing.T) {
	w := newWorld(t)
	out := w.ok(200, call{method: "GET", path: "/openapi.json", key: "-"})
	if out.text("openapi")[:3] != "3.1" {
		t.Errorf("got %s, want 3.1", out.text("openapi"))
	}
	var calls []string
	for path, methods := range out.object("paths") {
		for method, described := range methods.(map[string]any) {
			calls = append(calls, strings.ToUpper(method)+" "+path)
			checkOperation(t, strings.ToUpper(method)+" "+path, described.(map[string]any))
		}
	}
	slices.Sort(calls)
	want := []string{
		"DELETE /v1/webhook_endpoints/{id}", "GET /v1/accounts", "GET /v1/accounts/{id}", "GET /v1/accounts/{id}/messages",
		"GET /v1/accounts/{id}/payment_methods", "GET /v1/cases", "GET /v1/cases/{id}", "GET /v1/demo/clock", "GET /v1/events", "GET /v1/payments",
		"GET /v1/payments/{id}", "GET /v1/tickets/{id}", "GET /v1/verifications", "GET /v1/verifications/{id}", "GET /v1/verifications/{id}/evidence",
		"GET /v1/webhook_endpoints", "PATCH /v1/accounts/{id}", "POST /v1/accounts", "POST /v1/accounts/{id}/payment_methods",
		"POST /v1/accounts/{id}/portal_sessions", "POST /v1/cases/{id}/decision", "POST /v1/demo/clock", "POST /v1/payments", "POST /v1/payments/batch", "POST /v1/payments/history",
		"POST /v1/tickets",
		"POST /v1/verifications", "POST /v1/verifications/{id}/cancel", "POST /v1/verifications/{id}/evidence", "POST /v1/verifications/{id}/submit",
		"POST /v1/webhook_endpoints",
		"GET /v1/policies", "GET /v1/policies/live", "GET /v1/policies/{id}", "GET /v1/policies/{id}/diff", "POST /v1/policies", "POST /v1/policies/check",
		"GET /v1/payments/{id}/explanation", "GET /v1/payments/{id}/replay", "GET /v1/policies/hits", "POST /v1/policies/backtest",
		"POST /v1/policies/{id}/withdraw", "PUT /v1/policies/{id}", "POST /v1/payments/{id}/outcome",
		"GET /v1/lists", "POST /v1/lists", "GET /v1/lists/{id}", "DELETE /v1/lists/{id}", "GET /v1/lists/{id}/entries", "POST /v1/lists/{id}/entries",
		"POST /v1/lists/{id}/search", "DELETE /v1/lists/{id}/entries/{entry_id}",
	}
	slices.Sort(want)
	if !slices.Equal(calls, want) {
		t.Errorf("calls: got %v", calls)
	}
	schemas := out.object("components")["schemas"].(map[string]any)
	for name, schema := range schemas {
		properties, _ := schema.(map[string]any)["properties"].(map[string]any)
		for property, described := range properties {
			checkProperty(t, name+"."+property, described.(map[string]any))
		}
	}
	if _, found := schemas["Problem"]; !found {
		t.Error("the problem is not described")
	}
	tag := out.header.Get("ETag")
	if again := w.ok(304, call{method: "GET", path: "/openapi.json", key: "-", header: map[string]string{"If-None-Match": tag}}); again.body != "" {
		t.Error("304 has a body")
	}
}

func checkOperation(t *testing.T, name string, described map[string]any) {
	t.Helper()
	for _, member := range []string{"summary", "description", "operationId", "tags", "security"} {
		if described[member] == nil {
			t.Errorf("%s has no %s", name, member)
		}
	}
	parameters, _ := described["parameters"].([]any)
	hasKey := false
	for _, one := range parameters {
		parameter := one.(map[string]any)
		hasKey = hasKey || parameter["name"] == "Idempotency-Key"
		schema, _ := parameter["schema"].(map[string]any)
		if parameter["description"] == nil && schema["description"] == nil {
			t.Errorf("%s: the parameter %s has no description", name, parameter["name"])
		}
	}
	body, _ := described["requestBody"].(map[string]any)
	isStream := strings.Contains(marshalled(body), "application/x-ndjson") // each line has a key of its own
	changesNothing := name == "POST /v1/policies/check" || name == "POST /v1/policies/backtest" || name == "POST /v1/lists/{id}/search"
	if hasKey != (strings.HasPrefix(name, "POST ") && !isStream && !changesNothing) {
		t.Errorf("%s: Idempotency-Key is described: %v", name, hasKey)
	}
	responses := described["responses"].(map[string]any)
	for _, status := range []string{"401", "404", "422"} {
		if !strings.Contains(marshalled(responses[status]), "application/problem+json") {
			t.Errorf("%s does not describe its %s", name, status)
		}
	}
}

func marshalled(value any) string {
	raw, _ := json.Marshal(value)
	return string(raw)
}

func checkProperty(t *testing.T, name string, described map[string]any) {
	t.Helper()
	if described["description"] == nil {
		t.Errorf("%s has no description", name)
	}
	kind := marshalled(described["type"])
	isScalar := strings.Contains(kind, "string") || strings.Contains(kind, "integer") || strings.Contains(kind, "number")
	if isScalar && described["examples"] == nil && described["format"] != "binary" && !strings.HasSuffix(name, ".cursor") {
		t.Errorf("%s has no example", name)
	}
}

func TestAPanicIsOneAnswer(t *testing.T) {
	w := newWorld(t)
	w.Service.Keys = nil // a use case that needs it panics
	_, _, verificationID := w.rejected()
	out := w.do(evidence(verificationID, "billing_statement", "", w.papers().BillingStatement))
	if out.status != 500 || out.text("code") != "internal" {
		t.Errorf("got %d %s", out.status, out.body)
	}
	w.ok(200, get("/v1/accounts"))
	if strings.Contains(w.Log(), "nil pointer") {
		t.Error("the log holds the value of a panic")
	}
}

func FuzzBodies(f *testing.F) {
	for _, seed := range []string{fullAccount, `{"kind":"individual","name":"Bo","x":1}`, `{"kind":5}`, `[]`, `null`, `"x"`, `{"address":{"lines":[{}]}}`, `{"name":"` + aCardNumber + `"}`} {
		f.Add(seed)
	}
	w := installation.New(f, installation.Options{})
	handler := api.Handler(api.Config{Service: w.Service})
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/accounts", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+w.Key)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		switch recorder.Code {
		case 201, 400, 409, 413, 422:
		default:
			t.Errorf("got %d %s", recorder.Code, recorder.Body)
		}
	})
}
