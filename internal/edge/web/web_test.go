package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func get(t *testing.T, handler http.Handler, target string, headers ...string) *http.Response {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func TestAssets(t *testing.T) {
	t.Run("an address with the content's hash may be kept for ever", func(t *testing.T) {
		answer := get(t, Assets(), AssetURL("base.css"))
		if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("got %d with %q", answer.StatusCode, answer.Header.Get("Cache-Control"))
		}
		if got := answer.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
			t.Errorf("content type %q", got)
		}
	})
	t.Run("an address with another hash serves the current file and must be revalidated", func(t *testing.T) {
		answer := get(t, Assets(), "/assets/000000000000/viewer.js")
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("got %d with %q", answer.StatusCode, answer.Header.Get("Cache-Control"))
		}
	})
	t.Run("a browser that has the file is told so", func(t *testing.T) {
		tag := get(t, Assets(), "/assets/upload.js").Header.Get("ETag")
		if answer := get(t, Assets(), "/assets/upload.js", "If-None-Match", tag); answer.StatusCode != http.StatusNotModified {
			t.Errorf("got %d, want 304", answer.StatusCode)
		}
	})
	for _, target := range []string{"/assets/none.css", "/assets/", "/assets/../web.go", "/assets/brand/zzzzzz.css", "/assets/brand/0b5c63", "/assets/examples"} {
		t.Run("there is nothing at "+target, func(t *testing.T) {
			if answer := get(t, Assets(), "http://localhost"+target); answer.StatusCode != http.StatusNotFound {
				t.Errorf("got %d, want 404", answer.StatusCode)
			}
		})
	}
	t.Run("every example has its picture and its words in both languages", func(t *testing.T) {
		for _, requirement := range []string{"government_id", "payment_method", "billing_statement"} {
			for _, locale := range Locales() {
				for _, example := range ExamplesFor(requirement, locale) {
					if _, found := loadAssets()[example.Asset]; !found || strings.HasPrefix(example.Alt, "example.") || strings.HasPrefix(example.Caption, "example.") {
						t.Errorf("%s in %s: %+v", requirement, locale, example)
					}
				}
			}
		}
	})
}

func TestAnyBrandColourCanBeRead(t *testing.T) {
	declared := regexp.MustCompile(`--(brand|on-brand): (#[0-9a-f]{6})`)
	for _, colour := range []string{"#ffffff", "#000000", "#ffff00", "#0b5c63", "#1F5FBF", "#ff0000", "#808080", "not a colour", ""} {
		t.Run(colour, func(t *testing.T) {
			answer := get(t, Assets(), BrandURL(colour))
			var sheet strings.Builder
			if _, err := answerTo(&sheet, answer); err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("got %d: %v", answer.StatusCode, err)
			}
			found := declared.FindAllStringSubmatch(sheet.String(), -1)
			if len(found) != 4 {
				t.Fatalf("the sheet declares %d colours, want 4: %s", len(found), sheet.String())
			}
			for i, surfaces := range [][]string{{lightSurface, lightPaper}, {darkSurface, darkPaper}} {
				brand, _ := parseColour(found[2*i][2])
				lettering, _ := parseColour(found[2*i+1][2])
				for _, surface := range surfaces {
					ground, _ := parseColour(surface)
					if got := contrast(brand, ground); got < 4.5 {
						t.Errorf("text in %s on %s: contrast %.2f, want 4.5", brand, surface, got)
					}
				}
				if got := contrast(brand, lettering); got < 4.5 {
					t.Errorf("%s on %s: contrast %.2f, want 4.5", lettering, brand, got)
				}
			}
		})
	}
}

func answerTo(out *strings.Builder, answer *http.Response) (int64, error) {
	defer func() { _ = answer.Body.Close() }()
	body := make([]byte, 1<<20)
	n, _ := answer.Body.Read(body)
	written, err := out.Write(body[:n])
	return int64(written), err
}

