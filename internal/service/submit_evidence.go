package service

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/standard/querycode"
)

// EvidenceUpload is one attachment for one requirement.
type EvidenceUpload struct {
	VerificationID string
	Requirement    verification.RequirementKind
	DocumentType   verification.DocumentType
	Side           verification.Side // empty means front
	Raw            []byte            // untrusted; kept in memory only until it is sealed
}

// SendEvidence reads an upload, cleans it, seals it and adds it to the verification. Everything slow happens before the transaction,
// in memory; nothing is written before the upload was accepted.
func (s *Service) SendEvidence(ctx context.Context, actor access.Actor, up EvidenceUpload) (verification.Evidence, error) {
	var sent verification.Evidence
	_, err := s.SendEvidenceOnce(ctx, actor, IdempotentRequest{}, up, func(e verification.Evidence) (StoredAnswer, error) {
		sent = e
		return StoredAnswer{}, nil
	})
	return sent, err
}

// SendEvidenceOnce is SendEvidence for a request that may be repeated: answer renders what is kept with the idempotency key.
func (s *Service) SendEvidenceOnce(ctx context.Context, actor access.Actor, in IdempotentRequest, up EvidenceUpload, answer func(verification.Evidence) (StoredAnswer, error)) (StoredAnswer, error) {
	var sealed verification.Evidence
	in.Prepare = func(ctx context.Context) error {
		var err error
		sealed, err = s.sealEvidence(ctx, actor, up)
		return err
	}
	answered, err := s.Once(ctx, actor, in, func(ctx context.Context) (StoredAnswer, error) {
		added := sealed
		if err := s.write(ctx, func(_ context.Context, tx *store.Tx) error { return s.addEvidence(tx, actor, &added) }); err != nil {
			return StoredAnswer{}, err
		}
		return answer(added)
	})
	if sealed.MediaType != "" && (err != nil || answered.Replayed) {
		s.dropUnused(context.WithoutCancel(ctx), sealed)
	}
	return answered, err
}

// dropUnused removes a stored attachment that got no row, so that nobody could ever reach it. A commit whose answer was lost may have
// made the row all the same, so that is looked up first; when it cannot be, the attachment stays, sealed.
func (s *Service) dropUnused(ctx context.Context, e verification.Evidence) {
	used := false
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		existing, err := tx.EvidenceOf(e.TenantID, e.VerificationID)
		used = slices.ContainsFunc(existing, func(one verification.Evidence) bool { return one.AttachmentID == e.AttachmentID })
		return err
	})
	if err == nil && !used {
		err = s.Blobs.Delete(ctx, e.AttachmentID)
	}
	if err != nil {
		s.Log.Warn("an attachment without a row could not be removed", "attachment", e.AttachmentID, "category", errorCategory(err))
	}
}

// deleteAttachment removes an attachment that was taken back.
func (s *Service) deleteAttachment(ctx context.Context, job store.Job) error {
	if err := s.Blobs.Delete(ctx, job.Payload["attachment_id"]); err != nil {
		return err
	}
	return s.finish(ctx, job)
}

// sealEvidence does everything but the transaction: when it returns, the attachment is sealed and on stable storage, without a row yet.
func (s *Service) sealEvidence(ctx context.Context, actor access.Actor, up EvidenceUpload) (verification.Evidence, error) {
	evidence := verification.Evidence{
		VerificationID: up.VerificationID, Requirement: up.Requirement, DocumentType: up.DocumentType, Side: up.Side, SentBy: string(actor.Kind),
	}
	if evidence.Side == "" {
		evidence.Side = verification.Front
	}
	wrapped, err := s.placeEvidence(ctx, actor, &evidence)
	if err != nil {
		return verification.Evidence{}, err
	}
	page, err := s.Inspector.Inspect(ctx, up.Raw)
	if err != nil {
		return verification.Evidence{}, withField(err, "file")
	}
	if wrapped == nil {
		if wrapped, err = s.newDataKey(ctx, evidence); err != nil {
			return verification.Evidence{}, err
		}
	}
	evidence.MediaType, evidence.Size, evidence.Width, evidence.Height, evidence.Pages = string(page.MediaType), int64(len(page.Bytes)), page.Width, page.Height, page.Pages
	for _, finding := range page.Findings {
		evidence.Findings = append(evidence.Findings, casework.Catalogue().Finding(string(finding.Code), "en"))
	}
	sealed, err := s.Keys.Seal(wrapped, attachmentRef(evidence), page.Bytes)
	if err != nil {
		return verification.Evidence{}, err
	}
	return evidence, s.Blobs.Put(ctx, evidence.AttachmentID, sealed)
}

