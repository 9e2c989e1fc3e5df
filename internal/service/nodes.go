package service

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/standard/id"
)

const (
	// beatEvery is how often a node says that it lives, and goneAfter how many looks, lookAtPolicies apart, another one waits for that. Looks
	// are counted and not seconds: clocks of nodes differ, are set, and stand still with a node that is paused.
	beatEvery = 3 * time.Second
	goneAfter = 15
)

// peers is what a node knows of the others on its database. Only PostgreSQL has others.
type peers struct {
	self  string // made with the first beat; a process that starts again is another node
	beat  time.Time
	told  []string // versions that the others were told are complete here
	seen  map[string]*peer
	count time.Time // the last look that was counted, in wall time
	waits map[string]bool
}

// peer is another node as it was seen last.
type peer struct {
	beat      int64
	unchanged int // looks since the beat was another
}

// gone reports whether a node has ended, as far as can be seen from here.
func (p *peers) gone(n store.Node) bool {
	known := p.seen[n.ID]
	return known != nil && known.beat == n.Beat && known.unchanged >= goneAfter
}

// allHave reports whether every other node that lives is complete for a version.
func (p *peers) allHave(nodes []store.Node, versionID string) bool {
	return !slices.ContainsFunc(nodes, func(n store.Node) bool {
		return n.ID != p.self && !p.gone(n) && !slices.Contains(n.Complete, versionID)
	})
}

// look notes the others' beats, and returns those that are gone.
func (p *peers) look(nodes []store.Node, wall time.Time) (gone []store.Node) {
	passed := wall.Sub(p.count)
	counted := passed >= lookAtPolicies || passed < 0
	if counted {
		p.count = wall
	}
	seen := make(map[string]*peer, len(nodes))
	for _, n := range nodes {
		known := p.seen[n.ID]
		if known == nil || known.beat != n.Beat {
			known = &peer{beat: n.Beat}
		} else if counted {
			known.unchanged++
		}
		if seen[n.ID] = known; n.ID != p.self && known.unchanged >= goneAfter {
			gone = append(gone, n)
		}
	}
	p.seen = seen
	return gone
}

// beatNow says that this node lives and for which versions it is complete, when that is due, and forgets nodes that are gone.
func (s *Service) beatNow(ctx context.Context, complete []string, gone []store.Node) error {
	p, wall := &s.follower.peers, s.Clock.Wall()
	passed := wall.Sub(p.beat)
	if p.self != "" && passed >= 0 && passed < beatEvery && slices.Equal(p.told, complete) && len(gone) == 0 {
		return nil
	}
	if p.self == "" {
		p.self = id.New(id.Node, wall)
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		for _, n := range gone {
			if err := tx.ForgetNode(n.ID, n.Beat); err != nil {
				return err
			}
		}
		return tx.BeatNode(store.Node{ID: p.self, SeenAt: wall, Complete: complete})
	})
	if err == nil {
		p.beat, p.told = wall, complete
	}
	return err
}

// leave has the others not wait for this node any more.
func (s *Service) leave(ctx context.Context) {
	f := &s.follower
	f.running.Lock()
	defer f.running.Unlock()
	if f.peers.self == "" {
		return
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatEvery)
	defer cancel()
	err := s.write(bounded, func(_ context.Context, tx *store.Tx) error { return tx.ForgetNode(f.peers.self, math.MaxInt64) })
	if err != nil {
		s.Log.Warn("the other nodes could not be told that this one ends; they find out", "category", errorCategory(err))
		return
	}
	f.peers = peers{}
}

// publishPrepared lets versions go on for which this node and every other that lives have everything that they read.
func (s *Service) publishPrepared(ctx context.Context) error {
	f := &s.follower
	if !f.compare {
		return nil
	}
	var ready []publication.Version
	var nodes []store.Node
	shared := s.Store.Dialect() == "postgres"
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		ready, nodes = nil, nil
		preparing, err := tx.AllPoliciesIn(publication.Preparing)
		if err != nil {
			return err
		}
		for _, v := range preparing {
			if s.completeHere(v) {
				ready = append(ready, v)
			}
		}
		if shared {
			nodes, err = tx.Nodes()
		}
		return err
	})
	if err != nil {
		return err
	}
	if shared {
		var complete []string
		for _, v := range ready {
			complete = append(complete, v.ID)
		}
		if err := s.beatNow(ctx, complete, f.peers.look(nodes, s.Clock.Wall())); err != nil {
			return err
		}
	}
	for _, v := range ready {
		if !v.PreparedAt.IsZero() || (shared && s.waitsFor(nodes, v)) {
			continue
		}
		if err := s.finishPreparing(ctx, v, shared); err != nil {
			return err
		}
	}
	f.compare = false
	return nil
}

// completeHere reports whether this node has everything that a version reads.
func (s *Service) completeHere(v publication.Version) bool {
	policy, err := s.compiledPolicy(v.Text)
	if err != nil {
		return false // it was stored by another version of the program; it can be withdrawn
	}
	f := &s.follower
	f.mu.RLock()
	defer f.mu.RUnlock()
	t := f.indexes[v.TenantID]
	return f.caughtUp && t != nil && t.next == nil && s.policies.holdsLists(t.live, policy) && covers(t.index.Set(), &livePolicy{needs: policy.Definitions()})
}

// waitsFor reports whether another node lacks something of a version that is complete here, and says so once.
func (s *Service) waitsFor(nodes []store.Node, v publication.Version) bool {
	p := &s.follower.peers
	if p.allHave(nodes, v.ID) {
		return false
	}
	if !p.waits[v.ID] {
		if p.waits == nil {
			p.waits = map[string]bool{}
		}
		p.waits[v.ID] = true
		s.Log.Info("a policy version is complete on this node and waits for others", "tenant_id", v.TenantID, "number", v.Number)
	}
	return true
}

// finishPreparing publishes a version, or plans to, unless a node came meanwhile that lacks something. Of several nodes that find it complete
// at the same time one does so: they hold the tenant's settings one after the other.
func (s *Service) finishPreparing(ctx context.Context, v publication.Version, shared bool) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.HoldRiskSettings(v.TenantID)
		if err != nil {
			return err
		}
		if shared {
			nodes, err := tx.Nodes()
			if err != nil || !s.follower.peers.allHave(nodes, v.ID) {
				return err
			}
		}
		current, err := tx.PolicyVersion(v.TenantID, v.ID)
		if err != nil {
			return err
		}
		next, changed := current.Progress(max(current.Done, current.Total), current.Total, true, tx.Now())
		if !changed {
			return nil // another node was faster, or it was withdrawn
		}
		if err := tx.NotePolicyProgress(next); err != nil {
			return err
		}
		_, err = s.publishWhenReady(tx, access.SystemActor(v.TenantID, "policies"), settings, next)
		return err
	})
}

// noteReady notes that this node has what decisions read, once it has.
func (f *follower) noteReady() {
	if f.ready.Load() || !f.started || !f.caughtUp {
		return
	}
	for _, t := range f.indexes {
		if t.next != nil {
			return
		}
	}
	f.ready.Store(true)
}

// CaughtUp reports whether this node has had everything that decisions read, for every tenant: policies and lists in memory, and the
// aggregates of merchants, devices and others with all of their past. Once it has, it stays so: what comes later, for a new version of a
// policy or a new tenant, decides only when it is complete.
func (s *Service) CaughtUp() bool { return s.follower.ready.Load() }
