package service_test

import (
	"testing"
	"time"

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

func TestAnEntryCountsUntilItExpiresInBusinessTimeWhateverAPaymentSaysOfItself(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		w.publish(small("1", "approved"))
		l, err := w.s.CreateList(w.Context(), ana, service.NewList{Name: "blocked_devices", Kind: list.Block})
		w.must(err)
		add := func(expires time.Time) error {
			_, err := w.s.AddListEntry(w.Context(), ana, service.NewListEntry{ListID: l.List.ID, NewEntry: list.NewEntry{Value: "stolen", Reason: "fraud", ExpiresAt: expires}})
			return err
		}
		for _, expires := range []time.Time{w.now().Add(-time.Hour), w.now(), w.now().Add(time.Nanosecond)} {
			if p := problem.As(add(expires)); p == nil || p.Field != "expires_at" || p.Code != "out_of_range" {
				w.Errorf("got %v for an entry that expires %v from now, want it refused", p, expires.Sub(w.now()))
			}
		}
		ends := w.now().Add(time.Hour)
		w.must(add(ends))
		wants := func(occurred time.Time, want payment.Outcome) {
			w.Helper()
			attempt := w.person().attempt(dollars(20))
			attempt.DeviceID, attempt.OccurredAt = "stolen", occurred
			view, err := w.s.AuthorizePayment(w.Context(), w.key, attempt)
			w.must(err)
			if view.Payment.Outcome != want {
				w.Errorf("got %s, %v before the entry ends, for a payment made %v before, want %s", view.Payment.Outcome, ends.Sub(w.now()), w.now().Sub(occurred), want)
			}
		}
		w.at(ends.Add(-time.Second))
		wants(w.now(), payment.Rejected)
		wants(w.now().Add(time.Minute), payment.Rejected) // made after the entry ends, it says
		w.at(ends)
		wants(w.now(), payment.Approved)
		wants(ends.Add(-time.Minute), payment.Approved) // made before the entry ended, it says
		w.rebuild()                                     // a node that starts now says the same
		wants(ends.Add(-time.Minute), payment.Approved)
	})
}
