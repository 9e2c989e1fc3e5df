package paymentfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/country"
	"github.com/probity/probity/internal/standard/money"
)

// Truth is what turned out about a payment.
type Truth struct {
	Known   bool // somebody said so
	Fraud   bool
	KnownAt time.Time // zero: when is not said
}

// Row is one payment of a file.
type Row struct {
	Line    int64 // where it begins in the file
	Payment history.Payment
	Outcome history.Outcome
	Truth   Truth
}

// Format is how a file is written. The zero value looks at the first byte: "{" begins NDJSON, anything else CSV.
type Format uint8

// The formats.
const (
	AnyFormat Format = iota
	CSV
	NDJSON
)

// Options says how to read. The zero value reads what Guess and Native understand.
type Options struct {
	Format Format
	Map    *Map // nil: Guess for CSV, Native for NDJSON
	// Currency is that of all amounts when Map is nil and the file does not say.
	Currency string
	// Now refuses payments that were made later; zero refuses none.
	Now time.Time
	// Labels replace what the file itself says about fraud; nil for none.
	Labels *Labels
	// OnFault is told of every row that cannot be used, as it is read; nil for nobody.
	OnFault func(Fault)
}

// The reasons for which a row that can be taken apart is refused.
const (
	badAt        = "at: not an instant of the format"
	inTheFuture  = "at: in the future"
	noAccount    = "account: empty"
	textTooLong  = "row: a text longer than 200 bytes"
	duplicate    = "id: a payment with this id came before"
	badCountry   = "country: not an ISO 3166-1 alpha-2 code"
	badKind      = "method_kind: not card, bank_account or wallet"
	badOutcome   = "outcome: none of the values that the map names"
	badFraud     = "fraud: none of the values that the map names"
	badKnownAt   = "known_at: not an instant of the format"
	knownTooSoon = "known_at: before the payment"
)

const maxText = 200

// Reader reads payments in the order of the file. Use one from one goroutine at a time.
type Reader struct {
	csv      *csvRecords // nil for NDJSON
	json     *members
	lines    *records
	mapping  *Map
	index    [len(fields)]int // of the column by position in fields; -1: none
	columns  int              // of the heading
	values   [len(fields)][]byte
	options  Options
	at       instants
	knownAt  instants
	amount   amounts
	currency string // of the row before, so that looking it up is rare
	exponent int
	fraud    words
	outcomes words
	texts    texts
	seen     idSet
	faults   faultList
	rows     int64
}

// NewReader reads the heading of the source, plain or gzip. An error says which column is missing.
func NewReader(source io.Reader, options Options) (*Reader, error) {
	plain, format, err := open(source, options.Format)
	if err != nil {
		return nil, err
	}
	r := &Reader{options: options, mapping: options.Map, texts: texts{}, faults: faultList{told: options.OnFault}}
	r.options.Format = format
	lines := newRecords(plain)
	lines.begin()
	if format == NDJSON {
		if r.mapping == nil {
			r.mapping = Native()
		}
		r.lines = lines
		r.json = newMembers(r.paths())
	} else if err := r.heading(lines); err != nil {
		return nil, err
	}
	if err := r.compile(); err != nil {
		return nil, err
	}
	return r, nil
}

// open finds out what the source is, and unpacks it.
func open(source io.Reader, format Format) (io.Reader, Format, error) {
	buffered := bufio.NewReaderSize(source, 1<<16)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, 0, fmt.Errorf("unpack the file: %w", err)
		}
		buffered = bufio.NewReaderSize(unpacked, 1<<16)
	}
	if format == AnyFormat {
		start, err := buffered.Peek(512)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("read the file: %w", err)
		}
		format = CSV
		if start = bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n"); len(start) > 0 && start[0] == '{' {
			format = NDJSON
		}
	}
	return buffered, format, nil
}

