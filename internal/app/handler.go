package app

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/probity/probity/internal/edge/api"
	"github.com/probity/probity/internal/edge/console"
	"github.com/probity/probity/internal/edge/portal"
	"github.com/probity/probity/internal/edge/web"
)

// Handler returns everything that the installation answers: the API, the KYC Center, the console, their assets and the metrics.
func (a *App) Handler() http.Handler {
	secure := strings.HasPrefix(a.Config.BaseURL, "https://")
	mux := http.NewServeMux()
	observe := func(api.Observation) {}
	if metrics, err := api.NewMetrics(prometheus.DefaultRegisterer); err == nil {
		observe = metrics.Observe
	} else {
		a.Config.Log.Warn("requests of the API are not counted: another part registered a metric of that name")
	}
	answers := api.Handler(api.Config{Service: a.Service, Log: a.Config.Log, Demo: a.Config.Demo, Observe: observe})
	for _, pattern := range []string{"/v1/", "/openapi.json", "/healthz", "/readyz"} {
		mux.Handle(pattern, answers)
	}
	mux.Handle("/metrics", a.metrics())
	mux.Handle("/assets/", web.Assets())
	mux.Handle("/kyc", http.RedirectHandler("/kyc/", http.StatusSeeOther))
	mux.Handle("/kyc/", portal.Handler(portal.Config{Service: a.Service, Log: a.Config.Log, Demo: a.Config.Demo, SecureCookies: secure}))
	mux.Handle("/console", http.RedirectHandler("/console/", http.StatusSeeOther))
	mux.Handle("/console/", console.Handler(console.Config{Service: a.Service, Log: a.Config.Log, Demo: a.Config.Demo, SecureCookies: secure}))
	for pattern, handler := range a.extra {
		mux.Handle(pattern, handler)
	}
	if _, taken := a.extra["/{$}"]; !taken {
		mux.Handle("/{$}", http.RedirectHandler("/kyc/", http.StatusSeeOther))
	}
	if secure {
		return onlyOverTLS(mux)
	}
	return mux
}

// metrics answers what the process and the API count, and how this installation's jobs stand.
func (a *App) metrics() http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(newJobMetrics(a.Store, a.Config.Clock))
	own.MustRegister(newFollowerMetrics(a.Service))
	own.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "probity_sqlite_checkpoints_failed", Help: "How often in a row SQLite's write-ahead log could not be copied into the database file; it grows while this is above 0.",
	}, func() float64 { return float64(a.Store.FailedCheckpoints()) }))
	return promhttp.HandlerFor(prometheus.Gatherers{prometheus.DefaultGatherer, own}, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// onlyOverTLS tells browsers never to come back without TLS (RFC 6797): the first request of a later visit could be read and answered by
// others on the way. Other hosts of the domain are not ours to decide for.
func onlyOverTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=63072000")
		next.ServeHTTP(w, r)
	})
}
