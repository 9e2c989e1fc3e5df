// Package browser plays a person in front of the portal or the console: it drives a headless Chromium through pages of this machine,
// fails the test in words a reader understands, and also fails it for what a person would not see but a developer should: errors
// on the console, scripts that throw, anything that the content security policy refused, and resources that did not load.
//
// The browser starts with an empty profile and can reach nothing but this machine.
package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/probity/probity/internal/testkit/tool"
)

// PathVariable is the environment variable that names the browser program where it is in an unusual place.
const PathVariable = "PROBITY_CHROMIUM"

// Widths and heights of the two sorts of page, in CSS pixels: a laptop window, and a phone held upright (the iPhone 12 to 15).
const (
	DesktopWidth, DesktopHeight = 1280, 900
	PhoneWidth, PhoneHeight     = 390, 844
)

const (
	startWithin = time.Minute
	endWithin   = 20 * time.Second
)

// Browser is a running Chromium. It ends with its test.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// New starts a Chromium that ends with the test. Without one on the machine the test is skipped, or fails when
// tool.RequireVariable is set.
func New(t testing.TB) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		tool.Missing(t, "no Chromium or Chrome on this machine: run scripts/install-test-tools.sh, or name it in "+PathVariable)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.WindowSize(DesktopWidth, DesktopHeight),
		// The sandbox needs privileges that root, most containers and Ubuntu do not give. Only our own pages are shown.
		chromedp.Flag("no-sandbox", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]"),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		ending, giveUp := context.WithTimeout(ctx, endWithin)
		defer giveUp()
		if err := chromedp.Cancel(ending); err != nil {
			t.Logf("end the browser: %v", err)
		}
		stop()
		stopAllocator()
	})
	if err := startBrowser(ctx, stop); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return &Browser{t: t, ctx: ctx}
}

// startBrowser starts the browser of the context and gives up after startWithin. The context itself must have no deadline: the
// browser would end with it.
func startBrowser(ctx context.Context, stop func()) error {
	giveUp := time.AfterFunc(startWithin, stop)
	defer giveUp.Stop()
	return chromedp.Do(ctx)
}

// Desktop opens a page in a window of DesktopWidth by DesktopHeight, as a person of its own: no cookie is shared with another page.
func (b *Browser) Desktop() *Page {
	b.t.Helper()
	return b.open(chromedp.EmulateViewport(DesktopWidth, DesktopHeight))
}

// Phone opens a page on a phone of PhoneWidth by PhoneHeight with a touch screen, as a person of its own: no cookie is shared with
// another page.
func (b *Browser) Phone() *Page {
	b.t.Helper()
	return b.open(chromedp.EmulateViewport(PhoneWidth, PhoneHeight,
		chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait, chromedp.EmulateScale(2)))
}

// open opens a page, watches it for trouble until the test ends, and reports the trouble then.
func (b *Browser) open(viewport chromedp.Action[chromedp.Void]) *Page {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	tab := &tab{ctx: ctx}
	if err := chromedp.Listen(ctx, tab.trouble.note); err != nil {
		closeTab()
		b.t.Fatalf("open a page: %v", err)
	}
	page := &Page{t: b.t, tab: tab}
	b.t.Cleanup(func() {
		defer closeTab()
		// One round trip: what the page did before it has been noted once it is over.
		if err := tab.do(chromedp.Evaluate[chromedp.Void](`undefined`)); err != nil {
			b.t.Logf("the page could not be asked for a last word: %v", err)
		}
		for _, line := range tab.trouble.unexpected() {
			b.t.Errorf("trouble on a page: %s", line)
		}
	})
	page.do("open a page", viewport)
	return page
}

// find returns the path of the browser, or nothing: the one that PathVariable names, or the first of the names that
// scripts/install-test-tools.sh looks for too.
func find() string {
	names := []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless-shell",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
	}
	if named := os.Getenv(PathVariable); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// save writes a file and the folders that lead to it.
func save(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
