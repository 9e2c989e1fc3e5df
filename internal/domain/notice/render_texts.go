package notice

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The languages that notices are written in.
const (
	English           = "en"
	SimplifiedChinese = "zh-CN"
)

// Language returns the language in which a holder with the locale (BCP 47, any case, also with underscores) is written to: every
// Chinese locale reads SimplifiedChinese, any other, also an empty one, reads English.
func Language(locale string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(locale), "_", "-"), "-")
	if primary == "zh" {
		return SimplifiedChinese
	}
	return English
}

//go:embed texts/*.json
var textFiles embed.FS

// textSet is one language's file of texts. Both languages have the same version, keys and placeholders, which a test checks.
type textSet struct {
	Version string            `json:"version"`
	Locale  string            `json:"locale"`
	Texts   map[string]string `json:"texts"`
}

var textSets = sync.OnceValues(func() (map[string]textSet, error) {
	sets := map[string]textSet{}
	for _, language := range []string{English, SimplifiedChinese} {
		raw, err := textFiles.ReadFile("texts/" + language + ".json")
		if err != nil {
			return nil, fmt.Errorf("read notice texts: %w", err)
		}
		var set textSet
		if err := json.Unmarshal(raw, &set); err != nil {
			return nil, fmt.Errorf("read notice texts %s: %w", language, err)
		}
		sets[language] = set
	}
	return sets, nil
})

// TextsVersion returns the version of the texts that Render uses, the day they were published.
func TextsVersion() string {
	sets, err := textSets()
	if err != nil {
		return ""
	}
	return sets[English].Version
}

// MethodKindName returns what a kind of payment method (card, bank_account, wallet) is called in the language of the locale, for a method
// that names no brand. An unknown kind is returned as it is.
func MethodKindName(locale, kind string) string {
	sets, err := textSets()
	if err != nil {
		return kind
	}
	keys := map[string]string{"card": "method.card", "bank_account": "method.bank_account", "wallet": "method.wallet"}
	if name, known := sets[Language(locale)].Texts[keys[kind]]; known {
		return name
	}
	return kind
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// writer fills texts of one language with values. It keeps the first thing that went wrong, so that composing reads as a list.
type writer struct {
	set    textSet
	values map[string]string
	err    error
}

func newWriter(locale string, values map[string]string) (*writer, error) {
	sets, err := textSets()
	if err != nil {
		return nil, err
	}
	for name, value := range values {
		values[name] = clean(value)
	}
	if !fitToGreet(values["name"]) {
		delete(values, "name")
	}
	return &writer{set: sets[Language(locale)], values: values}, nil
}

// maxGreeted is the longest name that a mail greets by, in characters.
const maxGreeted = 100

var addressLike = regexp.MustCompile(`(?i)://|www\.|@|[\p{L}\p{N}-]\.[\p{L}]{2,}(/|\b)`)

// fitToGreet reports whether a name can stand in a mail. Whoever opens an account at a tenant chooses the name and the e-mail address:
// with a name such as "win a prize at evil.example" the tenant's own mail would carry their message to anybody.
func fitToGreet(name string) bool {
	return utf8.RuneCountInString(name) <= maxGreeted && !addressLike.MatchString(name)
}

// say returns the text of the key with its placeholders filled. It fills in one pass, so a value can't smuggle in a placeholder.
func (w *writer) say(key string) string {
	text, known := w.set.Texts[key]
	if !known && w.err == nil {
		w.err = fmt.Errorf("render notice: no text %s", key)
	}
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		value := w.values[strings.Trim(match, "{}")]
		if value == "" && w.err == nil {
			w.err = fmt.Errorf("render notice: text %s needs %s", key, match)
		}
		return value
	})
}

// count says the key, in its form for one when n is 1.
func (w *writer) count(key string, n int) string {
	if n == 1 {
		key += ".one"
	}
	return w.say(key)
}

// item says "label: text" in the language's punctuation.
func (w *writer) item(label, text string) string {
	item := w.set.Texts["item"]
	return strings.NewReplacer("{label}", label, "{text}", text).Replace(item)
}

// has reports whether a value was given.
func (w *writer) has(name string) bool { return w.values[name] != "" }

// maxValue bounds one value, in characters, so that a mail stays a mail.
const maxValue = 2000

// clean makes a value one line of visible text: line breaks could forge headers or paragraphs, and marks of writing direction
// could show a reader another address than the one that is there.
func clean(value string) string {
	count := 0
	line := strings.Map(func(r rune) rune {
		count++
		switch {
		case count > maxValue, r == '\uFFFD':
			return -1
		case r == '\u2028', r == '\u2029', unicode.IsControl(r):
			return ' '
		case r == '\u061C', r == '\u200E', r == '\u200F', r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
			return -1
		default:
			return r
		}
	}, value)
	return strings.Join(strings.Fields(line), " ")
}
