package console

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The size of a sparkline, in its own units: one column for each day, a gap of one between two.
const (
	sparkColumn = 5
	sparkGap    = 1
	sparkHeight = 28
)

// spark is a small chart of counts, oldest first. Its colours come from the stylesheet; the numbers stand beside it in words.
type spark struct {
	Counts []int64
	Days   int    // days that one column stands for, for its words; 0 means 1
	What   string // what is counted: "payments raised it"
	Quiet  bool   // drawn in outline: what it counts decided nothing
}

// bar is one column of a sparkline in its own units.
type bar struct{ X, Y, Width, Height string }

func (s spark) width() string {
	return strconv.Itoa(max(len(s.Counts)*(sparkColumn+sparkGap)-sparkGap, 1))
}
func (s spark) height() string { return strconv.Itoa(sparkHeight) }
func (s spark) viewBox() string {
	return "0 0 " + s.width() + " " + s.height()
}

func (s spark) most() int64 {
	most := int64(0)
	for _, n := range s.Counts {
		most = max(most, n)
	}
	return most
}

// bars lays out a column for each count. A count above zero is always seen; none is a hair on the ground, so that time keeps its shape.
func (s spark) bars() []bar {
	out := make([]bar, 0, len(s.Counts))
	most := s.most()
	for i, n := range s.Counts {
		height := 1.0
		if n > 0 {
			height = max(3, math.Round(float64(n)/float64(most)*sparkHeight))
		}
		out = append(out, bar{
			X: strconv.Itoa(i * (sparkColumn + sparkGap)), Y: number(sparkHeight - height), Width: strconv.Itoa(sparkColumn), Height: number(height),
		})
	}
	return out
}

// words say what the chart shows, for those who do not see it.
func (s spark) words() string {
	if len(s.Counts) == 0 {
		return "nothing counted yet"
	}
	days := max(s.Days, 1) * len(s.Counts)
	total := int64(0)
	for _, n := range s.Counts {
		total += n
	}
	last := s.Counts[len(s.Counts)-1]
	return fmt.Sprintf("%s %s in %s, %s on the last day", grouped(total), s.What, plural(days, "day", "days"), grouped(last))
}

// part is one part of a score, or of a comparison: a bar to the right when it adds, to the left when it takes away.
type part struct {
	Label string
	Note  string
	Value string  // as written
	Share float64 // -1 to 1, of the widest bar
}

// barWidth is the length of a part's bar in hundredths.
func (p part) barWidth() string { return number(math.Round(min(math.Abs(p.Share), 1)*1000) / 10) }

// adds reports whether the part speaks for the risk.
func (p part) adds() bool { return p.Share > 0 }

// partsOf gives each part its share of the largest.
func partsOf(labels, notes []string, values []float64, write func(float64) string) []part {
	widest := 0.0
	for _, v := range values {
		widest = max(widest, math.Abs(v))
	}
	out := make([]part, 0, len(values))
	for i, v := range values {
		p := part{Label: labels[i], Value: write(v)}
		if i < len(notes) {
			p.Note = notes[i]
		}
		if widest > 0 {
			p.Share = v / widest
		}
		out = append(out, p)
	}
	return out
}

// number writes a coordinate, or a figure, without a fraction that says nothing.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// rounded writes a figure for a person: whole from a hundred on, otherwise up to two digits after the point.
func rounded(f float64) string {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "not defined"
	case math.Abs(f) >= 100:
		return grouped(int64(math.Round(f)))
	default:
		return number(math.Round(f*100) / 100)
	}
}

// signed is rounded with its sign.
func signed(f float64) string {
	if f > 0 {
		return "+" + rounded(f)
	}
	return strings.Replace(rounded(f), "-", "−", 1)
}

// percent writes a share of one: "12.5 %".
func percent(share float64) string {
	switch {
	case math.IsNaN(share) || math.IsInf(share, 0):
		return "–"
	case share > 0 && share < 0.0005:
		return "< 0.1 %"
	default:
		return number(math.Round(share*1000)/10) + " %"
	}
}

// grouped writes a whole number with a comma between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
