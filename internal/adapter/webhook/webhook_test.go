package webhook_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/probity/probity/internal/adapter/netguard"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/standard/problem"
)

var at = time.Date(2026, 11, 9, 10, 0, 0, 123456000, time.UTC)

func TestSecret(t *testing.T) {
	t.Run("a fresh secret survives being written and read", func(t *testing.T) {
		secret := webhook.NewSecret()
		again, err := webhook.ParseSecret(secret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := again.Sign("msg_1", at, []byte("{}")), secret.Sign("msg_1", at, []byte("{}")); got != want {
			t.Errorf("signature: got %s, want %s", got, want)
		}
	})
	t.Run("a secret prints itself nowhere", func(t *testing.T) {
		secret := webhook.NewSecret()
		holder := struct{ Secret webhook.Secret }{secret}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "holder", holder)
		asJSON, err := json.Marshal(holder)
		if err != nil {
			t.Fatal(err)
		}
		written := fmt.Sprintf("%v %+v %#v %s %x %q %v %+v %#v", secret, secret, secret, secret, secret, secret, holder, holder, holder) +
			log.String() + string(asJSON)
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), "whsec_"))
		for _, leak := range []string{secret.Reveal()[6:20], fmt.Sprintf("%x", raw[:6]), fmt.Sprintf("%d %d %d", raw[0], raw[1], raw[2])} {
			if strings.Contains(written, leak) {
				t.Errorf("the secret shows in %s", written)
			}
		}
	})
	encode := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	tests := []struct {
		name, text string
		accepted   bool
	}{
		{"24 bytes are enough", encode(24), true},
		{"64 bytes are not too many", encode(64), true},
		{"23 bytes are too few", encode(23), false},
		{"65 bytes are too many", encode(65), false},
		{"the prefix is required", strings.TrimPrefix(encode(32), "whsec_"), false},
		{"an asymmetric key is refused", strings.Replace(encode(32), "whsec_", "whsk_", 1), false},
		{"what is not base64 is refused", "whsec_!!!!" + strings.Repeat("a", 40), false},
		{"nothing is refused", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := webhook.ParseSecret(test.text)
			if got, want := err == nil, test.accepted; got != want {
				t.Fatalf("accepted: got %v (%v), want %v", got, err, want)
			}
			if err != nil && !problem.Is(err, problem.Invalid) {
				t.Errorf("got %v, want a problem of kind Invalid", err)
			}
		})
	}
}

