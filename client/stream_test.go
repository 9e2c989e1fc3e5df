package client_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/probity/probity/client"
)

// lineServer answers lines, and breaks the connection where it is told to.
type lineServer struct {
	mutex       sync.Mutex
	connections int
	seen        map[string]int // by idempotency key or id, how often
	// answer writes what is answered to a line of a connection, both from 1, and reports whether the connection goes on.
	answer func(w http.ResponseWriter, connection, line int, sent map[string]any) bool
	end    func(w http.ResponseWriter, lines int)
}

func (s *lineServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.connections++
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	w.WriteHeader(http.StatusOK)
	lines := bufio.NewScanner(r.Body)
	count := 0
	for lines.Scan() {
		count++
		var sent map[string]any
		_ = json.Unmarshal(lines.Bytes(), &sent)
		for _, name := range []string{"idempotency_key", "id"} {
			if key, _ := sent[name].(string); key != "" {
				s.seen[key]++
			}
		}
		if !s.answer(w, s.connections, count, sent) {
			_ = control.Flush()
			panic(http.ErrAbortHandler)
		}
		_ = control.Flush()
	}
	if s.end != nil {
		s.end(w, count)
	}
}

func lineClient(t *testing.T, s *lineServer) *client.Client {
	t.Helper()
	s.seen = map[string]int{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return client.New(server.URL, "pk_live_k", client.WithLongestWait(1<<40), client.WithRetries(2))
}

func somePayments(count int) iter.Seq[client.BatchPayment] {
	return func(yield func(client.BatchPayment) bool) {
		for i := range count {
			if !yield(client.BatchPayment{NewPayment: client.NewPayment{AccountID: fmt.Sprintf("acct_%d", i)}}) {
				return
			}
		}
	}
}

func decided(w http.ResponseWriter, line int, sent map[string]any) {
	_, _ = fmt.Fprintf(w, `{"line":%d,"status":201,"payment":{"id":"pay","account_id":%q,"outcome":"approved"}}`+"\n", line, sent["account_id"])
}

func TestABatchGoesOnWhereItsConnectionBroke(t *testing.T) {
	s := &lineServer{answer: func(w http.ResponseWriter, connection, line int, sent map[string]any) bool {
		if connection < 3 && line == 5 {
			return false // four were answered, the fifth was not
		}
		decided(w, line, sent)
		return true
	}}
	c := lineClient(t, s)
	next := 0
	for answer, err := range c.DecidePayments(t.Context(), somePayments(20)) {
		if err != nil {
			t.Fatal(err)
		}
		if answer.Index != next || answer.Payment.AccountID != fmt.Sprintf("acct_%d", next) {
			t.Errorf("got %d %s, want %d", answer.Index, answer.Payment.AccountID, next)
		}
		next++
	}
	if next != 20 || s.connections != 3 || len(s.seen) != 20 {
		t.Errorf("got %d answers over %d connections to %d keys", next, s.connections, len(s.seen))
	}
}

func TestARefusedLineIsAnErrorOfItsPayment(t *testing.T) {
	c := lineClient(t, &lineServer{answer: func(w http.ResponseWriter, _, line int, _ map[string]any) bool {
		_, _ = fmt.Fprintf(w, `{"line":%d,"status":422,"problem":{"code":"required","field":"amount","status":422,"request_id":"r"}}`+"\n", line)
		return true
	}})
	for answer, err := range c.DecidePayments(t.Context(), somePayments(2)) {
		if err != nil || answer.Payment != nil || answer.Err.Code != "required" || answer.Err.Field != "amount" || answer.Err.Status != 422 {
			t.Errorf("got %+v, %v", answer, err)
		}
	}
}

func TestWhoHasSeenEnoughOfABatchGetsNoMore(t *testing.T) {
	s := &lineServer{answer: func(w http.ResponseWriter, _, line int, sent map[string]any) bool {
		decided(w, line, sent)
		return true
	}}
	c := lineClient(t, s)
	for answer, err := range c.DecidePayments(t.Context(), somePayments(1000)) {
		if err != nil {
			t.Fatal(err)
		}
		if answer.Index == 3 {
			break
		}
	}
	if s.connections != 1 {
		t.Errorf("got %d connections", s.connections)
	}
}

func TestABatchThatIsRefusedAsAWhole(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"code":"api_key_unknown","status":401}`))
	}))
	defer server.Close()
	var got []error
	for _, err := range client.New(server.URL, "k").DecidePayments(t.Context(), somePayments(3)) {
		got = append(got, err)
	}
	if len(got) != 1 || !client.IsCode(got[0], "api_key_unknown") {
		t.Errorf("got %v", got)
	}
}

func TestABatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := lineClient(t, &lineServer{answer: func(_ http.ResponseWriter, _, line int, _ map[string]any) bool {
		if line == 1 {
			cancel()
		}
		return true
	}})
	var got []error
	for _, err := range c.DecidePayments(ctx, somePayments(3)) {
		got = append(got, err)
	}
	if len(got) != 1 || !errors.Is(got[0], context.Canceled) {
		t.Errorf("got %v", got)
	}
}

func pastPayments(count int) iter.Seq[client.PastPayment] {
	return func(yield func(client.PastPayment) bool) {
		for i := range count {
			if !yield(client.PastPayment{ID: fmt.Sprintf("old-%d", i)}) {
				return
			}
		}
	}
}

func TestAnImportGoesOnWhereItsConnectionBroke(t *testing.T) {
	refused := 0
	s := &lineServer{answer: func(w http.ResponseWriter, connection, line int, sent map[string]any) bool {
		if sent["id"] == "old-2" || sent["id"] == "old-7" {
			_, _ = fmt.Fprintf(w, `{"line":%d,"status":422,"problem":{"code":"required","status":422}}`+"\n", line)
			refused++
		}
		if line%5 == 0 && connection > 1 || line == 5 {
			_, _ = fmt.Fprintf(w, `{"through":%d,"imported":%d,"refused":%d}`+"\n", line, line-refused, refused)
		}
		if connection == 1 && line == 9 {
			refused = 0
			return false // old-7 was refused, and not told of durably
		}
		return true
	}, end: func(w http.ResponseWriter, lines int) {
		_, _ = fmt.Fprintf(w, `{"through":%d,"imported":%d,"refused":%d,"done":true}`+"\n", lines, lines-refused, refused)
	}}
	c := lineClient(t, s)
	var told []int
	var last client.ImportProgress
	sum, err := c.ImportPayments(t.Context(), pastPayments(23), client.ImportListener{
		Refused:  func(index int, err *client.Error) { told = append(told, index) },
		Progress: func(p client.ImportProgress) { last = p },
	})
	if err != nil {
		t.Fatal(err)
	}
	want := client.ImportProgress{Through: 23, Imported: 21, Refused: 2}
	if sum != want || last != want || !slices.Equal(told, []int{2, 7}) || s.connections != 2 {
		t.Errorf("got %+v and %+v, refused %v, %d connections; want %+v", sum, last, told, s.connections, want)
	}
}

func TestAnImportThatIsStoppedSaysHowFarItCame(t *testing.T) {
	c := lineClient(t, &lineServer{answer: func(w http.ResponseWriter, _, line int, _ map[string]any) bool {
		if line == 4 {
			_, _ = w.Write([]byte(`{"through":4,"imported":4,"problem":{"code":"forbidden","status":403}}` + "\n"))
		}
		return true
	}})
	sum, err := c.ImportPayments(t.Context(), pastPayments(10), client.ImportListener{})
	if !client.IsCode(err, "forbidden") || sum.Through != 4 {
		t.Errorf("got %+v, %v", sum, err)
	}
}

func TestAnAnswerThatMakesNoSense(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":               "<html>\n",
		"a line that is none":   `{"line":0,"payment":{}}` + "\n",
		"a line never sent":     `{"line":99,"status":201,"payment":{"id":"x"}}` + "\n",
		"neither nor":           `{"line":1,"status":201}` + "\n",
		"nothing at all":        "",
		"a line without an end": strings.Repeat("x", 2<<20),
	} {
		t.Run(name, func(t *testing.T) {
			c := lineClient(t, &lineServer{answer: func(w http.ResponseWriter, _, _ int, _ map[string]any) bool {
				_, _ = w.Write([]byte(text))
				return false
			}})
			failed := false
			for _, err := range c.DecidePayments(t.Context(), somePayments(3)) {
				failed = failed || err != nil
			}
			if !failed {
				t.Error("nothing was said")
			}
		})
	}
}
