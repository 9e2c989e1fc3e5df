package storetest

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// change is one way to save something of a story in a new version.
type change struct {
	name string
	save func(tx *store.Tx, s story, actor access.Actor) error
	// foreign makes what is saved belong to another tenant.
	foreign func(s *story, tenantID string)
}

var changes = []change{
	{"tenant", func(tx *store.Tx, s story, actor access.Actor) error {
		s.tenant.Name, s.tenant.Version = "New", s.tenant.Version+1
		return tx.UpdateTenant(actor, s.tenant, said(journal.TenantUpdated, s.tenant.ID, ""))
	}, func(s *story, tenantID string) { s.tenant.ID = tenantID; s.tenant.Version = 7 }},
	{"account", func(tx *store.Tx, s story, actor access.Actor) error {
		s.account.Profile.Name, s.account.Version = "New", s.account.Version+1
		return tx.UpdateAccount(actor, s.account, said(journal.AccountUpdated, s.account.ID, s.account.ID))
	}, func(s *story, tenantID string) { s.account.TenantID = tenantID }},
	{"restriction", func(tx *store.Tx, s story, actor access.Actor) error {
		s.restriction.LiftedAt, s.restriction.Version = at(9), s.restriction.Version+1
		return tx.UpdateRestriction(actor, s.restriction, said(journal.RestrictionLifted, s.restriction.ID, s.account.ID))
	}, func(s *story, tenantID string) { s.restriction.TenantID = tenantID }},
	{"retry grant", func(tx *store.Tx, s story, actor access.Actor) error {
		return tx.UseRetryGrant(actor, s.grant, "pay_x", said(journal.RetryUsed, s.grant.ID, s.account.ID))
	}, func(s *story, tenantID string) { s.grant.TenantID = tenantID }},
	{"verification", func(tx *store.Tx, s story, actor access.Actor) error {
		v, drafts, err := s.verification.Cancel(at(9))
		return firstError(err, func() error { return tx.SaveVerification(actor, v, drafts) })
	}, func(s *story, tenantID string) { s.verification.TenantID = tenantID }},
	{"evidence", func(tx *store.Tx, s story, _ access.Actor) error {
		return tx.WithdrawEvidence(s.evidence.TenantID, s.evidence.ID, at(9))
	}, func(s *story, tenantID string) { s.evidence.TenantID = tenantID }},
	{"case", func(tx *store.Tx, s story, actor access.Actor) error {
		c, drafts, err := s.case_.Decide(casework.Approve, at(9))
		return firstError(err, func() error { return tx.SaveCase(actor, c, drafts) })
	}, func(s *story, tenantID string) { s.case_.TenantID = tenantID }},
	{"ticket", func(tx *store.Tx, s story, actor access.Actor) error {
		t, drafts, err := s.ticket.Close("done", at(9))
		return firstError(err, func() error { return tx.SaveTicket(actor, t, drafts) })
	}, func(s *story, tenantID string) { s.ticket.TenantID = tenantID }},
	{"notice", func(tx *store.Tx, s story, actor access.Actor) error {
		n, drafts, _ := s.notice.Opened(at(9))
		return tx.SaveNotice(actor, n, drafts)
	}, func(s *story, tenantID string) { s.notice.TenantID = tenantID }},
	{"message", func(tx *store.Tx, s story, actor access.Actor) error {
		s.message.ReadAt = at(9)
		return tx.MarkMessageRead(actor, s.message, said(journal.MessageRead, s.message.ID, s.account.ID))
	}, func(s *story, tenantID string) { s.message.TenantID = tenantID }},
	{"enforcement", func(tx *store.Tx, s story, actor access.Actor) error {
		e, _, drafts, _ := s.enforcement.Suspend("cmd_x", at(9))
		return tx.SaveEnforcement(actor, e, drafts)
	}, func(s *story, tenantID string) { s.enforcement.TenantID = tenantID }},
	{"command", func(tx *store.Tx, s story, actor access.Actor) error {
		c, drafts, _ := s.command.Settle(enforcement.Acknowledged, at(9))
		return tx.SaveCommand(actor, c, drafts)
	}, func(s *story, tenantID string) { s.command.TenantID = tenantID }},
	{"webhook endpoint", func(tx *store.Tx, s story, actor access.Actor) error {
		s.endpoint.DeletedAt = at(9)
		return tx.SaveEndpoint(actor, s.endpoint, said(journal.WebhookEndpointGone, s.endpoint.ID, ""))
	}, func(s *story, tenantID string) { s.endpoint.TenantID = tenantID }},
	{"API key", func(tx *store.Tx, s story, actor access.Actor) error {
		s.key.RevokedAt = at(9)
		return tx.RevokeAPIKey(actor, s.key, said(journal.KeyRevoked, s.key.ID, ""))
	}, func(s *story, tenantID string) { s.key.TenantID = tenantID }},
	{"member", func(tx *store.Tx, s story, _ access.Actor) error {
		s.member.Failures, s.member.Version = 3, s.member.Version+1
		return tx.SaveMember(s.member)
	}, func(s *story, tenantID string) { s.member.TenantID = tenantID }},
	{"challenge", func(tx *store.Tx, s story, _ access.Actor) error {
		s.challenge.UsedAt = at(9)
		return tx.SaveChallenge(s.challenge)
	}, func(s *story, tenantID string) { s.challenge.TenantID = tenantID }},
}

func firstError(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

func compareAndSet(w *world) {
	for _, change := range changes {
		s := w.story()
		save := func(tx *store.Tx) error { return change.save(tx, s, of(s.tenant.ID)) }
		w.write(save)
		length := w.journalLength(s.tenant.ID)
		w.wantCode(change.name, w.try(save), problem.Conflict, "changed_meanwhile")
		// A conflict that the caller makes something of leaves the transaction whole.
		w.write(func(tx *store.Tx) error {
			w.wantCode(change.name+", swallowed", save(tx), problem.Conflict, "changed_meanwhile")
			return tx.SaveSetting("after", change.name)
		})
		w.same("entries after a refused change of "+change.name, w.journalLength(s.tenant.ID), length)
	}
}

func foreignChanges(w *world) {
	for _, change := range changes {
		s, other := w.story(), w.tenant()
		foreign := s
		change.foreign(&foreign, other.ID)
		err := w.try(func(tx *store.Tx) error { return change.save(tx, foreign, of(other.ID)) })
		w.wantCode(change.name+" of another tenant", err, problem.Conflict, "changed_meanwhile")
		w.same("the other tenant's journal after "+change.name, w.journalLength(other.ID), int64(1))
		w.write(func(tx *store.Tx) error { return change.save(tx, s, of(s.tenant.ID)) })
	}
}
