package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// wire is one keep-alive connection that speaks as much HTTP/1.1 (RFC 9112) as the bench needs: one POST at a time, answers with a
// Content-Length. It costs one write and, nearly always, one read for each request, and no allocation. net/http's client costs about as
// much as its server, which on two cores would measure the client; so does every load generator that is built on it.
type wire struct {
	connection net.Conn
	reader     *bufio.Reader
	head       []byte // of every request, up to the value of Content-Length
	out        []byte
	answer     []byte
}

func dial(ctx context.Context, address, path, key string) (*wire, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to the server of the bench: %w", err)
	}
	return &wire{
		connection: connection, reader: bufio.NewReaderSize(connection, 4096), answer: make([]byte, 0, 4096),
		head: []byte("POST " + path + " HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer " + key +
			"\r\nContent-Type: application/json\r\nContent-Length: "),
	}, nil
}

func (w *wire) close() { _ = w.connection.Close() }

// post implements asker.
func (w *wire) post(body []byte, idempotency string) (status int, outcome string, err error) {
	w.out = append(w.out[:0], w.head...)
	w.out = strconv.AppendInt(w.out, int64(len(body)), 10)
	if idempotency != "" {
		w.out = append(w.out, "\r\nIdempotency-Key: "...)
		w.out = append(w.out, idempotency...)
	}
	w.out = append(w.out, "\r\n\r\n"...)
	w.out = append(w.out, body...)
	if _, err := w.connection.Write(w.out); err != nil {
		return 0, "", err
	}
	status, length, err := w.readHead()
	if err != nil {
		return 0, "", err
	}
	if cap(w.answer) < length {
		w.answer = make([]byte, 0, length)
	}
	w.answer = w.answer[:length]
	if _, err := io.ReadFull(w.reader, w.answer); err != nil {
		return 0, "", err
	}
	return status, outcomeIn(w.answer), nil
}

// readHead reads a status line and the header fields.
func (w *wire) readHead() (status, length int, err error) {
	length = -1
	for first := true; ; first = false {
		line, err := w.reader.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
				return 0, 0, errors.New("the answer is no HTTP/1.1")
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, 0, errors.New("the answer has no status")
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, 0, errors.New("the answer has a length that is no number")
			}
		}
	}
	if length < 0 {
		return 0, 0, errors.New("the answer does not say how long it is")
	}
	return status, length, nil
}

var beforeOutcome = []byte(`"outcome":"`)

// outcomeIn returns the outcome that a decision tells. It reads no JSON: the answer is ours, and the member has one spelling.
func outcomeIn(answer []byte) string {
	at := bytes.Index(answer, beforeOutcome)
	if at < 0 {
		return ""
	}
	rest := answer[at+len(beforeOutcome):]
	for _, known := range []string{"approved", "review", "rejected"} {
		if len(rest) > len(known) && string(rest[:len(known)]) == known && rest[len(known)] == '"' {
			return known
		}
	}
	return ""
}
