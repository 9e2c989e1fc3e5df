package service_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
)

func (w *world) enforcement(p person) enforcement.Enforcement {
	w.Helper()
	view, err := w.s.Account(w.Context(), w.key, p.account.ID)
	w.must(err)
	return view.Enforcement
}

// messageOf returns the Internal Message of the latest notice of a kind.
func (w *world) messageOf(v verification.Verification, kind notice.Kind) string {
	w.Helper()
	notices, err := w.s.NoticesOf(w.Context(), w.key, v.ID)
	w.must(err)
	for i := len(notices) - 1; i >= 0; i-- {
		if notices[i].Kind == kind {
			return notices[i].MessageID
		}
	}
	w.Fatalf("no notice %s", kind)
	return ""
}

// askAgain is a request to resubmit the government ID.
func askAgain() service.CaseDecision {
	return service.CaseDecision{
		Decision: casework.RequestResubmission, Reasons: []verification.Reason{{Requirement: verification.GovernmentID, Code: "id.blurred"}},
	}
}

func at(text string) time.Time {
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return instant.UTC()
}

func TestDueDatesRunInTheHoldersZone(t *testing.T) {
	alone(t)
	for _, test := range []struct{ name, zone, accepted, due string }{
		{"Friday before six in Hangzhou is Friday's", "Asia/Shanghai", "2026-11-13T17:59:00+08:00", "2026-11-16T23:59:59+08:00"},
		{"six sharp is in time", "Asia/Shanghai", "2026-11-13T18:00:00+08:00", "2026-11-16T23:59:59+08:00"},
		{"Friday after six counts as Monday's", "Asia/Shanghai", "2026-11-13T18:01:00+08:00", "2026-11-17T23:59:59+08:00"},
		{"Saturday counts as Monday's", "Asia/Shanghai", "2026-11-14T11:00:00+08:00", "2026-11-17T23:59:59+08:00"},
		{"over the night in which New York's clocks go forward", "America/New_York", "2027-03-12T17:59:00-05:00", "2027-03-15T23:59:59-04:00"},
		{"an account without a zone has the tenant's", "", "2026-11-13T17:59:00+08:00", "2026-11-16T23:59:59+08:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			on(t, func(w *world) {
				p := w.person(func(a *account.Profile) { a.TimeZone = test.zone })
				w.at(at(test.accepted))
				_, v := w.reject(p)
				w.work()
				if got, want := w.verification(v.ID).DueAt, at(test.due); !got.Equal(want) {
					w.Errorf("got due %v, want %v", got, want)
				}
				e := w.enforcement(p)
				if e.State != enforcement.Grace || !e.DueAt.Equal(at(test.due)) {
					w.Errorf("got enforcement %s until %v, want grace until the due date", e.State, e.DueAt)
				}
				zone := test.zone
				if zone == "" {
					zone = "Asia/Shanghai"
				}
				location, err := time.LoadLocation(zone)
				w.must(err)
				printed := notice.FormatDue(at(test.due), location, "en")
				mails := w.post.about("Payment Method Security Alert")
				if len(mails) != 1 || !strings.Contains(mails[0].Text, printed) || !strings.Contains(mails[0].Text, v.NoticeCode) {
					w.Errorf("got %d mails, want one that prints %q and the notice's code: %+v", len(mails), printed, mails)
				}
			})
		})
	}
}

func TestBehindARelayOnlyOpeningTheMessageIsReceipt(t *testing.T) {
	on(t, func(w *world) {
		w.config.MailAcceptanceIsFinal = false
		w.rebuild()
		p := w.person()
		_, v := w.reject(p)
		w.work()
		if got := w.verification(v.ID); !got.DueAt.IsZero() || w.enforcement(p).State != enforcement.None || len(w.post.mails()) != 1 {
			w.Fatalf("got due %v after %d mails, want no clock", got.DueAt, len(w.post.mails()))
		}
		message := w.messageOf(v, notice.PaymentMethodAlert)
		if _, err := w.s.OpenMessage(w.Context(), w.reviewer, p.account.ID, message); err != nil {
			w.Fatal(err)
		}
		if _, _, err := w.s.Messages(w.Context(), p.holder, p.account.ID, storePage()); err != nil {
			w.Fatal(err)
		}
		if got := w.verification(v.ID); !got.DueAt.IsZero() {
			w.Fatal("a look by staff, or at the list, is no receipt")
		}
		opened, err := w.s.OpenMessage(w.Context(), p.holder, p.account.ID, message)
		w.must(err)
		due := w.verification(v.ID).DueAt
		if opened.ReadAt.IsZero() || !due.Equal(at("2026-11-12T23:59:59+08:00")) {
			w.Fatalf("got due %v, want the end of the next business day", due)
		}
		w.at(start.Add(26 * time.Hour))
		_, err = w.s.OpenMessage(w.Context(), p.holder, p.account.ID, message)
		w.must(err)
		if got := w.verification(v.ID).DueAt; !got.Equal(due) || w.countEvents(journal.DeadlineSet) != 1 {
			w.Errorf("opening it again moved the due date to %v", got)
		}
	})
}

