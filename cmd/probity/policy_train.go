package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/domain/risk/scorecard"
)

// policyTrainCommand learns the model of a policy's scorecard from labelled payments.
type policyTrainCommand struct {
	paymentsFlags
	Policy     string   `help:"The policy (YAML); its scorecard.inputs are the features." required:"" placeholder:"FILE"`
	Train      string   `help:"Learn from these days, both included; earlier payments are history." required:"" placeholder:"FROM..TO"`
	Validate   string   `help:"Decide on these days when to stop, calibrate and measure; they begin --delay days after the last of --train or later." required:"" placeholder:"FROM..TO"`
	Cost       string   `help:"What a missed fraud and a review cost, in any unit: the threshold least_cost is chosen by it." placeholder:"MISSED:REVIEW"`
	Alerts     float64  `help:"So many alerts a day can be looked at: the threshold alert_budget is chosen by it." name:"alerts-per-day" placeholder:"N"`
	Out        string   `help:"Write the model here." type:"path" placeholder:"FILE"`
	PolicyOut  string   `help:"Write the policy with the model in it here." type:"path" placeholder:"FILE"`
	JSON       bool     `help:"Print one JSON object on standard output." name:"json"`
	Increasing []string `help:"Features that may only raise the score while they grow." placeholder:"NAME,…"`
	Decreasing []string `help:"Features that may only lower the score while they grow." placeholder:"NAME,…"`
	NoRefit    bool     `help:"Do not learn once more on all days, the validation included, after the number of rounds is known." name:"no-refit"`
	Pairs      int      `help:"Tables of two features, at most." default:"8"`
	Bags       int      `help:"Models that are averaged." default:"8"`
	Rounds     int      `help:"Of boosting, at most." default:"600"`
	Rate       float64  `help:"Share of each step that is taken." default:"0.05" name:"learning-rate"`
	Seed       uint64   `help:"Which payments are in which bag." default:"1"`
	Workers    int      `help:"Processors to use, 0 for all; the model does not depend on it."`
}

// Run trains and prints what came of it.
func (c *policyTrainCommand) Run(ctx context.Context) error {
	job, err := c.prepare()
	if err != nil {
		return err
	}
	begun := time.Now()
	past, err := c.open(job.policy, begun)
	if err != nil {
		return err
	}
	defer past.close()
	run, err := backtest.New(backtest.Setup{Policy: job.policy, From: job.trainFrom, To: job.validateTo,
		LabelDelay: time.Duration(c.Delay) * 24 * time.Hour, Observe: job.observe})
	if err != nil {
		return err
	}
	if err := past.each(ctx, run.Add); err != nil {
		return err
	}
	read := time.Since(begun)
	model, err := job.train(ctx, c)
	if err != nil {
		return err
	}
	if err := c.write(job, model); err != nil {
		return err
	}
	out := trainOutputOf(model, job)
	out.File = fileOutput{Rows: past.reader.Rows(), Faults: past.reader.Faults()}
	out.ReadSeconds, out.Seconds = read.Seconds(), time.Since(begun).Seconds()
	if c.JSON {
		return writeJSON(os.Stdout, out)
	}
	printTraining(os.Stdout, out)
	return nil
}

// trainJob is what a training works on.
type trainJob struct {
	policy                   *risk.Policy
	text                     []byte
	options                  scorecard.Options
	trainFrom, trainTo       time.Time // the first instant, and the first after
	validateFrom, validateTo time.Time
	windows                  scorecard.Windows
	row                      []float64
	cost                     *scorecard.Cost
}

func (c *policyTrainCommand) prepare() (*trainJob, error) {
	var err error
	job := &trainJob{}
	if c.Out == "" && c.PolicyOut == "" {
		return nil, errors.New("say with --out or --policy-out where to write the model")
	}
	if c.Delay < 0 || c.Delay > 366 {
		return nil, errors.New("--delay must be between 0 and 366 days")
	}
	if job.trainFrom, job.trainTo, err = parseDays("--train", c.Train); err != nil {
		return nil, err
	}
	if job.validateFrom, job.validateTo, err = parseDays("--validate", c.Validate); err != nil {
		return nil, err
	}
	if earliest := job.trainTo.AddDate(0, 0, c.Delay); job.validateFrom.Before(earliest) {
		return nil, fmt.Errorf("--validate must begin on %s or later: the labels of the last day of --train are known %d days after it", earliest.Format(time.DateOnly), c.Delay)
	}
	if job.cost, err = parseCost(c.Cost); err != nil {
		return nil, err
	}
	if job.text, err = policyText(c.Policy); err != nil {
		return nil, err
	}
	if job.policy, err = readPolicy(c.Policy); err != nil {
		return nil, err
	}
	if job.policy.Scorecard == nil {
		return nil, errors.New("the policy has no scorecard: its key scorecard.inputs says what the features are")
	}
	return job, c.describe(job)
}

