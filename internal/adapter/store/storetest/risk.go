package storetest

import (
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/standard/problem"
)

func analyst(tenantID, name string) access.Actor {
	return access.Actor{Kind: access.Staff, TenantID: tenantID, ID: "stf_" + name, Role: access.Analyst}
}

// draft adds a draft of a tenant and returns it.
func (w *world) draft(tenantID, policyVersion string) publication.Version {
	w.Helper()
	var v publication.Version
	w.write(func(tx *store.Tx) error {
		if _, err := tx.HoldRiskSettings(tenantID); err != nil {
			return err
		}
		number, err := tx.NextPolicyNumber(tenantID)
		if err != nil {
			return err
		}
		var drafts []journal.Draft
		v, drafts = publication.Start(w.name("pol"), number, publication.Content{
			PolicyID: "own", PolicyVersion: policyVersion, Text: "policy: own # " + policyVersion, Note: "why",
		}, analyst(tenantID, "ana"), at(1))
		return tx.InsertPolicyVersion(analyst(tenantID, "ana"), v, drafts)
	})
	return v
}

// propose saves a draft as proposed.
func (w *world) propose(v publication.Version) (publication.Version, error) {
	w.Helper()
	v, drafts, err := v.Propose(analyst(v.TenantID, "ana"), at(100), at(2))
	if err != nil {
		w.Fatal(err)
	}
	return v, w.try(func(tx *store.Tx) error { return tx.SavePolicyVersion(analyst(v.TenantID, "ana"), v, drafts) })
}

func policyVersions(w *world) {
	mine, other := w.tenant().ID, w.tenant().ID
	first, second := w.draft(mine, "1"), w.draft(mine, "1")
	w.same("numbers", []int64{first.Number, second.Number, w.draft(other, "1").Number}, []int64{1, 2, 1})
	proposed, err := w.propose(first)
	w.same("the first of a name", err, error(nil))
	_, err = w.propose(second)
	w.wantCode("the second of a name", err, problem.Conflict, "policy_version_taken")
	_, err = w.propose(first)
	w.wantCode("the same step again", err, problem.Conflict, "changed_meanwhile")
	w.write(func(tx *store.Tx) error {
		approved, drafts, err := proposed.Approve(analyst(mine, "bo"), false, at(3))
		if err != nil {
			return err
		}
		if err := tx.SavePolicyVersion(analyst(mine, "bo"), approved, drafts); err != nil {
			return err
		}
		half, _ := approved.Progress(1, 2, false, at(4))
		if err := tx.NotePolicyProgress(half); err != nil {
			return err
		}
		whole, _ := half.Progress(2, 2, true, at(5))
		if err := tx.NotePolicyProgress(whole); err != nil {
			return err
		}
		live, drafts, err := whole.Publish(at(100))
		if err != nil {
			return err
		}
		proposed = live
		return tx.SavePolicyVersion(analyst(mine, "bo"), live, drafts)
	})
	w.read(func(tx *store.Tx) error {
		found, err := tx.PolicyVersion(mine, first.ID)
		w.same("the version", found, proposed)
		_, missing := tx.PolicyVersion(other, first.ID)
		w.wantCode("the version in another tenant", missing, problem.NotFound, "not_found")
		named, _, _ := tx.PolicyByName(mine, "own", "1")
		w.same("the version by its name", named, proposed)
		_, byName, _ := tx.PolicyByName(other, "own", "1")
		w.same("a draft by its name", byName, false)
		live, _ := tx.PoliciesIn(mine, publication.Live)
		w.same("the live ones", live, []publication.Version{proposed})
		everywhere, _ := tx.AllPoliciesIn(publication.Draft)
		w.same("all drafts", len(everywhere), 2)
		listed, _, _ := tx.ListPolicyVersions(mine, "", store.Page{})
		w.same("the list", len(listed), 2)
		return err
	})
	// A second live one is refused by the database itself.
	second.State, second.ApprovedBy, second.PolicyVersion, second.Revision = publication.Live, "stf_bo", "2", 2
	err = w.try(func(tx *store.Tx) error {
		return tx.SavePolicyVersion(of(mine), second, said(journal.PolicyPublished, second.ID, ""))
	})
	if err == nil {
		w.Error("two versions of one tenant are live")
	}
	w.write(func(tx *store.Tx) error {
		shipped := store.ShippedPolicy{PolicyID: "default", PolicyVersion: "1", Digest: strings.Repeat("a", 64), Text: "policy: default", SeenAt: at(1)}
		for range 2 {
			if err := tx.KeepShippedPolicy(shipped); err != nil {
				return err
			}
		}
		found, err := tx.ShippedPolicies("default", "1")
		w.same("what shipped", found, []store.ShippedPolicy{shipped})
		return err
	})
}

