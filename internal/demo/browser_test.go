package demo_test

import (
	"path/filepath"
	"testing"

	"github.com/probity/probity/internal/testkit/browser"
)

// The pictures land in the directory of "go test -artifacts -outputdir DIR".
func TestThePagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := browser.New(t)
	r := start(t, t.TempDir())
	pictures := t.ArtifactDir()

	desktop := chromium.Desktop()
	desktop.Goto(r.URL + "/platform/")
	desktop.Submit(`button[value="suspicious"]`)
	desktop.WaitText("RISK.RISK_CONTROL_REJECTION")
	rejected := desktop.URL()
	r.until("the mail is there", func() bool { return len(r.mails("alma.petersen@example.com")) == 1 })

	for name, page := range map[string]*browser.Page{"desktop": desktop, "phone": chromium.Phone()} {
		for _, shot := range []struct{ name, address string }{
			{"start", r.URL + "/"}, {"platform", r.URL + "/platform/"}, {"customer", r.URL + "/platform/customers/cust-1001"},
			{"suspended", r.URL + "/platform/customers/cust-1010"}, {"rejected", rejected}, {"events", r.URL + "/platform/events"},
			{"mailbox", r.URL + "/mailbox/"}, {"mail", r.URL + "/mailbox/messages/000001"},
		} {
			page.Goto(shot.address)
			page.Accessible()
			page.Screenshot(filepath.Join(pictures, name+"-"+shot.name+".png"))
			if !browser.Evaluate[bool](page, `document.documentElement.scrollWidth <= window.innerWidth`) {
				t.Errorf("%s on a %s scrolls sideways", shot.name, name)
			}
		}
	}

	t.Run("a link in a mail opens the KYC Center in the whole window", func(t *testing.T) {
		page := desktop.With(t)
		page.Goto(r.URL + "/mailbox/?to=alma.petersen@example.com")
		page.Submit(`.table a`)
		got := browser.Evaluate[string](page, `document.querySelector("iframe").getAttribute("sandbox")`)
		if got == "" {
			t.Error("the mail's frame has no sandbox")
		}
	})
	t.Run("the platform hands its customer over to the KYC Center", func(t *testing.T) {
		page := desktop.With(t)
		page.Goto(rejected)
		if status := page.Submit(`form[action$="/kyc"] button`); status != 200 {
			t.Errorf("got status %d", status)
		}
		page.WaitText("Alma Petersen")
		page.Screenshot(filepath.Join(pictures, "handed-over.png"))
	})
}
