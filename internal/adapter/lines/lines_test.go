package lines

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// slow is a writer that takes what it is given only when it is let.
type slow struct {
	let    chan struct{}
	writes int
	bytes.Buffer
}

func (s *slow) Write(part []byte) (int, error) {
	<-s.let
	s.writes++
	return s.Buffer.Write(part)
}

func TestEveryLineIsWrittenWholeAndInOrder(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	const writers, each = 8, 500
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			for n := range each {
				if _, err := fmt.Fprintf(w, "%d %d\n", i, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	next := map[int]int{}
	for line := range strings.Lines(out.String()) {
		var i, n int
		if _, err := fmt.Sscanf(line, "%d %d\n", &i, &n); err != nil || next[i] != n {
			t.Fatalf("after %d of writer %d came %q", next[i], i, line)
		}
		next[i]++
	}
	for i := range writers {
		if next[i] != each {
			t.Errorf("writer %d: got %d lines, want %d", i, next[i], each)
		}
	}
}

func TestWhatComesDuringAWriteGoesOutTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &slow{let: make(chan struct{})}
		w := NewWriter(out)
		_, _ = w.Write([]byte("first\n"))
		synctest.Wait() // it is being written
		for range 100 {
			_, _ = w.Write([]byte("more\n"))
		}
		close(out.let)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.writes != 2 || out.String() != "first\n"+strings.Repeat("more\n", 100) {
			t.Errorf("got %d writes of %q", out.writes, out.String())
		}
	})
}

func TestWhoeverWritesTooMuchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &slow{let: make(chan struct{})}
		w := NewWriter(out)
		half := bytes.Repeat([]byte("x"), Waiting/2+1)
		_, _ = w.Write(half)
		synctest.Wait() // it is being written
		_, _ = w.Write(half)
		third := false
		go func() {
			_, _ = w.Write(half)
			third = true
		}()
		synctest.Wait()
		if third {
			t.Error("more than may wait was taken")
		}
		close(out.let)
		synctest.Wait()
		if !third {
			t.Error("what waited was not taken when there was room again")
		}
		if err := w.Close(); err != nil || out.Len() != 3*len(half) {
			t.Errorf("got %d bytes, %v", out.Len(), err)
		}
	})
}

func TestAWarningIsWrittenBeforeItsCallerGoesOn(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	log := slog.New(Handler(slog.NewTextHandler(w, nil), w)).With("a", 1).WithGroup("g")
	log.Info("request")
	log.Warn("look here", "b", 2)
	if got := out.String(); !strings.Contains(got, "request") || !strings.Contains(got, `msg="look here" a=1 g.b=2`) {
		t.Errorf("got %q", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("late\n")); err == nil {
		t.Error("a closed log took a line")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestAFailureIsTold(t *testing.T) {
	w := NewWriter(broken{})
	_, _ = w.Write([]byte("lost\n"))
	if err := w.Flush(); err == nil {
		t.Error("Flush did not tell")
	}
	if err := w.Close(); err == nil {
		t.Error("Close did not tell")
	}
}
