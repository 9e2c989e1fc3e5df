package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
)

// policyBody is the body with a policy's text: the one that ships, changed.
func policyBody(t testing.TB, changes ...string) string {
	t.Helper()
	text := strings.NewReplacer(changes...).Replace(string(risk.DefaultYAML()))
	raw, err := json.Marshal(map[string]string{"policy_text": text, "note": "for tests"})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// heldBy has the new-location rule hold payments instead of counting as a trigger.
var heldBy = []string{
	`version: "2026-11-20"`, `version: "hold-1"`,
	"code: new_location\n    mode: active\n", "code: new_location\n    mode: active\n    outcome: review\n    priority: 900\n",
	"    alone_above: 1000.00\n\n  - name: Significant", "\n  - name: Significant",
}

func TestAKeyDraftsAPolicyAndPublishesNone(t *testing.T) {
	w := newWorld(t)
	live := w.ok(200, get("/v1/policies/live"))
	if live.number("number") != 0 || live.json["id"] != nil || live.text("policy_text") != string(risk.DefaultYAML()) || live.text("state") != "live" {
		t.Fatalf("got %s", live.body[:300])
	}
	state := w.State()
	made := w.ok(201, post("/v1/policies", policyBody(t, `version: "2026-11-20"`, `version: "own-1"`)))
	w.did(state, map[string]int{"policies": 1, "risk_settings": 1}, "policy.drafted")
	id := made.text("id")
	if made.text("state") != "draft" || made.number("number") != 1 || made.text("policy_version") != "own-1" || made.json["preparation"] != nil {
		t.Errorf("got %s", made.body[:300])
	}
	state = w.State()
	edited := w.ok(200, call{method: "PUT", path: "/v1/policies/" + id, body: policyBody(t, `version: "2026-11-20"`, `version: "own-2"`, "capped_amount: 500.00", "capped_amount: 400.00")})
	w.did(state, nil, "policy.edited")
	if edited.number("revision") != 2 || edited.text("sha256") == made.text("sha256") {
		t.Errorf("got %s", edited.body[:300])
	}
	diff := w.ok(200, get("/v1/policies/"+id+"/diff"))
	if changes := diff.json["changes"].([]any); len(changes) != 2 || !strings.Contains(diff.text("text"), "+  capped_amount: 400.00") {
		t.Errorf("got %v", changes)
	}
	if listed := w.ok(200, get("/v1/policies?state=draft")).items(); len(listed) != 1 || listed[0]["policy_text"] != nil {
		t.Errorf("got %v", listed)
	}
	for _, step := range []string{"propose", "approve", "rollback"} {
		if out := w.do(post("/v1/policies/"+id+"/"+step, "{}")); out.status != 404 {
			t.Errorf("%s: got %d, want no such call: people publish", step, out.status)
		}
	}
	state = w.State()
	if gone := w.ok(200, post("/v1/policies/"+id+"/withdraw", "")); gone.text("state") != "withdrawn" {
		t.Errorf("got %s", gone.body)
	}
	w.did(state, nil, "policy.withdrawn")
	state = w.State()
	w.ok(200, post("/v1/policies/"+id+"/withdraw", ""))
	w.did(state, nil) // it is given up already
	w.refused(get("/v1/policies/pol_none"), refusal{404, "not_found", ""})
}

func TestAFaultyPolicyIsRefusedWithItsPlaces(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/policies", "/v1/policies/check"} {
		body := policyBody(t, "!history.place_known", "!history.place_now")
		if path == "/v1/policies/check" {
			body = strings.Replace(body, `"note":"for tests",`, "", 1)
		}
		out := w.refused(post(path, body), refusal{422, "policy_faulty", "policy_text"})
		faults, _ := out.json["errors"].([]any)
		if len(faults) != 2 {
			t.Fatalf("%s: got %s", path, out.body)
		}
		fault := faults[0].(map[string]any)
		if fault["line"].(float64) < 10 || fault["column"].(float64) < 1 || !strings.Contains(fault["field"].(string), "rules[") {
			t.Errorf("%s: got %v", path, fault)
		}
	}
	w.refused(post("/v1/policies", `{"policy_text":"# 4111 1111 1111 1111"}`), refusal{422, "pan_not_accepted", "policy_text"})
}