func riskSettings(w *world) {
	tenantID := w.tenant().ID
	w.read(func(tx *store.Tx) error {
		begins, err := tx.RiskSettings(tenantID)
		w.same("what a tenant begins with", begins, publication.Settings{TenantID: tenantID})
		return err
	})
	var held publication.Settings
	w.write(func(tx *store.Tx) error {
		var err error
		held, err = tx.HoldRiskSettings(tenantID)
		return err
	})
	held.OnePerson, held.Budget = true, publication.Budget{Limit: 7 * time.Millisecond, FailClosed: true}
	save := func(tx *store.Tx) error {
		return tx.SaveRiskSettings(of(tenantID), held, said(journal.TenantUpdated, tenantID, ""))
	}
	w.write(save)
	w.wantCode("the same epoch again", w.try(save), problem.Conflict, "changed_meanwhile")
	w.write(func(tx *store.Tx) error {
		saved, err := tx.HoldRiskSettings(tenantID)
		if err != nil {
			return err
		}
		held.Epoch++
		w.same("the settings", saved, held)
		saved.LiveID = "pol_1"
		if err := tx.SwitchPolicy(saved); err != nil {
			return err
		}
		after, err := tx.RiskSettings(tenantID)
		saved.Epoch++
		w.same("after the switch", after, saved)
		return err
	})
	w.wantCode("no such tenant", w.try(func(tx *store.Tx) error {
		_, err := tx.HoldRiskSettings("ten_none")
		return err
	}), problem.NotFound, "not_found")
}

func valueLists(w *world) {
	mine, other := w.tenant().ID, w.tenant().ID
	l, drafts, _ := list.Start(w.name("lst"), "blocked", list.Block, "for tests", analyst(mine, "ana"), at(1))
	w.write(func(tx *store.Tx) error { return tx.InsertList(of(mine), l, drafts) })
	again := l
	again.ID = w.name("lst")
	w.wantCode("the name again", w.try(func(tx *store.Tx) error { return tx.InsertList(of(mine), again, drafts) }), problem.Conflict, "list_name_taken")
	put := func(value string, expires time.Time) (list.Entry, error) {
		e, drafts, err := l.Add(w.name("lse"), list.NewEntry{Value: value, Reason: "seen", ExpiresAt: expires}, analyst(mine, "ana"), at(2))
		if err != nil {
			w.Fatal(err)
		}
		return e, w.try(func(tx *store.Tx) error { return tx.InsertListEntry(of(mine), e, drafts) })
	}
	first, err := put("dev-1", time.Time{})
	w.same("the first", err, error(nil))
	_, err = put("dev-1", time.Time{})
	w.wantCode("the value again", err, problem.Conflict, "list_value_taken")
	_, _ = put("dev-2", at(60*24))
	w.read(func(tx *store.Tx) error {
		found, err := tx.ListEntry(mine, l.ID, first.ID)
		w.same("the entry", found, first)
		_, missing := tx.ListEntry(other, l.ID, first.ID)
		w.wantCode("the entry in another tenant", missing, problem.NotFound, "not_found")
		_, missing = tx.List(other, l.ID)
		w.wantCode("the list in another tenant", missing, problem.NotFound, "not_found")
		standing, _ := tx.StandingValues(mine)
		w.same("what stands", len(standing), 2)
		none, _ := tx.StandingValues(other)
		w.same("what stands in another tenant", len(none), 0)
		byValue, _, _ := tx.ListEntries(mine, l.ID, store.ListEntryFilter{Value: "dev-2"}, store.Page{})
		w.same("by value", len(byValue), 1)
		return err
	})
	gone, drafts, _ := l.Remove(first, analyst(mine, "ana"), at(3))
	remove := func(tx *store.Tx) error { return tx.RemoveListEntry(of(mine), gone, drafts) }
	w.write(remove)
	w.wantCode("removed again", w.try(remove), problem.Conflict, "changed_meanwhile")
	w.advance(48 * time.Hour)
	_, err = put("dev-1", at(60*24*90))
	w.same("the value after its removal", err, error(nil))
	w.read(func(tx *store.Tx) error {
		standing, err := tx.StandingValues(mine)
		w.same("what stands once the other has expired", len(standing), 1)
		count, _ := tx.CountListEntries(mine, l.ID)
		w.same("not removed", count, 2)
		removed, _, _ := tx.ListEntries(mine, l.ID, store.ListEntryFilter{Removed: true}, store.Page{})
		w.same("removed", removed, []list.Entry{gone})
		return err
	})
	l, drafts = l.Delete(at(9))
	w.write(func(tx *store.Tx) error { return tx.DeleteList(of(mine), l, drafts) })
	w.read(func(tx *store.Tx) error {
		left, err := tx.Lists(mine)
		w.same("lists after the deletion", len(left), 0)
		standing, _ := tx.StandingValues(mine)
		w.same("what stands on a deleted list", len(standing), 0)
		return err
	})
}

