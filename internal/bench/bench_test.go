package bench

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/testkit/postgres"
)

// run has both sides of a bench in this process.
func run(t *testing.T, database string, o Options) (Result, error) {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	place, err := NewPlace(ctx, dir, database, false, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := place.Remove(); err != nil {
			t.Error(err)
		}
	}()
	commands, toServer := io.Pipe()
	answers, fromServer := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := Serve(ctx, ServerConfig{
			Dir: dir, Place: place, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Progress: io.Discard,
			Seed: Seed{Accounts: 40, History: 3, Risky: 0.1, Longest: time.Minute},
		}, commands, fromServer)
		_ = fromServer.CloseWithError(io.EOF)
		served <- err
	}()
	o.Now, o.Progress = time.Now, io.Discard
	result, err := Measure(ctx, o, answers, toServer)
	_ = toServer.Close()
	if ended := <-served; ended != nil {
		t.Errorf("the server ended with %v", ended)
	}
	return result, err
}

func TestARunMeasuresAndLeavesNothing(t *testing.T) {
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"a file":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "bench.db") },
		"postgres": func(t *testing.T) string { return postgres.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			dsn := database(t)
			got, err := run(t, dsn, Options{Connections: 4, Seconds: 600 * time.Millisecond, Rounds: 2, Keys: true, Standard: name == "a file"})
			if err != nil {
				t.Fatal(err)
			}
			if got.EchoRPS <= 0 || got.DecisionsRPS <= 0 || got.Ratio <= 0 || got.P99 < got.P50 || got.HalfLoadP99 <= 0 || len(got.Rounds) != 2 ||
				got.Accounts != 40 || got.History != 120 || got.BytesPerDecision <= 0 || got.CPU.ServerPerDecision <= 0 || !strings.HasPrefix(got.Policy, "default ") {
				t.Errorf("got %+v", got)
			}
			for outcome := range got.Outcomes {
				if outcome != "approved" && outcome != "rejected" {
					t.Errorf("got %v", got.Outcomes)
				}
			}
			if path, found := strings.CutPrefix(dsn, "sqlite:"); found {
				if left, _ := filepath.Glob(path + "*"); len(left) > 0 {
					t.Errorf("left %v", left)
				}
			}
			if strings.HasPrefix(dsn, "postgres:") {
				if left := schemas(t, dsn); len(left) > 0 {
					t.Errorf("left %v", left)
				}
			}
		})
	}
}

func schemas(t *testing.T, dsn string) []string {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close(t.Context()) }()
	return leftOver(t.Context(), connection)
}

func TestPlacesThatAreRefused(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there.db")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ database, want string }{
		"another sort of database":      {"mysql://localhost/x", "must begin with"},
		"no file":                       {"sqlite:", "needs the path"},
		"a file that exists":            {"sqlite:" + there, "does not exist"},
		"an address that is none":       {"postgres://%zz", "cannot be read"},
		"a server elsewhere":            {"postgres://db.example.com/x", "--remote-database"},
		"a server elsewhere by address": {"postgres://192.0.2.1/x", "--remote-database"},
		"a server that does not answer": {"postgres://127.0.0.1:1/x?connect_timeout=1", "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewPlace(t.Context(), t.TempDir(), test.database, false, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// answering is a server that answers every request with one text.
func answering(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Read(make([]byte, 4096))
			_, _ = io.WriteString(connection, text)
			_ = connection.Close()
		}
	}()
	return listener.Addr().String()
}

func TestTheClientReadsAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		text, outcome, failure string
		status                 int
	}{
		"a decision":       {text: "HTTP/1.1 201 Created\r\nX: y\r\nContent-Length: 22\r\n\r\n{\"outcome\":\"approved\"}", status: 201, outcome: "approved"},
		"a refusal":        {text: "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}", status: 429},
		"another outcome":  {text: "HTTP/1.1 201 Created\r\nContent-Length: 23\r\n\r\n{\"outcome\":\"approved!\"}", status: 201},
		"no HTTP":          {text: "hello\r\n\r\n", failure: "no HTTP"},
		"no status":        {text: "HTTP/1.1 abc\r\n\r\n", failure: "no status"},
		"no length":        {text: "HTTP/1.1 200 OK\r\n\r\n", failure: "how long"},
		"a wrong length":   {text: "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", failure: "no number"},
		"an end too early": {text: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", failure: "EOF"},
		"nothing":          {text: "", failure: "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := dial(t.Context(), answering(t, test.text), "/v1/payments", "k")
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			status, outcome, err := w.post([]byte("{}"), "")
			if test.failure != "" {
				if err == nil || !strings.Contains(err.Error(), test.failure) {
					t.Errorf("got %v, want %q", err, test.failure)
				}
				return
			}
			if err != nil || status != test.status || outcome != test.outcome {
				t.Errorf("got %d %q %v", status, outcome, err)
			}
		})
	}
}

func TestQuantiles(t *testing.T) {
	p := phase{}
	for i := 100; i > 0; i-- {
		p.latencies = append(p.latencies, time.Duration(i)*time.Millisecond)
	}
	if got := p.quantile(0.5); got != 51 {
		t.Errorf("p50: got %v", got)
	}
	if got := p.quantile(0.99); got != 100 {
		t.Errorf("p99: got %v", got)
	}
	if got := (&phase{}).quantile(0.5); got != 0 {
		t.Errorf("of nothing: got %v", got)
	}
}

func TestHabitsAreTheSameEachTime(t *testing.T) {
	if a, b := habitOf(7), habitOf(7); a.device != b.device || a.mean != b.mean || a.country != b.country {
		t.Errorf("got %+v and %+v", a, b)
	}
	if a, b := habitOf(7), habitOf(8); a.device == b.device {
		t.Error("two accounts have one device")
	}
}
