package console_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
)

// smallPolicy holds large payments, rejects listed devices, and watches nights.
const smallPolicy = `policy: small
version: "VERSION"
effective_from: 2026-11-01
description: For tests.
reference: {currency: USD, decimals: 2, as_of: 2026-11-01, source: made up, rates: [{currency: CNY, decimals: 2, value: 0.14}]}
combination: {established_after_approved: 10, capped_amount: 500.00, triggers_to_reject: 2}
thresholds:
  - {name: large, value: 100.00, unit: amount, meaning: What is large.}
lists:
  - {name: blocked_devices, kind: block, field: device, meaning: Devices of confirmed fraud.}
aggregates:
  - {name: attempts_1d, entity: account, of: attempts, function: count, window: 1d, meaning: Attempts of the account in a day.}
rules:
  - name: Large amount
    code: large_amount
    mode: active
    outcome: review
    priority: 10
    message: {en: The amount is large.}
    when: payment.amount_reference >= threshold.large && aggregate.attempts_1d < 50
  - name: Listed device
    code: listed_device
    mode: active
    outcome: rejected
    hard: true
    message: {en: Payments from this device are not accepted.}
    when: list.blocked_devices
  - name: Paid in a known place
    code: known_place
    mode: shadow
    outcome: review
    priority: 5
    message: {en: The place is known.}
    when: payment.amount_minor > 0
`

func small(version string) string { return strings.ReplaceAll(smallPolicy, "VERSION", version) }

// publish lets two invented people publish a text.
func (w *world) publish(text string) publication.Version {
	w.Helper()
	ana := access.Actor{Kind: access.Staff, TenantID: w.Tenant.ID, ID: "stf_a", Role: access.Analyst}
	ben := access.Actor{Kind: access.Staff, TenantID: w.Tenant.ID, ID: "stf_b", Role: access.Analyst}
	v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: text, Note: "Hold what is large."})
	w.must(err)
	_, err = w.s.ProposePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID})
	w.must(err)
	v, err = w.s.ApprovePolicy(w.Context(), ben, service.PolicyChange{ID: v.ID})
	w.must(err)
	w.RunJobs()
	v, err = w.s.PolicyVersion(w.Context(), ana, v.ID)
	w.must(err)
	if v.State != publication.Live {
		w.Fatalf("got %s, want the version to be live", v.State)
	}
	return v
}

// payer makes an account with a payment method.
func (w *world) payer(name string) payment.Attempt {
	w.Helper()
	view, err := w.s.CreateAccount(w.Context(), w.key, account.Profile{
		ExternalID: "payer-" + strconv.FormatInt(customers.Add(1), 10), Kind: account.Individual, Name: name, Email: "payer@mail.example", Country: "DK", Locale: "en",
	})
	w.must(err)
	_, err = w.s.AddPaymentMethod(w.Context(), w.key, payment.Method{
		AccountID: view.Account.ID, Kind: payment.Card, Brand: "Visa", First6: "400012", Last4: "9876", HolderName: strings.ToUpper(name), Default: true,
	})
	w.must(err)
	return payment.Attempt{
		AccountID: view.Account.ID, IP: "203.0.113.77", DeviceID: "device-1", Location: payment.Location{Country: "DK", City: "København"}, Merchant: "Harbour Cloud",
	}
}

func (w *world) pay(a payment.Attempt, minor int64) service.PaymentView {
	w.Helper()
	w.Advance(time.Second)
	a.Amount = money.Amount{AmountMinor: minor, Currency: "USD"}
	paid, err := w.s.AuthorizePayment(w.Context(), w.key, a)
	w.must(err)
	return paid
}

// held makes a payment that waits for a person, and returns its case.
func (w *world) held() service.CaseView {
	w.Helper()
	paid := w.pay(w.payer("Alma Petersen"), 15000)
	if paid.Payment.Outcome != payment.Review {
		w.Fatalf("got %s, want the payment to be held", paid.Payment.Outcome)
	}
	cases, _, err := w.s.Cases(w.Context(), w.key, store.CaseFilter{Status: casework.Open}, store.Page{})
	w.must(err)
	for _, one := range cases {
		if one.Case.PaymentID == paid.Payment.ID {
			view, err := w.s.Case(w.Context(), w.key, one.Case.ID)
			w.must(err)
			return view
		}
	}
	w.Fatal("the held payment has no case")
	return service.CaseView{}
}

