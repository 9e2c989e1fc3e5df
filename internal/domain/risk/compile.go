package risk

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	celenv "cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/strictyaml"
)

// The cost limits, in CEL cost units: about one for each operator, some 30 ns in the interpreter. They are checked when a policy is
// loaded, against the most that a condition can cost, and again by the interpreter while it runs. Together they bound a decision: no
// policy can make one take longer than a few milliseconds.
const (
	maxConditionCost = 5_000
	maxFilterCost    = 500    // of an aggregate's filter, which runs for every payment that is folded
	maxPolicyCost    = 50_000 // all conditions, filters and features together
	// maxExpressionBytes bounds the texts of all conditions, filters and features together: compiling one takes some 10 ms for each 4 KiB.
	maxExpressionBytes = 64 << 10
	maxTextBytes       = 512 // the longest text that a payment may carry, for the estimate
)

// constant is a number that conditions read as threshold.<name>: an int64 or a float64.
type constant struct {
	name  string
	value any
}

// condition is one compiled expression of a policy.
type condition struct {
	source  string
	env     *cel.Env
	checked *cel.Ast
	cost    uint64 // the most that it can cost
	fields  map[string]*Field

	truth   truthFunc     // the condition in Go, for bool
	number  expr[float64] // the expression in Go, for a feature of the scorecard
	program cel.Program   // for what closures do not cover; nil when they do
}

// compiler compiles the expressions of one policy.
type compiler struct {
	faults *strictyaml.Faults
	spent  *spending
	env    *cel.Env
	fields map[string]*Field
	names  []string // of all fields and thresholds, for "did you mean"
	total  uint64
}

// spending is what all compilers of one policy used up.
type spending struct {
	expressions int    // bytes of those that were compiled
	cost        uint64 // the most that they can cost together
}

func newCompiler(f *strictyaml.Faults, spent *spending, fields []Field, constants []constant) (*compiler, error) {
	c := &compiler{faults: f, spent: spent, fields: map[string]*Field{}}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(librarySubset())),
		// An author writes amount_minor > 3 * mean_minor and means numbers, not CEL's int and double.
		cel.CrossTypeNumericComparisons(true),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(),
			cel.ValidateComprehensionNestingLimit(2)),
		cel.ParserExpressionSizeLimit(maxWhenBytes),
	}
	for i := range fields {
		field := &fields[i]
		c.fields[field.Name] = field
		c.names = append(c.names, field.Name)
		options = append(options, cel.Variable(field.Name, field.Kind.celType()))
	}
	for _, k := range constants {
		c.names = append(c.names, "threshold."+k.name)
		switch value := k.value.(type) {
		case int64:
			options = append(options, cel.Constant("threshold."+k.name, cel.IntType, types.Int(value)))
		case float64:
			options = append(options, cel.Constant("threshold."+k.name, cel.DoubleType, types.Double(value)))
		}
	}
	env, err := cel.NewCustomEnv(options...)
	if err != nil {
		return nil, &strictyaml.Error{Document: documentName, Faults: []strictyaml.Fault{{Message: fmt.Sprintf("the rule language does not start: %v", err)}}}
	}
	c.env = env
	return c, nil
}

func librarySubset() *celenv.LibrarySubset {
	subset := &celenv.LibrarySubset{}
	for _, f := range Functions() {
		if f.Macro {
			subset.IncludeMacros = append(subset.IncludeMacros, f.Name)
		} else {
			subset.IncludeFunctions = append(subset.IncludeFunctions, &celenv.Function{Name: f.Name})
		}
	}
	for _, name := range []string{
		operators.Conditional, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Equals, operators.NotEquals,
		operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.Add, operators.Subtract,
		operators.Multiply, operators.Divide, operators.Modulo, operators.Negate, operators.In, operators.NotStrictlyFalse,
	} {
		subset.IncludeFunctions = append(subset.IncludeFunctions, &celenv.Function{Name: name})
	}
	return subset
}

// wanted is what an expression must yield.
type wanted uint8

const (
	wantTruth  wanted = iota + 1
	wantFilter        // a truth about the folded payment
	wantNumber
)

