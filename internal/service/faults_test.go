package service_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// A part can fail in two ways: it did nothing, or it did it and its answer was lost.
func notDone(func() error) error { return errPart }

func doneThough(do func() error) error { return errors.Join(do(), errPart) }

var ways = []struct {
	name string
	fail func(do func() error) error
}{{"not done", notDone}, {"done, though it failed", doneThough}}

func TestAFailingVaultLosesNothingAndLeavesNothing(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			on(t, func(w *world) {
				p := w.person()
				_, v := w.reject(p)
				w.work()
				w.blobs.put = way.fail
				if _, err := w.s.SendEvidence(w.Context(), p.holder, upload(v.ID, verification.GovernmentID)); !errors.Is(err, errPart) {
					w.Errorf("got %v, want the failure", err)
				}
				w.invariants()
				if got := w.counts()["evidence"]; got != 0 {
					w.Errorf("got %d pieces of evidence, want none", got)
				}
				w.blobs.put = nil
				w.provide(p.holder, v.ID)
				view, err := w.s.Verification(w.Context(), p.holder, v.ID)
				w.must(err)
				w.blobs.get = way.fail
				if _, plain, err := w.s.Attachment(w.Context(), p.holder, view.Evidence[0].ID); err == nil || plain != nil {
					w.Error("an attachment that cannot be read was shown")
				}
				w.blobs.get = nil
				w.blobs.remove = way.fail
				w.must(w.s.WithdrawEvidence(w.Context(), p.holder, evidenceFor(view, verification.GovernmentID).ID))
				w.work()
				w.invariants()
				w.blobs.remove = nil
				w.at(w.now().Add(time.Minute))
				w.work()
				w.invariants()
				if got := len(w.files()); got != 2 {
					w.Errorf("got %d attachments on disk, want the two that were not taken back", got)
				}
				_, err = w.s.Submit(w.Context(), p.holder, v.ID)
				refused(w, err, problem.Invalid, "evidence_missing")
				w.provide(p.holder, v.ID, verification.GovernmentID)
				_, err = w.s.Submit(w.Context(), p.holder, v.ID)
				w.must(err)
			})
		})
	}
}

func evidenceFor(view service.VerificationView, kind verification.RequirementKind) verification.Evidence {
	for _, e := range view.Evidence {
		if e.Requirement == kind {
			return e
		}
	}
	return verification.Evidence{}
}

func TestWhatIsTakenBackCannotBeSeenNorTakenBackAgain(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		sent, err := w.s.SendEvidence(w.Context(), p.holder, upload(v.ID, verification.PaymentMethod))
		w.must(err)
		found := atOnce(4, func(int) error { return w.s.WithdrawEvidence(w.Context(), p.holder, sent.ID) })
		if got := succeeded(w, found); got != 1 {
			w.Errorf("it was taken back %d times", got)
		}
		_, _, err = w.s.Attachment(w.Context(), w.reviewer, sent.ID)
		refused(w, err, problem.NotFound, "")
		w.work()
		if got := len(w.files()); got != 0 {
			w.Errorf("got %d attachments on disk, want none", got)
		}
		w.submit(p, v.ID)
		view, err := w.s.Verification(w.Context(), p.holder, v.ID)
		w.must(err)
		refused(w, w.s.WithdrawEvidence(w.Context(), p.holder, view.Evidence[0].ID), problem.Conflict, "")
		w.invariants()
	})
}

