package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/probity/probity/internal/adapter/paymentfile"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/backtest"
	"github.com/probity/probity/internal/standard/money"
)

// paymentsFlags say where past payments are and how to read them.
type paymentsFlags struct {
	Payments string `help:"Past payments: CSV (plain or .gz) or NDJSON." required:"" type:"existingfile" placeholder:"FILE"`
	Labels   string `help:"What turned out about them, when the payments do not say: payment id, fraud, known_at." type:"existingfile" placeholder:"FILE"`
	Map      string `help:"Which column is what (YAML); not needed for usual headings." type:"existingfile" placeholder:"FILE"`
	Currency string `help:"Of all amounts, when no map is given and the file does not say; by default the policy's reference currency." placeholder:"EUR"`
	Delay    int    `help:"Days until a label becomes known that does not say when." default:"7"`
}

// pastPayments is an opened file of payments.
type pastPayments struct {
	file     *os.File
	reader   *paymentfile.Reader
	labels   *paymentfile.Labels
	progress *progress
}

// open opens the files and says how the columns were understood when there is no map.
func (f paymentsFlags) open(policy *risk.Policy, now time.Time) (*pastPayments, error) {
	options, err := readingOptions(f.Map, f.Currency, now)
	if err != nil {
		return nil, err
	}
	if f.Currency == "" {
		options.Currency, _ = policy.ReferenceCurrency()
	}
	if f.Labels != "" {
		labels, err := openFile("the labels", f.Labels)
		if err != nil {
			return nil, err
		}
		defer func() { _ = labels.Close() }()
		if options.Labels, err = paymentfile.ReadLabels(labels, labelMap(options.Map)); err != nil {
			return nil, err
		}
	}
	file, err := openFile("the payments", f.Payments)
	if err != nil {
		return nil, err
	}
	past := &pastPayments{file: file, labels: options.Labels, progress: newProgress("Reading payments", sizeOf(file))}
	if past.reader, err = paymentfile.NewReader(past.progress.reader(file), options); err != nil {
		past.close()
		return nil, err
	}
	return past, nil
}

// labelMap is the map for the file of labels: that of the payments, when it says which column the verdict is in.
func labelMap(m *paymentfile.Map) *paymentfile.Map {
	if m == nil {
		return nil
	}
	if _, found := m.Columns[paymentfile.Fraud]; !found {
		return nil
	}
	return m
}

func (p *pastPayments) close() { _ = p.file.Close() }

// each gives every payment in the order of time.
func (p *pastPayments) each(ctx context.Context, fn func(row *backtest.Row) error) error {
	defer p.progress.finish()
	return paymentfile.Each(ctx, paymentfile.NewOrdered(p.reader, 0), func(row *paymentfile.Row) error {
		p.progress.row()
		return fn(&backtest.Row{
			Payment: row.Payment, Outcome: row.Outcome, Labelled: row.Truth.Known, Fraud: row.Truth.Fraud, KnownAt: row.Truth.KnownAt,
		})
	})
}

// readingOptions says how a file of past payments is read: by the map in the file of that path, if there is one, and in the currency, if
// one is given.
func readingOptions(mapPath, currency string, now time.Time) (paymentfile.Options, error) {
	options := paymentfile.Options{Now: now, Currency: currency}
	if currency != "" && !money.Valid(currency) {
		return options, errors.New("--currency must be an ISO 4217 code, e.g. EUR")
	}
	if mapPath == "" {
		return options, nil
	}
	text, err := readFile("the map", mapPath)
	if err != nil {
		return options, err
	}
	options.Map, err = paymentfile.ParseMap(text)
	return options, err
}
