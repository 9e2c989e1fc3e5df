package scorecard

// cell is the gradient of one bin: what its payments ask for (gradient), how surely (hessian), and how many they are.
type cell struct {
	gradient, hessian, weight float64
}

func (c *cell) add(other cell) {
	c.gradient += other.gradient
	c.hessian += other.hessian
	c.weight += other.weight
}

func (c cell) minus(other cell) cell {
	return cell{c.gradient - other.gradient, c.hessian - other.hessian, c.weight - other.weight}
}

// value is the Newton step of a leaf, gain what the step is worth.
func (c cell) value(ridge float64) float64 { return c.gradient / (c.hessian + ridge) }
func (c cell) gain(ridge float64) float64 {
	return float64(c.gradient*c.gradient) / (c.hessian + ridge)
}

// leaf is a range of bins [from, to) with one step.
type leaf struct {
	from, to int
	sum      cell
	at       int     // the best place to split it
	gain     float64 // of splitting it there; 0 when it should stay whole
}

// growth are the limits of a step's tree.
type growth struct {
	leaves    int
	ridge     float64 // added to every hessian: shrinks leaves that few payments speak for
	minWeight float64 // of a leaf, in payments
	monotone  Direction
}

// grow fits a step function of at most g.leaves leaves to the bins (without missing) and returns its leaves in order. It is greedy: the split
// that gains most comes first. A split that would break the direction is not made.
func (g growth) grow(cells []cell, leaves []leaf) []leaf {
	leaves = append(leaves[:0], g.whole(cells, 0, len(cells)))
	for len(leaves) < g.leaves {
		best := 0
		for i := range leaves {
			if leaves[i].gain > leaves[best].gain {
				best = i
			}
		}
		if leaves[best].gain <= 0 {
			break
		}
		split := leaves[best]
		low, high := g.whole(cells, split.from, split.at), g.whole(cells, split.at, split.to)
		if !g.inOrder(leaves, best, low, high) {
			leaves[best].gain = 0
			continue
		}
		leaves = append(leaves, leaf{})
		copy(leaves[best+2:], leaves[best+1:])
		leaves[best], leaves[best+1] = low, high
	}
	return leaves
}

// whole returns the range as one leaf, with its best split.
func (g growth) whole(cells []cell, from, to int) leaf {
	l := leaf{from: from, to: to}
	for _, c := range cells[from:to] {
		l.sum.add(c)
	}
	stay := l.sum.gain(g.ridge)
	var low cell
	for at := from + 1; at < to; at++ {
		low.add(cells[at-1])
		high := l.sum.minus(low)
		if low.weight < g.minWeight || high.weight < g.minWeight {
			continue
		}
		step := high.value(g.ridge) - low.value(g.ridge)
		if g.monotone == Increasing && step < 0 || g.monotone == Decreasing && step > 0 {
			continue
		}
		if gain := low.gain(g.ridge) + high.gain(g.ridge) - stay; gain > l.gain {
			l.at, l.gain = at, gain
		}
	}
	return l
}

// inOrder reports whether the two leaves in place of the one at i keep the direction towards their neighbours.
func (g growth) inOrder(leaves []leaf, i int, low, high leaf) bool {
	if g.monotone == Free {
		return true
	}
	sign := float64(g.monotone)
	values := [2]float64{low.sum.value(g.ridge) * sign, high.sum.value(g.ridge) * sign}
	return (i == 0 || leaves[i-1].sum.value(g.ridge)*sign <= values[0]) &&
		(i == len(leaves)-1 || values[1] <= leaves[i+1].sum.value(g.ridge)*sign)
}
