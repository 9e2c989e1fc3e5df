package api_test

import (
	"strings"
	"testing"
)

func TestAVersionIsTriedOnStoredPayments(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	for range 3 {
		w.ok(201, post("/v1/payments", strings.Replace(risky(accountID), "900000", "2000", 1)))
	}
	draft := w.ok(201, post("/v1/policies", policyBody(t, heldBy...)))
	state := w.State()
	got := w.ok(200, post("/v1/policies/backtest", `{"policy_id":"`+draft.text("id")+`","from":"2026-11-01T00:00:00Z","to":"2027-01-01T00:00:00Z"}`))
	w.did(state, nil)
	tried, live := got.object("tried"), got.object("live")
	// What the first payments of an account taught is known to the later ones, whichever policy decides.
	if got.number("payments") != 3 || tried["number"] != 1.0 || live["number"] != 0.0 || tried["review"] == live["review"] || got.number("changed") == 0 {
		t.Errorf("got %s", got.body)
	}
	if differences := got.json["differences"].([]any); len(differences) == 0 || differences[0].(map[string]any)["fraud"] != nil {
		t.Errorf("got %v", differences)
	}
	w.refused(post("/v1/policies/backtest", `{"from":"2026-11-02T00:00:00Z","to":"2026-11-01T00:00:00Z"}`), refusal{422, "out_of_range", "to"})
	w.refused(post("/v1/policies/backtest", `{"policy_id":"pol_none","from":"2026-11-01T00:00:00Z","to":"2026-11-02T00:00:00Z"}`), refusal{404, "not_found", "policy_id"})
}
