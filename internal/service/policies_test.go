package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// smallPolicy decides by one rule and the lists.
const smallPolicy = `policy: small
version: "VERSION"
effective_from: 2026-11-01
description: For tests.
reference: {currency: USD, decimals: 2, as_of: 2026-11-01, source: made up, rates: [{currency: CNY, decimals: 2, value: 0.14}]}
combination: {established_after_approved: 10, capped_amount: 500.00, triggers_to_reject: 2}
thresholds:
  - {name: large, value: 100.00, unit: amount, meaning: What is large.}
lists:
  - {name: blocked_devices, kind: block, field: device, meaning: Devices of confirmed fraud.}
rules:
  - name: Large
    code: large_amount
    mode: active
    outcome: OUTCOME
    priority: 10
    message: {en: The amount is large.}
    when: payment.amount_reference >= threshold.large
  - name: Listed device
    code: listed_device
    mode: active
    outcome: rejected
    hard: true
    message: {en: Payments from this device are not accepted.}
    when: list.blocked_devices
`

func small(version, outcome string) string {
	return strings.NewReplacer("VERSION", version, "OUTCOME", outcome).Replace(smallPolicy)
}

// analysts are two people of the risk team.
func (w *world) analysts() (ana, bo access.Actor) {
	return access.Actor{Kind: access.Staff, TenantID: w.tenant.ID, ID: "staff_ana", Role: access.Analyst},
		access.Actor{Kind: access.Staff, TenantID: w.tenant.ID, ID: "staff_bo", Role: access.Analyst}
}

// publish takes a text through two people.
func (w *world) publish(text string) publication.Version {
	w.Helper()
	ana, bo := w.analysts()
	v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: text})
	w.must(err)
	_, err = w.s.ProposePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID})
	w.must(err)
	v, err = w.s.ApprovePolicy(w.Context(), bo, service.PolicyChange{ID: v.ID})
	w.must(err)
	return v
}

func TestAPolicyIsPublishedByTwoPeopleAndDecidesAtOnce(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		if got := w.pay(p.attempt(dollars(150))).Payment; got.Outcome != payment.Approved || got.PolicyID != "default" {
			w.Fatalf("got %s by %s", got.Outcome, got.PolicyID)
		}
		ana, bo := w.analysts()
		before, entries := w.counts(), len(w.entries())
		v, err := w.s.DraftPolicy(w.Context(), w.key, service.PolicyDraft{Text: small("1", "rejected"), Note: "tighter"})
		w.must(err)
		if v.Number != 1 || v.State != publication.Draft || v.PolicyID != "small" {
			w.Errorf("got %+v", v)
		}
		_, err = w.s.ProposePolicy(w.Context(), w.key, service.PolicyChange{ID: v.ID})
		refused(w, err, problem.Forbidden, "forbidden")
		v, err = w.s.ProposePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID, ExpectedRevision: v.Revision})
		w.must(err)
		_, err = w.s.ApprovePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID})
		refused(w, err, problem.Forbidden, "second_person_required")
		_, err = w.s.ApprovePolicy(w.Context(), w.reviewer, service.PolicyChange{ID: v.ID})
		refused(w, err, problem.Forbidden, "forbidden")
		v, err = w.s.ApprovePolicy(w.Context(), bo, service.PolicyChange{ID: v.ID})
		w.must(err)
		if v.State != publication.Live || v.LiveAt.IsZero() {
			w.Errorf("got %+v", v)
		}
		if got, want := w.grown(before), "journal+4 risk_settings+1 policies+1"; got != want {
			w.Errorf("got %s, want %s", got, want)
		}
		w.wantTypes(entries, journal.PolicyDrafted, journal.PolicyProposed, journal.PolicyApproved, journal.PolicyPublished)
		got := w.pay(p.attempt(dollars(150)))
		if got.Payment.Outcome != payment.Rejected || got.Payment.PolicyID != "small" || got.Payment.PolicyVersion != "1" {
			w.Errorf("got %s by %s %s", got.Payment.Outcome, got.Payment.PolicyID, got.Payment.PolicyVersion)
		}
	})
}

