package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/service"
)

// looks has a node look at what others wrote, once a second.
func (w *world) looks(node *service.Service, times int) {
	w.Helper()
	for range times {
		w.pass(time.Second)
		node.CatchUp(w.Context())
	}
}

func (w *world) stateOf(v publication.Version) publication.State {
	w.Helper()
	now, err := w.s.PolicyVersion(w.Context(), w.key, v.ID)
	w.must(err)
	return now.State
}

// TestAVersionGoesLiveWhenEveryNodeThatLivesHasItsAggregates is about several nodes, which PostgreSQL alone has.
func TestAVersionGoesLiveWhenEveryNodeThatLivesHasItsAggregates(t *testing.T) {
	on(t, func(w *world) {
		if w.store.Dialect() != "postgres" {
			return
		}
		nodes := w.nodes()
		for range 3 {
			w.pay(w.person().attempt(dollars(20)))
		}
		for _, node := range nodes {
			w.looks(node, 1)
		}
		v := w.publish(busyPolicy("1"))
		w.looks(nodes[0], 8)
		if got := w.stateOf(v); got != publication.Preparing {
			w.Fatalf("got %s although the second node has filled nothing", got)
		}
		if _, err := nodes[1].FollowOnce(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.looks(nodes[1], 1)
		if got := w.stateOf(v); got != publication.Live {
			w.Fatalf("got %s after the second node has filled its index too", got)
		}
		for i, node := range nodes {
			view, err := node.AuthorizePayment(w.Context(), w.key, w.person().attempt(dollars(20)))
			if w.must(err); view.Payment.Outcome != payment.Rejected {
				w.Errorf("node %d: got %s, want what happened before to count", i, view.Payment.Outcome)
			}
		}
	})
}

func TestANodeThatIsGoneIsForgotten(t *testing.T) {
	for _, how := range []string{"it ended", "it crashed"} {
		t.Run(how, func(t *testing.T) {
			on(t, func(w *world) {
				if w.store.Dialect() != "postgres" {
					return
				}
				nodes := w.nodes()
				w.looks(nodes[1], 1)
				w.looks(nodes[0], 2)
				if got := nodes[0].Peers(); len(got) != 1 {
					w.Fatalf("got %v", got)
				}
				v := w.publish(busyPolicy("1"))
				if how == "it ended" {
					nodes[1].Leave(w)
					w.looks(nodes[0], 1)
				} else {
					w.looks(nodes[0], 10)
					if got := w.stateOf(v); got != publication.Preparing {
						w.Errorf("got %s after ten looks", got)
					}
					w.looks(nodes[0], 10)
				}
				if got := w.stateOf(v); got != publication.Live {
					w.Errorf("got %s, waiting for a node that is gone", got)
				}
				w.looks(nodes[0], 1)
				if got := nodes[0].Peers(); len(got) != 0 {
					w.Errorf("got %v remembered", got)
				}
				// It was only paused: the others know it again.
				w.looks(nodes[1], 4)
				w.looks(nodes[0], 1)
				if got := nodes[0].Peers(); len(got) != 1 {
					w.Errorf("got %v", got)
				}
			})
		})
	}
}

func TestNodesThatFindAVersionCompleteAtOncePublishItOnce(t *testing.T) {
	on(t, func(w *world) {
		nodes := w.nodes()
		for _, node := range nodes {
			w.looks(node, 1)
		}
		for round := range 3 {
			v := w.publish(fraudPolicy(fmt.Sprint(round), 30+round))
			for range 3 {
				w.pass(time.Second)
				for _, err := range atOnce(2, func(i int) error { nodes[i].CatchUp(w.Context()); return nil }) {
					w.must(err)
				}
			}
			if got := w.stateOf(v); got != publication.Live {
				w.Errorf("got %s", got)
			}
		}
		if got := w.countEvents("policy.published"); got != 3 {
			w.Errorf("got %d publications, want 3", got)
		}
	})
}

func TestANodeIsReadyWhenItHasReadWhatDecisionsRead(t *testing.T) {
	on(t, func(w *world) {
		w.looks(w.s, 1)
		w.publish(busyPolicy("1"))
		w.looks(w.s, 2)
		p := w.person()
		for round := range 6 {
			var past []service.PastPayment
			for i := range 500 {
				past = append(past, p.past(fmt.Sprintf("old-%d-%d", round, i), 3+i%90))
			}
			_, err := w.s.ImportPayments(w.Context(), w.key, past)
			w.must(err)
		}
		w.s.Leave(w)
		w.rebuild()
		if w.s.CaughtUp() {
			w.Error("a node is ready that has looked at nothing")
		}
		if more, err := w.s.FollowOnce(w.Context()); err != nil || !more || w.s.CaughtUp() {
			w.Errorf("got more %v, ready %v, %v after a part of the log", more, w.s.CaughtUp(), err)
		}
		w.follow()
		if !w.s.CaughtUp() {
			w.Error("a node that has read everything is not ready")
		}
		// What is filled for a version to come decides nothing yet.
		w.publish(fraudPolicy("2", 30))
		w.pass(time.Second)
		if more, err := w.s.FollowOnce(w.Context()); err != nil || !more || !w.s.CaughtUp() {
			w.Errorf("got more %v, ready %v, %v while another version is prepared", more, w.s.CaughtUp(), err)
		}
	})
}
