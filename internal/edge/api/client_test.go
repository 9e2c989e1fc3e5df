package api_test

import (
	"maps"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/client"
)

// TestTheClientKnowsEveryField compares the client's types with the contract: a field that only one of them has is a mistake.
func TestTheClientKnowsEveryField(t *testing.T) {
	w := newWorld(t)
	schemas := w.ok(200, get("/openapi.json")).object("components")["schemas"].(map[string]any)
	for name, value := range map[string]any{
		"Account": client.Account{}, "NewAccount": client.NewAccount{}, "Address": client.Address{}, "PostalAddress": client.Address{},
		"Restriction": client.Restriction{}, "Enforcement": client.Enforcement{}, "NewPaymentMethod": client.NewPaymentMethod{},
		"PaymentMethod": client.PaymentMethod{}, "Message": client.Message{}, "PortalSession": client.PortalSession{}, "Money": client.Money{},
		"Location": client.Location{}, "PaidFrom": client.PaidFrom{}, "Device": client.Device{}, "NewPayment": client.NewPayment{},
		"PaymentError": client.PaymentError{}, "Reason": client.Reason{}, "NextStep": client.NextStep{}, "Payment": client.Payment{},
		"NewVerification": client.NewVerification{}, "Requirement": client.Requirement{}, "RequirementReason": client.Reason{},
		"Verification": client.Verification{}, "Evidence": client.Evidence{}, "Finding": client.Reason{}, "CaseWithReviews": client.Case{},
		"Review": client.CaseReview{}, "Decider": client.Decider{}, "ReviewReason": client.ReviewReason{}, "NewDecision": client.NewDecision{},
		"Explanation": client.Explanation{}, "RuleExplanation": client.RuleExplanation{}, "RulePart": client.RulePart{}, "NamedValue": client.NamedValue{},
		"ListAnswer": client.ListAnswer{}, "ScoreParts": client.ScoreParts{}, "ScorePart": client.ScorePart{}, "Replay": client.Replay{}, "RuleHit": client.RuleHit{},
		"NewBacktest": client.NewBacktest{}, "Backtest": client.Backtest{}, "BacktestResult": client.BacktestResult{}, "BacktestRule": client.BacktestRule{},
		"BacktestDifference": client.BacktestDifference{}, "NewOutcome": client.NewOutcome{}, "PolicyWithText": client.Policy{}, "NewPolicy": client.NewPolicy{}, "PolicyEdit": client.PolicyEdit{},
		"PreparedSoFar": client.PreparedSoFar{}, "ValueList": client.ValueList{}, "NewValueList": client.NewValueList{}, "ListEntry": client.ListEntry{},
		"NewListEntry": client.NewListEntry{}, "NewReason": client.NewReason{}, "NewTicket": client.NewTicket{}, "Ticket": client.Ticket{}, "Event": client.Event{},
		"NewWebhookEndpoint": client.NewWebhookEndpoint{}, "WebhookEndpointWithSecret": client.WebhookEndpoint{}, "DemoClock": client.DemoClock{},
		"ListAccount": client.List[client.Account]{}, "EventList": client.List[client.Event]{},
	} {
		schema, found := schemas[name].(map[string]any)
		if !found {
			t.Errorf("the contract has no %s", name)
			continue
		}
		want := slices.Sorted(maps.Keys(schema["properties"].(map[string]any)))
		if got := fieldsOf(reflect.TypeOf(value)); !slices.Equal(got, want) {
			t.Errorf("%s: the client has %v, the contract %v", name, got, want)
		}
	}
}

