package api

import (
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/standard/pan"
)

// maxText bounds a text part of a form, in bytes; all of them are words of the contract.
const maxText = 100

// evidence is a parsed form. The name that the sender's machine gave the attachment is dropped: it is often a person's.
type evidence struct {
	requirement  string
	documentType string
	side         string
	raw          []byte
}

// readForm parses a multipart body in memory. Standard parsers spill large parts to temporary files, and what the card guard may yet
// refuse must never reach a disk.
func readForm(r *http.Request, known *request) *Problem {
	parts, err := r.MultipartReader()
	if err != nil {
		return newProblem(http.StatusBadRequest, "form_malformed", "the form needs a boundary in its Content-Type")
	}
	form := &evidence{}
	seen := map[string]bool{}
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return formUnreadable(err, known.route)
		}
		name := part.FormName()
		if seen[name] {
			return newProblem(http.StatusUnprocessableEntity, "duplicate_field", "send each part once: one attachment for each request").blame(hidden(name))
		}
		seen[name] = true
		if refused := form.read(name, part, known.route); refused != nil {
			return refused
		}
	}
	if !seen["requirement"] || !seen["file"] {
		missing := "requirement"
		if seen["requirement"] {
			missing = "file"
		}
		return newProblem(http.StatusUnprocessableEntity, "required", "this part of the form is required").blame(missing)
	}
	known.form, known.bodyHash = form, form.hash()
	return nil
}

// read takes one part.
func (f *evidence) read(name string, part *multipart.Part, known route) *Problem {
	into := map[string]*string{"requirement": &f.requirement, "document_type": &f.documentType, "side": &f.side}[name]
	switch {
	case name == "file":
		raw, err := io.ReadAll(io.LimitReader(part, reader.MaxBytes+1))
		if err != nil {
			return formUnreadable(err, known)
		}
		if len(raw) > reader.MaxBytes {
			return newProblem(http.StatusRequestEntityTooLarge, "attachment_too_large", "an attachment has at most 20 MiB").blame(name)
		}
		f.raw = raw
		return nil
	case into == nil:
		return newProblem(http.StatusUnprocessableEntity, "unknown_field", "the form has requirement, document_type, side and file, nothing else").blame(hidden(name))
	}
	text, err := io.ReadAll(io.LimitReader(part, maxText+1))
	if err != nil {
		return formUnreadable(err, known)
	}
	if pan.Find(string(text)) {
		return panNotAccepted(name)
	}
	if len(text) > maxText {
		return newProblem(http.StatusUnprocessableEntity, "too_long", "this part has one of the words of the documentation").blame(name)
	}
	*into = string(text)
	return nil
}

func formUnreadable(err error, known route) *Problem {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return unreadable(err, known)
	}
	return newProblem(http.StatusBadRequest, "form_malformed", "the form ended before it was complete, or is no multipart form; send it again")
}

// hash is over what the parts say, not over their order, their headers or the boundary, which clients choose anew for a repetition.
func (f *evidence) hash() []byte {
	content := sha256.Sum256(f.raw)
	all := sha256.New()
	for _, text := range []string{f.requirement, f.documentType, f.side} {
		sum := sha256.Sum256([]byte(text))
		_, _ = all.Write(sum[:]) // writing to a hash never fails
	}
	_, _ = all.Write(content[:])
	return all.Sum(nil)
}
