package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web/webtest"
	"github.com/probity/probity/internal/service"
)

const cardNumber = "4111 1111 1111 1111"

// decision fills the decision form of a case as its page shows it.
func (w *world) decision(view service.VerificationView, step, what string) url.Values {
	w.Helper()
	c, err := w.s.Case(w.Context(), w.key, view.Case.ID)
	w.must(err)
	return url.Values{"expected_version": {strconv.FormatInt(c.ThisCase.Version, 10)}, "decision": {what}, "step": {step}}
}

func TestApprovingSaysFirstWhatWillFollow(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	queue := ana.get("/console/")
	w.status(queue, http.StatusOK)
	w.says(queue, "Alma Petersen", "Individual · Denmark", "Due in 2 days", "Take the next case")
	shown := ana.get("/console/next")
	w.says(shown, "What the account says", "Havnegade 12", "1988-04-17", "Visa 400012••••••9876", "ALMA PETERSEN", "USD 1,200.00", "Campinas", view.Verification.NoticeCode, view.Verification.QueryCode,
		"Payment Method Security Alert", "Received", "Submitted for review")
	path := "/console/cases/" + view.Case.ID
	check := ana.send(path+"/decision", w.decision(view, "check", "approve"))
	w.status(check, http.StatusOK)
	w.says(check, "Approve the verification of Alma Petersen?", "Lifts the restriction", "Grants one retry of up to USD 1,200.00")
	if c, _ := w.s.Case(t.Context(), w.key, view.Case.ID); c.ThisCase.Status != casework.Open {
		t.Fatal("the case was decided before it was confirmed")
	}
	fields := w.decision(view, "confirm", "approve")
	fields.Set("note", "Compared all three.")
	fields.Set("note.payment_method", "Name matches.")
	done := ana.send(path+"/decision", fields)
	w.status(done, http.StatusOK)
	w.says(done, "Approved. The restriction is lifted", "Ana Ruiz decided this", "Compared all three. Payment method: Name matches.", "Not restricted", "One retry of the rejected payment granted")

	again := ana.send(path+"/decision", fields)
	w.status(again, http.StatusOK)
	if c, _ := w.s.Case(t.Context(), w.key, view.Case.ID); len(c.Reviews) != 1 {
		t.Errorf("got %d reviews after a double click, want 1", len(c.Reviews))
	}
}

func TestAskingAgainShowsWhatTheHolderWillReadInTheirLanguage(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key, func(p *account.Profile) { p.Locale = "zh-CN" })
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	path := "/console/cases/" + view.Case.ID + "/decision"

	bare := ana.send(path, w.decision(view, "check", "request_resubmission"))
	w.status(bare, http.StatusUnprocessableEntity)
	w.says(bare, "Choose at least one reason")

	fields := w.decision(view, "check", "request_resubmission")
	fields["reason.government_id"] = []string{"id.blurred", "id.glare"}
	fields.Set("note.government_id", "third time")
	check := ana.send(path, fields)
	w.says(check, "Asks again for Government ID, and accepts the rest.", "证件照片模糊", "The photo of the document is blurred", "third time")

	fields.Set("step", "edit")
	edit := ana.send(path, fields)
	w.status(edit, http.StatusOK)
	if !strings.Contains(edit.body, `value="id.glare" checked`) || !strings.Contains(edit.body, "third time</textarea>") {
		t.Error("going back lost what was chosen or typed")
	}

	fields.Set("step", "confirm")
	w.says(ana.send(path, fields), "Asked again.", "Document blurred", "Note: third time")
	found, err := w.s.Verification(t.Context(), w.key, view.Verification.ID)
	w.must(err)
	if got := found.Verification.Requirement(verification.GovernmentID).Reasons; len(got) != 2 || got[0].Note != "third time" || got[1].Note != "" {
		t.Errorf("got reasons %+v, want two, the first with the note", got)
	}
	w.says(ana.get("/console/verifications/"+view.Verification.ID), "On the holder's behalf", "Still missing: Government ID", "Asked again", "No clock runs yet")

	other := w.submitted(w.key)
	final := w.decision(other, "check", "request_resubmission")
	final["reason.government_id"] = []string{"id.suspected_tampering"}
	refused := ana.send("/console/cases/"+other.Case.ID+"/decision", final)
	w.says(refused, "can't put this reason right")
	w.status(refused, http.StatusUnprocessableEntity)
}

