package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/a-h/templ"
)

// Render writes the page with its body as the answer. It renders into memory first, so that a failure is a plain 500 and never
// half a page; the error is returned for the caller to log.
func Render(w http.ResponseWriter, r *http.Request, status int, page Page, body templ.Component) error {
	var out bytes.Buffer
	if err := RenderTo(r.Context(), &out, page, body); err != nil {
		http.Error(w, "this page could not be shown; please try again", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", Match(page.Locale))
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	// A reader that went away is no concern of ours.
	_, _ = out.WriteTo(w)
	return nil
}

// Stream writes the page while its body is still being made: what was written goes out whenever the body renders templ.Flush. The status
// is sent before, so the body itself has to say what goes wrong. A reader that went away is an error.
func Stream(w http.ResponseWriter, r *http.Request, status int, page Page, body templ.Component) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", Match(page.Locale))
	w.WriteHeader(status)
	return RenderTo(r.Context(), sender{w, http.NewResponseController(w)}, page, body)
}

// sender lets templ.Flush send what was written.
type sender struct {
	io.Writer
	control *http.ResponseController
}

// Flush sends what was written. Where the connection cannot, it goes out later.
func (s sender) Flush() { _ = s.control.Flush() }

// RenderTo writes the whole document. Components inside speak the page's locale.
func RenderTo(ctx context.Context, out io.Writer, page Page, body templ.Component) error {
	page.Locale = Match(page.Locale)
	ctx = withLocale(ctx, page.Locale)
	if err := layout(page).Render(templ.WithChildren(ctx, body), out); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	return nil
}

// In renders a component in a locale by itself, outside a page; tests and mail previews use it.
func In(locale string, component templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, out io.Writer) error {
		return component.Render(withLocale(ctx, Match(locale)), out)
	})
}
