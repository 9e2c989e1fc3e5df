package console

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/scorecard"
	"github.com/probity/probity/internal/service"
)

func TestFactsAreWrittenForPeople(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	f := factWriter{policy: policy, currency: "JPY"}
	for _, c := range []struct{ name, text, words, value string }{
		{"payment.country", `"BR"`, "Country", "Brazil"},
		{"payment.country", `""`, "Country", "not given"},
		{"payment.device_id", `"device-7"`, "Device", "device-7"},
		{"payment.amount_minor", "120000", "Amount", "JPY 120,000"},
		{"payment.amount_reference", "120000", "Amount, by the policy's rates", "USD 1,200.00"},
		{"history.place_known", "false", "Place known", "no"},
		{"history.approved_payments", "12", "Approved payments in 400 days", "12"},
		{"history.spending.mean_minor", "1234.6", "Their mean", "JPY 1,235"},
		{"history.seconds_since_elsewhere", "1000000000", "Last seen in another country", "never"},
		{"history.seconds_since_elsewhere", "7200", "Last seen in another country", "2 hours before"},
		{"score.probability", "0.184", "Score", "18.4 %"},
		{"list.blocked_devices", "true", "On the list blocked_devices", "yes"},
		{"aggregate.device_fraud_180d", "0.25", "Share of confirmed fraud among the payments from the device in 180 days", "25 %"},
		{"aggregate.account_spent_1d", "4200", "What the account spent in a day, this payment included, in minor units of the reference currency", "USD 42.00"},
		{"aggregate.currency_mean_30d", "4200", "Mean of their amounts in minor units of the currency", "JPY 4,200"},
		{"payment.night", "true", "Night", "yes"},
	} {
		if got := f.words(c.name); got != c.words {
			t.Errorf("%s: got %q, want %q", c.name, got, c.words)
		}
		if got := f.value(c.name, c.text); got != c.value {
			t.Errorf("%s %s: got %q, want %q", c.name, c.text, got, c.value)
		}
	}
	if got := f.read([]risk.Value{{Name: "payment.country", Text: `"BR"`}, {Name: "threshold.large", Text: "5"}}); len(got) != 1 {
		t.Errorf("got %v, want no threshold among what was seen", got)
	}
}

func TestEveryPartOfTheDefaultPolicyHasWords(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	for i := range policy.Aggregates {
		if words := aggregateWords(&policy.Aggregates[i]); strings.Contains(words, "Value of") || !strings.Contains(words, " in ") {
			t.Errorf("%s: got %q", policy.Aggregates[i].Name, words)
		}
	}
	for i := range policy.Rules {
		if words := effectOf(policy, &policy.Rules[i]); !strings.HasSuffix(words, ".") || strings.HasPrefix(words, string(policy.Rules[i].Effect)) {
			t.Errorf("%s: got %q", policy.Rules[i].Code, words)
		}
	}
	for _, threshold := range policy.Thresholds {
		if thresholdValue(policy, threshold) == "" {
			t.Errorf("%s has no value", threshold.Name)
		}
	}
	for _, field := range risk.Fields(policy) {
		if name := factName(field.Name); name == "" || strings.Contains(name, "_") {
			t.Errorf("%s: got %q", field.Name, name)
		}
	}
	if got := combinedOf(policy); len(got) != 5 {
		t.Errorf("got %v", got)
	}
	if got := budgetWords(publication.Budget{Limit: 20 * time.Millisecond, FailClosed: true}); len(got) != 1 || !strings.Contains(got[0], "20ms") {
		t.Errorf("got %v", got)
	}
}

func TestTheVerdictOfADecision(t *testing.T) {
	decision := func(outcome risk.Outcome, by string, rules ...risk.RuleExplanation) *risk.Explanation {
		return &risk.Explanation{Decision: risk.Decision{Outcome: outcome, DecidedBy: by}, Rules: rules}
	}
	rule := func(name string, effect risk.Effect, raised, decisive bool) risk.RuleExplanation {
		return risk.RuleExplanation{Evaluation: risk.Evaluation{Rule: name, Code: strings.ToLower(name), Mode: risk.Active, True: raised}, Effect: effect, Decisive: decisive}
	}
	policy := &risk.Policy{}
	for name, c := range map[string]struct {
		d          decided
		title, why string
	}{
		"history": {decided{view: service.PaymentView{Payment: payment.Payment{Source: payment.FromHistory, Outcome: payment.Approved}}}, "Decided elsewhere: approved", "No policy of Probity was asked"},
		"restricted": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Rejected, Reasons: []payment.Reason{{Code: service.ReasonRestricted}}}}},
			"Rejected: the account was restricted", "The policy was not asked."},
		"retry": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Approved, GrantID: "grant_1"}}, explanation: decision(risk.Rejected, risk.DecidedByCombination)},
			"Approved: one retry had been granted", "By itself, the policy would have answered: Rejected."},
		"together": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Rejected}}, explanation: decision(risk.Rejected, risk.DecidedByCombination,
			rule("Place", risk.EffectTrigger, true, true), rule("Card", risk.EffectTrigger, true, true), rule("Night", risk.EffectReview, true, false))},
			"Rejected: 2 triggers were raised together", "Place and Card. Also raised: Night."},
		"alone": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Rejected}}, explanation: decision(risk.Rejected, risk.DecidedByCombination, rule("Place", risk.EffectTrigger, true, true))},
			"Rejected: one trigger was raised, and the amount is above what it lets pass alone", "Place."},
		"budget": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Rejected}}, explanation: decision(risk.Rejected, risk.DecidedByBudget)},
			"Rejected: it could not be checked in time", "longer than the tenant allows"},
		"trusted": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Approved}}, explanation: decision(risk.Approved, "trusted", rule("Trusted", risk.EffectApprove, true, true))},
			"Approved: Trusted", "A rule lets such payments pass."},
		"nothing": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Approved}}, explanation: decision(risk.Approved, "", rule("Place", risk.EffectTrigger, false, false))},
			"Approved: nothing spoke against it", "None of 1 active rule was raised."},
		"not enough": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Approved}}, policy: policy, explanation: decision(risk.Approved, "", rule("Place", risk.EffectTrigger, true, false))},
			"Approved: what was raised is not enough", "Raised: Place. Alone, it rejects larger amounts only."},
		"gone": {decided{view: service.PaymentView{Payment: payment.Payment{Outcome: payment.Rejected, Reasons: []payment.Reason{{Code: "x", Message: "The amount is large."}}}}}, "Rejected", "The amount is large."},
	} {
		title, why, _ := c.d.verdict()
		if title != c.title || !strings.Contains(why, c.why) {
			t.Errorf("%s: got %q, %q", name, title, why)
		}
	}
}

