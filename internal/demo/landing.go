package demo

import (
	"net/http"
	"sync"
	"time"

	"github.com/probity/probity/internal/demo/mailbox"
	"github.com/probity/probity/internal/demo/platform"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/samples"
)

// doors links the demo's own pages to each other.
func doors(here string) []web.NavItem {
	items := []web.NavItem{
		{Label: "Start", URL: "/"},
		{Label: "Platform", URL: platform.Prefix},
		{Label: "Events", URL: platform.Prefix + "events"},
		{Label: "KYC Center", URL: "/kyc/"},
		{Label: "Console", URL: "/console/"},
		{Label: "Mailbox", URL: mailbox.Prefix},
	}
	for i := range items {
		items[i].Current = items[i].URL == here
	}
	return items
}

// landingView is the first page.
type landingView struct {
	FirstStartLink string // empty once somebody has joined, or when the reader sits elsewhere
	Elsewhere      bool   // nobody has joined, but the link opens on the machine itself only
	Preparing      bool   // the world's past is being played
	Story          []web.Step
	Specimens      []string
}

// landing answers the first page.
func (d *demo) landing() http.Handler {
	return web.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		view := landingView{Preparing: !d.prepared.Load(), Story: story(), Specimens: specimenNames}
		members, err := d.app.Service.Staff(r.Context(), access.SystemActor(tenantID, "demo"))
		if err != nil {
			d.Log.Error("the demo cannot tell whether somebody has joined the console")
		}
		if link := d.firstStart.Load(); err == nil && len(members) == 0 && link != nil {
			view.Elsewhere = !web.FromThisMachine(r)
			if !view.Elsewhere {
				view.FirstStartLink = *link
			}
		}
		page := web.Page{Title: "Demo", Locale: web.English, Brand: web.Brand{Name: "Probity", Colour: tenantColor}, Area: "Demo", Nav: doors("/"), Wide: true, Footer: footer()}
		if err := web.Render(w, r, http.StatusOK, page, landingBody(view)); err != nil {
			d.Log.Error("the landing page could not be shown")
		}
	}))
}

// story is what to try first. The last step stays open: it is another way to go on.
func story() []web.Step {
	steps := []web.Step{
		{Label: "A payment is rejected", URL: platform.Prefix, Detail: "On the platform, let a suspicious payment happen. Alma Petersen's card is used from far away, for far more than usual."},
		{Label: "The mail arrives", URL: mailbox.Prefix, Detail: "The mailbox holds her Payment Method Security Alert: what happened, what to prepare, and until when."},
		{Label: "She signs in to the KYC Center", URL: "/kyc/", Detail: "By the link and a one-time code from the mailbox, or handed over by the platform with Open the KYC Center."},
		{Label: "She sends three documents", URL: "#specimens", Detail: "The specimens on this page are hers: identity card, payment card with its middle digits covered, and the latest statement. After the submission she holds a query code."},
		{Label: "A reviewer decides", URL: "/console/", Detail: "In the console, the case waits in the queue. Look at the evidence, compare, approve; or ask for one item again."},
		{Label: "The payment passes", URL: platform.Prefix, Detail: "Back on the platform, try the payment again. Approval lifted the restriction and granted this retry."},
		{Label: "Or nobody answers", URL: platform.Prefix, Detail: "Move the demo clock by 3 days instead: the due date is missed, the instances are suspended, and a later approval resumes them."},
	}
	for i := range steps {
		steps[i].State = web.StepUpcoming
	}
	steps[0].State = web.StepCurrent
	return steps
}

// specimenNames are the documents that can be taken from the landing page.
var specimenNames = []string{samples.GovernmentIDFile, samples.PaymentMethodFile, samples.BillingStatementFile}

// specimens serves the documents of the story's account holder, drawn when they are first asked for.
func specimens(now func() time.Time) http.Handler {
	draw := sync.OnceValues(func() (samples.Set, error) {
		options := samples.Default()
		options.Date = now()
		return samples.Draw(options)
	})
	return web.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set, err := draw()
		if err != nil {
			http.Error(w, "the specimens could not be drawn", http.StatusInternalServerError)
			return
		}
		name := r.PathValue("name")
		body, kind := []byte(nil), "image/png"
		switch name {
		case samples.GovernmentIDFile:
			body = set.GovernmentID
		case samples.PaymentMethodFile:
			body = set.PaymentMethod
		case samples.BillingStatementFile:
			body, kind = set.BillingStatement, "application/pdf"
		default:
			http.NotFound(w, r)
			return
		}
		web.AttachmentHeaders(w, kind, name)
		// A reader that went away is no concern of ours.
		_, _ = w.Write(body)
	}))
}
