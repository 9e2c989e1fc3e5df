package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const newBo = `{"kind":"individual","name":"Bo","external_id":"bo"}`

func TestIdempotency(t *testing.T) {
	w := newWorld(t)
	create := call{method: "POST", path: "/v1/accounts", body: newBo, idempotency: "key-1"}

	state := w.State()
	first := w.ok(201, create)
	w.did(state, map[string]int{"accounts": 1, "idempotency": 1}, "account.created")
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Error("the first answer says that it is a repetition")
	}

	t.Run("the same key and body give the same answer and change nothing", func(t *testing.T) {
		before := w.Digest()
		again := w.on(t).ok(201, create)
		if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Content-Type") != "application/json" {
			t.Errorf("got %v %s, want %s", again.header, again.body, first.body)
		}
		if w.Digest() != before {
			t.Error("a repetition wrote something")
		}
	})
	t.Run("the same key with another body is refused", func(t *testing.T) {
		other := create
		other.body = strings.Replace(newBo, "Bo", "Li", 1)
		w.on(t).refused(other, refusal{422, "idempotency_key_reused", "Idempotency-Key"})
	})
	t.Run("even when only its white space differs", func(t *testing.T) {
		other := create
		other.body += " "
		w.on(t).refused(other, refusal{422, "idempotency_key_reused", "Idempotency-Key"})
	})
	t.Run("the same key on another path is another request", func(t *testing.T) {
		out := w.on(t).ok(201, call{method: "POST", path: "/v1/accounts/" + first.text("id") + "/portal_sessions", idempotency: "key-1"})
		if out.header.Get("Idempotency-Replayed") != "" || out.text("url") == "" {
			t.Errorf("got %s", out.body)
		}
	})
	t.Run("the same key and an empty body on another account's path is another request", func(t *testing.T) {
		other := w.on(t).ok(201, post("/v1/accounts", `{"kind":"individual","name":"Li"}`)).text("id")
		out := w.on(t).ok(201, call{method: "POST", path: "/v1/accounts/" + other + "/portal_sessions", idempotency: "key-1"})
		if out.header.Get("Idempotency-Replayed") != "" {
			t.Error("the answer of another account was given")
		}
	})
	t.Run("the same key of another tenant is another request", func(t *testing.T) {
		_, key := w.NewKey(w.NewTenant("Other").ID)
		theirs := create
		theirs.key = key
		if out := w.on(t).ok(201, theirs); out.text("id") == first.text("id") {
			t.Error("a tenant got the answer of another")
		}
	})
	t.Run("a refused request leaves no record", func(t *testing.T) {
		again := call{method: "POST", path: "/v1/accounts", body: newBo, idempotency: "key-2"}
		w.on(t).refused(again, refusal{409, "external_id_taken", "external_id"})
		again.body = `{"kind":"individual","name":"Bo"}`
		w.on(t).ok(201, again)
	})
	t.Run("a body that huma refuses leaves no record", func(t *testing.T) {
		again := call{method: "POST", path: "/v1/accounts", body: `{"kind":"individual","nam":"Bo"}`, idempotency: "key-3"}
		w.on(t).refused(again, refusal{422, "unknown_field", "nam"})
	})
	t.Run("a key over its length is refused", func(t *testing.T) {
		w.on(t).refused(call{method: "POST", path: "/v1/accounts", body: newBo, idempotency: strings.Repeat("k", 256)},
			refusal{422, "idempotency_key_malformed", "Idempotency-Key"})
	})
	t.Run("a key on a GET means nothing", func(t *testing.T) {
		before := w.Digest()
		w.on(t).ok(200, call{method: "GET", path: "/v1/accounts", idempotency: "key-1"})
		if w.Digest() != before {
			t.Error("a GET wrote something")
		}
	})
	t.Run("after a day the key is free again", func(t *testing.T) {
		w.Advance(25 * time.Hour)
		w.on(t).refused(create, refusal{409, "external_id_taken", "external_id"})
	})
}

func TestAPaymentIsRememberedForThirtyDays(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	pay := call{method: "POST", path: "/v1/payments", idempotency: "order-1",
		body: `{"account_id":"` + accountID + `","amount":{"amount_minor":1250,"currency":"USD"},"occurred_at":"2026-11-09T02:00:00Z"}`}
	first := w.ok(201, pay)
	w.Advance(29 * 24 * time.Hour)
	if err := w.Service.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := w.ok(201, pay); again.text("id") != first.text("id") {
		t.Error("the payment was decided twice within thirty days")
	}
	w.Advance(2 * 24 * time.Hour)
	if again := w.ok(201, pay); again.text("id") == first.text("id") {
		t.Error("after thirty days the answer was still the stored one")
	}
}

