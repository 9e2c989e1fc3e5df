package storetest

import (
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

func roundTrips(w *world) {
	s := w.story()
	w.write(func(tx *store.Tx) error {
		for _, look := range looks {
			found, err := look.find(tx, s.tenant.ID, s)
			if err != nil {
				w.Errorf("%s: %v", look.name, err)
			}
			w.same(look.name, found, look.want(s))
		}
		return nil
	})
	w.read(func(tx *store.Tx) error {
		for _, across := range []look{
			{"API key by hash", func(s story) any { return s.key }, func(tx *store.Tx, _ string, s story) (any, error) { return value(tx.APIKeyByHash(s.key.Hash)) }},
			{"member by e-mail", func(s story) any { return s.member }, func(tx *store.Tx, _ string, s story) (any, error) {
				return value(tx.MemberByEmail("aNA@" + s.tenant.ID + ".EXAMPLE"))
			}},
			{"members", func(s story) any { return s.member }, func(tx *store.Tx, _ string, s story) (any, error) { return only(tx.Members(s.tenant.ID)) }},
			{"accounts by e-mail", func(s story) any { return s.account }, func(tx *store.Tx, _ string, s story) (any, error) {
				return only(tx.AccountsByEmail("LI.na+" + s.account.ID + "@example.COM"))
			}},
			{"link by hash", func(s story) any { return s.link }, func(tx *store.Tx, _ string, s story) (any, error) { return value(tx.LinkByHash(s.link.Hash)) }},
			{"session by hash", func(s story) any { return s.session }, func(tx *store.Tx, _ string, s story) (any, error) {
				return value(tx.SessionByHash(s.session.Hash))
			}},
			{"challenges of the browser", func(s story) any { return s.challenge }, func(tx *store.Tx, _ string, s story) (any, error) {
				return only(tx.ChallengesByBrowser(s.challenge.BrowserHash))
			}},
		} {
			found, err := across.find(tx, "", s)
			if err != nil {
				w.Errorf("%s: %v", across.name, err)
			}
			w.same(across.name, found, across.want(s))
		}
		entry, err := tx.EntryBySequence(s.tenant.ID, 1)
		w.same("the first entry", entry, journal.Entry{
			ID: entry.ID, TenantID: s.tenant.ID, Sequence: 1, At: entry.At, Actor: of(s.tenant.ID), Type: journal.TenantCreated, ObjectID: s.tenant.ID,
			Data: map[string]string{"note": "told"},
		})
		return err
	})
	decidedRoundTrips(w)
}

// decidedRoundTrips fills the members that a new record leaves empty.
func decidedRoundTrips(w *world) {
	a := w.account(w.tenant().ID)
	v := w.verification(a)
	c := w.openCase(v, at(1), at(2))
	v.Status, v.QueryCode, v.CaseID, v.Round = verification.ResubmissionRequested, "ABCDE-FGHJK", c.ID, 2
	v.ReceivedAt, v.DueAt, v.SubmittedAt, v.DecidedAt = at(1), at(2), at(3), at(4)
	v.DueBecause = []string{"received on Monday", "due on Tuesday"}
	v.Requirements[0].Reasons = []verification.Reason{{Requirement: verification.GovernmentID, Code: "id.blurred", Note: "n"}}
	v.Version++
	c.Status, c.Decision, c.DecidedAt, c.OverdueAt = casework.Decided, casework.Decline, at(9), at(8)
	c.Version++
	w.write(func(tx *store.Tx) error {
		if err := tx.SaveVerification(of(a.TenantID), v, said(journal.VerificationResubmt, v.ID, a.ID)); err != nil {
			return err
		}
		return tx.SaveCase(of(a.TenantID), c, said(journal.CaseDecided, c.ID, a.ID))
	})
	w.read(func(tx *store.Tx) error {
		gotV, err := tx.VerificationByQueryCode(a.TenantID, v.QueryCode)
		w.same("the verification by its query code", gotV, v)
		_, missing := tx.VerificationByQueryCode(w.Name(), v.QueryCode)
		w.wantCode("the query code in another tenant", missing, problem.NotFound, "not_found")
		_, missing = tx.VerificationByQueryCode(a.TenantID, "")
		w.wantCode("no query code", missing, problem.NotFound, "not_found")
		gotC, _ := tx.Case(a.TenantID, c.ID)
		w.same("the case", gotC, c)
		return err
	})
}

func tenantsApart(w *world) {
	mine, other := w.story(), w.story()
	w.write(func(tx *store.Tx) error {
		for _, look := range looks {
			found, err := look.find(tx, other.tenant.ID, mine)
			if err != nil {
				w.Errorf("%s: %v", look.name, err)
			}
			if found != nil {
				w.Errorf("%s: another tenant found %+v", look.name, found)
			}
		}
		return nil
	})
}

// restrictions checks that a restriction stands until it is lifted, and that another can follow.
func restrictions(w *world) {
	s := w.story()
	r := s.restriction
	r.VerificationID, r.Version = "ver_other", 2
	w.write(func(tx *store.Tx) error {
		return tx.UpdateRestriction(of(r.TenantID), r, said(journal.RestrictionPlaced, r.ID, r.AccountID))
	})
	w.read(func(tx *store.Tx) error {
		standing, found, err := tx.StandingRestriction(r.TenantID, r.AccountID)
		w.same("the restriction, pointed elsewhere", []any{standing, found}, []any{r, true})
		return err
	})
	err := w.try(func(tx *store.Tx) error {
		return tx.UpdateRestriction(of(r.TenantID), r, said(journal.RestrictionPlaced, r.ID, r.AccountID))
	})
	w.wantCode("the same version again", err, problem.Conflict, "changed_meanwhile")
	r.LiftedAt, r.Version = at(9), 3
	w.write(func(tx *store.Tx) error {
		return tx.UpdateRestriction(of(r.TenantID), r, said(journal.RestrictionLifted, r.ID, r.AccountID))
	})
	next := account.Restriction{ID: w.name("res"), TenantID: r.TenantID, AccountID: r.AccountID, Kind: r.Kind, VerificationID: "ver_next", Version: 1, PlacedAt: at(10)}
	w.write(func(tx *store.Tx) error {
		_, found, err := tx.StandingRestriction(r.TenantID, r.AccountID)
		w.same("whether one stands after it was lifted", found, false)
		if err != nil {
			return err
		}
		return tx.PlaceRestriction(of(r.TenantID), next, said(journal.RestrictionPlaced, next.ID, r.AccountID))
	})
	w.read(func(tx *store.Tx) error {
		all, err := tx.Restrictions(r.TenantID, r.AccountID)
		w.same("those in force", all, []account.Restriction{next})
		return err
	})
}

func defaultMethod(w *world) {
	s := w.story()
	second := s.method
	second.ID, second.Last4, second.CreatedAt = w.name("pm"), "2222", at(4)
	third := second
	third.ID, third.Default = w.name("pm"), false
	w.write(func(tx *store.Tx) error {
		if err := tx.InsertPaymentMethod(of(s.tenant.ID), second, said(journal.PaymentMethodAdded, second.ID, s.account.ID)); err != nil {
			return err
		}
		return tx.InsertPaymentMethod(of(s.tenant.ID), third, said(journal.PaymentMethodAdded, third.ID, s.account.ID))
	})
	w.read(func(tx *store.Tx) error {
		method, found, err := tx.DefaultPaymentMethod(s.tenant.ID, s.account.ID)
		w.same("the default", []any{method, found}, []any{second, true})
		first, _ := tx.PaymentMethod(s.tenant.ID, s.account.ID, s.method.ID)
		w.same("whether the first still is", first.Default, false)
		all, _ := tx.PaymentMethods(s.tenant.ID, s.account.ID)
		w.same("how many there are", len(all), 3)
		return err
	})
}

func retryGrants(w *world) {
	s := w.story()
	open := func() int {
		count := 0
		w.read(func(tx *store.Tx) error {
			grants, err := tx.OpenRetryGrants(s.tenant.ID, s.account.ID)
			count = len(grants)
			return err
		})
		return count
	}
	second := s.grant
	second.ID = w.name("grant")
	w.write(func(tx *store.Tx) error {
		return tx.InsertRetryGrant(of(s.tenant.ID), second, said(journal.RetryGranted, second.ID, s.account.ID))
	})
	w.same("grants open", open(), 2)
	w.write(func(tx *store.Tx) error {
		return tx.UseRetryGrant(of(s.tenant.ID), s.grant, "pay_9", said(journal.RetryUsed, s.grant.ID, s.account.ID))
	})
	w.same("grants open after one was used", open(), 1)
	w.advance(31 * 24 * time.Hour)
	w.same("grants open after their end", open(), 0)
}

func enforcements(w *world) {
	a := w.account(w.tenant().ID)
	actor := of(a.TenantID)
	w.read(func(tx *store.Tx) error {
		e, err := tx.Enforcement(a.TenantID, a.ID)
		w.same("before anything happened", e, enforcement.Enforcement{TenantID: a.TenantID, AccountID: a.ID, State: enforcement.None})
		return err
	})
	none := enforcement.Enforcement{TenantID: a.TenantID, AccountID: a.ID, State: enforcement.None}
	grace, drafts, _ := none.StartGrace("ver_1", at(5))
	w.write(func(tx *store.Tx) error { return tx.SaveEnforcement(actor, grace, drafts) })
	err := w.try(func(tx *store.Tx) error { return tx.SaveEnforcement(actor, grace, drafts) })
	w.wantCode("a second first version", err, problem.Conflict, "changed_meanwhile")
	suspended, command, drafts, _ := grace.Suspend(w.name("cmd"), at(6))
	w.write(func(tx *store.Tx) error {
		if err := tx.SaveEnforcement(actor, suspended, drafts); err != nil {
			return err
		}
		return tx.InsertCommand(command)
	})
	w.write(func(tx *store.Tx) error {
		if err := tx.NoteAcknowledged(a.TenantID, a.ID, suspended.Sequence-1, at(7)); err != nil {
			return err
		}
		e, err := tx.Enforcement(a.TenantID, a.ID)
		w.same("after an older command was acknowledged", e, suspended)
		if err != nil {
			return err
		}
		return tx.NoteAcknowledged(a.TenantID, a.ID, suspended.Sequence, at(8))
	})
	w.read(func(tx *store.Tx) error {
		e, err := tx.Enforcement(a.TenantID, a.ID)
		suspended.AcknowledgedAt, suspended.Version = at(8), suspended.Version+1
		w.same("after the latest was", e, suspended)
		return err
	})
}

// undelivered lists the notices that staff have to look after.
func undelivered(w *world) {
	v := w.verification(w.account(w.tenant().ID))
	save := func(n notice.Notice, drafts []journal.Draft, _ bool) notice.Notice {
		w.Helper()
		w.write(func(tx *store.Tx) error { return tx.SaveNotice(of(v.TenantID), n, drafts) })
		return n
	}
	accepted, _ := w.notice(v)
	save(accepted.Accept(true, at(6)))
	bounced, _ := w.notice(v)
	bounced = save(bounced.Bounce(at(6)))
	opened, _ := w.notice(v)
	opened = save(opened.Bounce(at(6)))
	save(opened.Opened(at(7)))
	_, waiting := w.notice(v)
	w.read(func(tx *store.Tx) error {
		found, _, err := tx.UndeliveredNotices(v.TenantID, time.Time{}, store.Page{})
		w.same("the notices", found, []notice.Notice{bounced})
		unread, _ := tx.UnreadMessages(v.TenantID, v.AccountID)
		w.same("unread messages", unread, 4)
		return err
	})
	waiting.ReadAt = at(9)
	w.write(func(tx *store.Tx) error {
		return tx.MarkMessageRead(of(v.TenantID), waiting, said(journal.MessageRead, waiting.ID, v.AccountID))
	})
	w.read(func(tx *store.Tx) error {
		unread, err := tx.UnreadMessages(v.TenantID, v.AccountID)
		w.same("unread messages after one was read", unread, 3)
		m, _ := tx.Message(v.TenantID, v.AccountID, waiting.ID)
		w.same("the message that was read", m, waiting)
		return err
	})
}
