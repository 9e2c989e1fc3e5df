package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/pan"
)

// The headers that are read or written by name.
const (
	headerRequestID      = "X-Request-Id"
	headerIdempotencyKey = "Idempotency-Key"
	headerReplayed       = "Idempotency-Replayed"
)

// request is what the steps before huma have found out.
type request struct {
	id       string
	method   string
	pattern  string // of the path; "unmatched"
	route    route
	actor    access.Actor
	body     []byte    // of a JSON call
	form     *evidence // of a multipart call
	bodyHash []byte
	repeat   service.IdempotentRequest // when there is an Idempotency-Key
	replayed bool                      // the stored answer to it was given
	stored   *service.StoredAnswer     // the answer to a payment that was decided before, when it is not made of what is stored of it
	code     string                    // of the problem that was answered
	lines    int                       // of a stream, that were read
	room     *plainBody                // what plain borrowed; given back when the answer was written
	// take receives a payment that is only to be read, not decided: a line of a batch that goes the general way.
	take func(payment.Attempt)
}

type requestKey struct{}

// requestOf returns what is known of the request that the context belongs to.
func requestOf(ctx context.Context) *request {
	if found, ok := ctx.Value(requestKey{}).(*request); ok {
		return found
	}
	return &request{}
}

// serve takes a request through all its steps and writes one line about it.
func (e *edge) serve(w http.ResponseWriter, r *http.Request) {
	known := e.match(r)
	if known.route.stream != nil {
		e.serveStream(w, r, known)
		return
	}
	began := e.Service.Clock.Wall()
	ctx := context.WithValue(r.Context(), requestKey{}, known)
	e.finish(ctx, w, r, known, e.answer(ctx, w, r, known), began)
}

// finish writes an answer, and one line about it.
func (e *edge) finish(ctx context.Context, w http.ResponseWriter, r *http.Request, known *request, recorded *recorder, began time.Time) {
	header := w.Header()
	for name, values := range recorded.header {
		header[name] = values
	}
	own := &[...]string{known.id, strconv.Itoa(recorded.body.Len())}
	header[headerRequestID] = own[0:1:1]
	header["Content-Length"] = own[1:2:2]
	if header.Get("Cache-Control") == "" {
		header["Cache-Control"] = noStore
	}
	if known.replayed {
		header.Set(headerReplayed, "true")
	}
	header["X-Content-Type-Options"] = noSniff
	if recorded.status == http.StatusNoContent {
		header.Del("Content-Length")
	}
	w.WriteHeader(recorded.status)
	if r.Method != http.MethodHead && recorded.status != http.StatusNoContent {
		_, _ = w.Write(recorded.body.Bytes()) // whoever asked may be gone
	}
	e.note(ctx, known, recorded.status, e.Service.Clock.Wall().Sub(began))
	known.giveBack()
}

// What nearly every answer's header holds. Nothing changes them: net/http copies a header before it adds to it.
var noStore, noSniff = []string{"no-store"}, []string{"nosniff"}

// note writes the access log and counts the request.
func (e *edge) note(ctx context.Context, known *request, status int, took time.Duration) {
	level := slog.LevelInfo
	if known.route.public {
		level = slog.LevelDebug // probes ask every few seconds
	}
	attrs := append(make([]slog.Attr, 0, 8), slog.String("method", known.method), slog.String("route", known.pattern), slog.Int("status", status),
		slog.Duration("duration", took), slog.String("request_id", known.id), slog.String("actor", known.actor.ID), slog.String("code", known.code))
	if known.route.stream != nil {
		attrs = append(attrs, slog.Int("lines", known.lines))
	}
	e.Log.LogAttrs(ctx, level, "request", attrs...)
	if e.Observe != nil {
		e.Observe(Observation{Method: known.method, Route: known.pattern, Status: status, Duration: took})
	}
}

// match finds the route without running it.
func (e *edge) match(r *http.Request) *request {
	known := &request{id: newRequestID(), method: methodOf(r.Method), pattern: "unmatched"}
	if isPlain(r) {
		known.pattern, known.route = paymentPath, e.routes[paymentPattern]
		return known
	}
	_, pattern := e.mux.Handler(r)
	if found, ok := e.routes[pattern]; ok {
		known.route = found
		_, known.pattern, _ = strings.Cut(pattern, " ")
	}
	return known
}

// methodOf bounds what a caller can write into logs and metrics.
func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func newRequestID() string {
	raw := make([]byte, 10)
	_, _ = rand.Read(raw) // never fails: it ends the program when the system has no randomness
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw))
}

