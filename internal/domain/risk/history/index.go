package history

import (
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
	x.fold(&e.Payment, e.Outcome, func(en *entity, folded *event) {
		if en.folds.advance(folded.at) {
			en.folds.forget(en.group.series)
		}
		en.folds.entry(en.group.series, folded)
	})
}

// FoldLabel adds one label, like Profile.FoldLabel.
func (x *Index) FoldLabel(l *Label) {
	if !l.Fraud {
		return
	}
	x.fold(&l.Payment, l.Outcome, func(en *entity, folded *event) {
		en.folds.label(en.group.series, folded, l.Undo)
	})
}

func (x *Index) fold(payment *Payment, outcome Outcome, into func(*entity, *event)) {
	at, ok := instant(payment.OccurredAt)
	if !ok || payment.AmountMinor < 0 || !outcome.Valid() {
		return
	}
	folded := event{subject: subject{payment: payment, at: at}, outcome: outcome}
	for _, g := range x.set.groups {
		key, known := entityKey(g.entity, &folded.subject)
		if !known || !g.wants(&folded) {
			continue
		}
		into(x.touch(g, entityID(g.id, key)), &folded)
	}
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
	if en == nil {
		if len(x.entities) >= x.limit {
			gone := x.oldest
			x.unlink(gone)
			delete(x.entities, gone.id)
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
