package service

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/problem"
)

// errNoOutcome is the refusal of a decision that came out as nothing that a policy can decide.
var errNoOutcome = errors.New("the policy gave no outcome")

// ReasonRestricted is the reason code of a payment that is rejected because its account is restricted already.
const ReasonRestricted = "account_restricted"

// PaymentRequest asks for the decision of one attempt.
type PaymentRequest struct {
	Attempt payment.Attempt
	// Repeat names the request if its sender may repeat it. The zero value: each time is another payment.
	Repeat IdempotentRequest
	// Answer writes the answer that is given again to a repetition when the payment was not approved: what it says of the next step is as
	// of its decision. An approved payment is answered from the log. Required when Repeat has a key; it may be called more than once.
	Answer func(PaymentView) (StoredAnswer, error)
}

// PaymentResult is what came of a PaymentRequest: Err, or else a View, or else the Stored answer of an earlier request with its key.
type PaymentResult struct {
	View     PaymentView
	Stored   StoredAnswer // of a payment that was not approved, when it was decided before
	Replayed bool         // it was decided before, by a request with the same key
	Err      error
}

// AuthorizePayment decides a payment, durably. A rejection restricts the account, opens a verification and notifies its holder, all
// in the transaction of the decision. Inside a transaction of the context it joins that one.
func (s *Service) AuthorizePayment(ctx context.Context, actor access.Actor, attempt payment.Attempt) (PaymentView, error) {
	result := s.AuthorizePaymentOnce(ctx, actor, PaymentRequest{Attempt: attempt})
	return result.View, result.Err
}

// AuthorizePaymentOnce is AuthorizePayment for a request that may be repeated: the same key and body is answered as before, the same key
// with another body is refused, and so is one that is being worked on. When too many payments wait, it is refused with TooMany; when the
// decision cannot be stored, with Unavailable.
func (s *Service) AuthorizePaymentOnce(ctx context.Context, actor access.Actor, request PaymentRequest) PaymentResult {
	d := s.newDecision(ctx, actor, payment.FromAPI, request)
	if d.result.Err != nil {
		return d.result
	}
	defer s.release(d)
	if s.Store.Joined(ctx) {
		err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
			if err := s.decideGroup(tx, []*decision{d}); err != nil {
				return err
			}
			return d.result.Err
		})
		if err != nil {
			return PaymentResult{Err: err}
		}
		return d.result
	}
	if err := s.payments.decideOne(ctx, d); err != nil {
		return PaymentResult{Err: err}
	}
	return d.result
}

// AuthorizePayments decides payments in their order, as AuthorizePaymentOnce does each: one that is refused does not keep the others
// from being decided. It waits while too many payments wait. It returns a result for each request, and no transaction spans them all.
func (s *Service) AuthorizePayments(ctx context.Context, actor access.Actor, requests []PaymentRequest) []PaymentResult {
	results := make([]PaymentResult, len(requests))
	for begin := 0; begin < len(requests); begin += unitSize {
		part := requests[begin:min(begin+unitSize, len(requests))]
		var decisions []*decision
		var places []int
		for i, request := range part {
			d := s.newDecision(ctx, actor, payment.FromBatch, request)
			if results[begin+i].Err = d.result.Err; d.result.Err == nil {
				decisions, places = append(decisions, d), append(places, begin+i)
			}
		}
		err := s.payments.decideAll(ctx, decisions)
		for i, d := range decisions {
			s.release(d)
			if err != nil { // its result may still be written
				results[places[i]] = PaymentResult{Err: err}
				continue
			}
			results[places[i]] = d.result
		}
	}
	return results
}

// decision is a payment on its way through a group.
type decision struct {
	ctx     context.Context // of its request: who gave up before the turn came gets no decision
	actor   access.Actor
	source  payment.Source
	request PaymentRequest
	key     []byte // nil when it cannot be repeated
	body    []byte
	slot    string // in Service.inFlight
	open    bool   // its transaction had no room left for it
	patient bool   // it can wait while its account's profile is folded beside the groups
	late    bool   // its transaction has left it out for that
	result  PaymentResult
}

// hashSize is how many bytes of a SHA-256 the decision log keeps of a key or a body.
const hashSize = 16

// newDecision does what needs no transaction. A decision whose result has an error is at its end.
func (s *Service) newDecision(ctx context.Context, actor access.Actor, source payment.Source, request PaymentRequest) *decision {
	d := &decision{ctx: ctx, actor: actor, source: source, request: request}
	d.result.Err = s.checkDecision(d)
	return d
}

func (s *Service) checkDecision(d *decision) error {
	if err := d.actor.Require(access.ManageAccounts); err != nil {
		return err
	}
	a := &d.request.Attempt
	if err := store.CheckStorable(a.AccountID, a.PaymentMethodID, a.IP, a.Location.Region, a.Location.City, a.DeviceID, a.Merchant); err != nil {
		return err
	}
	if err := a.Check(s.Clock.Now()); err != nil {
		return err
	}
	repeat := d.request.Repeat
	if repeat.Key == "" {
		return nil
	}
	if err := checkKey(repeat.Key); err != nil {
		return err
	}
	if d.request.Answer == nil {
		return errors.New("a payment that may be repeated needs its answer written")
	}
	d.slot = slotOf(d.actor.TenantID, repeat)
	if _, busy := s.inFlight.LoadOrStore(d.slot, true); busy {
		d.slot = ""
		return errInFlight()
	}
	d.key, d.body = hashed("key\x00"+slotOf(d.actor.TenantID, repeat)), hashed(string(repeat.BodyHash))
	return nil
}

// release lets another request with the key be worked on.
func (s *Service) release(d *decision) {
	if d.slot != "" {
		s.inFlight.Delete(d.slot)
	}
}

func hashed(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:hashSize:hashSize]
}

// withField says which field of the request led to the problem.
func withField(err error, field string) error {
	p := problem.As(err)
	if p == nil {
		return err
	}
	named := *p
	named.Field = field
	return &named
}
