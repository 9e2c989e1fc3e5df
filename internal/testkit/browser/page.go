package browser

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

const (
	actWithin  = 30 * time.Second      // patience for one action, on a machine that is busy with other tests
	lookEvery  = 50 * time.Millisecond // how often a Wait looks again
	enoughText = 1500                  // bytes of a page's text that a failure shows
)

// tab is one open page of the browser.
type tab struct {
	ctx     context.Context
	trouble trouble
}

// do runs actions with the usual patience.
func (tb *tab) do(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(tb.ctx, actWithin)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// ask runs an action that returns a value, with the usual patience.
func ask[T any](tb *tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(tb.ctx, actWithin)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// Page is a page in front of one person. Its methods end the test when they cannot do what they are asked, and say what the
// page showed. Elements are named by CSS selectors; the first that matches counts, and an action waits until it is there.
type Page struct {
	t   testing.TB
	tab *tab
}

// With returns the same page for a subtest, so that what goes wrong there ends that subtest.
func (p *Page) With(t testing.TB) *Page { return &Page{t: t, tab: p.tab} }

// Expect makes console errors, refused resources and the like that contain the fragment no failure of the test.
func (p *Page) Expect(fragment string) { p.tab.trouble.expect(fragment) }

// DisableScripts turns the scripts of all pages that follow off, as some people do.
func (p *Page) DisableScripts() {
	p.t.Helper()
	_, err := ask(p.tab, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		return chromedp.Void{}, target.Call(ctx, emulation.CommandSetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true}, nil)
	})
	p.check("turn scripts off", err)
}

// Goto opens the address and returns the HTTP status of the page that it leads to.
func (p *Page) Goto(address string) int {
	p.t.Helper()
	response, err := ask(p.tab, chromedp.NavigateResponse(address))
	p.check("open "+address, err)
	if response == nil {
		return 0
	}
	return int(response.Status)
}

// Click clicks the element and does not wait for anything; see Submit for a click that leads to another page.
func (p *Page) Click(css string) {
	p.t.Helper()
	p.do("click "+css, chromedp.Click(chromedp.CSS(css)))
}

// Submit clicks the element, a button of a form or a link, waits until the page that it leads to is there and returns the HTTP
// status of that page.
func (p *Page) Submit(css string) int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab.ctx, actWithin)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(css)))
	p.check("click "+css+" and wait for the next page", err)
	if response == nil {
		return 0
	}
	return int(response.Status)
}

// selectAll prepares a field for new text. Fields whose text cannot be typed (lists, dates, colours) are set at once; it
// reports whether the text remains to be typed.
const selectAll = `(css, value) => {
	const field = document.querySelector(css);
	field.scrollIntoView({block: 'center'});
	field.focus();
	const typed = field.tagName === 'TEXTAREA' || (field.tagName === 'INPUT' &&
		['text', 'email', 'tel', 'url', 'search', 'password', 'number'].includes(field.type));
	if (typed) { field.select(); return true; }
	field.value = value;
	field.dispatchEvent(new Event('input', {bubbles: true}));
	field.dispatchEvent(new Event('change', {bubbles: true}));
	return false;
}`

// Fill replaces what a field of a form holds, or chooses the option of a list that has the value.
func (p *Page) Fill(css, value string) {
	p.t.Helper()
	what := "fill " + css
	p.do(what, chromedp.WaitVisible(chromedp.CSS(css)))
	remains, err := ask(p.tab, chromedp.Evaluate[bool](call(selectAll, css, value)))
	p.check(what, err)
	if !remains {
		return
	}
	if value == "" {
		p.do(what, chromedp.KeyEvent("\b"))
		return
	}
	_, err = ask(p.tab, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		return chromedp.Void{}, target.Call(ctx, input.CommandInsertText, input.InsertTextParams{Text: value}, nil)
	})
	p.check(what, err)
}

