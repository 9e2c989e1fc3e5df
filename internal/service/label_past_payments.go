package service

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// PastLabel is what turned out about a past payment.
type PastLabel struct {
	PaymentID string // ours, as ImportPayments returned it
	Fraud     bool
	KnownAt   time.Time // when the tenant learned of it; zero means now
}

// AccountIDs returns our ids of the tenant's accounts by the tenant's own; what nobody has is not among them.
func (s *Service) AccountIDs(ctx context.Context, actor access.Actor, externalIDs []string) (map[string]string, error) {
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, err
	}
	var known []string
	for _, externalID := range externalIDs {
		if store.CheckStorable(externalID) == nil {
			known = append(known, externalID)
		}
	}
	var found map[string]string
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		found, err = tx.AccountIDs(actor.TenantID, known)
		return err
	})
	return found, err
}

// LabelPastPayments stores what turned out about past payments, in one transaction. The same again changes nothing. It returns an error
// for each label, nil when it is stored; the last error is about the whole call: nothing was stored.
func (s *Service) LabelPastPayments(ctx context.Context, actor access.Actor, labels []PastLabel) ([]error, error) {
	if err := actor.Require(access.ReportOutcomes); err != nil {
		return nil, err
	}
	if len(labels) == 0 {
		return nil, nil
	}
	var refused []error
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		refused, err = s.labelPastPayments(tx, actor, labels)
		return err
	})
	if err != nil {
		return nil, s.notStored(ctx, len(labels), err)
	}
	return refused, nil
}

func (s *Service) labelPastPayments(tx *store.Tx, actor access.Actor, labels []PastLabel) ([]error, error) {
	refused := make([]error, len(labels))
	logged, err := holdLabelled(tx, actor.TenantID, labels)
	if err != nil {
		return nil, err
	}
	findings, err := tx.FindingsOfPayments(logged)
	if err != nil {
		return nil, err
	}
	live, err := s.livePolicy(tx, actor.TenantID)
	if err != nil {
		return nil, err
	}
	var learned []payment.Finding
	var drafts []journal.Draft
	teach := map[string][]history.Label{} // by account
	for i, label := range labels {
		e := logged[label.PaymentID]
		if e == nil {
			refused[i] = problem.Missing("payment")
			continue
		}
		before := findings[e.ID]
		finding, entries, isNew, err := e.Learn(id.New(id.Finding, tx.Now()), label.report(), before, actor.ID, tx.Now())
		if refused[i] = err; err != nil || !isNew {
			continue
		}
		learned, drafts = append(learned, finding), append(drafts, entries...)
		findings[e.ID] = append(before, finding)
		entry := entryOf(live.Policy, e)
		entry.Outcome = outcomeOf(e.Effective(before))
		if lesson, changed := labelOf(entry, payment.VerdictOf(before), payment.VerdictOf(findings[e.ID]), finding.KnownAt); changed {
			teach[e.Attempt.AccountID] = append(teach[e.Attempt.AccountID], lesson)
		}
	}
	if err := tx.InsertFindings(actor, learned, drafts); err != nil {
		return nil, err
	}
	for _, accountID := range slices.Sorted(maps.Keys(teach)) {
		if err := s.changeProfile(tx, actor.TenantID, accountID, func(series *history.SeriesSet, profile *history.Profile) {
			for _, lesson := range teach[accountID] {
				profile.FoldLabel(series, &lesson)
			}
		}); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

func (l PastLabel) report() payment.Report {
	kind := payment.LegitimateConfirmed
	if l.Fraud {
		kind = payment.FraudConfirmed
	}
	return payment.Report{Kind: kind, At: l.KnownAt, KnownAt: l.KnownAt}
}

// holdLabelled reads the payments and locks their accounts, in the order in which everybody locks them. A payment never changes, so it may
// be read first.
func holdLabelled(tx *store.Tx, tenantID string, labels []PastLabel) (map[string]*store.LogEntry, error) {
	ids := make([]string, len(labels))
	for i, label := range labels {
		ids[i] = label.PaymentID
	}
	logged, err := tx.LoggedPayments(tenantID, ids)
	if err != nil {
		return nil, err
	}
	var asked []store.Asked
	methods := map[string]payment.Method{}
	for _, e := range logged {
		a := &e.Attempt
		asked = append(asked, store.Asked{AccountKey: store.AccountKey{TenantID: tenantID, AccountID: a.AccountID}})
		if a.PaymentMethodID == "" {
			continue
		}
		method, known := methods[a.PaymentMethodID]
		if !known {
			if method, err = tx.PaymentMethod(tenantID, a.AccountID, a.PaymentMethodID); err != nil && !problem.Is(err, problem.NotFound) {
				return nil, err
			}
			methods[a.PaymentMethodID] = method
		}
		e.MethodKind, e.Fingerprint = method.Kind, method.Fingerprint
	}
	_, _, err = tx.HoldAccounts(asked)
	return logged, err
}
