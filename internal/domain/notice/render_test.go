package notice

import (
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

var update = flag.Bool("update", false, "write testdata anew")

func zone(t *testing.T, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// full is a notice with every value that its kind can have.
func full(t *testing.T, kind Kind, locale string) RenderInput {
	shanghai := zone(t, "Asia/Shanghai")
	input := RenderInput{
		Kind: kind, Locale: locale, Brand: "Cloud Harbour", BrandColor: "#0b6e4f", SupportEmail: "help@cloud-harbour.example",
		HolderName: "Lin Mei", MethodLabel: "Visa 411111••••••1111", PaymentAmount: "USD 1,250.00",
		Link: "https://kyc.cloud-harbour.example/kyc/verifications/ver_1", NoticeCode: "KTM-472", QueryCode: "4H7KQ-9XW3C",
		DueAt: time.Date(2026, 2, 13, 23, 59, 59, 0, shanghai), Zone: shanghai, KeepSuspendedDays: 15,
	}
	switch kind {
	case ResubmissionRequested, VerificationDeclined:
		input.Reasons = []Reason{{Requirement: "government_id", Text: "The photo is blurred."}, {Text: "Something else."}}
	case SubmissionReceived:
		input.ReviewDueAt = input.DueAt
	case PaymentMethodAlert, VerificationApproved, VerificationCanceled, ResourcesSuspended:
	}
	return input
}

func render(t *testing.T, input RenderInput) Rendered {
	t.Helper()
	out, err := Render(input)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheTextsOfBothLanguagesMatch(t *testing.T) {
	sets, err := textSets()
	if err != nil {
		t.Fatal(err)
	}
	en, zh := sets[English], sets[SimplifiedChinese]
	if en.Version == "" || en.Version != zh.Version || en.Locale != English || zh.Locale != SimplifiedChinese || TextsVersion() != en.Version {
		t.Errorf("got versions %q %q of %q %q, want one version", en.Version, zh.Version, en.Locale, zh.Locale)
	}
	for key, text := range en.Texts {
		other, there := zh.Texts[key]
		if !there || strings.TrimSpace(other) == "" || strings.TrimSpace(text) == "" {
			t.Errorf("%s: missing or empty in a language", key)
		}
		names := func(s string) []string {
			found := placeholder.FindAllString(s, -1)
			slices.Sort(found)
			return found
		}
		if got, want := names(other), names(text); !slices.Equal(got, want) {
			t.Errorf("%s: got placeholders %v in zh-CN, want %v", key, got, want)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: Chinese in the English texts", key)
		}
	}
	for key := range zh.Texts {
		if _, there := en.Texts[key]; !there {
			t.Errorf("%s: missing in en", key)
		}
	}
}

func TestEveryTextIsUsed(t *testing.T) {
	sets, err := textSets()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("render*.go")
	var code strings.Builder
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(raw)
	}
	for key := range sets[English].Texts {
		_, after, _ := strings.Cut(key, ".")
		whole, base := strings.Contains(code.String(), `"`+key+`"`), strings.TrimSuffix(key, ".one")
		built := strings.Contains(code.String(), `"`+after+`"`) || slices.Contains([]string{"government_id", "payment_method", "billing_statement"}, after)
		if !whole && !strings.Contains(code.String(), `"`+base+`"`) && !built {
			t.Errorf("no code says %s", key)
		}
	}
}

func TestEveryNoticeReadsAsItsGolden(t *testing.T) {
	for _, kind := range Kinds {
		for _, language := range []string{English, SimplifiedChinese} {
			t.Run(string(kind)+" in "+language, func(t *testing.T) {
				out := render(t, full(t, kind, language))
				golden(t, string(kind)+"."+language+".txt", "Subject: "+out.Subject+"\n\n"+out.Text)
				if out.Language != language {
					t.Errorf("got language %s", out.Language)
				}
			})
		}
	}
	t.Run("and the alert as HTML", func(t *testing.T) {
		golden(t, "payment_method_security_alert.en.html", render(t, full(t, PaymentMethodAlert, "en")).HTML)
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test ./internal/domain/notice -update writes it anew; read the difference)", path, got, want)
	}
}

func TestTheAlert(t *testing.T) {
	out := render(t, full(t, PaymentMethodAlert, "en-SG"))
	t.Run("has the subject that holders are told to look for", func(t *testing.T) {
		if out.Subject != "Payment Method Security Alert" {
			t.Errorf("got %q", out.Subject)
		}
		if zh := render(t, full(t, PaymentMethodAlert, "zh")).Subject; !strings.Contains(zh, "支付方式安全提醒") || !strings.Contains(zh, "Payment Method Security Alert") {
			t.Errorf("got %q", zh)
		}
	})
	for _, part := range []string{
		"Visa 411111••••••1111", "USD 1,250.00", "https://kyc.cloud-harbour.example/kyc/verifications/ver_1", "Friday 13 February 2026, end of day (Asia/Shanghai)",
		"passport", "driving licence", "ID card", "business licence", "first six", "last four", "monthly statement", "KTM-472",
		"The KYC Center shows the same code after you sign in. If it doesn't, close the page.", "full card number, PIN or security code",
		"suspended", "15 calendar days", "help@cloud-harbour.example",
	} {
		t.Run("says "+part+" in text, HTML and Internal Message", func(t *testing.T) {
			for where, body := range map[string]string{"text": out.Text, "message": out.Message, "HTML": html.UnescapeString(out.HTML)} {
				if !strings.Contains(body, part) {
					t.Errorf("%s does not say it", where)
				}
			}
		})
	}
	t.Run("greets in the mail, not in the Internal Message", func(t *testing.T) {
		if !strings.HasPrefix(out.Text, "Hello Lin Mei,") || strings.Contains(out.Message, "Lin Mei") || strings.Contains(out.Message, "You receive this mail") {
			t.Errorf("got %q", out.Message)
		}
	})
	for _, c := range []struct{ name, amount, method, want string }{
		{"of a payment without a method speaks of the payment", "USD 5.00", "", "We stopped a payment of USD 5.00, because"},
		{"without a payment speaks of the method", "", "Visa 411111••••••1111", "something unusual about Visa 411111••••••1111"},
		{"without either speaks of a payment method", "", "", "something unusual about a payment method"},
	} {
		t.Run(c.name, func(t *testing.T) {
			input := full(t, PaymentMethodAlert, "en")
			input.PaymentAmount, input.MethodLabel = c.amount, c.method
			if out := render(t, input); !strings.Contains(out.Text, c.want) {
				t.Errorf("got %s", out.Text)
			}
		})
	}
	t.Run("without a due date refers to the KYC Center", func(t *testing.T) {
		input := full(t, PaymentMethodAlert, "en")
		input.DueAt = time.Time{}
		if out := render(t, input); !strings.Contains(out.Text, "The KYC Center shows the due date") || strings.Contains(out.Text, "2026") {
			t.Errorf("got %s", out.Text)
		}
	})
	t.Run("without a name, a support address and days leaves these out", func(t *testing.T) {
		input := full(t, PaymentMethodAlert, "en")
		input.HolderName, input.SupportEmail, input.KeepSuspendedDays = "", "", 0
		out := render(t, input)
		if !strings.HasPrefix(out.Text, "Hello,\n") || strings.Contains(out.Text, "write to") || strings.Contains(out.Text, "calendar day") {
			t.Errorf("got %s", out.Text)
		}
	})
}

func TestASuspensionInALaterRoundListsOnlyWhatIsStillAskedFor(t *testing.T) {
	input := full(t, ResourcesSuspended, "en")
	input.Reasons = []Reason{{Requirement: "government_id", Text: "The photo is blurred."}}
	out := render(t, input)
	if !strings.Contains(out.Text, "- Government ID: The photo is blurred.") || strings.Contains(out.Text, "Monthly statement") {
		t.Errorf("got %s", out.Text)
	}
}

func TestWhatANoticeCannotDoWithout(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   Kind
		change func(*RenderInput)
	}{
		{"an alert without its link", PaymentMethodAlert, func(i *RenderInput) { i.Link = "" }},
		{"an alert without its code", PaymentMethodAlert, func(i *RenderInput) { i.NoticeCode = "" }},
		{"a request to resubmit without reasons", ResubmissionRequested, func(i *RenderInput) { i.Reasons = nil }},
		{"a request to resubmit for something unknown", ResubmissionRequested, func(i *RenderInput) { i.Reasons[0].Requirement = "selfie" }},
		{"a receipt without its query code", SubmissionReceived, func(i *RenderInput) { i.QueryCode = "" }},
		{"a mail without a brand", VerificationApproved, func(i *RenderInput) { i.Brand = "" }},
		{"an unknown kind", "party_invitation", func(*RenderInput) {}},
		{"no kind", "", func(*RenderInput) {}},
		{"a link that runs a script", PaymentMethodAlert, func(i *RenderInput) { i.Link = "javascript:alert(1)" }},
		{"a link without a host", PaymentMethodAlert, func(i *RenderInput) { i.Link = "/kyc" }},
		{"a link of two lines", PaymentMethodAlert, func(i *RenderInput) { i.Link = "https://a.example/\nhttps://b.example/" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			input := full(t, c.kind, "en")
			if c.kind == "" || c.kind == "party_invitation" {
				input.Reasons = nil
			}
			c.change(&input)
			out, err := Render(input)
			if err == nil {
				t.Fatalf("got %+v, want an error", out)
			}
			for _, value := range []string{"Lin Mei", "411111", "KTM-472", "4H7KQ", "javascript", "cloud-harbour"} {
				if strings.Contains(err.Error(), value) {
					t.Errorf("the error holds a value: %v", err)
				}
			}
		})
	}
}

var remote = regexp.MustCompile(`(?i)<img|<script|<link|<iframe|<form|url\(|@import|src=|background=|\son\w+=`)

func TestAHostileValueStaysText(t *testing.T) {
	const hostile = "<img src=x onerror=alert(1)>\r\nBcc: all@example.com {code} \u202Egnp.exe \x00"
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			input := full(t, kind, "en")
			input.Brand, input.HolderName, input.MethodLabel, input.PaymentAmount = hostile, hostile, hostile, hostile
			input.SupportEmail, input.QueryCode, input.NoticeCode, input.BrandColor = hostile, hostile, hostile, "red;background:url(//x)"
			for i := range input.Reasons {
				input.Reasons[i].Text = hostile
			}
			out := render(t, input)
			if strings.Contains(out.HTML, "<img") || strings.Contains(out.HTML, "red;") {
				t.Error("got a value as markup")
			}
			if strings.ContainsAny(out.Subject, "\r\n") || strings.Contains(out.Text, "\r") || strings.Contains(out.Text, "\nBcc:") || strings.ContainsAny(out.Text, "\u202E\x00") {
				t.Errorf("got a value that breaks its line or turns the writing round: %q", out.Text)
			}
			if !strings.Contains(out.Text, "{code}") {
				t.Error("got a value filled as if it were a text")
			}
		})
	}
}

