package scorecard

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/standard/strictyaml"
)

func small(t testing.TB) (*Model, []byte) {
	t.Helper()
	data, err := os.ReadFile("testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m, data
}

func TestAModelIsWrittenAsItIsRead(t *testing.T) {
	m, data := small(t)
	if got := m.AppendYAML(nil); !bytes.Equal(got, data) {
		t.Errorf("got\n%s\nwant\n%s", got, data)
	}
}

func TestScores(t *testing.T) {
	m, _ := small(t)
	nan := math.NaN()
	for _, test := range []struct {
		name        string
		features    []float64
		points      Points
		probability float64
	}{
		{"a value at an edge belongs to the bin above", []float64{2, 0}, -12050 + 2000 - 200 - 300, 0.001 + 0.499*(94.5/200)},
		{"a value below an edge belongs to the bin below", []float64{1.999, 0}, -12050 - 150 - 200 + 100, 0.001 + 0.499*(77.0/200)},
		{"missing has points of its own", []float64{nan, 1}, -12050 + 325 + 1200, 0.001 + 0.499*(94.75/200)},
		{"a feature that is not given is missing", nil, -12050 + 325, 0.001 + 0.499*(82.75/200)},
		{"infinity is missing", []float64{math.Inf(1), 1}, -12050 + 325 + 1200, 0.001 + 0.499*(94.75/200)},
		{"the largest number belongs to the last bin", []float64{math.MaxFloat64, 1}, -12050 + 8000 + 1200 + 675, 0.001 + 0.499*(178.25/200)},
		{"a negative value belongs to the first bin", []float64{-1e9, nan}, -12050 - 1000, 0.001 + 0.499*(69.5/200)},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := m.Score(test.features)
			if got.Points != test.points {
				t.Errorf("got %v points, want %v", got.Points, test.points)
			}
			if math.Abs(got.Probability-test.probability) > 1e-12 {
				t.Errorf("got probability %v, want %v", got.Probability, test.probability)
			}
		})
	}
}

func TestTheProbabilityStaysAtTheLastKnot(t *testing.T) {
	m, _ := small(t)
	for points, want := range map[Points]float64{-30000: 0.001, -20000: 0.001, 0: 0.5, 5000: 0.745, 10000: 0.99, 20000: 0.99} {
		if got := m.ProbabilityOf(points); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v points: got %v, want %v", points, got, want)
		}
	}
}

func TestAnExplanationSaysTheBinsInWordsTheWorstFirst(t *testing.T) {
	m, _ := small(t)
	got := m.Explain([]float64{7, math.NaN()})
	if got.Parts[0].FirstRange != "5 or more" || got.Parts[0].Points != 8000 {
		t.Errorf("got %+v first", got.Parts[0])
	}
	if got := m.Explain([]float64{0.7, 3}).Parts[2]; got.FirstRange != "0.5 to below 2" {
		t.Errorf("got %+v", got)
	}
	for points, want := range map[Points]string{-2001: "", -2000: "review", 5: "review"} {
		if got := m.ThresholdReached(points); got != want {
			t.Errorf("%v points reach %q, want %q", points, got, want)
		}
	}
}

func TestEveryScoreIsTheSumOfItsParts(t *testing.T) {
	m, _ := small(t)
	rapid.Check(t, func(t *rapid.T) {
		features := rapid.SliceOfN(rapid.OneOf(rapid.Just(math.NaN()), rapid.Float64()), 0, 3).Draw(t, "features")
		got := m.Explain(features)
		sum := got.Base
		for _, part := range got.Parts {
			sum += part.Points
		}
		if want := m.Score(features); sum != want.Points || got.Score != want {
			t.Fatalf("parts add up to %v, explained as %+v, scored as %+v", sum, got.Score, want)
		}
	})
}

func TestAMonotoneFeatureNeverLowersTheScoreOfAModelWithoutPairs(t *testing.T) {
	m, _ := small(t)
	m.Pairs = nil
	if err := m.Compile(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")
		if m.Score([]float64{min(a, b), 1}).Points > m.Score([]float64{max(a, b), 1}).Points {
			t.Fatalf("the score falls from %v to %v", min(a, b), max(a, b))
		}
	})
}

func TestScoringDoesNotAllocate(t *testing.T) {
	m, _ := small(t)
	features := []float64{1, 0}
	if got := testing.AllocsPerRun(100, func() { m.Score(features) }); got != 0 {
		t.Errorf("got %v allocations", got)
	}
}

