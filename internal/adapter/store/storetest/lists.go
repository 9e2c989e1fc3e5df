package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

// pages reads a list of accounts, many of the same instant, page by page while more are added.
func pages(w *world) {
	tenant := w.tenant()
	var want []string
	for i := range 23 {
		a := w.newAccount(tenant.ID)
		a.CreatedAt = at(i / 5)
		w.write(func(tx *store.Tx) error {
			return tx.InsertAccount(of(tenant.ID), a, said(journal.AccountCreated, a.ID, a.ID))
		})
		want = append(want, a.ID)
	}
	slices.Reverse(want)
	for _, limit := range []int{1, 4, 5, 23, 200} {
		var got []string
		page := store.Page{Limit: limit}
		for {
			var items []account.Account
			w.read(func(tx *store.Tx) (err error) {
				items, page.Cursor, err = tx.ListAccounts(tenant.ID, page)
				return err
			})
			if len(items) > limit {
				w.Fatalf("a page of %d has %d items", limit, len(items))
			}
			for _, a := range items {
				got = append(got, a.ID)
			}
			if page.Cursor == "" {
				break
			}
			late := w.newAccount(tenant.ID) // newer than the page: it must not shift the next one
			late.CreatedAt = at(60)
			if limit == 4 {
				w.write(func(tx *store.Tx) error {
					return tx.InsertAccount(of(tenant.ID), late, said(journal.AccountCreated, late.ID, late.ID))
				})
			}
		}
		w.same("the pages together", got[len(got)-len(want):], want)
		if limit < 5 {
			w.same("how many were read", len(got), len(want))
		}
	}
	w.read(func(tx *store.Tx) error {
		items, cursor, err := tx.ListAccounts(tenant.ID, store.Page{Limit: 3})
		w.same("items", len(items), 3)
		for _, bad := range []string{"x", cursor + "AA", "!!", "YWNjb3VudHN8MQ"} {
			_, _, refused := tx.ListAccounts(tenant.ID, store.Page{Cursor: bad})
			w.wantCode("a broken cursor", refused, problem.Invalid, "cursor_invalid")
		}
		_, _, refused := tx.ListTickets(tenant.ID, store.TicketFilter{}, store.Page{Cursor: cursor})
		w.wantCode("the cursor of another list", refused, problem.Invalid, "cursor_invalid")
		for _, limit := range []int{-1, 201} {
			_, _, refused = tx.ListAccounts(tenant.ID, store.Page{Limit: limit})
			w.wantCode("the limit", refused, problem.Invalid, "limit_out_of_range")
			_, refused = tx.Entries(tenant.ID, 0, limit)
			w.wantCode("the limit of entries", refused, problem.Invalid, "limit_out_of_range")
		}
		return err
	})
}

func filters(w *world) {
	tenant := w.tenant()
	first, second := w.account(tenant.ID), w.account(tenant.ID)
	v1, v2 := w.verification(first), w.verification(second)
	canceled, drafts, _ := v2.Cancel(at(9))
	p1, p2 := w.newPayment(first, payment.Approved), w.newPayment(second, payment.Review)
	ticket := casework.Ticket{ID: w.name("tkt"), TenantID: tenant.ID, AccountID: first.ID, Message: "help", Status: casework.TicketOpen, Version: 1, CreatedAt: at(1)}
	w.write(func(tx *store.Tx) error {
		if err := tx.SaveVerification(of(tenant.ID), canceled, drafts); err != nil {
			return err
		}
		if err := tx.InsertTicket(of(tenant.ID), ticket, said(journal.TicketOpened, ticket.ID, first.ID)); err != nil {
			return err
		}
		if err := tx.InsertPayment(p1); err != nil {
			return err
		}
		return tx.InsertPayment(p2)
	})
	w.read(func(tx *store.Tx) error {
		count := func(filter store.VerificationFilter) int {
			items, _, err := tx.ListVerifications(tenant.ID, filter, store.Page{})
			if err != nil {
				w.Errorf("list: %v", err)
			}
			return len(items)
		}
		w.same("all verifications", count(store.VerificationFilter{}), 2)
		w.same("by account", count(store.VerificationFilter{AccountID: v1.AccountID}), 1)
		w.same("by status", count(store.VerificationFilter{Status: verification.Canceled}), 1)
		w.same("by both", count(store.VerificationFilter{AccountID: v1.AccountID, Status: verification.Canceled}), 0)
		_, found, err := tx.OpenVerificationOf(tenant.ID, second.ID)
		w.same("whether a canceled one is open", found, false)
		tickets, _, _ := tx.ListTickets(tenant.ID, store.TicketFilter{Status: casework.TicketClosed}, store.Page{})
		w.same("closed tickets", len(tickets), 0)
		payments, _, _ := tx.ListPayments(tenant.ID, first.ID, store.Page{})
		w.same("payments of the first account", payments, []payment.Payment{p1})
		_, _, refused := tx.ListPayments(tenant.ID, "", store.Page{})
		w.wantCode("payments of nobody", refused, problem.Invalid, "required")
		return err
	})
}

