package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/probity/probity/internal/standard/problem"
)

// StatusOf is the one place where a kind of problem becomes a status.
func StatusOf(kind problem.Kind) int {
	switch kind {
	case problem.Invalid:
		return http.StatusUnprocessableEntity
	case problem.Malformed:
		return http.StatusBadRequest
	case problem.Unauthenticated:
		return http.StatusUnauthorized
	case problem.Forbidden:
		return http.StatusForbidden
	case problem.NotFound:
		return http.StatusNotFound
	case problem.Conflict:
		return http.StatusConflict
	case problem.Gone:
		return http.StatusGone
	case problem.TooLarge:
		return http.StatusRequestEntityTooLarge
	case problem.UnsupportedType:
		return http.StatusUnsupportedMediaType
	case problem.TooMany:
		return http.StatusTooManyRequests
	case problem.Unavailable:
		return http.StatusServiceUnavailable
	case problem.Unspecified:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// ErrorSort names the Go types of an error's chain, and the codes that databases give theirs, for a log. The text of an error may quote a value: a database repeats what it could
// not take, a file system a path.
func ErrorSort(err error) string {
	var names []string
	for ; err != nil; err = errors.Unwrap(err) {
		name := fmt.Sprintf("%T", err)
		switch coded := err.(type) {
		case interface{ SQLState() string }:
			name += " " + coded.SQLState()
		case interface{ Code() int }:
			name += fmt.Sprintf(" %d", coded.Code())
		}
		names = append(names, name)
	}
	return strings.Join(names, " < ")
}

// Recovered runs next and calls answer when it panics, with nothing of what was panicked with: that may quote anything. Without it, package
// net/http would log all of it.
func Recovered(next http.Handler, answer func(w http.ResponseWriter, r *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler:
				panic(cause)
			default:
				answer(w, r)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
