// Package lines writes a log so that a request does not wait for the system to take its line: what comes while a write is under way goes
// out together with the next one. Nothing is left out, sampled or reordered; when more waits than is allowed, whoever has something to say
// waits too.
//
// A line of level warning or above is on its way before its caller goes on. Of the others, a process that is killed loses what came in
// the last moments, at most what waits (Waiting); one that ends by Close loses nothing.
package lines

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
)

// Waiting is how many bytes may wait.
const Waiting = 1 << 20

var errClosed = errors.New("lines: the log is closed")

// Writer collects lines for another writer. It is safe for concurrent use; make one with NewWriter and end it with Close.
type Writer struct {
	to      io.Writer
	mutex   sync.Mutex
	changed sync.Cond // something waits, was written, or the end has come
	waiting []byte
	taken   uint64 // bytes, since the beginning
	written uint64 // of them
	closed  bool
	failed  error // the first error of to
	ended   chan struct{}
}

// NewWriter returns a Writer, and starts what writes.
func NewWriter(to io.Writer) *Writer {
	w := &Writer{to: to, ended: make(chan struct{})}
	w.changed.L = &w.mutex
	go w.run()
	return w
}

// Write takes some whole lines. It fails only after Close, or with what kept the lines before from being written.
func (w *Writer) Write(some []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for len(w.waiting) > 0 && len(w.waiting)+len(some) > Waiting && !w.closed {
		w.changed.Wait()
	}
	if w.closed {
		return 0, errClosed
	}
	w.waiting = append(w.waiting, some...)
	w.taken += uint64(len(some))
	if len(w.waiting) == len(some) {
		w.changed.Broadcast()
	}
	return len(some), w.failed
}

// Flush returns when everything that was taken before has been written.
func (w *Writer) Flush() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for until := w.taken; w.written < until; {
		w.changed.Wait()
	}
	return w.failed
}

// Close writes what waits, and takes nothing more.
func (w *Writer) Close() error {
	w.mutex.Lock()
	w.closed = true
	w.changed.Broadcast()
	w.mutex.Unlock()
	<-w.ended
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.failed
}

func (w *Writer) run() {
	defer close(w.ended)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var spare []byte
	for {
		for len(w.waiting) == 0 && !w.closed {
			w.changed.Wait()
		}
		if len(w.waiting) == 0 {
			return
		}
		writing := w.waiting
		w.waiting = spare[:0]
		w.mutex.Unlock()
		_, err := w.to.Write(writing)
		w.mutex.Lock()
		if w.failed == nil {
			w.failed = err
		}
		spare = writing
		w.written += uint64(len(writing))
		w.changed.Broadcast()
	}
}

// Handler returns the handler, which writes to the Writer, so that what is a warning or worse is written before its caller goes on.
func Handler(h slog.Handler, w *Writer) slog.Handler { return handler{h, w} }

type handler struct {
	slog.Handler
	writer *Writer
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, record slog.Record) error {
	err := h.Handler.Handle(ctx, record)
	if record.Level >= slog.LevelWarn {
		return errors.Join(err, h.writer.Flush())
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.writer}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.writer}
}
