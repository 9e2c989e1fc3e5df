package backtestreport

import (
	"cmp"
	_ "embed" // the page and its style
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/standard/money"
)

//go:embed page.css
var style string

//go:embed page.html
var page string

// Source is the file behind a report, and what of it was not used.
type Source struct {
	Name    string // of the file, without its folder; shown as it is
	Rows    int64
	Refused int64
	Reasons []Reason
	Lines   []Line // the first ones
}

// Reason is why rows were not used.
type Reason struct {
	Text string
	Rows int64
}

// Line is one row that was not used.
type Line struct {
	Number int64
	Text   string
}

// Page is what a report shows.
type Page struct {
	Report  *backtest.Report
	Sources []Source
	MadeAt  time.Time
	Notes   []string // sentences about how the run was set up
}

// sheet is compiled once, before anything else runs; it never changes.
var sheet = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": grouped, "percent": percent, "decimals": decimals, "date": func(at time.Time) string { return at.UTC().Format("2 January 2006") },
	"minute": func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") },
	"money":  money.Format, "round": round, "meter": meter, "sub": func(a, b int64) int64 { return a - b },
	"join":  func(list []string) string { return strings.Join(list, ", ") },
	"score": func(value float64) string { return fmt.Sprintf("%.4g", value) },
	"share": shareText,
	"roc":   ROC, "precisionRecall": PrecisionRecall, "calibration": Calibration,
	"budget":    func(r *backtest.Report, wide bool) template.HTML { return Budget(r, wide) },
	"outcomes":  func(r *backtest.Report, wide bool) template.HTML { return Outcomes(r, wide) },
	"fraudDays": func(r *backtest.Report, wide bool) template.HTML { return FraudByDay(r, wide) },
	"daysEach":  func(r *backtest.Report, wide bool) int { _, each := groups(r.Days, mostBars(wide)); return each },
}).Parse(page))

// view is what the template sees.
type view struct {
	Page
	R       *backtest.Report
	Style   template.CSS
	Verdict []string
	Tiles   []tile
}

// tile is one figure at the top.
type tile struct {
	Name, Value, Detail string
	Before              string // of the policy that is compared against; empty without one
	Good                bool   // better than before, when it differs
	Differs             bool
}

// Render writes the report as one HTML document.
func Render(w io.Writer, p Page) error {
	v := view{Page: p, R: p.Report, Style: template.CSS(style), Verdict: verdict(p.Report), Tiles: tiles(p.Report)} // the style is ours
	if err := sheet.Execute(w, v); err != nil {
		return fmt.Errorf("render the backtest report: %w", err)
	}
	return nil
}

// verdict says in sentences what came of it.
func verdict(r *backtest.Report) []string {
	if r.Payments == 0 {
		return []string{"No payment was measured. Check the dates and the rows that were not used."}
	}
	var out []string
	switch {
	case r.Fraud == 0:
		out = append(out, "None of the payments is labelled as fraud, so this report can say what would have been stopped, but not whether rightly.")
	default:
		out = append(out, fmt.Sprintf("Of %s frauds worth %s, this policy would have stopped %s (%s), worth %s.", grouped(r.Fraud), round(r.FraudMinor, r.Currency),
			grouped(r.Stopped.Fraud), percent(r.Stopped.Recall), round(r.SavedMinor+r.HeldMinor, r.Currency)))
	}
	good := r.GoodBlocked + r.GoodHeld
	sentence := fmt.Sprintf("It would have rejected %s good payments and held %s for review: %s of all good payments", grouped(r.GoodBlocked), grouped(r.GoodHeld), percent(r.FalsePositives))
	if r.Stopped.Fraud > 0 {
		sentence += fmt.Sprintf(", %s for each fraud stopped", short(float64(int64(10*float64(good)/float64(r.Stopped.Fraud)+0.5))/10))
	}
	out = append(out, sentence+".")
	if a := r.Against; a != nil {
		out = append(out, fmt.Sprintf("Against %s %s, %s payments get another answer.", a.PolicyID, a.PolicyVersion, grouped(a.Changed)))
	}
	return out
}

