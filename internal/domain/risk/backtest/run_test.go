package backtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
)

const policyHead = `
policy: test
version: "1"
effective_from: 2026-01-01
description: For tests.
reference: {currency: USD, decimals: 2, as_of: 2026-01-01, source: made up, rates: [{currency: EUR, decimals: 2, value: 1.00}]}
combination: {established_after_approved: 0, capped_amount: 0.00, triggers_to_reject: 2}
aggregates:
  - {name: merchant_fraud, entity: merchant, function: fraud_share, window: 30d, meaning: Confirmed frauds of the merchant.}
  - {name: account_count, entity: account, function: count, window: 30d, meaning: Payments of the account.}
rules:
`

func policyForTest(t testing.TB, rules ...string) *risk.Policy {
	t.Helper()
	var text strings.Builder
	text.WriteString(policyHead)
	for i, rule := range rules {
		fmt.Fprintf(&text, "  - {name: Rule %d, message: {en: Because.}, %s}\n", i, rule)
	}
	policy, err := risk.ParsePolicy([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// failer is what testing and rapid have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func runForTest(t failer, setup Setup, rows []Row) *Report {
	t.Helper()
	run, err := New(setup)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := run.Add(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	return run.Report()
}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func row(id, account, merchant string, minor int64, at time.Time, fraud bool) Row {
	return Row{
		Payment: history.Payment{ID: id, AccountID: account, AmountMinor: minor, Currency: "USD", Merchant: merchant, OccurredAt: at},
		Outcome: history.Approved, Labelled: true, Fraud: fraud,
	}
}

const (
	rejectLarge  = `code: large, mode: active, outcome: rejected, when: payment.amount_minor > 10000`
	reviewMedium = `code: medium, mode: active, outcome: review, when: payment.amount_minor > 5000`
	shadowSmall  = `code: small, mode: shadow, outcome: rejected, when: payment.amount_minor < 100`
	badMerchant  = `code: bad_merchant, mode: active, outcome: rejected, when: aggregate.merchant_fraud > 0.0`
)

func TestAReportByHand(t *testing.T) {
	rows := []Row{
		row("1", "a", "m", 20000, monday, true),                                                          // rejected: saved
		row("2", "b", "m", 20001, monday, false),                                                         // rejected: good blocked
		row("3", "c", "m", 6000, monday.Add(time.Hour), true),                                            // review: held
		row("4", "d", "m", 50, monday.Add(2*time.Hour), true),                                            // approved: lost; the shadow rule saw it
		row("5", "e", "m", 60, monday.Add(day), false),                                                   // approved; the shadow rule saw it too
		row("6", "f", "m", 1000, monday.Add(day), false),                                                 // approved
		row("7", "g", "m", 7000, monday.Add(day+1e9), false),                                             // review: good held
		{Payment: row("8", "h", "m", 1000, monday.Add(2*day), false).Payment, Outcome: history.Approved}, // no label: good
	}
	rows[7].Payment.Currency = "XPF" // no rate
	report := runForTest(t, Setup{Policy: policyForTest(t, rejectLarge, reviewMedium, shadowSmall), Against: policyForTest(t, rejectLarge)}, rows)

	if report.Payments != 8 || report.Labelled != 7 || report.Fraud != 3 || report.AmountUnknown != 1 || report.FraudMinor != 26050 || report.AmountMinor != 54111 {
		t.Errorf("got %+v", report)
	}
	want := Outcomes{
		Approved: OutcomeCount{Payments: 4, Fraud: 1, AmountMinor: 1110, FraudMinor: 50},
		Review:   OutcomeCount{Payments: 2, Fraud: 1, AmountMinor: 13000, FraudMinor: 6000},
		Rejected: OutcomeCount{Payments: 2, Fraud: 1, AmountMinor: 40001, FraudMinor: 20000},
	}
	if report.Outcomes != want {
		t.Errorf("got %+v, want %+v", report.Outcomes, want)
	}
	if report.SavedMinor != 20000 || report.HeldMinor != 6000 || report.LostMinor != 50 || report.GoodBlocked != 1 || report.GoodBlockedMinor != 20001 ||
		report.GoodHeld != 1 || report.GoodHeldMinor != 7000 || *report.FalsePositives != 0.4 {
		t.Errorf("got %+v", report.Result)
	}
	if *report.Stopped.Precision != 0.5 || *report.Stopped.Recall != 2.0/3 {
		t.Errorf("got %+v", report.Stopped)
	}
	large, small := report.Rules[0], report.Rules[2]
	if large.Payments != 2 || large.Fraud != 1 || *large.Precision != 0.5 || *large.Recall != 1.0/3 || large.Alone != 0 || large.FraudMinor != 20000 {
		t.Errorf("got %+v", large)
	}
	if small.Mode != "shadow" || small.Payments != 2 || small.Let != 2 || small.LetFraud != 1 || small.Alone != 2 {
		t.Errorf("got %+v", small)
	}
	if medium := report.Rules[1]; medium.Payments != 4 || medium.Alone != 2 || medium.AloneFraud != 1 {
		t.Errorf("got %+v", medium)
	}
	if got := report.Reasons; len(got) != 2 || got[0].Code != "medium" || got[0].Payments != 4 || got[1].Payments != 2 {
		t.Errorf("got %+v", got)
	}
	if got := report.Days; len(got) != 3 || got[0].Date != "2026-03-02" || got[0].Payments != 4 || got[0].Rejected != 2 || got[0].Review != 1 ||
		got[0].Fraud != 3 || got[0].FraudStopped != 2 || got[0].GoodStopped != 1 || got[0].StoppedMinor != 26000 || got[1].Review != 1 {
		t.Errorf("got %+v", got)
	}
	if len(report.Missed) != 1 || report.Missed[0].PaymentID != "4" || len(report.BlockedGood) != 2 || report.BlockedGood[0].PaymentID != "2" {
		t.Errorf("got %+v and %+v", report.Missed, report.BlockedGood)
	}
	// The old policy let the two held ones through.
	if a := report.Against; a.Changed != 2 || len(a.Moves) != 1 || a.Moves[0] != (Move{Before: "approved", After: "review", Payments: 2, Fraud: 1, FraudMinor: 6000, GoodMinor: 7000}) ||
		len(a.Differences) != 2 || a.Differences[0].PaymentID != "7" || a.Differences[1].PaymentID != "3" || !a.Differences[1].Fraud {
		t.Errorf("got %+v", a)
	}
	if _, err := json.Marshal(report); err != nil {
		t.Error(err)
	}
}

func TestALabelIsLearnedWhenItBecomesKnownAndNotEarlier(t *testing.T) {
	tests := []struct {
		name    string
		knownAt time.Time
		delay   time.Duration
		want    []string // outcomes of one payment a day from the day after the fraud on
	}{
		{"after the delay", time.Time{}, 3 * day, []string{"approved", "approved", "rejected", "rejected"}},
		{"when the label says, whatever the delay", monday.Add(2 * day), 100 * day, []string{"approved", "rejected", "rejected", "rejected"}},
		{"a moment after a payment is too late for it", monday.Add(2*day + time.Microsecond), 0, []string{"approved", "approved", "rejected", "rejected"}},
		{"at once, but not for the fraud itself", time.Time{}, 0, []string{"rejected", "rejected", "rejected", "rejected"}},
		{"never within the file", time.Time{}, 100 * day, []string{"approved", "approved", "approved", "approved"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows := []Row{row("0", "a", "m", 100, monday, true)}
			rows[0].KnownAt = test.knownAt
			for i := range test.want {
				rows = append(rows, row(fmt.Sprint(i+1), "b", "m", 100, monday.Add(time.Duration(i+1)*day), false))
			}
			report := runForTest(t, Setup{Policy: policyForTest(t, badMerchant), LabelDelay: test.delay}, rows)
			var got []string
			for _, d := range report.Days {
				if d.Rejected > 0 {
					got = append(got, "rejected")
				} else {
					got = append(got, "approved")
				}
			}
			if want := append([]string{"approved"}, test.want...); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func drawRows(t *rapid.T) []Row {
	at := monday
	var rows []Row
	for i := range rapid.IntRange(1, 80).Draw(t, "count") {
		at = at.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "hours")) * time.Hour)
		r := row(fmt.Sprint(i), fmt.Sprint("a", rapid.IntRange(0, 5).Draw(t, "account")), fmt.Sprint("m", rapid.IntRange(0, 3).Draw(t, "merchant")),
			int64(rapid.IntRange(1, 15000).Draw(t, "amount")), at, rapid.IntRange(0, 4).Draw(t, "fraud") == 0)
		if rapid.IntRange(0, 9).Draw(t, "unlabelled") == 0 {
			r.Labelled, r.Fraud = false, false
		}
		if rapid.IntRange(0, 3).Draw(t, "told") == 0 {
			r.KnownAt = at.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "told after")) * time.Hour)
		}
		rows = append(rows, r)
	}
	return rows
}

// What comes later in the stream, labels included, must not change what was decided before.
func TestNothingLaterChangesADecision(t *testing.T) {
	policy := policyForTest(t, rejectLarge, badMerchant, `code: busy, mode: active, outcome: review, when: aggregate.account_count > 3`)
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		cut := rapid.IntRange(0, len(rows)).Draw(t, "cut")
		delay := time.Duration(rapid.IntRange(0, 10).Draw(t, "delay")) * day
		decide := func(rows []Row) []kept {
			run, err := New(Setup{Policy: policy, LabelDelay: delay})
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if err := run.Add(&rows[i]); err != nil {
					t.Fatal(err)
				}
			}
			return run.tally.kept
		}
		whole := decide(rows)
		// Truths that become known only after the cut may be anything.
		changed := slices.Clone(rows[:cut])
		for i := range changed {
			known := changed[i].KnownAt
			if known.IsZero() {
				known = changed[i].Payment.OccurredAt.Add(delay)
			}
			if cut > 0 && known.After(rows[cut-1].Payment.OccurredAt) {
				changed[i].Fraud, changed[i].Labelled = !changed[i].Fraud, true
			}
		}
		for i, k := range decide(changed) {
			if k.score != whole[i].score {
				t.Fatalf("payment %d: got the score %v, and %v when more came after it", i, k.score, whole[i].score)
			}
		}
	})
}

