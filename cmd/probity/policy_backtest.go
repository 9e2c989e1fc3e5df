package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/backtestreport"
	"github.com/probity/probity/internal/adapter/paymentfile"
	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/standard/money"
)

// policyBacktestCommand tries a policy on past payments.
type policyBacktestCommand struct {
	paymentsFlags
	Policy      string `help:"The policy (YAML); default is the one that ships with Probity." default:"default" placeholder:"FILE"`
	Against     string `help:"Another policy to compare with, e.g. the current one." placeholder:"FILE"`
	Train       string `help:"First fit the scorecard of the policy on these days, both included." placeholder:"FROM..TO"`
	Test        string `help:"Measure these days only, both included; earlier payments are history. Accounts known to be compromised are left out of the measures of ranking, as in the public benchmark." placeholder:"FROM..TO"`
	AllAccounts bool   `help:"Leave no account out of the measures of ranking." name:"all-accounts"`
	HTML        string `help:"Write a report with plots here, one file that needs nothing else." name:"html" type:"path" placeholder:"FILE"`
	JSON        bool   `help:"Print one JSON object on standard output." name:"json"`
	Lists       string `help:"What stands on the policy's lists (CSV or NDJSON): list, value, expires_at, reason. Without it they are empty." type:"existingfile" placeholder:"FILE"`
	Profile     string `help:"Write a CPU profile here." hidden:"" type:"path"`
	Differences int    `help:"How many payments to list that the two policies answer differently." default:"100"`

	out io.Writer // for tests; nil: standard output
}

// outputOf is the JSON of a backtest.
type outputOf struct {
	*backtest.Report
	Training *trainOutput `json:"training,omitempty"`
	File     fileOutput   `json:"file"`
	Labels   *fileOutput  `json:"labels,omitempty"`
	// ListEntries is how many entries of lists were taken from a file.
	ListEntries int `json:"list_entries,omitempty"`
}

// fileOutput is what was not used of a file.
type fileOutput struct {
	Rows   int64              `json:"rows"`
	Unused int                `json:"unused,omitempty"` // labels of payments that are not in the file
	Faults paymentfile.Faults `json:"faults"`
}

// Run runs the backtest and prints what came of it.
func (c *policyBacktestCommand) Run(ctx context.Context) error {
	setup, err := c.setup()
	if err != nil {
		return err
	}
	listed, err := c.readLists(&setup)
	if err != nil {
		return err
	}
	var training *trainOutput
	if c.Train != "" {
		if setup.Policy, training, err = c.trained(ctx, setup); err != nil {
			return err
		}
	}
	finish, err := profileTo(c.Profile)
	if err != nil {
		return err
	}
	defer finish()
	run, err := backtest.New(setup)
	if err != nil {
		return err
	}
	begun := time.Now()
	past, err := c.open(setup.Policy, begun)
	if err != nil {
		return err
	}
	defer past.close()
	if err := past.each(ctx, run.Add); err != nil {
		return err
	}
	report := run.Report()
	report.Seconds = time.Since(begun).Seconds()
	report.PaymentsPerSecond = float64(report.Streamed) / max(report.Seconds, 1e-9)
	out := outputOf{Report: report, Training: training, File: fileOutput{Rows: past.reader.Rows(), Faults: past.reader.Faults()}, ListEntries: listed}
	if past.labels != nil {
		out.Labels = &fileOutput{Rows: int64(past.labels.Count()), Unused: past.labels.Unused(), Faults: past.labels.Faults()}
	}
	if c.HTML != "" {
		if err := c.report(out, begun); err != nil {
			return err
		}
	}
	return c.print(out)
}

// report writes the HTML report.
func (c *policyBacktestCommand) report(out outputOf, madeAt time.Time) error {
	page := backtestreport.Page{Report: out.Report, MadeAt: madeAt, Sources: []backtestreport.Source{sourceOf(c.Payments, out.File)}}
	if out.Labels != nil {
		page.Sources = append(page.Sources, sourceOf(c.Labels, *out.Labels))
	}
	page.Notes = append(page.Notes, fmt.Sprintf("A label that does not say when it became known became so %d days after its payment.", c.Delay))
	if out.ListEntries > 0 {
		page.Notes = append(page.Notes, fmt.Sprintf("%s entries of lists were taken from %s, each until it expires.", grouped(int64(out.ListEntries)), filepath.Base(c.Lists)))
	}
	if t := out.Training; t != nil {
		page.Notes = append(page.Notes, fmt.Sprintf("The scorecard was learned from %s payments of %s, %s of them fraud.", grouped(t.Payments), c.Train, grouped(t.Fraud)))
	}
	if c.Test != "" && !c.AllAccounts {
		page.Notes = append(page.Notes, "Payments of accounts that were known to be compromised are left out of the measures of ranking, as in the public benchmark.")
	}
	return createFile("the report", c.HTML, func(file io.Writer) error { return backtestreport.Render(file, page) })
}

func sourceOf(path string, file fileOutput) backtestreport.Source {
	s := backtestreport.Source{Name: filepath.Base(path), Rows: file.Rows, Refused: file.Faults.Total}
	for _, reason := range file.Faults.ByReason {
		s.Reasons = append(s.Reasons, backtestreport.Reason{Text: reason.Reason, Rows: reason.Rows})
	}
	for _, fault := range file.Faults.Listed {
		s.Lines = append(s.Lines, backtestreport.Line{Number: fault.Line, Text: fault.Reason})
	}
	return s
}