func TestAFailingMailServer(t *testing.T) {
	for _, test := range []struct {
		name   string
		accept bool
	}{{"not done", false}, {"done, though it failed", true}} {
		t.Run(test.name, func(t *testing.T) {
			on(t, func(w *world) {
				w.post.fail = func(mail.Message) (bool, error) { return test.accept, &mail.Error{Stage: mail.StageContent} }
				p := w.person()
				_, v := w.reject(p)
				w.work()
				w.invariants()
				if got := w.verification(v.ID); !got.DueAt.IsZero() {
					w.Error("a mail that may not have been accepted started a clock")
				}
				w.post.fail = nil
				w.at(w.now().Add(time.Minute))
				w.work()
				w.invariants()
				ids := map[string]bool{}
				for _, m := range w.post.mails() {
					ids[m.ID] = true
				}
				want := 1
				if test.accept {
					want = 2
				}
				if len(ids) != 1 || len(w.post.mails()) != want {
					w.Errorf("got %d mails under %d Message-IDs, want %d under one", len(w.post.mails()), len(ids), want)
				}
				if got := w.verification(v.ID); got.DueAt.IsZero() {
					w.Error("the accepted mail started no clock")
				}
			})
		})
	}
}

func TestAPanicInAPartFailsTheJobAndNothingElse(t *testing.T) {
	on(t, func(w *world) {
		w.post.fail = func(mail.Message) (bool, error) { panic("Alma Petersen <alma@mail.example>") }
		p := w.person()
		_, v := w.reject(p)
		w.work()
		w.invariants()
		if log := w.logs.String(); !strings.Contains(log, "panicked") || strings.Contains(log, "Alma") {
			w.Errorf("got log %s, want that it panicked and not with what", log)
		}
		w.post.fail = nil
		w.at(w.now().Add(time.Minute))
		w.work()
		if w.verification(v.ID).DueAt.IsZero() {
			w.Error("the mail was not tried again")
		}
	})
}

// refuseCommits makes every commit that journals something fail, until the returned function is called.
func (w *world) refuseCommits() (allow func()) {
	w.Helper()
	statements := []string{
		`CREATE TRIGGER fault BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no commit today'); END`,
		`DROP TRIGGER fault`,
	}
	if w.store.Dialect() == "postgres" {
		// Deferred to the commit itself.
		_, err := w.db.ExecContext(w.Context(), `CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'no commit today'; END $$`)
		w.must(err)
		statements = []string{
			`CREATE CONSTRAINT TRIGGER fault AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fault()`,
			`DROP TRIGGER fault ON journal`,
		}
	}
	_, err := w.db.ExecContext(w.Context(), statements[0])
	w.must(err)
	return func() {
		w.Helper()
		_, err := w.db.ExecContext(w.Context(), statements[1])
		w.must(err)
	}
}

