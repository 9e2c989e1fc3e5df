package portal_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/browser"
)

// tour plays one person through the pages on one screen. The pictures land in the directory of "go test -artifacts -outputdir DIR".
type tour struct {
	*world
	page     *browser.Page
	pictures string
	prefix   string
}

func (o tour) look(name string) {
	o.Helper()
	o.page.Accessible()
	o.page.Screenshot(filepath.Join(o.pictures, o.prefix+"-"+name+".png"))
	// The narrowest telephones in use are 320 pixels wide.
	if got := browser.Evaluate[string](o.page, tooWide); got != "" {
		o.Errorf("%s: at 320 pixels this sticks out: %s", name, got)
	}
}

const tooWide = `(() => {
	const html = document.documentElement;
	html.style.width = '320px';
	const out = [...document.querySelectorAll('main *, header *, footer *')].filter(e => !e.closest('.visually-hidden') && e.getBoundingClientRect().right > 321);
	html.style.width = '';
	return out.slice(0, 3).map(e => e.outerHTML.slice(0, 90)).join(' | ');
})()`

func (o tour) visit(path, name string) {
	o.Helper()
	o.page.Goto(o.site.URL + path)
	o.look(name)
}

func (o tour) signIn(p person, verificationID string) {
	o.Helper()
	o.visit("/kyc/", "01-sign-in")
	o.page.Goto(o.site.URL + "/kyc/?lang=" + web.Match(p.account.Profile.Locale))
	o.visit("/kyc/verifications/"+verificationID, "02-gate")
	o.page.Submit("main form button")
	o.look("03-code")
	o.page.Fill("#field-code", "999999")
	o.page.Submit("main form button")
	o.look("04-code-wrong")
	o.page.Fill("#field-code", o.code(p.account.Profile.Email))
	o.page.Submit("main form button")
	o.page.WaitURL(verificationID)
}

// add uploads one of the sample papers with the script of the page at work.
func (o tour) add(at, requirement, choice, paper, name string) {
	o.Helper()
	o.page.Goto(o.site.URL + at + "/" + requirement)
	if choice != "" {
		o.page.Click(`input[value="` + choice + `"]`)
	}
	o.page.Upload("#field-file", paper)
	o.look(name + "-chosen")
	o.page.Click("form[data-upload] button")
	o.page.WaitText(paperAdded(o.page))
	o.look(name + "-added")
}

// paperAdded is how the page says that something was added, in its language.
func paperAdded(p *browser.Page) string {
	if p.Attribute("html", "lang") == web.SimplifiedChinese {
		return "已添加，您可以在下方查看。"
	}
	return "Added. You can see it below."
}

func (o tour) story(p person, document string, ending casework.Decision) {
	o.Helper()
	id := o.reject(p)
	at := "/kyc/verifications/" + id
	papers := o.papersOnDisk()
	o.signIn(p, id)
	o.look("05-verification")
	o.visit("/kyc/", "06-home")
	o.visit("/kyc/messages", "07-messages")
	o.page.Submit(".entry__title")
	o.look("08-message")
	o.visit(at+"/government_id", "09-government-id")
	o.page.Upload("#field-file", papers["notes.txt"])
	o.page.Click("form[data-upload] button")
	o.look("10-refused")
	o.add(at, "government_id", document, papers["government_id.png"], "11-government-id")
	o.add(at, "payment_method", "", papers["small.png"], "12-payment-method")
	o.add(at, "billing_statement", "", papers["billing_statement.pdf"], "13-statement")
	o.visit(at, "14-verification")
	o.visit(at+"/check", "15-check")
	o.page.Submit(`form[action$="/submit"] button`)
	o.look("16-receipt")
	o.visit("/kyc/", "17-home")
	o.visit(at, "18-status")
	o.decide(id, service.CaseDecision{Decision: casework.RequestResubmission, Reasons: []verification.Reason{
		{Requirement: verification.PaymentMethod, Code: "card.name_not_visible"},
	}})
	o.RunJobs()
	o.visit(at, "19-again")
	o.visit(at+"/payment_method", "20-again-item")
	o.visit("/kyc/tickets/new?verification="+id, "21-ticket")
	o.page.Fill("#field-message", "4111 1111 1111 1111")
	o.page.Submit("main form button")
	o.look("22-ticket-refused")
	o.page.Fill("#field-message", "I do not know this payment. What should I do?")
	o.page.Submit("main form button")
	o.look("23-ticket-sent")
	o.visit("/kyc/tickets", "24-tickets")
	o.pass(5 * 24 * time.Hour)
	o.RunJobs()
	o.visit(at, "25-overdue")
	o.provideAgain(p, id)
	o.end(id, ending)
	o.visit(at, "26-decided")
	o.visit("/kyc/", "27-home-decided")
	o.page.Expect("404")
	o.visit("/kyc/verifications/ver_00000000000000000000000000", "28-foreign")
	o.visit("/kyc/nowhere", "29-missing")
	o.page.Expect("410")
	o.page.Expect("401")
	o.Advance(2 * time.Hour)
	o.visit("/kyc/messages", "30-session-over")
}

