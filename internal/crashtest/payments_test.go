package crashtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/testkit/ledger"
	"github.com/probity/probity/internal/testkit/postgres"
)

// The size of the run: clients at once, what each asks about, and how often something is killed meanwhile.
const (
	payingClients    = 12
	paymentsOfClient = 200
	payingAccounts   = 10
	paymentKills     = 15
	linesOfBatch     = 20 // every third client sends its payments in batches
)

// asked is a payment that a client asked about: with which key and body, and what it was told, if it was.
type asked struct {
	key, body, answer string
	batch             bool // the body is a line of a batch
}

// rush is clients that pay all at once while the installation dies again and again.
type rush struct {
	*supervisor
	tenant   policy.Tenant
	policy   *risk.Policy
	accounts []string
	mu       sync.Mutex
	asked    []asked
}

func TestKillingItUnderLoadLosesNoDecisionAndInventsNone(t *testing.T) {
	for _, test := range []struct {
		name    string
		address func(testing.TB) string
		kill    func(r *rush, chance *rand.Rand)
	}{
		{"the process on sqlite", func(testing.TB) string { return "" }, func(r *rush, _ *rand.Rand) { r.kill() }},
		{"the process on postgres", postgres.DSN, func(r *rush, _ *rand.Rand) { r.kill() }},
		{"a connection of postgres", postgres.DSN, (*rush).killBackend},
	} {
		t.Run(test.name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			r := newRush(t, test.address(t))
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				chance := rand.New(rand.NewPCG(seed, 99))
				for {
					select {
					case <-stop:
						return
					case <-time.After(time.Duration(40+chance.IntN(260)) * time.Millisecond):
						test.kill(r, chance)
					}
				}
			}()
			var clients sync.WaitGroup
			for i := range payingClients {
				clients.Go(func() {
					if chance := rand.New(rand.NewPCG(seed, uint64(i))); i%3 == 0 {
						r.batches(i, chance)
					} else {
						r.client(i, chance)
					}
				})
			}
			clients.Wait()
			close(stop)
			<-stopped
			r.stop()
			t.Logf("%s, %d payments asked about", r, len(r.asked))
			if r.kills < 3 {
				t.Errorf("got %s, want it killed more often than that", r)
			}
			r.check()
		})
	}
}

func newRush(t *testing.T, dsn string) *rush {
	s := &supervisor{t: t, data: t.TempDir(), smtp: "25", dsn: dsn, budget: paymentKills}
	s.changed = sync.NewCond(&s.mu)
	r := &rush{supervisor: s, policy: holdingPolicy(t, s.data)}
	r.tenant = s.prepare("")
	s.start()
	p := &play{supervisor: s, random: rand.New(rand.NewPCG(1, 1))}
	for i := range payingAccounts {
		// Without an e-mail address, so that no mail is due.
		account := p.must(request{method: http.MethodPost, path: "/v1/accounts", contentType: "application/json", killAfter: -1,
			body: []byte(fmt.Sprintf(`{"kind":"individual","name":"Payer %d"}`, i))}).text("id")
		p.must(request{method: http.MethodPost, path: "/v1/accounts/" + account + "/payment_methods", contentType: "application/json", killAfter: -1,
			body: []byte(`{"kind":"wallet","brand":"PayNow","default":true}`)})
		r.accounts = append(r.accounts, account)
	}
	return r
}

