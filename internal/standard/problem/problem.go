// Package problem is the closed set of things that can be wrong with a request, in the terms of RFC 9457 (problem details for
// HTTP APIs). Every floor may return a *Problem; the edge maps its Kind to a status once. Any other error is internal, and its
// text is withheld from the caller.
//
// A Problem never carries the refused value: it names the field, the rule and the way out.
package problem

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal a Problem is. The zero value is invalid.
type Kind int

// The kinds, with the HTTP status that the edge gives each.
const (
	Unspecified     Kind = iota
	Invalid              // 422: a field breaks a rule
	Malformed            // 400: the request cannot be read at all
	Unauthenticated      // 401: no or unknown credentials
	Forbidden            // 403: known, but not allowed
	NotFound             // 404: no such thing in this tenant
	Conflict             // 409: the thing is not in the state, or at the version, that the request supposes
	Gone                 // 410: a one-time link or session that was used or has expired
	TooLarge             // 413: over a documented limit of bytes, pixels or count
	UnsupportedType      // 415: not a type that is accepted
	TooMany              // 429: slow down
	Unavailable          // 503: a part we need does not answer
)

// Problem is a refusal that its reader can act on.
type Problem struct {
	Kind    Kind
	Code    string // stable, snake_case or dotted, e.g. "pan_not_accepted"
	Field   string // JSON path or form field, empty when none is to blame
	Message string // one sentence for a person: the rule and the way out; never the value
	// Ref names the object that the caller should look at instead, e.g. the verification that is already open.
	Ref string
	// Faults are the places in a text that was sent, such as a policy, with what is wrong there.
	Faults []Fault
}

// Fault is one thing wrong in a text that was sent. Its message may quote a name from that text, never a person's.
type Fault struct {
	Line, Column int    // from 1; 0 when the place is not known
	Path         string // e.g. rules[2].when
	Message      string
}

// Error returns the code, the field and the message.
func (p *Problem) Error() string {
	if p.Field == "" {
		return fmt.Sprintf("%s: %s", p.Code, p.Message)
	}
	return fmt.Sprintf("%s: %s: %s", p.Code, p.Field, p.Message)
}

// New returns a Problem of a kind that no single field is to blame for.
func New(kind Kind, code, message string) *Problem {
	return &Problem{Kind: kind, Code: code, Message: message}
}

// Field returns a Problem of kind Invalid for one field.
func Field(field, code, message string) *Problem {
	return &Problem{Kind: Invalid, Code: code, Field: field, Message: message}
}

// Missing returns the Problem that an object of the named sort does not exist in this tenant.
func Missing(what string) *Problem {
	return &Problem{Kind: NotFound, Code: "not_found", Message: "no such " + what + " here; check the id and that it belongs to this tenant"}
}

// As returns the Problem in err's chain, or nil.
func As(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// Is reports whether err's chain holds a Problem of the kind.
func Is(err error, kind Kind) bool {
	p := As(err)
	return p != nil && p.Kind == kind
}
