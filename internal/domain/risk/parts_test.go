package risk

import (
	"bytes"
	"errors"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/strictyaml"
)

// whole is a policy with one of everything; %X% marks are replaced by tests.
const wholePolicy = `policy: whole
version: "1"
effective_from: 2026-01-01
description: For tests.
reference: {currency: USD, decimals: 2, as_of: 2026-01-01, source: invented, rates: [{currency: EUR, decimals: 2, value: 1.10}]}
combination: {established_after_approved: 2, capped_amount: 0, triggers_to_reject: 1}
thresholds:
  - {name: floor, value: 5, unit: count, meaning: A number.}
  - {name: zero, value: 0, unit: count, meaning: Nothing.}
aggregates:
  - name: spent
    entity: account
    where: payment.amount_reference > threshold.floor
    function: sum
    window: 7d
    meaning: A sum.
  - {name: devices, entity: [merchant, country], of: attempts, function: distinct, field: device, window: 30d, include_current: true, meaning: A number.}
lists:
  - {name: bad, kind: block, field: device, meaning: A list.}
rules:
`

const (
	wholeTrigger = "  - {name: T, code: t, mode: active, message: {en: T.}, when: 'payment.night', alone_above: 1.00}\n"
	wholeHard    = "  - {name: H, code: h, mode: active, outcome: rejected, hard: true, message: {en: H.}, when: list.bad}\n"
)

// rule writes a direct rule on one line.
func rule(code, outcome, priority, when string) string {
	return "  - {name: " + code + ", code: " + code + ", mode: active, outcome: " + outcome + ", priority: " + priority +
		", message: {en: Text.}, when: '" + when + "'}\n"
}

