package backtest

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func scored(scores []float64, fraud ...int) []Scored {
	list := make([]Scored, len(scores))
	for i, s := range scores {
		list[i] = Scored{Score: s, Fraud: slices.Contains(fraud, i)}
	}
	return list
}

func TestRankingMeasures(t *testing.T) {
	tests := []struct {
		name     string
		payments []Scored
		auc, ap  float64
	}{
		// scikit-learn's own example: y = [0 0 1 1], scores = [0.1 0.4 0.35 0.8]: AUC 0.75, AP 0.8333….
		{"the example in the documentation of scikit-learn", scored([]float64{0.1, 0.4, 0.35, 0.8}, 2, 3), 0.75, 5.0 / 6},
		{"fraud above everything else is perfect", scored([]float64{0.9, 0.8, 0.2, 0.1}, 0, 1), 1, 1},
		// Recall 1/2 at rank 3 with precision 1/3, recall 1 at rank 4 with precision 1/2.
		{"fraud below everything else is as bad as can be", scored([]float64{0.9, 0.8, 0.2, 0.1}, 2, 3), 0, 1.0/6 + 1.0/4},
		{"one score for all says nothing: half, and the share of fraud", scored([]float64{1, 1, 1, 1}, 0), 0.5, 0.25},
		// Ranks: 3 (fraud), {2,2} one fraud one good, 1 good. Pairs: 4; right: 2 + 1.5 = 3.5. AP: 1/2·1 + 1/2·2/3.
		{"a tie between fraud and good counts half", scored([]float64{3, 2, 2, 1}, 0, 1), 3.5 / 4, 0.5 + 1.0/3},
		{"a score that is not a number ranks last", scored([]float64{math.NaN(), 1, math.Inf(-1)}, 1), 1, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ranking := Rank(test.payments)
			if got, ok := ranking.AUC(); !ok || math.Abs(got-test.auc) > 1e-15 {
				t.Errorf("got AUC %v %v, want %v", got, ok, test.auc)
			}
			if got, ok := ranking.AveragePrecision(); !ok || math.Abs(got-test.ap) > 1e-15 {
				t.Errorf("got average precision %v %v, want %v", got, ok, test.ap)
			}
		})
	}
}

func TestRankingWithoutBothKindsHasNoMeasure(t *testing.T) {
	for name, payments := range map[string][]Scored{
		"no payments": nil,
		"no fraud":    scored([]float64{1, 2}),
	} {
		ranking := Rank(payments)
		if _, ok := ranking.AUC(); ok {
			t.Errorf("%s: got an AUC", name)
		}
		if _, ok := ranking.AveragePrecision(); ok {
			t.Errorf("%s: got an average precision", name)
		}
		if got := len(ranking.ROC(10)) + len(ranking.PrecisionRecall(10)); got != 0 {
			t.Errorf("%s: got %d points of curves, want none", name, got)
		}
	}
	if _, ok := Rank(scored([]float64{1, 2}, 0, 1)).AUC(); ok {
		t.Error("got an AUC of fraud alone")
	}
}

// drawScored draws payments with few distinct scores, so that ties are common.
func drawScored(t *rapid.T) []Scored {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Scored {
		return Scored{Score: float64(rapid.IntRange(0, 6).Draw(t, "score")), Fraud: rapid.Bool().Draw(t, "fraud")}
	}), 1, 60).Draw(t, "payments")
}

func TestAUCIsTheShareOfPairsInTheRightOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payments := drawScored(t)
		var right, pairs float64
		for _, a := range payments {
			for _, b := range payments {
				if !a.Fraud || b.Fraud {
					continue
				}
				pairs++
				if a.Score > b.Score {
					right++
				} else if a.Score == b.Score {
					right += 0.5
				}
			}
		}
		got, ok := Rank(slices.Clone(payments)).AUC()
		if ok != (pairs > 0) || ok && math.Abs(got-right/pairs) > 1e-12 {
			t.Fatalf("got %v %v, want %v of %v pairs", got, ok, right, pairs)
		}
	})
}

func TestAveragePrecisionSumsPrecisionOverThresholds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payments := drawScored(t)
		var fraud float64
		for _, p := range payments {
			if p.Fraud {
				fraud++
			}
		}
		var want, recallBefore float64
		for threshold := 6.0; threshold >= 0 && fraud > 0; threshold-- {
			var above, found float64
			for _, p := range payments {
				if p.Score >= threshold {
					above++
					if p.Fraud {
						found++
					}
				}
			}
			if above > 0 {
				want += (found/fraud - recallBefore) * found / above
			}
			recallBefore = found / fraud
		}
		got, ok := Rank(slices.Clone(payments)).AveragePrecision()
		if ok != (fraud > 0) || math.Abs(got-want) > 1e-12 {
			t.Fatalf("got %v %v, want %v", got, ok, want)
		}
	})
}

