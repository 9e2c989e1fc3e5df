package backtest

import (
	"cmp"
	"slices"
)

// CardDay is one payment as card precision sees it.
type CardDay struct {
	Day     int32  // days since 1970-01-01 UTC
	Account uint32 // any number that is the same for the same account
	Score   float64
	Fraud   bool
}

// DayPrecision is the card precision of one day.
type DayPrecision struct {
	Day         int32
	Precision   float64 // Found / k
	Found       int64   // accounts with fraud that day among the first k
	Compromised int64   // accounts with fraud that day that could still be found
}

// CardPrecision returns, for each day with payments, the share of the k accounts with the highest score of the day that have a fraud that
// day, and the mean over the days. An account that was found is left out on later days, because somebody has blocked its card by then. The
// share is of k, also on a day with fewer accounts. Accounts with equal scores are taken in an order that is always the same and means
// nothing. The list is sorted in place. The mean is 0 without days.
func CardPrecision(payments []CardDay, k int) (float64, []DayPrecision) {
	slices.SortFunc(payments, func(a, b CardDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Account, b.Account))
	})
	found := map[uint32]bool{}
	var days []DayPrecision
	var sum float64
	for len(payments) > 0 && k > 0 {
		day := payments[0].Day
		end := slices.IndexFunc(payments, func(p CardDay) bool { return p.Day != day })
		if end < 0 {
			end = len(payments)
		}
		accounts := highestOfDay(payments[:end], found)
		payments = payments[end:]
		one := DayPrecision{Day: day}
		for i, a := range accounts {
			if !a.Fraud {
				continue
			}
			one.Compromised++
			if i < k {
				one.Found++
				found[a.Account] = true
			}
		}
		one.Precision = float64(one.Found) / float64(k)
		sum += one.Precision
		days = append(days, one)
	}
	if len(days) == 0 {
		return 0, nil
	}
	return sum / float64(len(days)), days
}

// highestOfDay joins the payments of one day, sorted by account, to one entry for each account that was not found before, the highest score
// first.
func highestOfDay(payments []CardDay, found map[uint32]bool) []CardDay {
	var accounts []CardDay
	for _, p := range payments {
		if found[p.Account] {
			continue
		}
		if last := len(accounts) - 1; last >= 0 && accounts[last].Account == p.Account {
			if cmp.Compare(p.Score, accounts[last].Score) > 0 {
				accounts[last].Score = p.Score
			}
			accounts[last].Fraud = accounts[last].Fraud || p.Fraud
			continue
		}
		accounts = append(accounts, p)
	}
	slices.SortFunc(accounts, func(a, b CardDay) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(scatter(a.Account), scatter(b.Account)))
	})
	return accounts
}

// scatter maps accounts one to one to numbers without a visible order, so that neither the first nor the last accounts of a file win ties.
func scatter(account uint32) uint32 {
	x := account
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	x ^= x >> 16
	return x
}
