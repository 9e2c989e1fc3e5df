package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/probity/probity/internal/edge/api"
	"github.com/probity/probity/internal/testkit/installation"
)

const aPast = `"amount":{"amount_minor":1250,"currency":"USD"},"occurred_at":"2026-10-01T10:00:00Z"`

// bring sends past payments, and returns the answers about lines and the last one about all.
func (w *world) bring(body string) (lines []answer, last answer) {
	w.t.Helper()
	for _, one := range w.send("/v1/payments/history", body) {
		if one.json["line"] != nil {
			lines = append(lines, one)
		}
		last = one
	}
	if last.json["done"] != true {
		w.t.Errorf("the last line is %s", last.body)
	}
	return lines, last
}

func TestPastPaymentsTeachAndDecideNothing(t *testing.T) {
	w := newWorld(t)
	known, _ := w.account()
	stranger, _ := w.account()
	w.ok(200, call{method: "PATCH", path: "/v1/accounts/" + known, body: `{"external_id":"customer-17"}`})
	var body strings.Builder
	for i := range 30 {
		fmt.Fprintf(&body, `{"id":"old-%d","account_external_id":"customer-17","fingerprint":"fp_1","method_kind":"card","amount":{"amount_minor":90000,"currency":"USD"},`+
			`"location":{"country":"BR","region":"SP"},"device":{"id":"dev-1"},"merchant":"compute","occurred_at":"2026-10-%02dT10:00:00Z"}`+"\n", i, i+1)
	}
	state := w.State()
	refused, last := w.bring(body.String())
	w.told(refused)
	if last.number("imported") != 30 || last.number("through") != 30 || last.json["known"] != nil || last.json["refused"] != nil {
		t.Errorf("got %s", last.body)
	}
	w.did(state, map[string]int{"payments": 30})

	state = w.State()
	_, again := w.bring(body.String())
	if again.number("known") != 30 || again.json["imported"] != nil {
		t.Errorf("sent again: got %s", again.body)
	}
	w.did(state, nil)

	large := func(accountID string) string {
		return `{"account_id":"` + accountID + `","amount":{"amount_minor":90000,"currency":"USD"},"location":{"country":"BR","region":"SP"},"device":{"id":"dev-1"},"merchant":"compute"}`
	}
	if got := w.ok(201, post("/v1/payments", large(known))).text("outcome"); got != "approved" {
		t.Errorf("what the account has done thirty times: got %s", got)
	}
	if got := w.ok(201, post("/v1/payments", large(stranger))).text("outcome"); got != "rejected" {
		t.Errorf("of an account without a past: got %s", got)
	}
}

