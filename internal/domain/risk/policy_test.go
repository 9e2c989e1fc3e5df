package risk

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/strictyaml"
)

// decidedAt is when the payments of tests occur.
var decidedAt = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func defaultForTest(t testing.TB) *Policy {
	t.Helper()
	policy, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// smallPolicy is the least that is accepted; %WHEN% and %MODE% are replaced by tests.
const smallPolicy = `policy: small
version: "1"
effective_from: 2026-01-01
description: For tests.
reference:
  currency: USD
  decimals: 2
  as_of: 2026-01-01
  source: invented
  rates:
    - {currency: EUR, decimals: 2, value: 1.10}
    - {currency: JPY, decimals: 0, value: 0.0065}
    - {currency: KWD, decimals: 3, value: 3.25}
combination:
  established_after_approved: 0
  capped_amount: 0
  triggers_to_reject: 1
thresholds:
  - {name: floor, value: 5, unit: payments, meaning: A number.}
rules:
  - name: Only rule
    code: only_rule
    mode: %MODE%
    message: {en: No., zh-CN: 不。}
    alone_above: 100.00
    when: %WHEN%
`

func small(mode Mode, when string) string {
	return strings.NewReplacer("%MODE%", string(mode), "%WHEN%", when).Replace(smallPolicy)
}

func mustParse(t testing.TB, text string) *Policy {
	t.Helper()
	policy, err := ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func TestTheDefaultPolicyHasTheThreeTriggersFirst(t *testing.T) {
	policy := defaultForTest(t)
	var codes []string
	for _, rule := range policy.Rules {
		codes = append(codes, rule.Code)
		for _, locale := range []string{"en", "zh-CN"} {
			if rule.Text[locale] == "" {
				t.Errorf("%s has no sentence in %s", rule.Code, locale)
			}
		}
		if rule.Mode != Active {
			t.Errorf("%s is %s, want active", rule.Code, rule.Mode)
		}
		if rule.condition.program != nil {
			t.Errorf("%s runs in the interpreter, which costs a multiple; write it with what closures cover", rule.Code)
		}
	}
	if want := []string{NewLocation, UnusualSpending, NewPaymentMethod}; !reflect.DeepEqual(codes[:3], want) {
		t.Errorf("got %v, want %v", codes[:3], want)
	}
	if want := (Combination{10, 50_000, 2}); policy.Combination != want {
		t.Errorf("got %+v, want %+v", policy.Combination, want)
	}
	if policy.ID != "default" || policy.Version != "2026-11-20" || policy.EffectiveFrom != "2026-11-20" {
		t.Errorf("got %s %s from %s", policy.ID, policy.Version, policy.EffectiveFrom)
	}
}

func TestAPolicyIsRefusedWithThePlaceAndTheFix(t *testing.T) {
	valid := small(Active, "payment.amount_minor > threshold.floor")
	whenLine := strings.Count(valid[:strings.Index(valid, "when:")], "\n") + 1
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"an unknown fact":         {small(Active, "payment.amount > 5"), at(whenLine, 11) + "rules[0].when: payment.amount is not known; did you mean payment.amount_minor?"},
		"an unknown fact, quoted": {small(Active, `"payment.amount > 5"`), at(whenLine, 12) + "rules[0].when: payment.amount is not known"},
		"an unknown fact in a block": {small(Active, "|\n      true\n      || payment.amount > 5"),
			at(whenLine+2, 10) + "rules[0].when: payment.amount is not known"},
		"an unknown fact in folded text": {small(Active, ">\n      true\n      || payment.amount > 5"),
			at(whenLine, 11) + "rules[0].when: payment.amount is not known"},
		"an unknown threshold":    {small(Active, "payment.amount_minor > threshold.ceiling"), "threshold.ceiling is not known; there are threshold.floor"},
		"a wrong type":            {small(Active, `payment.amount_minor > "5"`), at(whenLine, 32) + "rules[0].when: found no matching overload"},
		"not a truth value":       {small(Active, "payment.amount_minor + 1"), "rules[0].when: must be true or false, but is int"},
		"a syntax error":          {small(Active, "payment.amount_minor >"), "rules[0].when: Syntax error"},
		"a bad pattern":           {small(Active, `'payment.merchant.matches("(")'`), "rules[0].when: invalid matches argument"},
		"an unknown key":          {valid + "extra: 1\n", "unknown key; known are policy, version"},
		"an unknown key in a map": {strings.Replace(valid, "unit: payments,", "unit: payments, of: x,", 1), "thresholds[0]: unknown key"},
		"a missing key":           {strings.Replace(valid, "version: \"1\"\n", "", 1), "line 1, column 1: the key version is missing"},
		"a key given twice":       {valid + "policy: twice\n", "the key policy is given twice"},
		"an unknown mode":         {small("enforced", "true"), "rules[0].mode: must be one of active, shadow, disabled"},
		"an alias":                {strings.Replace(valid, "version: \"1\"", "version: &v \"1\"", 1), "anchors and aliases are not accepted"},
		"too many decimals":       {strings.Replace(valid, "100.00", "100.005", 1), "rules[0].alone_above: must be an amount with at most 2 decimals"},
		"a negative amount":       {strings.Replace(valid, "100.00", "-1", 1), "rules[0].alone_above: must be an amount"},
		"no triggers to reject":   {strings.Replace(valid, "reject: 1", "reject: 0", 1), "combination.triggers_to_reject: must be a whole number from 1"},
		"a date that is none":     {strings.Replace(valid, "from: 2026-01-01", "from: 2026-02-30", 1), "effective_from: must be a date"},
		"a rate of nothing":       {strings.Replace(valid, "1.10", "0", 1), "reference.rates[0].value: must be the price"},
		"a rate given twice":      {strings.Replace(valid, "currency: JPY", "currency: EUR", 1), "reference.rates[1].currency: this currency already has a rate"},
		"no English":              {strings.Replace(valid, "{en: No., ", "{", 1), "rules[0].message: the key en is missing"},
		"a mapping for a text":    {strings.Replace(valid, "description: For tests.", "description: {a: b}", 1), "description: must be a text"},
		"no rules":                {valid[:strings.Index(valid, "rules:")] + "rules: []\n", "rules: must be a list of 1 to 256 entries"},
		"a second document":       {valid + "---\na: b\n", "one YAML document"},
		"a broken second part":    {valid + "---\n\t{", "not YAML"},
		"not YAML":                {"policy: [", "not YAML"},
		"nothing":                 {"", "the policy is empty"},
		"a list":                  {"[]", "must be a mapping"},
		"too long":                {strings.Repeat("#", MaxPolicyBytes+1), "longer than"},
		"a condition that always costs too much": {
			small(Active, nested("true")), "rules[0].when: comprehension exceeds nesting limit"},
	} {
		t.Run(name, func(t *testing.T) {
			policy, err := ParsePolicy([]byte(c.text))
			var refused *strictyaml.Error
			if policy != nil || !errors.As(err, &refused) {
				t.Fatalf("got %v %v, want a strictyaml.Error", policy, err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to hold %q", err, c.want)
			}
		})
	}
}

func at(line, column int) string {
	return "line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column) + ": "
}

// nested returns a condition that looks at 30^3 combinations.
func nested(inner string) string {
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 30), ",") + "]"
	return "'" + list + ".all(a, " + list + ".all(b, " + list + ".all(c, " + inner + ")))'"
}

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	text := strings.NewReplacer("100.00", "x", "1.10", "y").Replace(small("sometimes", "nothing"))
	_, err := ParsePolicy([]byte(text))
	var refused *strictyaml.Error
	if !errors.As(err, &refused) || len(refused.Faults) != 4 {
		t.Errorf("got %v, want 4 faults", err)
	}
}

