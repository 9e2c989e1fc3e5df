package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/scorecard"
)

// paymentsToLearn writes 60 days of payments of 40 accounts. At any time, two of ten merchants lose money: two of three payments there are fraud.
func paymentsToLearn(t *testing.T, folder string) string {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var out strings.Builder
	out.WriteString("id,at,account,merchant,amount,currency,fraud\n")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 6000 {
		at = at.Add(14 * time.Minute)
		merchant := random.IntN(10)
		week := int(at.Unix() / (20 * 24 * 3600))
		bad := (merchant == week%10 || merchant == (week+5)%10) && random.IntN(3) > 0
		fmt.Fprintf(&out, "%d,%s,a%d,m%d,%d.50,EUR,%t\n", i, at.Format(time.RFC3339), random.IntN(40), merchant, 10+random.IntN(50), bad)
	}
	path := filepath.Join(folder, "payments.csv")
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const policyToTrain = `policy: shop
version: "1"
effective_from: 2026-01-01
description: For the tests.
combination: {established_after_approved: 10, capped_amount: 500.00, triggers_to_reject: 2}
aggregates:
  - {name: merchant_known, entity: merchant, function: count, window: 3d, delay: 3d, meaning: Payments.}
  - {name: merchant_share, entity: merchant, function: fraud_share, window: 3d, delay: 3d, meaning: Confirmed fraud among them.}
scorecard: # trained
  inputs:
    amount: payment.amount_reference
    merchant_share: aggregate.merchant_share * double(aggregate.merchant_known) / double(aggregate.merchant_known)
rules:
  - name: Large amount
    code: large_amount
    mode: active
    outcome: review
    message: {en: We look at payments of this size.}
    when: payment.amount_reference > 100000
reference:
  currency: EUR
  decimals: 2
  as_of: 2026-01-01
  source: None is needed.
  rates: [{currency: USD, decimals: 2, value: 0.9}]
`

func trainForTest(t *testing.T, change func(c *policyTrainCommand)) (model, policy []byte, err error) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "policy.yaml")
	if err := os.WriteFile(path, []byte(policyToTrain), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &policyTrainCommand{paymentsFlags: paymentsFlags{Payments: paymentsToLearn(t, folder), Delay: 3}, Policy: path,
		Train: "2026-01-08..2026-02-07", Validate: "2026-02-11..2026-02-24", Cost: "100:10", Alerts: 5,
		Out: filepath.Join(folder, "model.yaml"), PolicyOut: filepath.Join(folder, "trained.yaml"),
		Pairs: 1, Bags: 2, Rounds: 40, Rate: 0.1, Seed: 1, Workers: 1}
	change(c)
	stdout := os.Stdout
	os.Stdout, _ = os.Open(os.DevNull)
	defer func() { os.Stdout = stdout }()
	if err := c.Run(context.Background()); err != nil {
		return nil, nil, err
	}
	model, err = os.ReadFile(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	policy, err = os.ReadFile(c.PolicyOut)
	return model, policy, err
}

func TestTrainingWritesAModelAndThePolicyWithIt(t *testing.T) {
	text, policyText, err := trainForTest(t, func(*policyTrainCommand) {})
	if err != nil {
		t.Fatal(err)
	}
	model, err := scorecard.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p := model.Provenance
	if p.TrainedFrom != "2026-01-08" || p.TrainedTo != "2026-02-24" || p.ValidatedFrom != "2026-02-11" || p.LabelDelayDays != 3 || p.AUCROC < 0.75 {
		t.Errorf("got %+v", p)
	}
	// A merchant that was losing money is worth more points than one that was not.
	if good, bad := model.Score([]float64{3000, 0}), model.Score([]float64{3000, 0.7}); bad.Points < good.Points+4000 || bad.Probability < 5*good.Probability {
		t.Errorf("got %+v for a good merchant, %+v for a bad one", good, bad)
	}
	if len(model.Thresholds) != 2 || model.Thresholds[0].Name != "least_cost" || model.Thresholds[1].AlertsPerDay > 5 {
		t.Errorf("got %+v", model.Thresholds)
	}
	policy, err := risk.ParsePolicy(policyText)
	if err != nil {
		t.Fatal(err)
	}
	if got := policy.Scorecard.Model.AppendYAML(nil); !bytes.Equal(got, text) {
		t.Errorf("the model in the policy is another one:\n%s", got)
	}
	if again, _, err := trainForTest(t, func(c *policyTrainCommand) { c.Workers = 3 }); err != nil || !bytes.Equal(again, text) {
		t.Errorf("three workers learned another model: %v", err)
	}
}

func TestTrainingRefusesWhatWouldPeekOrMeanNothing(t *testing.T) {
	for name, test := range map[string]struct {
		change func(c *policyTrainCommand)
		want   string
	}{
		"a validation that begins before the labels are known": {func(c *policyTrainCommand) { c.Validate = "2026-02-10..2026-02-24" }, "--validate must begin on 2026-02-11 or later"},
		"a window without payments":                            {func(c *policyTrainCommand) { c.Validate = "2027-02-11..2027-02-24" }, "payments of both kinds"},
		"a cost of one number":                                 {func(c *policyTrainCommand) { c.Cost = "100" }, "--cost must be"},
		"a direction for a feature that is not there":          {func(c *policyTrainCommand) { c.Increasing = []string{"size"} }, "--increasing and --decreasing name features"},
		"nowhere to write":                                     {func(c *policyTrainCommand) { c.Out, c.PolicyOut = "", "" }, "--out or --policy-out"},
		"a policy without features":                            {func(c *policyTrainCommand) { c.Policy = "default" }, "has no scorecard"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := trainForTest(t, test.change); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestThePolicyOfTheBenchmarkCanBeTrained(t *testing.T) {
	policy, err := readPolicy("../../examples/card-fraud-benchmark/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if policy.Scorecard == nil || policy.Scorecard.Model != nil {
		t.Errorf("got %+v", policy.Scorecard)
	}
}
