// Package client calls the API of a Probity installation, and verifies the webhooks that it sends.
//
//	c := client.New("https://kyc.example.com", os.Getenv("PROBITY_KEY"))
//	payment, err := c.CreatePayment(ctx, client.NewPayment{AccountID: id, Amount: client.Money{AmountMinor: 1250, Currency: "USD"}})
//
// A refusal is an *Error with a stable Code. Calls that failed on their way, and those answered with 429, 502, 503 or 504, are repeated a
// few times; each POST carries an Idempotency-Key, made for it or given with Once, so a repetition never does anything twice. What is
// absent is a nil pointer. The package imports nothing but the standard library.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// UserAgent names this package to the server.
const UserAgent = "probity-go/1"

// maxAnswer bounds an answer, in bytes. The largest lists are far below it.
const maxAnswer = 16 << 20

// Client calls one installation with one API key. It is safe for concurrent use; make one with New.
type Client struct {
	base    string
	key     string
	http    *http.Client
	retries int
	longest time.Duration
	pause   func(ctx context.Context, wait time.Duration) error
}

// Option changes a Client when it is made.
type Option func(*Client)

// WithHTTPClient uses another HTTP client than one with a time limit of a minute. Redirects are not followed either way.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) {
		copied := *h
		c.http = &copied
	}
}

// WithRetries sets how often a call is repeated at most; 0 means never. Without it, 3 times.
func WithRetries(n int) Option { return func(c *Client) { c.retries = max(n, 0) } }

// WithLongestWait sets how long one wait between repetitions may be. A server that asks for more gets no repetition. Without it, 30 s.
func WithLongestWait(d time.Duration) Option { return func(c *Client) { c.longest = d } }

// New returns a client. The base URL is where the installation answers, such as https://kyc.example.com, without /v1; what is wrong with
// it shows at the first call.
func New(baseURL, apiKey string, options ...Option) *Client {
	c := &Client{
		base: strings.TrimRight(baseURL, "/"), key: apiKey, http: &http.Client{Timeout: time.Minute}, retries: 3, longest: 30 * time.Second, pause: pause,
	}
	for _, option := range options {
		option(c)
	}
	// Probity never redirects, and a key must not follow where somebody else points.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// Format keeps the API key out of whatever a client is printed into.
func (c *Client) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "probity client of "+c.base)
}

// CallOption changes one call.
type CallOption func(*callOptions)

type callOptions struct{ idempotencyKey string }

// Once makes a POST repeatable beyond the life of this program: the same key with the same values gives the answer of the first time.
// Without it each call has a key of its own, which protects the repetitions of that call only. At most 255 visible ASCII characters.
func Once(key string) CallOption { return func(o *callOptions) { o.idempotencyKey = key } }

// Error is a refusal by the API (RFC 9457).
type Error struct {
	Status         int           // HTTP status
	Code           string        // stable; decide by it
	Field          string        // the field to blame; empty when there is none
	Detail         string        // one sentence for a person
	VerificationID string        // the verification to continue with instead; empty otherwise
	Ref            string        // another object to look at instead; empty otherwise
	RequestID      string        // names the request in the installation's log
	RetryAfter     time.Duration // what the server asked to wait; 0 when it did not
}

// Error returns status, code, field and detail. None of them holds a value that was sent.
func (e *Error) Error() string {
	text := "probity: " + strconv.Itoa(e.Status) + " " + e.Code
	if e.Field != "" {
		text += " (" + e.Field + ")"
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// IsCode reports whether err is an *Error with the code.
func IsCode(err error, code string) bool {
	refusal, ok := errors.AsType[*Error](err)
	return ok && refusal.Code == code
}

// IsNotFound reports whether err says that there is no such thing in this tenant.
func IsNotFound(err error) bool {
	refusal, ok := errors.AsType[*Error](err)
	return ok && refusal.Status == http.StatusNotFound
}

// request is one call, which may be sent several times.
type request struct {
	method, path string
	query        url.Values
	body         []byte
	contentType  string
	once         string // Idempotency-Key; POST only
}

// call sends a request with a JSON body, or none, and reads the answer into out.
func call[Out any](ctx context.Context, c *Client, method, path string, query url.Values, in any, options ...CallOption) (Out, error) {
	r := request{method: method, path: path, query: query}
	var out Out
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return out, fmt.Errorf("probity: %s: what is to be sent is no JSON: %w", method, err)
		}
		r.body, r.contentType = raw, "application/json"
	}
	return send[Out](ctx, c, r, options...)
}