func TestARejectedPaymentIsRepeatedAsItWas(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	pay := call{method: "POST", path: "/v1/payments", idempotency: "order-1", body: risky(accountID)}
	state := w.State()
	first := w.ok(201, pay)
	w.did(state, map[string]int{"payments": 1, "restrictions": 1, "verifications": 1, "notices": 1, "messages": 1, "jobs": 1, "idempotency": 1},
		"verification.opened", "restriction.placed", "payment.rejected", "notice.created")
	state = w.State()
	again := w.ok(201, pay)
	w.did(state, nil)
	if again.body != first.body {
		t.Errorf("got %s, want %s", again.body, first.body)
	}
}

func TestTheSameKeyManyTimesAtOnce(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	const times = 12
	answers := make([]answer, times)
	state := w.State()
	var wait sync.WaitGroup
	for at := range times {
		wait.Go(func() {
			answers[at] = w.do(call{method: "POST", path: "/v1/payments", idempotency: "at-once", body: risky(accountID)})
		})
	}
	wait.Wait()
	ids := map[string]bool{}
	for _, a := range answers {
		switch {
		case a.status == http.StatusCreated:
			ids[a.text("id")] = true
		case a.status == http.StatusConflict && a.text("code") == "idempotency_in_flight":
		default:
			t.Errorf("got %d %s", a.status, a.body)
		}
	}
	if len(ids) != 1 {
		t.Errorf("got %d payments, want 1", len(ids))
	}
	w.did(state, map[string]int{"payments": 1, "restrictions": 1, "verifications": 1, "notices": 1, "messages": 1, "jobs": 1, "idempotency": 1},
		"verification.opened", "restriction.placed", "payment.rejected", "notice.created")
}

func TestEvidenceIsRepeatable(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	send := func(content []byte) call {
		c := evidence(verificationID, "payment_method", "", content) // with another boundary each time
		c.idempotency = "card"
		return c
	}
	state := w.State()
	first := w.ok(201, send(w.papers().PaymentMethod))
	w.did(state, map[string]int{"evidence": 1, "attachments": 1, "data_keys": 1, "idempotency": 1}, "evidence.received")

	before := w.Digest()
	again := w.ok(201, send(w.papers().PaymentMethod))
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("got %s, want %s", again.body, first.body)
	}
	if w.Digest() != before {
		t.Error("a repetition wrote something")
	}
	w.refused(send(w.papers().GovernmentID), refusal{422, "idempotency_key_reused", "Idempotency-Key"})
	bad := send([]byte("no picture"))
	bad.idempotency = "bad"
	w.refused(bad, refusal{415, "attachment_type_not_accepted", "file"})

	w.submitted(verificationID)
	if after := w.ok(201, send(w.papers().PaymentMethod)); after.body != first.body {
		t.Error("after the submission the repetition was no longer answered")
	}

	t.Run("many times at once it is stored once", func(t *testing.T) {
		w := newWorld(t)
		_, _, verificationID := w.rejected()
		state := w.State()
		var wait sync.WaitGroup
		for range 6 {
			wait.Go(func() {
				c := evidence(verificationID, "billing_statement", "", w.papers().BillingStatement)
				c.idempotency = "statement"
				if out := w.do(c); out.status != 201 && out.text("code") != "idempotency_in_flight" {
					t.Errorf("got %d %s", out.status, out.body)
				}
			})
		}
		wait.Wait()
		w.did(state, map[string]int{"evidence": 1, "attachments": 1, "data_keys": 1, "idempotency": 1}, "evidence.received")
	})
}

func TestTwoReviewersAtOnce(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	decision := "/v1/cases/" + w.submitted(verificationID) + "/decision"
	var mu sync.Mutex
	decided := 0
	var wait sync.WaitGroup
	for _, body := range []string{`{"decision":"approve","expected_version":1}`, `{"decision":"decline","expected_version":1}`, `{"decision":"approve","expected_version":1}`} {
		wait.Go(func() {
			out := w.do(post(decision, body))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case out.status == 200:
				decided++
			case out.status != 409:
				t.Errorf("got %d %s, want 409", out.status, out.body)
			}
		})
	}
	wait.Wait()
	if decided != 1 {
		t.Errorf("got %d decisions, want 1", decided)
	}
}

func TestTheDemoClockAnswersTheSameUnderAKey(t *testing.T) {
	w := newWorld(t)
	step := call{method: "POST", path: "/v1/demo/clock", body: `{"advance_seconds":3600}`, idempotency: "hour"}
	first := w.ok(200, step)
	again := w.ok(200, step)
	now := w.ok(200, get("/v1/demo/clock"))
	if first.text("now") != "2026-11-09T03:00:00Z" || again.body != first.body || now.body != first.body {
		t.Errorf("got %s, %s and %s", first.body, again.body, now.body)
	}
}