func TestTheMailLoadsNothingAndFollowsTheReader(t *testing.T) {
	for _, kind := range Kinds {
		out := render(t, full(t, kind, "zh-CN"))
		if found := remote.FindString(out.HTML); found != "" {
			t.Errorf("%s: got %q, want nothing that loads", kind, found)
		}
		if !strings.Contains(out.HTML, `<html lang="zh-CN">`) || !strings.Contains(out.HTML, `content="light dark"`) {
			t.Errorf("%s: got no language or no colour scheme", kind)
		}
		for _, address := range regexp.MustCompile(`https?://[^"<\s]+`).FindAllString(out.HTML, -1) {
			if address != "https://kyc.cloud-harbour.example/kyc/verifications/ver_1" {
				t.Errorf("%s: got address %s", kind, address)
			}
		}
	}
}

func TestTheButtonCanBeReadInEveryBrandColor(t *testing.T) {
	for _, c := range []struct{ name, color, accent, ink string }{
		{"white on dark", "#000000", "#000000", "#ffffff"},
		{"black on light", "#FFE600", "#FFE600", "#000000"},
		{"white on blue", "#1f4e79", "#1f4e79", "#ffffff"},
		{"the default for no colour", "", defaultAccent, "#ffffff"},
		{"the default for a name", "red", defaultAccent, "#ffffff"},
		{"the default for an attack", "#000000;x", defaultAccent, "#ffffff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if accent, ink := accentOf(c.color); accent != c.accent || ink != c.ink {
				t.Errorf("got %s %s, want %s %s", accent, ink, c.accent, c.ink)
			}
		})
	}
}

