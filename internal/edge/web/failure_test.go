package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/probity/probity/internal/edge/web"
)

// stated is an error of a database, whose text quotes a row.
type stated struct{}

func (stated) Error() string    { return "duplicate key: alma@mail.example" }
func (stated) SQLState() string { return "23505" }

func TestTheSortOfAnErrorTellsNothingOfItsText(t *testing.T) {
	got := web.ErrorSort(fmt.Errorf("store: %w", stated{}))
	if want := "*fmt.wrapError < web_test.stated 23505"; got != want {
		t.Errorf("got %q, want %q", got, want)
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
