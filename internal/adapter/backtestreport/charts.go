package backtestreport

import (
	"fmt"
	"html/template"
	"time"

	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/standard/money"
)

// The sizes of a plot in its own units: half is for two beside each other and for phones, wide is for the whole page.
const (
	halfWidth  = 460
	halfHeight = 320
	wideWidth  = 980
	wideHeight = 300
)

var shares = []float64{0, 0.2, 0.4, 0.6, 0.8, 1}

// pairs turns points into coordinates.
func pairs(points []backtest.Point) [][2]float64 {
	out := make([][2]float64, len(points))
	for i, p := range points {
		out[i] = [2]float64{p.X, p.Y}
	}
	return out
}

// ROC draws the receiver operating characteristic of the policy and, dashed, of the one it is compared with. It is empty without a curve.
func ROC(report *backtest.Report) template.HTML {
	if len(report.Curves.ROC) == 0 {
		return ""
	}
	p := newPlot(halfWidth, halfHeight, "Receiver operating characteristic. Area under it: "+decimals(report.AUCROC)+".", scale{low: 0, high: 1}, scale{low: 0, high: 1})
	p.axes(axis{"good payments ranked above", shares, percentMark}, axis{"fraud found", shares, percentMark})
	p.line("plot__line--chance", [][2]float64{{0, 0}, {1, 1}})
	if report.Against != nil {
		p.line("plot__line--2", pairs(report.Against.Curves.ROC))
	}
	p.area("plot__area--1", pairs(report.Curves.ROC))
	p.line("plot__line--1", pairs(report.Curves.ROC))
	return p.done()
}

// PrecisionRecall draws the precision-recall curves, with the policy's own decisions as a point. It is empty without a curve.
func PrecisionRecall(report *backtest.Report) template.HTML {
	if len(report.Curves.PrecisionRecall) == 0 {
		return ""
	}
	p := newPlot(halfWidth, halfHeight, "Precision and recall. Average precision: "+decimals(report.AveragePrecision)+".", scale{low: 0, high: 1}, scale{low: 0, high: 1})
	p.axes(axis{"recall: fraud found", shares, percentMark}, axis{"precision: fraud among found", shares, percentMark})
	if report.Against != nil {
		p.line("plot__line--2", pairs(report.Against.Curves.PrecisionRecall))
	}
	p.area("plot__area--1", pairs(report.Curves.PrecisionRecall))
	p.line("plot__line--1", pairs(report.Curves.PrecisionRecall))
	if s := report.Stopped; s.Precision != nil && s.Recall != nil {
		p.dot("plot__dot--1", *s.Recall, *s.Precision, 5.5, "what the policy stops: precision "+percent(s.Precision)+", recall "+percent(s.Recall))
	}
	return p.done()
}

// Budget draws what share of the fraud amount is stopped for how many good payments stopped, with what the policies stop as points. It is empty
// without fraud.
func Budget(report *backtest.Report, wide bool) template.HTML {
	if len(report.Curves.Budget) == 0 {
		return ""
	}
	x, y := operating(report, &report.Result)
	highest := max(20, 2.5*x)
	if report.Against != nil {
		x2, _ := operating(report, &report.Against.Result)
		highest = max(highest, 1.3*x2)
	}
	highest = min(highest, 1000)
	width, height, about := float64(halfWidth), float64(halfHeight), 5
	if wide {
		width, height, about = wideWidth, wideHeight, 10
	}
	marks := ticks(highest, about)
	p := newPlot(width, height, fmt.Sprintf("The policy stops %s of the fraud amount for %s of 1,000 good payments.", percentMark(y), short(x)),
		scale{low: 0, high: marks[len(marks)-1]}, scale{low: 0, high: 1})
	p.axes(axis{"good payments stopped, of 1,000", marks, short}, axis{"fraud amount stopped", shares, percentMark})
	if report.Against != nil {
		p.line("plot__line--2", clipped(report.Against.Curves.Budget, p.x.high))
	}
	p.area("plot__area--1", clipped(report.Curves.Budget, p.x.high))
	p.line("plot__line--1", clipped(report.Curves.Budget, p.x.high))
	if report.Against != nil {
		x2, y2 := operating(report, &report.Against.Result)
		p.dot("plot__dot--2", x2, y2, 5.5, "what the other policy stops")
	}
	p.dot("plot__dot--1", x, y, 6, "what the policy stops")
	return p.done()
}

// operating is where a policy's own decisions lie in Budget.
func operating(report *backtest.Report, r *backtest.Result) (x, y float64) {
	if good := report.Payments - report.Fraud; good > 0 {
		x = 1000 * float64(r.GoodBlocked+r.GoodHeld) / float64(good)
	}
	if report.FraudMinor > 0 {
		y = float64(r.SavedMinor+r.HeldMinor) / float64(report.FraudMinor)
	}
	return x, y
}

// clipped ends a curve at x.
func clipped(points []backtest.Point, x float64) [][2]float64 {
	var out [][2]float64
	for i, p := range points {
		if p.X > x {
			if before := points[max(i-1, 0)]; p.X > before.X {
				out = append(out, [2]float64{x, before.Y + (p.Y-before.Y)*(x-before.X)/(p.X-before.X)})
			}
			break
		}
		out = append(out, [2]float64{p.X, p.Y})
	}
	return out
}

