package crashtest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/policy"
)

// How often the installation is killed, and how many people go through the story meanwhile.
const (
	kills  = 60
	people = 9
	// paidByOne is how many payments each of the others makes.
	paidByOne = 5
)

func TestKillingItAtAnyMomentLosesNothingAndDoesNothingTwice(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	o := &outside{chance: 0.15, random: rand.New(rand.NewPCG(seed, 1)), sequences: map[string]float64{}, carried: map[string][]string{}}
	smtpPort, platform := o.open(t)
	s := &supervisor{t: t, data: t.TempDir(), smtp: strconv.Itoa(smtpPort), budget: kills}
	s.changed = sync.NewCond(&s.mu)
	o.kill = s.kill
	tenant := s.prepare(platform)
	s.start()
	p := &play{supervisor: s, random: rand.New(rand.NewPCG(seed, 2))}

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		p.stream(stop, rand.New(rand.NewPCG(seed, 3)))
	}()
	for i := range people {
		p.person(i, i%2 == 1)
	}
	close(stop)
	<-stopped
	s.stop()
	t.Logf("%s, %d payments", s, len(p.answers))
	if s.kills < kills/4 {
		t.Errorf("got %s, want it killed more often than that", s)
	}
	p.check(o, tenant)
}

// prepare makes the tenant and its key, as the commands of the operator do.
func (s *supervisor) prepare(platform string) policy.Tenant {
	c, err := config(s.data, s.smtp, s.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := app.Open(s.t.Context(), c)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	tenant, err := a.Service.CreateTenant(s.t.Context(), policy.Tenant{Name: "Harbour Cloud", TimeZone: "Asia/Shanghai", ConnectorURL: platform})
	if err != nil {
		s.t.Fatal(err)
	}
	_, secret, err := a.Service.CreateKey(s.t.Context(), tenant.ID, "platform")
	if err != nil {
		s.t.Fatal(err)
	}
	s.key = secret.Reveal()
	return tenant
}

// play is the scripted platform, with what it was answered.
type play struct {
	*supervisor
	random   *rand.Rand
	mu       sync.Mutex
	answers  map[string]object // payments by idempotency key
	accounts []string          // of the people, in order
	evidence int

	bystanders int // accounts that only pay; belongs to stream until it has stopped
}

// post makes a POST with an idempotency key, and now and then kills the installation while it is under way.
func (p *play) post(path, key string, body any) object {
	p.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.must(request{method: http.MethodPost, path: path, key: key, contentType: "application/json", body: raw, killAfter: p.moment()})
}

// moment is when the next request is killed, counted from its start; mostly never.
func (p *play) moment() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.random.Float64() > 0.3 {
		return -1
	}
	return time.Duration(p.random.Int64N(int64(12 * time.Millisecond)))
}

func (p *play) account(i int) (account, method string) {
	p.t.Helper()
	name := "person-" + strconv.Itoa(i)
	account = p.post("/v1/accounts", name+"-account", object{
		"external_id": name, "kind": "individual", "name": "Person Number " + strconv.Itoa(i), "email": name + "@mail.example", "time_zone": "Asia/Shanghai",
	}).text("id")
	method = p.post("/v1/accounts/"+account+"/payment_methods", name+"-method", object{
		"kind": "card", "brand": "visa", "first6": "400012", "last4": "9876", "holder_name": "PERSON", "default": true,
	}).text("id")
	return account, method
}

func (p *play) pay(key, account, method string, minor int) object {
	p.t.Helper()
	answer := p.post("/v1/payments", key, object{
		"account_id": account, "payment_method_id": method, "amount": object{"amount_minor": minor, "currency": "USD"},
		"location": object{"country": "BR", "region": "SP"},
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers == nil {
		p.answers = map[string]object{}
	}
	p.answers[key] = answer
	return answer
}

// stream makes small payments all the time.
func (p *play) stream(stop <-chan struct{}, random *rand.Rand) {
	var account, method string
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
			if i%paidByOne == 0 { // the policy takes many payments within minutes for what they are
				account, method = p.account(1000 + i/paidByOne)
				p.bystanders++
			}
			p.pay(fmt.Sprintf("stream-%d", i), account, method, 100+random.IntN(900))
		}
	}
}

