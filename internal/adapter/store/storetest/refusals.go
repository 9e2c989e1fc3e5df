package storetest

import (
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

// refusal is a change that must be refused as a conflict.
type refusal struct {
	name, code, field string
	call              func(tx *store.Tx) error
}

func uniqueness(w *world) {
	s, other := w.story(), w.tenant()
	for _, test := range append(takenRecords(w, s), takenNames(w, s, other.ID)...) {
		err := w.try(test.call)
		w.wantCode(test.name, err, problem.Conflict, test.code)
		if p := problem.As(err); p != nil && p.Field != test.field {
			w.Errorf("%s: got field %q, want %q", test.name, p.Field, test.field)
		}
	}
	freeElsewhere(w, s, other.ID)
	w.write(func(tx *store.Tx) error {
		err := tx.InsertDataKey(s.tenant.ID, s.account.ID, []byte("another"))
		w.wantCode("a second data key", err, problem.Conflict, "data_key_exists")
		key, _, err := tx.DataKey(s.tenant.ID, s.account.ID)
		w.same("the key that stands", string(key), "wrapped")
		return err
	})
}

// takenNames are names that one thing only can have.
func takenNames(w *world, s story, otherTenant string) []refusal {
	actor := of(s.tenant.ID)
	return []refusal{
		{"an external id", "external_id_taken", "external_id", func(tx *store.Tx) error {
			twin := w.newAccount(s.tenant.ID)
			twin.Profile.ExternalID = s.account.Profile.ExternalID
			return tx.InsertAccount(actor, twin, said(journal.AccountCreated, twin.ID, twin.ID))
		}},
		{"an external id, later", "external_id_taken", "external_id", func(tx *store.Tx) error {
			free := w.newAccount(s.tenant.ID)
			if err := tx.InsertAccount(actor, free, said(journal.AccountCreated, free.ID, free.ID)); err != nil {
				return err
			}
			free.Profile.ExternalID, free.Version = s.account.Profile.ExternalID, 2
			return tx.UpdateAccount(actor, free, said(journal.AccountUpdated, free.ID, free.ID))
		}},
		{"a sign-in name, in other letters and another tenant", "email_taken", "email", func(tx *store.Tx) error {
			second := s.member
			second.ID, second.TenantID, second.Email = w.name("stf"), otherTenant, "ANA@"+s.tenant.ID+".EXAMPLE"
			return tx.InsertMember(of(otherTenant), second, said(journal.StaffJoined, second.ID, ""))
		}},
		{"a query code", "query_code_taken", "", func(tx *store.Tx) error { return takeQueryCode(w, tx, s) }},
	}
}

// takenRecords are records of which one only can be.
func takenRecords(w *world, s story) []refusal {
	actor := of(s.tenant.ID)
	return []refusal{
		{"a verification under way", "verification_open", "", func(tx *store.Tx) error {
			v := w.newVerification(s.account)
			return tx.InsertVerification(actor, v, said(journal.VerificationOpened, v.ID, s.account.ID))
		}},
		{"an open case", "case_open", "", func(tx *store.Tx) error {
			c, drafts := casework.Start(w.name("case"), s.verification, at(9), at(8))
			return tx.InsertCase(actor, c, drafts)
		}},
		{"a review of a case", "case_decided", "", func(tx *store.Tx) error {
			second := s.review
			second.ID = w.name("rev")
			return tx.InsertReview(second)
		}},
		{"a standing restriction", "restriction_stands", "", func(tx *store.Tx) error {
			second := s.restriction
			second.ID = w.name("res")
			return tx.PlaceRestriction(actor, second, said(journal.RestrictionPlaced, second.ID, s.account.ID))
		}},
	}
}

// freeElsewhere checks that what is taken in one tenant is free in another, and that accounts without an external id do not stand in
// each other's way.
func freeElsewhere(w *world, s story, otherTenant string) {
	externalIDs := []string{s.account.Profile.ExternalID, "", ""}
	w.write(func(tx *store.Tx) error {
		for _, externalID := range externalIDs {
			a := w.newAccount(otherTenant)
			a.Profile.ExternalID = externalID
			if err := tx.InsertAccount(of(otherTenant), a, said(journal.AccountCreated, a.ID, a.ID)); err != nil {
				return err
			}
		}
		_, err := tx.AccountByExternalID(otherTenant, "")
		w.wantCode("the account with no external id", err, problem.NotFound, "not_found")
		return nil
	})
}

// takeQueryCode gives two verifications the same query code.
func takeQueryCode(w *world, tx *store.Tx, s story) error {
	actor := of(s.tenant.ID)
	a := w.newAccount(s.tenant.ID)
	if err := tx.InsertAccount(actor, a, said(journal.AccountCreated, a.ID, a.ID)); err != nil {
		return err
	}
	second := w.newVerification(a)
	if err := tx.InsertVerification(actor, second, said(journal.VerificationOpened, second.ID, a.ID)); err != nil {
		return err
	}
	for _, v := range []verification.Verification{s.verification, second} {
		v.QueryCode, v.Version = "SAME0-CODE0", v.Version+1
		if err := tx.SaveVerification(actor, v, said(journal.VerificationSubmit, v.ID, v.AccountID)); err != nil {
			return err
		}
	}
	return nil
}

// statusChecks tries to store empty and unknown statuses of everything that has one.
func statusChecks(w *world) {
	for _, bad := range []string{"", "nonsense"} {
		s := w.story()
		calls := badStatuses(w, s, bad)
		maps.Copy(calls, badKinds(w, s, bad))
		for name, call := range calls {
			if err := w.try(call); err == nil {
				w.Errorf("%s %q was stored", name, bad)
			} else if problem.As(err) != nil {
				w.Errorf("%s %q: got the problem %v, want the database's refusal", name, bad, err)
			}
		}
	}
}

// badStatuses store a status, state or outcome.
func badStatuses(w *world, s story, bad string) map[string]func(tx *store.Tx) error {
	actor, told := of(s.tenant.ID), said(journal.ClockAdvanced, "x", s.account.ID)
	return map[string]func(tx *store.Tx) error{
		"payment outcome": func(tx *store.Tx) error {
			p := w.newPayment(s.account, payment.Approved)
			setText(&p.Outcome, bad)
			return tx.InsertPayment(p)
		},
		"rejected payment without a verification": func(tx *store.Tx) error {
			p := w.newPayment(s.account, payment.Rejected)
			p.VerificationID = ""
			return tx.InsertRejectedPayment(actor, p, told)
		},
		"verification status": func(tx *store.Tx) error {
			s.verification.Version = 2
			setText(&s.verification.Status, bad)
			return tx.SaveVerification(actor, s.verification, told)
		},
		"case status": func(tx *store.Tx) error {
			s.case_.Version = 2
			setText(&s.case_.Status, bad)
			return tx.SaveCase(actor, s.case_, told)
		},
		"decided case without a decision": func(tx *store.Tx) error {
			s.case_.Version, s.case_.Status, s.case_.Decision = 2, casework.Decided, ""
			return tx.SaveCase(actor, s.case_, told)
		},
		"ticket status": func(tx *store.Tx) error {
			s.ticket.Version = 2
			setText(&s.ticket.Status, bad)
			return tx.SaveTicket(actor, s.ticket, told)
		},
		"enforcement state": func(tx *store.Tx) error {
			s.enforcement.Version = 2
			setText(&s.enforcement.State, bad)
			return tx.SaveEnforcement(actor, s.enforcement, told)
		},
		"command state": func(tx *store.Tx) error {
			setText(&s.command.State, bad)
			return tx.SaveCommand(actor, s.command, told)
		},
	}
}

// badKinds store a kind, role or purpose.
func badKinds(w *world, s story, bad string) map[string]func(tx *store.Tx) error {
	actor, told := of(s.tenant.ID), said(journal.ClockAdvanced, "x", s.account.ID)
	return map[string]func(tx *store.Tx) error{
		"account kind": func(tx *store.Tx) error {
			a := w.newAccount(s.tenant.ID)
			setText(&a.Profile.Kind, bad)
			return tx.InsertAccount(actor, a, told)
		},
		"payment method kind": func(tx *store.Tx) error {
			s.method.ID, s.method.Default = w.name("pm"), false
			setText(&s.method.Kind, bad)
			return tx.InsertPaymentMethod(actor, s.method, told)
		},
		"restriction kind": func(tx *store.Tx) error {
			s.restriction.ID = w.name("res")
			setText(&s.restriction.Kind, bad)
			return tx.PlaceRestriction(actor, s.restriction, told)
		},
		"review decision": func(tx *store.Tx) error {
			s.review.ID = w.name("rev")
			setText(&s.review.Decision, bad)
			return tx.InsertReview(s.review)
		},
		"member role": func(tx *store.Tx) error {
			s.member.Version = 2
			setText(&s.member.Role, bad)
			return tx.SaveMember(s.member)
		},
		"link purpose": func(tx *store.Tx) error {
			s.link.ID, s.link.Hash = w.name("lnk"), []byte(w.name("hash"))
			setText(&s.link.Purpose, bad)
			return tx.InsertLink(s.link)
		},
		"challenge's way": func(tx *store.Tx) error {
			s.challenge.ID = w.name("sgn")
			setText(&s.challenge.AskedBy, bad)
			return tx.InsertChallenge(s.challenge)
		},
		"session kind": func(tx *store.Tx) error {
			s.session.ID, s.session.Hash = w.name("ses"), []byte(w.name("hash"))
			setText(&s.session.Kind, bad)
			return tx.InsertSession(s.session)
		},
		"actor kind": func(tx *store.Tx) error {
			return tx.Append(access.Actor{TenantID: s.tenant.ID, ID: "x", Kind: access.ActorKind(bad)}, told...)
		},
	}
}

func setText[T ~string](into *T, value string) { *into = T(value) }

func idempotency(w *world) {
	s := w.story()
	rec := s.record
	rec.CreatedAt, rec.ExpiresAt = at(0), at(30)
	rec.Key = "key-2"
	w.write(func(tx *store.Tx) error { return tx.InsertIdempotency(rec) })
	err := w.try(func(tx *store.Tx) error { return tx.InsertIdempotency(rec) })
	w.wantCode("the same key again", err, problem.Conflict, "idempotency_key_taken")
	w.read(func(tx *store.Tx) error {
		_, found, err := tx.FindIdempotency(s.tenant.ID, "POST /v1/tickets", rec.Key, tx.Now())
		w.same("the key on another route", found, false)
		return err
	})
	w.advance(time.Hour)
	w.read(func(tx *store.Tx) error {
		_, found, err := tx.FindIdempotency(s.tenant.ID, rec.Route, rec.Key, tx.Now())
		w.same("an expired key", found, false)
		return err
	})
	again := rec
	again.Status, again.Response, again.CreatedAt, again.ExpiresAt = 422, nil, at(60), at(120)
	w.write(func(tx *store.Tx) error { return tx.InsertIdempotency(again) })
	w.read(func(tx *store.Tx) error {
		found, _, err := tx.FindIdempotency(s.tenant.ID, rec.Route, rec.Key, tx.Now())
		w.same("the record in the expired one's place", found, again)
		return err
	})
	w.write(func(tx *store.Tx) error { return tx.PruneIdempotency(at(120)) })
	w.read(func(tx *store.Tx) error {
		_, found, err := tx.FindIdempotency(s.tenant.ID, rec.Route, rec.Key, tx.Now())
		w.same("a pruned key", found, false)
		_, found, _ = tx.FindIdempotency(s.tenant.ID, s.record.Route, s.record.Key, tx.Now())
		w.same("a key that had not expired", found, true)
		return err
	})
}

func signIn(w *world) {
	s := w.story()
	use := func(tx *store.Tx) error { return tx.UseLink(s.link, at(2)) }
	w.write(use)
	w.wantCode("a link used twice", w.try(use), problem.Gone, "link_used")
	w.write(func(tx *store.Tx) error {
		fresh := s.link
		fresh.ID, fresh.Hash, fresh.Purpose, fresh.Role = w.name("lnk"), []byte("fresh"), access.FirstStart, ""
		if err := tx.InsertLink(fresh); err != nil {
			return err
		}
		found, err := tx.LinkByHash(fresh.Hash)
		w.same("the fresh link", found.ID, fresh.ID)
		if err := tx.RevokeLinks(s.tenant.ID, access.FirstStart); err != nil {
			return err
		}
		_, missing := tx.LinkByHash(fresh.Hash)
		w.wantCode("a revoked link", missing, problem.NotFound, "not_found")
		return err
	})
	w.write(func(tx *store.Tx) error {
		if err := tx.TouchSession(s.session.ID, at(50)); err != nil {
			return err
		}
		if err := tx.TouchAPIKey(s.key.ID, at(51)); err != nil {
			return err
		}
		session, err := tx.SessionByHash(s.session.Hash)
		w.same("when the session was seen", session.SeenAt, at(50))
		key, _ := tx.APIKeyByHash(s.key.Hash)
		w.same("when the key was used", key.LastUsedAt, at(51))
		if err := tx.RevokeSession(s.session.ID, at(52)); err != nil {
			return err
		}
		_, missing := tx.SessionByHash(s.session.Hash)
		w.wantCode("a revoked session", missing, problem.NotFound, "not_found")
		s.key.RevokedAt = at(53)
		if err := tx.RevokeAPIKey(of(s.tenant.ID), s.key, said(journal.KeyRevoked, s.key.ID, "")); err != nil {
			return err
		}
		_, missing = tx.APIKeyByHash(s.key.Hash)
		w.wantCode("a revoked key", missing, problem.NotFound, "not_found")
		return err
	})
	guesses(w, s)
	w.write(func(tx *store.Tx) error { return tx.PruneAccess(at(5000).AddDate(0, 0, 7)) })
	w.read(func(tx *store.Tx) error {
		_, missing := tx.LinkByHash(s.link.Hash)
		w.wantCode("a link long after its end", missing, problem.NotFound, "not_found")
		return nil
	})
}

// guesses counts attempts that come at the same time.
func guesses(w *world, s story) {
	const count = 6
	done := make(chan error, count)
	for range count {
		go func() {
			done <- w.try(func(tx *store.Tx) error {
				found, err := tx.ChallengesByBrowser(s.challenge.BrowserHash)
				if err != nil {
					return err
				}
				found[0].Attempts++
				found[0].CodeHash = []byte("code")
				return tx.SaveChallenge(found[0])
			})
		}()
	}
	for range count {
		if err := <-done; err != nil {
			w.Errorf("a guess: %v", err)
		}
	}
	w.read(func(tx *store.Tx) error {
		c, err := tx.Challenge(s.tenant.ID, s.challenge.ID)
		w.same("attempts", c.Attempts, s.challenge.Attempts+count)
		w.same("the code's hash", string(c.CodeHash), "code")
		return err
	})
}

func settings(w *world) {
	for _, value := range []string{"1", "2"} {
		w.write(func(tx *store.Tx) error { return tx.SaveSetting("offset", value) })
		w.read(func(tx *store.Tx) error {
			got, found, err := tx.Setting("offset")
			w.same("the setting", []any{got, found}, []any{value, true})
			_, found, _ = tx.Setting("other")
			w.same("one never saved", found, false)
			return err
		})
	}
	countTogether(w)
}

// countTogether adds one to a setting from several transactions at once: none may be lost.
func countTogether(w *world) {
	const adders = 8
	var all sync.WaitGroup
	for range adders {
		all.Go(func() {
			err := w.try(func(tx *store.Tx) error {
				held, err := tx.HoldSetting("count", "0")
				if err != nil {
					return err
				}
				count, err := strconv.Atoi(held)
				if err != nil {
					return err
				}
				return tx.SaveSetting("count", strconv.Itoa(count+1))
			})
			if err != nil {
				w.Errorf("add one: %v", err)
			}
		})
	}
	all.Wait()
	w.read(func(tx *store.Tx) error {
		got, _, err := tx.Setting("count")
		w.same("the count", got, strconv.Itoa(adders))
		return err
	})
}
