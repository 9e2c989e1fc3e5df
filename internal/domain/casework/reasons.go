package casework

import (
	_ "embed" // the catalogue is compiled in
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

// The languages that the catalogue is written in.
const (
	english           = "en"
	simplifiedChinese = "zh-CN"
)

// The codes that the automatic look at evidence uses as findings. The catalogue holds their texts like any other's.
const (
	ImageTooSmall              = "image.too_small"
	ImageBlank                 = "image.blank"
	IDBackMissing              = "id.back_missing"
	StatementPasswordProtected = "statement.password_protected"
)

// CatalogueReason is one thing that can be wrong with what a holder sent.
type CatalogueReason struct {
	Code         string
	Requirements []verification.RequirementKind // what it can be wrong with
	Retryable    bool                           // whether sending the item again can put it right
	label        map[string]string
	text         map[string]string
}

// Label names the reason for a reviewer, in a few words.
func (r CatalogueReason) Label(locale string) string { return r.label[language(locale)] }

// Text tells the holder what is wrong and what to do about it.
func (r CatalogueReason) Text(locale string) string { return r.text[language(locale)] }

// Ground tells the holder what is wrong and leaves out what to do about it, for decisions after which nothing can be sent any more. It
// is the first sentence of the text, or all of it where sending again was never the advice.
func (r CatalogueReason) Ground(locale string) string {
	text := r.Text(locale)
	if !r.Retryable {
		return text
	}
	for _, end := range []string{". ", "。"} {
		if first, _, found := strings.Cut(text, end); found {
			return first + strings.TrimSpace(end)
		}
	}
	return text
}

// AppliesTo reports whether the reason can be given for the requirement.
func (r CatalogueReason) AppliesTo(kind verification.RequirementKind) bool {
	return slices.Contains(r.Requirements, kind)
}

// ReasonCatalogue is one version of the reasons. Locales are BCP 47: every Chinese one reads Simplified Chinese, any other English.
type ReasonCatalogue struct {
	version  string
	citation string
	reasons  []CatalogueReason
	byCode   map[string]int
}

//go:embed reasons/2026-03-30.json
var currentReasons []byte

var catalogue = sync.OnceValue(func() *ReasonCatalogue {
	parsed, err := parseReasons(currentReasons)
	if err != nil {
		panic(err) // the file is compiled in and tested, so no running program can meet this
	}
	return parsed
})

// Catalogue returns the version in force.
func Catalogue() *ReasonCatalogue { return catalogue() }

// Citation says where the reasons are written down.
func (c *ReasonCatalogue) Citation() string { return c.citation }

// Version returns the day the catalogue was published, e.g. "2026-03-30".
func (c *ReasonCatalogue) Version() string { return c.version }

// All returns every reason in the order in which a reviewer meets them.
func (c *ReasonCatalogue) All() []CatalogueReason { return slices.Clone(c.reasons) }

// Lookup returns the reason with the code.
func (c *ReasonCatalogue) Lookup(code string) (CatalogueReason, bool) {
	at, known := c.byCode[code]
	if !known {
		return CatalogueReason{}, false
	}
	return c.reasons[at], true
}

// For returns the reasons that can be given for the requirement, in the order of the catalogue.
func (c *ReasonCatalogue) For(kind verification.RequirementKind) []CatalogueReason {
	var fitting []CatalogueReason
	for _, reason := range c.reasons {
		if reason.AppliesTo(kind) {
			fitting = append(fitting, reason)
		}
	}
	return fitting
}

// Text tells a holder what is wrong and what to do; empty for a code that is not in the catalogue.
func (c *ReasonCatalogue) Text(code, locale string) string {
	reason, _ := c.Lookup(code)
	return reason.Text(locale)
}

// Ground tells a holder what is wrong without what to do; empty for a code that is not in the catalogue.
func (c *ReasonCatalogue) Ground(code, locale string) string {
	reason, _ := c.Lookup(code)
	return reason.Ground(locale)
}

// Finding returns the finding of the code with its message, for the automatic look at evidence.
func (c *ReasonCatalogue) Finding(code, locale string) verification.Finding {
	return verification.Finding{Code: code, Message: c.Text(code, locale)}
}

// MaxReasons is how many reasons one decision can have.
const MaxReasons = 30

// CheckReasons checks the reasons of a decision by the catalogue in force.
func CheckReasons(reasons []verification.Reason, decision Decision) error {
	return Catalogue().CheckReasons(reasons, decision)
}

// CheckReasons returns the first rule that the reasons of a decision break: approve has none; request_resubmission has at least one,
// each for a requirement and each of a sort that sending again can put right; decline may have some, for a requirement or for none.
func (c *ReasonCatalogue) CheckReasons(reasons []verification.Reason, decision Decision) error {
	switch decision {
	case Approve:
		if len(reasons) > 0 {
			return problem.Field("reasons", "reasons_not_expected", "an approval has no reasons; leave them out, or use note")
		}
	case RequestResubmission:
		if len(reasons) == 0 {
			return problem.Field("reasons", "reasons_required", "a request to resubmit needs a reason for at least one requirement")
		}
	case Decline:
	default:
		return problem.Field("decision", "decision_unknown", "decision must be approve, request_resubmission or decline")
	}
	if len(reasons) > MaxReasons {
		return problem.Field("reasons", "too_many_reasons", "a decision has at most 30 reasons")
	}
	for _, given := range reasons {
		if err := c.checkReason(given, decision); err != nil {
			return err
		}
	}
	return nil
}

func (c *ReasonCatalogue) checkReason(given verification.Reason, decision Decision) error {
	reason, known := c.Lookup(given.Code)
	if !known {
		return problem.Field("reasons.code", "reason_unknown", "each reason has a code of the reason catalogue, such as id.blurred")
	}
	if given.Requirement == "" {
		if decision == RequestResubmission {
			return problem.Field("reasons.requirement", "required", "a request to resubmit names the requirement of each reason: government_id, payment_method or billing_statement")
		}
	} else if !slices.Contains(verification.RequirementKinds, given.Requirement) {
		return problem.Field("reasons.requirement", "requirement_unknown", "each reason names government_id, payment_method or billing_statement")
	} else if !reason.AppliesTo(given.Requirement) {
		return problem.Field("reasons.code", "reason_of_another_requirement", "this reason is not one of the requirement it is given for; choose one that is")
	}
	if decision == RequestResubmission && !reason.Retryable {
		return problem.Field("reasons.code", "reason_not_retryable", "sending the item again can't put this reason right; decline, or choose another reason")
	}
	return account.CheckText("reasons.note", given.Note, MaxNote)
}

func language(locale string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(locale), "_", "-"), "-")
	if primary == "zh" {
		return simplifiedChinese
	}
	return english
}

