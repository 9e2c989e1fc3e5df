package samples

import (
	"strings"
	"time"
	"unicode"
)

// mrzLines returns the three lines of 30 characters of a machine-readable zone of size TD1 (ICAO 9303-5), with right check digits.
// UTO is the code that ICAO 9303 keeps for specimens; the sex is not specified.
func (p person) mrzLines() [3]string {
	birth, expires := mrzDate(p.birth), mrzDate(p.expires())
	upper := pad("I<UTO"+p.number+checkDigit(p.number), 30)
	middle := birth + checkDigit(birth) + "<" + expires + checkDigit(expires) + "UTO" + strings.Repeat("<", 11)
	composite := checkDigit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29])
	names := mrzName(p.surname) + "<<" + mrzName(p.given)
	return [3]string{upper, middle + composite, pad(names, 30)}
}

func mrzDate(t time.Time) string { return t.Format("060102") }

// checkDigit is the check digit of ICAO 9303-3 §4.9: weights 7, 3, 1, modulo 10, letters from A = 10, filler 0.
func checkDigit(s string) string {
	sum := 0
	for i := range len(s) {
		value := 0
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			value = int(c - '0')
		case c >= 'A' && c <= 'Z':
			value = int(c-'A') + 10
		}
		sum += value * [...]int{7, 3, 1}[i%3]
	}
	return string(rune('0' + sum%10))
}

// pad fills or cuts to the length.
func pad(s string, length int) string {
	if len(s) >= length {
		return s[:length]
	}
	return s + strings.Repeat("<", length-len(s))
}

// mrzName writes a name in the letters of a machine-readable zone. Letters outside A–Z are written as ICAO 9303-3 §6 recommends
// for the common ones, and left out otherwise: a specimen need not settle more.
func mrzName(name string) string {
	wide := strings.NewReplacer("Ä", "AE", "Ö", "OE", "Ü", "UE", "ẞ", "SS", "ß", "SS", "Å", "AA", "Æ", "AE", "Ø", "OE", "Þ", "TH",
		"Ñ", "N", "Ç", "C", "É", "E", "È", "E", "Ê", "E", "Ë", "E", "Á", "A", "À", "A", "Â", "A", "Ã", "A", "Í", "I", "Î", "I",
		"Ï", "I", "Ó", "O", "Ô", "O", "Õ", "O", "Ú", "U", "Ù", "U", "Û", "U", "Ý", "Y", "Ð", "D", "Ł", "L", "Š", "S", "Ž", "Z",
		"Č", "C", "Ć", "C", "Ń", "N", "Ś", "S", "Ź", "Z", "Ż", "Z", "Ę", "E", "Ą", "A", "Ř", "R", "Ě", "E", "Ů", "U",
		" ", "<", "-", "<").Replace(strings.ToUpper(name))
	return strings.Map(func(r rune) rune {
		if r == '<' || r < unicode.MaxASCII && unicode.IsUpper(r) {
			return r
		}
		return -1
	}, wide)
}
