package api_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/probity/probity/internal/testkit/installation"
)

// aCardNumber passes every rule of a card number and is nobody's: it is the one that all of the industry tests with.
const aCardNumber = "4111111111111111"

func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	account := func(members string) call { return post("/v1/accounts", `{"kind":"individual","name":"Bo"`+members+`}`) }
	payment := func(members string) call {
		return post("/v1/payments", `{"account_id":"`+accountID+`"`+members+`}`)
	}
	const usd = `,"amount":{"amount_minor":100,"currency":"USD"}`
	tests := []struct {
		name string
		call call
		want refusal
	}{
		{"an unknown field is named", account(`,"nickname":"B"`), refusal{422, "unknown_field", "nickname"}},
		{"an unknown field inside another is named", account(`,"address":{"street":"x"}`), refusal{422, "unknown_field", "address.street"}},
		{"a name in another case is unknown", account(`,"Email":"b@example.com"`), refusal{422, "unknown_field", "Email"}},
		{"an unknown field that is no plain word is not repeated", account(`,"<b>Bo Li</b>":1`), refusal{422, "unknown_field", "(name)"}},
		{"a string where a number belongs", payment(`,"amount":{"amount_minor":"100","currency":"USD"}`), refusal{422, "wrong_type", "amount.amount_minor"}},
		{"a number where a string belongs", account(`,"email":5`), refusal{422, "wrong_type", "email"}},
		{"an object where a string belongs", account(`,"email":{"a":1}`), refusal{422, "wrong_type", "email"}},
		{"a string where a list belongs", account(`,"address":{"lines":"x"}`), refusal{422, "wrong_type", "address.lines"}},
		{"null inside a list", account(`,"address":{"lines":[null]}`), refusal{422, "wrong_type", "address.lines[0]"}},
		{"a string where an object belongs", account(`,"address":"x"`), refusal{422, "wrong_type", "address"}},
		{"a string where true or false belongs", post("/v1/accounts/"+accountID+"/payment_methods", `{"kind":"wallet","default":"yes"}`), refusal{422, "wrong_type", "default"}},
		{"a list instead of an object", post("/v1/accounts", `[]`), refusal{422, "wrong_type", ""}},
		{"a missing field", post("/v1/accounts", `{"kind":"individual"}`), refusal{422, "required", "name"}},
		{"a missing field inside another", payment(`,"amount":{"currency":"USD"}`), refusal{422, "required", "amount.amount_minor"}},
		{"a word that is not one of the list", post("/v1/accounts", `{"kind":"robot","name":"Bo"}`), refusal{422, "kind_unknown", "kind"}},
		{"a text over its length", account(`,"industry":"` + strings.Repeat("x", 201) + `"`), refusal{422, "too_long", "industry"}},
		{"control characters", account(`,"industry":"a\u0000b"`), refusal{422, "control_character", "industry"}},
		{"an e-mail address with a name", account(`,"email":"Bo <b@example.com>"`), refusal{422, "email_malformed", "email"}},
		{"a country that does not exist", account(`,"country":"XX"`), refusal{422, "country_unknown", "country"}},
		{"a birth in the future", account(`,"date_of_birth":"2030-01-01"`), refusal{422, "date_out_of_range", "date_of_birth"}},
		{"a time zone that does not exist", account(`,"time_zone":"Mars/Olympus"`), refusal{422, "time_zone_unknown", "time_zone"}},
		{"an amount of nothing", payment(`,"amount":{"amount_minor":0,"currency":"USD"}`), refusal{422, "amount_out_of_range", "amount.amount_minor"}},
		{"a negative amount", payment(`,"amount":{"amount_minor":-5,"currency":"USD"}`), refusal{422, "amount_out_of_range", "amount.amount_minor"}},
		{"an absurd amount", payment(`,"amount":{"amount_minor":1000000000000001,"currency":"USD"}`), refusal{422, "amount_out_of_range", "amount.amount_minor"}},
		{"an amount beyond every integer", payment(`,"amount":{"amount_minor":1e300,"currency":"USD"}`), refusal{422, "amount_out_of_range", "amount.amount_minor"}},
		{"a fraction of a cent", payment(`,"amount":{"amount_minor":1.5,"currency":"USD"}`), refusal{422, "wrong_type", "amount.amount_minor"}},
		{"a number with an exponent", payment(`,"amount":{"amount_minor":1e3,"currency":"USD"}`), refusal{422, "wrong_type", "amount.amount_minor"}},
		{"a currency that does not exist", payment(`,"amount":{"amount_minor":100,"currency":"ABC"}`), refusal{422, "currency_unknown", "amount.currency"}},
		{"a currency in small letters", payment(`,"amount":{"amount_minor":100,"currency":"usd"}`), refusal{422, "currency_unknown", "amount.currency"}},
		{"a payment of long ago", payment(usd + `,"occurred_at":"2024-01-01T00:00:00Z"`), refusal{422, "occurred_at_out_of_range", "occurred_at"}},
		{"a payment of the year zero", payment(usd + `,"occurred_at":"0001-01-01T00:00:00Z"`), refusal{422, "occurred_at_out_of_range", "occurred_at"}},
		{"a payment of tomorrow", payment(usd + `,"occurred_at":"2026-11-10T02:00:00Z"`), refusal{422, "occurred_at_out_of_range", "occurred_at"}},
		{"an instant without a zone", payment(usd + `,"occurred_at":"2026-11-09T02:00:00"`), refusal{422, "time_malformed", "occurred_at"}},
		{"a day that does not exist", payment(usd + `,"occurred_at":"2026-02-30T02:00:00Z"`), refusal{422, "time_malformed", "occurred_at"}},
		{"an instant as a number", payment(usd + `,"occurred_at":1762653600`), refusal{422, "wrong_type", "occurred_at"}},
		{"an address that is none", payment(usd + `,"ip":"1.2.3.4.5"`), refusal{422, "ip_malformed", "ip"}},
		{"a region without its country", payment(usd + `,"location":{"country":"","region":"SP"}`), refusal{422, "required", "location.country"}},
		{"a location without a country", payment(usd + `,"location":{"region":"SP"}`), refusal{422, "required", "location.country"}},
		{"no such account", post("/v1/payments", `{"account_id":"acct_0"`+usd+`}`), refusal{404, "not_found", "account_id"}},
		{"no such payment method", payment(usd + `,"payment_method_id":"pm_0"`), refusal{404, "not_found", "payment_method_id"}},
		{"seven first digits", post("/v1/accounts/"+accountID+"/payment_methods", `{"kind":"card","first6":"4000123","last4":"9876"}`), refusal{422, "first6_malformed", "first6"}},
		{"a body that is no JSON", post("/v1/accounts", `{"kind":`), refusal{400, "json_malformed", ""}},
		{"two documents", post("/v1/accounts", `{"kind":"individual","name":"Bo"}{}`), refusal{400, "json_malformed", ""}},
		{"no body", post("/v1/accounts", ""), refusal{400, "body_required", ""}},
		{"a form where JSON belongs", call{method: "POST", path: "/v1/accounts", body: "kind=individual", contentType: "application/x-www-form-urlencoded"}, refusal{415, "media_type_not_accepted", "Content-Type"}},
		{"a body over its limit", account(`,"industry":"` + strings.Repeat("x", 1<<20) + `"`), refusal{413, "body_too_large", ""}},
		{"a body for a call that takes none", post("/v1/accounts/"+accountID+"/portal_sessions", `{"admin":true}`), refusal{422, "unknown_field", "admin"}},
		{"an unknown parameter", get("/v1/accounts?name=Bo"), refusal{422, "unknown_parameter", "name"}},
		{"a limit of nothing", get("/v1/accounts?limit=0"), refusal{422, "limit_out_of_range", "limit"}},
		{"a limit beyond the bound", get("/v1/accounts?limit=201"), refusal{422, "limit_out_of_range", "limit"}},
		{"a limit that is no number", get("/v1/accounts?limit=ten"), refusal{422, "wrong_type", "limit"}},
		{"a cursor that was made up", get("/v1/accounts?cursor=zzz"), refusal{422, "cursor_invalid", "cursor"}},
		{"a cursor of events that was made up", get("/v1/events?cursor=-1"), refusal{422, "cursor_invalid", "cursor"}},
		{"a type of event that does not exist", get("/v1/events?type=account.eaten"), refusal{422, "type_unknown", "type"}},
		{"payments of nobody", get("/v1/payments"), refusal{422, "required", "account_id"}},
		{"payments of no such account", get("/v1/payments?account_id=acct_0"), refusal{404, "not_found", "account_id"}},
		{"a status that does not exist", get("/v1/verifications?status=maybe"), refusal{422, "status_unknown", "status"}},
		{"a status of cases that does not exist", get("/v1/cases?status=maybe"), refusal{422, "status_unknown", "status"}},
		{"a verification for something else", post("/v1/verifications", `{"account_id":"`+accountID+`","type":"blood"}`), refusal{422, "type_unknown", "type"}},
		{"a ticket that says nothing", post("/v1/tickets", `{"account_id":"`+accountID+`"}`), refusal{422, "required", "message"}},
		{"a query code with a wrong character", post("/v1/tickets", `{"account_id":"`+accountID+`","message":"x","query_code":"7F3KD-92QX7"}`), refusal{422, "query_code_invalid", "query_code"}},
		{"an endpoint that is no URL", post("/v1/webhook_endpoints", `{"url":"example"}`), refusal{422, "url_not_accepted", "url"}},
		{"an endpoint in a private network", post("/v1/webhook_endpoints", `{"url":"https://10.0.0.1/x"}`), refusal{422, "url_not_accepted", "url"}},
		{"an endpoint for a type that does not exist", post("/v1/webhook_endpoints", `{"url":"https://example.com/x","event_types":["x.y"]}`), refusal{422, "event_type_unknown", "event_types[0]"}},
		{"a clock that goes back", post("/v1/demo/clock", `{"advance_seconds":-1}`), refusal{422, "advance_seconds_out_of_range", "advance_seconds"}},
		{"a filter that is empty", get("/v1/accounts?external_id="), refusal{422, "empty_parameter", "external_id"}},
		{"a filter twice", get("/v1/accounts?external_id=a&external_id=b"), refusal{422, "duplicate_parameter", "external_id"}},
		{"a query that cannot be read", get("/v1/accounts?external_id=%zz"), refusal{400, "query_malformed", ""}},
		{"a list with too many items", account(`,"address":{"lines":["1","2","3","4","5","6","7","8","9"]}`), refusal{422, "too_many", "address.lines"}},
		{"a path that does not exist", get("/v1/users"), refusal{404, "not_found", ""}},
		{"a path with a slash too many", get("/v1/accounts/"), refusal{404, "not_found", ""}},
		{"a path that is not clean", get("/v1//accounts"), refusal{404, "not_found", ""}},
		{"a method that the path does not take", call{method: "PUT", path: "/v1/accounts"}, refusal{405, "method_not_allowed", ""}},
		{"an account that does not exist", get("/v1/accounts/acct_01jc0000000000000000000000"), refusal{404, "not_found", ""}},
		{"an id that is none", get("/v1/accounts/%00"), refusal{400, "text_not_storable", ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { w.on(t).refused(test.call, test.want) })
	}
	if strings.Contains(w.Log(), "Bo <") || strings.Contains(w.Log(), "1.2.3.4.5") {
		t.Error("the log holds what was refused")
	}
}