// Everything a report counts, counted again in the plainest way.
func TestReportsAddUp(t *testing.T) {
	policy := policyForTest(t, rejectLarge, reviewMedium, shadowSmall)
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		from := monday.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "from")) * day)
		to := from.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "to")) * day)
		report := runForTest(t, Setup{Policy: policy, From: from, To: to}, rows)
		var payments, fraud, saved, goodBlocked, stopped int64
		byDay := map[string]int64{}
		for _, r := range rows {
			if r.Payment.OccurredAt.Before(from) || !r.Payment.OccurredAt.Before(to) {
				continue
			}
			payments++
			byDay[r.Payment.OccurredAt.Format(time.DateOnly)]++
			if r.Fraud {
				fraud++
			}
			if r.Payment.AmountMinor > 5000 {
				stopped++
			}
			if r.Payment.AmountMinor > 10000 && r.Fraud {
				saved += r.Payment.AmountMinor
			}
			if r.Payment.AmountMinor > 10000 && !r.Fraud {
				goodBlocked++
			}
		}
		if report.Payments != payments || report.Fraud != fraud || report.SavedMinor != saved || report.GoodBlocked != goodBlocked || report.Stopped.Payments != stopped {
			t.Fatalf("got %+v, want %d payments, %d fraud, %d saved, %d good blocked, %d stopped", report, payments, fraud, saved, goodBlocked, stopped)
		}
		for _, d := range report.Days {
			if byDay[d.Date] != d.Payments || d.Approved+d.Review+d.Rejected != d.Payments {
				t.Fatalf("got %+v, want %d payments", d, byDay[d.Date])
			}
		}
		if len(byDay) != len(report.Days) {
			t.Fatalf("got %d days, want %d", len(report.Days), len(byDay))
		}
	})
}