func findings(w *world) {
	a, b := w.account(w.tenant().ID), w.account(w.tenant().ID)
	add := func(tenantID, accountID, paymentID string, kind payment.FindingKind) (payment.Finding, error) {
		f := payment.Finding{
			ID: w.name("fnd"), TenantID: tenantID, AccountID: accountID, PaymentID: paymentID, Kind: kind, OccurredAt: at(1), KnownAt: at(2), CaseID: "case_1",
			Reasons: []payment.Reason{{Code: "payment.policy", Message: "no"}}, ReportedBy: "key_1",
		}
		err := w.try(func(tx *store.Tx) (err error) {
			f, err = tx.InsertFinding(of(tenantID), f, said(journal.PaymentOutcome, paymentID, accountID))
			return err
		})
		return f, err
	}
	first, err := add(a.TenantID, a.ID, "pay_1", payment.ReviewApproved)
	w.same("the decision", err, error(nil))
	_, err = add(a.TenantID, a.ID, "pay_1", payment.ReviewRejected)
	w.wantCode("a second decision", err, problem.Conflict, "payment_not_held")
	second, _ := add(a.TenantID, a.ID, "pay_1", payment.Settled)
	third, _ := add(b.TenantID, b.ID, "pay_2", payment.Chargeback)
	if first.Sequence >= second.Sequence || second.Sequence >= third.Sequence {
		w.Errorf("got sequence numbers %d %d %d, want them to grow", first.Sequence, second.Sequence, third.Sequence)
	}
	w.read(func(tx *store.Tx) error {
		of, err := tx.FindingsOf(a.TenantID, a.ID, "pay_1")
		w.same("of the payment", of, []payment.Finding{first, second})
		foreign, _ := tx.FindingsOf(b.TenantID, a.ID, "pay_1")
		w.same("of the payment in another tenant", len(foreign), 0)
		account, _ := tx.FindingsOfAccount(b.TenantID, b.ID)
		w.same("of the account", account, []payment.Finding{third})
		rest, _ := tx.FindingsAfter(first.Sequence, 10)
		w.same("behind the first", rest, []payment.Finding{second, third})
		return err
	})
}

func ruleHits(w *world) {
	mine, other := w.tenant().ID, w.tenant().ID
	hit := store.RuleHit{TenantID: mine, PolicyID: "own", PolicyVersion: "1", Hour: at(0).Truncate(time.Hour), Rule: "large", Mode: "active", Evaluated: 3, Raised: 2, Decided: 1}
	later := hit
	later.Hour = hit.Hour.Add(time.Hour)
	w.write(func(tx *store.Tx) error { return tx.AddRuleHits([]store.RuleHit{hit, later, hit}) })
	w.read(func(tx *store.Tx) error {
		twice := hit
		twice.Evaluated, twice.Raised, twice.Decided = 6, 4, 2
		found, err := tx.RuleHits(mine, store.RuleHitFilter{})
		w.same("all", found, []store.RuleHit{twice, later})
		found, _ = tx.RuleHits(mine, store.RuleHitFilter{From: later.Hour, PolicyID: "own", PolicyVersion: "1"})
		w.same("of the later hour", found, []store.RuleHit{later})
		found, _ = tx.RuleHits(other, store.RuleHitFilter{})
		w.same("of another tenant", len(found), 0)
		return err
	})
}

func snapshots(w *world) {
	tenantID := w.tenant().ID
	part := func(name string, number, payments int64, made time.Time) store.SnapshotPart {
		return store.SnapshotPart{TenantID: tenantID, Follower: name, Part: number, Payments: payments, Findings: 1, Body: []byte(name), CreatedAt: made}
	}
	w.write(func(tx *store.Tx) error {
		for _, p := range []store.SnapshotPart{part("old", 1, 5, at(1)), part("old", 0, 5, at(1)), part("new", 1, 9, at(2))} {
			if err := tx.InsertSnapshotPart(p); err != nil {
				return err
			}
		}
		whole, _, err := tx.LatestSnapshot(tenantID)
		w.same("while the new one is not whole", whole, part("old", 0, 5, at(1)))
		if err != nil {
			return err
		}
		if err := tx.InsertSnapshotPart(part("new", 0, 9, at(3))); err != nil {
			return err
		}
		return tx.DropSnapshots(tenantID, "new", at(2))
	})
	w.read(func(tx *store.Tx) error {
		whole, _, err := tx.LatestSnapshot(tenantID)
		w.same("the new one", whole, part("new", 0, 9, at(3)))
		one, _ := tx.SnapshotPart(tenantID, "new", 1)
		w.same("its part", one, part("new", 1, 9, at(2)))
		_, missing := tx.SnapshotPart(tenantID, "old", 1)
		w.wantCode("a part of the old one", missing, problem.NotFound, "not_found")
		return err
	})
}
