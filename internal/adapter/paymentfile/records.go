package paymentfile

import (
	"bytes"
	"errors"
	"io"
)

// maxRecord bounds one record, in bytes with its line end.
const maxRecord = 64 << 10

// The reasons for which a record cannot be taken apart.
const (
	recordTooLong = "row: longer than 64 KiB"
	quoteNotEnded = "row: a quote is opened and not closed within 64 KiB"
	quoteMisplace = `row: a quote in the middle of a value; put the value in quotes and double those inside`
	columnCount   = "row: not as many columns as the heading"
)

// records cuts a file into records and counts lines. What record returns is valid until its next call.
type records struct {
	source     io.Reader
	buffer     []byte
	start, end int
	ended      error // io.EOF or what reading failed with; nil while there may be more
	line       int64 // lines taken so far
}

func newRecords(source io.Reader) *records {
	return &records{source: source, buffer: make([]byte, 1<<20)}
}

// fill reads more behind what is there, and reports whether anything came.
func (r *records) fill() bool {
	if r.ended != nil {
		return false
	}
	if r.start > 0 && r.end-r.start < maxRecord {
		r.end = copy(r.buffer, r.buffer[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buffer) {
		return false
	}
	for range 100 {
		n, err := r.source.Read(r.buffer[r.end:])
		r.end += n
		if err != nil {
			r.ended = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	r.ended = io.ErrNoProgress
	return false
}

// newline returns the place of the line end at or after from, counted from start; -1 when there is none within maxRecord, or the file
// ends before.
func (r *records) newline(from int) int {
	for {
		have := r.buffer[r.start:r.end]
		if from < len(have) {
			if i := bytes.IndexByte(have[from:], '\n'); i >= 0 {
				if from+i >= maxRecord {
					return -1
				}
				return from + i
			}
		}
		if len(have) >= maxRecord || !r.fill() {
			return -1
		}
	}
}

// begin drops a byte order mark.
func (r *records) begin() {
	for r.end-r.start < 3 && r.fill() {
	}
	have := r.buffer[r.start:r.end]
	r.start += len(have) - len(bytes.TrimPrefix(have, []byte("\xef\xbb\xbf")))
}

// next returns the next line without its end, and io.EOF after the last. A line that is too long is skipped: the reason says so.
func (r *records) next() (record []byte, reason string, err error) {
	i := r.newline(0)
	if i >= 0 {
		record = r.buffer[r.start : r.start+i]
		r.take(i+1, 1)
		return trimReturn(record), "", nil
	}
	if rest := r.buffer[r.start:r.end]; len(rest) < maxRecord {
		if !errors.Is(r.ended, io.EOF) || len(rest) == 0 {
			return nil, "", r.ended
		}
		r.take(len(rest), 1)
		return trimReturn(rest), "", nil
	}
	return nil, recordTooLong, r.skip()
}

// take moves on behind so many bytes, which hold so many lines.
func (r *records) take(bytes, lines int) {
	r.start += bytes
	r.line += int64(lines)
}

// skip moves on behind the line, however long it is.
func (r *records) skip() error {
	for {
		if i := bytes.IndexByte(r.buffer[r.start:r.end], '\n'); i >= 0 {
			r.take(i+1, 1)
			return nil
		}
		r.start = r.end
		if !r.fill() {
			r.line++
			if errors.Is(r.ended, io.EOF) {
				return nil
			}
			return r.ended
		}
	}
}

func trimReturn(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// csvRecords cuts CSV into cells (RFC 4180): values in quotes may hold delimiters, doubled quotes and line ends.
type csvRecords struct {
	records
	delimiter byte
	cells     [][]byte
	scratch   []byte // values without their quotes
}

// next returns the cells of the next row that is not blank, and io.EOF after the last. The line is where the row begins.
func (r *csvRecords) next() (cells [][]byte, line int64, reason string, err error) {
	for {
		line = r.line + 1
		record, reason, err := r.records.next()
		switch {
		case err != nil || reason != "":
			return nil, line, reason, err
		case len(record) == 0:
		case bytes.IndexByte(record, '"') < 0:
			return r.split(record), line, "", nil
		default:
			cells, reason := r.quoted(record)
			return cells, line, reason, nil
		}
	}
}

func (r *csvRecords) split(record []byte) [][]byte {
	cells := r.cells[:0]
	for {
		i := bytes.IndexByte(record, r.delimiter)
		if i < 0 {
			r.cells = append(cells, record)
			return r.cells
		}
		cells = append(cells, record[:i])
		record = record[i+1:]
	}
}

// quoted takes apart a row with quotes, whose first line is taken already. It goes on in the following lines while a quote is open. A row
// that turns out to be broken is lost alone: reading goes on with the line after its first.
func (r *csvRecords) quoted(first []byte) ([][]byte, string) {
	cells, state := r.unquote(first)
	if state == quoteBare {
		return nil, quoteMisplace
	}
	if state == quoteFine {
		return cells, ""
	}
	row := append(append([]byte(nil), first...), '\n')
	taken, lines := 0, 0
	for isOpen := true; isOpen; {
		if len(row) >= maxRecord {
			return nil, quoteNotEnded
		}
		i := r.newline(taken)
		length := i + 1
		if i < 0 {
			i = min(r.end-r.start, maxRecord)
			if length = i; i == taken || i == maxRecord {
				return nil, quoteNotEnded
			}
		}
		line := trimReturn(r.buffer[r.start+taken : r.start+i])
		if bytes.Count(line, []byte{'"'})%2 == 1 {
			isOpen = false
		}
		row = append(append(row, line...), '\n')
		taken, lines = length, lines+1
	}
	if cells, state = r.unquote(row[:len(row)-1]); state != quoteFine {
		return nil, quoteMisplace
	}
	r.take(taken, lines)
	return cells, ""
}

// What unquote found.
const (
	quoteFine = iota + 1
	quoteOpen // the row goes on in the next line
	quoteBare // a quote where none may be
)

// unquote returns the cells of a row.
func (r *csvRecords) unquote(row []byte) ([][]byte, int) {
	// Room for all beforehand: cells point into it.
	if cap(r.scratch) < len(row) {
		r.scratch = make([]byte, 0, 2*len(row))
	}
	text, cells := r.scratch[:0], r.cells[:0]
	for {
		if len(row) == 0 || row[0] != '"' {
			i := bytes.IndexByte(row, r.delimiter)
			cell := row
			if i >= 0 {
				cell = row[:i]
			}
			if bytes.IndexByte(cell, '"') >= 0 {
				return nil, quoteBare
			}
			cells = append(cells, cell)
			if i < 0 {
				break
			}
			row = row[i+1:]
			continue
		}
		from := len(text)
		for row = row[1:]; ; {
			i := bytes.IndexByte(row, '"')
			if i < 0 {
				return nil, quoteOpen
			}
			text = append(text, row[:i]...)
			if row = row[i+1:]; len(row) == 0 || row[0] != '"' {
				break
			}
			text = append(text, '"')
			row = row[1:]
		}
		cells = append(cells, text[from:])
		if len(row) == 0 {
			break
		}
		if row[0] != r.delimiter {
			return nil, quoteBare
		}
		row = row[1:]
	}
	r.cells = cells
	return cells, quoteFine
}
