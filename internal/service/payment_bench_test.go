package service_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/postgres"
)

// BenchmarkDecisions measures durable decisions of groups of 64 without HTTP, over accounts with some history.
func BenchmarkDecisions(b *testing.B) {
	for _, database := range []struct {
		name    string
		address func(testing.TB) string
	}{
		{"sqlite", func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "probity.db") }},
		{"postgres", postgres.DSN},
	} {
		b.Run(database.name, func(b *testing.B) {
			w := newWorld(b, database.address(b))
			people := w.crowd(2000, 10)
			group := make([]service.PaymentRequest, 64)
			next := 0
			b.ResetTimer()
			for done := 0; done < b.N; done += len(group) {
				for i := range group {
					group[i] = service.PaymentRequest{Attempt: people[next%len(people)].attempt(dollars(20))}
					next++
				}
				w.pass(time.Minute) // so that nobody pays too often
				for _, result := range w.s.AuthorizePayments(b.Context(), w.key, group) {
					if result.Err != nil || result.View.Payment.Outcome != payment.Approved {
						b.Fatalf("got %v, %v", result.View.Payment.Outcome, result.Err)
					}
				}
			}
			b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "decisions/s")
		})
	}
}

// crowd makes accounts that have each paid a few times before.
func (w *world) crowd(accounts, history int) []person {
	w.Helper()
	var people []person
	var past []service.PastPayment
	for len(people) < accounts {
		w.must(w.store.Write(w.Context(), func(ctx context.Context, _ *store.Tx) error {
			for range min(500, accounts-len(people)) {
				view, err := w.s.CreateAccount(ctx, w.key, account.Profile{Kind: account.Individual, Name: "Alma Petersen"})
				if err != nil {
					return err
				}
				p := person{account: view.Account}
				p.method, err = w.s.AddPaymentMethod(ctx, w.key, payment.Method{
					AccountID: p.account.ID, Kind: payment.Card, Brand: "Visa", First6: "400012", Last4: "9876", Default: true, Fingerprint: p.account.ID,
				})
				if err != nil {
					return err
				}
				people = append(people, p)
			}
			return nil
		}))
	}
	for i, p := range people {
		for n := range history {
			one := p.past(fmt.Sprintf("%d-%d", i, n), 1+2*n)
			one.Attempt.Amount = dollars(int64(15 + n))
			past = append(past, one)
		}
	}
	for len(past) > 0 {
		part := past[:min(service.MaxPastPayments, len(past))]
		results, err := w.s.ImportPayments(w.Context(), w.key, part)
		w.must(err)
		for _, r := range results {
			w.must(r.Err)
		}
		past = past[len(part):]
	}
	return people
}

// BenchmarkAggregateLag measures how far aggregates of merchants and devices are behind the answers of a node that is asked all the time.
func BenchmarkAggregateLag(b *testing.B) {
	for _, database := range []struct {
		name    string
		address func(testing.TB) string
	}{
		{"sqlite", func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "probity.db") }},
		{"postgres", postgres.DSN},
	} {
		b.Run(database.name, func(b *testing.B) {
			w := newWorld(b, database.address(b))
			people := w.crowd(2000, 2)
			w.publish(strings.Replace(busyPolicy("1"), "aggregate.at_merchant >= 3", "aggregate.at_merchant >= 1e12", 1))
			w.pass(2 * 1e9)
			w.s.CatchUp(b.Context())
			ctx, stop := context.WithCancel(b.Context())
			var background sync.WaitGroup
			background.Go(func() { w.s.Follow(ctx) })
			background.Go(func() { // here, time goes on
				begin, from := time.Now(), w.wall.Load()
				ticker := time.NewTicker(200 * time.Microsecond)
				defer ticker.Stop()
				for {
					select {
					case <-ctx.Done():
						return
					case at := <-ticker.C:
						w.wall.Store(from + at.Sub(begin).Microseconds())
					}
				}
			})
			read := w.s.ReadFromLog()
			group := make([]service.PaymentRequest, 64)
			next := 0
			for b.Loop() {
				for i := range group {
					group[i] = service.PaymentRequest{Attempt: people[next%len(people)].attempt(dollars(20))}
					next++
				}
				for _, result := range w.s.AuthorizePayments(b.Context(), w.key, group) {
					w.must(result.Err)
				}
			}
			stop()
			background.Wait()
			lag := w.s.FollowerStatus()
			b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "decisions/s")
			b.ReportMetric(float64(lag.Median.Microseconds())/1000, "median-ms")
			b.ReportMetric(float64(lag.P99.Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(w.s.ReadFromLog()-read)/float64(next), "read/payment")
		})
	}
}