// Upload chooses a file of this machine for a file field.
func (p *Page) Upload(css, path string) {
	p.t.Helper()
	absolute, err := filepath.Abs(path)
	p.check("find "+path, err)
	p.do("choose a file for "+css, chromedp.SetUploadFiles(chromedp.CSS(css), []string{absolute}))
}

// Text returns the visible text of the element, without the space around it.
func (p *Page) Text(css string) string {
	p.t.Helper()
	text, err := ask(p.tab, chromedp.Text(chromedp.CSS(css)))
	p.check("read "+css, err)
	return strings.TrimSpace(text)
}

// Attribute returns an attribute of the element, or nothing when it has no such attribute.
func (p *Page) Attribute(css, name string) string {
	p.t.Helper()
	got, err := ask(p.tab, chromedp.AttributeValue(chromedp.CSS(css), name))
	p.check("read "+name+" of "+css, err)
	return got.Value
}

// Count returns how many elements match now; it does not wait.
func (p *Page) Count(css string) int {
	p.t.Helper()
	return Evaluate[int](p, call(`css => document.querySelectorAll(css).length`, css))
}

// URL returns the address of the page.
func (p *Page) URL() string {
	p.t.Helper()
	address, err := ask(p.tab, chromedp.Location())
	p.check("read the address", err)
	return address
}

// WaitText waits until the page shows the text.
func (p *Page) WaitText(text string) {
	p.t.Helper()
	p.wait("wait for the text "+strconv.Quote(text), call(`text => document.body !== null && document.body.innerText.includes(text)`, text))
}

// WaitURL waits until the address of the page contains the fragment and the page is complete.
func (p *Page) WaitURL(fragment string) {
	p.t.Helper()
	p.wait("wait for an address with "+strconv.Quote(fragment),
		call(`fragment => location.href.includes(fragment) && document.readyState === 'complete'`, fragment))
}

// wait evaluates an expression again and again until it is true. It survives the change from one page to the next, and works
// with scripts turned off.
func (p *Page) wait(what, expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab.ctx, actWithin)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		// An error is no reason to stop: between two pages there is nothing to evaluate in.
		if isTrue, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && isTrue {
			return
		}
		select {
		case <-ctx.Done():
			p.check(what, fmt.Errorf("not within %v", actWithin))
			return
		case <-look.C:
		}
	}
}

// Resize changes the size of the window, in CSS pixels, as a person does who drags its corner. It makes no phone of it: see Phone.
func (p *Page) Resize(width, height int) {
	p.t.Helper()
	p.do("resize the window", chromedp.EmulateViewport(int64(width), int64(height)))
}

// Screenshot writes a picture (PNG) of the whole page, beyond what fits the window, to the path.
func (p *Page) Screenshot(path string) {
	p.t.Helper()
	picture, err := ask(p.tab, chromedp.FullScreenshot(100))
	p.check("take a picture of the page", err)
	p.check("save the picture", save(path, picture))
}

// Evaluate returns the value of a JavaScript expression in the page.
func Evaluate[T any](p *Page, expression string) T {
	p.t.Helper()
	value, err := ask(p.tab, chromedp.Evaluate[T](expression))
	p.check("evaluate an expression", err)
	return value
}

// do runs actions and ends the test when they fail.
func (p *Page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	p.check(what, p.tab.do(actions...))
}

// check ends the test when there is an error, with what the page shows.
func (p *Page) check(what string, err error) {
	p.t.Helper()
	if err == nil {
		return
	}
	address, text := "(unknown)", "(unknown)"
	if got, err := ask(p.tab, chromedp.Location()); err == nil {
		address = got
	}
	if got, err := ask(p.tab, chromedp.Evaluate[string](`document.body ? document.body.innerText : ''`)); err == nil {
		text = got[:min(len(got), enoughText)]
	}
	p.t.Fatalf("%s: %v\nthe page is %s and shows:\n%s", what, err, address, text)
}

// call returns the JavaScript that calls a function with texts.
func call(function string, texts ...string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return "(" + function + ")(" + strings.Join(quoted, ", ") + ")"
}
