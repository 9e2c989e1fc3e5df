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
