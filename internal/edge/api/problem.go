package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
)

// typePrefix begins the type URI of every problem. It identifies and need not lead anywhere (RFC 9457 §3.1.1).
const typePrefix = "urn:probity:problem:"

// Problem is the body of every refusal (RFC 9457, problem details for HTTP APIs). It never holds a refused value.
type Problem struct {
	Type           string  `json:"type" format:"uri" doc:"Identifies the sort of problem: urn:probity:problem: and the code." example:"urn:probity:problem:pan_not_accepted"`
	Title          string  `json:"title" doc:"What the HTTP status is called." example:"Unprocessable Entity"`
	Status         int     `json:"status" doc:"The HTTP status, again." example:"422"`
	Detail         string  `json:"detail" doc:"One sentence for a person: the rule that was broken, and the way out." example:"a full card number is not accepted; send first6 and last4"`
	Code           string  `json:"code" doc:"Stable; programs decide by it." example:"pan_not_accepted"`
	Field          string  `json:"field,omitempty" doc:"The field, parameter or header to blame, as a path such as address.lines[1]; absent when there is none." example:"holder_name"`
	VerificationID string  `json:"verification_id,omitempty" doc:"The verification to continue with instead." example:"ver_01jc0000000000000000000000"`
	Ref            string  `json:"ref,omitempty" doc:"The object to look at instead, when it is no verification." example:"case_01jc0000000000000000000000"`
	Errors         []Fault `json:"errors,omitempty" doc:"Everything that is wrong with the body or the parameters, when it is more than one thing. The first is what the problem itself tells."`
	RequestID      string  `json:"request_id,omitempty" doc:"Names this request in the log, for support." example:"5kq0t9wy3m8zr2d1"`
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Code   string `json:"code" doc:"Stable; programs decide by it." example:"required"`
	Field  string `json:"field" doc:"The field, parameter or header to blame." example:"amount.currency"`
	Detail string `json:"detail" doc:"The rule that was broken, and the way out." example:"this field is required"`
	Line   int    `json:"line,omitempty" doc:"The line of the policy's text, from 1." example:"12"`
	Column int    `json:"column,omitempty" doc:"The column of the policy's text, from 1." example:"11"`
}

// Error returns the code and the detail.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType says that a JSON problem is a problem+json.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: typePrefix + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func (p *Problem) blame(field string) *Problem {
	p.Field = field
	return p
}

// refusal turns an error of a use case into the answer. What is no problem of the caller's is logged by its sort and withheld.
func (e *edge) refusal(ctx context.Context, err error) *Problem {
	if ready, ok := errors.AsType[*Problem](err); ok {
		return ready
	}
	p := web.Refusal(err)
	if ctx.Err() == nil && (p == nil || web.IsOutage(err)) {
		e.Log.ErrorContext(ctx, "request failed", "request_id", requestOf(ctx).id, "sort", problem.Sort(err))
	}
	if p == nil {
		return internalProblem()
	}
	out := newProblem(web.StatusOf(p.Kind), p.Code, p.Message).blame(p.Field)
	for _, f := range p.Faults {
		out.Errors = append(out.Errors, Fault{Code: p.Code, Field: f.Path, Detail: f.Message, Line: f.Line, Column: f.Column})
	}
	if id.Valid(id.Verification, p.Ref) {
		out.VerificationID = p.Ref
	} else {
		out.Ref = p.Ref
	}
	return out
}

func internalProblem() *Problem {
	return newProblem(http.StatusInternalServerError, "internal", "something went wrong on our side; try again, and give support the request_id if it stays")
}

// maxFaults bounds the list of what is wrong; a body can be wrong in as many ways as it has members.
const maxFaults = 20

// newHumaProblem replaces huma's own errors, which repeat the refused value and, for an unknown field, the whole body.
func newHumaProblem(status int, message string, errs ...error) huma.StatusError {
	var faults []Fault
	for _, err := range errs {
		if ready, ok := errors.AsType[*Problem](err); ok {
			return ready
		}
		if detail, ok := err.(huma.ErrorDetailer); ok {
			if fault := faultOf(detail.ErrorDetail()); !slices.Contains(faults, fault) {
				faults = append(faults, fault)
			}
		}
	}
	switch {
	case message == "request body is required":
		return newProblem(http.StatusBadRequest, "body_required", "this call needs a JSON body")
	case len(faults) == 0:
		if status == 0 { // huma asks for the type of errors, with a status of nothing
			status = http.StatusInternalServerError
		}
		return newProblem(status, codeOfStatus(status), http.StatusText(status))
	}
	sort.SliceStable(faults, func(i, j int) bool { return faults[i].Field < faults[j].Field })
	first := faults[0]
	if first.Code == malformed.Code {
		status = http.StatusBadRequest
	}
	out := newProblem(status, first.Code, first.Detail).blame(first.Field)
	if len(faults) > 1 {
		out.Errors = faults[:min(len(faults), maxFaults)]
	}
	return out
}

func codeOfStatus(status int) string {
	if status >= http.StatusInternalServerError {
		return "internal"
	}
	return strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
}

// wrongType begins the errors of decode; the path follows.
const wrongType = "wrong type at "

var malformed = Fault{Code: "json_malformed", Detail: "the body is not one well-formed JSON document"}

