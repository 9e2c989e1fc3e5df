package store

import (
	"time"

	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

const evidenceColumns = "tenant_id, id, verification_id, account_id, requirement, document_type, side, round, attachment_id, media_type, " +
	"size, width, height, pages, findings, sent_by, created_at, withdrawn_at"

func scanEvidence(r row) (verification.Evidence, error) {
	var e verification.Evidence
	err := r.Scan(&e.TenantID, &e.ID, &e.VerificationID, &e.AccountID, &e.Requirement, &e.DocumentType, &e.Side, &e.Round, &e.AttachmentID,
		&e.MediaType, &e.Size, &e.Width, &e.Height, &e.Pages, fromJSON{&e.Findings}, &e.SentBy, instant{&e.CreatedAt}, instant{&e.WithdrawnAt})
	return e, err
}

// InsertEvidence adds a piece of evidence. What it does to its verification or case is saved, and journalled, with that.
func (tx *Tx) InsertEvidence(e verification.Evidence) error {
	return tx.insert("evidence", evidenceColumns, nil, e.TenantID, e.ID, e.VerificationID, e.AccountID, e.Requirement, e.DocumentType,
		e.Side, e.Round, e.AttachmentID, e.MediaType, e.Size, e.Width, e.Height, e.Pages, asJSON{e.Findings}, e.SentBy, micros(e.CreatedAt),
		micros(e.WithdrawnAt))
}

// WithdrawEvidence notes that evidence no longer counts; a second time is a conflict. It is journalled with its verification.
func (tx *Tx) WithdrawEvidence(tenantID, id string, at time.Time) error {
	return tx.swap("UPDATE evidence SET withdrawn_at = $1 WHERE tenant_id = $2 AND id = $3 AND withdrawn_at IS NULL",
		micros(at), tenantID, id)
}

// Evidence returns a piece of evidence, withdrawn or not.
func (tx *Tx) Evidence(tenantID, id string) (verification.Evidence, error) {
	return one(tx, "evidence", scanEvidence, "SELECT "+evidenceColumns+" FROM evidence WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// EvidenceOf returns the evidence of a verification that was not withdrawn, of all rounds, oldest first.
func (tx *Tx) EvidenceOf(tenantID, verificationID string) ([]verification.Evidence, error) {
	return all(tx, scanEvidence, "SELECT "+evidenceColumns+` FROM evidence
		WHERE tenant_id = $1 AND verification_id = $2 AND withdrawn_at IS NULL ORDER BY created_at, id`, tenantID, verificationID)
}

// DataKey returns the wrapped key that a subject's attachments are sealed with, and whether there is one.
func (tx *Tx) DataKey(tenantID, subjectID string) ([]byte, bool, error) {
	return maybe(tx, func(r row) (wrapped []byte, err error) {
		err = r.Scan(&wrapped)
		return wrapped, err
	}, "SELECT wrapped FROM data_keys WHERE tenant_id = $1 AND subject_id = $2", tenantID, subjectID)
}

// InsertDataKey keeps a subject's wrapped key. The conflict "data_key_exists" leaves the transaction whole: read the key that stands.
func (tx *Tx) InsertDataKey(tenantID, subjectID string, wrapped []byte) error {
	count, err := tx.exec(`INSERT INTO data_keys (tenant_id, subject_id, wrapped, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, subject_id) DO NOTHING`, tenantID, subjectID, some(wrapped), micros(tx.now))
	if err == nil && count == 0 {
		return problem.New(problem.Conflict, "data_key_exists", "the subject has a data key already")
	}
	return err
}
