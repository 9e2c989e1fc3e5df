package api

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/installation"
)

// ordinary is a payment as programs write it.
const ordinary = `{"account_id":"acct_01jc0000000000000000000000","payment_method_id":"pm_01jc0000000000000000000000","amount":{"amount_minor":1250,"currency":"USD"},` +
	`"ip":"203.0.113.7","location":{"country":"BR","region":"SP","city":"São Paulo"},"device":{"id":"dev-7c1f"},"merchant":"compute","occurred_at":"2026-11-09T01:59:00.123456789Z"}`

// told is an edge whose payments are not decided but noted.
type told struct {
	*edge
	key      string
	attempts []payment.Attempt
	repeats  []service.IdempotentRequest
	view     service.PaymentView
	stored   service.StoredAnswer
	replayed bool
	err      error
}

func newTold(t testing.TB) *told {
	i := installation.New(t, installation.Options{})
	out := &told{edge: newEdge(Config{Service: i.Service}), key: i.Key, view: service.PaymentView{Payment: payment.Payment{
		ID: "pay_01jc0000000000000000000000", Outcome: payment.Approved, PolicyVersion: "1", CreatedAt: installation.Start,
		Attempt: payment.Attempt{AccountID: "acct_01jc0000000000000000000000", Amount: money.Amount{AmountMinor: 1, Currency: "USD"}, OccurredAt: installation.Start},
	}}}
	out.authorize = func(_ context.Context, _ access.Actor, request service.PaymentRequest) service.PaymentResult {
		out.attempts, out.repeats = append(out.attempts, request.Attempt), append(out.repeats, request.Repeat)
		return service.PaymentResult{View: out.view, Stored: out.stored, Replayed: out.replayed, Err: out.err}
	}
	return out
}

// ask sends a body. The general way is taken by a body without a length.
func (to *told) ask(t testing.TB, body string, general bool, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, paymentPath, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+to.key)
	r.Header.Set("Content-Type", "application/json")
	if general {
		r.ContentLength = -1
	}
	if change != nil {
		change(r)
	}
	recorder := httptest.NewRecorder()
	to.serve(recorder, r)
	return recorder
}

