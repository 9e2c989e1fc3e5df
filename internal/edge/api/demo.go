package api

import (
	"context"
	"net/http"
	"time"

	"github.com/probity/probity/internal/domain/access"
)

// DemoClock is the business time of a demo.
type DemoClock struct {
	Now           time.Time `json:"now" doc:"Business time." example:"2026-11-12T10:00:00Z"`
	OffsetSeconds int64     `json:"offset_seconds" doc:"How far it runs ahead of the machine's own clock." example:"259200"`
}

// ClockStep moves the demo clock.
type ClockStep struct {
	AdvanceSeconds int64 `json:"advance_seconds" minimum:"1" maximum:"34560000" doc:"How far to move forward, at most 400 days." example:"86400"`
}

// demoClock renders an instant of business time. A move takes effect when its transaction ends, so the offset is the instant's own.
func (e *edge) demoClock(now time.Time) DemoClock {
	return DemoClock{Now: now, OffsetSeconds: int64(now.Sub(e.Service.Clock.Wall()).Round(time.Second) / time.Second)}
}

func (e *edge) registerDemoClock() {
	register(e, operation{
		id: "advance-demo-clock", method: http.MethodPost, path: "/v1/demo/clock", tag: tagDemo, status: http.StatusOK,
		summary: "Move the clock forward", description: "In a demo only. Due dates and waiting follow it; signatures and sign-in sessions keep the machine's own time.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body ClockStep }) (DemoClock, error) {
		now, err := e.Service.AdvanceClock(ctx, actor, time.Duration(in.Body.AdvanceSeconds)*time.Second)
		return e.demoClock(now), err
	})
	register(e, operation{
		id: "get-demo-clock", method: http.MethodGet, path: "/v1/demo/clock", tag: tagDemo, status: http.StatusOK,
		summary: "Read the clock", description: "In a demo only.",
	}, func(_ context.Context, actor access.Actor, _ *struct{}) (DemoClock, error) {
		return e.demoClock(e.Service.Clock.Now()), actor.Require(access.ReadTenant)
	})
}
