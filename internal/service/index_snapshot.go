package service

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/standard/id"
)

const (
	// snapshotEvery is how often the indexes are written down, and snapshotAfter how many payments there must be since the last time: fewer
	// are read from the log as fast.
	snapshotEvery = 10 * time.Minute
	snapshotAfter = 20_000
	// snapshotPart bounds one part, and so the time for which the writer is held, in bytes.
	snapshotPart = 1 << 20
)

// snapshotWriter is a snapshot of all tenants' indexes that is being written, a part at a time.
type snapshotWriter struct {
	name  string
	parts []store.SnapshotPart // those of one tenant behind each other, part 0 last
}

// snapshotIndexes begins or goes on with a snapshot, when it is time. Nothing is folded meanwhile: encoding takes a few microseconds for
// each entity, and the parts are written between looks at the log. It reports whether there is more to write.
func (s *Service) snapshotIndexes(ctx context.Context) (more bool, err error) {
	f := &s.follower
	if f.saving == nil {
		wall := s.Clock.Wall()
		due := wall.Sub(f.saved) >= snapshotEvery || wall.Before(f.saved)
		if !due || !f.caughtUp || f.payments.high-f.savedHigh < snapshotAfter {
			return false, nil
		}
		f.saved = wall
		return s.beginSnapshot(), nil
	}
	next := f.saving.parts[0]
	err = s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		next.CreatedAt = tx.Now()
		if err := tx.InsertSnapshotPart(next); err != nil || next.Part != 0 {
			return err
		}
		// Another node may still be writing its own.
		return tx.DropSnapshots(next.TenantID, next.Follower, tx.Now().Add(-snapshotEvery))
	})
	if err != nil {
		f.saving = nil // whether the part is there is not known; the next snapshot begins anew
		return false, err
	}
	if f.saving.parts = f.saving.parts[1:]; len(f.saving.parts) == 0 {
		f.saving, f.savedHigh = nil, next.Payments
	}
	return f.saving != nil, nil
}

// snapshotGaps bounds the gaps in the log that a snapshot tells of.
const snapshotGaps = 10_000

// beginSnapshot encodes the indexes as they are. While an index is being filled, or a finding is missing, there is no such state; payments that are
// missing are told of, so that who starts from the snapshot looks for them.
func (s *Service) beginSnapshot() bool {
	f := &s.follower
	if len(f.payments.missing) > snapshotGaps || len(f.findings.missing) > 0 {
		return false
	}
	for _, t := range f.indexes {
		if t.next != nil {
			return false
		}
	}
	f.saving = &snapshotWriter{name: id.New(id.Event, s.Clock.Wall())}
	for tenantID, t := range f.indexes {
		f.saving.add(tenantID, t.index, &f.payments, f.findings.high)
	}
	if len(f.saving.parts) == 0 {
		f.saving = nil
	}
	return f.saving != nil
}

// add encodes one index: for each entity its identity, the length of its state, and the state.
func (w *snapshotWriter) add(tenantID string, index *history.Index, payments *logCursor, findings int64) {
	part := store.SnapshotPart{TenantID: tenantID, Follower: w.name, Part: 1, Payments: payments.high, Findings: findings}
	index.Each(func(entity uint64, encoded []byte) bool {
		part.Body = appendEntity(part.Body, entity, encoded)
		if len(part.Body) >= snapshotPart {
			w.parts = append(w.parts, part)
			part.Part, part.Body = part.Part+1, nil
		}
		return true
	})
	count := part.Part - 1
	if len(part.Body) > 0 {
		w.parts, count = append(w.parts, part), part.Part
	}
	part.Part, part.Body = 0, snapshotHead(count, payments.missing)
	w.parts = append(w.parts, part)
}

// snapshotHead says how many parts there are, and which payments are missing: "12 400-401 977-977".
func snapshotHead(parts int64, missing []gap) []byte {
	head := strconv.AppendInt(nil, parts, 10)
	for _, g := range missing {
		head = fmt.Appendf(head, " %d-%d", g.From, g.To)
	}
	return head
}

