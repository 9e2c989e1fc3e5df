package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
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

// listPolicy rejects by one list, whose entries are compared with merchants.
func listPolicy(version, name string) string {
	return strings.NewReplacer("blocked_devices", name, "field: device", "field: merchant").Replace(small(version, "approved"))
}

// longList makes a list with some thousand entries.
func (w *world) longList(actor access.Actor, name string) service.ListView {
	w.Helper()
	l, err := w.s.CreateList(w.Context(), actor, service.NewList{Name: name, Kind: list.Block})
	w.must(err)
	for part := range 10 {
		var rows []string
		for i := range 250 {
			rows = append(rows, fmt.Sprintf("('%s', '%s', 'lse_%s_%d_%d', 'merchant-%d-%d', 'fraud', 'x', 1, '')", w.tenant.ID, l.List.ID, name, part, i, part, i))
		}
		_, err = w.db.Exec("INSERT INTO list_entries (tenant_id, list_id, id, value, reason, added_by, created_at, removed_by) VALUES " + strings.Join(rows, ", "))
		w.must(err)
	}
	return l
}

func TestALongListIsReadBeforeAPolicyDecidesByItAndByNoGroupOfPayments(t *testing.T) {
	on(t, func(w *world) {
		ana, bo := w.analysts()
		w.publish(small("1", "approved"))
		l := w.longList(ana, "blocked_merchants")
		add := func(value string) {
			w.Helper()
			_, err := w.s.AddListEntry(w.Context(), ana, service.NewListEntry{ListID: l.List.ID, NewEntry: list.NewEntry{Value: value, Reason: "fraud"}})
			w.must(err)
		}
		want := func(merchant string, outcome payment.Outcome) {
			w.Helper()
			attempt := w.person().attempt(dollars(20))
			attempt.Merchant = merchant
			if got := w.pay(attempt).Payment.Outcome; got != outcome {
				w.Errorf("got %s at %s, want %s", got, merchant, outcome)
			}
		}
		w.looks(w.s, 2)
		second := w.publish(listPolicy("2", "blocked_merchants"))
		if second.State != publication.Preparing {
			w.Fatalf("got %s, want it prepared: the lists are long, and nobody has read them", second.State)
		}
		want("merchant-3-7", payment.Approved)
		add("while it is prepared")
		w.looks(w.s, 2)
		if got := w.stateOf(second); got != publication.Live {
			w.Fatalf("got %s", got)
		}
		whole := w.s.ReadWhole()
		add("when it is live")
		for _, merchant := range []string{"merchant-3-7", "while it is prepared", "when it is live"} {
			want(merchant, payment.Rejected)
		}
		// Back, and forward again as a new version: both have their lists.
		_, err := w.s.RollBackPolicy(w.Context(), bo, service.PolicyRollback{ID: w.versionNumber(1).ID, ExpectedLive: 2, Reason: "harm"})
		w.must(err)
		want("merchant-3-7", payment.Approved)
		add("while it is retired")
		w.looks(w.s, 1)
		add("since the last look")
		if got := w.publish(listPolicy("3", "blocked_merchants")); got.State != publication.Live {
			w.Errorf("got %s, want it live: its lists are in memory", got.State)
		}
		for _, merchant := range []string{"merchant-9-249", "while it is retired", "since the last look"} {
			want(merchant, payment.Rejected)
		}
		if got := w.s.ReadWhole(); got != whole {
			w.Errorf("got lists read whole %d times by payments", got-whole)
		}
	})
}

func TestAListThatWasMadeAnewHasNothingOfTheOneBefore(t *testing.T) {
	on(t, func(w *world) {
		ana, bo := w.analysts()
		w.publish(listPolicy("1", "blocked_merchants"))
		l := w.longList(ana, "blocked_merchants")
		w.looks(w.s, 1)
		w.publish(small("2", "approved"))
		w.looks(w.s, 2)
		w.must(w.s.DeleteList(w.Context(), ana, l.List.ID))
		l, err := w.s.CreateList(w.Context(), ana, service.NewList{Name: "blocked_merchants", Kind: list.Block})
		w.must(err)
		_, err = w.s.AddListEntry(w.Context(), ana, service.NewListEntry{ListID: l.List.ID, NewEntry: list.NewEntry{Value: "new", Reason: "fraud"}})
		w.must(err)
		_, err = w.s.RollBackPolicy(w.Context(), bo, service.PolicyRollback{ID: w.versionNumber(1).ID, ExpectedLive: 2, Reason: "harm"})
		w.must(err)
		for merchant, want := range map[string]payment.Outcome{"merchant-3-7": payment.Approved, "new": payment.Rejected} {
			attempt := w.person().attempt(dollars(20))
			attempt.Merchant = merchant
			if got := w.pay(attempt).Payment.Outcome; got != want {
				w.Errorf("got %s at %s, want %s", got, merchant, want)
			}
		}
	})
}

// versionNumber finds a version of the tenant's policy.
func (w *world) versionNumber(number int64) publication.Version {
	w.Helper()
	versions, _, err := w.s.PolicyVersions(w.Context(), w.key, "", store.Page{Limit: 50})
	w.must(err)
	for _, v := range versions {
		if v.Number == number {
			return v
		}
	}
	w.Fatalf("there is no version %d", number)
	return publication.Version{}
}
