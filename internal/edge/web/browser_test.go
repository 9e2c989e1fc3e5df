package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/samples"
	"github.com/probity/probity/internal/testkit/browser"
)

// The pictures land in the directory of "go test -artifacts -outputdir DIR".
func TestTheKitchenSinkInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	set, err := samples.Draw(samples.Options{})
	if err != nil {
		t.Fatal(err)
	}
	site := kitchen(set.GovernmentID, set.BillingStatement)
	t.Cleanup(site.Close)
	pictures := t.ArtifactDir()
	chromium := browser.New(t)

	desktop := chromium.Desktop()
	desktop.Goto(site.URL + "/?wide")
	desktop.WaitText("Fit")
	desktop.Accessible()
	desktop.Screenshot(filepath.Join(pictures, "desktop.png"))
	desktop.Click(`[data-viewer-action="rotate-right"]`)
	desktop.Click(`[data-viewer-action="zoom-in"]`)
	if got := browser.Evaluate[string](desktop, `document.querySelector(".viewer__image").style.transform`); got == "" {
		t.Error("the viewer did not turn the picture")
	}

	phone := chromium.Phone()
	phone.Goto(site.URL + "/?lang=" + web.SimplifiedChinese)
	phone.Screenshot(filepath.Join(pictures, "phone-zh.png"))
	if got := browser.Evaluate[bool](phone, `document.documentElement.scrollWidth <= window.innerWidth`); !got {
		t.Error("a phone has to scroll sideways")
	}
}

// uploadSite takes one item: what is not a PNG is answered with the form and an error, a PNG with a redirect.
func uploadSite() *httptest.Server {
	form := func(problem string) templ.Component {
		return templ.Join(templ.Raw(`<h1>Add a document</h1><form class="form" method="post" action="/add" enctype="multipart/form-data" data-upload>`),
			web.UploadField(web.UploadProps{Name: "file", Label: "Photo", Error: problem, Accept: []string{"image/png"}, MaxBytes: 500_000}),
			web.Button(web.ButtonProps{Label: "Upload"}), templ.Raw(`</form>`))
	}
	page := web.Page{Title: "Add", Brand: web.Brand{Name: "Nimbus"}, Scripts: []string{"upload.js"}}
	mux := http.NewServeMux()
	mux.Handle("/assets/", web.Assets())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { _ = web.Render(w, r, http.StatusOK, page, form("")) })
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) {
		_ = web.Render(w, r, http.StatusOK, page, templ.Raw("<h1>"+web.TakeFlash(w, r, "/")+"</h1>"))
	})
	mux.HandleFunc("POST /add", func(w http.ResponseWriter, r *http.Request) {
		file, _, err := r.FormFile("file")
		if err != nil {
			_ = web.Render(w, r, http.StatusUnprocessableEntity, page, form("Choose a file"))
			return
		}
		head := make([]byte, 4)
		_, _ = io.ReadFull(file, head)
		if string(head) != "\x89PNG" {
			_ = web.Render(w, r, http.StatusUnprocessableEntity, page, form("That is not a picture"))
			return
		}
		web.SetFlash(w, "/", "flash.added")
		http.Redirect(w, r, "/done", http.StatusSeeOther)
	})
	return httptest.NewServer(web.SecurityHeaders(web.RefuseCrossOrigin(mux)))
}

func TestUploadInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	directory := t.TempDir()
	write := func(name string, body []byte) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	set, err := samples.Draw(samples.Options{})
	if err != nil {
		t.Fatal(err)
	}
	site := uploadSite()
	t.Cleanup(site.Close)
	page := browser.New(t).Desktop()
	page.Expect("422")

	page.Goto(site.URL + "/")
	page.Upload("#field-file", write("large.png", make([]byte, 600_000)))
	page.WaitText("too large")
	page.Upload("#field-file", write("notes.txt", []byte("words")))
	page.WaitText("This type cannot be used")
	page.Upload("#field-file", write("false.png", []byte("words that call themselves a picture")))
	page.Click("button[type=submit]")
	page.WaitText("That is not a picture")
	page.Upload("#field-file", write("good.png", set.GovernmentID))
	page.WaitText("good.png")
	page.Click("button[type=submit]")
	page.WaitURL("/done")
	page.WaitText("flash.added")

	page.DisableScripts()
	page.Goto(site.URL + "/")
	page.Upload("#field-file", filepath.Join(directory, "good.png"))
	page.Submit("button[type=submit]")
	page.WaitText("flash.added")
}