func TestNothingIsLateThatNobodyReceived(t *testing.T) {
	on(t, func(w *world) {
		w.post.fail = permanent
		p := w.person()
		nowhere := w.person(func(a *account.Profile) { a.Email = "" })
		_, v := w.reject(p)
		_, v2 := w.reject(nowhere)
		w.work()
		w.at(start.Add(60 * 24 * time.Hour))
		w.work()
		for _, one := range []verification.Verification{w.verification(v.ID), w.verification(v2.ID)} {
			if !one.DueAt.IsZero() || one.Status != verification.AwaitingSubmission {
				w.Errorf("got %s due %v, want no clock", one.Status, one.DueAt)
			}
		}
		if w.enforcement(p).State != enforcement.None || w.platform.did() != "" {
			w.Error("an account was suspended although nobody received anything")
		}
		undelivered, _, err := w.s.UndeliveredNotices(w.Context(), w.reviewer, storePage())
		w.must(err)
		if len(undelivered) != 2 {
			w.Errorf("got %d undelivered notices, want both", len(undelivered))
		}
		_, err = w.s.OpenMessage(w.Context(), p.holder, p.account.ID, w.messageOf(v, notice.PaymentMethodAlert))
		w.must(err)
		if w.verification(v.ID).DueAt.IsZero() {
			w.Error("opening the message is receipt although the mail came back")
		}
	})
}

func TestAMailServerThatIsAwayIsTriedAgainMoreAndMoreSlowly(t *testing.T) {
	on(t, func(w *world) {
		tries := 0
		w.post.fail = func(m mail.Message) (bool, error) { tries++; return temporary(m) }
		p := w.person()
		_, v := w.reject(p)
		var waits []time.Duration
		for range 5 {
			w.work()
			due, found, err := w.store.NextDue(w.Context())
			w.must(err)
			if !found {
				w.Fatal("the mail was given up")
			}
			waits = append(waits, due.Sub(w.now()))
			w.at(due)
		}
		if tries != 5 || waits[0] < time.Second || waits[4] <= 2*waits[2] {
			w.Errorf("got %d tries with waits %v, want growing ones", tries, waits)
		}
		w.post.fail = nil
		w.work()
		if got := w.verification(v.ID); len(w.post.mails()) != 1 || got.ReceivedAt.IsZero() || got.ReceivedAt.Before(start.Add(waits[0])) {
			w.Errorf("got %d mails, received at %v, want receipt when it was accepted", len(w.post.mails()), got.ReceivedAt)
		}
	})
}

func TestAnAddressThatNoMailCanGoToIsUndeliverable(t *testing.T) {
	on(t, func(w *world) {
		sender, err := mail.NewSender(mail.Config{Host: "127.0.0.1", Port: 1, TLS: mail.NoTLS, From: "kyc@harbour.example"})
		w.must(err)
		w.config.Mailer = sender
		w.rebuild()
		p := w.person(func(a *account.Profile) { a.Email = "alma@intranet" })
		w.reject(p)
		w.work()
		undelivered, _, err := w.s.UndeliveredNotices(w.Context(), w.reviewer, storePage())
		w.must(err)
		if pending, _, err := w.store.CountJobs(w.Context()); err != nil || len(undelivered) != 1 || pending != 0 {
			w.Errorf("got %d undelivered and %d pending jobs (%v), want it told and given up", len(undelivered), pending, err)
		}
	})
}