func (w *world) wantTypes(from int, want ...journal.EventType) {
	w.Helper()
	got := w.types(from)
	if len(got) != len(want) {
		w.Fatalf("got entries %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			w.Fatalf("got entries %v, want %v", got, want)
		}
	}
}

func TestAPolicyGoesLiveWhenItIsDue(t *testing.T) {
	on(t, func(w *world) {
		ana, bo := w.analysts()
		p := w.person()
		v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: small("1", "rejected")})
		w.must(err)
		due := w.now().Add(6 * time.Hour)
		_, err = w.s.ProposePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID, EffectiveAt: due})
		w.must(err)
		v, err = w.s.ApprovePolicy(w.Context(), bo, service.PolicyChange{ID: v.ID})
		w.must(err)
		w.work()
		if got := w.pay(p.attempt(dollars(150))).Payment.Outcome; v.State != publication.Preparing || got != payment.Approved {
			w.Errorf("got %s and a payment %s before the version is due", v.State, got)
		}
		w.at(due)
		w.work()
		if v, err = w.s.PolicyVersion(w.Context(), ana, v.ID); err != nil || v.State != publication.Live {
			w.Fatalf("got %s %v", v.State, err)
		}
		if got := w.pay(p.attempt(dollars(150))).Payment.Outcome; got != payment.Rejected {
			w.Errorf("got %s by a version that is live", got)
		}
	})
}

func TestRollingBackIsInstantAndTakesOnePerson(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		p := w.person()
		first, second := w.publish(small("1", "approved")), w.publish(small("2", "rejected"))
		if first, _ = w.s.PolicyVersion(w.Context(), ana, first.ID); first.State != publication.Retired {
			w.Errorf("got %s, want the first retired by the second", first.State)
		}
		_, err := w.s.RollBackPolicy(w.Context(), ana, service.PolicyRollback{ID: first.ID, ExpectedLive: 2})
		refused(w, err, problem.Invalid, "required")
		_, err = w.s.RollBackPolicy(w.Context(), ana, service.PolicyRollback{ID: second.ID, ExpectedLive: 2, Reason: "x"})
		refused(w, err, problem.Conflict, "policy_state")
		entries := len(w.entries())
		live, err := w.s.RollBackPolicy(w.Context(), ana, service.PolicyRollback{ID: first.ID, ExpectedLive: 2, Reason: "rejects too much"})
		w.must(err)
		if live.Version.ID != first.ID || live.Compiled.Version != "1" {
			w.Errorf("got %+v", live.Version)
		}
		w.wantTypes(entries, journal.PolicyRetired, journal.PolicyPublished, journal.PolicyRolledBack)
		if got := w.pay(p.attempt(dollars(150))).Payment; got.Outcome != payment.Approved || got.PolicyVersion != "1" {
			w.Errorf("got %s by %s", got.Outcome, got.PolicyVersion)
		}
		// And to what shipped.
		live, err = w.s.RollBackPolicy(w.Context(), ana, service.PolicyRollback{ExpectedLive: 1, Reason: "begin again"})
		w.must(err)
		if live.Version.Number != 0 || w.pay(p.attempt(dollars(20))).Payment.PolicyID != "default" {
			w.Errorf("got %+v", live.Version)
		}
		gone, _ := w.s.PolicyVersion(w.Context(), ana, first.ID)
		if gone.State != publication.Retired || gone.RollbackReason != "begin again" {
			w.Errorf("got %+v", gone)
		}
	})
}

