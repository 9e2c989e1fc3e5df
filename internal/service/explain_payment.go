package service

import (
	"context"
	"errors"
	"slices"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/problem"
)

// Unexplained says why a payment has no explanation by rules. Empty means that it has one.
type Unexplained string

// Why a payment is not explained by rules.
const (
	NotAsked  Unexplained = "not_asked"  // the policy was not asked: the account was restricted, or the payment was decided elsewhere
	TextGone  Unexplained = "text_gone"  // the text of the policy that decided is not stored here
	FactsGone Unexplained = "facts_gone" // the facts cannot be read by the policy of that name as it stands here
)

// PaymentExplanation is why a payment was decided as it was. It holds values of the payment: show it only to those who may see them.
type PaymentExplanation struct {
	PaymentView
	Version     publication.Version // that decided; number 0 for a policy that ships, and when it is not known
	Policy      *risk.Policy        // nil when Unexplained
	Facts       *risk.Facts         // nil when Unexplained
	Explanation *risk.Explanation   // nil when Unexplained
	Unexplained Unexplained
}

// PaymentReplay is what deciding a payment again gave.
type PaymentReplay struct {
	PaymentExplanation
	Same bool // the outcome and its reasons are those that are stored
	// Folded is how many payments of the account were folded again, up to the one before this. Differing names the facts about the account that
	// this gives otherwise than stored, such as history.spending.count: none, unless records were changed or payments came in from the
	// past since.
	Folded    int
	Differing []string
}

// ExplainPayment decides a payment again from the facts that are stored with it, by the policy that decided it, and says what made each
// rule true or false. It takes milliseconds: it is for people.
func (s *Service) ExplainPayment(ctx context.Context, actor access.Actor, paymentID string) (PaymentExplanation, error) {
	var out PaymentExplanation
	if err := actor.Require(access.ReadTenant); err != nil {
		return out, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		out, _, err = s.explainPayment(tx, actor.TenantID, paymentID)
		return err
	})
	return out, err
}

// ReplayPayment explains a payment and proves it: the same policy and facts give the stored outcome and reasons, and folding what is stored of the account up
// to the payment gives the stored facts about the account again. Facts about other entities (merchants, devices, addresses) follow the log
// with a lag, so they are taken as stored.
func (s *Service) ReplayPayment(ctx context.Context, actor access.Actor, paymentID string) (PaymentReplay, error) {
	var out PaymentReplay
	if err := actor.Require(access.ReadTenant); err != nil {
		return out, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		explained, asked, err := s.explainPayment(tx, actor.TenantID, paymentID)
		out.PaymentExplanation = explained
		if err != nil || explained.Unexplained != "" {
			return err
		}
		out.Same = sameDecision(explained)
		return s.foldAgain(tx, &out, asked)
	})
	return out, err
}

// explainPayment also returns the payment as the engine was asked about it.
func (s *Service) explainPayment(tx *store.Tx, tenantID, paymentID string) (PaymentExplanation, history.Payment, error) {
	var out PaymentExplanation
	var asked history.Payment
	var err error
	if out.PaymentView, err = s.paymentView(tx, tenantID, paymentID); err != nil {
		return out, asked, err
	}
	p := out.Payment
	if p.Source == payment.FromHistory || len(p.Facts) == 0 {
		out.Unexplained = NotAsked
		return out, asked, nil
	}
	method := payment.Method{ID: p.Attempt.PaymentMethodID, Kind: p.MethodKind, Fingerprint: p.Fingerprint}
	if method.ID != "" {
		if method, err = tx.PaymentMethod(tenantID, p.Attempt.AccountID, method.ID); err != nil {
			return out, asked, err
		}
	}
	policy, _, err := s.policyNamed(tx, tenantID, p.PolicyID, p.PolicyVersion)
	switch {
	case problem.Is(err, problem.NotFound), errors.Is(err, errStoredPolicy):
		out.Unexplained = TextGone
		return out, asked, nil
	case err != nil:
		return out, asked, err
	}
	if out.Version, _, err = tx.PolicyByName(tenantID, p.PolicyID, p.PolicyVersion); err != nil {
		return out, asked, err
	}
	asked = historyPayment(p.ID, p.Attempt, method)
	facts, err := risk.DecodeFacts(policy, &asked, p.Facts)
	if errors.Is(err, risk.ErrFacts) {
		out.Unexplained = FactsGone
		return out, asked, nil
	}
	if err != nil {
		return out, asked, err
	}
	explanation, err := risk.Explain(policy, facts)
	if err != nil {
		return out, asked, err
	}
	out.Policy, out.Facts, out.Explanation = policy, facts, explanation
	return out, asked, nil
}

