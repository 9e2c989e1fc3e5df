package world

import (
	"context"
	"errors"
	"time"
)

// The errors of a play that went another way than the cast says.
var (
	errUnknownPlot = errors.New("the plot is not known")
	errNotRejected = errors.New("the surprising payment was approved; the policy and the cast do not fit")
)

// lookEvery is how often the world looks whether something that it waits for has happened.
const lookEvery = 20 * time.Millisecond

// until looks again and again until seen says yes, fails, or ctx ends.
func until(ctx context.Context, seen func() (bool, error)) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		done, err := seen()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// settle waits until every notice was taken or refused by the mail server and every command was answered by the platform. Only then
// may the clock be moved: work in hand would look abandoned.
func (w *World) settle(ctx context.Context) error {
	pending, cursor := map[string]bool{}, ""
	return until(ctx, func() (bool, error) {
		for {
			page, err := w.Client.ListEvents(ctx, cursor, 200)
			if err != nil {
				return false, err
			}
			for _, event := range page.Items {
				switch event.Type {
				case "notice.created":
					pending[event.Data["object_id"]] = true
				case "notice.accepted", "notice.bounced", "enforcement.acknowledged", "enforcement.superseded":
					delete(pending, event.Data["object_id"])
				case "enforcement.suspended", "enforcement.resumed":
					pending[event.Data["command_id"]] = true
				}
			}
			cursor = page.NextCursor
			if len(page.Items) == 0 {
				return len(pending) == 0, nil
			}
		}
	})
}

// awaitSuspension waits until the deadline that passed between the chapters has been noticed.
func (w *World) awaitSuspension(ctx context.Context, a known) error {
	return until(ctx, func() (bool, error) {
		now, err := w.Client.Account(ctx, a.ID)
		return now.Enforcement.State == "suspended", err
	})
}
