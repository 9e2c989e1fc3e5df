package paymentfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
)

// listMembers are the columns, or members, of a file of list entries, as the API names them; those from the fifth on are what it tells
// beside, and are not looked at but for removed_at.
var listMembers = []string{"list", "value", "expires_at", "reason", "id", "added_by", "created_at", "removed_at"}

// The reasons for which an entry of a list is refused.
const (
	listNotNamed    = "list: empty; it is the name of a list that the policy declares"
	listUnknown     = "list: the policy declares no list of this name"
	valueTwice      = "value: this list has it already"
	badExpiry       = "expires_at: not an instant; write 2027-11-09T10:00:00Z, 2027-11-09, or nothing for never"
	reasonTooLong   = "reason: more than 500 characters"
	valueIsCard     = "value: a full card number is not accepted anywhere; list the card's fingerprint instead"
	entryRemoved    = "removed_at: the entry was taken off its list; leave the row out"
	entryMalformed  = "not a JSON object whose members are texts or null: list, value, expires_at, reason"
	entryTooMany    = "there are more than 200,000 entries; a tenant has no more"
	notTextEncoding = "not UTF-8"
)

// entryReader reads a file of list entries.
type entryReader struct {
	lines *records
	csv   *csvRecords // nil for NDJSON
	index []int       // the column of each of listMembers, -1 for none
	width int
}

// ReadListEntries reads what stands on lists from CSV with a heading or NDJSON, plain or gzip: list, value and, if they are there,
// expires_at and reason. The declared lists say how a value is spelled. An entry may have expired: it counts for payments before. A file
// is small and made by hand, so a row that is wrong is not passed over: without any, Faults is empty; otherwise the entries are nil.
func ReadListEntries(source io.Reader, declared []risk.List) ([]risk.ListEntry, Faults, error) {
	var faults faultList
	r, err := newEntryReader(source)
	if err != nil {
		return nil, faults.faults(), fmt.Errorf("lists: %w", err)
	}
	var entries []risk.ListEntry
	known := map[[2]string]bool{}
	for {
		cells, line, reason, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, faults.faults(), fmt.Errorf("lists: line %d: read the file: %w", line, err)
		}
		var entry risk.ListEntry
		if reason == "" {
			entry, reason = entryOf(cells, declared)
		}
		key := [2]string{entry.List, entry.Value}
		switch {
		case reason != "":
		case known[key]:
			reason = valueTwice
		case len(entries) == list.MaxEntriesOfTenant:
			reason = entryTooMany
		}
		if reason != "" {
			faults.add(line, reason)
			continue
		}
		known[key] = true
		entries = append(entries, entry)
	}
	if faults.total > 0 {
		entries = nil
	}
	return entries, faults.faults(), nil
}

func newEntryReader(source io.Reader) (*entryReader, error) {
	plain, format, err := open(source, AnyFormat)
	if err != nil {
		return nil, err
	}
	r := &entryReader{lines: newRecords(plain)}
	r.lines.begin()
	if format == NDJSON {
		return r, nil
	}
	r.csv = &csvRecords{records: *r.lines, delimiter: ','}
	cells, _, reason, err := r.csv.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err != nil || reason != "" {
		return nil, errors.New("the first row must name the columns: list,value,expires_at,reason")
	}
	headings := make([]string, len(cells))
	for i, cell := range cells {
		headings[i] = strings.ToLower(strings.TrimSpace(string(cell)))
		if !slices.Contains(listMembers, headings[i]) || slices.Index(headings, headings[i]) < i {
			return nil, fmt.Errorf("column %d of the heading is not one of %s, or is there twice", i+1, strings.Join(listMembers, ", "))
		}
	}
	r.width = len(headings)
	for _, name := range listMembers {
		r.index = append(r.index, slices.Index(headings, name))
	}
	if r.index[0] < 0 || r.index[1] < 0 {
		return nil, errors.New("the columns list and value are required")
	}
	return r, nil
}

// next returns the texts of the next entry in the order of listMembers, or why it has none.
func (r *entryReader) next() (cells []string, line int64, reason string, err error) {
	if r.csv == nil {
		return r.nextJSON()
	}
	row, line, reason, err := r.csv.next()
	if err != nil || reason != "" {
		return nil, line, reason, err
	}
	if len(row) != r.width {
		return nil, line, columnCount, nil
	}
	cells = make([]string, len(listMembers))
	for i, column := range r.index {
		if column >= 0 {
			cells[i] = string(row[column])
		}
	}
	return cells, line, "", nil
}

func (r *entryReader) nextJSON() (cells []string, line int64, reason string, err error) {
	for {
		record, reason, err := r.lines.next()
		if err != nil || reason != "" {
			return nil, r.lines.line, reason, err
		}
		if len(bytes.TrimSpace(record)) == 0 {
			continue
		}
		cells, reason := entryMembers(record)
		return cells, r.lines.line, reason, nil
	}
}

// entryMembers returns the members of a JSON object; null is like none.
func entryMembers(record []byte) ([]string, string) {
	decoder := json.NewDecoder(bytes.NewReader(record))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, entryMalformed
	}
	cells, seen := make([]string, len(listMembers)), make([]bool, len(listMembers))
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, entryMalformed
		}
		text, _ := name.(string)
		i := slices.Index(listMembers, text)
		if i < 0 || seen[i] {
			return nil, entryMalformed
		}
		seen[i] = true
		value, err := decoder.Token()
		if err != nil {
			return nil, entryMalformed
		}
		switch value := value.(type) {
		case nil:
		case string:
			cells[i] = value
		default:
			return nil, entryMalformed
		}
	}
	if _, err := decoder.Token(); err != nil { // the end of the object
		return nil, entryMalformed
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, entryMalformed
	}
	return cells, ""
}

// entryOf returns the entry, or why there is none.
func entryOf(cells []string, declared []risk.List) (risk.ListEntry, string) {
	entry := risk.ListEntry{List: strings.TrimSpace(cells[0])}
	for _, cell := range cells {
		if !utf8.ValidString(cell) {
			return entry, notTextEncoding
		}
	}
	at := slices.IndexFunc(declared, func(l risk.List) bool { return l.Name == entry.List })
	switch {
	case entry.List == "":
		return entry, listNotNamed
	case at < 0:
		return entry, listUnknown
	case utf8.RuneCountInString(cells[3]) > list.MaxReason:
		return entry, reasonTooLong
	case cells[7] != "":
		return entry, entryRemoved
	case pan.Find(cells[1]):
		return entry, valueIsCard
	}
	var err error
	if entry.Value, err = declared[at].Normal(cells[1]); err != nil {
		return entry, "value: " + problem.As(err).Message
	}
	if cells[2] != "" {
		micros, ok := instants{}.iso([]byte(cells[2]))
		if !ok {
			return entry, badExpiry
		}
		entry.ExpiresAt = time.UnixMicro(micros).UTC()
	}
	return entry, ""
}