// sameDecision compares what was decided again with what is stored. A payment that used a retry grant passed whatever the policy said.
func sameDecision(e PaymentExplanation) bool {
	if e.Payment.GrantID != "" {
		return e.Payment.Outcome == payment.Approved
	}
	decision := &e.Explanation.Decision
	return string(decision.Outcome) == string(e.Payment.Outcome) && payment.Codes(reasonsOf(*decision)) == payment.Codes(e.Payment.Reasons)
}

// foldAgain folds the account's log up to the payment, as it was known then, and compares the facts about the account.
func (s *Service) foldAgain(tx *store.Tx, out *PaymentReplay, asked history.Payment) error {
	p := out.Payment
	set, err := risk.Maintain(out.Policy)
	if err != nil {
		return err
	}
	found, err := tx.FindingsOfAccount(p.TenantID, p.Attempt.AccountID)
	if err != nil {
		return err
	}
	// What was learned since was not known then.
	found = slices.DeleteFunc(found, func(f payment.Finding) bool { return f.KnownAt.After(p.CreatedAt) })
	findings := map[string][]payment.Finding{}
	for _, f := range found {
		findings[f.PaymentID] = append(findings[f.PaymentID], f)
	}
	var profile history.Profile
	reached := false
	err = tx.Past(p.TenantID, p.Attempt.AccountID, 0, func(e *store.LogEntry) error {
		if reached = reached || e.ID == p.ID; reached {
			return nil
		}
		out.Folded++
		foldKnown(out.Policy, set, &profile, e, findings[e.ID])
		return nil
	})
	if err != nil {
		return err
	}
	lessons, err := s.lessonsOf(tx, p.TenantID, p.Attempt.AccountID)
	if err != nil {
		return err
	}
	for _, lesson := range lessons {
		if !lesson.At.After(p.CreatedAt) {
			profile.Learn(lesson)
		}
	}
	again := risk.FactsFor(out.Policy, risk.Sources{Set: set, Profile: &profile}, &asked)
	out.Differing = differing(out.Policy, out.Facts, again)
	return nil
}

// differing names the facts about the account that two sets of facts say otherwise.
func differing(policy *risk.Policy, stored, again *risk.Facts) []string {
	var out []string
	for _, fact := range []struct {
		name string
		same bool
	}{
		{"history.approved_payments", stored.History.ApprovedPayments == again.History.ApprovedPayments},
		{"history.established", stored.History.Established == again.History.Established},
		{"history.place_known", stored.History.PlaceKnown == again.History.PlaceKnown},
		{"history.device_known", stored.History.DeviceKnown == again.History.DeviceKnown},
		{"history.method_known", stored.History.MethodKnown == again.History.MethodKnown},
		{"history.seconds_since_elsewhere", stored.History.SinceElsewhere == again.History.SinceElsewhere},
		{"history.spending", stored.History.Spending == again.History.Spending},
	} {
		if !fact.same {
			out = append(out, fact.name)
		}
	}
	for i := range policy.Aggregates {
		a := &policy.Aggregates[i]
		ofAccount := slices.Contains(a.Definition.Entity, history.Account)
		if ofAccount && i < len(stored.Aggregates) && stored.Aggregates[i] != again.Aggregates[i] {
			out = append(out, "aggregate."+a.Name)
		}
	}
	return out
}