// compile returns the condition, or nil after adding what is wrong with it.
func (c *compiler) compile(node *yaml.Node, path string, want wanted) *condition {
	if !c.mayGoOn(node, path) {
		return nil
	}
	parsed, issues := c.env.Parse(node.Value)
	if issues.Err() != nil {
		c.report(node, path, issues, nil)
		return nil
	}
	before := c.faults.Len()
	unknown := c.checkNames(node, path, parsed.NativeRep())
	checked, issues := c.env.Check(parsed)
	if issues.Err() != nil {
		c.report(node, path, issues, unknown)
		if c.faults.Len() == before {
			c.faults.Add(node, path, "cannot be type-checked")
		}
		return nil
	}
	if !c.checkType(node, path, checked, want) || !c.checkDivisions(node, path, checked.NativeRep()) {
		return nil
	}
	out := &condition{source: node.Value, env: c.env, checked: checked, fields: c.fields}
	if !c.checkCost(node, path, out, want) {
		return nil
	}
	closer := &closer{checked: checked.NativeRep(), fields: c.fields}
	closed := false
	if want != wantNumber {
		out.truth, closed = closer.truth(checked.NativeRep().Expr())
	} else {
		out.number, closed = closer.number(checked.NativeRep().Expr())
	}
	if !closed {
		program, err := c.env.Program(checked, cel.CostLimit(maxConditionCost), cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			c.faults.Add(node, path, "cannot be planned; make it simpler")
			return nil
		}
		out.interpret(program)
	}
	return out
}

// mayGoOn bounds the work that one text can ask for: compiling ends with the last fault that is told, when the texts of all expressions
// together are too long, and when what was compiled costs too much already, which is told at the end.
func (c *compiler) mayGoOn(node *yaml.Node, path string) bool {
	before := c.spent.expressions
	c.spent.expressions += len(node.Value)
	if before <= maxExpressionBytes && c.spent.expressions > maxExpressionBytes {
		c.faults.Add(node, path, "all conditions, filters and features together may have %d bytes, and this one is over it", maxExpressionBytes)
	}
	return !c.faults.Full() && c.spent.expressions <= maxExpressionBytes && c.spent.cost <= maxPolicyCost
}

// report adds the interpreter's errors. Those about names that were reported already say nothing new.
func (c *compiler) report(node *yaml.Node, path string, issues *cel.Issues, unknown map[string]bool) {
	for _, e := range issues.Errors() {
		message := oneLine(e.Message)
		if name, isName := strings.CutPrefix(message, "undeclared reference to '"); isName {
			name, _, _ = strings.Cut(name, "'")
			if unknown[name] {
				continue
			}
			message = name + " is not known here" + strictyaml.Suggestion(name, append(functionNames(), c.names...))
		}
		c.faults.AddInside(node, path, strictyaml.Place{Line: e.Location.Line(), Column: e.Location.Column()}, message)
	}
}

func (c *compiler) checkType(node *yaml.Node, path string, checked *cel.Ast, want wanted) bool {
	output := checked.OutputType()
	switch {
	case want != wantNumber && !output.IsExactType(cel.BoolType):
		c.faults.Add(node, path, "must be true or false, but is %s", output)
	case want == wantNumber && !output.IsExactType(cel.DoubleType) && !output.IsExactType(cel.IntType):
		c.faults.Add(node, path, "must be a number, but is %s", output)
	default:
		return true
	}
	return false
}

// checkNames adds a fault for each payment.x, history.x and so on that does not exist, and returns the roots it found.
func (c *compiler) checkNames(node *yaml.Node, path string, parsed *ast.AST) map[string]bool {
	reported, bound := map[string]bool{}, map[string]bool{}
	ast.PreOrderVisit(parsed.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			bound[e.AsComprehension().IterVar()], bound[e.AsComprehension().IterVar2()], bound[e.AsComprehension().AccuVar()] = true, true, true
		}
	}))
	inner := map[int64]bool{} // operands of a longer name
	ast.PreOrderVisit(parsed.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		name, root := dotted(e, inner)
		namespace, _, hasDot := strings.Cut(name, ".")
		if name == "" || bound[namespace] || c.known(name) {
			return
		}
		if _, isNamespace := namespaces[namespace]; !isNamespace {
			return // a method of a text, or a name that the type check refuses with its place
		}
		reported[namespace], reported[name] = true, true
		start := parsed.SourceInfo().GetStartLocation(root.ID())
		message := name + " is not known"
		if !hasDot {
			message = name + " is not a value; name a field of it"
		}
		c.faults.AddInside(node, path, strictyaml.Place{Line: start.Line(), Column: start.Column()}, message+c.hint(name, namespace))
	}))
	return reported
}

// namespaces are the roots of all fields, with what to say when the policy declares none.
var namespaces = map[string]string{
	"payment": "", "history": "", "aggregate": "the policy declares no aggregates", "list": "the policy declares no lists",
	"score": "the policy has no trained scorecard", "threshold": "the policy declares no such threshold",
}

func (c *compiler) hint(name, namespace string) string {
	if found := strictyaml.Suggestion(name, c.names); found != "" {
		return found
	}
	var there []string
	for _, known := range c.names {
		if strings.HasPrefix(known, namespace+".") {
			there = append(there, known)
		}
	}
	switch {
	case len(there) == 0 && namespaces[namespace] != "":
		return "; " + namespaces[namespace]
	case len(there) == 0:
		return "; an aggregate's filter reads the payment alone"
	case len(there) > 12:
		return "; docs/guides/policy-reference.md lists what there is"
	default:
		return "; there are " + strings.Join(there, ", ")
	}
}

