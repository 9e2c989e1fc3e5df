package risk_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/policycase"
)

// TestCases holds the default policy to the stories in testdata/cases, explains each and decides each again from what would be stored.
func TestCases(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	raised := map[string]bool{}
	for _, file := range files {
		for _, c := range readCases(t, file) {
			t.Run(c.Story, func(t *testing.T) {
				got, err := c.Run(policy)
				if err != nil {
					t.Fatal(err)
				}
				explained, err := risk.Explain(policy, got.Facts)
				if err != nil {
					t.Fatal(err)
				}
				if !got.Passed {
					t.Errorf("%s:%d: got %s by %q %v, want %s by %q %v\n%s", file, c.Line, got.Outcome, got.DecidedBy, got.Reasons,
						c.Expect, c.Decided, c.Reasons, describe(explained))
				}
				stored := got.Facts.AppendBinary(policy, nil)
				facts, err := risk.DecodeFacts(policy, &got.Facts.Payment, stored)
				if err != nil {
					t.Fatal(err)
				}
				if again := risk.Decide(policy, facts); again.Outcome != got.Outcome || again.DecidedBy != got.DecidedBy {
					t.Errorf("decided again from %d stored bytes: got %s, want %s", len(stored), again.Outcome, got.Outcome)
				}
				for _, rule := range explained.Rules {
					raised[rule.Code] = raised[rule.Code] || rule.True
				}
			})
		}
	}
	for i := range policy.Rules {
		if !raised[policy.Rules[i].Code] {
			t.Errorf("no case raises %s; add one to testdata/cases", policy.Rules[i].Code)
		}
	}
}

func readCases(t *testing.T, file string) []policycase.Case {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := policycase.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return cases
}

// describe shows the values that are not zero.
func describe(e *risk.Explanation) string {
	var b strings.Builder
	for _, value := range slices.Concat(e.History, e.Aggregates) {
		if value.Text != "0" && value.Text != "false" {
			b.WriteString(value.Name + " = " + value.Text + "\n")
		}
	}
	return b.String()
}

// surprising is a payment with which everything is new, on an established account.
var surprising = policycase.Case{
	Story: "Everything is new", Expect: risk.Rejected,
	History: []string{"12 payments of USD 10.00 to 80.00, one every 3 days, from DE/BE with method A"},
	Lists:   map[string][]string{"blocked_devices": {"D9"}},
}

// factsOf are the facts of the payment in the story.
func factsOf(t *testing.T, policy *risk.Policy, c policycase.Case, payment string) *risk.Facts {
	t.Helper()
	c.Payment = payment
	result, err := c.Run(policy)
	if err != nil {
		t.Fatal(err)
	}
	return result.Facts
}

func TestAnExplanationShowsTheValuesThatMadeARuleTrue(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	got, err := risk.Explain(policy, factsOf(t, policy, surprising, "USD 900.00 from BR/SP with method B on device D9"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Decision.Outcome != risk.Rejected || got.Decision.DecidedBy != "blocked" || got.PolicyVersion != policy.Version {
		t.Errorf("got %s by %s under %s", got.Decision.Outcome, got.Decision.DecidedBy, got.PolicyVersion)
	}
	if len(got.Rules) != len(policy.Rules) || len(got.Aggregates) != len(policy.Aggregates) || len(got.Lists) != len(policy.Lists) {
		t.Fatalf("got %d rules, %d aggregates, %d lists", len(got.Rules), len(got.Aggregates), len(got.Lists))
	}
	location := got.Rules[0]
	if !location.True || location.Code != risk.NewLocation || !slices.Contains(location.Reads, risk.Value{Name: "payment.country", Text: `"BR"`}) {
		t.Errorf("got %+v", location)
	}
	for _, want := range []risk.Part{
		{Text: `payment.country != ""`, Values: `"BR" != ""`, Truth: "true"}, {Text: "history.place_known", Values: "false", Truth: "false"},
	} {
		if !slices.Contains(location.Parts, want) {
			t.Errorf("got %+v, want %+v in it", location.Parts, want)
		}
	}
	spending := got.Rules[1]
	if i := slices.IndexFunc(spending.Parts, func(p risk.Part) bool { return strings.HasPrefix(p.Values, "90000 > 3") }); i < 0 || spending.Parts[i].Truth != "true" {
		t.Errorf("got %+v", spending.Parts)
	}
	for _, rule := range got.Rules {
		if rule.Decisive != (rule.Code == "blocked") {
			t.Errorf("%s: got decisive %v", rule.Code, rule.Decisive)
		}
	}
}

func TestAPaymentThatRanOutOfTimeIsReplayedWhereItStopped(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		looks      int // before the time is over
		failClosed bool
		want       risk.Outcome
		by         string
	}{
		{100, false, risk.Rejected, risk.DecidedByCombination},
		{0, false, risk.Approved, ""},
		{0, true, risk.Rejected, risk.DecidedByBudget},
		{1, false, risk.Rejected, risk.DecidedByCombination},
	} {
		facts := factsOf(t, policy, surprising, "USD 900.00 from BR/SP with method B")
		looks := 0
		got := risk.DecideWithin(policy, facts, func() bool { looks++; return looks > test.looks }, test.failClosed)
		if got.Outcome != test.want || got.DecidedBy != test.by {
			t.Errorf("%+v: got %s by %q", test, got.Outcome, got.DecidedBy)
		}
		for i := range policy.Rules {
			if policy.Rules[i].Hard && got.Skipped.Has(i) {
				t.Errorf("%+v: the hard rule %s was skipped", test, policy.Rules[i].Code)
			}
		}
		stored, err := risk.DecodeFacts(policy, &facts.Payment, facts.AppendBinary(policy, nil))
		if err != nil {
			t.Fatal(err)
		}
		if again := risk.Decide(policy, stored); again.Outcome != got.Outcome || again.Skipped != got.Skipped || again.Raised != got.Raised {
			t.Errorf("%+v: a replay differs: got %s", test, again.Outcome)
		}
		if _, err := risk.Explain(policy, facts); err != nil {
			t.Error(err)
		}
	}
}
