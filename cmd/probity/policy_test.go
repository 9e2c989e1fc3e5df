package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/service"
)

// writeFile writes a file of the test and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pastText is a little history: one account that pays the same every day, a fraud of ten times that, and a row that cannot be used.
func pastText() string {
	var text strings.Builder
	text.WriteString("Ref;When;Who;Sum;Bad\n")
	for day := range 28 {
		fmt.Fprintf(&text, "p%d;%02d/02/2018 10:00:00;anna;12,50;N\n", day, day+1)
	}
	text.WriteString("f1;28/02/2018 11:00:00;anna;12500,00;Y\nx;yesterday;anna;1,00;N\n")
	return text.String()
}

const pastMap = `
delimiter: ";"
columns:
  id: Ref
  at: {column: When, format: "DD/MM/YYYY hh:mm:ss"}
  account: Who
  amount: {column: Sum, decimal_comma: true}
  currency: {constant: EUR}
  fraud: {column: Bad, "true": [Y]}
`

func backtestForTest(t *testing.T) *policyBacktestCommand {
	t.Helper()
	return &policyBacktestCommand{
		paymentsFlags: paymentsFlags{Payments: writeFile(t, "past.csv", pastText()), Map: writeFile(t, "map.yaml", pastMap), Delay: 7},
		Policy:        defaultName, Differences: 10,
	}
}

func TestBacktestPrintsOneObjectForMachines(t *testing.T) {
	var out bytes.Buffer
	c := backtestForTest(t)
	c.JSON, c.out, c.Against, c.HTML = true, &out, defaultName, filepath.Join(t.TempDir(), "report.html")
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Payments         int64    `json:"payments"`
		Seconds          float64  `json:"seconds"`
		AveragePrecision *float64 `json:"average_precision"`
		AUCROC           *float64 `json:"auc_roc"`
		CardPrecision100 *float64 `json:"card_precision_100"`
		Rules            []struct{ Code string }
		SavedMinor       int64 `json:"saved_minor"`
		Against          struct{ Changed *int64 }
		File             struct {
			Rows   int64
			Faults struct{ Total int64 }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Payments != 29 || got.Seconds <= 0 || got.File.Rows != 30 || got.File.Faults.Total != 1 || len(got.Rules) == 0 {
		t.Errorf("got %+v", got)
	}
	if got.AUCROC == nil || *got.AUCROC != 1 || got.AveragePrecision == nil || *got.AveragePrecision != 1 || got.CardPrecision100 == nil || got.SavedMinor == 0 {
		t.Errorf("got %+v, want the fraud rejected and ranked first", got)
	}
	if got.Against.Changed == nil || *got.Against.Changed != 0 {
		t.Errorf("got %+v, want no difference of a policy to itself", got.Against)
	}
	if page, err := os.ReadFile(c.HTML); err != nil || !bytes.HasPrefix(page, []byte("<!doctype html>")) {
		t.Errorf("got no report: %v", err)
	}
}

func TestBacktestTellsAPersonWhatCameOfIt(t *testing.T) {
	var out bytes.Buffer
	c := backtestForTest(t)
	c.out, c.Test = &out, "2018-02-20..2018-02-28"
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"on 10 payments, 1 of them fraud, 2018-02-20 to 2018-02-28", "unusual_spending", "recall 100.0%", "1 of 30 rows", "line 31: at: not an instant"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwithout %q", out.String(), want)
		}
	}
}

