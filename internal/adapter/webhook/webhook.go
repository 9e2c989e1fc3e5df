// Package webhook delivers signed messages by HTTP after Standard Webhooks 1.0.0: the headers webhook-id, webhook-timestamp and
// webhook-signature, HMAC-SHA256 signatures, success only on 2xx, no redirects, 410 to disable, Retry-After, and its retry table.
//
// Nothing that it returns holds the URL, the body or a host name, so results can be logged and stored.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/netguard"
)

// The headers of Standard Webhooks 1.0.0.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// MaxBodyBytes bounds a message (Standard Webhooks: keep payloads under 20 kB; ours are thin, so a larger one is a mistake).
const MaxBodyBytes = 20_000

// UserAgent names this software to the receiver, without a version or a host.
const UserAgent = "Probity-Webhooks/1"

// Delivery is one attempt to deliver one message.
type Delivery struct {
	URL string
	// Secrets sign the message, each with a signature of its own; two while a secret is being changed. At least one.
	Secrets []Secret
	// ID is the same for every attempt at the same message, so that the receiver can drop repetitions.
	ID string
	// Timestamp is the wall time of this attempt; receivers refuse what is more than five minutes off.
	Timestamp time.Time
	// Body is the JSON message, see Message.
	Body []byte
	// Header holds further headers; it cannot replace those this package sets.
	Header map[string]string
}

// Outcome says how an attempt ended. The zero value is invalid.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // 2xx
	Failed    Outcome = "failed"    // anything else; try again after NextRetry
	Gone      Outcome = "gone"      // 410: the receiver wants no more; disable the endpoint
)

// Cause says why an attempt failed, in few enough words for a metric's label. It is empty after a delivery.
type Cause string

// The causes.
const (
	CauseStatus         Cause = "status"          // an answer outside 2xx and 3xx
	CauseRedirect       Cause = "redirect"        // 3xx: redirects are not followed
	CauseAddressRefused Cause = "address_refused" // the host is not public, see netguard
	CauseName           Cause = "name"            // the host name does not resolve
	CauseTLS            Cause = "tls"             // the certificate or the handshake
	CauseTimeout        Cause = "timeout"         // no answer in time
	CauseConnection     Cause = "connection"      // refused, reset, not HTTP
	CauseCanceled       Cause = "canceled"        // we stopped waiting, e.g. at shutdown
	CauseNotSendable    Cause = "not_sendable"    // the delivery itself is wrong: URL, secret, id, size
)

// Result is what came of an attempt.
type Result struct {
	Outcome Outcome
	Cause   Cause
	// StatusCode is the HTTP status, 0 when there was no answer.
	StatusCode int
	// RetryAfter is how long the receiver asked us to wait, 0 when it did not, at most 24 h.
	RetryAfter time.Duration
}

// Sender sends deliveries. It is safe for concurrent use; make one with NewSender.
type Sender struct{ client *netguard.Client }

// NewSender returns a sender over a guarded client.
func NewSender(client *netguard.Client) *Sender { return &Sender{client: client} }

// Send makes one attempt. It never retries by itself and never returns an unset Outcome.
func (s *Sender) Send(ctx context.Context, delivery Delivery) Result {
	request, err := newRequest(ctx, delivery)
	if err != nil {
		return Result{Outcome: Failed, Cause: CauseNotSendable}
	}
	response, err := s.client.Do(request)
	if err != nil {
		return Result{Outcome: Failed, Cause: causeOf(ctx, err)}
	}
	// Read a little so that the connection can be used again; what the receiver says beside its status does not matter.
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()

	result := Result{StatusCode: response.StatusCode, RetryAfter: retryAfter(response.Header.Get("Retry-After"), delivery.Timestamp)}
	switch code := response.StatusCode; {
	case code >= 200 && code <= 299:
		return Result{Outcome: Delivered, StatusCode: code}
	case code == http.StatusGone:
		result.Outcome, result.Cause = Gone, CauseStatus
	case code >= 300 && code <= 399:
		result.Outcome, result.Cause = Failed, CauseRedirect
	default:
		result.Outcome, result.Cause = Failed, CauseStatus
	}
	return result
}

func newRequest(ctx context.Context, delivery Delivery) (*http.Request, error) {
	switch {
	case len(delivery.Secrets) == 0:
		return nil, errors.New("a delivery needs at least one secret")
	case delivery.ID == "" || strings.ContainsFunc(delivery.ID, notVisible):
		return nil, errors.New("a delivery needs an id of visible characters")
	case len(delivery.Body) == 0 || len(delivery.Body) > MaxBodyBytes:
		return nil, errors.New("a delivery needs a body of at most 20,000 bytes")
	case delivery.Timestamp.IsZero():
		return nil, errors.New("a delivery needs a timestamp")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, delivery.URL, bytes.NewReader(delivery.Body))
	if err != nil {
		return nil, errors.New("a delivery needs a URL that can be read")
	}
	signatures := make([]string, len(delivery.Secrets))
	for i, secret := range delivery.Secrets {
		if secret.IsZero() {
			return nil, errors.New("a delivery was given an empty secret")
		}
		signatures[i] = secret.Sign(delivery.ID, delivery.Timestamp, delivery.Body)
	}
	for name, value := range delivery.Header {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", UserAgent)
	request.Header.Set(HeaderID, delivery.ID)
	request.Header.Set(HeaderTimestamp, strconv.FormatInt(delivery.Timestamp.Unix(), 10))
	request.Header.Set(HeaderSignature, strings.Join(signatures, " "))
	return request, nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

// causeOf sorts a transport error. The order matters: our own cancellation also looks like a timeout or a closed connection.
func causeOf(ctx context.Context, err error) Cause {
	var (
		name        *net.DNSError
		record      tls.RecordHeaderError
		certificate *tls.CertificateVerificationError
		alert       tls.AlertError
		authority   x509.UnknownAuthorityError
		timeout     net.Error
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return CauseCanceled
	case errors.Is(err, netguard.ErrRefusedAddress):
		return CauseAddressRefused
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return CauseTimeout
	case errors.As(err, &name):
		return CauseName
	case errors.As(err, &record), errors.As(err, &certificate), errors.As(err, &alert), errors.As(err, &authority):
		return CauseTLS
	default:
		return CauseConnection
	}
}

var messageType = regexp.MustCompile(`^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$`)

// Message writes the body of a webhook: {"type", "timestamp", "data"}. The kind is dotted words of letters, digits and
// underscores; at is written in RFC 3339 UTC. Data should be thin, references and states but no personal data. The caller keeps
// the bytes and sends the same ones at every attempt.
func Message(kind string, at time.Time, data any) ([]byte, error) {
	if !messageType.MatchString(kind) {
		return nil, errors.New("webhook: a message type is dotted words of letters, digits and underscores")
	}
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{kind, at.UTC(), data})
	if err != nil {
		return nil, fmt.Errorf("webhook: the data of a %s message cannot be written as JSON: %w", kind, err)
	}
	if len(body) > MaxBodyBytes {
		return nil, fmt.Errorf("webhook: a %s message is over %d bytes; send references instead", kind, MaxBodyBytes)
	}
	return body, nil
}