func TestADraftLosesNothingAndShowsItsFaultsInPlace(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	w.says(ana.get("/console/policy"), "The policy that ships", "New or unrecognised location", "How they combine", "Lists it asks")
	w.says(ana.get("/console/policy/versions"), "No version was written yet")
	fresh := ana.get("/console/policy/versions/new")
	if !strings.Contains(fresh.body, "policy: default") {
		t.Error("a new draft does not begin with the live text")
	}
	broken := strings.Replace(small("1"), "payment.amount_reference >= threshold.large", "payment.amont_reference >= threshold.large", 1)
	for _, step := range []string{"check", "save"} {
		p := ana.send("/console/policy/versions", url.Values{"revision": {"0"}, "text": {strings.ReplaceAll(broken, "\n", "\r\n")}, "note": {"why it is made"}, "step": {step}})
		w.status(p, http.StatusUnprocessableEntity)
		w.says(p, "The policy has 1 fault", "Line 20, column 11:", "amont_reference", "why it is made")
		if !strings.Contains(p.body, `<span class="caret">          ^</span>`) || !strings.Contains(p.body, "amont_reference &gt;= threshold.large") {
			t.Errorf("%s: no caret under the fault, or the text is lost:\n%s", step, p.body)
		}
	}
	if versions, _, _ := w.s.PolicyVersions(t.Context(), w.key, "", store.Page{}); len(versions) != 0 {
		t.Error("a faulty draft was stored")
	}
	w.says(ana.send("/console/policy/versions", url.Values{"revision": {"0"}, "text": {small("1")}, "step": {"check"}}), "The policy is whole")
	w.says(ana.send("/console/policy/versions", url.Values{"revision": {"0"}, "text": {""}, "step": {"save"}}), "A policy is a YAML text")
	w.says(ana.send("/console/policy/versions", url.Values{"revision": {"0"}, "text": {small("1")}, "note": {"card " + cardNumber}, "step": {"save"}}), "pan_not_accepted")
	saved := ana.send("/console/policy/versions", url.Values{"revision": {"0"}, "text": {small("1")}, "note": {"Hold what is large."}, "step": {"save"}})
	w.says(saved, "Draft saved", "Version 1", "Propose", "What changed against the live version", "small 1")
	edited := ana.send(saved.path+"/edit", url.Values{"revision": {"1"}, "text": {small("2")}, "step": {"save"}})
	w.says(edited, "small 2")
	stale := ana.send(saved.path+"/edit", url.Values{"revision": {"1"}, "text": {small("3")}, "step": {"save"}})
	w.status(stale, http.StatusConflict)
	w.says(stale, "Somebody changed this draft meanwhile")
	if !strings.Contains(stale.body, `version: &#34;3&#34;`) {
		t.Error("the text of the second writer is lost")
	}
	w.says(ana.get(saved.path+"/diff"), "What changed", "rule large_amount: added", "lines added")
	w.says(ana.get(saved.path+"/diff?with=shipped"), "Line by line")
	w.says(ana.send(saved.path+"/withdraw", url.Values{"revision": {"2"}}), "Withdrawn")
	if from := ana.get("/console/policy/versions/new?from=shipped"); !strings.Contains(from.body, "policy: default") {
		t.Error("a draft does not begin with the policy that ships")
	}
	w.status(ana.send(saved.path+"/edit", url.Values{"revision": {"3"}, "text": {small("4")}, "step": {"save"}}), http.StatusConflict)
}

