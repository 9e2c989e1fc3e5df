package payment

import (
	"time"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// FindingKind is what was learned of a payment after it was decided. The zero value is invalid and never stored.
type FindingKind string

// The kinds of finding.
const (
	Settled             FindingKind = "settled"
	Refunded            FindingKind = "refunded"
	Chargeback          FindingKind = "chargeback"
	FraudConfirmed      FindingKind = "fraud_confirmed"
	LegitimateConfirmed FindingKind = "legitimate_confirmed"
	ReviewApproved      FindingKind = "review_approved" // the payment was held, and a person let it pass
	ReviewRejected      FindingKind = "review_rejected"
)

// Valid reports whether k can be stored.
func (k FindingKind) Valid() bool {
	return k.Reportable() || k == ReviewApproved || k == ReviewRejected
}

// Reportable reports whether k is an outcome that a platform or a person can report; the others come from the review of a held payment.
func (k FindingKind) Reportable() bool {
	switch k {
	case Settled, Refunded, Chargeback, FraudConfirmed, LegitimateConfirmed:
		return true
	default:
		return false
	}
}

// Verdict is what is known about a payment being fraud. The zero value means that nothing is known, which is how every payment begins.
type Verdict int8

// The verdicts.
const (
	Unknown    Verdict = 0
	Fraud      Verdict = 1
	Legitimate Verdict = 2
)

// Verdict returns what a finding says about fraud. A chargeback counts as fraud until a later finding says that it was something else: most
// are, and a fraud share that waits for certainty comes too late. Settlement and refund say nothing.
func (k FindingKind) Verdict() Verdict {
	switch k {
	case FraudConfirmed, Chargeback:
		return Fraud
	case LegitimateConfirmed:
		return Legitimate
	default:
		return Unknown
	}
}

// Finding is one thing learned of a payment after it was decided. Findings are only ever added; a later one supersedes.
type Finding struct {
	Sequence   int64 // the store's; grows
	ID         string
	TenantID   string
	AccountID  string
	PaymentID  string
	Kind       FindingKind
	OccurredAt time.Time // when it happened, as reported
	KnownAt    time.Time // when we learned of it: nothing computed for an earlier instant may see it
	CaseID     string    // of a review
	// VerificationID is that which the reviewer opened with the rejection; empty when they did not.
	VerificationID string
	Reasons        []Reason // of a review
	ReportedBy     string   // a key or a member of staff
}

// Effective returns what became of the payment: its outcome, but for a held one what its review decided. Findings are in order.
func (p Payment) Effective(findings []Finding) Outcome {
	if p.Outcome != Review {
		return p.Outcome
	}
	for _, f := range findings {
		switch f.Kind {
		case ReviewApproved:
			return Approved
		case ReviewRejected:
			return Rejected
		default:
		}
	}
	return p.Outcome
}

// VerdictOf returns what the findings, in order, say about fraud: the latest that says anything counts.
func VerdictOf(findings []Finding) Verdict {
	verdict := Unknown
	for _, f := range findings {
		if v := f.Kind.Verdict(); v != Unknown {
			verdict = v
		}
	}
	return verdict
}

// FraudSince returns when it became known that the payment is fraud, by the finding that made it so and not by those that agree; zero when
// the findings, in order, do not say so.
func FraudSince(findings []Finding) time.Time {
	var since time.Time
	verdict := Unknown
	for _, f := range findings {
		v := f.Kind.Verdict()
		switch {
		case v == Unknown:
			continue
		case v != Fraud:
			since = time.Time{}
		case verdict != Fraud:
			since = f.KnownAt
		}
		verdict = v
	}
	return since
}

// Latest returns the outcome that was reported last, and whether there is one. Findings are in order.
func Latest(findings []Finding) (Finding, bool) {
	for i := len(findings) - 1; i >= 0; i-- {
		if findings[i].Kind.Reportable() {
			return findings[i], true
		}
	}
	return Finding{}, false
}

// Report is an outcome that is told of a payment.
type Report struct {
	Kind FindingKind
	At   time.Time // when it happened; zero means now
	// KnownAt is when the tenant learned of it, of a payment that was brought in from the past; zero means now.
	KnownAt time.Time
}

// Learn returns the finding of a report, or false when it repeats what was reported last. Findings are in order.
func (p Payment) Learn(id string, in Report, findings []Finding, by string, now time.Time) (Finding, []journal.Draft, bool, error) {
	if !in.Kind.Reportable() {
		return Finding{}, nil, false, problem.Field("outcome", "outcome_unknown",
			"outcome must be settled, refunded, chargeback, fraud_confirmed or legitimate_confirmed")
	}
	if in.At.After(now.Add(MaxFuture)) || (!in.At.IsZero() && in.At.Before(p.Attempt.OccurredAt.Add(-MaxFuture))) {
		return Finding{}, nil, false, problem.Field("at", "at_out_of_range", "at may lie neither ahead of now nor before the payment")
	}
	if moved := in.Kind == Settled || in.Kind == Refunded || in.Kind == Chargeback; moved && p.Effective(findings) != Approved {
		return Finding{}, nil, false, problem.New(problem.Conflict, "payment_not_approved",
			"only an approved payment settles, is refunded or charged back; what is known of a rejected or held one is fraud_confirmed or legitimate_confirmed")
	}
	if last, found := Latest(findings); found && last.Kind == in.Kind && (in.At.IsZero() || in.At.Equal(last.OccurredAt)) {
		return last, nil, false, nil
	}
	f := Finding{
		ID: id, TenantID: p.TenantID, AccountID: p.Attempt.AccountID, PaymentID: p.ID, Kind: in.Kind, OccurredAt: in.At.UTC().Truncate(time.Microsecond),
		KnownAt: now, ReportedBy: by,
	}
	if in.At.IsZero() {
		f.OccurredAt = now
	}
	if p.Source == FromHistory && !in.KnownAt.IsZero() && in.KnownAt.Before(now) {
		f.KnownAt = in.KnownAt.UTC().Truncate(time.Microsecond)
	}
	return f, []journal.Draft{journal.Of(journal.PaymentOutcome, p.ID, p.Attempt.AccountID, "outcome", string(in.Kind), "finding_id", id)}, true, nil
}

// Resolution is the decision of a person on a held payment.
type Resolution struct {
	Approve        bool
	CaseID         string
	VerificationID string
	Reasons        []Reason
	By             string
}

// Resolve returns the finding that ends a held payment.
func (p Payment) Resolve(id string, in Resolution, findings []Finding, now time.Time) (Finding, []journal.Draft, error) {
	if p.Effective(findings) != Review {
		return Finding{}, nil, problem.New(problem.Conflict, "payment_not_held", "this payment does not wait for a decision")
	}
	f := Finding{
		ID: id, TenantID: p.TenantID, AccountID: p.Attempt.AccountID, PaymentID: p.ID, Kind: ReviewRejected, OccurredAt: now, KnownAt: now,
		CaseID: in.CaseID, VerificationID: in.VerificationID, Reasons: in.Reasons, ReportedBy: in.By,
	}
	entry := journal.PaymentHeldRejected
	if in.Approve {
		f.Kind, entry = ReviewApproved, journal.PaymentHeldApproved
	}
	return f, []journal.Draft{journal.Of(entry, p.ID, p.Attempt.AccountID, "case_id", in.CaseID, "reasons", Codes(in.Reasons))}, nil
}

// Codes are the codes of reasons with a space between them, as the journal keeps them.
func Codes(reasons []Reason) string {
	codes := ""
	for i, reason := range reasons {
		if i > 0 {
			codes += " "
		}
		codes += reason.Code
	}
	return codes
}