func caseLists(w *world) {
	tenant := w.tenant()
	w.advance(time.Hour) // business time is now a little after at(60)
	late := w.openCase(w.verification(w.account(tenant.ID)), at(3), at(10))
	soon := w.openCase(w.verification(w.account(tenant.ID)), at(2), at(500))
	later := w.openCase(w.verification(w.account(tenant.ID)), at(1), at(600))
	decided, drafts, _ := w.openCase(w.verification(w.account(tenant.ID)), at(4), at(5)).Decide(casework.Decline, at(6))
	w.write(func(tx *store.Tx) error { return tx.SaveCase(of(tenant.ID), decided, drafts) })
	w.read(func(tx *store.Tx) error {
		list := func(filter store.CaseFilter) []casework.Case {
			var found []casework.Case
			page := store.Page{Limit: 1}
			for {
				items, cursor, err := tx.ListCases(tenant.ID, filter, page)
				if err != nil {
					w.Fatalf("list: %v", err)
				}
				found, page.Cursor = append(found, items...), cursor
				if cursor == "" {
					return found
				}
			}
		}
		w.same("open ones, by due time", list(store.CaseFilter{Status: casework.Open}), []casework.Case{late, soon, later})
		w.same("all, newest first", list(store.CaseFilter{}), []casework.Case{decided, late, soon, later})
		w.same("decided ones", list(store.CaseFilter{Status: casework.Decided}), []casework.Case{decided})
		w.same("overdue ones", list(store.CaseFilter{Overdue: true}), []casework.Case{late})
		w.same("overdue ones among the open", list(store.CaseFilter{Status: casework.Open, Overdue: true}), []casework.Case{late})
		w.same("of one account", list(store.CaseFilter{AccountID: soon.AccountID}), []casework.Case{soon})
		open, overdue, err := tx.CountCases(tenant.ID)
		w.same("counts", [2]int{open, overdue}, [2]int{3, 1})
		return err
	})
}

func journalGapless(w *world) {
	tenants := []string{w.tenant().ID, w.tenant().ID}
	const writers, rounds = 8, 12
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			for round := range rounds {
				err := w.try(func(tx *store.Tx) error {
					for _, tenantID := range tenants {
						if err := tx.Append(of(tenantID), journal.Of(journal.ClockAdvanced, "a", ""), journal.Of(journal.EvidenceViewed, "b", "")); err != nil {
							return err
						}
					}
					if (writer+round)%3 == 0 {
						return errOnPurpose
					}
					return nil
				})
				if (writer+round)%3 != 0 && err != nil {
					w.Errorf("write: %v", err)
				}
			}
		})
	}
	all.Wait()
	kept := 0
	for writer := range writers {
		for round := range rounds {
			if (writer+round)%3 != 0 {
				kept++
			}
		}
	}
	for _, tenantID := range tenants {
		length := w.journalLength(tenantID)
		w.same("the length of the journal", length, int64(1+2*kept))
		seen := int64(0)
		ids := map[string]bool{}
		for seen < length {
			w.read(func(tx *store.Tx) error {
				entries, err := tx.Entries(tenantID, seen, 50)
				if err == nil && len(entries) == 0 {
					w.Fatalf("the journal ends after %d of %d entries", seen, length)
				}
				for _, entry := range entries {
					w.same("the sequence number", entry.Sequence, seen+1)
					seen++
					ids[entry.ID] = true
				}
				return err
			})
		}
		w.same("different ids", len(ids), int(length))
	}
}

