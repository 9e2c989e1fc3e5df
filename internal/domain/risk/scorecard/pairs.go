package scorecard

import (
	"cmp"
	"slices"
)

// detectionEdges are the edges of each side while pairs are looked for.
const detectionEdges = 12

// findPairs returns the pairs of features that explain most of what the tables of one feature leave over: for each pair the gain of the best
// four rectangles on one bag, as in "FAST" of the GA2M paper.
func (t *trainer) findPairs(p *prepared, ones []*table, base float64) [][2]int {
	l := &learner{options: t.options, curve: t.curve, bag: t.bag(p, 0)}
	for i := range l.bag.score {
		l.bag.score[i] = base
	}
	for _, table := range ones {
		move(l.bag.score, table.index(l.bag), table.values)
	}
	cells := make([]cell, len(l.bag.score))
	for i, score := range l.bag.score {
		probability, weight := t.curve.sigmoid(score), l.bag.weight[i]
		gradient := -probability
		if l.bag.fraud[i] {
			gradient = 1 - probability
		}
		cells[i] = cell{float64(weight * gradient), float64(weight * float64(probability*(1-probability))), weight}
	}
	maps, sizes := make([][]uint8, len(p.edges)), make([]int, len(p.edges))
	for i, edges := range p.edges {
		coarse := coarser(edges, detectionEdges)
		maps[i], sizes[i] = appendCoarse(nil, edges, coarse), len(coarse)+2
	}
	type candidate struct {
		pair [2]int
		gain float64
	}
	var candidates []candidate
	for a := range p.edges {
		for b := a + 1; b < len(p.edges); b++ {
			if t.options.Features[a].Monotone == Free && t.options.Features[b].Monotone == Free && sizes[a] > 2 && sizes[b] > 2 {
				candidates = append(candidates, candidate{pair: [2]int{a, b}})
			}
		}
	}
	t.each(len(candidates), func(i int) {
		first, second := candidates[i].pair[0], candidates[i].pair[1]
		pairTable := &table{first: first, second: second, width: sizes[second], cells: make([]cell, sizes[first]*sizes[second])}
		firstBins, secondBins := l.bag.bins[first], l.bag.bins[second]
		for row := range cells {
			pairTable.cells[int(maps[first][firstBins[row]])*sizes[second]+int(maps[second][secondBins[row]])].add(cells[row])
		}
		candidates[i].gain = l.pairGain(pairTable)
	})
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(b.gain, a.gain) })
	var out [][2]int
	for _, c := range candidates[:min(len(candidates), t.options.Pairs)] {
		if c.gain > 0 {
			out = append(out, c.pair)
		}
	}
	return out
}

// pairGain is what four rectangles gain over the better of one cut along either feature alone.
func (l *learner) pairGain(t *table) float64 {
	height := len(t.cells) / t.width
	byFirst := l.bestQuarters(t, height, t.width, func(a, b int) int { return a*t.width + b })
	bySecond := l.bestQuarters(t, t.width, height, func(a, b int) int { return b*t.width + a })
	rows, columns := make([]cell, height), make([]cell, t.width)
	for i, c := range t.cells {
		rows[i/t.width].add(c)
		columns[i%t.width].add(c)
	}
	_, rowGain, _ := l.bestHalves(rows)
	_, columnGain, _ := l.bestHalves(columns)
	var all cell
	for _, c := range rows {
		all.add(c)
	}
	return max(byFirst.gain, bySecond.gain) - (max(rowGain, columnGain) - all.gain(l.options.Ridge))
}
