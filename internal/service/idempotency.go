package service

import (
	"bytes"
	"context"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/standard/problem"
)

// How long an idempotency key is remembered, in wall time: a sender that repeats a request does not know of a moved demo clock.
const (
	keepKeys        = 24 * time.Hour
	keepPaymentKeys = 30 * 24 * time.Hour
)

// sealedForAnswers is the purpose that stored answers are sealed for.
const sealedForAnswers = "answers"

// IdempotentRequest names a request that its sender may repeat.
type IdempotentRequest struct {
	Key      string // empty: the request is not repeatable
	Route    string // method and path, e.g. "POST /v1/payments"
	BodyHash []byte
	Payment  bool // decisions are remembered for 30 days, everything else for one
	// Prepare does what is too slow for a transaction, before it begins; not when a stored answer is there already. Optional.
	Prepare func(ctx context.Context) error
}

// StoredAnswer is an answer as it was, or will be, given.
type StoredAnswer struct {
	Status   int
	Body     []byte
	Replayed bool
}

// Once runs do unless its idempotency key was answered before: then the stored answer is given again. The record of the answer is
// written in the transaction of do, so both exist or neither does, and a refused request leaves none.
func (s *Service) Once(ctx context.Context, actor access.Actor, in IdempotentRequest, do func(ctx context.Context) (StoredAnswer, error)) (StoredAnswer, error) {
	if in.Key == "" {
		if err := in.prepare(ctx); err != nil {
			return StoredAnswer{}, err
		}
		return do(ctx)
	}
	if err := checkKey(in.Key); err != nil {
		return StoredAnswer{}, err
	}
	slot := slotOf(actor.TenantID, in)
	if _, busy := s.inFlight.LoadOrStore(slot, true); busy {
		return StoredAnswer{}, errInFlight()
	}
	defer s.inFlight.Delete(slot)
	var answer StoredAnswer
	// Looked up first without the writer: a repetition then waits for nobody.
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		answer, err = s.storedAnswer(tx, actor.TenantID, in)
		return err
	})
	if err != nil || answer.Replayed {
		return answer, err
	}
	if err := in.prepare(ctx); err != nil {
		return StoredAnswer{}, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		err := tx.HoldIdempotency(actor.TenantID, in.Route, in.Key)
		if err != nil {
			return err
		}
		if answer, err = s.storedAnswer(tx, actor.TenantID, in); err != nil || answer.Replayed {
			return err
		}
		if answer, err = do(ctx); err != nil {
			return err
		}
		keep := keepKeys
		if in.Payment {
			keep = keepPaymentKeys
		}
		return s.keepAnswer(tx, actor.TenantID, in, answer, keep)
	})
	return answer, err
}

// keepAnswer records the answer to a request that may be repeated.
func (s *Service) keepAnswer(tx *store.Tx, tenantID string, in IdempotentRequest, answer StoredAnswer, keep time.Duration) error {
	// An answer may hold a secret that is shown once, or say who somebody is.
	sealed, err := s.Keys.SealText(tenantID, sealedForAnswers, string(answer.Body))
	if err != nil {
		return err
	}
	return tx.InsertIdempotency(store.IdempotencyRecord{
		TenantID: tenantID, Key: in.Key, Route: in.Route, BodyHash: in.BodyHash, Status: answer.Status, Response: []byte(sealed),
		CreatedAt: s.Clock.Wall(), ExpiresAt: s.Clock.Wall().Add(keep),
	})
}

func checkKey(key string) error {
	if len(key) > 255 || !printable(key) {
		return problem.Field("Idempotency-Key", "idempotency_key_malformed", "an idempotency key has at most 255 visible ASCII characters")
	}
	return nil
}

// slotOf names a request among all that this process works on.
func slotOf(tenantID string, in IdempotentRequest) string {
	return tenantID + "\x00" + in.Route + "\x00" + in.Key
}

func errInFlight() error {
	return problem.New(problem.Conflict, "idempotency_in_flight", "a request with this idempotency key is being worked on; try again in a moment")
}

func errKeyReused() error {
	return problem.Field("Idempotency-Key", "idempotency_key_reused", "this idempotency key was used with another body; use a new key for a new request")
}

func (in IdempotentRequest) prepare(ctx context.Context) error {
	if in.Prepare == nil {
		return nil
	}
	return in.Prepare(ctx)
}

// storedAnswer returns the answer that the request was given before, which is then marked as replayed.
func (s *Service) storedAnswer(tx *store.Tx, tenantID string, in IdempotentRequest) (StoredAnswer, error) {
	record, found, err := tx.FindIdempotency(tenantID, in.Route, in.Key, s.Clock.Wall())
	if err != nil || !found {
		return StoredAnswer{}, err
	}
	if !bytes.Equal(record.BodyHash, in.BodyHash) {
		return StoredAnswer{}, errKeyReused()
	}
	body, err := s.Keys.OpenText(tenantID, sealedForAnswers, string(record.Response))
	if err != nil {
		return StoredAnswer{}, err
	}
	return StoredAnswer{Status: record.Status, Body: []byte(body), Replayed: true}, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
