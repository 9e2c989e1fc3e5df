package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/testkit/postgres"
)

// The benchmarks of a payment decision over HTTP stand beside what bounds it: an echo handler behind the same client, and one durable
// write to the same disk. Compare them within one run; absolute figures say as much about the machine.

// atOnce is how many requests the client keeps under way for each processor.
const atOnce = 16

func BenchmarkPaymentsOverHTTP(b *testing.B) {
	for name, database := range map[string]func(testing.TB) string{
		"sqlite":     func(testing.TB) string { return "" },
		"postgresql": func(t testing.TB) string { return postgres.DSN(t) },
	} {
		b.Run(name, func(b *testing.B) { benchmarkPayments(b, database(b)) })
	}
}

func benchmarkPayments(b *testing.B, database string) {
	ctx := b.Context()
	installation, err := app.Open(ctx, app.Config{
		DataDir: b.TempDir(), Database: database, BaseURL: "http://localhost", CreateDataKey: true, Clock: clock.System(),
		Mail: mail.Config{Host: "localhost", Port: 25, TLS: mail.NoTLS, From: "probity@localhost.localdomain"},
		Log:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(installation.Close)
	tenant, err := installation.Service.CreateTenant(ctx, policy.Tenant{Name: "Bench"})
	if err != nil {
		b.Fatal(err)
	}
	_, key, err := installation.Service.CreateKey(ctx, tenant.ID, "bench")
	if err != nil {
		b.Fatal(err)
	}
	server := listen(b, installation.Handler())
	post := func(path string, body any) map[string]any { return call(b, server+path, key.Reveal(), body) }
	const accounts = 64
	bodies := make([][]byte, accounts)
	for i := range bodies {
		account := post("/v1/accounts", map[string]any{"kind": "individual", "name": fmt.Sprintf("Bench Account %d", i)})
		id, _ := account["id"].(string)
		method := post("/v1/accounts/"+id+"/payment_methods", map[string]any{"kind": "wallet", "default": true})
		bodies[i], err = json.Marshal(map[string]any{
			"account_id": id, "payment_method_id": method["id"], "amount": map[string]any{"amount_minor": 1250, "currency": "USD"},
			"location": map[string]any{"country": "SG"}, "device": map[string]any{"id": "device"}, "merchant": "compute",
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	load(b, server+"/v1/payments", key.Reveal(), bodies, http.StatusCreated)
}

// BenchmarkEchoOverHTTP is the reference: the same client, a handler that only reads the body and writes it back.
func BenchmarkEchoOverHTTP(b *testing.B) {
	server := listen(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	load(b, server, "none", [][]byte{bytes.Repeat([]byte("x"), 250)}, http.StatusOK)
}

// BenchmarkDurableWrite is what the disk allows: append 4 KiB to a file and wait until it is on stable storage.
func BenchmarkDurableWrite(b *testing.B) {
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := file.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func listen(b *testing.B, handler http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	b.Cleanup(server.Close)
	return server.URL
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

func call(b *testing.B, url, key string, body any) map[string]any {
	raw, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	status, answer, err := send(b.Context(), url, key, raw)
	if err != nil || status >= http.StatusBadRequest {
		b.Fatalf("status %d, %v", status, err)
	}
	var out map[string]any
	if err := json.Unmarshal(answer, &out); err != nil {
		b.Fatal(err)
	}
	return out
}

func send(ctx context.Context, url, key string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func load(b *testing.B, url, key string, bodies [][]byte, want int) {
	ctx := b.Context()
	b.SetParallelism(atOnce)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			status, _, err := send(ctx, url, key, bodies[i%len(bodies)])
			if err != nil || status != want {
				b.Errorf("status %d, %v", status, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