// WCAG 2.2: 4.5 to 1 for text (1.4.3), 3 to 1 for the edges of controls (1.4.11).
func TestTheColoursOfBothThemesCanBeRead(t *testing.T) {
	raw, err := os.ReadFile("assets/base.css")
	if err != nil {
		t.Fatal(err)
	}
	sheet := string(raw)
	sheet = sheet[:strings.Index(sheet, "@layer reset {")]
	cut := strings.Index(sheet, "@media (prefers-color-scheme: dark)")
	token := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`)
	for theme, part := range map[string]string{"light": sheet[:cut], "dark": sheet[cut:]} {
		colours := map[string]rgb{}
		for _, match := range token.FindAllStringSubmatch(part, -1) {
			colours[match[1]], _ = parseColour(match[2])
		}
		pairs := [][2]string{{"on-brand", "brand"}}
		for _, ground := range []string{"paper", "surface", "sunken"} {
			pairs = append(pairs, [2]string{"ink", ground}, [2]string{"ink-soft", ground})
		}
		for _, tone := range []Tone{Neutral, Info, Positive, Attention, Negative} {
			pairs = append(pairs, [2]string{string(tone) + "-ink", string(tone) + "-ground"}, [2]string{string(tone) + "-ink", "surface"},
				[2]string{"ink", string(tone) + "-ground"})
		}
		for _, pair := range pairs {
			if got := contrast(colours[pair[0]], colours[pair[1]]); got < 4.5 {
				t.Errorf("%s theme: --%s on --%s has contrast %.2f, want 4.5", theme, pair[0], pair[1], got)
			}
		}
		for _, edge := range []string{"line-strong", "focus"} {
			for _, ground := range []string{"paper", "surface"} {
				if got := contrast(colours[edge], colours[ground]); got < 3 {
					t.Errorf("%s theme: --%s on --%s has contrast %.2f, want 3", theme, edge, ground, got)
				}
			}
		}
		surface, paper := lightSurface, lightPaper
		if theme == "dark" {
			surface, paper = darkSurface, darkPaper
		}
		if colours["surface"].String() != surface || colours["paper"].String() != paper {
			t.Errorf("%s theme: brand.go does not know the surfaces of base.css", theme)
		}
	}
}

func TestSecurityHeadersForbidInlineCodeAndForeignFrames(t *testing.T) {
	page := SecurityHeaders(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	header := get(t, page, "/").Header
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin"} {
		if got := header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", name, got, want)
		}
	}
	if strings.Contains(header.Get("Content-Security-Policy"), "unsafe") {
		t.Error("the policy allows something unsafe")
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	guarded := RefuseCrossOrigin(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, test := range map[string]struct {
		header, value string
		want          int
	}{
		"our own form":               {"Sec-Fetch-Site", "same-origin", http.StatusOK},
		"another site's form":        {"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		"an old browser's own form":  {"Origin", "http://example.com", http.StatusOK},
		"an old browser's other one": {"Origin", "http://evil.example", http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodPost, "http://example.com/kyc", nil)
			request.Header.Set(test.header, test.value)
			recorder := httptest.NewRecorder()
			guarded.ServeHTTP(recorder, request)
			if recorder.Code != test.want {
				t.Errorf("got %d, want %d", recorder.Code, test.want)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	for wanted, want := range map[string]string{"en": English, "zh-CN": SimplifiedChinese, "zh_CN": SimplifiedChinese, "zh": SimplifiedChinese,
		"zh-Hans-SG": SimplifiedChinese, "en-GB": English, "de-DE,de;q=0.9,zh;q=0.8": SimplifiedChinese, "fr": English, "": English,
		"not a language!": English, "en;q=0.2, zh-CN;q=0.9": SimplifiedChinese} {
		t.Run(wanted, func(t *testing.T) {
			if got := Match(wanted); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func FuzzMatchServesALocaleWhateverIsAsked(f *testing.F) {
	for _, seed := range []string{"en", "zh-CN,zh;q=0.9", ";;;", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wanted string) {
		if got := Match(wanted); got != English && got != SimplifiedChinese {
			t.Errorf("got %q", got)
		}
	})
}

func TestCatalog(t *testing.T) {
	files := fstest.MapFS{
		"en.json":    {Data: []byte(`{"due":"Due {date}, {who}","items.one":"{count} item","items.other":"{count} items","only":"only here"}`)},
		"zh-CN.json": {Data: []byte(`{"due":"{who}，{date} 截止","items.one":"{count} 项","items.other":"{count} 项"}`)},
	}
	catalog := MustLoad(files, "en.json", "zh-CN.json")
	english, chinese := catalog.For("en-GB"), catalog.For("zh")
	for name, test := range map[string]struct{ got, want string }{
		"placeholders are filled by name":             {english.T("due", "who", "Alma", "date", "today"), "Due today, Alma"},
		"a value that looks like a placeholder stays": {english.T("due", "date", "{who}", "who", "Alma"), "Due {who}, Alma"},
		"each language has its own order":             {chinese.T("due", "who", "Alma", "date", "今天"), "Alma，今天 截止"},
		"one is singular in English":                  {english.N("items", 1), "1 item"},
		"none is plural in English":                   {english.N("items", 0), "0 items"},
		"Chinese counts without number":               {chinese.N("items", 1), "1 项"},
		"what is not translated is English":           {chinese.T("only"), "only here"},
		"an unknown key shows itself":                 {english.T("nowhere"), "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.got != test.want {
				t.Errorf("got %q, want %q", test.got, test.want)
			}
		})
	}
	for name, files := range map[string]fstest.MapFS{"a missing file": {}, "what is not JSON": {"en.json": {Data: []byte("{")}}} {
		t.Run(name+" is an error", func(t *testing.T) {
			if _, err := Load(files, "en.json"); err == nil {
				t.Error("it was loaded")
			}
		})
	}
	t.Run("a catalog without English is an error", func(t *testing.T) {
		if _, err := Load(files, "zh-CN.json"); err == nil {
			t.Error("it was loaded")
		}
	})
}

func TestFormat(t *testing.T) {
	shanghai := time.FixedZone("Asia/Shanghai", 8*3600)
	due := time.Date(2026, 2, 13, 15, 59, 59, 0, time.UTC)
	for name, test := range map[string]struct{ got, want string }{
		"an instant in English":          {FormatInstant(due, shanghai, English), "Friday 13 February 2026, 23:59 (Asia/Shanghai)"},
		"an instant in Chinese":          {FormatInstant(due, shanghai, SimplifiedChinese), "2026年2月13日 星期五 23:59（Asia/Shanghai）"},
		"without a zone it is UTC":       {FormatInstant(due, nil, English), "Friday 13 February 2026, 15:59 (UTC)"},
		"a date is that of the zone":     {FormatDate(due.Add(time.Hour), shanghai, English), "Saturday 14 February 2026"},
		"a short instant":                {FormatShort(due, shanghai, English), "13 Feb 2026, 23:59"},
		"a short instant in Chinese":     {FormatShort(due, shanghai, SimplifiedChinese), "2026年2月13日 23:59"},
		"what is left":                   {FormatRemaining(27*time.Hour, English), "in 1 day 3 hours"},
		"what is left in Chinese":        {FormatRemaining(27*time.Hour, SimplifiedChinese), "1天3小时后"},
		"what is past":                   {FormatRemaining(-5*time.Minute, English), "5 minutes ago"},
		"hours and minutes":              {FormatRemaining(61*time.Minute, English), "in 1 hour 1 minute"},
		"less than a minute is now":      {FormatRemaining(59*time.Second, English), "now"},
		"a stamp is UTC":                 {Stamp(due.In(shanghai)), "2026-02-13T15:59:59Z"},
		"bytes":                          {FormatBytes(999), "999 B"},
		"kilobytes":                      {FormatBytes(640_000), "640 kB"},
		"a limit is written plainly":     {FormatBytes(20_000_000), "20 MB"},
		"megabytes with one digit after": {FormatBytes(4_230_000), "4.2 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.got != test.want {
				t.Errorf("got %q, want %q", test.got, test.want)
			}
		})
	}
}

func TestTheLocaleOfARequest(t *testing.T) {
	ask := func(target, cookie, accept, onRecord string) string {
		request := httptest.NewRequest(http.MethodGet, target, nil)
		request.Header.Set("Accept-Language", accept)
		if cookie != "" {
			request.AddCookie(&http.Cookie{Name: localeCookie, Value: cookie})
		}
		return ChooseLocale(httptest.NewRecorder(), request, onRecord)
	}
	for name, test := range map[string]struct{ got, want string }{
		"the switch wins":                    {ask("/?lang=zh-CN", "en", "en", "en"), SimplifiedChinese},
		"then what the switch was last set":  {ask("/", "zh-CN", "en", "en"), SimplifiedChinese},
		"then the account's own":             {ask("/", "", "en", "zh-CN"), SimplifiedChinese},
		"then what the browser prefers":      {ask("/", "", "zh-CN,zh;q=0.9", ""), SimplifiedChinese},
		"a forged cookie is as good as none": {ask("/", "../../etc", "zh-CN", ""), English},
	} {
		t.Run(name, func(t *testing.T) {
			if test.got != test.want {
				t.Errorf("got %q, want %q", test.got, test.want)
			}
		})
	}
	t.Run("the switch keeps the page's own query", func(t *testing.T) {
		links := LanguageLinks(&url.URL{Path: "/console", RawQuery: "status=open&lang=en"}, English)
		if got, want := links[1].URL, "/console?lang=zh-CN&status=open"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestAFlashIsShownOnce(t *testing.T) {
	recorder := httptest.NewRecorder()
	SetFlash(recorder, "/kyc", "flash.submitted")
	next := httptest.NewRequest(http.MethodGet, "/kyc", nil)
	next.AddCookie(recorder.Result().Cookies()[0])
	next.Header.Set("X-Probity-Upload", "1")
	seen := httptest.NewRecorder()
	if got := TakeFlash(seen, next, "/kyc"); got != "flash.submitted" || len(seen.Result().Cookies()) != 0 {
		t.Errorf("upload.js: got %q, want the message to stay", got)
	}
	next.Header.Del("X-Probity-Upload")
	seen = httptest.NewRecorder()
	if got := TakeFlash(seen, next, "/kyc"); got != "flash.submitted" {
		t.Errorf("got %q", got)
	}
	if got := seen.Result().Cookies(); len(got) != 1 || got[0].MaxAge >= 0 {
		t.Error("the message was not removed")
	}
	forged := httptest.NewRequest(http.MethodGet, "/kyc", nil)
	forged.AddCookie(&http.Cookie{Name: flashCookie, Value: "Call%20this%20number"})
	if got := TakeFlash(httptest.NewRecorder(), forged, "/kyc"); got != "" {
		t.Errorf("words were planted: %q", got)
	}
}

func TestEveryToneBelongsToAKnownStatus(t *testing.T) {
	for _, status := range []string{"approved", "awaiting_submission", "resubmission_requested", "declined", "rejected", "suspended", "grace",
		"release_scheduled", "released", "processing", "in_review", "expired", "canceled", "none", "open", "decided", "review"} {
		for _, locale := range Locales() {
			if !kit().Has(locale, "status."+status) {
				t.Errorf("%s has no words for the status %s", locale, status)
			}
		}
	}
}