// tiles are the figures that a decision is made by.
func tiles(r *backtest.Report) []tile {
	list := []tile{
		{Name: "Fraud amount stopped", Value: round(r.SavedMinor+r.HeldMinor, r.Currency), Detail: "of " + round(r.FraudMinor, r.Currency)},
		{Name: "Frauds found (recall)", Value: percent(r.Stopped.Recall), Detail: grouped(r.Stopped.Fraud) + " of " + grouped(r.Fraud)},
		{Name: "Fraud among stopped (precision)", Value: percent(r.Stopped.Precision), Detail: grouped(r.Stopped.Fraud) + " of " + grouped(r.Stopped.Payments)},
		{Name: "Good payments stopped", Value: grouped(r.GoodBlocked + r.GoodHeld), Detail: percent(r.FalsePositives) + " of the good ones"},
		{Name: "Good amount stopped", Value: round(r.GoodBlockedMinor+r.GoodHeldMinor, r.Currency), Detail: "of " + round(r.AmountMinor-r.FraudMinor, r.Currency)},
		{Name: "Average precision", Value: decimals(r.AveragePrecision), Detail: "ranked by " + r.ScoredBy},
		{Name: "AUC ROC", Value: decimals(r.AUCROC), Detail: grouped(r.Ranked) + " payments ranked"},
		{Name: "Card precision@100", Value: decimals(r.CardPrecision100), Detail: "mean over the days"},
	}
	if a := r.Against; a != nil {
		compare(&list[0], round(a.SavedMinor+a.HeldMinor, r.Currency), float64(r.SavedMinor+r.HeldMinor)-float64(a.SavedMinor+a.HeldMinor))
		compareShares(&list[1], r.Stopped.Recall, a.Stopped.Recall, percent)
		compareShares(&list[2], r.Stopped.Precision, a.Stopped.Precision, percent)
		compare(&list[3], grouped(a.GoodBlocked+a.GoodHeld), float64(a.GoodBlocked+a.GoodHeld)-float64(r.GoodBlocked+r.GoodHeld))
		compare(&list[4], round(a.GoodBlockedMinor+a.GoodHeldMinor, r.Currency), float64(a.GoodBlockedMinor+a.GoodHeldMinor)-float64(r.GoodBlockedMinor+r.GoodHeldMinor))
		compareShares(&list[5], r.AveragePrecision, a.AveragePrecision, decimals)
		compareShares(&list[6], r.AUCROC, a.AUCROC, decimals)
		compareShares(&list[7], r.CardPrecision100, a.CardPrecision100, decimals)
	}
	return list
}

func compare(t *tile, before string, better float64) {
	t.Before, t.Good, t.Differs = before, better > 0, better != 0
}

func compareShares(t *tile, now, before *float64, text func(*float64) string) {
	better := 0.0
	if now != nil && before != nil {
		better = *now - *before
	}
	compare(t, text(before), better)
}

// round writes an amount without its decimals.
func round(minor int64, currency string) string {
	text := money.Format(minor, currency)
	if exponent, known := money.Exponent(currency); known && exponent > 0 {
		unit := int64(1)
		for range exponent {
			unit *= 10
		}
		if minor < 0 || minor >= 100*unit {
			text = money.Format((minor+unit/2)/unit*unit, currency)
			text = text[:len(text)-exponent-1]
		}
	}
	return text
}

// meter draws a share as a bar behind its number.
func meter(share *float64) template.HTML {
	if share == nil {
		return "–"
	}
	return template.HTML(fmt.Sprintf(`<span class="meter"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="meter__all" width="100" height="8"/><rect class="meter__part" width="%s" height="8"/></svg><span class="meter__text">%s</span></span>`,
		num(100**share), percent(share)))
}

func percent(share *float64) string {
	if share == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", *share*100)
}

// shareText writes a share with as many digits as matter: 0.15%, 3.8%, 98.4%.
func shareText(value float64) string {
	if value > 0 && value < 0.01 {
		return fmt.Sprintf("%.2g%%", value*100)
	}
	return percent(&value)
}

func decimals(measure *float64) string {
	if measure == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *measure)
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	digits, sign := fmt.Sprint(n), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// AnyFailed reports whether a rule could not be evaluated for some payment.
func (v view) AnyFailed() bool {
	return slices.ContainsFunc(v.R.Rules, func(rule backtest.RuleResult) bool { return rule.Failed > 0 })
}

// Raised returns the rules that were raised or failed, the most frequent first.
func (v view) Raised() []backtest.RuleResult {
	list := slices.DeleteFunc(slices.Clone(v.R.Rules), isSilent)
	slices.SortStableFunc(list, func(a, b backtest.RuleResult) int { return cmp.Compare(b.Payments, a.Payments) })
	return list
}

// Silent returns the rules of which there is nothing to say.
func (v view) Silent() []backtest.RuleResult {
	return slices.DeleteFunc(slices.Clone(v.R.Rules), func(rule backtest.RuleResult) bool { return !isSilent(rule) })
}

func isSilent(rule backtest.RuleResult) bool { return rule.Payments == 0 && rule.Failed == 0 }
