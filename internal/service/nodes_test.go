package service

import (
	"slices"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
)

func TestANodeIsGoneWhenItsBeatStandsStillForManyLooks(t *testing.T) {
	p, wall := peers{self: "me"}, time.Unix(1_000_000, 0)
	other := store.Node{ID: "other", Beat: 7}
	look := func(step time.Duration) int {
		wall = wall.Add(step)
		return len(p.look([]store.Node{{ID: "me", Beat: 1}, other}, wall))
	}
	if p.look(nil, wall); p.allHave([]store.Node{other}, "v") {
		t.Error("a node that was not there at the last look is passed over")
	}
	for i := range goneAfter {
		if got := look(lookAtPolicies); got != 0 {
			t.Fatalf("got it gone after %d looks", i)
		}
	}
	// Neither more looks in the same second nor a clock that is set forward let time pass for the others.
	other.Beat++
	look(lookAtPolicies)
	for range 10 * goneAfter {
		look(0)
	}
	look(365 * 24 * time.Hour)
	look(-48 * time.Hour)
	if got := look(time.Millisecond); got != 0 || p.allHave([]store.Node{other}, "v") {
		t.Error("got it gone by the clock alone")
	}
	for range goneAfter {
		look(lookAtPolicies)
	}
	if got := look(lookAtPolicies); got != 1 || !p.allHave([]store.Node{other}, "v") {
		t.Error("a node that is gone is waited for")
	}
	other.Beat++
	if got := look(lookAtPolicies); got != 0 || p.allHave([]store.Node{other}, "v") {
		t.Error("a node that came back is passed over")
	}
	if other.Complete = []string{"u", "v"}; !p.allHave([]store.Node{other, {ID: "me"}}, "v") {
		t.Error("a node that has everything is waited for")
	}
}

// Peers returns the other nodes that this one waits for.
func (s *Service) Peers() (ids []string) {
	s.follower.running.Lock()
	defer s.follower.running.Unlock()
	for id := range s.follower.peers.seen {
		if id != s.follower.peers.self {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Leave ends what Follow ends with.
func (s *Service) Leave(t testing.TB) { s.leave(t.Context()) }