func TestTheSecondOfTwoReviewersIsToldKindlyAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	next := w.submitted(w.key, func(p *account.Profile) { p.Name = "Jonas Lind" })
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ben := w.colleague(ana, "Ben Okoro", "ben@harbour.example", "reviewer")
	path := "/console/cases/" + view.Case.ID + "/decision"
	late := w.decision(view, "confirm", "decline")
	late.Set("note", "Face does not match at all.")
	late["reason.government_id"] = []string{"id.suspected_tampering"}
	w.status(ana.send(path, w.decision(view, "confirm", "approve")), http.StatusOK)
	told := ben.send(path, late)
	w.status(told, http.StatusConflict)
	w.says(told, "Ana Ruiz decided this", "Approved", "Face does not match at all.", "Suspected alteration", "Take the next case")
	w.says(ben.get("/console/next?after="+view.Case.ID), "Jonas Lind")
	if found, _ := w.s.Verification(t.Context(), w.key, view.Verification.ID); found.Verification.Status != verification.Approved {
		t.Errorf("got %s, want approved: the first decision stands", found.Verification.Status)
	}
	_ = next
}

func TestAStaleVersionIsShownAgainWithWhatWasTyped(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	fields := w.decision(view, "confirm", "decline")
	fields.Set("note", "Looks altered to me.")
	set, err := papers()
	w.must(err)
	added := ana.upload("/console/verifications/"+view.Verification.ID+"/evidence", map[string]string{"requirement": "government_id", "document_type": "passport", "side": "back"}, set.GovernmentID)
	w.status(added, http.StatusOK)
	w.says(added, "Evidence added.", "Passport, back", "added by staff")
	stale := ana.send("/console/cases/"+view.Case.ID+"/decision", fields)
	w.status(stale, http.StatusConflict)
	w.says(stale, "The case changed since you opened it", "Looks altered to me.")
	if !strings.Contains(stale.body, `value="`+w.decision(view, "", "").Get("expected_version")+`"`) {
		t.Error("the form was not shown with the version that stands")
	}
	fields.Del("expected_version")
	w.status(ana.send("/console/cases/"+view.Case.ID+"/decision", fields), http.StatusBadRequest)
	if c, _ := w.s.Case(t.Context(), w.key, view.Case.ID); c.ThisCase.Status != casework.Open {
		t.Error("a stale decision was recorded")
	}
}

func TestACardNumberIsRefusedInEveryFreeText(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ticket, err := w.s.OpenTicket(t.Context(), w.key, casework.Ticket{AccountID: view.Account.ID, Message: "hello"})
	w.must(err)
	path := "/console/cases/" + view.Case.ID + "/decision"
	for _, field := range []string{"note", "note.government_id", "note.payment_method", "note.billing_statement"} {
		fields := w.decision(view, "confirm", "approve")
		fields.Set(field, "it says "+cardNumber)
		p := ana.send(path, fields)
		w.status(p, http.StatusUnprocessableEntity)
		w.says(p, "pan_not_accepted")
	}
	split := w.decision(view, "confirm", "approve")
	split.Set("note", "4111 1111")
	w.status(ana.send(path, split), http.StatusOK)
	w.says(ana.send("/console/tickets/"+ticket.ID+"/answer", url.Values{"answer": {cardNumber}}), "pan_not_accepted", "Your answer to the holder")
	w.says(ana.send("/console/accounts/"+view.Account.ID+"/verifications", url.Values{"reason": {cardNumber}}), "pan_not_accepted")
	refused := ana.send("/console/search", url.Values{"q": {cardNumber}})
	w.says(refused, "pan_not_accepted")
	if strings.Contains(refused.body, cardNumber) {
		t.Error("the search page repeats the card number")
	}
	if strings.Contains(w.Log(), "4111") {
		t.Error("a card number was logged")
	}
}

