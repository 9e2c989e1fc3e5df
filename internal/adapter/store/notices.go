package store

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
)

const noticeColumns = "tenant_id, id, account_id, verification_id, round, kind, message_id, version, created_at, accepted_at, bounced_at, " +
	"received_at"

func scanNotice(r row) (notice.Notice, error) {
	var n notice.Notice
	err := r.Scan(&n.TenantID, &n.ID, &n.AccountID, &n.VerificationID, &n.Round, &n.Kind, &n.MessageID, &n.Version, instant{&n.CreatedAt},
		instant{&n.AcceptedAt}, instant{&n.BouncedAt}, instant{&n.ReceivedAt})
	return n, err
}

// InsertNotice adds a notice and its Internal Message.
func (tx *Tx) InsertNotice(actor access.Actor, n notice.Notice, m notice.Message, drafts []journal.Draft) error {
	err := tx.insert("notices", noticeColumns, nil, n.TenantID, n.ID, n.AccountID, n.VerificationID, n.Round, n.Kind, n.MessageID, n.Version,
		micros(n.CreatedAt), micros(n.AcceptedAt), micros(n.BouncedAt), micros(n.ReceivedAt))
	if err != nil {
		return err
	}
	err = tx.insert("messages", messageColumns, nil, m.TenantID, m.AccountID, m.ID, m.VerificationID, m.NoticeID, m.Subject, m.Body,
		micros(m.CreatedAt), micros(m.ReadAt))
	if err != nil {
		return err
	}
	return tx.record(actor, n.TenantID, drafts)
}

// SaveNotice saves what became of a notice: accepted, bounced, received.
func (tx *Tx) SaveNotice(actor access.Actor, n notice.Notice, drafts []journal.Draft) error {
	err := tx.swap(`UPDATE notices SET version = $1, accepted_at = $2, bounced_at = $3, received_at = $4
		WHERE tenant_id = $5 AND id = $6 AND version = $7`,
		n.Version, micros(n.AcceptedAt), micros(n.BouncedAt), micros(n.ReceivedAt), n.TenantID, n.ID, n.Version-1)
	if err != nil {
		return err
	}
	return tx.record(actor, n.TenantID, drafts)
}

// Notice returns a notice.
func (tx *Tx) Notice(tenantID, id string) (notice.Notice, error) {
	return one(tx, "notice", scanNotice, "SELECT "+noticeColumns+" FROM notices WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// NoticesOf returns the notices of a verification, oldest first.
func (tx *Tx) NoticesOf(tenantID, verificationID string) ([]notice.Notice, error) {
	return all(tx, scanNotice, "SELECT "+noticeColumns+" FROM notices WHERE tenant_id = $1 AND verification_id = $2 ORDER BY created_at, id",
		tenantID, verificationID)
}

// UndeliveredNotices returns the notices of unfinished verifications that nobody received, newest first: those whose mail was refused
// for good, and those that ask something of the holder and have waited since before the instant. No clock runs for them until staff
// reach the holder another way.
func (tx *Tx) UndeliveredNotices(tenantID string, waitingSince time.Time, page Page) ([]notice.Notice, string, error) {
	list := listing[notice.Notice]{
		name: "notices_undelivered", query: "SELECT " + noticeColumns + " FROM notices", by: "created_at", scan: scanNotice,
		args: []any{micros(waitingSince)},
		where: []string{"received_at IS NULL", `EXISTS (SELECT 1 FROM verifications v WHERE v.tenant_id = notices.tenant_id
			AND v.id = notices.verification_id AND v.status IN ('awaiting_submission', 'processing', 'in_review', 'resubmission_requested')
			AND (notices.bounced_at IS NOT NULL OR (notices.kind IN ('payment_method_security_alert', 'resubmission_requested')
			AND v.round = notices.round AND v.status IN ('awaiting_submission', 'resubmission_requested') AND notices.created_at < $1)))`},
		place: func(n notice.Notice) (time.Time, string) { return n.CreatedAt, n.ID },
	}
	list.and("tenant_id =", tenantID)
	return list.read(tx, page)
}

const messageColumns = "tenant_id, account_id, id, verification_id, notice_id, subject, body, created_at, read_at"

func scanMessage(r row) (notice.Message, error) {
	var m notice.Message
	err := r.Scan(&m.TenantID, &m.AccountID, &m.ID, &m.VerificationID, &m.NoticeID, &m.Subject, &m.Body, instant{&m.CreatedAt}, instant{&m.ReadAt})
	return m, err
}

// Messages returns the Internal Messages of an account, newest first.
func (tx *Tx) Messages(tenantID, accountID string, page Page) ([]notice.Message, string, error) {
	list := listing[notice.Message]{
		name: "messages", query: "SELECT " + messageColumns + " FROM messages", by: "created_at", scan: scanMessage,
		place: func(m notice.Message) (time.Time, string) { return m.CreatedAt, m.ID },
	}
	list.and("tenant_id =", tenantID)
	list.and("account_id =", accountID)
	return list.read(tx, page)
}

// Message returns an Internal Message of an account.
func (tx *Tx) Message(tenantID, accountID, id string) (notice.Message, error) {
	return one(tx, "message", scanMessage,
		"SELECT "+messageColumns+" FROM messages WHERE tenant_id = $1 AND account_id = $2 AND id = $3", tenantID, accountID, id)
}

// MarkMessageRead saves when a message was read; a second time is a conflict.
func (tx *Tx) MarkMessageRead(actor access.Actor, m notice.Message, drafts []journal.Draft) error {
	err := tx.swap("UPDATE messages SET read_at = $1 WHERE tenant_id = $2 AND account_id = $3 AND id = $4 AND read_at IS NULL",
		micros(m.ReadAt), m.TenantID, m.AccountID, m.ID)
	if err != nil {
		return err
	}
	return tx.record(actor, m.TenantID, drafts)
}

// UnreadMessages returns how many messages of an account were not read.
func (tx *Tx) UnreadMessages(tenantID, accountID string) (int, error) {
	return one(tx, "message", scanCount, "SELECT COUNT(*) FROM messages WHERE tenant_id = $1 AND account_id = $2 AND read_at IS NULL",
		tenantID, accountID)
}