func TestAHeldPaymentOverTheAPI(t *testing.T) {
	w := newWorld(t)
	draft := w.ok(201, post("/v1/policies", policyBody(t, heldBy...)))
	ana, bo := w.staff("stf_ana"), w.staff("stf_bo")
	_, err := w.Service.ProposePolicy(t.Context(), ana, service.PolicyChange{ID: draft.text("id")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.Service.ApprovePolicy(t.Context(), bo, service.PolicyChange{ID: draft.text("id")}); err != nil {
		t.Fatal(err)
	}
	accountID, _ := w.account()
	state := w.State()
	held := w.ok(201, post("/v1/payments", strings.Replace(risky(accountID), "900000", "2000", 1)))
	w.did(state, map[string]int{"payments": 1, "cases": 1, "jobs": 1}, "payment.review_opened", "case.opened")
	if held.text("outcome") != "review" || held.json["error"] != nil || held.json["verification_id"] != nil {
		t.Fatalf("got %s", held.body)
	}
	id := held.text("id")
	caseID := w.ok(200, get("/v1/payments/"+id)).text("case_id")
	open := w.ok(200, get("/v1/cases?status=open&kind=payment_review")).items()
	if len(open) != 1 || open[0]["id"] != caseID || held.text("case_id") != caseID || open[0]["payment_id"] != id || open[0]["verification_id"] != nil {
		t.Fatalf("got %v", open)
	}
	decide := "/v1/cases/" + caseID + "/decision"
	w.refused(post(decide, `{"decision":"reject"}`), refusal{422, "reasons_required", "reasons"})
	w.refused(post(decide, `{"decision":"decline"}`), refusal{422, "decision_unknown", "decision"})
	state = w.State()
	decided := w.ok(200, post(decide, `{"decision":"reject","reasons":[{"code":"payment.suspicious"}],"note":"told on the telephone"}`))
	w.did(state, map[string]int{"reviews": 1, "payment_findings": 1, "jobs": -1}, "case.decided", "payment.review_rejected")
	if decided.text("kind") != "payment_review" || decided.text("decision") != "reject" {
		t.Errorf("got %s", decided.body)
	}
	after := w.ok(200, get("/v1/payments/"+id))
	if after.text("outcome") != "rejected" || codes(after.json["reasons"])[0] != "payment.suspicious" || after.object("error")["code"] != "RISK.RISK_CONTROL_REJECTION" ||
		after.json["next_step"] != nil {
		t.Errorf("got %s", after.body)
	}
	explained := w.ok(200, get("/v1/payments/"+id+"/explanation"))
	if explained.text("decided_by") != "new_location" || explained.number("policy_number") != 1 || len(explained.json["rules"].([]any)) == 0 {
		t.Errorf("got %s", explained.body[:400])
	}
	if replay := w.ok(200, get("/v1/payments/"+id+"/replay")); replay.json["same"] != true || len(replay.json["differing"].([]any)) != 0 {
		t.Errorf("got %s", replay.body)
	}
}

// staff is a person of the risk team.
func (w *world) staff(id string) access.Actor {
	w.t.Helper()
	tenants, err := w.Service.Tenants(w.t.Context())
	if err != nil || len(tenants) == 0 {
		w.t.Fatal(err)
	}
	return access.Actor{Kind: access.Staff, TenantID: tenants[0].ID, ID: id, Role: access.Analyst}
}

func TestWhatBecameOfAPaymentOverTheAPI(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	id := w.ok(201, post("/v1/payments", `{"account_id":"`+accountID+`","amount":{"amount_minor":1250,"currency":"USD"}}`)).text("id")
	path := "/v1/payments/" + id + "/outcome"
	state := w.State()
	if out := w.ok(200, post(path, `{"outcome":"settled"}`)); out.text("reported_outcome") != "settled" || out.text("outcome") != "approved" {
		t.Errorf("got %s", out.body)
	}
	w.did(state, map[string]int{"payment_findings": 1}, "payment.outcome_reported")
	state = w.State()
	w.ok(200, post(path, `{"outcome":"settled"}`))
	w.did(state, nil)
	w.ok(200, call{method: "POST", path: path, body: `{"outcome":"chargeback"}`, idempotency: "cb-1"})
	again := w.ok(200, call{method: "POST", path: path, body: `{"outcome":"chargeback"}`, idempotency: "cb-1"})
	if again.header.Get("Idempotency-Replayed") != "true" || again.text("reported_outcome") != "chargeback" {
		t.Errorf("got %s", again.body)
	}
	w.refused(post(path, `{"outcome":"lost"}`), refusal{422, "outcome_unknown", "outcome"})
	w.refused(post(path, `{"outcome":"settled","at":"2020-01-01T00:00:00Z"}`), refusal{422, "at_out_of_range", "at"})
	w.refused(post("/v1/payments/pay_none/outcome", `{"outcome":"settled"}`), refusal{404, "not_found", ""})
}

func TestListsOverTheAPI(t *testing.T) {
	w := newWorld(t)
	state := w.State()
	made := w.ok(201, post("/v1/lists", `{"name":"blocked_devices","kind":"block","description":"confirmed fraud"}`))
	w.did(state, map[string]int{"lists": 1, "risk_settings": 1}, "list.created")
	path := "/v1/lists/" + made.text("id")
	state = w.State()
	entry := w.ok(201, post(path+"/entries", `{"value":" dev-secret-7 ","reason":"three chargebacks"}`))
	w.did(state, map[string]int{"list_entries": 1}, "list.entry_added")
	if entry.text("value") != "dev-secret-7" || entry.json["expires_at"] != nil {
		t.Errorf("got %s", entry.body)
	}
	if events := w.ok(200, get("/v1/events?type=list.entry_added")); strings.Contains(events.body, "secret") || strings.Contains(w.Log(), "dev-secret-7") {
		t.Error("the value is in an event or in the log")
	}
	w.refused(post(path+"/entries", `{"value":"dev-secret-7","reason":"again"}`), refusal{409, "list_value_taken", "value"})
	w.refused(post(path+"/entries", `{"value":"dev-8"}`), refusal{422, "required", "reason"})
	w.refused(post(path+"/entries", `{"value":"4111111111111111","reason":"x"}`), refusal{422, "pan_not_accepted", "value"})
	at := func(after time.Duration) string { return w.Clock.Now().Add(after).Format(time.RFC3339Nano) }
	for _, expires := range []time.Duration{-time.Hour, 0} {
		w.refused(post(path+"/entries", `{"value":"dev-8","reason":"x","expires_at":"`+at(expires)+`"}`), refusal{422, "out_of_range", "expires_at"})
	}
	w.refused(post(path+"/entries", `{"value":"dev-8","reason":"x","effective_at":"`+at(time.Hour)+`"}`), refusal{422, "unknown_field", "effective_at"})
	w.refused(post("/v1/lists", `{"name":"Blocked","kind":"block"}`), refusal{422, "name_malformed", "name"})
	w.refused(post("/v1/lists", `{"name":"blocked_devices","kind":"block"}`), refusal{409, "list_name_taken", "name"})
	if found := w.ok(200, post(path+"/search", `{"value":"dev-secret-7"}`)).items(); len(found) != 1 || found[0]["id"] != entry.text("id") {
		t.Errorf("got %v", found)
	}
	if found := w.ok(200, post(path+"/search", `{"value":"dev"}`)).items(); len(found) != 0 {
		t.Errorf("got %v", found)
	}
	if l := w.ok(200, get(path)); l.number("entries") != 1 {
		t.Errorf("got %s", l.body)
	}
	state = w.State()
	w.ok(204, call{method: "DELETE", path: path + "/entries/" + entry.text("id")})
	w.did(state, nil, "list.entry_removed")
	state = w.State()
	w.ok(204, call{method: "DELETE", path: path + "/entries/" + entry.text("id")})
	w.did(state, nil)
	if removed := w.ok(200, get(path+"/entries?removed=true")).items(); len(removed) != 1 || removed[0]["removed_at"] == nil {
		t.Errorf("got %v", removed)
	}
	state = w.State()
	w.refused(call{method: "DELETE", path: path}, refusal{403, "person_required", ""})
	w.did(state, nil)
	// An entry that has expired is still told of, and gives way to a new one of the same value.
	ends := at(time.Hour)
	w.ok(201, post(path+"/entries", `{"value":"dev-8","reason":"x","expires_at":"`+ends+`"}`))
	w.refused(post(path+"/entries", `{"value":"dev-8","reason":"y"}`), refusal{409, "list_value_taken", "value"})
	_, err := w.Clock.Advance(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if left := w.ok(200, get(path+"/entries")).items(); len(left) != 1 || left[0]["expires_at"] != ends || left[0]["removed_at"] != nil {
		t.Errorf("got %v, want the entry that has expired", left)
	}
	w.ok(201, post(path+"/entries", `{"value":"dev-8","reason":"y"}`))
}
