package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const fullAccount = `{"external_id":"customer-4711","kind":"enterprise","name":"Harbour GmbH","email":"ops@harbour.example","phone":"+65 6555 0100",
	"address":{"lines":["1 Harbour Road","Unit 5"],"city":"Singapore","region":"Central","postal_code":"018956","country":"SG"},"country":"SG",
	"date_of_birth":"1990-04-12","locale":"zh-CN","time_zone":"Asia/Singapore","industry":"logistics","business_activities":"freight"}`

func TestAccounts(t *testing.T) {
	w := newWorld(t)
	state := w.State()
	made := w.ok(201, post("/v1/accounts", fullAccount))
	w.did(state, map[string]int{"accounts": 1}, "account.created")

	t.Run("everything that was sent comes back", func(t *testing.T) {
		var sent map[string]any
		if err := json.Unmarshal([]byte(fullAccount), &sent); err != nil {
			t.Fatal(err)
		}
		for name, want := range sent {
			if got := made.json[name]; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		if got := w.on(t).ok(200, get("/v1/accounts/"+made.text("id"))); got.body != made.body {
			t.Errorf("got %s, want %s", got.body, made.body)
		}
	})
	t.Run("what was not sent is null", func(t *testing.T) {
		bare := w.on(t).ok(201, post("/v1/accounts", `{"kind":"individual","name":"Bo","email":null,"address":null}`))
		for _, member := range []string{"external_id", "email", "phone", "address", "country", "date_of_birth", "locale", "time_zone", "industry", "business_activities"} {
			if value, there := bare.json[member]; !there || value != nil {
				t.Errorf("%s: got %v, want null", member, value)
			}
		}
		if fmt.Sprint(bare.json["restrictions"]) != "[]" || bare.object("enforcement")["state"] != "none" || bare.object("enforcement")["due_at"] != nil {
			t.Errorf("got %s", bare.body)
		}
	})
	t.Run("a list by external id has the one account or none", func(t *testing.T) {
		w := w.on(t)
		found := w.ok(200, get("/v1/accounts?external_id=customer-4711"))
		if len(found.items()) != 1 || found.items()[0]["id"] != made.text("id") || found.json["next_cursor"] != nil {
			t.Errorf("got %s", found.body)
		}
		if none := w.ok(200, get("/v1/accounts?external_id=nobody")); len(none.items()) != 0 || fmt.Sprint(none.json["items"]) != "[]" {
			t.Errorf("got %s", none.body)
		}
	})
	t.Run("an external id is given once", func(t *testing.T) {
		w.on(t).refused(post("/v1/accounts", fullAccount), refusal{409, "external_id_taken", "external_id"})
	})
}

func TestMergePatch(t *testing.T) {
	w := newWorld(t)
	id := w.ok(201, post("/v1/accounts", fullAccount)).text("id")
	patch := func(body string) call { return call{method: "PATCH", path: "/v1/accounts/" + id, body: body} }
	merge := patch(`{"name":"Harbour AG","phone":null,"address":{"city":"Basel","region":null,"lines":["2 Quay"]}}`)
	merge.contentType = "application/merge-patch+json"
	state := w.State()
	changed := w.ok(200, merge)
	w.did(state, nil, "account.updated")
	address := changed.object("address")
	if changed.text("name") != "Harbour AG" || changed.json["phone"] != nil || changed.text("email") != "ops@harbour.example" {
		t.Errorf("got %s", changed.body)
	}
	if address["city"] != "Basel" || address["region"] != nil || address["postal_code"] != "018956" || fmt.Sprint(address["lines"]) != "[2 Quay]" {
		t.Errorf("address: got %v", address)
	}
	for _, test := range []struct{ name, body, member, want string }{
		{"null clears a whole address", `{"address":null}`, "address", "<nil>"},
		{"an empty patch changes no field", `{}`, "name", "Harbour AG"},
		{"an address can be put where there was none", `{"address":{"country":"DE"}}`, "address", "map[city:<nil> country:DE lines:[] postal_code:<nil> region:<nil>]"},
		{"the kind can change", `{"kind":"individual"}`, "kind", "individual"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fmt.Sprint(w.on(t).ok(200, patch(test.body)).json[test.member]); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	for name, test := range map[string]struct {
		body string
		want refusal
	}{
		"a name can't be cleared":       {`{"name":null}`, refusal{422, "required", "name"}},
		"a kind can't be cleared":       {`{"kind":null}`, refusal{422, "kind_unknown", "kind"}},
		"what is ours can't be changed": {`{"restrictions":[]}`, refusal{422, "unknown_field", "restrictions"}},
		"an unknown field":              {`{"address":{"town":"x"}}`, refusal{422, "unknown_field", "address.town"}},
		"a wrong type":                  {`{"address":{"lines":[5]}}`, refusal{422, "wrong_type", "address.lines[0]"}},
		"a list":                        {`[]`, refusal{422, "wrong_type", ""}},
		"no body":                       {``, refusal{400, "body_required", ""}},
		"a rule that is broken":         {`{"country":"XX"}`, refusal{422, "country_unknown", "country"}},
	} {
		t.Run(name, func(t *testing.T) { w.on(t).refused(patch(test.body), test.want) })
	}
	nobody := patch(`{"name":"x"}`)
	nobody.path = "/v1/accounts/acct_0"
	w.refused(nobody, refusal{404, "not_found", ""})
}

func TestListsAreReadPageByPage(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	for range 6 {
		w.ok(201, post("/v1/accounts", `{"kind":"individual","name":"Bo"}`))
		w.ok(201, post("/v1/payments", `{"account_id":"`+accountID+`","amount":{"amount_minor":1250,"currency":"USD"}}`))
	}
	for path, want := range map[string]int{"/v1/accounts?limit=2": 7, "/v1/payments?limit=4&account_id=" + accountID: 6} {
		seen := map[string]bool{}
		cursor, pages := "", 0
		for {
			page := w.ok(200, get(path+cursor))
			for _, item := range page.items() {
				seen[item["id"].(string)] = true
			}
			pages++
			if page.json["next_cursor"] == nil || pages > 10 {
				break
			}
			cursor = "&cursor=" + page.text("next_cursor")
		}
		if len(seen) != want {
			t.Errorf("%s: got %d items in %d pages, want %d", path, len(seen), pages, want)
		}
	}
	foreign := w.ok(200, get("/v1/accounts?limit=1")).text("next_cursor")
	w.refused(get("/v1/payments?account_id="+accountID+"&cursor="+foreign), refusal{422, "cursor_invalid", "cursor"})
}

func TestPaymentMethods(t *testing.T) {
	w := newWorld(t)
	accountID, first := w.account()
	path := "/v1/accounts/" + accountID + "/payment_methods"
	state := w.State()
	w.ok(201, post(path, `{"kind":"bank_account","last4":"4321","holder_name":"Alma","default":true}`))
	w.did(state, map[string]int{"payment_methods": 1}, "payment_method.added")
	methods := w.ok(200, get(path))
	if len(methods.items()) != 2 || methods.json["next_cursor"] != nil {
		t.Fatalf("got %s", methods.body)
	}
	for _, method := range methods.items() {
		if method["default"] != (method["id"] != first) {
			t.Errorf("one payment method is the default, the latest that was named so: got %s", methods.body)
		}
	}
	w.refused(post(path, `{"kind":"wallet","first6":"400012"}`), refusal{422, "first6_not_expected", "first6"})
	w.refused(post(path, `{"kind":"card","first6":"400012"}`), refusal{422, "last4_malformed", "last4"})
}

func TestEvidence(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	picture := w.ok(201, evidence(verificationID, "government_id", "passport", w.papers().GovernmentID))
	if picture.text("media_type") != "image/png" || picture.number("width") != 1200 || picture.number("pages") != 1 || picture.text("side") != "front" ||
		picture.text("document_type") != "passport" || picture.number("size_bytes") == 0 || fmt.Sprint(picture.json["findings"]) != "[]" {
		t.Errorf("got %s", picture.body)
	}
	w.Advance(time.Second)
	statement := w.ok(201, evidence(verificationID, "billing_statement", "", w.papers().BillingStatement))
	if statement.text("media_type") != "application/pdf" || statement.json["width"] != nil || statement.json["document_type"] != nil {
		t.Errorf("got %s", statement.body)
	}
	listed := w.ok(200, get("/v1/verifications/"+verificationID+"/evidence"))
	if len(listed.items()) != 2 || listed.items()[0]["id"] != picture.text("id") || listed.json["next_cursor"] != nil {
		t.Errorf("got %s", listed.body)
	}
	requirements := w.ok(200, get("/v1/verifications/"+verificationID)).json["requirements"].([]any)
	if requirements[0].(map[string]any)["status"] != "provided" || requirements[1].(map[string]any)["status"] != "required" {
		t.Errorf("got %v", requirements)
	}
}

func TestMessagesAndPortalSessions(t *testing.T) {
	w := newWorld(t)
	accountID, _, verificationID := w.rejected()
	before := w.Digest()
	messages := w.ok(200, get("/v1/accounts/"+accountID+"/messages")).items()
	if len(messages) != 1 || messages[0]["subject"] != "Payment Method Security Alert" || messages[0]["read_at"] != nil || messages[0]["verification_id"] != verificationID {
		t.Fatalf("got %v", messages)
	}
	if w.Digest() != before {
		t.Error("listing opened something")
	}
	state := w.State()
	// With a key, whose stored answer holds the secret too: sealed.
	session := w.ok(201, call{method: "POST", path: "/v1/accounts/" + accountID + "/portal_sessions", idempotency: "session-1"})
	w.did(state, map[string]int{"links": 1, "idempotency": 1}, "portal_session.created")
	secret, found := strings.CutPrefix(session.text("url"), "https://kyc.example.com/kyc/session?token=")
	if !found || session.text("expires_at") != "2026-11-09T02:05:00Z" {
		t.Fatalf("got %s", session.body)
	}
	if w.Holds(secret) || strings.Contains(w.Log(), secret) {
		t.Error("the link's secret is stored or logged")
	}
	if holder, _, err := w.Service.SignInWithLink(t.Context(), secret); err != nil || holder.ID != accountID {
		t.Errorf("the link signs in to %s with %v, want the account", holder.ID, err)
	}
	if _, _, err := w.Service.SignInWithLink(t.Context(), secret); err == nil {
		t.Error("the link worked twice")
	}
}

func TestTickets(t *testing.T) {
	w := newWorld(t)
	accountID, _, verificationID := w.rejected()
	w.submitted(verificationID)
	code := w.ok(200, get("/v1/verifications/"+verificationID)).text("query_code")
	state := w.State()
	made := w.ok(201, post("/v1/tickets", `{"account_id":"`+accountID+`","error_code":"RISK.RISK_CONTROL_REJECTION","query_code":"`+
		strings.ToLower(strings.ReplaceAll(code, "-", ""))+`","steps_taken":"sent all","message":"still waiting"}`))
	w.did(state, map[string]int{"tickets": 1}, "ticket.opened")
	if made.text("query_code") != code || made.text("verification_id") != verificationID || made.text("status") != "open" || made.json["answer"] != nil {
		t.Errorf("got %s", made.body)
	}
	if again := w.ok(200, get("/v1/tickets/"+made.text("id"))); again.body != made.body {
		t.Errorf("got %s, want %s", again.body, made.body)
	}
	other := w.ok(201, post("/v1/accounts", `{"kind":"individual","name":"Bo"}`)).text("id")
	w.refused(post("/v1/tickets", `{"account_id":"`+other+`","message":"x","query_code":"`+code+`"}`), refusal{422, "query_code_unknown", "query_code"})
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	w.rejected()
	var types []string
	cursor := ""
	for range 20 {
		page := w.ok(200, get("/v1/events?limit=2"+cursor))
		for _, event := range page.items() {
			types = append(types, event["type"].(string))
			if data := event["data"].(map[string]any); data["object_id"] == nil || data["actor_kind"] == nil {
				t.Errorf("got %v", event)
			}
		}
		next := "&cursor=" + page.text("next_cursor")
		if next == cursor {
			break
		}
		cursor = next
	}
	if want := w.State().Types; !slices.Equal(types, want) {
		t.Errorf("got %v, want %v", types, want)
	}
	if idle := w.ok(200, get("/v1/events?limit=2"+cursor)); len(idle.items()) != 0 || "&cursor="+idle.text("next_cursor") != cursor {
		t.Errorf("a poller that has read everything stays where it is: got %s", idle.body)
	}
	w.ok(201, post("/v1/accounts", `{"kind":"individual","name":"Bo"}`))
	if more := w.ok(200, get("/v1/events?limit=2"+cursor)); len(more.items()) != 1 || more.items()[0]["type"] != "account.created" {
		t.Errorf("a poller continues with what is new: got %s", more.body)
	}
	only := w.ok(200, get("/v1/events?type=account.created&limit=1"))
	if len(only.items()) != 1 {
		t.Fatalf("got %s", only.body)
	}
	rest := w.ok(200, get("/v1/events?type=account.created&cursor="+only.text("next_cursor")))
	if len(rest.items()) != 1 {
		t.Errorf("the second one of the type: got %s", rest.body)
	}
}

func TestWebhookEndpoints(t *testing.T) {
	w := newWorld(t)
	state := w.State()
	made := w.ok(201, call{method: "POST", path: "/v1/webhook_endpoints", idempotency: "hook-1",
		body: `{"url":"https://platform.example.com/hook","event_types":["account.created"]}`})
	w.did(state, map[string]int{"webhook_endpoints": 1, "idempotency": 1}, "webhook_endpoint.created")
	if w.Holds(made.text("secret")) {
		t.Error("the signing secret is stored as it is")
	}
	if !strings.HasPrefix(made.text("secret"), "whsec_") || made.json["disabled_at"] != nil {
		t.Errorf("got %s", made.body)
	}
	listed := w.ok(200, get("/v1/webhook_endpoints"))
	if len(listed.items()) != 1 || strings.Contains(listed.body, "secret") || fmt.Sprint(listed.items()[0]["event_types"]) != "[account.created]" {
		t.Errorf("got %s", listed.body)
	}
	w.ok(201, post("/v1/accounts", `{"kind":"individual","name":"Bo"}`))
	w.RunJobs()
	deliveries := w.Hooks.Deliveries()
	if len(deliveries) != 1 || !strings.Contains(string(deliveries[0].Body), `"type":"account.created"`) || strings.Contains(string(deliveries[0].Body), "Bo") {
		t.Fatalf("got %d deliveries", len(deliveries))
	}
	if events := w.ok(200, get("/v1/events?type=account.created")).items(); events[0]["id"] != deliveries[0].ID {
		t.Errorf("the webhook's id is %s, the event's %v", deliveries[0].ID, events[0]["id"])
	}
	state = w.State()
	gone := call{method: "DELETE", path: "/v1/webhook_endpoints/" + made.text("id")}
	if out := w.ok(204, gone); out.body != "" {
		t.Errorf("got a body: %s", out.body)
	}
	w.did(state, nil, "webhook_endpoint.deleted")
	w.refused(gone, refusal{404, "not_found", ""})
	w.ok(201, post("/v1/accounts", `{"kind":"individual","name":"Bo"}`))
	w.RunJobs()
	if got := len(w.Hooks.Deliveries()); got != 1 {
		t.Errorf("got %d deliveries after the deletion, want 1", got)
	}
}
