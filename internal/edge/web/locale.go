package web

import (
	"context"
	"net/http"
	"net/url"
)

type localeKey struct{}

// withLocale returns a context under which components speak the locale.
func withLocale(ctx context.Context, locale string) context.Context {
	return context.WithValue(ctx, localeKey{}, locale)
}

// localeOf returns the locale that Render put in the context, or English.
func localeOf(ctx context.Context) string {
	if locale, ok := ctx.Value(localeKey{}).(string); ok {
		return locale
	}
	return English
}

// say returns one of the kit's own words in the context's locale.
func say(ctx context.Context, key string, args ...any) string {
	return kit().T(localeOf(ctx), key, args...)
}

const localeCookie = "probity_lang"

// ChooseLocale returns the locale for a request: what the language switch asked for (?lang=, remembered in a cookie), else the
// cookie, else the preference on record (an account's locale, may be ""), else Accept-Language.
func ChooseLocale(w http.ResponseWriter, r *http.Request, onRecord string) string {
	if asked := r.URL.Query().Get("lang"); asked != "" {
		locale := Match(asked)
		http.SetCookie(w, &http.Cookie{Name: localeCookie, Value: locale, Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, SameSite: http.SameSiteLaxMode})
		return locale
	}
	if cookie, err := r.Cookie(localeCookie); err == nil {
		return Match(cookie.Value)
	}
	if onRecord != "" {
		return Match(onRecord)
	}
	return Match(r.Header.Get("Accept-Language"))
}

// LanguageLinks returns the language switch for the page at the address: the same page in each locale.
func LanguageLinks(here *url.URL, current string) []NavItem {
	names := map[string]string{English: "English", SimplifiedChinese: "简体中文"}
	links := make([]NavItem, 0, len(names))
	for _, locale := range Locales() {
		query := here.Query()
		query.Set("lang", locale)
		target := url.URL{Path: here.Path, RawQuery: query.Encode()}
		links = append(links, NavItem{Label: names[locale], URL: target.String(), Current: locale == current, Lang: locale})
	}
	return links
}
