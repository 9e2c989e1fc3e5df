package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrorSort names the Go types of an error's chain for a log. The text of an error may quote a value: a database repeats what it could
// not take, a file system a path.
func ErrorSort(err error) string {
	var names []string
	for ; err != nil; err = errors.Unwrap(err) {
		name := fmt.Sprintf("%T", err)
		if coded, ok := err.(interface{ SQLState() string }); ok {
			name += " " + coded.SQLState()
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
