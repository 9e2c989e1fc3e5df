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

// settleWithin is longer than any job runs.
const settleWithin = time.Minute

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

// settle waits until every notice was taken or refused by the mail server and every command was answered by the platform: those of one
// account, or all. Only then may the clock be moved: work in hand would look abandoned. What is not answered within settleWithin never
// will be (a visitor's answer may have overtaken its mail), and nothing is in hand any more.
func (w *World) settle(ctx context.Context, accountID string) error {
	bounded, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	pending, cursor := map[string]bool{}, ""
	err := until(bounded, func() (bool, error) {
		for {
			page, err := w.Client.ListEvents(bounded, cursor, 200)
			if err != nil {
				return false, err
			}
			for _, event := range page.Items {
				if accountID != "" && event.Data["account_id"] != accountID {
					continue
				}
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
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// awaitSuspension waits until the deadline that passed between the chapters has been noticed.
func (w *World) awaitSuspension(ctx context.Context, a known) error {
	return until(ctx, func() (bool, error) {
		now, err := w.Client.Account(ctx, a.ID)
		return now.Enforcement.State == "suspended", err
	})
}