// holdingPolicy is the policy that ships, and holds some payments for a person.
func holdingPolicy(t *testing.T, data string) *risk.Policy {
	t.Helper()
	text := strings.Replace(string(risk.DefaultYAML()), "\nthresholds:\n", `
thresholds:
  - {name: held, value: 9.80, unit: amount, meaning: What a person looks at.}
`, 1)
	text = strings.Replace(text, "\nrules:\n", `
rules:
  - name: Held
    code: held
    mode: active
    outcome: review
    priority: 50
    message: {en: A person looks at this payment.}
    when: payment.amount_reference >= threshold.held
`, 1)
	parsed, err := risk.ParsePolicy([]byte(text))
	if err == nil {
		err = os.WriteFile(filepath.Join(data, policyName), []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// members are the members of a payment of one of the accounts, as JSON.
func (r *rush) members(chance *rand.Rand) string {
	text := fmt.Sprintf(`"account_id":%q,"amount":{"amount_minor":%d,"currency":"USD"},"location":{"country":"BR"},"device":{"id":"d"},"occurred_at":%q`,
		r.accounts[chance.IntN(len(r.accounts))], 100+chance.IntN(900), time.Now().Add(-time.Duration(chance.IntN(300*24))*time.Hour).UTC().Format(time.RFC3339))
	if chance.IntN(150) == 0 {
		text = strings.Replace(strings.Replace(text, `"BR"`, `"NO"`, 1), `"amount_minor":`, `"amount_minor":9`, 1)
	}
	return text
}

// batches pays in batches. Lines without an answer are sent again, with their keys; now and then it gives up after one try.
func (r *rush) batches(number int, chance *rand.Rand) {
	for i := 0; i < paymentsOfClient; i += linesOfBatch {
		lines := make([]asked, linesOfBatch)
		for n := range lines {
			lines[n].batch, lines[n].key = true, fmt.Sprintf("batch-%d-%d", number, i+n)
			lines[n].body = fmt.Sprintf(`{%s,"idempotency_key":%q}`, r.members(chance), lines[n].key)
		}
		tries := 60
		if chance.IntN(8) == 0 {
			tries = 1
		}
		if left := r.sendLines(r.supervisor, lines, tries); left > 0 && tries > 1 {
			r.t.Errorf("%d lines of a batch are not answered\n%s", left, r.said.String())
		}
		r.mu.Lock()
		r.asked = append(r.asked, lines...)
		r.mu.Unlock()
	}
}

// sendLines sends lines until each has its answer, which it notes, or the tries are used up. It returns how many have none.
func (r *rush) sendLines(to *supervisor, lines []asked, tries int) (left int) {
	for ; tries > 0; tries-- {
		var open []*asked
		var body strings.Builder
		for i := range lines {
			if lines[i].answer == "" {
				open = append(open, &lines[i])
				body.WriteString(lines[i].body + "\n")
			}
		}
		if left = len(open); left == 0 {
			return 0
		}
		// What was answered before the connection broke counts.
		_, answers, _ := to.once(to.ready(), request{method: http.MethodPost, path: "/v1/payments/batch", contentType: "application/x-ndjson", body: []byte(body.String())})
		for line := range strings.Lines(string(answers)) {
			var one struct {
				Line, Status int
				Payment      json.RawMessage
			}
			if json.Unmarshal([]byte(line), &one) != nil || one.Line < 1 || one.Line > len(open) {
				break // cut off, or a refusal of the whole
			}
			switch one.Status {
			case http.StatusCreated:
				open[one.Line-1].answer = string(one.Payment)
				left--
			case http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInternalServerError: // not now
			default:
				r.t.Errorf("a line was answered %s", line)
			}
		}
		if left > 0 {
			<-time.After(20 * time.Millisecond)
		}
	}
	return left
}

// client pays one thing after another. It repeats what was not answered until it is; now and then it gives up after one try.
func (r *rush) client(number int, chance *rand.Rand) {
	for i := range paymentsOfClient {
		body := "{" + r.members(chance) + "}"
		one := asked{key: fmt.Sprintf("client-%d-%d", number, i), body: body}
		ask := request{method: http.MethodPost, path: "/v1/payments", key: one.key, contentType: "application/json", body: []byte(body), killAfter: -1}
		if chance.IntN(8) == 0 {
			if status, answer, err := r.once(r.ready(), ask); err == nil && status == http.StatusCreated {
				one.answer = string(answer)
			}
		} else if status, answer := r.call(ask); status == http.StatusCreated {
			one.answer = string(answer)
		} else {
			r.t.Errorf("a payment was answered %d %s", status, answer)
		}
		r.mu.Lock()
		r.asked = append(r.asked, one)
		r.mu.Unlock()
	}
}

// killBackend ends a process of PostgreSQL that works for the installation: mostly one connection, twice with kill -9, after which the
// whole database recovers from its log.
func (r *rush) killBackend(chance *rand.Rand) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kills >= r.budget {
		return
	}
	db, err := sql.Open("pgx", r.dsn)
	if err != nil {
		r.t.Errorf("open: %v", err)
		return
	}
	defer db.Close()
	var pid int
	// The database may be recovering from the last time.
	err = db.QueryRow("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'probity' AND pid <> pg_backend_pid() " +
		"ORDER BY random() LIMIT 1").Scan(&pid)
	if err != nil {
		return
	}
	r.kills++
	if r.kills%7 == 3 && chance != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
		return
	}
	_, _ = db.Exec("SELECT pg_terminate_backend($1)", pid)
}

// check starts the installation a last time, in this process, and compares what it has with what clients were told.
func (r *rush) check() {
	t, ctx := r.t, context.Background()
	t.Helper()
	c, err := config(r.data, r.smtp, r.dsn)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	key, err := a.Service.AuthenticateKey(ctx, r.key)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]string{} // outcome by id
	approved, held := 0, 0
	for _, account := range r.accounts {
		checked := ledger.Check(t, a.Store, r.policy, r.tenant.ID, account)
		approved, held = approved+checked.Approved, held+checked.Held
		for _, p := range checked.Entries {
			stored[p.ID] = string(p.Outcome)
		}
	}
	if approved == 0 || held == 0 {
		t.Errorf("got %d payments approved and %d held, want some of both", approved, held)
	}
	told := map[string]string{} // key by payment
	for _, one := range r.asked {
		if one.answer == "" {
			continue
		}
		var answer object
		if err := json.Unmarshal([]byte(one.answer), &answer); err != nil {
			t.Fatal(err)
		}
		if found, err := a.Service.Payment(ctx, key, answer.text("id")); err != nil || string(found.Payment.Outcome) != answer.text("outcome") ||
			stored[answer.text("id")] != answer.text("outcome") {
			t.Errorf("a payment was answered %s, and is %s (%v)", answer.text("outcome"), found.Payment.Outcome, err)
		}
		if before, twice := told[answer.text("id")]; twice {
			t.Errorf("%s and %s were told of the same payment", before, one.key)
		}
		told[answer.text("id")] = one.key
	}
	r.checkKeys(told, stored)
	r.repeat(told)
}