func TestACommitThatFailsLeavesEverythingAsItWas(t *testing.T) {
	on(t, func(w *world) {
		ctx := w.Context()
		fresh, rejected, ready, reviewed := w.person(), w.person(), w.person(), w.person()
		_, v := w.reject(rejected)
		_, submittable := w.reject(ready)
		w.provide(ready.holder, submittable.ID)
		_, open := w.reject(reviewed)
		submitted := w.submit(reviewed, open.ID)
		w.work()
		message := w.messageOf(v, notice.PaymentMethodAlert)
		steps := []struct {
			name string
			do   func() error
		}{
			{"a payment", func() error { _, err := w.s.AuthorizePayment(ctx, w.key, fresh.attempt(dollars(900))); return err }},
			{"a payment with a key", func() error { _, err := w.payOnce(ctx, "k", "b", fresh.attempt(dollars(900))); return err }},
			{"evidence", func() error {
				_, err := w.s.SendEvidence(ctx, rejected.holder, upload(v.ID, verification.GovernmentID))
				return err
			}},
			{"a submission", func() error { _, err := w.s.Submit(ctx, ready.holder, submittable.ID); return err }},
			{"a decision", func() error {
				_, err := w.s.DecideCase(ctx, w.reviewer, service.CaseDecision{CaseID: submitted.Case.ID, Decision: casework.Approve})
				return err
			}},
			{"a cancellation", func() error { _, err := w.s.CancelVerification(ctx, w.reviewer, v.ID); return err }},
			{"an opened message", func() error {
				_, err := w.s.OpenMessage(ctx, rejected.holder, rejected.account.ID, message)
				return err
			}},
			{"a ticket", func() error {
				_, err := w.s.OpenTicket(ctx, fresh.holder, casework.Ticket{AccountID: fresh.account.ID, Message: "hello"})
				return err
			}},
			{"the demo's clock", func() error { _, err := w.s.AdvanceClock(ctx, w.key, time.Hour); return err }},
		}
		before, now, files := w.counts(), w.now(), len(w.files())
		allow := w.refuseCommits()
		for _, step := range steps {
			err := step.do()
			if p := problem.As(err); err == nil || p != nil && p.Kind != problem.Unavailable {
				w.Errorf("%s: got %v, want a failure of ours", step.name, err)
			}
			if got := strings.ReplaceAll(w.grown(before), "data_keys+1", ""); got != "" {
				w.Errorf("%s: got %s, want nothing", step.name, got)
			}
		}
		w.at(w.verification(v.ID).DueAt.Add(time.Second))
		w.work() // the deadline finds no way to be written down
		if !now.Before(w.now()) || len(w.files()) != files || w.platform.did() != "" {
			w.Errorf("got %d attachments, want %d; platform %q", len(w.files()), files, w.platform.did())
		}
		w.invariants()
		allow()
		for _, step := range steps {
			if step.name == "a cancellation" {
				continue // it would end what the others go on with
			}
			if err := step.do(); err != nil {
				w.Errorf("%s: got %v once commits work again", step.name, err)
			}
		}
		w.at(w.now().Add(time.Hour))
		w.work()
		w.invariants()
		if got := w.enforcement(rejected).State; got != enforcement.Suspended {
			w.Errorf("got %s, want that the deadline was tried again", got)
		}
	})
}

func TestACommitWhoseAnswerIsLostHappensOnce(t *testing.T) {
	w, lose := newWorldBehindProxy(t)
	p := w.person()
	lose()
	if _, err := w.payOnce(w.Context(), "k", "b", p.attempt(dollars(900))); err == nil {
		w.Fatal("the answer was not lost")
	}
	if got := w.counts()["payments"]; got != 1 {
		w.Fatalf("got %d payments, want that the commit happened", got)
	}
	answer, err := w.payOnce(w.Context(), "k", "b", p.attempt(dollars(900)))
	w.must(err)
	if got := w.counts()["payments"]; got != 1 || !answer.Replayed {
		w.Errorf("got %d payments, replayed %v, want the one", got, answer.Replayed)
	}
	w.work()
	found, _, err := w.s.Payments(w.Context(), w.key, p.account.ID, storePage())
	w.must(err)
	if found[0].Payment.Outcome != payment.Rejected {
		w.Fatalf("got %s", found[0].Payment.Outcome)
	}
	v := w.verification(found[0].Payment.VerificationID)
	// The first upload makes the account's key, in a transaction of its own; the second is the one whose answer is lost.
	w.provide(p.holder, v.ID, verification.PaymentMethod)
	lose()
	if _, err := w.s.SendEvidence(w.Context(), p.holder, upload(v.ID, verification.GovernmentID)); err == nil {
		w.Fatal("the answer was not lost")
	}
	w.invariants()
	if got := w.counts()["evidence"]; got != 2 {
		w.Errorf("got %d pieces of evidence, want that the commit happened", got)
	}
	for range 3 { // a mail, twice: its job is done, but the worker does not hear of it
		lose()
		_, _ = w.s.RunDueJobs(w.Context()) // the error is the lost answer
		w.pass(3 * time.Minute)
	}
	w.work()
	w.invariants()
	if got := len(w.post.about("Payment Method Security Alert")); got < 1 {
		w.Errorf("got %d alerts", got)
	}
	_, err = w.s.OpenMessage(context.WithoutCancel(w.Context()), p.holder, p.account.ID, w.messageOf(v, notice.PaymentMethodAlert))
	w.must(err)
}
