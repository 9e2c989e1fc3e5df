package service_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// atOnce runs a function n times at the same time and returns the errors in order of the number.
func atOnce(n int, do func(i int) error) []error {
	found := make([]error, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			found[i] = do(i)
		})
	}
	close(begin)
	all.Wait()
	return found
}

// succeeded counts the errors that are nil; the others have to be conflicts.
func succeeded(t testing.TB, found []error) int {
	t.Helper()
	count := 0
	for _, err := range found {
		if err == nil {
			count++
			continue
		}
		if !problem.Is(err, problem.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		}
	}
	return count
}

func TestOfTwoReviewersOneDecides(t *testing.T) {
	on(t, func(w *world) {
		for range 3 {
			p := w.person()
			_, v := w.reject(p)
			submitted := w.submit(p, v.ID)
			decisions := []service.CaseDecision{{Decision: casework.Approve}, askAgain(), {Decision: casework.Decline}, {Decision: casework.Approve}}
			reviews, notices := w.counts()["reviews"], w.counts()["notices"]
			found := atOnce(len(decisions), func(i int) error {
				in := decisions[i]
				in.CaseID, in.ExpectedVersion = submitted.Verification.CaseID, submitted.Case.Version
				_, err := w.s.DecideCase(w.Context(), w.reviewer, in)
				return err
			})
			if got := succeeded(w, found); got != 1 {
				w.Errorf("got %d decisions, want 1", got)
			}
			after := w.counts()
			if after["reviews"] != reviews+1 || after["notices"] != notices+1 {
				w.Errorf("got %d reviews and %d notices more, want one of each", after["reviews"]-reviews, after["notices"]-notices)
			}
		}
	})
}

func TestADecisionOnWhatHasChangedIsRefused(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		submitted := w.submit(p, v.ID)
		seen := submitted.Case.Version
		w.provide(w.reviewer, v.ID, verification.BillingStatement) // it came by ticket
		_, err := w.s.SendEvidence(w.Context(), p.holder, upload(v.ID, verification.BillingStatement))
		refused(w, err, problem.Conflict, "verification_in_review")
		_, err = w.s.DecideCase(w.Context(), w.reviewer, service.CaseDecision{
			CaseID: submitted.Verification.CaseID, Decision: casework.Approve, ExpectedVersion: seen,
		})
		refused(w, err, problem.Conflict, "case_changed")
		w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Approve, ExpectedVersion: seen + 1})
	})
}

func TestOneSubmissionOfMany(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		w.provide(p.holder, v.ID)
		found := atOnce(6, func(int) error {
			_, err := w.s.Submit(w.Context(), p.holder, v.ID)
			return err
		})
		if got := succeeded(w, found); got != 1 {
			w.Errorf("got %d submissions, want 1", got)
		}
		if got := w.counts()["cases"]; got != 1 {
			w.Errorf("got %d cases, want 1", got)
		}
	})
}

func TestAttachmentsSentAtOnceAreAllKeptUpToTheLimit(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		found := atOnce(verification.MaxEvidencePerRequirement+4, func(int) error {
			_, err := w.s.SendEvidence(w.Context(), p.holder, upload(v.ID, verification.PaymentMethod))
			return err
		})
		if got := succeeded(w, found); got != verification.MaxEvidencePerRequirement {
			w.Errorf("got %d attachments, want %d", got, verification.MaxEvidencePerRequirement)
		}
		if got := w.counts(); got["evidence"] != verification.MaxEvidencePerRequirement || got["data_keys"] != 1 {
			w.Errorf("got %d pieces under %d keys", got["evidence"], got["data_keys"])
		}
		if got := len(w.files()); got != verification.MaxEvidencePerRequirement {
			w.Errorf("got %d attachments on disk, want %d", got, verification.MaxEvidencePerRequirement)
		}
		view, err := w.s.Verification(w.Context(), p.holder, v.ID)
		w.must(err)
		for _, e := range view.Evidence {
			if _, _, err := w.s.Attachment(w.Context(), p.holder, e.ID); err != nil {
				w.Errorf("an attachment does not open: %v", err)
			}
		}
	})
}

func TestPaymentsAtOnceOpenOneVerification(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		verifications := make([]string, 8)
		for _, err := range atOnce(8, func(i int) error {
			view, err := w.s.AuthorizePayment(w.Context(), w.key, p.attempt(dollars(900)))
			verifications[i] = view.Payment.VerificationID
			return err
		}) {
			w.must(err)
		}
		for _, one := range verifications {
			if one == "" || one != verifications[0] {
				w.Errorf("got verifications %v, want one", verifications)
			}
		}
		got := w.counts()
		if got["verifications"] != 1 || got["restrictions"] != 1 || got["notices"] != 1 || got["payments"] != 8 {
			w.Errorf("got %v", got)
		}
	})
}

func TestARetryGrantIsUsedByOneOfManyPayments(t *testing.T) {
	on(t, func(w *world) {
		p := w.approvedOnce()
		grants := make([]string, 6)
		for _, err := range atOnce(6, func(i int) error {
			view, err := w.s.AuthorizePayment(w.Context(), w.key, p.attempt(dollars(10)))
			grants[i] = view.Payment.GrantID
			return err
		}) {
			w.must(err)
		}
		used := 0
		for _, one := range grants {
			if one != "" {
				used++
			}
		}
		if used != 1 || w.countEvents(journal.RetryUsed) != 1 {
			w.Errorf("got %d payments by the grant and %d entries, want 1", used, w.countEvents(journal.RetryUsed))
		}
	})
}