func TestParseRefuses(t *testing.T) {
	_, data := small(t)
	for _, test := range []struct{ name, old, with, want string }{
		{"an unknown key", "base: -120.5", "base: -120.5\nbias: 1", "line 17, column 1: unknown key"},
		{"a missing key", "base: -120.5\n", "", "the key base is missing"},
		{"a key given twice", "base: -120.5", "base: -120.5\nbase: 1", "the key base is given twice"},
		{"edges that do not grow", "below: 2,", "below: 0.5,", "line 36, column 9: features[0].bins[1]: below must grow"},
		{"points against the direction", "{below: 2, points: -1.5", "{below: 2, points: -11.5", "features[0].bins[1]: the points break the feature's monotone direction"},
		{"a third decimal", "points: -1.5,", "points: -1.505,", "at most 2 decimals"},
		{"a last bin with an upper edge", "- {points: 12, ", "- {below: 2, points: 12, ", "features[1].bins[1]: unknown key"},
		{"a bin without an upper edge before the last", "{below: 1, points: -2,", "{points: -2,", "the key below is missing"},
		{"not a number", "probability: 0.99", "probability: .nan", "calibration[2].probability: must be a number from 0 to 1"},
		{"a calibration that falls", "{points: 100, probability: 0.99}", "{points: 100, probability: 0.4}", "probability must not fall"},
		{"two features of one name", "- name: night", "- name: amount_ratio", "another feature has this name"},
		{"a pair of an unknown feature", "[amount_ratio, night]", "[amount_ratio, day]", "line 46, column 15: pairs[0].features"},
		{"a pair's edge that the feature does not have", "first_edges: [2]", "first_edges: [3]", "must be edges of the feature's own bins"},
		{"a pair's row that is too short", "- [0, 1, -1]", "- [0, 1]", "pairs[0].points[1]: must be a list of 3 to 3 entries"},
		{"another scale", "points_per_doubling: 20", "points_per_doubling: 40", "must be a whole number from 20 to 20"},
		{"an alias", "base: -120.5", "base: &x -120.5", "anchors and aliases are not accepted"},
		{"a second document", "base: -120.5", "---\nbase: -120.5", "one YAML document"},
		{"something that is not YAML", "base: -120.5", "base: [", "not YAML"},
		{"a wrong direction", "monotone: increasing", "monotone: up", "line 32, column 15: features[0].monotone: must be one of increasing, decreasing"},
		{"a date that is none", "2026-01-01", "2026-13-01", "provenance.trained_from: must be a date"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(string(data), test.old, test.with, 1)
			if text == string(data) {
				t.Fatal("nothing was replaced")
			}
			_, err := Parse([]byte(text))
			var refused *strictyaml.Error
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := Parse(make([]byte, MaxBytes+1)); err == nil {
		t.Error("a text that is too long was accepted")
	}
	if _, err := Parse(nil); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("got %v for an empty text", err)
	}
}

// FuzzParse: whatever is accepted is written as a text that is read back the same, and can be scored and explained.
func FuzzParse(f *testing.F) {
	_, data := small(f)
	f.Add(data)
	f.Add([]byte("scorecard: x\nbase: 1\n"))
	f.Add([]byte("features:\n  - {name: a, bins: [{points: 1}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		text := m.AppendYAML(nil)
		again, err := Parse(text)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, text)
		}
		if got := again.AppendYAML(nil); !bytes.Equal(got, text) {
			t.Fatalf("got\n%s\nwant\n%s", got, text)
		}
		features := make([]float64, len(m.Features))
		for i := range features {
			features[i] = float64(i)
		}
		if got, want := again.Score(features), m.Explain(features).Score; got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func BenchmarkScore(b *testing.B) {
	m := &Model{Name: "wide", Calibration: []Knot{{-100, 0}, {100, 1}}}
	features := make([]float64, 25)
	for i := range features {
		f := Feature{Name: "f", Bins: make([]Bin, 33)}
		for e := range 32 {
			f.Edges = append(f.Edges, float64(e))
		}
		m.Features = append(m.Features, f)
		features[i] = float64(i*7%40) + 0.5
	}
	for i := range 10 {
		p := Pair{First: i, Second: i + 10, FirstEdges: []float64{8, 16, 24}, SecondEdges: []float64{4, 12}}
		for range 5 {
			p.Points = append(p.Points, make([]Points, 4))
		}
		m.Pairs = append(m.Pairs, p)
	}
	if err := m.Compile(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Score(features)
	}
}
