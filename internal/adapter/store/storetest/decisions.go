package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/problem"
)

func hash16(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:16:16]
}

func keyOf(a account.Account) store.AccountKey {
	return store.AccountKey{TenantID: a.TenantID, AccountID: a.ID}
}

// entries returns some approved payments of an account, each with a key of its own.
func (w *world) entries(a account.Account, count int) []*store.LogEntry {
	var all []*store.LogEntry
	for range count {
		p := w.newPayment(a, payment.Approved)
		all = append(all, &store.LogEntry{Payment: p, KeyHash: hash16(p.ID), BodyHash: hash16("body"), KeyUntil: at(60)})
	}
	return all
}

// payer reads one account as decisions do, with the ids of what its profile lacks.
func (w *world) payer(tx *store.Tx, asked store.Asked) (*store.Payer, []string) {
	w.Helper()
	found, err := tx.Payers([]store.Asked{asked}, 1)
	if err != nil {
		w.Fatalf("payers: %v", err)
	}
	p := found[asked.AccountKey]
	if p == nil {
		return nil, nil
	}
	var tail []string
	if err := tx.Tails([]*store.Payer{p}, func(_ *store.Payer, e *store.LogEntry) error {
		tail = append(tail, e.ID)
		return nil
	}); err != nil {
		w.Fatalf("tails: %v", err)
	}
	return p, tail
}

func decisionLog(w *world) {
	a, other := w.account(w.tenant().ID), w.account(w.tenant().ID)
	all := append(w.entries(a, 75), w.entries(other, 70)...)
	all[3].Reasons, all[3].Outcome = []payment.Reason{{Code: "held", Message: "looked at"}}, payment.Review
	all[4].PolicyID, all[4].PolicyVersion, all[4].Source, all[4].MethodKind, all[4].Fingerprint = "", "", payment.FromHistory, payment.Wallet, "fp"
	w.write(func(tx *store.Tx) error { return tx.AppendPayments(all) })
	for i, e := range all {
		if e.Seq <= 0 || i > 0 && e.Seq <= all[i-1].Seq {
			w.Fatalf("entry %d has the sequence number %d", i, e.Seq)
		}
	}
	w.read(func(tx *store.Tx) error {
		log, err := tx.PaymentLog(all[9].Seq, 100)
		w.same("how many of the log are read", len(log), 100)
		for i := range log {
			w.same("an entry of the log", log[i], *all[10+i])
		}
		var past []string
		err = errors.Join(err, tx.Past(a.TenantID, a.ID, all[2].Seq, func(e *store.LogEntry) error {
			past = append(past, e.ID)
			if e.ID == all[4].ID {
				w.same("how a past payment was paid", []any{e.MethodKind, e.Fingerprint}, []any{payment.Wallet, "fp"})
			}
			return nil
		}))
		w.same("what an account's past has", past[:3], []string{all[3].ID, all[4].ID, all[5].ID})
		w.same("how long it is", len(past), 72)
		return err
	})
	w.write(func(tx *store.Tx) error {
		found, err := tx.Repeated([][]byte{all[0].KeyHash, hash16("unknown"), all[100].KeyHash}, at(59))
		w.same("how many keys are known", len(found), 2)
		w.same("what one stands for", found[[16]byte(all[100].KeyHash)], *all[100])
		late, lateErr := tx.Repeated([][]byte{all[0].KeyHash}, at(60))
		w.same("how many after their end", len(late), 0)
		busy, busyErr := tx.HoldKeys([][]byte{all[0].KeyHash})
		w.same("keys that somebody else works on", len(busy), 0)
		return errors.Join(err, lateErr, busyErr)
	})
	unjustified := w.newPayment(a, payment.Rejected)
	unjustified.VerificationID = ""
	if err := w.try(func(tx *store.Tx) error { return tx.AppendPayments([]*store.LogEntry{{Payment: unjustified}}) }); err == nil {
		w.Error("a rejection without its verification was stored")
	}
	unjustified.Source = payment.FromHistory
	w.write(func(tx *store.Tx) error { return tx.AppendPayments([]*store.LogEntry{{Payment: unjustified}}) })
}

