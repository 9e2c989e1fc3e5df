package portal

import (
	"crypto/rand"
	"net/http"
	"net/url"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/problem"
)

// explain tells a problem in the visitor's language. The catalog knows every code that a holder can meet.
func explain(p web.Printer, found *problem.Problem) string {
	for _, key := range []string{"problem." + found.Code + "." + found.Field, "problem." + found.Code} {
		if texts().Has(web.English, key) {
			return p.T(key)
		}
	}
	return p.T("problem.other")
}

// pageUnknown is the code of an address that leads nowhere, whoever asks.
const pageUnknown = "page_unknown"

// wayOut is the link under an explanation.
type wayOut struct {
	label string
	url   string
}

// fail answers with the page that fits an error. The text of an error that is no problem is withheld: the page shows a support id,
// and the log has it with the sort of the error.
func (p *portal) fail(w http.ResponseWriter, r *http.Request, v visitor, err error) {
	found := web.Refusal(err)
	if found == nil {
		p.failInternally(w, r, v, err)
		return
	}
	switch found.Kind {
	case problem.Unavailable:
		if web.IsOutage(err) {
			p.Log.Error("the KYC Center could not answer", "route", r.Pattern, "sort", problem.Sort(err))
		}
		p.showTrouble(w, r, v, trouble{
			status: http.StatusServiceUnavailable, title: v.p.T("trouble.away.title"), text: explain(v.p, found), out: wayOut{v.p.T("trouble.away.again"), again(r)},
		})
	case problem.NotFound:
		if found.Code == pageUnknown {
			r.SetPathValue("verification", "")
		}
		p.showMissing(w, r, v)
	case problem.Unauthenticated:
		p.showSessionOver(w, r, v)
	default:
		p.showTrouble(w, r, v, trouble{status: web.StatusOf(found.Kind), title: v.p.T("trouble.refused.title"), text: explain(v.p, found)})
	}
}

// again is the address to try once more: that of the page, not of what was sent to it.
func again(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return home
	}
	return withoutToken(r).RequestURI()
}

// trouble is a page that says what went wrong and how to go on.
type trouble struct {
	status    int
	title     string
	text      string
	supportID string
	out       wayOut // to the home page when empty
}

func (p *portal) showTrouble(w http.ResponseWriter, r *http.Request, v visitor, t trouble) {
	if t.out.url == "" {
		t.out = wayOut{v.p.T("trouble.home"), home}
	}
	p.render(w, r, t.status, p.frame(v, r, t.title), troubleBody(v.p, t))
}

func (p *portal) failInternally(w http.ResponseWriter, r *http.Request, v visitor, err error) {
	supportID := rand.Text()[:10]
	p.Log.Error("the KYC Center could not answer", "support_id", supportID, "route", r.Pattern, "sort", problem.Sort(err))
	p.showTrouble(w, r, v, trouble{
		status: http.StatusInternalServerError, title: v.p.T("trouble.server.title"), text: v.p.T("trouble.server.text"), supportID: supportID,
	})
}

// panicked answers a request that ran into a mistake of ours.
func (p *portal) panicked(w http.ResponseWriter, r *http.Request) {
	supportID := rand.Text()[:10]
	p.Log.Error("the KYC Center panicked", "support_id", supportID, "route", r.Pattern)
	v := p.anonymous(w, r)
	p.showTrouble(w, r, v, trouble{
		status: http.StatusInternalServerError, title: v.p.T("trouble.server.title"), text: v.p.T("trouble.server.text"), supportID: supportID,
	})
}

func (p *portal) notFound(w http.ResponseWriter, r *http.Request) {
	v, err := p.visitor(w, r)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.showMissing(w, r, v)
}

// showMissing does not say whether the thing exists for somebody else. Who is signed in may have followed a link that was mailed for
// another account of theirs, so the page offers to change accounts.
func (p *portal) showMissing(w http.ResponseWriter, r *http.Request, v visitor) {
	if id := r.PathValue("verification"); v.signedIn() && wellFormed(id) {
		p.render(w, r, http.StatusNotFound, p.frame(v, r, v.p.T("foreign.title")), foreignBody(v, id))
		return
	}
	p.showTrouble(w, r, v, trouble{status: http.StatusNotFound, title: v.p.T("trouble.missing.title"), text: v.p.T("trouble.missing.text")})
}

func (p *portal) showSessionOver(w http.ResponseWriter, r *http.Request, v visitor) {
	p.forget(w, sessionCookie)
	v.actor.ID = ""
	out := wayOut{v.p.T("trouble.session.again"), home}
	if id := r.PathValue("verification"); wellFormed(id) {
		out.url = verificationURL(id)
	}
	p.showTrouble(w, r, v, trouble{
		status: http.StatusUnauthorized, title: v.p.T("trouble.session.title"), text: v.p.T("trouble.session.text"), out: out,
	})
}

func (p *portal) refuseCrossOrigin(w http.ResponseWriter, r *http.Request) {
	v := p.anonymous(w, r)
	p.showTrouble(w, r, v, trouble{status: http.StatusForbidden, title: v.p.T("trouble.origin.title"), text: v.p.T("trouble.origin.text")})
}

// withoutToken returns the request's address for the language switch. A one-time token has been used up and does not belong there.
func withoutToken(r *http.Request) *url.URL {
	here := *r.URL
	query := here.Query()
	query.Del("token")
	here.RawQuery = query.Encode()
	return &here
}
