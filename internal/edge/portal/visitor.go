package portal

import (
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/problem"
)

const (
	sessionCookie = "probity_kyc"      // the token of the holder's session
	browserCookie = "probity_kyc_code" // binds a mailed code to the browser that asked for it
)

// browserFor is a little more than a code is valid for, so that one that just expired is still told from one never asked for.
const browserFor = 20 * time.Minute

// visitor is whoever is at the browser. Without an actor nobody is signed in.
type visitor struct {
	actor   access.Actor
	account account.Account // zero when nobody is signed in
	tenant  policy.Tenant   // the account's; else the only one of the installation; else zero
	locale  string
	unread  int
	// restricted and suspended say what stands against the account.
	restricted bool
	suspended  bool
	p          web.Printer
}

// signedIn reports whether the visitor has a session.
func (v visitor) signedIn() bool { return v.actor.ID != "" }

// zone is the one in which instants are written for the visitor.
func (v visitor) zone() *time.Location { return v.account.Profile.Zone(v.tenant.Zone()) }

// brand is the tenant's name where it is known, else that of the product.
func (v visitor) brand() string {
	if v.tenant.Name == "" {
		return v.p.T("area")
	}
	return v.tenant.Name
}

// visitor finds out who is at the browser. A session that is over is nobody's; any other failure is an error.
func (p *portal) visitor(w http.ResponseWriter, r *http.Request) (visitor, error) {
	var v visitor
	actor, err := p.Service.HolderOf(r.Context(), p.cookies.Get(r, sessionCookie))
	switch {
	case err == nil:
		v.actor = actor
	case !problem.Is(err, problem.Unauthenticated):
		return p.anonymous(w, r), err
	default:
		return p.anonymous(w, r), nil
	}
	view, err := p.Service.Account(r.Context(), actor, actor.ID)
	if err != nil {
		return p.anonymous(w, r), err
	}
	v.account = view.Account
	v.restricted = len(view.Restrictions) > 0
	v.suspended = view.Enforcement.State == enforcement.Suspended || view.Enforcement.State == enforcement.ReleaseScheduled
	if v.tenant, err = p.Service.Tenant(r.Context(), actor.TenantID); err != nil {
		return p.anonymous(w, r), err
	}
	if v.unread, err = p.Service.UnreadMessages(r.Context(), actor, actor.ID); err != nil {
		return p.anonymous(w, r), err
	}
	v.locale = web.ChooseLocale(w, r, v.account.Profile.Locale)
	v.p = texts().For(v.locale)
	return v, nil
}

// anonymous is a visitor who is not signed in. With one tenant in the installation its brand greets them.
func (p *portal) anonymous(w http.ResponseWriter, r *http.Request) visitor {
	v := visitor{locale: web.ChooseLocale(w, r, "")}
	v.p = texts().For(v.locale)
	// Without the brand the page is plainer, which is no reason to fail.
	if tenants, err := p.Service.Tenants(r.Context()); err == nil && len(tenants) == 1 {
		v.tenant = tenants[0]
	}
	return v
}

// holder lets only a signed-in holder through. Who has no session yet is led to the sign-in; who had one is told that it is over.
func (p *portal) holder(next func(http.ResponseWriter, *http.Request, visitor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.visitor(w, r)
		if err != nil {
			p.fail(w, r, v, err)
			return
		}
		if v.signedIn() {
			next(w, r, v)
			return
		}
		if r.Method == http.MethodGet && p.cookies.Get(r, sessionCookie) == "" {
			target := home
			if id := r.PathValue("verification"); id != "" {
				target = verificationURL(id)
			}
			http.Redirect(w, r, target, http.StatusSeeOther)
			return
		}
		p.showSessionOver(w, r, v)
	}
}

// frame is the page around a body: brand, navigation, languages, the way out.
func (p *portal) frame(v visitor, r *http.Request, title string) web.Page {
	page := web.Page{
		Title: title, Locale: v.locale, Brand: web.Brand{Name: v.brand(), Colour: v.tenant.BrandColor}, Area: v.p.T("area"), HomeURL: home,
		Footer: footer(v),
	}
	if v.tenant.Name == "" {
		page.Area = ""
	}
	if r.Method == http.MethodGet {
		page.Languages = web.LanguageLinks(withoutToken(r), v.locale)
	}
	if p.Demo {
		page.Above = demoNote(v.p)
	}
	if v.signedIn() {
		page.SignedIn = &web.SignedIn{Name: v.account.Profile.Name, SignOutURL: "/kyc/sign-out"}
		page.Nav = []web.NavItem{
			{Label: v.p.T("nav.home"), URL: home, Current: r.URL.Path == home || strings.HasPrefix(r.URL.Path, "/kyc/verifications")},
			{Label: v.p.T("nav.messages"), URL: "/kyc/messages", Current: strings.HasPrefix(r.URL.Path, "/kyc/messages"), Count: v.unread},
			{Label: v.p.T("nav.support"), URL: "/kyc/tickets", Current: strings.HasPrefix(r.URL.Path, "/kyc/tickets")},
		}
	}
	return page
}

// render answers with a page and logs when that failed.
func (p *portal) render(w http.ResponseWriter, r *http.Request, status int, page web.Page, body templ.Component) {
	if err := web.Render(w, r, status, page, body); err != nil {
		p.Log.Error("a page could not be rendered", "route", r.Pattern, "sort", problem.Sort(err))
	}
}

// setCookie keeps a secret in the browser. A lifetime of zero means until the browser is closed; a negative one removes it.
func (p *portal) setCookie(w http.ResponseWriter, name, value string, lifetime time.Duration) {
	p.cookies.Set(w, name, value, int(lifetime.Seconds()))
}

func (p *portal) forget(w http.ResponseWriter, name string) { p.setCookie(w, name, "", -time.Second) }
