package risk

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/strictyaml"
)

// oracle compiles conditions over the default policy's fields, both ways.
type oracle struct {
	compiler *compiler
	names    []string
}

func newOracle(t testing.TB) *oracle {
	t.Helper()
	policy := defaultForTest(t)
	fields := append(Fields(policy), scoreFields()...)
	c, err := newCompiler(&strictyaml.Faults{}, &spending{}, fields, []constant{
		{"floor", int64(5000)}, {"zero", int64(0)}, {"least", int64(math.MinInt64)}, {"most", int64(math.MaxInt64)}, {"times", 2.5}, {"share", 0.1}})
	if err != nil {
		t.Fatal(err)
	}
	return &oracle{compiler: c, names: c.names}
}

// check compares the closures of a condition with the interpreter on the facts. It reports whether the condition compiles and is closed.
func (o *oracle) check(t *testing.T, text string, all []*Facts) (compiles, closed bool) {
	t.Helper()
	*o.compiler.faults, *o.compiler.spent = strictyaml.Faults{}, spending{}
	c := o.compiler.compile(node(text), "when", wantTruth)
	if c == nil {
		return false, false
	}
	program, err := c.env.Program(c.checked, cel.CostLimit(maxConditionCost))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, facts := range all {
		result, _, err := program.Eval(&activation{condition: c, payment: &facts.Payment, facts: facts})
		want, got := truthOfResult(result, err), c.truth(&facts.Payment, facts)
		if got != want {
			t.Errorf("%s: got %d, the interpreter says %d (%v)\n%+v", text, got, want, err, *facts)
			return true, c.program == nil
		}
	}
	return true, c.program == nil
}

// someFacts are facts at the edges of every field's values.
func someFacts(random *rand.Rand, count int) []*Facts {
	texts := []string{"", "DE", "EUR", "gift card", "üñí", "a\xffb", "card"}
	whole := []int64{0, 1, -1, 5000, 1 << 53, math.MaxInt64, math.MinInt64, 7}
	numbers := []float64{0, 1, 0.1, -2.5, 5000, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 63, history.Never}
	text := func() string { return texts[random.IntN(len(texts))] }
	flip := func() bool { return random.IntN(2) == 0 }
	out := make([]*Facts, count)
	for i := range out {
		f := &Facts{
			Payment: history.Payment{
				AmountMinor: whole[random.IntN(len(whole))], AmountReference: whole[random.IntN(len(whole))], AmountKnown: flip(),
				Currency: text(), Place: history.Place{Country: text(), Region: text(), City: text()}, IP: text(), DeviceID: text(),
				Method: history.Method{ID: text(), Fingerprint: text()}, MethodKind: text(), Merchant: text(),
				OccurredAt: time.Unix(random.Int64N(4e9)-1e9, 0).UTC(),
			},
			History: HistoryFacts{ApprovedPayments: whole[random.IntN(len(whole))], Established: flip(), PlaceKnown: flip(), DeviceKnown: flip(),
				MethodKnown: flip(), SinceElsewhere: numbers[random.IntN(len(numbers))]},
			Listed: random.Uint64(), Score: ScoreFacts{Probability: random.Float64()},
		}
		f.History.Spending = history.Spending{Count: whole[random.IntN(len(whole))], MaxMinor: whole[random.IntN(len(whole))],
			MeanMinor: numbers[random.IntN(len(numbers))], StddevMinor: numbers[random.IntN(len(numbers))]}
		for range MaxAggregates {
			f.Aggregates = append(f.Aggregates, numbers[random.IntN(len(numbers))])
		}
		out[i] = f
	}
	return out
}

// writer makes up conditions of the kinds that closures cover.
type conditionWriter struct {
	random *rand.Rand
	oracle *oracle
}

func (w *conditionWriter) pick(choices ...string) string { return choices[w.random.IntN(len(choices))] }

func (w *conditionWriter) field(kind Kind) string {
	for {
		name := w.oracle.names[w.random.IntN(len(w.oracle.names))]
		if field := w.oracle.compiler.fields[name]; field != nil && field.Kind == kind {
			return name
		}
	}
}

func (w *conditionWriter) truth(depth int) string {
	if depth == 0 {
		return w.pick(w.field(KindBool), "true", "false")
	}
	switch w.random.IntN(11) {
	case 0, 1:
		return "(" + w.truth(depth-1) + w.pick(" && ", " || ") + w.truth(depth-1) + ")"
	case 2:
		return "!" + w.truth(depth-1)
	case 3:
		return "(" + w.truth(depth-1) + " ? " + w.truth(depth-1) + " : " + w.truth(depth-1) + ")"
	case 4:
		return w.text(depth-1) + w.pick(" == ", " != ", " < ", " >= ") + w.text(depth-1)
	case 5:
		return w.text(depth-1) + w.pick(".startsWith(", ".endsWith(", ".contains(") + w.text(0) + ")"
	case 6:
		return w.field(KindString) + `.matches("^[gD].*")`
	case 7:
		return w.text(depth-1) + ` in ["DE", "EUR", ""]`
	case 8:
		return w.whole(depth-1) + " in [0, 1, 5000, 7, -1]"
	case 9:
		return "(" + w.truth(depth-1) + w.pick(" == ", " != ") + w.truth(depth-1) + ")"
	default:
		return w.anyNumber(depth-1) + w.pick(" > ", " >= ", " < ", " <= ", " == ", " != ") + w.anyNumber(depth-1)
	}
}

func (w *conditionWriter) anyNumber(depth int) string {
	if w.random.IntN(2) == 0 {
		return w.whole(depth)
	}
	return w.number(depth)
}