func TestTheScoreIsShownByItsParts(t *testing.T) {
	e := &risk.Explanation{
		ScorecardName: "card", ScoreFeatures: []string{"amount_ratio", "hour"},
		Score: &scorecard.Explanation{
			Score: scorecard.Score{Points: 1250, Probability: 0.184}, Base: -6200,
			Parts: []scorecard.Part{
				{First: 0, Second: -1, FirstRange: "2 to below 3", Points: 3100}, {First: 0, Second: 1, FirstRange: "2 or more", SecondRange: "below 6", Points: 800, FirstValue: math.NaN()},
				{First: 1, Second: -1, Points: 0}, {First: 1, Second: -1, FirstRange: "below 6", Points: -1800},
			},
		},
	}
	got := scoreOf(e)
	want := []part{
		{Label: "Amount ratio", Note: "2 to below 3", Value: "+31", Share: 1}, {Label: "Amount ratio with hour", Note: "2 or more, below 6", Value: "+8", Share: 8.0 / 31},
		{Label: "Hour", Note: "below 6", Value: "−18", Share: -18.0 / 31},
	}
	if got.Title != "18.4 % likely to be fraud" || !slices.Equal(got.Parts, want) {
		t.Errorf("got %+v", got)
	}
	if got.Parts[0].barWidth() != "100" || got.Parts[2].adds() {
		t.Errorf("got bars %s, %v", got.Parts[0].barWidth(), got.Parts[2].adds())
	}
}

func TestASmallPartOfAScoreIsFoldedAway(t *testing.T) {
	parts := make([]part, 20)
	for i := range parts {
		parts[i] = part{Value: grouped(int64(i)), Share: float64(i-10)/10 + 0.01}
	}
	most, others := largest(parts)
	if len(most) != shownParts || len(others) != 12 || most[0].Value != "0" || most[7].Value != "19" {
		t.Errorf("got %+v", most)
	}
}

func TestTheCaretStandsUnderItsColumn(t *testing.T) {
	text := []string{"policy: x", "\twhen: é == 1", "last"}
	got := listing(text, 2, 9)
	if len(got) != 3 || !got[1].Here || got[1].Caret != "\t       ^" {
		t.Errorf("got %+v", got)
	}
	for name, place := range map[string][2]int{"no place": {0, 0}, "behind the end": {9, 1}} {
		if got := listing(text, place[0], place[1]); got != nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if got := listing(text, 3, 0); got[len(got)-1].Caret != "" {
		t.Errorf("got a caret without a column: %+v", got)
	}
}

func TestADifferenceIsReadLineByLine(t *testing.T) {
	lines, added, removed := diffOf("@@ -4,2 +4,3 @@\n four\n+new\n five\n@@ -20,1 +21,1 @@\n-- old: 1\n+- new: 1\n")
	want := []diffLine{
		{Gap: 3}, {Old: 4, New: 4, Text: "four"}, {New: 5, Sign: "+", Text: "new"}, {Old: 5, New: 6, Text: "five"},
		{Gap: 14}, {Old: 20, Sign: "−", Text: "- old: 1"}, {New: 21, Sign: "+", Text: "- new: 1"},
	}
	if !slices.Equal(lines, want) || added != 2 || removed != 1 {
		t.Errorf("got %+v, %d added, %d removed", lines, added, removed)
	}
	if lines, _, _ := diffOf(""); lines != nil {
		t.Errorf("got %+v for the same texts", lines)
	}
}

func TestFiguresAreShort(t *testing.T) {
	for want, got := range map[string]string{
		"1,234": grouped(1234), "−1,234,567": grouped(-1234567), "12": grouped(12), "< 0.1 %": percent(0.0001), "12.5 %": percent(0.125), "–": percent(math.NaN()),
		"1.23": rounded(1.234), "1,235": rounded(1234.6), "not defined": rounded(math.Inf(1)), "+2.5": signed(2.5), "0": signed(0), "10 minutes": span(10 * time.Minute), "36 hours": span(36 * time.Hour),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	s := spark{Counts: []int64{0, 1, 100}, What: "payments raised it"}
	if bars := s.bars(); bars[0].Height != "1" || bars[1].Height != "3" || bars[2].Height != "28" || bars[2].Y != "0" {
		t.Errorf("got %+v", bars)
	}
	if got := s.words(); got != "101 payments raised it in 3 days, 100 on the last day" {
		t.Errorf("got %q", got)
	}
}