func TestOneOfTwoPeopleWhoRollBackFromTheSamePageIsRefused(t *testing.T) {
	on(t, func(w *world) {
		first, second := w.publish(small("1", "approved")), w.publish(small("2", "approved"))
		w.publish(small("3", "approved"))
		ana, bo := w.analysts()
		back := service.PolicyRollback{ID: second.ID, ExpectedLive: 3, Reason: "three does harm"}
		_, err := w.s.RollBackPolicy(w.Context(), ana, back)
		w.must(err)
		back.ID = ""
		_, err = w.s.RollBackPolicy(w.Context(), bo, back)
		refused(w, err, problem.Conflict, "policy_changed")
		// Nobody goes back further than one step alone: the aggregates of older versions are not kept up.
		_, err = w.s.RollBackPolicy(w.Context(), bo, service.PolicyRollback{ID: first.ID, ExpectedLive: 2, Reason: "two does harm"})
		refused(w, err, problem.Conflict, "policy_state")
	})
}

func TestARollBackDecidesWithCompleteAggregates(t *testing.T) {
	on(t, func(w *world) {
		w.follow()
		first := w.publish(busyPolicy("1"))
		w.pass(2 * 1e9)
		w.follow()
		w.publish(small("2", "approved"))
		w.pass(2 * 1e9)
		w.follow()
		for range 3 {
			w.pay(w.person().attempt(dollars(20)))
		}
		w.rebuild()
		w.follow()
		ana, _ := w.analysts()
		_, err := w.s.RollBackPolicy(w.Context(), ana, service.PolicyRollback{ID: first.ID, ExpectedLive: 2, Reason: "back"})
		w.must(err)
		if got := w.pay(w.person().attempt(dollars(20))).Payment; got.Outcome != payment.Rejected {
			w.Errorf("got %s by %s %s: its aggregate has no past", got.Outcome, got.PolicyID, got.PolicyVersion)
		}
	})
}

func TestNobodyApprovesATextThatTheyWroteBeforeSomebodyElseTouchedIt(t *testing.T) {
	on(t, func(w *world) {
		ana, bo := w.analysts()
		carl := access.Actor{Kind: access.Staff, TenantID: w.tenant.ID, ID: "staff_carl", Role: access.Analyst}
		v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: small("1", "approved")})
		w.must(err)
		v, err = w.s.EditPolicy(w.Context(), w.key, v.ID, service.PolicyDraft{Text: small("1", "approved") + "\n"})
		w.must(err)
		_, err = w.s.ProposePolicy(w.Context(), carl, service.PolicyChange{ID: v.ID})
		w.must(err)
		_, err = w.s.ApprovePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID})
		refused(w, err, problem.Forbidden, "second_person_required")
		_, err = w.s.ApprovePolicy(w.Context(), bo, service.PolicyChange{ID: v.ID})
		w.must(err)
	})
}

func TestAButtonThatIsPressedTwiceAnswersWhatWasReached(t *testing.T) {
	on(t, func(w *world) {
		ana, bo := w.analysts()
		v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: small("1", "approved")})
		w.must(err)
		twice := func(step func(service.PolicyChange) (publication.Version, error), want publication.State) {
			w.Helper()
			in := service.PolicyChange{ID: v.ID, ExpectedRevision: v.Revision}
			_, err := step(in)
			w.must(err)
			entries := len(w.entries())
			v, err = step(in)
			if err != nil || v.State != want || len(w.entries()) != entries {
				w.Errorf("got %s %v, want %s and no second entry", v.State, err, want)
			}
		}
		twice(func(in service.PolicyChange) (publication.Version, error) {
			return w.s.ProposePolicy(w.Context(), ana, in)
		}, publication.Proposed)
		_, err = w.s.ProposePolicy(w.Context(), bo, service.PolicyChange{ID: v.ID})
		refused(w, err, problem.Conflict, "policy_state")
		twice(func(in service.PolicyChange) (publication.Version, error) {
			return w.s.ApprovePolicy(w.Context(), bo, in)
		}, publication.Live)
		v, err = w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: small("2", "approved")})
		w.must(err)
		twice(func(in service.PolicyChange) (publication.Version, error) {
			return w.s.WithdrawPolicy(w.Context(), ana, in)
		}, publication.Withdrawn)
	})
}