func send[Out any](ctx context.Context, c *Client, r request, options ...CallOption) (Out, error) {
	var out Out
	if r.method == http.MethodPost {
		chosen := callOptions{}
		for _, option := range options {
			option(&chosen)
		}
		if r.once = chosen.idempotencyKey; r.once == "" {
			r.once = freshKey()
		}
	}
	raw, err := c.repeat(ctx, r)
	if err != nil || len(raw) == 0 {
		return out, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("probity: %s: the answer cannot be read; is this the address of a Probity installation? %w", r.method, err)
	}
	return out, nil
}

func freshKey() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails: it ends the program when the system has no randomness
	return hex.EncodeToString(raw)
}

// repeat sends a request until it was answered for good.
func (c *Client) repeat(ctx context.Context, r request) ([]byte, error) {
	for attempt := 0; ; attempt++ {
		raw, err := c.attempt(ctx, r)
		if err == nil || attempt >= c.retries || ctx.Err() != nil || !passes(err) {
			return raw, err
		}
		wait := backoff(attempt)
		if refusal, ok := errors.AsType[*Error](err); ok {
			wait = max(wait, refusal.RetryAfter)
		}
		if wait > c.longest {
			return raw, err
		}
		if c.pause(ctx, wait) != nil {
			return raw, err
		}
	}
}

// passes reports whether the same request may fare better a little later.
func passes(err error) bool {
	refusal, ok := errors.AsType[*Error](err)
	if !ok {
		return !errors.Is(err, errNotSendable) // the network
	}
	switch refusal.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusConflict:
		// An earlier attempt of this call, whose answer was lost, is still being worked on.
		return refusal.Code == "idempotency_in_flight"
	}
	return false
}

// backoff is 0.2 s, 0.4 s, 0.8 s …, at most 10 s, spread by half so that clients which failed together do not return together.
func backoff(attempt int) time.Duration {
	wait := min(200*time.Millisecond<<min(attempt, 10), 10*time.Second)
	return wait/2 + time.Duration(mathrand.Int64N(int64(wait)))
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

var errNotSendable = errors.New("probity: the request cannot be sent; check the base URL, which looks like https://kyc.example.com")

// attempt sends a request once.
func (c *Client) attempt(ctx context.Context, r request) ([]byte, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	outgoing, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil || outgoing.URL.Host == "" {
		return nil, errNotSendable
	}
	outgoing.Header.Set("Authorization", "Bearer "+c.key)
	outgoing.Header.Set("Accept", "application/json")
	outgoing.Header.Set("User-Agent", UserAgent)
	if r.contentType != "" {
		outgoing.Header.Set("Content-Type", r.contentType)
	}
	if r.once != "" {
		outgoing.Header.Set("Idempotency-Key", r.once)
	}
	answer, err := c.http.Do(outgoing)
	if err != nil {
		// The library's error repeats the URL with its query, which may name a person.
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("probity: %s: no answer: %w", r.method, err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("probity: %s: the answer broke off: %w", r.method, err)
	}
	if answer.StatusCode >= http.StatusOK && answer.StatusCode <= 299 {
		return raw, nil
	}
	return nil, refusalOf(answer, raw)
}

// refusalOf reads a problem, or makes one of an answer that something in between gave.
func refusalOf(answer *http.Response, raw []byte) error {
	var problem struct {
		Code           string `json:"code"`
		Field          string `json:"field"`
		Detail         string `json:"detail"`
		VerificationID string `json:"verification_id"`
		Ref            string `json:"ref"`
		RequestID      string `json:"request_id"`
	}
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(raw, &problem) != nil || problem.Code == "" {
		problem.Code = "unexpected_answer"
		problem.Detail = "the answer is none of Probity's; something between here and there gave it"
	}
	return &Error{
		Status: answer.StatusCode, Code: problem.Code, Field: problem.Field, Detail: problem.Detail, VerificationID: problem.VerificationID, Ref: problem.Ref,
		RequestID: problem.RequestID, RetryAfter: retryAfter(answer.Header.Get("Retry-After"), time.Now()),
	}
}

// retryAfter reads seconds or a date (RFC 9110 §10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
