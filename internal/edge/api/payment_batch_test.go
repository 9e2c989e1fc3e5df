package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/probity/probity/internal/edge/api"
	"github.com/probity/probity/internal/testkit/installation"
)

// send sends lines and returns the answers, a JSON object each.
func (w *world) send(path, body string) []answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.Key)
	r.Header.Set("Content-Type", "application/x-ndjson")
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	if recorder.Code != http.StatusOK || recorder.Header().Get("Content-Type") != "application/x-ndjson" || recorder.Header().Get("X-Request-Id") == "" {
		w.t.Fatalf("got %d %v %s", recorder.Code, recorder.Header(), recorder.Body)
	}
	return answersIn(w.t, recorder.Body.String())
}

func answersIn(t testing.TB, text string) []answer {
	t.Helper()
	var out []answer
	for line := range strings.Lines(text) {
		one := answer{body: strings.TrimSuffix(line, "\n")}
		if err := json.Unmarshal([]byte(line), &one.json); err != nil {
			t.Fatalf("%q is no JSON object: %v", line, err)
		}
		one.status = int(one.number("status"))
		out = append(out, one)
	}
	return out
}

// told is "line status outcome-or-code" of an answer.
func (a answer) told() string {
	what, _ := a.object("payment")["outcome"].(string)
	if problem := a.object("problem"); problem != nil {
		what, _ = problem["code"].(string)
		if field, _ := problem["field"].(string); field != "" {
			what += " " + field
		}
		if id, _ := problem["request_id"].(string); id == "" || problem["status"] != a.json["status"] {
			what += " (incomplete)"
		}
	}
	if a.json["replayed"] == true {
		what += " again"
	}
	return fmt.Sprintf("%v %d %s", a.json["line"], a.status, what)
}

func (w *world) told(answers []answer, want ...string) {
	w.t.Helper()
	for i := range max(len(answers), len(want)) {
		switch {
		case i >= len(answers):
			w.t.Errorf("no answer for %q", want[i])
		case i >= len(want):
			w.t.Errorf("an answer too many: %s", answers[i].body)
		case answers[i].told() != want[i]:
			w.t.Errorf("got %q, want %q: %s", answers[i].told(), want[i], answers[i].body)
		}
	}
}

func small(accountID string) string {
	return `{"account_id":"` + accountID + `","amount":{"amount_minor":1250,"currency":"USD"}}`
}

func TestABatchIsDecidedLineByLine(t *testing.T) {
	w := newWorld(t)
	first, _ := w.account()
	second, _ := w.account()
	state := w.State()
	w.told(w.send("/v1/payments/batch", strings.Join([]string{
		small(first), "", risky(second), small(second), small("acct_none"), `{"account_id":"` + first + `"}`, "not json", "[]", "  ",
		`{"account_id":"` + first + `","amount":{"amount_minor":1250,"currency":"XXX"}}`,
		`{"account_id":"` + first + `","amount":{"amount_minor":-5,"currency":"USD"}}`,
		`{"account_id":"` + first + `","amount":{"amount_minor":1250,"currency":"USD"},"merchant":"` + aCardNumber + `"}`,
		`{"account_id":"` + first + `","amount":{"amount_minor":1250,"currency":"USD"},"note":"x"}`,
		`{"account_id":"` + first + `","amount":{"amount_minor":1250,"currency":"USD"},"idempotency_key":5}`,
		`{"account_id":"` + first + `","amount":{"amount_minor":1250,"currency":"USD"},"idempotency_key":"a b"}`,
		strings.Repeat("x", 20_000), small(first),
	}, "\n")),
		"1 201 approved", "3 201 rejected", "4 201 rejected", "5 404 not_found account_id", "6 422 required amount", "7 400 json_malformed",
		"8 422 wrong_type", "10 422 currency_unknown amount.currency", "11 422 amount_out_of_range amount.amount_minor", "12 422 pan_not_accepted merchant",
		"13 422 unknown_field note", "14 422 wrong_type idempotency_key", "15 422 idempotency_key_malformed idempotency_key", "16 413 line_too_long", "17 201 approved")
	w.did(state, map[string]int{"payments": 4, "restrictions": 1, "verifications": 1, "notices": 1, "messages": 1, "jobs": 1},
		"verification.opened", "restriction.placed", "payment.rejected", "notice.created", "payment.rejected")
	if strings.Contains(w.Log(), first) {
		t.Error("the log holds an account")
	}
}

func TestALineAnswersAsAPaymentDoes(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	answers := w.send("/v1/payments/batch", risky(accountID))
	alone := w.ok(200, get("/v1/payments/"+answers[0].object("payment")["id"].(string)))
	line, _ := json.Marshal(answers[0].object("payment"))
	single, _ := json.Marshal(alone.json)
	if string(line) != string(single) {
		t.Errorf("got %s, want %s", line, single)
	}
}

