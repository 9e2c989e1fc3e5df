package service_test

import (
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/account"
)

func TestOthersWithTheSameAddressDoNotStandInTheWay(t *testing.T) {
	on(t, func(w *world) {
		tenant, err := w.s.CreateTenant(w.Context(), policyWithoutConnector())
		w.must(err)
		other := w.newKey(tenant.ID)
		for range 6 {
			w.personOf(other, account.Profile{Kind: account.Individual, Name: "Somebody Else", Email: "alma@mail.example"})
		}
		p := w.person(func(a *account.Profile) { a.Name = "Alma Who Waits" })
		w.reject(p)
		w.work()
		before := len(w.post.mails())
		browser := w.ask("alma@mail.example")
		for _, m := range w.post.mails()[before:] {
			code := sixDigits.FindString(m.Text)
			if !strings.Contains(m.Text, "Alma Who Waits") {
				continue
			}
			actor, _, err := w.s.SignInWithCode(w.Context(), browser, code)
			w.must(err)
			if actor != p.holder {
				w.Errorf("got %+v, want the account that waits for its holder", actor)
			}
			return
		}
		w.Error("no code was mailed for the account whose verification is under way")
	})
}
