package service

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// MaxPastPayments bounds the past payments of one call: they become one transaction.
const MaxPastPayments = 5000

// PastPayment is a payment that was decided elsewhere, before. It teaches profiles, and is not decided again.
type PastPayment struct {
	ExternalID string          // the tenant's own id of the payment: what was brought in before is not brought in twice
	Attempt    payment.Attempt // OccurredAt is required, and may lie any time back; what is too old for a profile teaches nothing
	Outcome    payment.Outcome // approved or rejected
	// MethodKind and Fingerprint say how it was paid when Attempt names no payment method of ours; both may be empty.
	MethodKind  payment.MethodKind
	Fingerprint string
}

// ImportResult is what came of one past payment.
type ImportResult struct {
	PaymentID string
	Known     bool // it was brought in before
	Err       error
}

// ImportPayments adds past payments to the decision log, in one transaction, without deciding them; profiles learn from them before the
// next decision about their account. One that is refused does not keep the others out. The error is about the whole call: nothing was added.
func (s *Service) ImportPayments(ctx context.Context, actor access.Actor, past []PastPayment) ([]ImportResult, error) {
	if err := actor.Require(access.ManageAccounts); err != nil {
		return nil, err
	}
	if len(past) > MaxPastPayments {
		return nil, problem.New(problem.TooLarge, "too_many_past_payments", "bring in at most 5000 past payments at a time")
	}
	// One after another: each is a large transaction, and on PostgreSQL one that waits for another node's would hold a connection.
	if err := s.importing.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.importing.Release(1)
	var results []ImportResult
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.HoldImports(actor.TenantID); err != nil {
			return err
		}
		var err error
		results, err = s.importPayments(tx, actor, past)
		return err
	})
	if err != nil {
		return nil, s.notStored(ctx, len(past), err)
	}
	s.warmLater(actor.TenantID, past, results)
	s.analyzeAfter(ctx, results)
	return results, nil
}

func (s *Service) importPayments(tx *store.Tx, actor access.Actor, past []PastPayment) ([]ImportResult, error) {
	results := make([]ImportResult, len(past))
	entries := make([]*store.LogEntry, len(past)) // nil for what is refused
	var asked []store.Asked
	var keys [][]byte
	for i, p := range past {
		if results[i].Err = checkPast(p, tx.Now()); results[i].Err != nil {
			continue
		}
		var err error
		if entries[i], err = pastEntry(actor.TenantID, p, tx.Now()); err != nil {
			return nil, err
		}
		asked = append(asked, askedFor(entries[i]))
		keys = append(keys, entries[i].KeyHash)
	}
	accounts, methods, err := tx.HoldAccounts(asked)
	if err != nil {
		return nil, err
	}
	known, err := tx.Repeated(keys, s.Clock.Wall())
	if err != nil {
		return nil, err
	}
	var fresh []*store.LogEntry
	for i, e := range entries {
		if e == nil {
			continue
		}
		ask := askedFor(e)
		before, found := known[[hashSize]byte(e.KeyHash)]
		switch {
		case found && bytes.Equal(before.BodyHash, e.BodyHash):
			results[i] = ImportResult{PaymentID: before.ID, Known: true}
		case found:
			results[i].Err = problem.Field("external_id", "external_id_reused", "another payment was brought in under this external_id; give each payment its own")
		case !accounts[ask.AccountKey]:
			results[i].Err = withField(problem.Missing("account"), "account_id")
		case ask.MethodID != "" && !methods[ask]:
			results[i].Err = withField(problem.Missing("payment method"), "payment_method_id")
		default:
			results[i].PaymentID = e.ID
			known[[hashSize]byte(e.KeyHash)] = *e
			fresh = append(fresh, e)
		}
	}
	return results, tx.AppendPayments(fresh)
}

func askedFor(e *store.LogEntry) store.Asked {
	return store.Asked{AccountKey: store.AccountKey{TenantID: e.TenantID, AccountID: e.Attempt.AccountID}, MethodID: e.Attempt.PaymentMethodID}
}

func checkPast(p PastPayment, now time.Time) error {
	a := p.Attempt
	if p.ExternalID == "" {
		return problem.Field("external_id", "required", "external_id is required: your own id of the payment, so that it is brought in once")
	}
	if err := account.CheckText("external_id", p.ExternalID, 200); err != nil {
		return err
	}
	if a.OccurredAt.IsZero() {
		return problem.Field("occurred_at", "required", "occurred_at is required: when the payment was made")
	}
	if a.OccurredAt.After(now.Add(payment.MaxFuture)) || a.OccurredAt.Before(time.Unix(0, 0)) {
		return problem.Field("occurred_at", "occurred_at_out_of_range", "occurred_at of a past payment lies between 1970 and now")
	}
	if p.Outcome != payment.Approved && p.Outcome != payment.Rejected {
		return problem.Field("outcome", "outcome_unknown", "outcome of a past payment must be approved or rejected")
	}
	if a.PaymentMethodID != "" && (p.MethodKind != "" || p.Fingerprint != "") {
		return problem.Field("payment_method_id", "method_given_twice", "give payment_method_id, or method_kind and fingerprint, not both")
	}
	if p.MethodKind != "" && !p.MethodKind.Valid() {
		return problem.Field("method_kind", "kind_unknown", "method_kind must be card, bank_account or wallet")
	}
	if err := account.CheckText("fingerprint", p.Fingerprint, 128); err != nil {
		return err
	}
	if err := store.CheckStorable(a.AccountID, a.PaymentMethodID); err != nil {
		return err
	}
	a.OccurredAt = time.Time{} // a past payment may be older than one that is decided
	if a.Amount.AmountMinor == 0 {
		a.Amount.AmountMinor = 1 // checks of a card are part of its history
	}
	return a.Check(now)
}

// pastEntry is a past payment as the log keeps it.
func pastEntry(tenantID string, p PastPayment, now time.Time) (*store.LogEntry, error) {
	p.Attempt.OccurredAt = p.Attempt.OccurredAt.UTC().Truncate(time.Microsecond)
	a := p.Attempt
	body, err := json.Marshal(p)
	return &store.LogEntry{
		Payment: payment.Payment{
			ID: id.New(id.Payment, a.OccurredAt), TenantID: tenantID, Attempt: a, Source: payment.FromHistory, MethodKind: p.MethodKind,
			Fingerprint: p.Fingerprint, Outcome: p.Outcome, CreatedAt: now,
		},
		KeyHash:  pastKey(tenantID, p.ExternalID),
		BodyHash: hashed(string(body)),
	}, err
}

// pastKey stands for a tenant's own id of a past payment in the log.
func pastKey(tenantID, externalID string) []byte {
	return hashed("past\x00" + tenantID + "\x00" + externalID)
}

// PastPaymentID returns our id of a past payment by the tenant's own.
func (s *Service) PastPaymentID(ctx context.Context, actor access.Actor, externalID string) (string, error) {
	if err := actor.Require(access.ReadTenant); err != nil {
		return "", err
	}
	key := pastKey(actor.TenantID, externalID)
	var found string
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		known, err := tx.Repeated([][]byte{key}, s.Clock.Wall())
		if err != nil {
			return err
		}
		if found = known[[hashSize]byte(key)].ID; found == "" {
			return problem.Missing("past payment")
		}
		return nil
	})
	return found, err
}
