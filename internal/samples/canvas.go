package samples

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// face names one of the fonts that text is drawn in.
type face int

const (
	regular face = iota
	bold
	mono
	monoBold
)

// fonts parses the Go fonts once. They are part of the binary, so a failure is a build that went wrong.
var fonts = sync.OnceValue(func() map[face]*sfnt.Font {
	parsed := map[face]*sfnt.Font{}
	for name, body := range map[face][]byte{regular: goregular.TTF, bold: gobold.TTF, mono: gomono.TTF, monoBold: gomonobold.TTF} {
		font, err := opentype.Parse(body)
		if err != nil {
			panic("samples: a built-in font cannot be read: " + err.Error())
		}
		parsed[name] = font
	}
	return parsed
})

// hasGlyph reports whether the fonts can draw the letter in both cases.
func hasGlyph(r rune) bool {
	var buffer sfnt.Buffer
	for _, f := range []face{regular, bold} {
		index, err := fonts()[f].GlyphIndex(&buffer, r)
		if err != nil || index == 0 {
			return false
		}
	}
	return true
}

// canvas is a picture under construction; lengths are in pixels, from the upper left corner.
type canvas struct {
	picture *image.RGBA
	// fault is the first thing that went wrong; drawing goes on, and encode returns it.
	fault error
}

func newCanvas(width, height int, ground color.Color) *canvas {
	c := &canvas{picture: image.NewRGBA(image.Rect(0, 0, width, height))}
	draw.Draw(c.picture, c.picture.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	return c
}

func (c *canvas) encode() ([]byte, error) {
	if c.fault != nil {
		return nil, c.fault
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, c.picture); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// fill rasterises an outline within an area with smooth edges, in the colours of the paint.
func (c *canvas) fill(within box, paint image.Image, outline func(pen)) {
	area := image.Rect(int(within.x)-1, int(within.y)-1, int(within.x+within.w)+2, int(within.y+within.h)+2).Intersect(c.picture.Bounds())
	if area.Empty() {
		return
	}
	r := vector.NewRasterizer(area.Dx(), area.Dy())
	outline(pen{r, float32(area.Min.X), float32(area.Min.Y)})
	r.Draw(c.picture, area, paint, area.Min)
}

// pen draws outlines in the picture's own coordinates onto a rasterizer that covers only a part of it.
type pen struct {
	r           *vector.Rasterizer
	left, above float32
}

func (p pen) move(x, y float32) { p.r.MoveTo(x-p.left, y-p.above) }

func (p pen) line(x, y float32) { p.r.LineTo(x-p.left, y-p.above) }

func (p pen) quad(x1, y1, x, y float32) { p.r.QuadTo(x1-p.left, y1-p.above, x-p.left, y-p.above) }

func (p pen) cube(x1, y1, x2, y2, x, y float32) {
	p.r.CubeTo(x1-p.left, y1-p.above, x2-p.left, y2-p.above, x-p.left, y-p.above)
}

func (p pen) end() { p.r.ClosePath() }

func ink(rgb uint32) color.Color {
	return color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 255}
}

func inkAlpha(rgb uint32, alpha uint8) color.Color {
	return color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), alpha}
}

// box is a rectangle with rounded corners.
type box struct{ x, y, w, h, radius float32 }

func (b box) outline(p pen) {
	// Quarter circles as cubic curves.
	k := b.radius * 0.5523
	right, bottom := b.x+b.w, b.y+b.h
	p.move(b.x+b.radius, b.y)
	p.line(right-b.radius, b.y)
	p.cube(right-b.radius+k, b.y, right, b.y+b.radius-k, right, b.y+b.radius)
	p.line(right, bottom-b.radius)
	p.cube(right, bottom-b.radius+k, right-b.radius+k, bottom, right-b.radius, bottom)
	p.line(b.x+b.radius, bottom)
	p.cube(b.x+b.radius-k, bottom, b.x, bottom-b.radius+k, b.x, bottom-b.radius)
	p.line(b.x, b.y+b.radius)
	p.cube(b.x, b.y+b.radius-k, b.x+b.radius-k, b.y, b.x+b.radius, b.y)
	p.end()
}

