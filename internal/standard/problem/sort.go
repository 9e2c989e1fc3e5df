package problem

import (
	"fmt"
	"strings"
)

// Sort names the Go types of an error and of what it wraps, and the codes that databases give theirs, for a log. The text of an error may
// quote a value: a database repeats what it could not store.
func Sort(err error) string {
	if err == nil {
		return ""
	}
	name := fmt.Sprintf("%T", err)
	switch coded := err.(type) {
	case interface{ SQLState() string }:
		name += " " + coded.SQLState()
	case interface{ Code() int }:
		name += fmt.Sprintf(" %d", coded.Code())
	}
	var inner []string
	switch wrapping := err.(type) {
	case interface{ Unwrap() error }:
		if wrapped := wrapping.Unwrap(); wrapped != nil {
			inner = append(inner, Sort(wrapped))
		}
	case interface{ Unwrap() []error }:
		for _, wrapped := range wrapping.Unwrap() {
			inner = append(inner, Sort(wrapped))
		}
	}
	if len(inner) == 0 {
		return name
	}
	return name + " < " + strings.Join(inner, ", ")
}
