package console

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/problem"
)

// flashPath limits the flash cookie to the console.
const flashPath = "/console"

// errNoPage is the answer to an address that leads nowhere.
var errNoPage = problem.New(problem.NotFound, "not_found", "there is no such page; it may have moved")

// flashes are the messages that a page may show after a redirect.
var flashes = map[string]string{
	"approved":           "Approved. The restriction is lifted and the account holder is being told.",
	"resubmission":       "Asked again. The account holder is being told what to send, and why.",
	"declined":           "Declined. The restriction stays and the account holder is being told.",
	"evidence":           "Evidence added. It stands with the rest, marked as sent by staff.",
	"submitted":          "Submitted on the holder's behalf. The case is in the queue.",
	"opened":             "Verification opened. The account's payments are restricted and its holder is being told.",
	"already_open":       "A verification of this account was open already: this is it.",
	"canceled":           "Verification canceled. The restriction is lifted and the account holder is being told.",
	"answered":           "Answered. The account holder sees it in the KYC Center.",
	"clock":              "The clock was moved. What became due is being carried out now.",
	"queue_empty":        "No other case is waiting.",
	"held_approved":      "Approved. The payment passes, and the platform is being told.",
	"held_rejected":      "Rejected. The payment does not pass, and the platform is being told.",
	"outcome_reported":   "Recorded. It counts from now on, never for an earlier decision.",
	"draft_saved":        "Draft saved. It decides nothing until a second person has approved it.",
	"not_a_draft":        "Only a draft can be edited. Write a new draft from this version instead.",
	"policy_proposed":    "Proposed. A colleague who neither wrote nor proposed it approves it.",
	"policy_approved":    "Approved. It decides as soon as it is prepared and its time has come.",
	"policy_withdrawn":   "Withdrawn. It never decided anything.",
	"policy_rolled_back": "Rolled back. This version decides again.",
	"list_made":          "The list was made. A rule of the policy has to read it before it does anything.",
	"list_deleted":       "The list was deleted, with its entries.",
	"entry_added":        "Added. It counts for the next payment.",
	"entry_removed":      "Removed. It counts for the next payment.",
	"welcome":            "You are signed in. Next time, sign in with your e-mail address and passphrase.",
}

// waiting says how much work waits in each part of the console.
type waiting struct {
	cases       int
	overdue     int
	tickets     int
	undelivered int
	policies    int // versions that wait for a second person
}

// countLimit bounds what is counted by listing.
const countLimit = store.MaxLimit

func (v *visit) waiting() (waiting, error) {
	counts, err := v.s.Service.CountCases(v.r.Context(), v.actor)
	if err != nil {
		return waiting{}, err
	}
	tickets, _, err := v.s.Service.Tickets(v.r.Context(), v.actor, store.TicketFilter{Status: casework.TicketOpen}, store.Page{Limit: countLimit})
	if err != nil {
		return waiting{}, err
	}
	undelivered, _, err := v.s.Service.UndeliveredNotices(v.r.Context(), v.actor, store.Page{Limit: countLimit})
	if err != nil {
		return waiting{}, err
	}
	proposed, err := v.proposed()
	return waiting{cases: counts.Open, overdue: counts.Overdue, tickets: len(tickets), undelivered: len(undelivered), policies: len(proposed)}, err
}

// show renders a page of the console. section is the path of its part of the navigation.
func (v *visit) show(status int, title, section string, body templ.Component) error {
	page, err := v.frame(title, section)
	if err != nil {
		return err
	}
	flash := flashes[web.TakeFlash(v.w, v.r, flashPath)]
	v.note(web.Render(v.w, v.r, status, page, withFlash(flash, body)))
	return nil
}

// frame is a page of the console without its body.
func (v *visit) frame(title, section string) (web.Page, error) {
	counts, err := v.waiting()
	if err != nil {
		return web.Page{}, err
	}
	nav := []web.NavItem{
		{Label: "Queue", URL: "/console/", Count: counts.cases},
		{Label: "Tickets", URL: "/console/tickets", Count: counts.tickets},
		{Label: "Accounts", URL: "/console/accounts"},
		{Label: "Policy", URL: "/console/policy", Count: counts.policies},
		{Label: "Undelivered", URL: "/console/undelivered", Count: counts.undelivered},
	}
	if v.actor.Role == access.Administrator {
		nav = append(nav, web.NavItem{Label: "Staff", URL: "/console/staff"})
	}
	for i := range nav {
		nav[i].Current = nav[i].URL == section
	}
	page := web.Page{
		Title: title, Locale: web.English, Brand: web.Brand{Name: v.tenant.Name, Colour: v.tenant.BrandColor}, Area: "Review console",
		HomeURL: "/console/", Nav: nav, SignedIn: &web.SignedIn{Name: v.member.Name, SignOutURL: "/console/sign-out"}, Wide: true,
		Scripts: []string{"viewer.js", "console.js"}, Styles: []string{"console.css", "risk.css"}, Tools: searchBox(),
	}
	if v.s.Demo {
		back := "/console/"
		if v.r.Method == http.MethodGet {
			back = v.r.URL.RequestURI()
		}
		page.Above = clockBar(v.full(v.now), web.Stamp(v.now), back)
	}
	return page, nil
}

