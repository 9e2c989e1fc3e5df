package api

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests for Prometheus. Its labels are methods, route patterns and statuses: nothing that a caller can make up.
type Metrics struct{ duration *prometheus.HistogramVec }

// NewMetrics registers the metrics. Registering them twice with one registerer gives the same ones.
func NewMetrics(registerer prometheus.Registerer) (*Metrics, error) {
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "probity_api_request_duration_seconds", Help: "How long requests of the API took, by method, route and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"method", "route", "status"})
	err := registerer.Register(duration)
	if before, taken := errors.AsType[prometheus.AlreadyRegisteredError](err); taken {
		if same, ok := before.ExistingCollector.(*prometheus.HistogramVec); ok {
			return &Metrics{duration: same}, nil
		}
	}
	return &Metrics{duration: duration}, err
}

// Observe notes one request; give it to Config.Observe.
func (m *Metrics) Observe(o Observation) {
	m.duration.WithLabelValues(o.Method, o.Route, strconv.Itoa(o.Status)).Observe(o.Duration.Seconds())
}
