package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/probity/probity/internal/service"
)

// followerMetrics tells how far the aggregates of merchants, devices and addresses are behind the answers.
type followerMetrics struct {
	service  *service.Service
	lag      *prometheus.Desc
	entities *prometheus.Desc
	filling  *prometheus.Desc
}

func newFollowerMetrics(s *service.Service) *followerMetrics {
	return &followerMetrics{
		service: s,
		lag: prometheus.NewDesc("probity_aggregate_lag_seconds",
			"How far the aggregates of entities other than accounts are behind the answers, over the latest thousand payments of this node.", []string{"quantile"}, nil),
		entities: prometheus.NewDesc("probity_aggregate_entities", "Merchants, devices, addresses and others that this node keeps in memory.", nil, nil),
		filling:  prometheus.NewDesc("probity_aggregate_filling", "1 while an index is being filled from the decision log.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *followerMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- m.lag
	to <- m.entities
	to <- m.filling
}

// Collect implements prometheus.Collector.
func (m *followerMetrics) Collect(to chan<- prometheus.Metric) {
	status := m.service.FollowerStatus()
	to <- prometheus.MustNewConstMetric(m.lag, prometheus.GaugeValue, status.Median.Seconds(), "0.5")
	to <- prometheus.MustNewConstMetric(m.lag, prometheus.GaugeValue, status.P99.Seconds(), "0.99")
	to <- prometheus.MustNewConstMetric(m.lag, prometheus.GaugeValue, status.Longest.Seconds(), "1")
	to <- prometheus.MustNewConstMetric(m.entities, prometheus.GaugeValue, float64(status.Entities))
	filling := 0.0
	if status.Filling {
		filling = 1
	}
	to <- prometheus.MustNewConstMetric(m.filling, prometheus.GaugeValue, filling)
}
