package service_test

import (
	"testing"

	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

func TestAKeyNeitherDeletesListsNorLetsPaymentsPassAndAListInUseIsDeletedByNobody(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		w.publish(small("1", "approved"))
		blocked, err := w.s.CreateList(w.Context(), w.key, service.NewList{Name: "blocked_devices", Kind: list.Block})
		w.must(err)
		trusted, err := w.s.CreateList(w.Context(), ana, service.NewList{Name: "trusted", Kind: list.Allow})
		w.must(err)
		entry := service.NewListEntry{ListID: blocked.List.ID, NewEntry: list.NewEntry{Value: "device-of-alma"}}
		_, err = w.s.AddListEntry(w.Context(), w.key, entry)
		refused(w, err, problem.Invalid, "required")
		entry.Reason = "three chargebacks"
		_, err = w.s.AddListEntry(w.Context(), w.key, entry)
		w.must(err)
		entry.ListID = trusted.List.ID
		_, err = w.s.AddListEntry(w.Context(), w.key, entry)
		refused(w, err, problem.Forbidden, "person_required")
		made, err := w.s.AddListEntry(w.Context(), ana, entry)
		w.must(err)
		refused(w, w.s.RemoveListEntry(w.Context(), w.key, trusted.List.ID, made.ID), problem.Forbidden, "person_required")
		refused(w, w.s.DeleteList(w.Context(), w.key, trusted.List.ID), problem.Forbidden, "person_required")
		w.must(w.s.DeleteList(w.Context(), ana, trusted.List.ID))
		refused(w, w.s.DeleteList(w.Context(), ana, blocked.List.ID), problem.Conflict, "list_in_use")
		if got := w.pay(w.person().attempt(dollars(20))).Payment.Outcome; got != payment.Rejected {
			w.Errorf("got %s, want the hard block to stand", got)
		}
	})
}
