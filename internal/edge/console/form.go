package console

import (
	"net/http"
	"strings"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
)

// maxForm bounds a form without attachments: six notes of 4,000 characters, each up to nine bytes once encoded for a form.
const maxForm = 512 << 10

// form is what a person sent, with what is wrong with it.
type form struct {
	values map[string][]string
	errors []web.FieldError
}

// readForm reads a bounded form. A body that cannot be read is a problem of kind Malformed or TooLarge.
func readForm(w http.ResponseWriter, r *http.Request) (*form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, bodyProblem(err)
	}
	return &form{values: r.PostForm}, nil
}

// bodyProblem tells a body over its limit from one that cannot be read.
func bodyProblem(err error) error {
	// MaxBytesReader's error may arrive wrapped in text only, as multipart readers do.
	if strings.Contains(err.Error(), "request body too large") {
		return problem.New(problem.TooLarge, "body_too_large", "this is larger than 20 MB; send a smaller one")
	}
	return problem.New(problem.Malformed, "form_malformed", "the form could not be read; go back and send it again")
}

// text returns a field without the space around it, with line breaks as one character.
func (f *form) text(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(f.raw(name), "\r\n", "\n"))
}

// raw returns a field as it was sent; passphrases keep their spaces.
func (f *form) raw(name string) string {
	if values := f.values[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// fail notes what is wrong with a field; "" is a general error.
func (f *form) fail(field, message string) {
	f.errors = append(f.errors, web.FieldError{Field: field, Message: message})
}

// errorOf returns the first error of a field, or "".
func (f *form) errorOf(field string) string {
	for _, one := range f.errors {
		if one.Field == field {
			return one.Message
		}
	}
	return ""
}

// refuseCardNumbers notes an error for each named field that holds a full card number.
func (f *form) refuseCardNumbers(names ...string) {
	for _, name := range names {
		if pan.Find(f.raw(name)) {
			f.fail(name, panMessage)
		}
	}
}

// panMessage explains pan_not_accepted to staff.
const panMessage = "This holds what looks like a full card number. Probity never stores one: write its last four digits instead. (pan_not_accepted)"

// take turns an error of the service into an error of the form when a person can put it right there: it reports false for any other.
// rename maps the service's field names to the form's; what it does not name is a general error.
func (f *form) take(err error, rename map[string]string) bool {
	p := problem.As(err)
	if p == nil {
		return false
	}
	switch p.Kind {
	case problem.Invalid, problem.Malformed, problem.TooLarge, problem.UnsupportedType, problem.Conflict:
		f.fail(rename[p.Field], sentenceCase(p.Message))
		return true
	default:
		return false
	}
}

// sentenceCase writes a problem's message as a sentence.
func sentenceCase(message string) string {
	if message == "" {
		return ""
	}
	message = strings.ToUpper(message[:1]) + message[1:]
	if !strings.HasSuffix(message, ".") {
		message += "."
	}
	return message
}
