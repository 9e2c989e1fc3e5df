package portal_test

import (
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/edge/portal"
)

// posted is a form that a client of the internet sends, past the server's own machine.
func posted(handler http.Handler, path, client string, values url.Values, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://kyc.example.com"+path, strings.NewReader(values.Encode()))
	r.RemoteAddr = client + ":4000"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	return answer
}

func TestOneClientCannotHaveMailsSentToEverybody(t *testing.T) {
	w := newWorld(t)
	handler := w.site.Config.Handler
	ask := func(client string) *httptest.ResponseRecorder {
		return posted(handler, "/kyc/sign-in", client, url.Values{"email": {"somebody@mail.example"}})
	}
	for range 30 {
		if got := ask("198.51.100.7").Code; got != http.StatusSeeOther {
			t.Fatalf("got %d, want to be led on", got)
		}
	}
	refused := ask("198.51.100.7")
	if refused.Code != http.StatusTooManyRequests || refused.Header().Get("Retry-After") == "" || !strings.Contains(refused.Body.String(), "too many tries") {
		t.Errorf("got %d, want to be told to wait", refused.Code)
	}
	byLink := posted(handler, "/kyc/verifications/ver_00000000000000000000000000/code", "198.51.100.7", nil)
	if byLink.Code != http.StatusTooManyRequests {
		t.Errorf("got %d by the link of a mail, want to be told to wait", byLink.Code)
	}
	if got := ask("198.51.100.8").Code; got != http.StatusSeeOther {
		t.Errorf("got %d for another client, want to be led on", got)
	}
}

func TestOneClientCannotGuessCodesOfManyAccounts(t *testing.T) {
	w := newWorld(t)
	handler := w.site.Config.Handler
	guess := func() int {
		return posted(handler, "/kyc/code", "198.51.100.7", url.Values{"code": {"123456"}}, &http.Cookie{Name: "probity_kyc_code", Value: "of another account"}).Code
	}
	for range 60 {
		if got := guess(); got != http.StatusUnprocessableEntity {
			t.Fatalf("got %d, want that the code is wrong", got)
		}
	}
	if got := guess(); got != http.StatusTooManyRequests {
		t.Errorf("got %d, want to be told to wait", got)
	}
}

func TestOverTLSNoNeighbourCanPlantASession(t *testing.T) {
	w := newWorld(t)
	p := w.alma()
	secure := portal.Handler(portal.Config{Service: w.Service, Log: slog.New(slog.DiscardHandler), SecureCookies: true})
	asked := posted(secure, "/kyc/sign-in", "198.51.100.7", url.Values{"email": {p.account.Profile.Email}})
	browser := asked.Result().Cookies()[0]
	in := posted(secure, "/kyc/code", "198.51.100.7", url.Values{"code": {w.code(p.account.Profile.Email)}}, browser)
	if in.Code != http.StatusSeeOther {
		t.Fatalf("got %d, want to be signed in", in.Code)
	}
	var session *http.Cookie
	for _, cookie := range in.Result().Cookies() {
		if !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || !strings.HasPrefix(cookie.Name, "__Host-") {
			t.Errorf("got cookie %s with path %s, secure %t, want one that only this host can set", cookie.Name, cookie.Path, cookie.Secure)
		}
		if cookie.Name == "__Host-probity_kyc" {
			session = cookie
		}
	}
	show := func(cookie *http.Cookie) string {
		r := httptest.NewRequest(http.MethodGet, "https://kyc.example.com/kyc/", http.NoBody)
		r.AddCookie(cookie)
		answer := httptest.NewRecorder()
		secure.ServeHTTP(answer, r)
		return answer.Body.String()
	}
	if !strings.Contains(show(session), "Alma") {
		t.Error("the session opens nothing")
	}
	planted := *session
	planted.Name = "probity_kyc"
	if strings.Contains(show(&planted), "Alma") {
		t.Error("a cookie that any host of the domain can set is taken for a session")
	}
}

func TestOneAccountCannotFillTheMemory(t *testing.T) {
	w := newWorld(t)
	p := w.alma()
	verification := w.reject(p)
	handler := w.site.Config.Handler
	g := w.guest()
	g.signIn(p.account.Profile.Email)
	address, err := url.Parse(w.site.URL + "/kyc/")
	w.must(err)
	upload := func(body io.Reader, boundary string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, w.site.URL+"/kyc/verifications/"+verification+"/government_id", body)
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		for _, cookie := range g.client.Jar.Cookies(address) {
			r.AddCookie(cookie)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		return answer
	}
	// Three are begun and never end, as long as their senders hold them.
	ended := make(chan int)
	var senders []*io.PipeWriter
	for range 3 {
		reader, writer := io.Pipe()
		form := multipart.NewWriter(writer)
		go func() { ended <- upload(reader, form.Boundary()).Code }()
		// A write ends when the other side has read it, so that this upload has taken its place.
		_, err := form.CreateFormField("side")
		w.must(err)
		senders = append(senders, writer)
	}
	if got := upload(strings.NewReader("--b--\r\n"), "b"); got.Code != http.StatusTooManyRequests || !strings.Contains(got.Body.String(), "still on their way") {
		t.Errorf("got %d, want to be told to wait", got.Code)
	}
	for _, sender := range senders {
		w.must(sender.Close())
		if got := <-ended; got == http.StatusTooManyRequests {
			t.Errorf("got %d for one that had its place", got)
		}
	}
	if got := upload(strings.NewReader("--b--\r\n"), "b").Code; got == http.StatusTooManyRequests {
		t.Error("the places were not given back")
	}
}

func TestATicketTooManyKeepsWhatWasWritten(t *testing.T) {
	w := newWorld(t)
	p := w.alma()
	for range 20 {
		_, err := w.Service.OpenTicket(t.Context(), p.actor, casework.Ticket{AccountID: p.account.ID, Message: "help"})
		w.must(err)
	}
	g := w.guest()
	g.signIn(p.account.Profile.Email)
	g.post("/kyc/tickets", "message", "the page says the photo is blurred").wants(t, http.StatusTooManyRequests, "still waiting for an answer", "the photo is blurred")
}
