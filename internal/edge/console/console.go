// Package console is the review console at /console: where staff sign in, see what is due, look at evidence beside what the account
// says, and decide. Pages are rendered on the server, a form POST changes something and redirects, and nothing needs JavaScript.
//
// The package decides nothing: it reads requests, asks the service, and shows its answer. Who may do what is checked there.
package console

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// Config is what the console is made of.
type Config struct {
	Service *service.Service
	Log     *slog.Logger
	// Demo shows the business time and the buttons that move it.
	Demo bool
	// SecureCookies marks cookies Secure; it is set when browsers reach the installation over https.
	SecureCookies bool
}

type server struct {
	Config
	cookies web.SecretCookies
	// tries bounds the slow hashes that one client can have computed, and its guesses at passphrases and links.
	tries *web.Throttle
}

// visit is one request of a signed-in member of staff.
type visit struct {
	s      *server
	w      http.ResponseWriter
	r      *http.Request
	actor  access.Actor
	member access.Member
	tenant policy.Tenant
	now    time.Time // business time
}

// Handler returns the console; mount it at "/console/". It needs the kit's assets at "/assets/".
func Handler(c Config) http.Handler {
	s := &server{
		Config: c, cookies: web.SecretCookies{Secure: c.SecureCookies, Path: "/console"},
		tries: web.NewThrottle(30, 20*time.Second, c.Service.Clock.Wall),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /console/sign-in", s.showSignIn)
	mux.HandleFunc("POST /console/sign-in", s.atMost(s.signIn))
	mux.HandleFunc("POST /console/sign-out", s.signOut)
	mux.HandleFunc("GET /console/join", s.atMost(s.showJoin))
	mux.HandleFunc("POST /console/join", s.atMost(s.join))
	for pattern, page := range map[string]func(*visit) error{
		"GET /console/{$}":                                showQueue,
		"GET /console/next":                               takeNext,
		"GET /console/cases/{id}":                         showCase,
		"POST /console/cases/{id}/decision":               decide,
		"GET /console/evidence/{id}":                      showAttachment,
		"GET /console/verifications/{id}":                 showVerification,
		"GET /console/verifications/{id}/evidence":        showAddEvidence,
		"POST /console/verifications/{id}/evidence":       addEvidence,
		"POST /console/verifications/{id}/submit":         submitForHolder,
		"GET /console/verifications/{id}/cancel":          showCancel,
		"POST /console/verifications/{id}/cancel":         cancel,
		"GET /console/accounts":                           showAccounts,
		"GET /console/accounts/{id}":                      showAccount,
		"GET /console/accounts/{id}/history":              showHistory,
		"GET /console/accounts/{id}/verifications/new":    showOpenVerification,
		"POST /console/accounts/{id}/verifications":       openVerification,
		"POST /console/search":                            search,
		"GET /console/payments/{id}":                      showExplanation,
		"POST /console/payments/{id}/outcome":             reportOutcome,
		"GET /console/policy":                             showPolicy,
		"GET /console/policy/versions":                    showVersions,
		"POST /console/policy/versions":                   saveNewDraft,
		"GET /console/policy/versions/new":                showNewDraft,
		"GET /console/policy/versions/{id}":               showVersion,
		"GET /console/policy/versions/{id}/diff":          showDiff,
		"GET /console/policy/versions/{id}/edit":          showEditor,
		"POST /console/policy/versions/{id}/edit":         saveDraft,
		"POST /console/policy/versions/{id}/propose":      proposeVersion,
		"POST /console/policy/versions/{id}/approve":      approveVersion,
		"POST /console/policy/versions/{id}/withdraw":     withdrawVersion,
		"POST /console/policy/versions/{id}/rollback":     rollBack,
		"GET /console/policy/backtest":                    showBacktest,
		"POST /console/policy/backtest":                   runBacktest,
		"GET /console/lists":                              showLists,
		"POST /console/lists":                             makeList,
		"GET /console/lists/{id}":                         showList,
		"POST /console/lists/{id}/search":                 searchList,
		"POST /console/lists/{id}/entries":                addEntry,
		"POST /console/lists/{id}/entries/{entry}/remove": removeEntry,
		"POST /console/lists/{id}/delete":                 deleteList,
		"GET /console/tickets":                            showTickets,
		"GET /console/tickets/{id}":                       showTicket,
		"POST /console/tickets/{id}/answer":               answerTicket,
		"GET /console/undelivered":                        showUndelivered,
		"GET /console/staff":                              showStaff,
		"POST /console/staff":                             invite,
		"POST /console/staff/{id}/access":                 setAccess,
		"POST /console/clock":                             advanceClock,
		"GET /console/":                                   func(*visit) error { return errNoPage },
	} {
		mux.HandleFunc(pattern, s.staff(page))
	}
	return web.SecurityHeaders(web.Recovered(web.RefuseCrossOrigin(mux), s.panicked))
}

// atMost lets a client through as often as the throttle allows.
func (s *server) atMost(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.tries.Allow(r) {
			next(w, r)
			return
		}
		w.Header().Set("Retry-After", "60")
		s.refusePlain(w, r, problem.New(problem.TooMany, "too_many_tries", "there were too many tries from your network; wait a minute and try again"))
	}
}

// panicked answers a request that ran into a mistake of ours.
func (s *server) panicked(w http.ResponseWriter, r *http.Request) {
	s.Log.Error("the console panicked", "route", r.Pattern)
	http.Error(w, "something went wrong on our side; please try again", http.StatusInternalServerError)
}

// staff lets signed-in staff through to the page and sends everyone else to sign in. An error of the page becomes a page of its own.
func (s *server) staff(page func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := s.visitor(w, r)
		if err != nil {
			s.sendToSignIn(w, r, err)
			return
		}
		if err := page(v); err != nil {
			v.refuse(err)
		}
	}
}

func (s *server) visitor(w http.ResponseWriter, r *http.Request) (*visit, error) {
	actor, member, err := s.Service.StaffOf(r.Context(), s.cookies.Get(r, sessionCookie))
	if err != nil {
		return nil, err
	}
	tenant, err := s.Service.Tenant(r.Context(), actor.TenantID)
	if err != nil {
		return nil, err
	}
	return &visit{s: s, w: w, r: r, actor: actor, member: member, tenant: tenant, now: s.Service.Clock.Now()}, nil
}