func TestAReceiptAfterTheSubmissionStartsNothing(t *testing.T) {
	on(t, func(w *world) {
		w.post.fail = temporary
		p := w.person()
		_, v := w.reject(p)
		w.work()
		w.submit(p, v.ID)
		_, err := w.s.OpenMessage(w.Context(), p.holder, p.account.ID, w.messageOf(v, notice.PaymentMethodAlert))
		w.must(err)
		w.post.fail = nil
		w.at(start.Add(time.Hour))
		w.work()
		if got := w.verification(v.ID); !got.DueAt.IsZero() || w.enforcement(p).State != enforcement.None {
			w.Errorf("got due %v, enforcement %s, want no clock during the review", got.DueAt, w.enforcement(p).State)
		}
		if got := w.post.about("Payment Method Security Alert"); len(got) != 0 {
			w.Error("a mail asked for what had been submitted already")
		}
		if len(w.post.mails()) != 1 {
			w.Errorf("got %d mails, want the one about the submission", len(w.post.mails()))
		}
	})
}

func TestAResubmissionStartsItsClockFromReceiptOfItsOwnNotice(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		submitted := w.submit(p, v.ID) // before any mail was accepted
		w.decide(submitted.Verification.CaseID, askAgain())
		if got := w.verification(v.ID); got.Round != 2 || !got.DueAt.IsZero() {
			w.Fatalf("got round %d due %v", got.Round, got.DueAt)
		}
		_, err := w.s.OpenMessage(w.Context(), p.holder, p.account.ID, w.messageOf(v, notice.PaymentMethodAlert))
		w.must(err)
		if got := w.verification(v.ID); !got.DueAt.IsZero() {
			w.Fatal("the late receipt of the first round's notice started the clock of the second")
		}
		w.at(at("2026-11-13T11:00:00+08:00"))
		w.work()
		got := w.verification(v.ID)
		if want := at("2026-11-16T23:59:59+08:00"); !got.DueAt.Equal(want) || w.enforcement(p).State != enforcement.Grace {
			w.Fatalf("got due %v, want %v", got.DueAt, want)
		}
		if len(w.post.about("Payment Method Security Alert")) != 0 {
			w.Error("the first round's notice was mailed in the second")
		}
		w.at(got.DueAt.Add(time.Second))
		w.work()
		suspended := w.post.about("suspended")
		if w.enforcement(p).State != enforcement.Suspended || w.platform.did() != "suspend 1" || len(suspended) != 1 {
			w.Fatalf("got %s, platform %q, %d mails", w.enforcement(p).State, w.platform.did(), len(suspended))
		}
		if text := casework.Catalogue().Text("id.blurred", "en"); !strings.Contains(suspended[0].Text, text) {
			w.Error("the suspension does not say what is still asked for")
		}
	})
}

func TestAMissedDueDateSuspendsExactlyOnce(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		w.work()
		due := w.verification(v.ID).DueAt
		w.at(due)
		w.work()
		if w.enforcement(p).State != enforcement.Grace {
			w.Fatal("the last second is still in time")
		}
		w.at(due.Add(time.Second))
		jobs, err := w.s.ClaimJobs(w.Context(), 10)
		w.must(err)
		if len(jobs) != 1 || jobs[0].Kind != service.JobSubmissionDue {
			w.Fatalf("got %d jobs", len(jobs))
		}
		// The first worker seems dead, so another takes the job up; then both run it, twice each.
		w.pass(3 * time.Minute)
		again, err := w.s.ClaimJobs(w.Context(), 10)
		w.must(err)
		var all sync.WaitGroup
		for _, job := range []store.Job{jobs[0], again[0], jobs[0], again[0]} {
			all.Go(func() { w.s.RunJob(w.Context(), job) })
		}
		all.Wait()
		w.work()
		w.work()
		if got := w.platform.did(); got != "suspend 1" {
			w.Errorf("got commands %q, want one suspension", got)
		}
		if got := w.countEvents(journal.DeadlineMissed); got != 1 {
			w.Errorf("got %d missed deadlines, want 1", got)
		}
		if got := len(w.post.about("suspended")); got != 1 {
			w.Errorf("got %d mails, want 1", got)
		}
		e := w.enforcement(p)
		if e.State != enforcement.Suspended || e.AcknowledgedAt.IsZero() {
			w.Errorf("got %s, acknowledged %v", e.State, e.AcknowledgedAt)
		}
		if got := w.verification(v.ID); got.Status != verification.AwaitingSubmission {
			w.Errorf("got %s, want that the holder can still submit", got.Status)
		}
	})
}