// rules tells what huma's messages mean in ours. A message matches by what stands before its first argument.
var rules = []struct{ message, code, detail string }{
	{validation.MsgUnexpectedProperty, "unknown_field", "this field does not exist here; check its spelling, or leave it out"},
	{"unknown query parameter", "unknown_parameter", "this query parameter does not exist here; check its spelling, or leave it out"},
	{validation.MsgExpectedRFC3339DateTime, "time_malformed", "an instant is written as in RFC 3339, for example 2026-11-09T10:00:00Z"},
	{validation.MsgExpectedRFCIPAddr, "ip_malformed", "an IP address is written like 203.0.113.7 or 2001:db8::7"},
	// The other formats quote the value in their message; no rule of boundFault may see it.
	{"expected string to be RFC", "format_malformed", "this field has a format; see its description in /openapi.json"},
	{"expected string to be regex", "format_malformed", "this field has a format; see its description in /openapi.json"},
	{validation.MsgExpectedString, "wrong_type", "this field is a string"},
	{validation.MsgExpectedInteger, "wrong_type", "this field is a whole number"},
	{validation.MsgExpectedNumber, "wrong_type", "this field is a number"},
	{validation.MsgExpectedBoolean, "wrong_type", "this field is true or false"},
	{validation.MsgExpectedArray, "wrong_type", "this field is a list"},
	{validation.MsgExpectedObject, "wrong_type", "this is a JSON object"},
	{"invalid integer", "wrong_type", "this is a whole number"},
	{"required ", "required", "this parameter is required"},
	{wrongType, "wrong_type", "this field is of another type, or too large a number"},
}

// faultOf rewrites one of huma's findings without its value.
func faultOf(d *huma.ErrorDetail) Fault {
	field := strings.TrimPrefix(d.Location, "body")
	field, _ = strings.CutPrefix(field, ".")
	for _, place := range []string{"query.", "path.", "header."} {
		field = strings.TrimPrefix(field, place)
	}
	if path, found := strings.CutPrefix(d.Message, wrongType); found {
		field = path
	}
	if d.Message == malformed.Code {
		return malformed
	}
	if name, found := cutBetween(d.Message, "expected required property ", " to be present"); found {
		if field != "" {
			field += "."
		}
		return Fault{Code: "required", Field: field + name, Detail: "this field is required"}
	}
	field = hidden(field)
	for _, rule := range rules {
		if matches(rule.message, d.Message) {
			return Fault{Code: rule.code, Field: field, Detail: rule.detail}
		}
	}
	return boundFault(field, d.Message)
}

// matches reports whether a message of huma's was made from the pattern: the same text, or a beginning that stands for itself.
func matches(pattern, message string) bool {
	switch pattern {
	case validation.MsgExpectedString, validation.MsgExpectedNumber, validation.MsgExpectedArray:
		return message == pattern // others begin with it
	}
	return strings.HasPrefix(message, pattern)
}

// boundFault is about the rules that the description of a field has numbers or words for. They stand in the message, the value does not.
func boundFault(field, message string) Fault {
	name := lastName(field)
	bounds := []struct{ prefix, code, before, after string }{
		{"expected number >= ", name + "_out_of_range", "must be at least ", ""},
		{"expected number <= ", name + "_out_of_range", "must be at most ", ""},
		{"expected length >= ", "too_short", "must have at least ", " characters"},
		{"expected length <= ", "too_long", "must have at most ", " characters"},
		{"expected array length >= ", "too_few", "must have at least ", " items"},
		{"expected array length <= ", "too_many", "must have at most ", " items"},
		{"expected string to be ", name + "_malformed", "must be ", ""},
	}
	if words, found := cutBetween(message, `expected value to be one of "`, `"`); found {
		return Fault{Code: name + "_unknown", Field: field, Detail: "must be one of: " + words}
	}
	for _, bound := range bounds {
		if limit, found := strings.CutPrefix(message, bound.prefix); found {
			code := bound.code
			if name == "amount_minor" {
				code = "amount_out_of_range" // the code that money itself gives
			}
			if number, err := strconv.ParseFloat(limit, 64); err == nil {
				limit = strconv.FormatFloat(number, 'f', -1, 64) // huma writes 1e+15
			}
			return Fault{Code: code, Field: field, Detail: bound.before + limit + bound.after}
		}
	}
	return Fault{Code: "invalid", Field: field, Detail: "this field breaks a rule; see its description in /openapi.json"}
}

// lastName returns the name of the field that a path leads to; of a list's element, the name of one.
func lastName(path string) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	if list, _, isElement := strings.Cut(name, "["); isElement {
		return strings.TrimSuffix(list, "s")
	}
	return name
}

func cutBetween(s, before, after string) (string, bool) {
	rest, found := strings.CutPrefix(s, before)
	if !found {
		return "", false
	}
	return strings.CutSuffix(rest, after)
}

// hidden returns the path of a field, or a placeholder when its caller made up a name that is not a plain word or holds a card number.
func hidden(field string) string {
	if len(field) > 200 || pan.Find(field) {
		return pan.HiddenName
	}
	for _, r := range field {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.[]-", r) {
			return pan.HiddenName
		}
	}
	return field
}
