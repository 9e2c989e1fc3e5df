package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/standard/problem"
)

// colleague is invited and joins.
func (w *world) colleague(admin *reviewer, name, email, role string) *reviewer {
	w.Helper()
	invited := admin.send("/console/staff", url.Values{"email": {email}, "role": {role}})
	w.status(invited, http.StatusOK)
	_, link, found := strings.Cut(invited.body, `value="http://localhost:8080`)
	if !found {
		w.Fatal("the page does not show the invitation link: " + invited.text())
	}
	link, _, _ = strings.Cut(link, `"`)
	if strings.Contains(admin.get("/console/staff").body, "/console/join?token=") {
		w.Error("the link is shown a second time")
	}
	return w.joined(link, name, email)
}

func TestNobodyGetsInWithoutSigningIn(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	stranger := w.browser()
	for _, path := range []string{"/console/", "/console/cases/" + view.Case.ID, "/console/evidence/" + view.Evidence[0].ID, "/console/accounts", "/console/staff", "/console/nowhere"} {
		p := stranger.get(path)
		if p.status != http.StatusOK || !strings.HasPrefix(p.path, "/console/sign-in?next=") || strings.Contains(p.body, "Alma") {
			t.Errorf("got %d at %s for %s, want to be asked to sign in", p.status, p.path, path)
		}
	}
	fields := w.decision(view, "confirm", "approve")
	fields.Set("note", "A long note that took a quarter of an hour to write.")
	refused := stranger.send("/console/cases/"+view.Case.ID+"/decision", fields)
	w.status(refused, http.StatusUnauthorized)
	w.says(refused, "Nothing was recorded", "A long note that took a quarter of an hour to write.")
	if c, _ := w.s.Case(t.Context(), w.key, view.Case.ID); c.ThisCase.Status != casework.Open {
		t.Error("a stranger decided a case")
	}
}

func TestSigningInLeadsBackAndIsLockedAfterTooManyTries(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	path := "/console/cases/" + view.Case.ID
	out := ana.send("/console/sign-out", nil)
	w.says(out, "You are signed out.")
	fields := url.Values{"email": {"ana@harbour.example"}, "passphrase": {passphrase}, "next": {path}}
	in := ana.send("/console/sign-in", fields)
	if in.path != path {
		t.Errorf("signing in led to %s, want %s", in.path, path)
	}
	for _, foreign := range []string{"https://evil.example/console/", "//evil.example/console/", `/\evil.example`, "/kyc/", "javascript:alert(1)"} {
		fields.Set("next", foreign)
		other := w.browser()
		if p := other.send("/console/sign-in", fields); p.path != "/console/" {
			t.Errorf("next %q led to %s, want the queue", foreign, p.path)
		}
	}
	fields.Set("passphrase", "wrong "+passphrase)
	guesser := w.browser()
	for range 8 {
		p := guesser.send("/console/sign-in", fields)
		w.status(p, http.StatusUnauthorized)
		w.says(p, "locked for a quarter of an hour")
		if strings.Contains(p.body, passphrase) {
			t.Fatal("the page repeats the passphrase")
		}
	}
	fields.Set("passphrase", passphrase)
	w.status(guesser.send("/console/sign-in", fields), http.StatusUnauthorized)
}

func TestTheSessionCookieIsKeptFromScriptsAndOtherSites(t *testing.T) {
	w := newWorld(t)
	link, err := w.s.FirstStartLink(t.Context(), w.Tenant.ID)
	w.must(err)
	_, token, _ := strings.Cut(link, "token=")
	form := url.Values{"token": {token}, "name": {"Ana"}, "email": {"ana@harbour.example"}, "passphrase": {passphrase}, "passphrase_again": {passphrase}}
	request := httptest.NewRequest(http.MethodPost, "http://localhost/console/join", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.RemoteAddr = "127.0.0.1:50000"
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusSeeOther {
		t.Fatalf("got %d, want to be redirected", answer.Code)
	}
	cookie := answer.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/console" {
		t.Errorf("got cookie %+v, want HttpOnly, SameSite=Lax, Path=/console", cookie)
	}
	if strings.Contains(answer.Header().Get("Location"), token) {
		t.Error("the token travels on")
	}
}