func TestTheSignInCode(t *testing.T) {
	input := SignInCode{Locale: "en", Brand: "Cloud Harbour", HolderName: "Lin Mei", Code: "482913", ValidMinutes: 10}
	for _, locale := range []string{"en", "zh-CN"} {
		input.Locale = locale
		out, err := RenderSignInCode(input)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "sign_in_code."+locale+".txt", "Subject: "+out.Subject+"\n\n"+out.Text)
		if strings.Contains(out.Subject, "482913") || !strings.Contains(out.HTML, "482913") || !strings.Contains(out.Text, "482913") {
			t.Errorf("%s: want the code in the body and not in the subject, got %q", locale, out.Subject)
		}
	}
	t.Run("of one minute is told in the singular", func(t *testing.T) {
		input.Locale, input.ValidMinutes = "en", 1
		if out, err := RenderSignInCode(input); err != nil || !strings.Contains(out.Text, "within 1 minute.") {
			t.Errorf("got %s %v", out.Text, err)
		}
	})
	for name, change := range map[string]func(*SignInCode){
		"without a code is an error": func(i *SignInCode) { i.Code = "" }, "without time is an error": func(i *SignInCode) { i.ValidMinutes = 0 },
		"without a brand is an error": func(i *SignInCode) { i.Brand = "" },
	} {
		t.Run(name, func(t *testing.T) {
			broken := input
			change(&broken)
			if _, err := RenderSignInCode(broken); err == nil || strings.Contains(err.Error(), "482913") {
				t.Errorf("got %v, want an error without the code", err)
			}
		})
	}
}

