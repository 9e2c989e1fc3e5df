package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/service"
)

// ServerConfig says what is measured. All but Policy are required.
type ServerConfig struct {
	Dir      string // empty, for this run only: key file, attachments, a SQLite database, the payments to ask about
	Place    Place
	Policy   string // file of a payment policy; empty means the one that ships
	Seed     Seed
	Clock    *clock.Clock
	Log      *slog.Logger // the access log, written as in earnest
	Progress io.Writer
}

// Ready is what the server tells once it can be asked. Key is of a tenant that exists for this run only.
type Ready struct {
	API      string  `json:"api"` // host:port
	Echo     string  `json:"echo"`
	Key      string  `json:"key"`
	Bodies   string  `json:"bodies"` // a file with one payment a line
	Accounts int     `json:"accounts"`
	History  int     `json:"history"`
	Database string  `json:"database"`
	Policy   string  `json:"policy"`
	SyncMS   float64 `json:"sync_ms"`
}

// Usage is what the server has used so far.
type Usage struct {
	ProcessorSeconds float64 `json:"processor_seconds"`
	StoredBytes      int64   `json:"stored_bytes"`
}

// Serve opens an installation, seeds it, answers, and obeys the commands until they end. The caller removes Dir and Place.
func Serve(ctx context.Context, c ServerConfig, commands io.Reader, answers io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	a, err := app.Open(ctx, app.Config{
		DataDir: filepath.Join(c.Dir, "data"), Database: c.Place.Database, BaseURL: "http://localhost", CreateDataKey: true, Serves: true, PolicyFile: c.Policy,
		// No account has an e-mail address, so no mail is ever sent.
		Mail:  mail.Config{Host: "localhost", Port: 9, TLS: mail.NoTLS, From: "bench@localhost.localdomain"},
		Clock: c.Clock, Log: c.Log,
	})
	if err != nil {
		return err
	}
	defer a.Close()
	ready := Ready{Bodies: filepath.Join(c.Dir, "payments.ndjson"), Database: a.Store.Dialect(), Policy: a.Service.Policy.ID + " " + a.Service.Policy.Version}
	if ready.SyncMS, err = syncTime(c.Dir, c.Clock.Wall); err != nil {
		return err
	}
	if err := c.Seed.into(ctx, a.Service, c.Progress, &ready); err != nil {
		return err
	}
	if err := c.Place.Settle(ctx); err != nil {
		return fmt.Errorf("let the database look at what was seeded: %w", err)
	}
	if err := settle(ctx, a.Service); err != nil {
		return err
	}
	served, err := serveBoth(ctx, a, &ready)
	if err != nil {
		return err
	}
	err = obey(ctx, a, ready, commands, answers)
	stop()
	return errors.Join(err, served())
}

// settle waits until what was seeded is folded, as in a server that has run for a while.
func settle(ctx context.Context, sv *service.Service) error {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		sv.CatchUp(ctx)
		for found := true; found; {
			var err error
			if found, err = sv.WarmOnce(ctx); err != nil {
				return err
			}
		}
		if sv.Settled() && sv.CaughtUp() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// serveBoth answers the API and the echo, each on a listener of its own on loopback. What it returns waits until both have ended.
func serveBoth(ctx context.Context, a *app.App, ready *Ready) (wait func() error, err error) {
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, api.Close())
	}
	ready.API, ready.Echo = api.Addr().String(), echo.Addr().String()
	reference := app.NewServer(http.HandlerFunc(echoBody), a.Config.Log)
	ended := make(chan error, 2)
	go func() { ended <- a.Serve(ctx, api) }()
	go func() {
		err := reference.Serve(echo)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		ended <- err
	}()
	return func() error { return errors.Join(reference.Close(), <-ended, <-ended) }, nil
}

// echoBody reads a body and writes it back: what HTTP itself costs.
func echoBody(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.Copy(w, r.Body)
}

// obey answers the client's commands, a line each, until they end or ctx does.
func obey(ctx context.Context, a *app.App, ready Ready, commands io.Reader, answers io.Writer) error {
	out := json.NewEncoder(answers)
	if err := out.Encode(ready); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(commands)
		for scanner.Scan() {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		var line string
		var more bool
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, more = <-lines:
		}
		if !more {
			return nil
		}
		answer, err := do(ctx, a, line)
		if err != nil {
			return err
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}

func do(ctx context.Context, a *app.App, command string) (any, error) {
	name, argument, _ := strings.Cut(command, " ")
	switch name {
	case "usage":
		size, err := a.Store.Size(ctx)
		return Usage{ProcessorSeconds: processorTime().Seconds(), StoredBytes: size}, err
	case "profile":
		pprof.StopCPUProfile()
		if argument == "" {
			return struct{}{}, nil
		}
		file, err := os.Create(argument)
		if err != nil {
			return nil, err
		}
		return struct{}{}, pprof.StartCPUProfile(file) // the file ends with the process
	}
	return nil, fmt.Errorf("the bench has no command %q", name)
}

// syncTries is how many durable writes are timed.
const syncTries = 21

// syncTime returns how long one durable write of 4 KiB takes, in milliseconds, median: what bounds a group of decisions from below.
func syncTime(dir string, wall func() time.Time) (float64, error) {
	file, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	times := make([]time.Duration, syncTries)
	for i := range times {
		began := wall()
		if _, err := file.Write(bytes.Repeat([]byte("x"), 4096)); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times[i] = wall().Sub(began)
	}
	slices.Sort(times)
	return micros(times[len(times)/2]) / 1000, nil
}
