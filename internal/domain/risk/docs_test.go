package risk

import (
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/strictyaml"
)

var update = flag.Bool("update", false, "write the generated pages and tables of docs/guides instead of comparing them")

const guides = "../../../docs/guides/"

func TestThePolicyReferenceIsCurrent(t *testing.T) {
	checkPage(t, guides+"policy-reference.md", referencePage(defaultForTest(t)))
}

func TestTheGuideShowsTheDefaultPolicy(t *testing.T) {
	file := guides + "payment-policy.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	policy := defaultForTest(t)
	text := replaceBlock(t, string(page), "rules", ruleTable(policy))
	text = replaceBlock(t, text, "settings", settingTable(policy))
	checkPage(t, file, text)
}

func checkPage(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("%s is not current (%v); run: go test ./internal/domain/risk -update", file, err)
	}
}

// replaceBlock replaces what stands between <!-- generated: name --> and <!-- end -->.
func replaceBlock(t *testing.T, page, name, block string) string {
	t.Helper()
	head, rest, found := strings.Cut(page, "<!-- generated: "+name+" -->\n")
	_, tail, ended := strings.Cut(rest, "<!-- end -->")
	if !found || !ended {
		t.Fatalf("the guide has no block %s", name)
	}
	return head + "<!-- generated: " + name + " -->\n" + block + "<!-- end -->" + tail
}

type table struct{ b strings.Builder }

func newTable(heads ...string) *table {
	out := &table{}
	out.row(heads...)
	out.b.WriteString("|" + strings.Repeat("---|", len(heads)) + "\n")
	return out
}

func (w *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(cell), "\n", " "), "|", "\\|")
	}
	w.b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func code(text string) string { return "`" + text + "`" }

func usd(minor int64) string {
	cents := strconv.FormatInt(minor%100, 10)
	return "USD " + strconv.FormatInt(minor/100, 10) + "." + strings.Repeat("0", 2-len(cents)) + cents
}

func ruleTable(policy *Policy) string {
	out := newTable("reason code", "rule", "outcome", "alone above, or priority")
	for i := range policy.Rules {
		rule := &policy.Rules[i]
		last := "priority " + strconv.FormatInt(rule.Priority, 10)
		switch {
		case rule.Effect == EffectTrigger:
			last = usd(rule.AloneAboveMinor)
		case rule.Hard:
			last = "hard: beats everything"
		}
		out.row(code(rule.Code), rule.Name, string(rule.Effect), last)
	}
	return out.b.String()
}

func settingTable(policy *Policy) string {
	c := policy.Combination
	out := newTable("setting", "value", "meaning")
	out.row(code("established_after_approved"), strconv.FormatInt(c.EstablishedAfterApproved, 10)+" payments",
		"Approved payments in the last 400 days from which an account is established.")
	out.row(code("capped_amount"), usd(c.CappedAmountMinor), "Below it, no trigger rejects while the account is not established.")
	out.row(code("triggers_to_reject"), strconv.FormatInt(c.TriggersToReject, 10)+" triggers", "So many together reject whatever the amount.")
	for _, threshold := range policy.Thresholds {
		value := map[Unit]string{
			UnitAmount: "USD " + threshold.Value, UnitFactor: threshold.Value + " times", UnitCount: threshold.Value, UnitShare: threshold.Value,
			UnitPayments: threshold.Value + " payments", UnitSeconds: threshold.Value + " seconds",
		}[threshold.Unit]
		out.row(code(threshold.Name), value, threshold.Meaning)
	}
	return out.b.String()
}

func referencePage(policy *Policy) string {
	var b strings.Builder
	b.WriteString(`# What a rule may read and call

This page is generated from the code (` + "`go test ./internal/domain/risk -update`" + `), and a test keeps it current. How a policy works is in
[the payment policy](payment-policy.md).

A condition is [CEL](https://cel.dev): ` + code("&&") + `, ` + code("||") + `, ` + code("!") + `, ` + code("==") + `, ` + code("!=") + `, ` + code("<") + `, ` +
		code("<=") + `, ` + code(">") + `, ` + code(">=") + `, ` + code("+") + `, ` + code("-") + `, ` + code("*") + `, ` + code("/") + `, ` + code("%") +
		`, ` + code("in") + ` a list, and ` + code("test ? a : b") + `. Numbers of
both kinds can be compared; arithmetic takes two ` + code("int") + ` or two ` + code("double") + ` (write ` + code("2.0 * double(x)") + `).

`)
	section(&b, "The payment", "Also what the `where` of an aggregate may read. Times are UTC: what the clock said where the payer was is not known.",
		fieldTable(paymentFields()))
	section(&b, "The account's history", "Approved payments in the 400 days before the payment, the payment itself not included; known is also what an approved\nverification taught.",
		fieldTable(historyFields()))
	section(&b, "Thresholds", "`threshold.NAME` is a threshold of the policy. Its `unit` says what it is: `payments`, `count` and `seconds` are whole numbers (`int`), an `amount` is written in the\n"+
		"reference currency and read in its minor units (`int`), a `factor` and a `share` (0 to 1) are `double`. `threshold.established_after_approved` is the setting of\n`combination`.", "")
	section(&b, "Score", "With a `scorecard` in the policy. The guide is [scorecard.md](scorecard.md).", fieldTable(scoreFields()))
	section(&b, "Lists", "`list.NAME` is a `bool`: the payment's field is on the list, and the entry has not expired at `occurred_at`. A list is about one of "+
		codes(fieldNames(listFields))+".\nAn entry of an `ip` list can be a range (`203.0.113.0/24`). The default policy has:", listTable(policy))
	section(&b, "Aggregates", aggregateText, "")
	section(&b, "Functions of aggregates", "", functionTable())
	section(&b, "Aggregates of the default policy", "", aggregateTable(policy))
	section(&b, "Functions of conditions", "There are no others.", callTable())
	section(&b, "Limits", limitText(), "")
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func section(b *strings.Builder, title string, parts ...string) {
	b.WriteString("## " + title + "\n\n")
	for _, part := range parts {
		if part != "" {
			b.WriteString(strings.TrimRight(part, "\n") + "\n\n")
		}
	}
}

func codes(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = code(name)
	}
	return strings.Join(quoted, ", ")
}

