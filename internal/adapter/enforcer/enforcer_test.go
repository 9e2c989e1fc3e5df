package enforcer_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/probity/probity/internal/adapter/enforcer"
	"github.com/probity/probity/internal/adapter/netguard"
	"github.com/probity/probity/internal/adapter/webhook"
)

var decidedAt = time.Date(2026, 11, 9, 10, 0, 0, 0, time.UTC)

// platform carries out the contract of the package comment, and can be told to fail instead.
type platform struct {
	mu        sync.Mutex
	verify    *standardwebhooks.Webhook
	fail      int // answer this status instead of obeying
	highest   int64
	done      map[string]bool
	suspended bool
	bodies    []string
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	p.bodies = append(p.bodies, string(body))
	if p.fail != 0 {
		w.WriteHeader(p.fail)
		return
	}
	if p.verify.VerifyIgnoringTimestamp(body, r.Header) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var message struct {
		Type string `json:"type"`
		Data struct {
			CommandID string `json:"command_id"`
			Sequence  int64  `json:"sequence"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &message) != nil || r.Header.Get("Idempotency-Key") != message.Data.CommandID {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch {
	case p.done[message.Data.CommandID]:
	case message.Data.Sequence <= p.highest:
		w.WriteHeader(http.StatusConflict)
	default:
		p.done[message.Data.CommandID], p.highest = true, message.Data.Sequence
		p.suspended = message.Type == "enforcement.suspend"
	}
}

func connect(t *testing.T) (*platform, *enforcer.Client, enforcer.Target) {
	t.Helper()
	secret := webhook.NewSecret()
	verify, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	cloud := &platform{verify: verify, done: map[string]bool{}}
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	guarded := netguard.NewClient(netguard.Options{Rules: netguard.Rules{AllowLoopback: true}})
	t.Cleanup(guarded.CloseIdle)
	return cloud, enforcer.New(webhook.NewSender(guarded)), enforcer.Target{URL: server.URL, Secrets: []webhook.Secret{secret}}
}

func command(id string, action enforcer.Action, sequence int64) enforcer.Command {
	return enforcer.Command{ID: id, Action: action, DecidedAt: decidedAt, AccountID: "acct_1", ExternalID: "ext-1",
		Sequence: sequence, VerificationID: "ver_1", Reason: "submission_overdue"}
}

func send(t *testing.T, client *enforcer.Client, target enforcer.Target, command enforcer.Command) enforcer.Result {
	t.Helper()
	result, err := client.Send(t.Context(), target, command, decidedAt.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestSend(t *testing.T) {
	t.Run("a command is signed, carried out and acknowledged", func(t *testing.T) {
		cloud, client, target := connect(t)
		if got, want := send(t, client, target, command("cmd_1", enforcer.Suspend, 1)), (enforcer.Result{Outcome: enforcer.Acknowledged, StatusCode: 200}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if !cloud.suspended {
			t.Error("the account is not suspended")
		}
		want := `{"type":"enforcement.suspend","timestamp":"2026-11-09T10:00:00Z","data":{"command_id":"cmd_1","account_id":"acct_1",` +
			`"external_id":"ext-1","sequence":1,"verification_id":"ver_1","reason":"submission_overdue"}}`
		if got := cloud.bodies[0]; got != want {
			t.Errorf("body: got %s, want %s", got, want)
		}
	})
	t.Run("a repetition sends the same bytes and is acknowledged again", func(t *testing.T) {
		cloud, client, target := connect(t)
		send(t, client, target, command("cmd_1", enforcer.Suspend, 1))
		if got, want := send(t, client, target, command("cmd_1", enforcer.Suspend, 1)).Outcome, enforcer.Acknowledged; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if cloud.bodies[0] != cloud.bodies[1] {
			t.Errorf("got %s, want %s", cloud.bodies[1], cloud.bodies[0])
		}
	})
	t.Run("a late suspension cannot overtake the resumption", func(t *testing.T) {
		cloud, client, target := connect(t)
		send(t, client, target, command("cmd_2", enforcer.Resume, 2))
		if got, want := send(t, client, target, command("cmd_1", enforcer.Suspend, 1)), (enforcer.Result{Outcome: enforcer.Superseded, StatusCode: 409}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if cloud.suspended {
			t.Error("the account is suspended")
		}
	})
	t.Run("any other answer is to be repeated", func(t *testing.T) {
		for _, status := range []int{301, 400, 401, 404, 410, 429, 500, 503} {
			cloud, client, target := connect(t)
			cloud.fail = status
			result := send(t, client, target, command("cmd_1", enforcer.Suspend, 1))
			if result.Outcome != enforcer.NotAcknowledged || result.StatusCode != status || result.Cause == "" {
				t.Errorf("%d: got %+v, want not_acknowledged with its status and cause", status, result)
			}
		}
	})
	t.Run("a wrong secret is not an acknowledgement", func(t *testing.T) {
		cloud, client, target := connect(t)
		target.Secrets = []webhook.Secret{webhook.NewSecret()}
		if got, want := send(t, client, target, command("cmd_1", enforcer.Suspend, 1)).Outcome, enforcer.NotAcknowledged; got != want || cloud.suspended {
			t.Errorf("got %s (suspended: %v), want %s", got, cloud.suspended, want)
		}
	})
	t.Run("a command without its parts is an error and is not sent", func(t *testing.T) {
		cloud, client, target := connect(t)
		for _, bad := range []enforcer.Command{
			{}, command("", enforcer.Suspend, 1), command("cmd_1", "", 1), command("cmd_1", "enforcement.release", 1), command("cmd_1", enforcer.Resume, 0),
		} {
			if _, err := client.Send(t.Context(), target, bad, decidedAt); err == nil {
				t.Errorf("%+v was sent", bad)
			}
		}
		if len(cloud.bodies) != 0 {
			t.Errorf("got %d requests, want none", len(cloud.bodies))
		}
	})
}

func TestNextRetry(t *testing.T) {
	tests := []struct {
		name       string
		attempts   int
		retryAfter time.Duration
		want       time.Duration
	}{
		{"the first repetition is soon", 1, 0, 5 * time.Second},
		{"the fourth waits ten minutes", 4, 0, 10 * time.Minute},
		{"later ones are hourly", 6, 0, time.Hour},
		{"and never end", 100000, 0, time.Hour},
		{"the platform may ask for longer", 1, time.Minute, time.Minute},
		{"but not for more than an hour", 1, 24 * time.Hour, time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := (enforcer.Result{RetryAfter: test.retryAfter}).NextRetry(test.attempts, 0.5); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