// placeEvidence checks, before any slow work, that the upload has a place to go. It returns the account's data key, or nil when the
// account has none yet.
func (s *Service) placeEvidence(ctx context.Context, actor access.Actor, e *verification.Evidence) ([]byte, error) {
	var wrapped []byte
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		v, err := s.ownVerification(tx, actor, access.SendEvidence, e.VerificationID)
		if err != nil {
			return err
		}
		e.TenantID, e.AccountID = v.TenantID, v.AccountID
		if err := s.checkPlace(tx, actor, v, *e); err != nil {
			return err
		}
		wrapped, _, err = tx.DataKey(v.TenantID, v.AccountID)
		return err
	})
	e.AttachmentID = id.New(id.Attachment, s.Clock.Now())
	return wrapped, err
}

// newDataKey makes the data key of an account whose first attachment was found good.
func (s *Service) newDataKey(ctx context.Context, e verification.Evidence) ([]byte, error) {
	wrapped, err := s.Keys.WrapNewDataKey(e.TenantID, e.AccountID)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		// Another upload may have been first; the stored key is the one that counts.
		if err := tx.InsertDataKey(e.TenantID, e.AccountID, wrapped); err != nil && !problem.Is(err, problem.Conflict) {
			return err
		}
		var err error
		wrapped, _, err = tx.DataKey(e.TenantID, e.AccountID)
		return err
	})
	return wrapped, err
}

func (s *Service) checkPlace(tx *store.Tx, actor access.Actor, v verification.Verification, e verification.Evidence) error {
	a, err := tx.Account(v.TenantID, v.AccountID)
	if err != nil {
		return err
	}
	if err := e.CheckPlacement(a.Profile.Kind); err != nil {
		return err
	}
	// Staff may add evidence that came by ticket while the case is open.
	if !(actor.Kind == access.Staff && v.Status == verification.InReview) {
		if err := v.CheckAwaitsHolder(); err != nil {
			return err
		}
	}
	existing, err := tx.EvidenceOf(v.TenantID, v.ID)
	if err != nil {
		return err
	}
	count := 0
	for _, one := range existing {
		if one.Requirement == e.Requirement && one.Round == v.Round {
			count++
		}
	}
	if count >= verification.MaxEvidencePerRequirement {
		return problem.New(problem.Conflict, "too_many_attachments", "one item holds at most 10 attachments; take one back first")
	}
	return nil
}

func (s *Service) addEvidence(tx *store.Tx, actor access.Actor, e *verification.Evidence) error {
	v, err := s.lockVerification(tx, actor, access.SendEvidence, e.VerificationID)
	if err != nil {
		return err
	}
	if err := s.checkPlace(tx, actor, v, *e); err != nil {
		return err
	}
	e.ID, e.Round, e.CreatedAt = id.New(id.Evidence, tx.Now()), v.Round, tx.Now()
	if err := tx.InsertEvidence(*e); err != nil {
		return err
	}
	if v.Status == verification.InReview {
		c, err := tx.Case(v.TenantID, v.CaseID)
		if err != nil {
			return err
		}
		c, drafts, err := c.NoteEvidence(e.ID, string(e.Requirement))
		if err != nil {
			return err
		}
		return tx.SaveCase(actor, c, drafts)
	}
	v, drafts, err := v.Provide(e.Requirement, e.ID)
	if err != nil {
		return err
	}
	return tx.SaveVerification(actor, v, drafts)
}

func attachmentRef(e verification.Evidence) vault.Ref {
	return vault.Ref{TenantID: e.TenantID, SubjectID: e.AccountID, AttachmentID: e.AttachmentID}
}

