package history

import (
	"errors"
	"math/bits"
	"time"
)

// Index is the fold of the decision log over the entities that are not an account: merchants, devices, addresses, pairs of fields. It is held in
// memory, up to a number of entities; beyond it, the entity that was folded the longest ago is forgotten.
//
// It is not safe for concurrent use while it is folded. Reading changes nothing, so any number may read at once: guard it with a
// sync.RWMutex, fold under Lock in chunks of a few hundred entries (about a microsecond each) and read under RLock.
type Index struct {
	set      *SeriesSet
	limit    int
	entities map[uint64]*entity
	oldest   *entity // of a ring in order of folding; nil when empty
}

// entity is one entity of the index.
type entity struct {
	id    uint64
	group *group
	folds folds
	newer *entity
	older *entity
}

// ErrOtherSeries says that an entity was folded with other series than the index needs.
var ErrOtherSeries = errors.New("history: the entity was folded with other series; fold the log again")

// NewIndex returns an empty index for the set's series of other entities than accounts, of at most limit entities (at least 1).
func NewIndex(set *SeriesSet, limit int) *Index {
	return &Index{set: set, limit: max(limit, 1), entities: make(map[uint64]*entity)}
}

// Set returns the set that the index was made for.
func (x *Index) Set() *SeriesSet { return x.set }

// Len returns how many entities the index holds.
func (x *Index) Len() int { return len(x.entities) }

// Fold adds one entry, like Profile.Fold.
func (x *Index) Fold(e *Entry) {
	at, ok := instant(e.Payment.OccurredAt)
	if !ok || e.Payment.AmountMinor < 0 || !e.Outcome.Valid() {
		return
	}
	folded := event{subject: subject{payment: &e.Payment, at: at}, outcome: e.Outcome}
	for _, g := range x.set.groups {
		if en := x.entity(g, &folded); en != nil {
			if en.folds.advance(at) {
				en.folds.forget(g.series)
			}
			en.folds.entry(g.series, &folded)
		}
	}
}

// FoldLabel adds one label, like Profile.FoldLabel.
func (x *Index) FoldLabel(l *Label) {
	folded, ok := l.event()
	if !ok {
		return
	}
	for _, g := range x.set.groups {
		if en := x.entity(g, &folded); en != nil {
			en.folds.label(g.series, &folded, l.Undo)
		}
	}
}

// entity returns the entity of the group that the event is about, as the newest; nil when there is none or no series is about the event.
func (x *Index) entity(g *group, e *event) *entity {
	key, known := entityKey(g.entity, &e.subject)
	if !known || !g.wants(e) {
		return nil
	}
	return x.touch(g, entityID(g.id, key))
}

// wants reports whether any series of the group is about the event.
func (g *group) wants(e *event) bool {
	for _, s := range g.series {
		if s.wants(e.outcome, &e.subject) {
			return true
		}
	}
	return false
}

// touch returns the entity as the newest of the ring, made when it is missing.
func (x *Index) touch(g *group, id uint64) *entity {
	en := x.entities[id]
	if en != nil && en.group != g {
		x.remove(en) // put under another's identity
		en = nil
	}
	if en == nil {
		if len(x.entities) >= x.limit {
			x.remove(x.oldest)
		}
		en = &entity{id: id, group: g}
		en.folds.adopt(g.series)
		x.entities[id] = en
	} else {
		x.unlink(en)
	}
	x.link(en)
	return en
}

// link makes the entity the newest of the ring.
func (x *Index) link(en *entity) {
	if x.oldest == nil {
		en.newer, en.older = en, en
		x.oldest = en
		return
	}
	newest := x.oldest.older
	en.older, en.newer = newest, x.oldest
	newest.newer, x.oldest.older = en, en
}

func (x *Index) unlink(en *entity) {
	if en.newer == en {
		x.oldest = nil
		return
	}
	en.newer.older, en.older.newer = en.older, en.newer
	if x.oldest == en {
		x.oldest = en.newer
	}
}

// entityKey hashes the payment's values of the fields, and reports false when one is not known.
func entityKey(fields [2]field, s *subject) (uint64, bool) {
	first, known := s.hash(fields[0])
	if !known || fields[1] == 0 {
		return first, known
	}
	second, known := s.hash(fields[1])
	return mix(first, second), known
}

func entityID(group, key uint64) uint64 { return mix(group, key) }

// mix hashes two hashes into one.
func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xc2b2ae3d27d4eb4f)
	return high ^ low ^ bits.RotateLeft64(b, 32)
}

// Newest returns the newest instant folded into any entity that is still held.
func (x *Index) Newest() (time.Time, bool) {
	var newest int64
	for _, en := range x.entities {
		newest = max(newest, en.folds.newest)
	}
	return time.UnixMicro(newest).UTC(), newest > 0
}

// Each calls visit with every entity, the one that was folded the longest ago first, until it returns false. The identity is stable for ever;
// encoded is only valid during the call. Put in the same order gives the same index again.
func (x *Index) Each(visit func(id uint64, encoded []byte) bool) {
	if x.oldest == nil {
		return
	}
	var encoded []byte
	for en := x.oldest; ; en = en.newer {
		encoded = en.append(encoded[:0])
		if !visit(en.id, encoded) || en.newer == x.oldest {
			return
		}
	}
}

// Put adds an entity that Each gave, as the newest, in place of what the index has of it. The error is ErrEncoding for garbage, and
// ErrOtherSeries when the entity was folded without one of the set's series: then the whole log must be folded again. One that the set has no
// series for is left out.
func (x *Index) Put(id uint64, encoded []byte) error {
	en := &entity{id: id}
	group, err := en.decode(encoded)
	if err != nil {
		return err
	}
	for _, g := range x.set.groups {
		if g.id == group {
			en.group = g
		}
	}
	if en.group == nil {
		return nil
	}
	if en.folds.lacks(en.group.series) {
		return ErrOtherSeries
	}
	en.folds.adopt(en.group.series)
	if old := x.entities[id]; old != nil {
		x.remove(old)
	} else if len(x.entities) >= x.limit {
		x.remove(x.oldest)
	}
	x.entities[id] = en
	x.link(en)
	return nil
}

func (x *Index) remove(en *entity) {
	x.unlink(en)
	delete(x.entities, en.id)
}
