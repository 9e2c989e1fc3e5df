package risk

import (
	"math"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/probity/probity/internal/domain/risk/history"
)

// Kind is the type of a field, as conditions and the reference know it.
type Kind string

// The kinds of fields.
const (
	KindBool      Kind = "bool"
	KindInt       Kind = "int"
	KindDouble    Kind = "double"
	KindString    Kind = "string"
	KindTimestamp Kind = "timestamp"
)

// Field is one thing that a condition may read.
type Field struct {
	Name    string // as a condition writes it, e.g. payment.amount_minor
	Kind    Kind
	Folded  bool   // also the filter of an aggregate may read it: it is about the payment alone
	Meaning string // for people
	Example string // a condition that reads it

	// One of these is set, by Kind. A filter is given no facts.
	truth  func(p *history.Payment, f *Facts) bool
	whole  func(p *history.Payment, f *Facts) int64
	number func(p *history.Payment, f *Facts) float64
	text   func(p *history.Payment, f *Facts) string
	at     func(p *history.Payment, f *Facts) time.Time
}

func (k Kind) celType() *cel.Type {
	switch k {
	case KindBool:
		return cel.BoolType
	case KindInt:
		return cel.IntType
	case KindDouble:
		return cel.DoubleType
	case KindString:
		return cel.StringType
	case KindTimestamp:
		return cel.TimestampType
	default:
		return cel.DynType
	}
}

// value returns the field's value as CEL takes it.
func (d *Field) value(p *history.Payment, f *Facts) any {
	switch d.Kind {
	case KindBool:
		return d.truth(p, f)
	case KindInt:
		return d.whole(p, f)
	case KindDouble:
		return d.number(p, f)
	case KindString:
		return d.text(p, f)
	case KindTimestamp:
		return d.at(p, f)
	default:
		return nil
	}
}

// Fields returns what a condition of the policy may read, in the order of the reference: the payment, the history, then the policy's
// own aggregates, lists, score and thresholds. With a nil policy, only what every policy has.
func Fields(policy *Policy) []Field {
	fields := append(paymentFields(), historyFields()...)
	if policy != nil {
		fields = append(fields, policy.ownFields()...)
	}
	return fields
}

