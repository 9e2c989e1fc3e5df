package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/adapter/paymentfile"
	"github.com/probity/probity/internal/domain/risk/history"
)

// paymentsCommand works with the payments of a running installation.
type paymentsCommand struct {
	Import paymentsImportCommand `cmd:"" help:"Bring past payments in from a file, to teach profiles what was usual before. Nothing is decided."`
}

// paymentsImportCommand sends a file to POST /v1/payments/history.
type paymentsImportCommand struct {
	File     string `arg:"" help:"CSV or NDJSON, plain or gzip." type:"existingfile"`
	Map      string `help:"Says which column is what (YAML); without it, columns are recognised by their names." type:"existingfile" placeholder:"FILE"`
	Currency string `help:"Currency of all amounts, when neither the file nor the map says it." placeholder:"CODE"`
	URL      string `help:"Where the installation answers." default:"http://localhost:8080" env:"PROBITY_URL" name:"url"`
	Key      string `help:"API key; better given in the environment." env:"PROBITY_KEY" placeholder:"pk_live_…"`
	FromLine int64  `help:"Go on with this line of the file, as the last run said." default:"1" name:"from-line"`
	IDPrefix string `help:"For a file without ids: make them of this and the number of the line. Another file needs another prefix." name:"id-prefix" placeholder:"TEXT"`
	Refused  string `help:"Write every line that was not brought in here, with its reason (NDJSON)." type:"path" placeholder:"FILE"`
	JSON     bool   `help:"Print one JSON object instead of text." name:"json"`

	out io.Writer // nil means standard output
}

// importReport is what an import found, for machines.
type importReport struct {
	Imported    int           `json:"imported"`
	Known       int           `json:"known"`   // brought in before
	Refused     int           `json:"refused"` // by the installation or while reading the file
	Listed      []refusedLine `json:"listed"`  // the first ones
	ThroughLine int64         `json:"through_line"`
	Seconds     float64       `json:"seconds"`
}

// refusedLine is a line of the file that was not brought in.
type refusedLine struct {
	Line   int64  `json:"line"`
	Code   string `json:"code,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"` // holds no value of the line
}

// listedAtMost is how many refused lines are printed; --refused has all.
const listedAtMost = 20

// importRun is one import under way. The file is read by one goroutine and answers come to another.
type importRun struct {
	c        *paymentsImportCommand
	reader   *paymentfile.Reader
	progress *progress
	all      *json.Encoder // --refused; nil without it

	mutex  sync.Mutex
	lines  []int64 // of the file, by payment; the first is that of number first
	first  int
	failed error // why reading ended

	report importReport
}

// Run imports, and says what came of it. It fails when a line was not brought in.
func (c *paymentsImportCommand) Run(ctx context.Context) (err error) {
	if c.Key == "" {
		return errors.New("an API key is needed: set PROBITY_KEY, or make one with `probity key create`")
	}
	run := &importRun{c: c}
	file, err := openFile("the payments", c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	run.progress = newProgress("Bringing in payments", sizeOf(file))
	if run.reader, err = c.open(run.progress.reader(file), run.unreadable); err != nil {
		return err
	}
	if c.Refused != "" {
		out, err := os.OpenFile(c.Refused, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("write the refused lines: %w", err)
		}
		defer func() { _ = out.Close() }()
		run.all = json.NewEncoder(out)
	}
	began := time.Now()
	sum, err := client.New(c.URL, c.Key).ImportPayments(ctx, run.payments, client.ImportListener{Progress: run.moved, Refused: run.refused})
	run.progress.finish()
	run.mutex.Lock()
	defer run.mutex.Unlock()
	slices.SortStableFunc(run.report.Listed, func(a, b refusedLine) int { return cmp.Compare(a.Line, b.Line) })
	run.report.Imported, run.report.Known, run.report.Seconds = sum.Imported, sum.Known, time.Since(began).Seconds()
	out := c.out
	if out == nil {
		out = os.Stdout
	}
	if printed := run.print(out); printed != nil {
		return printed
	}
	if err = errors.Join(err, run.failed); err != nil {
		if run.report.ThroughLine > 0 {
			return fmt.Errorf("%w\nevery payment up to line %d is in; go on with --from-line %d, or run it again as it was: what is in is not brought in twice",
				err, run.report.ThroughLine, run.report.ThroughLine+1)
		}
		return err
	}
	if run.report.Refused > 0 {
		return fmt.Errorf("%d lines were not brought in", run.report.Refused)
	}
	return nil
}

func (c *paymentsImportCommand) open(from io.Reader, unreadable func(paymentfile.Fault)) (*paymentfile.Reader, error) {
	options, err := readingOptions(c.Map, c.Currency, time.Now().Add(5*time.Minute))
	if err != nil {
		return nil, err
	}
	options.OnFault = unreadable
	return paymentfile.NewReader(from, options)
}

// payments gives every payment of the file that can be read, from the line to go on with.
func (r *importRun) payments(yield func(client.PastPayment) bool) {
	var row paymentfile.Row
	for {
		err := r.reader.Next(&row)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.fail(err)
			return
		}
		if row.Line < r.c.FromLine {
			continue
		}
		past := pastPaymentOf(&row)
		if past.ID == fmt.Sprintf("line %d", row.Line) {
			if r.c.IDPrefix == "" {
				r.fail(errors.New("the file has no id of its payments, so they could be brought in twice: name its column in --map, or make ids of the lines with --id-prefix"))
				return
			}
			past.ID = fmt.Sprintf("%s%d", r.c.IDPrefix, row.Line)
		}
		r.mutex.Lock()
		r.lines = append(r.lines, row.Line)
		r.mutex.Unlock()
		if !yield(past) {
			return
		}
	}
}