func (r *Reader) paths() []string {
	paths := make([]string, len(fields))
	for i, field := range fields {
		paths[i] = r.mapping.Columns[field].Name
	}
	return paths
}

// heading reads the first row of CSV and finds the columns.
func (r *Reader) heading(lines *records) error {
	r.csv = &csvRecords{records: *lines, delimiter: ','}
	if r.mapping != nil {
		r.csv.delimiter = r.mapping.Delimiter
	}
	cells, _, reason, err := r.csv.next()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty; its first row must name the columns")
	}
	if err != nil {
		return fmt.Errorf("read the heading: %w", err)
	}
	if reason != "" {
		return errors.New("the first row must name the columns: " + reason)
	}
	headings := make([]string, len(cells))
	for i, cell := range cells {
		headings[i] = string(cell)
	}
	if r.mapping == nil {
		r.mapping = Guess(headings, r.options.Currency)
		if err := r.mapping.check(); err != nil {
			return fmt.Errorf("%w; say with a map (--map) which column it is", err)
		}
	}
	r.columns = len(headings)
	for i, field := range fields {
		r.index[i] = -1
		column, wanted := r.mapping.Columns[field]
		if !wanted || column.Name == "" {
			continue
		}
		if r.index[i] = slices.Index(headings, column.Name); r.index[i] < 0 {
			return fmt.Errorf("the file has no column %q, which the map names for %s; it has %s", column.Name, field, strings.Join(headings, ", "))
		}
	}
	return nil
}

// compile prepares the columns' formats.
func (r *Reader) compile() error {
	var err error
	if r.at, err = newInstants(r.mapping.Columns[At]); err != nil {
		return fmt.Errorf("payment map: columns.at: %w", err)
	}
	if r.knownAt, err = newInstants(r.mapping.Columns[KnownAt]); err != nil {
		return fmt.Errorf("payment map: columns.known_at: %w", err)
	}
	r.amount = newAmounts(r.mapping.Columns[Amount])
	r.fraud = fraudWords(r.mapping.Columns[Fraud])
	r.outcomes = outcomeWords(r.mapping.Columns[Outcome])
	for i, field := range fields {
		if constant := r.mapping.Columns[field].Constant; constant != "" {
			r.values[i] = []byte(constant)
		}
	}
	return nil
}

// Mapping returns what the reader takes the columns for.
func (r *Reader) Mapping() *Map { return r.mapping }

// Faults returns the rows that were not used so far.
func (r *Reader) Faults() Faults { return r.faults.faults() }

// Rows returns how many rows were read so far, used or not.
func (r *Reader) Rows() int64 { return r.rows }

// Next reads the next payment that can be used into row. It returns io.EOF after the last, and another error when the file cannot be
// read.
func (r *Reader) Next(row *Row) error {
	for {
		line, reason, err := r.record()
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return fmt.Errorf("line %d: read the file: %w", line, err)
		}
		r.rows++
		if reason == "" {
			row.Line = line
			reason = r.fill(row)
		}
		if reason == "" {
			return nil
		}
		r.faults.add(line, reason)
	}
}

// Refuse counts a row among the faults after Next returned it.
func (r *Reader) Refuse(line int64, reason string) { r.faults.add(line, reason) }

// record reads the values of the next row.
func (r *Reader) record() (line int64, reason string, err error) {
	if r.json != nil {
		return r.jsonRecord()
	}
	cells, line, reason, err := r.csv.next()
	if err != nil || reason != "" {
		return line, reason, err
	}
	if len(cells) != r.columns {
		return line, columnCount, nil
	}
	for i, column := range r.index {
		if column >= 0 {
			r.values[i] = cells[column]
		}
	}
	return line, "", nil
}

