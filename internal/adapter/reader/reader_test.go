package reader_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/standard/problem"
)

// corners is a picture whose upper left quarter is red, upper right green, lower left blue and lower right white.
func corners(width, height int) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			switch {
			case x < width/2 && y < height/2:
				picture.Set(x, y, color.RGBA{R: 255, A: 255})
			case y < height/2:
				picture.Set(x, y, color.RGBA{G: 255, A: 255})
			case x < width/2:
				picture.Set(x, y, color.RGBA{B: 255, A: 255})
			default:
				picture.Set(x, y, color.White)
			}
		}
	}
	return picture
}

func asPNG(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asJPEG(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// exif is a TIFF structure with an orientation and a make that must not survive.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	out := []byte("MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		out = []byte("II*\x00")
	}
	out = order.AppendUint32(out, 8)
	out = order.AppendUint16(out, 2)
	out = order.AppendUint16(order.AppendUint16(out, 0x010f), 2) // make, text
	out = order.AppendUint32(out, 18)
	out = order.AppendUint32(out, 38)
	out = order.AppendUint16(order.AppendUint16(out, 0x0112), 3)
	out = order.AppendUint32(out, 1)
	out = order.AppendUint16(order.AppendUint16(out, orientation), 0)
	out = order.AppendUint32(out, 0)
	return append(out, "CAMERA-OF-INVENTED\x00"...)
}

func segment(marker byte, payload []byte) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(payload)+2))
	return append(out, payload...)
}

func chunk(kind string, payload []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	out = append(append(out, kind...), payload...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// insert puts bytes into a file at a place.
func insert(file []byte, at int, added []byte) []byte {
	return append(append(bytes.Clone(file[:at]), added...), file[at:]...)
}

func withExif(file []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	if bytes.HasPrefix(file, []byte("\x89PNG")) {
		return insert(file, 33, chunk("eXIf", exif(order, orientation))) // after IHDR
	}
	return insert(file, 2, segment(0xe1, append([]byte("Exif\x00\x00"), exif(order, orientation)...)))
}

func inspect(t testing.TB, raw []byte) reader.Page {
	t.Helper()
	page, err := reader.New().Inspect(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func decodeAgain(t *testing.T, page reader.Page) image.Image {
	t.Helper()
	decoded, format, err := image.Decode(bytes.NewReader(page.Bytes))
	if err != nil || "image/"+format != string(page.MediaType) {
		t.Fatalf("got %s, %v, want %s", format, err, page.MediaType)
	}
	return decoded
}

func TestInspectAccepts(t *testing.T) {
	tests := []struct {
		name                string
		raw                 []byte
		original, mediaType reader.MediaType
	}{
		{"a JPEG stays a JPEG", asJPEG(t, corners(320, 240)), reader.JPEG, reader.JPEG},
		{"a grey JPEG", asJPEG(t, greyRamp(320, 240)), reader.JPEG, reader.JPEG},
		{"a progressive JPEG", fixture(t, "gradient.progressive.jpg"), reader.JPEG, reader.JPEG},
		{"a PNG stays a PNG", asPNG(t, corners(320, 240)), reader.PNG, reader.PNG},
		{"a lossy WebP becomes a JPEG", fixture(t, "gradient.lossy.webp"), reader.WebP, reader.JPEG},
		{"a lossy transparent WebP becomes a PNG", fixture(t, "gradient.lossy_transparent.webp"), reader.WebP, reader.PNG},
		{"a transparent WebP becomes a PNG", fixture(t, "gradient.transparent.webp"), reader.WebP, reader.PNG},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := inspect(t, test.raw)
			if page.Original != test.original || page.MediaType != test.mediaType || page.Pages != 1 || len(page.Findings) != 0 {
				t.Errorf("got %v from %s with %v, want %s from %s", page, page.Original, page.Findings, test.mediaType, test.original)
			}
			digest := sha256.Sum256(test.raw)
			if got, want := page.SHA256, hex.EncodeToString(digest[:]); got != want {
				t.Errorf("digest: got %s, want %s", got, want)
			}
			if size := decodeAgain(t, page).Bounds().Size(); size != (image.Point{page.Width, page.Height}) {
				t.Errorf("size: got %v, want %d×%d", size, page.Width, page.Height)
			}
		})
	}
}

func greyRamp(width, height int) *image.Gray {
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i % width)
	}
	return picture
}

