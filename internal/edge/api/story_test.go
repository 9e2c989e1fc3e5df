package api_test

import (
	"slices"
	"strings"
	"testing"
)

func TestTheLoopOverTheAPI(t *testing.T) {
	w := newWorld(t)
	accountID, methodID := w.account()
	state := w.State()

	p := w.ok(201, post("/v1/payments", risky(accountID)))
	w.did(state, map[string]int{"payments": 1, "restrictions": 1, "verifications": 1, "notices": 1, "messages": 1, "jobs": 1},
		"verification.opened", "restriction.placed", "payment.rejected", "notice.created")
	verificationID := p.text("verification_id")
	if got, want := p.object("error")["code"], "RISK.RISK_CONTROL_REJECTION"; got != want {
		t.Errorf("error code: got %v, want %v", got, want)
	}
	if got, want := codes(p.json["reasons"]), []string{"new_location", "new_payment_method"}; !slices.Equal(got, want) {
		t.Errorf("reasons: got %v, want %v", got, want)
	}
	if step := p.object("next_step"); step["kind"] != "verify" || !strings.HasSuffix(step["url"].(string), verificationID) {
		t.Errorf("next step: got %v", step)
	}
	if p.text("payment_method_id") != methodID {
		t.Errorf("the default payment method was not used: %s", p.body)
	}

	state = w.State()
	second := w.ok(201, post("/v1/payments", risky(accountID)))
	w.did(state, map[string]int{"payments": 1}, "payment.rejected")
	if second.text("verification_id") != verificationID || codes(second.json["reasons"])[0] != "account_restricted" {
		t.Errorf("a payment of a restricted account: got %s", second.body)
	}

	state = w.State()
	w.RunJobs()
	w.did(state, map[string]int{"enforcements": 1}, "notice.accepted", "notice.received", "deadline.set", "enforcement.grace_started")
	if mails := w.Mails(); len(mails) != 1 || mails[0].Subject != "Payment Method Security Alert" || mails[0].To != "alma@example.com" {
		t.Fatalf("mails: got %+v", mails)
	}
	v := w.ok(200, get("/v1/verifications/"+verificationID))
	if got, want := v.text("due_at"), "2026-11-10T15:59:59Z"; got != want {
		t.Errorf("due: got %s, want %s", got, want)
	}
	if v.json["query_code"] != nil || v.json["case_id"] != nil || v.json["earliest_due_at"] != nil {
		t.Errorf("what is absent must be null: %s", v.body)
	}
	account := w.ok(200, get("/v1/accounts/"+accountID))
	if enforcement := account.object("enforcement"); enforcement["state"] != "grace" || enforcement["due_at"] != "2026-11-10T15:59:59Z" {
		t.Errorf("enforcement: got %v", enforcement)
	}

	state = w.State()
	w.ok(201, evidence(verificationID, "government_id", "id_card", w.papers().GovernmentID))
	w.did(state, map[string]int{"evidence": 1, "data_keys": 1, "attachments": 1}, "evidence.received")
	w.ok(201, evidence(verificationID, "payment_method", "", w.papers().PaymentMethod))
	w.ok(201, evidence(verificationID, "billing_statement", "", w.papers().BillingStatement))

	state = w.State()
	s := w.ok(200, post("/v1/verifications/"+verificationID+"/submit", "{}"))
	if s.text("status") != "in_review" || len(s.text("query_code")) != 11 || s.text("case_id") == "" || s.json["due_at"] != nil {
		t.Errorf("submitted: got %s", s.body)
	}
	if got := w.Since(state).Types; !slices.Contains(got, "case.opened") || !slices.Contains(got, "verification.submitted") {
		t.Errorf("journal: got %v", got)
	}
	open := w.ok(200, get("/v1/cases?status=open")).items()
	if len(open) != 1 || open[0]["id"] != s.text("case_id") || open[0]["due_at"] != "2026-11-11T15:59:59Z" {
		t.Errorf("open cases: got %v", open)
	}

	c := w.ok(200, post("/v1/cases/"+s.text("case_id")+"/decision", `{"decision":"approve","note":"all good","expected_version":1}`))
	if c.text("decision") != "approve" || c.text("status") != "decided" || c.number("version") != 2 {
		t.Errorf("decided: got %s", c.body)
	}
	if by := c.json["reviews"].([]any)[0].(map[string]any)["decided_by"].(map[string]any); by["kind"] != "key" || by["id"] != w.Actor.ID {
		t.Errorf("decided by: got %v, want the key", by)
	}
	retried := w.ok(201, post("/v1/payments", risky(accountID)))
	if retried.text("outcome") != "approved" || retried.json["error"] != nil || retried.json["next_step"] != nil || retried.json["verification_id"] != nil {
		t.Errorf("the retry: got %s", retried.body)
	}
	if step := w.ok(200, get("/v1/payments/"+p.text("id"))).object("next_step"); step["kind"] != "retry" {
		t.Errorf("next step of the first payment: got %v", step)
	}
	w.RunJobs()
	for _, personal := range []string{"alma@example.com", "Alma", "203.0.113.7", "dev-1", verificationID + "/evidence", w.Key} {
		if strings.Contains(w.Log(), personal) {
			t.Errorf("the log holds %q", personal)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	w := newWorld(t)
	accountID, _, verificationID := w.rejected()
	w.RunJobs()
	moved := w.ok(200, post("/v1/demo/clock", `{"advance_seconds":172800}`))
	if moved.text("now") != "2026-11-11T02:00:00Z" || moved.number("offset_seconds") != 172800 {
		t.Errorf("clock: got %s", moved.body)
	}
	w.RunJobs()
	if got := w.ok(200, get("/v1/accounts/"+accountID)).object("enforcement")["state"]; got != "suspended" {
		t.Errorf("enforcement: got %v, want suspended", got)
	}
	commands := w.Platform.Commands()
	if len(commands) != 1 || commands[0].AccountID != accountID || commands[0].Sequence != 1 {
		t.Fatalf("commands: got %+v", commands)
	}
	w.ok(200, post("/v1/cases/"+w.submitted(verificationID)+"/decision", `{"decision":"approve"}`))
	w.RunJobs()
	if commands = w.Platform.Commands(); len(commands) != 2 || commands[1].Sequence != 2 {
		t.Errorf("commands after the approval: got %+v", commands)
	}
	account := w.ok(200, get("/v1/accounts/"+accountID))
	if account.object("enforcement")["state"] != "none" || len(account.json["restrictions"].([]any)) != 0 {
		t.Errorf("after the approval: got %s", account.body)
	}
}

func TestResubmission(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	caseID := w.submitted(verificationID)
	c := w.ok(200, post("/v1/cases/"+caseID+"/decision",
		`{"decision":"request_resubmission","note":"looks edited","reasons":[{"requirement":"government_id","code":"id.blurred","note":"number unreadable"}],"expected_version":1}`))
	if !strings.Contains(c.body, "number unreadable") || !strings.Contains(c.body, "looks edited") {
		t.Errorf("the case keeps the notes of its reviewer: got %s", c.body)
	}
	v := w.ok(200, get("/v1/verifications/"+verificationID))
	if strings.Contains(v.body, "unreadable") || strings.Contains(v.body, "looks edited") {
		t.Errorf("a note reached the verification: %s", v.body)
	}
	requirements := v.json["requirements"].([]any)
	first := requirements[0].(map[string]any)
	reason := first["reasons"].([]any)[0].(map[string]any)
	if v.text("status") != "resubmission_requested" || first["status"] != "resubmission_requested" || reason["code"] != "id.blurred" || reason["message"] == "" {
		t.Errorf("got %s", v.body)
	}
	if second := requirements[1].(map[string]any); second["status"] != "accepted" {
		t.Errorf("the items without a reason are accepted: got %v", second)
	}
	w.refused(post("/v1/verifications/"+verificationID+"/submit", ""), refusal{422, "evidence_missing", "requirements"})
	w.refused(evidence(verificationID, "payment_method", "", w.papers().PaymentMethod), refusal{409, "requirement_accepted", ""})
	w.ok(201, evidence(verificationID, "government_id", "passport", w.papers().GovernmentID))
	if again := w.ok(200, post("/v1/verifications/"+verificationID+"/submit", "")); again.text("case_id") == caseID || again.number("round") != 2 {
		t.Errorf("a second submission opens a case of its own: got %s", again.body)
	}
}

func TestVerificationWithoutAPayment(t *testing.T) {
	w := newWorld(t)
	accountID, methodID := w.account()
	state := w.State()
	v := w.ok(201, post("/v1/verifications", `{"account_id":"`+accountID+`","type":"payment_security","reason":"chargeback"}`))
	w.did(state, map[string]int{"restrictions": 1, "verifications": 1, "notices": 1, "messages": 1, "jobs": 1},
		"verification.opened", "restriction.placed", "notice.created")
	if v.text("payment_method_id") != methodID || v.json["payment_id"] != nil || strings.Contains(v.body, "chargeback") {
		t.Errorf("got %s", v.body)
	}
	again := w.refused(post("/v1/verifications", `{"account_id":"`+accountID+`","type":"payment_security"}`), refusal{409, "verification_already_open", "account_id"})
	if again.text("verification_id") != v.text("id") {
		t.Errorf("the refusal leads to %q, want the open verification", again.text("verification_id"))
	}
	if got := len(w.ok(200, get("/v1/verifications?status=awaiting_submission&account_id="+accountID)).items()); got != 1 {
		t.Errorf("got %d verifications, want 1", got)
	}
	canceled := w.ok(200, post("/v1/verifications/"+v.text("id")+"/cancel", ""))
	if canceled.text("status") != "canceled" || len(w.ok(200, get("/v1/accounts/"+accountID)).json["restrictions"].([]any)) != 0 {
		t.Errorf("got %s", canceled.body)
	}
	w.refused(post("/v1/verifications/"+v.text("id")+"/cancel", ""), refusal{409, "verification_canceled", ""})
}

func TestAPaymentThatIsAsUsualIsApprovedAndLeavesNothingElse(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	state := w.State()
	p := w.ok(201, post("/v1/payments", `{"account_id":"`+accountID+`","amount":{"amount_minor":1250,"currency":"USD"},"occurred_at":"2026-11-09T09:59:00.123456789+08:00"}`))
	w.did(state, map[string]int{"payments": 1})
	if p.text("outcome") != "approved" || p.text("occurred_at") != "2026-11-09T01:59:00.123456Z" {
		t.Errorf("got %s", p.body)
	}
	for _, member := range []string{"error", "verification_id", "next_step", "ip", "location", "device", "merchant"} {
		if value, there := p.json[member]; !there || value != nil {
			t.Errorf("%s: got %v, want null", member, value)
		}
	}
	if again := w.ok(200, get("/v1/payments/"+p.text("id"))); again.body != p.body {
		t.Errorf("read again: got %s, want %s", again.body, p.body)
	}
	if ran := w.RunJobs(); ran != 0 || len(w.Mails()) != 0 {
		t.Errorf("got %d jobs and %d mails, want none", ran, len(w.Mails()))
	}
}