func TestCurvesStayInTheUnitSquareAndEndWhereTheyMust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ranking := Rank(drawScored(t))
		roc, curve := ranking.ROC(20), ranking.PrecisionRecall(20)
		if n := len(roc); n > 0 && (roc[0] != Point{} || roc[n-1] != Point{1, 1}) {
			t.Fatalf("got a ROC from %v to %v", roc[0], roc[n-1])
		}
		if n := len(curve); n > 0 && curve[n-1].X != 1 {
			t.Fatalf("got a precision-recall curve that ends at recall %v", curve[n-1].X)
		}
		for i := 1; i < len(roc); i++ {
			if roc[i].X < roc[i-1].X || roc[i].Y < roc[i-1].Y {
				t.Fatalf("got a ROC that falls: %v", roc)
			}
		}
	})
}

func TestCurvesAreThinned(t *testing.T) {
	payments := make([]Scored, 100_000)
	for i := range payments {
		payments[i] = Scored{Score: float64(i), Fraud: i%97 == 0}
	}
	if got := len(Rank(payments).ROC(200)); got < 100 || got > 210 {
		t.Errorf("got %d points, want about 200 at most", got)
	}
}

func TestAtBudgetCountsWhatATeamFinds(t *testing.T) {
	ranking := Rank(scored([]float64{3, 2, 2, 2, 2, 1}, 0, 1, 2))
	for budget, want := range map[int64]float64{0: 0, 1: 1, 3: 2, 5: 3, 6: 3, 100: 3} {
		if got := ranking.AtBudget(budget); got != want {
			t.Errorf("got %v found within %d, want %v", got, budget, want)
		}
	}
}

func TestCardPrecisionByHand(t *testing.T) {
	// Two cards are looked at each day. Day 1: cards 1 (0.9) and 2 (0.8); 1 is fraud: 1/2. Day 2: 1 was found and is left out; 3 (0.7, by its
	// second payment) and 2 (0.6): 3 is fraud on its first payment: 1/2; card 4 is fraud too and missed. Day 3: only 4 is left: 1/2.
	payments := []CardDay{
		{Day: 2, Account: 1, Score: 0.99, Fraud: true},
		{Day: 1, Account: 3, Score: 0.1, Fraud: true},
		{Day: 1, Account: 1, Score: 0.9, Fraud: false},
		{Day: 1, Account: 1, Score: 0.2, Fraud: true},
		{Day: 1, Account: 2, Score: 0.8},
		{Day: 2, Account: 3, Score: 0.1, Fraud: true},
		{Day: 2, Account: 3, Score: 0.7},
		{Day: 2, Account: 2, Score: 0.6},
		{Day: 2, Account: 4, Score: 0.5, Fraud: true},
		{Day: 3, Account: 4, Score: 0.1, Fraud: true},
	}
	mean, days := CardPrecision(payments, 2)
	want := []DayPrecision{
		{Day: 1, Precision: 0.5, Found: 1, Compromised: 2},
		{Day: 2, Precision: 0.5, Found: 1, Compromised: 2},
		{Day: 3, Precision: 0.5, Found: 1, Compromised: 1},
	}
	if mean != 0.5 || !slices.Equal(days, want) {
		t.Errorf("got %v %+v, want 0.5 %+v", mean, days, want)
	}
	if mean, days := CardPrecision(nil, 100); mean != 0 || days != nil {
		t.Errorf("got %v %v of nothing, want nothing", mean, days)
	}
}

func TestCardPrecisionFollowsTheHandbook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 5).Draw(t, "k")
		var payments []CardDay
		for i := range rapid.IntRange(1, 60).Draw(t, "count") {
			payments = append(payments, CardDay{
				Day: int32(rapid.IntRange(1, 4).Draw(t, "day")), Account: uint32(rapid.IntRange(1, 8).Draw(t, "account")),
				Score: float64(i), // distinct, so that the order of the handbook is the only one
				Fraud: rapid.IntRange(0, 3).Draw(t, "fraud") == 0,
			})
		}
		want := handbookCardPrecision(slices.Clone(payments), k)
		if got, _ := CardPrecision(payments, k); math.Abs(got-want) > 1e-12 {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// handbookCardPrecision says the handbook's card_precision_top_k over again, slowly: group by customer, take the maxima, sort, take the head.
func handbookCardPrecision(payments []CardDay, k int) float64 {
	detected := map[uint32]bool{}
	var sum float64
	var days int
	for day := int32(1); day <= 4; day++ {
		highest, fraud := map[uint32]float64{}, map[uint32]bool{}
		seen := false
		for _, p := range payments {
			if p.Day != day {
				continue
			}
			seen = true
			if detected[p.Account] {
				continue
			}
			highest[p.Account] = max(highest[p.Account], p.Score)
			fraud[p.Account] = fraud[p.Account] || p.Fraud
		}
		if !seen {
			continue
		}
		days++
		found := 0
		for range k {
			best, have := uint32(0), false
			for account, score := range highest {
				if !have || score > highest[best] {
					best, have = account, true
				}
			}
			if have && fraud[best] {
				found++
				detected[best] = true
			}
			delete(highest, best)
		}
		sum += float64(found) / float64(k)
	}
	return sum / float64(days)
}
