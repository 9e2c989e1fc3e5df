package scorecard

// learner boosts tables on one bag of payments.
type learner struct {
	options *Options
	curve   *curve
	bag     *rows
	check   *rows // validation payments; nil when the number of rounds is given
}

// rows are payments as boosting sees them.
type rows struct {
	bins   [][]uint8 // by feature; 0 is missing
	fraud  []bool
	weight []float64 // nil: each counts once
	score  []float64 // log odds so far
}

// table is a step function being learned: of one feature, or of two.
type table struct {
	first, second       int // second is -1 for the table of one feature
	firstMap, secondMap []uint8
	width               int // columns of a pair's table, 1 for one feature
	values              []float64
	monotone            Direction
	cells               []cell
	leaves              []leaf
}

func (t *table) copyValues() []float64 { return append([]float64(nil), t.values...) }

// index returns the place of each of the payments in the table.
func (t *table) index(r *rows) []uint16 {
	out := make([]uint16, len(r.fraud))
	first := r.bins[t.first]
	if t.second < 0 {
		for i, bin := range first {
			out[i] = uint16(bin)
		}
		return out
	}
	second := r.bins[t.second]
	for i := range out {
		out[i] = uint16(int(t.firstMap[first[i]])*t.width + int(t.secondMap[second[i]]))
	}
	return out
}

// boost adds rounds to the tables until the loss of the check payments has not fallen for a while, or for exactly `rounds` rounds when there
// are none to check with. The tables keep the best round; its number is returned. The scores of the bag and the check move along.
func (l *learner) boost(tables []*table, rounds int, tick func()) int {
	inBag, inCheck := make([][]uint16, len(tables)), make([][]uint16, len(tables))
	for i, t := range tables {
		inBag[i] = t.index(l.bag)
		if l.check != nil {
			inCheck[i] = t.index(l.check)
		}
	}
	best, bestRound, bestValues := 0.0, 0, make([][]float64, len(tables))
	keep := func(round int, loss float64) {
		best, bestRound = loss, round
		for i, t := range tables {
			bestValues[i] = t.copyValues()
		}
	}
	if l.check != nil {
		keep(0, l.loss())
	}
	var delta []float64
	for round := 1; round <= rounds; round++ {
		for i, t := range tables {
			delta = l.step(t, inBag[i], delta)
			move(l.bag.score, inBag[i], delta)
			if l.check != nil {
				move(l.check.score, inCheck[i], delta)
			}
		}
		tick()
		if l.options.Stop != nil && l.options.Stop() {
			break
		}
		if l.check == nil {
			continue
		}
		if loss := l.loss(); loss < best {
			keep(round, loss)
		} else if round-bestRound >= l.options.Patience {
			break
		}
	}
	if l.check == nil {
		return rounds
	}
	for i, t := range tables {
		t.values = bestValues[i]
	}
	return bestRound
}

func move(score []float64, index []uint16, delta []float64) {
	for i, at := range index {
		score[i] += delta[at]
	}
}

// step learns one small tree for the table, adds it to its values and returns it as a table of changes.
func (l *learner) step(t *table, index []uint16, delta []float64) []float64 {
	clear(t.cells)
	for i, at := range index {
		p := l.curve.sigmoid(l.bag.score[i])
		weight := l.bag.weight[i]
		gradient := -p
		if l.bag.fraud[i] {
			gradient = 1 - p
		}
		c := &t.cells[at]
		c.gradient += float64(weight * gradient)
		c.hessian += float64(weight * float64(p*(1-p)))
		c.weight += weight
	}
	// Every bin's value is held back towards 0, or the absence of frauds in a few payments would be believed more with each round.
	for i := range t.cells {
		t.cells[i].gradient -= float64(l.options.Shrink * t.values[i])
		t.cells[i].hessian += l.options.Shrink
	}
	if cap(delta) < len(t.values) {
		delta = make([]float64, len(t.values))
	}
	delta = delta[:len(t.values)]
	clear(delta)
	if t.second < 0 {
		l.stepOfOne(t, delta)
	} else {
		l.stepOfTwo(t, delta)
	}
	for i := range delta {
		delta[i] = float64(delta[i] * l.options.LearningRate)
		t.values[i] += delta[i]
	}
	return delta
}