func TestBacktestRefusesWhatItCannotDo(t *testing.T) {
	tests := []struct {
		name   string
		change func(c *policyBacktestCommand)
		want   string
	}{
		{"days that are no days", func(c *policyBacktestCommand) { c.Test = "2018-02-28..2018-02-20" }, "two dates"},
		{"a delay below zero", func(c *policyBacktestCommand) { c.Delay = -1 }, "--delay"},
		{"a policy that does not parse", func(c *policyBacktestCommand) { c.Policy = writeFile(t, "p.yaml", "policy: [\n") }, "the policy is refused"},
		{"a currency that does not exist", func(c *policyBacktestCommand) { c.Map, c.Currency = "", "XYZ" }, "ISO 4217"},
		{"a map of other columns", func(c *policyBacktestCommand) {
			c.Map = writeFile(t, "m.yaml", "columns: {at: a, account: b, amount: c, currency: {constant: EUR}}")
		}, "no column"},
		{"a training without a test", func(c *policyBacktestCommand) { c.Train = "2018-02-01..2018-02-10" }, "--train needs --test"},
		{"a test before the labels of the training are known", func(c *policyBacktestCommand) {
			c.Train, c.Test = "2018-02-01..2018-02-10", "2018-02-17..2018-02-20"
		}, "2018-02-18"},
		{"a training of a policy without features", func(c *policyBacktestCommand) {
			c.Train, c.Test = "2018-02-01..2018-02-10", "2018-02-18..2018-02-20"
		}, "scorecard.inputs"},
		{"no map for unusual headings", func(c *policyBacktestCommand) { c.Map = "" }, "--map"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := backtestForTest(t)
			test.change(c)
			if err := c.Run(context.Background()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestFaultsOfAPolicyShowTheirPlace(t *testing.T) {
	text := strings.Replace(string(risk.DefaultYAML()), "history.place_known", "history.place_knwon", 1)
	_, err := readPolicy(writeFile(t, "p.yaml", text))
	if err == nil || !strings.Contains(err.Error(), "p.yaml:") || !strings.Contains(err.Error(), "did you mean") || !strings.Contains(err.Error(), "^") {
		t.Errorf("got %v, want the line, the caret and what was meant", err)
	}
}

func TestCheckRunsCases(t *testing.T) {
	good := writeFile(t, "good.yaml", "- {story: A first payment, payment: USD 20.00, expect: approved}\n")
	bad := writeFile(t, "bad.yaml", "- {story: A first payment, payment: USD 20.00, expect: rejected}\n")
	if err := (&policyCheckCommand{Policy: defaultName, Cases: []string{good}}).Run(); err != nil {
		t.Error(err)
	}
	if err := (&policyCheckCommand{Policy: defaultName, Cases: []string{good, bad}}).Run(); err == nil || !strings.Contains(err.Error(), "1 of 2 cases") {
		t.Errorf("got %v, want that one of two cases fails", err)
	}
	if err := (&policyCheckCommand{Policy: defaultName, Cases: []string{filepath.Dir(bad)}}).Run(); err == nil || !strings.Contains(err.Error(), "1 of 1 cases") {
		t.Errorf("got %v, want that the one case of the folder fails", err)
	}
	if err := (&policyCheckCommand{Policy: defaultName, Cases: []string{t.TempDir()}}).Run(); err == nil {
		t.Error("an empty folder of cases was taken for cases that pass")
	}
}

func TestParseDays(t *testing.T) {
	from, to, err := parseDays("--test", "2018-07-18..2018-07-24")
	if err != nil || from.Format(time.DateOnly) != "2018-07-18" || to.Format(time.DateOnly) != "2018-07-25" {
		t.Errorf("got %v %v %v, want both days included", from, to, err)
	}
	for _, text := range []string{"", "2018-07-18", "2018-07-18..", "..", "18/07/2018..24/07/2018"} {
		if _, _, err := parseDays("--test", text); err == nil || !strings.Contains(err.Error(), "--test") {
			t.Errorf("%q: got %v, want an error that names the flag", text, err)
		}
	}
}

func TestSplitDays(t *testing.T) {
	tests := []struct {
		name                  string
		days, delay           int
		wantValidate, wantGap int
	}{
		{"the week of the public protocol has no room for the delay", 7, 7, 1, 0},
		{"three months", 101, 7, 14, 7},
		{"a month", 30, 7, 5, 7},
		{"two days", 2, 7, 1, 0},
		{"one day cannot be split", 1, 7, 0, 0},
		{"no delay, no gap", 12, 0, 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if validate, gap := splitDays(test.days, test.delay); validate != test.wantValidate || gap != test.wantGap {
				t.Errorf("got %d and %d, want %d and %d", validate, gap, test.wantValidate, test.wantGap)
			}
		})
	}
}

func TestProgressSaysHowFarAndHowLong(t *testing.T) {
	begun := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	p := &progress{what: "Reading", total: 1000, begun: begun, rows: 50_000}
	p.read.Store(250)
	got := p.line(begun.Add(10 * time.Second))
	for _, want := range []string{"25%", "50,000 payments", "5,000/s", "30s left"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q without %q", got, want)
		}
	}
	if silent := (&progress{}); silent.out != nil {
		t.Error("draws without a terminal")
	}
}

func TestAReplayShowsBothAnswersAndWhatDiffers(t *testing.T) {
	replay := service.PaymentReplay{Same: true, Folded: 3, Differing: []string{"history.spending"}}
	replay.Payment = payment.Payment{ID: "pay_1", PolicyID: "default", PolicyVersion: "2", Outcome: payment.Rejected, Reasons: []payment.Reason{{Code: "new_location"}}}
	replay.Explanation = &risk.Explanation{Decision: risk.Decision{Outcome: risk.Rejected, Reasons: []risk.Reason{{Code: "new_location"}}}, Rules: []risk.RuleExplanation{
		{Evaluation: risk.Evaluation{Code: "new_location", Mode: risk.Active, True: true}, Reads: []risk.Value{{Name: "history.place_known", Text: "false"}}},
		{Evaluation: risk.Evaluation{Code: "quiet", Mode: risk.Active}},
	}}
	var out bytes.Buffer
	printReplay(&out, replayOf(replay))
	for _, want := range []string{"stored:  rejected for new_location", "again:   rejected for new_location", "history.place_known = false", "give the stored answer", "3 earlier payments", "history.spending"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwithout %q", out.String(), want)
		}
	}
	if strings.Contains(out.String(), "quiet") {
		t.Error("a rule that was not raised is shown")
	}
}

func TestBacktestTakesListsFromAFileUntilTheirEntriesExpire(t *testing.T) {
	run := func(lists string) (report struct {
		Outcomes    struct{ Rejected struct{ Payments int64 } }
		ListEntries int `json:"list_entries"`
	}, err error) {
		var out bytes.Buffer
		c := backtestForTest(t)
		c.JSON, c.out = true, &out
		if lists != "" {
			c.Lists = writeFile(t, "lists.csv", lists)
		}
		if err = c.Run(context.Background()); err == nil {
			err = json.Unmarshal(out.Bytes(), &report)
		}
		return report, err
	}
	without, err := run("")
	if err != nil || without.ListEntries != 0 {
		t.Fatalf("got %+v, %v", without, err)
	}
	// The account pays every day of February; its entry counts for the payments before the 11th.
	with, err := run("list,value,expires_at,reason\nblocked_accounts,anna,2018-02-11,tried\n")
	if err != nil || with.ListEntries != 1 || with.Outcomes.Rejected.Payments != 10+without.Outcomes.Rejected.Payments {
		t.Errorf("got %+v, %v, want ten more rejected than %+v", with, err, without)
	}
	_, err = run("list,value,expires_at,reason\nblocked_accounts,anna,,\nblocked_acounts,anna,soon,\nblocked_accounts,ben,soon,\n")
	if err == nil || !strings.Contains(err.Error(), "lists.csv:3: list: the policy declares no list of this name\n") || !strings.Contains(err.Error(), "lists.csv:4: expires_at: not an instant") {
		t.Errorf("got %v, want the lines that are wrong", err)
	}
}
