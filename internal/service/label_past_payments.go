package service

import (
	"context"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
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
	refused := make([]error, len(labels))
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := holdLabelled(tx, actor.TenantID, labels); err != nil {
			return err
		}
		for i, label := range labels {
			err := s.labelPastPayment(tx, actor, label)
			if refused[i] = err; err != nil && problem.As(err) == nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.notStored(ctx, len(labels), err)
	}
	return refused, nil
}

// holdLabelled locks the accounts of all the payments, in the order in which everybody locks them.
func holdLabelled(tx *store.Tx, tenantID string, labels []PastLabel) error {
	var asked []store.Asked
	for _, label := range labels {
		p, err := tx.Payment(tenantID, label.PaymentID)
		if problem.Is(err, problem.NotFound) {
			continue // refused by itself
		}
		if err != nil {
			return err
		}
		asked = append(asked, store.Asked{AccountKey: store.AccountKey{TenantID: tenantID, AccountID: p.Attempt.AccountID}})
	}
	_, _, err := tx.HoldAccounts(asked)
	return err
}

func (s *Service) labelPastPayment(tx *store.Tx, actor access.Actor, label PastLabel) error {
	known, err := s.knownPayment(tx, actor.TenantID, label.PaymentID)
	if err != nil {
		return err
	}
	report := payment.Report{Kind: payment.LegitimateConfirmed, At: label.KnownAt, KnownAt: label.KnownAt}
	if label.Fraud {
		report.Kind = payment.FraudConfirmed
	}
	_, err = s.learnOutcome(tx, actor, known, report)
	return err
}
