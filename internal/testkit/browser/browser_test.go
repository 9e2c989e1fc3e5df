package browser

import (
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'"

const form = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Form</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main><h1>核验中心</h1>
<p id="greeting"> Hello </p><p id="width"></p>
<form method="post" action="/submit" enctype="multipart/form-data">
<label>Name <input name="name" value="old"></label>
<label>Born <input type="date" name="born"></label>
<label>Kind <select name="kind"><option value="a">A</option><option value="b">B</option></select></label>
<label>Note <textarea name="note"></textarea></label>
<label>Photo <input type="file" name="photo"></label>
<button>Send</button></form><a id="slow" href="/slow">Later</a></main>%s</body></html>`

// site is a small site under a strict content security policy.
func site(t *testing.T) string {
	mux := http.NewServeMux()
	show := func(body string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	mux.HandleFunc("GET /{$}", show(fmt.Sprintf(form, `<script src="/page.js"></script>`), http.StatusOK))
	mux.HandleFunc("GET /inline", show(fmt.Sprintf(form, `<script>document.title = 'refused'</script>`), http.StatusOK))
	mux.HandleFunc("GET /throws", show(fmt.Sprintf(form, `<script src="/throws.js"></script>`), http.StatusOK))
	mux.HandleFunc("GET /missing", show(fmt.Sprintf(form, `<img alt="x" src="/none.png">`), http.StatusOK))
	mux.HandleFunc("GET /bare", show(`<title></title><input><img src="data:,"><button></button>`, http.StatusOK))
	mux.HandleFunc("GET /slow", show(`<p>arrived</p>`, http.StatusOK))
	mux.HandleFunc("GET /favicon.ico", show("", http.StatusNoContent))
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, `document.getElementById('width').textContent = 'wide ' + window.innerWidth`)
	})
	mux.HandleFunc("GET /throws.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, `console.error('the error', 7); throw new Error('thrown')`)
	})
	mux.HandleFunc("POST /submit", func(w http.ResponseWriter, r *http.Request) {
		photo, header, err := r.FormFile("photo")
		if err != nil {
			show(`<p>no photo</p>`, http.StatusUnprocessableEntity)(w, r)
			return
		}
		defer photo.Close()
		bytes, err := io.ReadAll(photo)
		if err != nil {
			t.Error(err)
		}
		show(fmt.Sprintf(`<p id="got">%s, %s, %s, %s, %s of %d</p>`, r.FormValue("name"), r.FormValue("born"), r.FormValue("kind"),
			r.FormValue("note"), header.Filename, len(bytes)), http.StatusOK)(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestPage(t *testing.T) {
	browser, address := New(t), site(t)
	photo := filepath.Join(t.TempDir(), "photo.txt")
	if err := os.WriteFile(photo, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	fill := func(t *testing.T, page *Page) {
		page.Fill("[name=name]", "王 <x> \"y\"")
		page.Fill("[name=born]", "1990-02-28")
		page.Fill("[name=kind]", "b")
		page.Fill("[name=note]", "replaced")
		page.Fill("[name=note]", "two\nlines")
		page.Upload("[name=photo]", photo)
		if got, want := page.Submit("button"), http.StatusOK; got != want {
			t.Errorf("got status %d, want %d", got, want)
		}
		if got, want := page.Text("#got"), `王 "y", 1990-02-28, b, two lines, photo.txt of 5`; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	t.Run("a form is filled, a file chosen and the answer read, on a laptop and on a phone", func(t *testing.T) {
		for name, page := range map[string]*Page{"wide 1280": browser.Desktop().With(t), "wide 390": browser.Phone().With(t)} {
			if got, want := page.Goto(address), http.StatusOK; got != want {
				t.Errorf("got status %d, want %d", got, want)
			}
			page.Accessible()
			page.WaitText(name)
			if got, want := page.Text("#greeting"), "Hello"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			fill(t, page)
		}
	})
	t.Run("the same form works without scripts", func(t *testing.T) {
		page := browser.Desktop().With(t)
		page.DisableScripts()
		page.Goto(address)
		page.WaitText("Hello")
		if got, want := page.Text("#width"), ""; got != want {
			t.Errorf("got %q, want %q: the script ran", got, want)
		}
		fill(t, page)
	})
	t.Run("a click that leads somewhere else later is waited for", func(t *testing.T) {
		page := browser.Desktop().With(t)
		page.Goto(address)
		page.Click("#slow")
		page.WaitURL("/slow")
		page.WaitText("arrived")
		if got, want := page.URL(), address+"/slow"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a form that says what is wrong is no trouble", func(t *testing.T) {
		page := browser.Desktop().With(t)
		page.Goto(address)
		if got, want := page.Submit("button"), http.StatusUnprocessableEntity; got != want {
			t.Errorf("got status %d, want %d", got, want)
		}
		if got := page.tab.trouble.unexpected(); len(got) != 0 {
			t.Errorf("got trouble %q, want none", got)
		}
	})
	t.Run("a picture shows the whole page, twice as fine on a phone", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "new", "page.png")
		page := browser.Phone().With(t)
		page.Goto(address)
		page.Screenshot(path)
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		picture, err := png.Decode(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := picture.Bounds().Dx(), 2*PhoneWidth; got != want {
			t.Errorf("got %d pixels, want %d", got, want)
		}
	})
	t.Run("nothing outside this machine can be reached", func(t *testing.T) {
		page := browser.Desktop()
		if _, err := ask(page.tab, chromedp.NavigateResponse("http://example.com/")); err == nil {
			t.Error("the page was reached")
		}
	})
}

func TestTrouble(t *testing.T) {
	browser, address := New(t), site(t)
	tests := []struct{ name, path, want string }{
		{"an inline script that the policy refuses", "/inline", "Content Security Policy"},
		{"a script that throws", "/throws", "thrown"},
		{"an error on the console", "/throws", "the error 7"},
		{"an image that is not there", "/missing", "404"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := browser.Desktop().With(t)
			page.Goto(address + test.path)
			page.WaitText("Hello")
			has := func(line string) bool { return strings.Contains(line, test.want) }
			if got := page.tab.trouble.unexpected(); !slices.ContainsFunc(got, has) {
				t.Errorf("got trouble %q, want one with %q", got, test.want)
			}
			page.Expect("")
			if got := page.tab.trouble.unexpected(); len(got) != 0 {
				t.Errorf("got %q although everything was expected", got)
			}
		})
	}
}

// recorder stands in for a test and keeps what it is told.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func TestFailuresSayWhatThePageShows(t *testing.T) {
	browser, address := New(t), site(t)
	page := browser.Desktop()
	page.Goto(address)
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		page.With(r).Upload("#greeting", "/no/such/file")
	}()
	<-done
	if len(r.said) != 1 || !strings.Contains(r.said[0], "#greeting") || !strings.Contains(r.said[0], "Hello") {
		t.Errorf("got %q, want one failure that names the element and shows the page", r.said)
	}
}

func TestAccessible(t *testing.T) {
	browser, address := New(t), site(t)
	page := browser.Desktop()
	page.Expect("")
	page.Goto(address + "/bare")
	r := &recorder{TB: t}
	page.With(r).Accessible()
	all := strings.Join(r.said, "\n")
	for _, want := range []string{"language", "no title", "0 main headings", "no main part", "an image without a text", "a field without a label",
		"a control without a name"} {
		if !strings.Contains(all, want) {
			t.Errorf("got %s\nwant a line with %q", all, want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Setenv(PathVariable, filepath.Join(t.TempDir(), "none"))
	if got := find(); got != "" {
		t.Errorf("got %s for a browser that is named and not there, want nothing", got)
	}
}
