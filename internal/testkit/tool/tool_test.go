package tool

import (
	"runtime"
	"testing"
)

// outcome stands in for a test and notes how it was ended.
type outcome struct {
	testing.TB
	failed, skipped bool
}

func (o *outcome) Helper() {}

func (o *outcome) Fatalf(string, ...any) {
	o.failed = true
	runtime.Goexit()
}

func (o *outcome) Skip(...any) {
	o.skipped = true
	runtime.Goexit()
}

func end(t *testing.T, variable string) *outcome {
	t.Setenv(RequireVariable, variable)
	o := &outcome{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Missing(o, "there is no such program; install it")
	}()
	<-done
	return o
}

func TestMissing(t *testing.T) {
	t.Run("a plain go test skips what it cannot run", func(t *testing.T) {
		got := end(t, "")
		if !got.skipped || got.failed {
			t.Errorf("got skipped %v failed %v, want a skip", got.skipped, got.failed)
		}
	})
	t.Run("a run that installed the programs first fails", func(t *testing.T) {
		got := end(t, "1")
		if got.skipped || !got.failed {
			t.Errorf("got skipped %v failed %v, want a failure", got.skipped, got.failed)
		}
	})
}
