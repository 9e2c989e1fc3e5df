package service

import (
	"context"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/money"
	"github.com/probity/probity/internal/standard/problem"
)

// notify creates a notice with its Internal Message, and the job that mails it, in the transaction of what it tells of.
func (s *Service) notify(tx *store.Tx, v verification.Verification, kind notice.Kind) error {
	actor := access.SystemActor(v.TenantID, "notices")
	in, email, err := s.renderInput(tx, v, kind)
	if err != nil {
		return err
	}
	rendered, err := notice.Render(in)
	if err != nil {
		return err
	}
	n := notice.Notice{
		ID: id.New(id.Notice, tx.Now()), TenantID: v.TenantID, AccountID: v.AccountID, VerificationID: v.ID, Round: v.Round, Kind: kind,
		MessageID: id.New(id.Message, tx.Now()), Version: 1, CreatedAt: tx.Now(),
	}
	m := notice.Message{
		ID: n.MessageID, TenantID: v.TenantID, AccountID: v.AccountID, VerificationID: v.ID, NoticeID: n.ID,
		Subject: rendered.Subject, Body: rendered.Message, CreatedAt: tx.Now(),
	}
	drafts := []journal.Draft{
		journal.Of(journal.NoticeCreated, n.ID, v.AccountID, "verification_id", v.ID, "kind", string(kind), "message_id", m.ID),
	}
	if email == "" {
		// There is nowhere to mail it to, which staff have to learn just as if the mail had come back.
		var bounced []journal.Draft
		n, bounced, _ = n.Bounce(tx.Now())
		n.Version = 1
		return tx.InsertNotice(actor, n, m, append(drafts, bounced...))
	}
	if err := tx.InsertNotice(actor, n, m, drafts); err != nil {
		return err
	}
	return tx.EnqueueNow(store.Job{
		TenantID: v.TenantID, Kind: JobSendNotice, Payload: map[string]string{"notice_id": n.ID}, Key: "notice:" + n.ID,
	})
}

// renderInput gathers what a notice says from what stands now, and the address it goes to.
func (s *Service) renderInput(tx *store.Tx, v verification.Verification, kind notice.Kind) (notice.RenderInput, string, error) {
	view, err := s.verificationView(tx, v)
	if err != nil {
		return notice.RenderInput{}, "", err
	}
	a := view.Account.Profile
	in := notice.RenderInput{
		Kind: kind, Locale: a.Locale, Brand: view.Tenant.Name, BrandColor: view.Tenant.BrandColor, SupportEmail: view.Tenant.SupportEmail,
		KeepSuspendedDays: policy.Current(v.OpenedAt).KeepSuspended,
		HolderName:        a.Name, Link: s.linkInMail(v.ID, a.Locale), NoticeCode: v.NoticeCode, QueryCode: v.QueryCode, Zone: view.Zone,
	}
	if view.Method.ID != "" {
		in.MethodLabel = view.Method.LabelAs(notice.MethodKindName(a.Locale, string(view.Method.Kind)))
	}
	if amount := view.Payment.Attempt.Amount; amount.AmountMinor != 0 {
		in.PaymentAmount = money.Format(amount.AmountMinor, amount.Currency)
	}
	switch {
	case kind == notice.SubmissionReceived:
		in.ReviewDueAt, in.Zone = view.Case.DueAt, view.Tenant.Zone()
	case kind.StartsClock() && !v.DueAt.IsZero():
		in.DueAt = v.DueAt
	case kind.StartsClock():
		// The earliest due date: what a receipt at this very instant would give. It can only become later.
		in.DueAt = view.EarliestDue.At
	}
	reasons, err := groundsOf(tx, v, kind)
	for _, reason := range reasons {
		text := casework.Catalogue().Text(reason.Code, a.Locale)
		if kind == notice.VerificationDeclined {
			text = casework.Catalogue().Ground(reason.Code, a.Locale)
		}
		in.Reasons = append(in.Reasons, notice.Reason{Requirement: string(reason.Requirement), Text: text})
	}
	return in, a.Email, err
}

// groundsOf returns the reasons of the latest decision, for the notices that tell or repeat them. They stand in the review, with those
// that concern no single requirement.
func groundsOf(tx *store.Tx, v verification.Verification, kind notice.Kind) ([]verification.Reason, error) {
	switch kind {
	case notice.ResubmissionRequested, notice.VerificationDeclined, notice.ResourcesSuspended:
	case notice.PaymentMethodAlert, notice.SubmissionReceived, notice.VerificationApproved, notice.VerificationCanceled:
		return nil, nil
	}
	reviews, err := tx.ReviewsOf(v.TenantID, v.ID)
	if err != nil || len(reviews) == 0 {
		return nil, err
	}
	return reviews[len(reviews)-1].Reasons, nil
}

