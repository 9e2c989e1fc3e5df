package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"sync"
)

const (
	ndjson = "application/x-ndjson"
	// maxUnanswered bounds the lines that were sent and are not answered yet: they are kept, to be sent again when the connection breaks.
	maxUnanswered = 20_000
	maxLine       = 1 << 20 // bytes of one line of an answer
)

// errEnough is what take returns when its caller wants no more.
var errEnough = errors.New("probity: the caller has seen enough")

// errCutShort says that an answer ended before everything was answered.
var errCutShort = errors.New("probity: POST: the answer broke off")

// exchange sends lines and reads lines, both at once, over as many connections as it takes. A connection that breaks is made again and
// goes on with the first line that has no answer, so the call behind it must answer the same line twice in the same way.
type exchange struct {
	client *Client
	path   string
	// take is given one line of the answer, and how many lines had been answered before this connection. It returns how many lines are
	// answered by now, over all connections, and whether the answer is whole.
	take func(line []byte, before int) (answered int, whole bool, err error)
	// begin is called before each connection. Optional.
	begin func()

	lines    chan []byte // to be sent, each with its "\n"; closed behind the last
	mutex    sync.Mutex
	moved    sync.Cond
	waiting  [][]byte // taken from lines, not answered
	answered int      // number of the line waiting[0], from 0
	ended    bool     // lines has no more
	stopped  bool     // the connection has ended, and what writes to it must, too
}

// exchangeLines has everything of a sequence sent, each as one line of JSON, and answered. Only a connection that answered something counts
// as progress; otherwise it gives up after the client's retries.
func exchangeLines[In any](ctx context.Context, x *exchange, all iter.Seq[In]) error {
	ctx, cancel := context.WithCancel(ctx)
	x.moved.L = &x.mutex
	x.lines = make(chan []byte, 256)
	unsendable := make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(x.lines)
		for one := range all {
			line, err := json.Marshal(one)
			if err != nil {
				unsendable <- fmt.Errorf("probity: POST: what is to be sent is no JSON: %w", err)
				cancel()
				return
			}
			select {
			case x.lines <- append(line, '\n'):
			case <-ctx.Done():
				return
			}
		}
	})
	err := x.run(ctx)
	cancel()
	reading.Wait()
	select {
	case wrong := <-unsendable:
		return wrong
	default:
		return err
	}
}

func (x *exchange) run(ctx context.Context) error {
	for failures := 0; ; failures++ {
		before := x.answered
		if x.begin != nil {
			x.begin()
		}
		err := x.connect(ctx)
		if err == nil || errors.Is(err, errEnough) {
			return err
		}
		if x.answered > before {
			failures = 0
		}
		if failures >= x.client.retries || ctx.Err() != nil || !passes(err) {
			return err
		}
		wait := backoff(failures)
		if refusal, ok := errors.AsType[*Error](err); ok {
			wait = max(wait, refusal.RetryAfter)
		}
		if wait > x.client.longest || x.client.pause(ctx, wait) != nil {
			return err
		}
	}
}

// connect exchanges lines over one connection.
func (x *exchange) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	body, into := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, x.client.base+x.path, body)
	if err != nil || request.URL.Host == "" {
		cancel()
		return errNotSendable
	}
	request.Header.Set("Authorization", "Bearer "+x.client.key)
	request.Header.Set("Accept", ndjson)
	request.Header.Set("Content-Type", ndjson)
	request.Header.Set("User-Agent", UserAgent)
	x.stopped = false
	var writing sync.WaitGroup
	writing.Go(func() { _ = into.CloseWithError(x.send(ctx, into)) })
	defer func() {
		cancel()
		_ = body.Close()
		x.mutex.Lock()
		x.stopped = true
		x.moved.Broadcast()
		x.mutex.Unlock()
		writing.Wait()
	}()
	// A stream takes as long as it has lines, so the limit of a single call is none for it.
	streaming := *x.client.http
	streaming.Timeout = 0
	answer, err := streaming.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return fmt.Errorf("probity: POST: no answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
		if err != nil {
			return errCutShort
		}
		return refusalOf(answer, raw)
	}
	return x.receive(answer.Body)
}

// send writes the lines that wait for an answer, and then new ones, until there are no more.
func (x *exchange) send(ctx context.Context, into io.Writer) error {
	buffered := bufio.NewWriterSize(into, 32<<10)
	x.mutex.Lock()
	at := x.answered
	x.mutex.Unlock()
	for ; ; at++ {
		line, err := x.line(ctx, at, buffered.Flush)
		if err != nil || line == nil {
			return errors.Join(err, buffered.Flush())
		}
		if _, err := buffered.Write(line); err != nil {
			return err
		}
	}
}

// line returns the line with a number, or nil behind the last one. Before it waits for anything, it flushes what was written.
func (x *exchange) line(ctx context.Context, at int, flush func() error) ([]byte, error) {
	if line, known, err := x.waitingLine(at, flush); known || err != nil {
		return line, err
	}
	var line []byte
	more := true
	select {
	case line, more = <-x.lines:
	default:
		if err := flush(); err != nil {
			return nil, err
		}
		select {
		case line, more = <-x.lines:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	x.mutex.Lock()
	defer x.mutex.Unlock()
	if !more {
		x.ended = true
		return nil, nil
	}
	x.waiting = append(x.waiting, line)
	return line, nil
}

// waitingLine returns the line with a number if it was taken before, and waits until there is room for another otherwise.
func (x *exchange) waitingLine(at int, flush func() error) (line []byte, known bool, err error) {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	for {
		switch {
		case x.stopped || at < x.answered:
			return nil, false, errCutShort
		case at-x.answered < len(x.waiting):
			return x.waiting[at-x.answered], true, nil
		case x.ended:
			return nil, true, nil
		case len(x.waiting) < maxUnanswered:
			return nil, false, nil
		}
		x.mutex.Unlock()
		err := flush()
		x.mutex.Lock()
		if err != nil {
			return nil, false, err
		}
		if len(x.waiting) >= maxUnanswered && !x.stopped {
			x.moved.Wait()
		}
	}
}

// receive reads the answer.
func (x *exchange) receive(from io.Reader) error {
	before := x.answered
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		answered, whole, err := x.take(lines.Bytes(), before)
		if err != nil {
			return err
		}
		if err := x.note(answered); err != nil {
			return err
		}
		if whole {
			break
		}
	}
	x.mutex.Lock()
	defer x.mutex.Unlock()
	if lines.Err() == nil && x.ended && len(x.waiting) == 0 {
		return nil
	}
	return errCutShort
}

// note forgets the lines that were answered.
func (x *exchange) note(answered int) error {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	count := answered - x.answered
	if count < 0 || count > len(x.waiting) {
		return errors.New("probity: POST: the answer is about lines that were not sent")
	}
	clear(x.waiting[:count])
	x.waiting = x.waiting[count:]
	x.answered = answered
	x.moved.Broadcast()
	return nil
}
