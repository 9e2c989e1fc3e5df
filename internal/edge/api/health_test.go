package api

import (
	"sync"
	"testing"
	"time"
)

func TestProbesThatComeTogetherShareOneLook(t *testing.T) {
	now := time.Date(2026, 11, 9, 2, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	looks := 0
	look := func() Health {
		looks++
		return Health{Status: "ok"}
	}
	var known readiness
	var probes sync.WaitGroup
	for range 20 {
		probes.Go(func() {
			if got := known.latest(clock, look); got.Status != "ok" {
				t.Errorf("got %q, want ok", got.Status)
			}
		})
	}
	probes.Wait()
	if looks != 1 {
		t.Errorf("got %d looks, want one", looks)
	}
	for _, step := range []time.Duration{readyFor, -time.Hour} {
		now = now.Add(step)
		before := looks
		known.latest(clock, look)
		if looks != before+1 {
			t.Errorf("%s later: got %d looks, want one more", step, looks-before)
		}
	}
}
