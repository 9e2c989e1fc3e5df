package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// DefaultColour is the brand colour of a tenant that has none: a deep teal.
const DefaultColour = "#0b5c63"

// The surfaces that text in the brand's colour stands on, as in base.css; a test keeps them equal.
const (
	lightSurface = "#ffffff"
	lightPaper   = "#f4f6f4"
	darkSurface  = "#18211f"
	darkPaper    = "#101716"
)

// textContrast is WCAG 2.2 success criterion 1.4.3 (level AA), with a little room.
const textContrast = 4.6

// BrandURL returns the address of the stylesheet that carries a brand's colour. It exists because the content security policy
// allows no inline style.
func BrandURL(colour string) string {
	return assetRoot + "brand/" + strings.TrimPrefix(normalColour(colour), "#") + ".css"
}

// normalColour returns colour as "#rrggbb" in lower case, or DefaultColour when it is not one.
func normalColour(colour string) string {
	if _, ok := parseColour(colour); !ok {
		return DefaultColour
	}
	return strings.ToLower(colour)
}

func serveBrand(w http.ResponseWriter, r *http.Request, name string) {
	digits, isSheet := strings.CutSuffix(name, ".css")
	base, ok := parseColour("#" + digits)
	if !isSheet || !ok {
		http.NotFound(w, r)
		return
	}
	sheet := brandSheet(base)
	serveAsset(w, r, asset{body: []byte(sheet), hash: "brand-2-" + strings.ToLower(digits), contentType: "text/css; charset=utf-8"}, true)
}

// brandSheet writes the brand's tokens for both themes, moved toward black or white as far as readable text needs.
func brandSheet(base rgb) string {
	light := readable(base, rgb{0, 0, 0}, lightSurface, lightPaper)
	dark := readable(base, rgb{255, 255, 255}, darkSurface, darkPaper)
	return fmt.Sprintf("@layer tokens {\n:root { --brand: %s; --on-brand: %s; }\n"+
		"@media (prefers-color-scheme: dark) { :root { --brand: %s; --on-brand: %s; } }\n}\n",
		light, lettering(light), dark, lettering(dark))
}

// readable moves colour toward the target until text in it can be read on all the surfaces.
func readable(colour, target rgb, surfaces ...string) rgb {
	for step := range 41 {
		moved := colour.mix(target, float64(step)/40)
		enough := true
		for _, surface := range surfaces {
			ground, _ := parseColour(surface)
			enough = enough && contrast(moved, ground) >= textContrast
		}
		if enough {
			return moved
		}
	}
	return target
}

// lettering returns the near-black or white that reads best on the ground.
func lettering(ground rgb) rgb {
	ink, white := rgb{12, 20, 18}, rgb{255, 255, 255}
	if contrast(ink, ground) > contrast(white, ground) {
		return ink
	}
	return white
}

type rgb struct{ r, g, b uint8 }

// String returns "#rrggbb".
func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

func (c rgb) mix(other rgb, share float64) rgb {
	blend := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return rgb{blend(c.r, other.r), blend(c.g, other.g), blend(c.b, other.b)}
}

func parseColour(s string) (rgb, bool) {
	if len(s) != 7 || s[0] != '#' {
		return rgb{}, false
	}
	bits, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return rgb{}, false
	}
	return rgb{uint8(bits >> 16), uint8(bits >> 8), uint8(bits)}, true
}

// contrast is the contrast ratio of WCAG 2.2, between 1 and 21.
func contrast(a, b rgb) float64 {
	high, low := a.luminance(), b.luminance()
	if low > high {
		high, low = low, high
	}
	return (high + 0.05) / (low + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}
