package verification

import (
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// StartClock records that the notice was received, and when the submission is due. It changes nothing, and says so, when the
// holder is not the one to act, or when the clock of this round already runs: a printed due date never moves earlier.
func (v Verification) StartClock(receivedAt, dueAt time.Time, because []string) (Verification, []journal.Draft, bool) {
	if !v.Status.AwaitsHolder() || !v.DueAt.IsZero() {
		return v, nil, false
	}
	out := v.clone()
	out.ReceivedAt, out.DueAt, out.DueBecause = receivedAt, dueAt, because
	return out, []journal.Draft{journal.Of(journal.DeadlineSet, v.ID, v.AccountID,
		"due_at", dueAt.UTC().Format(time.RFC3339), "round", strconv.Itoa(v.Round))}, true
}

// Provide records that evidence for a requirement is there.
func (v Verification) Provide(kind RequirementKind, evidenceID string) (Verification, []journal.Draft, error) {
	if err := v.CheckAwaitsHolder(); err != nil {
		return v, nil, err
	}
	out := v.clone()
	requirement := out.Requirement(kind)
	if requirement == nil {
		return v, nil, problem.Field("requirement", "requirement_unknown", "this verification asks for government_id, payment_method and billing_statement")
	}
	if requirement.Status == Accepted {
		return v, nil, problem.New(problem.Conflict, "requirement_accepted", "this item was accepted already; send only what was asked for again")
	}
	requirement.Status = Provided
	return out, []journal.Draft{journal.Of(journal.EvidenceReceived, evidenceID, v.AccountID,
		"verification_id", v.ID, "requirement", string(kind))}, nil
}

// Withdraw records that evidence was taken back before its submission; left says how many pieces the requirement still has.
func (v Verification) Withdraw(kind RequirementKind, evidenceID string, left int) (Verification, []journal.Draft, error) {
	if err := v.CheckAwaitsHolder(); err != nil {
		return v, nil, err
	}
	out := v.clone()
	requirement := out.Requirement(kind)
	if requirement == nil || requirement.Status != Provided {
		return v, nil, problem.New(problem.Conflict, "evidence_submitted", "this item was submitted already and can't be taken back")
	}
	if left == 0 {
		requirement.Status = Required
		if len(requirement.Reasons) > 0 {
			requirement.Status = AskedAgain
		}
	}
	return out, []journal.Draft{journal.Of(journal.EvidenceWithdrawn, evidenceID, v.AccountID,
		"verification_id", v.ID, "requirement", string(kind))}, nil
}

// Submit hands the evidence over: the clock stops, and the query code is given at the first time. A second submission of the same
// round is a conflict that says so.
func (v Verification) Submit(queryCode, caseID string, now time.Time) (Verification, []journal.Draft, error) {
	if err := v.CheckAwaitsHolder(); err != nil {
		return v, nil, err
	}
	if missing := v.Missing(); len(missing) > 0 {
		names := make([]string, len(missing))
		for i, kind := range missing {
			names[i] = string(kind)
		}
		return v, nil, problem.Field("requirements", "evidence_missing", "still missing: "+strings.Join(names, ", ")+"; send these first")
	}
	out, err := v.move(Processing)
	if err != nil {
		return v, nil, err
	}
	for i := range out.Requirements {
		if out.Requirements[i].Status == Provided {
			out.Requirements[i].Status = Submitted
		}
	}
	if out.QueryCode == "" {
		out.QueryCode = queryCode
	}
	out.CaseID, out.SubmittedAt, out.DueAt, out.DueBecause = caseID, now, time.Time{}, nil
	return out, []journal.Draft{journal.Of(journal.VerificationSubmit, v.ID, v.AccountID,
		"case_id", caseID, "round", strconv.Itoa(v.Round))}, nil
}

// BeginReview follows Submit once no automatic check is pending.
func (v Verification) BeginReview() (Verification, []journal.Draft, error) {
	out, err := v.move(InReview)
	if err != nil {
		return v, nil, err
	}
	return out, []journal.Draft{journal.Of(journal.VerificationReview, v.ID, v.AccountID, "case_id", v.CaseID)}, nil
}

// Approve ends the verification in the holder's favour.
func (v Verification) Approve(now time.Time) (Verification, []journal.Draft, error) {
	out, err := v.move(Approved)
	if err != nil {
		return v, nil, err
	}
	for i := range out.Requirements {
		out.Requirements[i].Status, out.Requirements[i].Reasons = Accepted, nil
	}
	out.DecidedAt = now
	return out, []journal.Draft{journal.Of(journal.VerificationApprove, v.ID, v.AccountID, "case_id", v.CaseID)}, nil
}

// RequestResubmission asks again for the requirements that have a reason, accepts the others, and begins a new round, whose
// clock starts when its notice is received.
func (v Verification) RequestResubmission(reasons []Reason, now time.Time) (Verification, []journal.Draft, error) {
	if len(reasons) == 0 {
		return v, nil, problem.Field("reasons", "reasons_required", "a request to resubmit needs a reason for at least one requirement")
	}
	out, err := v.move(ResubmissionRequested)
	if err != nil {
		return v, nil, err
	}
	byKind := map[RequirementKind][]Reason{}
	for _, reason := range reasons {
		if out.Requirement(reason.Requirement) == nil {
			return v, nil, problem.Field("reasons.requirement", "requirement_unknown", "each reason names government_id, payment_method or billing_statement")
		}
		byKind[reason.Requirement] = append(byKind[reason.Requirement], reason)
	}
	for i := range out.Requirements {
		requirement := &out.Requirements[i]
		requirement.Status, requirement.Reasons = Accepted, byKind[requirement.Kind]
		if len(requirement.Reasons) > 0 {
			requirement.Status = AskedAgain
		}
	}
	out.Round++
	out.ReceivedAt, out.DueAt, out.DueBecause, out.DecidedAt = time.Time{}, time.Time{}, nil, now
	return out, []journal.Draft{journal.Of(journal.VerificationResubmt, v.ID, v.AccountID,
		"case_id", v.CaseID, "round", strconv.Itoa(out.Round))}, nil
}

// Decline ends the verification against the holder. The restriction stays.
func (v Verification) Decline(reasons []Reason, now time.Time) (Verification, []journal.Draft, error) {
	out, err := v.move(Declined)
	if err != nil {
		return v, nil, err
	}
	for i := range out.Requirements {
		requirement := &out.Requirements[i]
		requirement.Reasons = nil
		for _, reason := range reasons {
			if reason.Requirement == requirement.Kind {
				requirement.Status = NotAccepted
				requirement.Reasons = append(requirement.Reasons, reason)
			}
		}
	}
	out.DecidedAt = now
	return out, []journal.Draft{journal.Of(journal.VerificationDecline, v.ID, v.AccountID, "case_id", v.CaseID)}, nil
}

// Cancel ends a verification that should not have been opened.
func (v Verification) Cancel(now time.Time) (Verification, []journal.Draft, error) {
	out, err := v.move(Canceled)
	if err != nil {
		return v, nil, err
	}
	out.DueAt, out.DueBecause, out.DecidedAt = time.Time{}, nil, now
	return out, []journal.Draft{journal.Of(journal.VerificationCancel, v.ID, v.AccountID, "case_id", v.CaseID)}, nil
}