func paymentFields() []Field {
	fields := []Field{
		{Name: "payment.amount_minor", Kind: KindInt, Meaning: "The amount in minor units of its currency: 1234 is EUR 12.34, or JPY 1,234.",
			Example: "payment.amount_minor > history.spending.max_minor",
			whole:   func(p *history.Payment, _ *Facts) int64 { return p.AmountMinor }},
		{Name: "payment.amount_reference", Kind: KindInt, Meaning: "About the same amount in minor units of the policy's reference currency; 0 when its rate table does not have the currency.",
			Example: "payment.amount_reference >= threshold.unusual_floor",
			whole:   func(p *history.Payment, _ *Facts) int64 { return p.AmountReference }},
		{Name: "payment.amount_known", Kind: KindBool, Meaning: "The rate table has the currency, so amount_reference says something.",
			Example: "!payment.amount_known || payment.amount_reference > 50000",
			truth:   func(p *history.Payment, _ *Facts) bool { return p.AmountKnown }},
		{Name: "payment.currency", Kind: KindString, Meaning: "ISO 4217 code.", Example: `payment.currency in ["USD", "EUR"]`,
			text: func(p *history.Payment, _ *Facts) string { return p.Currency }},
		{Name: "payment.country", Kind: KindString, Meaning: "Where the payment was made: ISO 3166-1 alpha-2, empty when not given.", Example: `payment.country == "SG"`,
			text: func(p *history.Payment, _ *Facts) string { return p.Place.Country }},
		{Name: "payment.region", Kind: KindString, Meaning: "Region as sent, empty when not given.", Example: `payment.region != ""`,
			text: func(p *history.Payment, _ *Facts) string { return p.Place.Region }},
		{Name: "payment.city", Kind: KindString, Meaning: "City as sent, empty when not given.", Example: `payment.city != ""`,
			text: func(p *history.Payment, _ *Facts) string { return p.Place.City }},
		{Name: "payment.ip", Kind: KindString, Meaning: "IP address as sent, empty when not given. To block one, use a list instead.", Example: `payment.ip != ""`,
			text: func(p *history.Payment, _ *Facts) string { return p.IP }},
		{Name: "payment.device_id", Kind: KindString, Meaning: "The tenant's identifier of the device, empty when not given.", Example: `payment.device_id == ""`,
			text: func(p *history.Payment, _ *Facts) string { return p.DeviceID }},
		{Name: "payment.method_given", Kind: KindBool, Meaning: "The payment names a payment method.", Example: "payment.method_given && !history.method_known",
			truth: func(p *history.Payment, _ *Facts) bool { return p.Method != history.Method{} }},
		{Name: "payment.fingerprint_given", Kind: KindBool, Meaning: "The tenant sent a fingerprint of the payment method.", Example: "payment.fingerprint_given",
			truth: func(p *history.Payment, _ *Facts) bool { return p.Method.Fingerprint != "" }},
		{Name: "payment.method_kind", Kind: KindString, Meaning: "card, bank_account or wallet; empty when not known.", Example: `payment.method_kind == "card"`,
			text: func(p *history.Payment, _ *Facts) string { return p.MethodKind }},
		{Name: "payment.merchant", Kind: KindString, Meaning: "The merchant as sent, empty when not given.", Example: `payment.merchant.startsWith("gift")`,
			text: func(p *history.Payment, _ *Facts) string { return p.Merchant }},
		{Name: "payment.occurred_at", Kind: KindTimestamp, Meaning: "When the payment was made.", Example: `payment.occurred_at > timestamp("2026-11-20T00:00:00Z")`,
			at: func(p *history.Payment, _ *Facts) time.Time { return p.OccurredAt }},
		{Name: "payment.hour", Kind: KindInt, Meaning: "Hour of the day in UTC, 0 to 23. What the clock said where the payer was is not known.", Example: "payment.hour >= 22",
			whole: func(p *history.Payment, _ *Facts) int64 { return secondOfDay(p.OccurredAt) / 3600 }},
		{Name: "payment.minute_of_day", Kind: KindInt, Meaning: "Minutes since midnight UTC, 0 to 1439.", Example: "payment.minute_of_day < 30",
			whole: func(p *history.Payment, _ *Facts) int64 { return secondOfDay(p.OccurredAt) / 60 }},
		{Name: "payment.weekday", Kind: KindInt, Meaning: "Day of the week in UTC, 1 for Monday to 7 for Sunday.", Example: "payment.weekday == 7",
			whole: func(p *history.Payment, _ *Facts) int64 { return weekday(p.OccurredAt) }},
		{Name: "payment.weekend", Kind: KindBool, Meaning: "Saturday or Sunday in UTC.", Example: "payment.weekend",
			truth: func(p *history.Payment, _ *Facts) bool { return weekday(p.OccurredAt) >= 6 }},
		{Name: "payment.night", Kind: KindBool, Meaning: "Before six in the morning in UTC.", Example: "payment.night && payment.amount_reference > 20000",
			truth: func(p *history.Payment, _ *Facts) bool { return secondOfDay(p.OccurredAt) < 6*3600 }},
		{Name: "payment.day_of_month", Kind: KindInt, Meaning: "Day of the month in UTC, 1 to 31.", Example: "payment.day_of_month == 1",
			whole: func(p *history.Payment, _ *Facts) int64 { return int64(p.OccurredAt.UTC().Day()) }},
	}
	for i := range fields {
		fields[i].Folded = true
	}
	return fields
}

const secondsPerDay = 24 * 60 * 60

func secondOfDay(at time.Time) int64 {
	second := at.Unix() % secondsPerDay
	if second < 0 {
		second += secondsPerDay
	}
	return second
}

