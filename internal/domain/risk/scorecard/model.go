package scorecard

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Bounds of a model. They keep a score under a microsecond and a model's text readable.
const (
	MaxFeatures   = 64
	MaxPairs      = 64
	MaxEdges      = 126 // of one feature
	MaxPairEdges  = 31  // of each side of a pair
	MaxKnots      = 256
	MaxThresholds = 16
)

// Points are hundredths of a point. PointsPerDoubling points double the odds of fraud.
type Points int32

// PointsPerDoubling is the scale of all scores: this many whole points more, and the odds of fraud double.
const PointsPerDoubling = 20

// maxPoints bounds the points of one bin and of the base, so that no sum overflows.
const maxPoints = 1_000_000

// String returns whole points with up to two decimals, as -12.5.
func (p Points) String() string { return strconv.FormatFloat(p.Float(), 'f', -1, 64) }

// Float returns whole points.
func (p Points) Float() float64 { return float64(p) / 100 }

// LogOdds returns the natural logarithm of the odds that so many points mean, before calibration.
func (p Points) LogOdds() float64 { return float64(p) * (math.Ln2 / (100 * PointsPerDoubling)) }

// pointsOf rounds log odds to points, within the bounds.
func pointsOf(logOdds float64) Points {
	points := math.Round(logOdds * (100 * PointsPerDoubling / math.Ln2))
	return Points(max(-maxPoints, min(maxPoints, points)))
}

// Direction says how points may change while a feature grows. The zero value allows anything.
type Direction int8

// The directions of a feature's points.
const (
	Free       Direction = 0
	Increasing Direction = 1
	Decreasing Direction = -1
)

// Model is a scorecard. Build one with Parse or Train; a model built by hand is compiled with Compile.
type Model struct {
	Name        string // a lower-case word
	Base        Points // the score of a payment whose every part is 0
	Features    []Feature
	Pairs       []Pair
	Calibration []Knot // ascending in points and probability, at least 2
	Thresholds  []Threshold
	Provenance  Provenance

	compiled compiled
}

// Feature is the table of one feature. Bin i holds the values below Edges[i] and not below Edges[i-1]; the last one all above.
type Feature struct {
	Name     string // a lower-case word, as amount_ratio
	Meaning  string // for people: what the number is
	Monotone Direction
	Edges    []float64 // ascending, at most MaxEdges
	Bins     []Bin     // one more than edges
	Missing  Bin       // for a payment that does not have the feature
}

// Bin is one line of a table: what it is worth, and what training saw in it.
type Bin struct {
	Points           Points
	Payments, Frauds int64
}

// Pair is the table of two features together, beside their own tables. Its edges are edges of the features.
type Pair struct {
	First, Second           int // indices into Features, First < Second
	FirstEdges, SecondEdges []float64
	// Points has a row for missing and each bin of the first feature, a column for missing and each bin of the second.
	Points [][]Points
}

// Knot is a point of the calibration: between two knots the probability is interpolated, outside it stays as at the last.
type Knot struct {
	Points      Points
	Probability float64
}

// Threshold is a score from which something should happen, with what validation says would follow.
type Threshold struct {
	Name         string // a lower-case word, as review
	Points       Points // the score from which the threshold is reached
	Probability  float64
	Basis        string // in words: the cost or budget that it was chosen by
	AlertsPerDay float64
	Precision    float64 // share of the payments at or above the threshold that are fraud
	Recall       float64 // share of the frauds that are at or above the threshold
}

// Provenance says where a model comes from. All days are dates (2006-01-02), the first and the last that count.
type Provenance struct {
	TrainedFrom, TrainedTo     string
	ValidatedFrom, ValidatedTo string
	LabelDelayDays             int64
	Payments, Frauds           int64  // trained on
	Fingerprint                string // of the features and labels trained on: the same data has the same one
	Settings                   string // of the training, in words
	// Measured on the validation window by the model as it was before a final training that includes that window.
	AveragePrecision, AUCROC, LogLoss float64
}

// Blank returns a model of the features that knows nothing: every score is 0 points, every probability 0. It stands in a policy until one is
// trained.
func Blank(name string, features []string) (*Model, error) {
	m := &Model{Name: name, Calibration: []Knot{{Points: 0}, {Points: 1}}, Provenance: Provenance{Fingerprint: blankFingerprint}}
	for _, feature := range features {
		m.Features = append(m.Features, Feature{Name: feature, Bins: make([]Bin, 1)})
	}
	return m, m.Compile()
}

const blankFingerprint = "untrained"

// Trained reports whether the model is more than a Blank one.
func (m *Model) Trained() bool { return m.Provenance.Fingerprint != blankFingerprint }

// Day returns the date of an instant as provenance writes it.
func Day(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// FeatureIndex returns the position of a feature by name, -1 if the model does not have it.
func (m *Model) FeatureIndex(name string) int {
	for i := range m.Features {
		if m.Features[i].Name == name {
			return i
		}
	}
	return -1
}

// Words says a range of values for people: "missing", "below 5", "5 to below 10", "10 or more", "any value".
func Words(edges []float64, bin int) string {
	switch {
	case bin < 0:
		return "missing"
	case len(edges) == 0:
		return "any value"
	case bin == 0:
		return "below " + number(edges[0])
	case bin >= len(edges):
		return number(edges[len(edges)-1]) + " or more"
	}
	return number(edges[bin-1]) + " to below " + number(edges[bin])
}

func number(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if len(strings.TrimLeft(text, "-")) > 12 {
		return strconv.FormatFloat(value, 'g', -1, 64)
	}
	return text
}