// payOnce is a payment with an idempotency key, as the API makes it.
func (w *world) payOnce(ctx context.Context, key string, body string, attempt payment.Attempt) (service.StoredAnswer, error) {
	in := service.IdempotentRequest{Key: key, Route: "POST /v1/payments", BodyHash: []byte(body), Payment: true}
	return w.s.Once(ctx, w.key, in, func(ctx context.Context) (service.StoredAnswer, error) {
		view, err := w.s.AuthorizePayment(ctx, w.key, attempt)
		if err != nil {
			return service.StoredAnswer{}, err
		}
		return service.StoredAnswer{Status: 201, Body: []byte(view.Payment.ID)}, nil
	})
}

func TestOneIdempotencyKeyIsOnePayment(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		// Another process on the same database knows nothing of what is in flight here.
		other := w.config
		node, err := service.New(other)
		w.must(err)
		nodes := []*service.Service{w.s, node}
		answers := make([]service.StoredAnswer, 8)
		found := atOnce(8, func(i int) error {
			one := *w
			one.s = nodes[i%2]
			var err error
			answers[i], err = one.payOnce(w.Context(), "key-1", "body", p.attempt(dollars(20)))
			return err
		})
		if got := succeeded(w, found); got < 1 {
			w.Errorf("got %d answers, want at least one", got)
		}
		if got := w.counts(); got["payments"] != 1 || got["idempotency"] != 1 {
			w.Errorf("got %d payments and %d records, want 1", got["payments"], got["idempotency"])
		}
		replay, err := w.payOnce(w.Context(), "key-1", "body", p.attempt(dollars(20)))
		w.must(err)
		if !replay.Replayed || replay.Status != 201 {
			w.Errorf("got %+v, want the stored answer", replay)
		}
		for i, answer := range answers {
			if found[i] == nil && !bytes.Equal(answer.Body, replay.Body) {
				w.Errorf("got answer %q, want %q", answer.Body, replay.Body)
			}
		}
		if strings.Contains(w.text("idempotency"), string(replay.Body)) {
			w.Error("the answer is stored in clear, and others hold secrets")
		}
		_, err = w.payOnce(w.Context(), "key-1", "another body", p.attempt(dollars(21)))
		refused(w, err, problem.Invalid, "idempotency_key_reused")
		if got := w.counts(); got["payments"] != 1 {
			w.Errorf("got %d payments, want 1", got["payments"])
		}
		w.at(start.Add(90 * 24 * time.Hour))
		w.must(w.s.Prune(w.Context()))
		if got := w.counts()["idempotency"]; got != 1 {
			w.Errorf("got %d records after the demo clock was moved, want 1", got)
		}
		w.pass(30*24*time.Hour + time.Second)
		w.must(w.s.Prune(w.Context()))
		if got := w.counts()["idempotency"]; got != 0 {
			w.Errorf("got %d records after 30 days, want none", got)
		}
	})
}

func TestARefusedRequestLeavesNoRecord(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		before := w.counts()
		wrong := p.attempt(dollars(20))
		wrong.Location.Country = "XX"
		_, err := w.payOnce(w.Context(), "key-1", "wrong", wrong)
		refused(w, err, problem.Invalid, "")
		_, err = w.payOnce(w.Context(), "not visible\n", "wrong", p.attempt(dollars(20)))
		refused(w, err, problem.Invalid, "idempotency_key_malformed")
		if got := w.grown(before); got != "" {
			w.Errorf("got %s, want nothing", got)
		}
		// So the key is free for the request put right.
		if _, err := w.payOnce(w.Context(), "key-1", "right", p.attempt(dollars(20))); err != nil {
			w.Errorf("got %v", err)
		}
		// What the use case did goes with the record when the answer cannot be given.
		before = w.counts()
		_, err = w.s.Once(w.Context(), w.key, service.IdempotentRequest{Key: "key-2", Route: "POST /v1/payments", BodyHash: []byte("b")},
			func(ctx context.Context) (service.StoredAnswer, error) {
				if _, err := w.s.AuthorizePayment(ctx, w.key, p.attempt(dollars(30))); err != nil {
					return service.StoredAnswer{}, err
				}
				return service.StoredAnswer{}, errPart
			})
		if got := w.grown(before); !errors.Is(err, errPart) || got != "" {
			w.Errorf("got %v and %s, want nothing written", err, got)
		}
	})
}

func TestARepeatedUploadIsOneAttachment(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		send := func() (service.StoredAnswer, error) {
			in := service.IdempotentRequest{Key: "upload-1", Route: "POST /v1/verifications/" + v.ID + "/evidence", BodyHash: []byte("hash")}
			return w.s.SendEvidenceOnce(w.Context(), w.key, in, upload(v.ID, verification.PaymentMethod),
				func(e verification.Evidence) (service.StoredAnswer, error) {
					return service.StoredAnswer{Status: 201, Body: []byte(e.ID)}, nil
				})
		}
		bodies := make([]string, 4)
		found := atOnce(4, func(i int) error {
			answer, err := send()
			bodies[i] = string(answer.Body)
			return err
		})
		succeeded(w, found)
		replay, err := send()
		w.must(err)
		for i := range bodies {
			if found[i] == nil && bodies[i] != string(replay.Body) {
				w.Errorf("got %q, want %q", bodies[i], replay.Body)
			}
		}
		if got := w.counts()["evidence"]; got != 1 || len(w.files()) != 1 || !replay.Replayed {
			w.Errorf("got %d pieces, %d attachments on disk, replayed %v, want 1", got, len(w.files()), replay.Replayed)
		}
	})
}
