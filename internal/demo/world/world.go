// Package world plays the past of the demo's customers: weeks of ordinary payments, some that were rejected, and a verification in
// every state that can be reached. Everything goes through the public API of the running server, as a tenant's platform would do it.
//
// A chapter that was interrupted can be played again. Each step looks at what is there before it acts, and what a look cannot tell is
// protected by an idempotency key, so nothing is done twice.
package world

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/demo/platform"
	"github.com/probity/probity/internal/samples"
)

// Chapter is a part of the past. The zero value is invalid.
type Chapter int

// The chapters, in order. The caller moves the clock between them.
const (
	Past   Chapter = 1 + iota // days ago: the customers come, pay, and some are rejected
	Recent                    // a submission whose review is due soon
	Today                     // what has just happened
)

// Config says where the world is played. Every field is required.
type Config struct {
	Client   *client.Client
	Platform *platform.Store  // learns the customers
	Now      func() time.Time // business time
}

// World is the cast with their papers. Make one with New.
type World struct {
	Config
	members []member
	papers  map[string]func() (samples.Set, error) // by external id; drawn once
}

// atOnce is how many customers act at the same time.
const atOnce = 6

// New reads the cast and begins to draw the papers that it will send, which takes longer than anything else.
func New(c Config) (*World, error) {
	members, err := cast()
	if err != nil {
		return nil, err
	}
	w := &World{Config: c, members: members, papers: map[string]func() (samples.Set, error){}}
	for _, m := range members {
		if m.sendsPapers() {
			w.papers[m.ExternalID] = sync.OnceValues(func() (samples.Set, error) {
				return samples.Draw(m.papers(c.Now()))
			})
		}
	}
	return w, nil
}

// Play plays one chapter and returns when every mail and command that it caused has been answered.
func (w *World) Play(ctx context.Context, chapter Chapter) error {
	drawing, stopDrawing := context.WithCancel(ctx)
	defer stopDrawing()
	if chapter == Past {
		go w.drawAhead(drawing)
	}
	group, together := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, m := range w.members {
		group.Go(func() error {
			if err := w.playMember(together, m, chapter); err != nil {
				return fmt.Errorf("customer %s: %w", m.ExternalID, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if chapter == Today {
		if err := w.riskTeam(ctx); err != nil {
			return fmt.Errorf("risk team: %w", err)
		}
	}
	return w.settle(ctx, "")
}

// drawAhead draws while the payments of the past wait for the disk.
func (w *World) drawAhead(ctx context.Context) {
	for _, draw := range w.papers {
		if ctx.Err() != nil {
			return
		}
		// A drawing that fails, fails again where it is needed, and is told there.
		_, _ = draw()
	}
}

func (w *World) playMember(ctx context.Context, m member, chapter Chapter) error {
	a, err := w.account(ctx, m)
	if err != nil {
		return err
	}
	if chapter == Past {
		if err := w.ordinaryWeeks(ctx, m, a); err != nil {
			return err
		}
	}
	if chapter == Today && m.Plot == plotSuspended {
		return w.awaitSuspension(ctx, a)
	}
	if when, _ := chapterOf(m.Plot); when != chapter {
		return nil
	}
	return w.playPlot(ctx, m, a)
}

// account finds or makes the account, its payment methods, and the customer of the platform.
func (w *World) account(ctx context.Context, m member) (known, error) {
	k := known{}
	found, err := w.Client.ListAccounts(ctx, client.AccountFilter{ExternalID: m.ExternalID})
	if err != nil {
		return k, err
	}
	if len(found.Items) > 0 {
		k.Account = found.Items[0]
	} else if k.Account, err = w.Client.CreateAccount(ctx, m.newAccount(), client.Once("world:account:"+m.ExternalID)); err != nil {
		return k, err
	}
	methods, err := w.Client.PaymentMethods(ctx, k.ID)
	if err != nil {
		return k, err
	}
	k.methods = methods
	for i := len(k.methods); i < len(m.Methods); i++ {
		added, err := w.Client.AddPaymentMethod(ctx, k.ID, m.newMethod(i), client.Once("world:method:"+m.ExternalID+":"+strconv.Itoa(i)))
		if err != nil {
			return k, err
		}
		k.methods = append(k.methods, added)
	}
	return k, w.Platform.Add(m.customer(k.ID))
}

// known is a member's account with its payment methods, the default one first.
type known struct {
	client.Account
	methods []client.PaymentMethod
}