// weekday is 1 for Monday to 7 for Sunday, in UTC. 1970-01-01 was a Thursday.
func weekday(at time.Time) int64 {
	days := (at.Unix() - secondOfDay(at)) / secondsPerDay
	return ((days+3)%7+7)%7 + 1
}

func historyFields() []Field {
	return []Field{
		{Name: "history.approved_payments", Kind: KindInt, Meaning: "The account's approved payments in all currencies.", Example: "history.approved_payments < 3",
			whole: func(_ *history.Payment, f *Facts) int64 { return f.History.ApprovedPayments }},
		{Name: "history.established", Kind: KindBool, Meaning: "There are at least combination.established_after_approved of them, so the account has usual behaviour.",
			Example: "history.established && !history.device_known",
			truth:   func(_ *history.Payment, f *Facts) bool { return f.History.Established }},
		{Name: "history.place_known", Kind: KindBool, Meaning: "Country and region were met before; where either side does not know the region, the country.",
			Example: `payment.country != "" && !history.place_known`,
			truth:   func(_ *history.Payment, f *Facts) bool { return f.History.PlaceKnown }},
		{Name: "history.device_known", Kind: KindBool, Meaning: "The device was met before; false when not given.", Example: `payment.device_id != "" && !history.device_known`,
			truth: func(_ *history.Payment, f *Facts) bool { return f.History.DeviceKnown }},
		{Name: "history.method_known", Kind: KindBool, Meaning: "The payment method or its fingerprint was met before; false when not given.", Example: "payment.method_given && !history.method_known",
			truth: func(_ *history.Payment, f *Facts) bool { return f.History.MethodKnown }},
		{Name: "history.seconds_since_elsewhere", Kind: KindDouble, Meaning: "Seconds since the account was last seen in another country than the payment's; 1e9 when it was not, or the payment names no country.",
			Example: "history.seconds_since_elsewhere < 3600.0",
			number:  func(_ *history.Payment, f *Facts) float64 { return f.History.SinceElsewhere }},
		{Name: "history.spending.count", Kind: KindInt, Meaning: "The account's approved payments in the payment's currency.", Example: "history.spending.count >= 5",
			whole: func(_ *history.Payment, f *Facts) int64 { return f.History.Spending.Count }},
		{Name: "history.spending.mean_minor", Kind: KindDouble, Meaning: "Mean of their amounts in minor units; 0 when there are none.", Example: "payment.amount_minor > 3.0 * history.spending.mean_minor",
			number: func(_ *history.Payment, f *Facts) float64 { return f.History.Spending.MeanMinor }},
		{Name: "history.spending.stddev_minor", Kind: KindDouble, Meaning: "Standard deviation of their amounts (of the population, so 0 when all are equal).",
			Example: "payment.amount_minor > history.spending.mean_minor + 3.0 * history.spending.stddev_minor",
			number:  func(_ *history.Payment, f *Facts) float64 { return f.History.Spending.StddevMinor }},
		{Name: "history.spending.max_minor", Kind: KindInt, Meaning: "The largest of their amounts; 0 when there are none.", Example: "payment.amount_minor > history.spending.max_minor",
			whole: func(_ *history.Payment, f *Facts) int64 { return f.History.Spending.MaxMinor }},
	}
}

// ownFields are those that the policy itself declares.
func (p *Policy) ownFields() []Field {
	var fields []Field
	for i := range p.Aggregates {
		a := &p.Aggregates[i]
		field := Field{Name: "aggregate." + a.Name, Kind: a.Kind(), Meaning: a.Meaning, Example: "aggregate." + a.Name + " > 3"}
		if field.Kind == KindInt {
			field.whole = func(_ *history.Payment, f *Facts) int64 { return wholeOf(f.aggregate(i)) }
		} else {
			field.number = func(_ *history.Payment, f *Facts) float64 { return f.aggregate(i) }
		}
		fields = append(fields, field)
	}
	for i, list := range p.Lists {
		fields = append(fields, Field{Name: "list." + list.Name, Kind: KindBool, Meaning: list.Meaning, Example: "list." + list.Name,
			truth: func(_ *history.Payment, f *Facts) bool { return f.Listed&(1<<i) != 0 }})
	}
	if p.scored() {
		fields = append(fields, scoreFields()...)
	}
	return fields
}