// person plays the story of one account; a late one misses the due date first.
func (p *play) person(i int, late bool) {
	p.t.Helper()
	account, method := p.account(i)
	p.accounts = append(p.accounts, account)
	key := "person-" + strconv.Itoa(i)
	rejected := p.pay(key+"-pay", account, method, 90000)
	verification := rejected.text("verification_id")
	if rejected.text("outcome") != "rejected" || verification == "" {
		p.t.Fatalf("got %v, want a rejection", rejected)
	}
	path := "/v1/verifications/" + verification
	p.until("the receipt of the alert", path, func(v object) bool { return v.text("due_at") != "" })
	if late {
		for range 6 {
			p.must(request{
				method: http.MethodPost, path: "/v1/demo/clock", contentType: "application/json", body: []byte(`{"advance_seconds": 86400}`), killAfter: p.moment(),
			})
		}
		p.until("the suspension", "/v1/accounts/"+account, func(a object) bool {
			enforcement, _ := a["enforcement"].(map[string]any)
			return object(enforcement).text("state") == "suspended"
		})
	}
	for _, requirement := range []string{"government_id", "payment_method", "billing_statement"} {
		body, contentType := form(requirement)
		p.must(request{
			method: http.MethodPost, path: path + "/evidence", key: key + "-" + requirement, contentType: contentType, body: body, killAfter: p.moment(),
		})
		p.evidence++
	}
	submitted := p.post(path+"/submit", key+"-submit", object{})
	if submitted.text("query_code") == "" {
		p.t.Fatalf("got %v, want a query code", submitted)
	}
	p.post("/v1/cases/"+submitted.text("case_id")+"/decision", key+"-decide", object{"decision": "approve"})
	if retry := p.pay(key+"-retry", account, method, 90000); retry.text("outcome") != "approved" {
		p.t.Errorf("got the retry %s, want it approved", retry.text("outcome"))
	}
}

