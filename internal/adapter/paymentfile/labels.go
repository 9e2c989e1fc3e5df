package paymentfile

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Labels is what a separate file says about payments, by their ids.
type Labels struct {
	truths map[string]Truth
	taken  int
	faults faultList
}

// The reasons for which a label is refused.
const (
	noPayment  = "id: empty; a label names its payment"
	noVerdict  = "fraud: empty; a label says whether"
	olderKnown = "id: another label of the payment became known later, or is the same"
)

// ReadLabels reads a file of labels, CSV or NDJSON, plain or gzip: the id of a payment, whether it was fraud, and, if the file has it, when
// that became known. A nil map understands the headings of Guess (id, fraud, known_at and their like), in NDJSON the members of
// Native. Of two labels for one payment the one that became known later counts, and the other is a fault.
func ReadLabels(source io.Reader, mapping *Map) (*Labels, error) {
	r, err := newLabelReader(source, mapping)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	l := &Labels{truths: map[string]Truth{}}
	for {
		line, reason, err := r.record()
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return nil, fmt.Errorf("labels: line %d: read the file: %w", line, err)
		}
		if reason == "" {
			reason = l.add(r)
		}
		if reason != "" {
			l.faults.add(line, reason)
		}
	}
}

func newLabelReader(source io.Reader, mapping *Map) (*Reader, error) {
	plain, format, err := open(source, AnyFormat)
	if err != nil {
		return nil, err
	}
	r := &Reader{mapping: mapping}
	lines := newRecords(plain)
	lines.begin()
	if mapping != nil {
		// A map of payments may say more than a file of labels has.
		r.mapping = &Map{Delimiter: mapping.Delimiter, Columns: map[Field]Column{}}
		for _, field := range []Field{ID, Fraud, KnownAt} {
			if column, found := mapping.Columns[field]; found {
				r.mapping.Columns[field] = column
			}
		}
	}
	if format == NDJSON {
		if r.mapping == nil {
			r.mapping = Native()
		}
		r.lines, r.json = lines, newMembers(r.paths())
	} else if err := r.labelHeading(lines); err != nil {
		return nil, err
	}
	for _, field := range []Field{ID, Fraud} {
		if _, found := r.mapping.Columns[field]; !found {
			return nil, fmt.Errorf("the column %s is missing; say with a map which it is", field)
		}
	}
	return r, r.compile()
}

// labelHeading is heading for a file that has no amounts.
func (r *Reader) labelHeading(lines *records) error {
	if r.mapping != nil {
		return r.heading(lines)
	}
	r.csv = &csvRecords{records: *lines, delimiter: ','}
	cells, _, reason, err := r.csv.next()
	if err != nil || reason != "" {
		return errors.New("the first row must name the columns")
	}
	headings := make([]string, len(cells))
	for i, cell := range cells {
		headings[i] = string(cell)
	}
	r.mapping = Guess(headings, "")
	r.columns = len(headings)
	for i, field := range fields {
		r.index[i] = -1
		if column, found := r.mapping.Columns[field]; found {
			for j, heading := range headings {
				if heading == column.Name {
					r.index[i] = j
				}
			}
		}
	}
	return nil
}

func (l *Labels) add(r *Reader) string {
	id := string(r.values[atID])
	switch {
	case id == "":
		return noPayment
	case len(id) > maxText:
		return textTooLong
	case len(r.values[atFraud]) == 0:
		return noVerdict
	}
	meaning, known := r.fraud.of(r.values[atFraud])
	if !known {
		return badFraud
	}
	truth := Truth{Known: true, Fraud: meaning == isTrue}
	if value := r.values[atKnownAt]; len(value) > 0 {
		at, ok := r.knownAt.parse(value)
		if !ok {
			return badKnownAt
		}
		truth.KnownAt = time.UnixMicro(at).UTC()
	}
	before, found := l.truths[id]
	if !found || truth.KnownAt.After(before.KnownAt) {
		l.truths[id] = truth
	}
	if found {
		return olderKnown
	}
	return ""
}

// take returns the label of a payment.
func (l *Labels) take(id string) (Truth, bool) {
	truth, found := l.truths[id]
	if found {
		l.taken++
	}
	return truth, found
}

// Count returns how many payments have a label.
func (l *Labels) Count() int { return len(l.truths) }

// Unused returns how many labels have named no payment that was read so far.
func (l *Labels) Unused() int { return len(l.truths) - l.taken }

// Faults returns the labels that were not used.
func (l *Labels) Faults() Faults { return l.faults.faults() }