// note logs a failure to render; the reader has been told already.
func (v *visit) note(err error) {
	if err != nil {
		v.s.Log.Error("console page not rendered", "route", v.r.Pattern, "category", "render")
	}
}

// leave ends a change with a redirect and a message for the next page.
func (v *visit) leave(target, flash string) error {
	if flash != "" {
		web.SetFlash(v.w, flashPath, flash)
	}
	http.Redirect(v.w, v.r, target, http.StatusSeeOther)
	return nil
}

// refuse shows an error as a page.
func (v *visit) refuse(err error) {
	status, title, text := explain(err)
	if status == http.StatusServiceUnavailable { // a page with its frame would need the database
		v.s.refusePlain(v.w, v.r, err)
		return
	}
	if status == http.StatusInternalServerError {
		v.s.Log.Error("console request failed", "route", v.r.Pattern, "sort", problem.Sort(err))
	}
	if shown := v.show(status, title, "", refusal(title, text)); shown != nil {
		http.Error(v.w, "this page could not be shown; please try again", http.StatusInternalServerError)
	}
}

// explain maps a problem to a status, a title and a sentence. The text of any other error is withheld.
func explain(err error) (status int, title, text string) {
	p := web.Refusal(err)
	if p == nil {
		return http.StatusInternalServerError, "Something went wrong", "It is our fault, not yours. Nothing was changed; please try again."
	}
	text = sentenceCase(p.Message)
	titles := map[problem.Kind]string{
		problem.NotFound: "Not found", problem.Forbidden: "Not allowed", problem.Conflict: "This can't be done any more", problem.Gone: "No longer valid",
		problem.TooLarge: "Too large", problem.UnsupportedType: "This type can't be used", problem.TooMany: "Slow down a little",
		problem.Unavailable: "Not available right now", problem.Unauthenticated: "Please sign in", problem.Malformed: "This could not be read",
		problem.Invalid: "This was not accepted",
	}
	if title, known := titles[p.Kind]; known {
		return web.StatusOf(p.Kind), title, text
	}
	return http.StatusInternalServerError, "Something went wrong", "Nothing was changed; please try again."
}

// statusOf is the status of a form that is shown again because of the error.
func statusOf(err error) int {
	if err == nil {
		return http.StatusUnprocessableEntity
	}
	status, _, _ := explain(err)
	return status
}

// short writes an instant for a list, in the tenant's zone.
func (v *visit) short(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return web.FormatShort(t, v.tenant.Zone(), web.English)
}

// full writes an instant that matters, with weekday and zone.
func (v *visit) full(t time.Time) string { return web.FormatInstant(t, v.tenant.Zone(), web.English) }

// ago says how long before or after now an instant lies.
func (v *visit) ago(t time.Time) string {
	words := web.FormatRemaining(t.Sub(v.now), web.English)
	if words == "now" {
		return "just now"
	}
	return words
}

// page returns the part of a list that the address asks for.
func (v *visit) page(limit int) store.Page {
	return store.Page{Cursor: v.r.URL.Query().Get("cursor"), Limit: limit}
}

// later returns the address of the next page of the list at the address, or "" at its end.
func (v *visit) later(cursor string) string {
	if cursor == "" {
		return ""
	}
	query := v.r.URL.Query()
	query.Set("cursor", cursor)
	return v.r.URL.Path + "?" + query.Encode()
}

// first returns the address of the first page of the list, or "" when this is it.
func (v *visit) first() string {
	query := v.r.URL.Query()
	if query.Get("cursor") == "" {
		return ""
	}
	query.Del("cursor")
	if len(query) == 0 {
		return v.r.URL.Path
	}
	return v.r.URL.Path + "?" + query.Encode()
}

// isConflict reports whether the error is a conflict with the code.
func isConflict(err error, code string) bool {
	var p *problem.Problem
	return errors.As(err, &p) && p.Kind == problem.Conflict && p.Code == code
}

// advanceClock moves the demo's business time, by one of the steps that the bar offers.
func advanceClock(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(f.text("hours"))
	if err != nil || (hours != 1 && hours != 24 && hours != 72) {
		return problem.Field("hours", "out_of_range", "the clock moves by one hour, one day or three days")
	}
	if _, err := v.s.Service.AdvanceClock(v.r.Context(), v.actor, time.Duration(hours)*time.Hour); err != nil {
		return err
	}
	return v.leave(ownPath(f.text("back")), "clock")
}