// overtaken reports whether a notice that was not mailed yet has become untrue: it would ask for what was sent meanwhile, or speak
// of a suspension that has ended. Its Internal Message stays, in its place in the story.
func overtaken(n notice.Notice, v verification.Verification, e enforcement.Enforcement) bool {
	switch n.Kind {
	case notice.PaymentMethodAlert, notice.ResubmissionRequested:
		return v.Round != n.Round || !v.Status.AwaitsHolder()
	case notice.ResourcesSuspended:
		return e.State != enforcement.Suspended
	case notice.SubmissionReceived, notice.VerificationApproved, notice.VerificationDeclined, notice.VerificationCanceled:
		return false
	}
	return false
}

// linkInMail is the page of the verification in the language of the mail: before its reader has signed in, the page knows of them only
// what their browser says.
func (s *Service) linkInMail(verificationID, locale string) string {
	link := s.verificationURL(verificationID)
	if language := notice.Language(locale); language != notice.English {
		link += "?lang=" + language
	}
	return link
}

// sendNotice mails a notice: load, send outside any transaction, record the result. The Message-ID is the notice's, so that a mail
// that had to be sent twice can be told from two mails.
func (s *Service) sendNotice(ctx context.Context, job store.Job) error {
	var rendered notice.Rendered
	var to, brand string
	skip, bounced := false, false
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		n, err := tx.Notice(job.TenantID, job.Payload["notice_id"])
		if err != nil {
			return err
		}
		v, err := tx.Verification(job.TenantID, n.VerificationID)
		if err != nil {
			return err
		}
		e, err := tx.Enforcement(n.TenantID, n.AccountID)
		if err != nil {
			return err
		}
		if skip = !n.AcceptedAt.IsZero() || !n.BouncedAt.IsZero() || overtaken(n, v, e); skip {
			return nil
		}
		in, email, err := s.renderInput(tx, v, n.Kind)
		if err != nil {
			return err
		}
		to, brand = email, in.Brand
		if bounced = email == ""; bounced {
			return nil // the address was taken away meanwhile
		}
		rendered, err = notice.Render(in)
		return err
	})
	if err != nil {
		return err
	}
	if skip {
		return s.finish(ctx, job)
	}
	if bounced {
		return s.recordNotice(ctx, job, true)
	}
	_, err = s.Mailer.Send(ctx, mail.Message{
		To: to, FromName: brand, Subject: rendered.Subject, Text: rendered.Text, HTML: rendered.HTML, ID: job.Payload["notice_id"], At: s.Clock.Wall(),
	})
	if err != nil && !undeliverable(err) {
		return err
	}
	return s.recordNotice(ctx, job, err != nil)
}

// undeliverable reports whether trying again will not help: the mailbox or the mail was refused for good, or no mail can be made of it,
// as for an address that no mail can go to.
func undeliverable(err error) bool { return mail.IsPermanent(err) || problem.As(err) != nil }

// recordNotice writes down how the delivery ended, in the transaction that ends the job. A final acceptance is receipt and starts
// the clock.
func (s *Service) recordNotice(ctx context.Context, job store.Job, bounced bool) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		n, err := tx.Notice(job.TenantID, job.Payload["notice_id"])
		if err != nil {
			return err
		}
		if err := tx.LockAccount(n.TenantID, n.AccountID); err != nil {
			return err
		}
		if n, err = tx.Notice(n.TenantID, n.ID); err != nil {
			return err
		}
		if err := tx.CompleteJob(job); err != nil {
			return err
		}
		actor := access.SystemActor(n.TenantID, "mail")
		wasReceived := !n.ReceivedAt.IsZero()
		changed, drafts, ok := n.Accept(s.MailAcceptanceIsFinal, tx.Now())
		if bounced {
			changed, drafts, ok = n.Bounce(tx.Now())
		}
		if !ok {
			return nil
		}
		if err := tx.SaveNotice(actor, changed, drafts); err != nil {
			return err
		}
		if wasReceived || changed.ReceivedAt.IsZero() {
			return nil
		}
		return s.startClock(tx, actor, changed)
	})
}