func (w *conditionWriter) text(depth int) string {
	if depth > 0 && w.random.IntN(4) == 0 {
		return "(" + w.truth(depth-1) + " ? " + w.text(depth-1) + " : " + w.text(depth-1) + ")"
	}
	return w.pick(w.field(KindString), w.field(KindString), `"DE"`, `"g"`, `""`)
}

func (w *conditionWriter) whole(depth int) string {
	if depth <= 0 {
		return w.pick(w.field(KindInt), w.field(KindInt), "threshold.floor", "threshold.least", "threshold.most", "7", "-1", "0")
	}
	switch w.random.IntN(6) {
	case 0:
		return "size(" + w.text(0) + ")"
	case 1:
		return "-(" + w.whole(depth-1) + ")"
	case 2:
		return "(" + w.truth(depth-1) + " ? " + w.whole(depth-1) + " : " + w.whole(depth-1) + ")"
	default:
		return "(" + w.whole(depth-1) + w.pick(" + ", " - ", " * ", " / ", " % ") + w.whole(depth-1) + ")"
	}
}

func (w *conditionWriter) number(depth int) string {
	if depth <= 0 {
		return w.pick(w.field(KindDouble), w.field(KindDouble), "threshold.times", "threshold.share", "1.5", "1e308", "-0.0")
	}
	switch w.random.IntN(6) {
	case 0:
		return "double(" + w.anyNumber(depth-1) + ")"
	case 1:
		return "-(" + w.number(depth-1) + ")"
	case 2:
		return "(" + w.truth(depth-1) + " ? " + w.number(depth-1) + " : " + w.number(depth-1) + ")"
	default:
		return "(" + w.number(depth-1) + w.pick(" + ", " - ", " * ", " / ") + w.number(depth-1) + ")"
	}
}

func TestClosuresGiveWhatTheInterpreterGives(t *testing.T) {
	o := newOracle(t)
	random := rand.New(rand.NewPCG(3, 4))
	w := &conditionWriter{random: random, oracle: o}
	facts := someFacts(random, 40)
	compiled, closed := 0, 0
	for range 1500 {
		text := w.truth(1 + random.IntN(4))
		compiles, isClosed := o.check(t, text, facts)
		if compiles {
			compiled++
		}
		if isClosed {
			closed++
		}
		if t.Failed() {
			return
		}
	}
	if compiled < 1000 || closed < compiled*9/10 {
		t.Errorf("of 1500 conditions %d compile and %d of them are closed; the test says too little", compiled, closed)
	}
	for _, text := range []string{
		"payment.amount_minor / history.approved_payments > 1 || true", "payment.amount_minor / history.approved_payments > 1 && false",
		"payment.occurred_at > timestamp('2026-01-01T00:00:00Z')", `["a", "g"].exists(w, payment.merchant.contains(w))`,
		`payment.merchant in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "gift card"]`, "int(history.spending.mean_minor) > 3",
		"history.spending.mean_minor / 0.5 > 1e308 / history.spending.stddev_minor", "string(payment.amount_minor).endsWith('0')",
	} {
		if compiles, _ := o.check(t, text, facts); !compiles {
			t.Errorf("%s: %v", text, o.compiler.faults.Err())
		}
	}
}

func TestNumbersAreWhatTheInterpreterComputes(t *testing.T) {
	o := newOracle(t)
	random := rand.New(rand.NewPCG(7, 8))
	w := &conditionWriter{random: random, oracle: o}
	facts := someFacts(random, 40)
	texts := []string{"int(history.spending.mean_minor)", "size(string(payment.amount_minor))"} // these are the interpreter's
	for range 500 {
		texts = append(texts, w.anyNumber(1+random.IntN(3)))
	}
	compared := 0
	for _, text := range texts {
		*o.compiler.faults, *o.compiler.spent = strictyaml.Faults{}, spending{}
		c := o.compiler.compile(node(text), "value", wantNumber)
		if c == nil {
			continue
		}
		program, err := c.env.Program(c.checked)
		if err != nil {
			t.Fatal(err)
		}
		try := c.number.trier()
		for _, f := range facts {
			compared++
			got, ok := try(&f.Payment, f)
			result, _, err := program.Eval(&activation{condition: c, payment: &f.Payment, facts: f})
			if ok != (err == nil) {
				t.Fatalf("%s: got %v, the interpreter says %v\n%+v", text, ok, err, *f)
			}
			if !ok {
				continue
			}
			want, isDouble := result.Value().(float64)
			if whole, isWhole := result.Value().(int64); isWhole {
				want = float64(whole)
			} else if !isDouble {
				t.Fatalf("%s: the interpreter gives %v", text, result)
			}
			if got != want && (got == got || want == want) {
				t.Fatalf("%s: got %g, the interpreter says %g\n%+v", text, got, want, *f)
			}
		}
	}
	if compared < 10_000 {
		t.Errorf("compared %d numbers; the test says too little", compared)
	}
}

func FuzzCondition(f *testing.F) {
	for _, seed := range []string{"payment.amount_minor > 3", "payment.merchant.matches('a+')", "!(history.place_known == true) ? 1 > 2.0 : false",
		"-payment.amount_minor % 3 == 1", "payment.country in ['DE', 'FR'] && size(payment.city) < 4", "[1, 2].all(x, x > payment.hour)"} {
		f.Add(seed)
	}
	o := newOracle(f)
	facts := someFacts(rand.New(rand.NewPCG(5, 6)), 20)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 500 {
			o.check(t, text, facts)
		}
	})
}
