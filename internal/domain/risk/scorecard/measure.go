package scorecard

import (
	"cmp"
	"slices"
)

// Measures say how well scores rank and how well probabilities fit.
type Measures struct {
	AveragePrecision, AUCROC, LogLoss float64
}

// Measure compares scores with labels. Average precision is that of scikit-learn; in the area under the ROC curve a tie counts half.
// Without both kinds of payments the two are 0.
func (m *Model) Measure(s *Sample) Measures {
	scores := m.scoresOf(s)
	out := Measures{}
	out.AveragePrecision, out.AUCROC = rankingMeasures(scores, s.Fraud)
	for i, points := range scores {
		p := min(max(m.ProbabilityOf(points), 1e-12), 1-1e-12)
		if !s.Fraud[i] {
			p = 1 - p
		}
		out.LogLoss -= log(p)
	}
	if len(scores) > 0 {
		out.LogLoss /= float64(len(scores))
	}
	return out
}

func (m *Model) scoresOf(s *Sample) []Points {
	scores := make([]Points, len(s.Fraud))
	row := make([]float64, len(s.Columns))
	for i := range scores {
		for c := range row {
			row[c] = s.Columns[c][i]
		}
		scores[i] = m.Score(row).Points
	}
	return scores
}

// step is all payments of one score.
type step struct {
	points           Points
	payments, frauds int64 // with this score or a higher one
}

// ranked returns the steps of a ranking, the highest score first.
func ranked(scores []Points, fraud []bool) []step {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	var steps []step
	frauds := int64(0)
	for i, row := range order {
		if fraud[row] {
			frauds++
		}
		if i+1 == len(order) || scores[order[i+1]] != scores[row] {
			steps = append(steps, step{scores[row], int64(i + 1), frauds})
		}
	}
	return steps
}

func rankingMeasures(scores []Points, fraud []bool) (averagePrecision, auc float64) {
	steps := ranked(scores, fraud)
	if len(steps) == 0 {
		return 0, 0
	}
	last := steps[len(steps)-1]
	legitimate := last.payments - last.frauds
	if last.frauds == 0 || legitimate == 0 {
		return 0, 0
	}
	var before step
	var pairs float64
	for _, s := range steps {
		found := float64(s.frauds - before.frauds)
		averagePrecision += float64(found * (float64(s.frauds) / float64(s.payments)))
		same := float64(s.payments-before.payments) - found
		below := float64(legitimate - (s.payments - s.frauds))
		pairs += float64(found * (below + same/2))
		before = s
	}
	return averagePrecision / float64(last.frauds), pairs / float64(last.frauds) / float64(legitimate)
}
