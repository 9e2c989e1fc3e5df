package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/store"
)

// How the jobs of an installation stand is looked up at most once in countEvery: anybody may ask, and counting costs the database.
const (
	countEvery   = 10 * time.Second
	countTimeout = 5 * time.Second
)

// jobMetrics tells how many jobs there are, and for how long the next one has been due: the two figures to be woken up for.
type jobMetrics struct {
	store *store.Store
	clock *clock.Clock
	count *prometheus.Desc
	late  *prometheus.Desc

	mutex         sync.Mutex
	counted       time.Time // wall time
	pending, dead int
	lateness      time.Duration
}

func newJobMetrics(s *store.Store, c *clock.Clock) *jobMetrics {
	return &jobMetrics{
		store: s, clock: c,
		count: prometheus.NewDesc("probity_jobs", "Jobs that wait or are worked on (pending), and that were given up (dead).", []string{"state"}, nil),
		late:  prometheus.NewDesc("probity_jobs_late_seconds", "For how long the next job that nobody works on has been due; 0 when none is.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *jobMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- m.count
	to <- m.late
}

// Collect implements prometheus.Collector. When the database does not answer, the figures are left out, which an alarm can see.
func (m *jobMetrics) Collect(to chan<- prometheus.Metric) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if wall := m.clock.Wall(); wall.Sub(m.counted) >= countEvery {
		if err := m.look(); err != nil {
			return
		}
		m.counted = wall
	}
	to <- prometheus.MustNewConstMetric(m.count, prometheus.GaugeValue, float64(m.pending), "pending")
	to <- prometheus.MustNewConstMetric(m.count, prometheus.GaugeValue, float64(m.dead), "dead")
	to <- prometheus.MustNewConstMetric(m.late, prometheus.GaugeValue, m.lateness.Seconds())
}

func (m *jobMetrics) look() error {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	pending, dead, err := m.store.CountJobs(ctx)
	if err != nil {
		return err
	}
	due, found, err := m.store.NextDue(ctx)
	if err != nil {
		return err
	}
	m.pending, m.dead, m.lateness = pending, dead, 0
	if found {
		m.lateness = max(0, m.clock.Now().Sub(due))
	}
	return nil
}