func TestOrdinaryPaymentsAreReadThePlainWay(t *testing.T) {
	for name, body := range map[string]string{
		"with everything":      ordinary,
		"with what is needed":  `{"account_id":"a","amount":{"amount_minor":1,"currency":"JPY"}}`,
		"with white space":     " {\n\t\"amount\" : { \"currency\" : \"USD\" , \"amount_minor\" : 1000000000000000 } , \"account_id\" : \"a\" }\r\n",
		"with another order":   `{"merchant":"m","device":{"id":"d"},"location":{"country":"SG"},"amount":{"currency":"USD","amount_minor":5},"account_id":"a"}`,
		"with an IPv6 address": `{"account_id":"a","amount":{"amount_minor":1,"currency":"USD"},"ip":"2001:db8::7"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, ok := plainPayment([]byte(body), wantedOfPayment, nil); !ok {
				t.Error("took the general way")
			}
		})
	}
}

func TestWhatIsNotOrdinaryGoesTheGeneralWay(t *testing.T) {
	with := func(more string) string {
		return `{"account_id":"a","amount":{"amount_minor":1,"currency":"USD"}` + more + `}`
	}
	for name, body := range map[string]string{
		"nothing":                       ``,
		"no object":                     `[]`,
		"an account that is missing":    `{"amount":{"amount_minor":1,"currency":"USD"}}`,
		"an amount that is missing":     `{"account_id":"a"}`,
		"an amount of nothing":          `{"account_id":"a","amount":{}}`,
		"an amount of zero":             `{"account_id":"a","amount":{"amount_minor":0,"currency":"USD"}}`,
		"an amount below zero":          `{"account_id":"a","amount":{"amount_minor":-1,"currency":"USD"}}`,
		"an amount with a leading zero": `{"account_id":"a","amount":{"amount_minor":01,"currency":"USD"}}`,
		"an amount with a fraction":     `{"account_id":"a","amount":{"amount_minor":1.0,"currency":"USD"}}`,
		"an amount with an exponent":    `{"account_id":"a","amount":{"amount_minor":1e3,"currency":"USD"}}`,
		"an amount too large":           `{"account_id":"a","amount":{"amount_minor":1000000000000001,"currency":"USD"}}`,
		"an amount as text":             `{"account_id":"a","amount":{"amount_minor":"1","currency":"USD"}}`,
		"an unknown member":             with(`,"note":"x"`),
		"another case":                  with(`,"Merchant":"x"`),
		"a member twice":                with(`,"merchant":"x","merchant":"y"`),
		"null":                          with(`,"merchant":null`),
		"an escape":                     with(`,"merchant":"a\u0062"`),
		"a control character":           with(",\"merchant\":\"a\tb\""),
		"broken UTF-8":                  with(",\"merchant\":\"\xff\""),
		"a merchant too long":           with(`,"merchant":"` + strings.Repeat("x", 201) + `"`),
		"an address that is none":       with(`,"ip":"300.1.1.1"`),
		"a place without a country":     with(`,"location":{"city":"Bonn"}`),
		"a device without an id":        with(`,"device":{}`),
		"a day":                         with(`,"occurred_at":"2026-11-09"`),
		"a time zone":                   with(`,"occurred_at":"2026-11-09T10:00:00+01:00"`),
		"the zero instant":              with(`,"occurred_at":"0001-01-01T00:00:00Z"`),
		"a card number":                 with(`,"merchant":"4111 1111 1111 1111"`),
		"a card number in wide digits":  with(`,"merchant":"４１１１１１１１１１１１１１１１"`),
		"a key of a line":               with(`,"idempotency_key":"k"`),
		"a second document":             with(``) + `{}`,
		"an end too early":              `{"account_id":"a","amount":{"amount_minor":1,"currency":"USD"}`,
		"a comma too many":              with(`,`),
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := plainPayment([]byte(body), wantedOfPayment, nil); ok {
				t.Errorf("was read as %+v", got)
			}
		})
	}
}

// sameAnswer compares two answers but for the id that each request has of its own.
func sameAnswer(t *testing.T, plain, general *httptest.ResponseRecorder) {
	t.Helper()
	without := func(r *httptest.ResponseRecorder) (http.Header, string) {
		header := maps.Clone(r.Header())
		id := header.Get(headerRequestID)
		header.Del(headerRequestID)
		return header, strings.ReplaceAll(r.Body.String(), id, "(id)")
	}
	plainHeader, plainText := without(plain)
	generalHeader, generalText := without(general)
	if plain.Code != general.Code || plainText != generalText || !reflect.DeepEqual(plainHeader, generalHeader) {
		t.Errorf("the plain way answered %d %v %s\nthe general one %d %v %s", plain.Code, plainHeader, plainText, general.Code, generalHeader, generalText)
	}
}

func TestBothWaysAnswerTheSame(t *testing.T) {
	to := newTold(t)
	rejected := to.view
	rejected.Payment.Outcome, rejected.Payment.VerificationID = payment.Rejected, "ver_01jc0000000000000000000000"
	rejected.Payment.Reasons = []payment.Reason{{Code: "new_location", Message: `a "place" <not> seen & é`}, {Code: "two", Message: "\u2028\n"}}
	rejected.NextStep = service.NextStep{Kind: "verify", URL: "https://kyc.example.com/?a=b&c", Message: "Sign in."}
	for name, test := range map[string]struct {
		body     string
		view     service.PaymentView
		stored   service.StoredAnswer
		replayed bool
		err      error
		change   func(*http.Request)
	}{
		"an approval":          {body: ordinary, view: to.view},
		"a rejection":          {body: ordinary, view: rejected},
		"a refusal":            {body: ordinary, err: problem.Field("amount.currency", "currency_unknown", "not an active code")},
		"something missing":    {body: ordinary, err: problem.Missing("account")},
		"too much":             {body: ordinary, err: problem.New(problem.TooMany, "busy", "later")},
		"no database":          {body: ordinary, err: problem.New(problem.Unavailable, "unavailable", "later")},
		"an error of our own":  {body: ordinary, err: io.ErrUnexpectedEOF},
		"a wrong key":          {body: ordinary, change: func(r *http.Request) { r.Header.Set("Authorization", "Bearer pk_live_none") }},
		"no key":               {body: ordinary, change: func(r *http.Request) { r.Header.Del("Authorization") }},
		"no content type":      {body: ordinary, view: to.view, change: func(r *http.Request) { r.Header.Del("Content-Type") }},
		"another content type": {body: ordinary, change: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }},
		"a query":              {body: ordinary, change: func(r *http.Request) { r.URL.RawQuery = "x=1" }},
		"a body that breaks off": {body: ordinary[:50], change: func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{io.ErrUnexpectedEOF}))
		}},
		"an unknown member": {body: `{"account_id":"a","amount":{"amount_minor":1,"currency":"USD"},"x":1}`},
		"a card number":     {body: `{"account_id":"a","amount":{"amount_minor":1,"currency":"USD"},"merchant":"4111111111111111"}`},
	} {
		t.Run(name, func(t *testing.T) {
			to.view, to.stored, to.replayed, to.err, to.repeats = test.view, test.stored, test.replayed, test.err, nil
			plain := to.ask(t, test.body, false, test.change)
			general := to.ask(t, test.body, true, test.change)
			sameAnswer(t, plain, general)
			if len(to.repeats) == 2 && !reflect.DeepEqual(to.repeats[0], to.repeats[1]) || len(to.repeats) == 1 {
				t.Errorf("repeats: got %+v", to.repeats)
			}
		})
	}
}

func TestAPaymentIsWrittenAsAnyAnswerIs(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "plain", `"`, `\`, "<a&b>", "é", "\u2028", "\x7f", "\xff"}))
	orNone := rapid.Ptr(text, true)
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Custom(func(t *rapid.T) time.Time {
			return time.UnixMicro(rapid.Int64Range(-62135596800_000_000, 253402300799_000_000).Draw(t, "at")).UTC()
		})
		p := Payment{
			ID: text.Draw(t, "id"), AccountID: text.Draw(t, "account"), PaymentMethodID: orNone.Draw(t, "method"),
			Amount: Money{AmountMinor: rapid.Int64().Draw(t, "amount"), Currency: text.Draw(t, "currency")}, IP: orNone.Draw(t, "ip"),
			Merchant: orNone.Draw(t, "merchant"), OccurredAt: at.Draw(t, "occurred"), Outcome: text.Draw(t, "outcome"), Reasons: []Reason{},
			VerificationID: orNone.Draw(t, "verification"), PolicyVersion: text.Draw(t, "policy"), CreatedAt: at.Draw(t, "created"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "reasons") {
			p.Reasons = append(p.Reasons, Reason{Code: text.Draw(t, "code"), Message: text.Draw(t, "message")})
		}
		if rapid.Bool().Draw(t, "all") {
			p.Location = &PaidFrom{Country: text.Draw(t, "country"), Region: orNone.Draw(t, "region"), City: orNone.Draw(t, "city")}
			p.Device = &Device{ID: text.Draw(t, "device")}
			p.Error = &PaymentError{Code: text.Draw(t, "error"), Message: text.Draw(t, "why")}
			p.NextStep = &NextStep{Kind: text.Draw(t, "kind"), URL: text.Draw(t, "url"), Message: text.Draw(t, "what")}
		}
		var want bytes.Buffer
		if err := encode(&want, p); err != nil {
			t.Fatal(err)
		}
		if got := appendPayment(nil, &p); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("got %s, want %s", got, want.Bytes())
		}
	})
}

