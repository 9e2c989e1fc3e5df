package risk

import (
	"math"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/probity/probity/internal/domain/risk/history"
)

// whole compiles an expression that yields an int. Arithmetic that overflows fails, as in CEL.
func (c *closer) whole(e ast.Expr) (expr[int64], bool) {
	field, constant := c.reference(e)
	if field != nil && field.whole != nil {
		return expr[int64]{get: field.whole}, true
	}
	if value, ok := constant.(types.Int); ok {
		return expr[int64]{constant: true, value: int64(value)}, true
	}
	if e.Kind() != ast.CallKind {
		return expr[int64]{}, false
	}
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.Conditional:
		return choice(c, call.Args(), c.whole)
	case "size":
		return c.size(call)
	}
	operation := wholeOperation(call.FunctionName())
	if operation == nil || c.kindOf(e) != types.IntKind || len(call.Args()) > 2 {
		return expr[int64]{}, false
	}
	a, ok := c.whole(call.Args()[0])
	if !ok {
		return expr[int64]{}, false
	}
	b := expr[int64]{constant: true}
	if len(call.Args()) == 2 {
		if b, ok = c.whole(call.Args()[1]); !ok {
			return expr[int64]{}, false
		}
	}
	left, right := a.trier(), b.trier()
	return expr[int64]{try: func(p *history.Payment, f *Facts) (int64, bool) {
		x, ok := left(p, f)
		if !ok {
			return 0, false
		}
		y, ok := right(p, f)
		if !ok {
			return 0, false
		}
		return operation(x, y)
	}}, true
}

func wholeOperation(operator string) func(x, y int64) (int64, bool) {
	switch operator {
	case operators.Add:
		return func(x, y int64) (int64, bool) {
			sum := x + y
			return sum, (sum > x) == (y > 0)
		}
	case operators.Subtract:
		return func(x, y int64) (int64, bool) {
			difference := x - y
			return difference, (difference < x) == (y > 0)
		}
	case operators.Multiply:
		return timesWhole
	case operators.Divide:
		return func(x, y int64) (int64, bool) {
			if y == 0 || x == math.MinInt64 && y == -1 {
				return 0, false
			}
			return x / y, true
		}
	case operators.Modulo:
		return func(x, y int64) (int64, bool) {
			if y == 0 || x == math.MinInt64 && y == -1 {
				return 0, false
			}
			return x % y, true
		}
	case operators.Negate:
		return func(x, _ int64) (int64, bool) { return -x, x != math.MinInt64 }
	default:
		return nil
	}
}

func timesWhole(x, y int64) (int64, bool) {
	if x == 0 || y == 0 {
		return 0, true
	}
	if x == -1 && y == math.MinInt64 || y == -1 && x == math.MinInt64 {
		return 0, false
	}
	product := x * y
	return product, product/y == x
}

// number compiles an expression that yields a double, or an int to be compared with one.
func (c *closer) number(e ast.Expr) (expr[float64], bool) {
	if c.kindOf(e) == types.IntKind {
		return c.converted(e)
	}
	field, constant := c.reference(e)
	if field != nil && field.number != nil {
		return expr[float64]{get: field.number}, true
	}
	if value, ok := constant.(types.Double); ok {
		return expr[float64]{constant: true, value: float64(value)}, true
	}
	if e.Kind() != ast.CallKind {
		return expr[float64]{}, false
	}
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.Conditional:
		return choice(c, call.Args(), c.number)
	case "double":
		if kind := c.kindOf(call.Args()[0]); kind == types.IntKind || kind == types.DoubleKind {
			return c.number(call.Args()[0])
		}
		return expr[float64]{}, false
	}
	operation := doubleOperation(call.FunctionName())
	if operation == nil || c.kindOf(e) != types.DoubleKind {
		return expr[float64]{}, false
	}
	return c.doubles(call.Args(), operation)
}

func (c *closer) doubles(args []ast.Expr, operation func(x, y float64) float64) (expr[float64], bool) {
	for _, arg := range args {
		if c.kindOf(arg) != types.DoubleKind {
			return expr[float64]{}, false
		}
	}
	a, ok := c.number(args[0])
	if !ok {
		return expr[float64]{}, false
	}
	b := expr[float64]{constant: true}
	if len(args) == 2 {
		if b, ok = c.number(args[1]); !ok {
			return expr[float64]{}, false
		}
	}
	if a.total() && b.total() {
		left, right := a.getter(), b.getter()
		return expr[float64]{get: func(p *history.Payment, f *Facts) float64 { return operation(left(p, f), right(p, f)) }}, true
	}
	left, right := a.trier(), b.trier()
	return expr[float64]{try: func(p *history.Payment, f *Facts) (float64, bool) {
		x, ok := left(p, f)
		if !ok {
			return 0, false
		}
		y, ok := right(p, f)
		return operation(x, y), ok
	}}, true
}

// converted compiles an int as a double.
func (c *closer) converted(e ast.Expr) (expr[float64], bool) {
	whole, ok := c.whole(e)
	if !ok {
		return expr[float64]{}, false
	}
	switch {
	case whole.constant:
		return expr[float64]{constant: true, value: float64(whole.value)}, true
	case whole.total():
		get := whole.get
		return expr[float64]{get: func(p *history.Payment, f *Facts) float64 { return float64(get(p, f)) }}, true
	}
	try := whole.try
	return expr[float64]{try: func(p *history.Payment, f *Facts) (float64, bool) {
		value, ok := try(p, f)
		return float64(value), ok
	}}, true
}

// doubleOperation returns arithmetic on doubles. The conversions keep each result rounded: a fused multiply-add would give other digits on
// other processors.
func doubleOperation(operator string) func(x, y float64) float64 {
	switch operator {
	case operators.Add:
		return func(x, y float64) float64 { return float64(x + y) }
	case operators.Subtract:
		return func(x, y float64) float64 { return float64(x - y) }
	case operators.Multiply:
		return func(x, y float64) float64 { return float64(x * y) }
	case operators.Divide:
		return func(x, y float64) float64 { return float64(x / y) }
	case operators.Negate:
		return func(x, _ float64) float64 { return -x }
	default:
		return nil
	}
}
