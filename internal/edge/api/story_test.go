package api_test

import (
	"strings"
	"testing"
)

func TestTheLoopOverTheAPI(t *testing.T) {
	w := newWorld(t)
	accountID, methodID := w.account()

	before := w.State()
	p := w.ok(201, post("/v1/payments", risky(accountID)))
	w.did(before, map[string]int{"payments": 1, "restrictions": 1, "verifications": 1, "notices": 1, "messages": 1, "jobs": 1},
		"verification.opened", "restriction.placed", "payment.rejected", "notice.created")
	t.Log(p.body)
	if p.object("error")["code"] != "RISK.RISK_CONTROL_REJECTION" {
		t.Errorf("error: got %v", p.json["error"])
	}
	_ = methodID
	verificationID := p.text("verification_id")
	v := w.ok(200, get("/v1/verifications/"+verificationID))
	t.Log(v.body)
	caseID := w.submitted(verificationID)
	c := w.ok(200, get("/v1/cases/"+caseID))
	t.Log(c.body)
	d := w.ok(200, post("/v1/cases/"+caseID+"/decision", `{"decision":"approve","expected_version":1}`))
	t.Log(d.body)
	again := w.ok(201, post("/v1/payments", risky(accountID)))
	t.Log(again.body)
	a := w.ok(200, get("/v1/accounts/"+accountID))
	t.Log(a.body)
	e := w.ok(200, get("/v1/events?limit=3"))
	t.Log(e.body)
	t.Log(w.ok(200, get("/v1/accounts/"+accountID+"/messages")).body)
	t.Log(w.ok(200, get("/readyz")).body)
	w.RunJobs()
	if strings.Contains(w.Log(), "alma@example.com") {
		t.Error("personal data in the log")
	}
}
