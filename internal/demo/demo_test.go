package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/demo"
	"github.com/probity/probity/internal/demo/platform"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/edge/web/webtest"
	"github.com/probity/probity/internal/samples"
)

// patience is how long a test waits for something that happens by itself; machines may be busy with other tests.
const patience = 2 * time.Minute

// running is a demo that serves.
type running struct {
	demo.Ready
	t    *testing.T
	api  *client.Client
	data string
	stop func()
}

// start starts the demo on a port of its own and waits until it is ready. It ends with the test, or with stop.
func start(t *testing.T, data string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, done := make(chan demo.Ready, 1), make(chan error, 1)
	var log bytes.Buffer
	go func() {
		done <- demo.Run(ctx, demo.Config{
			DataDir: data, Listen: "localhost:0", Now: time.Now, Ready: func(r demo.Ready) { ready <- r }, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
	}()
	r := &running{t: t, data: data}
	ended := false
	r.stop = func() {
		cancel()
		if ended {
			return
		}
		ended = true
		if err := <-done; err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
	}
	t.Cleanup(r.stop)
	select {
	case r.Ready = <-ready:
	case err := <-done:
		ended = true
		t.Fatalf("the demo did not start: %v\n%s", err, log.String())
	case <-time.After(patience):
		t.Fatal("the demo was not ready in time")
	}
	t.Logf("ready within %v", r.Within)
	r.api = client.New(r.URL, r.APIKey)
	return r
}

// page gets a page and checks what every page must keep.
func (r *running) page(address string) string {
	r.t.Helper()
	response, err := http.Get(r.URL + address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: got status %d", address, response.StatusCode)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		webtest.CheckPage(r.t, string(body))
	}
	return string(body)
}

// press sends a form of the platform and returns where it leads.
func (r *running) press(address string, form url.Values) string {
	r.t.Helper()
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := once.PostForm(r.URL+address, form)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		r.t.Fatalf("%s: got status %d, want a redirect", address, response.StatusCode)
	}
	return response.Header.Get("Location")
}

// until waits until seen says yes.
func (r *running) until(what string, seen func() bool) {
	r.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	tooLate := time.After(patience)
	for !seen() {
		select {
		case <-ticker.C:
		case <-tooLate:
			r.t.Fatalf("waited too long until %s", what)
		}
	}
}

// customer returns what the platform wrote down about a customer.
func (r *running) customer(externalID string) platform.Customer {
	r.t.Helper()
	store, err := platform.OpenStore(filepath.Join(r.data, "platform.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	c, found := store.Customer(externalID)
	if !found {
		r.t.Fatalf("the platform has no customer %s", externalID)
	}
	return c
}

// verification returns the newest verification of a customer.
func (r *running) verification(externalID string) client.Verification {
	r.t.Helper()
	list := must(r.api.ListVerifications(r.t.Context(), client.VerificationFilter{AccountID: r.customer(externalID).AccountID}))(r.t)
	if len(list.Items) == 0 {
		r.t.Fatalf("%s has no verification", externalID)
	}
	return list.Items[0]
}

// must ends the test when a call failed.
func must[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

type sentMail struct{ To, Subject, Text, MessageID string }

func (r *running) mails(to string) []sentMail {
	r.t.Helper()
	var answer struct {
		Items []struct {
			To, Subject, Text string
			MessageID         string `json:"message_id"`
		}
	}
	if err := json.Unmarshal([]byte(r.page("/mailbox/messages.json?to="+url.QueryEscape(to))), &answer); err != nil {
		r.t.Fatal(err)
	}
	var mails []sentMail
	for _, item := range answer.Items {
		mails = append(mails, sentMail(item))
	}
	return mails
}

// worldOf counts what the world consists of.
func (r *running) worldOf() map[string]int {
	r.t.Helper()
	ctx, counts := r.t.Context(), map[string]int{}
	accounts := must(r.api.ListAccounts(ctx, client.AccountFilter{Limit: 200}))(r.t)
	counts["accounts"] = len(accounts.Items)
	for _, a := range accounts.Items {
		payments := must(r.api.ListPayments(ctx, client.PaymentFilter{AccountID: a.ID, Limit: 200}))(r.t)
		for _, p := range payments.Items {
			counts["payments "+p.Outcome]++
		}
		counts["payment methods"] += len(must(r.api.PaymentMethods(ctx, a.ID))(r.t))
		counts["enforcement "+a.Enforcement.State]++
	}
	for cursor := ""; ; {
		page := must(r.api.ListEvents(ctx, cursor, 200))(r.t)
		for _, event := range page.Items {
			// The port changes with each start, and the connector's address with it.
			if event.Type != "tenant.updated" && event.Type != "api_key.created" {
				counts["event "+event.Type]++
			}
		}
		if len(page.Items) == 0 {
			break
		}
		cursor = page.NextCursor
	}
	for _, v := range must(r.api.ListVerifications(ctx, client.VerificationFilter{}))(r.t).Items {
		counts["verifications "+v.Status]++
	}
	mails := r.mails("")
	counts["mails"] = len(mails)
	seen := map[string]bool{}
	for _, mail := range mails {
		if seen[mail.MessageID] {
			r.t.Errorf("the mail %s %q was sent twice", mail.MessageID, mail.Subject)
		}
		seen[mail.MessageID] = true
	}
	return counts
}

// expected is the world that the cast plays, of what does not follow from the rest.
var expected = map[string]int{
	"accounts": 15, "payment methods": 20, "payments review": 1, "event policy.drafted": 1, "event list.entry_added": 1, "verifications awaiting_submission": 4, "verifications in_review": 2, "verifications approved": 1,
	"verifications resubmission_requested": 1, "verifications declined": 1, "verifications canceled": 1, "enforcement suspended": 1,
	"event notice.bounced": 1, "event ticket.opened": 2, "event evidence.received": 15, "event enforcement.acknowledged": 1, "event payment.retry_used": 1,
	"payments rejected": 10,
}

func checkWorld(t *testing.T, got map[string]int) {
	t.Helper()
	for what, want := range expected {
		if got[what] != want {
			t.Errorf("%s: got %d, want %d", what, got[what], want)
		}
	}
	if got["payments approved"] < 150 {
		t.Errorf("got %d ordinary payments, want weeks of them", got["payments approved"])
	}
}

func TestTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("plays the whole world")
	}
	data := t.TempDir()
	first := start(t, data)
	before := first.worldOf()
	t.Run("holds a verification in every state that can be reached", func(t *testing.T) { checkWorld(t, before) })
	t.Run("prints what a visitor needs", func(t *testing.T) {
		for name, value := range map[string]string{"console link": first.ConsoleLink, "mailbox": first.MailboxURL, "platform": first.PlatformURL} {
			if !strings.HasPrefix(value, first.URL+"/") {
				t.Errorf("the %s is %q, want it at %s", name, value, first.URL)
			}
		}
		if !first.FirstStart || !first.Played || first.Exposed || !strings.HasPrefix(first.APIKey, "pk_live_") {
			t.Errorf("got %+v", first.Ready)
		}
	})
	t.Run("keeps its secrets to its owner", func(t *testing.T) {
		for _, name := range []string{"demo.json", "platform.json"} {
			info, err := os.Stat(filepath.Join(data, name))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != 0o600 {
				t.Errorf("%s has mode %o", name, got)
			}
		}
	})
	// The feed shows the newest 50 events; which of a verification are among them depends on when the mails arrived.
	t.Run("shows every page", func(t *testing.T) {
		for address, want := range map[string]string{
			"/": "The story in seven steps", "/platform/": "Alma Petersen", "/platform/customers/cust-1010": "The instances are suspended",
			"/platform/events": "verification.", "/mailbox/": "alma", "/specimens/billing_statement.pdf": "%PDF",
		} {
			if body := first.page(address); address != "/mailbox/" && !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", address, want)
			}
		}
	})
	t.Run("refuses a second one in the same directory", func(t *testing.T) {
		err := demo.Run(t.Context(), demo.Config{DataDir: data, Listen: "localhost:0", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "in use by another probity process") {
			t.Errorf("got %v", err)
		}
	})
	first.stop()

	second := start(t, data)
	t.Run("is as it was after a restart", func(t *testing.T) {
		if second.APIKey != first.APIKey || second.Played {
			t.Errorf("the key changed, or the world was played again")
		}
		after := second.worldOf()
		for what := range mergedKeys(before, after) {
			if before[what] != after[what] {
				t.Errorf("%s: got %d, want %d as before", what, after[what], before[what])
			}
		}
	})
	second.story(t)
	second.suspension(t)
}

func mergedKeys(maps ...map[string]int) map[string]bool {
	keys := map[string]bool{}
	for _, m := range maps {
		for key := range m {
			keys[key] = true
		}
	}
	return keys
}

// send sends what is missing, submits it and approves it.
func (r *running) send(t *testing.T, v client.Verification) {
	t.Helper()
	set := must(samples.Draw(samples.Default()))(t)
	for _, e := range []client.NewEvidence{
		{Requirement: "government_id", DocumentType: "id_card", FileName: samples.GovernmentIDFile, Content: set.GovernmentID},
		{Requirement: "payment_method", FileName: samples.PaymentMethodFile, Content: set.PaymentMethod},
		{Requirement: "billing_statement", FileName: samples.BillingStatementFile, Content: set.BillingStatement},
	} {
		must(r.api.SendEvidence(t.Context(), v.ID, e))(t)
	}
	submitted := must(r.api.SubmitVerification(t.Context(), v.ID))(t)
	if submitted.QueryCode == nil || submitted.CaseID == nil {
		t.Fatal("the submission has no query code or no case")
	}
	must(r.api.DecideCase(t.Context(), *submitted.CaseID, client.NewDecision{Decision: "approve"}))(t)
}

// story is the main story, played with the platform's own buttons.
func (r *running) story(t *testing.T) {
	const alma = "cust-1001"
	var rejected string
	t.Run("rejects a suspicious payment and says what to do", func(t *testing.T) {
		rejected = r.press("/platform/customers/"+alma+"/story", url.Values{"story": {"suspicious"}})
		body := r.page(rejected)
		for _, want := range []string{"RISK.RISK_CONTROL_REJECTION", "Open the KYC Center", "Try the payment again"} {
			if !strings.Contains(body, want) {
				t.Errorf("the answer does not say %q", want)
			}
		}
		r.until("the mail is there", func() bool { return len(r.mails("alma.petersen@example.com")) == 1 })
		if got := r.mails("alma.petersen@example.com")[0]; !strings.Contains(got.Text, r.URL+"/kyc/verifications/"+r.verification(alma).ID) {
			t.Errorf("the mail %q has no link to the verification", got.Subject)
		}
	})
	t.Run("hands the customer over to the KYC Center", func(t *testing.T) {
		if got := r.press("/platform/customers/"+alma+"/kyc", nil); !strings.HasPrefix(got, r.URL+"/kyc/session?token=") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("lets the retried payment pass after the approval, once", func(t *testing.T) {
		r.send(t, r.verification(alma))
		again := r.press(rejected+"/retry", nil)
		if p := must(r.api.Payment(t.Context(), path.Base(again)))(t); p.Outcome != "approved" {
			t.Errorf("the retried payment is %s, want approved", p.Outcome)
		}
		if got := r.press("/platform/customers/"+alma+"/story", url.Values{"story": {"suspicious"}}); !strings.Contains(r.page(got), "RISK.RISK_CONTROL_REJECTION") {
			t.Error("the next suspicious payment passed")
		}
	})
}

// suspension is the other story: nobody answers.
func (r *running) suspension(t *testing.T) {
	const lin = "cust-1002"
	all := func(state platform.InstanceState) func() bool {
		return func() bool {
			return !slices.ContainsFunc(r.customer(lin).Instances, func(i platform.Instance) bool { return i.State != state })
		}
	}
	t.Run("suspends the instances of somebody who does not answer", func(t *testing.T) {
		if !all(platform.Running)() {
			t.Fatal("the instances do not run at first")
		}
		// Whatever the weekday, one business day is over within five days.
		r.press("/platform/clock", url.Values{"seconds": {"259200"}})
		for range 2 {
			r.press("/platform/clock", url.Values{"seconds": {"86400"}})
		}
		r.until("the instances are suspended", all(platform.Suspended))
	})
	t.Run("and resumes them after the approval", func(t *testing.T) {
		r.send(t, r.verification(lin))
		r.until("the instances run again", all(platform.Running))
	})
}

func TestAnInterruptedStartGoesOnWhereItWas(t *testing.T) {
	if testing.Short() {
		t.Skip("plays the whole world")
	}
	data := t.TempDir()
	count := func(pattern string) int {
		found, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	customers := func() int {
		store, err := platform.OpenStore(filepath.Join(data, "platform.json"))
		if err != nil {
			t.Fatal(err)
		}
		return len(store.Customers())
	}
	interrupt(t, data, "among the first customers", func() bool { return customers() >= 3 })
	interrupt(t, data, "among the first mails", func() bool { return count("mailbox/*.eml") >= 3 })
	interrupt(t, data, "among the mails of the past", func() bool { return count("mailbox/*.eml") >= 7 })
	interrupt(t, data, "among the mails of today", func() bool { return count("mailbox/*.eml") >= 15 })
	r := start(t, data)
	checkWorld(t, r.worldOf())
}

// interrupt starts the demo and ends it as soon as it has reached a point.
func interrupt(t *testing.T, data, where string, reached func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- demo.Run(ctx, demo.Config{DataDir: data, Listen: "localhost:0", Now: time.Now, Ready: func(demo.Ready) {}, Log: slog.New(slog.DiscardHandler)})
	}()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !reached() {
		select {
		case err := <-done:
			t.Fatalf("%s: the demo ended by itself: %v", where, err)
		case <-ticker.C:
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("%s: interrupted, the demo ended with: %v", where, err)
	}
}

func TestATakenPortIsSaidPlainly(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	err = demo.Run(t.Context(), demo.Config{DataDir: t.TempDir(), Listen: listener.Addr().String(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "in use by another program") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v", err)
	}
}

func TestADirectoryOfAnotherInstallationIsLeftAlone(t *testing.T) {
	data := t.TempDir()
	a, err := app.Open(t.Context(), app.Config{
		DataDir: data, BaseURL: "http://localhost", CreateDataKey: true, Clock: clock.System(), Log: slog.New(slog.DiscardHandler),
		Mail: mail.Config{Host: "localhost", Port: 25, TLS: mail.NoTLS, From: "a@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Service.CreateTenant(t.Context(), policy.Tenant{Name: "Somebody's own"})
	a.Close()
	if err != nil {
		t.Fatal(err)
	}
	err = demo.Run(t.Context(), demo.Config{DataDir: data, Listen: "localhost:0", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "is no demo") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(data, "demo.json")); err == nil {
		t.Error("the demo wrote its notes into a directory that is not its own")
	}
}
