package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

const sessionCookie = "probity_console"

// begin keeps the session in the browser until it is closed, and ends the one that the browser had; the service ends it earlier. Lax, so
// that a link to a case in a chat works; what changes something is refused across sites besides.
func (s *server) begin(w http.ResponseWriter, r *http.Request, token string) {
	if old := s.cookies.Get(r, sessionCookie); old != "" {
		if err := s.Service.SignOut(r.Context(), old); err != nil {
			// The new session stands; the old one ends by its own time.
			s.Log.Warn("a replaced session could not be ended", "sort", problem.Sort(err))
		}
	}
	s.cookies.Set(w, sessionCookie, token, 0)
}

// ownPath returns the address when it is one of the console's own, else the queue.
func ownPath(target string) string {
	parsed, err := url.Parse(target)
	if err != nil || parsed.Host != "" || parsed.Scheme != "" || !strings.HasPrefix(parsed.Path, "/console/") || strings.Contains(target, `\`) {
		return "/console/"
	}
	return parsed.RequestURI()
}

// sendToSignIn answers a request that nobody is signed in for. A form that was sent is answered with a page, so that its sender
// learns that nothing was recorded and sees once more what they had written.
func (s *server) sendToSignIn(w http.ResponseWriter, r *http.Request, err error) {
	if !problem.Is(err, problem.Unauthenticated) {
		status, title, text := explain(err)
		s.Log.Error("console session not checked", "sort", problem.Sort(err))
		s.plain(w, r, status, title, refusal(title, text))
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		var written []string
		if f, err := readForm(w, r); err == nil {
			for _, values := range f.values {
				for _, value := range values {
					if len(value) > 40 || strings.Contains(value, " ") {
						written = append(written, value)
					}
				}
			}
		}
		s.plain(w, r, http.StatusUnauthorized, "Please sign in again", sessionOver(written))
		return
	}
	http.Redirect(w, r, "/console/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
}

// brand is how the console looks before anybody is known: as the tenant, where there is but one.
func (s *server) brand(r *http.Request) web.Brand {
	tenants, err := s.Service.Tenants(r.Context())
	if err != nil || len(tenants) != 1 {
		return web.Brand{Name: "Probity"}
	}
	return web.Brand{Name: tenants[0].Name, Colour: tenants[0].BrandColor}
}

// plain shows a page to somebody who is not signed in.
func (s *server) plain(w http.ResponseWriter, r *http.Request, status int, title string, body templ.Component) {
	brand := web.Brand{Name: "Probity"}
	if status != http.StatusServiceUnavailable { // nobody waits for a database twice
		brand = s.brand(r)
	}
	page := web.Page{Title: title, Locale: web.English, Brand: brand, Area: "Review console", HomeURL: "/console/",
		Styles: []string{"console.css"}, Scripts: []string{"console.js"}}
	if err := web.Render(w, r, status, page, body); err != nil {
		s.Log.Error("console page not rendered", "route", r.Pattern, "category", "render")
	}
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request) {
	next := ownPath(r.URL.Query().Get("next"))
	if _, err := s.visitor(w, r); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.plain(w, r, http.StatusOK, "Sign in", signInPage(&form{}, next, r.URL.Query().Has("out")))
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(w, r)
	if err != nil {
		s.refusePlain(w, r, err)
		return
	}
	next := ownPath(f.text("next"))
	_, token, err := s.Service.SignInStaff(r.Context(), f.text("email"), f.raw("passphrase"))
	if problem.Is(err, problem.Unauthenticated) {
		f.fail("email", sentenceCase(problem.As(err).Message))
		s.plain(w, r, http.StatusUnauthorized, "Sign in", signInPage(f, next, false))
		return
	}
	if err != nil {
		s.refusePlain(w, r, err)
		return
	}
	s.begin(w, r, token)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (s *server) refusePlain(w http.ResponseWriter, r *http.Request, err error) {
	status, title, text := explain(err)
	if status == http.StatusInternalServerError || web.IsOutage(err) {
		s.Log.Error("console request failed", "route", r.Pattern, "sort", problem.Sort(err))
	}
	s.plain(w, r, status, title, refusal(title, text))
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	if token := s.cookies.Get(r, sessionCookie); token != "" {
		if err := s.Service.SignOut(r.Context(), token); err != nil && problem.As(err) == nil {
			s.refusePlain(w, r, err)
			return
		}
	}
	s.cookies.Set(w, sessionCookie, "", -1)
	http.Redirect(w, r, "/console/sign-in?out", http.StatusSeeOther)
}

func (s *server) showJoin(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	link, err := s.Service.LookAtLink(r.Context(), token, web.FromThisMachine(r))
	if err != nil {
		s.refuseLink(w, r, err)
		return
	}
	s.plain(w, r, http.StatusOK, "Join", joinPage(&form{}, link, token))
}

func (s *server) join(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(w, r)
	if err != nil {
		s.refusePlain(w, r, err)
		return
	}
	token := f.raw("token")
	// The link is looked at first, so that only its bearer can make the machine compute a slow hash.
	link, err := s.Service.LookAtLink(r.Context(), token, web.FromThisMachine(r))
	if err != nil {
		s.refuseLink(w, r, err)
		return
	}
	f.refuseCardNumbers("name", "email")
	if f.raw("passphrase") != f.raw("passphrase_again") {
		f.fail("passphrase_again", "The two passphrases differ. Type the same one twice.")
	}
	if len(f.errors) > 0 {
		s.plain(w, r, http.StatusUnprocessableEntity, "Join", joinPage(f, link, token))
		return
	}
	_, session, err := s.Service.JoinStaff(r.Context(), service.Join{
		Token: token, Local: web.FromThisMachine(r), Name: f.text("name"), Email: f.text("email"), Passphrase: f.raw("passphrase"),
	})
	switch {
	case err == nil:
		s.begin(w, r, session)
		web.SetFlash(w, flashPath, "welcome")
		http.Redirect(w, r, "/console/", http.StatusSeeOther)
	case problem.Is(err, problem.Gone) || problem.Is(err, problem.NotFound):
		s.refuseLink(w, r, err)
	case f.take(err, map[string]string{"name": "name", "email": "email", "passphrase": "passphrase"}):
		s.plain(w, r, statusOf(err), "Join", joinPage(f, link, token))
	default:
		s.refusePlain(w, r, err)
	}
}

// refuseLink gives each way in which a one-time link can fail a page of its own.
func (s *server) refuseLink(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.As(err)
	if p == nil {
		s.refusePlain(w, r, err)
		return
	}
	status, title, text := explain(err)
	switch p.Code {
	case "link_used":
		title = "This link was used already"
	case "link_expired":
		title = "This link has expired"
	case "link_local_only":
		title = "Open this link on the machine itself"
	case "link_unknown":
		title = "This link is not valid"
	}
	s.plain(w, r, status, title, linkRefused(title, text))
}

// roleName is a role as staff read it.
func roleName(role access.Role) string {
	switch role {
	case access.Administrator:
		return "Administrator"
	case access.Analyst:
		return "Analyst"
	case access.Reviewer:
		return "Reviewer"
	default:
		return string(role)
	}
}
