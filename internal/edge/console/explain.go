package console

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/scorecard"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
)

// usedFirst splits figures into those that a raised rule read and the others.
func usedFirst(figures []figure) (used, others []figure) {
	for _, f := range figures {
		if f.Used {
			used = append(used, f)
		} else {
			others = append(others, f)
		}
	}
	return used, others
}

// rulesOf puts raised rules first: the grounds of the outcome, then others that count, then shadow ones.
func rulesOf(f factWriter, e *risk.Explanation) []ruleResult {
	var ranked [5][]ruleResult
	for i := range e.Rules {
		explained := &e.Rules[i]
		r := ruleResult{
			Name: explained.Rule, Code: explained.Code, When: strings.TrimSpace(explained.When), Saw: f.read(explained.Reads), Raised: explained.True,
			Decisive: explained.Decisive, Shadow: explained.Mode == risk.Shadow, Hard: explained.Hard, Approves: explained.Effect == risk.EffectApprove,
			Failed: failureWords(explained.Evaluation), Also: e.Decision.Outcome != risk.Approved,
		}
		for j := range f.policy.Rules {
			if f.policy.Rules[j].Code == explained.Code {
				r.Effect = effectOf(f.policy, &f.policy.Rules[j])
			}
		}
		for _, part := range explained.Parts {
			step := stepOf{Text: part.Text, Values: part.Values, Truth: part.Truth}
			if step.Values == step.Truth {
				step.Values = step.Text // a fact that is true or false by itself
			}
			r.Steps = append(r.Steps, step)
		}
		ranked[r.rank()] = append(ranked[r.rank()], r)
	}
	var out []ruleResult
	for _, some := range ranked {
		out = append(out, some...)
	}
	return out
}

func (r ruleResult) rank() int {
	switch {
	case r.Raised && r.Decisive:
		return 0
	case r.Raised && !r.Shadow:
		return 1
	case r.Failed != "":
		return 2
	case r.Raised:
		return 3
	default:
		return 4
	}
}

// failureWords says why a rule has no truth of its own.
func failureWords(e risk.Evaluation) string {
	switch e.Error {
	case risk.FailureEvaluation:
		if e.True {
			return "It could not be evaluated, by a division by zero for example, so it counts as raised."
		}
		return "It could not be evaluated, by a division by zero for example, so it did not count."
	case risk.FailureBudget:
		return "It was skipped: the time that the tenant gives a decision was over."
	default:
		return ""
	}
}

// decided is what is needed to say in words why a payment was decided as it was.
type decided struct {
	view        service.PaymentView
	policy      *risk.Policy
	explanation *risk.Explanation // nil when the policy was not asked, or what it read is gone
}

// verdict says what happened, and why, in two sentences.
func (d decided) verdict() (title, why string, tone web.Tone) {
	p := d.view.Payment
	switch {
	case p.Source == payment.FromHistory:
		return "Decided elsewhere: " + string(p.Outcome), "It was brought in from the past to teach the account's history. No policy of Probity was asked.", web.Neutral
	case len(p.Reasons) == 1 && p.Reasons[0].Code == service.ReasonRestricted:
		return "Rejected: the account was restricted", "Payments of this account were restricted already, until its verification is approved. The policy was not asked.", web.Negative
	case p.GrantID != "":
		return "Approved: one retry had been granted", "The holder was verified after an earlier rejection and could try that payment once more. " + d.wouldHave(), web.Positive
	case d.explanation == nil:
		return web.StatusLabel(web.English, string(p.Outcome)), reasonSentences(p.Reasons), web.ToneOf(string(p.Outcome))
	}
	switch p.Outcome {
	case payment.Rejected:
		return "Rejected" + d.by(), d.grounds(), web.Negative
	case payment.Review:
		if _, found := d.view.Review(); found {
			outcome := string(d.view.Outcome())
			return "Held" + d.by() + ". Then " + outcome + " by a person", d.grounds(), web.ToneOf(outcome)
		}
		return "Held for a person" + d.by(), d.grounds(), web.Info
	case payment.Approved:
		return d.approval()
	default:
		return string(p.Outcome), "", web.Neutral
	}
}

// wouldHave says what the policy alone would have answered to a retry.
func (d decided) wouldHave() string {
	if d.explanation == nil || d.explanation.Decision.Outcome == risk.Approved {
		return ""
	}
	return "By itself, the policy would have answered: " + web.StatusLabel(web.English, string(d.explanation.Decision.Outcome)) + "."
}

// by names what decided: one rule, the combination or the budget.
func (d decided) by() string {
	decision := &d.explanation.Decision
	switch decision.DecidedBy {
	case risk.DecidedByCombination:
		if n := len(d.names(func(r *risk.RuleExplanation) bool { return r.Decisive && r.True })); n > 1 {
			return ": " + strconv.Itoa(n) + " triggers were raised together"
		}
		return ": one trigger was raised, and the amount is above what it lets pass alone"
	case risk.DecidedByBudget:
		return ": it could not be checked in time"
	case "":
		return ""
	default:
		return ": " + strings.Join(d.names(func(r *risk.RuleExplanation) bool { return r.Code == decision.DecidedBy }), "")
	}
}

