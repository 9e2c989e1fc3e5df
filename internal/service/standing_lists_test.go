package service_test

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

func TestAChangedEntryDecidesTheNextPaymentOnEveryNodeAndOnlyWhatChangedIsRead(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		second, err := service.New(w.config)
		w.must(err)
		w.publish(small("1", "approved"))
		l, err := w.s.CreateList(w.Context(), ana, service.NewList{Name: "blocked_devices", Kind: list.Block})
		w.must(err)
		pay := func(node *service.Service, device string) payment.Outcome {
			w.Helper()
			attempt := w.person().attempt(dollars(20))
			attempt.DeviceID = device
			view, err := node.AuthorizePayment(w.Context(), w.key, attempt)
			w.must(err)
			return view.Payment.Outcome
		}
		want := func(device string, outcome payment.Outcome) {
			w.Helper()
			for i, node := range []*service.Service{w.s, second} {
				if got := pay(node, device); got != outcome {
					w.Errorf("node %d: got %s from %s, want %s", i, got, device, outcome)
				}
			}
		}
		put := func(device string, expires time.Time) list.Entry {
			w.Helper()
			e, err := w.s.AddListEntry(w.Context(), ana, service.NewListEntry{ListID: l.List.ID, NewEntry: list.NewEntry{Value: device, Reason: "fraud", ExpiresAt: expires}})
			w.must(err)
			return e
		}
		want("one", payment.Approved)
		_, err = w.db.Exec("INSERT INTO list_entries (tenant_id, list_id, id, value, reason, added_by, created_at, removed_by) VALUES ('" +
			w.tenant.ID + "', '" + l.List.ID + "', 'lse_behind', 'behind', '', 'x', 1, '')")
		w.must(err)
		one := put("one", time.Time{})
		want("one", payment.Rejected)
		want("behind", payment.Approved) // nobody was told that it changed, so nobody has read it
		w.must(w.s.RemoveListEntry(w.Context(), ana, l.List.ID, one.ID))
		want("one", payment.Approved)
		put("one", w.now().Add(time.Hour))
		want("one", payment.Rejected)
		w.at(w.now().Add(2 * time.Hour))
		want("one", payment.Approved)
		put("one", time.Time{}) // in the place of what has expired
		want("one", payment.Rejected)
		w.publish(small("2", "approved")) // declares the same lists
		want("one", payment.Rejected)
		want("behind", payment.Approved)
		w.rebuild() // a node that starts reads all of them
		if got := pay(w.s, "behind"); got != payment.Rejected {
			w.Errorf("got %s from a listed device on a node that has just started", got)
		}
	})
}
