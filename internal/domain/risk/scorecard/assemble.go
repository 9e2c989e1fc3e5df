package scorecard

import (
	"math"
	"slices"
)

// assemble turns the learned log odds into the model's tables. Each table is moved so that its mean over the training payments is about 0,
// which makes its points mean "compared with an average payment"; the base takes what was moved, so no score changes by it.
func (t *trainer) assemble(p *prepared, base float64, ones, twos []*table) *Model {
	m := &Model{Name: t.options.Name, Base: pointsOf(base), Calibration: []Knot{{-maxPoints, 0}, {maxPoints, 1}}}
	needed := make([][]float64, len(p.edges)) // edges that pairs use stay
	for _, two := range twos {
		first, second := p.coarse(two.first, t.options.PairEdges), p.coarse(two.second, t.options.PairEdges)
		needed[two.first] = append(needed[two.first], first...)
		needed[two.second] = append(needed[two.second], second...)
		pair := Pair{First: two.first, Second: two.second, FirstEdges: first, SecondEdges: second}
		for row := range len(two.values) / two.width {
			cells := make([]Points, two.width)
			for column := range cells {
				cells[column] = pointsOf(two.values[row*two.width+column])
			}
			pair.Points = append(pair.Points, cells)
		}
		m.Base += centrePair(&pair, two.index(&rows{bins: p.bins, fraud: p.sample.Fraud}))
		m.Pairs = append(m.Pairs, pair)
	}
	for i, one := range ones {
		f := Feature{Name: t.options.Features[i].Name, Meaning: t.options.Features[i].Meaning, Monotone: t.options.Features[i].Monotone}
		bins := make([]Bin, len(one.values))
		for v, value := range one.values {
			bins[v].Points = pointsOf(value)
		}
		for row, bin := range p.bins[i] {
			bins[bin].Payments++
			if p.sample.Fraud[row] {
				bins[bin].Frauds++
			}
		}
		m.Base += centre(bins)
		f.Missing = bins[0]
		f.Edges, f.Bins = merged(p.edges[i], bins[1:], needed[i])
		m.Features = append(m.Features, f)
	}
	return m
}

// centre moves the bins' points so that their mean over the payments is about 0, and returns by how much.
func centre(bins []Bin) Points {
	sum, payments := 0.0, int64(0)
	for _, bin := range bins {
		sum += float64(float64(bin.Points) * float64(bin.Payments))
		payments += bin.Payments
	}
	shift := Points(math.Round(sum / float64(max(1, payments))))
	for i := range bins {
		bins[i].Points -= shift
	}
	return shift
}

func centrePair(pair *Pair, index []uint16) Points {
	width := len(pair.SecondEdges) + 2
	sum := 0.0
	for _, at := range index {
		sum += float64(pair.Points[int(at)/width][int(at)%width])
	}
	shift := Points(math.Round(sum / float64(max(1, len(index)))))
	for _, row := range pair.Points {
		for i := range row {
			row[i] -= shift
		}
	}
	return shift
}

// merged joins neighbouring bins of equal points, except where a pair needs the edge between them.
func merged(edges []float64, bins []Bin, needed []float64) ([]float64, []Bin) {
	slices.Sort(needed)
	outEdges, out := []float64{}, []Bin{bins[0]}
	for i, edge := range edges {
		last, next := &out[len(out)-1], bins[i+1]
		if _, kept := slices.BinarySearch(needed, edge); !kept && last.Points == next.Points {
			last.Payments += next.Payments
			last.Frauds += next.Frauds
			continue
		}
		outEdges, out = append(outEdges, edge), append(out, next)
	}
	return outEdges, out
}
