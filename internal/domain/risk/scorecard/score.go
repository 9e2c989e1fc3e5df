package scorecard

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// compiled are the tables laid out for scoring.
type compiled struct {
	edges    []float64 // of all features, one after the other
	starts   []int32   // of each feature's edges; one more at the end
	points   []Points  // of each feature: missing, then its bins
	offsets  []int32   // of each feature's points
	pairs    []compiledPair
	pairBins []uint8 // coarse bins by fine bin, for both sides of each pair
	pairCell []Points
}

type compiledPair struct {
	first, second         uint8 // features
	firstBins, secondBins int32 // offsets into pairBins
	width                 int32 // columns
	cells                 int32 // offset into pairCell
}

// Score is what a payment's features are worth.
type Score struct {
	Points      Points
	LogOdds     float64 // of the points, before calibration
	Probability float64 // of fraud, calibrated
}

// Part is one addend of a score.
type Part struct {
	First, Second int    // indices of the features; Second is -1 for the table of one feature
	FirstRange    string // the bin in words, as "5 to below 10"
	SecondRange   string // empty for the table of one feature
	Points        Points
	FirstValue    float64 // NaN when not given
	SecondValue   float64
}

// Explanation is a score and the parts that it consists of.
type Explanation struct {
	Score
	Base  Points
	Parts []Part // the largest contribution towards fraud first; base and parts add up to the score's points
}

// Compile checks a model and prepares it for scoring. Parse and Train have done so already. Afterwards the model must not be changed.
func (m *Model) Compile() error {
	if err := m.check(); err != nil {
		return err
	}
	c := compiled{}
	for _, f := range m.Features {
		c.starts = append(c.starts, int32(len(c.edges)))
		c.edges = append(c.edges, f.Edges...)
		c.offsets = append(c.offsets, int32(len(c.points)))
		c.points = append(c.points, f.Missing.Points)
		for _, bin := range f.Bins {
			c.points = append(c.points, bin.Points)
		}
	}
	c.starts = append(c.starts, int32(len(c.edges)))
	for _, p := range m.Pairs {
		cp := compiledPair{first: uint8(p.First), second: uint8(p.Second), width: int32(len(p.SecondEdges) + 2), cells: int32(len(c.pairCell))}
		cp.firstBins = int32(len(c.pairBins))
		c.pairBins = appendCoarse(c.pairBins, m.Features[p.First].Edges, p.FirstEdges)
		cp.secondBins = int32(len(c.pairBins))
		c.pairBins = appendCoarse(c.pairBins, m.Features[p.Second].Edges, p.SecondEdges)
		for _, row := range p.Points {
			c.pairCell = append(c.pairCell, row...)
		}
		c.pairs = append(c.pairs, cp)
	}
	m.compiled = c
	return nil
}

// appendCoarse appends the bin among the coarse edges of missing and of each bin of the fine edges. Coarse edges are among the fine ones.
func appendCoarse(dst []uint8, fine, coarse []float64) []uint8 {
	dst = append(dst, 0)
	for bin := range len(fine) + 1 {
		at := 0
		if bin > 0 {
			at = binOf(coarse, fine[bin-1])
		}
		dst = append(dst, uint8(at+1))
	}
	return dst
}