func TestSignIsThatOfTheStandardLibrary(t *testing.T) {
	secret := webhook.NewSecret()
	reference, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"payment.rejected"}`)
	want, err := reference.Sign("msg_1", at, body)
	if err != nil {
		t.Fatal(err)
	}
	if got := secret.Sign("msg_1", at, body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// receiver is a tenant's endpoint that answers with a status and headers and keeps the last request.
type receiver struct {
	status  int
	header  map[string]string
	stall   bool
	request *http.Request
	body    []byte
	count   int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.count++
	r.body, _ = io.ReadAll(request.Body)
	r.request = request
	if r.stall {
		<-request.Context().Done()
		return
	}
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(r.status)
}

func localSender(timeout time.Duration) *webhook.Sender {
	return webhook.NewSender(netguard.NewClient(netguard.Options{Rules: netguard.Rules{AllowLoopback: true}, Timeout: timeout}))
}

func TestSendIsVerifiedByTheStandardLibrary(t *testing.T) {
	endpoint := &receiver{status: http.StatusNoContent}
	server := httptest.NewServer(endpoint)
	defer server.Close()
	before, after := webhook.NewSecret(), webhook.NewSecret()
	body, err := webhook.Message("verification.approved", at, map[string]string{"id": "ver_1"})
	if err != nil {
		t.Fatal(err)
	}
	result := localSender(0).Send(t.Context(), webhook.Delivery{
		URL: server.URL, Secrets: []webhook.Secret{before, after}, ID: "msg_1", Timestamp: at, Body: body,
		Header: map[string]string{"Idempotency-Key": "cmd_1", "Webhook-Id": "forged"},
	})
	if got, want := result, (webhook.Result{Outcome: webhook.Delivered, StatusCode: http.StatusNoContent}); got != want {
		t.Fatalf("result: got %+v, want %+v", got, want)
	}
	for name, secret := range map[string]webhook.Secret{"the old secret": before, "the new secret": after} {
		reference, err := standardwebhooks.NewWebhook(secret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if err := reference.VerifyIgnoringTimestamp(endpoint.body, endpoint.request.Header); err != nil {
			t.Errorf("%s does not verify: %v", name, err)
		}
	}
	stranger, _ := standardwebhooks.NewWebhook(webhook.NewSecret().Reveal())
	if err := stranger.VerifyIgnoringTimestamp(endpoint.body, endpoint.request.Header); err == nil {
		t.Error("a stranger's secret verifies")
	}
	if got, want := endpoint.request.Header.Get(webhook.HeaderID), "msg_1"; got != want {
		t.Errorf("id: got %s, want %s", got, want)
	}
	if got, want := endpoint.request.Header.Get("Idempotency-Key"), "cmd_1"; got != want {
		t.Errorf("extra header: got %s, want %s", got, want)
	}
	if got, want := string(endpoint.body), `{"type":"verification.approved","timestamp":"2026-11-09T10:00:00.123456Z","data":{"id":"ver_1"}}`; got != want {
		t.Errorf("body: got %s, want %s", got, want)
	}
}

func TestSendOutcomes(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header map[string]string
		want   webhook.Result
	}{
		{"200 is a delivery", 200, nil, webhook.Result{Outcome: webhook.Delivered, StatusCode: 200}},
		{"299 is a delivery", 299, nil, webhook.Result{Outcome: webhook.Delivered, StatusCode: 299}},
		{"a redirect is a failure and is not followed", 302, map[string]string{"Location": "/"},
			webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseRedirect, StatusCode: 302}},
		{"410 asks to be disabled", 410, nil, webhook.Result{Outcome: webhook.Gone, Cause: webhook.CauseStatus, StatusCode: 410}},
		{"404 is a failure", 404, nil, webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseStatus, StatusCode: 404}},
		{"500 is a failure", 500, nil, webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseStatus, StatusCode: 500}},
		{"429 says how long to wait in seconds", 429, map[string]string{"Retry-After": "120"},
			webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseStatus, StatusCode: 429, RetryAfter: 2 * time.Minute}},
		{"503 says until when to wait", 503, map[string]string{"Retry-After": "Mon, 09 Nov 2026 10:01:00 GMT"},
			webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseStatus, StatusCode: 503, RetryAfter: time.Minute - 123456*time.Microsecond}},
		{"a Retry-After of a year is cut to a day", 503, map[string]string{"Retry-After": "31536000"},
			webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseStatus, StatusCode: 503, RetryAfter: 24 * time.Hour}},
		{"a Retry-After in the past is none", 503, map[string]string{"Retry-After": "Mon, 09 Nov 2020 10:01:00 GMT"},
			webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseStatus, StatusCode: 503}},
		{"an unreadable Retry-After is none", 503, map[string]string{"Retry-After": "soon"},
			webhook.Result{Outcome: webhook.Failed, Cause: webhook.CauseStatus, StatusCode: 503}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			endpoint := &receiver{status: test.status, header: test.header}
			server := httptest.NewServer(endpoint)
			defer server.Close()
			if got := localSender(0).Send(t.Context(), delivery(server.URL)); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got, want := endpoint.count, 1; got != want {
				t.Errorf("requests: got %d, want %d", got, want)
			}
		})
	}
}

func delivery(url string) webhook.Delivery {
	return webhook.Delivery{URL: url, Secrets: []webhook.Secret{webhook.NewSecret()}, ID: "msg_1", Timestamp: at, Body: []byte(`{}`)}
}

func TestSendCauses(t *testing.T) {
	silent := httptest.NewServer(&receiver{stall: true})
	defer silent.Close()
	encrypted := httptest.NewTLSServer(&receiver{status: 200})
	defer encrypted.Close()
	encrypted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	closed := httptest.NewServer(&receiver{status: 200})
	closed.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()

	change := func(alter func(*webhook.Delivery)) webhook.Delivery {
		d := delivery(silent.URL)
		alter(&d)
		return d
	}
	tests := []struct {
		name     string
		ctx      context.Context
		sender   *webhook.Sender
		delivery webhook.Delivery
		want     webhook.Cause
	}{
		{"a silent server runs into the timeout", t.Context(), localSender(30 * time.Millisecond), delivery(silent.URL), webhook.CauseTimeout},
		{"a closed port is a failed connection", t.Context(), localSender(0), delivery(closed.URL), webhook.CauseConnection},
		{"an unknown certificate is a TLS failure", t.Context(), localSender(0), delivery(encrypted.URL), webhook.CauseTLS},
		{"an inside address is refused", t.Context(), webhook.NewSender(netguard.NewClient(netguard.Options{})), delivery(silent.URL), webhook.CauseAddressRefused},
		{"our own shutdown is told apart", canceled, localSender(0), delivery(silent.URL), webhook.CauseCanceled},
		{"no secret is not sendable", t.Context(), localSender(0), change(func(d *webhook.Delivery) { d.Secrets = nil }), webhook.CauseNotSendable},
		{"an empty secret is not sendable", t.Context(), localSender(0), change(func(d *webhook.Delivery) { d.Secrets = make([]webhook.Secret, 1) }), webhook.CauseNotSendable},
		{"no id is not sendable", t.Context(), localSender(0), change(func(d *webhook.Delivery) { d.ID = "" }), webhook.CauseNotSendable},
		{"a line break in the id is not sendable", t.Context(), localSender(0), change(func(d *webhook.Delivery) { d.ID = "a\r\nb" }), webhook.CauseNotSendable},
		{"an endless body is not sendable", t.Context(), localSender(0), change(func(d *webhook.Delivery) { d.Body = make([]byte, webhook.MaxBodyBytes+1) }), webhook.CauseNotSendable},
		{"no timestamp is not sendable", t.Context(), localSender(0), change(func(d *webhook.Delivery) { d.Timestamp = time.Time{} }), webhook.CauseNotSendable},
		{"an unreadable URL is not sendable", t.Context(), localSender(0), change(func(d *webhook.Delivery) { d.URL = "http://[" }), webhook.CauseNotSendable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, want := test.sender.Send(test.ctx, test.delivery), (webhook.Result{Outcome: webhook.Failed, Cause: test.want}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestNextRetry(t *testing.T) {
	want := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
		14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	for attempts, wait := range want {
		if got, again := webhook.NextRetry(attempts, 0.5); got != wait || !again {
			t.Errorf("after %d attempts: got %v, %v, want %v, true", attempts, got, again, wait)
		}
	}
	t.Run("after the last attempt there is none", func(t *testing.T) {
		if _, again := webhook.NextRetry(webhook.MaxAttempts, 0.5); again {
			t.Error("got another attempt")
		}
	})
	t.Run("jitter spreads by a tenth", func(t *testing.T) {
		low, _ := webhook.NextRetry(2, 0)
		high, _ := webhook.NextRetry(2, 1)
		if low != 270*time.Second || high != 330*time.Second {
			t.Errorf("got %v and %v, want 4m30s and 5m30s", low, high)
		}
	})
	t.Run("Retry-After is a lower bound", func(t *testing.T) {
		result := webhook.Result{Outcome: webhook.Failed, RetryAfter: time.Hour}
		if got, again := result.NextRetry(1, 0.5); got != time.Hour || !again {
			t.Errorf("got %v, %v, want 1h, true", got, again)
		}
		if got, again := result.NextRetry(5, 0.5); got != 5*time.Hour || !again {
			t.Errorf("got %v, %v, want 5h, true", got, again)
		}
	})
	t.Run("a delivered message and a gone endpoint are not tried again", func(t *testing.T) {
		for _, outcome := range []webhook.Outcome{webhook.Delivered, webhook.Gone} {
			if _, again := (webhook.Result{Outcome: outcome}).NextRetry(1, 0.5); again {
				t.Errorf("%s is tried again", outcome)
			}
		}
	})
}

func TestMessage(t *testing.T) {
	for _, kind := range []string{"", "payment rejected", ".payment", "payment.", "payment-rejected"} {
		if _, err := webhook.Message(kind, at, nil); err == nil {
			t.Errorf("the type %q is accepted", kind)
		}
	}
	if _, err := webhook.Message("payment.rejected", at, strings.Repeat("x", webhook.MaxBodyBytes)); err == nil {
		t.Error("an endless message is accepted")
	}
}

func FuzzParseSecret(f *testing.F) {
	f.Add(webhook.NewSecret().Reveal())
	f.Add("whsec_")
	f.Add("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := webhook.ParseSecret(text)
		if err == nil && text != secret.Reveal() {
			t.Error("an accepted secret is not written as it was read")
		}
	})
}