// setup reads the policies and dates.
func (c *policyBacktestCommand) setup() (backtest.Setup, error) {
	var setup backtest.Setup
	var err error
	switch {
	case c.Delay < 0 || c.Delay > 366:
		return setup, errors.New("--delay must be between 0 and 366 days")
	case c.Differences < 1 || c.Differences > 100_000:
		return setup, errors.New("--differences must be between 1 and 100000")
	}
	setup.LabelDelay, setup.MaxDifferences = time.Duration(c.Delay)*24*time.Hour, c.Differences
	if setup.Policy, err = readPolicy(c.Policy); err != nil {
		return setup, err
	}
	if c.Against != "" {
		if setup.Against, err = readPolicy(c.Against); err != nil {
			return setup, err
		}
	}
	if c.Test != "" {
		if setup.From, setup.To, err = parseDays("--test", c.Test); err != nil {
			return setup, err
		}
		setup.Protocol = !c.AllAccounts
	}
	return setup, nil
}

// parseDays reads FROM..TO, two dates of which both are included, and returns the first instant and the first after.
func parseDays(flag, text string) (from, to time.Time, err error) {
	first, last, found := strings.Cut(text, "..")
	if found {
		from, err = time.Parse(time.DateOnly, first)
	}
	if found && err == nil {
		to, err = time.Parse(time.DateOnly, last)
	}
	if !found || err != nil || to.Before(from) {
		return from, to, fmt.Errorf("%s must be two dates, e.g. 2018-07-18..2018-07-24; both are included", flag)
	}
	return from, to.AddDate(0, 0, 1), nil
}

func (c *policyBacktestCommand) stdout() io.Writer {
	if c.out != nil {
		return c.out
	}
	return os.Stdout
}

// print writes the JSON, or a summary for people, and the report.
func (c *policyBacktestCommand) print(out outputOf) error {
	if !c.JSON {
		printSummary(c.stdout(), out)
		return nil
	}
	return writeJSON(c.stdout(), out)
}

// printSummary writes what a person wants to know first.
func printSummary(w io.Writer, out outputOf) {
	r := out.Report
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("Policy %s %s on %s payments, %s of them fraud, %s to %s", r.PolicyID, r.PolicyVersion, grouped(r.Payments), grouped(r.Fraud),
		r.From.Format(time.DateOnly), r.To.Format(time.DateOnly))
	say("")
	say("%-10s %12s %9s %22s", "outcome", "payments", "fraud", "fraud amount")
	for _, line := range []struct {
		name  string
		count backtest.OutcomeCount
	}{{"approved", r.Outcomes.Approved}, {"review", r.Outcomes.Review}, {"rejected", r.Outcomes.Rejected}} {
		say("%-10s %12s %9s %22s", line.name, grouped(line.count.Payments), grouped(line.count.Fraud), money.Format(line.count.FraudMinor, r.Currency))
	}
	say("")
	say("Stopped: precision %s, recall %s; good payments stopped: %s (%s)", percent(r.Stopped.Precision), percent(r.Stopped.Recall),
		grouped(r.GoodBlocked+r.GoodHeld), percent(r.FalsePositives))
	say("Ranking by %s of %s payments: average precision %s, AUC ROC %s, card precision@100 %s", r.ScoredBy, grouped(r.Ranked),
		decimals(r.AveragePrecision), decimals(r.AUCROC), decimals(r.CardPrecision100))
	say("")
	say("%-34s %-8s %10s %8s %9s %9s %9s", "rule", "mode", "raised", "fraud", "precision", "recall", "alone")
	for _, rule := range r.Rules {
		say("%-34s %-8s %10s %8s %9s %9s %9s", rule.Code, rule.Mode, grouped(rule.Payments), grouped(rule.Fraud), percent(rule.Precision), percent(rule.Recall), grouped(rule.Alone))
	}
	if a := r.Against; a != nil {
		say("")
		say("Against %s %s: %s payments are answered differently", a.PolicyID, a.PolicyVersion, grouped(a.Changed))
		for _, move := range a.Moves {
			say("  %s → %s: %s payments, %s of them fraud (%s)", move.Before, move.After, grouped(move.Payments), grouped(move.Fraud), money.Format(move.FraudMinor, r.Currency))
		}
	}
	say("")
	if t := out.Training; t != nil {
		say("The scorecard was learned from %s payments, %s of them fraud, in %.0f s", grouped(t.Payments), grouped(t.Fraud), t.Seconds)
	}
	if out.ListEntries > 0 {
		say("%s entries of lists were used, each until it expires", grouped(int64(out.ListEntries)))
	}
	printFaults(say, "rows of the payments", out.File)
	if out.Labels != nil {
		printFaults(say, "labels", *out.Labels)
		say("%s labels belong to no payment of the file", grouped(int64(out.Labels.Unused)))
	}
	say("%.1f s, %s payments a second", r.Seconds, grouped(int64(r.PaymentsPerSecond)))
}

// printFaults lists the reasons, and the first lines.
func printFaults(say func(string, ...any), what string, file fileOutput) {
	if file.Faults.Total == 0 {
		say("All %s %s were used", grouped(file.Rows), what)
		return
	}
	say("%s of %s %s were not used:", grouped(file.Faults.Total), grouped(file.Rows), what)
	for _, reason := range file.Faults.ByReason {
		say("  %s × %s", grouped(reason.Rows), reason.Reason)
	}
	for i, fault := range file.Faults.Listed {
		if i == 10 {
			say("  … --json lists the first 100")
			break
		}
		say("  line %d: %s", fault.Line, fault.Reason)
	}
}

func percent(share *float64) string {
	if share == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", *share*100)
}

func decimals(measure *float64) string {
	if measure == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *measure)
}

// profileTo writes a CPU profile until the returned function is called; an empty path writes none.
func profileTo(path string) (func(), error) {
	if path == "" {
		return func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}