// answer runs the steps of a request and returns what to write. A panic of one request is an answer of 500 to that one.
func (e *edge) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, known *request) (out *recorder) {
	defer func() {
		if cause := recover(); cause != nil {
			// The value may quote personal data; where it happened is enough.
			e.Log.ErrorContext(ctx, "request panicked", "request_id", known.id, "route", known.pattern, "stack", string(debug.Stack()))
			out = e.problem(known, internalProblem())
		}
	}()
	if isPlain(r) {
		if done := e.plain(ctx, r, known); done != nil {
			return done
		}
	}
	body := r.Body
	if refused := e.prepare(ctx, w, r, known); refused != nil {
		if known.actor.ID != "" && r.Header.Get("Expect") == "" {
			readAway(body)
		}
		return e.problem(known, refused)
	}
	r = r.WithContext(ctx)
	if known.body != nil {
		r.Body = io.NopCloser(bytes.NewReader(known.body))
	}
	if r.Header.Get(headerIdempotencyKey) == "" || !known.route.once {
		return e.run(r, known)
	}
	known.repeat = repeatable(r, known)
	if known.route.compiles {
		known.repeat.Prepare = func(ctx context.Context) error { return e.compileFirst(ctx, known) }
	}
	if known.route.multipart || known.route.payment {
		out := e.run(r, known) // sendEvidence and authorizeOnce look the key up
		if known.stored != nil {
			return known.storedAnswer()
		}
		return out
	}
	return e.once(r, known)
}

// prepare authenticates, reads and guards a request. What it returns is the refusal.
func (e *edge) prepare(ctx context.Context, w http.ResponseWriter, r *http.Request, known *request) *Problem {
	if known.route.public {
		return nil
	}
	actor, err := e.Service.AuthenticateKey(ctx, bearer(r))
	if err != nil {
		return e.refusal(ctx, err)
	}
	known.actor = actor
	if refused := checkQuery(r); refused != nil {
		return refused
	}
	if known.pattern == "unmatched" || known.route.maxBody == 0 {
		return nil
	}
	if pan.FindInIdentifier(r.Header.Get(headerIdempotencyKey)) {
		return panNotAccepted(headerIdempotencyKey)
	}
	if refused := checkContentType(r, known.route); refused != nil {
		return refused
	}
	r.Body = http.MaxBytesReader(w, r.Body, known.route.maxBody)
	if known.route.multipart {
		return readForm(r, known)
	}
	return readJSON(r, known)
}

// bearer returns the secret that a request carries, or nothing.
func bearer(r *http.Request) string {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110 §11.1: a scheme has no case
		return ""
	}
	return secret
}

// readAway takes the rest of a body that was refused, within reason. Many programs read no answer before they have sent everything, and
// would see a broken connection instead of why. Whoever sent Expect waits for the answer.
func readAway(body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, 2*maxMultipart) // the answer is decided
}

func panNotAccepted(field string) *Problem {
	return newProblem(http.StatusUnprocessableEntity, "pan_not_accepted",
		"a full card number is not accepted anywhere; send at most the first six and last four digits").blame(field)
}

// checkQuery refuses what would be read as if it were not there: a list of everything is no answer to a filter that was written wrongly.
// Whether a parameter exists is huma's to say.
func checkQuery(r *http.Request) *Problem {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return newProblem(http.StatusBadRequest, "query_malformed", "the query of the URL is not well-formed; encode its values")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		values := given[name]
		if len(values) > 1 {
			return newProblem(http.StatusUnprocessableEntity, "duplicate_parameter", "send each query parameter once").blame(hidden(name))
		}
		// The first page has no cursor, and programs write that in two ways.
		if values[0] == "" && name != "cursor" && name != "limit" {
			return newProblem(http.StatusUnprocessableEntity, "empty_parameter", "this query parameter is empty; give it a value, or leave it out").blame(hidden(name))
		}
	}
	return nil
}

func checkContentType(r *http.Request, known route) *Problem {
	given := r.Header.Get("Content-Type")
	if given == "" && !known.multipart {
		return nil
	}
	media, _, err := mime.ParseMediaType(given)
	want := "application/json"
	switch {
	case known.multipart:
		want = "multipart/form-data"
	case known.mergePatch && media == "application/merge-patch+json":
		return nil
	}
	if err != nil || media != want {
		return newProblem(http.StatusUnsupportedMediaType, "media_type_not_accepted", "this call takes "+want+"; set Content-Type").blame("Content-Type")
	}
	return nil
}

// readJSON reads a body into memory and looks through it for card numbers before anything else sees it.
func readJSON(r *http.Request, known *request) *Problem {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return unreadable(err, known.route)
	}
	known.body = raw
	if len(bytes.TrimSpace(raw)) == 0 {
		known.body = []byte{}
	} else if field, found, err := pan.FindInJSON(raw); err != nil {
		return newProblem(http.StatusBadRequest, malformed.Code, malformed.Detail)
	} else if found {
		return panNotAccepted(field)
	}
	sum := sha256.Sum256(raw)
	known.bodyHash = sum[:]
	return nil
}

