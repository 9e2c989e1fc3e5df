package policydiff_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/policydiff"
)

func parse(t *testing.T, text string) *risk.Policy {
	t.Helper()
	policy, err := risk.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func TestWhatChangedByMeaning(t *testing.T) {
	shipped := string(risk.DefaultYAML())
	old := parse(t, shipped)
	if got := policydiff.Of(old, parse(t, shipped)); len(got) > 0 {
		t.Errorf("got %v between two readings of one text", got)
	}
	changed := strings.Replace(shipped, "capped_amount: 500.00", "capped_amount: 400.00", 1)
	changed = strings.Replace(changed, "code: new_location\n    mode: active", "code: new_location\n    mode: shadow", 1)
	changed = strings.Replace(changed, "code: new_payment_method\n", "code: fresh_method\n", 1)
	var got []string
	for _, change := range policydiff.Of(old, parse(t, changed)) {
		got = append(got, change.String())
	}
	for _, want := range []string{"capped_amount", "rule new_location: mode active → shadow", "rule fresh_method: added", "rule new_payment_method: removed"} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("got %q, want one with %q", got, want)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %d changes, want 4: %q", len(got), got)
	}
}

func TestTheUnifiedForm(t *testing.T) {
	from := "a\nb\nc\nd\ne\nf\ng\nh\n"
	got := policydiff.Text(from, strings.Replace(from, "e\n", "E\nx\n", 1))
	want := "@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n+x\n f\n g\n h\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := policydiff.Text(from, from); got != "" {
		t.Errorf("got %q between equal texts", got)
	}
}

// TestADiffLeadsFromOneTextToTheOther applies what Text says to the old text.
func TestADiffLeadsFromOneTextToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 1, 40)
		from, to := draw.Draw(t, "from"), draw.Draw(t, "to")
		text := policydiff.Text(strings.Join(from, "\n")+"\n", strings.Join(to, "\n")+"\n")
		if got := apply(t, from, text); !slices.Equal(got, to) {
			t.Fatalf("got %q, want %q, by\n%s", got, to, text)
		}
	})
}

func apply(t *rapid.T, from []string, text string) []string {
	if text == "" {
		return from
	}
	var out []string
	at := 0
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		var start, oldCount, newStart, newCount int
		if n, _ := fmt.Sscanf(l, "@@ -%d,%d +%d,%d @@", &start, &oldCount, &newStart, &newCount); n == 4 {
			if oldCount == 0 && start > 0 && start-1 > len(from) {
				t.Fatalf("a block begins behind the text: %s", l)
			}
			for ; at < start-1; at++ {
				out = append(out, from[at])
			}
			continue
		}
		switch l[0] {
		case ' ', '-':
			if at >= len(from) || from[at] != l[1:] {
				t.Fatalf("%q is not line %d of the old text", l, at+1)
			}
			if l[0] == ' ' {
				out = append(out, from[at])
			}
			at++
		case '+':
			out = append(out, l[1:])
		}
	}
	return append(out, from[at:]...)
}
