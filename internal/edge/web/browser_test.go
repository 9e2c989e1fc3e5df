package web_test

import (
	"path/filepath"
	"testing"

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