// startClock follows the receipt of a notice that asks something of the holder: the due date is set, grace begins, and the job that
// notices a missed due date is queued.
func (s *Service) startClock(tx *store.Tx, actor access.Actor, n notice.Notice) error {
	if !n.Kind.StartsClock() {
		return nil
	}
	v, err := tx.Verification(n.TenantID, n.VerificationID)
	if err != nil {
		return err
	}
	if v.Round != n.Round {
		return nil
	}
	due, err := s.submissionDue(v, n.ReceivedAt)
	if err != nil {
		return err
	}
	v, drafts, started := v.StartClock(n.ReceivedAt, due.At, due.Explanation)
	if !started {
		return nil
	}
	if err := tx.SaveVerification(actor, v, drafts); err != nil {
		return err
	}
	e, err := tx.Enforcement(v.TenantID, v.AccountID)
	if err != nil {
		return err
	}
	if e, drafts, started = e.StartGrace(v.ID, due.At); started {
		if err := tx.SaveEnforcement(actor, e, drafts); err != nil {
			return err
		}
	}
	return tx.Enqueue(store.Job{
		TenantID: v.TenantID, Kind: JobSubmissionDue, DueAt: justAfter(due.At), Key: submissionDueKey(v),
		Payload: map[string]string{"verification_id": v.ID, "round": strconv.Itoa(v.Round)},
	})
}

func submissionDueKey(v verification.Verification) string {
	return "submission_due:" + v.ID + ":" + strconv.Itoa(v.Round)
}

// justAfter is when the job of a deadline runs: a due instant is the last second in which one is still in time.
func justAfter(due time.Time) time.Time { return due.Add(time.Second) }

// stopClock follows a submission or a cancellation: the deadline no longer runs.
func (s *Service) stopClock(tx *store.Tx, actor access.Actor, v verification.Verification) error {
	if err := tx.CancelJob(v.TenantID, submissionDueKey(v)); err != nil {
		return err
	}
	e, err := tx.Enforcement(v.TenantID, v.AccountID)
	if err != nil {
		return err
	}
	e, drafts, changed := e.EndGrace()
	if !changed {
		return nil
	}
	return tx.SaveEnforcement(actor, e, drafts)
}

// Messages lists the Internal Messages of an account, newest first. Listing them does not open them.
func (s *Service) Messages(ctx context.Context, actor access.Actor, accountID string, page store.Page) ([]notice.Message, string, error) {
	var messages []notice.Message
	var next string
	if err := actor.RequireAccount(access.ReadTenant, accountID); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.Account(actor.TenantID, accountID); err != nil {
			return err
		}
		var err error
		messages, next, err = tx.Messages(actor.TenantID, accountID, page)
		return err
	})
	return messages, next, err
}

// UnreadMessages counts what a holder has not opened yet.
func (s *Service) UnreadMessages(ctx context.Context, actor access.Actor, accountID string) (int, error) {
	count := 0
	if err := actor.RequireAccount(access.ReadTenant, accountID); err != nil {
		return 0, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		count, err = tx.UnreadMessages(actor.TenantID, accountID)
		return err
	})
	return count, err
}

// OpenMessage returns an Internal Message. When the holder is the one who opens it, it becomes read, and its notice received.
func (s *Service) OpenMessage(ctx context.Context, actor access.Actor, accountID, messageID string) (notice.Message, error) {
	var m notice.Message
	if err := actor.RequireAccount(access.ReadTenant, accountID); err != nil {
		return m, err
	}
	load := func(_ context.Context, tx *store.Tx) error {
		var err error
		m, err = tx.Message(actor.TenantID, accountID, messageID)
		return err
	}
	if err := s.read(ctx, load); err != nil || actor.Kind != access.Holder || !m.ReadAt.IsZero() {
		return m, err
	}
	err := s.write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.LockAccount(actor.TenantID, accountID); err != nil {
			return err
		}
		if err := load(ctx, tx); err != nil || !m.ReadAt.IsZero() {
			return err
		}
		m.ReadAt = tx.Now()
		if err := tx.MarkMessageRead(actor, m, []journal.Draft{
			journal.Of(journal.MessageRead, m.ID, accountID, "verification_id", m.VerificationID),
		}); err != nil {
			return err
		}
		n, err := tx.Notice(m.TenantID, m.NoticeID)
		if err != nil {
			return err
		}
		n, drafts, changed := n.Opened(tx.Now())
		if !changed {
			return nil
		}
		if err := tx.SaveNotice(actor, n, drafts); err != nil {
			return err
		}
		return s.startClock(tx, actor, n)
	})
	return m, err
}

// unreceivedAfter is how long a notice that asks something may wait for its receipt before staff are told.
const unreceivedAfter = 24 * time.Hour

// UndeliveredNotices lists notices of unfinished verifications that nobody received: their mail was refused, or they have waited for a
// day, as behind a relay that says nothing more. No clock runs for them, and staff must find another way.
func (s *Service) UndeliveredNotices(ctx context.Context, actor access.Actor, page store.Page) ([]notice.Notice, string, error) {
	var notices []notice.Notice
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		notices, next, err = tx.UndeliveredNotices(actor.TenantID, tx.Now().Add(-unreceivedAfter), page)
		return err
	})
	return notices, next, err
}
