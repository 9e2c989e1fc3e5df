package reader

import (
	"bytes"
	"regexp"
	"strconv"

	"github.com/probity/probity/internal/standard/problem"
)

// tailBytes is how far from the end the end marker may stand; readers of ISO 32000-1 (annex H.3, note 18) look in the last 1024 bytes,
// and some programs append more than that.
const tailBytes = 2048

var (
	encryptEntry  = regexp.MustCompile(`/Encrypt\s*(\d+\s+\d+\s+R|<<)`)
	pageTree      = regexp.MustCompile(`/Type\s*/Pages\b`)
	pageTreeCount = regexp.MustCompile(`/Count\s+(\d{1,6})\b`)
	pageObject    = regexp.MustCompile(`/Type\s*/Page\b`)
)

// readPDF checks that a PDF is whole, without interpreting its pages: the end marker, and a startxref that points into the file
// (ISO 32000-1 §7.5.5). It returns the number of pages, 0 when unknown.
func readPDF(raw []byte) (pages int, findings []Finding, err error) {
	tail := raw[max(len(raw)-tailBytes, 0):]
	end := bytes.LastIndex(tail, []byte("%%EOF"))
	if end < 0 {
		return 0, nil, unreadable("PDF")
	}
	start := bytes.LastIndex(tail[:end], []byte("startxref"))
	if start < 0 {
		return 0, nil, unreadable("PDF")
	}
	offset, numberErr := strconv.Atoi(string(bytes.TrimSpace(tail[start+len("startxref") : end])))
	if numberErr != nil || offset <= 0 || offset >= len(raw) {
		return 0, nil, unreadable("PDF")
	}
	pages = countPages(raw)
	if pages > MaxPages {
		return 0, nil, refusal(problem.TooLarge, "attachment_too_large",
			"a PDF has at most 30 pages; export only the pages of the latest statement and send those")
	}
	if isEncrypted(raw[offset:]) {
		findings = append(findings, Finding{PasswordProtected,
			"this PDF is encrypted; if it asks for a password when opened, print it to a new PDF without one and send that instead"})
	}
	return pages, findings, nil
}

// isEncrypted looks for the Encrypt entry in the trailer that belongs to a cross-reference section: the dictionary after the table, or
// that of the cross-reference stream itself. Both stand before the next startxref.
func isEncrypted(section []byte) bool {
	if next := bytes.Index(section, []byte("startxref")); next >= 0 {
		section = section[:next]
	}
	return encryptEntry.Match(section)
}

// countPages takes the largest count of a page tree node that is not compressed, the root's; else it counts page objects. The author
// of the file decides what it finds, so this keeps honest mistakes out and nothing more. What it looks at is bounded, since a file may
// repeat the words a million times.
func countPages(raw []byte) int {
	const (
		nodes  = 1000 // page tree nodes looked at
		window = 2048 // bytes of the node before and after its type
	)
	most := 0
	for _, place := range pageTree.FindAllIndex(raw, nodes) {
		before, after := raw[max(place[0]-window, 0):place[0]], raw[place[1]:min(place[1]+window, len(raw))]
		if start := bytes.LastIndex(before, []byte("endobj")); start >= 0 {
			before = before[start:]
		}
		if end := bytes.Index(after, []byte("endobj")); end >= 0 {
			after = after[:end]
		}
		for _, part := range [][]byte{before, after} {
			if match := pageTreeCount.FindSubmatch(part); match != nil {
				count, _ := strconv.Atoi(string(match[1])) // at most six digits
				most = max(most, count)
			}
		}
	}
	if most == 0 {
		most = len(pageObject.FindAllIndex(raw, nodes))
	}
	return most
}