func TestSubmissionAndDeadlineAtTheSameTime(t *testing.T) {
	on(t, func(w *world) {
		for range 5 {
			p := w.person()
			_, v := w.reject(p)
			w.work()
			w.provide(p.holder, v.ID)
			w.at(w.verification(v.ID).DueAt.Add(time.Second))
			jobs, err := w.s.ClaimJobs(w.Context(), 10)
			w.must(err)
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := w.s.Submit(w.Context(), p.holder, v.ID); err != nil {
					w.Errorf("submit: %v", err)
				}
			})
			for _, job := range jobs {
				all.Go(func() { w.s.RunJob(w.Context(), job) })
			}
			all.Wait()
			w.work()
			e := w.enforcement(p)
			commands := int(e.Sequence)
			if got := w.verification(v.ID).Status; got != verification.InReview {
				w.Errorf("got %s, want in review", got)
			}
			switch e.State {
			case enforcement.None:
				if commands != 0 {
					w.Errorf("got %d commands without a suspension", commands)
				}
			case enforcement.Suspended:
				if commands != 1 || e.AcknowledgedAt.IsZero() {
					w.Errorf("got %d commands, acknowledged %v", commands, e.AcknowledgedAt)
				}
			default:
				w.Errorf("got enforcement %s during the review", e.State)
			}
		}
	})
}

func TestNothingIsSuspendedDuringAReview(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		w.work()
		w.at(w.verification(v.ID).DueAt)
		submitted := w.submit(p, v.ID)
		w.at(w.now().Add(30 * 24 * time.Hour))
		w.work()
		w.work()
		if w.enforcement(p).State != enforcement.None || w.platform.did() != "" {
			w.Errorf("got %s, platform %q, want nothing", w.enforcement(p).State, w.platform.did())
		}
		found, err := w.s.Case(w.Context(), w.reviewer, submitted.Verification.CaseID)
		w.must(err)
		if found.ThisCase.OverdueAt.IsZero() || w.countEvents(journal.CaseOverdue) != 1 {
			w.Error("an overdue review is noted once")
		}
		// The case has a version more, and can be decided by who looks at it now.
		w.decide(found.ThisCase.ID, service.CaseDecision{Decision: casework.Approve, ExpectedVersion: found.ThisCase.Version})
	})
}

// suspend gives an account whose due date was missed; its command was handed to the platform's answer.
func (w *world) suspend() (person, verification.Verification) {
	w.Helper()
	p := w.person()
	_, v := w.reject(p)
	w.work()
	w.at(w.verification(v.ID).DueAt.Add(time.Second))
	w.work()
	return p, w.verification(v.ID)
}

func TestApprovalAfterASuspensionResumes(t *testing.T) {
	on(t, func(w *world) {
		p, v := w.suspend()
		submitted := w.submit(p, v.ID)
		if w.enforcement(p).State != enforcement.Suspended {
			w.Fatal("a late submission does not resume by itself")
		}
		w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Approve})
		w.work()
		e := w.enforcement(p)
		if got := w.platform.did(); got != "suspend 1, resume 2" || e.State != enforcement.None || e.AcknowledgedAt.IsZero() {
			w.Errorf("got %q, %s, acknowledged %v", got, e.State, e.AcknowledgedAt)
		}
	})
}

func TestACancelAfterASuspensionResumes(t *testing.T) {
	on(t, func(w *world) {
		p, v := w.suspend()
		_, err := w.s.CancelVerification(w.Context(), w.reviewer, v.ID)
		w.must(err)
		w.work()
		if got := w.platform.did(); got != "suspend 1, resume 2" || w.enforcement(p).State != enforcement.None {
			w.Errorf("got %q, %s", got, w.enforcement(p).State)
		}
	})
}

func TestASuspensionThatTheDeclinedHolderHadStaysUntilANewApproval(t *testing.T) {
	on(t, func(w *world) {
		p, v := w.suspend()
		submitted := w.submit(p, v.ID)
		w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Decline})
		w.work()
		if w.enforcement(p).State != enforcement.Suspended {
			w.Fatal("a decline resumes nothing")
		}
		second, err := w.s.OpenVerification(w.Context(), w.reviewer, service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity})
		w.must(err)
		w.work()
		w.at(w.verification(second.Verification.ID).DueAt.Add(time.Second))
		w.work() // missed again: there is nothing more to suspend
		again := w.submit(p, second.Verification.ID)
		w.decide(again.Verification.CaseID, service.CaseDecision{Decision: casework.Approve})
		w.work()
		if got := w.platform.did(); got != "suspend 1, resume 2" || w.enforcement(p).State != enforcement.None {
			w.Errorf("got %q, %s", got, w.enforcement(p).State)
		}
	})
}