func (r *Reader) jsonRecord() (line int64, reason string, err error) {
	for {
		line = r.lines.line + 1
		text, reason, err := r.lines.next()
		if err != nil || reason != "" {
			return line, reason, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		values, reason := r.json.read(text)
		if reason != "" {
			return line, reason, nil
		}
		for i, field := range fields {
			if r.mapping.Columns[field].Constant == "" {
				r.values[i] = values[i]
			}
		}
		return line, "", nil
	}
}

// fill turns the values into a payment, or says why not.
func (r *Reader) fill(row *Row) string {
	for _, value := range r.values {
		if len(value) > maxText {
			return textTooLong
		}
	}
	at, ok := r.at.parse(r.values[atAt])
	if !ok {
		return badAt
	}
	p := &row.Payment
	p.OccurredAt = time.UnixMicro(at).UTC()
	if !r.options.Now.IsZero() && p.OccurredAt.After(r.options.Now) {
		return inTheFuture
	}
	if len(r.values[atAccount]) == 0 {
		return noAccount
	}
	if string(r.values[atCurrency]) != r.currency || r.currency == "" {
		if r.exponent, ok = money.Exponent(string(r.values[atCurrency])); !ok {
			r.currency = ""
			return noCurrency
		}
		r.currency = string(r.values[atCurrency])
	}
	minor, reason := r.amount.parse(r.values[atAmount], r.exponent)
	if reason != "" {
		return reason
	}
	p.AmountMinor, p.Currency = minor, r.currency
	p.AmountReference, p.AmountKnown = 0, false
	if reason := r.words(row); reason != "" {
		return reason
	}
	return r.name(row, at)
}

// words fills the texts of a payment, and what became of it.
func (r *Reader) words(row *Row) string {
	p := &row.Payment
	p.AccountID = r.texts.of(r.values[atAccount])
	p.Merchant = r.texts.of(r.values[atMerchant])
	p.DeviceID = r.texts.of(r.values[atDevice])
	p.IP = r.texts.of(r.values[atIP])
	p.Place = history.Place{Country: r.texts.of(r.values[atCountry]), Region: r.texts.of(r.values[atRegion]), City: r.texts.of(r.values[atCity])}
	p.Method = history.Method{ID: r.texts.of(r.values[atMethod]), Fingerprint: r.texts.of(r.values[atFingerprint])}
	p.MethodKind = r.texts.of(r.values[atKind])
	if p.Place.Country != "" && !country.Valid(p.Place.Country) {
		return badCountry
	}
	if kind := p.MethodKind; kind != "" && kind != "card" && kind != "bank_account" && kind != "wallet" {
		return badKind
	}
	row.Outcome = history.Approved
	if value := r.values[atOutcome]; len(value) > 0 {
		meaning, known := r.outcomes.of(value)
		if !known {
			return badOutcome
		}
		row.Outcome = history.Outcome(meaning)
	}
	return ""
}

// name fills the id and the truth of a payment that is otherwise complete, so that a broken row does not count as the first of its id.
func (r *Reader) name(row *Row, at int64) string {
	row.Truth = Truth{}
	if value := r.values[atFraud]; len(value) > 0 {
		meaning, known := r.fraud.of(value)
		if !known {
			return badFraud
		}
		row.Truth = Truth{Known: true, Fraud: meaning == isTrue}
		if value := r.values[atKnownAt]; len(value) > 0 {
			known, ok := r.knownAt.parse(value)
			if !ok {
				return badKnownAt
			}
			if known < at {
				return knownTooSoon
			}
			row.Truth.KnownAt = time.UnixMicro(known).UTC()
		}
	}
	id := r.values[atID]
	if len(id) == 0 {
		row.Payment.ID = lineID(row.Line)
	} else {
		if !r.seen.add(id) {
			return duplicate
		}
		row.Payment.ID = string(id)
	}
	if r.options.Labels != nil {
		if truth, found := r.options.Labels.take(row.Payment.ID); found {
			if !truth.KnownAt.IsZero() && truth.KnownAt.Before(row.Payment.OccurredAt) {
				return knownTooSoon
			}
			row.Truth = truth
		}
	}
	return ""
}
