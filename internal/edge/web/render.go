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
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	// A reader that went away is no concern of ours.
	_, _ = out.WriteTo(w)
	return nil
}

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