func TestSearchLeadsToTheRightPage(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	waiting := w.holder(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	for q, want := range map[string]string{
		view.Verification.QueryCode:                               "/console/cases/" + view.Case.ID,
		strings.ToLower(view.Verification.QueryCode):              "/console/cases/" + view.Case.ID,
		strings.ReplaceAll(view.Verification.QueryCode, "-", " "): "/console/cases/" + view.Case.ID,
		view.Verification.ID:                                      "/console/cases/" + view.Case.ID,
		waiting.Verification.ID:                                   "/console/verifications/" + waiting.Verification.ID,
		view.Account.ID:                                           "/console/accounts/" + view.Account.ID,
		view.Account.Profile.ExternalID:                           "/console/accounts/" + view.Account.ID,
		view.Payment.ID:                                           "/console/payments/" + view.Payment.ID,
		" " + view.Case.ID + " ":                                  "/console/cases/" + view.Case.ID,
	} {
		p := ana.send("/console/search", url.Values{"q": {q}})
		if p.path != want {
			t.Errorf("%q led to %s, want %s", q, p.path, want)
		}
	}
	w.says(ana.send("/console/search", url.Values{"q": {"<b>nobody</b>"}}), "Nothing found", "nobody")
}

func TestOpeningAndCancelingAVerification(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	made, err := w.s.CreateAccount(t.Context(), w.key, account.Profile{Kind: account.Individual, Name: "Jonas Lind", Email: "jonas@mail.example"})
	w.must(err)
	accountPath := "/console/accounts/" + made.Account.ID
	w.says(ana.get(accountPath), "Ask for a verification", "Not restricted")
	w.says(ana.get(accountPath+"/verifications/new"), "Restricts the account's payments")
	w.status(ana.send(accountPath+"/verifications", url.Values{}), http.StatusUnprocessableEntity)
	opened := ana.send(accountPath+"/verifications", url.Values{"reason": {"Reported by the bank."}})
	w.says(opened, "Verification opened.", "Reported by the bank.", "Restricted", "Nothing was sent yet.")
	twice := ana.send(accountPath+"/verifications", url.Values{"reason": {"Again."}})
	w.says(twice, "was open already")
	if twice.path != opened.path {
		t.Errorf("the second opening led to %s, want %s", twice.path, opened.path)
	}
	w.says(ana.get(opened.path+"/cancel"), "Lifts the restriction", "Grants no retry")
	w.says(ana.send(opened.path+"/cancel", nil), "Verification canceled.", "Not restricted")
	w.status(ana.send(opened.path+"/cancel", nil), http.StatusConflict)
	if p := ana.get(opened.path + "/cancel"); p.path != opened.path {
		t.Errorf("canceling a finished verification led to %s, want its page", p.path)
	}
}

func TestEvidenceIsAddedAndSubmittedOnTheHoldersBehalf(t *testing.T) {
	w := newWorld(t)
	view := w.holder(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	set, err := papers()
	w.must(err)
	path := "/console/verifications/" + view.Verification.ID
	w.status(ana.get(path+"/evidence"), http.StatusOK)
	for name, refused := range map[string]struct {
		fields map[string]string
		file   []byte
		status int
		says   string
	}{
		"no document type":   {map[string]string{"requirement": "government_id"}, set.GovernmentID, http.StatusUnprocessableEntity, "needs document_type"},
		"an unknown item":    {map[string]string{"requirement": "shoe_size"}, set.GovernmentID, http.StatusUnprocessableEntity, "equirement must be"},
		"an empty file":      {map[string]string{"requirement": "payment_method"}, nil, http.StatusUnprocessableEntity, "hoose a photo or a PDF"},
		"not a picture":      {map[string]string{"requirement": "payment_method"}, []byte("hello, I am a picture"), http.StatusUnsupportedMediaType, ""},
		"too large":          {map[string]string{"requirement": "payment_method"}, make([]byte, 20<<20+1), http.StatusRequestEntityTooLarge, "20 MB"},
		"far too large":      {map[string]string{"requirement": "payment_method"}, make([]byte, 22<<20), http.StatusRequestEntityTooLarge, "20 MB"},
		"an unexpected part": {map[string]string{"requirement": "payment_method", "surprise": "x"}, set.GovernmentID, http.StatusBadRequest, "not expected"},
	} {
		t.Run(name, func(t *testing.T) {
			p := ana.upload(path+"/evidence", refused.fields, refused.file)
			if p.status != refused.status || !strings.Contains(p.text(), refused.says) {
				t.Errorf("got %d, want %d with %q: %s", p.status, refused.status, refused.says, p.text())
			}
		})
	}
	for requirement, file := range map[string][]byte{"government_id": set.GovernmentID, "payment_method": set.PaymentMethod, "billing_statement": set.BillingStatement} {
		w.says(ana.upload(path+"/evidence", map[string]string{"requirement": requirement, "document_type": "id_card", "side": "front"}, file), "Evidence added.")
	}
	w.says(ana.get(path), "Everything asked for is here")
	done := ana.send(path+"/submit", nil)
	w.says(done, "Submitted on the holder's behalf.", "added by staff", "Decide")
	w.status(ana.send(path+"/submit", nil), http.StatusConflict)
}

func TestAttachmentsComeAsWhatTheyAreAndNothingElse(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	for _, e := range view.Evidence {
		p := ana.get("/console/evidence/" + e.ID)
		w.status(p, http.StatusOK)
		policy := p.header.Get("Content-Security-Policy")
		if got := p.header.Get("Content-Type"); got != e.MediaType {
			t.Errorf("got type %s, want %s", got, e.MediaType)
		}
		if p.header.Get("X-Content-Type-Options") != "nosniff" || p.header.Get("Cache-Control") != "no-store" || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("got headers %v", p.header)
		}
		if sandboxed := strings.Contains(policy, "sandbox"); sandboxed == (e.MediaType == "application/pdf") {
			t.Errorf("sandbox is %v for %s", sandboxed, e.MediaType)
		}
	}
	entries, _, err := w.s.History(t.Context(), w.key, view.Account.ID, store.Page{})
	w.must(err)
	looks := 0
	for _, e := range entries {
		if e.Type == "evidence.viewed" {
			looks++
		}
	}
	if looks != len(view.Evidence) {
		t.Errorf("got %d looks in the journal, want %d", looks, len(view.Evidence))
	}
}

func TestAColleagueWhoLooksAtACaseIsSeenAndPassedOver(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	w.submitted(w.key, func(p *account.Profile) { p.Name = "Jonas Lind" })
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ben := w.colleague(ana, "Ben Okoro", "ben@harbour.example", "reviewer")
	w.says(ben.get("/console/next"), "Alma Petersen")
	ana.get("/console/evidence/" + view.Evidence[0].ID)
	w.says(ben.get("/console/next"), "Jonas Lind")
	w.says(ben.get("/console/cases/"+view.Case.ID), "Ana Ruiz looked at this evidence")
	if strings.Contains(ana.get("/console/cases/"+view.Case.ID).text(), "looked at this evidence") {
		t.Error("Ana is told about herself")
	}
}

func TestTheQueueFiltersAndSaysWhatIsOverdue(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	w.says(ana.get("/console/"), "Nothing waits for review")
	w.says(ana.get("/console/?show=overdue"), "Nothing is overdue")
	w.says(ana.get("/console/?show=decided"), "No case was decided yet")
	w.status(ana.get("/console/?show=everything"), http.StatusNotFound)
	w.status(ana.get("/console/?cursor=garbage"), http.StatusUnprocessableEntity)
	w.says(ana.get("/console/next"), "No other case is waiting.")
	view := w.submitted(w.key)
	for range 6 {
		ana.send("/console/clock", url.Values{"hours": {"24"}})
	}
	w.says(ana.get("/console/?show=overdue"), "Alma Petersen", "Overdue by 3 days 10 hours")
	w.status(ana.send("/console/clock", url.Values{"hours": {"100000"}}), http.StatusUnprocessableEntity)
	w.status(ana.send("/console/cases/"+view.Case.ID+"/decision", w.decision(view, "confirm", "approve")), http.StatusOK)
	w.says(ana.get("/console/?show=decided"), "Alma Petersen", "Approved")
}

func TestTicketsAreAnsweredAndUndeliveredNoticesAreSeen(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	lost := w.holder(w.key, func(p *account.Profile) { p.Name, p.Email = "Nora Berg", "nora@mail.example" })
	w.RefuseMail(true)
	w.RunJobs()
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ticket, err := w.s.OpenTicket(t.Context(), w.key, casework.Ticket{
		AccountID: view.Account.ID, ErrorCode: "RISK.RISK_CONTROL_REJECTION", QueryCode: view.Verification.QueryCode, StepsTaken: "I sent everything.", Message: "How long does it take?",
	})
	w.must(err)
	w.says(ana.get("/console/tickets"), "How long does it take?", "RISK.RISK_CONTROL_REJECTION")
	path := "/console/tickets/" + ticket.ID
	w.says(ana.get(path), "I sent everything.", "In review", "Alma Petersen")
	empty := ana.send(path+"/answer", url.Values{"answer": {" "}})
	w.status(empty, http.StatusUnprocessableEntity)
	w.says(ana.send(path+"/answer", url.Values{"answer": {"Two business days."}}), "Answered. The account holder sees it", "Two business days.")
	w.status(ana.send(path+"/answer", url.Values{"answer": {"Twice."}}), http.StatusConflict)
	w.says(ana.get("/console/tickets?show=answered"), "How long does it take?")
	w.says(ana.get("/console/undelivered"), "Nora Berg", "nora@mail.example", "Payment Method Security Alert")
	w.says(ana.get("/console/"), "1 notice did not reach the holder.")
	w.says(ana.get("/console/verifications/"+lost.Verification.ID), "Bounced", "No clock runs yet", "The mail bounced")
}

func TestEveryPageKeepsTheRulesOfThePolicyAndOfScreenReaders(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	waiting := w.holder(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ticket, err := w.s.OpenTicket(t.Context(), w.key, casework.Ticket{AccountID: view.Account.ID, Message: "hello"})
	w.must(err)
	for _, path := range []string{
		"/console/", "/console/?show=decided", "/console/cases/" + view.Case.ID, "/console/verifications/" + view.Verification.ID,
		"/console/verifications/" + waiting.Verification.ID, "/console/verifications/" + view.Verification.ID + "/evidence",
		"/console/verifications/" + view.Verification.ID + "/cancel", "/console/accounts", "/console/accounts/" + view.Account.ID,
		"/console/accounts/" + view.Account.ID + "/history", "/console/accounts/" + waiting.Account.ID + "/verifications/new", "/console/tickets",
		"/console/tickets/" + ticket.ID, "/console/undelivered", "/console/staff", "/console/nowhere",
	} {
		t.Run(path, func(t *testing.T) { webtest.CheckPage(t, ana.get(path).body) })
	}
	webtest.CheckPage(t, w.browser().get("/console/sign-in").body)
	webtest.CheckPage(t, ana.send("/console/cases/"+view.Case.ID+"/decision", w.decision(view, "check", "decline")).body)
}

func TestWithoutTheDatabaseThePageSaysTryAgainLater(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	w.must(w.Store.Close())
	for _, path := range []string{"/console/", "/console/accounts", "/console/policy"} {
		got := ana.get(path)
		w.status(got, http.StatusServiceUnavailable)
		w.says(got, "Not available right now", "The database does not answer", "try again in a moment")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
	got := ana.send("/console/lists", url.Values{"name": {"blocked_devices"}, "kind": {"block"}})
	w.status(got, http.StatusServiceUnavailable)
}
