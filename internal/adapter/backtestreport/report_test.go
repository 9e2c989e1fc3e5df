package backtestreport

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/testkit/browser"
)

func share(value float64) *float64 { return &value }

// pageForTest returns a report with something in every part.
func pageForTest() Page {
	from := time.Date(2018, 7, 18, 0, 0, 0, 0, time.UTC)
	result := backtest.Result{
		PolicyID: "default", PolicyVersion: "2", ScoredBy: "probability", AveragePrecision: share(0.7251), AUCROC: share(0.8912), CardPrecision100: share(0.307),
		Ranked: 900, RankedFraud: 40,
		Outcomes: backtest.Outcomes{
			Approved: backtest.OutcomeCount{Payments: 900, Fraud: 10, AmountMinor: 900_000_00, FraudMinor: 1_000_00},
			Review:   backtest.OutcomeCount{Payments: 60, Fraud: 20, AmountMinor: 90_000_00, FraudMinor: 8_000_00},
			Rejected: backtest.OutcomeCount{Payments: 40, Fraud: 30, AmountMinor: 50_000_00, FraudMinor: 40_000_00},
		},
		Stopped:    backtest.Measure{Payments: 100, Fraud: 50, Precision: share(0.5), Recall: share(50.0 / 60)},
		SavedMinor: 40_000_00, HeldMinor: 8_000_00, LostMinor: 1_000_00, GoodBlocked: 10, GoodHeld: 40, FalsePositives: share(50.0 / 940),
		Rules: []backtest.RuleResult{
			{Name: "Raised <often>", Code: "often", Mode: "active", Measure: backtest.Measure{Payments: 90, Fraud: 45, Precision: share(0.5), Recall: share(0.75)}, Failed: 2},
			{Name: "Never raised", Code: "never", Mode: "shadow"},
		},
		Reasons: []backtest.ReasonResult{{Code: "often", Measure: backtest.Measure{Payments: 90, Fraud: 45, Precision: share(0.5), Recall: share(0.75)}}},
		Days: []backtest.DayResult{
			{Date: "2018-07-18", Payments: 500, Approved: 450, Review: 30, Rejected: 20, Fraud: 30, FraudStopped: 25, FraudMinor: 25_000_00, StoppedMinor: 24_000_00},
			{Date: "2018-07-19", Payments: 500, Approved: 450, Review: 30, Rejected: 20, Fraud: 30, FraudStopped: 25, FraudMinor: 24_000_00, StoppedMinor: 24_000_00},
		},
		Calibration: []backtest.Bin{{From: 0, To: 0.001, Payments: 900, Fraud: 1, Mean: 0.0005, Observed: 1.0 / 900}, {From: 0.5, To: 0.6, Payments: 100, Fraud: 59, Mean: 0.55, Observed: 0.59}},
		Curves: backtest.Curves{
			ROC:             []backtest.Point{{X: 0, Y: 0}, {X: 0.1, Y: 0.8}, {X: 1, Y: 1}},
			PrecisionRecall: []backtest.Point{{X: 0, Y: 1}, {X: 0.8, Y: 0.5}, {X: 1, Y: 0.06}},
			Budget:          []backtest.Point{{X: 0, Y: 0}, {X: 50, Y: 0.9}, {X: 1000, Y: 1}},
		},
		Missed:      []backtest.Example{{PaymentID: "<script>alert(1)</script>", At: from, AmountMinor: 500_00, Currency: "EUR", Score: 0.25, Outcome: "approved", Raised: []string{}}},
		BlockedGood: []backtest.Example{{PaymentID: "p2", At: from, AmountMinor: 900_00, Currency: "EUR", Score: 0.95, Outcome: "rejected", Raised: []string{"often"}}},
	}
	before := result
	before.PolicyVersion, before.AveragePrecision, before.GoodBlocked = "1", share(0.6), 5
	report := &backtest.Report{
		From: from, To: from.Add(48 * time.Hour), Seconds: 1.5, PaymentsPerSecond: 200_000, Payments: 1000, Labelled: 990, Fraud: 60, Currency: "USD",
		AmountMinor: 1_040_000_00, FraudMinor: 49_000_00, AmountUnknown: 3, Result: result,
		Against: &backtest.Comparison{
			Result: before, Changed: 5, Moves: []backtest.Move{{Before: "approved", After: "rejected", Payments: 5, Fraud: 4}},
			Differences: []backtest.Difference{{Example: result.BlockedGood[0], Before: "approved", Fraud: true, Labelled: true}},
		},
	}
	return Page{
		Report: report, MadeAt: from, Notes: []string{"A note."},
		Sources: []Source{{Name: "payments.csv", Rows: 1002, Refused: 2, Reasons: []Reason{{"at: not an instant of the format", 2}}, Lines: []Line{{7, "at: not an instant of the format"}}}},
	}
}

