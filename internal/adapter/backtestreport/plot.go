package backtestreport

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// The space around the field of a plot, for ticks and names of axes.
const (
	marginLeft   = 66
	marginRight  = 14
	marginTop    = 12
	marginBottom = 44
)

// scale maps values to places on one axis.
type scale struct {
	low, high float64 // of values
	from, to  float64 // of places
	log       bool
}

func (s scale) at(value float64) float64 {
	low, high := s.low, s.high
	if s.log {
		value, low, high = math.Log10(max(value, low)), math.Log10(low), math.Log10(high)
	}
	if high == low {
		return s.from
	}
	return s.from + (min(max(value, low), high)-low)/(high-low)*(s.to-s.from)
}

// plot is an SVG that is being drawn.
type plot struct {
	svg           strings.Builder
	width, height float64
	x, y          scale
}

// axis is how one axis is marked.
type axis struct {
	name  string
	ticks []float64
	mark  func(value float64) string
}

// newPlot draws the frame. The label is read aloud instead of the picture.
func newPlot(width, height float64, label string, x, y scale) *plot {
	p := &plot{width: width, height: height, x: x, y: y}
	p.x.from, p.x.to = marginLeft, width-marginRight
	p.y.from, p.y.to = height-marginBottom, marginTop
	fmt.Fprintf(&p.svg, `<svg class="plot" viewBox="0 0 %s %s" role="img" aria-label="%s">`, num(width), num(height), template.HTMLEscapeString(label))
	return p
}

// axes draws grid lines, ticks and names.
func (p *plot) axes(x, y axis) {
	for _, tick := range y.ticks {
		at := p.y.at(tick)
		fmt.Fprintf(&p.svg, `<line class="plot__grid" x1="%s" x2="%s" y1="%s" y2="%s"/>`, num(p.x.from), num(p.x.to), num(at), num(at))
		p.text("plot__tick plot__tick--y", p.x.from-8, at+4, y.mark(tick))
	}
	for _, tick := range x.ticks {
		at := p.x.at(tick)
		fmt.Fprintf(&p.svg, `<line class="plot__mark" x1="%s" x2="%s" y1="%s" y2="%s"/>`, num(at), num(at), num(p.y.from), num(p.y.from+5))
		p.text("plot__tick plot__tick--x", at, p.y.from+19, x.mark(tick))
	}
	fmt.Fprintf(&p.svg, `<line class="plot__axis" x1="%s" x2="%s" y1="%s" y2="%s"/>`, num(p.x.from), num(p.x.to), num(p.y.from), num(p.y.from))
	p.text("plot__name", (p.x.from+p.x.to)/2, p.height-6, x.name)
	fmt.Fprintf(&p.svg, `<text class="plot__name" transform="translate(13 %s) rotate(-90)">%s</text>`, num((p.y.from+p.y.to)/2), template.HTMLEscapeString(y.name))
}

func (p *plot) text(class string, x, y float64, text string) {
	fmt.Fprintf(&p.svg, `<text class="%s" x="%s" y="%s">%s</text>`, class, num(x), num(y), template.HTMLEscapeString(text))
}

// line draws a curve; class says which.
func (p *plot) line(class string, points [][2]float64) {
	if len(points) == 0 {
		return
	}
	var path strings.Builder
	for i, point := range points {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		path.WriteString(verb + num(p.x.at(point[0])) + " " + num(p.y.at(point[1])))
	}
	fmt.Fprintf(&p.svg, `<path class="plot__line %s" d="%s"/>`, class, path.String())
}

// area fills below a curve.
func (p *plot) area(class string, points [][2]float64) {
	if len(points) == 0 {
		return
	}
	var path strings.Builder
	path.WriteString("M" + num(p.x.at(points[0][0])) + " " + num(p.y.from))
	for _, point := range points {
		path.WriteString("L" + num(p.x.at(point[0])) + " " + num(p.y.at(point[1])))
	}
	path.WriteString("L" + num(p.x.at(points[len(points)-1][0])) + " " + num(p.y.from) + "Z")
	fmt.Fprintf(&p.svg, `<path class="plot__area %s" d="%s"/>`, class, path.String())
}

// dot draws a point with words that appear when it is pointed at.
func (p *plot) dot(class string, x, y, radius float64, words string) {
	fmt.Fprintf(&p.svg, `<circle class="plot__dot %s" cx="%s" cy="%s" r="%s"><title>%s</title></circle>`, class, num(p.x.at(x)), num(p.y.at(y)), num(radius), template.HTMLEscapeString(words))
}

// bar draws one part of a stacked bar, from one value to another.
func (p *plot) bar(class string, left, width, from, to float64, words string) {
	bottom, top := p.y.at(from), p.y.at(to)
	if bottom-top <= 0 {
		return
	}
	fmt.Fprintf(&p.svg, `<rect class="plot__bar %s" x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>`, class, num(left), num(top), num(width),
		num(max(bottom-top, 0.5)), template.HTMLEscapeString(words))
}

// done returns the picture.
func (p *plot) done() template.HTML {
	p.svg.WriteString("</svg>")
	return template.HTML(p.svg.String()) // every text in it was escaped where it was written
}

// num writes a coordinate with one decimal at most.
func num(value float64) string {
	return strconv.FormatFloat(math.Round(value*10)/10, 'f', -1, 64)
}

// ticks returns about so many round values from 0 to at least the highest.
func ticks(highest float64, about int) []float64 {
	if highest <= 0 {
		return []float64{0, 1}
	}
	step := math.Pow(10, math.Floor(math.Log10(highest/float64(about))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if highest/(step*factor) <= float64(about) {
			step *= factor
			break
		}
	}
	var out []float64
	for i := 0; ; i++ {
		out = append(out, float64(i)*step)
		if out[i] >= highest-step*1e-9 {
			return out
		}
	}
}

// short writes a number in few characters: 950, 1.2k, 3M.
func short(value float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if value >= unit.size {
			return strconv.FormatFloat(math.Round(value/unit.size*10)/10, 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatFloat(math.Round(value*1000)/1000, 'f', -1, 64)
}

func percentMark(value float64) string {
	return strconv.FormatFloat(math.Round(value*1e6)/1e4, 'f', -1, 64) + "%"
}
