package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// BatchPayment is one payment of many to be decided.
type BatchPayment struct {
	NewPayment
	// IdempotencyKey makes this payment repeatable beyond the life of this program; without it one is made, which protects the repetitions
	// of this call only. Remembered for 30 days.
	IdempotencyKey string `json:"idempotency_key,omitempty"`
}

// BatchAnswer is what became of one payment of many.
type BatchAnswer struct {
	Index    int      // its place in the sequence, from 0
	Payment  *Payment // nil when it was refused
	Replayed bool     // it was decided before, under the same key
	Err      *Error   // why it was refused; nil otherwise
}

// DecidePayments has many payments decided, in order, and answers each in order, while it is still reading the sequence. One that is
// refused keeps no other from being decided. A connection that breaks is made again, and nothing is decided twice. The error ends it:
// the payments without an answer may or may not have been decided; send them again with their IdempotencyKey.
func (c *Client) DecidePayments(ctx context.Context, payments iter.Seq[BatchPayment]) iter.Seq2[BatchAnswer, error] {
	return func(yield func(BatchAnswer, error) bool) {
		x := &exchange{client: c, path: "/v1/payments/batch", take: func(line []byte, before int) (int, bool, error) {
			answer, err := batchAnswerOf(line)
			if err != nil {
				return 0, false, err
			}
			answer.Index += before
			if !yield(answer, nil) {
				return 0, false, errEnough
			}
			return answer.Index + 1, false, nil
		}}
		keyed := func(yield func(BatchPayment) bool) {
			for p := range payments {
				if p.IdempotencyKey == "" {
					p.IdempotencyKey = freshKey()
				}
				if !yield(p) {
					return
				}
			}
		}
		if err := exchangeLines(ctx, x, keyed); err != nil && !errors.Is(err, errEnough) {
			yield(BatchAnswer{}, err)
		}
	}
}

// refusedLine is the part of a line of an answer that tells of a refusal.
type refusedLine struct {
	Line    int `json:"line"`
	Status  int `json:"status"`
	Problem *struct {
		Code           string `json:"code"`
		Field          string `json:"field"`
		Detail         string `json:"detail"`
		VerificationID string `json:"verification_id"`
		Ref            string `json:"ref"`
		RequestID      string `json:"request_id"`
		Status         int    `json:"status"`
	} `json:"problem"`
}

func (r refusedLine) err() *Error {
	if r.Problem == nil {
		return nil
	}
	p := r.Problem
	return &Error{Status: p.Status, Code: p.Code, Field: p.Field, Detail: p.Detail, VerificationID: p.VerificationID, Ref: p.Ref, RequestID: p.RequestID}
}

func batchAnswerOf(line []byte) (BatchAnswer, error) {
	var read struct {
		refusedLine
		Payment  *Payment `json:"payment"`
		Replayed bool     `json:"replayed"`
	}
	if err := json.Unmarshal(line, &read); err != nil || read.Line < 1 || (read.Payment == nil) == (read.Problem == nil) {
		return BatchAnswer{}, fmt.Errorf("probity: POST: a line of the answer cannot be read: %w", errors.Join(err, errCutShort))
	}
	return BatchAnswer{Index: read.Line - 1, Payment: read.Payment, Replayed: read.Replayed, Err: read.err()}, nil
}

// PastPayment is a payment that was decided elsewhere, before.
type PastPayment struct {
	ID                string     `json:"id"`                            // your own id: what was brought in before is not brought in twice
	AccountID         string     `json:"account_id,omitempty"`          // this or AccountExternalID
	AccountExternalID string     `json:"account_external_id,omitempty"` // your own id of the account
	PaymentMethodID   string     `json:"payment_method_id,omitempty"`
	Fingerprint       string     `json:"fingerprint,omitempty"` // of a payment method that has no id here
	MethodKind        string     `json:"method_kind,omitempty"` // card, bank_account or wallet; beside Fingerprint
	Amount            Money      `json:"amount"`
	IP                string     `json:"ip,omitempty"`
	Location          *Location  `json:"location,omitempty"`
	Device            *Device    `json:"device,omitempty"`
	Merchant          string     `json:"merchant,omitempty"`
	OccurredAt        time.Time  `json:"occurred_at"`
	Outcome           string     `json:"outcome,omitempty"`  // Approved or Rejected; empty: Approved
	Fraud             *bool      `json:"fraud,omitempty"`    // what turned out; nil: nobody knows
	KnownAt           *time.Time `json:"known_at,omitempty"` // when that became known; nil: now
}

// ImportProgress is how far an import has come.
type ImportProgress struct {
	Through  int // so many payments of the sequence have been dealt with, durably: one that goes on later begins behind them
	Imported int // were brought in
	Known    int // had been brought in before, exactly so; after a break also some that this call brought in
	Refused  int // were refused
}

// ImportListener is told of an import while it runs. Each may be nil, and is called from one goroutine.
type ImportListener struct {
	Progress func(ImportProgress)
	Refused  func(index int, err *Error) // index is the place in the sequence, from 0; in order, each once
}

// ImportPayments brings past payments in, in any order, without deciding them: they teach the profiles of their accounts, which must
// exist. A connection that breaks is made again and goes on where it was. The progress is returned with an error, too.
func (c *Client) ImportPayments(ctx context.Context, payments iter.Seq[PastPayment], listener ImportListener) (ImportProgress, error) {
	i := &importing{listener: listener}
	x := &exchange{client: c, path: "/v1/payments/history", take: i.take, begin: i.begin}
	err := exchangeLines(ctx, x, payments)
	return i.sum, err
}

// importing adds up the progress of one connection after another.
type importing struct {
	listener ImportListener
	sum      ImportProgress
	base     ImportProgress // at the beginning of this connection
	refused  []refusedLine  // of this connection, not dealt with durably yet
}

func (i *importing) begin() { i.base, i.refused = i.sum, nil }

func (i *importing) take(line []byte, before int) (answered int, whole bool, err error) {
	var read struct {
		refusedLine
		Through  *int `json:"through"`
		Imported int  `json:"imported"`
		Known    int  `json:"known"`
		Refused  int  `json:"refused"`
		Done     bool `json:"done"`
	}
	if err := json.Unmarshal(line, &read); err != nil {
		return 0, false, fmt.Errorf("probity: POST: a line of the answer cannot be read: %w", err)
	}
	switch {
	case read.Line > 0:
		i.refused = append(i.refused, read.refusedLine)
		return i.sum.Through, false, nil
	case read.Through == nil:
		return i.sum.Through, false, nil // something that this version does not know
	}
	i.sum = ImportProgress{
		Through: before + *read.Through, Imported: i.base.Imported + read.Imported, Known: i.base.Known + read.Known, Refused: i.base.Refused + read.Refused,
	}
	for len(i.refused) > 0 && i.refused[0].Line <= *read.Through {
		if i.listener.Refused != nil {
			i.listener.Refused(before+i.refused[0].Line-1, i.refused[0].err())
		}
		i.refused = i.refused[1:]
	}
	if i.listener.Progress != nil {
		i.listener.Progress(i.sum)
	}
	if refusal := read.err(); refusal != nil {
		return i.sum.Through, false, refusal
	}
	return i.sum.Through, read.Done, nil
}