func TestPublishingTakesASecondPersonAndIsRolledBackByOne(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ben := w.colleague(ana, "Ben Okoro", "ben@harbour.example", "analyst")
	cleo := w.colleague(ana, "Cleo Martin", "cleo@harbour.example", "reviewer")
	saved := ana.send("/console/policy/versions", url.Values{"revision": {"0"}, "text": {small("1")}, "step": {"save"}})
	path := saved.path
	w.says(ana.send(path+"/propose", url.Values{"revision": {"1"}, "effective_at": {"tomorrow"}}), "Write a date and a time")
	w.says(ana.send(path+"/propose", url.Values{"revision": {"1"}}), "Proposed.", "You wrote and proposed this version, so a colleague has to approve it")
	refused := ana.send(path+"/approve", url.Values{"revision": {"2"}})
	w.status(refused, http.StatusForbidden)
	w.says(refused, "A policy is published by a second person", "You wrote and proposed this version")
	w.says(ana.get("/console/policy"), "Version 1 was proposed by Ana Ruiz", "waits for a second person")

	read := cleo.get(path)
	w.says(read, "An analyst or an administrator who neither wrote nor proposed this version approves it.")
	for _, button := range []string{"Approve and publish", "Withdraw", "In force from (optional)"} {
		if strings.Contains(read.text(), button) {
			t.Errorf("a reviewer is offered %q", button)
		}
	}
	for to, fields := range map[string]url.Values{
		path + "/approve": {"revision": {"2"}}, path + "/withdraw": {"revision": {"2"}}, path + "/propose": {"revision": {"2"}}, path + "/rollback": {"live": {"0"}, "reason": {"x"}},
		"/console/policy/versions": {"revision": {"0"}, "text": {small("9")}, "step": {"save"}}, "/console/policy/backtest": {"from": {"2026-11-01"}, "to": {"2026-11-20"}},
		"/console/lists": {"name": {"mine"}, "kind": {"block"}},
	} {
		w.status(cleo.send(to, fields), http.StatusForbidden)
	}
	w.status(cleo.get("/console/policy/versions/new"), http.StatusForbidden)
	w.status(cleo.get("/console/policy/backtest"), http.StatusForbidden)

	w.says(ben.get(path), "Approve and publish")
	approved := ben.send(path+"/approve", url.Values{"revision": {"2"}})
	w.says(approved, "Approved. It decides as soon as")
	w.RunJobs()
	w.says(ben.get("/console/policy"), "Version 1", "written by Ana Ruiz, approved by Ben Okoro", "Large amount", "Holds the payment for a person, with priority 10", "Shadow", "Would hold the payment")
	w.says(ben.send("/console/policy/versions/shipped/rollback", url.Values{"live": {"1"}, "reason": {""}}), "Say why")
	w.says(ben.send("/console/policy/versions/shipped/rollback", url.Values{"live": {"1"}, "reason": {"too many were held"}}), "Rolled back.")
	w.says(ben.get("/console/policy"), "The policy that ships")
	if from := ben.get("/console/policy/versions/new?from=" + strings.TrimPrefix(path, "/console/policy/versions/")); !strings.Contains(from.body, "policy: small") {
		t.Error("a draft does not begin with the version that it is made from")
	}
	w.says(ben.get(path), "Retired", "Roll back to this version", "too many were held")
	w.says(ben.send(path+"/rollback", url.Values{"live": {"0"}, "reason": {"fixed"}}), "Rolled back.", "Live")
}