// Calibration compares probabilities with what happened, both on logarithmic axes. It is empty for a policy without a scorecard.
func Calibration(report *backtest.Report) template.HTML {
	if len(report.Calibration) == 0 {
		return ""
	}
	const lowest = 0.0001
	marks := []float64{0.0001, 0.001, 0.01, 0.1, 1}
	p := newPlot(halfWidth, halfHeight, "Predicted probability of fraud beside the share that was fraud.", scale{low: lowest, high: 1, log: true}, scale{low: lowest, high: 1, log: true})
	p.axes(axis{"predicted probability", marks, percentMark}, axis{"share that was fraud", marks, percentMark})
	p.line("plot__line--chance", [][2]float64{{lowest, lowest}, {1, 1}})
	var line [][2]float64
	for _, bin := range report.Calibration {
		line = append(line, [2]float64{bin.Mean, bin.Observed})
	}
	p.line("plot__line--1", line)
	for _, bin := range report.Calibration {
		p.dot("plot__dot--1", bin.Mean, bin.Observed, 4.5, fmt.Sprintf("predicted %s, was %s, of %s payments", percentMark(bin.Mean), percentMark(bin.Observed), grouped(bin.Payments)))
	}
	return p.done()
}

// group is some days in a row that share a bar.
type group struct {
	first, last                  string
	count                        int
	review, rejected             int64
	stopped, missed              int64
	stoppedMinor, missedMinor    int64
	payments, goodStopped, fraud int64
}

// groups joins days so that there are at most so many bars.
func groups(days []backtest.DayResult, most int) (list []group, each int) {
	each = max(1, (len(days)+most-1)/most)
	for i, d := range days {
		if i%each == 0 {
			list = append(list, group{first: d.Date})
		}
		g := &list[len(list)-1]
		g.last = d.Date
		g.count++
		g.payments += d.Payments
		g.review += d.Review
		g.rejected += d.Rejected
		g.fraud += d.Fraud
		g.goodStopped += d.GoodStopped
		g.stopped += d.FraudStopped
		g.missed += d.Fraud - d.FraudStopped
		g.stoppedMinor += d.StoppedMinor
		g.missedMinor += d.FraudMinor - d.StoppedMinor
	}
	return list, each
}

func (g group) days() string {
	if g.first == g.last {
		return g.first
	}
	return g.first + " to " + g.last
}

// aDay returns the mean over the days of the bar, so that the last bar, which may have fewer, can be compared.
func (g group) aDay(sum int64) float64 { return float64(sum) / float64(g.count) }

// stack is one bar of parts.
type stack struct {
	group group
	parts [2]float64
	words [2]string
}

// Outcomes draws the stopped payments of each day: rejected below, held for review above.
func Outcomes(report *backtest.Report, wide bool) template.HTML {
	list, _ := groups(report.Days, mostBars(wide))
	var bars []stack
	for _, g := range list {
		bars = append(bars, stack{g, [2]float64{g.aDay(g.rejected), g.aDay(g.review)}, [2]string{
			fmt.Sprintf("%s: %s of %s payments rejected", g.days(), grouped(g.rejected), grouped(g.payments)),
			fmt.Sprintf("%s: %s of %s payments held for review", g.days(), grouped(g.review), grouped(g.payments)),
		}})
	}
	return stacks(bars, wide, "Payments stopped on each day.", "payments stopped a day", [2]string{"plot__bar--rejected", "plot__bar--review"}, short)
}

// FraudByDay draws the fraud amount of each day: stopped below, missed above.
func FraudByDay(report *backtest.Report, wide bool) template.HTML {
	list, _ := groups(report.Days, mostBars(wide))
	exponent, _ := money.Exponent(report.Currency)
	unit := 1.0
	for range exponent {
		unit *= 10
	}
	var bars []stack
	for _, g := range list {
		bars = append(bars, stack{g, [2]float64{g.aDay(g.stoppedMinor) / unit, g.aDay(g.missedMinor) / unit}, [2]string{
			fmt.Sprintf("%s: %s frauds of %s stopped", g.days(), grouped(g.stopped), money.Format(g.stoppedMinor, report.Currency)),
			fmt.Sprintf("%s: %s frauds of %s missed", g.days(), grouped(g.missed), money.Format(g.missedMinor, report.Currency)),
		}})
	}
	return stacks(bars, wide, "Fraud on each day, stopped and missed.", "fraud a day, "+report.Currency, [2]string{"plot__bar--stopped", "plot__bar--missed"}, short)
}

func mostBars(wide bool) int {
	if wide {
		return 92
	}
	return 31
}

// stacks draws bars of two parts.
func stacks(bars []stack, wide bool, label, name string, classes [2]string, mark func(float64) string) template.HTML {
	if len(bars) == 0 {
		return ""
	}
	width, height, every := float64(halfWidth), float64(halfHeight)-40, (len(bars)+3)/4
	if wide {
		width, height, every = wideWidth, wideHeight-40, (len(bars)+9)/10
	}
	highest := 0.0
	for _, b := range bars {
		highest = max(highest, b.parts[0]+b.parts[1])
	}
	marks := ticks(highest, 4)
	p := newPlot(width, height, label, scale{low: 0, high: float64(len(bars))}, scale{low: 0, high: marks[len(marks)-1]})
	p.axes(axis{"", nil, nil}, axis{name, marks, mark})
	step := p.x.at(1) - p.x.at(0)
	gap := min(step*0.2, 4)
	for i, b := range bars {
		left := p.x.at(float64(i)) + gap/2
		p.bar(classes[0], left, step-gap, 0, b.parts[0], b.words[0])
		p.bar(classes[1], left, step-gap, b.parts[0], b.parts[0]+b.parts[1], b.words[1])
		if i%every == 0 && len(bars)-i >= every/2 {
			at, err := time.Parse(time.DateOnly, b.group.first)
			if err == nil {
				p.text("plot__tick plot__tick--x", left+(step-gap)/2, p.y.from+19, at.Format("2 Jan"))
			}
		}
	}
	return p.done()
}