func TestARuleThatCannotBeEvaluatedCountsAsRaised(t *testing.T) {
	for name, c := range map[string]struct {
		mode    Mode
		when    string
		want    Failure
		outcome Outcome
	}{
		"a division by zero in an active rule": {Active, "10 / history.approved_payments > 1", FailureEvaluation, Rejected},
		"a division by zero in a shadow rule":  {Shadow, "10 / history.approved_payments > 1", FailureEvaluation, Approved},
	} {
		t.Run(name, func(t *testing.T) {
			policy := mustParse(t, small(c.mode, c.when))
			payment := history.Payment{AmountMinor: 20_000, Currency: "USD", OccurredAt: decidedAt}
			got := decideFor(policy, payment)
			if got.Outcome != c.outcome || !got.Evaluations()[0].True || got.Evaluations()[0].Error != c.want {
				t.Errorf("got %s %+v, want %s, raised with %s", got.Outcome, got.Evaluations(), c.outcome, c.want)
			}
		})
	}
}

func TestADisabledRuleIsNotEvaluated(t *testing.T) {
	policy := mustParse(t, small(Disabled, "true"))
	got := decideFor(policy, history.Payment{AmountMinor: 20_000, Currency: "USD", OccurredAt: decidedAt})
	if got.Outcome != Approved || len(got.Evaluations()) != 0 {
		t.Errorf("got %+v, want approved without evaluations", got)
	}
}

