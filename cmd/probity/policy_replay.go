package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// policyReplayCommand decides a stored payment again.
type policyReplayCommand struct {
	installationFlags
	Payment string `arg:"" help:"Payment id."`
	Tenant  string `help:"Tenant id; may be left out when there is only one."`
	JSON    bool   `help:"Print one JSON object on standard output." name:"json"`
}

// replayOutput is the JSON of a replay.
type replayOutput struct {
	PaymentID     string    `json:"payment_id"`
	DecidedAt     time.Time `json:"decided_at"`
	PolicyID      string    `json:"policy_id"`
	PolicyVersion string    `json:"policy_version"`
	Stored        answer    `json:"stored"`
	Again         answer    `json:"again"`
	Same          bool      `json:"same"`    // both answers
	Folded        int       `json:"folded"`  // earlier payments of the account that were folded again
	Differing     []string  `json:"differs"` // facts about the account that folding gives otherwise
	Raised        []raised  `json:"raised"`
	Granted       bool      `json:"granted"` // a retry grant let it pass, whatever the policy said
}

type answer struct {
	Outcome string   `json:"outcome"`
	Reasons []string `json:"reasons"`
}

type raised struct {
	Code   string   `json:"code"`
	Mode   string   `json:"mode"`
	Values []string `json:"values"`
}

// Run decides again, prints both answers, and fails when they differ.
func (c *policyReplayCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(a *app.App) error {
		tenantID, err := oneTenant(ctx, a, c.Tenant)
		if err != nil {
			return err
		}
		replay, err := a.Service.ReplayPayment(ctx, access.SystemActor(tenantID, "command"), c.Payment)
		if err != nil {
			return err
		}
		if replay.Unexplained != "" {
			return errors.New(whyNoReplay(replay.Unexplained))
		}
		out := replayOf(replay)
		if c.JSON {
			err = writeJSON(os.Stdout, out)
		} else {
			printReplay(os.Stdout, out)
		}
		if err == nil && !out.Same {
			return errors.New("the answer is not the stored one: the payment or the policy was changed after the decision")
		}
		return err
	})
}

func whyNoReplay(why service.Unexplained) string {
	switch why {
	case service.NotAsked:
		return "the policy was not asked about this payment: the account was restricted, or the payment only brings history"
	case service.TextGone:
		return "the policy that decided this payment is not stored here"
	case service.FactsGone:
		return "the facts of this payment cannot be read by the policy of that name as it is stored here"
	}
	return "this payment cannot be decided again"
}

func replayOf(r service.PaymentReplay) replayOutput {
	p, decision := r.Payment, &r.Explanation.Decision
	out := replayOutput{
		PaymentID: p.ID, DecidedAt: p.CreatedAt, PolicyID: p.PolicyID, PolicyVersion: p.PolicyVersion, Same: r.Same, Folded: r.Folded,
		Stored: answer{string(p.Outcome), codesOf(p.Reasons)}, Again: answer{string(decision.Outcome), []string{}},
		Differing: append([]string{}, r.Differing...), Raised: []raised{}, Granted: p.GrantID != "",
	}
	for _, reason := range decision.Reasons {
		out.Again.Reasons = append(out.Again.Reasons, reason.Code)
	}
	for _, rule := range r.Explanation.Rules {
		if !rule.True {
			continue
		}
		one := raised{Code: rule.Code, Mode: string(rule.Mode), Values: []string{}}
		for _, value := range rule.Reads {
			one.Values = append(one.Values, value.Name+" = "+value.Text)
		}
		out.Raised = append(out.Raised, one)
	}
	return out
}

func codesOf(reasons []payment.Reason) []string {
	codes := []string{}
	for _, reason := range reasons {
		codes = append(codes, reason.Code)
	}
	return codes
}

func (a answer) String() string {
	if len(a.Reasons) == 0 {
		return a.Outcome
	}
	return a.Outcome + " for " + strings.Join(a.Reasons, ", ")
}

func printReplay(w io.Writer, r replayOutput) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("Payment %s, decided %s by %s %s", r.PaymentID, r.DecidedAt.UTC().Format(time.RFC3339), r.PolicyID, r.PolicyVersion)
	say("  stored:  %s", r.Stored)
	say("  again:   %s", r.Again)
	if r.Granted {
		say("  A retry grant let the payment pass, whatever the policy said.")
	}
	for _, rule := range r.Raised {
		say("  %s (%s) was raised: %s", rule.Code, rule.Mode, strings.Join(rule.Values, ", "))
	}
	if r.Same {
		say("The same facts under the same policy give the stored answer.")
	}
	say("Facts about the account, folded again from %d earlier payments:", r.Folded)
	if len(r.Differing) == 0 {
		say("  all are as stored.")
		return
	}
	say("  these differ from what is stored, because of payments or verifications that came in since for the time before: %s", strings.Join(r.Differing, ", "))
}
