// Package portal is the KYC Center at /kyc: where an account holder reads what happened to a payment, sends what is asked for, and
// follows the review. Its reader is worried, in a hurry and on a telephone, so every page says what is needed next and when.
//
// The model is that of package web: a GET renders a page, a form POST changes something and redirects, and nothing needs a script.
// A session belongs to one account; the address of a verification, from a mail, opens nothing by itself.
//
// The rules of a form are one place: readForm refuses a card number in any field before anything else looks at it, and readUpload
// keeps what is uploaded in memory, because the card guard's promise is that no disk sees it.
package portal

import (
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
)

// root is where the portal is mounted, and the path of its cookies.
const root = "/kyc"

// home is the address of the first page.
const home = root + "/"

//go:embed catalog/*.json
var catalogFiles embed.FS

var texts = sync.OnceValue(func() *web.Catalog {
	return web.MustLoad(catalogFiles, "catalog/en.json", "catalog/zh-CN.json")
})

// Config is what the portal is made of.
type Config struct {
	Service *service.Service // required
	Log     *slog.Logger     // required
	// Demo says above every page that people and documents are invented.
	Demo bool
	// SecureCookies marks cookies for TLS only. It is off only for an installation that is reached over plain HTTP, such as the demo
	// on localhost.
	SecureCookies bool
}

// Attachments are held in memory while they are on their way, however slow that is, so an account has a few on their way at once.
const (
	maxUploads = 3
	maxViews   = 4
)

type portal struct {
	Config
	cookies web.SecretCookies
	// asks bounds the mails that one client can have sent to others' addresses, tries its guesses at codes and links.
	asks    *web.Throttle
	tries   *web.Throttle
	uploads inFlight // refused over maxUploads
	views   inFlight // wait for their turn over maxViews
}

// Handler returns the portal, to be mounted at /kyc and /kyc/. It brings its own security headers and refuses changes that come from
// other sites. The kit's assets are served elsewhere (web.Assets). It panics when a required part is missing, which is a start that
// went wrong.
func Handler(config Config) http.Handler {
	if config.Service == nil || config.Log == nil {
		panic(errors.New("portal: service and log are required"))
	}
	wall := config.Service.Clock.Wall
	p := &portal{
		Config: config, cookies: web.SecretCookies{Secure: config.SecureCookies, Path: root},
		uploads: inFlight{limit: maxUploads}, views: inFlight{limit: maxViews},
		asks: web.NewThrottle(30, 20*time.Second, wall), tries: web.NewThrottle(60, 10*time.Second, wall),
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+root, http.RedirectHandler(home, http.StatusMovedPermanently))
	mux.HandleFunc("GET /kyc/{$}", p.showHome)

	mux.HandleFunc("POST /kyc/sign-in", p.atMost(p.asks, p.requestCode))
	mux.HandleFunc("GET /kyc/code", p.showCode)
	mux.HandleFunc("POST /kyc/code", p.atMost(p.tries, p.enterCode))
	mux.HandleFunc("GET /kyc/session", p.atMost(p.tries, p.enterWithLink))
	mux.HandleFunc("POST /kyc/sign-out", p.signOut)

	mux.HandleFunc("GET /kyc/verifications/{verification}", p.showVerification)
	mux.HandleFunc("POST /kyc/verifications/{verification}/code", p.atMost(p.asks, p.requestCodeFor))
	mux.HandleFunc("GET /kyc/verifications/{verification}/{requirement}", p.holder(p.showRequirement))
	mux.HandleFunc("POST /kyc/verifications/{verification}/{requirement}", p.holder(p.addEvidence))
	mux.HandleFunc("GET /kyc/verifications/{verification}/check", p.holder(p.showCheck))
	mux.HandleFunc("POST /kyc/verifications/{verification}/submit", p.holder(p.submit))
	mux.HandleFunc("GET /kyc/verifications/{verification}/receipt", p.holder(p.showReceipt))
	mux.HandleFunc("GET /kyc/evidence/{evidence}", p.holder(p.serveAttachment))
	mux.HandleFunc("POST /kyc/evidence/{evidence}/withdraw", p.holder(p.withdrawEvidence))

	mux.HandleFunc("GET /kyc/messages", p.holder(p.listMessages))
	mux.HandleFunc("GET /kyc/messages/{message}", p.holder(p.openMessage))
	mux.HandleFunc("GET /kyc/tickets", p.holder(p.listTickets))
	mux.HandleFunc("GET /kyc/tickets/new", p.holder(p.newTicket))
	mux.HandleFunc("POST /kyc/tickets", p.holder(p.openTicket))
	mux.HandleFunc("GET /kyc/tickets/{ticket}", p.holder(p.showTicket))
	mux.HandleFunc(home, p.notFound)

	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(p.refuseCrossOrigin))
	return web.SecurityHeaders(web.Recovered(crossOrigin.Handler(mux), p.panicked))
}
