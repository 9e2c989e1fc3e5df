package console

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/problem"
)

// usualSpan is how far back a trial looks unless the form says otherwise.
const usualSpan = 30 * 24 * time.Hour

func showBacktest(v *visit) error {
	if err := v.actor.Require(access.DraftPolicies); err != nil {
		return err
	}
	zone := v.tenant.Zone()
	f := &form{values: map[string][]string{
		"from": {v.now.Add(-usualSpan).In(zone).Format(time.DateOnly)}, "to": {v.now.In(zone).Format(time.DateOnly)}, "version": {v.r.URL.Query().Get("version")},
	}}
	return v.backtestBody(http.StatusOK, f, nil)
}

// runBacktest tries a version on stored payments. It changes nothing, so its answer is the page itself, which is sent part by part when it
// takes long.
func runBacktest(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	in := service.PolicyTrial{PolicyID: f.text("version")}
	if in.PolicyID == shippedID {
		in.PolicyID = ""
	}
	if in.From, err = time.ParseInLocation(time.DateOnly, f.text("from"), v.tenant.Zone()); err != nil {
		f.fail("from", "Write the first day of the span.")
	}
	if in.To, err = time.ParseInLocation(time.DateOnly, f.text("to"), v.tenant.Zone()); err != nil {
		f.fail("to", "Write the last day of the span.")
	}
	in.To = in.To.AddDate(0, 0, 1)
	if len(f.errors) > 0 {
		return v.backtestBody(http.StatusUnprocessableEntity, f, nil)
	}
	t := v.startTrial(in)
	defer t.stop()
	if t.more {
		return v.watchTrial(f, t)
	}
	if err := t.err; err != nil {
		if problem.Is(err, problem.TooMany) {
			f.fail("", sentenceCase(problem.As(err).Message))
			return v.backtestBody(http.StatusTooManyRequests, f, nil)
		}
		if !f.take(err, map[string]string{"to": "to", "policy_id": "version"}) {
			return err
		}
		return v.backtestBody(statusOf(err), f, nil)
	}
	result := v.trialWords(t.got)
	return v.backtestBody(http.StatusOK, f, &result)
}

// trial is a trial under way. It runs while it is asked for its next step, in the goroutine that asks.
type trial struct {
	step service.TrialProgress // where it stands
	more bool                  // there was a step: it is not done
	next func() (service.TrialProgress, bool)
	stop func() // gives it up, or does nothing when it is done

	got service.PolicyTrialResult
	err error
}

// startTrial begins a trial and runs it to its first step, which a short one ends without.
func (v *visit) startTrial(in service.PolicyTrial) *trial {
	t := &trial{}
	ctx, cancel := context.WithCancel(v.r.Context())
	next, stop := iter.Pull(func(yield func(service.TrialProgress) bool) {
		in.Progress = func(p service.TrialProgress) {
			if !yield(p) {
				cancel()
			}
		}
		t.got, t.err = v.s.Service.TryPolicy(ctx, v.actor, in)
	})
	t.next, t.stop = next, func() { cancel(); stop() }
	t.step, t.more = next()
	return t
}

