// Package reader turns untrusted bytes into an attachment that is safe to store and to show: recognised by content (never by name or
// declared type), bounded in bytes, pixels and pages, decoded whole, turned upright, and written again without any metadata.
//
// A picture is decoded only after its header has passed the limits, so that a small file which claims to be 50,000 × 50,000 costs
// nothing. At most two pictures are decoded at a time, and only one when it is very large. A decoder that panics refuses that one
// attachment and nothing else.
package reader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/probity/probity/internal/standard/problem"
)

// The limits. Over them an attachment is refused, under MinSide it is accepted with a finding.
const (
	MaxBytes  = 20 << 20   // of the original
	MaxSide   = 12_000     // pixels of width or height
	MaxPixels = 60_000_000 // width × height, half of it for 16 bits a colour and progressive JPEG; a 50-megapixel telephone picture passes
	MaxPages  = 30         // of a PDF, where they can be counted
	MinSide   = 200        // pixels of the shorter side
)

// MediaType is the type of an attachment, as in the Content-Type header. The zero value is invalid.
type MediaType string

// The media types that are accepted.
const (
	JPEG MediaType = "image/jpeg"
	PNG  MediaType = "image/png"
	WebP MediaType = "image/webp" // accepted, but stored as JPEG, or as PNG where it is transparent
	PDF  MediaType = "application/pdf"
)

// FindingCode names something that the holder should know about an accepted attachment. The zero value is invalid.
type FindingCode string

// The findings that reading alone can make.
const (
	ImageTooSmall     FindingCode = "image.too_small"
	ImageBlank        FindingCode = "image.blank"
	PasswordProtected FindingCode = "statement.password_protected"
)

// Finding is one such thing, with a sentence for the holder. It never blocks submission.
type Finding struct {
	Code    FindingCode
	Message string
}

// Page is what was read.
type Page struct {
	// MediaType is that of Bytes: JPEG, PNG or PDF.
	MediaType MediaType
	// Original is that of the bytes received.
	Original MediaType
	// Bytes is the attachment to store: a picture written again, or the PDF as it was received. They are personal data.
	Bytes []byte
	// Width and Height are in pixels, after turning upright; 0 for a PDF.
	Width, Height int
	// Pages is 1 for a picture; for a PDF the number it declares, 0 when that cannot be read without decompressing it.
	Pages int
	// SHA256 of the bytes received, in lower-case hexadecimal.
	SHA256   string
	Findings []Finding
}

// String says what sort of page it is and nothing of its content.
func (p Page) String() string {
	return fmt.Sprintf("%s, %d bytes, %d×%d, %d pages", p.MediaType, len(p.Bytes), p.Width, p.Height, p.Pages)
}

// GoString is String.
func (p Page) GoString() string { return p.String() }

// decodeSlots is how many pictures are decoded at a time; see largeBytes for how much memory that is.
const decodeSlots = 2

// Reader inspects attachments. It is safe for concurrent use; make one with New and share it, since it holds the bound on memory.
type Reader struct{ slots *semaphore.Weighted }

// New returns a reader.
func New() *Reader { return &Reader{slots: semaphore.NewWeighted(decodeSlots)} }

// Inspect reads one attachment. What is refused is a *problem.Problem for the field "file" with one of the codes attachment_empty,
// attachment_too_large, attachment_type_not_accepted, attachment_unreadable, image_too_large; ctx's own error comes back when it ends
// while waiting for a turn. The result does not share memory with raw, except for a PDF.
func (r *Reader) Inspect(ctx context.Context, raw []byte) (Page, error) {
	if len(raw) == 0 {
		return Page{}, refusal(problem.Invalid, "attachment_empty", "the attachment is empty; choose it again, it may not have finished copying")
	}
	if len(raw) > MaxBytes {
		return Page{}, refusal(problem.TooLarge, "attachment_too_large",
			"an attachment has at most 20 MB; photograph the document again at a lower resolution, or export fewer pages")
	}
	mediaType, err := sniff(raw)
	if err != nil {
		return Page{}, err
	}
	page := Page{Original: mediaType}
	if mediaType == PDF {
		page.MediaType, page.Bytes = PDF, raw
		page.Pages, page.Findings, err = readPDF(raw)
	} else {
		err = r.readPicture(ctx, &page, raw)
	}
	if err != nil {
		return Page{}, err
	}
	digest := sha256.Sum256(raw)
	page.SHA256 = hex.EncodeToString(digest[:])
	return page, nil
}

func (r *Reader) readPicture(ctx context.Context, page *Page, raw []byte) error {
	header, err := readHeader(raw, page.Original)
	if err != nil {
		return err
	}
	weight := header.weight()
	if err := r.slots.Acquire(ctx, weight); err != nil {
		return err
	}
	defer r.slots.Release(weight)
	clean, err := rebuild(raw, page.Original)
	if err != nil {
		return err
	}
	page.MediaType, page.Bytes = clean.mediaType, clean.bytes
	page.Width, page.Height, page.Pages = clean.width, clean.height, 1
	if min(clean.width, clean.height) < MinSide {
		page.Findings = append(page.Findings, Finding{ImageTooSmall,
			"the picture is very small, so its text may not be readable; take a photo that fills the frame"})
	}
	if clean.isBlank {
		page.Findings = append(page.Findings, Finding{ImageBlank, "the picture shows nothing but one colour; take the photo again"})
	}
	return nil
}

func refusal(kind problem.Kind, code, message string) *problem.Problem {
	return &problem.Problem{Kind: kind, Code: code, Field: "file", Message: message}
}

func unreadable(what string) *problem.Problem {
	return refusal(problem.Invalid, "attachment_unreadable",
		"the "+what+" is damaged or incomplete, or of a rare variety; open it, save it again and send the new copy")
}
