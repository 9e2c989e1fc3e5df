package policycase

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/risk"
)

func TestTheCasesOfTheDefaultPolicyPass(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases {
			result, err := c.Run(policy)
			if err != nil || !result.Passed {
				t.Errorf("%s:%d: %s: got %s %v by %q and %v, want %s %v", file, c.Line, c.Story, result.Outcome, result.Reasons, result.DecidedBy, err, c.Expect, c.Reasons)
			}
		}
	}
}

func TestACaseThatThePolicyAnswersOtherwiseFails(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := Parse([]byte("- story: A first payment\n  payment: USD 20.00\n  expect: rejected\n- {story: Another, payment: USD 20.00, expect: approved}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true} {
		if result, err := cases[i].Run(policy); err != nil || result.Passed != want || result.Outcome != risk.Approved {
			t.Errorf("case %d: got %+v %v, want passed %t", i, result, err, want)
		}
	}
	if cases[1].Line != 4 {
		t.Errorf("got line %d, want 4", cases[1].Line)
	}
}

func TestWhatCannotBeReadIsExplained(t *testing.T) {
	policy, err := risk.Default()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text, want string }{
		{"no list", "story: x", "list of cases"},
		{"a member that does not exist", "- {story: x, payment: USD 1.00, expect: approved, when: now}", "unknown key"},
		{"no payment", "- {story: x, expect: approved}", "needs a story and a payment"},
		{"no such outcome", "- {story: x, payment: USD 1.00, expect: blocked}", "approved, review or rejected"},
		{"a payment in other words", "- {story: x, payment: one dollar, expect: approved}", "payment:"},
		{"an amount without decimals", "- {story: x, payment: USD 1, expect: approved}", "2 decimals"},
		{"yen with decimals", "- {story: x, payment: JPY 1.00, expect: approved}", "0 decimals"},
		{"history in other words", "- {story: x, payment: USD 1.00, expect: approved, history: [a lot]}", "history:"},
		{"too much history", "- {story: x, payment: USD 1.00, expect: approved, history: ['99999 payments of USD 1.00']}", "1 to 10000"},
		{"a lesson in other words", "- {story: x, payment: USD 1.00, expect: approved, learned: [everything]}", "learned:"},
		{"a list that the policy does not have", "- {story: x, payment: USD 1.00, expect: approved, lists: {nowhere: [a]}}", "no list"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cases, err := Parse([]byte(test.text))
			if err == nil {
				_, err = cases[0].Run(policy)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// FuzzParse reads anything as cases and runs what can be read.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../testdata/cases/*.yaml")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte("- {story: x, payment: USD 1.00, expect: approved, history: ['2 held payments of JPY 1 to 9 by 2 accounts, the last 3 hours ago']}"))
	policy, err := risk.Default()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		cases, err := Parse(data)
		if err != nil {
			return
		}
		for _, c := range cases[:min(len(cases), 3)] {
			if result, err := c.Run(policy); err == nil && !result.Outcome.Valid() {
				t.Fatal("got a decision without an outcome")
			}
		}
	})
}
