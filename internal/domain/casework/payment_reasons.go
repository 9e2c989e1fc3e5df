package casework

import (
	_ "embed" // the catalogue is compiled in
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

// PaymentReason is one ground on which a held payment is decided.
type PaymentReason struct {
	Code      string
	Decisions []Decision // for which it can be given
	// Fraud says that the payment was confirmed to be fraud, and Legitimate that it was confirmed to be none: what aggregates count from then on.
	Fraud      bool
	Legitimate bool
	label      map[string]string
	text       map[string]string
}

// Label names the ground for a reviewer, in a few words.
func (r PaymentReason) Label(locale string) string { return r.label[language(locale)] }

// Text says the ground to the platform and its customer.
func (r PaymentReason) Text(locale string) string { return r.text[language(locale)] }

//go:embed payment_reasons/2026-11-20.json
var currentPaymentReasons []byte

var paymentReasons = sync.OnceValue(func() []PaymentReason {
	parsed, err := parsePaymentReasons(currentPaymentReasons)
	if err != nil {
		panic(err) // the file is compiled in and tested, so no running program can meet this
	}
	return parsed
})

// PaymentReasons returns the grounds for a decision on a held payment, in the order in which a reviewer meets them.
func PaymentReasons(d Decision) []PaymentReason {
	var fitting []PaymentReason
	for _, reason := range paymentReasons() {
		if slices.Contains(reason.Decisions, d) {
			fitting = append(fitting, reason)
		}
	}
	return fitting
}

// LookupPaymentReason returns the ground with the code.
func LookupPaymentReason(code string) (PaymentReason, bool) {
	for _, reason := range paymentReasons() {
		if reason.Code == code {
			return reason, true
		}
	}
	return PaymentReason{}, false
}

// CheckPaymentReasons returns the first rule that the grounds of a decision on a held payment break: a rejection has at least one, an
// approval may have some, and none is about a requirement.
func CheckPaymentReasons(reasons []verification.Reason, d Decision) error {
	if !d.Decides(PaymentReview) {
		return problem.Field("decision", "decision_unknown", "the decision on a held payment must be approve or reject")
	}
	if len(reasons) == 0 && d == Reject {
		return problem.Field("reasons", "reasons_required", "a rejection needs at least one reason")
	}
	if len(reasons) > MaxReasons {
		return problem.Field("reasons", "too_many_reasons", "a decision has at most 30 reasons")
	}
	for _, given := range reasons {
		reason, known := LookupPaymentReason(given.Code)
		if !known {
			return problem.Field("reasons.code", "reason_unknown", "each reason has a code of the catalogue for held payments, such as payment.stolen_method")
		}
		if !slices.Contains(reason.Decisions, d) {
			return problem.Field("reasons.code", "reason_of_another_decision", "this reason is not one for the decision it is given for; choose one that is")
		}
		if given.Requirement != "" {
			return problem.Field("reasons.requirement", "requirement_not_expected", "a held payment has no requirements; leave requirement out")
		}
		if err := account.CheckText("reasons.note", given.Note, MaxNote); err != nil {
			return err
		}
	}
	return nil
}

// parsePaymentReasons reads one version of the catalogue and refuses one that is not complete.
func parsePaymentReasons(raw []byte) ([]PaymentReason, error) {
	var file struct {
		Version  string `json:"version"`
		Citation string `json:"citation"`
		Reasons  []struct {
			Code       string            `json:"code"`
			Decisions  []Decision        `json:"decisions"`
			Fraud      bool              `json:"fraud"`
			Legitimate bool              `json:"legitimate"`
			Label      map[string]string `json:"label"`
			Text       map[string]string `json:"text"`
		} `json:"reasons"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read reasons of held payments: %w", err)
	}
	if file.Version == "" || file.Citation == "" {
		return nil, fmt.Errorf("read reasons of held payments: version and citation are required")
	}
	var parsed []PaymentReason
	for _, r := range file.Reasons {
		if r.Code == "" || len(r.Decisions) == 0 || (r.Fraud && r.Legitimate) || slices.ContainsFunc(parsed, func(p PaymentReason) bool { return p.Code == r.Code }) {
			return nil, fmt.Errorf("read reasons of held payments: reason %q is twice there, contradicts itself or lacks a code or decision", r.Code)
		}
		for _, d := range r.Decisions {
			if !d.Decides(PaymentReview) {
				return nil, fmt.Errorf("read reasons of held payments: reason %s is for an unknown decision", r.Code)
			}
		}
		for _, language := range []string{english, simplifiedChinese} {
			if r.Label[language] == "" || r.Text[language] == "" {
				return nil, fmt.Errorf("read reasons of held payments: reason %s lacks its %s label or text", r.Code, language)
			}
		}
		parsed = append(parsed, PaymentReason{
			Code: r.Code, Decisions: r.Decisions, Fraud: r.Fraud, Legitimate: r.Legitimate, label: r.Label, text: r.Text,
		})
	}
	return parsed, nil
}
