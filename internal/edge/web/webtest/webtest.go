// Package webtest holds the checks that every package with a message catalog or pages runs in its own tests.
package webtest

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/probity/probity/internal/edge/web"
)

var placeholder = regexp.MustCompile(`\{[a-z0-9_]+\}`)

// CheckCatalogs fails the test when the catalog files do not have the same keys, when a key's placeholders differ between them,
// or when a text is empty. names are files of the tree, English first: CheckCatalogs(t, files, "en.json", "zh-CN.json").
func CheckCatalogs(t *testing.T, files fs.FS, names ...string) {
	t.Helper()
	first := read(t, files, names[0])
	for _, name := range names[1:] {
		other := read(t, files, name)
		for key, text := range first {
			translated, found := other[key]
			switch {
			case !found:
				t.Errorf("%s lacks the key %q", name, key)
			case strings.TrimSpace(text) == "" || strings.TrimSpace(translated) == "":
				t.Errorf("the text of %q is empty in %s or %s", key, names[0], name)
			case !slices.Equal(placeholders(text), placeholders(translated)):
				t.Errorf("the placeholders of %q differ: %v in %s, %v in %s", key,
					placeholders(text), names[0], placeholders(translated), name)
			}
		}
		for key := range other {
			if _, found := first[key]; !found {
				t.Errorf("%s lacks the key %q", names[0], key)
			}
		}
	}
}

func read(t *testing.T, files fs.FS, name string) map[string]string {
	t.Helper()
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return texts
}

// placeholders returns the distinct placeholders of a text, sorted.
func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

var usedKey = regexp.MustCompile(`\.(T|N)\("([a-z0-9_.-]+)"`)

// CheckKeysUsed fails the test when a source file of the directory asks a Printer for a literal key, p.T("key") or p.N("key"),
// that the catalog does not have. Keys put together at run time it cannot see.
func CheckKeysUsed(t *testing.T, directory string, catalog *web.Catalog) {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		isSource := strings.HasSuffix(name, ".templ") || strings.HasSuffix(name, ".go")
		if !isSource || strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range usedKey.FindAllStringSubmatch(string(source), -1) {
			key := use[2]
			if strings.HasSuffix(key, ".") {
				continue // the rest is put together at run time
			}
			if use[1] == "N" {
				key += ".other"
			}
			if !catalog.Has(web.English, key) {
				t.Errorf("%s asks for the message %q, which the catalog lacks", name, key)
			}
		}
	}
}

var (
	inlineStyle   = regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=`)
	inlineHandler = regexp.MustCompile(`(?i)<[^>]*\son[a-z]+\s*=`)
	inlineScript  = regexp.MustCompile(`(?i)<script(?:[^>]*)>\s*[^<\s]`)
	styleElement  = regexp.MustCompile(`(?i)<style[\s>]`)
	elementID     = regexp.MustCompile(`\sid="([^"]*)"`)
	control       = regexp.MustCompile(`<(?:input|select|textarea)\b[^>]*>`)
	imageTag      = regexp.MustCompile(`<img\b[^>]*>`)
)

// CheckPage fails the test when a rendered page has what the content security policy would block, an id twice, a control without
// an id that a label points to, a picture without alternative text, or not exactly one <h1>.
func CheckPage(t *testing.T, html string) {
	t.Helper()
	for what, pattern := range map[string]*regexp.Regexp{"a style attribute": inlineStyle, "an inline handler": inlineHandler,
		"an inline script": inlineScript, "a style element": styleElement} {
		if found := pattern.FindString(html); found != "" {
			t.Errorf("the page has %s, which the content security policy blocks: %s", what, found)
		}
	}
	seen := map[string]bool{}
	for _, match := range elementID.FindAllStringSubmatch(html, -1) {
		if seen[match[1]] {
			t.Errorf("the id %q is on the page twice", match[1])
		}
		seen[match[1]] = true
	}
	for _, tag := range control.FindAllString(html, -1) {
		if strings.Contains(tag, `type="hidden"`) || strings.Contains(tag, "aria-label") {
			continue
		}
		id := elementID.FindStringSubmatch(tag)
		if id == nil || !strings.Contains(html, `for="`+id[1]+`"`) {
			t.Errorf("a control has no label: %s", tag)
		}
	}
	for _, tag := range imageTag.FindAllString(html, -1) {
		if !strings.Contains(tag, " alt=") {
			t.Errorf("a picture has no alternative text: %s", tag)
		}
	}
	if got := strings.Count(html, "<h1"); got != 1 {
		t.Errorf("the page has %d <h1> elements, want 1", got)
	}
}
