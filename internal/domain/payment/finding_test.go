package payment

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/statedoc"
)

var decidedAt = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func paid(outcome Outcome) Payment {
	return Payment{ID: "pay_1", TenantID: "ten_1", Attempt: Attempt{AccountID: "acct_1", OccurredAt: decidedAt}, Outcome: outcome, CreatedAt: decidedAt}
}

func found(kinds ...FindingKind) []Finding {
	var all []Finding
	for _, kind := range kinds {
		all = append(all, Finding{Kind: kind, OccurredAt: decidedAt})
	}
	return all
}

func TestTheVerdictIsTheLatestThatSaysAnything(t *testing.T) {
	for _, c := range []struct {
		name  string
		kinds []FindingKind
		want  Verdict
	}{
		{"nothing is known at first", nil, Unknown},
		{"settlement says nothing", []FindingKind{Settled}, Unknown},
		{"a chargeback counts as fraud", []FindingKind{Settled, Chargeback}, Fraud},
		{"a refund after it changes nothing", []FindingKind{Chargeback, Refunded}, Fraud},
		{"a later confirmation supersedes", []FindingKind{Chargeback, LegitimateConfirmed}, Legitimate},
		{"and may be superseded itself", []FindingKind{LegitimateConfirmed, FraudConfirmed}, Fraud},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := VerdictOf(found(c.kinds...)); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestFraudIsKnownSinceTheFindingThatMadeItSo(t *testing.T) {
	for _, c := range []struct {
		name  string
		kinds []FindingKind
		want  int // which finding; 0 for none
	}{
		{"nothing is known at first", nil, 0},
		{"settlement says nothing", []FindingKind{Settled}, 0},
		{"a chargeback is news", []FindingKind{Settled, Chargeback}, 2},
		{"settlement after it is not about fraud", []FindingKind{FraudConfirmed, Settled}, 1},
		{"a confirmation is no news", []FindingKind{Chargeback, FraudConfirmed}, 1},
		{"what is legitimate is no fraud", []FindingKind{Chargeback, LegitimateConfirmed}, 0},
		{"a changed mind is news", []FindingKind{Chargeback, LegitimateConfirmed, Refunded, FraudConfirmed, Settled}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			findings := found(c.kinds...)
			for i := range findings {
				findings[i].KnownAt = decidedAt.Add(time.Duration(i+1) * time.Hour)
			}
			want := time.Time{}
			if c.want > 0 {
				want = findings[c.want-1].KnownAt
			}
			if got := FraudSince(findings); !got.Equal(want) || got.IsZero() == (VerdictOf(findings) == Fraud) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestReports(t *testing.T) {
	later := decidedAt.Add(time.Hour)
	for _, c := range []struct {
		name   string
		of     Outcome
		before []FindingKind
		report Report
		code   string
		isNew  bool
	}{
		{"an approved payment settles", Approved, nil, Report{Kind: Settled}, "", true},
		{"the same report again is no news", Approved, []FindingKind{Settled}, Report{Kind: Settled}, "", false},
		{"the same report of another time is", Approved, []FindingKind{Settled}, Report{Kind: Settled, At: later}, "", true},
		{"a report supersedes another", Approved, []FindingKind{Settled}, Report{Kind: Chargeback}, "", true},
		{"a rejected payment does not settle", Rejected, nil, Report{Kind: Settled}, "payment_not_approved", false},
		{"a held payment is not charged back", Review, nil, Report{Kind: Chargeback}, "payment_not_approved", false},
		{"one that a person approved is", Review, []FindingKind{ReviewApproved}, Report{Kind: Chargeback}, "", true},
		{"a rejected payment may turn out to be fraud", Rejected, nil, Report{Kind: FraudConfirmed}, "", true},
		{"a review is not reported", Approved, nil, Report{Kind: ReviewApproved}, "outcome_unknown", false},
		{"nothing is reported from tomorrow", Approved, nil, Report{Kind: Settled, At: later.Add(48 * time.Hour)}, "at_out_of_range", false},
		{"nothing is reported from before the payment", Approved, nil, Report{Kind: Settled, At: decidedAt.Add(-time.Hour)}, "at_out_of_range", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, drafts, isNew, err := paid(c.of).Learn("fnd_1", c.report, found(c.before...), "key_1", later)
			if c.code != "" {
				if p := problem.As(err); p == nil || p.Code != c.code {
					t.Errorf("got %v, want %s", err, c.code)
				}
				return
			}
			if err != nil || isNew != c.isNew || (isNew && (len(drafts) != 1 || drafts[0].Type != journal.PaymentOutcome)) {
				t.Fatalf("got %+v %v %v", drafts, isNew, err)
			}
			if isNew && (f.KnownAt != later || f.Kind != c.report.Kind) {
				t.Errorf("got %+v, known when we were told", f)
			}
		})
	}
}

func TestAHeldPaymentIsDecidedOnce(t *testing.T) {
	held := paid(Review)
	for approve, want := range map[bool]Outcome{true: Approved, false: Rejected} {
		f, _, err := held.Resolve("fnd_1", Resolution{Approve: approve, CaseID: "case_1", By: "stf_1"}, nil, decidedAt)
		if err != nil || held.Effective([]Finding{f}) != want {
			t.Errorf("got %s %v, want %s", held.Effective([]Finding{f}), err, want)
		}
		if _, _, err := held.Resolve("fnd_2", Resolution{}, []Finding{f}, decidedAt); problem.As(err) == nil {
			t.Error("a held payment was decided twice")
		}
	}
	if _, _, err := paid(Approved).Resolve("fnd_1", Resolution{}, nil, decidedAt); problem.As(err) == nil {
		t.Error("a payment was decided that nobody held")
	}
	if got := held.Effective(nil); got != Review {
		t.Errorf("got %s, want review while nobody decided", got)
	}
}

func TestThePaymentPageIsWhatTheCodeDoes(t *testing.T) {
	page := statedoc.Read(t, "payment")
	var seen []string
	for _, from := range []Outcome{Approved, Review, Rejected} {
		for _, approve := range []bool{true, false} {
			f, drafts, err := paid(from).Resolve("fnd_1", Resolution{Approve: approve}, nil, decidedAt)
			if err == nil {
				seen = append(seen, statedoc.Seen(string(from), string(paid(from).Effective([]Finding{f})), "Resolve", string(drafts[0].Type)))
			}
		}
	}
	if got, want := statedoc.Sorted(seen), page.Built(); !slices.Equal(got, want) {
		t.Errorf("the code does\n%s\nthe page says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
