package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/pan"
)

const (
	batchPath = "/v1/payments/batch"
	// batchLines is how many lines are decided together at most, and so how many are held in memory.
	batchLines = 256
	// writtenTogether is how many bytes of answers are put together before they are written, while more lines are there to be read.
	writtenTogether = 32 << 10
	keyMember       = "idempotency_key"
)

// BatchLine is a line of a batch: a payment to be decided, with a key of its own.
type BatchLine struct {
	NewPayment
	IdempotencyKey string `json:"idempotency_key,omitempty" maxLength:"255" doc:"Makes this line repeatable, as the header Idempotency-Key does a single payment: the same line with the same key gives the answer of the first time, in this batch, another or after a crash. A key decides one payment, in a line or alone. Kept for 30 days." example:"order-4711"`
}

// BatchAnswer is what became of a line.
type BatchAnswer struct {
	Line     int      `json:"line" doc:"The number of the line, from 1, empty ones included." example:"1"`
	Status   int      `json:"status" doc:"The HTTP status that the line would have been answered with alone: 201 for a decided payment." example:"201"`
	Payment  *Payment `json:"payment,omitempty" doc:"The decided payment. Absent when the line was refused."`
	Replayed bool     `json:"replayed,omitempty" doc:"The payment was decided before, under the same key."`
	Problem  *Problem `json:"problem,omitempty" doc:"Why the line was refused. Absent when its payment was decided."`
}

func (e *edge) registerPaymentBatch() {
	registerStream[BatchLine, BatchAnswer](e, streamOperation{
		id: "decide-payment-batch", path: batchPath, tag: tagPayments, summary: "Decide many payments",
		description: "One payment a line (NDJSON), one answer a line, in the same order; each is decided as if it were sent alone, and one that is refused keeps no other from being decided. " +
			"Answers are written while lines are still being read: read them while you send, or send at most a thousand lines before you read. A line has at most 16 KiB; there is no limit to their number. " +
			"Empty lines are passed over. When the connection breaks, what was decided stays decided: send every line that has no answer again, with its idempotency_key.",
		stream: e.decideBatch,
	})
}

// batch is the lines of a stream that are decided together.
type batch struct {
	*stream
	entries []batchEntry
	keys    map[string]bool // of the entries
}

// batchEntry is one line: a payment to ask about, or a problem already.
type batchEntry struct {
	line    int
	request service.PaymentRequest
	problem *Problem
}

// decideBatch reads lines, decides what is there together, and answers in order.
func (e *edge) decideBatch(s *stream) {
	b := &batch{stream: s, keys: map[string]bool{}}
	for s.broken == nil && s.ctx.Err() == nil {
		line, err := s.lines.next()
		s.known.lines = s.lines.line
		switch {
		case err == nil:
			b.add(line)
		case errors.Is(err, io.EOF):
			b.decide()
			return
		default:
			b.entries = append(b.entries, batchEntry{line: s.lines.line, problem: unreadableLine(err)})
			if !errors.Is(err, errLineTooLong) {
				b.decide()
				return
			}
		}
		if more := s.lines.ready(); !more || len(b.entries) >= batchLines {
			b.decide()
			if !more || len(s.out) >= writtenTogether {
				s.flush()
			}
		}
	}
}

// add reads one line.
func (b *batch) add(line []byte) {
	var key string
	var refused *Problem
	attempt, ok := plainPayment(line, wantedOfPayment, func(s *scanner, name []byte) (int, bool) {
		return firstMore, string(name) == keyMember && s.text(&key, longestKey)
	})
	if !ok {
		attempt, key, refused = b.readGenerally(line)
	}
	if key != "" && b.keys[key] {
		b.decide() // so that the second finds what became of the first
	}
	one := batchEntry{line: b.lines.line, problem: refused}
	if refused == nil {
		one.request.Attempt = attempt
		if key != "" {
			b.keys[key] = true
			sum := sha256.Sum256(line)
			one.request.Repeat = service.IdempotentRequest{Key: key, Route: paymentPattern, BodyHash: sum[:], Payment: true}
			one.request.Answer = paymentAnswer
		}
	}
	b.entries = append(b.entries, one)
}

// readGenerally reads a line the way that any payment is read, so that what is refused there is refused here, in the same words.
func (b *batch) readGenerally(line []byte) (attempt payment.Attempt, key string, refused *Problem) {
	if field, found, err := pan.FindInJSON(line); err != nil {
		return attempt, "", newProblem(http.StatusBadRequest, malformed.Code, "the line is not one well-formed JSON document")
	} else if found {
		return attempt, "", panNotAccepted(field)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(line, &members) == nil && members[keyMember] != nil {
		if given := members[keyMember]; given[0] != '"' || json.Unmarshal(given, &key) != nil {
			return attempt, "", newProblem(http.StatusUnprocessableEntity, "wrong_type", "this field is a string").blame(keyMember)
		}
		delete(members, keyMember)
		rest, err := json.Marshal(members)
		if err != nil {
			return attempt, "", b.edge.refusal(b.ctx, err)
		}
		line = rest
	}
	taken := false
	asked := &request{id: b.known.id, method: http.MethodPost, pattern: paymentPath, route: b.edge.routes[paymentPattern], actor: b.known.actor}
	asked.take = func(a payment.Attempt) { attempt, taken = a, true }
	r, err := http.NewRequestWithContext(context.WithValue(b.ctx, requestKey{}, asked), http.MethodPost, paymentPath, bytes.NewReader(line))
	if err != nil {
		return attempt, "", b.edge.refusal(b.ctx, err)
	}
	r.Header.Set("Content-Type", "application/json")
	out := b.edge.run(r, asked)
	if taken {
		return attempt, key, nil
	}
	refused = &Problem{}
	if json.Unmarshal(out.body.Bytes(), refused) != nil || refused.Code == "" {
		refused = internalProblem()
	}
	return attempt, "", refused
}

// decide has the payments decided that were put together, and writes the answers to all lines.
func (b *batch) decide() {
	var requests []service.PaymentRequest
	for _, one := range b.entries {
		if one.problem == nil {
			requests = append(requests, one.request)
		}
	}
	var results []service.PaymentResult
	if len(requests) > 0 {
		results = b.edge.authorizeAll(b.ctx, b.known.actor, requests)
	}
	for _, one := range b.entries {
		if one.problem != nil {
			b.refuse(one.line, one.problem)
			continue
		}
		result := results[0]
		results = results[1:]
		if result.Err != nil {
			refused := b.edge.refusal(b.ctx, result.Err)
			if refused.Field == headerIdempotencyKey {
				refused.Field = keyMember
			}
			b.refuse(one.line, refused)
			continue
		}
		b.answer(one.line, result)
	}
	b.entries = b.entries[:0]
	clear(b.keys)
}

// answer adds a line about a decided payment.
func (b *batch) answer(line int, result service.PaymentResult) {
	b.out = strconv.AppendInt(append(b.out, `{"line":`...), int64(line), 10)
	b.out = append(b.out, `,"status":201,"payment":`...)
	if result.Replayed && result.Stored.Status != 0 {
		b.out = append(b.out, bytes.TrimSpace(result.Stored.Body)...)
	} else {
		answered := paymentOf(result.View)
		b.out = bytes.TrimSuffix(appendPayment(b.out, &answered), []byte("\n"))
	}
	if result.Replayed {
		b.out = append(b.out, `,"replayed":true`...)
	}
	b.out = append(b.out, "}\n"...)
}