func (r *importRun) fail(err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.failed = err
}

// pastPaymentOf is a row as the API takes it.
func pastPaymentOf(row *paymentfile.Row) client.PastPayment {
	p := &row.Payment
	past := client.PastPayment{
		ID: p.ID, PaymentMethodID: p.Method.ID, Fingerprint: p.Method.Fingerprint, MethodKind: p.MethodKind,
		Amount: client.Money{AmountMinor: p.AmountMinor, Currency: p.Currency}, IP: p.IP, Merchant: p.Merchant, OccurredAt: p.OccurredAt,
	}
	// Our ids of accounts say what they are; everything else is the tenant's own.
	if strings.HasPrefix(p.AccountID, "acct_") {
		past.AccountID = p.AccountID
	} else {
		past.AccountExternalID = p.AccountID
	}
	if past.PaymentMethodID != "" && !strings.HasPrefix(past.PaymentMethodID, "pm_") {
		// A payment method that has no id here is told apart by whatever the file has.
		past.Fingerprint, past.PaymentMethodID = cmp.Or(past.Fingerprint, past.PaymentMethodID), ""
	}
	if past.PaymentMethodID != "" {
		past.Fingerprint, past.MethodKind = "", ""
	}
	if p.Place.Country != "" {
		past.Location = &client.Location{Country: p.Place.Country, Region: p.Place.Region, City: p.Place.City}
	}
	if p.DeviceID != "" {
		past.Device = &client.Device{ID: p.DeviceID}
	}
	switch row.Outcome {
	case history.Approved, history.ApprovedAfterReview:
		past.Outcome = client.Approved
	case history.Review:
		past.Outcome = client.Review // refused by the installation: what the review decided is wanted
	case history.Rejected:
		past.Outcome = client.Rejected
	}
	if row.Truth.Known {
		fraud := row.Truth.Fraud
		past.Fraud = &fraud
		if at := row.Truth.KnownAt; !at.IsZero() {
			past.KnownAt = &at
		}
	}
	return past
}

// moved notes how far the import has come.
func (r *importRun) moved(sum client.ImportProgress) {
	r.mutex.Lock()
	if done := sum.Through - r.first; done > 0 && done <= len(r.lines) {
		r.report.ThroughLine = r.lines[done-1]
		r.lines = slices.Clone(r.lines[done:])
		r.first = sum.Through
	}
	r.mutex.Unlock()
	r.progress.at(sum.Through)
}

// refused notes a payment that the installation refused. It is told of before the progress that covers it.
func (r *importRun) refused(index int, err *client.Error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	line := int64(0)
	if at := index - r.first; at >= 0 && at < len(r.lines) {
		line = r.lines[at]
	}
	reason := err.Detail
	if err.Field != "" {
		reason = err.Field + ": " + reason
	}
	r.note(refusedLine{Line: line, Code: err.Code, Field: err.Field, Reason: reason})
}

// unreadable notes a line that is no payment.
func (r *importRun) unreadable(fault paymentfile.Fault) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if fault.Line >= r.c.FromLine { // those before were told of by the run before
		r.note(refusedLine{Line: fault.Line, Reason: fault.Reason})
	}
}

func (r *importRun) note(one refusedLine) {
	r.report.Refused++
	if len(r.report.Listed) < listedAtMost {
		r.report.Listed = append(r.report.Listed, one)
	}
	if r.all != nil {
		_ = r.all.Encode(one) // the count stays right
	}
}

func (r *importRun) print(to io.Writer) error {
	if r.report.Listed == nil {
		r.report.Listed = []refusedLine{}
	}
	if r.c.JSON {
		return json.NewEncoder(to).Encode(r.report)
	}
	rate := float64(r.report.Imported+r.report.Known+r.report.Refused) / max(r.report.Seconds, 0.001)
	_, err := fmt.Fprintf(to, "%s payments brought in, %s known already, %s lines not brought in; %s a second\n", grouped(int64(r.report.Imported)),
		grouped(int64(r.report.Known)), grouped(int64(r.report.Refused)), grouped(int64(rate)))
	for _, one := range r.report.Listed {
		if err == nil {
			_, err = fmt.Fprintf(to, "  line %d: %s\n", one.Line, one.Reason)
		}
	}
	if more := r.report.Refused - len(r.report.Listed); more > 0 && err == nil {
		_, err = fmt.Fprintf(to, "  … and %s more; --refused FILE writes all of them\n", grouped(int64(more)))
	}
	return err
}