// readSnapshotHead is the reverse.
func readSnapshotHead(head []byte) (parts int64, missing []gap, err error) {
	words := strings.Fields(string(head))
	if len(words) == 0 {
		return 0, nil, errSnapshot
	}
	if parts, err = strconv.ParseInt(words[0], 10, 64); err != nil {
		return 0, nil, errSnapshot
	}
	var last int64
	for _, word := range words[1:] {
		from, to, found := strings.Cut(word, "-")
		var g gap
		if g.From, err = strconv.ParseInt(from, 10, 64); err == nil {
			g.To, err = strconv.ParseInt(to, 10, 64)
		}
		if !found || err != nil || g.From <= last || g.To < g.From {
			return 0, nil, errSnapshot
		}
		g.xmax, last = unseen.Xmax, g.To
		missing = append(missing, g)
	}
	return parts, missing, nil
}

func appendEntity(body []byte, entity uint64, encoded []byte) []byte {
	body = binary.LittleEndian.AppendUint64(body, entity)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(encoded)))
	return append(body, encoded...)
}

// errSnapshot says that a snapshot cannot be used; the log has everything.
var errSnapshot = errors.New("the snapshot is damaged")

// loadSnapshots puts the latest snapshot into the indexes when a node starts. All tenants are taken from one snapshot, because the node
// follows one log; a tenant that is not in it, or whose policies want more, is filled from the log.
func (s *Service) loadSnapshots(tx *store.Tx, tenants []string) error {
	f := &s.follower
	name := ""
	var payments, findings int64
	var missing []gap
	loaded := map[string]*history.Index{}
	for _, tenantID := range tenants {
		head, found, err := tx.LatestSnapshot(tenantID)
		if err != nil {
			return err
		}
		if !found || (name != "" && head.Follower != name) {
			continue
		}
		live, err := s.livePolicy(tx, tenantID)
		if errors.Is(err, errStoredPolicy) {
			continue
		}
		if err != nil {
			return err
		}
		parts, gaps, err := readSnapshotHead(head.Body)
		if err != nil {
			continue
		}
		index, err := s.loadIndex(tx, head, parts, live)
		if errors.Is(err, history.ErrOtherSeries) || errors.Is(err, errSnapshot) || errors.Is(err, history.ErrEncoding) {
			continue
		}
		if err != nil {
			return err
		}
		name, payments, findings, missing = head.Follower, head.Payments, head.Findings, gaps
		loaded[tenantID] = index
		f.setIndex(tenantID, index, live)
	}
	if len(loaded) > 0 {
		f.payments.high, f.findings.high, f.savedHigh = payments, findings, payments
		f.payments.missing = missing
		for i := range missing {
			missing[i].since = s.Clock.Wall()
		}
	}
	return nil
}

func (f *follower) setIndex(tenantID string, index *history.Index, live *livePolicy) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.indexes == nil {
		f.indexes = map[string]*tenantIndex{}
	}
	f.indexes[tenantID] = &tenantIndex{index: index, live: live}
}

// loadIndex reads the parts of one tenant's snapshot.
func (s *Service) loadIndex(tx *store.Tx, head store.SnapshotPart, parts int64, live *livePolicy) (*history.Index, error) {
	index := history.NewIndex(live.Series, maxEntities)
	for number := int64(1); number <= parts; number++ {
		part, err := tx.SnapshotPart(head.TenantID, head.Follower, number)
		if err != nil {
			return nil, errSnapshot
		}
		if err := eachEntity(part.Body, index.Put); err != nil {
			return nil, err
		}
	}
	return index, nil
}

// entityHead is the length of what stands before an entity's state: its identity and the length of the state.
const entityHead = 12

// eachEntity gives each entity of a part to put, and ends with the first error of it, or with errSnapshot.
func eachEntity(body []byte, put func(entity uint64, encoded []byte) error) error {
	for len(body) > 0 {
		if len(body) < entityHead {
			return errSnapshot
		}
		entity, size := binary.LittleEndian.Uint64(body), uint64(binary.LittleEndian.Uint32(body[8:]))
		if body = body[entityHead:]; size > uint64(len(body)) {
			return errSnapshot
		}
		if err := put(entity, body[:size]); err != nil {
			return err
		}
		body = body[size:]
	}
	return nil
}
