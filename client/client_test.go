package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// heard is a request as the server saw it.
type heard struct {
	method, path, query, key, contentType, authorization, body string
}

// server answers requests one after another with the steps, and with the last one from then on.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	heard []heard
}

func serve(t *testing.T, steps ...http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		at := min(len(s.heard), len(steps)-1)
		s.heard = append(s.heard, heard{
			r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body),
		})
		s.mu.Unlock()
		steps[at](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]heard(nil), s.heard...)
}

func answering(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		for at := 0; at+1 < len(header); at += 2 {
			w.Header().Set(header[at], header[at+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func problem(code string) string {
	return `{"code":"` + code + `","detail":"d","field":"f","request_id":"r"}`
}

// patient returns a client whose waits are noted and take no time.
func patient(s *server, options ...Option) (*Client, *[]time.Duration) {
	waits := &[]time.Duration{}
	c := New(s.URL+"/", "pk_live_test", options...)
	c.pause = func(ctx context.Context, wait time.Duration) error {
		*waits = append(*waits, wait)
		return ctx.Err()
	}
	return c, waits
}

func TestRepetitions(t *testing.T) {
	const paid = `{"id":"pay_1","outcome":"approved"}`
	tests := []struct {
		name     string
		steps    []http.HandlerFunc
		options  []Option
		requests int
		code     string // "" when the call succeeds
		atLeast  time.Duration
	}{
		{"success is not repeated", []http.HandlerFunc{answering(201, paid)}, nil, 1, "", 0},
		{"429 is repeated after what the server asks for", []http.HandlerFunc{answering(429, problem("slow_down"), "Retry-After", "7"), answering(201, paid)}, nil, 2, "", 7 * time.Second},
		{"502, 503 and 504 are repeated", []http.HandlerFunc{answering(502, "bad"), answering(503, problem("x")), answering(504, ""), answering(201, paid)}, nil, 4, "", 0},
		{"a lost connection is repeated", []http.HandlerFunc{cut, answering(201, paid)}, nil, 2, "", 0},
		{"an earlier attempt in flight is waited for", []http.HandlerFunc{answering(409, problem("idempotency_in_flight")), answering(201, paid)}, nil, 2, "", 0},
		{"another conflict is not repeated", []http.HandlerFunc{answering(409, problem("case_decided"))}, nil, 1, "case_decided", 0},
		{"a refusal is not repeated", []http.HandlerFunc{answering(422, problem("required"))}, nil, 1, "required", 0},
		{"500 is not repeated", []http.HandlerFunc{answering(500, problem("internal"))}, nil, 1, "internal", 0},
		{"it gives up after three repetitions", []http.HandlerFunc{answering(503, problem("busy"))}, nil, 4, "busy", 0},
		{"it does not repeat when told so", []http.HandlerFunc{answering(503, problem("busy"))}, []Option{WithRetries(0)}, 1, "busy", 0},
		{"it does not wait longer than it may", []http.HandlerFunc{answering(503, problem("busy"), "Retry-After", "3600")}, nil, 1, "busy", 0},
		{"a date to wait for is understood", []http.HandlerFunc{answering(503, problem("busy"), "Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT")}, nil, 1, "busy", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.steps...)
			c, waits := patient(s, test.options...)
			payment, err := c.CreatePayment(t.Context(), NewPayment{AccountID: "acct_1", Amount: Money{1250, "USD"}})
			requests := s.requests()
			if len(requests) != test.requests {
				t.Errorf("got %d requests, want %d", len(requests), test.requests)
			}
			if (err == nil) != (test.code == "") || test.code != "" && !IsCode(err, test.code) {
				t.Errorf("got error %v, want code %q", err, test.code)
			}
			if test.code == "" && payment.ID != "pay_1" {
				t.Errorf("got %+v", payment)
			}
			for _, one := range requests {
				if one.key == "" || one.key != requests[0].key || one.body != requests[0].body {
					t.Errorf("a repetition differs from the first: %+v", one)
				}
			}
			if len(*waits) > 0 && (*waits)[0] < test.atLeast {
				t.Errorf("waited %v, want at least %v", (*waits)[0], test.atLeast)
			}
		})
	}
}

func TestACallThatIsCanceledIsNotRepeated(t *testing.T) {
	s := serve(t, answering(503, problem("busy")))
	c, _ := patient(s)
	ctx, cancel := context.WithCancel(t.Context())
	c.pause = func(context.Context, time.Duration) error {
		cancel()
		return ctx.Err()
	}
	if _, err := c.Account(ctx, "acct_1"); !IsCode(err, "busy") {
		t.Errorf("got %v", err)
	}
	if got := len(s.requests()); got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	s := serve(t, answering(201, `{}`))
	c, _ := patient(s)
	for range 2 {
		if _, err := c.CreateAccount(t.Context(), NewAccount{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.CreateAccount(t.Context(), NewAccount{}, Once("mine")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Account(t.Context(), "acct_1"); err != nil {
		t.Fatal(err)
	}
	r := s.requests()
	if r[0].key == "" || r[0].key == r[1].key || r[2].key != "mine" || r[3].key != "" {
		t.Errorf("keys: got %q, %q, %q, %q", r[0].key, r[1].key, r[2].key, r[3].key)
	}
}

func TestErrors(t *testing.T) {
	t.Run("a problem becomes an error", func(t *testing.T) {
		s := serve(t, answering(409, `{"code":"verification_already_open","detail":"one is open","field":"account_id","verification_id":"ver_1","request_id":"abc"}`))
		c, _ := patient(s)
		_, err := c.OpenVerification(t.Context(), NewVerification{AccountID: "acct_1", Type: PaymentSecurity})
		refusal, ok := errors.AsType[*Error](err)
		if !ok || refusal.Status != 409 || refusal.Field != "account_id" || refusal.VerificationID != "ver_1" || refusal.RequestID != "abc" {
			t.Fatalf("got %#v", err)
		}
		if got, want := err.Error(), "probity: 409 verification_already_open (account_id): one is open"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("a page of a proxy does too", func(t *testing.T) {
		s := serve(t, answering(404, "<html>", "Content-Type", "text/html"))
		c, _ := patient(s)
		_, err := c.Account(t.Context(), "acct_1")
		if !IsCode(err, "unexpected_answer") || !IsNotFound(err) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("success that is no JSON is an error", func(t *testing.T) {
		s := serve(t, answering(200, "<html>"))
		c, _ := patient(s)
		if _, err := c.Account(t.Context(), "acct_1"); err == nil {
			t.Error("got none")
		}
	})
	t.Run("a base URL that is none is told, and not repeated", func(t *testing.T) {
		for _, base := range []string{"", "kyc.example.com", "http://[::1", "https://"} {
			if _, err := New(base, "k").Account(t.Context(), "acct_1"); !errors.Is(err, errNotSendable) {
				t.Errorf("%q: got %v", base, err)
			}
		}
	})
	t.Run("no error repeats a query, and no client prints its key", func(t *testing.T) {
		s := serve(t, cut)
		c, _ := patient(s, WithRetries(0))
		_, err := c.ListAccounts(t.Context(), AccountFilter{ExternalID: "alma@example.com"})
		if err == nil || strings.Contains(err.Error(), "alma") {
			t.Errorf("got %v", err)
		}
		if printed := fmt.Sprintf("%v %+v %#v %s", c, c, c, c); strings.Contains(printed, "pk_live") {
			t.Errorf("got %s", printed)
		}
	})
	t.Run("redirects are not followed", func(t *testing.T) {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
		c, _ := patient(s)
		if _, err := c.Account(t.Context(), "acct_1"); !IsCode(err, "unexpected_answer") {
			t.Errorf("got %v", err)
		}
		if got := len(s.requests()); got != 1 {
			t.Errorf("got %d requests, want 1", got)
		}
	})
}

func TestWhatIsSent(t *testing.T) {
	ctx := t.Context()
	tests := []struct {
		name string
		do   func(c *Client) error
		want heard
	}{
		{"an account", func(c *Client) error {
			_, err := c.CreateAccount(ctx, NewAccount{Kind: Individual, Name: "Bo"})
			return err
		}, heard{method: "POST", path: "/v1/accounts", contentType: "application/json", body: `{"kind":"individual","name":"Bo"}`}},
		{"an id is escaped", func(c *Client) error { _, err := c.Account(ctx, "a/../b"); return err }, heard{method: "GET", path: "/v1/accounts/a%2F..%2Fb"}},
		{"a change", func(c *Client) error {
			_, err := c.UpdateAccount(ctx, "acct_1", map[string]any{"phone": nil})
			return err
		}, heard{method: "PATCH", path: "/v1/accounts/acct_1", contentType: "application/json", body: `{"phone":null}`}},
		{"a filter", func(c *Client) error {
			_, err := c.ListVerifications(ctx, VerificationFilter{AccountID: "a", Status: "in_review", Limit: 5})
			return err
		}, heard{method: "GET", path: "/v1/verifications", query: "account_id=a&limit=5&status=in_review"}},
		{"a payment method", func(c *Client) error {
			_, err := c.AddPaymentMethod(ctx, "acct_1", NewPaymentMethod{Kind: "wallet"})
			return err
		}, heard{method: "POST", path: "/v1/accounts/acct_1/payment_methods", contentType: "application/json", body: `{"kind":"wallet"}`}},
		{"a session has no body", func(c *Client) error { _, err := c.CreatePortalSession(ctx, "acct_1"); return err },
			heard{method: "POST", path: "/v1/accounts/acct_1/portal_sessions"}},
		{"a submission", func(c *Client) error { _, err := c.SubmitVerification(ctx, "ver_1"); return err }, heard{method: "POST", path: "/v1/verifications/ver_1/submit"}},
		{"a cancellation", func(c *Client) error { _, err := c.CancelVerification(ctx, "ver_1"); return err }, heard{method: "POST", path: "/v1/verifications/ver_1/cancel"}},
		{"a decision", func(c *Client) error {
			_, err := c.DecideCase(ctx, "case_1", NewDecision{Decision: Approve, ExpectedVersion: 3})
			return err
		}, heard{method: "POST", path: "/v1/cases/case_1/decision", contentType: "application/json", body: `{"decision":"approve","expected_version":3}`}},
		{"cases", func(c *Client) error { _, err := c.ListCases(ctx, CaseFilter{Status: "open"}); return err }, heard{method: "GET", path: "/v1/cases", query: "status=open"}},
		{"events of a type", func(c *Client) error { _, err := c.ListEvents(ctx, "7", 20, "case.opened"); return err },
			heard{method: "GET", path: "/v1/events", query: "cursor=7&limit=20&type=case.opened"}},
		{"the clock", func(c *Client) error { _, err := c.AdvanceDemoClock(ctx, 36*time.Hour); return err },
			heard{method: "POST", path: "/v1/demo/clock", contentType: "application/json", body: `{"advance_seconds":129600}`}},
		{"the end of an endpoint", func(c *Client) error { return c.DeleteWebhookEndpoint(ctx, "whe_1") }, heard{method: "DELETE", path: "/v1/webhook_endpoints/whe_1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, answering(200, `{}`))
			c, _ := patient(s)
			if err := test.do(c); err != nil {
				t.Fatal(err)
			}
			got := s.requests()[0]
			test.want.authorization = "Bearer pk_live_test"
			got.key = ""
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
	t.Run("evidence", func(t *testing.T) {
		s := serve(t, answering(201, `{"id":"evi_1"}`))
		c, _ := patient(s)
		if _, err := c.SendEvidence(ctx, "ver_1", NewEvidence{Requirement: GovernmentID, DocumentType: "passport", FileName: "p.png", Content: []byte("bytes")}); err != nil {
			t.Fatal(err)
		}
		got := s.requests()[0]
		for _, want := range []string{`name="requirement"`, "government_id", `name="document_type"`, "passport", `filename="p.png"`, "bytes"} {
			if !strings.Contains(got.body, want) {
				t.Errorf("the form lacks %s", want)
			}
		}
		if strings.Contains(got.body, `name="side"`) || !strings.HasPrefix(got.contentType, "multipart/form-data; boundary=") {
			t.Errorf("got %+v", got)
		}
	})
}

func TestWalkingThroughPages(t *testing.T) {
	s := serve(t, answering(200, `{"items":[{"id":"a"},{"id":"b"}],"next_cursor":"2"}`), answering(200, `{"items":[{"id":"c"}],"next_cursor":null}`))
	c, _ := patient(s)
	var ids []string
	for account, err := range c.AllAccounts(t.Context(), AccountFilter{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, account.ID)
	}
	if fmt.Sprint(ids) != "[a b c]" || s.requests()[1].query != "cursor=2&limit=2" {
		t.Errorf("got %v by %+v", ids, s.requests())
	}
	t.Run("it ends after an error", func(t *testing.T) {
		s := serve(t, answering(200, `{"items":[{"id":"a"}],"next_cursor":"2"}`), answering(401, problem("api_key_unknown")))
		c, _ := patient(s)
		count, failed := 0, error(nil)
		for _, err := range c.AllCases(t.Context(), CaseFilter{}) {
			count, failed = count+1, err
		}
		if count != 2 || !IsCode(failed, "api_key_unknown") {
			t.Errorf("got %d steps and %v", count, failed)
		}
	})
	t.Run("it ends when its reader does", func(t *testing.T) {
		s := serve(t, answering(200, `{"items":[{"id":"a"},{"id":"b"}],"next_cursor":"2"}`))
		c, _ := patient(s)
		for range c.AllPayments(t.Context(), PaymentFilter{AccountID: "acct_1"}) {
			break
		}
		if got := len(s.requests()); got != 1 {
			t.Errorf("got %d requests, want 1", got)
		}
	})
	t.Run("events end when there are no more for now", func(t *testing.T) {
		s := serve(t, answering(200, `{"items":[{"id":"e","data":{"object_id":"x","sequence":4}}],"next_cursor":"9"}`), answering(200, `{"items":[],"next_cursor":"9"}`))
		c, _ := patient(s)
		count := 0
		for event, err := range c.AllEvents(t.Context(), "8") {
			if err != nil || event.Data["sequence"] != "4" {
				t.Errorf("got %+v and %v", event, err)
			}
			count++
		}
		if r := s.requests(); count != 1 || len(r) != 2 || r[0].query != "cursor=8&limit=200" || r[1].query != "cursor=9&limit=200" {
			t.Errorf("got %d events by %+v", count, r)
		}
	})
}

func FuzzEventData(f *testing.F) {
	f.Add([]byte(`{"object_id":"x","sequence":4,"list":[1],"none":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var data EventData
		if json.Unmarshal(raw, &data) == nil {
			if _, err := json.Marshal(data); err != nil {
				t.Error(err)
			}
		}
	})
}
