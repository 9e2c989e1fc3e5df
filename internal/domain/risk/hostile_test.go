package risk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/standard/strictyaml"
)

// TestAHostileTextIsRefusedBeforeItHasCostMuch gives texts that are as large as one may be, each to make one part of reading slow.
func TestAHostileTextIsRefusedBeforeItHasCostMuch(t *testing.T) {
	text := string(DefaultYAML())
	rules := func(n int, when func(i int) string) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, "  - {name: R%d, code: r%d, mode: shadow, outcome: review, priority: 1, message: {en: x.}, when: '%s'}\n", i, i, when(i))
		}
		return strings.Replace(text, "\nrules:\n", "\nrules:\n"+out.String(), 1)
	}
	var keys strings.Builder
	for i := range 70_000 {
		fmt.Fprintf(&keys, "key_%06d: 1\n", i)
	}
	for name, text := range map[string]string{
		"long lists in conditions": rules(60, func(int) string {
			return "payment.amount_minor in [" + strings.TrimSuffix(strings.Repeat("1,", 2000), ",") + "]"
		}),
		"names that are not known": rules(60, func(int) string { return strings.TrimSuffix(strings.Repeat("payment.nope == 1 || ", 190), " || ") }),
		"keys that are not known":  keys.String() + text,
		"deep conditions": rules(60, func(int) string {
			return strings.Repeat("!", 1000) + strings.Repeat("(", 30) + "true" + strings.Repeat(")", 30)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := ParsePolicy([]byte(text))
			if took := time.Since(began); took > 5*time.Second { // ten times what it may take on a machine with nothing else to do
				t.Errorf("it took %v to refuse %d bytes", took, len(text))
			}
			wrong, is := errors.AsType[*strictyaml.Error](err)
			if !is || len(wrong.Faults) > strictyaml.MaxFaults {
				t.Errorf("got %.200v, want a few faults", err)
			}
			t.Logf("%v for %d bytes: %.300v", time.Since(began), len(text), err)
		})
	}
}

func TestCompilingEndsWhenWhatWasCompiledCostsTooMuch(t *testing.T) {
	f, spent := &strictyaml.Faults{}, &spending{cost: maxPolicyCost + 1}
	c, err := newCompiler(f, spent, paymentFields(), nil)
	if err != nil {
		t.Fatal(err)
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: "payment.amount_minor > 1"}
	if c.compile(node, "rules[0].when", wantTruth) != nil || f.Len() != 0 {
		t.Errorf("got a condition or faults %v beyond the limit, which is told once at the end", f.Err())
	}
	spent.cost = 0
	if c.compile(node, "rules[0].when", wantTruth) == nil {
		t.Errorf("got faults %v", f.Err())
	}
	spent.expressions = maxExpressionBytes
	if c.compile(node, "rules[0].when", wantTruth) != nil || f.Len() != 1 {
		t.Errorf("got a condition or faults %v with too many bytes, want one fault", f.Err())
	}
}