func (c *canvas) rounded(b box, paint color.Color) { c.fill(b, image.NewUniform(paint), b.outline) }

func (c *canvas) circle(x, y, radius float32, paint color.Color) {
	c.rounded(box{x - radius, y - radius, 2 * radius, 2 * radius, radius}, paint)
}

// shadow darkens softly below a box, as a lamp above a desk would.
func (c *canvas) shadow(b box) {
	// Each layer costs a fill of the whole box, so there are few of them.
	for i := range 5 {
		spread := float32(i) * 5.5
		c.rounded(box{b.x - spread + 4, b.y - spread + 10, b.w + 2*spread, b.h + 2*spread, b.radius + spread}, inkAlpha(0x0a1a18, 12))
	}
}

// gradient paints a box from one colour at the upper left to another at the lower right.
func (c *canvas) gradient(b box, from, to color.NRGBA) {
	area := image.NewRGBA(image.Rect(int(b.x), int(b.y), int(b.x+b.w)+2, int(b.y+b.h)+2))
	for y := int(b.y); y < int(b.y+b.h+1); y++ {
		for x := int(b.x); x < int(b.x+b.w+1); x++ {
			share := (float64(x)-float64(b.x))/float64(b.w)*0.6 + (float64(y)-float64(b.y))/float64(b.h)*0.4
			area.SetRGBA(x, y, mix(from, to, share))
		}
	}
	c.fill(b, area, b.outline)
}

func mix(from, to color.NRGBA, share float64) color.RGBA {
	share = min(1, max(0, share))
	blend := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return color.RGBA{blend(from.R, to.R), blend(from.G, to.G), blend(from.B, to.B), 255}
}

// wave is one line of a guilloche: thin, and swinging within a box.
type wave struct {
	within           box
	middle, swing    float64
	length, phase    float64
	thickness        float32
	secondSwingShare float64
}

func (c *canvas) wave(w wave, paint color.Color) {
	height := func(x float64) float32 {
		angle := 2*math.Pi*x/w.length + w.phase
		return float32(w.middle + w.swing*(math.Sin(angle)+w.secondSwingShare*math.Sin(2.7*angle)))
	}
	const step = 6
	reach := float32(math.Abs(w.swing) * (1 + math.Abs(w.secondSwingShare)))
	around := box{w.within.x, float32(w.middle) - reach, w.within.w, 2*reach + w.thickness, 0}
	c.fill(around, image.NewUniform(paint), func(p pen) {
		left, right := float64(w.within.x), float64(w.within.x+w.within.w)
		p.move(float32(left), height(left))
		for x := left; x <= right; x += step {
			p.line(float32(x), height(x))
		}
		for x := right; x >= left; x -= step {
			p.line(float32(x), height(x)+w.thickness)
		}
		p.end()
	})
}

// lettering says how a text looks.
type lettering struct {
	face    face
	size    float64
	paint   color.Color
	spacing float64 // added after each letter
	right   bool    // x is where the text ends
}

// write draws one line of text with its baseline at y, and returns where it ends.
func (c *canvas) write(x, y float64, text string, style lettering) float64 {
	drawn, err := opentype.NewFace(fonts()[style.face], &opentype.FaceOptions{Size: style.size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		c.fault = err
		return x
	}
	width := float64(font.MeasureString(drawn, text))/64 + style.spacing*float64(len([]rune(text)))
	if style.right {
		x -= width
	}
	pen := font.Drawer{Dst: c.picture, Src: image.NewUniform(style.paint), Face: drawn, Dot: point(x, y)}
	for _, r := range text {
		pen.DrawString(string(r))
		pen.Dot.X += fixed.Int26_6(style.spacing * 64)
	}
	return x + width
}

func point(x, y float64) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}
}