func fieldTable(fields []Field) string {
	out := newTable("name", "type", "meaning", "example")
	for _, field := range fields {
		out.row(code(field.Name), string(field.Kind), field.Meaning, code(field.Example))
	}
	return out.b.String()
}

func listTable(policy *Policy) string {
	out := newTable("name", "kind", "field", "meaning")
	for _, list := range policy.Lists {
		out.row(code("list."+list.Name), string(list.Kind), code(string(list.Field)), list.Meaning)
	}
	return out.b.String()
}

var aggregateText = "`aggregate.NAME` is a number about the past that the policy declares:\n\n" +
	"```yaml\n" +
	"- name: card_accounts_30d\n" +
	"  entity: fingerprint        # or a pair: [account, merchant]\n" +
	"  of: attempts               # or approved, which is what counts when it is left out\n" +
	"  where: payment.amount_reference > 5000   # which payments; left out: all\n" +
	"  function: distinct\n" +
	"  field: account             # what sum, min, max, mean, stddev, ratio and distinct are about; amount when left out, but for distinct\n" +
	"  window: 30d                # 1m to 400d\n" +
	"  delay: 7d                  # the window ends so long before the payment, so that fraud had time to become known\n" +
	"  include_current: true      # count the payment itself too; left out: no\n" +
	"  meaning: Different accounts that tried the card in 30 days.\n" +
	"```\n\n" +
	"An entity is one or two of " + codes(fieldNames(entityFields)) + ". A payment that lacks one has no such history, and every function gives its value without payments.\n" +
	"Fields for amounts are `amount` (minor units of the reference currency) and `amount_minor` (of the payment's own). Precision and bounds are in\n" +
	"[aggregates.md](aggregates.md)."

func functionTable() string {
	out := newTable("function", "type", "value")
	for _, f := range functions {
		kind := (&Aggregate{Definition: history.Definition{Function: f.function}}).Kind()
		out.row(code(f.name), string(kind), f.meaning)
	}
	return out.b.String()
}

func aggregateTable(policy *Policy) string {
	out := newTable("name", "type", "meaning")
	for i := range policy.Aggregates {
		out.row(code("aggregate."+policy.Aggregates[i].Name), string(policy.Aggregates[i].Kind()), policy.Aggregates[i].Meaning)
	}
	return out.b.String()
}

func callTable() string {
	out := newTable("function", "meaning", "example")
	for _, f := range Functions() {
		out.row(code(f.Signature), f.Meaning, code(f.Example))
	}
	return out.b.String()
}

func limitText() string {
	n := func(i int) string { return strconv.Itoa(i) }
	out := newTable("what", "at most")
	out.row("a policy", n(MaxPolicyBytes/1024)+" KiB, its scorecard included")
	out.row("rules, aggregates, lists, thresholds", n(MaxRules)+", "+n(MaxAggregates)+", "+n(MaxLists)+", "+n(maxThresholds))
	out.row("a condition", n(maxWhenBytes)+" bytes, two loops (`all`, `exists`) inside each other, "+n(maxConditionCost)+" units of cost")
	out.row("a filter of an aggregate", n(maxFilterCost)+" units of cost: it runs for every payment that is learned from")
	out.row("all conditions, filters and features together", n(maxPolicyCost)+" units of cost")
	return "A policy beyond a limit is refused when it is loaded. The unit of cost is CEL's: about one for each operator. What a condition costs at most is known\n" +
		"before it runs, so no rule can stall a decision.\n\n" + out.b.String()
}

// TestEveryExampleOfTheReferenceCompiles keeps the reference true.
func TestEveryExampleOfTheReferenceCompiles(t *testing.T) {
	policy := mustParse(t, string(DefaultYAML()))
	fields := append(Fields(policy), scoreFields()...)
	compiler, err := newCompiler(&strictyaml.Faults{}, &spending{}, fields, []constant{{"unusual_floor", int64(5000)}})
	if err != nil {
		t.Fatal(err)
	}
	compile := func(what, example string) {
		if compiler.compile(node(example), what, wantTruth) == nil {
			t.Errorf("%s: the example does not compile: %v", what, compiler.faults.Err())
			*compiler.faults, *compiler.spent = strictyaml.Faults{}, spending{}
		}
	}
	for _, field := range fields {
		compile(field.Name, field.Example)
		if !strings.Contains(field.Example, field.Name) && !strings.Contains(field.Example, strings.TrimPrefix(field.Name, "payment.")) {
			t.Errorf("the example of %s does not read it: %s", field.Name, field.Example)
		}
	}
	for _, f := range Functions() {
		compile(f.Name, f.Example)
	}
}