var picture = sync.OnceValue(func() []byte {
	img := image.NewGray(image.Rect(0, 0, 240, 240))
	for x := range 240 {
		for y := range 240 {
			img.SetGray(x, y, color.Gray{Y: uint8(x ^ y)})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
})

func form(requirement string) (body []byte, contentType string) {
	var out bytes.Buffer
	form := multipart.NewWriter(&out)
	_ = form.WriteField("requirement", requirement) // a buffer takes everything
	if requirement == "government_id" {
		_ = form.WriteField("document_type", "passport")
	}
	part, err := form.CreateFormFile("file", "photo.png")
	if err == nil {
		_, err = part.Write(picture())
	}
	if err != nil {
		panic(err)
	}
	_ = form.Close()
	return out.Bytes(), form.FormDataContentType()
}

// check starts the installation a last time, in this process, lets it finish its work, and compares it with what was answered.
func (p *play) check(o *outside, tenant policy.Tenant) {
	t, ctx := p.t, context.Background()
	t.Helper()
	o.mu.Lock()
	o.chance = 0
	o.mu.Unlock()
	c, err := config(p.data, p.smtp, p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	c.Serves = true
	a, err := app.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for range 3 { // jobs that were put back wait a little, in business time
		if _, err := a.Service.RunDueJobs(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Clock.Advance(2 * time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	key, err := a.Service.AuthenticateKey(ctx, p.key)
	if err != nil {
		t.Fatal(err)
	}
	p.checkPayments(a, key)
	p.checkOutside(o)
	p.checkRows(a, key, tenant)
}

func (p *play) checkPayments(a *app.App, key access.Actor) {
	t := p.t
	t.Helper()
	perAccount := map[string]int{}
	for name, answer := range p.answers {
		found, err := a.Service.Payment(context.Background(), key, answer.text("id"))
		if err != nil {
			t.Errorf("the payment %s was answered and is lost: %v", name, err)
			continue
		}
		if string(found.Payment.Outcome) != answer.text("outcome") {
			t.Errorf("the payment %s was answered %s and is %s", name, answer.text("outcome"), found.Payment.Outcome)
		}
		perAccount[answer.text("account_id")]++
	}
	for account, answered := range perAccount {
		stored, cursor := 0, ""
		for {
			page, next, err := a.Service.Payments(context.Background(), key, account, store.Page{Cursor: cursor, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			stored += len(page)
			if cursor = next; next == "" {
				break
			}
		}
		if stored != answered {
			t.Errorf("an account has %d payments, want the %d that were answered", stored, answered)
		}
	}
}

func (p *play) checkOutside(o *outside) {
	t := p.t
	t.Helper()
	subjects := map[string][]string{} // Message-IDs by recipient and subject
	for _, m := range o.mails {
		name := m.to + " " + m.subject
		if !slices.Contains(subjects[name], m.id) {
			subjects[name] = append(subjects[name], m.id)
		}
	}
	for name, ids := range subjects {
		if len(ids) != 1 {
			t.Errorf("%s was sent under %d Message-IDs, want 1: a repetition can't be told", name, len(ids))
		}
	}
	for i, account := range p.accounts {
		mails := 0
		for name := range subjects {
			if strings.HasPrefix(name, fmt.Sprintf("person-%d@", i)) {
				mails++
			}
		}
		want, commands := 3, "" // alert, submission, approval
		if i%2 == 1 {
			want, commands = 4, "suspend 1, resume 2"
		}
		if mails != want {
			t.Errorf("person %d got %d mails, want %d", i, mails, want)
		}
		if got := strings.Join(o.carried[account], ", "); got != commands {
			t.Errorf("person %d: the platform carried out %q, want %q", i, got, commands)
		}
	}
}

// checkRows looks into the database for what must not be.
func (p *play) checkRows(a *app.App, key access.Actor, tenant policy.Tenant) {
	t := p.t
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "probity.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		"SELECT integrity_check FROM pragma_integrity_check":                                                                 "ok",
		"SELECT COUNT(*) FROM verifications WHERE status <> 'approved'":                                                      "0",
		"SELECT COUNT(*) FROM verifications":                                                                                 strconv.Itoa(people),
		"SELECT COUNT(*) FROM accounts":                                                                                      strconv.Itoa(people + p.bystanders),
		"SELECT COUNT(*) FROM notices WHERE kind = 'payment_method_security_alert'":                                          strconv.Itoa(people),
		"SELECT COUNT(*) FROM notices WHERE kind = 'resources_suspended'":                                                    strconv.Itoa(people / 2),
		"SELECT COUNT(*) FROM notices WHERE accepted_at IS NULL AND kind <> 'resources_suspended'":                           "0",
		"SELECT COUNT(*) FROM evidence":                                                                                      strconv.Itoa(p.evidence),
		"SELECT COUNT(*) FROM cases WHERE status <> 'decided'":                                                               "0",
		"SELECT COUNT(*) FROM reviews":                                                                                       strconv.Itoa(people),
		"SELECT COUNT(*) FROM restrictions WHERE lifted_at IS NULL":                                                          "0",
		"SELECT COUNT(*) FROM restrictions":                                                                                  strconv.Itoa(people),
		"SELECT COUNT(*) FROM retry_grants WHERE used_by <> ''":                                                              strconv.Itoa(people),
		"SELECT COUNT(*) FROM retry_grants":                                                                                  strconv.Itoa(people),
		"SELECT COUNT(*) FROM commands WHERE state = 'pending'":                                                              "0",
		"SELECT COUNT(*) FROM enforcements WHERE state <> 'none'":                                                            "0",
		"SELECT COUNT(*) FROM jobs":                                                                                          "0",
		"SELECT COUNT(*) FROM journal WHERE type = 'deadline.missed'":                                                        strconv.Itoa(people / 2),
		"SELECT MAX(sequence) - COUNT(*) FROM journal":                                                                       "0",
		"SELECT COUNT(*) - (SELECT journal_length FROM tenants) FROM journal":                                                "0",
		"SELECT COUNT(*) FROM payments WHERE outcome = 'rejected' AND verification_id NOT IN (SELECT id FROM verifications)": "0",
	} {
		var got string
		if err := db.QueryRow(query).Scan(&got); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	rows, err := db.Query("SELECT id FROM evidence")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		if _, plain, err := a.Service.Attachment(context.Background(), key, id); err != nil || len(plain) == 0 {
			t.Errorf("evidence was accepted and does not open: %v", err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
	if again, err := a.Service.Tenant(context.Background(), tenant.ID); err != nil || again.Name != tenant.Name {
		t.Errorf("the tenant is lost: %v", err)
	}
}
