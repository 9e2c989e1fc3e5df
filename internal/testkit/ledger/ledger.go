// Package ledger checks a decision log against itself: whether every payment of an account was decided on exactly what the log had of the
// account before it. That is what one decision after another gives, so it holds however many were made at once, on however many nodes.
package ledger

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
)

// Account is what the log has of an account.
type Account struct {
	Approved, Rejected, Held int
	Entries                  []payment.Payment // in the order of the log, without how they were paid
}

// Check decides every payment of the account again, from a profile that is folded from the log before it, and fails the test where the
// stored facts are others, or the policy gives another outcome. The account must have no lessons, grants, findings and lists.
func Check(t testing.TB, records *store.Store, policy *risk.Policy, tenantID, accountID string) Account {
	t.Helper()
	series, err := risk.Maintain(policy)
	if err != nil {
		t.Fatalf("maintain: %v", err)
	}
	var out Account
	var past []*store.LogEntry
	err = records.Read(context.WithoutCancel(t.Context()), func(_ context.Context, tx *store.Tx) error {
		past, out.Entries = nil, nil
		if err := tx.Past(tenantID, accountID, 0, func(e *store.LogEntry) error {
			past = append(past, e)
			return nil
		}); err != nil {
			return err
		}
		for _, e := range past {
			p, err := tx.Payment(tenantID, e.ID)
			if err != nil {
				return err
			}
			out.Entries = append(out.Entries, p)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the log: %v", err)
	}
	var profile history.Profile
	for i, p := range out.Entries {
		asked := paid(past[i])
		if len(p.Facts) > 0 {
			facts := risk.FactsFor(policy, risk.Sources{Set: series, Profile: &profile}, &asked)
			stored, err := risk.DecodeFacts(policy, &asked, p.Facts)
			if err != nil {
				t.Fatalf("facts of a payment: %v", err)
			}
			if why := differ(policy, facts, stored); why != "" {
				t.Errorf("payment %d of %d of an account was decided on other facts than the log gives: %s", i+1, len(out.Entries), why)
			}
			if got := risk.Decide(policy, stored).Outcome; string(got) != string(p.Outcome) {
				t.Errorf("payment %d of %d of an account is %s, and its facts give %s", i+1, len(out.Entries), p.Outcome, got)
			}
			asked = facts.Payment
		}
		entry := history.Entry{Payment: asked}
		switch p.Outcome {
		case payment.Approved:
			entry.Outcome = history.Approved
			out.Approved++
		case payment.Rejected:
			entry.Outcome = history.Rejected
			out.Rejected++
		case payment.Review:
			entry.Outcome = history.Review
			out.Held++
		default:
			t.Errorf("payment %d of %d of an account has no outcome", i+1, len(out.Entries))
		}
		entry.Payment.AmountReference, entry.Payment.AmountKnown = policy.ReferenceAmount(asked.AmountMinor, asked.Currency)
		profile.Fold(series, &entry)
	}
	return out
}

// differ says what the facts have otherwise that comes from the account alone; other entities are folded behind the answer.
func differ(policy *risk.Policy, got, want *risk.Facts) string {
	if !reflect.DeepEqual(got.History, want.History) {
		return fmt.Sprintf("history %+v, not %+v", got.History, want.History)
	}
	for i, a := range policy.Aggregates {
		if slices.Contains(a.Definition.Entity, history.Account) && got.Aggregates[i] != want.Aggregates[i] {
			return fmt.Sprintf("%s %v, not %v", a.Name, got.Aggregates[i], want.Aggregates[i])
		}
	}
	return ""
}

func paid(e *store.LogEntry) history.Payment {
	a := e.Attempt
	return history.Payment{
		ID: e.ID, AccountID: a.AccountID, AmountMinor: a.Amount.AmountMinor, Currency: a.Amount.Currency,
		Place: history.Place{Country: a.Location.Country, Region: a.Location.Region, City: a.Location.City}, IP: a.IP, DeviceID: a.DeviceID,
		Method: history.Method{ID: a.PaymentMethodID, Fingerprint: e.Fingerprint}, MethodKind: string(e.MethodKind), Merchant: a.Merchant,
		OccurredAt: a.OccurredAt,
	}
}