func TestARepeatedLineIsDecidedOnce(t *testing.T) {
	w := newWorld(t)
	first, _ := w.account()
	second, _ := w.account()
	keyed := func(line, key string) string {
		return strings.TrimSuffix(line, "}") + `,"idempotency_key":"` + key + `"}`
	}
	body := keyed(small(first), "one") + "\n" + keyed(risky(second), "two") + "\n"
	before := w.send("/v1/payments/batch", body)
	w.told(before, "1 201 approved", "2 201 rejected")
	state := w.State()
	after := w.send("/v1/payments/batch", body+keyed(small(first), "one")+"\n"+keyed(small(second), "one"))
	w.told(after, "1 201 approved again", "2 201 rejected again", "3 201 approved again", "4 422 idempotency_key_reused idempotency_key")
	w.did(state, nil)
	for i := range before {
		if first, again := marshalled(before[i].object("payment")), marshalled(after[i].object("payment")); first != again {
			t.Errorf("got %s, want %s", again, first)
		}
	}

	t.Run("twice in one batch, too", func(t *testing.T) {
		w := w.on(t)
		state := w.State()
		w.told(w.send("/v1/payments/batch", keyed(small(first), "three")+"\n"+keyed(small(first), "three")), "1 201 approved", "2 201 approved again")
		w.did(state, map[string]int{"payments": 1})
	})
	t.Run("a key decides one payment, in a line or alone", func(t *testing.T) {
		w := w.on(t)
		w.refused(call{method: "POST", path: "/v1/payments", body: small(first), idempotency: "one"}, refusal{422, "idempotency_key_reused", "Idempotency-Key"})
	})
}

func TestAManyLinedBatchKeepsItsOrder(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	const lines = 700 // more than are decided together
	var body strings.Builder
	for i := range lines {
		fmt.Fprintf(&body, `{"account_id":"%s","amount":{"amount_minor":%d,"currency":"USD"}}`+"\r\n", accountID, i+1)
	}
	answers := w.send("/v1/payments/batch", body.String())
	if len(answers) != lines {
		t.Fatalf("got %d answers", len(answers))
	}
	for i, a := range answers {
		amount, _ := a.object("payment")["amount"].(map[string]any)
		if a.number("line") != float64(i+1) || amount["amount_minor"] != float64(i+1) {
			t.Fatalf("answer %d is %s", i, a.body)
		}
	}
}

func TestAWholeBatchIsRefused(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	lines := call{method: "POST", path: "/v1/payments/batch", body: small(accountID), contentType: "application/x-ndjson"}
	for name, test := range map[string]struct {
		change func(*call)
		want   refusal
	}{
		"without a key":                {func(c *call) { c.key = "-" }, refusal{401, "api_key_unknown", ""}},
		"with a wrong key":             {func(c *call) { c.key = "pk_live_none" }, refusal{401, "api_key_unknown", ""}},
		"as one JSON document":         {func(c *call) { c.contentType = "application/json" }, refusal{415, "media_type_not_accepted", "Content-Type"}},
		"with one key for all":         {func(c *call) { c.idempotency = "all" }, refusal{422, "idempotency_key_not_expected", "Idempotency-Key"}},
		"with a query":                 {func(c *call) { c.path += "?x=1" }, refusal{422, "unknown_parameter", "query"}},
		"with a query that is no good": {func(c *call) { c.path += "?x=%zz" }, refusal{400, "query_malformed", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			c := lines
			test.change(&c)
			w.on(t).refused(c, test.want)
		})
	}
}

func TestNothingIsDecidedOfALineThatBrokeOff(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	state := w.State()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/payments/batch",
		io.MultiReader(strings.NewReader(small(accountID)+"\n"+small(accountID)), brokenBody{}))
	r.Header.Set("Authorization", "Bearer "+w.Key)
	r.Header.Set("Content-Type", "application/x-ndjson")
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	w.told(answersIn(t, recorder.Body.String()), "1 201 approved", "2 400 body_incomplete")
	w.did(state, map[string]int{"payments": 1})
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Over a real connection each line is answered before the next one is sent.
func TestABatchIsAnsweredWhileItIsSent(t *testing.T) {
	w := newWorld(t)
	accountID, _ := w.account()
	server := httptest.NewServer(w.handler)
	defer server.Close()
	body, into := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/payments/batch", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.Key)
	r.Header.Set("Content-Type", "application/x-ndjson")
	go func() { _, _ = io.WriteString(into, small(accountID)+"\n") }()
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answers := bufio.NewScanner(response.Body)
	for i := 1; i <= 3; i++ {
		if !answers.Scan() {
			t.Fatalf("no answer to line %d: %v", i, answers.Err())
		}
		w.told(answersIn(t, answers.Text()), strconv.Itoa(i)+" 201 approved")
		if i < 3 {
			if _, err := io.WriteString(into, small(accountID)+"\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = into.Close()
	if answers.Scan() || answers.Err() != nil {
		t.Errorf("after the last line came %q, %v", answers.Text(), answers.Err())
	}
}

func FuzzBatch(f *testing.F) {
	i := installation.New(f, installation.Options{})
	handler := api.Handler(api.Config{Service: i.Service})
	for _, seed := range []string{"", "\n\n", "{}", small("acct_x") + "\n" + small("acct_y"), `{"idempotency_key":null}`, "\xef\xbb\xbf{}", `{"idempotency_key":"k","account_id":1}` + "\r\n[1,2", "null\n\"x\"\n5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/payments/batch", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+i.Key)
		r.Header.Set("Content-Type", "application/x-ndjson")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		want := 0
		for line := range strings.Lines(strings.TrimPrefix(body, "\xef\xbb\xbf")) {
			if strings.TrimSpace(line) != "" {
				want++
			}
		}
		answers := answersIn(t, recorder.Body.String())
		if len(answers) != want {
			t.Fatalf("got %d answers to %d lines: %s", len(answers), want, recorder.Body)
		}
		for _, a := range answers {
			if code, _ := a.object("problem")["code"].(string); a.status < 400 || a.status >= 500 || code == "" {
				t.Errorf("got %s", a.body)
			}
		}
	})
}