// unreadable says why a body could not be read to its end.
func unreadable(err error, known route) *Problem {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return newProblem(http.StatusRequestEntityTooLarge, "body_too_large",
			"the body of this call has at most "+strconv.FormatInt(known.maxBody>>20, 10)+" MiB")
	}
	return newProblem(http.StatusBadRequest, "body_incomplete", "the body ended before it was complete; send it again")
}

// run lets huma, or the mux's own refusal, answer.
func (e *edge) run(r *http.Request, known *request) *recorder {
	out := &recorder{header: http.Header{}}
	e.mux.ServeHTTP(out, r)
	switch {
	case known.pattern == "unmatched" && out.status == http.StatusMethodNotAllowed:
		refused := e.problem(known, newProblem(out.status, "method_not_allowed", "this path takes other methods; see the Allow header and /openapi.json"))
		refused.header.Set("Allow", out.header.Get("Allow"))
		return refused
	case known.pattern == "unmatched", out.isRedirect():
		return e.problem(known, newProblem(http.StatusNotFound, "not_found", "there is no such path; see /openapi.json for those that exist"))
	case out.status == 0:
		out.status = http.StatusOK
	}
	if out.status >= http.StatusBadRequest {
		out.complete(known)
	}
	return out
}

// problem writes a refusal.
func (e *edge) problem(known *request, p *Problem) *recorder {
	out := &recorder{header: http.Header{}, status: p.Status}
	out.header.Set("Content-Type", "application/problem+json")
	if err := json.NewEncoder(&out.body).Encode(p); err != nil {
		e.Log.Error("a problem could not be written", "request_id", known.id)
	}
	out.complete(known)
	return out
}

// errRefused rolls the transaction of an idempotency record back: a refused request leaves none.
var errRefused = errors.New("the request was refused")

// once answers a request with an Idempotency-Key: the use case joins the transaction that keeps its answer.
func (e *edge) once(r *http.Request, known *request) *recorder {
	var ran *recorder
	stored, err := e.Service.Once(r.Context(), known.actor, known.repeat, func(ctx context.Context) (service.StoredAnswer, error) {
		again := r.WithContext(ctx)
		again.Body = io.NopCloser(bytes.NewReader(known.body)) // a transaction may run more than once
		ran = e.run(again, known)
		if ran.status >= http.StatusBadRequest {
			return service.StoredAnswer{}, errRefused
		}
		return service.StoredAnswer{Status: ran.status, Body: ran.body.Bytes()}, nil
	})
	switch {
	case errors.Is(err, errRefused):
		return ran
	case err != nil:
		return e.problem(known, e.refusal(r.Context(), err))
	case !stored.Replayed:
		return ran
	}
	known.replayed, known.stored = true, &stored
	return known.storedAnswer()
}

// storedAnswer is an answer that was given before.
func (known *request) storedAnswer() *recorder {
	out := &recorder{header: jsonHeader, status: known.stored.Status}
	out.body.Write(known.stored.Body)
	return out
}

// repeatable names a request by its key. The path itself is part of the name: the same key on another account's path is another request.
func repeatable(r *http.Request, known *request) service.IdempotentRequest {
	return service.IdempotentRequest{
		Key: r.Header.Get(headerIdempotencyKey), Route: r.Method + " " + r.URL.Path, BodyHash: known.bodyHash, Payment: known.route.payment,
	}
}

// recorder keeps an answer until it is certain that it will be given.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// isRedirect reports whether the mux would rather have another spelling of the path.
func (o *recorder) isRedirect() bool {
	return o.status == http.StatusMovedPermanently || o.status == http.StatusTemporaryRedirect || o.status == http.StatusPermanentRedirect
}

// Header implements http.ResponseWriter.
func (o *recorder) Header() http.Header { return o.header }

// WriteHeader implements http.ResponseWriter; the first status counts.
func (o *recorder) WriteHeader(status int) {
	if o.status == 0 {
		o.status = status
	}
}

// Write implements http.ResponseWriter.
func (o *recorder) Write(part []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
	return o.body.Write(part)
}

// complete adds to a problem the request's id and what its status asks for, and notes the problem's code for the log.
func (o *recorder) complete(known *request) {
	switch o.status {
	case http.StatusUnauthorized:
		o.header.Set("WWW-Authenticate", `Bearer realm="probity"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		o.header.Set("Retry-After", "5")
	}
	var p Problem
	if json.Unmarshal(o.body.Bytes(), &p) != nil || p.Code == "" {
		return
	}
	if p.Code == "too_many_payments_waiting" {
		o.header.Set("Retry-After", "1") // a full queue of payments is decided in less
	}
	p.RequestID, known.code = known.id, p.Code
	if raw, err := json.Marshal(p); err == nil {
		o.body.Reset()
		o.body.Write(append(raw, '\n'))
	}
}
