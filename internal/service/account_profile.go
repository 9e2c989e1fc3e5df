package service

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/domain/verification"
)

// changeProfile lets do change an account's profile, which holds everything that the log has of the account by then, and stores it.
// Callers hold the account's lock, and have stored what do tells of: a profile that has to be made anew is made from that too, and do is
// not called. Where much would have to be folded, that is left for later: others wait for this transaction.
func (s *Service) changeProfile(tx *store.Tx, tenantID, accountID string, do func(series *history.SeriesSet, profile *history.Profile)) error {
	live, err := s.livePolicy(tx, tenantID)
	if err != nil {
		return err
	}
	raw, seq, err := tx.Profile(tenantID, accountID)
	if err != nil {
		return err
	}
	var profile history.Profile
	anew := profile.Decode(raw) != nil || profile.Lacks(live.Series)
	if anew {
		seq = 0
	}
	if long, err := tx.HasLongPast(tenantID, accountID, seq); err != nil || long {
		if err == nil {
			err = tx.SaveProfile(tenantID, accountID, 0, []byte(history.Unfolded))
			tx.AfterCommit(func() { s.warm.add(store.AccountKey{TenantID: tenantID, AccountID: accountID}) })
		}
		return err
	}
	if anew {
		profile = history.Profile{}
		if seq, err = s.foldAll(tx, live, tenantID, accountID, &profile); err != nil {
			return err
		}
		return tx.SaveProfile(tenantID, accountID, seq, profile.AppendBinary(nil))
	}
	if err := tx.Past(tenantID, accountID, seq, func(e *store.LogEntry) error {
		entry := entryOf(live.Policy, e)
		profile.Fold(live.Series, &entry)
		seq = e.Seq
		return nil
	}); err != nil {
		return err
	}
	do(live.Series, &profile)
	return tx.SaveProfile(tenantID, accountID, seq, profile.AppendBinary(nil))
}

// foldAll makes a profile anew from everything that is stored of the account: its part of the log, what was learned of its payments after
// they were decided, and the lessons of its approved verifications. It returns the sequence number of the last payment.
func (s *Service) foldAll(tx *store.Tx, live *livePolicy, tenantID, accountID string, profile *history.Profile) (last int64, err error) {
	found, err := tx.FindingsOfAccount(tenantID, accountID)
	if err != nil {
		return 0, err
	}
	findings := map[string][]payment.Finding{}
	for _, f := range found {
		findings[f.PaymentID] = append(findings[f.PaymentID], f)
	}
	err = tx.Past(tenantID, accountID, 0, func(e *store.LogEntry) error {
		last = e.Seq
		foldKnown(live.Policy, live.Series, profile, e, findings[e.ID])
		return nil
	})
	if err != nil {
		return last, err
	}
	lessons, err := s.lessonsOf(tx, tenantID, accountID)
	for _, lesson := range lessons {
		profile.Learn(lesson)
	}
	return last, err
}

// foldKnown folds one payment of the log with what was learned of it.
func foldKnown(policy *risk.Policy, set *history.SeriesSet, profile *history.Profile, e *store.LogEntry, known []payment.Finding) {
	entry := entryOf(policy, e)
	profile.Fold(set, &entry)
	if len(known) == 0 {
		return
	}
	if e.Outcome == payment.Review && e.Payment.Effective(known) == payment.Approved {
		entry.Outcome = history.ApprovedAfterReview
		profile.Fold(set, &entry)
	}
	if payment.VerdictOf(known) == payment.Fraud {
		profile.FoldLabel(set, &history.Label{
			Payment: entry.Payment, Outcome: outcomeOf(e.Payment.Effective(known)), Fraud: true, KnownAt: payment.FraudSince(known),
		})
	}
}

// maxLessons bounds the approved verifications of one account that a profile which is made anew learns from, the latest first.
const maxLessons = store.MaxLimit

// lessonsOf returns what the approved verifications of an account taught.
func (s *Service) lessonsOf(tx *store.Tx, tenantID, accountID string) ([]history.Lesson, error) {
	approved, _, err := tx.ListVerifications(tenantID, store.VerificationFilter{AccountID: accountID, Status: verification.Approved}, store.Page{Limit: maxLessons})
	if err != nil {
		return nil, err
	}
	var lessons []history.Lesson
	for _, v := range approved {
		lesson, _, err := lessonOf(tx, v)
		if err != nil {
			return nil, err
		}
		lesson.At = v.DecidedAt
		lessons = append(lessons, lesson)
	}
	return lessons, nil
}

// lessonOf is what the approval of a verification teaches, and the rejected payment that it came from, if one did.
func lessonOf(tx *store.Tx, v verification.Verification) (history.Lesson, *payment.Payment, error) {
	var lesson history.Lesson
	if v.PaymentMethodID != "" {
		method, err := tx.PaymentMethod(v.TenantID, v.AccountID, v.PaymentMethodID)
		if err != nil {
			return lesson, nil, err
		}
		lesson.Method = history.Method{ID: method.ID, Fingerprint: method.Fingerprint}
	}
	if v.PaymentID == "" {
		return lesson, nil, nil
	}
	p, err := tx.Payment(v.TenantID, v.PaymentID)
	if err != nil {
		return lesson, nil, err
	}
	lesson.Place, lesson.DeviceID = placeOf(p.Attempt.Location), p.Attempt.DeviceID
	return lesson, &p, nil
}

// entryOf is a payment of the log as history knows it. The amount in the reference currency is by the rates of the given policy.
func entryOf(policy *risk.Policy, e *store.LogEntry) history.Entry {
	method := payment.Method{ID: e.Attempt.PaymentMethodID, Kind: e.MethodKind, Fingerprint: e.Fingerprint}
	entry := history.Entry{Payment: historyPayment(e.ID, e.Attempt, method), Outcome: outcomeOf(e.Outcome)}
	entry.Payment.AmountReference, entry.Payment.AmountKnown = policy.ReferenceAmount(e.Attempt.Amount.AmountMinor, e.Attempt.Amount.Currency)
	return entry
}

func outcomeOf(outcome payment.Outcome) history.Outcome {
	switch outcome {
	case payment.Approved:
		return history.Approved
	case payment.Review:
		return history.Review
	case payment.Rejected:
		return history.Rejected
	}
	return 0
}

func placeOf(l payment.Location) history.Place {
	return history.Place{Country: l.Country, Region: l.Region, City: l.City}
}

// historyPayment is a payment as the risk engine knows it.
func historyPayment(paymentID string, a payment.Attempt, m payment.Method) history.Payment {
	return history.Payment{
		ID: paymentID, AccountID: a.AccountID, AmountMinor: a.Amount.AmountMinor, Currency: a.Amount.Currency, Place: placeOf(a.Location), IP: a.IP,
		DeviceID: a.DeviceID, Method: history.Method{ID: m.ID, Fingerprint: m.Fingerprint}, MethodKind: string(m.Kind), Merchant: a.Merchant,
		OccurredAt: a.OccurredAt,
	}
}
