package api

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// readyWithin is how long the database may take to answer a probe.
const readyWithin = 2 * time.Second

// readyFor is how long an answer is given again. Anybody may ask, and asking takes the connection that writes.
const readyFor = time.Second

// readiness is the latest answer to a probe.
type readiness struct {
	mutex sync.Mutex
	at    time.Time // wall time; zero before the first
	found Health
}

// latest returns an answer that is not older than readyFor. Probes that come together share one look.
func (r *readiness) latest(now func() time.Time, look func() Health) Health {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	// Of a clock that was set back, nothing is known.
	if age := now().Sub(r.at); r.at.IsZero() || age < 0 || age >= readyFor {
		r.found = look()
		r.at = now()
	}
	return r.found
}

// Health is the answer of a probe.
type Health struct {
	Status string  `json:"status"` // "ok" or "unavailable"
	Checks []Check `json:"checks,omitempty"`
}

// Check is one thing that must be well for requests to be answered.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // "ok" or "failed"
	Detail string `json:"detail"`
}

func (e *edge) registerHealth() {
	// That this answers is all it says: a probe restarts what does not.
	e.mount("GET /healthz", route{public: true}, func(w http.ResponseWriter, _ *http.Request) {
		writeHealth(w, Health{Status: "ok"})
	})
	var known readiness
	e.mount("GET /readyz", route{public: true}, func(w http.ResponseWriter, r *http.Request) {
		writeHealth(w, known.latest(e.Service.Clock.Wall, func() Health {
			// Others wait for this answer too, so it does not end with the one who asked first.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), readyWithin)
			defer cancel()
			return e.ready(ctx)
		}))
	})
}

// ready says why, in words for an operator; what a driver says stays inside, since it may name a host or a person.
func (e *edge) ready(ctx context.Context) Health {
	database := Check{Name: "database", Status: "ok", Detail: "answers"}
	schema := Check{Name: "schema", Status: "ok", Detail: "is the one that this version needs"}
	if err := e.Service.Store.Ping(ctx); err != nil {
		database.Status, database.Detail = "failed", "the database does not answer; see whether it runs and can be reached"
		schema.Status, schema.Detail = "failed", "not looked at: the database does not answer"
	} else if current, latest, err := e.Service.Store.SchemaVersion(ctx); err != nil {
		schema.Status, schema.Detail = "failed", "the version of the schema could not be read"
	} else if current < latest {
		schema.Status, schema.Detail = "failed", "the schema is older than this version needs; run probity migrate"
	} else if current > latest {
		schema.Status, schema.Detail = "failed", "the schema is newer than this version knows; run the version that made it"
	}
	aggregates := Check{Name: "aggregates", Status: "ok", Detail: "hold what was decided before this node started"}
	if !e.Service.CaughtUp() {
		aggregates.Status, aggregates.Detail = "failed", "policies, lists and aggregates of merchants, devices and others are still being read; wait"
	}
	out := Health{Status: "ok", Checks: []Check{database, schema, aggregates}}
	for _, check := range out.Checks {
		if check.Status != "ok" {
			out.Status = "unavailable"
		}
	}
	return out
}

func writeHealth(w http.ResponseWriter, h Health) {
	w.Header().Set("Content-Type", "application/json")
	if h.Status != "ok" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = encode(w, h) // into memory: it cannot fail
}
