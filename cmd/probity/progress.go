package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// progress draws one line on a terminal: how far, how fast, how long still. Without a terminal it draws nothing.
type progress struct {
	out    *os.File // nil: not a terminal
	what   string
	total  int64 // bytes; 0: not known
	read   atomic.Int64
	rows   int64
	begun  time.Time
	drawn  time.Time
	now    func() time.Time
	wasOut bool
}

// newProgress returns the progress of reading a file of so many bytes.
func newProgress(what string, total int64) *progress {
	p := &progress{what: what, total: total, now: time.Now}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" {
		p.out = os.Stderr
	}
	p.begun = p.now()
	return p
}

// reader counts what is read.
func (p *progress) reader(from io.Reader) io.Reader { return &countedReader{from: from, p: p} }

type countedReader struct {
	from io.Reader
	p    *progress
}

func (r *countedReader) Read(into []byte) (int, error) {
	n, err := r.from.Read(into)
	r.p.read.Add(int64(n))
	return n, err
}

// row counts one row, and draws now and then.
func (p *progress) row() {
	p.rows++
	if p.rows%1024 == 0 {
		p.draw()
	}
}

// at says how many rows there have been, and draws now and then.
func (p *progress) at(rows int) {
	p.rows = int64(rows)
	p.draw()
}

// share says how much of a work of known size is done, and draws now and then.
func (p *progress) share(done, total int) {
	p.show(func(now time.Time) string {
		return fmt.Sprintf("%s  %s  %s", p.what, bar(float64(done)/float64(max(total, 1))), now.Sub(p.begun).Truncate(time.Second))
	})
}

func (p *progress) draw() { p.show(p.line) }

// show draws a line, at most ten times a second.
func (p *progress) show(line func(now time.Time) string) {
	if p.out == nil {
		return
	}
	now := p.now()
	if now.Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn, p.wasOut = now, true
	_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", line(now))
}

const barCells = 24

// bar draws a share from 0 to 1.
func bar(share float64) string {
	filled := int(share * barCells)
	return fmt.Sprintf("%s%s %3.0f%%", strings.Repeat("█", filled), strings.Repeat("░", barCells-filled), share*100)
}

// line says where it stands.
func (p *progress) line(now time.Time) string {
	seconds := max(now.Sub(p.begun).Seconds(), 0.001)
	rate := fmt.Sprintf("%s payments, %s/s", grouped(p.rows), grouped(int64(float64(p.rows)/seconds)))
	if p.total <= 0 {
		return p.what + "  " + rate
	}
	done := min(float64(p.read.Load())/float64(p.total), 1)
	left := ""
	if done > 0.01 {
		left = fmt.Sprintf(", %s left", (time.Duration(seconds*(1-done)/done*float64(time.Second)) + time.Second/2).Truncate(time.Second))
	}
	return fmt.Sprintf("%s  %s  %s%s", p.what, bar(done), rate, left)
}

// finish clears the line.
func (p *progress) finish() {
	if p.wasOut {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	digits, sign := fmt.Sprint(n), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