func TestListsAreKeptInTheConsole(t *testing.T) {
	w := newWorld(t)
	w.publish(small("1"))
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	w.says(ana.get("/console/policy"), "blocked_devices", "Not made yet", "Make it")
	if p := ana.get("/console/lists?name=blocked_devices"); !strings.Contains(p.body, `value="blocked_devices"`) {
		t.Error("the form does not begin with the list that the policy asks")
	}
	w.says(ana.send("/console/lists", url.Values{"name": {"Blocked Devices"}, "kind": {"block"}}), "lower-case letters")
	made := ana.send("/console/lists", url.Values{"name": {"blocked_devices"}, "kind": {"block"}, "description": {"Seen in fraud."}})
	w.says(made, "The list was made", "by the live policy, as device", "Nothing stands on this list")
	w.says(ana.send(made.path+"/entries", url.Values{"value": {"device-9"}}), "Say why")
	w.says(ana.send(made.path+"/entries", url.Values{"value": {cardNumber}, "reason": {"x"}}), "pan_not_accepted")
	w.says(ana.send(made.path+"/entries", url.Values{"value": {"device-9"}, "reason": {"x"}, "expires_at": {"2020-01-01T10:00"}}), "must lie ahead")
	w.says(ana.send(made.path+"/entries", url.Values{"value": {" device-9 "}, "reason": {"three chargebacks"}}), "Added.", "device-9", "three chargebacks", "Ana Ruiz")
	again := ana.send(made.path+"/entries", url.Values{"value": {"device-9"}, "reason": {"again"}})
	w.status(again, http.StatusConflict)
	if !strings.Contains(again.body, `value="device-9"`) {
		t.Error("what was typed is lost")
	}
	w.says(ana.send(made.path+"/search", url.Values{"q": {"device-9"}}), "three chargebacks", "Show all")
	w.says(ana.send(made.path+"/search", url.Values{"q": {"device-8"}}), "This value is not on the list")

	attempt := w.payer("Alma Petersen")
	attempt.DeviceID = "device-9"
	paid := w.pay(attempt, 1000)
	w.says(ana.get("/console/payments/"+paid.Payment.ID), "Rejected: Listed device", "Hard block", "On the list blocked_devices yes", "On it")
	w.says(ana.get("/console/payments/"+paid.Payment.ID+"?replay=now"), "The same decision", "Same outcome, same reasons.")
	entries, _, err := w.s.ListEntries(t.Context(), w.key, strings.TrimPrefix(made.path, "/console/lists/"), store.ListEntryFilter{}, store.Page{})
	w.must(err)
	w.says(ana.send(made.path+"/entries/"+entries[0].ID+"/remove", nil), "Removed.", "Nothing stands on this list")
	refused := ana.send(made.path+"/delete", nil)
	w.status(refused, http.StatusConflict)
	w.says(refused, "reads this list")
	unread := ana.send("/console/lists", url.Values{"name": {"unread"}, "kind": {"allow"}})
	w.says(ana.send(unread.path+"/delete", nil), "The list was deleted")
	w.status(ana.get(unread.path), http.StatusNotFound)
}

func TestAHeldPaymentIsDecidedInTheConsole(t *testing.T) {
	w := newWorld(t)
	w.publish(small("1"))
	view := w.held()
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ben := w.colleague(ana, "Ben Okoro", "ben@harbour.example", "reviewer")
	w.says(ana.get("/console/"), "Held payment of USD 150.00", "to Harbour Cloud", "Alma Petersen")
	path := "/console/cases/" + view.ThisCase.ID
	shown := ana.get("/console/next")
	if shown.path != path {
		t.Fatalf("the next case led to %s", shown.path)
	}
	w.says(shown, "USD 150.00 to Harbour Cloud", "Held for a person: Large amount", "The amount is large.", "Raised in shadow", "1 rule was not raised", "Approve", "Reject", "Payment method of somebody else", "Latest payments of the account")
	version := strconv.FormatInt(view.ThisCase.Version, 10)
	decision := path + "/decision"
	w.says(ana.send(decision, url.Values{"expected_version": {version}}), "Choose a decision")
	bare := ana.send(decision, url.Values{"expected_version": {version}, "decision": {"reject"}, "note": {"Called her, no answer."}})
	w.status(bare, http.StatusUnprocessableEntity)
	w.says(bare, "Choose at least one reason", "Called her, no answer.")
	w.says(ana.send(decision, url.Values{"expected_version": {version}, "decision": {"reject"}, "reason.reject": {"payment.suspicious"}, "note": {cardNumber}}), "pan_not_accepted")
	w.status(ana.send(decision, url.Values{"expected_version": {"99"}, "decision": {"approve"}}), http.StatusConflict)
	w.status(ana.send(decision, url.Values{"decision": {"approve"}}), http.StatusBadRequest)

	fields := url.Values{"expected_version": {version}, "decision": {"reject"}, "reason.reject": {"payment.stolen_method"}, "note": {"Called her, it was not her."}}
	done := ana.send(decision, fields)
	w.status(done, http.StatusOK)
	w.says(done, "Rejected. The payment does not pass", "Ana Ruiz decided this", "Payment method of somebody else", "Called her, it was not her.")
	w.says(ana.send(decision, fields), "Ana Ruiz decided this")
	late := ben.send(decision, url.Values{"expected_version": {version}, "decision": {"approve"}, "note": {"Looks good to me."}})
	w.status(late, http.StatusConflict)
	w.says(late, "Somebody else decided this meanwhile", "You had chosen: Approved", "Looks good to me.", "Ana Ruiz decided this")
	w.says(ana.get("/console/payments/"+view.Held.Payment.ID), "Held: Large amount. Then rejected by a person", "What was learned later", "Rejected by review", "Fraud, confirmed", "The case of this payment")
	w.says(ana.get("/console/accounts/"+view.Account.ID), "Held payment rejected", "Reported of a payment: fraud, confirmed")

	second := w.held()
	approve := url.Values{"expected_version": {strconv.FormatInt(second.ThisCase.Version, 10)}, "decision": {"approve"}, "reason.approve": {"payment.confirmed_by_holder"}, "reason.reject": {"payment.policy"}}
	w.says(ben.send("/console/cases/"+second.ThisCase.ID+"/decision", approve), "Approved. The payment passes", "Confirmed by the holder")
}

