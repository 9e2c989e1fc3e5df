// Package history is what payment decisions learn from: the account's Profile (known places, devices and payment methods, spending
// per currency, and the aggregates that policies declare over one account) and the Index of aggregates over everything else
// (merchants, devices, addresses, fingerprints, pairs of fields).
//
// Both are folds over the decision log and nothing else: the same entries, lessons and labels give the same bytes in any order, on
// any processor. A policy's aggregates are declared as Definitions. A SeriesSet turns those of all policies into series; a
// series is the state that one or more aggregates share, kept for one entity as at most MaxBuckets buckets, or as a set of at most
// MaxDistinct values. So neither cost nor memory grows with the number of payments.
//
// # Time and precision
//
// Windows run on Payment.OccurredAt. The window of a payment at t is (t-window, t], with a delay (t-delay-window, t-delay]. A series
// cuts time into buckets, aligned to 1970, of a 32nd of its window (a 64th of window and delay together, where that is more). A bucket counts
// as a whole while the newest payment in it is inside the window. So an aggregate is exact while each bucket holds one payment, and
// otherwise wrong by at most the payments of one bucket at the far end of the window; with a delay, and for a payment decided out of
// order, by those of one at the near end too. Instants inside a bucket are kept to a 1024th of it, rounded down: 18 minutes for 400
// days, 2.7 seconds for a day, 0.1 seconds for an hour. LastSeen and TimeSinceLast are exact, Distinct is up to MaxDistinct.
//
// # What is ignored, and what is bounded
//
// A negative amount, an instant before 1970 or after 2199, and a payment from before the reach of a series are ignored; sums saturate.
// The reach is counted back from the second newest instant, so that one payment with a wrong date in the future forgets nothing; the caller
// refuses such dates, because two of them would make the past unreachable. Beyond MaxKnown, MaxCurrencies, MaxKeys and
// MaxDistinct the key that was met the longest ago is forgotten first; only beyond those bounds does the order of folding matter.
//
// The decision is docs/adr/0015-aggregates-as-series-of-buckets.md; the guide is docs/guides/aggregates.md.
package history
