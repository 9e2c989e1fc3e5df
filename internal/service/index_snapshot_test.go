package service

import (
	"bytes"
	"errors"
	"testing"

	"github.com/probity/probity/internal/domain/risk/history"
)

// SnapshotNow has the next looks at the log write a snapshot, whatever the time.
func (s *Service) SnapshotNow(t testing.TB) {
	t.Helper()
	s.follower.running.Lock()
	defer s.follower.running.Unlock()
	if !s.beginSnapshot() {
		t.Fatal("there is nothing to write down now")
	}
}

func FuzzEntitiesOfASnapshot(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("too short"))
	f.Add(appendEntity(appendEntity(nil, 7, []byte("state")), 8, nil))
	f.Add(append(appendEntity(nil, 7, nil), 0xff))
	f.Fuzz(func(t *testing.T, body []byte) {
		var again []byte
		err := eachEntity(body, func(entity uint64, encoded []byte) error {
			again = appendEntity(again, entity, encoded)
			return nil
		})
		if err == nil && !bytes.Equal(again, body) {
			t.Errorf("got %x, want what was read written as it was: %x", again, body)
		}
		index := history.NewIndex(&history.SeriesSet{}, 10)
		if err := eachEntity(body, index.Put); err != nil && !errors.Is(err, errSnapshot) && !errors.Is(err, history.ErrEncoding) && !errors.Is(err, history.ErrOtherSeries) {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzHeadOfASnapshot(f *testing.F) {
	f.Add([]byte("12"))
	f.Add([]byte("0 3-3 5-9"))
	f.Add([]byte("1 9-5"))
	f.Add([]byte("1 3-5 4-6"))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, head []byte) {
		parts, missing, err := readSnapshotHead(head)
		if err != nil {
			return
		}
		again, gaps, err := readSnapshotHead(snapshotHead(parts, missing))
		if err != nil || again != parts || len(gaps) != len(missing) {
			t.Fatalf("got %d parts, %d gaps and %v, want what was read: %d and %d", again, len(gaps), err, parts, len(missing))
		}
		for i, g := range gaps {
			if g.Span != missing[i].Span || i > 0 && g.From <= gaps[i-1].To || g.To < g.From {
				t.Errorf("gap %d is %v, was %v", i, g.Span, missing[i].Span)
			}
		}
	})
}
