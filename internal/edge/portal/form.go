package portal

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
)

// The limits of what a browser may send.
const (
	maxForm      = 64 << 10 // bytes of a form without an attachment: 2 × 4,000 characters, percent-encoded, fit
	maxUpload    = 21 << 20 // bytes of a form with an attachment: the attachment's own limit and room for the rest
	maxDrained   = 64 << 20 // bytes read and thrown away after a refusal, see drain
	maxPartText  = 4 << 10  // bytes of one text field beside an attachment
	maxTextParts = 10
)

// readForm reads a form that holds text only. A card number in any field refuses all of it: the problem names the field, and the value
// that is left in the form has its digits covered, so that the page which answers does not show it again.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var over *http.MaxBytesError
		if errors.As(err, &over) {
			return nil, problem.New(problem.TooLarge, "form_too_large", "the form holds more text than fits")
		}
		return nil, readingFailed(err)
	}
	return r.PostForm, refuseCardNumbers(r.PostForm)
}

func refuseCardNumbers(form url.Values) error {
	var refused error
	for name, values := range form {
		for i, value := range values {
			if pan.Find(value) {
				values[i] = strings.Map(coverDigit, value)
				refused = problem.Field(name, "pan_not_accepted", "a full card number is not accepted here")
			}
		}
	}
	return refused
}

func coverDigit(r rune) rune {
	if unicode.IsDigit(r) {
		return '•'
	}
	return r
}

// upload is a form with one attachment, held in memory.
type upload struct {
	fields url.Values
	raw    []byte // nil when nothing was chosen
}

// readUpload reads a multipart form part by part, into memory only: package net/http would spill large parts to temporary files. More
// than one attachment is refused as soon as the second begins.
func readUpload(r *http.Request) (upload, error) {
	body := r.Body
	r.Body = http.MaxBytesReader(nil, body, maxUpload)
	found, err := readParts(r)
	if err != nil {
		drain(body)
	}
	return found, err
}

// drain reads what a browser is still sending, so that it comes to read the answer: a browser whose connection is closed while it sends
// shows an error of its own. What is longer than maxDrained has to live with that.
func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, maxDrained) }

func readParts(r *http.Request) (upload, error) {
	found := upload{fields: url.Values{}}
	parts, err := r.MultipartReader()
	if err != nil {
		return found, problem.New(problem.Malformed, "form_malformed", "the form could not be read; open the page again and send it once more")
	}
	for count := 0; ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return found, refuseCardNumbers(found.fields)
		}
		if err != nil {
			return found, readingFailed(err)
		}
		if part.FileName() == "" && part.FormName() != "file" {
			if count++; count > maxTextParts {
				return found, problem.New(problem.Malformed, "form_malformed", "the form has more fields than the page")
			}
			err = readField(part, found.fields)
		} else {
			err = found.take(part)
		}
		if err != nil {
			return found, err
		}
	}
}

func readField(part *multipart.Part, fields url.Values) error {
	value, err := io.ReadAll(io.LimitReader(part, maxPartText+1))
	if err != nil {
		return readingFailed(err)
	}
	if len(value) > maxPartText {
		return problem.Field(part.FormName(), "too_long", "the text is longer than this field holds")
	}
	fields.Add(part.FormName(), string(value))
	return nil
}

// take reads the attachment. A browser sends an empty part without a name when nothing was chosen.
func (u *upload) take(part *multipart.Part) error {
	if u.raw != nil {
		return problem.Field("file", "one_attachment", "send one attachment after another")
	}
	raw, err := io.ReadAll(io.LimitReader(part, reader.MaxBytes+1))
	if err != nil {
		return readingFailed(err)
	}
	if len(raw) == 0 && part.FileName() == "" {
		return nil
	}
	u.raw = raw
	if len(raw) > reader.MaxBytes {
		return tooLarge()
	}
	return nil
}

// readingFailed tells a body over its limit from one that broke off.
func readingFailed(err error) error {
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return tooLarge()
	}
	return problem.New(problem.Malformed, "form_malformed", "the form arrived incomplete; send it once more")
}

func tooLarge() error {
	return &problem.Problem{Kind: problem.TooLarge, Code: "attachment_too_large", Field: "file", Message: "an attachment has at most 20 MB"}
}
