package bench

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// asker sends one body and returns the status and, when the answer is a decision, its outcome.
type asker interface {
	post(body []byte, idempotency string) (status int, outcome string, err error)
	close()
}

// standard is a connection of net/http's client: what a platform that is written in Go sends its payments with. It costs about as much as
// net/http's server, so that on a machine both share the ratio to the echo comes out higher than with wire, and both rates lower.
type standard struct {
	ctx       context.Context
	transport *http.Transport
	url, key  string
	answer    bytes.Buffer
}

func newStandard(ctx context.Context, address, path, key string) *standard {
	return &standard{ctx: ctx, transport: &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}, url: "http://" + address + path, key: key}
}

func (s *standard) close() { s.transport.CloseIdleConnections() }

// post implements asker.
func (s *standard) post(body []byte, idempotency string) (status int, outcome string, err error) {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+s.key)
	request.Header.Set("Content-Type", "application/json")
	if idempotency != "" {
		request.Header.Set("Idempotency-Key", idempotency)
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	s.answer.Reset()
	if _, err := io.Copy(&s.answer, response.Body); err != nil {
		return 0, "", err
	}
	return response.StatusCode, outcomeIn(s.answer.Bytes()), nil
}
