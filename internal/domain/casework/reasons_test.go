package casework

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/problem"
)

func TestEveryPublishedCatalogueCanBeRead(t *testing.T) {
	files, err := filepath.Glob("reasons/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v %v, want at least one version", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parseReasons(raw)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got, want := parsed.Version(), strings.TrimSuffix(filepath.Base(file), ".json"); got != want {
			t.Errorf("got version %s in the file of %s", got, want)
		}
	}
	slices.Sort(files)
	if newest := strings.TrimSuffix(filepath.Base(files[len(files)-1]), ".json"); Catalogue().Version() != newest {
		t.Errorf("got version %s in force, want the newest, %s", Catalogue().Version(), newest)
	}
}

func TestTheCatalogueHoldsTheCodesOfTheThreeItems(t *testing.T) {
	for _, code := range strings.Fields(`id.expired id.blurred id.glare id.cropped id.back_missing id.copy_or_screen id.type_not_accepted
		id.name_mismatch_holder id.mrz_invalid id.data_inconsistent id.number_checksum id.suspected_tampering card.unmasked_pan
		card.first6_not_visible card.last4_not_visible card.name_not_visible card.last4_mismatch_on_file card.wrong_side
		statement.not_latest_month statement.name_mismatch statement.account_mismatch statement.page_missing
		statement.password_protected statement.edited policy.duplicate_person policy.prohibited_country policy.other`) {
		if _, known := Catalogue().Lookup(code); !known {
			t.Errorf("no reason %s", code)
		}
	}
	for _, code := range []string{ImageTooSmall, ImageBlank, IDBackMissing, StatementPasswordProtected} {
		if f := Catalogue().Finding(code, "en"); f.Code != code || f.Message == "" {
			t.Errorf("got finding %+v, want one with a message", f)
		}
	}
}

func TestTextsOfReasons(t *testing.T) {
	han := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	for _, r := range Catalogue().All() {
		t.Run(r.Code+" is written in both languages, says what to do, and is short for a reviewer", func(t *testing.T) {
			en, zh := r.Text("en-GB"), r.Text("zh-Hant-TW")
			if han(en) || !han(zh) || han(r.Label("fr")) || !han(r.Label("zh_CN")) {
				t.Errorf("got %q %q in the wrong language", en, zh)
			}
			if !strings.Contains(strings.ToLower(en), "please") || !strings.ContainsAny(zh, "请") {
				t.Errorf("got %q %q, want a way out", en, zh)
			}
			if len(r.Label("en")) > 50 {
				t.Errorf("got a label of %d characters", len(r.Label("en")))
			}
		})
	}
	if Catalogue().Text("no.such", "en") != "" {
		t.Error("got a text for an unknown code")
	}
}

func TestReasonsForARequirement(t *testing.T) {
	for _, kind := range verification.RequirementKinds {
		reasons := Catalogue().For(kind)
		if len(reasons) < 5 {
			t.Errorf("%s: got %d reasons", kind, len(reasons))
		}
		for _, r := range reasons {
			if !r.AppliesTo(kind) {
				t.Errorf("%s: got %s", kind, r.Code)
			}
		}
		if !slices.ContainsFunc(reasons, func(r CatalogueReason) bool { return r.Code == "policy.other" }) {
			t.Errorf("%s: want policy.other", kind)
		}
	}
	if got := Catalogue().For("selfie"); got != nil {
		t.Errorf("got %v for an unknown requirement", got)
	}
}