func TestAPlatformThatIsAwayGetsItsCommandLater(t *testing.T) {
	on(t, func(w *world) {
		w.platform.answerWith(func(string) (int, bool) { return 503, false })
		p, _ := w.suspend()
		if e := w.enforcement(p); e.State != enforcement.Suspended || !e.AcknowledgedAt.IsZero() || w.platform.did() != "" {
			w.Fatalf("got %s, acknowledged %v, platform %q", e.State, e.AcknowledgedAt, w.platform.did())
		}
		w.platform.answerWith(nil)
		due, _, err := w.store.NextDue(w.Context())
		w.must(err)
		w.at(due)
		w.work()
		if e := w.enforcement(p); e.AcknowledgedAt.IsZero() || w.platform.did() != "suspend 1" {
			w.Errorf("got acknowledged %v, platform %q", e.AcknowledgedAt, w.platform.did())
		}
	})
}

func TestALateSuspensionCannotOvertakeTheResumption(t *testing.T) {
	for _, test := range []struct {
		name     string
		carryOut bool // the platform suspends although its answer is lost
		want     string
	}{
		{"not done", false, "resume 2"},
		{"done, but the answer was lost", true, "suspend 1, resume 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			on(t, func(w *world) {
				w.platform.answerWith(func(string) (int, bool) { return 503, test.carryOut })
				p, v := w.suspend()
				submitted := w.submit(p, v.ID)
				w.platform.answerWith(nil)
				w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Approve})
				w.at(w.now().Add(2 * time.Hour))
				w.work()
				if got := w.platform.did(); got != test.want || w.platform.suspended[p.account.ID] {
					w.Errorf("got %q, want %q", got, test.want)
				}
				if w.countEvents(journal.CommandSuperseded) != 1 || w.countEvents(journal.CommandAcknowledged) != 1 {
					w.Errorf("got entries %s", join(w.types(0)))
				}
				if pending, _, err := w.store.CountJobs(w.Context()); err != nil || pending != 0 {
					w.Errorf("got %d jobs left (%v), want none", pending, err)
				}
			})
		})
	}
}

func TestWithoutAConnectorTheCommandWaitsForOne(t *testing.T) {
	on(t, func(w *world) {
		w.tenant.ConnectorURL = ""
		other, err := w.s.CreateTenant(w.Context(), policyWithoutConnector())
		w.must(err)
		w.tenant, w.key = other, w.newKey(other.ID)
		w.reviewer.TenantID = other.ID
		p, _ := w.suspend()
		w.at(w.now().Add(3 * time.Hour))
		w.work()
		if e := w.enforcement(p); e.State != enforcement.Suspended || !e.AcknowledgedAt.IsZero() {
			w.Fatalf("got %s, acknowledged %v, want a suspension that nobody confirmed", e.State, e.AcknowledgedAt)
		}
		_, err = w.s.SetConnector(w.Context(), other.ID, w.platform.server.URL+"/commands", "")
		w.must(err)
		w.at(w.now().Add(time.Hour))
		w.work()
		if e := w.enforcement(p); e.AcknowledgedAt.IsZero() || w.platform.did() != "suspend 1" {
			w.Errorf("got acknowledged %v, platform %q", e.AcknowledgedAt, w.platform.did())
		}
	})
}

func TestASuspensionNoticeThatCameTooLateIsNotMailed(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		_, v := w.reject(p)
		w.work()
		w.post.fail = temporary
		w.at(w.verification(v.ID).DueAt.Add(time.Second))
		w.work()
		submitted := w.submit(p, v.ID)
		w.decide(submitted.Verification.CaseID, service.CaseDecision{Decision: casework.Approve})
		w.post.fail = nil
		w.at(w.now().Add(2 * time.Hour))
		w.work()
		if got := len(w.post.about("suspended")); got != 0 {
			w.Errorf("got %d mails about a suspension that had ended", got)
		}
		if got := len(w.post.about("approved")); got != 1 {
			w.Errorf("got %d mails about the approval, want 1", got)
		}
	})
}
