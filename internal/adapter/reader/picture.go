package reader

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"

	"golang.org/x/image/webp"

	"github.com/probity/probity/internal/standard/problem"
)

// jpegQuality keeps small print readable; re-encoding at it is hard to tell from the original.
const jpegQuality = 90

// header is what a picture's first bytes claim, within the limits.
type header struct {
	width, height int
	bytesPerPixel int // that decoding takes at its peak, coefficients included
}

// largeBytes is the memory of decoding above which a picture is decoded alone, so that two below it or one above it take about 600 MB
// at the very worst.
const largeBytes = 250 << 20

func (h header) weight() int64 {
	if h.width*h.height*h.bytesPerPixel > largeBytes {
		return decodeSlots
	}
	return 1
}

// readHeader applies the limits on pixels before anything is allocated for them.
func readHeader(raw []byte, mediaType MediaType) (found header, err error) {
	defer func() {
		if recover() != nil {
			found, err = header{}, unreadable("picture")
		}
	}()
	config, err := decodeConfig(raw, mediaType)
	if err != nil || config.Width <= 0 || config.Height <= 0 {
		return header{}, unreadable("picture")
	}
	maxPixels := MaxPixels
	found = header{width: config.Width, height: config.Height, bytesPerPixel: 8} // decoded, and once more to turn it
	switch config.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		maxPixels, found.bytesPerPixel = MaxPixels/2, 12 // 16 bits a channel
	case color.YCbCrModel, color.CMYKModel:
		if mediaType == JPEG && mayBeProgressive(raw) {
			maxPixels, found.bytesPerPixel = MaxPixels/2, 20 // the decoder keeps a 32-bit coefficient for each sample until the end
		}
	}
	// Neither side is over MaxSide when they are multiplied, so the product cannot overflow.
	if config.Width > MaxSide || config.Height > MaxSide || config.Width*config.Height > maxPixels {
		return header{}, refusal(problem.TooLarge, "image_too_large",
			"a picture has at most 12,000 pixels a side and 60 megapixels in all (30 with 16 bits a colour or as progressive JPEG); save it at a lower resolution and send that")
	}
	return found, nil
}

func decodeConfig(raw []byte, mediaType MediaType) (image.Config, error) {
	switch mediaType {
	case JPEG:
		return jpeg.DecodeConfig(bytes.NewReader(raw))
	case PNG:
		return png.DecodeConfig(bytes.NewReader(raw))
	case WebP:
		return webp.DecodeConfig(bytes.NewReader(raw))
	default: // PDF is no picture
		return image.Config{}, image.ErrFormat
	}
}

func decode(raw []byte, mediaType MediaType) (image.Image, error) {
	switch mediaType {
	case JPEG:
		return jpeg.Decode(bytes.NewReader(raw))
	case PNG:
		return png.Decode(bytes.NewReader(raw))
	case WebP:
		return webp.Decode(bytes.NewReader(raw))
	default: // PDF is no picture
		return nil, image.ErrFormat
	}
}

// cleanPicture is a picture that was written again.
type cleanPicture struct {
	mediaType     MediaType
	bytes         []byte
	width, height int
	isBlank       bool
}

// rebuild is the one place where untrusted pixels are decoded: bytes in, clean bytes and four facts out, no state, no files. It is kept
// that narrow so that it can run elsewhere, behind a process or sandbox boundary. Its caller has checked the header.
func rebuild(raw []byte, mediaType MediaType) (clean cleanPicture, err error) {
	defer func() {
		if recover() != nil {
			clean, err = cleanPicture{}, unreadable("picture")
		}
	}()
	decoded, err := decode(raw, mediaType)
	if err != nil {
		return cleanPicture{}, unreadable("picture")
	}
	// What the decoder made must be what the header promised: the limits were applied to that.
	if bounds := decoded.Bounds(); bounds.Dx() > MaxSide || bounds.Dy() > MaxSide || bounds.Empty() {
		return cleanPicture{}, unreadable("picture")
	}
	clean.isBlank = isBlank(decoded)
	upright := turn(decoded, orientationOf(raw, mediaType))
	var out bytes.Buffer
	if mediaType == PNG || (mediaType == WebP && !isOpaque(upright)) {
		clean.mediaType = PNG
		// Speed over size: a large photo takes seconds at the default level.
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, upright)
	} else {
		clean.mediaType = JPEG
		err = jpeg.Encode(&out, quicklyEncoded(upright), &jpeg.Options{Quality: jpegQuality})
	}
	if err != nil {
		return cleanPicture{}, unreadable("picture")
	}
	clean.bytes, clean.width, clean.height = out.Bytes(), upright.Bounds().Dx(), upright.Bounds().Dy()
	return clean, nil
}

// quicklyEncoded returns a type that the JPEG encoder has a fast way for.
func quicklyEncoded(picture image.Image) image.Image {
	switch picture.(type) {
	case *image.Gray, *image.YCbCr, *image.RGBA:
		return picture
	}
	return toRGBA(picture)
}

func toRGBA(picture image.Image) *image.RGBA {
	bounds := picture.Bounds()
	converted := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	draw.Draw(converted, converted.Bounds(), picture, bounds.Min, draw.Src)
	return converted
}

func isOpaque(picture image.Image) bool {
	known, ok := picture.(interface{ Opaque() bool })
	return ok && known.Opaque()
}

// isBlank reports whether brightness hardly varies: a covered lens, an empty scan. It looks at 40,000 points, scattered, because the
// points of a grid can fall between regular lines; a page with a single line of text varies more.
func isBlank(picture image.Image) bool {
	const (
		points      = 40_000
		leastSpread = 2.0 // standard deviation, of 255; sensor noise and compression stay below it
		fullScale   = 65535.0 / 255
	)
	bounds := picture.Bounds()
	scatter := rand.New(rand.NewPCG(1, 2)) // the same points for the same size
	var sum, squares float64
	for range points {
		at := picture.At(bounds.Min.X+scatter.IntN(bounds.Dx()), bounds.Min.Y+scatter.IntN(bounds.Dy()))
		r, g, b, _ := at.RGBA()
		brightness := (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b)) / fullScale // Rec. 601
		sum, squares = sum+brightness, squares+brightness*brightness
	}
	mean := sum / points
	return math.Sqrt(max(squares/points-mean*mean, 0)) < leastSpread
}