// WithdrawEvidence takes back what was sent but not yet submitted. Its attachment is removed.
func (s *Service) WithdrawEvidence(ctx context.Context, actor access.Actor, evidenceID string) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		e, err := tx.Evidence(actor.TenantID, evidenceID)
		if err != nil {
			return err
		}
		v, err := s.lockVerification(tx, actor, access.SendEvidence, e.VerificationID)
		if err != nil {
			return err
		}
		if e.Round != v.Round || !e.WithdrawnAt.IsZero() {
			return problem.New(problem.Conflict, "evidence_submitted", "this item was submitted already and can't be taken back")
		}
		existing, err := tx.EvidenceOf(v.TenantID, v.ID)
		if err != nil {
			return err
		}
		left := -1
		for _, one := range existing {
			if one.Requirement == e.Requirement && one.Round == v.Round {
				left++
			}
		}
		v, drafts, err := v.Withdraw(e.Requirement, e.ID, left)
		if err != nil {
			return err
		}
		if err := tx.WithdrawEvidence(v.TenantID, e.ID, tx.Now()); err != nil {
			return err
		}
		if err := tx.EnqueueNow(store.Job{
			TenantID: v.TenantID, Kind: JobDeleteAttachment, Payload: map[string]string{"attachment_id": e.AttachmentID}, Key: "delete:" + e.AttachmentID,
		}); err != nil {
			return err
		}
		return tx.SaveVerification(actor, v, drafts)
	})
}

// Attachment returns a piece of evidence with its bytes. Each look by staff is journalled.
func (s *Service) Attachment(ctx context.Context, actor access.Actor, evidenceID string) (verification.Evidence, []byte, error) {
	var e verification.Evidence
	var wrapped []byte
	load := func(_ context.Context, tx *store.Tx) error {
		var err error
		if e, err = tx.Evidence(actor.TenantID, evidenceID); err != nil {
			return err
		}
		if _, err = s.ownVerification(tx, actor, access.ReadTenant, e.VerificationID); err != nil {
			return err
		}
		var found bool
		if wrapped, found, err = tx.DataKey(e.TenantID, e.AccountID); err != nil {
			return err
		}
		if !found || !e.WithdrawnAt.IsZero() {
			return problem.Missing("evidence")
		}
		if actor.Kind == access.Staff {
			err = tx.Append(actor, journal.Of(journal.EvidenceViewed, e.ID, e.AccountID, "verification_id", e.VerificationID))
		}
		return err
	}
	run := s.read
	if actor.Kind == access.Staff {
		run = s.write
	}
	if err := run(ctx, load); err != nil {
		return e, nil, err
	}
	sealed, err := s.Blobs.Get(ctx, e.AttachmentID)
	if err != nil {
		return e, nil, err
	}
	plain, err := s.Keys.Open(wrapped, attachmentRef(e), sealed)
	return e, plain, err
}

// Submit hands the evidence of a verification to a reviewer. The holder gets the query code.
func (s *Service) Submit(ctx context.Context, actor access.Actor, verificationID string) (VerificationView, error) {
	var view VerificationView
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		v, err := s.lockVerification(tx, actor, access.SendEvidence, verificationID)
		if err != nil {
			return err
		}
		queryCode, err := querycode.New(rand.Reader)
		if err != nil {
			return err
		}
		v, drafts, err := v.Submit(queryCode, id.New(id.Case, tx.Now()), tx.Now())
		if err != nil {
			return err
		}
		if err := tx.SaveVerification(actor, v, drafts); err != nil {
			return err
		}
		if err := s.stopClock(tx, actor, v); err != nil {
			return err
		}
		if err := s.openCase(tx, actor, v); err != nil {
			return err
		}
		// No automatic check runs behind the answer yet, so review begins at once.
		if v, drafts, err = v.BeginReview(); err != nil {
			return err
		}
		if err := tx.SaveVerification(actor, v, drafts); err != nil {
			return err
		}
		if err := s.notify(tx, v, notice.SubmissionReceived); err != nil {
			return err
		}
		view, err = s.verificationView(tx, v)
		view.Verification = shownTo(actor, view.Verification)
		return err
	})
	return view, err
}