func TestOneTimeLinksOpenOnceAndTheFirstOnTheMachineItselfOnly(t *testing.T) {
	w := newWorld(t)
	link, err := w.s.FirstStartLink(t.Context(), w.Tenant.ID)
	w.must(err)
	path := strings.TrimPrefix(link, "http://localhost:8080")
	for name, change := range map[string]func(*http.Request){
		"from another machine":                        func(r *http.Request) { r.RemoteAddr = "203.0.113.9:1234" },
		"under another name":                          func(r *http.Request) { r.Host = "kyc.example.com" },
		"under a name that resolves to this":          func(r *http.Request) { r.Host = "localhost.evil.example" },
		"through a proxy on the machine":              func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.9") },
		"through a proxy that says nothing of itself": func(r *http.Request) { r.Header.Set("Referer", "https://kyc.example.com/") },
		"from a page elsewhere":                       func(r *http.Request) { r.Header.Set("Origin", "https://kyc.example.com") },
		"through a proxy that speaks the standard":    func(r *http.Request) { r.Header.Set("Forwarded", "for=203.0.113.9") },
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "http://localhost:8080"+path, http.NoBody)
			request.RemoteAddr = "[::1]:50000"
			change(request)
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, request)
			if answer.Code != http.StatusForbidden || !strings.Contains(answer.Body.String(), "Open this link on the machine itself") {
				t.Errorf("got %d: %s", answer.Code, answer.Body)
			}
		})
	}
	w.status(w.browser().get("/console/join?token=unknown"), http.StatusNotFound)
	w.status(w.browser().get("/console/join"), http.StatusNotFound)
	w.administrator("Ana Ruiz", "ana@harbour.example") // takes a newer link, which ends the older one
	old := w.browser().get(path)
	if old.status == http.StatusOK {
		t.Errorf("an outdated link opens: %s", old.text())
	}
}

func TestAReplayedInvitationIsRefusedWithItsOwnPage(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	actor := w.actorOf("ana@harbour.example")
	link, _, err := w.s.InviteStaff(t.Context(), actor, "ben@harbour.example", access.Reviewer)
	w.must(err)
	w.joined(link, "Ben Okoro", "somebody-else@harbour.example")
	path := strings.TrimPrefix(link, "http://localhost:8080")
	_, token, _ := strings.Cut(link, "token=")
	used := w.browser().get(path)
	w.status(used, http.StatusGone)
	w.says(used, "This link was used already")
	replay := w.browser().send("/console/join", url.Values{"token": {token}, "name": {"Eve"}, "passphrase": {passphrase}, "passphrase_again": {passphrase}})
	w.status(replay, http.StatusGone)
	staff := ana.get("/console/staff")
	w.says(staff, "ben@harbour.example", "Ben Okoro")
	if strings.Contains(staff.text(), "somebody-else") {
		t.Error("the invitation's address was changed by who joined")
	}
	differ := w.browser()
	second, _, err := w.s.InviteStaff(t.Context(), actor, "cleo@harbour.example", access.Reviewer)
	w.must(err)
	_, token, _ = strings.Cut(second, "token=")
	p := differ.send("/console/join", url.Values{"token": {token}, "name": {"Cleo"}, "passphrase": {passphrase}, "passphrase_again": {"another " + passphrase}})
	w.status(p, http.StatusUnprocessableEntity)
	w.says(p, "The two passphrases differ.")
	p = differ.send("/console/join", url.Values{"token": {token}, "name": {"Cleo"}, "passphrase": {"short"}, "passphrase_again": {"short"}})
	w.says(p, "12 to 200 characters")
}

// actorOf is the member of staff with the address.
func (w *world) actorOf(email string) access.Actor {
	w.Helper()
	reader := access.Actor{Kind: access.Key, TenantID: w.Tenant.ID, ID: "key"}
	members, err := w.s.Staff(w.Context(), reader)
	w.must(err)
	for _, m := range members {
		if m.Email == email {
			return access.Actor{Kind: access.Staff, TenantID: m.TenantID, ID: m.ID, Role: m.Role}
		}
	}
	w.Fatal("no such member")
	return access.Actor{}
}

func TestAnotherTenantsThingsDoNotExist(t *testing.T) {
	w := newWorld(t)
	otherKey, _ := w.NewKey(w.NewTenant("Other Cloud").ID)
	foreign := w.submitted(otherKey)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ticket, err := w.s.OpenTicket(t.Context(), otherKey, casework.Ticket{AccountID: foreign.Account.ID, Message: "hello"})
	w.must(err)
	for _, path := range []string{
		"/console/cases/" + foreign.Case.ID, "/console/verifications/" + foreign.Verification.ID, "/console/accounts/" + foreign.Account.ID,
		"/console/accounts/" + foreign.Account.ID + "/history", "/console/evidence/" + foreign.Evidence[0].ID, "/console/tickets/" + ticket.ID,
		"/console/verifications/" + foreign.Verification.ID + "/cancel", "/console/verifications/" + foreign.Verification.ID + "/evidence",
		"/console/accounts/" + foreign.Account.ID + "/verifications/new", "/console/cases/case_none", "/console/nowhere",
	} {
		p := ana.get(path)
		w.status(p, http.StatusNotFound)
		if strings.Contains(p.body, "Alma") {
			t.Errorf("%s shows another tenant's holder", path)
		}
	}
	for _, q := range []string{foreign.Case.ID, foreign.Account.ID, foreign.Verification.ID, foreign.Verification.QueryCode, foreign.Account.Profile.ExternalID, ticket.ID} {
		w.status(ana.send("/console/search", url.Values{"q": {q}}), http.StatusNotFound)
	}
	w.status(ana.send("/console/cases/"+foreign.Case.ID+"/decision", url.Values{"expected_version": {"1"}, "decision": {"approve"}, "step": {"confirm"}}), http.StatusNotFound)
	w.status(ana.send("/console/verifications/"+foreign.Verification.ID+"/cancel", nil), http.StatusNotFound)
}

