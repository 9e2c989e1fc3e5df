package risk

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"
	"go.yaml.in/yaml/v3"
)

// costLimit bounds one evaluation of one condition, in CEL cost units (about one for each operator). The default rules take fewer than
// 40, so that a rule has ample room and still ends within a fraction of a millisecond.
const costLimit = 10_000

// constant is a number that conditions read as threshold.<name>: an int64 or a float64.
type constant struct {
	name  string
	value any
}

type compiler struct {
	faults *faults
	lines  []string // of the document, to find where a block of text begins
	env    *cel.Env
}

func newCompiler(f *faults, data []byte, constants []constant) (*compiler, error) {
	options := []cel.EnvOption{
		ext.NativeTypes(reflect.TypeFor[PaymentFacts](), reflect.TypeFor[HistoryFacts](), ext.ParseStructTags(true)),
		cel.Variable("payment", cel.ObjectType("risk.PaymentFacts")),
		cel.Variable("history", cel.ObjectType("risk.HistoryFacts")),
		// An author writes amount_minor > 3 * mean_minor and means numbers, not CEL's int and double.
		cel.CrossTypeNumericComparisons(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals()),
		cel.ParserExpressionSizeLimit(maxWhenBytes),
	}
	for _, c := range constants {
		switch value := c.value.(type) {
		case int64:
			options = append(options, cel.Constant("threshold."+c.name, cel.IntType, types.Int(value)))
		case float64:
			options = append(options, cel.Constant("threshold."+c.name, cel.DoubleType, types.Double(value)))
		}
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, &PolicyError{Faults: []Fault{{Message: fmt.Sprintf("the rule language does not start: %v", err)}}}
	}
	return &compiler{faults: f, lines: strings.Split(string(data), "\n"), env: env}, nil
}

// compile returns the program of a condition, or nil after adding what is wrong with it.
func (c *compiler) compile(node *yaml.Node, path string) cel.Program {
	ast, issues := c.env.Compile(node.Value)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			line, column := c.place(node, e.Location.Line(), e.Location.Column())
			c.faults.put(Fault{Line: line, Column: column, Path: path, Message: oneLine(e.Message)})
		}
		return nil
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		c.faults.add(node, path, "must be true or false, but is %s", ast.OutputType())
		return nil
	}
	program, err := c.env.Program(ast, cel.CostLimit(costLimit))
	if err != nil {
		c.faults.add(node, path, "cannot be planned; make it simpler")
		return nil
	}
	// A condition that is too dear even for empty facts would be raised for every payment; what only some facts make dear is stopped then.
	adapt := c.env.CELTypeAdapter().NativeToValue
	empty := &activation{payment: adapt(&PaymentFacts{}), history: adapt(&HistoryFacts{})}
	if _, failure := evaluate(program, empty); failure == FailureCost {
		c.faults.add(node, path, "costs more than the limit of %d; make it simpler", costLimit)
		return nil
	}
	return program
}

// place turns a place inside a condition (line from 1, column from 0) into one of the document. A folded text (">") has lost its line
// breaks, so there only the place of the condition is known.
func (c *compiler) place(node *yaml.Node, line, column int) (int, int) {
	switch {
	case node.Style&yaml.FoldedStyle != 0, line < 1:
		return node.Line, node.Column
	case node.Style&yaml.LiteralStyle != 0:
		at := node.Line + line
		if at > len(c.lines) {
			return node.Line, node.Column
		}
		return at, c.indent(node.Line) + column + 1
	case node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return node.Line, node.Column + 1 + column
	default:
		return node.Line, node.Column + column
	}
}

// indent returns the indentation of the text block whose indicator stands on the line: that of its first line that is not blank.
func (c *compiler) indent(indicatorLine int) int {
	for _, text := range c.lines[min(indicatorLine, len(c.lines)):] {
		if trimmed := strings.TrimLeft(text, " "); strings.TrimSpace(trimmed) != "" {
			return len(text) - len(trimmed)
		}
	}
	return 0
}

var spaces = regexp.MustCompile(`\s+`)

func oneLine(s string) string { return strings.TrimSpace(spaces.ReplaceAllString(s, " ")) }

// activation gives a condition its two variables without a map for each decision.
type activation struct {
	payment, history ref.Val
}

// ResolveName returns a variable by name.
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "payment":
		return a.payment, true
	case "history":
		return a.history, true
	default:
		return nil, false
	}
}

// Parent returns nil: there is no outer scope.
func (a *activation) Parent() interpreter.Activation { return nil }

// evaluate returns whether the condition holds. One that cannot be evaluated counts as raised, and failure says why.
func evaluate(condition cel.Program, facts *activation) (raised bool, failure Failure) {
	out, _, err := condition.Eval(facts)
	if err != nil {
		var canceled interpreter.EvalCancelledError
		if errors.As(err, &canceled) && canceled.Cause == interpreter.CostLimitExceeded {
			return true, FailureCost
		}
		return true, FailureEvaluation
	}
	truth, ok := out.Value().(bool)
	if !ok {
		return true, FailureEvaluation
	}
	return truth, ""
}
