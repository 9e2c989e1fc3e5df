package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/probity/probity/internal/standard/pan"
)

// The bounds of a stream of lines.
const (
	longestLine = 16 << 10 // bytes; the longest payment that is written without waste has about 1 KB
	// streamIdle ends a stream of which nothing can be read, or to which nothing can be written, for so long. A stream as a whole may take
	// as long as it has lines.
	streamIdle = time.Minute
)

// ndjsonTypes are the media types of one JSON document a line; there is no registered one.
var ndjsonTypes = []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}

const ndjsonType = "application/x-ndjson"

var (
	errLineTooLong = errors.New("a line is too long")
)

// lineReader reads lines one by one and in bounded memory. Lines end with "\n" or "\r\n"; the last one may end with the body.
type lineReader struct {
	from *bufio.Reader
	line int // number of the line that was read last, from 1
}

func newLineReader(body io.Reader) *lineReader {
	return &lineReader{from: bufio.NewReaderSize(body, 2*longestLine)}
}

// next returns the next line that is not empty, without its end; it is good until the next call. io.EOF is the end of the body.
// After errLineTooLong the line was passed over and reading goes on; any other error ends the body in the middle of a line.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.from.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return nil, err
		}
		l.line++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, l.skipRest()
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		}
		line = bytes.TrimSpace(line)
		if l.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if len(line) > longestLine {
			return nil, errLineTooLong
		}
		if len(line) > 0 {
			return line, nil
		}
	}
}

// skipRest passes over the rest of a line that does not fit.
func (l *lineReader) skipRest() error {
	for {
		switch _, err := l.from.ReadSlice('\n'); {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil, errors.Is(err, io.EOF):
			return errLineTooLong
		default:
			return err
		}
	}
}

// ready reports whether a whole line can be read without waiting for the sender.
func (l *lineReader) ready() bool {
	waiting, _ := l.from.Peek(l.from.Buffered())
	return slices.Contains(waiting, '\n')
}

// stream is an answer of lines that is written while the body is still being read.
type stream struct {
	edge    *edge
	ctx     context.Context
	known   *request
	lines   *lineReader
	to      http.ResponseWriter
	control *http.ResponseController
	idle    *time.Timer
	out     []byte // lines that were not written yet
	broken  error  // why nothing more can be written
	cut     bool   // the body was not read to its end, so the connection cannot be used again
}

// streaming answers a call whose body is lines.
type streaming func(s *stream)

// serveStream answers a call whose body and answer are lines. Until the first line is read, it can be refused as any other.
func (e *edge) serveStream(w http.ResponseWriter, r *http.Request, known *request) {
	began := e.Service.Clock.Wall()
	ctx := context.WithValue(r.Context(), requestKey{}, known)
	if refused := e.prepareStream(ctx, r, known); refused != nil {
		if known.actor.ID != "" && r.Header.Get("Expect") == "" {
			readAway(r.Body)
		}
		e.finish(ctx, w, r, known, e.problem(known, refused), began)
		return
	}
	s := &stream{edge: e, ctx: ctx, known: known, lines: newLineReader(r.Body), to: w, control: http.NewResponseController(w)}
	// Neither is needed by every writer, and tests write to memory.
	_ = s.control.EnableFullDuplex()
	_ = errors.Join(s.control.SetReadDeadline(time.Time{}), s.control.SetWriteDeadline(time.Time{}))
	past := time.Unix(1, 0)
	s.idle = time.AfterFunc(streamIdle, func() { _ = errors.Join(s.control.SetReadDeadline(past), s.control.SetWriteDeadline(past)) })
	defer s.idle.Stop()
	header := w.Header()
	header.Set("Content-Type", ndjsonType)
	header.Set(headerRequestID, known.id)
	header["Cache-Control"], header["X-Content-Type-Options"] = noStore, noSniff
	w.WriteHeader(http.StatusOK)
	defer func() {
		cause := recover()
		if cause != nil {
			e.Log.ErrorContext(ctx, "request panicked", "request_id", known.id, "route", known.pattern, "stack", string(debug.Stack()))
			known.code = "internal"
		}
		e.note(ctx, known, http.StatusOK, e.Service.Clock.Wall().Sub(began))
		if cause != nil || s.broken != nil || s.cut {
			// The connection ends without the last chunk, which tells the other side that the answer is not whole.
			panic(http.ErrAbortHandler)
		}
	}()
	known.route.stream(s)
	s.flush()
}

