package platform

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/edge/web"
)

// Config is what the platform is made of. Every field is required.
type Config struct {
	Client          *client.Client
	Store           *Store
	ConnectorSecret string           // verifies Probity's commands
	Now             func() time.Time // wall time, for the signatures
	Brand           web.Brand
	Nav             []web.NavItem
	Log             *slog.Logger
}

// site is the platform's pages and its connector.
type site struct {
	Config
	feed feed
}

// Handler answers the platform's pages under Prefix, and POST /platform/connector for Probity's commands.
func Handler(c Config) http.Handler {
	s := &site{Config: c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /platform/{$}", s.overview)
	mux.HandleFunc("GET /platform/customers/{id}", s.customer)
	mux.HandleFunc("POST /platform/customers/{id}/story", s.playStory)
	mux.HandleFunc("POST /platform/customers/{id}/payments", s.pay)
	mux.HandleFunc("POST /platform/customers/{id}/kyc", s.openKYC)
	mux.HandleFunc("GET /platform/payments/{id}", s.payment)
	mux.HandleFunc("POST /platform/payments/{id}/retry", s.retry)
	mux.HandleFunc("GET /platform/events", s.events)
	mux.HandleFunc("POST /platform/clock", s.moveClock)
	mux.HandleFunc("POST /platform/connector", s.connector)
	return web.SecurityHeaders(web.RefuseCrossOrigin(mux))
}

func (s *site) render(w http.ResponseWriter, r *http.Request, status int, title string, body templ.Component) {
	page := web.Page{Title: title, Locale: web.English, Brand: s.Brand, Area: "Platform", HomeURL: Prefix, Nav: s.navFor(r), Wide: true, Footer: footer()}
	if err := web.Render(w, r, status, page, body); err != nil {
		s.Log.Error("a page of the platform could not be shown")
	}
}

// navFor marks the door that the page lies behind.
func (s *site) navFor(r *http.Request) []web.NavItem {
	items := make([]web.NavItem, len(s.Nav))
	copy(items, s.Nav)
	for i := range items {
		items[i].Current = items[i].URL == r.URL.Path || (items[i].URL == Prefix && r.URL.Path != Prefix+"events")
	}
	return items
}

// fail shows what Probity answered instead of what was asked for.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	t := troubleOf(err)
	s.render(w, r, t.Status, "That did not work", troubleBody(t))
}

func troubleOf(err error) trouble {
	if problem, ok := errors.AsType[*client.Error](err); ok {
		return trouble{Status: problem.Status, Code: problem.Code, Message: problem.Detail}
	}
	if errors.Is(err, context.Canceled) {
		return trouble{Status: http.StatusServiceUnavailable, Code: "canceled", Message: "The demo is ending."}
	}
	return trouble{Status: http.StatusBadGateway, Code: "no_answer", Message: "Probity did not answer. Try again in a moment."}
}

// missing says that the platform has no such page.
func (s *site) missing(w http.ResponseWriter, r *http.Request, what string) {
	s.render(w, r, http.StatusNotFound, "Not found", troubleBody(trouble{Code: "not_found", Message: "There is no such " + what + " here."}))
}

func (s *site) overview(w http.ResponseWriter, r *http.Request) {
	accounts, err := s.accounts(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	view := overviewView{}
	statuses, err := s.statuses(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, c := range s.Store.Customers() {
		row := rowOf(c, accounts[c.AccountID], statuses)
		if view.Hero.ExternalID == "" && !row.Restricted {
			view.Hero = c
		}
		view.Customers = append(view.Customers, row)
	}
	if view.Clock, err = s.clock(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "Customers", overviewBody(view))
}

// accounts returns the accounts that Probity knows, by id.
func (s *site) accounts(ctx context.Context) (map[string]client.Account, error) {
	found := map[string]client.Account{}
	for a, err := range s.Client.AllAccounts(ctx, client.AccountFilter{Limit: 200}) {
		if err != nil {
			return nil, err
		}
		found[a.ID] = a
	}
	return found, nil
}

// statuses returns where each verification stands, by id.
func (s *site) statuses(ctx context.Context) (map[string]string, error) {
	found := map[string]string{}
	for v, err := range s.Client.AllVerifications(ctx, client.VerificationFilter{Limit: 200}) {
		if err != nil {
			return nil, err
		}
		found[v.ID] = v.Status
	}
	return found, nil
}

func rowOf(c Customer, a client.Account, statuses map[string]string) customerRow {
	row := customerRow{Customer: c}
	for _, restriction := range a.Restrictions {
		row.Restricted, row.Status = true, statuses[restriction.VerificationID]
	}
	if a.Enforcement.DueAt != nil {
		zone := zoneOf(a)
		row.DueAt = web.FormatShort(*a.Enforcement.DueAt, zone, web.English) + " (" + zone.String() + ")"
	}
	return row
}

// zoneOf is the zone in which the account holder's due dates run.
func zoneOf(a client.Account) *time.Location {
	if a.TimeZone == nil {
		return time.UTC
	}
	zone, err := time.LoadLocation(*a.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func (s *site) clock(ctx context.Context) (clockView, error) {
	now, err := s.Client.DemoClock(ctx)
	if err != nil {
		return clockView{}, err
	}
	view := clockView{Now: web.FormatInstant(now.Now, nil, web.English), Stamp: web.Stamp(now.Now)}
	if now.OffsetSeconds > 0 {
		ahead := web.FormatRemaining(time.Duration(now.OffsetSeconds)*time.Second, web.English)
		view.Ahead = "This machine's own clock gets there " + ahead + "."
	}
	return view, nil
}

// moveClock lets time pass.
func (s *site) moveClock(w http.ResponseWriter, r *http.Request) {
	steps := map[string]time.Duration{"3600": time.Hour, "86400": 24 * time.Hour, "259200": 72 * time.Hour}
	by, known := steps[r.PostFormValue("seconds")]
	if !known {
		s.missing(w, r, "step")
		return
	}
	if _, err := s.Client.AdvanceDemoClock(r.Context(), by); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, Prefix, http.StatusSeeOther)
}

// openKYC hands the customer, who is signed in to the platform, over to the KYC Center.
func (s *site) openKYC(w http.ResponseWriter, r *http.Request) {
	c, found := s.Store.Customer(r.PathValue("id"))
	if !found {
		s.missing(w, r, "customer")
		return
	}
	session, err := s.Client.CreatePortalSession(r.Context(), c.AccountID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, session.URL, http.StatusSeeOther)
}
