package crashtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// supervisor keeps a child running, as a service manager would, and can kill it.
type supervisor struct {
	t       *testing.T
	data    string
	smtp    string
	dsn     string // of PostgreSQL; empty for SQLite
	key     string // API key
	mu      sync.Mutex
	changed *sync.Cond
	process *exec.Cmd
	address string // empty while the child is not ready
	kills   int
	budget  int
	ended   bool
	said    bytes.Buffer // standard error of all children
}

// start starts a child and returns when it answers.
func (s *supervisor) start() {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childData+"="+s.data, childSMTP+"="+s.smtp, childDatabase+"="+s.dsn)
	command.Stderr = lockedWriter{s}
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		s.t.Errorf("start the child: %v", err)
		return
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = command
	if err != nil {
		s.t.Errorf("the child did not come up: %v\n%s", err, s.said.String())
		s.ended = true
	}
	s.address = strings.TrimSpace(line)
	s.changed.Broadcast()
}

type lockedWriter struct{ s *supervisor }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.said.Write(p)
}

// kill ends the child at once, unless the budget is spent or it is down already, and starts the next one behind the scenes.
func (s *supervisor) kill() {
	s.mu.Lock()
	if s.address == "" || s.kills >= s.budget || s.ended {
		s.mu.Unlock()
		return
	}
	s.kills++
	s.address = ""
	child := s.process
	s.mu.Unlock()
	_ = child.Process.Kill()
	_, _ = child.Process.Wait()
	go s.start()
}

// stop ends the child for good, by kill too.
func (s *supervisor) stop() {
	s.mu.Lock()
	for s.address == "" && !s.ended {
		s.changed.Wait()
	}
	s.ended = true
	child := s.process
	s.mu.Unlock()
	if child != nil {
		_ = child.Process.Kill()
		_, _ = child.Process.Wait()
	}
}

// ready waits for a child that answers and returns its address.
func (s *supervisor) ready() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.address == "" && !s.ended {
		s.changed.Wait()
	}
	return s.address
}

// request is one call of the API. It is repeated, with the same idempotency key, until it is answered.
type request struct {
	method, path, key, contentType string
	body                           []byte
	killAfter                      time.Duration // negative: let it live
}

// call makes a request and returns its answer. The answer is what the platform was told, so it must never be untrue later.
func (s *supervisor) call(r request) (status int, body []byte) {
	s.t.Helper()
	for try := 0; try < 60; try++ {
		address := s.ready()
		if r.killAfter >= 0 && try == 0 {
			timer := time.AfterFunc(r.killAfter, s.kill)
			defer timer.Stop()
		}
		status, body, err := s.once(address, r)
		if err != nil {
			continue
		}
		// Two tries can meet: the first is still being worked on when the second arrives.
		if status == http.StatusConflict && strings.Contains(string(body), "idempotency_") {
			<-time.After(20 * time.Millisecond)
			continue
		}
		// Not now: the database is away, or more waits than can be done.
		lost := s.dsn != "" && status == http.StatusInternalServerError // a read whose connection was killed
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests || lost {
			<-time.After(50 * time.Millisecond)
			continue
		}
		return status, body
	}
	s.t.Errorf("%s %s is not answered\n%s", r.method, r.path, s.said.String())
	return 0, nil
}

func (s *supervisor) once(address string, r request) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := http.NewRequestWithContext(ctx, r.method, "http://"+address+r.path, bytes.NewReader(r.body))
	if err != nil {
		return 0, nil, err
	}
	out.Header.Set("Authorization", "Bearer "+s.key)
	if r.key != "" {
		out.Header.Set("Idempotency-Key", r.key)
	}
	if r.contentType != "" {
		out.Header.Set("Content-Type", r.contentType)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext}}
	answer, err := client.Do(out)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// object is a JSON answer.
type object map[string]any

func (o object) text(name string) string {
	text, _ := o[name].(string)
	return text
}

// must makes a request, wants a good answer and returns it.
func (s *supervisor) must(r request) object {
	s.t.Helper()
	status, body := s.call(r)
	if status < 200 || status > 299 {
		s.t.Fatalf("%s %s: got %d %s", r.method, r.path, status, body)
	}
	var answer object
	if err := json.Unmarshal(body, &answer); err != nil {
		s.t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return answer
}

// until asks again until the answer is as wanted.
func (s *supervisor) until(what, path string, wanted func(object) bool) object {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(30 * time.Millisecond) {
		if answer := s.must(request{method: http.MethodGet, path: path, killAfter: -1}); wanted(answer) {
			return answer
		}
	}
	s.t.Fatalf("%s did not happen\n%s", what, s.said.String())
	return nil
}

func (s *supervisor) String() string { return fmt.Sprintf("%d kills", s.kills) }