func TestTheProtocolLeavesOutAccountsKnownToBeCompromised(t *testing.T) {
	// Test from day 30 on, labels after 7 days: a fraud counts from day 16 (30 − 7 − 7) on, from the day after it became known.
	start := monday
	at := func(days int) time.Time { return start.Add(time.Duration(days)*day + 12*time.Hour) }
	tests := []struct {
		name      string
		fraudDay  int
		knownDay  int // 0: by the delay
		paysOnDay int
		want      int64
	}{
		{"a fraud in the week before the gap", 16, 0, 30, 0},
		{"a fraud before that week is forgotten", 15, 0, 30, 1},
		{"the last day of that week", 22, 0, 30, 0},
		{"a fraud that becomes known on the day is not known when the day begins", 23, 0, 30, 1},
		{"and is known a day later", 23, 0, 31, 0},
		{"a label that came early counts early", 29, 29, 30, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fraud := row("1", "a", "m", 100, at(test.fraudDay), true)
			if test.knownDay > 0 {
				fraud.KnownAt = at(test.knownDay)
			}
			rows := []Row{fraud, row("2", "a", "m", 100, at(test.paysOnDay), false)}
			setup := Setup{Policy: policyForTest(t, rejectLarge), From: start.Add(30 * day), LabelDelay: 7 * day, Protocol: true}
			report := runForTest(t, setup, rows)
			if report.Ranked != test.want || report.Payments != 1 {
				t.Errorf("got %d ranked of %d, want %d of 1", report.Ranked, report.Payments, test.want)
			}
		})
	}
}

