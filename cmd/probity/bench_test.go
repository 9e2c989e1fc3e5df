package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/probity/probity/internal/bench"
)

func TestBenchesThatCannotBegin(t *testing.T) {
	good := benchPaymentsCommand{Connections: 1, Seconds: 1, Rounds: 1, seedFlags: seedFlags{Accounts: 1, SeedFor: 1}}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*benchPaymentsCommand)
		want   string
	}{
		"no connections":       {func(c *benchPaymentsCommand) { c.Connections = 0 }, "--connections"},
		"too many connections": {func(c *benchPaymentsCommand) { c.Connections = 5000 }, "--connections"},
		"no time":              {func(c *benchPaymentsCommand) { c.Seconds = 0 }, "--seconds"},
		"no rounds":            {func(c *benchPaymentsCommand) { c.Rounds = 0 }, "--rounds"},
		"a rate below zero":    {func(c *benchPaymentsCommand) { c.Rate = -1 }, "--rate"},
		"no accounts":          {func(c *benchPaymentsCommand) { c.Accounts = 0 }, "--accounts"},
		"too much history":     {func(c *benchPaymentsCommand) { c.History = 1001 }, "--history"},
		"a share above one":    {func(c *benchPaymentsCommand) { c.Risky = 1.5 }, "--risky"},
		"no time to seed":      {func(c *benchPaymentsCommand) { c.SeedFor = 0 }, "--seed-seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			test.change(&c)
			if err := c.check(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestABenchPrintsForPeople(t *testing.T) {
	var out bytes.Buffer
	r := bench.Result{DecisionsRPS: 12345.6, EchoRPS: 30000, Ratio: 0.4115, Connections: 64, Database: "sqlite", Policy: "default 1", Outcomes: map[string]int{"approved": 7}}
	if err := printBench(&out, r.Rounded()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"12346 a second", "ratio       0.41", "sqlite, policy default 1", "approved:7"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