// end decides the case for good.
func (w *world) end(verificationID string, decision casework.Decision) {
	w.Helper()
	in := service.CaseDecision{Decision: decision}
	if decision == casework.Decline {
		in.Reasons = []verification.Reason{{Requirement: verification.PaymentMethod, Code: "card.last4_mismatch_on_file"}}
	}
	w.decide(verificationID, in)
}

func (w *world) provideAgain(p person, verificationID string) {
	w.Helper()
	_, err := w.Service.SendEvidence(w.T.Context(), p.actor, service.EvidenceUpload{VerificationID: verificationID, Requirement: verification.PaymentMethod, Raw: w.papers().PaymentMethod})
	w.must(err)
	_, err = w.Service.Submit(w.T.Context(), p.actor, verificationID)
	w.must(err)
}

// papersOnDisk writes what a person would choose from.
func (w *world) papersOnDisk() map[string]string {
	w.Helper()
	set := w.papers()
	folder := w.TempDir()
	paths := map[string]string{}
	for name, body := range map[string][]byte{
		"government_id.png": set.GovernmentID, "payment_method.png": set.PaymentMethod, "billing_statement.pdf": set.BillingStatement,
		"small.png": tiny(w.T), "notes.txt": []byte("words"),
	} {
		paths[name] = filepath.Join(folder, name)
		w.must(os.WriteFile(paths[name], body, 0o600))
	}
	return paths
}

func TestTheWholeStoryInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	pictures := t.ArtifactDir()
	chromium := browser.New(t)
	for _, c := range []struct {
		name     string
		open     func() *browser.Page
		person   func(*world) person
		document string
		ending   casework.Decision
	}{
		{"en-phone", chromium.Phone, (*world).alma, "id_card", casework.Approve},
		{"zh-phone", chromium.Phone, (*world).yunfan, "business_licence", casework.Decline},
		{"en-desktop", chromium.Desktop, (*world).alma, "passport", casework.Approve},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			page := c.open().With(t)
			page.Expect("422")
			tour{world: w, page: page, pictures: pictures, prefix: c.name}.story(c.person(w), c.document, c.ending)
		})
	}
}

func TestAWholeUploadWithoutScriptsInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	page := browser.New(t).Phone()
	page.DisableScripts()
	address, _, err := w.Service.MintPortalSession(t.Context(), w.Actor, alma.account.ID)
	w.must(err)
	if got := page.Goto(address); got != http.StatusOK {
		t.Fatalf("got status %d", got)
	}
	page.WaitURL(id)
	page.Goto(w.site.URL + "/kyc/verifications/" + id + "/payment_method")
	page.Upload("#field-file", w.papersOnDisk()["payment_method.png"])
	page.Submit("form[data-upload] button")
	page.WaitText("Added. You can see it below.")
}