// A member that is added to the answer must be added to appendPayment, too: with values everywhere, nothing may be missing.
func TestEveryMemberOfAPaymentIsWritten(t *testing.T) {
	var p Payment
	fill(reflect.ValueOf(&p).Elem())
	var want bytes.Buffer
	if err := encode(&want, p); err != nil {
		t.Fatal(err)
	}
	if got := appendPayment(nil, &p); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got %s, want %s", got, want.Bytes())
	}
}

// fill gives every part of a value something.
func fill(v reflect.Value) {
	if at, isTime := v.Addr().Interface().(*time.Time); isTime {
		*at = installation.Start
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// The limits stand in the tags of the request, too.
func TestThePlainWayKnowsTheSameLimits(t *testing.T) {
	for _, test := range []struct {
		of    reflect.Type
		name  string
		limit int
	}{
		{typeOf[NewPayment](), "AccountID", longestID}, {typeOf[NewPayment](), "PaymentMethodID", longestID}, {typeOf[NewPayment](), "IP", longestIP},
		{typeOf[NewPayment](), "Merchant", longestMerchant}, {typeOf[Location](), "Region", longestPlace}, {typeOf[Location](), "City", longestPlace},
		{typeOf[Device](), "ID", longestDevice},
	} {
		field, _ := test.of.FieldByName(test.name)
		if got := field.Tag.Get("maxLength"); got != "" && got != strconv.Itoa(test.limit) {
			t.Errorf("%s.%s: the tag says %s, the plain way %d", test.of.Name(), test.name, got, test.limit)
		}
	}
	field, _ := typeOf[Money]().FieldByName("AmountMinor")
	if got := field.Tag.Get("maximum"); got != strconv.Itoa(largestAmount) {
		t.Errorf("the largest amount: the tag says %s", got)
	}
}

// Whatever the plain way takes, the general one takes too, as the same payment, and the guard finds no card number in it.
func FuzzPlainPayment(f *testing.F) {
	for _, seed := range []string{
		ordinary, `{"account_id":"","amount":{"amount_minor":1,"currency":""}}`, `{"account_id":"4111 1111 1111 1111","amount":{"amount_minor":4111111111111111,"currency":"USD"}}`,
		`{"amount":{"currency":"USD","amount_minor":1},"account_id":"a","ip":"::1%eth0","occurred_at":"2026-02-30T10:00:00Z"}`,
		`{"account_id":"acct_01jc4111111111111111000000","amount":{"amount_minor":12,"currency":"EUR"},"location":{"country":"","region":"","city":""},"device":{"id":""}}`,
		`{"account_id":"a","amount":{"amount_minor":12,"currency":"EUR"},"occurred_at":"2026-11-09T10:00:00,5Z"}`,
		`{"account_id":"a","amount":{"amount_minor":12,"currency":"EUR"},"occurred_at":"2026-11-09T24:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	to := newTold(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := plainPayment(slices.Clone(body), wantedOfPayment, nil)
		if !ok {
			return
		}
		if _, found, err := pan.FindInJSON(body); found || err != nil {
			t.Fatalf("the guard says %v, %v of %q", found, err, body)
		}
		to.attempts = nil
		answer := to.ask(t, string(body), true, nil)
		if answer.Code != http.StatusCreated || len(to.attempts) != 1 {
			t.Fatalf("the general way answered %d %s to %q", answer.Code, answer.Body, body)
		}
		if to.attempts[0] != got {
			t.Errorf("read as %+v, the general way as %+v: %q", got, to.attempts[0], body)
		}
	})
}

func BenchmarkThePlainWay(b *testing.B)   { benchmarkWay(b, false) }
func BenchmarkTheGeneralWay(b *testing.B) { benchmarkWay(b, true) }

// benchmarkWay measures everything of a payment over HTTP but the connection and the decision.
func benchmarkWay(b *testing.B, general bool) {
	to := newTold(b)
	to.authorize = func(context.Context, access.Actor, service.PaymentRequest) service.PaymentResult {
		return service.PaymentResult{View: to.view}
	}
	b.ReportAllocs()
	for b.Loop() {
		if answer := to.ask(b, ordinary, general, nil); answer.Code != http.StatusCreated {
			b.Fatal(answer.Body)
		}
	}
}