// watchTrial sends the page with how far the trial is, again and again, and with what came of it at its end.
func (v *visit) watchTrial(f *form, t *trial) error {
	view, err := v.backtestView(f)
	if err != nil {
		return err
	}
	page, err := v.frame("Backtest", "/console/policy")
	if err != nil {
		return err
	}
	view.running = templ.ComponentFunc(func(ctx context.Context, out io.Writer) error {
		last, deciding := -1.0, false
		for ; t.more; t.step, t.more = t.next() {
			// The line before is hidden by the style sheet. A twentieth is as often as a screen reader can bear.
			if now := t.step.Payments > 0; last < 0 || now != deciding || t.step.Share-last >= 0.05 {
				last, deciding = t.step.Share, now
				if err := errors.Join(trialStep(t.step).Render(ctx, out), templ.Flush().Render(ctx, out)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	view.ended = templ.ComponentFunc(func(ctx context.Context, out io.Writer) error {
		if t.err != nil {
			_, title, text := explain(t.err)
			return web.BannerText(title, text, web.Negative).Render(ctx, out)
		}
		return backtestResults(v.trialWords(t.got)).Render(ctx, out)
	})
	v.note(web.Stream(v.w, v.r, http.StatusOK, page, backtestPage(view)))
	return nil
}

func (v *visit) backtestBody(status int, f *form, result *backtestResult) error {
	view, err := v.backtestView(f)
	if err != nil {
		return err
	}
	view.result = result
	return v.show(status, "Backtest", "/console/policy", backtestPage(view))
}

func (v *visit) backtestView(f *form) (backtestView, error) {
	choices, err := v.versionChoices(f.text("version"), "")
	if err != nil {
		return backtestView{}, err
	}
	choices = slices.DeleteFunc(choices, func(o web.Option) bool { return strings.HasSuffix(o.Label, string(publication.Withdrawn)) })
	chosen := f.text("version")
	choices = append(choices, web.Option{Value: shippedID, Label: "The policy that ships", Selected: chosen == "" || chosen == shippedID})
	if chosen == "" && len(choices) > 1 {
		choices[0].Selected, choices[len(choices)-1].Selected = true, false
	}
	waiting, err := v.proposed()
	return backtestView{form: f, choices: choices, waiting: len(waiting)}, err
}

// trialWords writes what came of a trial.
func (v *visit) trialWords(got service.PolicyTrialResult) backtestResult {
	r := got.Report
	out := backtestResult{
		Title: versionTitle(got.Tried) + " against " + lowerFirst(versionTitle(got.Live)), Tried: shortTitle(got.Tried), Live: shortTitle(got.Live) + ", live",
	}
	if r.Payments == 0 {
		out.Span = "No payment was made in this span."
		return out
	}
	out.Span = plural(int(r.Payments), "payment", "payments") + " from " + v.short(r.From) + " to " + v.short(r.To) + ", " + grouped(r.Fraud) + " known to be fraud"
	if got.Tried.ID == got.Live.ID {
		out.Noted = append(out.Noted, "This is the version that is live: both sides decide alike. What differs from what was answered then comes from lists and feedback of today.")
	}
	live, tried := r.Against.Outcomes, r.Outcomes
	out.Outcomes = []besideLine{
		beside2("Approved", live.Approved.Payments, tried.Approved.Payments, 0), beside2("Held for a person", live.Review.Payments, tried.Review.Payments, 0),
		beside2("Rejected", live.Rejected.Payments, tried.Rejected.Payments, 0),
	}
	out.Money = fraudLines(r)
	out.Rules = ruleLines(r)
	out.Changed = r.Against.Changed
	for _, d := range r.Against.Differences {
		out.Examples = append(out.Examples, v.changed(got, d))
	}
	return out
}

// fraudLines compare what is known: nothing when nothing was reported.
func fraudLines(r *backtest.Report) []besideLine {
	if r.Labelled == 0 {
		return nil
	}
	live := r.Against.Result
	amount := func(label, note string, was, is int64, good int) besideLine {
		line := beside2(label, was, is, good)
		line.Note, line.Live, line.Tried = note, money.Format(was, r.Currency), money.Format(is, r.Currency)
		if was != is {
			line.Diff = plusMinus(is-was) + money.Format(abs(is-was), r.Currency)
		}
		return line
	}
	stopped := beside2("Fraud stopped", live.Stopped.Fraud, r.Stopped.Fraud, 1)
	stopped.Note = "of " + plural(int(r.Fraud), "payment", "payments") + ", rejected or held"
	blocked := beside2("Good payments rejected", live.GoodBlocked, r.GoodBlocked, -1)
	blocked.Note = "not reported as fraud"
	held := beside2("Good payments held", live.GoodHeld, r.GoodHeld, -1)
	precision := besideLine{Label: "Share of fraud among the stopped", Live: shareOf(live.Stopped.Precision), Tried: shareOf(r.Stopped.Precision)}
	return []besideLine{
		stopped, amount("Amount saved", "fraud that was rejected", live.SavedMinor, r.SavedMinor, 1), amount("Amount lost", "fraud that was approved", live.LostMinor, r.LostMinor, -1),
		blocked, held, precision,
	}
}

// ruleLines compare how often each rule was raised, by its code.
func ruleLines(r *backtest.Report) []besideLine {
	was := map[string]backtest.RuleResult{}
	for _, rule := range r.Against.Rules {
		was[rule.Code] = rule
	}
	var lines []besideLine
	for _, rule := range r.Rules {
		before, both := was[rule.Code]
		delete(was, rule.Code)
		line := beside2(rule.Name, before.Payments, rule.Payments, 0)
		line.Note = ruleNote(rule)
		if !both {
			line.Live, line.Diff = "not there", "new"
		}
		lines = append(lines, line)
	}
	for _, rule := range r.Against.Rules {
		if _, gone := was[rule.Code]; gone {
			lines = append(lines, besideLine{Label: rule.Name, Note: ruleNote(rule), Live: grouped(rule.Payments), Tried: "not there", Diff: "removed"})
		}
	}
	return lines
}

func ruleNote(rule backtest.RuleResult) string {
	note := rule.Code
	if rule.Mode != "active" {
		note += ", " + rule.Mode
	}
	if rule.Fraud > 0 && rule.Precision != nil {
		note += ", " + percent(*rule.Precision) + " of them fraud"
	}
	return note
}

func (v *visit) changed(got service.PolicyTrialResult, d backtest.Difference) changedPayment {
	var why []string
	for _, code := range d.Raised {
		why = append(why, ruleNamed(got, code))
	}
	line := changedPayment{
		ID: d.PaymentID, When: v.short(d.At), Amount: money.Format(d.AmountMinor, d.Currency), Live: d.Before, Tried: d.Outcome, Why: join(why), Known: "nothing",
	}
	switch {
	case d.Fraud:
		line.Known = "fraud"
	case d.Labelled:
		line.Known = "legitimate"
	}
	if line.Why == "" {
		line.Why = "nothing is raised any more"
	}
	return line
}

func ruleNamed(got service.PolicyTrialResult, code string) string {
	for i := range got.TriedPolicy.Rules {
		if got.TriedPolicy.Rules[i].Code == code {
			return got.TriedPolicy.Rules[i].Name
		}
	}
	return code
}

// beside2 compares two counts. good is 1 where more is better, -1 where less is, 0 where neither is said.
func beside2(label string, live, tried int64, good int) besideLine {
	line := besideLine{Label: label, Live: grouped(live), Tried: grouped(tried), Diff: "–"}
	if change := tried - live; change != 0 {
		line.Diff = plusMinus(change) + grouped(abs(change))
		line.Better = good > 0 && change > 0 || good < 0 && change < 0
		line.Worse = good != 0 && !line.Better
	}
	return line
}

func plusMinus(n int64) string {
	if n < 0 {
		return "−"
	}
	return "+"
}

func abs(n int64) int64 { return max(n, -n) }

func shareOf(share *float64) string {
	if share == nil {
		return "–"
	}
	return percent(*share)
}

// shortTitle names a version above a column.
func shortTitle(ver publication.Version) string {
	if ver.Number == 0 {
		return "Shipped"
	}
	return versionTitle(ver)
}

func lowerFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToLower(text[:1]) + text[1:]
}
