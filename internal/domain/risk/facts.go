package risk

import (
	"math"
	"strings"
	"time"
)

// Payment is the payment to decide.
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

// Facts is all that a rule may read, under the names in the `cel` tags. A decision stores its facts, so that it can be replayed.
type Facts struct {
	Payment PaymentFacts `json:"payment"`
	History HistoryFacts `json:"history"`
}

// PaymentFacts is the payment as a rule sees it.
type PaymentFacts struct {
	AmountMinor int64 `cel:"amount_minor" json:"amount_minor"` // in Currency
	// AmountReference is about the same amount in minor units of the policy's reference currency, 0 when AmountKnown is false.
	AmountReference int64     `cel:"amount_reference" json:"amount_reference"`
	AmountKnown     bool      `cel:"amount_known" json:"amount_known"` // the policy has a rate for Currency
	Currency        string    `cel:"currency" json:"currency"`
	Country         string    `cel:"country" json:"country"`
	Region          string    `cel:"region" json:"region"`
	City            string    `cel:"city" json:"city"`
	DeviceID        string    `cel:"device_id" json:"device_id"`
	MethodKind      string    `cel:"method_kind" json:"method_kind"`
	MethodGiven     bool      `cel:"method_given" json:"method_given"` // the payment names a payment method
	Merchant        string    `cel:"merchant" json:"merchant"`
	OccurredAt      time.Time `cel:"occurred_at" json:"occurred_at"`
}

// HistoryFacts is the account's past as a rule sees it: approved payments that occurred less than WindowDays before the payment, the
// payment itself not included. What is not given is not known.
type HistoryFacts struct {
	ApprovedPayments int64         `cel:"approved_payments" json:"approved_payments"`
	PlaceKnown       bool          `cel:"place_known" json:"place_known"`
	DeviceKnown      bool          `cel:"device_known" json:"device_known"`
	MethodKnown      bool          `cel:"method_known" json:"method_known"`
	Spending         SpendingFacts `cel:"spending" json:"spending"`
}

// SpendingFacts are the statistics of approved payments in the payment's currency, in its minor units; all 0 when Count is 0.
type SpendingFacts struct {
	Count       int64   `cel:"count" json:"count"`
	MeanMinor   float64 `cel:"mean_minor" json:"mean_minor"`
	StddevMinor float64 `cel:"stddev_minor" json:"stddev_minor"` // of the population, so 0 when all amounts are equal
	MaxMinor    int64   `cel:"max_minor" json:"max_minor"`
}

// FactsOf derives the facts of a payment from the account's profile and the policy's reference rates.
//
// The window ends WindowDays before the payment, exactly, but for a UTC day with payments in one currency on both sides of the edge:
// that day counts whole. A payment that occurred before the newest one in the profile sees the later ones too, and nothing older than
// the profile still holds.
func FactsOf(policy *Policy, profile Profile, payment Payment) Facts {
	since := payment.OccurredAt.Add(-window).UnixMicro()
	reference, amountKnown := policy.reference.convert(payment.AmountMinor, payment.Currency)
	facts := Facts{
		Payment: PaymentFacts{
			AmountMinor:     payment.AmountMinor,
			AmountReference: reference,
			AmountKnown:     amountKnown,
			Currency:        payment.Currency,
			Country:         payment.Place.Country,
			Region:          payment.Place.Region,
			City:            payment.Place.City,
			DeviceID:        payment.DeviceID,
			MethodKind:      payment.MethodKind,
			MethodGiven:     payment.Method != Method{},
			Merchant:        payment.Merchant,
			OccurredAt:      payment.OccurredAt.UTC().Truncate(time.Microsecond),
		},
		History: HistoryFacts{
			PlaceKnown:  profile.knowsPlace(payment.Place, since),
			DeviceKnown: payment.DeviceID != "" && knownSince(profile.Devices, bounded(payment.DeviceID), since),
		},
	}
	for _, key := range payment.Method.keys() {
		facts.History.MethodKnown = facts.History.MethodKnown || knownSince(profile.Methods, key, since)
	}
	facts.History.ApprovedPayments, facts.History.Spending = profile.spending(payment.Currency, since)
	return facts
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
func (p Profile) spending(currency string, since int64) (int64, SpendingFacts) {
	var all int64
	var out SpendingFacts
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
