package samples

import (
	"image"
	"image/color"
	"strings"
)

// drawGovernmentID draws the front of an identity card of Utopia as it would be photographed: flat on a desk, whole, readable.
// Real cards of size TD1 carry the machine-readable zone on the back; the specimen shows everything on one side, so that one
// picture is enough.
func drawGovernmentID(p person) ([]byte, error) {
	c := newCanvas(1200, 860, ink(0xdfe5e1))
	grain(c)
	card := box{90, 90, 1020, 680, 40}
	c.shadow(card)
	c.gradient(card, color.NRGBA{0xf7, 0xfb, 0xfa, 255}, color.NRGBA{0xd9, 0xec, 0xea, 255})
	for i := range 16 {
		c.wave(wave{within: box{92, 0, 1016, 0, 0}, middle: 250 + float64(i)*18, swing: 26, length: 420, phase: float64(i) * 0.33,
			thickness: 1.6, secondSwingShare: 0.35}, inkAlpha(0x3f9aa0, 46))
	}
	idHeader(c)
	c.portrait(box{140, 236, 250, 320, 12}, p)
	idFields(c, p)
	c.rounded(box{90, 614, 1020, 4, 0}, inkAlpha(0x2a7f86, 90))
	for i, line := range p.mrzLines() {
		c.write(140, 658+float64(i)*40, line, lettering{face: mono, size: 36, paint: ink(0x15211f), spacing: 9})
	}
	return c.encode()
}

// idHeader draws the band with the country's name, its emblem and the mark that this is no real document.
func idHeader(c *canvas) {
	band := box{90, 90, 1020, 112, 40}
	c.rounded(band, ink(0x1d6a70))
	c.rounded(box{90, 150, 1020, 52, 0}, ink(0x1d6a70))
	c.write(140, 142, "REPUBLIC OF UTOPIA", lettering{face: bold, size: 36, paint: ink(0xffffff), spacing: 3})
	c.write(140, 182, "IDENTITY CARD · CARTE D’IDENTITÉ", lettering{face: regular, size: 22, paint: ink(0xcfe8e8), spacing: 2})
	c.circle(1038, 146, 38, ink(0xe6c878))
	c.circle(1038, 146, 31, ink(0x1d6a70))
	c.fill(box{1013, 121, 50, 50, 0}, image.NewUniform(ink(0xe6c878)), func(p pen) { star(p, 1038, 146, 25, 10) })
	c.write(972, 163, "SPECIMEN", lettering{face: bold, size: 40, paint: inkAlpha(0xffffff, 210), spacing: 4, right: true})
}

func idFields(c *canvas, p person) {
	field := func(x, y float64, label, value string) {
		c.write(x, y, label, lettering{face: regular, size: 19, paint: ink(0x55706f)})
		c.write(x, y+37, value, lettering{face: bold, size: 32, paint: ink(0x13201e)})
	}
	field(430, 256, "Surname", strings.ToUpper(p.surname))
	field(430, 334, "Given names", strings.ToUpper(p.given))
	field(430, 412, "Date of birth", p.birth.Format("02 Jan 2006"))
	field(690, 412, "Sex", "X")
	field(790, 412, "Nationality", "UTO")
	field(430, 490, "Date of expiry", p.expires().Format("02 Jan 2006"))
	field(690, 490, "Document no.", p.number)
	field(900, 490, "Date of issue", p.issued().Format("02 Jan 2006"))
	c.write(430, 586, "Specimen. Utopia does not exist, and neither does the holder.", lettering{face: regular, size: 20, paint: ink(0x9a2a20)})
}

// portrait draws a silhouette: nobody's face.
func (c *canvas) portrait(frame box, p person) {
	c.rounded(frame, ink(0xc5dcdc))
	skin := [...]uint32{0x8c6a54, 0xc79a7b, 0xe0b99b, 0x6d5142}[p.seed%4]
	hair := [...]uint32{0x2b2422, 0x5a4030, 0x8a6a3f, 0x3c3a42}[p.seed>>2%4]
	coat := [...]uint32{0x34566b, 0x5b4a6e, 0x3d6350, 0x6b4a3c}[p.seed>>4%4]
	middle := frame.x + frame.w/2
	if p.seed>>8&1 == 0 {
		c.rounded(box{middle - 72, frame.y + 58, 144, 196, 68}, ink(hair))
	} else {
		c.rounded(box{middle - 62, frame.y + 52, 124, 120, 60}, ink(hair))
	}
	c.rounded(box{middle - 26, frame.y + 170, 52, 80, 20}, ink(skin))
	c.rounded(box{middle - 52, frame.y + 76, 104, 130, 52}, ink(skin))
	c.fill(frame, image.NewUniform(ink(hair)), func(p pen) {
		p.move(middle-56, frame.y+124)
		p.cube(middle-60, frame.y+54, middle+60, frame.y+54, middle+56, frame.y+124)
		p.cube(middle+30, frame.y+92, middle-20, frame.y+94, middle-56, frame.y+124)
		p.end()
	})
	bottom := frame.y + frame.h
	c.fill(frame, image.NewUniform(ink(coat)), func(p pen) {
		p.move(frame.x+14, bottom)
		p.cube(frame.x+20, bottom-90, middle-60, bottom-96, middle-28, bottom-100)
		p.cube(middle-16, bottom-76, middle+16, bottom-76, middle+28, bottom-100)
		p.cube(middle+60, bottom-96, frame.x+frame.w-20, bottom-90, frame.x+frame.w-14, bottom)
		p.end()
	})
}

// star is a star of five points.
func star(p pen, x, y, outer, inner float32) {
	// Sines and cosines of the ten corners, written out: five turns of 72° and their halves.
	corners := [10][2]float32{{0, -1}, {0.588, -0.809}, {0.951, -0.309}, {0.951, 0.309}, {0.588, 0.809}, {0, 1}, {-0.588, 0.809},
		{-0.951, 0.309}, {-0.951, -0.309}, {-0.588, -0.809}}
	for i, corner := range corners {
		radius := outer
		if i%2 == 1 {
			radius = inner
		}
		if i == 0 {
			p.move(x+radius*corner[0], y+radius*corner[1])
		} else {
			p.line(x+radius*corner[0], y+radius*corner[1])
		}
	}
	p.end()
}

// grain draws the boards of the desk.
func grain(c *canvas) {
	width, height := float32(c.picture.Bounds().Dx()), c.picture.Bounds().Dy()
	for y := 60; y < height; y += 130 {
		c.wave(wave{within: box{0, 0, width, 0, 0}, middle: float64(y), swing: 3, length: 900, phase: float64(y), thickness: 3}, inkAlpha(0x9fb0a8, 70))
	}
}
