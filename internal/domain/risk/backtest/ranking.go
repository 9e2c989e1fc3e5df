package backtest

import (
	"cmp"
	"math"
	"slices"
)

// Scored is one payment with a known truth and the score that a policy gave it; higher means riskier.
type Scored struct {
	Score float64
	Fraud bool
}

// Rung is one distinct score of a ranking: all payments with this score or a higher one.
type Rung struct {
	Score    float64
	Payments int64 // with this score or a higher one
	Fraud    int64 // of those
}

// Ranking is payments in the order of their scores, the riskiest first, with ties kept together. The zero value ranks nothing.
type Ranking struct {
	rungs []Rung
}

// Rank sorts the payments in place and returns their ranking. A score that is not a number ranks below all others.
func Rank(payments []Scored) Ranking {
	slices.SortFunc(payments, func(a, b Scored) int { return cmp.Compare(b.Score, a.Score) })
	var r Ranking
	var fraud int64
	for i, p := range payments {
		if p.Fraud {
			fraud++
		}
		if i+1 < len(payments) && cmp.Compare(payments[i+1].Score, p.Score) == 0 {
			continue
		}
		r.rungs = append(r.rungs, Rung{Score: p.Score, Payments: int64(i + 1), Fraud: fraud})
	}
	return r
}

// Totals returns how many payments are ranked, and how many of them are fraud.
func (r Ranking) Totals() (payments, fraud int64) {
	if len(r.rungs) == 0 {
		return 0, 0
	}
	last := r.rungs[len(r.rungs)-1]
	return last.Payments, last.Fraud
}

// AUC returns the area under the receiver operating characteristic: the share of pairs of a fraud and a good payment in which the fraud has
// the higher score, a tie counting half. It is exact up to the final division, and false when there is no such pair.
func (r Ranking) AUC() (float64, bool) {
	payments, fraud := r.Totals()
	good := payments - fraud
	if fraud == 0 || good == 0 {
		return 0, false
	}
	// Twice the number of pairs in the right order: within a rung every pair counts one half. With 10^9 payments this still fits.
	var twice uint64
	before := Rung{}
	for _, rung := range r.rungs {
		rungFraud := uint64(rung.Fraud - before.Fraud)
		rungGood := uint64(rung.Payments-before.Payments) - rungFraud
		goodBelow := uint64(good) - uint64(before.Payments-before.Fraud) - rungGood
		twice += rungFraud * (2*goodBelow + rungGood)
		before = rung
	}
	return float64(twice) / 2 / float64(good) / float64(fraud), true
}

// AveragePrecision returns the sum over the rungs of (recall − recall before) × precision, without interpolation, as scikit-learn's
// average_precision_score does; false when no payment is fraud.
func (r Ranking) AveragePrecision() (float64, bool) {
	_, fraud := r.Totals()
	if fraud == 0 {
		return 0, false
	}
	var sum float64
	var before int64
	for _, rung := range r.rungs {
		found := rung.Fraud - before
		if found > 0 {
			// The conversion keeps the product rounded: a fused multiply-add would give other digits on other processors.
			sum += float64(float64(found) * (float64(rung.Fraud) / float64(rung.Payments)))
		}
		before = rung.Fraud
	}
	return sum / float64(fraud), true
}

// Point is one point of a curve.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// ROC returns the receiver operating characteristic from (0,0) to (1,1) in at most about so many points: x is the share of good payments
// and y the share of fraud with a score at or above a threshold. It is nil when one of the two is missing.
func (r Ranking) ROC(points int) []Point {
	payments, fraud := r.Totals()
	good := payments - fraud
	if fraud == 0 || good == 0 {
		return nil
	}
	return thin(r.rungs, points, Point{0, 0}, func(s Rung) Point {
		return Point{X: float64(s.Payments-s.Fraud) / float64(good), Y: float64(s.Fraud) / float64(fraud)}
	})
}

// PrecisionRecall returns the precision-recall curve from the highest score on, in at most about so many points: x is recall, y is
// precision. It is nil when no payment is fraud.
func (r Ranking) PrecisionRecall(points int) []Point {
	_, fraud := r.Totals()
	if fraud == 0 {
		return nil
	}
	start := Point{X: 0, Y: float64(r.rungs[0].Fraud) / float64(r.rungs[0].Payments)}
	return thin(r.rungs, points, start, func(s Rung) Point {
		return Point{X: float64(s.Fraud) / float64(fraud), Y: float64(s.Fraud) / float64(s.Payments)}
	})
}

// thin keeps a point when it lies far enough from the last one kept, so that steep parts of a curve keep their shape, and always the end.
func thin(rungs []Rung, points int, start Point, at func(Rung) Point) []Point {
	reach := 2 / float64(max(points, 2)) // a curve in the unit square that only rises is at most two long
	kept := []Point{start}
	for i, rung := range rungs {
		p, last := at(rung), kept[len(kept)-1]
		if i == len(rungs)-1 || math.Abs(p.X-last.X)+math.Abs(p.Y-last.Y) >= reach {
			kept = append(kept, p)
		}
	}
	return kept
}

// AtBudget returns how many of the first so many payments of the ranking are fraud: what a team that looks at that many finds. Where the
// budget ends inside a tie, the tie's share is counted, as if its payments were looked at in a random order.
func (r Ranking) AtBudget(payments int64) float64 {
	before := Rung{}
	for _, rung := range r.rungs {
		if rung.Payments > payments {
			share := float64(payments-before.Payments) / float64(rung.Payments-before.Payments)
			return float64(before.Fraud) + float64(share*float64(rung.Fraud-before.Fraud))
		}
		before = rung
	}
	return float64(before.Fraud)
}