func TestAddRefusesWhatItCannotPlace(t *testing.T) {
	run, err := New(Setup{Policy: policyForTest(t, rejectLarge)})
	if err != nil {
		t.Fatal(err)
	}
	first := row("1", "a", "m", 1, monday.Add(time.Second), false)
	if err := run.Add(&first); err != nil {
		t.Fatal(err)
	}
	earlier := row("2", "a", "m", 1, monday, false)
	if err := run.Add(&earlier); !errors.Is(err, ErrOrder) {
		t.Errorf("got %v, want ErrOrder", err)
	}
	without := row("3", "a", "m", 1, monday.Add(time.Minute), false)
	without.Outcome = 0
	if err := run.Add(&without); !errors.Is(err, ErrOutcome) {
		t.Errorf("got %v, want ErrOutcome", err)
	}
	if _, err := New(Setup{}); err == nil {
		t.Error("got a run without a policy")
	}
}

func TestRankOfPutsTheAnswerFirstThenTheRulesThenTheAmount(t *testing.T) {
	policy := policyForTest(t,
		`code: stop, mode: active, outcome: rejected, hard: true, when: payment.merchant == "bad"`,
		`code: look, mode: active, outcome: review, when: payment.merchant == "odd"`,
		`code: hint, mode: active, alone_above: 1000000.00, when: payment.city == "x"`,
		`code: watch, mode: shadow, outcome: rejected, when: payment.region == "r"`,
	)
	rank := func(merchant, city, region string, minor int64, currency string) float64 {
		p := history.Payment{AccountID: "a", AmountMinor: minor, Currency: currency, Merchant: merchant, OccurredAt: monday, Place: history.Place{Country: "SG", City: city, Region: region}}
		facts := risk.FactsFor(policy, risk.Sources{}, &p)
		decision := risk.Decide(policy, facts)
		return RankOf(policy, &decision, facts)
	}
	order := []float64{
		rank("bad", "", "", 1, "USD"), rank("odd", "x", "", 1, "USD"), rank("odd", "", "", 1, "USD"), rank("", "x", "", 1, "USD"),
		rank("", "", "", 1, "XPF"), rank("", "", "", 1e9, "USD"), rank("", "", "", 2, "USD"), rank("", "", "", 1, "USD"),
	}
	if !slices.IsSortedFunc(order, func(a, b float64) int { return -int(math.Copysign(1, a-b)) }) {
		t.Errorf("got %v, want each above the next", order)
	}
	if got, want := rank("", "", "r", 1, "USD"), rank("", "", "", 1, "USD"); got != want {
		t.Errorf("got %v with a shadow rule, want %v", got, want)
	}
}