func TestWhatIsWrongWithADraftIsToldWithItsPlaces(t *testing.T) {
	on(t, func(w *world) {
		before := w.counts()
		_, err := w.s.DraftPolicy(w.Context(), w.key, service.PolicyDraft{Text: strings.Replace(small("1", "rejected"), "payment.amount_reference", "payment.amount", 1)})
		refused(w, err, problem.Invalid, "policy_faulty")
		faults := problem.As(err).Faults
		if len(faults) != 1 || faults[0].Line == 0 || faults[0].Column == 0 || faults[0].Path != "rules[0].when" || faults[0].Message == "" {
			w.Errorf("got %+v", faults)
		}
		refused(w, w.s.CheckPolicy(w.Context(), w.key, "rules: ["), problem.Invalid, "policy_faulty")
		w.must(w.s.CheckPolicy(w.Context(), w.key, string(risk.DefaultYAML())))
		if got := w.grown(before); got != "" {
			w.Errorf("got %s, want nothing stored of what was refused", got)
		}
	})
}

func TestANameLeadsToOneTextOnly(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		w.publish(small("1", "rejected"))
		for _, text := range []string{small("1", "approved"), string(risk.DefaultYAML())} {
			v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: text})
			w.must(err)
			_, err = w.s.ProposePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID})
			refused(w, err, problem.Conflict, "policy_version_taken")
			edited, err := w.s.EditPolicy(w.Context(), ana, v.ID, service.PolicyDraft{Text: small("9-"+v.ID[4:10], "approved"), ExpectedRevision: v.Revision})
			w.must(err)
			if edited.Revision != v.Revision+1 || edited.Digest == v.Digest {
				w.Errorf("got %+v", edited)
			}
			_, err = w.s.EditPolicy(w.Context(), ana, v.ID, service.PolicyDraft{Text: small("9", "approved"), ExpectedRevision: v.Revision})
			refused(w, err, problem.Conflict, "policy_changed")
			_, err = w.s.WithdrawPolicy(w.Context(), w.key, service.PolicyChange{ID: v.ID})
			w.must(err)
		}
	})
}

func TestOnePersonIsEnoughWhereTheOperatorSaysSo(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		settings, err := w.s.SetRiskSettings(w.Context(), w.tenant.ID, service.PolicySettings{OnePerson: true, Budget: publication.Budget{Limit: 20 * time.Millisecond}})
		w.must(err)
		if !settings.OnePerson || settings.Budget.Limit != 20*time.Millisecond {
			w.Errorf("got %+v", settings)
		}
		v, err := w.s.DraftPolicy(w.Context(), ana, service.PolicyDraft{Text: small("1", "rejected")})
		w.must(err)
		_, err = w.s.ProposePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID})
		w.must(err)
		v, err = w.s.ApprovePolicy(w.Context(), ana, service.PolicyChange{ID: v.ID})
		w.must(err)
		if v.State != publication.Live {
			w.Errorf("got %s", v.State)
		}
		_, err = w.s.SetRiskSettings(w.Context(), w.tenant.ID, service.PolicySettings{Budget: publication.Budget{Limit: time.Minute}})
		refused(w, err, problem.Invalid, "out_of_range")
	})
}

