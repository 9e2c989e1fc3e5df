package scorecard

import (
	"math"
	"strconv"
)

// calibrationFrauds is how many frauds each step of the calibration should see.
const calibrationFrauds = 10

// calibrate learns which probability a score means from scores that were not learned from. It is isotonic: the scores are cut into groups,
// neighbours whose share of fraud falls are joined (pool adjacent violators), and between the groups' means straight lines are drawn.
// Half a fraud and half a legitimate payment are added to each group, so that no probability is 0 or 1.
func (m *Model) calibrate(scores []Points, fraud []bool) {
	type group struct{ points, payments, frauds float64 }
	steps := ranked(scores, fraud)
	var groups []group
	join := func(last, next group) group {
		return group{last.points + next.points, last.payments + next.payments, last.frauds + next.frauds}
	}
	share := func(g group) float64 { return (g.frauds + 0.5) / (g.payments + 1) }
	total := steps[len(steps)-1]
	perGroup := max(calibrationFrauds, float64(total.frauds)/100)
	perGroupPayments := float64(total.payments) / 50
	var open group
	before := step{payments: total.payments, frauds: total.frauds}
	// From the lowest score to the highest.
	for i := len(steps) - 1; i >= 0; i-- {
		var above step
		if i > 0 {
			above = steps[i-1]
		}
		one := group{payments: float64(before.payments - above.payments), frauds: float64(before.frauds - above.frauds)}
		one.points = float64(float64(steps[i].points) * one.payments)
		before = above
		open = join(open, one)
		full := open.frauds >= perGroup || open.payments >= perGroupPayments
		if !full && i > 0 {
			continue
		}
		groups = append(groups, open)
		open = group{}
		for n := len(groups); n > 1 && share(groups[n-2]) >= share(groups[n-1]); n-- {
			groups[n-2] = join(groups[n-2], groups[n-1])
			groups = groups[:n-1]
		}
	}
	var knots []Knot
	for _, g := range groups {
		knot := Knot{Points(math.Round(g.points / g.payments)), short(share(g))}
		if n := len(knots); n > 0 && (knots[n-1].Points >= knot.Points || knots[n-1].Probability >= knot.Probability) {
			continue
		}
		knots = append(knots, knot)
	}
	if len(knots) == 1 {
		knots = append(knots, Knot{knots[0].Points + 1, knots[0].Probability})
	}
	m.Calibration = knots
}

// short keeps four significant digits.
func short(value float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 4, 64), 64)
	if err != nil {
		return value
	}
	return out
}