// wholeOf turns an aggregate into an int, as large as there is room for.
func wholeOf(value float64) int64 {
	switch {
	case value >= math.MaxInt64:
		return math.MaxInt64
	case value <= math.MinInt64:
		return math.MinInt64
	default:
		return int64(value)
	}
}

func scoreFields() []Field {
	return []Field{
		{Name: "score.probability", Kind: KindDouble, Meaning: "The scorecard's calibrated probability of fraud, 0 to 1.", Example: "score.probability >= 0.2",
			number: func(_ *history.Payment, f *Facts) float64 { return f.Score.Probability }},
		{Name: "score.points", Kind: KindDouble, Meaning: "The scorecard's points; twenty more double the odds of fraud.", Example: "score.points > 40.0",
			number: func(_ *history.Payment, f *Facts) float64 { return f.Score.Points.Float() }},
	}
}

// Function is one thing that a condition may call. There are no others, and no macros but these.
type Function struct {
	Name      string
	Signature string // as people read it
	Macro     bool   // it binds a name of its own
	Meaning   string
	Example   string // a condition that calls it
}

// Functions returns what a condition may call beside the operators.
func Functions() []Function {
	return []Function{
		{Name: "startsWith", Signature: "string.startsWith(string) → bool", Meaning: "The text begins with the other.", Example: `payment.merchant.startsWith("gift")`},
		{Name: "endsWith", Signature: "string.endsWith(string) → bool", Meaning: "The text ends with the other.", Example: `payment.merchant.endsWith(".example")`},
		{Name: "contains", Signature: "string.contains(string) → bool", Meaning: "The other is somewhere in the text.", Example: `payment.merchant.contains("casino")`},
		{Name: "matches", Signature: "string.matches(string) → bool", Meaning: "A part of the text matches the regular expression (RE2).", Example: `payment.merchant.matches("^gift ?cards?$")`},
		{Name: "size", Signature: "size(string) → int", Meaning: "Characters of a text, or elements of a list.", Example: "size(payment.device_id) < 8"},
		{Name: "int", Signature: "int(double) → int", Meaning: "The whole part of a number; a timestamp becomes seconds since 1970.", Example: "int(history.spending.mean_minor) == payment.amount_minor"},
		{Name: "double", Signature: "double(int) → double", Meaning: "The same number with a fraction: arithmetic takes two int or two double, comparisons take any.",
			Example: "double(payment.amount_minor) > 2.5 * double(history.spending.max_minor)"},
		{Name: "string", Signature: "string(int) → string", Meaning: "The number or truth as text.", Example: `string(payment.amount_minor).endsWith("00")`},
		{Name: "timestamp", Signature: "timestamp(string) → timestamp", Meaning: "An instant written as RFC 3339.", Example: `payment.occurred_at < timestamp("2026-12-24T00:00:00Z")`},
		{Name: "duration", Signature: "duration(string) → duration", Meaning: "A span of time.", Example: `payment.occurred_at - timestamp("2026-12-24T00:00:00Z") < duration("48h")`},
		{Name: "all", Macro: true, Signature: "list.all(x, condition) → bool", Meaning: "The condition holds for every element.", Example: `["DE", "FR"].all(c, payment.country != c)`},
		{Name: "exists", Macro: true, Signature: "list.exists(x, condition) → bool", Meaning: "The condition holds for an element.", Example: `["gift", "casino"].exists(w, payment.merchant.contains(w))`},
		{Name: "exists_one", Macro: true, Signature: "list.exists_one(x, condition) → bool", Meaning: "The condition holds for exactly one element.", Example: `["a", "b"].exists_one(w, payment.merchant.contains(w))`},
	}
}

func functionNames() []string {
	var names []string
	for _, f := range Functions() {
		names = append(names, f.Name)
	}
	return names
}
