package web

import (
	"errors"
	"net/http"

	"github.com/probity/probity/internal/adapter/store"
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

// Refusal returns what an error of a use case tells whoever asked: the problem in it, or that the database does not answer, which is
// nobody's mistake and passes. It is nil for any other error, which is ours and is logged by its sort.
func Refusal(err error) *problem.Problem {
	if found := problem.As(err); found != nil && found.Kind != problem.Unspecified {
		return found
	}
	switch {
	case errors.Is(err, store.ErrCommit) && store.Unreachable(err):
		return problem.New(problem.Unavailable, "not_confirmed",
			"the database stopped answering before it confirmed: a change may have been made or not; look, or send it again with the same Idempotency-Key")
	case store.Unreachable(err):
		return problem.New(problem.Unavailable, "database_unavailable", "the database does not answer, and nothing was changed; try again in a moment")
	}
	return nil
}

// IsOutage reports whether an error that Refusal explains is one of the database, which the log should have.
func IsOutage(err error) bool { return problem.As(err) == nil && store.Unreachable(err) }

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
