package service

import (
	"context"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// settingClockOffset is where the demo clock's offset persists, in microseconds.
const settingClockOffset = "demo_clock_offset"

// maxAdvance bounds one move of the demo clock.
const maxAdvance = 400 * 24 * time.Hour

// RestoreClock sets the demo clock to where it was left. Outside a demo it does nothing.
func (s *Service) RestoreClock(ctx context.Context) error {
	if !s.Demo {
		return nil
	}
	return s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		offset, err := savedOffset(tx)
		if err != nil {
			return err
		}
		return s.Clock.SetOffset(offset)
	})
}

// savedOffset returns where the demo clock was left, zero when it was never moved.
func savedOffset(tx *store.Tx) (time.Duration, error) {
	value, found, err := tx.Setting(settingClockOffset)
	if err != nil || !found {
		return 0, err
	}
	return parseOffset(value)
}

// parseOffset reads a saved offset, a number of microseconds.
func parseOffset(value string) (time.Duration, error) {
	micros, err := strconv.ParseInt(value, 10, 64)
	return time.Duration(micros) * time.Microsecond, err
}

// AdvanceClock moves business time forward, in a demo only. Signatures and sign-in sessions keep wall time.
func (s *Service) AdvanceClock(ctx context.Context, actor access.Actor, by time.Duration) (time.Time, error) {
	if err := actor.Require(access.ReadTenant); err != nil {
		return time.Time{}, err
	}
	if !s.Demo {
		return time.Time{}, problem.New(problem.NotFound, "not_found", "only a demo has a clock that can be moved")
	}
	if by <= 0 || by > maxAdvance {
		return time.Time{}, problem.Field("advance_seconds", "out_of_range", "advance_seconds must be positive and at most 400 days")
	}
	var moved time.Time
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		// The clock itself follows only after the commit, so of two moves at the same time the second has to see what the first saved.
		saved, err := tx.HoldSetting(settingClockOffset, "0")
		if err != nil {
			return err
		}
		offset, err := parseOffset(saved)
		if err != nil {
			return err
		}
		offset = max(offset, s.Clock.Offset()) + by
		if offset > clock.MaxOffset {
			// Stored, it would keep the demo from starting again.
			return problem.Field("advance_seconds", "clock_out_of_range", "the clock runs at most ten years ahead; start with a fresh data directory to begin again")
		}
		moved = s.Clock.Wall().Add(offset)
		if err := tx.SaveSetting(settingClockOffset, strconv.FormatInt(offset.Microseconds(), 10)); err != nil {
			return err
		}
		if err := tx.Append(actor, journal.Of(journal.ClockAdvanced, actor.TenantID, "", "seconds", strconv.FormatInt(int64(by.Seconds()), 10))); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			if _, err := s.Clock.Advance(by); err != nil {
				s.Log.Error("the demo clock could not be moved", "category", errorCategory(err))
			}
		})
		tx.AfterCommit(s.Wake)
		return nil
	})
	return moved, err
}

// settingKeyCheck is where a text lies that only the installation's own key file opens.
const settingKeyCheck = "key_check"

// CheckKeys refuses to go on with another key file than the one that everything stored was sealed with: with a new one, in the place of
// one that was lost or that another node has, attachments and secrets would become unreadable one by one. The first start leaves a mark
// to tell by.
func (s *Service) CheckKeys(ctx context.Context) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		marked, err := checkMark(tx, s.Keys)
		if err != nil || marked {
			return err
		}
		mark, err := s.Keys.SealText("", keyCheckPurpose, keyCheckText)
		if err != nil {
			return err
		}
		return tx.SaveSetting(settingKeyCheck, mark)
	})
}

// LookAtKeys is CheckKeys for who only looks: it leaves no mark.
func LookAtKeys(ctx context.Context, records *store.Store, keys Keys) error {
	return records.Read(ctx, func(_ context.Context, tx *store.Tx) error {
		_, err := checkMark(tx, keys)
		return err
	})
}

// What the mark says.
const keyCheckPurpose, keyCheckText = "key check", "probity"

// checkMark reports whether there is a mark, and refuses keys that do not open it.
func checkMark(tx *store.Tx, keys Keys) (marked bool, err error) {
	mark, found, err := tx.Setting(settingKeyCheck)
	if err != nil || !found {
		return false, err
	}
	if opened, err := keys.OpenText("", keyCheckPurpose, mark); err != nil || opened != keyCheckText {
		return true, problem.New(problem.Unavailable, "key_file_wrong",
			"the key file (master.key) is not the one that this database's attachments and secrets are sealed with; put that one back, from a backup or from another node")
	}
	return true, nil
}

// Prune removes what is no longer needed: expired idempotency records, sessions, links and sign-in challenges.
func (s *Service) Prune(ctx context.Context) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.PruneIdempotency(s.Clock.Wall()); err != nil {
			return err
		}
		return tx.PruneAccess(s.Clock.Wall())
	})
}