func TestWithoutAPolicyTheOutcomeIsInvalid(t *testing.T) {
	if got := Decide(nil, &Facts{}); got.Outcome.Valid() {
		t.Errorf("got %q, want an invalid outcome", got.Outcome)
	}
}

func TestReferenceAmounts(t *testing.T) {
	policy := mustParse(t, small(Active, "true"))
	for _, c := range []struct {
		amount   int64
		currency string
		want     int64
		known    bool
	}{
		{12_345, "USD", 12_345, true},
		{10_000, "EUR", 11_000, true},
		{10_000, "JPY", 6_500, true},
		{10_000, "KWD", 3_250, true},
		{1, "JPY", 1, true}, // 0.65 cents, rounded
		{0, "EUR", 0, true},
		{10_000, "XTS", 0, false},
		{10_000, "", 0, false},
		{math.MaxInt64, "USD", math.MaxInt64, true},
		{math.MaxInt64, "EUR", math.MaxInt64, true},
	} {
		got, known := policy.reference.convert(c.amount, c.currency)
		if got != c.want || known != c.known {
			t.Errorf("%d %s: got %d %v, want %d %v", c.amount, c.currency, got, known, c.want, c.known)
		}
	}
}

func TestTheSentenceFollowsTheLocale(t *testing.T) {
	reason := Reason{Code: "x", Text: Text{"en": "No.", "zh-CN": "不。"}}
	for locale, want := range map[string]string{
		"en": "No.", "en-GB": "No.", "zh-CN": "不。", "zh_cn": "不。", "zh-Hans": "不。", "zh": "不。", "fr": "No.", "": "No.",
	} {
		if got := reason.Message(locale); got != want {
			t.Errorf("%q: got %q, want %q", locale, got, want)
		}
	}
}

// decideFor decides a payment without history.
func decideFor(policy *Policy, payment history.Payment) Decision {
	return Decide(policy, FactsFor(policy, Sources{}, &payment))
}

func FuzzParsePolicy(f *testing.F) {
	for _, when := range []string{"true", "|\n      payment.amount_minor > 1", ">\n  x", `"a` + "\\n" + `b"`, "payment.merchant.matches('a')", nested("true")} {
		f.Add([]byte(small(Active, when)))
	}
	f.Add([]byte(wholePolicy + wholeTrigger + wholeHard + rule("r", "review", "3", "aggregate.spent > 3 && list.bad")))
	f.Add([]byte("policy: &a [*a]"))
	f.Add([]byte("? {a: b}\n: c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		policy, err := ParsePolicy(data)
		if (policy == nil) == (err == nil) {
			t.Fatalf("got %v and %v, want one of them", policy, err)
		}
		if err != nil {
			return
		}
		payment := history.Payment{AmountMinor: 20_000, Currency: "USD", OccurredAt: decidedAt}
		if got := decideFor(policy, payment); !got.Outcome.Valid() {
			t.Errorf("an accepted policy gives the invalid outcome %q", got.Outcome)
		}
	})
}

// node is a text as a policy would hold it.
func node(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text, Line: 1, Column: 1}
}