func payersAreCurrent(w *world) {
	s := w.story()
	asked := store.Asked{AccountKey: keyOf(s.account), MethodID: s.method.ID}
	actor := of(s.tenant.ID)
	w.write(func(tx *store.Tx) error {
		if missing, _ := w.payer(tx, store.Asked{AccountKey: store.AccountKey{TenantID: s.tenant.ID, AccountID: "acct_none"}}); missing != nil {
			w.Error("an account that does not exist was found")
		}
		p, tail := w.payer(tx, asked)
		w.same("restricted, grants", []bool{p.Restricted, p.Grants}, []bool{true, true})
		w.same("what the profile lacks", len(tail), 2)
		method, found := p.Method(s.method.ID)
		w.same("the method", []any{method.ID, method.Kind, method.Fingerprint, method.Default, found}, []any{s.method.ID, s.method.Kind, s.method.Fingerprint, true, true})
		_, found = p.Method("pm_of_somebody")
		w.same("whether another method is known", found, false)
		return nil
	})
	// Each change is seen by the next transaction, whatever was kept of the one before.
	keep := func() {
		w.write(func(tx *store.Tx) error {
			p, _ := w.payer(tx, asked)
			e := w.entries(s.account, 1)[0]
			if err := tx.AppendPayments([]*store.LogEntry{e}); err != nil {
				return err
			}
			p.Seq, p.Profile = e.Seq, []byte("after "+e.ID)
			p.Unsaved++
			return tx.KeepPayers([]*store.Payer{p})
		})
	}
	keep()
	lifted := s.restriction
	lifted.LiftedAt, lifted.Version = at(9), lifted.Version+1
	w.write(func(tx *store.Tx) error {
		return tx.UpdateRestriction(actor, lifted, said(journal.RestrictionLifted, lifted.ID, s.account.ID))
	})
	keep()
	second := s.method
	second.ID, second.CreatedAt = w.name("pm"), at(9)
	w.write(func(tx *store.Tx) error {
		return tx.InsertPaymentMethod(actor, second, said(journal.PaymentMethodAdded, second.ID, s.account.ID))
	})
	keep()
	w.write(func(tx *store.Tx) error {
		return tx.UseRetryGrant(actor, s.grant, "pay_9", said(journal.RetryUsed, s.grant.ID, s.account.ID))
	})
	keep()
	w.write(func(tx *store.Tx) error {
		asked.MethodID = ""
		p, _ := w.payer(tx, asked)
		method, _ := p.Method("")
		w.same("restricted, grants, default method", []any{p.Restricted, p.Grants, method.ID}, []any{false, false, second.ID})
		return nil
	})
	w.write(func(tx *store.Tx) error { return tx.SaveProfile(s.tenant.ID, s.account.ID, 1<<40, []byte("learned")) })
	w.write(func(tx *store.Tx) error {
		p, tail := w.payer(tx, asked)
		w.same("the profile that was saved", []any{string(p.Profile), p.Seq, len(tail)}, []any{"learned", int64(1 << 40), 0})
		return nil
	})
}

// profilesFollowTheLog decides many payments, fails now and then, and looks whether profile and tail are always the whole of the log.
func profilesFollowTheLog(w *world) {
	a := w.account(w.tenant().ID)
	asked := store.Asked{AccountKey: keyOf(a)}
	logged := 0
	for round := range 90 {
		fails := round%7 == 3
		err := w.try(func(tx *store.Tx) error {
			p, tail := w.payer(tx, asked)
			w.same(fmt.Sprintf("payments in profile and tail in round %d", round), len(p.Profile)+len(tail), logged)
			e := w.entries(a, 1)[0]
			if err := tx.AppendPayments([]*store.LogEntry{e}); err != nil {
				return err
			}
			p.Profile = append(append([]byte(nil), p.Profile...), make([]byte, len(tail)+1)...)
			p.Seq = e.Seq
			p.Unsaved++
			if err := tx.KeepPayers([]*store.Payer{p}); err != nil || !fails {
				return err
			}
			return errOnPurpose
		})
		if !fails {
			logged++
		} else if !errors.Is(err, errOnPurpose) {
			w.Fatalf("got error %v, want the one that was returned", err)
		}
		if round%11 == 5 { // somebody else adds to the log, a past payment for instance
			w.write(func(tx *store.Tx) error { return tx.AppendPayments(w.entries(a, 2)) })
			logged += 2
		}
	}
}