func TestAFormFromAnotherSiteChangesNothing(t *testing.T) {
	w := newWorld(t)
	view := w.submitted(w.key)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/console/cases/"+view.Case.ID+"/decision", strings.NewReader(w.decision(view, "confirm", "approve").Encode()))
		w.must(err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set(name, value)
		w.status(ana.do(request), http.StatusForbidden)
	}
	if c, _ := w.s.Case(t.Context(), w.key, view.Case.ID); c.ThisCase.Status != casework.Open {
		t.Error("a foreign site decided a case")
	}
}

func TestAReviewerHasNoStaffPage(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ben := w.colleague(ana, "Ben Okoro", "ben@harbour.example", "reviewer")
	p := ben.get("/console/staff")
	w.status(p, http.StatusForbidden)
	w.says(p, "Not allowed", "an administrator can")
	w.status(ben.send("/console/staff", url.Values{"email": {"eve@harbour.example"}, "role": {"administrator"}}), http.StatusForbidden)
	if strings.Contains(ben.get("/console/").body, `href="/console/staff"`) {
		t.Error("a reviewer is shown the way to the staff page")
	}
	w.says(ana.send("/console/staff", url.Values{"email": {"ben@harbour.example"}, "role": {"reviewer"}}), "has joined already")
}

func TestAnAdministratorEndsAColleaguesAccess(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	ben := w.colleague(ana, "Ben Okoro", "ben@harbour.example", "reviewer")
	page := ana.get("/console/staff")
	w.says(page, "End access")
	action := regexp.MustCompile(`action="(/console/staff/stf_[0-9a-z]+/access)"`).FindStringSubmatch(page.body)
	if len(action) != 2 || strings.Count(page.body, "End access") != 1 {
		t.Fatal("the button stands beside colleagues only")
	}
	w.status(ben.send(action[1], url.Values{"allowed": {"no"}}), http.StatusForbidden)
	w.says(ana.send(action[1], url.Values{"allowed": {"no"}}), "access ended", "Give access back")
	if !strings.HasPrefix(ben.get("/console/").path, "/console/sign-in") {
		t.Error("the browser of somebody whose access ended still sees the queue")
	}
	w.says(ana.send(action[1], url.Values{"allowed": {"yes"}}), "End access")
}

func TestSigningInAgainEndsTheSessionBefore(t *testing.T) {
	w := newWorld(t)
	ana := w.administrator("Ana Ruiz", "ana@harbour.example")
	address, err := url.Parse(w.server.URL + "/console/")
	w.must(err)
	before := ana.client.Jar.Cookies(address)[0].Value
	ana.send("/console/sign-in", url.Values{"email": {"ana@harbour.example"}, "passphrase": {passphrase}})
	if after := ana.client.Jar.Cookies(address)[0].Value; after == before {
		t.Error("the browser kept its session")
	}
	if _, _, err := w.s.StaffOf(t.Context(), before); !problem.Is(err, problem.Unauthenticated) {
		t.Errorf("got %v, want that the session before is over", err)
	}
}

func TestOneClientCannotGuessPassphrasesOfEverybody(t *testing.T) {
	w := newWorld(t)
	guess := func(client string) int {
		form := url.Values{"email": {"nobody@harbour.example"}, "passphrase": {strings.Repeat("x", 300)}} // too long to be hashed
		r := httptest.NewRequest(http.MethodPost, "http://kyc.example.com/console/sign-in", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = client + ":50000"
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, r)
		return answer.Code
	}
	for range 30 {
		if got := guess("198.51.100.7"); got != http.StatusUnauthorized {
			t.Fatalf("got %d, want to be refused", got)
		}
	}
	if got := guess("198.51.100.7"); got != http.StatusTooManyRequests {
		t.Errorf("got %d, want to be told to wait", got)
	}
	if got := guess("198.51.100.8"); got != http.StatusUnauthorized {
		t.Errorf("got %d for another client, want an answer", got)
	}
}
