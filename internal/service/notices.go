package service

import (
	"context"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/money"
)

// telling is what a notice says beyond the verification itself.
type telling struct {
	amount  money.Amount
	reasons []verification.Reason
}

// notify creates a notice with its Internal Message, and the job that mails it, in the transaction of what it tells of.
func (s *Service) notify(tx *store.Tx, v verification.Verification, kind notice.Kind, t telling) error {
	actor := access.SystemActor(v.TenantID, "notices")
	in, email, err := s.renderInput(tx, v, kind, t)
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
	if err := tx.InsertNotice(actor, n, m, []journal.Draft{
		journal.Of(journal.NoticeCreated, n.ID, v.AccountID, "verification_id", v.ID, "kind", string(kind), "message_id", m.ID),
	}); err != nil {
		return err
	}
	if email == "" {
		return nil
	}
	payload := map[string]string{"notice_id": n.ID}
	// The grounds of a decision are not stored with the notice; the mail job finds them in the verification.
	if t.amount.AmountMinor != 0 {
		payload["amount_minor"], payload["currency"] = strconv.FormatInt(t.amount.AmountMinor, 10), t.amount.Currency
	}
	return tx.EnqueueNow(store.Job{TenantID: v.TenantID, Kind: JobSendNotice, Payload: payload, Key: "notice:" + n.ID})
}

func (s *Service) renderInput(tx *store.Tx, v verification.Verification, kind notice.Kind, t telling) (notice.RenderInput, string, error) {
	view, err := s.verificationView(tx, v)
	if err != nil {
		return notice.RenderInput{}, "", err
	}
	a := view.Account.Profile
	in := notice.RenderInput{
		Kind: kind, Locale: a.Locale, Brand: view.Tenant.Name, BrandColor: view.Tenant.BrandColor, SupportEmail: view.Tenant.SupportEmail,
		KeepSuspendedDays: policy.Current(v.OpenedAt).KeepSuspended,
		HolderName:        a.Name, Link: s.verificationURL(v.ID), NoticeCode: v.NoticeCode, QueryCode: v.QueryCode, Zone: view.Zone,
	}
	if view.Method.ID != "" {
		in.MethodLabel = view.Method.Label()
	}
	if t.amount.AmountMinor != 0 {
		in.PaymentAmount = money.Format(t.amount.AmountMinor, t.amount.Currency)
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
	for _, reason := range t.reasons {
		in.Reasons = append(in.Reasons, notice.Reason{Requirement: string(reason.Requirement), Text: casework.Catalogue().Text(reason.Code, a.Locale)})
	}
	return in, a.Email, nil
}

// sendNotice mails a notice: load, send outside any transaction, record the result. The Message-ID is the notice's, so that a mail
// that had to be sent twice can be told from two mails.
func (s *Service) sendNotice(ctx context.Context, job store.Job) error {
	var rendered notice.Rendered
	var to, brand string
	skip := false
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		n, err := tx.Notice(job.TenantID, job.Payload["notice_id"])
		if err != nil {
			return err
		}
		v, err := tx.Verification(job.TenantID, n.VerificationID)
		if err != nil {
			return err
		}
		in, email, err := s.renderInput(tx, v, n.Kind, tellingOf(job, n, v))
		if err != nil {
			return err
		}
		to, brand = email, in.Brand
		skip = !n.AcceptedAt.IsZero() || !n.BouncedAt.IsZero() || email == ""
		rendered, err = notice.Render(in)
		return err
	})
	if err != nil {
		return err
	}
	if skip {
		return s.finish(ctx, job)
	}
	_, sendError := s.Mailer.Send(ctx, mail.Message{
		To: to, FromName: brand, Subject: rendered.Subject, Text: rendered.Text, HTML: rendered.HTML, ID: job.Payload["notice_id"], At: s.Clock.Wall(),
	})
	if sendError != nil && !mail.IsPermanent(sendError) {
		return sendError
	}
	return s.recordNotice(ctx, job, sendError != nil)
}

func tellingOf(job store.Job, n notice.Notice, v verification.Verification) telling {
	var t telling
	if minor, err := strconv.ParseInt(job.Payload["amount_minor"], 10, 64); err == nil {
		t.amount = money.Amount{AmountMinor: minor, Currency: job.Payload["currency"]}
	}
	if n.Kind == notice.ResubmissionRequested || n.Kind == notice.VerificationDeclined {
		for _, requirement := range v.Requirements {
			t.reasons = append(t.reasons, requirement.Reasons...)
		}
	}
	return t
}

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
	t, err := tx.Tenant(v.TenantID)
	if err != nil {
		return err
	}
	a, err := tx.Account(v.TenantID, v.AccountID)
	if err != nil {
		return err
	}
	due, err := s.submissionDue(t, a, v, n.ReceivedAt)
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

// UndeliveredNotices lists notices whose mail was refused and that nobody opened: no clock runs for them, and staff must find
// another way.
func (s *Service) UndeliveredNotices(ctx context.Context, actor access.Actor, page store.Page) ([]notice.Notice, string, error) {
	var notices []notice.Notice
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		notices, next, err = tx.UndeliveredNotices(actor.TenantID, page)
		return err
	})
	return notices, next, err
}