func TestEachPartOfAPolicyIsRefusedWithThePlaceAndTheFix(t *testing.T) {
	replace := func(old, replacement string) string {
		if !strings.Contains(wholePolicy, old) {
			t.Fatalf("the policy does not hold %q", old)
		}
		return strings.Replace(wholePolicy, old, replacement, 1) + wholeTrigger
	}
	for name, c := range map[string]struct{ text, want string }{
		"an entity that does not exist":       {replace("entity: account", "entity: acount"), "aggregates[0].entity: must be one or two of"},
		"and what was meant":                  {replace("entity: account", "entity: acount"), "did you mean account?"},
		"three fields":                        {replace("[merchant, country]", "[merchant, country, ip]"), "aggregates[1].entity: must be one or two of"},
		"an unknown function":                 {replace("function: sum", "function: total"), "aggregates[0].function: must be one of count, sum"},
		"a window too long":                   {replace("window: 7d", "window: 401d"), "aggregates[0].window: must be a span as 10m, 24h or 30d, from 1m to 400d"},
		"a window in no unit":                 {replace("window: 7d", "window: 7"), "aggregates[0].window: must be a span"},
		"a distinct count of nothing":         {replace("field: device, window: 30d", "window: 30d"), "aggregates[1]"},
		"an aggregate given twice":            {replace("name: devices", "name: spent"), "aggregates[1].name: this aggregate is already there"},
		"a filter that reads the history":     {replace("payment.amount_reference > threshold.floor", "history.place_known"), "aggregates[0].where: history.place_known is not known; an aggregate's filter reads the payment alone"},
		"a filter that is no truth":           {replace("payment.amount_reference > threshold.floor", "payment.amount_reference"), "aggregates[0].where: must be true or false, but is int"},
		"a filter that can cost too much":     {replace("payment.amount_reference > threshold.floor", "'"+costly(6)+"'"), "aggregates[0].where: can cost more than the limit of 500"},
		"a list about the amount":             {replace("field: device, meaning: A list", "field: amount, meaning: A list"), "lists[0].field: must be one of account"},
		"a list without a kind":               {replace("kind: block, ", ""), "lists[0]: the key kind is missing"},
		"a share above one":                   {replace("value: 5, unit: count", "value: 5, unit: share"), "thresholds[0].value: must be a share from 0 to 1"},
		"no aggregate of that name":           {wholePolicy + rule("r", "review", "0", "aggregate.spend > 3"), "rules[0].when: aggregate.spend is not known; did you mean aggregate.spent?"},
		"no list of that name":                {wholePolicy + rule("r", "review", "0", "list.good"), "rules[0].when: list.good is not known; there are list.bad"},
		"a score without a scorecard":         {wholePolicy + rule("r", "review", "0", "score.points > 3"), "rules[0].when: score.points is not known; the policy has no trained scorecard"},
		"a namespace alone":                   {wholePolicy + rule("r", "review", "0", "payment == 3"), "payment is not a value; name a field of it"},
		"a function that is not there":        {wholePolicy + rule("r", "review", "0", `payment.city.lowerAscii() == ""`), "lowerAscii is not known here"},
		"a loop that is not there":            {wholePolicy + rule("r", "review", "0", "[1].map(x, x) == [1]"), "rules[0].when"},
		"a division by zero":                  {wholePolicy + rule("r", "review", "0", "payment.hour / 0 > 1"), "rules[0].when: divides by zero"},
		"a remainder of zero":                 {wholePolicy + rule("r", "review", "0", "payment.hour % 0 > 1"), "rules[0].when: divides by zero"},
		"a division by a threshold of zero":   {wholePolicy + rule("r", "review", "0", "payment.hour / threshold.zero > 1"), "rules[0].when: divides by zero"},
		"a division by a double of zero":      {wholePolicy + rule("r", "review", "0", "1.0 / 0.0 > 1"), "rules[0].when: divides by zero"},
		"a condition that can cost too much":  {wholePolicy + rule("r", "review", "0", costly(30)), "rules[0].when: can cost more than the limit of 5000"},
		"an unknown outcome":                  {wholePolicy + rule("r", "deny", "0", "true"), "rules[0].outcome: must be one of trigger, review, rejected, approved"},
		"a priority too high":                 {wholePolicy + rule("r", "review", "1001", "true"), "rules[0].priority: must be a whole number from -1000 to 1000"},
		"a trigger with a priority":           {wholePolicy + strings.Replace(wholeTrigger, "mode", "priority: 1, mode", 1), "rules[0].priority: a trigger has no priority"},
		"a trigger without its amount":        {wholePolicy + strings.Replace(wholeTrigger, ", alone_above: 1.00", "", 1), "rules[0]: the key alone_above is missing"},
		"a review with a trigger's amount":    {wholePolicy + strings.Replace(wholeTrigger, "mode", "outcome: review, mode", 1), "rules[0].alone_above: only a trigger has alone_above"},
		"a hard review":                       {wholePolicy + strings.Replace(wholeHard, "rejected", "review", 1), "rules[0].hard: only a rule with the outcome rejected can be hard"},
		"hard is not a truth":                 {wholePolicy + strings.Replace(wholeHard, "hard: true", "hard: very", 1), "rules[0].hard: must be true or false"},
		"a reserved code":                     {wholePolicy + rule("combination", "review", "0", "true"), "rules[0].code: another rule has this reason code, or it is reserved"},
		"many rules that cost much together":  {wholePolicy + manyRules(120), "rules: all conditions together can cost"},
		"a scorecard without inputs":          {wholePolicy + wholeTrigger + "scorecard: {model: {}}\n", "scorecard: the key inputs is missing"},
		"an input that is a truth":            {wholePolicy + wholeTrigger + "scorecard: {inputs: {night: payment.night}}\n", "scorecard.inputs.night: must be a number, but is bool"},
		"a model that is none":                {wholePolicy + wholeTrigger + "scorecard: {inputs: {night: '1'}, model: {base: 3}}\n", "scorecard.model: the key"},
		"a score in a rule without its model": {wholePolicy + rule("r", "review", "0", "score.points > 1.0") + "scorecard: {inputs: {night: '1'}}\n", "the policy has no trained scorecard"},
	} {
		t.Run(name, func(t *testing.T) {
			policy, err := ParsePolicy([]byte(c.text))
			var refused *strictyaml.Error
			if policy != nil || !errors.As(err, &refused) {
				t.Fatalf("got %v, want a strictyaml.Error", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to hold %q", err, c.want)
			}
		})
	}
	mustParse(t, wholePolicy+wholeTrigger+wholeHard)
}

// costly is a condition that compares a text many times.
func costly(times int) string {
	list := "[" + strings.TrimSuffix(strings.Repeat(`"a",`, times), ",") + "]"
	return list + ".exists(a, " + list + ".exists(b, payment.merchant.contains(a + b)))"
}

func manyRules(count int) string {
	var b strings.Builder
	for i := range count {
		b.WriteString(rule("r"+string(rune('a'+i%26))+string(rune('a'+i/26)), "review", "0", costly(8)))
	}
	return b.String()
}

func TestAFaultShowsTheLineWithACaret(t *testing.T) {
	_, err := ParsePolicy([]byte(wholePolicy + "  - name: R\n    code: r\n    mode: active\n    outcome: review\n    message: {en: T.}\n    when: |\n" +
		"      payment.night\n      && payment.amonut_minor > 3\n      && payment.hour > \"x\"\n"))
	want := "line 28, column 10: rules[0].when: payment.amonut_minor is not known; did you mean payment.amount_minor?\n" +
		"  |       && payment.amonut_minor > 3\n" +
		"  | .........^\n" +
		"line 29, column 23: rules[0].when: found no matching overload for '_>_' applied to '(int, string)'\n" +
		"  |       && payment.hour > \"x\"\n" +
		"  | ......................^"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got\n%v\nwant it to end with\n%s", err, want)
	}
}

