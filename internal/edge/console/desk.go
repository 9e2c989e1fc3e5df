package console

import (
	"net/http"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// ticketLine is a ticket with the account it came from.
type ticketLine struct {
	ticket  casework.Ticket
	account account.Account
}

// showTickets lists tickets: open ones unless answered ones are asked for.
func showTickets(v *visit) error {
	filter := store.TicketFilter{Status: casework.TicketOpen}
	shown := v.r.URL.Query().Get("show")
	switch shown {
	case "", "open":
		shown = "open"
	case "answered":
		filter.Status = casework.TicketClosed
	default:
		return errNoPage
	}
	tickets, next, err := v.s.Service.Tickets(v.r.Context(), v.actor, filter, v.page(store.DefaultLimit))
	if err != nil {
		return err
	}
	lines := make([]ticketLine, 0, len(tickets))
	accounts, err := v.accountsOf(len(tickets), func(i int) string { return tickets[i].AccountID })
	if err != nil {
		return err
	}
	for _, t := range tickets {
		lines = append(lines, ticketLine{ticket: t, account: accounts[t.AccountID]})
	}
	return v.show(http.StatusOK, "Tickets", "/console/tickets", ticketsPage(v, shown, lines, next))
}

// accountsOf loads the accounts that a list names, each once.
func (v *visit) accountsOf(count int, accountID func(int) string) (map[string]account.Account, error) {
	found := map[string]account.Account{}
	for i := range count {
		if _, known := found[accountID(i)]; known {
			continue
		}
		view, err := v.s.Service.Account(v.r.Context(), v.actor, accountID(i))
		if err != nil {
			return nil, err
		}
		found[accountID(i)] = view.Account
	}
	return found, nil
}

// ticketView is a ticket with its answer as it is being written.
type ticketView struct {
	v            *visit
	ticket       casework.Ticket
	account      service.AccountView
	verification *service.VerificationView // nil when no query code led to one
	form         *form
}

func (v *visit) ticketView(f *form) (ticketView, error) {
	t := ticketView{v: v, form: f}
	var err error
	if t.ticket, err = v.s.Service.Ticket(v.r.Context(), v.actor, v.r.PathValue("id")); err != nil {
		return t, err
	}
	if t.account, err = v.s.Service.Account(v.r.Context(), v.actor, t.ticket.AccountID); err != nil || t.ticket.VerificationID == "" {
		return t, err
	}
	view, err := v.s.Service.Verification(v.r.Context(), v.actor, t.ticket.VerificationID)
	t.verification = &view
	return t, err
}

func showTicket(v *visit) error {
	t, err := v.ticketView(&form{})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "Ticket", "/console/tickets", ticketPage(t))
}

func answerTicket(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	f.refuseCardNumbers("answer")
	if len(f.errors) == 0 {
		_, err = v.s.Service.CloseTicket(v.r.Context(), v.actor, v.r.PathValue("id"), f.text("answer"))
		if err == nil {
			return v.leave("/console/tickets/"+v.r.PathValue("id"), "answered")
		}
		if !f.take(err, map[string]string{"answer": "answer"}) {
			return err
		}
	}
	t, loadError := v.ticketView(f)
	if loadError != nil {
		return loadError
	}
	return v.show(statusOf(err), "Ticket", "/console/tickets", ticketPage(t))
}

// undeliveredLine is a notice that did not arrive, with its account.
type undeliveredLine struct {
	notice  notice.Notice
	account account.Account
}

// showUndelivered lists notices that bounced and that nobody opened: no clock runs for them, so staff find another way.
func showUndelivered(v *visit) error {
	notices, next, err := v.s.Service.UndeliveredNotices(v.r.Context(), v.actor, v.page(store.DefaultLimit))
	if err != nil {
		return err
	}
	accounts, err := v.accountsOf(len(notices), func(i int) string { return notices[i].AccountID })
	if err != nil {
		return err
	}
	lines := make([]undeliveredLine, 0, len(notices))
	for _, n := range notices {
		lines = append(lines, undeliveredLine{notice: n, account: accounts[n.AccountID]})
	}
	return v.show(http.StatusOK, "Undelivered notices", "/console/undelivered", undeliveredPage(v, lines, next))
}

// staffView is the staff page, with a fresh invitation when one was just made.
type staffView struct {
	v       *visit
	members []access.Member
	form    *form
	link    string
	expires time.Time // wall time
	email   string
}

// onlyAdministrators refuses everybody else in the terms of the service, which checks it again for each change.
func (v *visit) onlyAdministrators() error { return v.actor.Require(access.ManageStaff) }

func (v *visit) staffBody(status int, s staffView) error {
	members, err := v.s.Service.Staff(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	s.v, s.members = v, members
	return v.show(status, "Staff", "/console/staff", staffPage(s))
}

func showStaff(v *visit) error {
	if err := v.onlyAdministrators(); err != nil {
		return err
	}
	return v.staffBody(http.StatusOK, staffView{form: &form{}})
}

// setAccess ends a colleague's access at once, or gives it back.
func setAccess(v *visit) error {
	if err := v.onlyAdministrators(); err != nil {
		return err
	}
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	if err := v.s.Service.SetStaffAccess(v.r.Context(), v.actor, v.r.PathValue("id"), f.text("allowed") == "yes"); err != nil {
		return err
	}
	http.Redirect(v.w, v.r, "/console/staff", http.StatusSeeOther)
	return nil
}

// invite makes a one-time link and shows it in the answer, once: it is kept nowhere, so a redirect could not show it.
func invite(v *visit) error {
	if err := v.onlyAdministrators(); err != nil {
		return err
	}
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	f.refuseCardNumbers("email")
	if len(f.errors) > 0 {
		return v.staffBody(http.StatusUnprocessableEntity, staffView{form: f})
	}
	link, expires, err := v.s.Service.InviteStaff(v.r.Context(), v.actor, f.text("email"), access.Role(f.text("role")))
	if err != nil {
		if problem.Is(err, problem.Forbidden) || !f.take(err, map[string]string{"email": "email", "role": "role"}) {
			return err
		}
		return v.staffBody(statusOf(err), staffView{form: f})
	}
	return v.staffBody(http.StatusOK, staffView{form: &form{}, link: link, expires: expires, email: f.text("email")})
}