func TestInspectTurnsUprightAndStripsMetadata(t *testing.T) {
	// Where the red, green, blue and white quarters of the stored picture end up, read from the upper left, row by row.
	seen := map[uint16]string{0: "RGBW", 1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 9: "RGBW"}
	for orientation, want := range seen {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			for _, stored := range [][]byte{asJPEG(t, corners(320, 240)), asPNG(t, corners(320, 240))} {
				page := inspect(t, withExif(stored, order, orientation))
				t.Run(fmt.Sprintf("%s with orientation %d in %v", page.MediaType, orientation, order), func(t *testing.T) {
					width, height := 320, 240
					if orientation >= 5 && orientation <= 8 {
						width, height = height, width
					}
					if page.Width != width || page.Height != height {
						t.Errorf("size: got %d×%d, want %d×%d", page.Width, page.Height, width, height)
					}
					if got := quarters(decodeAgain(t, page)); got != want {
						t.Errorf("quarters: got %s, want %s", got, want)
					}
					if bytes.Contains(page.Bytes, []byte("INVENTED")) {
						t.Error("metadata survived")
					}
				})
			}
		}
	}
}

func quarters(picture image.Image) string {
	var out strings.Builder
	size := picture.Bounds().Size()
	for _, at := range []image.Point{{size.X / 4, size.Y / 4}, {size.X * 3 / 4, size.Y / 4}, {size.X / 4, size.Y * 3 / 4}, {size.X * 3 / 4, size.Y * 3 / 4}} {
		r, g, b, _ := picture.At(at.X, at.Y).RGBA()
		switch {
		case r > 0xc000 && g > 0xc000:
			out.WriteByte('W')
		case r > 0xc000:
			out.WriteByte('R')
		case g > 0xc000:
			out.WriteByte('G')
		case b > 0xc000:
			out.WriteByte('B')
		default:
			out.WriteByte('?')
		}
	}
	return out.String()
}

func TestInspectStripsEveryPlaceForMetadata(t *testing.T) {
	secret := []byte("INVENTED-SECRET")
	picture := asJPEG(t, corners(320, 240))
	drawn := asPNG(t, corners(320, 240))
	for name, raw := range map[string][]byte{
		"a JPEG comment":            insert(picture, 2, segment(0xfe, secret)),
		"an XMP segment":            insert(picture, 2, segment(0xe1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), secret...))),
		"bytes after the JPEG":      append(bytes.Clone(picture), secret...),
		"a PNG text":                insert(drawn, 33, chunk("tEXt", append([]byte("Author\x00"), secret...))),
		"bytes after the PNG":       append(bytes.Clone(drawn), secret...),
		"an unknown chunk of a PNG": insert(drawn, 33, chunk("prIv", secret)),
	} {
		t.Run(name, func(t *testing.T) {
			if page := inspect(t, raw); bytes.Contains(page.Bytes, secret) {
				t.Error("it survived")
			}
		})
	}
}

func TestInspectHeedsTheOrientationOfWebP(t *testing.T) {
	simple := fixture(t, "gradient.lossy.webp") // 240 × 220
	extended := append([]byte("VP8X"), 10, 0, 0, 0, 1<<3, 0, 0, 0, 239, 0, 0, 219, 0, 0)
	note := exif(binary.LittleEndian, 6)
	if len(note)%2 == 1 {
		note = append(note, 0)
	}
	body := append(append(extended, simple[12:]...), binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(note)))...)
	body = append(body, note...)
	raw := append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)+4)), "WEBP"...)
	if page := inspect(t, append(raw, body...)); page.Width != 220 || page.Height != 240 {
		t.Errorf("got %v, want 220×240", page)
	}
}

