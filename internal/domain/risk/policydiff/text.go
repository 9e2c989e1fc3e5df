package policydiff

import (
	"fmt"
	"strings"
)

// around is how many lines that stayed are shown before and after those that changed.
const around = 3

// maxCells bounds the work of finding what stayed. Texts that differ more than that are shown as one block taken out and one put in.
const maxCells = 4_000_000

// line is one line of the comparison.
type line struct {
	mark byte // ' ', '-' or '+'
	text string
}

// Text returns the difference of two texts in the unified form of diff, without file names; empty when they are the same.
func Text(from, to string) string {
	if from == to {
		return ""
	}
	lines := compare(split(from), split(to))
	var out strings.Builder
	for at := 0; at < len(lines); {
		if lines[at].mark == ' ' {
			at++
			continue
		}
		start, end := max(at-around, 0), at
		for quiet := 0; end < len(lines) && quiet <= 2*around; end++ {
			if lines[end].mark == ' ' {
				quiet++
			} else {
				quiet = 0
				at = end + 1
			}
		}
		hunk(&out, lines, start, min(at+around, len(lines)))
	}
	return out.String()
}

func split(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// hunk writes one block of the unified form.
func hunk(out *strings.Builder, lines []line, start, end int) {
	oldLine, newLine := 1, 1
	for _, l := range lines[:start] {
		oldLine += b2i(l.mark != '+')
		newLine += b2i(l.mark != '-')
	}
	oldCount, newCount := 0, 0
	for _, l := range lines[start:end] {
		oldCount += b2i(l.mark != '+')
		newCount += b2i(l.mark != '-')
	}
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n", oldLine, oldCount, newLine, newCount)
	for _, l := range lines[start:end] {
		out.WriteByte(l.mark)
		out.WriteString(l.text)
		out.WriteByte('\n')
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare returns all lines of both texts, what stayed once.
func compare(from, to []string) []line {
	var out []line
	same := func(text string) { out = append(out, line{' ', text}) }
	for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
		same(from[0])
		from, to = from[1:], to[1:]
	}
	tail := 0
	for tail < len(from) && tail < len(to) && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	end := from[len(from)-tail:]
	out = append(out, middle(from[:len(from)-tail], to[:len(to)-tail])...)
	for _, text := range end {
		same(text)
	}
	return out
}

// middle compares texts that share neither their first nor their last line, by the longest common subsequence.
func middle(from, to []string) []line {
	var out []line
	if len(from)*len(to) > maxCells {
		for _, text := range from {
			out = append(out, line{'-', text})
		}
		for _, text := range to {
			out = append(out, line{'+', text})
		}
		return out
	}
	// longest[i][j] is that of from[i:] and to[j:].
	width := len(to) + 1
	longest := make([]int32, (len(from)+1)*width)
	for i := len(from) - 1; i >= 0; i-- {
		for j := len(to) - 1; j >= 0; j-- {
			if from[i] == to[j] {
				longest[i*width+j] = longest[(i+1)*width+j+1] + 1
			} else {
				longest[i*width+j] = max(longest[(i+1)*width+j], longest[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(from) && j < len(to) {
		switch {
		case from[i] == to[j]:
			out = append(out, line{' ', from[i]})
			i, j = i+1, j+1
		case longest[(i+1)*width+j] >= longest[i*width+j+1]:
			out = append(out, line{'-', from[i]})
			i++
		default:
			out = append(out, line{'+', to[j]})
			j++
		}
	}
	for ; i < len(from); i++ {
		out = append(out, line{'-', from[i]})
	}
	for ; j < len(to); j++ {
		out = append(out, line{'+', to[j]})
	}
	return out
}
