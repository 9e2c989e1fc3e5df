package service_test

import (
	"path/filepath"
	"slices"
	"strings"
)

// column returns the rows of a query with one column of text.
func (w *world) column(query string) []string {
	w.Helper()
	rows, err := w.db.QueryContext(w.Context(), query)
	w.must(err)
	defer rows.Close()
	var found []string
	for rows.Next() {
		var text string
		w.must(rows.Scan(&text))
		found = append(found, text)
	}
	w.must(rows.Err())
	return found
}

// invariants checks what is true at every moment, whatever failed before.
func (w *world) invariants() {
	w.Helper()
	// Each query finds what must not be.
	for _, rule := range []struct{ name, query string }{
		{"a rejected payment without its verification", `SELECT id FROM payments p WHERE outcome = 'rejected' AND reasons NOT LIKE '%"budget"%'
			AND NOT EXISTS (SELECT 1 FROM verifications v WHERE v.tenant_id = p.tenant_id AND v.id = p.verification_id)`},
		{"a rejected payment without its entry", `SELECT id FROM payments p WHERE outcome = 'rejected'
			AND NOT EXISTS (SELECT 1 FROM journal j WHERE j.object_id = p.id AND j.type = 'payment.rejected')`},
		{"an open verification whose account is free", `SELECT id FROM verifications v
			WHERE status IN ('awaiting_submission', 'in_review', 'resubmission_requested')
			AND NOT EXISTS (SELECT 1 FROM restrictions r WHERE r.account_id = v.account_id AND r.lifted_at IS NULL AND r.verification_id = v.id)`},
		{"an approved verification whose restriction stands", `SELECT id FROM verifications v WHERE status IN ('approved', 'canceled')
			AND EXISTS (SELECT 1 FROM restrictions r WHERE r.verification_id = v.id AND r.lifted_at IS NULL)`},
		{"a verification without one alert", `SELECT id FROM verifications v
			WHERE (SELECT COUNT(*) FROM notices n WHERE n.verification_id = v.id AND n.kind = 'payment_method_security_alert') <> 1`},
		{"a notice without its message", `SELECT id FROM notices n WHERE (SELECT COUNT(*) FROM messages m WHERE m.notice_id = n.id) <> 1`},
		{"a review without its case, or a case in review without being open", `SELECT id FROM verifications v WHERE status = 'in_review'
			AND (SELECT COUNT(*) FROM cases c WHERE c.verification_id = v.id AND c.id = v.case_id AND c.status = 'open') <> 1`},
		{"a decided case without its review", `SELECT id FROM cases c WHERE (status = 'decided') <> (EXISTS (SELECT 1 FROM reviews r WHERE r.case_id = c.id))`},
		{"a clock without its job", `SELECT id FROM verifications v WHERE due_at IS NOT NULL AND status IN ('awaiting_submission', 'resubmission_requested')
			AND NOT EXISTS (SELECT 1 FROM enforcements e WHERE e.account_id = v.account_id AND e.state = 'suspended')
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'submission_due' AND j.key LIKE 'submission_due:' || v.id || ':%')`},
		{"a pending command without its job", `SELECT id FROM commands c WHERE state = 'pending'
			AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.key = 'command:' || c.id)`},
		{"a suspended account that was told otherwise last", `SELECT account_id FROM enforcements e WHERE sequence > 0 AND (state = 'suspended') <>
			('suspend' = (SELECT kind FROM commands c WHERE c.account_id = e.account_id AND c.sequence = e.sequence))`},
		{"a gap in the journal", `SELECT id FROM tenants t WHERE journal_length <> (SELECT COUNT(*) FROM journal j WHERE j.tenant_id = t.id)
			OR journal_length <> (SELECT MAX(sequence) FROM journal j WHERE j.tenant_id = t.id)`},
		{"a retry granted for nothing", `SELECT id FROM retry_grants g WHERE NOT EXISTS
			(SELECT 1 FROM verifications v WHERE v.id = g.verification_id AND v.status = 'approved' AND v.payment_id = g.payment_id)`},
		{"a retry used by no payment", `SELECT id FROM retry_grants g WHERE used_by <> '' AND NOT EXISTS
			(SELECT 1 FROM payments p WHERE p.id = g.used_by AND p.grant_id = g.id AND p.outcome = 'approved')`},
		{"a held payment without its case, or a case without its held payment", `SELECT id FROM payments p WHERE outcome = 'review'
			AND (SELECT COUNT(*) FROM cases c WHERE c.payment_id = p.id AND c.kind = 'payment_review') <> 1
			UNION SELECT id FROM cases c WHERE kind = 'payment_review' AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.id = c.payment_id AND p.outcome = 'review')`},
		{"a held payment whose case and finding disagree", `SELECT id FROM cases c WHERE kind = 'payment_review' AND (status = 'decided') <>
			EXISTS (SELECT 1 FROM payment_findings f WHERE f.payment_id = c.payment_id AND f.case_id = c.id
				AND f.kind = CASE c.decision WHEN 'approve' THEN 'review_approved' ELSE 'review_rejected' END)`},
		{"a live policy that is not the tenant's, or the other way about", `SELECT id FROM policies p WHERE (state = 'live') <>
			EXISTS (SELECT 1 FROM risk_settings s WHERE s.tenant_id = p.tenant_id AND s.live_id = p.id)`},
		{"a live policy that one person made", `SELECT id FROM policies p WHERE state IN ('live', 'retired', 'preparing') AND (approved_by = proposed_by OR approved_by = drafted_by)
			AND NOT EXISTS (SELECT 1 FROM risk_settings s WHERE s.tenant_id = p.tenant_id AND s.one_person = 1)`},
		{"a job that was given up", `SELECT kind FROM jobs WHERE state <> 'pending'`},
	} {
		if found := w.column(rule.query); len(found) > 0 {
			w.Errorf("there is %s: %v", rule.name, found)
		}
	}
	w.attachments()
}

// attachments checks that every piece of evidence opens, and that no attachment lies about without one.
func (w *world) attachments() {
	w.Helper()
	rows := w.column("SELECT attachment_id FROM evidence WHERE withdrawn_at IS NULL")
	leaving := w.text("jobs")
	var onDisk []string
	for _, path := range w.files() {
		name := filepath.Base(path)
		if !slices.Contains(rows, name) && !strings.Contains(leaving, name) {
			w.Errorf("the attachment %s has no row", name)
		}
		onDisk = append(onDisk, name)
	}
	for _, id := range rows {
		if !slices.Contains(onDisk, id) {
			w.Errorf("the evidence's attachment %s is gone", id)
		}
	}
}
