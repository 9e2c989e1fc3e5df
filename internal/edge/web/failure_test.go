package web_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/problem"
)

func TestRefusal(t *testing.T) {
	gone := &net.OpError{Op: "read", Net: "tcp", Err: errors.New("reset")}
	for name, c := range map[string]struct {
		err    error
		code   string // "" for none
		outage bool
	}{
		"a problem":                       {fmt.Errorf("in a use case: %w", problem.Missing("payment")), "not_found", false},
		"a mistake of ours":               {errors.New("nil map"), "", false},
		"a database that cannot be had":   {fmt.Errorf("%w: %w", store.ErrBegin, gone), "database_unavailable", true},
		"a connection that ended":         {fmt.Errorf("store: %w", gone), "database_unavailable", true},
		"an answer to a commit was lost":  {fmt.Errorf("%w: %w", store.ErrCommit, gone), "not_confirmed", true},
		"a commit that the database took": {fmt.Errorf("%w: %w", store.ErrCommit, errors.New("disk full")), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if p := web.Refusal(c.err); p != nil {
				got = p.Code
			}
			if got != c.code || web.IsOutage(c.err) != c.outage {
				t.Errorf("got %q, outage %v, want %q", got, web.IsOutage(c.err), c.code)
			}
		})
	}
}

func TestAPanicIsAnsweredAndItsValueGoesNowhere(t *testing.T) {
	answered := false
	handler := web.Recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("alma@mail.example") }),
		func(w http.ResponseWriter, _ *http.Request) {
			answered = true
			http.Error(w, "our mistake", http.StatusInternalServerError)
		})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if !answered || recorder.Code != http.StatusInternalServerError || strings.Contains(recorder.Body.String(), "alma") {
		t.Errorf("got %d %q, want our own answer", recorder.Code, recorder.Body.String())
	}
}

func TestAnAnswerThatIsGivenUpOnPurposeStaysSo(t *testing.T) {
	handler := web.Recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		func(http.ResponseWriter, *http.Request) { t.Error("answered") })
	defer func() {
		if cause, _ := recover().(error); !errors.Is(cause, http.ErrAbortHandler) {
			t.Errorf("got %v, want the server to be told", cause)
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody))
}
