// Package country knows the officially assigned two-letter codes of ISO 3166-1 and their names in the languages of the portal. Codes
// are upper case; user-assigned codes (XK, ZZ), exceptional reservations (EU, UK) and withdrawn codes are not countries here.
package country

import (
	"maps"
	"slices"
	"strings"
)

type name struct {
	english, chinese string
}

// Valid reports whether code is an officially assigned ISO 3166-1 alpha-2 code, in capitals.
func Valid(code string) bool {
	_, known := names[code]
	return known
}

// Name returns the country's name in the locale, a BCP 47 tag: Simplified Chinese for "zh" and every "zh-…", English for all others. An
// unknown code is returned as it is.
func Name(code, locale string) string {
	found, known := names[code]
	if !known {
		return code
	}
	language, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	if strings.EqualFold(language, "zh") {
		return found.chinese
	}
	return found.english
}

// Codes returns all codes in alphabetical order, for a form that offers them.
func Codes() []string {
	return slices.Sorted(maps.Keys(names))
}
