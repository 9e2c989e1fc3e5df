package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/demo"
	"github.com/probity/probity/internal/demo/mailbox"
)

const (
	patience  = 30 * time.Second // for anything that happens behind the pages
	lookEvery = 50 * time.Millisecond
)

// stage is a running demo, seen from outside: everything below goes through its addresses.
type stage struct {
	t     testing.TB
	ready demo.Ready
}

// open starts a demo that ends with the test.
func open(t *testing.T) *stage {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan demo.Ready, 1), make(chan error, 1)
	directory := t.TempDir()
	go func() {
		ended <- demo.Run(ctx, demo.Config{
			DataDir: directory, Listen: "localhost:0", Now: time.Now, Ready: func(r demo.Ready) { ready <- r },
			Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
	}()
	giveUp, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := &stage{t: t}
	select {
	case s.ready = <-ready:
	case err := <-ended:
		stop()
		t.Fatalf("the demo did not start: %v", err)
	case <-giveUp.Done():
		stop()
		t.Fatalf("the demo was not ready within %v", patience)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
	})
	return s
}

// call asks the API and returns the status and the JSON answer.
func (s *stage) call(method, path string, body any) (int, object) {
	s.t.Helper()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.ready.URL+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.ready.APIKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer := object{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		s.t.Fatalf("%s %s answered %d without JSON: %v", method, path, response.StatusCode, err)
	}
	return response.StatusCode, answer
}

// want calls the API and ends the test unless it answers with the status.
func (s *stage) want(status int, method, path string, body any) object {
	s.t.Helper()
	got, answer := s.call(method, path, body)
	if got != status {
		s.t.Fatalf("%s %s: got status %d, want %d: %v", method, path, got, status, answer)
	}
	return answer
}

// items returns the items of a list of the API.
func (s *stage) items(path string) []object {
	s.t.Helper()
	listed, _ := s.want(http.StatusOK, http.MethodGet, path, nil)["items"].([]any)
	found := make([]object, 0, len(listed))
	for _, item := range listed {
		one, _ := item.(map[string]any)
		found = append(found, one)
	}
	return found
}

// object is a JSON object of the API.
type object map[string]any

// text returns the text at a path of names, or nothing.
func (o object) text(path ...string) string {
	var at any = map[string]any(o)
	for _, name := range path {
		inner, isObject := at.(map[string]any)
		if !isObject {
			return ""
		}
		at = inner[name]
	}
	text, _ := at.(string)
	return text
}

// letter is a mail as the mailbox shows it to programs.
type letter struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

// letters returns the mails to an address, newest first.
func (s *stage) letters(to string) []letter {
	s.t.Helper()
	answer := s.want(http.StatusOK, http.MethodGet, mailbox.Prefix+"messages.json?to="+url.QueryEscape(to), nil)
	raw, err := json.Marshal(answer["items"])
	if err != nil {
		s.t.Fatal(err)
	}
	var found []letter
	if err := json.Unmarshal(raw, &found); err != nil {
		s.t.Fatal(err)
	}
	return found
}

// letter waits for the n-th mail (from 1) to an address whose subject holds the words, and returns it.
func (s *stage) letter(to, words string, n int) letter {
	s.t.Helper()
	var found letter
	s.eventually(fmt.Sprintf("mail %d about %q", n, words), func() bool {
		var about []letter
		for _, one := range s.letters(to) {
			if strings.Contains(one.Subject, words) {
				about = append(about, one)
			}
		}
		if len(about) < n {
			return false
		}
		found = about[len(about)-n]
		return true
	})
	return found
}

// eventually looks again and again until it is so.
func (s *stage) eventually(what string, isSo func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for !isSo() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("waited %v in vain for: %s", patience, what)
		case <-look.C:
		}
	}
}

// on returns the same stage for a subtest, so that what goes wrong there ends that subtest.
func (s *stage) on(t testing.TB) *stage {
	copied := *s
	copied.t = t
	return &copied
}
