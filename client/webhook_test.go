package client

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// signed returns the headers of a webhook as the reference implementation of the standard signs it.
func signed(t *testing.T, secret, id string, at time.Time, body []byte) http.Header {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	header.Set("webhook-signature", signature)
	return header
}

func TestVerifyWebhook(t *testing.T) {
	now := time.Date(2026, 11, 9, 10, 0, 0, 0, time.UTC)
	body := []byte(`{"id":"evt_1","type":"verification.approved","timestamp":"2026-11-09T10:00:00Z","data":{"object_id":"ver_1"}}`)
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another secret, of enough bytes!"))
	tests := []struct {
		name   string
		secret string
		change func(h http.Header)
		body   []byte
		at     time.Time
		want   error
	}{
		{"a webhook is accepted", webhookSecret, nil, body, now, nil},
		{"five minutes late is in time", webhookSecret, nil, body, now.Add(-5 * time.Minute), nil},
		{"five minutes early is in time", webhookSecret, nil, body, now.Add(5 * time.Minute), nil},
		{"later is a replay", webhookSecret, nil, body, now.Add(-5*time.Minute - time.Second), ErrWebhookTimestamp},
		{"from the future is refused", webhookSecret, nil, body, now.Add(5*time.Minute + time.Second), ErrWebhookTimestamp},
		{"another secret's signature is refused", other, nil, body, now, ErrWebhookSignature},
		{"a changed body is refused", webhookSecret, nil, append([]byte(" "), body...), now, ErrWebhookSignature},
		{"another id is refused", webhookSecret, func(h http.Header) { h.Set("webhook-id", "evt_2") }, body, now, ErrWebhookSignature},
		{"another timestamp is refused", webhookSecret, func(h http.Header) { h.Set("webhook-timestamp", strconv.FormatInt(now.Unix()+1, 10)) }, body, now, ErrWebhookSignature},
		{"no timestamp is refused", webhookSecret, func(h http.Header) { h.Del("webhook-timestamp") }, body, now, ErrWebhookSignature},
		{"no id is refused", webhookSecret, func(h http.Header) { h.Del("webhook-id") }, body, now, ErrWebhookSignature},
		{"no signature is refused", webhookSecret, func(h http.Header) { h.Del("webhook-signature") }, body, now, ErrWebhookSignature},
		{"one of several signatures is enough", webhookSecret, func(h http.Header) {
			h.Set("webhook-signature", "v1,AAAA v1a,xyz "+h.Get("webhook-signature"))
		}, body, now, nil},
		{"a signature of another scheme is not", webhookSecret, func(h http.Header) {
			h.Set("webhook-signature", strings.Replace(h.Get("webhook-signature"), "v1,", "v2,", 1))
		}, body, now, ErrWebhookSignature},
		{"a secret that is none is told", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", nil, body, now, ErrWebhookSecret},
		{"an empty secret is told", "whsec_", nil, body, now, ErrWebhookSecret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := signed(t, webhookSecret, "evt_1", test.at, body)
			if test.change != nil {
				test.change(header)
			}
			event, err := VerifyWebhook(test.secret, header, test.body, now)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if test.want == nil && (event.ID != "evt_1" || event.Type != "verification.approved" || event.Data["object_id"] != "ver_1") {
				t.Errorf("got %+v", event)
			}
		})
	}
	t.Run("a command has no id of its own and numbers in its data", func(t *testing.T) {
		command := []byte(`{"type":"enforcement.suspend","timestamp":"2026-11-09T10:00:00Z","data":{"account_id":"acct_1","sequence":3}}`)
		event, err := VerifyWebhook(webhookSecret, signed(t, webhookSecret, "cmd_1", now, command), command, now)
		if err != nil || event.ID != "cmd_1" || event.Data["sequence"] != "3" {
			t.Errorf("got %+v and %v", event, err)
		}
	})
	t.Run("a body that is no event is refused", func(t *testing.T) {
		text := []byte("hello")
		if _, err := VerifyWebhook(webhookSecret, signed(t, webhookSecret, "evt_1", now, text), text, now); err == nil {
			t.Error("got no error")
		}
	})
}

func FuzzVerifyWebhook(f *testing.F) {
	f.Add("evt_1", "1762682400", "v1,AAAA v1,BBBB", []byte(`{}`))
	f.Add("", "x", "v1,", []byte(``))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		header := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {signature}}
		if _, err := VerifyWebhook(webhookSecret, header, body, time.Unix(1762682400, 0)); err == nil {
			t.Error("what nobody signed was accepted")
		}
	})
}