// parseReasons reads one version of the catalogue and refuses one that is not complete.
func parseReasons(raw []byte) (*ReasonCatalogue, error) {
	var file struct {
		Version  string `json:"version"`
		Citation string `json:"citation"`
		Reasons  []struct {
			Code         string                         `json:"code"`
			Requirements []verification.RequirementKind `json:"requirements"`
			Retryable    bool                           `json:"retryable"`
			Label        map[string]string              `json:"label"`
			Text         map[string]string              `json:"text"`
		} `json:"reasons"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read reason catalogue: %w", err)
	}
	if file.Version == "" || file.Citation == "" {
		return nil, fmt.Errorf("read reason catalogue: version and citation are required")
	}
	parsed := &ReasonCatalogue{version: file.Version, citation: file.Citation, byCode: map[string]int{}}
	for _, r := range file.Reasons {
		if _, twice := parsed.byCode[r.Code]; twice || r.Code == "" || len(r.Requirements) == 0 {
			return nil, fmt.Errorf("read reason catalogue: reason %q is twice there or lacks a code or requirement", r.Code)
		}
		for _, kind := range r.Requirements {
			if !slices.Contains(verification.RequirementKinds, kind) {
				return nil, fmt.Errorf("read reason catalogue: reason %s has an unknown requirement", r.Code)
			}
		}
		for _, language := range []string{english, simplifiedChinese} {
			if r.Label[language] == "" || r.Text[language] == "" {
				return nil, fmt.Errorf("read reason catalogue: reason %s lacks its %s label or text", r.Code, language)
			}
		}
		parsed.byCode[r.Code] = len(parsed.reasons)
		parsed.reasons = append(parsed.reasons, CatalogueReason{
			Code: r.Code, Requirements: r.Requirements, Retryable: r.Retryable, label: r.Label, text: r.Text,
		})
	}
	return parsed, nil
}
