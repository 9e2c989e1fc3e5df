package store

import (
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

const verificationColumns = "tenant_id, id, account_id, type, status, version, payment_method_id, payment_id, opening_reason, " +
	"requirements, round, notice_code, query_code, case_id, received_at, due_at, due_because, policy_version, calendar_version, time_zone, " +
	"opened_at, submitted_at, decided_at"

func scanVerification(r row) (verification.Verification, error) {
	var v verification.Verification
	err := r.Scan(&v.TenantID, &v.ID, &v.AccountID, &v.Type, &v.Status, &v.Version, &v.PaymentMethodID, &v.PaymentID, &v.OpeningReason,
		fromJSON{&v.Requirements}, &v.Round, &v.NoticeCode, &v.QueryCode, &v.CaseID, instant{&v.ReceivedAt}, instant{&v.DueAt},
		fromJSON{&v.DueBecause}, &v.PolicyVersion, &v.CalendarVersion, &v.TimeZone, instant{&v.OpenedAt}, instant{&v.SubmittedAt}, instant{&v.DecidedAt})
	return v, err
}

// InsertVerification adds a verification. An account has at most one that is not finished.
func (tx *Tx) InsertVerification(actor access.Actor, v verification.Verification, drafts []journal.Draft) error {
	taken := problem.New(problem.Conflict, "verification_open", "this account has a verification under way already; go on with that one")
	err := tx.insert("verifications", verificationColumns, taken, v.TenantID, v.ID, v.AccountID, v.Type, v.Status, v.Version,
		v.PaymentMethodID, v.PaymentID, v.OpeningReason, asJSON{v.Requirements}, v.Round, v.NoticeCode, v.QueryCode, v.CaseID,
		micros(v.ReceivedAt), micros(v.DueAt), asJSON{v.DueBecause}, v.PolicyVersion, v.CalendarVersion, v.TimeZone, micros(v.OpenedAt),
		micros(v.SubmittedAt), micros(v.DecidedAt))
	if err != nil {
		return err
	}
	return tx.record(actor, v.TenantID, drafts)
}

// Verification returns a verification.
func (tx *Tx) Verification(tenantID, id string) (verification.Verification, error) {
	return one(tx, "verification", scanVerification,
		"SELECT "+verificationColumns+" FROM verifications WHERE tenant_id = $1 AND id = $2", tenantID, id)
}

// OpenVerificationOf returns the verification of an account that is not finished, and whether there is one.
func (tx *Tx) OpenVerificationOf(tenantID, accountID string) (verification.Verification, bool, error) {
	return maybe(tx, scanVerification, "SELECT "+verificationColumns+` FROM verifications WHERE tenant_id = $1 AND account_id = $2
		AND status IN ('awaiting_submission', 'processing', 'in_review', 'resubmission_requested')`, tenantID, accountID)
}

// VerificationByQueryCode returns the verification that a query code, as it is stored, was given for.
func (tx *Tx) VerificationByQueryCode(tenantID, code string) (verification.Verification, error) {
	return one(tx, "verification", scanVerification,
		"SELECT "+verificationColumns+" FROM verifications WHERE tenant_id = $1 AND query_code = $2 AND query_code <> ''", tenantID, code)
}

// VerificationFilter chooses verifications; empty members choose all.
type VerificationFilter struct {
	AccountID string
	Status    verification.Status
}

// ListVerifications returns verifications, newest first.
func (tx *Tx) ListVerifications(tenantID string, filter VerificationFilter, page Page) ([]verification.Verification, string, error) {
	list := listing[verification.Verification]{
		name: "verifications", query: "SELECT " + verificationColumns + " FROM verifications", by: "opened_at", scan: scanVerification,
		place: func(v verification.Verification) (time.Time, string) { return v.OpenedAt, v.ID },
	}
	list.and("tenant_id =", tenantID)
	list.andText("account_id =", filter.AccountID)
	list.andText("status =", string(filter.Status))
	return list.read(tx, page)
}

// AccountOfVerification returns whose verification it is. It is the one look-up across tenants: a holder who follows the link of a mail
// has not said which tenant they belong to. It proves nothing; signing in does.
func (tx *Tx) AccountOfVerification(verificationID string) (tenantID, accountID string, found bool, err error) {
	type owner struct{ tenantID, accountID string }
	whose, found, err := maybe(tx, func(r row) (owner, error) {
		var o owner
		return o, r.Scan(&o.tenantID, &o.accountID)
	}, "SELECT tenant_id, account_id FROM verifications WHERE id = $1", verificationID)
	return whose.tenantID, whose.accountID, found, err
}
