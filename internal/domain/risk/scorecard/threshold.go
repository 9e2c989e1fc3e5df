package scorecard

import (
	"errors"
	"fmt"
	"math"
)

// Cost says what mistakes cost, in any one unit.
type Cost struct {
	MissedFraud float64 // a fraud below the threshold
	Review      float64 // a payment at or above it, fraud or not: a person's time, a customer's patience
}

var errThreshold = errors.New("scorecard: a cost must be a positive number, a budget at least one alert in the window")

// ByCost returns the threshold at which the payments of the window, which the model has not learned from, would have cost the least: each
// fraud below it costs a missed fraud, each payment at or above it a review.
func (m *Model) ByCost(name string, s *Sample, days float64, cost Cost) (Threshold, error) {
	if !(cost.MissedFraud > 0 && cost.Review > 0 && cost.MissedFraud < 1e12 && cost.Review < 1e12 && days > 0) {
		return Threshold{}, errThreshold
	}
	steps := ranked(m.scoresOf(s), s.Fraud)
	if len(steps) == 0 {
		return Threshold{}, ErrNothingToLearn
	}
	frauds := steps[len(steps)-1].frauds
	best, least := step{points: steps[0].points + 1}, float64(float64(frauds)*cost.MissedFraud)
	for _, one := range steps {
		total := float64(float64(frauds-one.frauds)*cost.MissedFraud) + float64(float64(one.payments)*cost.Review)
		if total < least {
			best, least = one, total
		}
	}
	t := m.threshold(name, best, frauds, days)
	t.Basis = fmt.Sprintf("least cost: a missed fraud costs %s, a review %s", number(cost.MissedFraud), number(cost.Review))
	return t, nil
}

// ByAlerts returns the lowest threshold that gives at most so many alerts a day on the payments of the window.
func (m *Model) ByAlerts(name string, s *Sample, days, perDay float64) (Threshold, error) {
	if !(perDay > 0 && perDay < 1e12 && days > 0) || perDay*days < 1 {
		return Threshold{}, errThreshold
	}
	steps := ranked(m.scoresOf(s), s.Fraud)
	if len(steps) == 0 {
		return Threshold{}, ErrNothingToLearn
	}
	best := step{points: steps[0].points + 1}
	for _, one := range steps {
		if float64(one.payments) > float64(perDay*days) {
			break
		}
		best = one
	}
	t := m.threshold(name, best, steps[len(steps)-1].frauds, days)
	t.Basis = fmt.Sprintf("at most %s alerts a day", number(perDay))
	return t, nil
}

func (m *Model) threshold(name string, at step, frauds int64, days float64) Threshold {
	return Threshold{
		Name: name, Points: at.points, Probability: short(m.ProbabilityOf(at.points)),
		AlertsPerDay: short(float64(at.payments) / days),
		Precision:    short(float64(at.frauds) / math.Max(1, float64(at.payments))),
		Recall:       short(float64(at.frauds) / math.Max(1, float64(frauds))),
	}
}