func TestInspectFindings(t *testing.T) {
	plain := image.NewGray(image.Rect(0, 0, 640, 480))
	noisy := image.NewGray(image.Rect(0, 0, 640, 480))
	for i := range noisy.Pix {
		noisy.Pix[i] = byte(20 + rand.IntN(3))
	}
	line := image.NewGray(image.Rect(0, 0, 1200, 1600))
	for i := range line.Pix {
		line.Pix[i] = 255
	}
	for x := 100; x < 700; x += 3 {
		for y := 200; y < 230; y++ {
			line.SetGray(x, y, color.Gray{})
		}
	}
	tests := []struct {
		name string
		raw  []byte
		want []reader.FindingCode
	}{
		{"an ordinary picture has none", asPNG(t, corners(200, 200)), nil},
		{"a picture of less than 200 pixels is too small", asPNG(t, corners(900, 199)), []reader.FindingCode{reader.ImageTooSmall}},
		{"a picture of one colour is blank", asPNG(t, plain), []reader.FindingCode{reader.ImageBlank}},
		{"a covered lens is blank", asJPEG(t, noisy), []reader.FindingCode{reader.ImageBlank}},
		{"a page with one line of text is not blank", asPNG(t, line), nil},
		{"a single pixel is both", asPNG(t, image.NewGray(image.Rect(0, 0, 1, 1))), []reader.FindingCode{reader.ImageTooSmall, reader.ImageBlank}},
		{"a plain PDF has none", pdf("", 2), nil},
		{"an encrypted PDF may ask for a password", pdf("/Encrypt 9 0 R", 2), []reader.FindingCode{reader.PasswordProtected}},
		{"an encrypted PDF with a direct dictionary too", pdf("/Encrypt<</Filter/Standard>>", 2), []reader.FindingCode{reader.PasswordProtected}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []reader.FindingCode
			for _, finding := range inspect(t, test.raw).Findings {
				if finding.Message == "" {
					t.Errorf("%s has no message", finding.Code)
				}
				got = append(got, finding.Code)
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// pdf writes a small PDF with a cross-reference table, so many pages in its tree, and more in its trailer.
func pdf(trailer string, pages int) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n")
	fmt.Fprintf(&out, "2 0 obj\n<< /Type /Pages /Count %d /Kids [3 0 R] >>\nendobj\n", pages)
	out.WriteString("3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n")
	out.WriteString("4 0 obj\n<< /Length 30 >>\nstream\n(the word /Encrypt 1 0 R) Tj\nendstream\nendobj\n")
	at := out.Len()
	out.WriteString("xref\n0 1\n0000000000 65535 f \n")
	fmt.Fprintf(&out, "trailer\n<< /Size 5 /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", trailer, at)
	return out.Bytes()
}

func TestInspectPDF(t *testing.T) {
	t.Run("a PDF is kept as it is, with its pages counted", func(t *testing.T) {
		raw := pdf("", 30)
		page := inspect(t, raw)
		if page.MediaType != reader.PDF || page.Pages != 30 || !bytes.Equal(page.Bytes, raw) || page.Width != 0 {
			t.Errorf("got %v, want a PDF of 30 pages", page)
		}
	})
	t.Run("white space before a PDF is accepted", func(t *testing.T) {
		if page := inspect(t, append([]byte("\xef\xbb\xbf\r\n"), pdf("", 1)...)); page.MediaType != reader.PDF {
			t.Errorf("got %v, want a PDF", page)
		}
	})
	t.Run("pages are counted one by one where the tree cannot be read", func(t *testing.T) {
		raw := bytes.Replace(pdf("", 7), []byte("/Count 7"), []byte("/Cuont 7"), 1)
		if page := inspect(t, raw); page.Pages != 1 {
			t.Errorf("got %d pages, want 1", page.Pages)
		}
	})
	t.Run("a file that repeats the words of a page tree is read in bounded time", func(t *testing.T) {
		raw := bytes.Replace(pdf("", 1), []byte("(the word"), bytes.Repeat([]byte("/Type/Pages "), 1_000_000), 1)
		if page := inspect(t, fixStart(raw)); page.Pages != 1 {
			t.Errorf("got %d pages, want 1", page.Pages)
		}
	})
}

// fixStart writes the true place of the cross-reference table into a PDF made by pdf.
func fixStart(raw []byte) []byte {
	at, place := bytes.Index(raw, []byte("xref\n0 1")), bytes.LastIndex(raw, []byte("startxref\n"))
	return fmt.Appendf(bytes.Clone(raw[:place]), "startxref\n%d\n%%%%EOF\n", at)
}

func TestInspectRefuses(t *testing.T) {
	picture, drawn := asJPEG(t, corners(320, 240)), asPNG(t, corners(320, 240))
	progressive := fixture(t, "gradient.progressive.jpg")
	webp := fixture(t, "gradient.lossy.webp")
	whole := pdf("", 1)
	patched := func(file []byte, at int, with ...byte) []byte {
		out := bytes.Clone(file)
		copy(out[at:], with)
		return out
	}
	huge := func(width, height uint32, depth byte) []byte { // a PNG that claims a size and ends
		body := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
		return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(body, depth, 2, 0, 0, 0))...)
	}
	tests := []struct {
		name, code string
		kind       problem.Kind
		says       string
		raw        []byte
	}{
		{"nothing", "attachment_empty", problem.Invalid, "empty", nil},
		{"more than 20 MB", "attachment_too_large", problem.TooLarge, "20 MB", append(bytes.Clone(picture), make([]byte, reader.MaxBytes)...)},
		{"a 50,000 × 50,000 PNG header", "image_too_large", problem.TooLarge, "12,000", huge(50000, 50000, 8)},
		{"a million × a million PNG header", "image_too_large", problem.TooLarge, "12,000", huge(1_000_000, 1_000_000, 8)},
		{"more than 60 megapixels", "image_too_large", problem.TooLarge, "60 megapixels", huge(10000, 6001, 8)},
		{"more than 30 megapixels with 16 bits", "image_too_large", problem.TooLarge, "16 bits", huge(10000, 3001, 16)},
		{"more than 30 megapixels as progressive JPEG", "image_too_large", problem.TooLarge, "progressive", claiming(progressive, 6000, 6000)},
		{"more than 30 megapixels as progressive JPEG behind a stray byte", "image_too_large", problem.TooLarge, "progressive",
			insert(claiming(progressive, 6000, 6000), 2, append(segment(0xe5, nil), 0))},
		// What has no length is followed by a segment that holds a frame of the other sort where a length would lead to.
		{"more than 30 megapixels as progressive JPEG that looks like another sort", "image_too_large", problem.TooLarge, "progressive",
			insert(claiming(progressive, 6000, 6000), 2, append([]byte{0xff, 0xd0}, segment(0xe5, append(make([]byte, 0xffe1), segment(0xc0, nil)...))...))},
		{"a JPEG that claims 65,535 × 65,535", "image_too_large", problem.TooLarge, "12,000", claimed(picture)},
		{"a PDF of 31 pages", "attachment_too_large", problem.TooLarge, "30 pages", pdf("", 31)},
		{"a JPEG cut in half", "attachment_unreadable", problem.Invalid, "damaged", picture[:len(picture)/2]},
		{"a JPEG of three bytes", "attachment_unreadable", problem.Invalid, "damaged", picture[:3]},
		{"a PNG cut in half", "attachment_unreadable", problem.Invalid, "damaged", drawn[:len(drawn)/2]},
		{"a PNG of its signature only", "attachment_unreadable", problem.Invalid, "damaged", drawn[:8]},
		{"a PNG with a wrong checksum", "attachment_unreadable", problem.Invalid, "damaged", patched(drawn, 30, 0, 0, 0)},
		{"a PNG of no width", "attachment_unreadable", problem.Invalid, "damaged", huge(0, 10, 8)},
		{"a WebP cut in half", "attachment_unreadable", problem.Invalid, "damaged", webp[:len(webp)/2]},
		{"a PDF without its end", "attachment_unreadable", problem.Invalid, "damaged", whole[:len(whole)-10]},
		{"a PDF cut in half", "attachment_unreadable", problem.Invalid, "damaged", whole[:len(whole)/2]},
		{"a PDF whose table is beyond its end", "attachment_unreadable", problem.Invalid, "damaged", []byte("%PDF-1.7\nstartxref\n99999\n%%EOF")},
		{"a PDF whose table has no place", "attachment_unreadable", problem.Invalid, "damaged", []byte("%PDF-1.7\nstartxref\nx\n%%EOF")},
		{"a HEIC picture", "attachment_type_not_accepted", problem.UnsupportedType, "JPEG", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")},
		{"a HEIF picture", "attachment_type_not_accepted", problem.UnsupportedType, "HEIC", []byte("\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00")},
		{"an AVIF picture", "attachment_type_not_accepted", problem.UnsupportedType, "AVIF", []byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00")},
		{"a video", "attachment_type_not_accepted", problem.UnsupportedType, "video", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00")},
		{"a GIF", "attachment_type_not_accepted", problem.UnsupportedType, "GIF", []byte("GIF89a\x01\x00\x01\x00")},
		{"a TIFF", "attachment_type_not_accepted", problem.UnsupportedType, "TIFF", []byte("II*\x00\x08\x00\x00\x00")},
		{"an SVG", "attachment_type_not_accepted", problem.UnsupportedType, "SVG", []byte(`<?xml version="1.0"?><svg onload="alert(1)"/>`)},
		{"a web page", "attachment_type_not_accepted", problem.UnsupportedType, "web page", []byte("<!DOCTYPE html><script>")},
		{"an archive", "attachment_type_not_accepted", problem.UnsupportedType, "archives", []byte("PK\x03\x04word/document.xml")},
		{"an old office document", "attachment_type_not_accepted", problem.UnsupportedType, "PDF", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")},
		{"a program", "attachment_type_not_accepted", problem.UnsupportedType, "program", []byte("MZ\x90\x00")},
		{"a text that says it is a picture", "attachment_type_not_accepted", problem.UnsupportedType, "JPEG, PNG or WebP", []byte("passport.jpg")},
		{"a PDF behind something else", "attachment_type_not_accepted", problem.UnsupportedType, "web page", append([]byte("<html>"), whole...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page, err := reader.New().Inspect(t.Context(), test.raw)
			p := problem.As(err)
			if p == nil {
				t.Fatalf("got %v, %v, want a problem", page, err)
			}
			if p.Code != test.code || p.Kind != test.kind || p.Field != "file" || page.Bytes != nil {
				t.Errorf("got %s (kind %d, field %s), want %s (kind %d)", p.Code, p.Kind, p.Field, test.code, test.kind)
			}
			if !strings.Contains(p.Message, test.says) || strings.Contains(p.Message, "passport") {
				t.Errorf("message: got %q, want one that says %q and repeats nothing", p.Message, test.says)
			}
		})
	}
}

// claimed makes a JPEG claim the largest size there is.
func claimed(file []byte) []byte {
	out := bytes.Clone(file)
	at := bytes.Index(out, []byte{0xff, 0xc0})
	copy(out[at+5:], []byte{0xff, 0xff, 0xff, 0xff})
	return out
}

// claiming makes a progressive JPEG claim a size.
func claiming(file []byte, width, height uint16) []byte {
	out := bytes.Clone(file)
	at := bytes.Index(out, []byte{0xff, 0xc2})
	binary.BigEndian.PutUint16(out[at+5:], height)
	binary.BigEndian.PutUint16(out[at+7:], width)
	return out
}

func TestInspectAllocatesNothingForAClaim(t *testing.T) {
	raw := claimed(asJPEG(t, corners(320, 240)))
	r := reader.New()
	result := testing.Benchmark(func(b *testing.B) {
		for range b.N {
			if _, err := r.Inspect(context.Background(), raw); err == nil {
				b.Fatal("accepted")
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 1<<20 {
		t.Errorf("got %d bytes, want less than a megabyte", got)
	}
}

func TestInspectInParallel(t *testing.T) {
	r := reader.New()
	raw := asJPEG(t, corners(800, 600))
	want := inspect(t, raw).Bytes
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			page, err := r.Inspect(t.Context(), raw)
			if err != nil || !bytes.Equal(page.Bytes, want) {
				t.Errorf("got %v, %v", page, err)
			}
		})
	}
	group.Wait()
	t.Run("a caller that no longer waits gets its own error", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Inspect(ctx, raw); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want canceled", err)
		}
	})
}

func FuzzInspect(f *testing.F) {
	small := corners(8, 6)
	for _, seed := range [][]byte{asJPEG(f, small), asPNG(f, small), withExif(asJPEG(f, small), binary.BigEndian, 6),
		withExif(asPNG(f, small), binary.LittleEndian, 3), pdf("", 2), pdf("/Encrypt 9 0 R", 2), claimed(asJPEG(f, small)),
		fixture(f, "gradient.lossy.webp"), fixture(f, "gradient.transparent.webp"), fixture(f, "gradient.progressive.jpg"),
		[]byte("\x00\x00\x00\x18ftypheic"), []byte("<svg/>"), nil} {
		f.Add(seed)
	}
	r := reader.New()
	f.Fuzz(func(t *testing.T, raw []byte) {
		page, err := r.Inspect(t.Context(), raw)
		if err != nil {
			if problem.As(err) == nil {
				t.Errorf("got %v, want a problem", err)
			}
			return
		}
		if page.MediaType == reader.PDF {
			return
		}
		again, err := r.Inspect(t.Context(), page.Bytes)
		if err != nil || again.MediaType != page.MediaType || again.Width != page.Width || again.Height != page.Height {
			t.Errorf("a clean picture is read differently: got %v, %v, want %v", again, err, page)
		}
	})
}