// TestTheHighestPriorityDecides holds the order of outcomes to its word.
func TestTheHighestPriorityDecides(t *testing.T) {
	night := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		rules string
		want  Outcome
		by    string
	}{
		"nothing raised approves": {rule("a", "review", "0", "false"), Approved, ""},
		"a review":                {rule("a", "review", "0", "true"), Review, "a"},
		"the stricter of two":     {rule("a", "review", "0", "true") + rule("b", "rejected", "0", "true"), Rejected, "b"},
		"the higher priority":     {rule("a", "review", "5", "true") + rule("b", "rejected", "4", "true"), Review, "a"},
		"an approval with a higher priority than a trigger": {wholeTrigger + rule("a", "approved", "1", "true"), Approved, "a"},
		"an approval with the priority of the triggers":     {wholeTrigger + rule("a", "approved", "0", "true"), Rejected, DecidedByCombination},
		"a review below the triggers":                       {wholeTrigger + rule("a", "review", "-1", "true"), Rejected, DecidedByCombination},
		"a review above the triggers":                       {wholeTrigger + rule("a", "review", "1", "true"), Review, "a"},
		"a hard block beats every priority":                 {wholeHard + rule("a", "approved", "1000", "true"), Rejected, "h"},
		"a shadow rule counts for nothing":                  {strings.Replace(rule("a", "rejected", "0", "true"), "active", "shadow", 1), Approved, ""},
		"a review that fails counts as raised":              {rule("a", "review", "0", "1 / history.approved_payments > 0"), Review, "a"},
		"an approval that fails does not":                   {wholeTrigger + rule("a", "approved", "9", "1 / history.approved_payments > 0"), Rejected, DecidedByCombination},
	} {
		t.Run(name, func(t *testing.T) {
			policy := mustParse(t, wholePolicy+c.rules)
			from := Sources{Lists: NewLists([]ListEntry{{List: "bad", Value: "D1"}})}
			facts := FactsFor(policy, from, &history.Payment{AmountMinor: 50_000, Currency: "USD", DeviceID: "D1", OccurredAt: night})
			got := Decide(policy, facts)
			if got.Outcome != c.want || got.DecidedBy != c.by {
				t.Errorf("got %s by %q, want %s by %q", got.Outcome, got.DecidedBy, c.want, c.by)
			}
			if (got.Outcome == Approved) != (len(got.Reasons) == 0) {
				t.Errorf("got the reasons %v of %s", got.Reasons, got.Outcome)
			}
		})
	}
}

func TestValuesOfListsAreWrittenInOneWay(t *testing.T) {
	for _, c := range []struct {
		field       history.Field
		value, want string
	}{
		{history.IP, " 203.0.113.7 ", "203.0.113.7"},
		{history.IP, "2001:DB8:0::7", "2001:db8::7"},
		{history.IP, "::ffff:203.0.113.7", "203.0.113.7"},
		{history.IP, "203.0.113.7/24", "203.0.113.0/24"},
		{history.IP, "nowhere", ""},
		{history.Country, "de", "DE"},
		{history.Country, "Germany", ""},
		{history.Region, "de/be", "DE/BE"},
		{history.Region, "BE", ""},
		{history.Device, "D1", "D1"},
		{history.Device, "", ""},
		{history.Device, strings.Repeat("d", 257), ""},
	} {
		got, err := List{Field: c.field}.Normal(c.value)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %q: got %q %v, want %q", c.field, c.value, got, err, c.want)
		}
	}
}

