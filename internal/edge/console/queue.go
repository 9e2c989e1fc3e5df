package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/country"
)

// queuePage is how many cases a page of the queue holds.
const queuePage = 50

// lookedAtFor is how long a look at evidence counts as somebody working on the case.
const lookedAtFor = 10 * time.Minute

// queueView is the queue as its page shows it.
type queueView struct {
	v      *visit
	filter string // open, overdue or decided
	cases  []service.CaseSummary
	counts waiting
	next   string // cursor
}

// showQueue lists cases: open ones by due time, decided ones newest first.
func showQueue(v *visit) error {
	q := queueView{v: v, filter: v.r.URL.Query().Get("show")}
	var filter store.CaseFilter
	switch q.filter {
	case "", "open":
		q.filter, filter.Status = "open", casework.Open
	case "overdue":
		filter.Status, filter.Overdue = casework.Open, true
	case "decided":
		filter.Status = casework.Decided
	default:
		return errNoPage
	}
	var err error
	if q.cases, q.next, err = v.s.Service.Cases(v.r.Context(), v.actor, filter, v.page(queuePage)); err != nil {
		return err
	}
	if q.counts, err = v.waiting(); err != nil {
		return err
	}
	return v.show(http.StatusOK, "Queue", "/console/", queuePageBody(q))
}

// takeNext leads to the case that is due first, passing over the one just left and those that a colleague is looking at.
func takeNext(v *visit) error {
	found, _, err := v.s.Service.Cases(v.r.Context(), v.actor, store.CaseFilter{Status: casework.Open}, store.Page{Limit: 10})
	if err != nil {
		return err
	}
	left := v.r.URL.Query().Get("after")
	fallback := ""
	for _, one := range found {
		if one.Case.ID == left {
			continue
		}
		if fallback == "" {
			fallback = one.Case.ID
		}
		entries, _, err := v.s.Service.History(v.r.Context(), v.actor, one.Case.AccountID, store.Page{Limit: 20})
		if err != nil {
			return err
		}
		if _, busy := v.colleagueAt(entries, one.Case.VerificationID); !busy {
			return v.leave("/console/cases/"+one.Case.ID, "")
		}
	}
	if fallback != "" {
		return v.leave("/console/cases/"+fallback, "")
	}
	return v.leave("/console/", "queue_empty")
}

// colleagueAt returns the latest entry that shows a colleague looking at the evidence of the verification a short while ago.
func (v *visit) colleagueAt(newestFirst []journal.Entry, verificationID string) (journal.Entry, bool) {
	for _, e := range newestFirst {
		if v.now.Sub(e.At) > lookedAtFor {
			break
		}
		if e.Type == journal.EvidenceViewed && e.Data["verification_id"] == verificationID && e.Actor.Kind == access.Staff && e.Actor.ID != v.actor.ID {
			return e, true
		}
	}
	return journal.Entry{}, false
}

// dueWords says in words where a case stands in time, and how urgent that is.
func (v *visit) dueWords(c casework.Case) (string, web.Tone) {
	if c.Status != casework.Open {
		return decisionName(c.Decision), decisionTone(c.Decision)
	}
	left := c.DueAt.Sub(v.now)
	switch {
	case left < 0:
		return "Overdue by " + strings.TrimSuffix(web.FormatRemaining(left, web.English), " ago"), web.Negative
	case left < 4*time.Hour:
		return "Due " + web.FormatRemaining(left, web.English), web.Attention
	default:
		return "Due " + web.FormatRemaining(left, web.English), web.Neutral
	}
}

// who says what sort of holder an account has: "Individual · Denmark".
func who(p account.Profile) string {
	words := kindName(p.Kind)
	if p.Country != "" {
		words += " · " + country.Name(p.Country, web.English)
	}
	return words
}
