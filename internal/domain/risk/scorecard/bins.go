package scorecard

import (
	"math"
	"slices"
	"strconv"
)

// edgesOf chooses at most `most` edges for a feature: half of them where the payments are dense, half of them where the frauds are, because
// the few frauds lie where payments are rare. Edges are round numbers where the data leave room.
func edgesOf(column []float64, fraud []bool, most int) []float64 {
	var all, frauds []float64
	// Quantiles of a fixed sixteenth of a large sample are as good.
	every := 1 + len(column)/200_000
	for i, value := range column {
		if !(math.Abs(value) <= maxEdge) {
			continue // missing, or beyond what an edge may be
		}
		if i%every == 0 {
			all = append(all, value)
		}
		if fraud[i] {
			frauds = append(frauds, value)
		}
	}
	slices.Sort(all)
	slices.Sort(frauds)
	values := slices.Concat(all, frauds)
	slices.Sort(values)
	values = slices.Compact(values)
	var cuts []float64 // a cut is the lowest value of the bin above it
	for _, sorted := range [][]float64{all, frauds} {
		for q := 1; len(sorted) > 0 && q <= most/2; q++ {
			cuts = append(cuts, sorted[(len(sorted)-1)*q/(most/2+1)])
		}
	}
	if len(values) <= most {
		cuts = slices.Clone(values)
	}
	slices.Sort(cuts)
	var edges []float64
	for _, cut := range slices.Compact(cuts) {
		at, _ := slices.BinarySearch(values, cut)
		if at == 0 {
			continue // nothing lies below
		}
		if edge := roundest(values[at-1], cut); len(edges) == 0 || edge > edges[len(edges)-1] {
			edges = append(edges, edge)
		}
	}
	return edges
}

// roundest returns the number with the fewest digits that is above low and not above high.
func roundest(low, high float64) float64 {
	if low < 0 && high >= 0 {
		return 0
	}
	for digits := 1; digits <= 17; digits++ {
		for _, near := range []float64{low + (high-low)/2, high} {
			edge, err := strconv.ParseFloat(strconv.FormatFloat(near, 'g', digits, 64), 64)
			if err == nil && edge > low && edge <= high && math.Abs(edge) <= maxEdge {
				return edge
			}
		}
	}
	return high
}

// binned returns the bin of each value: 0 is missing.
func binned(column, edges []float64) []uint8 {
	out := make([]uint8, len(column))
	for i, value := range column {
		if !missing(value) {
			out[i] = uint8(1 + binOf(edges, value))
		}
	}
	return out
}

// coarser returns at most `most` of the edges, evenly among them.
func coarser(edges []float64, most int) []float64 {
	if len(edges) <= most {
		return slices.Clone(edges)
	}
	out := make([]float64, most)
	for i := range out {
		out[i] = edges[(2*i+1)*len(edges)/(2*most)]
	}
	return slices.Compact(out)
}
