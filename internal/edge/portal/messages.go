package portal

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// perPage is how many messages or tickets a page lists.
const perPage = 20

// nextPage returns the link to the rest of a list.
func nextPage(path, cursor string) web.PaginationProps {
	if cursor == "" {
		return web.PaginationProps{}
	}
	return web.PaginationProps{NextURL: path + "?cursor=" + url.QueryEscape(cursor)}
}

func (p *portal) listMessages(w http.ResponseWriter, r *http.Request, v visitor) {
	messages, next, err := p.Service.Messages(r.Context(), v.actor, v.actor.ID, store.Page{Cursor: r.URL.Query().Get("cursor"), Limit: perPage})
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.render(w, r, http.StatusOK, p.frame(v, r, v.p.T("messages.title")), messagesBody(v, messages, nextPage("/kyc/messages", next)))
}

// openMessage shows a message. Opening it is receipt and can start a clock, so only a person's own visit counts: not a HEAD, and not
// a browser that loads pages in advance.
func (p *portal) openMessage(w http.ResponseWriter, r *http.Request, v visitor) {
	if r.Method == http.MethodHead || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	messageID := r.PathValue("message")
	if !id.Valid(id.Message, messageID) {
		p.showMissing(w, r, v)
		return
	}
	message, err := p.Service.OpenMessage(r.Context(), v.actor, v.actor.ID, messageID)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	if v.unread, err = p.Service.UnreadMessages(r.Context(), v.actor, v.actor.ID); err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.render(w, r, http.StatusOK, p.frame(v, r, message.Subject), messageBody(v, message))
}

// ticketForm is what a holder has written so far.
type ticketForm struct {
	ticket         casework.Ticket
	verificationID string // where they came from, "" otherwise
	errors         []web.FieldError
}

func (p *portal) listTickets(w http.ResponseWriter, r *http.Request, v visitor) {
	tickets, next, err := p.Service.Tickets(r.Context(), v.actor, store.TicketFilter{}, store.Page{Cursor: r.URL.Query().Get("cursor"), Limit: perPage})
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.render(w, r, http.StatusOK, p.frame(v, r, v.p.T("tickets.title")), ticketsBody(v, tickets, nextPage("/kyc/tickets", next)))
}

// newTicket shows the form. From a verification, the codes that support asks for first are filled in.
func (p *portal) newTicket(w http.ResponseWriter, r *http.Request, v visitor) {
	var form ticketForm
	if from := r.URL.Query().Get("verification"); wellFormed(from) {
		view, err := p.Service.Verification(r.Context(), v.actor, from)
		if err != nil {
			p.fail(w, r, v, err)
			return
		}
		form.verificationID, form.ticket.QueryCode = from, view.Verification.QueryCode
		if view.Payment.ID != "" {
			form.ticket.ErrorCode = payment.RejectionCode
		}
	}
	p.renderTicketForm(w, r, http.StatusOK, v, form)
}

func (p *portal) renderTicketForm(w http.ResponseWriter, r *http.Request, status int, v visitor, form ticketForm) {
	p.render(w, r, status, p.frame(v, r, v.p.T("ticket.new.title")), newTicketBody(v, form))
}

func (p *portal) openTicket(w http.ResponseWriter, r *http.Request, v visitor) {
	values, err := readForm(w, r)
	form := ticketForm{
		ticket: casework.Ticket{
			AccountID: v.actor.ID, ErrorCode: trimmed(values, "error_code"), QueryCode: trimmed(values, "query_code"),
			StepsTaken: trimmed(values, "steps_taken"), Message: trimmed(values, "message"),
		},
	}
	if from := values.Get("verification"); wellFormed(from) {
		form.verificationID = from
	}
	var opened casework.Ticket
	if err == nil {
		opened, err = p.Service.OpenTicket(r.Context(), v.actor, form.ticket)
	}
	if err == nil {
		web.SetFlash(w, root, "flash.ticket")
		http.Redirect(w, r, "/kyc/tickets/"+opened.ID, http.StatusSeeOther)
		return
	}
	if problem.Is(err, problem.Invalid) || problem.Is(err, problem.TooMany) {
		form.errors = fieldErrors(v.p, err)
		p.renderTicketForm(w, r, web.StatusOf(problem.As(err).Kind), v, form)
		return
	}
	p.fail(w, r, v, err)
}

// trimmed returns a field without the space around it, with the line ends of a form (CRLF) made plain.
func trimmed(values url.Values, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(values.Get(name), "\r\n", "\n"))
}

func (p *portal) showTicket(w http.ResponseWriter, r *http.Request, v visitor) {
	ticketID := r.PathValue("ticket")
	if !id.Valid(id.Ticket, ticketID) {
		p.showMissing(w, r, v)
		return
	}
	ticket, err := p.Service.Ticket(r.Context(), v.actor, ticketID)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	p.render(w, r, http.StatusOK, p.frame(v, r, v.p.T("ticket.title")), ticketBody(v, ticket, p.flash(w, r)))
}

// ticketStatus is the status in the kit's words: a closed ticket with an answer was answered.
func ticketStatus(t casework.Ticket) string {
	if t.Status == casework.TicketClosed && t.Answer != "" {
		return "answered"
	}
	return string(t.Status)
}