// checkKeys looks for two payments of one key, and for payments that nobody asked about.
func (r *rush) checkKeys(told, stored map[string]string) {
	t := r.t
	t.Helper()
	driver, address := "sqlite", "file:"+filepath.Join(r.data, "probity.db")
	if r.dsn != "" {
		driver, address = "pgx", r.dsn
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var payments, keys, approvedOfNobody int
	err = db.QueryRow("SELECT COUNT(*), COUNT(DISTINCT key_hash) FROM payments WHERE length(key_hash) > 0").Scan(&payments, &keys)
	if err == nil {
		err = db.QueryRow("SELECT COUNT(*) FROM payments WHERE length(key_hash) = 0").Scan(&approvedOfNobody)
	}
	if err != nil {
		t.Fatal(err)
	}
	if payments != keys || approvedOfNobody != 0 || payments > len(r.asked) || payments < len(told) || payments != len(stored) {
		t.Errorf("got %d payments for %d keys and %d without one; %d were asked about and %d answered", payments, keys, approvedOfNobody, len(r.asked), len(told))
	}
}

// repeat sends every request again, to the installation as it starts after the last kill: what was answered is answered in the same words,
// and what was not is decided once.
func (r *rush) repeat(told map[string]string) {
	t := r.t
	t.Helper()
	again := &supervisor{t: t, data: r.data, smtp: r.smtp, dsn: r.dsn, key: r.key}
	again.changed = sync.NewCond(&again.mu)
	again.start()
	defer again.stop()
	var lines []asked // as if nothing were known of them
	var before []string
	for _, one := range r.asked {
		if one.batch {
			lines, before = append(lines, asked{key: one.key, body: one.body, batch: true}), append(before, one.answer)
			continue
		}
		status, answer := again.call(request{method: http.MethodPost, path: "/v1/payments", key: one.key, contentType: "application/json",
			body: []byte(one.body), killAfter: -1})
		if status != http.StatusCreated || (one.answer != "" && string(answer) != one.answer) {
			t.Errorf("%s: got %d %s, want the answer that was given before: %s", one.key, status, answer, one.answer)
		}
	}
	if left := r.sendLines(again, lines, 60); left > 0 {
		t.Errorf("%d lines are not answered", left)
	}
	for i, line := range lines {
		if before[i] != "" && line.answer != before[i] {
			t.Errorf("%s: got %s, want the answer that was given before: %s", line.key, line.answer, before[i])
		}
	}
	if len(told) == 0 {
		t.Error("nothing was answered at all")
	}
}