func TestLinesOfHistoryThatAreRefused(t *testing.T) {
	w := newWorld(t)
	accountID, methodID := w.account()
	who := `"account_id":"` + accountID + `"`
	w.bring(`{"id":"taken",` + who + "," + aPast + "}")
	type line struct{ text, want string }
	lines := []line{
		{`{"id":"good",` + who + "," + aPast + "}", ""},
		{`{` + who + "," + aPast + "}", "422 required id"},
		{`{"id":"",` + who + "," + aPast + "}", "422 too_short id"},
		{`{"id":"a",` + aPast + "}", "422 required account_id"},
		{`{"id":"a","account_external_id":"x",` + who + "," + aPast + "}", "422 account_given_twice account_external_id"},
		{`{"id":"a","account_id":"acct_none",` + aPast + "}", "404 not_found account_id"},
		{`{"id":"a","account_external_id":"nobody",` + aPast + "}", "404 not_found account_external_id"},
		{`{"id":"a",` + who + `,"payment_method_id":"pm_none",` + aPast + "}", "404 not_found payment_method_id"},
		{`{"id":"a",` + who + `,"payment_method_id":"` + methodID + `","fingerprint":"f",` + aPast + "}", "422 method_given_twice payment_method_id"},
		{`{"id":"a",` + who + `,"amount":{"amount_minor":-1250,"currency":"USD"},"occurred_at":"2026-10-01T10:00:00Z"}`, "422 amount_out_of_range amount.amount_minor"},
		{`{"id":"a",` + who + `,"amount":{"amount_minor":12.5,"currency":"USD"},"occurred_at":"2026-10-01T10:00:00Z"}`, "422 wrong_type amount.amount_minor"},
		{`{"id":"a",` + who + `,"amount":{"amount_minor":1,"currency":"XXX"},"occurred_at":"2026-10-01T10:00:00Z"}`, "422 currency_unknown amount.currency"},
		{`{"id":"a",` + who + `,"amount":{"amount_minor":1250,"currency":"USD"}}`, "422 required occurred_at"},
		{`{"id":"a",` + who + `,"amount":{"amount_minor":1250,"currency":"USD"},"occurred_at":"2026-12-01T10:00:00Z"}`, "422 occurred_at_out_of_range occurred_at"},
		{`{"id":"a",` + who + `,"amount":{"amount_minor":1250,"currency":"USD"},"occurred_at":"yesterday"}`, "422 time_malformed occurred_at"},
		{`{"id":"a",` + who + `,"outcome":"review",` + aPast + "}", "422 outcome_unknown outcome"},
		{`{"id":"a",` + who + `,"method_kind":"cash",` + aPast + "}", "422 method_kind_unknown method_kind"},
		{`{"id":"a",` + who + `,"fraud":"yes",` + aPast + "}", "422 wrong_type fraud"},
		{`{"id":"a",` + who + `,"known_at":"2026-10-02T10:00:00Z",` + aPast + "}", "422 known_at_without_fraud known_at"},
		{`{"id":"a",` + who + `,"fraud":true,"known_at":"2026-09-02T10:00:00Z",` + aPast + "}", "422 known_at_out_of_range known_at"},
		{`{"id":"a",` + who + `,"note":"x",` + aPast + "}", "422 unknown_field note"},
		{`{"id":"a",` + who + `,"merchant":"` + aCardNumber + `",` + aPast + "}", "422 pan_not_accepted merchant"},
		{`{"id":"` + aCardNumber + `",` + who + `,` + aPast + "}", "422 pan_not_accepted id"},
		{`{"id":"taken",` + who + `,"merchant":"other",` + aPast + "}", "422 external_id_reused id"},
		{`[]`, "422 wrong_type"}, {`{`, "400 json_malformed"}, {strings.Repeat("x", 40_000), "413 line_too_long"},
		{`{"id":"taken",` + who + "," + aPast + "}", ""},
		{`{"id":"zero",` + who + `,"amount":{"amount_minor":0,"currency":"USD"},"occurred_at":"2026-10-01T10:00:00Z"}`, ""},
		{`{"id":"ancient",` + who + `,"amount":{"amount_minor":1,"currency":"USD"},"occurred_at":"1999-10-01T10:00:00Z"}`, ""},
	}
	var body []string
	var want []string
	for i, one := range lines {
		body = append(body, one.text)
		if one.want != "" {
			want = append(want, fmt.Sprintf("%d %s", i+1, one.want))
		}
	}
	state := w.State()
	refused, last := w.bring(strings.Join(body, "\n"))
	w.told(refused, want...)
	if last.number("through") != float64(len(lines)) || last.number("imported") != 3 || last.number("known") != 1 || last.number("refused") != float64(len(want)) {
		t.Errorf("got %s", last.body)
	}
	w.did(state, map[string]int{"payments": 3})
}

func TestPastPaymentsBringWhatTurnedOut(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	line := `{"id":"bad","account_id":"` + accountID + `","merchant":"m","outcome":"rejected","fraud":true,"known_at":"2026-10-05T10:00:00Z",` + aPast + "}\n" +
		`{"id":"fine","account_id":"` + accountID + `","merchant":"m","fraud":false,` + aPast + "}\n"
	state := w.State()
	refused, last := w.bring(line)
	w.told(refused)
	w.did(state, map[string]int{"payments": 2, "payment_findings": 2, "profiles": 1}, "payment.outcome_reported", "payment.outcome_reported")
	if last.number("imported") != 2 {
		t.Errorf("got %s", last.body)
	}
	state = w.State()
	w.bring(line)
	w.did(state, nil)
}

