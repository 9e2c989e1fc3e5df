package risk

import (
	"slices"
	"strings"
	"testing"
)

func TestAnExplanationShowsTheValuesThatMadeARuleTrue(t *testing.T) {
	policy := defaultForTest(t)
	c := story{
		History: []string{"12 payments of USD 10.00 to 80.00, one every 3 days, from DE/BE with method A"},
		Lists:   map[string][]string{"blocked_devices": {"D9"}},
		Payment: "USD 900.00 from BR/SP with method B on device D9",
	}
	facts := FactsFor(policy, c.sources(t, policy), parsePayment(t, c.Payment))
	got, err := Explain(policy, facts)
	if err != nil {
		t.Fatal(err)
	}
	if got.Decision.Outcome != Rejected || got.Decision.DecidedBy != "blocked" || got.PolicyVersion != policy.Version {
		t.Errorf("got %s by %s under %s", got.Decision.Outcome, got.Decision.DecidedBy, got.PolicyVersion)
	}
	if len(got.Rules) != len(policy.Rules) || len(got.Aggregates) != len(policy.Aggregates) || len(got.Lists) != len(policy.Lists) {
		t.Fatalf("got %d rules, %d aggregates, %d lists", len(got.Rules), len(got.Aggregates), len(got.Lists))
	}
	location := got.Rules[0]
	if !location.True || location.Code != NewLocation || !slices.Contains(location.Reads, Value{Name: "payment.country", Text: `"BR"`}) {
		t.Errorf("got %+v", location)
	}
	want := Part{Text: `payment.country != ""`, Values: `"BR" != ""`, Truth: "true"}
	if !slices.Contains(location.Parts, want) || !slices.Contains(location.Parts, Part{Text: "history.place_known", Values: "false", Truth: "false"}) {
		t.Errorf("got %+v, want %+v in it", location.Parts, want)
	}
	spending := got.Rules[1]
	if i := slices.IndexFunc(spending.Parts, func(p Part) bool { return strings.HasPrefix(p.Values, "90000 > 3") }); i < 0 || spending.Parts[i].Truth != "true" {
		t.Errorf("got %+v", spending.Parts)
	}
	for _, rule := range got.Rules {
		if rule.Decisive != (rule.Code == "blocked") {
			t.Errorf("%s: got decisive %v", rule.Code, rule.Decisive)
		}
	}
}

func TestAPaymentThatRanOutOfTimeIsReplayedWhereItStopped(t *testing.T) {
	policy := defaultForTest(t)
	c := story{
		History: []string{"12 payments of USD 10.00 to 80.00, one every 3 days, from DE/BE with method A"},
		Payment: "USD 900.00 from BR/SP with method B",
	}
	for _, test := range []struct {
		looks      int // before the time is over
		failClosed bool
		want       Outcome
		by         string
	}{
		{100, false, Rejected, DecidedByCombination},
		{0, false, Approved, ""},
		{0, true, Rejected, DecidedByBudget},
		{1, false, Rejected, DecidedByCombination},
	} {
		facts := FactsFor(policy, c.sources(t, policy), parsePayment(t, c.Payment))
		looks := 0
		got := DecideWithin(policy, facts, func() bool { looks++; return looks > test.looks }, test.failClosed)
		if got.Outcome != test.want || got.DecidedBy != test.by {
			t.Errorf("%+v: got %s by %q", test, got.Outcome, got.DecidedBy)
		}
		if blocked := slices.IndexFunc(policy.Rules, func(r Rule) bool { return r.Hard }); got.Skipped.Has(blocked) {
			t.Errorf("%+v: a hard rule was skipped", test)
		}
		checkReplay(t, policy, facts, got)
		if _, err := Explain(policy, facts); err != nil {
			t.Error(err)
		}
	}
}
