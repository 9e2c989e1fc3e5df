package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// The locales that every catalog has. English is the one that others fall back to.
const (
	English           = "en"
	SimplifiedChinese = "zh-CN"
)

// Locales returns the locales that every catalog has, English first.
func Locales() []string { return []string{English, SimplifiedChinese} }

// Catalog holds the messages of one package: flat keys, one text per locale, placeholders written {name}. It is read-only after
// Load and safe for concurrent use.
type Catalog struct {
	messages map[string]map[string]string // locale → key → text
}

// Load reads one flat JSON object per file; the locale is the file's name without ".json". The same key twice in one file keeps
// the last, as encoding/json does.
func Load(files fs.FS, names ...string) (*Catalog, error) {
	catalog := &Catalog{messages: map[string]map[string]string{}}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		var texts map[string]string
		if err := json.Unmarshal(raw, &texts); err != nil {
			return nil, fmt.Errorf("read catalog %s: %w", name, err)
		}
		catalog.messages[strings.TrimSuffix(path.Base(name), ".json")] = texts
	}
	if catalog.messages[English] == nil {
		return nil, fmt.Errorf("read catalog: no %s.json among the files", English)
	}
	return catalog, nil
}

// MustLoad is Load for files that are embedded in the binary: a failure there is a build that went wrong.
func MustLoad(files fs.FS, names ...string) *Catalog {
	catalog, err := Load(files, names...)
	if err != nil {
		panic("web: " + err.Error())
	}
	return catalog
}

// T returns the text of the key in the locale, with its placeholders filled from name-value pairs:
//
//	catalog.T("en", "due", "date", text) // "Due {date}" → "Due Friday…"
//
// A locale without the key falls back to English; a key that is nowhere is returned as it is, so that it can be seen.
func (c *Catalog) T(locale, key string, args ...any) string {
	text, found := c.messages[locale][key]
	if !found {
		text, found = c.messages[English][key]
	}
	if !found {
		return key
	}
	return fill(text, args)
}

// N is T for a text that depends on a count: it takes key + ".one" for one in English, else key + ".other", and fills {count}.
func (c *Catalog) N(locale, key string, count int, args ...any) string {
	form := ".other"
	if count == 1 && locale != SimplifiedChinese {
		form = ".one"
	}
	return c.T(locale, key+form, append([]any{"count", count}, args...)...)
}

// Has reports whether the locale itself has the key.
func (c *Catalog) Has(locale, key string) bool {
	_, found := c.messages[locale][key]
	return found
}

// For returns the catalog bound to one locale, as page code wants it.
func (c *Catalog) For(locale string) Printer { return Printer{catalog: c, locale: Match(locale)} }

// Printer is a Catalog bound to a locale.
type Printer struct {
	catalog *Catalog
	locale  string
}

// Locale returns the locale it prints in.
func (p Printer) Locale() string { return p.locale }

// T is Catalog.T in the printer's locale.
func (p Printer) T(key string, args ...any) string { return p.catalog.T(p.locale, key, args...) }

// N is Catalog.N in the printer's locale.
func (p Printer) N(key string, count int, args ...any) string {
	return p.catalog.N(p.locale, key, count, args...)
}

// fill replaces {name} by the values of the name-value pairs in one pass, so that a value that looks like a placeholder stays.
func fill(text string, args []any) string {
	if len(args) < 2 {
		return text
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, "{"+fmt.Sprint(args[i])+"}", fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

var localeMatcher = sync.OnceValue(func() language.Matcher {
	return language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese})
})

// Match returns the locale of Locales that serves best a locale name ("zh-Hans", "en-GB") or a whole Accept-Language header.
// What cannot be read or served is English.
func Match(wanted string) string {
	tags, _, err := language.ParseAcceptLanguage(strings.ReplaceAll(wanted, "_", "-"))
	if err != nil || len(tags) == 0 {
		return English
	}
	_, index, confidence := localeMatcher().Match(tags...)
	if confidence == language.No {
		return English
	}
	return Locales()[index]
}

//go:embed catalog/*.json
var catalogFiles embed.FS

// kit is the catalog of the components' own words.
var kit = sync.OnceValue(func() *Catalog {
	return MustLoad(catalogFiles, "catalog/en.json", "catalog/zh-CN.json")
})

// StatusLabel returns the words for a status in the locale. The same status reads the same on every page.
func StatusLabel(locale, status string) string {
	key := "status." + status
	if text := kit().T(locale, key); text != key {
		return text
	}
	return status
}
