package portal

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// wellFormed reports whether the text could be the id of a verification.
func wellFormed(verificationID string) bool { return id.Valid(id.Verification, verificationID) }

func verificationURL(verificationID string) string {
	return "/kyc/verifications/" + url.PathEscape(verificationID)
}

// showSignIn asks for the e-mail address of the account.
func (p *portal) showSignIn(w http.ResponseWriter, r *http.Request, v visitor, email string, refused error) {
	status := http.StatusOK
	errors := fieldErrors(v.p, refused)
	if refused != nil {
		status = http.StatusUnprocessableEntity
	}
	p.render(w, r, status, p.frame(v, r, v.p.T("sign_in.title")), signInBody(v, email, errors, p.flash(w, r)))
}

// requestCode mails a code to the account with the address, if there is one. The answer is the same either way.
func (p *portal) requestCode(w http.ResponseWriter, r *http.Request) {
	v := p.anonymous(w, r)
	form, err := readForm(w, r)
	email := strings.TrimSpace(form.Get("email"))
	if err == nil {
		// An empty address would name no account, and a verification is not asked for here.
		var browser string
		browser, err = p.Service.RequestSignInCode(r.Context(), service.SignInRequest{Email: email})
		if err == nil {
			p.setCookie(w, browserCookie, browser, browserFor)
			http.Redirect(w, r, "/kyc/code", http.StatusSeeOther)
			return
		}
	}
	if problem.Is(err, problem.Invalid) {
		p.showSignIn(w, r, v, email, err)
		return
	}
	p.fail(w, r, v, err)
}

// requestCodeFor mails a code to the account that a verification belongs to, for who came from the link in a mail.
func (p *portal) requestCodeFor(w http.ResponseWriter, r *http.Request) {
	v := p.anonymous(w, r)
	verificationID := r.PathValue("verification")
	if !wellFormed(verificationID) {
		p.showMissing(w, r, v)
		return
	}
	browser, err := p.Service.RequestSignInCode(r.Context(), service.SignInRequest{VerificationID: verificationID})
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.setCookie(w, browserCookie, browser, browserFor)
	http.Redirect(w, r, "/kyc/code?verification="+url.QueryEscape(verificationID), http.StatusSeeOther)
}

// codeForm is the page that asks for a mailed code. The verification, when there is one, is where the holder wants to go.
type codeForm struct {
	verificationID string
	errors         []web.FieldError
}

func (p *portal) showCode(w http.ResponseWriter, r *http.Request) {
	v := p.anonymous(w, r)
	if p.cookies.Get(r, browserCookie) == "" {
		http.Redirect(w, r, home, http.StatusSeeOther)
		return
	}
	form := codeForm{verificationID: r.URL.Query().Get("verification")}
	if !wellFormed(form.verificationID) {
		form.verificationID = ""
	}
	p.render(w, r, http.StatusOK, p.frame(v, r, v.p.T("code.title")), codeBody(v, form))
}

// enterCode exchanges a code for a session.
func (p *portal) enterCode(w http.ResponseWriter, r *http.Request) {
	v := p.anonymous(w, r)
	form, err := readForm(w, r)
	target := codeForm{verificationID: form.Get("verification")}
	if !wellFormed(target.verificationID) {
		target.verificationID = ""
	}
	session := ""
	if err == nil {
		_, session, err = p.Service.SignInWithCode(r.Context(), p.cookies.Get(r, browserCookie), strings.TrimSpace(form.Get("code")))
	}
	if problem.Is(err, problem.Invalid) {
		target.errors = fieldErrors(v.p, err)
		p.render(w, r, http.StatusUnprocessableEntity, p.frame(v, r, v.p.T("code.title")), codeBody(v, target))
		return
	}
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.forget(w, browserCookie)
	p.begin(w, r, session)
	if target.verificationID != "" {
		http.Redirect(w, r, verificationURL(target.verificationID), http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, home, http.StatusSeeOther)
}

// begin hands the browser a new session and ends the one it had, which may belong to another account.
func (p *portal) begin(w http.ResponseWriter, r *http.Request, session string) {
	if old := p.cookies.Get(r, sessionCookie); old != "" {
		if err := p.Service.SignOut(r.Context(), old); err != nil {
			// The new session stands; the old one ends by its own time.
			p.Log.Warn("a replaced session could not be ended", "sort", problem.Sort(err))
		}
	}
	p.setCookie(w, sessionCookie, session, 0)
}

// enterWithLink uses up a link that the tenant's own site handed over. Only a person's own visit may do that, not a browser that
// loads pages in advance.
func (p *portal) enterWithLink(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	actor, session, err := p.Service.SignInWithLink(r.Context(), r.URL.Query().Get("token"))
	if err != nil {
		p.refuseLink(w, r, err)
		return
	}
	p.begin(w, r, session)
	target := home
	open, err := p.openVerificationOf(r, actor)
	if err != nil {
		// The session is good, and the home page will say if something is wrong.
		p.Log.Warn("the open verification could not be looked up", "sort", problem.Sort(err))
	} else if open != "" {
		target = verificationURL(open)
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// refuseLink tells a used, an expired and an unknown link apart, and how to go on.
func (p *portal) refuseLink(w http.ResponseWriter, r *http.Request, err error) {
	v, visitorError := p.visitor(w, r)
	found := problem.As(err)
	if visitorError != nil || found == nil {
		p.fail(w, r, v, err)
		return
	}
	out := wayOut{v.p.T("trouble.link.sign_in"), home}
	if v.signedIn() {
		out.label = v.p.T("trouble.home")
	}
	p.showTrouble(w, r, v, trouble{status: web.StatusOf(found.Kind), title: v.p.T("trouble.link.title"), text: explain(v.p, found), out: out})
}

// openVerificationOf returns the id of the account's open verification, or nothing.
func (p *portal) openVerificationOf(r *http.Request, actor access.Actor) (string, error) {
	all, err := p.verifications(r, actor)
	if err != nil {
		return "", err
	}
	for _, one := range all {
		if one.Status.Open() {
			return one.ID, nil
		}
	}
	return "", nil
}

// signOut ends the session. With a verification in the form, the holder wants to sign in to the account that it belongs to.
func (p *portal) signOut(w http.ResponseWriter, r *http.Request) {
	v := p.anonymous(w, r)
	form, err := readForm(w, r)
	if err == nil {
		err = p.Service.SignOut(r.Context(), p.cookies.Get(r, sessionCookie))
	}
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.forget(w, sessionCookie)
	if next := form.Get("verification"); wellFormed(next) {
		http.Redirect(w, r, verificationURL(next), http.StatusSeeOther)
		return
	}
	web.SetFlash(w, root, "flash.signed_out")
	http.Redirect(w, r, home, http.StatusSeeOther)
}

// flash takes the message that the page before left, as a key of the catalog, or "".
func (p *portal) flash(w http.ResponseWriter, r *http.Request) string {
	key := web.TakeFlash(w, r, root)
	if !strings.HasPrefix(key, "flash.") || !texts().Has(web.English, key) {
		return ""
	}
	return key
}

// fieldErrors turns a refusal into lines of an error summary.
func fieldErrors(p web.Printer, err error) []web.FieldError {
	found := problem.As(err)
	if found == nil {
		return nil
	}
	return []web.FieldError{{Field: found.Field, Message: explain(p, found)}}
}

// errorOf returns what is wrong with the field, or "".
func errorOf(errors []web.FieldError, field string) string {
	for _, one := range errors {
		if one.Field == field {
			return one.Message
		}
	}
	return ""
}
