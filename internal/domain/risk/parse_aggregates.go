package risk

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/strictyaml"
)

// functions are what an aggregate can compute, as a policy names it, with what the reference says of it.
var functions = []struct {
	name     string
	function history.Function
	meaning  string
}{
	{"count", history.Count, "Payments."},
	{"sum", history.Sum, "Sum of the field, in its minor units."},
	{"min", history.Min, "Smallest value of the field; 0 without payments."},
	{"max", history.Max, "Largest value of the field; 0 without payments."},
	{"mean", history.Mean, "Mean of the field; 0 without payments."},
	{"stddev", history.Stddev, "Standard deviation of the field, of the population; 0 without payments."},
	{"distinct", history.Distinct, "Different values of the field, at most 64."},
	{"first_seen", history.FirstSeen, "The earliest payment, in seconds since 1970; 0 without payments."},
	{"last_seen", history.LastSeen, "The latest payment, in seconds since 1970; 0 without payments."},
	{"time_since_first", history.TimeSinceFirst, "Seconds from the earliest payment to this one; 0 without payments."},
	{"time_since_last", history.TimeSinceLast, "Seconds from the latest payment to this one; 1e9 without payments."},
	{"ratio", history.Ratio, "The field of this payment divided by the mean; 0 without payments."},
	{"fraud_share", history.FraudShare, "Share of the payments that were confirmed as fraud, 0 to 1; 0 without payments."},
}

// entityFields are what an aggregate can be about.
var entityFields = []history.Field{history.Account, history.PaymentMethod, history.MethodKind, history.Fingerprint, history.Merchant,
	history.Device, history.IP, history.Country, history.Region, history.City, history.Currency}

var amountFields = []history.Field{history.Amount, history.AmountMinor}

func fieldNames(fields []history.Field) []string {
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = string(field)
	}
	return names
}

func (p *Policy) readAggregates(top strictyaml.Mapping, compiler *compiler) {
	taken := map[string]bool{}
	for i, node := range top.List("aggregates", 1, MaxAggregates) {
		o := strictyaml.NewMapping(top.Faults, node, "aggregates["+strconv.Itoa(i)+"]", "name", "entity", "of?", "where?", "function", "field?", "window",
			"delay?", "include_current?", "meaning")
		before := top.Faults.Len()
		aggregate := Aggregate{
			Name:    o.Matching("name", wordShape, "a lower-case word, as account_attempts_1h"),
			Meaning: o.Text("meaning", 1024),
			Where:   o.Text("where", maxWhenBytes),
		}
		aggregate.Definition = readDefinition(o, compiler)
		if !unique(o, taken, aggregate.Name, "this aggregate is already there") {
			continue
		}
		if top.Faults.Len() == before {
			checkDefinition(o, aggregate.Definition)
		}
		p.Aggregates = append(p.Aggregates, aggregate)
	}
}

func readDefinition(o strictyaml.Mapping, compiler *compiler) history.Definition {
	d := history.Definition{
		Entity:         readEntity(o),
		Of:             history.ApprovedOnly,
		Window:         o.Span("window", history.MinWindow, history.MaxWindow),
		Delay:          o.Span("delay", history.MinWindow, history.MaxDelay),
		IncludeCurrent: o.Flag("include_current"),
	}
	if o.Has("of") && o.OneOf("of", "approved", "attempts") == "attempts" {
		d.Of = history.Attempts
	}
	names := make([]string, len(functions))
	for i, known := range functions {
		names[i] = known.name
	}
	if i := slices.Index(names, o.OneOf("function", names...)); i >= 0 {
		d.Function = functions[i].function
	}
	if o.Has("field") {
		d.Field = history.Field(o.OneOf("field", fieldNames(append(slices.Clone(amountFields), entityFields...))...))
	}
	if node := o.Fields["where"]; node != nil {
		if condition := compiler.compile(node, o.At("where"), wantFilter); condition != nil {
			d.Where, d.Filter = condition.canonical(), filter{condition}
		}
	}
	return d
}

// readEntity reads one field or a list of two.
func readEntity(o strictyaml.Mapping) []history.Field {
	node := o.Fields["entity"]
	if node == nil {
		return nil
	}
	nodes := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		nodes = node.Content
	}
	var entity []history.Field
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode || !slices.Contains(entityFields, history.Field(n.Value)) {
			o.Faults.Add(n, o.At("entity"), "must be one or two of %s%s", strings.Join(fieldNames(entityFields), ", "), strictyaml.Suggestion(n.Value, fieldNames(entityFields)))
			return nil
		}
		entity = append(entity, history.Field(n.Value))
	}
	if len(entity) < 1 || len(entity) > 2 {
		o.Faults.Add(node, o.At("entity"), "must be one or two of %s", strings.Join(fieldNames(entityFields), ", "))
		return nil
	}
	return entity
}

// checkDefinition asks history whether it can keep the aggregate.
func checkDefinition(o strictyaml.Mapping, d history.Definition) {
	_, err := history.NewSeriesSet(d)
	var refused *history.DefinitionError
	switch {
	case err == nil:
	case errors.As(err, &refused) && o.Has(refused.Field):
		o.Refuse(refused.Field, "%s", refused.Text)
	case errors.As(err, &refused):
		o.Faults.Add(o.Node, o.At(refused.Field), "%s", refused.Text)
	default:
		o.Faults.Add(o.Node, o.Path, "cannot be kept: %v", err)
	}
}

// filter is the condition of an aggregate over the payments that are folded.
type filter struct {
	condition *condition
}

// Match reports whether the payment counts. A filter that fails does not count it.
func (f filter) Match(payment *history.Payment) bool { return f.condition.truth(payment, nil) == yes }

// canonical writes the condition in one way however it was spaced, with the values of the thresholds that it reads: conditions with the same
// text are the same.
func (c *condition) canonical() string {
	text, err := cel.AstToString(c.checked)
	if err != nil {
		text = oneLine(c.source)
	}
	constants := c.constants()
	names := make([]string, 0, len(constants))
	for name := range constants {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text += fmt.Sprintf("; %s = %v", name, constants[name])
	}
	return text
}
