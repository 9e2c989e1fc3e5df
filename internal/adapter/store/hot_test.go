package store

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeptProfileTakesWhatItIsCountedAs(t *testing.T) {
	h := newHot()
	key := AccountKey{"ten", "acct"}
	profile := make([]byte, 100, 5000)
	h.put(&Payer{AccountKey: key, Profile: profile})
	kept := h.get(key)
	if got := cap(kept.Profile); got > len(profile)+maxSpare || !bytes.Equal(kept.Profile, profile) {
		t.Errorf("got %d bytes kept for a profile of %d", got, len(profile))
	}
	if got, want := h.bytes, payerBytes+cap(kept.Profile); got != want {
		t.Errorf("got %d bytes counted, want %d", got, want)
	}
	if h.forget(key); h.bytes != 0 {
		t.Errorf("got %d bytes counted when nothing is kept", h.bytes)
	}
}

func TestItIsToldWhenTheLogCannotBeCopied(t *testing.T) {
	s := openFor(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	var told bytes.Buffer
	s.config.Log = slog.New(slog.NewTextHandler(&told, nil))
	if err := s.checkpoints.db.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range tellAfter {
		if told.Len() > 0 {
			t.Errorf("it was told after %d failures", i)
		}
		if err := s.hot.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.checkpoints.commits = checkpointEvery - 1
		s.committed()
		s.hot.leave()
		s.checkpoints.ended.Wait()
	}
	if got := told.String(); !strings.Contains(got, "failures_in_a_row=5") || s.FailedCheckpoints() != tellAfter {
		t.Errorf("got %q and %d failures", got, s.FailedCheckpoints())
	}
}
