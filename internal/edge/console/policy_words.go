package console

import (
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/money"
)

// effectOf says what a rule does when it is raised.
func effectOf(policy *risk.Policy, r *risk.Rule) string {
	currency, _ := policy.ReferenceCurrency()
	alone := money.Format(r.AloneAboveMinor, currency)
	does, would := string(r.Effect), string(r.Effect)
	switch r.Effect {
	case risk.EffectTrigger:
		does, would = "Counts towards a rejection; alone, it rejects above "+alone, "Would count towards a rejection; alone, it would reject above "+alone
	case risk.EffectReview:
		does, would = "Holds the payment for a person", "Would hold the payment for a person"
	case risk.EffectReject:
		does, would = "Rejects the payment", "Would reject the payment"
	case risk.EffectApprove:
		does, would = "Lets the payment pass", "Would let the payment pass"
	default:
	}
	if r.Mode == risk.Shadow {
		does = would
	}
	switch {
	case r.Hard:
		return does + ", whatever else is true."
	case r.Priority != 0:
		return does + ", with priority " + strconv.FormatInt(r.Priority, 10) + "."
	default:
		return does + "."
	}
}

// combinedOf says how raised rules become an outcome.
func combinedOf(policy *risk.Policy) []string {
	c := policy.Combination
	currency, _ := policy.ReferenceCurrency()
	lines := []string{"A hard rule that is raised rejects, whatever else is true."}
	if !hasHard(policy) {
		lines = nil
	}
	lines = append(lines,
		plural(int(c.TriggersToReject), "raised trigger rejects", "raised triggers reject together")+", whatever the amount. One alone rejects above its own amount.")
	if c.EstablishedAfterApproved > 0 && c.CappedAmountMinor > 0 {
		lines = append(lines, "Below "+money.Format(c.CappedAmountMinor, currency)+", triggers reject nothing of an account with fewer than "+
			plural(int(c.EstablishedAfterApproved), "approved payment", "approved payments")+": everything about it is new.")
	}
	if asksForOutcomes(policy) {
		lines = append(lines, "Rules that hold, reject or approve by themselves: the highest priority counts, of equal ones the strictest.")
	}
	return append(lines, "When nothing is raised, the payment is approved.")
}

// budgetWords says how long a decision may take, and what follows when it takes longer.
func budgetWords(b publication.Budget) []string {
	switch {
	case b.Limit <= 0:
		return nil
	case b.FailClosed:
		return []string{"The rules of one payment may take " + b.Limit.String() + "; a payment that takes longer is rejected."}
	default:
		return []string{"The rules of one payment may take " + b.Limit.String() + "; those that are left then are skipped, hard ones never."}
	}
}

func hasHard(policy *risk.Policy) bool {
	for i := range policy.Rules {
		if policy.Rules[i].Hard && policy.Rules[i].Mode == risk.Active {
			return true
		}
	}
	return false
}

func asksForOutcomes(policy *risk.Policy) bool {
	for i := range policy.Rules {
		if policy.Rules[i].Effect != risk.EffectTrigger && policy.Rules[i].Mode == risk.Active {
			return true
		}
	}
	return false
}

// thresholdValue writes a threshold with its unit.
func thresholdValue(policy *risk.Policy, t risk.Threshold) string {
	currency, _ := policy.ReferenceCurrency()
	switch t.Unit {
	case risk.UnitFactor:
		return t.Value + " ×"
	case risk.UnitAmount:
		return currency + " " + t.Value
	case risk.UnitSeconds:
		if seconds, err := strconv.ParseInt(t.Value, 10, 64); err == nil {
			return span(time.Duration(seconds) * time.Second)
		}
		return t.Value + " s"
	case risk.UnitShare:
		if share, err := strconv.ParseFloat(t.Value, 64); err == nil {
			return percent(share)
		}
		return t.Value
	default:
		return t.Value
	}
}

// span writes a length of time in its largest whole unit: "10 minutes", "30 days".
func span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour && d%(24*time.Hour) == 0:
		return plural(int(d/(24*time.Hour)), "day", "days")
	case d >= time.Hour && d%time.Hour == 0:
		return plural(int(d/time.Hour), "hour", "hours")
	case d >= time.Minute && d%time.Minute == 0:
		return plural(int(d/time.Minute), "minute", "minutes")
	default:
		return plural(int(d/time.Second), "second", "seconds")
	}
}

// aggregateWords says what an aggregate is computed from.
func aggregateWords(a *risk.Aggregate) string {
	d := a.Definition
	of := "approved payments"
	if d.Of == history.Attempts {
		of = "attempts, whatever their outcome"
	}
	entity := make([]string, 0, len(d.Entity))
	for _, field := range d.Entity {
		entity = append(entity, fieldName(field))
	}
	words := functionName(d.Function, d.Field) + " of the " + join(entity) + ": " + of + " in " + span(d.Window)
	if d.Delay > 0 {
		words += ", up to " + span(d.Delay) + " before the payment"
	}
	if a.Where != "" {
		words += ", where " + oneLine(a.Where)
	}
	if d.IncludeCurrent {
		words += ", this payment included"
	}
	return words
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func functionName(f history.Function, field history.Field) string {
	amount := "amount"
	if field == history.AmountMinor {
		amount = "amount in its own currency"
	}
	switch f {
	case history.Count:
		return "Count"
	case history.Sum:
		return "Sum of the " + amount
	case history.Min:
		return "Smallest " + amount
	case history.Max:
		return "Largest " + amount
	case history.Mean:
		return "Mean " + amount
	case history.Stddev:
		return "Standard deviation of the " + amount
	case history.Distinct:
		return "Different values of " + fieldName(field)
	case history.FirstSeen:
		return "First seen"
	case history.LastSeen:
		return "Last seen"
	case history.TimeSinceFirst:
		return "Time since the first"
	case history.TimeSinceLast:
		return "Time since the last"
	case history.Ratio:
		return "This " + amount + " against the mean"
	case history.FraudShare:
		return "Share of confirmed fraud"
	default:
		return "Value"
	}
}

func fieldName(field history.Field) string {
	switch field {
	case history.PaymentMethod:
		return "payment method"
	case history.MethodKind:
		return "kind of payment method"
	case history.Fingerprint:
		return "card fingerprint"
	case history.IP:
		return "IP address"
	case history.AmountMinor:
		return "amount in its own currency"
	default:
		return strings.ReplaceAll(string(field), "_", " ")
	}
}
