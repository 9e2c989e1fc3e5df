package backtest_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/paymentfile"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/domain/risk/history"
)

// sharedPayments is not part of the repository.
const sharedPayments = "../../../../../shared/data/payments/payments-2018-04-to-07.csv.gz"

// BenchmarkRun is the engine alone, on one core: facts, decision, folding and counting under the default policy. The payments are in memory.
func BenchmarkRun(b *testing.B) {
	rows := benchRows(b)
	policy, err := risk.Default()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		run, err := backtest.New(backtest.Setup{Policy: policy, LabelDelay: 7 * 24 * time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		for i := range rows {
			if err := run.Add(&rows[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}

// benchRows reads the shared payments, or makes some up.
func benchRows(b *testing.B) []backtest.Row {
	b.Helper()
	packed, err := os.Open(sharedPayments)
	if err != nil {
		return madeUpRows(300_000)
	}
	defer func() { _ = packed.Close() }()
	reader, err := paymentfile.NewReader(packed, paymentfile.Options{Currency: "EUR"})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]backtest.Row, 0, 1_170_000)
	var row paymentfile.Row
	for err = reader.Next(&row); err == nil; err = reader.Next(&row) {
		rows = append(rows, backtest.Row{Payment: row.Payment, Outcome: row.Outcome, Labelled: row.Truth.Known, Fraud: row.Truth.Fraud})
	}
	if !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
	return rows
}

func madeUpRows(count int) []backtest.Row {
	rows := make([]backtest.Row, count)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	name := func(prefix string, n int) string {
		return prefix + string(rune('a'+n%26)) + string(rune('a'+n/26%26)) + string(rune('a'+n/676%26))
	}
	for i := range rows {
		at = at.Add(9 * time.Second)
		rows[i] = backtest.Row{
			Payment: history.Payment{AccountID: name("a", i*7919%5000), Merchant: name("m", i*104729%10000), AmountMinor: int64(100 + i%20000), Currency: "EUR", OccurredAt: at},
			Outcome: history.Approved, Labelled: true, Fraud: i%125 == 0,
		}
	}
	return rows
}