func journalOf(w *world) {
	tenant := w.tenant()
	w.write(func(tx *store.Tx) error {
		for range 120 { // more than one INSERT
			if err := tx.Append(of(tenant.ID), journal.Of(journal.NoticeCreated, "not_1", "acct_1")); err != nil {
				return err
			}
		}
		return tx.Append(of(tenant.ID), journal.Of(journal.CaseOpened, "case_1", "acct_1"), journal.Of(journal.CaseOpened, "case_2", "acct_2"))
	})
	w.read(func(tx *store.Tx) error {
		count := func(filter store.EntryFilter) (total int, first journal.Entry) {
			page := store.Page{Limit: 50}
			last := int64(1 << 40)
			for {
				items, cursor, err := tx.EntriesOf(tenant.ID, filter, page)
				if err != nil {
					w.Fatalf("entries: %v", err)
				}
				for _, entry := range items {
					if total == 0 {
						first = entry
					}
					if entry.Sequence >= last {
						w.Errorf("entry %d follows entry %d", entry.Sequence, last)
					}
					last = entry.Sequence
					total++
				}
				if page.Cursor = cursor; cursor == "" {
					return total, first
				}
			}
		}
		total, first := count(store.EntryFilter{AccountID: "acct_1"})
		w.same("of the account", []any{total, first.ObjectID}, []any{121, "case_1"})
		total, _ = count(store.EntryFilter{ObjectIDs: []string{"case_1", "case_2", "none"}})
		w.same("of the cases", total, 2)
		total, _ = count(store.EntryFilter{AccountID: "acct_2", ObjectIDs: []string{"case_1", "case_2"}})
		w.same("of both", total, 1)
		if _, _, err := tx.EntriesOf(tenant.ID, store.EntryFilter{}, store.Page{}); err == nil {
			w.Error("entries of nothing were listed")
		}
		_, err := tx.EntryBySequence(tenant.ID, 9999)
		w.wantCode("an entry that is not there", err, problem.NotFound, "not_found")
		return nil
	})
}

func fanOut(w *world) {
	tenant, other := w.tenant(), w.tenant()
	endpoint := func(tenantID string, disabled bool, types ...journal.EventType) journal.Endpoint {
		e := journal.Endpoint{ID: w.name("whe"), TenantID: tenantID, URL: "https://x.example", EventTypes: types, Secret: "whsec_x", CreatedAt: at(1)}
		if disabled {
			e.DisabledAt = at(2)
		}
		return e
	}
	all, some, off, foreign := endpoint(tenant.ID, false), endpoint(tenant.ID, false, journal.CaseOpened, journal.CaseDecided),
		endpoint(tenant.ID, true), endpoint(other.ID, false)
	gone := endpoint(tenant.ID, false)
	for _, e := range []journal.Endpoint{some, off, gone, all, foreign} {
		w.write(func(tx *store.Tx) error {
			return tx.InsertEndpoint(of(e.TenantID), e, said(journal.WebhookEndpointMade, e.ID, ""))
		})
	}
	again := off
	again.DisabledAt = at(3)
	err := w.try(func(tx *store.Tx) error {
		return tx.SaveEndpoint(of(tenant.ID), again, said(journal.WebhookEndpointOff, off.ID, ""))
	})
	w.wantCode("disabling what is disabled", err, problem.Conflict, "changed_meanwhile")
	gone.DeletedAt = at(3)
	w.write(func(tx *store.Tx) error {
		return tx.SaveEndpoint(of(tenant.ID), gone, said(journal.WebhookEndpointGone, gone.ID, ""))
	})
	if _, err := w.store.Claim(w.Context(), 100, time.Hour); err != nil { // what the above caused
		w.Fatal(err)
	}
	woken := w.woken
	w.write(func(tx *store.Tx) error {
		return tx.Append(of(tenant.ID), journal.Of(journal.CaseOpened, "case_1", ""), journal.Of(journal.TicketOpened, "tkt_1", ""))
	})
	w.same("calls of Wake", w.woken, woken+1)
	jobs, err := w.store.Claim(w.Context(), 100, time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	told := map[string]int{}
	for _, job := range jobs {
		w.same("the kind", []string{job.Kind, job.TenantID}, []string{store.WebhookJob, tenant.ID})
		told[job.Payload["endpoint_id"]]++
		if job.Payload["sequence"] == "" {
			w.Error("a webhook job without a sequence number")
		}
	}
	w.same("who is told how often", told, map[string]int{all.ID: 2, some.ID: 1})
}
