package risk

import (
	"math"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/risk/history"
)

// Payment is the payment to decide.
//
// Deprecated: history.Payment takes its place.
type Payment struct {
	AmountMinor int64
	Currency    string // ISO 4217
	Place       Place
	DeviceID    string
	Method      Method
	MethodKind  string // card, bank_account, wallet; empty when not known
	Merchant    string
	OccurredAt  time.Time
}

// FactsOf derives the facts of a payment from the old Profile, without aggregates.
//
// Deprecated: FactsFor takes its place.
func FactsOf(policy *Policy, profile Profile, payment Payment) Facts {
	since := payment.OccurredAt.Add(-window).UnixMicro()
	facts := FactsFor(policy, Sources{}, &history.Payment{
		AmountMinor: payment.AmountMinor, Currency: payment.Currency, Place: history.Place(payment.Place), DeviceID: payment.DeviceID,
		Method: history.Method(payment.Method), MethodKind: payment.MethodKind, Merchant: payment.Merchant, OccurredAt: payment.OccurredAt,
	})
	facts.History.PlaceKnown = profile.knowsPlace(payment.Place, since)
	facts.History.DeviceKnown = payment.DeviceID != "" && knownSince(profile.Devices, bounded(payment.DeviceID), since)
	for _, key := range payment.Method.keys() {
		facts.History.MethodKnown = facts.History.MethodKnown || knownSince(profile.Methods, key, since)
	}
	facts.History.ApprovedPayments, facts.History.Spending = profile.spending(payment.Currency, since)
	facts.History.Established = facts.History.ApprovedPayments >= policy.Combination.EstablishedAfterApproved
	return *facts
}

// knowsPlace compares country and region. Where either side does not know the region, the country decides.
func (p Profile) knowsPlace(place Place, since int64) bool {
	if place.Country == "" {
		return false
	}
	key := place.key()
	country, region, _ := strings.Cut(key, "/")
	if region != "" {
		return knownSince(p.Places, key, since) || knownSince(p.Places, country+"/", since)
	}
	first, _ := search(p.Places, country+"/")
	for _, seen := range p.Places[first:] {
		if !strings.HasPrefix(seen.Key, country+"/") {
			return false
		}
		if seen.Last > since {
			return true
		}
	}
	return false
}

func knownSince(list []Seen, key string, since int64) bool {
	i, found := search(list, key)
	return found && list[i].Last > since
}

// spending returns how many payments there are after the instant, and the statistics of those in the currency.
func (p Profile) spending(currency string, since int64) (int64, history.Spending) {
	var all int64
	var out history.Spending
	var sum, squares float64
	for i := range p.Days {
		b := &p.Days[i]
		if b.Last <= since {
			continue
		}
		all += b.Count
		if b.Currency != currency {
			continue
		}
		out.Count += b.Count
		out.MaxMinor = max(out.MaxMinor, b.Max)
		sum += float64(b.Sum)
		squares += float64(float64(b.SumSquares[0])*(1<<64)) + float64(b.SumSquares[1])
	}
	if out.Count == 0 {
		return all, out
	}
	// The conversions keep each product rounded: a fused multiply-add would give other digits on other processors.
	n := float64(out.Count)
	out.MeanMinor = sum / n
	variance := squares/n - float64(out.MeanMinor*out.MeanMinor)
	out.StddevMinor = math.Sqrt(max(variance, 0))
	return all, out
}
