package scorecard

import (
	"math"
	"slices"
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
	m.Calibration = m.extended(knots)
}

// extended adds a knot beyond the lowest and the highest score that the tables allow, so that no two scores have the same probability: a rule
// that reads the probability ranks payments as the points do.
func (m *Model) extended(knots []Knot) []Knot {
	lowest, highest := m.reach()
	first, last := knots[0], knots[len(knots)-1]
	if below := (Knot{min(lowest, first.Points) - 1, short(first.Probability / 10)}); below.Probability < first.Probability {
		knots = append([]Knot{below}, knots...)
	}
	// The odds of the last group ten times over, where its straight line would end far above what was seen.
	above := Knot{max(highest, last.Points) + 1, 1 - short((1-last.Probability)/10)}
	if above.Probability > last.Probability {
		knots = append(knots, above)
	}
	return knots
}

// reach returns the lowest and the highest score that the tables allow.
func (m *Model) reach() (lowest, highest Points) {
	lowest, highest = m.Base, m.Base
	for _, f := range m.Features {
		low, high := f.Missing.Points, f.Missing.Points
		for _, bin := range f.Bins {
			low, high = min(low, bin.Points), max(high, bin.Points)
		}
		lowest, highest = lowest+low, highest+high
	}
	for _, p := range m.Pairs {
		low, high := p.Points[0][0], p.Points[0][0]
		for _, row := range p.Points {
			low, high = min(low, slices.Min(row)), max(high, slices.Max(row))
		}
		lowest, highest = lowest+low, highest+high
	}
	return lowest, highest
}

// short keeps four significant digits.
func short(value float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 4, 64), 64)
	if err != nil {
		return value
	}
	return out
}
