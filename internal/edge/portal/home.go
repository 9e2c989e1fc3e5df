package portal

import (
	"net/http"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/verification"
)

// What the home page shows of each list; the rest has a page of its own.
const (
	homeMessages = 3
	homeTickets  = 3
)

// overview is everything that stands for an account.
type overview struct {
	visitor
	open     *status // the open verification, nil when there is none
	finished []verification.Verification
	messages []notice.Message
	tickets  []casework.Ticket
	flash    string
}

// showHome shows the overview to a holder, and the sign-in to everybody else.
func (p *portal) showHome(w http.ResponseWriter, r *http.Request) {
	v, err := p.visitor(w, r)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	if !v.signedIn() {
		p.showSignIn(w, r, v, "", nil)
		return
	}
	page, err := p.overview(r, v)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	page.flash = p.flash(w, r)
	p.render(w, r, http.StatusOK, p.frame(v, r, v.p.T("home.title")), homeBody(page))
}

func (p *portal) overview(r *http.Request, v visitor) (overview, error) {
	page := overview{visitor: v}
	all, err := p.verifications(r, v.actor)
	if err != nil {
		return page, err
	}
	for _, one := range all {
		if !one.Status.Open() || page.open != nil {
			page.finished = append(page.finished, one)
			continue
		}
		open, err := p.status(r, v, one.ID)
		if err != nil {
			return page, err
		}
		page.open = &open
	}
	if page.messages, _, err = p.Service.Messages(r.Context(), v.actor, v.actor.ID, store.Page{Limit: homeMessages}); err != nil {
		return page, err
	}
	page.tickets, _, err = p.Service.Tickets(r.Context(), v.actor, store.TicketFilter{}, store.Page{Limit: homeTickets})
	return page, err
}