func TestTheLanguageOfALocale(t *testing.T) {
	for locale, want := range map[string]string{
		"": English, "en": English, "en-GB": English, "fr": English, "de_DE": English, "zha": English, "x": English,
		"zh": SimplifiedChinese, "zh-CN": SimplifiedChinese, "zh_TW": SimplifiedChinese, "ZH-Hant-HK": SimplifiedChinese,
	} {
		if got := Language(locale); got != want {
			t.Errorf("%q: got %s, want %s", locale, got, want)
		}
	}
}

func TestDueDatesAreWrittenForTheReader(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	endOfDay := time.Date(2026, 2, 13, 23, 59, 59, 0, shanghai).UTC()
	for _, c := range []struct {
		name   string
		at     time.Time
		zone   *time.Location
		locale string
		want   string
	}{
		{"the end of a day in English", endOfDay, shanghai, "en", "Friday 13 February 2026, end of day (Asia/Shanghai)"},
		{"the end of a day in Chinese", endOfDay, shanghai, "zh-CN", "2026年2月13日（星期五）当天结束前（Asia/Shanghai）"},
		{"another hour in English", endOfDay, time.UTC, "en", "Friday 13 February 2026, 15:59 (UTC)"},
		{"another hour in Chinese", endOfDay, time.UTC, "zh", "2026年2月13日（星期五）15:59 前（UTC）"},
		{"a Sunday in Chinese", time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC), time.UTC, "zh", "2026年3月1日（星期日）当天结束前（UTC）"},
		{"no zone means UTC", endOfDay, nil, "en", "Friday 13 February 2026, 15:59 (UTC)"},
		{"the machine's zone names no place", endOfDay, time.Local, "en", "Friday 13 February 2026, 15:59 (UTC)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := FormatDue(c.at, c.zone, c.locale); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzRenderKeepsValuesAsText(f *testing.F) {
	f.Add("Lin Mei", "https://a.example/kyc", "#123456")
	f.Add("<script>\r\n", "javascript:x", "red")
	f.Add("\u202e{link}\xff", "https://a.example/\"><img>", "#ffffff\"")
	f.Fuzz(func(t *testing.T, name, link, color string) {
		out, err := Render(RenderInput{
			Kind: PaymentMethodAlert, Brand: "B" + name, HolderName: name, MethodLabel: name, Link: link, NoticeCode: "ABC-123", BrandColor: color,
		})
		if err != nil {
			return
		}
		if strings.Contains(out.HTML, "<script") || strings.Contains(out.HTML, "<img") || strings.ContainsAny(out.Subject, "\r\n") {
			t.Errorf("got a value as markup: %s", out.HTML)
		}
	})
}

func TestANameCarriesNoMessageOfItsOwn(t *testing.T) {
	for _, test := range []struct {
		name string
		told bool
	}{
		{"Lin Mei", true}, {"J. R. R. Tolkien", true}, {"Nordisk Handel A/S", true}, {"Müller & Söhne GmbH & Co. KG", true}, {"上海云帆科技有限公司", true},
		{"win a prize at https://evil.example/now", false}, {"go to evil.example", false}, {"see www.evil", false}, {"write to me@evil.example", false},
		{strings.Repeat("call this number ", 10), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, err := RenderSignInCode(SignInCode{Locale: "en", Brand: "Cloud Harbour", HolderName: test.name, Code: "482913", ValidMinutes: 10})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(code.Text, strings.TrimSpace(test.name)); got != test.told {
				t.Errorf("got %t in the text, want %t:\n%s", got, test.told, code.Text)
			}
		})
	}
}
