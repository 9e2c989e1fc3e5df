package console

import (
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/country"
	"github.com/probity/probity/internal/standard/money"
)

// factWriter writes what a rule read as a person reads it: "Place known: no" for history.place_known, "USD 1,200.00" for an amount.
type factWriter struct {
	policy   *risk.Policy
	currency string // of the payment
}

// factName names a fact that every policy has in a few words.
func factName(name string) string {
	switch name {
	case "payment.amount_minor":
		return "Amount"
	case "payment.amount_reference":
		return "Amount, by the policy's rates"
	case "payment.amount_known":
		return "Currency has a rate"
	case "payment.country":
		return "Country"
	case "payment.region":
		return "Region"
	case "payment.city":
		return "City"
	case "payment.ip":
		return "IP address"
	case "payment.device_id":
		return "Device"
	case "payment.method_given":
		return "Payment method named"
	case "payment.fingerprint_given":
		return "Card fingerprint sent"
	case "payment.method_kind":
		return "Kind of payment method"
	case "payment.occurred_at":
		return "Made"
	case "payment.hour":
		return "Hour, UTC"
	case "payment.minute_of_day":
		return "Minute of the day, UTC"
	case "payment.day_of_month":
		return "Day of the month, UTC"
	case "history.approved_payments":
		return "Approved payments in 400 days"
	case "history.established":
		return "Established account"
	case "history.place_known":
		return "Place known"
	case "history.device_known":
		return "Device known"
	case "history.method_known":
		return "Payment method known"
	case "history.seconds_since_elsewhere":
		return "Last seen in another country"
	case "history.spending.count":
		return "Approved payments in this currency"
	case "history.spending.mean_minor":
		return "Their mean"
	case "history.spending.stddev_minor":
		return "Their standard deviation"
	case "history.spending.max_minor":
		return "The largest of them"
	case "score.probability":
		return "Score"
	case "score.points":
		return "Points of the score"
	default:
		return upperFirst(name[strings.LastIndexByte(name, '.')+1:])
	}
}

// words names a fact: an aggregate by its meaning, a list by its name.
func (f factWriter) words(name string) string {
	if list, found := strings.CutPrefix(name, "list."); found {
		return "On the list " + list
	}
	if a := f.aggregate(name); a != nil && a.Meaning != "" {
		return strings.TrimSuffix(a.Meaning, ".")
	}
	return factName(name)
}

func (f factWriter) aggregate(name string) *risk.Aggregate {
	name, found := strings.CutPrefix(name, "aggregate.")
	for i := range f.policy.Aggregates {
		if found && f.policy.Aggregates[i].Name == name {
			return &f.policy.Aggregates[i]
		}
	}
	return nil
}

// value writes the value of a fact. text is as a condition writes it.
func (f factWriter) value(name, text string) string {
	switch {
	case text == "true":
		return "yes"
	case text == "false":
		return "no"
	case text == `""`:
		return "not given"
	}
	if quoted, err := strconv.Unquote(text); err == nil {
		if name == "payment.country" && country.Name(quoted, web.English) != "" {
			return country.Name(quoted, web.English)
		}
		return quoted
	}
	figure, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return f.figure(name, figure)
}

func (f factWriter) figure(name string, figure float64) string {
	reference, _ := f.policy.ReferenceCurrency()
	switch {
	case name == "score.probability":
		return percent(figure)
	case name == "payment.amount_reference":
		return money.Format(int64(figure), reference)
	case name == "history.seconds_since_elsewhere":
		return seconds(figure)
	case strings.HasSuffix(name, "_minor"):
		return money.Format(int64(figure+0.5), f.currency)
	}
	a := f.aggregate(name)
	if a == nil {
		return rounded(figure)
	}
	switch a.Definition.Function {
	case history.FraudShare:
		return percent(figure)
	case history.TimeSinceFirst, history.TimeSinceLast:
		return seconds(figure)
	case history.FirstSeen, history.LastSeen:
		if figure == 0 {
			return "never"
		}
		return time.Unix(int64(figure), 0).UTC().Format("2 Jan 2006, 15:04 UTC")
	case history.Ratio:
		return rounded(figure) + " ×"
	case history.Sum, history.Min, history.Max, history.Mean, history.Stddev:
		if a.Definition.Field == history.AmountMinor {
			return money.Format(int64(figure+0.5), f.currency)
		}
		return money.Format(int64(figure+0.5), reference)
	default:
		return rounded(figure)
	}
}

// seconds writes a length of time that a fact gives in seconds.
func seconds(figure float64) string {
	switch {
	case figure >= history.Never:
		return "never"
	case figure < 60:
		return plural(int(figure), "second", "seconds") + " before"
	default:
		return strings.TrimPrefix(web.FormatRemaining(time.Duration(figure)*time.Second, web.English), "in ") + " before"
	}
}

// read are the facts that a condition named, without the policy's own thresholds: those stand in the condition.
func (f factWriter) read(values []risk.Value) []saw {
	var out []saw
	for _, one := range values {
		if strings.HasPrefix(one.Name, "threshold.") {
			continue
		}
		out = append(out, saw{Words: f.words(one.Name), Value: f.value(one.Name, one.Text), Name: one.Name})
	}
	return out
}

// figures are facts with their meaning; used says which of them a raised rule read. Without payments in the currency there is no mean to show.
func (f factWriter) figures(values []risk.Value, used map[string]bool) []figure {
	var out []figure
	spent := false
	for _, one := range values {
		spent = spent || one.Name == "history.spending.count" && one.Text != "0"
		if strings.HasPrefix(one.Name, "history.spending.") && !strings.HasSuffix(one.Name, ".count") && !spent {
			continue
		}
		out = append(out, figure{Value: f.value(one.Name, one.Text), Words: f.words(one.Name), Name: one.Name, Used: used[one.Name]})
	}
	return out
}