func (c *compiler) known(name string) bool {
	// history.spending.count is known, and so is each name that a known one begins with: it is reported as a whole.
	return slices.Contains(c.names, name)
}

// dotted returns the whole name of a chain of selections and its first identifier; "" for anything else, and for the inner parts of a
// chain that was seen.
func dotted(e ast.Expr, inner map[int64]bool) (string, ast.Expr) {
	if inner[e.ID()] || e.Kind() != ast.SelectKind && e.Kind() != ast.IdentKind {
		return "", nil
	}
	var parts []string
	for at := e; ; at = at.AsSelect().Operand() {
		inner[at.ID()] = true
		switch at.Kind() {
		case ast.SelectKind:
			parts = append(parts, at.AsSelect().FieldName())
		case ast.IdentKind:
			parts = append(parts, at.AsIdent())
			slices.Reverse(parts)
			return strings.Join(parts, "."), at
		default:
			return "", nil
		}
	}
}

// checkDivisions refuses a division by a number that is always zero: it would fail for every payment.
func (c *compiler) checkDivisions(node *yaml.Node, path string, checked *ast.AST) bool {
	ok := true
	closer := &closer{checked: checked, fields: c.fields}
	ast.PreOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if call.FunctionName() != operators.Divide && call.FunctionName() != operators.Modulo {
			return
		}
		if _, divisor := closer.reference(call.Args()[1]); divisor == types.Int(0) || divisor == types.Double(0) || divisor == types.Uint(0) {
			ok = false
			at := checked.SourceInfo().GetStartLocation(e.ID())
			c.faults.AddInside(node, path, strictyaml.Place{Line: at.Line(), Column: at.Column()}, "divides by zero")
		}
	}))
	return ok
}

func (c *compiler) checkCost(node *yaml.Node, path string, out *condition, want wanted) bool {
	limit := uint64(maxConditionCost)
	if want == wantFilter {
		limit = maxFilterCost
	}
	estimate, err := c.env.EstimateCost(out.checked, sizes{})
	if err != nil || estimate.Max > limit {
		c.faults.Add(node, path, "can cost more than the limit of %d; make it simpler", limit)
		return false
	}
	out.cost = estimate.Max
	c.total += estimate.Max
	c.spent.cost += estimate.Max
	return true
}

// sizes bounds what only the payment knows, for the estimate of the cost.
type sizes struct{}

// EstimateSize bounds a field's text.
func (sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if node.Type().Kind() == types.StringKind {
		return &cost.SizeEstimate{Min: 0, Max: maxTextBytes}
	}
	return nil
}

// EstimateCallCost leaves all calls to CEL's own estimate.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// interpret makes the condition run in CEL's interpreter.
func (c *condition) interpret(program cel.Program) {
	c.program = program
	c.truth = func(p *history.Payment, f *Facts) truth {
		out, _, err := program.Eval(&activation{condition: c, payment: p, facts: f})
		return truthOfResult(out, err)
	}
	c.number = expr[float64]{try: func(p *history.Payment, f *Facts) (float64, bool) {
		out, _, err := program.Eval(&activation{condition: c, payment: p, facts: f})
		if err != nil {
			return 0, false
		}
		switch value := out.Value().(type) {
		case float64:
			return value, true
		case int64:
			return float64(value), true
		default:
			return 0, false
		}
	}}
}

// reads returns the names of the fields that the condition reads, each once, in order of their first use.
func (c *condition) reads() []string {
	var out []string
	checked := c.checked.NativeRep()
	ast.PreOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if info := checked.ReferenceMap()[e.ID()]; info != nil && len(info.OverloadIDs) == 0 && !slices.Contains(out, info.Name) {
			out = append(out, info.Name)
		}
	}))
	return out
}

// constants returns the thresholds that the condition reads, with their values.
func (c *condition) constants() map[string]any {
	out := map[string]any{}
	for _, info := range c.checked.NativeRep().ReferenceMap() {
		if info.Value != nil && info.Name != "" {
			out[info.Name] = info.Value.Value()
		}
	}
	return out
}

// activation gives the interpreter its variables.
type activation struct {
	condition *condition
	payment   *history.Payment
	facts     *Facts
}

// ResolveName returns a field by its full name.
func (a *activation) ResolveName(name string) (any, bool) {
	field := a.condition.fields[name]
	if field == nil {
		return nil, false
	}
	return field.value(a.payment, a.facts), true
}

// Parent returns nil: there is no outer scope.
func (a *activation) Parent() interpreter.Activation { return nil }

var spaces = regexp.MustCompile(`\s+`)

func oneLine(s string) string { return strings.TrimSpace(spaces.ReplaceAllString(s, " ")) }