// describe fills the options.
func (c *policyTrainCommand) describe(job *trainJob) error {
	features := make([]scorecard.FeatureOptions, len(job.policy.Scorecard.Features))
	for i, feature := range job.policy.Scorecard.Features {
		features[i] = scorecard.FeatureOptions{Name: feature.Name, Meaning: feature.Value}
	}
	for names, direction := range map[*[]string]scorecard.Direction{&c.Increasing: scorecard.Increasing, &c.Decreasing: scorecard.Decreasing} {
		for _, name := range *names {
			i := slices.IndexFunc(features, func(f scorecard.FeatureOptions) bool { return f.Name == name })
			if i < 0 {
				return errors.New("--increasing and --decreasing name features of the policy's scorecard.inputs")
			}
			features[i].Monotone = direction
		}
	}
	job.options = scorecard.DefaultOptions(job.policy.ID, features)
	o := &job.options
	o.Pairs, o.Bags, o.Rounds, o.LearningRate, o.Seed, o.Refit = c.Pairs, c.Bags, c.Rounds, c.Rate, c.Seed, !c.NoRefit
	o.Workers = cmp.Or(c.Workers, runtime.GOMAXPROCS(0))
	job.windows = scorecard.Windows{Train: scorecard.NewSample(len(features)), Between: scorecard.NewSample(len(features)), Validate: scorecard.NewSample(len(features))}
	return nil
}

// parseCost reads MISSED:REVIEW, nil when empty.
func parseCost(text string) (*scorecard.Cost, error) {
	if text == "" {
		return nil, nil
	}
	missed, review, found := strings.Cut(text, ":")
	cost := &scorecard.Cost{}
	var err error
	if cost.MissedFraud, err = strconv.ParseFloat(missed, 64); err == nil {
		cost.Review, err = strconv.ParseFloat(review, 64)
	}
	if !found || err != nil || !(cost.MissedFraud > 0 && cost.Review > 0) {
		return nil, errors.New("--cost must be what a missed fraud and a review cost, e.g. 100:4")
	}
	return cost, nil
}

// observe takes the features of one payment. A payment that nobody reported is taken for a good one.
func (job *trainJob) observe(row *backtest.Row, facts *risk.Facts) {
	sample := job.windows.Between
	switch at := row.Payment.OccurredAt; {
	case at.Before(job.trainTo):
		sample = job.windows.Train
	case !at.Before(job.validateFrom):
		sample = job.windows.Validate
	}
	job.row = job.policy.Scorecard.Inputs(facts, job.row[:0])
	sample.Add(job.row, row.Labelled && row.Fraud)
}

// days is how long the validation window is.
func (job *trainJob) days() float64 { return job.validateTo.Sub(job.validateFrom).Hours() / 24 }

