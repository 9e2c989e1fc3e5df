package strictyaml

import (
	"strings"
	"unicode/utf8"
)

// Suggestion returns "; did you mean x?" when one of the names is close to what was written, "" otherwise.
func Suggestion(written string, names []string) string {
	best, bestDistance := "", 1+max(2, utf8.RuneCountInString(written)/4)
	for _, name := range names {
		distance := editDistance(written, name)
		// payment.amount for payment.amount_minor: the beginning of a name is a near miss however long the rest.
		if strings.HasPrefix(name, written+"_") || strings.HasSuffix(name, "."+written) {
			distance = min(distance, 2)
		}
		if distance < bestDistance {
			best, bestDistance = name, distance
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// editDistance counts the characters to insert, delete or replace to get from a to b.
func editDistance(a, b string) int {
	if max(len(a), len(b)) > 200 {
		return 200
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
