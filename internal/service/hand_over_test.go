package service

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
)

// Index returns the state of every entity that the tenant's index holds, whatever the order in which they were folded.
func (s *Service) Index(tenantID string) (state []byte) {
	s.follower.running.Lock()
	defer s.follower.running.Unlock()
	found := map[uint64][]byte{}
	if t := s.follower.indexes[tenantID]; t != nil {
		t.index.Each(func(id uint64, encoded []byte) bool {
			found[id] = bytes.Clone(encoded)
			return true
		})
	}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		state = append(binary.LittleEndian.AppendUint64(state, id), found[id]...)
	}
	return state
}

// ReadFromLog returns how many entries of the log the follower has read, rather than been handed.
func (s *Service) ReadFromLog() int64 {
	s.follower.running.Lock()
	defer s.follower.running.Unlock()
	return s.follower.readFromLog
}

// FoldHanded folds what was handed over, without a look at the log.
func (s *Service) FoldHanded() { s.foldHanded() }

func TestWhatFindsNoRoomInTheHandOverIsLeftToBeRead(t *testing.T) {
	var f follower
	entries := make([]*store.LogEntry, 1000)
	for i := range entries {
		entries[i] = &store.LogEntry{Seq: int64(i + 1)}
	}
	f.hand(entries)
	if got := f.handed.take(); len(got) != 0 {
		t.Fatalf("got %d entries kept while nobody folds them", len(got))
	}
	for range 2 * handedAtMost / len(entries) {
		f.hand(entries)
	}
	taken := f.handed.take()
	if len(taken) != handedAtMost {
		t.Errorf("got %d entries, want %d", len(taken), handedAtMost)
	}
	f.handed.giveBack(taken)
	f.hand(entries[:1])
	f.handed.take()
	f.hand(entries[1:3])
	if got := f.handed.take(); len(got) != 2 || got[0].Seq != 2 {
		t.Errorf("got %d entries of the memory that was used before", len(got))
	}
}

func TestHandedPaymentsAreTakenOnceAndNotAcrossALongPast(t *testing.T) {
	f := follower{payments: logCursor{high: 10}}
	wall := time.Unix(0, 0)
	f.handed.take()
	hand := func(seqs ...int64) {
		for _, seq := range seqs {
			f.hand([]*store.LogEntry{{Seq: seq}})
		}
		f.takeHanded(wall, wall)
	}
	hand(14, 12, 12, 9)
	if got := f.payments.gaps(wall); f.payments.high != 14 || !slices.Equal(got, []store.Span{{From: 11, To: 11}, {From: 13, To: 13}}) {
		t.Errorf("got %d %v", f.payments.high, got)
	}
	hand(15+handedAhead, 11)
	if got := f.payments.gaps(wall); f.payments.high != 14 || !slices.Equal(got, []store.Span{{From: 13, To: 13}}) {
		t.Errorf("got %d %v, want the far one left to be read in its turn", f.payments.high, got)
	}
	// What was missed without a look counts as missed at the next one.
	late := wall.Add(2 * gapAge)
	f.payments.gaps(late)
	if f.payments.forget(late, store.Snapshot{Xmin: 500, Xmax: 600}); len(f.payments.missing) != 1 {
		t.Fatal("a number was given up although it may have been taken after everything that is known to have ended")
	}
	f.payments.sight(store.Snapshot{Xmin: 90, Xmax: 100})
	if f.payments.forget(late, store.Snapshot{Xmin: 99, Xmax: 120}); len(f.payments.missing) != 1 {
		t.Error("a number was given up that a running transaction may hold")
	}
	if f.payments.forget(late, store.Snapshot{Xmin: 100, Xmax: 120}); len(f.payments.missing) != 0 {
		t.Error("a number is waited for although nobody can hold it")
	}
}

// ReadToFill returns how many entries of the log were read to fill indexes.
func (s *Service) ReadToFill() int64 {
	s.follower.running.Lock()
	defer s.follower.running.Unlock()
	return s.follower.readToFill
}

// ReadWhole returns how often lists were read whole.
func (s *Service) ReadWhole() int64 {
	s.policies.mu.Lock()
	defer s.policies.mu.Unlock()
	return s.policies.whole
}