func (job *trainJob) train(ctx context.Context, c *policyTrainCommand) (*scorecard.Model, error) {
	bar := newProgress("Training", 0)
	defer bar.finish()
	job.options.Progress = bar.share
	job.options.Stop = func() bool { return ctx.Err() != nil }
	choose := func(m *scorecard.Model) ([]scorecard.Threshold, error) {
		var out []scorecard.Threshold
		if job.cost != nil {
			t, err := m.ByCost("least_cost", job.windows.Validate, job.days(), *job.cost)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		if c.Alerts > 0 {
			t, err := m.ByAlerts("alert_budget", job.windows.Validate, job.days(), c.Alerts)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		return out, nil
	}
	model, err := scorecard.Train(job.windows, job.options, choose)
	if errors.Is(err, scorecard.ErrStopped) {
		return nil, context.Canceled
	}
	if err != nil {
		return nil, err
	}
	lastDay := func(after time.Time) string { return scorecard.Day(after.Add(-time.Second)) }
	p := &model.Provenance
	p.TrainedFrom, p.TrainedTo = scorecard.Day(job.trainFrom), lastDay(job.trainTo)
	if job.options.Refit {
		p.TrainedTo = lastDay(job.validateTo)
	}
	p.ValidatedFrom, p.ValidatedTo = scorecard.Day(job.validateFrom), lastDay(job.validateTo)
	p.LabelDelayDays = int64(c.Delay)
	return model, nil
}

// write writes the model, and the policy with it.
func (c *policyTrainCommand) write(job *trainJob, model *scorecard.Model) error {
	if c.Out != "" {
		if err := os.WriteFile(c.Out, model.AppendYAML(nil), 0o644); err != nil {
			return fmt.Errorf("write the model: %w", err)
		}
	}
	if c.PolicyOut == "" {
		return nil
	}
	text, err := model.Embed(job.text)
	if err != nil {
		return err
	}
	if _, err := risk.ParsePolicy(text); err != nil {
		return fmt.Errorf("the policy with the model in it: %w", err)
	}
	if err := os.WriteFile(c.PolicyOut, text, 0o644); err != nil {
		return fmt.Errorf("write the policy: %w", err)
	}
	return nil
}

// trainOutput is the JSON of a training.
type trainOutput struct {
	Payments         int64             `json:"payments"`
	Fraud            int64             `json:"fraud"`
	Seconds          float64           `json:"seconds"`
	ReadSeconds      float64           `json:"read_seconds"`
	AveragePrecision float64           `json:"average_precision"` // on the validation window, not learned from
	AUCROC           float64           `json:"auc_roc"`
	LogLoss          float64           `json:"log_loss"`
	TestFrom         string            `json:"test_from"` // the first day whose payments the model can be tested on
	Thresholds       []thresholdOutput `json:"thresholds"`
	Features         []weightOutput    `json:"features"`
	File             fileOutput        `json:"file"`
}

type thresholdOutput struct {
	Name         string  `json:"name"`
	Points       float64 `json:"points"`
	Probability  float64 `json:"probability"`
	Basis        string  `json:"basis"`
	AlertsPerDay float64 `json:"alerts_per_day"`
	Precision    float64 `json:"precision"`
	Recall       float64 `json:"recall"`
}

// weightOutput is how much a table moves scores.
type weightOutput struct {
	Name       string  `json:"name"`
	MeanPoints float64 `json:"mean_points"` // mean of the size of its points over the payments trained on
	MaxPoints  float64 `json:"max_points"`  // the most that it can add
}

func trainOutputOf(m *scorecard.Model, job *trainJob) trainOutput {
	p := m.Provenance
	out := trainOutput{Payments: p.Payments, Fraud: p.Frauds, AveragePrecision: p.AveragePrecision, AUCROC: p.AUCROC, LogLoss: p.LogLoss,
		TestFrom: scorecard.Day(job.trainTo.AddDate(0, 0, int(p.LabelDelayDays))), Thresholds: []thresholdOutput{}}
	if job.options.Refit {
		out.TestFrom = scorecard.Day(job.validateTo.AddDate(0, 0, int(p.LabelDelayDays)))
	}
	for _, t := range m.Thresholds {
		out.Thresholds = append(out.Thresholds, thresholdOutput{t.Name, t.Points.Float(), t.Probability, t.Basis, t.AlertsPerDay, t.Precision, t.Recall})
	}
	for _, f := range m.Features {
		sum, payments, most := 0.0, 0.0, math.Inf(-1)
		for _, bin := range append([]scorecard.Bin{f.Missing}, f.Bins...) {
			sum += math.Abs(bin.Points.Float()) * float64(bin.Payments)
			payments += float64(bin.Payments)
			if bin.Payments > 0 {
				most = max(most, bin.Points.Float())
			}
		}
		out.Features = append(out.Features, weightOutput{f.Name, math.Round(100*sum/max(payments, 1)) / 100, most})
	}
	slices.SortStableFunc(out.Features, func(a, b weightOutput) int { return cmp.Compare(b.MeanPoints, a.MeanPoints) })
	return out
}

// printTraining writes what a person wants to know first.
func printTraining(w io.Writer, out trainOutput) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("Learned from %s payments, %s of them fraud, in %.0f s (reading them took %.0f s)", grouped(out.Payments), grouped(out.Fraud), out.Seconds, out.ReadSeconds)
	say("On the validation window: average precision %.3f, AUC ROC %.3f, logarithmic loss %.4f", out.AveragePrecision, out.AUCROC, out.LogLoss)
	say("Labels up to then were used. Test it on payments from %s on.", out.TestFrom)
	for _, t := range out.Thresholds {
		say("")
		say("Threshold %s: %.2f points, probability %.4f (%s)", t.Name, t.Points, t.Probability, t.Basis)
		say("  %.1f alerts a day, precision %.1f%%, recall %.1f%%", t.AlertsPerDay, t.Precision*100, t.Recall*100)
	}
	say("")
	say("%-40s %12s %12s", "feature", "mean points", "at most")
	for i, f := range out.Features {
		if i == 20 {
			say("… and %d more", len(out.Features)-i)
			break
		}
		say("%-40s %12.2f %12.2f", f.Name, f.MeanPoints, f.MaxPoints)
	}
	say("")
	printFaults(say, "rows of the payments", out.File)
}