func TestLabelsComeInTheOrderInWhichTheyBecomeKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pending labels
		var want []int
		for i := range rapid.IntRange(0, 50).Draw(t, "count") {
			second := rapid.IntRange(0, 20).Draw(t, "second")
			pending.push(monday.Add(time.Duration(second)*time.Second), nil, history.Label{Payment: history.Payment{AmountMinor: int64(i)}})
			want = append(want, second*1000+i)
		}
		slices.Sort(want)
		var got []int
		for second := range 21 {
			for {
				known, found := pending.pop(monday.Add(time.Duration(second) * time.Second))
				if !found {
					break
				}
				got = append(got, second*1000+int(known.label.Payment.AmountMinor))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestCalibrationComparesProbabilitiesWithWhatHappened(t *testing.T) {
	tally := &tally{kept: []kept{{score: 0}, {score: 0.00048828125}, {score: 0.125, fraud: true}, {score: 0.1875}, {score: 1, fraud: true}, {score: 0.9, fraud: true}}}
	got := tally.calibration()
	want := []Bin{
		{From: 0, To: 0.001, Payments: 2, Mean: 0.000244140625},
		{From: 0.1, To: 0.2, Payments: 2, Fraud: 1, Mean: 0.15625, Observed: 0.5},
		{From: 0.9, To: 1, Payments: 2, Fraud: 2, Mean: 0.95, Observed: 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The removal of compromised accounts, said over again as the handbook's get_train_test_set does it: day by day, with sets.
func TestTheProtocolIsThatOfTheHandbook(t *testing.T) {
	const trainDays, delayDays, testDays, firstTrainDay = 7, 7, 7, 20
	rapid.Check(t, func(t *rapid.T) {
		var rows []Row
		fraudOn := map[int]map[string]bool{}
		paidOn := map[int][]string{}
		at := monday
		for i := range rapid.IntRange(1, 120).Draw(t, "count") {
			at = at.Add(time.Duration(rapid.IntRange(0, 24).Draw(t, "hours"))*time.Hour + time.Second)
			account := fmt.Sprint("a", rapid.IntRange(0, 6).Draw(t, "account"))
			r := row(fmt.Sprint(i), account, "m", 100, at, rapid.IntRange(0, 5).Draw(t, "fraud") == 0)
			n := int(at.Sub(monday) / day)
			paidOn[n] = append(paidOn[n], account)
			if r.Fraud {
				if fraudOn[n] == nil {
					fraudOn[n] = map[string]bool{}
				}
				fraudOn[n][account] = true
			}
			rows = append(rows, r)
		}
		known := map[string]bool{}
		learn := func(n int) {
			for account := range fraudOn[n] {
				known[account] = true
			}
		}
		for n := firstTrainDay; n < firstTrainDay+trainDays; n++ {
			learn(n)
		}
		var want int64
		for i := range testDays {
			learn(firstTrainDay + trainDays + i - 1)
			for _, account := range paidOn[firstTrainDay+trainDays+delayDays+i] {
				if !known[account] {
					want++
				}
			}
		}
		from := monday.Add((firstTrainDay + trainDays + delayDays) * day)
		report := runForTest(t, Setup{
			Policy: policyForProtocol, From: from, To: from.Add(testDays * day), LabelDelay: delayDays * day, Protocol: true,
		}, rows)
		if report.Ranked != want {
			t.Fatalf("got %d ranked payments of %d, want %d", report.Ranked, report.Payments, want)
		}
	})
}

var policyForProtocol = func() *risk.Policy {
	policy, err := risk.ParsePolicy([]byte(policyHead + "  - {name: Rule, message: {en: Because.}, " + rejectLarge + "}\n"))
	if err != nil {
		panic(err)
	}
	return policy
}()
