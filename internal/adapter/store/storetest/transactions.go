package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

var errOnPurpose = errors.New("on purpose")

func oneInstant(w *world) {
	var first, again, second time.Time
	w.write(func(tx *store.Tx) error { first, again = tx.Now(), tx.Now(); return nil })
	w.read(func(tx *store.Tx) error { second = tx.Now(); return nil })
	w.same("the instant within one transaction", again, first)
	if !second.After(first) {
		w.Errorf("the next transaction has %v, want one after %v", second, first)
	}
	if first.Location() != time.UTC || first.Nanosecond()%1000 != 0 {
		w.Errorf("the instant is %v, want UTC in whole microseconds", first)
	}
	tenant := w.tenant()
	w.write(func(tx *store.Tx) error {
		first = tx.Now()
		return tx.Append(of(tenant.ID), journal.Of(journal.ClockAdvanced, "a", ""), journal.Of(journal.ClockAdvanced, "b", ""))
	})
	w.read(func(tx *store.Tx) error {
		entries, err := tx.Entries(tenant.ID, 1, 0)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			w.same("the instant of an entry", entry.At, first)
		}
		w.same("how many entries there are", len(entries), 2)
		return nil
	})
}

func rollbackLeavesNothing(w *world) {
	tenant := w.tenant()
	a := w.newAccount(tenant.ID)
	before, woken := w.journalLength(tenant.ID), w.woken
	err := w.try(func(tx *store.Tx) error {
		tx.AfterCommit(func() { w.Error("a hook ran after a rollback") })
		if err := tx.InsertAccount(of(tenant.ID), a, said(journal.AccountCreated, a.ID, a.ID)); err != nil {
			return err
		}
		if err := tx.EnqueueNow(store.Job{TenantID: tenant.ID, Kind: "mail"}); err != nil {
			return err
		}
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		w.Fatalf("got error %v, want the one that was returned", err)
	}
	w.same("the length of the journal", w.journalLength(tenant.ID), before)
	w.read(func(tx *store.Tx) error {
		_, err := tx.Account(tenant.ID, a.ID)
		w.wantCode("the account", err, problem.NotFound, "not_found")
		entries, err := tx.Entries(tenant.ID, 0, 0)
		w.same("entries", len(entries), int(before))
		return err
	})
	pending, dead := w.countJobs()
	w.same("jobs", [2]int{pending, dead}, [2]int{})
	w.same("calls of Wake", w.woken, woken)
}

func panicRollsBack(w *world) {
	tenant := w.tenant()
	func() {
		defer func() { _ = recover() }()
		_ = w.try(func(tx *store.Tx) error {
			_ = tx.SaveSetting("half", "done")
			panic("on purpose")
		})
	}()
	w.read(func(tx *store.Tx) error {
		_, found, err := tx.Setting("half")
		w.same("what the panic left", found, false)
		return err
	})
	w.account(tenant.ID) // would wait for ever if the connection were lost
}

func joins(w *world) {
	tenant := w.tenant()
	order := ""
	err := w.store.Write(w.Context(), func(ctx context.Context, outer *store.Tx) error {
		outer.AfterCommit(func() { order += "outer " })
		if err := outer.SaveSetting("seen", "yes"); err != nil {
			return err
		}
		if err := w.store.Read(ctx, func(_ context.Context, tx *store.Tx) error {
			w.same("the joined transaction", tx, outer)
			_, found, err := tx.Setting("seen")
			w.same("what the joined read sees", found, true)
			_, missing := tx.Account(tenant.ID, "acct_none")
			return errors.Join(err, errOnlyIf(missing == nil))
		}); err != nil {
			return err
		}
		_ = w.store.Read(ctx, func(context.Context, *store.Tx) error { return errOnPurpose }) // fails nothing but itself
		return w.store.Write(ctx, func(_ context.Context, tx *store.Tx) error {
			tx.AfterCommit(func() { order += "inner" })
			return tx.Append(of(tenant.ID), journal.Of(journal.ClockAdvanced, "x", ""))
		})
	})
	if err != nil {
		w.Fatalf("joined: %v", err)
	}
	w.same("hooks, in order", order, "outer inner")
	w.same("entries", w.journalLength(tenant.ID), int64(2))

	err = w.store.Write(w.Context(), func(ctx context.Context, outer *store.Tx) error {
		if err := outer.SaveSetting("lost", "yes"); err != nil {
			return err
		}
		_ = w.store.Write(ctx, func(context.Context, *store.Tx) error { return errOnPurpose })
		return nil
	})
	if !errors.Is(err, errOnPurpose) {
		w.Errorf("the outer transaction ended with %v, want the error of the inner", err)
	}
	w.read(func(tx *store.Tx) error {
		_, found, err := tx.Setting("lost")
		w.same("what the failed join left", found, false)
		return err
	})
}

func errOnlyIf(wrong bool) error {
	if wrong {
		return errors.New("an account was found that does not exist")
	}
	return nil
}

func readsAreReads(w *world) {
	tenant := w.tenant()
	err := w.store.Read(w.Context(), func(ctx context.Context, tx *store.Tx) error {
		if err := w.store.Write(ctx, func(context.Context, *store.Tx) error { return nil }); err == nil {
			w.Error("a Write inside a Read was let through")
		}
		if err := tx.Append(of(tenant.ID), journal.Of(journal.ClockAdvanced, "x", "")); err == nil {
			w.Error("a journal entry inside a Read was let through")
		}
		return nil
	})
	if err != nil {
		w.Errorf("read: %v", err)
	}
	w.same("entries", w.journalLength(tenant.ID), int64(1))
	err = w.store.Read(w.Context(), func(_ context.Context, tx *store.Tx) error { return tx.SaveSetting("a", "b") })
	if err == nil {
		w.Error("a change inside a Read was let through")
	}
	w.read(func(tx *store.Tx) error {
		_, before, err := tx.Setting("later")
		if err != nil {
			return err
		}
		w.write(func(other *store.Tx) error { return other.SaveSetting("later", "x") })
		_, after, err := tx.Setting("later")
		w.same("found, before and after another's commit", [2]bool{before, after}, [2]bool{})
		return err
	})
}

func poisoned(w *world) {
	tenant := w.tenant()
	a := w.account(tenant.ID)
	err := w.try(func(tx *store.Tx) error {
		if err := tx.SaveSetting("kept", "no"); err != nil {
			return err
		}
		_ = tx.InsertAccount(of(tenant.ID), a, said(journal.AccountCreated, a.ID, a.ID)) // a duplicate
		return nil
	})
	if err == nil {
		w.Error("the transaction committed after an SQL error")
	}
	w.read(func(tx *store.Tx) error {
		_, found, err := tx.Setting("kept")
		w.same("what it left", found, false)
		return err
	})
}

func needsEntry(w *world) {
	mine, other := w.tenant(), w.tenant()
	for name, call := range map[string]func(tx *store.Tx) error{
		"no entry": func(tx *store.Tx) error { return tx.InsertAccount(of(mine.ID), w.newAccount(mine.ID), nil) },
		"no actor": func(tx *store.Tx) error {
			return tx.Append(access.Actor{TenantID: mine.ID}, journal.Of(journal.ClockAdvanced, "x", ""))
		},
		"another tenant": func(tx *store.Tx) error { return insertAccount(tx, of(other.ID), w, mine.ID) },
		"no type":        func(tx *store.Tx) error { return tx.Append(of(mine.ID), journal.Draft{ObjectID: "x"}) },
		"nothing":        func(tx *store.Tx) error { return tx.Append(of(mine.ID)) },
		"no tenant": func(tx *store.Tx) error {
			return tx.Append(access.SystemActor("", "x"), journal.Of(journal.ClockAdvanced, "x", ""))
		},
		"unknown tenant": func(tx *store.Tx) error { return tx.Append(of("ten_none"), journal.Of(journal.ClockAdvanced, "x", "")) },
	} {
		if err := w.try(call); err == nil {
			w.Errorf("%s: it was let through", name)
		}
		if err := w.try(func(tx *store.Tx) error { _ = call(tx); return nil }); err == nil {
			w.Errorf("%s: the transaction committed although the error was swallowed", name)
		}
	}
	w.read(func(tx *store.Tx) error {
		accounts, _, err := tx.ListAccounts(mine.ID, store.Page{})
		w.same("accounts", len(accounts), 0)
		return err
	})
}

func insertAccount(tx *store.Tx, actor access.Actor, w *world, tenantID string) error {
	a := w.newAccount(tenantID)
	return tx.InsertAccount(actor, a, said(journal.AccountCreated, a.ID, a.ID))
}

func wakes(w *world) {
	tenant := w.tenant()
	w.same("calls before any job", w.woken, 0)
	w.write(func(tx *store.Tx) error {
		w.same("calls before the commit", w.woken, 0)
		return tx.EnqueueNow(store.Job{TenantID: tenant.ID, Kind: "mail", Key: "one"})
	})
	w.same("calls after a job", w.woken, 1)
	w.write(func(tx *store.Tx) error {
		return tx.EnqueueNow(store.Job{TenantID: tenant.ID, Kind: "mail", Key: "one"})
	})
	w.same("calls after a job that was there", w.woken, 1)
}

// accountLock has many transactions read a profile and write it back one higher; none may overwrite what another wrote.
func accountLock(w *world) {
	a := w.account(w.tenant().ID)
	w.write(func(tx *store.Tx) error {
		err := tx.LockAccount(a.TenantID, "acct_none")
		w.wantCode("an unknown account", err, problem.NotFound, "not_found")
		return nil
	})
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			err := w.try(func(tx *store.Tx) error {
				if err := tx.LockAccount(a.TenantID, a.ID); err != nil {
					return err
				}
				if inside.Add(1) != 1 {
					w.Error("two transactions hold the account")
				}
				defer inside.Add(-1)
				body, _, err := tx.Profile(a.TenantID, a.ID)
				if err != nil {
					return err
				}
				return tx.SaveProfile(a.TenantID, a.ID, 0, append(body, '1'))
			})
			if err != nil {
				w.Errorf("write: %v", err)
			}
		})
	}
	all.Wait()
	w.read(func(tx *store.Tx) error {
		body, _, err := tx.Profile(a.TenantID, a.ID)
		w.same("the profile", string(body), "111111111111")
		return err
	})
}

func refusesBrokenText(w *world) {
	tenant := w.tenant()
	for _, text := range []string{"a\x00b", "\xff"} {
		w.read(func(tx *store.Tx) error {
			_, err := tx.AccountByExternalID(tenant.ID, text)
			w.wantCode("a look-up", err, problem.Malformed, "text_not_storable")
			return nil
		})
		err := w.try(func(tx *store.Tx) error { return tx.SaveSetting("name", text) })
		w.wantCode("a change", err, problem.Malformed, "text_not_storable")
	}
}
