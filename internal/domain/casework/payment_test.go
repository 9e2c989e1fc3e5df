package casework

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/verification"
)

func TestEveryPublishedListOfPaymentReasonsCanBeRead(t *testing.T) {
	files, err := filepath.Glob("payment_reasons/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v %v, want at least one version", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsePaymentReasons(raw); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestTheReasonsOfADecisionOnAHeldPayment(t *testing.T) {
	for _, c := range []struct {
		name     string
		decision Decision
		reasons  []verification.Reason
		code     string
	}{
		{"an approval needs none", Approve, nil, ""},
		{"an approval may have one", Approve, []verification.Reason{{Code: "payment.confirmed_by_holder"}}, ""},
		{"a rejection has at least one", Reject, nil, "reasons_required"},
		{"a rejection has one of its own", Reject, []verification.Reason{{Code: "payment.confirmed_by_holder"}}, "reason_of_another_decision"},
		{"a rejection with a reason of the catalogue", Reject, []verification.Reason{{Code: "payment.stolen_method", Note: "the owner called"}}, ""},
		{"an unknown reason", Reject, []verification.Reason{{Code: "id.blurred"}}, "reason_unknown"},
		{"a requirement", Reject, []verification.Reason{{Code: "payment.other", Requirement: verification.GovernmentID}}, "requirement_not_expected"},
		{"a decision of another kind of case", Decline, nil, "decision_unknown"},
		{"too many", Reject, make([]verification.Reason, MaxReasons+1), "too_many_reasons"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckPaymentReasons(c.reasons, c.decision)
			if c.code != "" {
				wantCode(t, err, c.code)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACaseIsDecidedByItsKind(t *testing.T) {
	held, drafts := StartPayment("case_1", Held{TenantID: "ten_1", AccountID: "acct_1", PaymentID: "pay_1"}, noon.Add(48*time.Hour), noon)
	if held.Kind != PaymentReview || held.Status != Open || len(drafts) != 1 || drafts[0].Data["payment_id"] != "pay_1" {
		t.Errorf("got %+v %+v", held, drafts)
	}
	for _, d := range []Decision{Approve, Reject} {
		if out, _, err := held.Decide(d, noon.Add(time.Hour)); err != nil || out.Decision != d {
			t.Errorf("%s: got %+v %v", d, out, err)
		}
	}
	for _, d := range []Decision{Decline, RequestResubmission, ""} {
		_, _, err := held.Decide(d, noon)
		wantCode(t, err, "decision_unknown")
	}
	_, _, err := open().Decide(Reject, noon)
	wantCode(t, err, "decision_unknown")
}
