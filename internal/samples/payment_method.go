package samples

import (
	"image"
	"image/color"
	"strings"
)

// drawPaymentMethod draws a payment card as the KYC Center asks for it: first six digits, last four and the name visible, a strip
// of paper over the digits between. The covered digits are not drawn at all, so nothing is under the strip.
func drawPaymentMethod(p person) ([]byte, error) {
	c := newCanvas(1200, 860, ink(0xe4e1da))
	grain(c)
	card := box{90, 90, 1020, 644, 48}
	c.shadow(card)
	tints := [...][2]color.NRGBA{
		{{0x2c, 0x4b, 0x86, 255}, {0x16, 0x28, 0x52, 255}},
		{{0x1f, 0x6a, 0x62, 255}, {0x0e, 0x38, 0x3a, 255}},
		{{0x5c, 0x3f, 0x74, 255}, {0x2f, 0x20, 0x45, 255}},
		{{0x7a, 0x43, 0x36, 255}, {0x40, 0x20, 0x1d, 255}},
	}
	tint := tints[p.seed>>6%4]
	c.gradient(card, tint[0], tint[1])
	for i := range 9 {
		c.wave(wave{within: box{92, 0, 1016, 0, 0}, middle: 560 - float64(i)*16, swing: 60, length: 1500, phase: 0.9 + float64(i)*0.06,
			thickness: 2}, inkAlpha(0xffffff, 22))
	}
	c.write(150, 176, "Specimen Bank", lettering{face: bold, size: 46, paint: ink(0xffffff), spacing: 0.5})
	c.write(1050, 176, "DEBIT", lettering{face: regular, size: 34, paint: inkAlpha(0xffffff, 215), spacing: 5, right: true})
	chip(c, 150, 250)
	contactless(c, 320, 309)
	white := lettering{face: monoBold, size: 60, paint: ink(0xffffff), spacing: 2}
	c.write(150, 478, p.first6[:4]+" "+p.first6[4:], white)
	c.write(1050, 478, p.last4, lettering{face: monoBold, size: 60, paint: ink(0xffffff), spacing: 2, right: true})
	strip := box{438, 414, 430, 92, 5}
	c.shadow(box{strip.x, strip.y - 6, strip.w, strip.h, strip.radius})
	c.rounded(strip, ink(0xf7f1df))
	c.rounded(box{strip.x, strip.y + 14, strip.w, 2, 0}, ink(0xe2d9bf))
	c.rounded(box{strip.x, strip.y + strip.h - 16, strip.w, 2, 0}, ink(0xe2d9bf))
	c.write(504, 471, "middle digits covered", lettering{face: regular, size: 28, paint: ink(0x8b8062)})
	small := lettering{face: regular, size: 22, paint: inkAlpha(0xffffff, 200)}
	c.write(150, 572, "Cardholder", small)
	c.write(150, 620, strings.ToUpper(p.fullName()), lettering{face: bold, size: 40, paint: ink(0xffffff), spacing: 1.5})
	c.write(150, 690, "SPECIMEN · NOT A PAYMENT CARD", lettering{face: regular, size: 22, paint: inkAlpha(0xffffff, 190), spacing: 2})
	c.write(900, 572, "Valid thru", small)
	c.write(900, 620, p.expires().AddDate(-5, 0, 0).Format("01/06"), lettering{face: monoBold, size: 38, paint: ink(0xffffff)})
	c.circle(1020, 674, 30, inkAlpha(0xffffff, 60))
	c.fill(box{990, 644, 60, 60, 0}, image.NewUniform(ink(0xf0c75e)), func(p pen) { star(p, 1020, 674, 20, 8) })
	return c.encode()
}

// chip draws the contacts of the card.
func chip(c *canvas, x, y float32) {
	c.gradient(box{x, y, 132, 104, 16}, color.NRGBA{0xf0, 0xd9, 0x9c, 255}, color.NRGBA{0xc3, 0xa0, 0x55, 255})
	line := ink(0x9a7c3c)
	for _, b := range []box{{x, y + 34, 44, 3, 0}, {x, y + 68, 44, 3, 0}, {x + 88, y + 34, 44, 3, 0}, {x + 88, y + 68, 44, 3, 0},
		{x + 43, y, 3, 104, 0}, {x + 86, y, 3, 104, 0}} {
		c.rounded(b, line)
	}
}

// contactless draws three growing arcs.
func contactless(c *canvas, x, y float32) {
	for i := range 3 {
		radius := 16 + float32(i)*15
		c.fill(box{x - 10, y - 60, 120, 120, 0}, image.NewUniform(inkAlpha(0xffffff, 220)), func(p pen) {
			bend, thick := radius*0.62, float32(5)
			left := x + float32(i)*11
			p.move(left, y-radius)
			p.quad(left+bend*1.5, y, left, y+radius)
			p.line(left+thick, y+radius+1)
			p.quad(left+bend*1.5+thick*1.6, y, left+thick, y-radius-1)
			p.end()
		})
	}
}