func fieldsOf(t reflect.Type) []string {
	var names []string
	for at := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(at).Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestTheLoopThroughTheClient(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	c := client.New(server.URL, w.Key)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account, err := c.CreateAccount(ctx, client.NewAccount{Kind: client.Individual, Name: "Alma Petersen", Email: "alma@example.com", Address: &client.Address{City: "Singapore", Country: "SG"}})
	must(err)
	account, err = c.UpdateAccount(ctx, account.ID, map[string]any{"locale": "zh-CN", "address": nil})
	must(err)
	if account.Address != nil || *account.Locale != "zh-CN" {
		t.Errorf("got %+v", account)
	}
	_, err = c.AddPaymentMethod(ctx, account.ID, client.NewPaymentMethod{Kind: "card", First6: "400012", Last4: "9876", Default: true})
	must(err)
	pay := client.NewPayment{AccountID: account.ID, Amount: client.Money{AmountMinor: 900_000, Currency: "USD"}, Location: &client.Location{Country: "BR"}}
	payment, err := c.CreatePayment(ctx, pay, client.Once("order-1"))
	must(err)
	if payment.Outcome != client.Rejected || payment.Error.Code != client.RejectionCode || payment.NextStep.Kind != "verify" {
		t.Fatalf("got %+v", payment)
	}
	if again, err := c.CreatePayment(ctx, pay, client.Once("order-1")); err != nil || again.ID != payment.ID {
		t.Errorf("got %s and %v, want the same payment", again.ID, err)
	}
	verificationID := *payment.VerificationID
	_, err = c.OpenVerification(ctx, client.NewVerification{AccountID: account.ID, Type: client.PaymentSecurity})
	if !client.IsCode(err, "verification_already_open") {
		t.Errorf("got %v", err)
	}
	set := w.papers()
	for _, evidence := range []client.NewEvidence{
		{Requirement: client.GovernmentID, DocumentType: "id_card", Content: set.GovernmentID},
		{Requirement: client.PaymentMethodPicture, Side: "front", Content: set.PaymentMethod},
		{Requirement: client.BillingStatement, Content: set.BillingStatement, FileName: "statement.pdf"},
	} {
		_, err := c.SendEvidence(ctx, verificationID, evidence)
		must(err)
	}
	submitted, err := c.SubmitVerification(ctx, verificationID)
	must(err)
	ticket, err := c.CreateTicket(ctx, client.NewTicket{AccountID: account.ID, QueryCode: *submitted.QueryCode, Message: "how long?"})
	must(err)
	if got, err := c.Ticket(ctx, ticket.ID); err != nil || *got.VerificationID != verificationID {
		t.Errorf("got %+v and %v", got, err)
	}
	decided, err := c.DecideCase(ctx, *submitted.CaseID, client.NewDecision{Decision: client.Approve, ExpectedVersion: 1})
	must(err)
	if decided.Reviews[0].DecidedBy.Kind != "key" {
		t.Errorf("got %+v", decided)
	}
	if evidence, err := c.ListEvidence(ctx, verificationID); err != nil || len(evidence) != 3 {
		t.Errorf("got %d and %v", len(evidence), err)
	}
	clock, err := c.AdvanceDemoClock(ctx, time.Hour)
	must(err)
	if clock.OffsetSeconds != 3600 {
		t.Errorf("got %+v", clock)
	}
	endpoint, err := c.CreateWebhookEndpoint(ctx, client.NewWebhookEndpoint{URL: "https://platform.example.com/hook"})
	must(err)
	must(c.DeleteWebhookEndpoint(ctx, endpoint.ID))
	count := 0
	for event, err := range c.AllEvents(ctx, "") {
		must(err)
		if event.ID == "" || event.Data["object_id"] == "" {
			t.Errorf("got %+v", event)
		}
		count++
	}
	if want := len(w.State().Types); count != want {
		t.Errorf("got %d events, want %d", count, want)
	}
	for message, err := range c.AllMessages(ctx, account.ID) {
		must(err)
		if message.Subject == "" {
			t.Errorf("got %+v", message)
		}
	}
	if _, err := c.Account(ctx, "acct_0"); !client.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}

func FuzzForms(f *testing.F) {
	w := newWorld(f)
	_, _, verificationID := w.rejected()
	good, contentType := form(part{name: "requirement", content: []byte("payment_method")}, part{name: "file", fileName: "a.png", content: []byte("\x89PNG\r\n\x1a\n")})
	f.Add(good, contentType)
	f.Add(good[:len(good)/2], contentType)
	f.Add("--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x")
	f.Add("", "multipart/form-data; boundary=")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		out := w.on(t).do(call{method: "POST", path: "/v1/verifications/" + verificationID + "/evidence", body: body, contentType: contentType})
		switch out.status {
		case 201, 400, 409, 413, 415, 422:
		default:
			t.Errorf("got %d %s", out.status, out.body)
		}
	})
}