func TestWhatBecameOfAPaymentIsRecorded(t *testing.T) {
	w := newWorld(t)
	paid := w.pay(w.payer("Alma Petersen"), 1500)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	path := "/console/payments/" + paid.Payment.ID
	w.says(ana.get("/console/accounts/"+paid.Payment.Attempt.AccountID), "Harbour Cloud")
	w.says(ana.get(path), "USD 15.00 to Harbour Cloud", "Approved: what was raised is not enough", "everything about it is new, and the amount is small", "The policy that ships", "Visa 400012••••••9876", "Nothing was reported yet", "device-1")
	w.status(ana.send(path+"/outcome", url.Values{"outcome": {""}}), http.StatusUnprocessableEntity)
	w.says(ana.send(path+"/outcome", url.Values{"outcome": {"chargeback"}}), "Recorded.", "Charged back", "Ana Ruiz")
	w.says(ana.send(path+"/outcome", url.Values{"outcome": {"legitimate_confirmed"}}), "Legitimate, confirmed")

	otherKey, _ := w.NewKey(w.NewTenant("Other Cloud").ID)
	foreign := w.submitted(otherKey)
	w.status(ana.get("/console/payments/"+foreign.Payment.ID), http.StatusNotFound)
	w.status(ana.send("/console/payments/"+foreign.Payment.ID+"/outcome", url.Values{"outcome": {"settled"}}), http.StatusNotFound)
	for _, nowhere := range []string{"/console/policy/versions/pol_none", "/console/policy/versions/pol_none/diff", "/console/policy/versions/pol_none/edit", "/console/lists/lst_none"} {
		w.status(ana.get(nowhere), http.StatusNotFound)
	}
}

func TestAPolicyIsTriedOnHistoryFromAForm(t *testing.T) {
	w := newWorld(t)
	payer := w.payer("Alma Petersen")
	fraud := w.pay(payer, 15000)
	w.pay(payer, 20000)
	w.pay(payer, 2000)
	w.Advance(time.Hour)
	_, err := w.s.ReportOutcome(t.Context(), w.key, service.OutcomeReport{PaymentID: fraud.Payment.ID, Kind: payment.FraudConfirmed})
	w.must(err)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	saved := ana.send("/console/policy/versions", url.Values{"revision": {"0"}, "text": {small("1")}, "step": {"save"}})
	id := strings.TrimPrefix(saved.path, "/console/policy/versions/")
	empty := ana.get("/console/policy/backtest")
	w.says(empty, "Try a policy on payments of the past", "Version 1, draft")
	now := w.Clock.Now()
	fields := url.Values{"version": {id}, "from": {now.AddDate(0, 0, -3).Format(time.DateOnly)}, "to": {now.AddDate(0, 0, 1).Format(time.DateOnly)}}
	result := ana.send("/console/policy/backtest", fields)
	w.status(result, http.StatusOK)
	w.says(result, "Version 1 against the policy that ships", "3 payments", "1 known to be fraud", "Held for a person 0 2 +2", "Fraud stopped", "Good payments held", "Large amount", "Decided otherwise")
	if !strings.Contains(result.body, "/console/payments/"+fraud.Payment.ID) {
		t.Error("the changed payment is not linked")
	}
	fields.Set("from", "2030-01-01")
	w.says(ana.send("/console/policy/backtest", fields), "The span must end after it begins")
	fields.Set("from", "yesterday")
	w.says(ana.send("/console/policy/backtest", fields), "Write the first day")
}

