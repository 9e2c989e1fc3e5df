package risk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"

	"github.com/probity/probity/internal/domain/risk/scorecard"
)

// Explanation says why a payment was decided as it was, for people. It holds values of the payment: show it only to those who may see them.
type Explanation struct {
	Decision       Decision
	PolicyID       string
	PolicyVersion  string
	ScorecardName  string // empty without a scorecard
	Rules          []RuleExplanation
	Aggregates     []Value   // all of the policy's, in its order
	Lists          []ListHit // all of the policy's, in its order
	Score          *scorecard.Explanation
	ScoreFeatures  []string // the names that Score's parts count by
	History        []Value
	EvaluatedUntil int // rules that were evaluated before the budget was over; -1 when it was not
}

// RuleExplanation is one rule with the values that made it true or false.
type RuleExplanation struct {
	Evaluation
	Effect   Effect
	Priority int64
	Hard     bool
	Decisive bool    // the decision is this rule's
	When     string  // the condition as written
	Reads    []Value // each field and threshold that the condition names, with its value
	Parts    []Part  // the comparisons that it consists of
}

// Value is a named value as a condition sees it.
type Value struct {
	Name    string
	Text    string // e.g. 1234, 0.25, true, "DE", 2026-11-20T12:00:00Z
	Meaning string // for people; empty where the name says it
}

// Part is a comparison inside a condition, or another part of it that is true or false by itself.
type Part struct {
	Text   string // as CEL writes it
	Truth  string // true, false or failed
	Values string // the same with the values in place of the names, e.g. 60000 >= 50000
}

// ListHit says whether the payment is on a list.
type ListHit struct {
	List
	Listed bool
}

// Explain decides the facts again and says what made each rule true or false. It evaluates in CEL's own interpreter, so it also proves
// that the faster way gives the same: a difference is returned as an error. It takes about a millisecond.
func Explain(policy *Policy, facts *Facts) (*Explanation, error) {
	decision := Decide(policy, facts)
	out := &Explanation{
		Decision: decision, PolicyID: policy.ID, PolicyVersion: policy.Version, EvaluatedUntil: -1,
		Aggregates: valuesOf(policy, facts, "aggregate."), History: valuesOf(policy, facts, "history."),
	}
	if facts.Budget.Overrun {
		out.EvaluatedUntil = facts.Budget.Evaluated
	}
	for i, list := range policy.Lists {
		out.Lists = append(out.Lists, ListHit{List: list, Listed: facts.Listed&(1<<i) != 0})
	}
	if card := policy.Scorecard; policy.scored() {
		score := card.Model.Explain(card.Inputs(facts, nil))
		out.Score, out.ScorecardName = &score, card.Model.Name
		for _, feature := range card.Features {
			out.ScoreFeatures = append(out.ScoreFeatures, feature.Name)
		}
	}
	evaluations := decision.Evaluations()
	for i := range policy.Rules {
		rule := &policy.Rules[i]
		if rule.Mode == Disabled {
			continue
		}
		explained := RuleExplanation{
			Evaluation: evaluations[0], Effect: rule.Effect, Priority: rule.Priority, Hard: rule.Hard, When: rule.When,
			Decisive: decision.DecidedBy == rule.Code || decision.DecidedBy == DecidedByCombination && rule.Effect == EffectTrigger &&
				rule.Mode == Active && decision.Raised.Has(i),
		}
		evaluations = evaluations[1:]
		if err := explained.explain(rule, facts); err != nil {
			return nil, err
		}
		out.Rules = append(out.Rules, explained)
	}
	return out, nil
}

// valuesOf returns the fields under a namespace with their values.
func valuesOf(policy *Policy, facts *Facts, namespace string) []Value {
	var out []Value
	for _, field := range Fields(policy) {
		if strings.HasPrefix(field.Name, namespace) {
			out = append(out, Value{Name: field.Name, Text: valueText(field.value(&facts.Payment, facts)), Meaning: field.Meaning})
		}
	}
	return out
}

// explain evaluates the rule's condition with every step recorded.
func (r *RuleExplanation) explain(rule *Rule, facts *Facts) error {
	c := rule.condition
	for _, name := range c.reads() {
		if value, ok := c.valueOf(name, facts); ok {
			r.Reads = append(r.Reads, Value{Name: name, Text: value})
		}
	}
	program, err := c.env.Program(c.checked, cel.EvalOptions(cel.OptTrackState, cel.OptExhaustiveEval), cel.CostLimit(maxConditionCost))
	if err != nil {
		return fmt.Errorf("the condition of rule %s cannot be planned: %w", rule.Code, err)
	}
	result, details, evalErr := program.Eval(&activation{condition: c, payment: &facts.Payment, facts: facts})
	if slow := truthOfResult(result, evalErr); slow != c.truth(&facts.Payment, facts) {
		return fmt.Errorf("the condition of rule %s is not the same in the interpreter", rule.Code)
	}
	if details != nil {
		r.Parts = c.parts(details.State(), facts)
	}
	return nil
}

// truthOfResult turns the interpreter's answer into ours.
func truthOfResult(result ref.Val, err error) truth {
	if err != nil || result == nil {
		return failed
	}
	if value, ok := result.Value().(bool); ok {
		return truthOf(value)
	}
	return failed
}

// valueOf returns the value of a field or threshold that the condition names.
func (c *condition) valueOf(name string, facts *Facts) (string, bool) {
	if field := c.fields[name]; field != nil {
		return valueText(field.value(&facts.Payment, facts)), true
	}
	if constant, ok := c.constants()[name]; ok {
		return valueText(constant), true
	}
	return "", false
}

// parts returns the smallest parts of the condition that have a truth of their own, in the order in which they are written.
func (c *condition) parts(state interpreter.EvalState, facts *Facts) []Part {
	checked := c.checked.NativeRep()
	var out []Part
	var visit func(e ast.Expr)
	visit = func(e ast.Expr) {
		if e.Kind() == ast.CallKind {
			switch e.AsCall().FunctionName() {
			case "_&&_", "_||_", "!_", "_?_:_":
				for _, arg := range e.AsCall().Args() {
					visit(arg)
				}
				return
			}
		}
		if !c.isTruth(e) {
			return
		}
		part := Part{Text: c.textOf(e), Values: c.valuesIn(e, facts), Truth: "failed"}
		if value, known := state.Value(e.ID()); known {
			if truth, ok := value.Value().(bool); ok {
				part.Truth = strconv.FormatBool(truth)
			}
		} else if info := checked.ReferenceMap()[e.ID()]; info != nil {
			if value, ok := c.valueOf(info.Name, facts); ok {
				part.Truth = value
			}
		}
		out = append(out, part)
	}
	visit(checked.Expr())
	return out
}

func (c *condition) isTruth(e ast.Expr) bool {
	return c.checked.NativeRep().GetType(e.ID()).IsExactType(cel.BoolType)
}

func (c *condition) textOf(e ast.Expr) string {
	text, err := parser.Unparse(e, c.checked.NativeRep().SourceInfo())
	if err != nil {
		return ""
	}
	return text
}

// valuesIn writes the part with values for names.
func (c *condition) valuesIn(e ast.Expr, facts *Facts) string {
	text := c.textOf(e)
	names := c.reads()
	// The longest first, so that no name is replaced inside a longer one.
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, name := range names {
		if value, ok := c.valueOf(name, facts); ok {
			pairs = append(pairs, name, value)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// valueText writes a value as a condition would.
func valueText(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(v)
	}
}
