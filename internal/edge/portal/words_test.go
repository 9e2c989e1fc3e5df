package portal

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/problem"
)

// Keys that are put together at run time are invisible to webtest.CheckKeysUsed.
func TestEveryKeyThatIsPutTogetherIsInTheCatalog(t *testing.T) {
	var keys []string
	for _, status := range []string{"awaiting_submission", "resubmission_requested", "in_review", "approved", "declined", "expired", "canceled"} {
		keys = append(keys, "verification."+status+".title", "verification."+status+".lead")
	}
	for _, status := range []string{"approved", "declined", "resubmission_requested", "canceled", "expired"} {
		keys = append(keys, "history."+status)
	}
	for _, kind := range verification.RequirementKinds {
		keys = append(keys, "requirement."+string(kind))
	}
	for _, document := range verification.DocumentTypes(account.Enterprise) {
		keys = append(keys, "document."+string(document), "document."+string(document)+".hint")
	}
	for _, kind := range []account.Kind{account.Individual, account.Enterprise} {
		keys = append(keys, "need.government_id."+string(kind), "requirement.government_id.short."+string(kind))
	}
	for _, kind := range []payment.MethodKind{payment.Card, payment.BankAccount, payment.Wallet} {
		keys = append(keys, "method."+string(kind))
	}
	for _, reason := range []string{"new_location", "unusual_spending", "new_payment_method"} {
		keys = append(keys, "reason."+reason)
	}
	for _, side := range []verification.Side{verification.Front, verification.Back} {
		keys = append(keys, "side."+string(side), "side.choice."+string(side), "side.choice.card."+string(side))
	}
	for _, key := range keys {
		for _, locale := range web.Locales() {
			if !texts().Has(locale, key) {
				t.Errorf("the catalog %s lacks %q", locale, key)
			}
		}
	}
}

func TestTheTextOfAMessageIsTakenApart(t *testing.T) {
	got := paragraphs("Heading\nFirst line.\n\nPlain.\n\nWhat to do\n- one\n- two\n\nOpen\nhttps://kyc.example.com/kyc\n")
	want := []paragraph{
		{heading: "Heading", lines: []string{"First line."}}, {lines: []string{"Plain."}},
		{heading: "What to do", items: []string{"one", "two"}}, {heading: "Open", lines: []string{"https://kyc.example.com/kyc"}},
	}
	if !slices.EqualFunc(got, want, func(a, b paragraph) bool {
		return a.heading == b.heading && slices.Equal(a.lines, b.lines) && slices.Equal(a.items, b.items)
	}) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !got[3].isLink() || got[0].isLink() {
		t.Error("the piece with the address was not told from the others")
	}
}

func FuzzParagraphs(f *testing.F) {
	f.Add("Heading\n- item\n\nText")
	f.Add("- \n\n\n\n- - x\n")
	f.Fuzz(func(t *testing.T, body string) {
		var kept strings.Builder
		for _, one := range paragraphs(body) {
			kept.WriteString(one.heading + strings.Join(one.lines, "") + strings.Join(one.items, ""))
		}
		strip := strings.NewReplacer("\n", "", "-", "", " ", "")
		if got, want := len(strip.Replace(kept.String())), len(strip.Replace(strings.TrimSpace(body))); got != want {
			t.Errorf("got %d bytes of text, want %d: something was lost or doubled", got, want)
		}
	})
}

func FuzzReadUpload(f *testing.F) {
	const boundary = "b"
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"side\"\r\n\r\nfront\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nbytes\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"side\"\r\n\r\n4111 1111 1111 1111\r\n--b--\r\n"))
	f.Add([]byte("--b\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(bytes.NewReader(body)))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		found, err := readUpload(r)
		if err != nil && problem.As(err) == nil {
			t.Errorf("got %v, want a problem that the page can tell", err)
		}
		if err == nil && len(found.raw) > reader.MaxBytes {
			t.Error("an attachment over the limit was accepted")
		}
	})
}
