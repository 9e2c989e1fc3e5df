package verification

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/journal"
)

// anyMove is one event with arguments that may or may not fit.
func anyMove(t *rapid.T, v Verification) (Verification, []journal.Draft, bool) {
	kind := rapid.SampledFrom(append([]RequirementKind{"selfie", ""}, RequirementKinds...)).Draw(t, "kind")
	reasons := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Reason {
		return Reason{Requirement: rapid.SampledFrom(append([]RequirementKind{""}, RequirementKinds...)).Draw(t, "of"), Code: "policy.other"}
	}), 0, 3).Draw(t, "reasons")
	var out Verification
	var drafts []journal.Draft
	var err error
	switch rapid.IntRange(0, 8).Draw(t, "event") {
	case 0:
		var changed bool
		out, drafts, changed = v.StartClock(noon, noon.Add(time.Hour), nil)
		return out, drafts, changed
	case 1:
		out, drafts, err = v.Provide(kind, "ev_1")
	case 2:
		out, drafts, err = v.Withdraw(kind, "ev_1", rapid.IntRange(0, 1).Draw(t, "left"))
	case 3:
		out, drafts, err = v.Submit("QC", "case_1", noon)
	case 4:
		out, drafts, err = v.BeginReview()
	case 5:
		out, drafts, err = v.Approve(noon)
	case 6:
		out, drafts, err = v.RequestResubmission(reasons, noon)
	case 7:
		out, drafts, err = v.Decline(reasons, noon)
	default:
		if rapid.IntRange(0, 4).Draw(t, "cancel") > 0 { // seldom, or no sequence gets far
			return v, nil, false
		}
		out, drafts, err = v.Cancel(noon)
	}
	return out, drafts, err == nil
}

func TestNoSequenceOfEventsLeavesTheAllowedStates(t *testing.T) {
	statuses := []RequirementStatus{Required, Provided, Submitted, Accepted, AskedAgain, NotAccepted}
	rapid.Check(t, func(t *rapid.T) {
		v := started()
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			before := v
			held := slices.Clone(v.Requirements)
			out, drafts, changed := anyMove(t, v)
			if !slices.EqualFunc(held, before.Requirements, func(a, b Requirement) bool { return a.Status == b.Status }) {
				t.Fatal("a move changed the value that it was called on")
			}
			if !changed {
				if out.Status != before.Status || out.Version != before.Version || len(drafts) != 0 {
					t.Fatalf("a refused event changed %s to %s", before.Status, out.Status)
				}
				continue
			}
			if out.Status != before.Status && !slices.Contains(next[before.Status], out.Status) {
				t.Fatalf("got %s after %s, which the map next does not allow", out.Status, before.Status)
			}
			if out.Version != before.Version+1 || len(drafts) == 0 {
				t.Fatalf("got version %d after %d with %d entries", out.Version, before.Version, len(drafts))
			}
			v = out
			checkInvariants(t, v, statuses)
		}
	})
}

func checkInvariants(t *rapid.T, v Verification, statuses []RequirementStatus) {
	if !v.Status.Valid() || len(v.Requirements) != len(RequirementKinds) {
		t.Fatalf("got status %q with %d requirements", v.Status, len(v.Requirements))
	}
	for _, r := range v.Requirements {
		if !slices.Contains(statuses, r.Status) {
			t.Fatalf("got requirement status %q", r.Status)
		}
	}
	if !v.Status.AwaitsHolder() && !v.DueAt.IsZero() {
		t.Fatalf("a clock runs while the verification is %s", v.Status)
	}
	if (v.Status == Processing || v.Status == InReview) && (len(v.Missing()) > 0 || v.QueryCode == "" || v.CaseID == "") {
		t.Fatalf("submitted with %v missing, query code %q, case %q", v.Missing(), v.QueryCode, v.CaseID)
	}
	if v.Status == ResubmissionRequested && v.Round < 2 {
		t.Fatalf("asked again in round %d", v.Round)
	}
}
