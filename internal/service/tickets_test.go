package service_test

import (
	"testing"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/standard/problem"
)

func TestOneAccountCannotBuryTheTicketsOfOthers(t *testing.T) {
	on(t, func(w *world) {
		p, other := w.person(), w.person()
		ask := func(p person) (casework.Ticket, error) {
			return w.s.OpenTicket(w.Context(), p.holder, casework.Ticket{AccountID: p.account.ID, Message: "what now?"})
		}
		var last casework.Ticket
		opened := 0
		for range 20 {
			var err error
			last, err = ask(p)
			w.must(err)
			opened++
		}
		for _, err := range atOnce(4, func(int) error { _, err := ask(p); return err }) {
			refused(w, err, problem.TooMany, "too_many_tickets")
		}
		if got := w.counts()["tickets"]; got != opened {
			w.Errorf("got %d tickets, want %d", got, opened)
		}
		_, err := ask(other)
		w.must(err)
		_, err = w.s.CloseTicket(w.Context(), w.key, last.ID, "Please send the back side too.")
		w.must(err)
		_, err = ask(p)
		w.must(err)
	})
}