func TestAnEntryOfAListExpires(t *testing.T) {
	policy := mustParse(t, wholePolicy+wholeHard)
	payment := &history.Payment{Currency: "USD", DeviceID: "D1", OccurredAt: decidedAt}
	for name, c := range map[string]struct {
		entries []ListEntry
		want    bool
	}{
		"without an end":                  {[]ListEntry{{List: "bad", Value: "D1"}}, true},
		"later":                           {[]ListEntry{{List: "bad", Value: "D1", ExpiresAt: decidedAt.Add(time.Microsecond)}}, true},
		"at that instant":                 {[]ListEntry{{List: "bad", Value: "D1", ExpiresAt: decidedAt}}, false},
		"twice, once without an end":      {[]ListEntry{{List: "bad", Value: "D1", ExpiresAt: decidedAt}, {List: "bad", Value: "D1"}}, true},
		"a list that nobody declared":     {[]ListEntry{{List: "worse", Value: "D1"}}, false},
		"another value":                   {[]ListEntry{{List: "bad", Value: "D2"}}, false},
		"not because of another spelling": {[]ListEntry{{List: "bad", Value: "d1"}}, false},
	} {
		sources := Sources{Lists: NewLists(c.entries), DecidedAt: decidedAt}
		for when, occurred := range map[string]time.Time{"now": decidedAt, "long ago": decidedAt.Add(-24 * time.Hour), "ahead of now": decidedAt.Add(5 * time.Minute)} {
			made := *payment
			made.OccurredAt = occurred
			if got := FactsFor(policy, sources, &made).Listed != 0; got != c.want {
				t.Errorf("%s, made %s: got %v, want %v", name, when, got, c.want)
			}
		}
		if got := FactsFor(policy, Sources{Lists: NewLists(c.entries)}, payment).Listed != 0; got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestAListIsAboutItsField(t *testing.T) {
	payment := &history.Payment{
		AccountID: "acc_1", Currency: "USD", Place: history.Place{Country: "DE", Region: "DE-BE"}, IP: "2001:DB8::7", DeviceID: "D1",
		Method: history.Method{ID: "pm_1", Fingerprint: "F1"}, Merchant: "shop", OccurredAt: decidedAt,
	}
	for field, value := range map[history.Field]string{
		history.Account: "acc_1", history.PaymentMethod: "pm_1", history.Fingerprint: "F1", history.Merchant: "shop", history.Device: "D1",
		history.IP: "2001:db8::/32", history.Country: "DE", history.Region: "DE/BE", history.Currency: "USD",
	} {
		policy := mustParse(t, strings.Replace(wholePolicy, "field: device, meaning: A list", "field: "+string(field)+", meaning: A list", 1)+wholeHard)
		normal, err := policy.Lists[0].Normal(value)
		if err != nil {
			t.Fatal(err)
		}
		lists := NewLists([]ListEntry{{List: "bad", Value: normal}, {List: "bad", Value: "10.0.0.0/8"}})
		if got := FactsFor(policy, Sources{Lists: lists}, payment).Listed; got != 1 {
			t.Errorf("%s %s: got %b, want it to be on the list", field, normal, got)
		}
		if got := FactsFor(policy, Sources{Lists: lists}, &history.Payment{OccurredAt: decidedAt}).Listed; got != 0 {
			t.Errorf("%s: a payment that names nothing is on the list", field)
		}
	}
}

func TestThePolicySaysWhatItNeedsFromHistory(t *testing.T) {
	definitions := mustParse(t, wholePolicy+wholeTrigger).Definitions()
	spent := definitions[0]
	if spent.Where != "payment.amount_reference > threshold.floor; threshold.floor = 5" || spent.Window != 7*24*time.Hour || spent.Of != history.ApprovedOnly {
		t.Errorf("got %+v", spent)
	}
	if spent.Filter.Match(&history.Payment{AmountReference: 5}) || !spent.Filter.Match(&history.Payment{AmountReference: 6}) {
		t.Error("the filter does not match what it says")
	}
	if !slices.Equal(definitions[1].Entity, []history.Field{history.Merchant, history.Country}) || !definitions[1].IncludeCurrent {
		t.Errorf("got %+v", definitions[1])
	}
	spaced := mustParse(t, strings.Replace(wholePolicy, "payment.amount_reference > threshold.floor", "payment.amount_reference>threshold.floor", 1)+wholeTrigger)
	if got := spaced.Definitions()[0].Where; got != spent.Where {
		t.Errorf("got %q for the same filter in other words", got)
	}
}

// scoredPolicy is the whole policy with the small scorecard.
func scoredPolicy(t testing.TB) *Policy {
	t.Helper()
	model, err := os.ReadFile("scorecard/testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	indented := "    " + string(bytes.ReplaceAll(bytes.TrimSpace(model), []byte("\n"), []byte("\n    ")))
	return mustParse(t, wholePolicy+rule("s", "review", "0", "score.probability > 0.9 && score.points > 0.0")+
		"scorecard:\n  inputs:\n    amount_ratio: double(payment.amount_minor) / history.spending.mean_minor\n    night: 'payment.night ? 1 : 0'\n  model:\n"+indented+"\n")
}

func TestAScorecardScoresTheFacts(t *testing.T) {
	policy := scoredPolicy(t)
	facts := FactsFor(policy, Sources{}, &history.Payment{AmountMinor: 10_000, Currency: "USD", OccurredAt: decidedAt})
	if inputs := policy.Scorecard.Inputs(facts, nil); !math.IsInf(inputs[0], 1) || inputs[1] != 0 {
		t.Errorf("got the inputs %v, want an infinite ratio by day", inputs)
	}
	if want := policy.Scorecard.Model.Score([]float64{math.Inf(1), 0}); facts.Score.Points != want.Points || facts.Score.Probability != want.Probability {
		t.Errorf("got %+v, want %+v", facts.Score, want)
	}
	explained, err := Explain(policy, facts)
	if err != nil {
		t.Fatal(err)
	}
	if explained.Score == nil || explained.Score.Points != facts.Score.Points || !slices.Equal(explained.ScoreFeatures, []string{"amount_ratio", "night"}) {
		t.Errorf("got %+v", explained.Score)
	}
	checkReplay(t, policy, facts, Decide(policy, facts))
}

func TestAnUntrainedScorecardSaysItsInputs(t *testing.T) {
	policy := mustParse(t, wholePolicy+wholeTrigger+"scorecard: {inputs: {hour: payment.hour, spent: aggregate.spent}}\n")
	facts := FactsFor(policy, Sources{}, &history.Payment{Currency: "USD", OccurredAt: decidedAt})
	if got := policy.Scorecard.Inputs(facts, nil); !slices.Equal(got, []float64{12, 0}) || policy.Scorecard.Features[1].Name != "spent" {
		t.Errorf("got %v", got)
	}
}

// checkReplay decides again from the facts as they are stored.
func checkReplay(t *testing.T, policy *Policy, facts *Facts, want Decision) {
	t.Helper()
	stored := facts.AppendBinary(policy, nil)
	decoded, err := DecodeFacts(policy, &facts.Payment, stored)
	if err != nil {
		t.Fatal(err)
	}
	if got := Decide(policy, decoded); got.Outcome != want.Outcome || got.Raised != want.Raised || got.DecidedBy != want.DecidedBy {
		t.Errorf("a replay of %d bytes differs: got %s, want %s", len(stored), got.Outcome, want.Outcome)
	}
}

func TestFactsOfAnotherPolicyAreRefused(t *testing.T) {
	policy, other := defaultForTest(t), mustParse(t, wholePolicy+wholeTrigger)
	payment := &history.Payment{Currency: "USD", OccurredAt: decidedAt}
	stored := FactsFor(policy, Sources{}, payment).AppendBinary(policy, nil)
	if _, err := DecodeFacts(other, payment, stored); !errors.Is(err, ErrFacts) {
		t.Errorf("got %v, want ErrFacts", err)
	}
	for cut := range stored {
		if _, err := DecodeFacts(policy, payment, stored[:cut]); !errors.Is(err, ErrFacts) {
			t.Errorf("cut after %d bytes: got %v, want ErrFacts", cut, err)
		}
	}
}

func FuzzDecodeFacts(f *testing.F) {
	policy := scoredPolicy(f)
	payment := &history.Payment{AmountMinor: 100, Currency: "EUR", OccurredAt: decidedAt}
	facts := FactsFor(policy, Sources{}, payment)
	f.Add(facts.AppendBinary(policy, nil))
	facts.Aggregates[0], facts.History.Spending = 0.25, history.Spending{Count: 3, MeanMinor: 1.5, StddevMinor: 0.1, MaxMinor: 3}
	facts.Budget = Budget{Overrun: true, Evaluated: 1}
	f.Add(facts.AppendBinary(policy, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		decoded, err := DecodeFacts(policy, payment, data)
		if err != nil {
			return
		}
		again, err := DecodeFacts(policy, payment, decoded.AppendBinary(policy, nil))
		if err != nil || !reflect.DeepEqual(again, decoded) {
			t.Errorf("got %+v %v, want %+v", again, err, decoded)
		}
	})
}