func TestVersionsAreComparedByMeaning(t *testing.T) {
	on(t, func(w *world) {
		ana, _ := w.analysts()
		first, second := w.publish(small("1", "approved")), w.publish(strings.Replace(small("2", "approved"), "100.00", "80.00", 1))
		diff, err := w.s.ComparePolicies(w.Context(), w.key, first.ID, second.ID)
		w.must(err)
		var lines []string
		for _, change := range diff.Changes {
			lines = append(lines, change.String())
		}
		if got, want := strings.Join(lines, "\n"), "policy: version 1 → 2\nthreshold large: value 100.00 → 80.00"; got != want {
			w.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if !strings.Contains(diff.Text, "-  - {name: large, value: 100.00") || !strings.Contains(diff.Text, "+  - {name: large, value: 80.00") {
			w.Errorf("got %s", diff.Text)
		}
		_, err = w.s.ComparePolicies(w.Context(), ana, "", second.ID)
		w.must(err)
		_, err = w.s.ComparePolicies(w.Context(), ana, "pol_none", second.ID)
		refused(w, err, problem.NotFound, "not_found")
	})
}

func TestAnotherTenantSeesNoneOfIt(t *testing.T) {
	on(t, func(w *world) {
		v := w.publish(small("1", "rejected"))
		tenant, err := w.s.CreateTenant(w.Context(), policyWithoutConnector())
		w.must(err)
		other := w.newKey(tenant.ID)
		_, err = w.s.PolicyVersion(w.Context(), other, v.ID)
		refused(w, err, problem.NotFound, "not_found")
		versions, _, err := w.s.PolicyVersions(w.Context(), other, "", store.Page{})
		if err != nil || len(versions) > 0 {
			w.Errorf("got %v %v", versions, err)
		}
		live, err := w.s.LivePolicy(w.Context(), other)
		if err != nil || live.Version.Number != 0 || live.Version.Text == "" {
			w.Errorf("got %+v %v", live.Version, err)
		}
	})
}

// TestANewServiceOnTheSameDatabaseDecidesByTheSamePolicy is what a second node, or the next start, does.
func TestANewServiceOnTheSameDatabaseDecidesByTheSamePolicy(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		w.publish(small("1", "rejected"))
		first := w.s
		w.rebuild()
		if got := w.pay(p.attempt(dollars(150))).Payment.PolicyID; got != "small" {
			w.Errorf("got %s, want the policy that another node published", got)
		}
		// What the second node publishes, the first decides by.
		q := w.person()
		w.publish(small("2", "approved"))
		view, err := first.AuthorizePayment(w.Context(), w.key, q.attempt(dollars(150)))
		w.must(err)
		if view.Payment.PolicyVersion != "2" {
			w.Errorf("got version %s, want the one just published", view.Payment.PolicyVersion)
		}
	})
}

func TestATenantHasAHundredDraftsAtMostAndListsThemWithoutTheirTexts(t *testing.T) {
	on(t, func(w *world) {
		var last publication.Version
		for range publication.MaxDrafts {
			var err error
			last, err = w.s.DraftPolicy(w.Context(), w.key, service.PolicyDraft{Text: small("1", "approved")})
			w.must(err)
		}
		_, err := w.s.DraftPolicy(w.Context(), w.key, service.PolicyDraft{Text: small("1", "approved")})
		refused(w, err, problem.Conflict, "too_many_drafts")
		_, err = w.s.WithdrawPolicy(w.Context(), w.key, service.PolicyChange{ID: last.ID})
		w.must(err)
		_, err = w.s.DraftPolicy(w.Context(), w.key, service.PolicyDraft{Text: small("1", "approved")})
		w.must(err)
		listed, _, err := w.s.PolicyVersions(w.Context(), w.key, publication.Draft, store.Page{Limit: 5})
		w.must(err)
		if len(listed) != 5 || listed[0].Text != "" || listed[0].Digest != last.Digest {
			w.Errorf("got %d versions, the first with %d bytes of text", len(listed), len(listed[0].Text))
		}
	})
}

func TestTheOperatorChangesOneSettingAndTheJournalKeepsBothValues(t *testing.T) {
	on(t, func(w *world) {
		_, err := w.s.SetRiskSettings(w.Context(), w.tenant.ID, service.PolicySettings{OnePerson: true, Budget: publication.Budget{Limit: 20 * time.Millisecond}})
		w.must(err)
		saved, err := w.s.ChangeRiskSettings(w.Context(), w.tenant.ID, func(settings *service.PolicySettings) { settings.Budget.Limit = 5 * time.Millisecond })
		w.must(err)
		if !saved.OnePerson || saved.Budget.Limit != 5*time.Millisecond {
			w.Errorf("got %+v, want one person still enough", saved)
		}
		entries := w.entries()
		got := entries[len(entries)-1].Data
		if got["budget_from"] != "20ms" || got["budget_to"] != "5ms" || got["one_person_from"] != "" {
			w.Errorf("got %v", got)
		}
	})
}
