package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"
)

// load is what is asked, where, and by how many at once.
type load struct {
	address     string // host:port
	path        string
	key         string
	keys        bool // send a fresh Idempotency-Key with each request
	bodies      [][]byte
	connections int
	standard    bool // ask with net/http's client
	now         func() time.Time
}

// phase is what was answered in some time.
type phase struct {
	answered  int
	outcomes  map[string]int
	latencies []time.Duration
	took      time.Duration
	serverCPU float64 // microseconds
	clientCPU float64 // microseconds
	stored    float64 // bytes
}

func (p *phase) add(other phase) {
	if p.outcomes == nil {
		p.outcomes = map[string]int{}
	}
	p.answered += other.answered
	for name, count := range other.outcomes {
		p.outcomes[name] += count
	}
	p.latencies = append(p.latencies, other.latencies...)
	p.took += other.took
	p.serverCPU += other.serverCPU
	p.clientCPU += other.clientCPU
	p.stored += other.stored
}

// rate is how many answers came in a second.
func (p *phase) rate() float64 { return float64(p.answered) / p.took.Seconds() }

// decided is how many of the answers were decisions.
func (p *phase) decided() int {
	return p.outcomes["approved"] + p.outcomes["review"] + p.outcomes["rejected"]
}

func (p *phase) decisionRate() float64 { return float64(p.decided()) / p.took.Seconds() }

// quantile returns the latency, in milliseconds, that the part q of all answers did not exceed.
func (p *phase) quantile(q float64) float64 {
	if len(p.latencies) == 0 {
		return 0
	}
	slices.Sort(p.latencies)
	at := min(int(q*float64(len(p.latencies))), len(p.latencies)-1)
	return micros(p.latencies[at]) / 1000
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// closed asks on every connection again as soon as it was answered.
func (l load) closed(ctx context.Context, d time.Duration) (phase, error) {
	return l.run(ctx, func(_ int, began time.Time, due int) (time.Time, bool) {
		return time.Time{}, due == 0 || l.now().Before(began.Add(d))
	})
}

// paced asks at a steady rate, spread over the connections. A request whose connection is still waiting for an answer when it is due goes
// out late, and its latency counts from when it was due: otherwise a server that stalls would be asked less just then, and look fast.
func (l load) paced(ctx context.Context, d time.Duration, rate float64) (phase, error) {
	every := time.Duration(float64(l.connections) / rate * float64(time.Second))
	return l.run(ctx, func(connection int, began time.Time, due int) (time.Time, bool) {
		at := began.Add(every*time.Duration(due) + every*time.Duration(connection)/time.Duration(l.connections))
		return at, at.Before(began.Add(d))
	})
}

// run opens the connections and asks on each for as long as next allows. next returns when the request number due of a connection is to
// be sent; the zero time means at once.
func (l load) run(ctx context.Context, next func(connection int, began time.Time, due int) (time.Time, bool)) (phase, error) {
	var wires []asker
	defer func() {
		for _, w := range wires {
			w.close()
		}
	}()
	for range l.connections {
		if l.standard {
			wires = append(wires, newStandard(ctx, l.address, l.path, l.key))
			continue
		}
		w, err := dial(ctx, l.address, l.path, l.key)
		if err != nil {
			return phase{}, err
		}
		wires = append(wires, w)
	}
	phases, failures := make([]phase, l.connections), make([]error, l.connections)
	began := l.now()
	var wait sync.WaitGroup
	for i := range wires {
		wait.Go(func() {
			phases[i], failures[i] = l.ask(ctx, wires[i], func(due int) (time.Time, bool) { return next(i, began, due) })
		})
	}
	wait.Wait()
	var out phase
	for i := range phases {
		out.add(phases[i])
	}
	out.took = l.now().Sub(began)
	return out, errors.Join(ctx.Err(), errors.Join(failures...))
}

// ask is what one connection does.
func (l load) ask(ctx context.Context, w asker, next func(due int) (time.Time, bool)) (phase, error) {
	out := phase{outcomes: map[string]int{}, latencies: make([]time.Duration, 0, 4096)}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for due := 0; ctx.Err() == nil; due++ {
		at, more := next(due)
		if !more {
			return out, nil
		}
		from := l.now()
		if !at.IsZero() {
			if wait := at.Sub(from); wait > 0 {
				// The connection is free before the request is due, so what the timer is late is not the server's.
				timer.Reset(wait)
				<-timer.C
				from = l.now()
			} else {
				from = at
			}
		}
		idempotency := ""
		if l.keys {
			idempotency = strconv.FormatUint(rand.Uint64(), 36) + strconv.FormatUint(rand.Uint64(), 36)
		}
		status, outcome, err := w.post(l.bodies[rand.IntN(len(l.bodies))], idempotency)
		if err != nil {
			return out, fmt.Errorf("ask %s: %w", l.path, err)
		}
		out.answered++
		out.latencies = append(out.latencies, l.now().Sub(from))
		if outcome == "" {
			outcome = "http_" + strconv.Itoa(status)
		}
		out.outcomes[outcome]++
	}
	return out, ctx.Err()
}