func nested(w *world) {
	tenant := w.tenant()
	length := w.journalLength(tenant.ID)
	a, lost, kept := w.account(tenant.ID), w.newAccount(tenant.ID), w.newAccount(tenant.ID)
	length++
	insert := func(tx *store.Tx, a account.Account) error {
		return tx.InsertAccount(of(tenant.ID), a, said(journal.AccountCreated, a.ID, a.ID))
	}
	ran := ""
	w.write(func(tx *store.Tx) error {
		if err := tx.SaveSetting("outer", "yes"); err != nil {
			return err
		}
		err := tx.Nested(func() error {
			tx.AfterCommit(func() { ran += "lost " })
			if err := tx.EnqueueNow(store.Job{TenantID: tenant.ID, Kind: "mail"}); err != nil {
				return err
			}
			return errors.Join(insert(tx, lost), errOnPurpose)
		})
		if !errors.Is(err, errOnPurpose) {
			w.Errorf("got %v, want the error of the part", err)
		}
		// A broken statement undoes the part, and the transaction goes on.
		if err := tx.Nested(func() error { return insert(tx, a) }); err == nil {
			w.Error("a duplicate was let through")
		}
		if err := tx.Nested(func() error { _ = insert(tx, a); return nil }); err == nil {
			w.Error("a broken statement was forgotten")
		}
		return tx.Nested(func() error {
			tx.AfterCommit(func() { ran += "kept" })
			return insert(tx, kept)
		})
	})
	w.read(func(tx *store.Tx) error {
		_, err := tx.Account(tenant.ID, lost.ID)
		w.wantCode("what the failed part inserted", err, problem.NotFound, "not_found")
		_, found, err := tx.Setting("outer")
		w.same("what was done before it", found, true)
		_, keptErr := tx.Account(tenant.ID, kept.ID)
		return errors.Join(err, keptErr)
	})
	w.same("hooks", ran, "kept")
	w.same("entries of the journal", w.journalLength(tenant.ID), length+1)
	pending, _ := w.countJobs()
	w.same("jobs", pending, 0)
}

func heldAccounts(w *world) {
	s := w.story()
	missing := store.AccountKey{TenantID: s.tenant.ID, AccountID: "acct_none"}
	w.write(func(tx *store.Tx) error {
		accounts, methods, err := tx.HoldAccounts([]store.Asked{
			{AccountKey: keyOf(s.account)}, {AccountKey: keyOf(s.account), MethodID: s.method.ID}, {AccountKey: missing},
			{AccountKey: keyOf(s.account), MethodID: "pm_none"},
		})
		w.same("accounts that exist", accounts, map[store.AccountKey]bool{keyOf(s.account): true})
		w.same("methods that exist", methods, map[store.Asked]bool{{AccountKey: keyOf(s.account), MethodID: s.method.ID}: true})
		return err
	})
}

// keptOut holds the right to decide about an account while somebody else wants it.
func keptOut(w *world) {
	a := w.account(w.tenant().ID)
	asked := []store.Asked{{AccountKey: keyOf(a)}}
	inside, done := make(chan struct{}), make(chan error, 1)
	err := w.try(func(tx *store.Tx) error {
		if _, err := tx.Payers(asked, 2); err != nil {
			return err
		}
		go func() {
			close(inside)
			done <- w.try(func(tx *store.Tx) error {
				_, err := tx.Payers(asked, 2)
				return err
			})
		}()
		<-inside
		ctx, cancel := context.WithTimeout(w.Context(), 50*time.Millisecond)
		defer cancel()
		select {
		case err := <-done:
			w.Errorf("two transactions decide about one account (%v)", err)
		case <-ctx.Done():
		}
		return nil
	})
	if err == nil {
		err = <-done
	}
	if err != nil {
		w.Fatalf("write: %v", err)
	}
}
