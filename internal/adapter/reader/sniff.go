package reader

import (
	"bytes"

	"github.com/probity/probity/internal/standard/problem"
)

const acceptedTypes = "send a JPEG, PNG or WebP picture, or a PDF"

// sniff tells the type by the first bytes. What is not accepted is refused with advice for that very type, because "not accepted"
// alone leaves the owner of a telephone that takes HEIC pictures with nowhere to go.
func sniff(raw []byte) (MediaType, error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		return JPEG, nil
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		return PNG, nil
	case isRIFF(raw, "WEBP"):
		return WebP, nil
	case bytes.HasPrefix(skipSpace(raw), []byte("%PDF-")):
		return PDF, nil
	}
	return "", refusal(problem.UnsupportedType, "attachment_type_not_accepted", adviceFor(raw))
}

func isRIFF(raw []byte, form string) bool {
	return len(raw) >= 12 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == form
}

// skipSpace passes over a byte order mark and white space, which some programs write before a PDF or SVG.
func skipSpace(raw []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(raw[:min(len(raw), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n\x00")
}

// adviceFor says in a sentence what the bytes seem to be and what to do instead. It is never given an accepted type.
func adviceFor(raw []byte) string {
	if len(raw) >= 12 && string(raw[4:8]) == "ftyp" {
		return adviceForBoxes(string(raw[8:12]))
	}
	for _, known := range knownTypes() {
		if bytes.HasPrefix(raw, []byte(known.start)) {
			return known.advice
		}
	}
	head := bytes.ToLower(skipSpace(raw))
	switch {
	case bytes.HasPrefix(head, []byte("<svg")), bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head, []byte("<svg")):
		return "SVG drawings are not accepted; export it as PNG, or " + acceptedTypes
	case bytes.HasPrefix(head, []byte("<!doctype html")), bytes.HasPrefix(head, []byte("<html")):
		return "web pages are not accepted; print the page to a PDF and send that"
	}
	return "this is not a type that is accepted, whatever its name says; " + acceptedTypes
}

// adviceForBoxes judges the brand of an ISO base media file (ISO/IEC 14496-12): HEIF and AVIF pictures, and videos.
func adviceForBoxes(brand string) string {
	switch brand {
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
		return "HEIC pictures are not accepted; open it and export or share it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible), then send that"
	case "avif", "avis":
		return "AVIF pictures are not accepted; open it and save it as JPEG or PNG, then send that"
	case "crx ":
		return "raw camera pictures are not accepted; export it as JPEG and send that"
	default:
		return "videos are not accepted; take a photo of the document and send that"
	}
}

type knownType struct{ start, advice string }

func knownTypes() []knownType {
	const (
		office  = "documents of word processors and spreadsheets are not accepted; save it as PDF and send that"
		archive = "archives and office documents are not accepted; take out what is asked for, or save it as PDF, and send that"
		tiff    = "TIFF and raw camera pictures are not accepted; export it as JPEG or PNG and send that"
		rare    = "this picture format is not accepted; export it as JPEG and send that"
		program = "programs are not accepted; " + acceptedTypes
	)
	return []knownType{
		{"GIF87a", "GIF pictures are not accepted; take a photo, or save it as PNG, and send that"},
		{"GIF89a", "GIF pictures are not accepted; take a photo, or save it as PNG, and send that"},
		{"II*\x00", tiff}, {"MM\x00*", tiff}, {"II+\x00", tiff}, {"MM\x00+", tiff},
		{"BM", "BMP pictures are not accepted; save it as PNG or JPEG and send that"},
		{"\x00\x00\x00\x0cjP  \r\n\x87\n", rare}, {"\xff\x4f\xff\x51", rare}, // JPEG 2000
		{"\x00\x00\x00\x0cJXL \r\n\x87\n", rare}, {"\xff\x0a", rare}, // JPEG XL
		{"8BPS", rare}, // Photoshop
		{"PK\x03\x04", archive}, {"PK\x05\x06", archive}, {"Rar!\x1a\x07", archive}, {"7z\xbc\xaf\x27\x1c", archive}, {"\x1f\x8b", archive},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", office}, {"{\\rtf", office},
		{"%!PS", "PostScript is not accepted; save it as PDF and send that"},
		{"MZ", program}, {"\x7fELF", program}, {"\xcf\xfa\xed\xfe", program}, {"#!", program},
	}
}