func TestHistoryGoesOnWhereItBrokeOff(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/payments/history",
		io.MultiReader(strings.NewReader(`{"id":"1","account_id":"`+accountID+`",`+aPast+"}\n"+`{"id":"2","account_id":"`+accountID+`",`+aPast+"}"), brokenBody{}))
	r.Header.Set("Authorization", "Bearer "+w.Key)
	r.Header.Set("Content-Type", "application/x-ndjson")
	recorder := httptest.NewRecorder()
	state := w.State()
	w.handler.ServeHTTP(recorder, r)
	answers := answersIn(t, recorder.Body.String())
	if got := answers[0].told(); got != "2 400 body_incomplete" {
		t.Errorf("got %s", recorder.Body)
	}
	w.did(state, map[string]int{"payments": 1})
}

func TestHistoryTellsHowFarItIsWhileItIsSent(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	body, into := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/payments/history", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.Key)
	r.Header.Set("Content-Type", "application/x-ndjson")
	go func() { _, _ = io.WriteString(into, `{"id":"1","account_id":"`+accountID+`",`+aPast+"}\n") }()
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answers := bufio.NewScanner(response.Body)
	if !answers.Scan() || answersIn(t, answers.Text())[0].number("through") != 1 {
		t.Fatalf("got %q, %v", answers.Text(), answers.Err())
	}
	_ = into.Close()
	if !answers.Scan() || answersIn(t, answers.Text())[0].json["done"] != true {
		t.Errorf("got %q, %v", answers.Text(), answers.Err())
	}
}

func FuzzHistory(f *testing.F) {
	i := installation.New(f, installation.Options{})
	handler := api.Handler(api.Config{Service: i.Service})
	for _, seed := range []string{"", "\n", "{}", `{"id":"1","account_id":"a",` + aPast + "}", `{"id":"1","account_external_id":"a\u0000b",` + aPast + `,"fraud":true,"known_at":null}`,
		"\xef\xbb\xbf{\"id\":5}\r\n[", `{"id":"1","account_id":"a","fraud":tru` + aPast} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/payments/history", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+i.Key)
		r.Header.Set("Content-Type", "application/x-ndjson")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		want, refused := 0, 0
		for line := range strings.Lines(strings.TrimPrefix(body, "\xef\xbb\xbf")) {
			if strings.TrimSpace(line) != "" {
				want++
			}
		}
		answers := answersIn(t, recorder.Body.String())
		for _, a := range answers {
			if a.json["line"] != nil {
				refused++
			}
		}
		// No account exists, so every line is refused, by its number.
		last := answers[len(answers)-1]
		if refused != want || last.json["done"] != true || last.number("refused") != float64(want) {
			raw, _ := json.Marshal(body)
			t.Errorf("got %s to %s", recorder.Body, raw)
		}
	})
}

// BenchmarkHistory measures how many past payments of a thousand accounts come in each second, over the API and durably.
func BenchmarkHistory(b *testing.B) {
	for name, label := range map[string]string{"plain": "", "labelled": `,"fraud":false`} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			var accounts []string
			for range 1000 {
				accounts = append(accounts, w.ok(201, post("/v1/accounts", `{"kind":"individual","name":"Bench"}`)).text("id"))
			}
			const lines = 20_000
			sent := 0
			for b.Loop() {
				var body strings.Builder
				for range lines {
					fmt.Fprintf(&body, `{"id":"p%d","account_id":"%s","amount":{"amount_minor":%d,"currency":"USD"},"ip":"203.0.113.7","location":{"country":"SG","city":"Singapore"},`+
						`"device":{"id":"dev-1"},"merchant":"m%d","fingerprint":"fp","occurred_at":"2026-10-01T10:00:00Z"%s}`+"\n", sent, accounts[sent%len(accounts)], 100+sent%900, sent%50, label)
					sent++
				}
				if _, last := w.bring(body.String()); last.number("imported") != lines {
					b.Fatal(last.body)
				}
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "payments/s")
		})
	}
}
