package story

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/probity/probity/internal/testkit/browser"
)

// person is somebody in front of a page. What they press, choose and fill in is named as they read it.
type person struct {
	*browser.Page
	stage *stage
	album *album
	who   string // begins the names of the pictures
	phone bool   // the page is a phone's, so there is no other width to look at
}

// find marks the control that a person calls by the name, and returns a selector for it: buttons, links and summaries by their words,
// fields and choices by their label.
const find = `(sort, name) => {
	const tidy = text => (text || '').replace(/\s+/g, ' ').trim();
	const shown = element => element.getClientRects().length > 0;
	const says = element => [tidy(element.innerText), tidy(element.getAttribute('aria-label'))];
	const pick = elements => elements.find(e => says(e).includes(name)) || elements.find(e => says(e).includes(name + ' (optional)')) ||
		elements.find(e => says(e).some(text => text.startsWith(name)));
	let found;
	if (sort === 'control') {
		found = pick([...document.querySelectorAll('main a[href], main button, main summary, header a[href], header button, .above button')].filter(shown));
	} else {
		const label = pick([...document.querySelectorAll('label')].filter(shown));
		found = label && label.control;
	}
	if (!found) return false;
	for (const marked of document.querySelectorAll('[data-played]')) marked.removeAttribute('data-played');
	found.setAttribute('data-played', '');
	return true;
}`

const marked = "[data-played]"

func (p *person) mark(sort, name string) {
	p.stage.t.Helper()
	quoted, err := json.Marshal([]string{sort, name})
	if err != nil {
		p.stage.t.Fatal(err)
	}
	expression := fmt.Sprintf("(%s)(...%s)", find, quoted)
	if browser.Evaluate[bool](p.Page, expression) {
		return
	}
	p.stage.eventually("the "+sort+" "+name, func() bool { return browser.Evaluate[bool](p.Page, expression) })
}

// press presses a button or follows a link, and waits for the page that it leads to.
func (p *person) press(name string) int {
	p.stage.t.Helper()
	p.mark("control", name)
	return p.Submit(marked)
}

// pressIn follows the link of the row of a table that holds the text.
func (p *person) pressIn(row string) {
	p.stage.t.Helper()
	quoted, err := json.Marshal(row)
	if err != nil {
		p.stage.t.Fatal(err)
	}
	if !browser.Evaluate[bool](p.Page, fmt.Sprintf(`(text => {
		for (const marked of document.querySelectorAll('[data-played]')) marked.removeAttribute('data-played');
		const link = [...document.querySelectorAll('tbody tr')].find(row => row.innerText.includes(text))?.querySelector('a');
		link?.setAttribute('data-played', '');
		return !!link;
	})(%s)`, quoted)) {
		p.stage.t.Fatalf("%s has no row about %s", p.URL(), row)
	}
	p.Submit(marked)
}

// touch presses something that leads to no other page.
func (p *person) touch(name string) {
	p.stage.t.Helper()
	p.mark("control", name)
	p.Click(marked)
}

// choose picks a radio button or ticks a box.
func (p *person) choose(label string) {
	p.stage.t.Helper()
	p.mark("field", label)
	p.Click(marked)
}

// enter fills a field in.
func (p *person) enter(label, value string) {
	p.stage.t.Helper()
	p.mark("field", label)
	p.Fill(marked, value)
}

// sees waits until the page shows all the texts.
func (p *person) sees(texts ...string) {
	p.stage.t.Helper()
	for _, text := range texts {
		p.WaitText(text)
	}
}

// seesNot fails the test when the page shows the text.
func (p *person) seesNot(text string) {
	p.stage.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		p.stage.t.Fatal(err)
	}
	if browser.Evaluate[bool](p.Page, "document.body.innerText.includes("+string(quoted)+")") {
		p.stage.t.Errorf("the page %s shows %q and must not", p.URL(), text)
	}
}

// visit opens an address of the demo.
func (p *person) visit(path string) {
	p.stage.t.Helper()
	p.Goto(p.stage.ready.URL + path)
}

// look takes pictures of the page and checks that it is accessible, at desktop and phone width.
func (p *person) look(name string) {
	p.stage.t.Helper()
	p.picture(name, p.Accessible)
}

// picture takes pictures of the page, at desktop and phone width, after a check at each.
func (p *person) picture(name string, check func()) {
	p.stage.t.Helper()
	number := p.album.next.Add(1)
	take := func(width string) {
		p.stage.t.Helper()
		check()
		p.Screenshot(filepath.Join(p.album.directory, fmt.Sprintf("%03d-%s-%s-%s.png", number, p.who, name, width)))
	}
	if p.phone {
		take("phone")
		return
	}
	take("desktop")
	p.Resize(browser.PhoneWidth, browser.PhoneHeight)
	take("phone")
	p.Resize(browser.DesktopWidth, browser.DesktopHeight)
}

// album is where the pictures go.
type album struct {
	directory string
	next      atomic.Int64
}

func newAlbum(t *testing.T) *album {
	directory := os.Getenv("PROBITY_SCREENSHOTS")
	if directory == "" {
		directory = t.TempDir()
	}
	return &album{directory: directory}
}