func render(t *testing.T, p Page) string {
	t.Helper()
	var out strings.Builder
	if err := Render(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAReportSaysWhatCameOfIt(t *testing.T) {
	html := render(t, pageForTest())
	for _, want := range []string{
		"Of 60 frauds worth USD 49,000, this policy would have stopped 50 (83.3%), worth USD 48,000.",
		"It would have rejected 10 good payments and held 40 for review: 5.3% of all good payments, 1 for each fraud stopped.",
		"Against default 1, 5 payments get another answer.",
		"0.725", "0.891", "0.307", "better than 0.600", "worse than 45", "1 rules were never raised", "2 of 1,002 rows were not used", "line 7: at: not an instant of the format",
		"Raised &lt;often&gt;", "3 payments have no rate", "A note.", "Is a probability of 10% really one in ten?",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if strings.Contains(html, "<script") {
		t.Error("a payment's id came through as markup")
	}
	if strings.Contains(html, "ZgotmplZ") || strings.Contains(html, "NaN") || strings.Contains(html, "Inf") {
		t.Error("something could not be written")
	}
}

func TestAReportNeedsNothingElse(t *testing.T) {
	html := render(t, pageForTest())
	if found := regexp.MustCompile(`(?i)(src|href|url\()\s*=?\s*["']?(https?:|//|data:)`).FindString(html); found != "" {
		t.Errorf("the report asks for %q", found)
	}
	if strings.Contains(html, "@import") || strings.Contains(html, "<link") {
		t.Error("the report asks for a style from elsewhere")
	}
}

func TestReportsOfLittleAreRendered(t *testing.T) {
	good := backtest.OutcomeCount{Payments: 1, AmountMinor: 100}
	tests := []struct {
		name   string
		report backtest.Report
		want   string
	}{
		{"nothing was measured", backtest.Report{Currency: "USD"}, "No payment was measured"},
		{"no fraud is known", backtest.Report{Currency: "JPY", Payments: 1, Result: backtest.Result{
			Outcomes: backtest.Outcomes{Approved: good}, Days: []backtest.DayResult{{Date: "2018-07-18", Payments: 1, Approved: 1}}}}, "None of the payments is labelled as fraud"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			html := render(t, Page{Report: &test.report})
			if !strings.Contains(html, test.want) || strings.Contains(html, "NaN") {
				t.Errorf("the report does not say %q, or says NaN", test.want)
			}
		})
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	report := pageForTest().Report
	for name, svg := range map[string]template.HTML{
		"roc": ROC(report), "precision and recall": PrecisionRecall(report), "budget": Budget(report, true), "budget, narrow": Budget(report, false),
		"calibration": Calibration(report), "outcomes": Outcomes(report, true), "fraud by day": FraudByDay(report, false),
	} {
		text := string(svg)
		if !strings.HasPrefix(text, "<svg") || !strings.HasSuffix(text, "</svg>") || !strings.Contains(text, `role="img"`) || strings.Contains(text, "style=") {
			t.Errorf("%s: got %.80s…", name, text)
		}
	}
}

func TestTicksAreRoundAndReachTheTop(t *testing.T) {
	for highest, want := range map[float64]float64{0: 1, 1: 1, 7: 8, 96: 100, 101: 150, 4_870: 6_000, 0.3: 0.3} {
		marks := ticks(highest, 4)
		if last := marks[len(marks)-1]; last < highest || last > want*1.0001 || len(marks) > 6 {
			t.Errorf("got %v for %v, want up to about %v", marks, highest, want)
		}
	}
}

func TestManyDaysShareBars(t *testing.T) {
	days := make([]backtest.DayResult, 100)
	for i := range days {
		days[i] = backtest.DayResult{Date: time.Date(2018, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), Payments: 2, Rejected: 1}
	}
	list, each := groups(days, 31)
	var payments int64
	for _, g := range list {
		payments += g.payments
	}
	if len(list) > 31 || each != 4 || payments != 200 {
		t.Errorf("got %d bars of %d days with %d payments", len(list), each, payments)
	}
}

func TestTheReportFitsAPhoneAndAScreenReader(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	b := browser.New(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = Render(w, pageForTest())
	}))
	t.Cleanup(server.Close)
	for _, page := range []*browser.Page{b.Desktop(), b.Phone()} {
		page.Goto(server.URL + "/")
		page.Accessible()
	}
}
