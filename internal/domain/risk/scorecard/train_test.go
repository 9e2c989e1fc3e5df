package scorecard

import (
	"bytes"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// invented makes payments whose log odds of fraud are known: amount counts in a step and a slope, night counts, noise does not, and
// device and hour count only together.
func invented(n int, seed uint64) *Sample {
	s := NewSample(5)
	uniform := func(i, k uint64) float64 { return float64(scatter(seed, i, k)>>11) / (1 << 53) }
	for i := range uint64(n) {
		amount, night, noise, device, hour := uniform(i, 1), math.Floor(uniform(i, 2)*2), uniform(i, 3), uniform(i, 4), uniform(i, 5)
		odds := -4 + 2*amount + 1.5*night
		if amount > 0.9 {
			odds += 2
		}
		if (device > 0.5) == (hour > 0.5) {
			odds += 2
		}
		if i%50 == 0 {
			amount = math.NaN()
			odds = -1
		}
		s.Add([]float64{amount, night, noise, device, hour}, uniform(i, 6) < sigmoid(odds))
	}
	return s
}

func quick() Options {
	o := DefaultOptions("invented", []FeatureOptions{{Name: "amount", Meaning: "what is paid"}, {Name: "night"}, {Name: "noise"}, {Name: "device"}, {Name: "hour"}})
	o.Bags, o.Rounds, o.Pairs, o.Edges = 2, 120, 1, 30
	return o
}

func trained(t *testing.T, o Options) *Model {
	t.Helper()
	m, err := Train(Windows{Train: invented(20_000, 1), Validate: invented(5_000, 2)}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTrainingFindsWhatTheDataWereMadeWith(t *testing.T) {
	m := trained(t, quick())
	bins := func(name string) (Feature, Points, Points) {
		f := m.Features[m.FeatureIndex(name)]
		low, high := f.Bins[0].Points, f.Bins[0].Points
		for _, bin := range f.Bins {
			low, high = min(low, bin.Points), max(high, bin.Points)
		}
		return f, low, high
	}
	about := func(what string, got Points, logOdds, off float64) {
		t.Helper()
		if math.Abs(got.LogOdds()-logOdds) > off {
			t.Errorf("%s: got log odds %.2f, want about %.2f", what, got.LogOdds(), logOdds)
		}
	}
	f, low, high := bins("amount")
	about("the whole reach of amount", high-low, 4, 0.8)
	at := func(value float64) Points { return f.Bins[binOf(f.Edges, value)].Points }
	about("the step of amount", at(0.95)-at(0.85), 2.2, 0.6)
	_, low, high = bins("night")
	about("night", high-low, 1.5, 0.3)
	_, low, high = bins("noise")
	about("noise", high-low, 0, 0.7)
	if len(m.Pairs) != 1 || m.Features[m.Pairs[0].First].Name != "device" || m.Features[m.Pairs[0].Second].Name != "hour" {
		t.Fatalf("got pairs %+v", m.Pairs)
	}
	same := m.Score([]float64{0.5, 0, 0.5, 0.9, 0.9}).Points - m.Score([]float64{0.5, 0, 0.5, 0.9, 0.1}).Points
	about("device and hour together", same, 2, 0.6)
	if p := m.Provenance; p.Payments != 25_000 || p.AUCROC < 0.75 || p.AveragePrecision < 0.3 {
		t.Errorf("got %+v", p)
	}
}

func TestProbabilitiesAreSharesOfFraudAmongPaymentsNotLearnedFrom(t *testing.T) {
	m := trained(t, quick())
	fresh := invented(20_000, 3)
	scores := m.scoresOf(fresh)
	var expected, found [10]float64
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(scores[a]) - int(scores[b]) })
	for rank, i := range order {
		group := rank * 10 / len(order)
		expected[group] += m.ProbabilityOf(scores[i])
		if fresh.Fraud[i] {
			found[group]++
		}
	}
	for group := range expected {
		if off := math.Abs(expected[group] - found[group]); off > 4*math.Sqrt(found[group])+10 {
			t.Errorf("tenth %d: expected %.0f frauds, found %.0f", group, expected[group], found[group])
		}
	}
}

func TestTheSameDataGiveTheSameBytesWhateverTheNumberOfWorkers(t *testing.T) {
	o := quick()
	o.Rounds = 20
	want := trained(t, o).AppendYAML(nil)
	o.Workers = 5
	if got := trained(t, o).AppendYAML(nil); !bytes.Equal(got, want) {
		t.Error("five workers learned another model than one")
	}
	if m, err := Parse(want); err != nil || !bytes.Equal(m.AppendYAML(nil), want) {
		t.Errorf("the model is not read back as it was written: %v", err)
	}
	o.Seed = 2
	if got := trained(t, o).AppendYAML(nil); bytes.Equal(got, want) {
		t.Error("another seed learned the same model")
	}
}

func TestATrainedModelKeepsTheDirectionThatWasAskedFor(t *testing.T) {
	o := quick()
	o.Rounds = 60
	o.Features[0].Monotone, o.Features[2].Monotone = Increasing, Decreasing
	m := trained(t, o)
	for i, sign := range map[int]Points{0: 1, 2: -1} {
		for b := 1; b < len(m.Features[i].Bins); b++ {
			if bins := m.Features[i].Bins; (bins[b].Points-bins[b-1].Points)*sign < 0 {
				t.Errorf("feature %d turns back at bin %d", i, b)
			}
		}
	}
	if _, err := Parse(m.AppendYAML(nil)); err != nil {
		t.Error(err)
	}
}

func TestNoTwoScoresOfATrainedModelHaveTheSameProbability(t *testing.T) {
	o := quick()
	o.Rounds = 20
	m := trained(t, o)
	lowest, highest := m.reach()
	before := -1.0
	for points := lowest; points <= highest; points += max(1, (highest-lowest)/5000) {
		if p := m.ProbabilityOf(points); p <= before || p >= 1 {
			t.Fatalf("%v points: %v after %v", points, p, before)
		} else {
			before = p
		}
	}
}

func TestTrainingRefuses(t *testing.T) {
	fair, o := invented(500, 1), quick()
	onlyGood := NewSample(5)
	onlyGood.Add([]float64{1}, false)
	for name, test := range map[string]struct {
		windows Windows
		change  func(o *Options)
		want    string
	}{
		"a window without fraud":      {Windows{Train: fair, Validate: onlyGood}, func(*Options) {}, "payments of both kinds"},
		"samples of another shape":    {Windows{Train: NewSample(3), Validate: fair}, func(*Options) {}, "has 3 features"},
		"two features of one name":    {Windows{Train: fair, Validate: fair}, func(o *Options) { o.Features[1].Name = "amount" }, "another feature has this name"},
		"a rate that is not a number": {Windows{Train: fair, Validate: fair}, func(o *Options) { o.LearningRate = math.NaN() }, "out of bounds"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := o
			changed.Features = slices.Clone(o.Features)
			test.change(&changed)
			if _, err := Train(test.windows, changed, nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	o.Stop = func() bool { return true }
	if _, err := Train(Windows{Train: fair, Validate: fair}, o, nil); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
}

func TestThresholds(t *testing.T) {
	m := &Model{Name: "steps", Calibration: []Knot{{0, 0}, {100_00, 1}}, Features: []Feature{{Name: "x", Edges: []float64{1, 2, 3},
		Bins: []Bin{{Points: 0}, {Points: 1000}, {Points: 2000}, {Points: 3000}}}}}
	if err := m.Compile(); err != nil {
		t.Fatal(err)
	}
	s := NewSample(1)
	add := func(value float64, good, frauds int) {
		for range good {
			s.Add([]float64{value}, false)
		}
		for range frauds {
			s.Add([]float64{value}, true)
		}
	}
	add(0.5, 900, 1)
	add(1.5, 80, 1)
	add(2.5, 10, 4)
	add(3.5, 1, 4)
	for _, test := range []struct {
		name   string
		choose func() (Threshold, error)
		points Points
		alerts float64
	}{
		// With 30 for a missed fraud and 10 for a review: above 3: 6 missed and 5 reviews are 230; above 2: 2 and 19 are 250.
		{"the cheapest", func() (Threshold, error) { return m.ByCost("t", s, 2, Cost{30, 10}) }, 3000, 2.5},
		// With 50 for a missed fraud: 350 against 290; above 1: 1 and 100 are 1050.
		{"dearer frauds", func() (Threshold, error) { return m.ByCost("t", s, 2, Cost{50, 10}) }, 2000, 9.5},
		{"reviews that are never worth it", func() (Threshold, error) { return m.ByCost("t", s, 2, Cost{1, 10}) }, 3001, 0},
		{"a budget that is just enough", func() (Threshold, error) { return m.ByAlerts("t", s, 2, 9.5) }, 2000, 9.5},
		{"a budget that ends inside a step", func() (Threshold, error) { return m.ByAlerts("t", s, 2, 9.4) }, 3000, 2.5},
		{"a budget for everything", func() (Threshold, error) { return m.ByAlerts("t", s, 2, 1e6) }, 0, 500.5},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.choose()
			if err != nil || got.Points != test.points || got.AlertsPerDay != test.alerts {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	for _, cost := range []Cost{{}, {-1, 1}, {math.NaN(), 1}, {1, math.Inf(1)}} {
		if _, err := m.ByCost("t", s, 2, cost); err == nil {
			t.Errorf("the cost %+v was accepted", cost)
		}
	}
	if _, err := m.ByAlerts("t", s, 2, 0.4); err == nil {
		t.Error("a budget of less than one alert was accepted")
	}
}

func TestRankingMeasures(t *testing.T) {
	// scikit-learn: average_precision_score([0,0,1,1], [0.1,0.4,0.35,0.8]) = 0.8333, roc_auc_score = 0.75; with all scores equal 0.5 and 0.5.
	ap, auc := rankingMeasures([]Points{1, 4, 3, 8}, []bool{false, false, true, true})
	if math.Abs(ap-5.0/6) > 1e-12 || auc != 0.75 {
		t.Errorf("got %v and %v", ap, auc)
	}
	if ap, auc = rankingMeasures([]Points{5, 5, 5, 5}, []bool{false, false, true, true}); ap != 0.5 || auc != 0.5 {
		t.Errorf("got %v and %v", ap, auc)
	}
}

func TestExpAndLogAreThoseOfTheLibraryToTheLastDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-600, 600).Draw(t, "x")
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 1e-14*want {
			t.Fatalf("exp(%v): got %v, want %v", x, got, want)
		}
		y := rapid.Float64Range(1e-200, 1e200).Draw(t, "y")
		if got, want := log(y), math.Log(y); math.Abs(got-want) > 1e-14*max(1, math.Abs(want)) {
			t.Fatalf("log(%v): got %v, want %v", y, got, want)
		}
		c := newCurve()
		if got, want := c.sigmoid(x), 1/(1+math.Exp(-x)); math.Abs(got-want) > 1e-6 {
			t.Fatalf("sigmoid(%v): got %v, want %v", x, got, want)
		}
	})
}

func TestAnEdgeIsTheRoundestNumberBetweenItsNeighbours(t *testing.T) {
	for _, test := range []struct{ low, high, want float64 }{
		{1.2, 3.1, 2}, {0, 1, 0.5}, {219.97, 220.31, 220}, {-3, -2, -2}, {5, math.Nextafter(5, 6), math.Nextafter(5, 6)}, {-0.5, 0, 0}, {5.84, 5.85, 5.85}, {0.04, 1, 0.5}, {-0.001, 0, 0},
	} {
		if got := roundest(test.low, test.high); got != test.want || !(got > test.low && got <= test.high) {
			t.Errorf("between %v and %v: got %v, want %v", test.low, test.high, got, test.want)
		}
	}
}

func TestAModelIsEmbeddedInAPolicyWithoutTouchingTheRest(t *testing.T) {
	data, err := os.ReadFile("testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	model := "  model:\n    " + strings.ReplaceAll(strings.TrimSuffix(string(data), "\n"), "\n", "\n    ") + "\n"
	const before, after = "policy: a # a comment\nscorecard: # another\n", "  inputs:\n    x: payment.hour\n\n# the rules\nrules: []\n"
	for name, policy := range map[string]string{
		"a policy without a model": before + after,
		"a policy with an old one": before + "  model:\n    scorecard: old\n    features:\n      - {name: x}\n\n" + after,
	} {
		got, err := m.Embed([]byte(policy))
		if want := before + model + after; err != nil || string(got) != want {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", name, err, got, want)
		}
	}
	for _, policy := range []string{"policy: a\n", "scorecard: {inputs: {x: payment.hour}}\n", "scorecard:\n", "a: [", ""} {
		if got, err := m.Embed([]byte(policy)); err == nil {
			t.Errorf("%q: got %q", policy, got)
		}
	}
}