// prepareStream authenticates and looks at the header. What it returns is the refusal.
func (e *edge) prepareStream(ctx context.Context, r *http.Request, known *request) *Problem {
	actor, err := e.Service.AuthenticateKey(ctx, bearer(r))
	if err != nil {
		return e.refusal(ctx, err)
	}
	known.actor = actor
	if refused := checkQuery(r); refused != nil {
		return refused
	}
	if r.URL.RawQuery != "" {
		return newProblem(http.StatusUnprocessableEntity, "unknown_parameter", "this query parameter does not exist here; check its spelling, or leave it out").blame("query")
	}
	if r.Header.Get(headerIdempotencyKey) != "" {
		return newProblem(http.StatusUnprocessableEntity, "idempotency_key_not_expected",
			"each line has a key of its own; see the description of this call in /openapi.json").blame(headerIdempotencyKey)
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(ndjsonTypes, media) {
		return newProblem(http.StatusUnsupportedMediaType, "media_type_not_accepted", "this call takes "+ndjsonType+", one JSON object a line; set Content-Type").blame("Content-Type")
	}
	return nil
}

// flush writes what was put together.
func (s *stream) flush() {
	s.idle.Reset(streamIdle)
	if len(s.out) == 0 || s.broken != nil {
		return
	}
	if _, s.broken = s.to.Write(s.out); s.broken == nil {
		if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			s.broken = err
		}
	}
	s.out = s.out[:0]
}

// refuse adds a line about what is wrong with a line.
func (s *stream) refuse(line int, p *Problem) {
	p.RequestID = s.known.id
	s.out = strconv.AppendInt(append(s.out, `{"line":`...), int64(line), 10)
	s.out = strconv.AppendInt(append(s.out, `,"status":`...), int64(p.Status), 10)
	s.out = append(s.out, `,"problem":`...)
	var into appender = s.out
	if err := encode(&into, p); err != nil {
		s.edge.Log.Error("a problem could not be written", "request_id", s.known.id)
	}
	s.out = append(bytes.TrimSuffix(into, []byte("\n")), "}\n"...)
}

// unreadableLine says why a line could not be read.
func unreadableLine(err error) *Problem {
	if errors.Is(err, errLineTooLong) {
		return newProblem(http.StatusRequestEntityTooLarge, "line_too_long", "a line has at most "+strconv.Itoa(longestLine>>10)+" KiB")
	}
	return newProblem(http.StatusBadRequest, "body_incomplete", "the body ended before this line was complete; send it again")
}

// readLine reads a line into a struct the way that huma reads a body, so that it is refused in the same words.
func (e *edge) readLine(line []byte, into any) *Problem {
	if field, found, err := pan.FindInJSON(line); err != nil {
		return newProblem(http.StatusBadRequest, malformed.Code, "the line is not one well-formed JSON document")
	} else if found {
		return panNotAccepted(field)
	}
	var members any
	if err := decode(line, &members); err != nil {
		return newProblem(http.StatusBadRequest, malformed.Code, malformed.Detail)
	}
	schemas := e.huma.OpenAPI().Components.Schemas
	var found huma.ValidateResult
	huma.Validate(schemas, schemas.Schema(reflect.TypeOf(into).Elem(), true, ""), huma.NewPathBuffer([]byte{}, 0), huma.ModeWriteToServer, members, &found)
	if len(found.Errors) == 0 {
		if err := decode(line, into); err != nil {
			found.Errors = append(found.Errors, &huma.ErrorDetail{Message: err.Error()})
		}
	}
	if len(found.Errors) == 0 {
		return nil
	}
	if refused, ok := errors.AsType[*Problem](newHumaProblem(http.StatusUnprocessableEntity, "", found.Errors...)); ok {
		return refused
	}
	return internalProblem()
}