// A program that writes its whole body before it reads must see the refusal, and no broken connection.
func TestWhoSendsFarTooMuchIsToldWhy(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	body, contentType := form(part{name: "requirement", content: []byte("payment_method")},
		part{name: "file", fileName: "x.png", content: bytes.Repeat([]byte{0xff}, 40<<20)})
	for name, c := range map[string]call{
		"an attachment": {path: "/v1/verifications/" + verificationID + "/evidence", body: body, contentType: contentType},
		"a JSON body":   {path: "/v1/accounts", body: strings.Repeat("x", 40<<20), contentType: "application/json"},
		"another type":  {path: "/v1/accounts", body: strings.Repeat("x", 40<<20), contentType: "text/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			connection, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = connection.Close() }()
			if _, err := fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				c.path, w.Key, c.contentType, len(c.body), c.body); err != nil {
				t.Fatalf("the connection broke while the body was sent: %v", err)
			}
			out, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = out.Body.Close() }()
			if out.StatusCode != http.StatusRequestEntityTooLarge && out.StatusCode != http.StatusUnsupportedMediaType {
				t.Errorf("got status %d, want 413 or 415", out.StatusCode)
			}
		})
	}
}

func TestTheLimitsInRefusalsAreWrittenOut(t *testing.T) {
	w := newWorld(t)
	out := w.refused(post("/v1/demo/clock", `{"advance_seconds":1000000000000}`), refusal{422, "advance_seconds_out_of_range", "advance_seconds"})
	if got, want := out.text("detail"), "must be at most 34560000"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEverythingThatIsWrongIsListed(t *testing.T) {
	w := newWorld(t)
	out := w.refused(post("/v1/accounts", `{"kind":"robot","zeal":1}`), refusal{422, "kind_unknown", "kind"})
	faults, _ := out.json["errors"].([]any)
	var got []string
	for _, fault := range faults {
		got = append(got, fault.(map[string]any)["field"].(string))
	}
	if strings.Join(got, " ") != "kind name zeal" {
		t.Errorf("got %v, want kind, name and zeal", got)
	}
}

func TestACardNumberIsRefusedWhereverItStands(t *testing.T) {
	w := newWorld(t)
	accountID, _, verificationID := w.rejected()
	formBody, formType := form(part{name: "requirement", content: []byte("payment_method")}, part{name: "side", content: []byte(aCardNumber)},
		part{name: "file", fileName: "card.png", content: w.papers().PaymentMethod})
	badName, badNameType := form(part{name: "requirement", content: []byte("payment_method")}, part{name: aCardNumber, content: []byte("x")})
	tests := []struct {
		name string
		call call
		want refusal
	}{
		{"in a name", post("/v1/accounts", `{"kind":"individual","name":"`+aCardNumber+`"}`), refusal{422, "pan_not_accepted", "name"}},
		{"with spaces and full-width digits", post("/v1/accounts", `{"kind":"individual","name":"４１１１ 1111-1111 1111"}`), refusal{422, "pan_not_accepted", "name"}},
		{"in a list", post("/v1/accounts", `{"kind":"individual","name":"Bo","address":{"lines":["a","`+aCardNumber+`"]}}`), refusal{422, "pan_not_accepted", "address.lines[1]"}},
		{"as a number", post("/v1/accounts", `{"kind":"individual","name":`+aCardNumber+`}`), refusal{422, "pan_not_accepted", "name"}},
		{"as an unknown field", post("/v1/accounts", `{"kind":"individual","name":"Bo","card":"`+aCardNumber+`"}`), refusal{422, "pan_not_accepted", "card"}},
		{"as the name of a field", post("/v1/accounts", `{"kind":"individual","`+aCardNumber+`":1}`), refusal{422, "pan_not_accepted", "(name)"}},
		{"written with escapes", post("/v1/accounts", `{"kind":"individual","name":"\u0034111111111111111"}`), refusal{422, "pan_not_accepted", "name"}},
		{"as a fingerprint", post("/v1/accounts/"+accountID+"/payment_methods", `{"kind":"card","first6":"400012","last4":"9876","fingerprint":"`+aCardNumber+`"}`), refusal{422, "pan_not_accepted", "fingerprint"}},
		{"in a merge patch", call{method: "PATCH", path: "/v1/accounts/" + accountID, body: `{"industry":"` + aCardNumber + `"}`}, refusal{422, "pan_not_accepted", "industry"}},
		{"in a ticket", post("/v1/tickets", `{"account_id":"`+accountID+`","message":"my card is `+aCardNumber+`, help"}`), refusal{422, "pan_not_accepted", "message"}},
		{"as an idempotency key", call{method: "POST", path: "/v1/accounts", body: `{"kind":"individual","name":"Bo"}`, idempotency: aCardNumber}, refusal{422, "pan_not_accepted", "Idempotency-Key"}},
		{"in a text part of a form", call{method: "POST", path: "/v1/verifications/" + verificationID + "/evidence", body: formBody, contentType: formType}, refusal{422, "pan_not_accepted", "side"}},
		{"as the name of a part", call{method: "POST", path: "/v1/verifications/" + verificationID + "/evidence", body: badName, contentType: badNameType}, refusal{422, "unknown_field", "(name)"}},
		{"as the name of a parameter", get("/v1/accounts?" + aCardNumber + "=1"), refusal{422, "unknown_parameter", "(name)"}},
		{"with an idempotency key beside it", call{method: "POST", path: "/v1/accounts", body: `{"kind":"individual","name":"` + aCardNumber + `"}`, idempotency: "once"}, refusal{422, "pan_not_accepted", "name"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := w.on(t).refused(test.call, test.want)
			if strings.Contains(out.body, "411111") {
				t.Errorf("the answer repeats it: %s", out.body)
			}
		})
	}
	w.ok(200, get("/v1/accounts?external_id="+aCardNumber))
	w.refused(get("/v1/accounts/"+aCardNumber), refusal{404, "not_found", ""})
	if strings.Contains(w.Log(), "411111") || strings.Contains(w.Log(), "card.png") {
		t.Error("the log holds a card number, or the name of an attachment")
	}
	if w.Holds("411111") || w.Holds("card.png") {
		t.Error("the database holds a card number, or the name of an attachment")
	}
}

// hugePNG is the header of a picture of 50,000 × 50,000 pixels, a few dozen bytes long.
func hugePNG() []byte {
	header := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	chunk := binary.BigEndian.AppendUint32([]byte("IHDR"), 50_000)
	chunk = binary.BigEndian.AppendUint32(chunk, 50_000)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	header = append(header, chunk[4:]...)
	return binary.BigEndian.AppendUint32(header, crc32.ChecksumIEEE(chunk))
}

func TestBadAttachments(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	path := "/v1/verifications/" + verificationID + "/evidence"
	of := func(parts ...part) call {
		body, contentType := form(parts...)
		return call{method: http.MethodPost, path: path, body: body, contentType: contentType}
	}
	set := w.papers()
	kind := part{name: "requirement", content: []byte("payment_method")}
	picture := part{name: "file", fileName: "a.png", content: set.PaymentMethod}
	whole, wholeType := form(kind, picture)
	tests := []struct {
		name string
		call call
		want refusal
	}{
		{"a program that says it is a picture", evidence(verificationID, "payment_method", "", []byte("#!/bin/sh\necho hello\n")), refusal{415, "attachment_type_not_accepted", "file"}},
		{"a picture of 50,000 × 50,000", evidence(verificationID, "payment_method", "", hugePNG()), refusal{413, "image_too_large", "file"}},
		{"an empty attachment", evidence(verificationID, "payment_method", "", nil), refusal{422, "attachment_empty", "file"}},
		{"a truncated picture", evidence(verificationID, "payment_method", "", set.PaymentMethod[:len(set.PaymentMethod)/2]), refusal{422, "attachment_unreadable", "file"}},
		{"an attachment over 20 MiB", evidence(verificationID, "payment_method", "", make([]byte, 20<<20+1)), refusal{413, "attachment_too_large", "file"}},
		{"a form over 21 MiB", evidence(verificationID, "payment_method", "", make([]byte, 22<<20)), refusal{413, "attachment_too_large", "file"}},
		{"two attachments at once", of(kind, picture, picture), refusal{422, "duplicate_field", "file"}},
		{"a part that does not exist", of(kind, part{name: "comment", content: []byte("hi")}, picture), refusal{422, "unknown_field", "comment"}},
		{"no attachment", of(kind), refusal{422, "required", "file"}},
		{"no requirement", of(picture), refusal{422, "required", "requirement"}},
		{"a requirement that does not exist", evidence(verificationID, "selfie", "", set.PaymentMethod), refusal{422, "requirement_unknown", "requirement"}},
		{"a government id without its type", evidence(verificationID, "government_id", "", set.GovernmentID), refusal{422, "required", "document_type"}},
		{"a business licence from a person", evidence(verificationID, "government_id", "business_licence", set.GovernmentID), refusal{422, "id.type_not_accepted", "document_type"}},
		{"a document type for a statement", evidence(verificationID, "billing_statement", "passport", set.BillingStatement), refusal{422, "document_type_not_expected", "document_type"}},
		{"a side that does not exist", of(kind, part{name: "side", content: []byte("left")}, picture), refusal{422, "side_unknown", "side"}},
		{"a text part that is too long", of(kind, part{name: "side", content: []byte(strings.Repeat("x", 101))}, picture), refusal{422, "too_long", "side"}},
		{"a form that ends early", call{method: "POST", path: path, body: whole[:len(whole)-200], contentType: wholeType}, refusal{400, "form_malformed", ""}},
		{"a form without a boundary", call{method: "POST", path: path, body: whole, contentType: "multipart/form-data"}, refusal{400, "form_malformed", ""}},
		{"JSON instead of a form", call{method: "POST", path: path, body: `{}`}, refusal{415, "media_type_not_accepted", "Content-Type"}},
		{"a verification that does not exist", evidence("ver_01jc0000000000000000000000", "payment_method", "", set.PaymentMethod), refusal{404, "not_found", ""}},
		{"a submission without evidence", post("/v1/verifications/"+verificationID+"/submit", ""), refusal{422, "evidence_missing", "requirements"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { w.on(t).refused(test.call, test.want) })
	}
}

func TestAHundredAttachmentsForOneItem(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	for range 10 {
		w.ok(201, evidence(verificationID, "billing_statement", "", w.papers().BillingStatement))
	}
	for range 3 {
		w.refused(evidence(verificationID, "billing_statement", "", w.papers().BillingStatement), refusal{409, "too_many_attachments", ""})
	}
	if got := len(w.ok(200, get("/v1/verifications/"+verificationID+"/evidence")).items()); got != 10 {
		t.Errorf("got %d, want 10", got)
	}
}

func TestWhatIsDoneAlready(t *testing.T) {
	w := newWorld(t)
	_, _, verificationID := w.rejected()
	caseID := w.submitted(verificationID)
	w.refused(post("/v1/verifications/"+verificationID+"/submit", ""), refusal{409, "verification_in_review", ""})
	w.refused(evidence(verificationID, "billing_statement", "", w.papers().BillingStatement), refusal{409, "verification_in_review", ""})
	decision := "/v1/cases/" + caseID + "/decision"
	for name, test := range map[string]struct {
		body string
		want refusal
	}{
		"another version":                      {`{"decision":"approve","expected_version":7}`, refusal{409, "case_changed", ""}},
		"no decision":                          {`{}`, refusal{422, "required", "decision"}},
		"a decision that does not exist":       {`{"decision":"shrug"}`, refusal{422, "decision_unknown", "decision"}},
		"a reason for an approval":             {`{"decision":"approve","reasons":[{"code":"id.blurred"}]}`, refusal{422, "reasons_not_expected", "reasons"}},
		"a request without a reason":           {`{"decision":"request_resubmission"}`, refusal{422, "reasons_required", "reasons"}},
		"a reason that is not catalogued":      {`{"decision":"request_resubmission","reasons":[{"requirement":"government_id","code":"id.ugly"}]}`, refusal{422, "reason_unknown", "reasons.code"}},
		"a reason for another requirement":     {`{"decision":"request_resubmission","reasons":[{"requirement":"billing_statement","code":"id.blurred"}]}`, refusal{422, "reason_of_another_requirement", "reasons.code"}},
		"a requirement that does not exist":    {`{"decision":"decline","reasons":[{"requirement":"selfie","code":"id.blurred"}]}`, refusal{422, "requirement_unknown", "reasons[0].requirement"}},
		"an expected version before the first": {`{"decision":"approve","expected_version":0}`, refusal{422, "expected_version_out_of_range", "expected_version"}},
	} {
		t.Run(name, func(t *testing.T) { w.on(t).refused(post(decision, test.body), test.want) })
	}
	w.ok(200, post(decision, `{"decision":"decline","reasons":[{"code":"policy.other"}]}`))
	w.refused(post(decision, `{"decision":"approve"}`), refusal{409, "case_decided", ""})
	w.refused(post(decision, `{"decision":"approve","expected_version":1}`), refusal{409, "case_decided", ""})
	w.refused(post("/v1/verifications/"+verificationID+"/submit", ""), refusal{409, "verification_declined", ""})
	w.refused(post("/v1/verifications/"+verificationID+"/cancel", ""), refusal{409, "verification_declined", ""})
}

func TestAnotherTenantSeesNothing(t *testing.T) {
	w := newWorld(t)
	accountID, paymentID, verificationID := w.rejected()
	caseID := w.submitted(verificationID)
	methodID := w.ok(200, get("/v1/accounts/"+accountID+"/payment_methods")).items()[0]["id"].(string)
	ticketID := w.ok(201, post("/v1/tickets", `{"account_id":"`+accountID+`","message":"help"}`)).text("id")
	endpointID := w.ok(201, post("/v1/webhook_endpoints", `{"url":"https://example.com/hook"}`)).text("id")
	other := w.NewTenant("Other")
	_, key := w.NewKey(other.ID)
	own := w.ok(201, call{method: "POST", path: "/v1/accounts", body: `{"kind":"individual","name":"Own"}`, key: key}).text("id")
	evidenceCall := evidence(verificationID, "payment_method", "", w.papers().PaymentMethod)
	for name, c := range map[string]call{
		"its account":                  get("/v1/accounts/" + accountID),
		"a change of its account":      {method: "PATCH", path: "/v1/accounts/" + accountID, body: `{"name":"x"}`},
		"its payment methods":          get("/v1/accounts/" + accountID + "/payment_methods"),
		"a method for its account":     post("/v1/accounts/"+accountID+"/payment_methods", `{"kind":"wallet"}`),
		"its messages":                 get("/v1/accounts/" + accountID + "/messages"),
		"a session in its account":     post("/v1/accounts/"+accountID+"/portal_sessions", ""),
		"its payment":                  get("/v1/payments/" + paymentID),
		"a payment of its account":     post("/v1/payments", risky(accountID)),
		"a payment with its method":    post("/v1/payments", strings.Replace(risky(own), `"amount"`, `"payment_method_id":"`+methodID+`","amount"`, 1)),
		"its payments":                 get("/v1/payments?account_id=" + accountID),
		"its verification":             get("/v1/verifications/" + verificationID),
		"its evidence":                 get("/v1/verifications/" + verificationID + "/evidence"),
		"evidence for it":              evidenceCall,
		"its submission":               post("/v1/verifications/"+verificationID+"/submit", ""),
		"its cancellation":             post("/v1/verifications/"+verificationID+"/cancel", ""),
		"a verification of its holder": post("/v1/verifications", `{"account_id":"`+accountID+`","type":"payment_security"}`),
		"its case":                     get("/v1/cases/" + caseID),
		"a decision on its case":       post("/v1/cases/"+caseID+"/decision", `{"decision":"approve"}`),
		"its ticket":                   get("/v1/tickets/" + ticketID),
		"a ticket for its holder":      post("/v1/tickets", `{"account_id":"`+accountID+`","message":"x"}`),
		"its endpoint":                 {method: "DELETE", path: "/v1/webhook_endpoints/" + endpointID},
	} {
		t.Run(name, func(t *testing.T) {
			c.key = key
			before := w.Digest()
			out := w.on(t).do(c)
			if out.status != 404 || out.text("code") != "not_found" {
				t.Errorf("got %d %s, want 404 not_found", out.status, out.body)
			}
			if w.Digest() != before {
				t.Error("it wrote something")
			}
		})
	}
	for _, path := range []string{"/v1/verifications", "/v1/cases", "/v1/webhook_endpoints"} {
		if got := w.ok(200, call{method: "GET", path: path, key: key}).items(); len(got) != 0 {
			t.Errorf("%s: got %v, want none", path, got)
		}
	}
	if got := w.ok(200, call{method: "GET", path: "/v1/accounts", key: key}).items(); len(got) != 1 {
		t.Errorf("got %d accounts, want its own", len(got))
	}
	if events := w.ok(200, call{method: "GET", path: "/v1/events", key: key}).body; strings.Contains(events, accountID) {
		t.Error("the events tell of another tenant's account")
	}
}

func TestKeys(t *testing.T) {
	w := newWorld(t)
	revoked, secret := w.NewKey(w.Tenant.ID)
	w.ok(200, call{method: "GET", path: "/v1/accounts", key: secret})
	if err := w.Service.RevokeKey(t.Context(), w.Tenant.ID, revoked.ID); err != nil {
		t.Fatal(err)
	}
	bodies := map[string]bool{}
	for name, c := range map[string]call{
		"no key":                       {key: "-"},
		"a key that never was":         {key: "pk_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"a key that was revoked":       {key: secret},
		"something else":               {key: "-", header: map[string]string{"Authorization": "Basic " + w.Key}},
		"a key in small letters":       {key: strings.ToLower(w.Key)},
		"a key that is very long":      {key: "pk_live_" + strings.Repeat("A", 10_000)},
		"no key and no such path":      {key: "-", path: "/v1/nothing"},
		"no key and a body over limit": {key: "-", method: "POST", body: strings.Repeat("x", 2<<20)},
		"no key and a card number":     {key: "-", method: "POST", body: `{"name":"` + aCardNumber + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if c.method == "" {
				c.method = http.MethodGet
			}
			if c.path == "" {
				c.path = "/v1/accounts"
			}
			out := w.on(t).refused(c, refusal{401, "api_key_unknown", ""})
			if out.header.Get("WWW-Authenticate") == "" {
				t.Error("the answer does not say how to authenticate")
			}
			bodies[strings.Replace(out.body, out.text("request_id"), "", 1)] = true
		})
	}
	if len(bodies) != 1 {
		t.Errorf("got %d different answers to keys that are not valid, want one: %v", len(bodies), bodies)
	}
	if strings.Contains(w.Log(), "pk_live_") {
		t.Error("the log holds a key")
	}
}

func TestOutsideADemoTheClockDoesNotExist(t *testing.T) {
	w := over(t, installation.New(t, installation.Options{NoDemo: true}), false)
	w.refused(get("/v1/demo/clock"), refusal{404, "not_found", ""})
	w.refused(post("/v1/demo/clock", `{"advance_seconds":5}`), refusal{404, "not_found", ""})
}