func (l *learner) growth(t *table) growth {
	return growth{leaves: l.options.Leaves, ridge: l.options.Ridge, minWeight: l.options.MinPayments, monotone: t.monotone}
}

func (l *learner) stepOfOne(t *table, delta []float64) {
	if t.cells[0].weight >= l.options.MinPayments {
		delta[0] = t.cells[0].value(l.options.Ridge)
	}
	t.leaves = l.growth(t).grow(t.cells[1:], t.leaves)
	for _, leaf := range t.leaves {
		value := leaf.sum.value(l.options.Ridge)
		for bin := leaf.from; bin < leaf.to; bin++ {
			delta[1+bin] = value
		}
	}
}

// stepOfTwo cuts one of the two features in two and each side along the other one: up to four rectangles.
func (l *learner) stepOfTwo(t *table, delta []float64) {
	height := len(t.cells) / t.width
	byFirst := l.bestQuarters(t, height, t.width, func(a, b int) int { return a*t.width + b })
	bySecond := l.bestQuarters(t, t.width, height, func(a, b int) int { return b*t.width + a })
	best, place := byFirst, func(a, b int) int { return a*t.width + b }
	outer, inner := height, t.width
	if bySecond.gain > byFirst.gain {
		best, place = bySecond, func(a, b int) int { return b*t.width + a }
		outer, inner = t.width, height
	}
	if best.gain <= 0 {
		return
	}
	for a := range outer {
		side := 0
		if a >= best.outer {
			side = 1
		}
		for b := range inner {
			value := best.values[side][0]
			if b >= best.inner[side] {
				value = best.values[side][1]
			}
			delta[place(a, b)] = value
		}
	}
}

// quarters is a cut of the outer feature, and a cut of the inner one on each side of it.
type quarters struct {
	outer  int
	inner  [2]int
	values [2][2]float64
	gain   float64
}

func (l *learner) bestQuarters(t *table, outer, inner int, place func(a, b int) int) quarters {
	ridge := l.options.Ridge
	low, high := make([]cell, inner), make([]cell, inner)
	var all cell
	for b := range inner {
		for a := range outer {
			high[b].add(t.cells[place(a, b)])
		}
		all.add(high[b])
	}
	best := quarters{}
	stay := all.gain(ridge)
	for cut := 1; cut < outer; cut++ {
		for b := range inner {
			moved := t.cells[place(cut-1, b)]
			low[b].add(moved)
			high[b] = high[b].minus(moved)
		}
		lowCut, lowGain, lowValues := l.bestHalves(low)
		highCut, highGain, highValues := l.bestHalves(high)
		if gain := lowGain + highGain - stay; gain > best.gain {
			best = quarters{cut, [2]int{lowCut, highCut}, [2][2]float64{lowValues, highValues}, gain}
		}
	}
	return best
}

// bestHalves cuts a line of cells in two, or leaves it whole, and returns the cut, its gain over nothing, and the two steps.
func (l *learner) bestHalves(line []cell) (cut int, gain float64, values [2]float64) {
	ridge, least := l.options.Ridge, l.options.MinPayments
	var all, low cell
	for _, c := range line {
		all.add(c)
	}
	if all.weight < least {
		return 0, 0, values
	}
	gain, values = all.gain(ridge), [2]float64{all.value(ridge), all.value(ridge)}
	for at := 1; at < len(line); at++ {
		low.add(line[at-1])
		high := all.minus(low)
		if low.weight < least || high.weight < least {
			continue
		}
		if g := low.gain(ridge) + high.gain(ridge); g > gain {
			cut, gain, values = at, g, [2]float64{low.value(ridge), high.value(ridge)}
		}
	}
	return cut, gain, values
}

// loss returns the mean logarithmic loss of the check payments.
func (l *learner) loss() float64 {
	sum := 0.0
	for i, score := range l.check.score {
		if l.check.fraud[i] {
			score = -score
		}
		// log(1 + e^score), the loss of a legitimate payment
		if score > 30 {
			sum += score
		} else {
			sum += log(1 + exp(score))
		}
	}
	return sum / float64(len(l.check.score))
}
