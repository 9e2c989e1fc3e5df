package mailbox

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/edge/web"
)

// Config says how the pages of a box look.
type Config struct {
	Box   *Box
	Brand web.Brand
	Nav   []web.NavItem // links to the demo's other doors
	Log   *slog.Logger
}

// Prefix is where Handler must be mounted.
const Prefix = "/mailbox/"

// Handler answers GET /mailbox/ (the list), /mailbox/messages/{id} (one mail), /mailbox/messages/{id}/html (its HTML part, for a frame)
// and /mailbox/messages.json?to=&since= (for programs).
func Handler(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mailbox/{$}", c.list)
	mux.HandleFunc("GET /mailbox/messages.json", c.listJSON)
	mux.HandleFunc("GET /mailbox/messages/{id}", c.show)
	mux.HandleFunc("GET /mailbox/messages/{id}/html", c.html)
	return web.SecurityHeaders(mux)
}

func (c Config) list(w http.ResponseWriter, r *http.Request) {
	to := strings.TrimSpace(r.URL.Query().Get("to"))
	view := listView{To: to, Addresses: c.Box.Addresses(), Mails: c.Box.List(Filter{To: to})}
	c.render(w, r, http.StatusOK, "Mailbox", listBody(view))
}

func (c Config) show(w http.ResponseWriter, r *http.Request) {
	mail, found := c.Box.Mail(r.PathValue("id"))
	if !found {
		c.render(w, r, http.StatusNotFound, "No such mail", missingBody())
		return
	}
	c.render(w, r, http.StatusOK, mail.Subject, mailBody(mail))
}

// html shows the HTML part of a mail in a frame of its own origin, whose links open in the whole window.
func (c Config) html(w http.ResponseWriter, r *http.Request) {
	mail, found := c.Box.Mail(r.PathValue("id"))
	if !found || mail.HTML == "" {
		http.NotFound(w, r)
		return
	}
	web.MailHeaders(w)
	// A reader that went away is no concern of ours.
	_, _ = w.Write([]byte(strings.Replace(mail.HTML, "<head>", "<head><base target=\"_top\">", 1)))
}

func (c Config) render(w http.ResponseWriter, r *http.Request, status int, title string, body templ.Component) {
	page := web.Page{Title: title, Locale: web.English, Brand: c.Brand, Area: "Mailbox", HomeURL: "/", Nav: c.Nav, Wide: true, Footer: footer()}
	if err := web.Render(w, r, status, page, body); err != nil {
		c.Log.Error("a page of the mailbox could not be shown", "page", title)
	}
}

// messageJSON is a mail as programs read it.
type messageJSON struct {
	ID         string    `json:"id"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Subject    string    `json:"subject"`
	MessageID  string    `json:"message_id"`
	Date       time.Time `json:"date"`
	ReceivedAt time.Time `json:"received_at"`
	Text       string    `json:"text"`
	HTML       string    `json:"html"`
}

func (c Config) listJSON(w http.ResponseWriter, r *http.Request) {
	filter, err := filterOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := struct {
		Items []messageJSON `json:"items"`
	}{Items: []messageJSON{}}
	for _, mail := range c.Box.List(filter) {
		answer.Items = append(answer.Items, messageJSON(mail))
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		c.Log.Debug("a reader of the mailbox went away")
	}
}

func filterOf(r *http.Request) (Filter, error) {
	filter := Filter{To: strings.TrimSpace(r.URL.Query().Get("to"))}
	since := r.URL.Query().Get("since")
	if since == "" {
		return filter, nil
	}
	instant, err := time.Parse(time.RFC3339Nano, since)
	if err != nil {
		return filter, errors.New("since must be an instant such as 2026-11-09T10:00:00Z")
	}
	filter.Since = instant
	return filter, nil
}
