package service

import "testing"

// SnapshotNow has the next looks at the log write a snapshot, whatever the time.
func (s *Service) SnapshotNow(t testing.TB) {
	t.Helper()
	s.follower.running.Lock()
	defer s.follower.running.Unlock()
	if !s.beginSnapshot() {
		t.Fatal("there is nothing to write down now")
	}
}