// grounds names the raised rules, and what they had to overcome.
func (d decided) grounds() string {
	decisive := d.names(func(r *risk.RuleExplanation) bool { return r.Decisive && r.True })
	others := d.names(func(r *risk.RuleExplanation) bool {
		return !r.Decisive && r.True && r.Mode == risk.Active && r.Effect != risk.EffectApprove
	})
	text := ""
	switch d.explanation.Decision.DecidedBy {
	case risk.DecidedByBudget:
		text = "The rules took longer than the tenant allows, and it rejects then."
	case risk.DecidedByCombination:
		text = join(decisive) + "."
	default:
		text = reasonSentences(d.view.Payment.Reasons)
	}
	if len(others) > 0 {
		text += " Also raised: " + join(others) + "."
	}
	return text
}

func (d decided) approval() (title, why string, tone web.Tone) {
	active := 0
	for i := range d.explanation.Rules {
		if d.explanation.Rules[i].Mode == risk.Active {
			active++
		}
	}
	raised := d.names(func(r *risk.RuleExplanation) bool {
		return r.True && r.Mode == risk.Active && r.Effect != risk.EffectApprove
	})
	approving := d.names(func(r *risk.RuleExplanation) bool { return r.True && r.Decisive && r.Effect == risk.EffectApprove })
	switch {
	case len(approving) > 0:
		return "Approved: " + join(approving), "A rule lets such payments pass. " + alsoRaised(raised), web.Positive
	case len(raised) == 0:
		return "Approved: nothing spoke against it", "None of " + plural(active, "active rule", "active rules") + " was raised.", web.Positive
	default:
		return "Approved: what was raised is not enough", alsoRaised(raised) + " " + d.notEnough(), web.Positive
	}
}

func alsoRaised(raised []string) string {
	if len(raised) == 0 {
		return ""
	}
	return "Raised: " + join(raised) + "."
}

// notEnough says why raised triggers did not reject.
func (d decided) notEnough() string {
	if !established(d.explanation) && d.policy.Combination.CappedAmountMinor > 0 {
		return "The account has little history yet, so that everything about it is new, and the amount is small."
	}
	return "Alone, it rejects larger amounts only."
}

func established(e *risk.Explanation) bool {
	for _, fact := range e.History {
		if fact.Name == "history.established" {
			return fact.Text == "true"
		}
	}
	return true
}

// names are the rules for which a test holds.
func (d decided) names(holds func(*risk.RuleExplanation) bool) []string {
	var out []string
	for i := range d.explanation.Rules {
		if holds(&d.explanation.Rules[i]) {
			out = append(out, d.explanation.Rules[i].Rule)
		}
	}
	return out
}

func reasonSentences(reasons []payment.Reason) string {
	texts := make([]string, 0, len(reasons))
	for _, reason := range reasons {
		texts = append(texts, reason.Message)
	}
	return strings.Join(texts, " ")
}

// scoreOf writes a score with its largest parts.
func scoreOf(e *risk.Explanation) *scoreView {
	if e.Score == nil {
		return nil
	}
	s := &scoreView{
		Title: percent(e.Score.Score.Probability) + " likely to be fraud", Model: e.ScorecardName,
		Note: "In all " + e.Score.Score.Points.String() + " points; twenty more double the odds of fraud.",
		Base: "Every payment begins at " + e.Score.Base.String() + " points.",
	}
	var labels, notes []string
	var values []float64
	for _, part := range e.Score.Parts {
		if part.Points == 0 {
			continue
		}
		label, note := partWords(e, part)
		labels, notes, values = append(labels, label), append(notes, note), append(values, part.Points.Float())
	}
	s.Parts, s.Others = largest(partsOf(labels, notes, values, signed))
	return s
}

// shownParts is how many parts of a score are seen at once.
const shownParts = 8

// largest splits parts into those that weigh most, in their order, and the others.
func largest(parts []part) (most, others []part) {
	if len(parts) <= shownParts {
		return parts, nil
	}
	weights := make([]float64, 0, len(parts))
	for _, p := range parts {
		weights = append(weights, math.Abs(p.Share))
	}
	slices.Sort(weights)
	least := weights[len(weights)-shownParts]
	for _, p := range parts {
		if math.Abs(p.Share) >= least && len(most) < shownParts {
			most = append(most, p)
		} else {
			others = append(others, p)
		}
	}
	return most, others
}

func partWords(e *risk.Explanation, part scorecard.Part) (label, note string) {
	name := func(i int) string {
		if i >= 0 && i < len(e.ScoreFeatures) {
			return upperFirst(e.ScoreFeatures[i])
		}
		return "Feature " + strconv.Itoa(i+1)
	}
	label, note = name(part.First), part.FirstRange
	if part.Second >= 0 {
		label += " with " + strings.ToLower(name(part.Second))
		note += ", " + part.SecondRange
	}
	return label, note
}

// learnedOf is what was learned of the payment later, newest first.
func (v *visit) learnedOf(findings []payment.Finding, p people) []web.TimelineItem {
	var items []web.TimelineItem
	for i := len(findings) - 1; i >= 0; i-- {
		f := findings[i]
		items = append(items, web.TimelineItem{
			When: v.short(f.KnownAt), Stamp: web.Stamp(f.KnownAt), Title: upperFirst(findingName(f.Kind)), Who: p.who(f.ReportedBy), Tone: findingTone(f.Kind),
		})
	}
	return items
}