// binOf returns how many edges are at or below the value, which must not be NaN.
func binOf(edges []float64, value float64) int {
	low, high := 0, len(edges)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if edges[middle] <= value {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// missing reports whether a value is none: not a number, or infinite, as a division by nothing gives.
func missing(value float64) bool { return !(math.Abs(value) <= math.MaxFloat64) }

// Score returns the score of a payment: features in the order of the model. A feature that is not a number, infinite or not given is
// missing. It does not allocate, and may be called by several goroutines at once.
func (m *Model) Score(features []float64) Score {
	var bins [MaxFeatures]uint8
	points := m.place(features, &bins)
	for i := range m.compiled.pairs {
		points += m.compiled.pairPoints(&m.compiled.pairs[i], &bins)
	}
	return m.scoreOf(points)
}

// place finds the bin of each feature (0 is missing) and returns the base and their points.
func (m *Model) place(features []float64, bins *[MaxFeatures]uint8) Points {
	c := &m.compiled
	points := m.Base
	for i, offset := range c.offsets {
		bin := 0
		if i < len(features) && !missing(features[i]) {
			bin = 1 + binOf(c.edges[c.starts[i]:c.starts[i+1]], features[i])
		}
		bins[i&(MaxFeatures-1)] = uint8(bin)
		points += c.points[int(offset)+bin]
	}
	return points
}

func (c *compiled) pairPoints(p *compiledPair, bins *[MaxFeatures]uint8) Points {
	row := c.pairBins[p.firstBins+int32(bins[p.first&(MaxFeatures-1)])]
	column := c.pairBins[p.secondBins+int32(bins[p.second&(MaxFeatures-1)])]
	return c.pairCell[p.cells+int32(row)*p.width+int32(column)]
}

func (m *Model) scoreOf(points Points) Score {
	return Score{Points: points, LogOdds: points.LogOdds(), Probability: m.ProbabilityOf(points)}
}

// ProbabilityOf returns the calibrated probability of fraud of a score.
func (m *Model) ProbabilityOf(points Points) float64 {
	knots := m.Calibration
	at, found := slices.BinarySearchFunc(knots, points, func(k Knot, p Points) int { return int(k.Points) - int(p) })
	switch {
	case found || at == 0:
		return knots[at].Probability
	case at == len(knots):
		return knots[at-1].Probability
	}
	low, high := knots[at-1], knots[at]
	share := float64(points-low.Points) / float64(high.Points-low.Points)
	return low.Probability + float64(share*(high.Probability-low.Probability))
}

// Explain returns the score with its parts.
func (m *Model) Explain(features []float64) Explanation {
	var bins [MaxFeatures]uint8
	points := m.place(features, &bins)
	out := Explanation{Base: m.Base, Parts: make([]Part, 0, len(m.Features)+len(m.Pairs))}
	value := func(i int) float64 {
		if i < len(features) {
			return features[i]
		}
		return math.NaN()
	}
	for i, f := range m.Features {
		bin := int(bins[i])
		out.Parts = append(out.Parts, Part{First: i, Second: -1, FirstRange: Words(f.Edges, bin-1), FirstValue: value(i),
			SecondValue: math.NaN(), Points: m.compiled.points[int(m.compiled.offsets[i])+bin]})
	}
	for i, p := range m.Pairs {
		cp := &m.compiled.pairs[i]
		part := Part{First: p.First, Second: p.Second, FirstValue: value(p.First), SecondValue: value(p.Second),
			Points: m.compiled.pairPoints(cp, &bins)}
		part.FirstRange = Words(p.FirstEdges, int(m.compiled.pairBins[cp.firstBins+int32(bins[p.First])])-1)
		part.SecondRange = Words(p.SecondEdges, int(m.compiled.pairBins[cp.secondBins+int32(bins[p.Second])])-1)
		points += part.Points
		out.Parts = append(out.Parts, part)
	}
	slices.SortStableFunc(out.Parts, func(a, b Part) int { return int(b.Points) - int(a.Points) })
	out.Score = m.scoreOf(points)
	return out
}

// ThresholdReached returns the name of the highest threshold that the score reaches, empty if none.
func (m *Model) ThresholdReached(points Points) string {
	name, reached := "", Points(math.MinInt32)
	for _, t := range m.Thresholds {
		if points >= t.Points && t.Points >= reached {
			name, reached = t.Name, t.Points
		}
	}
	return name
}

var errShape = errors.New("scorecard: the model's tables do not fit together")

// check verifies what scoring relies on. Parse reports the same things with their place.
func (m *Model) check() error {
	if len(m.Features) == 0 || len(m.Features) > MaxFeatures || len(m.Pairs) > MaxPairs || len(m.Calibration) < 2 {
		return errShape
	}
	for i, f := range m.Features {
		if len(f.Edges) > MaxEdges || len(f.Bins) != len(f.Edges)+1 || !ascending(f.Edges) {
			return fmt.Errorf("%w: feature %d", errShape, i)
		}
	}
	for i, p := range m.Pairs {
		if p.First < 0 || p.First >= p.Second || p.Second >= len(m.Features) ||
			!subset(p.FirstEdges, m.Features[p.First].Edges) || !subset(p.SecondEdges, m.Features[p.Second].Edges) ||
			len(p.FirstEdges) > MaxPairEdges || len(p.SecondEdges) > MaxPairEdges || len(p.Points) != len(p.FirstEdges)+2 {
			return fmt.Errorf("%w: pair %d", errShape, i)
		}
		for _, row := range p.Points {
			if len(row) != len(p.SecondEdges)+2 {
				return fmt.Errorf("%w: pair %d", errShape, i)
			}
		}
	}
	for i := 1; i < len(m.Calibration); i++ {
		if m.Calibration[i].Points <= m.Calibration[i-1].Points {
			return fmt.Errorf("%w: calibration", errShape)
		}
	}
	return nil
}

func ascending(edges []float64) bool {
	for i, edge := range edges {
		if math.IsNaN(edge) || math.IsInf(edge, 0) || i > 0 && edge <= edges[i-1] {
			return false
		}
	}
	return true
}

func subset(coarse, fine []float64) bool {
	for _, edge := range coarse {
		if _, found := slices.BinarySearch(fine, edge); !found {
			return false
		}
	}
	return ascending(coarse)
}
