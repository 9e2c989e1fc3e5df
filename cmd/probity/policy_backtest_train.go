package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/backtest"
)

// trained fits the scorecard of the policy on the days of --train, as `probity policy train` does with its defaults, and returns the policy
// with it, and what came of the training.
func (c *policyBacktestCommand) trained(ctx context.Context, setup backtest.Setup) (*risk.Policy, *trainOutput, error) {
	job, err := c.trainJob(setup)
	if err != nil {
		return nil, nil, err
	}
	begun := time.Now()
	past, err := c.open(job.policy, begun)
	if err != nil {
		return nil, nil, err
	}
	defer past.close()
	past.progress.what = "Learning history"
	run, err := backtest.New(backtest.Setup{
		Policy: job.policy, From: job.trainFrom, To: job.validateTo, LabelDelay: setup.LabelDelay, Lists: setup.Lists, Observe: job.observe,
	})
	if err != nil {
		return nil, nil, err
	}
	if err := past.each(ctx, run.Add); err != nil {
		return nil, nil, err
	}
	faults := fileOutput{Rows: past.reader.Rows(), Faults: past.reader.Faults()}
	model, err := job.train(ctx, trainDefaults(c.paymentsFlags))
	if err != nil {
		return nil, nil, err
	}
	out := trainOutputOf(model, job)
	out.File, out.Seconds = faults, time.Since(begun).Seconds()
	text, err := model.Embed(job.text)
	if err != nil {
		return nil, nil, err
	}
	policy, err := risk.ParsePolicy(text)
	return policy, &out, err
}

// trainDefaults is `probity policy train` as it is without flags.
func trainDefaults(payments paymentsFlags) *policyTrainCommand {
	return &policyTrainCommand{paymentsFlags: payments, Pairs: 8, Bags: 8, Rounds: 600, Rate: 0.05, Seed: 1}
}

// trainJob cuts the days of --train into those that are learned from and those that say when to stop. After both, the model is learned once
// more on all of them.
func (c *policyBacktestCommand) trainJob(setup backtest.Setup) (*trainJob, error) {
	if c.Test == "" {
		return nil, errors.New("--train needs --test: a model must not be measured on the payments it was learned from")
	}
	job := &trainJob{policy: setup.Policy}
	var to time.Time
	var err error
	if job.trainFrom, to, err = parseDays("--train", c.Train); err != nil {
		return nil, err
	}
	if earliest := to.AddDate(0, 0, c.Delay); setup.From.Before(earliest) {
		return nil, fmt.Errorf("--test must begin on %s or later: the labels of the last day of --train are known %d days after it", earliest.Format(time.DateOnly), c.Delay)
	}
	if setup.Policy.Scorecard == nil {
		return nil, errors.New("the policy has no scorecard: its key scorecard.inputs says what the features are")
	}
	if job.text, err = policyText(c.Policy); err != nil {
		return nil, err
	}
	days := int(to.Sub(job.trainFrom).Hours() / 24)
	validate, gap := splitDays(days, c.Delay)
	if validate < 1 {
		return nil, errors.New("--train must be at least two days")
	}
	job.validateFrom, job.validateTo = to.AddDate(0, 0, -validate), to
	job.trainTo = job.validateFrom.AddDate(0, 0, -gap)
	return job, trainDefaults(c.paymentsFlags).describe(job)
}

// splitDays returns how many of the last days say when to stop, and how many before them are left out, so that learning and stopping see
// labels as late as a live system would: a sixth, but not more than two weeks. A window without room for the gap does without.
func splitDays(days, delay int) (validate, gap int) {
	validate = min(max(days/6, 1), 14)
	if days-validate-delay >= 2*delay && days > validate+delay {
		return validate, delay
	}
	return min(max(days/4, 1), days-1), 0
}