func TestALongTrialShowsHowFarItIs(t *testing.T) {
	w := newWorld(t)
	payer := w.payer("Alma Petersen")
	for part := range 3 {
		past := make([]service.PastPayment, 2500)
		for i := range past {
			past[i] = service.PastPayment{ExternalID: strconv.Itoa(2500*part + i), Outcome: payment.Approved, Attempt: payer}
			past[i].Attempt.Amount = money.Amount{AmountMinor: 2000, Currency: "USD"}
			past[i].Attempt.OccurredAt = w.Clock.Now().Add(-time.Duration(7500-2500*part-i) * time.Minute)
		}
		_, err := w.s.ImportPayments(t.Context(), w.key, past)
		w.must(err)
	}
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	now := w.Clock.Now()
	fields := url.Values{"version": {"shipped"}, "from": {now.AddDate(0, 0, -7).Format(time.DateOnly)}, "to": {now.AddDate(0, 0, 1).Format(time.DateOnly)}}
	result := ana.send("/console/policy/backtest", fields)
	w.status(result, http.StatusOK)
	w.says(result, "Trying it", "5,000 of about 7,", "payments read", "5,000 of 7,500 payments decided", "The policy that ships against the policy that ships", "7,500 payments", "Decided otherwise")
	if read, decided, ended := strings.Index(result.body, "payments read"), strings.Index(result.body, "payments decided"), strings.Index(result.body, "Decided otherwise"); read > decided || decided > ended {
		t.Error("the steps are not in their order, or come after what came of it")
	}
	if !strings.HasSuffix(strings.TrimSpace(result.body), "</html>") {
		t.Error("the page does not end")
	}
}

func TestAnEntryThatHasExpiredIsMarked(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	made := ana.send("/console/lists", url.Values{"name": {"blocked_devices"}, "kind": {"block"}})
	soon := w.Clock.Now().Add(2 * time.Hour).In(w.Tenant.Zone()).Format("2006-01-02T15:04")
	added := ana.send(made.path+"/entries", url.Values{"value": {"device-9"}, "reason": {"a day's trouble"}, "expires_at": {soon}})
	w.says(added, "Added.", "device-9")
	if strings.Contains(added.text(), "Expired") {
		t.Error("an entry has expired before its time")
	}
	_, err := w.Clock.Advance(2 * time.Hour)
	w.must(err)
	w.says(ana.get(made.path), "device-9 Expired", "a day's trouble")
	w.says(ana.send(made.path+"/entries", url.Values{"value": {"device-9"}, "reason": {"again"}}), "Added.", "again")
}

func TestAPaymentThatNoRuleDecidedSaysWhy(t *testing.T) {
	w := newWorld(t)
	view := w.holder(w.key)
	again, err := w.s.AuthorizePayment(t.Context(), w.key, payment.Attempt{AccountID: view.Account.ID, Amount: money.Amount{AmountMinor: 100, Currency: "USD"}})
	w.must(err)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	w.says(ana.get("/console/payments/"+again.Payment.ID), "Rejected: the account was restricted", "No rule was asked", "The verification that followed")
	first := ana.get("/console/payments/" + view.Payment.ID)
	w.says(first, "Rejected: 2 triggers were raised together", "New or unrecognised location and Payment method used for the first time.", "Country Brazil", "Place known no", "Counts towards a rejection; alone, it rejects above USD 1,000.00.")
	w.says(ana.get("/console/verifications/"+view.Verification.ID), "Why it was decided so")
	w.says(ana.get("/console/payments/"+view.Payment.ID+"?replay=now"), "The same decision")
}

func TestThePolicyPageShowsHowOftenEachRuleWasRaised(t *testing.T) {
	w := newWorld(t)
	w.publish(small("1"))
	payer := w.payer("Alma Petersen")
	w.pay(payer, 20000)
	_, err := w.Clock.Advance(48 * time.Hour)
	w.must(err)
	for range 3 {
		w.pay(payer, 2000)
	}
	w.must(w.s.FlushRuleHits(t.Context()))
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	shown := ana.get("/console/policy")
	w.says(shown, "4 payments were decided by this version in the last 30 days", "0 1 25 % 1", "3 4 100 % –")
	if !strings.Contains(shown.body, `aria-label="4 payments raised it in 30 days, 3 on the last day"`) {
		t.Error("the chart of the shadow rule does not say what it shows")
	}
}
