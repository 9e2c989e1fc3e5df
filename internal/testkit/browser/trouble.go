package browser

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// trouble is what went wrong on a page without a person seeing it. It is written by the goroutine that reads the browser's messages.
type trouble struct {
	mu        sync.Mutex
	seen      []incident
	documents map[string]bool // addresses of whole pages
	expected  []string
}

// incident is one thing that went wrong.
type incident struct {
	text    string
	address string // of the resource that did not load, empty for anything else
}

// note takes one event of the browser. It must not call back into the browser.
func (tr *trouble) note(event any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch event := event.(type) {
	case *network.EventResponseReceived:
		if event.Type == network.ResourceTypeDocument && event.Response != nil {
			if tr.documents == nil {
				tr.documents = map[string]bool{}
			}
			tr.documents[event.Response.URL] = true
		}
	case *runtime.EventConsoleAPICalled:
		if event.Type == "error" || event.Type == "assert" {
			tr.seen = append(tr.seen, incident{text: "console error: " + words(event.Args)})
		}
	case *runtime.EventExceptionThrown:
		text := event.ExceptionDetails.Text
		if thrown := event.ExceptionDetails.Exception; thrown != nil {
			text += " " + words([]*runtime.RemoteObject{thrown})
		}
		tr.seen = append(tr.seen, incident{text: "a script threw: " + text})
	case *log.EventEntryAdded:
		tr.noteEntry(event.Entry)
	}
}

// noteEntry takes one line of the browser's own log. The caller holds mu.
func (tr *trouble) noteEntry(entry *log.Entry) {
	if entry == nil || entry.Level != log.EntryLevelError {
		return
	}
	line := incident{text: string(entry.Source) + " error: " + entry.Text}
	if entry.Source == log.EntrySourceNetwork {
		line.address = entry.URL
		line.text += " (" + entry.URL + ")"
	}
	tr.seen = append(tr.seen, line)
}

// expect makes incidents whose text contains the fragment no trouble.
func (tr *trouble) expect(fragment string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.expected = append(tr.expected, fragment)
}

// unexpected returns what was noted and not expected. A whole page that answers 4xx is not trouble: that is how a form says what
// is wrong with it, and the test sees that page.
func (tr *trouble) unexpected() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var lines []string
	for _, line := range tr.seen {
		isPage := line.address != "" && tr.documents[line.address]
		isExpected := slices.ContainsFunc(tr.expected, func(fragment string) bool { return strings.Contains(line.text, fragment) })
		if !isPage && !isExpected {
			lines = append(lines, line.text)
		}
	}
	return lines
}

// words returns what the console shows for the values.
func words(values []*runtime.RemoteObject) string {
	parts := make([]string, 0, len(values))
	for _, value := range values {
		switch {
		case value.Description != "":
			parts = append(parts, value.Description)
		case len(value.Value) > 0:
			parts = append(parts, strings.Trim(string(value.Value), `"`))
		default:
			parts = append(parts, fmt.Sprint(value.Type))
		}
	}
	return strings.Join(parts, " ")
}