func TestCheckReasons(t *testing.T) {
	blurred := verification.Reason{Requirement: verification.GovernmentID, Code: "id.blurred", Note: "the left corner"}
	with := func(change func(*verification.Reason)) []verification.Reason {
		r := blurred
		change(&r)
		return []verification.Reason{r}
	}
	for _, c := range []struct {
		name     string
		reasons  []verification.Reason
		decision Decision
		field    string
		code     string
	}{
		{"an approval without reasons is accepted", nil, Approve, "", ""},
		{"an approval with reasons is refused", []verification.Reason{blurred}, Approve, "reasons", "reasons_not_expected"},
		{"a request to resubmit with a reason is accepted", []verification.Reason{blurred}, RequestResubmission, "", ""},
		{"a request to resubmit without reasons is refused", nil, RequestResubmission, "reasons", "reasons_required"},
		{"an unknown code is refused", with(func(r *verification.Reason) { r.Code = "id.ugly" }), RequestResubmission, "reasons.code", "reason_unknown"},
		{"no code is refused", with(func(r *verification.Reason) { r.Code = "" }), Decline, "reasons.code", "reason_unknown"},
		{"a code of another requirement is refused", with(func(r *verification.Reason) { r.Requirement = verification.PaymentMethod }), RequestResubmission, "reasons.code", "reason_of_another_requirement"},
		{"a code of another requirement is refused in a decline too", with(func(r *verification.Reason) { r.Requirement = verification.PaymentMethod }), Decline, "reasons.code", "reason_of_another_requirement"},
		{"an unknown requirement is refused", with(func(r *verification.Reason) { r.Requirement = "selfie" }), RequestResubmission, "reasons.requirement", "requirement_unknown"},
		{"a request to resubmit that does not say what is refused", with(func(r *verification.Reason) { r.Requirement = "" }), RequestResubmission, "reasons.requirement", "required"},
		{"a decline may have a reason for the whole", with(func(r *verification.Reason) { r.Requirement, r.Code = "", "policy.duplicate_person" }), Decline, "", ""},
		{"a decline may have no reason", nil, Decline, "", ""},
		{"what sending again can't put right is not asked for again", with(func(r *verification.Reason) { r.Code = "id.suspected_tampering" }), RequestResubmission, "reasons.code", "reason_not_retryable"},
		{"a note that is too long is refused", with(func(r *verification.Reason) { r.Note = strings.Repeat("字", MaxNote+1) }), RequestResubmission, "reasons.note", "too_long"},
		{"a note of the greatest length is accepted", with(func(r *verification.Reason) { r.Note = strings.Repeat("字", MaxNote) }), RequestResubmission, "", ""},
		{"more reasons than a decision can have are refused", slices.Repeat([]verification.Reason{blurred}, MaxReasons+1), Decline, "reasons", "too_many_reasons"},
		{"an unknown decision is refused", nil, "maybe", "decision", "decision_unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckReasons(c.reasons, c.decision)
			if c.code == "" {
				if err != nil {
					t.Errorf("got %v, want it accepted", err)
				}
				return
			}
			if p := problem.As(err); p == nil || p.Code != c.code || p.Field != c.field {
				t.Errorf("got %v, want %s of %s", err, c.code, c.field)
			}
		})
	}
}

func TestACatalogueThatIsNotCompleteIsRefused(t *testing.T) {
	for _, c := range []struct{ name, from, to string }{
		{"no version", `"version":"1"`, `"version":""`},
		{"no citation", `"citation":"terms"`, `"citation":""`},
		{"no code", `"a.b"`, `""`},
		{"no requirement", `["government_id"]`, `[]`},
		{"an unknown requirement", `["government_id"]`, `["selfie"]`},
		{"a label in one language only", `"label":{"en":"l","zh-CN":"标"}`, `"label":{"en":"l"}`},
		{"a text in one language only", `"text":{"en":"t","zh-CN":"文"}`, `"text":{"zh-CN":"文"}`},
		{"not JSON", `{"version"`, `{version`},
	} {
		whole := `{"version":"1","citation":"terms","reasons":[{"code":"a.b","requirements":["government_id"],"label":{"en":"l","zh-CN":"标"},"text":{"en":"t","zh-CN":"文"}}]}`
		if _, err := parseReasons([]byte(whole)); err != nil {
			t.Fatal(err)
		}
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseReasons([]byte(strings.Replace(whole, c.from, c.to, 1))); err == nil {
				t.Error("got it accepted")
			}
		})
	}
}

func TestAGroundAsksForNothing(t *testing.T) {
	for _, reason := range Catalogue().All() {
		t.Run(reason.Code, func(t *testing.T) {
			for locale, asking := range map[string]string{"en": "send", "zh-CN": "请"} {
				got, text := reason.Ground(locale), reason.Text(locale)
				if !strings.HasPrefix(text, got) || !strings.HasSuffix(got, ".") && !strings.HasSuffix(got, "。") {
					t.Errorf("got %q of %q, want its beginning, to the end of a sentence", got, text)
				}
				if reason.Retryable && strings.Contains(strings.ToLower(got), asking) {
					t.Errorf("got %q, which asks for something after a decision that nothing can follow", got)
				}
			}
		})
	}
}

func FuzzParseReasons(f *testing.F) {
	f.Add(currentReasons)
	f.Add([]byte(`{"version":"1","citation":"c","reasons":[{"code":""}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		parsed, err := parseReasons(raw)
		if err != nil {
			return
		}
		for _, r := range parsed.All() {
			if r.Text("en") == "" || r.Label("zh") == "" || len(r.Requirements) == 0 {
				t.Errorf("got an incomplete reason from %s", json.RawMessage(raw))
			}
		}
	})
}
