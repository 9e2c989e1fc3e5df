package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/pan"
)

// authorizer decides one payment: Service.AuthorizePaymentOnce.
type authorizer func(ctx context.Context, actor access.Actor, request service.PaymentRequest) service.PaymentResult

// The call that is made thousands of times a second.
const (
	paymentPath    = "/v1/payments"
	paymentPattern = http.MethodPost + " " + paymentPath
)

// longestPlain is the largest body that is read the plain way, in bytes. The longest payment that is written without waste has about 1 KB.
const longestPlain = 4 << 10

// plainBody is room for a body and its answer while a request is worked on.
type plainBody struct {
	in  [longestPlain]byte
	out recorder
}

var plainBodies = sync.Pool{New: func() any { return &plainBody{out: recorder{header: jsonHeader}} }}

// jsonHeader is the header of every answer that is JSON. Nothing changes it.
var jsonHeader = http.Header{"Content-Type": {"application/json"}}

// giveBack ends the use of what plain borrowed.
func (known *request) giveBack() {
	if known.room != nil {
		known.room.out.body.Reset()
		plainBodies.Put(known.room)
		known.room = nil
	}
}

// isPlain reports whether a request is a payment that may be read the plain way: with a length, without a query, and as JSON.
func isPlain(r *http.Request) bool {
	if r.Method != http.MethodPost || r.URL.Path != paymentPath || r.URL.RawPath != "" || r.URL.RawQuery != "" || r.URL.ForceQuery ||
		r.ContentLength <= 0 || r.ContentLength > longestPlain || len(r.Header[headerIdempotencyKey]) > 1 {
		return false
	}
	switch media := r.Header["Content-Type"]; len(media) {
	case 0:
		return true
	case 1:
		return media[0] == "application/json" || media[0] == "application/json; charset=utf-8"
	}
	return false
}

// plain answers a payment that is written the plain way (see plainPayment), whatever becomes of it. Nil means that the request must go the
// general way; its body is whole again.
func (e *edge) plain(ctx context.Context, r *http.Request, known *request) *recorder {
	actor, err := e.Service.AuthenticateKey(ctx, bearer(r))
	if err != nil {
		return e.problem(known, e.refusal(ctx, err))
	}
	known.actor = actor
	key := r.Header.Get(headerIdempotencyKey)
	if key != "" && pan.FindInIdentifier(key) {
		return nil
	}
	room, _ := plainBodies.Get().(*plainBody)
	known.room = room
	body := room.in[:r.ContentLength]
	if count, err := io.ReadFull(r.Body, body); err != nil {
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:count]), broken{err}))
		return nil
	}
	attempt, ok := plainPayment(body, wantedOfPayment, nil)
	if !ok {
		r.Body = io.NopCloser(bytes.NewReader(body))
		return nil
	}
	if key != "" {
		sum := sha256.Sum256(body)
		known.bodyHash = sum[:]
		known.repeat = repeatable(r, known)
	}
	result := e.authorizeOnce(ctx, known, attempt)
	if result.Err != nil {
		return e.problem(known, e.refusal(ctx, result.Err))
	}
	if known.stored != nil {
		return known.storedAnswer()
	}
	answered := paymentOf(result.View)
	room.out.status = http.StatusCreated
	room.out.body.Write(appendPayment(room.out.body.AvailableBuffer(), &answered))
	return &room.out
}

// authorizeOnce has one payment decided, and notes what the writer of the answer must know of it.
func (e *edge) authorizeOnce(ctx context.Context, known *request, attempt payment.Attempt) service.PaymentResult {
	if known.take != nil {
		known.take(attempt)
		return service.PaymentResult{}
	}
	asked := service.PaymentRequest{Attempt: attempt, Repeat: known.repeat}
	if known.repeat.Key != "" {
		asked.Answer = paymentAnswer
	}
	result := e.authorize(ctx, known.actor, asked)
	if result.Err == nil && result.Replayed {
		known.replayed = true
		if result.Stored.Status != 0 {
			known.stored = &result.Stored
		}
	}
	return result
}

// paymentAnswer writes what is answered to a payment.
func paymentAnswer(view service.PaymentView) (service.StoredAnswer, error) {
	answered := paymentOf(view)
	return service.StoredAnswer{Status: http.StatusCreated, Body: appendPayment(nil, &answered)}, nil
}

// broken is a body that broke off.
type broken struct{ err error }

// Read implements io.Reader.
func (b broken) Read([]byte) (int, error) { return 0, b.err }
