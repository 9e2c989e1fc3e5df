package platform

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/edge/web/webtest"
)

var noon = time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)

func kite() Customer {
	return Customer{
		ExternalID: "cust-1", AccountID: "acct_1", Name: "Paper Kite",
		Habit: Habit{
			AmountMinor: 4200, SurpriseMinor: 200000, Currency: "USD",
			Home: Place{Country: "US", Region: "Oregon", City: "Portland", IP: "192.0.2.1", Device: "office"},
		},
		Instances: []Instance{{Name: "a", State: Running}, {Name: "b", State: Running}},
	}
}

func opened(t *testing.T, path string) *Store {
	t.Helper()
	store, err := OpenStore(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Add(kite()); err != nil {
		t.Fatal(err)
	}
	return store
}

// commandOf writes a command as Probity does.
func commandOf(t *testing.T, kind, id, accountID string, sequence int64) []byte {
	t.Helper()
	body, err := webhook.Message(kind, noon, map[string]any{
		"command_id": id, "account_id": accountID, "external_id": "cust-1", "sequence": sequence, "verification_id": "ver_1", "reason": "submission_overdue",
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestTheConnector(t *testing.T) {
	path := filepath.Join(t.TempDir(), "platform.json")
	secret := webhook.NewSecret()
	handler := Handler(Config{Store: opened(t, path), ConnectorSecret: secret.Reveal(), Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
	send := func(key string, with webhook.Secret, at time.Time, body []byte) int {
		request := httptest.NewRequest(http.MethodPost, "/platform/connector", strings.NewReader(string(body)))
		request.Header.Set("Idempotency-Key", key)
		request.Header.Set(webhook.HeaderID, key)
		request.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
		request.Header.Set(webhook.HeaderSignature, with.Sign(key, at, body))
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder.Code
	}
	suspend := commandOf(t, "enforcement.suspend", "cmd_1", "acct_1", 1)
	resume := commandOf(t, "enforcement.resume", "cmd_2", "acct_1", 2)
	for _, step := range []struct {
		name  string
		got   func() int
		want  int
		state InstanceState
	}{
		{"a command signed with another secret is refused", func() int { return send("cmd_1", webhook.NewSecret(), noon, suspend) }, 401, Running},
		{"a command of an hour ago is refused", func() int { return send("cmd_1", secret, noon.Add(-time.Hour), suspend) }, 401, Running},
		{"a suspension is carried out", func() int { return send("cmd_1", secret, noon, suspend) }, 204, Suspended},
		{"and answered the same when it is repeated", func() int { return send("cmd_1", secret, noon, suspend) }, 204, Suspended},
		{"a resumption is carried out", func() int { return send("cmd_2", secret, noon, resume) }, 204, Running},
		{"a late repetition of the suspension is refused", func() int { return send("cmd_1", secret, noon, suspend) }, 409, Running},
		{"another command with the same number is refused", func() int {
			return send("cmd_3", secret, noon, commandOf(t, "enforcement.suspend", "cmd_3", "acct_1", 2))
		}, 409, Running},
		{"a command for an account of nobody is refused", func() int {
			return send("cmd_4", secret, noon, commandOf(t, "enforcement.suspend", "cmd_4", "acct_2", 9))
		}, 404, Running},
		{"a command of another kind is refused", func() int {
			return send("cmd_5", secret, noon, commandOf(t, "enforcement.release", "cmd_5", "acct_1", 9))
		}, 400, Running},
		{"a command under another idempotency key is refused", func() int {
			return send("cmd_6", secret, noon, commandOf(t, "enforcement.suspend", "cmd_7", "acct_1", 9))
		}, 400, Running},
	} {
		t.Run(step.name, func(t *testing.T) {
			if got := step.got(); got != step.want {
				t.Errorf("got status %d, want %d", got, step.want)
			}
			// The file is what counts after a restart.
			again, err := OpenStore(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range again.Customers()[0].Instances {
				if i.State != step.state {
					t.Errorf("instance %s is %s, want %s", i.Name, i.State, step.state)
				}
			}
		})
	}
}

func TestParseAmount(t *testing.T) {
	for _, test := range []struct {
		text, currency string
		want           int64
	}{
		{"42", "USD", 4200}, {"42.5", "USD", 4250}, {" 1,042.50 ", "USD", 104250}, {"5400", "JPY", 5400}, {"1.250", "KWD", 1250},
		{"42.505", "USD", 0}, {"1.5", "JPY", 0}, {"0", "USD", 0}, {"-3", "USD", 0}, {"", "USD", 0}, {"1e9", "USD", 0}, {"9999999999", "USD", 0}, {"5", "???", 0},
	} {
		got, err := parseAmount(test.text, test.currency)
		if got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("%q %s: got %d and error %v, want %d", test.text, test.currency, got, err, test.want)
		}
	}
}

func FuzzParseAmount(f *testing.F) {
	f.Add("42.50", "USD")
	f.Add("1,0", "JPY")
	f.Add("..", "KWD")
	f.Fuzz(func(t *testing.T, text, currency string) {
		if got, err := parseAmount(text, currency); err == nil && (got < 1 || got > 1_000_000_000_000) {
			t.Errorf("got %d", got)
		}
	})
}

// probity answers as the API does, for one account whose payment was rejected.
func probity(t *testing.T) *client.Client {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(pattern string, status int, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	account := `{"id":"acct_1","name":"Paper Kite","time_zone":"America/Los_Angeles","restrictions":[{"id":"res_1","kind":"payments","verification_id":"ver_1"}],` +
		`"enforcement":{"state":"grace","due_at":"2026-11-11T07:59:59Z"}}`
	payment := `{"id":"pay_1","account_id":"acct_1","payment_method_id":"pm_1","amount":{"amount_minor":200000,"currency":"USD"},"ip":"203.0.113.5",` +
		`"location":{"country":"BR","region":null,"city":"Fortaleza"},"device":{"id":"unknown-device-1"},"merchant":"<i>x</i>","occurred_at":"2026-11-09T12:00:00Z",` +
		`"outcome":"rejected","error":{"code":"RISK.RISK_CONTROL_REJECTION","message":"This payment was rejected."},"reasons":[{"code":"new_location","message":"A new place."}],` +
		`"verification_id":"ver_1","next_step":{"kind":"verify","url":"http://localhost/kyc/verifications/ver_1","message":"Sign in to the KYC Center."},"policy_version":"1","created_at":"2026-11-09T12:00:00Z"}`
	methods := `{"items":[{"id":"pm_1","account_id":"acct_1","kind":"card","brand":"visa","first6":"400012","last4":"9876","default":true}],"next_cursor":null}`
	answer("GET /v1/accounts", 200, `{"items":[`+account+`],"next_cursor":null}`)
	answer("GET /v1/accounts/acct_1", 200, account)
	answer("GET /v1/accounts/acct_1/payment_methods", 200, methods)
	verification := `{"id":"ver_1","account_id":"acct_1","status":"awaiting_submission"}`
	answer("GET /v1/verifications", 200, `{"items":[`+verification+`],"next_cursor":null}`)
	answer("GET /v1/verifications/ver_1", 200, verification)
	answer("GET /v1/payments", 200, `{"items":[`+payment+`],"next_cursor":null}`)
	answer("GET /v1/payments/pay_1", 200, payment)
	answer("POST /v1/payments", 201, payment)
	answer("GET /v1/demo/clock", 200, `{"now":"2026-11-12T12:00:00Z","offset_seconds":259200}`)
	answer("POST /v1/demo/clock", 200, `{"now":"2026-11-12T12:00:00Z","offset_seconds":259200}`)
	answer("POST /v1/accounts/acct_1/portal_sessions", 201, `{"url":"http://localhost/kyc/session?token=t","expires_at":"2026-11-09T12:05:00Z"}`)
	mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		items := ""
		if r.URL.Query().Get("cursor") == "" {
			items = `{"id":"evt_1","type":"payment.rejected","timestamp":"2026-11-09T12:00:00Z","data":{"object_id":"pay_1","account_id":"acct_1","actor_kind":"key"}}`
		}
		fmt.Fprintf(w, `{"items":[%s],"next_cursor":"1"}`, items)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return client.New(server.URL, "pk_live_test")
}

func TestThePages(t *testing.T) {
	handler := Handler(Config{
		Client: probity(t), Store: opened(t, filepath.Join(t.TempDir(), "platform.json")), ConnectorSecret: webhook.NewSecret().Reveal(),
		Now: func() time.Time { return noon }, Brand: web.Brand{Name: "Nimbus Cloud"}, Log: slog.New(slog.DiscardHandler),
	})
	do := func(method, path, form string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(method, path, strings.NewReader(form))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder
	}
	for _, page := range []struct {
		path   string
		status int
		want   string
	}{
		{"/platform/", 200, "due 10 Nov 2026, 23:59 (America/Los_Angeles)"},
		{"/platform/customers/cust-1", 200, "Payments are restricted"},
		{"/platform/customers/cust-9", 404, "There is no such customer here."},
		{"/platform/payments/pay_1", 200, "RISK.RISK_CONTROL_REJECTION"},
		{"/platform/payments/pay_9", 404, "That did not work"},
		{"/platform/events", 200, "payment.rejected"},
	} {
		t.Run("GET "+page.path, func(t *testing.T) {
			got := do(http.MethodGet, page.path, "")
			if got.Code != page.status || !strings.Contains(got.Body.String(), page.want) {
				t.Errorf("got status %d, want %d and %q in the page", got.Code, page.status, page.want)
			}
			webtest.CheckPage(t, got.Body.String())
			if strings.Contains(got.Body.String(), "<i>x") {
				t.Error("the page shows what a customer wrote as markup")
			}
		})
	}
	for _, action := range []struct {
		path, form string
		status     int
		location   string
	}{
		{"/platform/customers/cust-1/story", "story=suspicious", 303, "/platform/payments/pay_1"},
		{"/platform/customers/cust-1/story", "story=ordinary", 303, "/platform/payments/pay_1"},
		{"/platform/customers/cust-1/story", "story=other", 404, ""},
		{"/platform/customers/cust-1/payments", "method=pm_1&amount=42.50&place=0&device=other&merchant=x", 303, "/platform/payments/pay_1"},
		{"/platform/customers/cust-1/payments", "method=pm_1&amount=much&place=77&device=usual", 422, ""},
		{"/platform/payments/pay_1/retry", "", 303, "/platform/payments/pay_1"},
		{"/platform/customers/cust-1/kyc", "", 303, "http://localhost/kyc/session?token=t"},
		{"/platform/clock", "seconds=86400", 303, "/platform/"},
		{"/platform/clock", "seconds=1", 404, ""},
	} {
		t.Run("POST "+action.path+" "+action.form, func(t *testing.T) {
			got := do(http.MethodPost, action.path, action.form)
			if got.Code != action.status || got.Header().Get("Location") != action.location {
				t.Errorf("got status %d to %q, want %d to %q", got.Code, got.Header().Get("Location"), action.status, action.location)
			}
		})
	}
	foreign := httptest.NewRequest(http.MethodPost, "/platform/clock", strings.NewReader("seconds=3600"))
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, foreign)
	if recorder.Code != http.StatusForbidden {
		t.Errorf("a form of another site: got status %d, want 403", recorder.Code)
	}
}

func TestEachSurpriseIsAnother(t *testing.T) {
	store := opened(t, filepath.Join(t.TempDir(), "platform.json"))
	seen := map[string]bool{}
	last := int64(0)
	for range len(faraway) {
		from, amount, err := store.surprise("cust-1")
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(from)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(raw)] || amount <= last {
			t.Errorf("got %s for %d again", raw, amount)
		}
		seen[string(raw)], last = true, amount
	}
}
