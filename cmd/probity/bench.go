package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/bench"
)

// benchCommand measures.
type benchCommand struct {
	Payments benchPaymentsCommand `cmd:"" help:"Measure durable payment decisions a second against an echo handler, on this machine."`
	Server   benchServerCommand   `cmd:"" hidden:"" help:"The server of a bench; the bench starts it by itself."`
}

// seedFlags are what both processes of a bench must know.
type seedFlags struct {
	Database string  `help:"postgres://… (the run makes a schema of its own, and drops it) or sqlite:PATH of a file that does not exist; by default a SQLite file in a temporary directory." env:"PROBITY_BENCH_DATABASE" placeholder:"DSN"`
	Remote   bool    `help:"Allow a database on another machine." name:"remote-database"`
	Policy   string  `help:"Payment policy (YAML); by default the one that ships with Probity." type:"existingfile"`
	Accounts int     `help:"Accounts that pay." default:"100000"`
	History  int     `help:"Payments that each account has made before." default:"5"`
	Risky    float64 `help:"Share of payments that no account would make." default:"0.001"`
	Cold     bool    `help:"Measure a server that has just started: by default each account has paid once before."`
	SeedFor  float64 `help:"Longest time for making accounts and history, in seconds." default:"180" name:"seed-seconds"`
}

func (f seedFlags) check() error {
	switch {
	case f.Accounts < 1 || f.Accounts > 10_000_000:
		return errors.New("--accounts must be between 1 and 10000000")
	case f.History < 0 || f.History > 1000:
		return errors.New("--history must be between 0 and 1000")
	case f.Risky < 0 || f.Risky > 1:
		return errors.New("--risky is a share, between 0 and 1")
	case f.SeedFor <= 0:
		return errors.New("--seed-seconds must be above 0")
	}
	return nil
}

// benchPaymentsCommand is the client, and starts the server.
type benchPaymentsCommand struct {
	seedFlags
	Connections int     `help:"Keep-alive connections, each with one request under way." default:"64"`
	Seconds     float64 `help:"How long decisions are asked for at full load. The whole run takes about twice that, and the seeding." default:"20"`
	Rounds      int     `help:"How often echo and decisions take turns." default:"5"`
	Rate        float64 `help:"Decisions a second of the phase that measures latency; by default half of what full load gave." placeholder:"N"`
	Client      string  `help:"fast: costs next to nothing, so that the server is measured. standard: net/http's, as a platform in Go uses." enum:"fast,standard" default:"fast"`
	Keys        bool    `help:"Send an Idempotency-Key with each payment." name:"idempotency-keys"`
	Dir         string  `help:"Where the temporary data goes; by default the system's temporary directory, which must not be in memory." type:"existingdir"`
	Profile     string  `help:"Write a CPU profile of the server here." placeholder:"FILE" type:"path"`
	JSON        bool    `help:"Print one JSON object on standard output." name:"json"`
}

func (c *benchPaymentsCommand) check() error {
	switch {
	case c.Connections < 1 || c.Connections > 4096:
		return errors.New("--connections must be between 1 and 4096")
	case c.Seconds < 0.1 || c.Seconds > 3600:
		return errors.New("--seconds must be between 0.1 and 3600")
	case c.Rounds < 1 || c.Rounds > 100:
		return errors.New("--rounds must be between 1 and 100")
	case c.Rate < 0:
		return errors.New("--rate must be above 0")
	}
	return c.seedFlags.check()
}

// Run measures and prints.
func (c *benchPaymentsCommand) Run(ctx context.Context) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.Dir, "probity-bench-")
	if err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	result, err := c.measure(ctx, dir)
	if err != nil {
		return err
	}
	result = result.Rounded()
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	return printBench(os.Stdout, result)
}

// measure starts the server as a process of its own, so that neither side's memory is the other's to clean up, and runs the client here.
func (c *benchPaymentsCommand) measure(ctx context.Context, dir string) (bench.Result, error) {
	program, err := os.Executable()
	if err != nil {
		return bench.Result{}, err
	}
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	args := []string{"bench", "server", dir, "--accounts", strconv.Itoa(c.Accounts), "--history", strconv.Itoa(c.History), "--risky", number(c.Risky), "--seed-seconds", number(c.SeedFor)}
	if c.Remote {
		args = append(args, "--remote-database")
	}
	if c.Cold {
		args = append(args, "--cold")
	}
	if c.Policy != "" {
		args = append(args, "--policy", c.Policy)
	}
	server := exec.Command(program, args...)
	server.Stderr = os.Stderr
	// An address may hold a password, which does not belong on a command line that everybody can list.
	server.Env = append(os.Environ(), "PROBITY_BENCH_DATABASE="+c.Database)
	commands, err := server.StdinPipe()
	if err != nil {
		return bench.Result{}, err
	}
	answers, err := server.StdoutPipe()
	if err != nil {
		return bench.Result{}, err
	}
	if err := server.Start(); err != nil {
		return bench.Result{}, fmt.Errorf("start the server of the bench: %w", err)
	}
	result, err := bench.Measure(ctx, bench.Options{
		Connections: c.Connections, Seconds: time.Duration(c.Seconds * float64(time.Second)), Rounds: c.Rounds, Rate: c.Rate, Standard: c.Client == "standard", Keys: c.Keys, Profile: c.Profile,
		Now: time.Now, Progress: os.Stderr,
	}, answers, commands)
	_ = commands.Close() // ends the server, which then removes what it has written
	if ended := server.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("the server of the bench: %w", ended))
	}
	return result, err
}

// benchServerCommand is the process that is measured.
type benchServerCommand struct {
	seedFlags
	Dir string `arg:"" type:"existingdir"`
}

// Run serves until its commands end.
func (c *benchServerCommand) Run(ctx context.Context) (err error) {
	collectLess(ctx)
	place, err := bench.NewPlace(ctx, c.Dir, c.Database, c.Remote, os.Stderr)
	if err != nil {
		return err
	}
	if place.Leaves != "" {
		fmt.Fprintf(os.Stderr, "the bench removes at its end: %s\n", place.Leaves)
	}
	defer func() { err = errors.Join(err, place.Remove()) }()
	file, err := os.Create(filepath.Join(c.Dir, "access.log"))
	if err != nil {
		return err
	}
	log, endLog := newLog("text", file)
	defer func() { err = errors.Join(err, endLog(), file.Close()) }()
	return bench.Serve(ctx, bench.ServerConfig{
		Dir: c.Dir, Place: place, Policy: c.Policy, Clock: clock.System(), Log: log, Progress: os.Stderr,
		Seed: bench.Seed{Accounts: c.Accounts, History: c.History, Risky: c.Risky, Cold: c.Cold, Longest: time.Duration(c.SeedFor * float64(time.Second))},
	}, os.Stdin, os.Stdout)
}

// printBench tells a person what was found.
func printBench(to io.Writer, r bench.Result) error {
	_, err := fmt.Fprintf(to, `decisions   %.0f a second over HTTP, %d connections, durable (%s, policy %s)
echo        %.0f a second with the same bodies and the same client (%s)
ratio       %.2f
latency     p50 %.1f ms, p99 %.1f ms at full load
            p50 %.1f ms, p99 %.1f ms at %.0f decisions a second
outcomes    %v
stored      %.0f bytes a decision; one durable write of 4 KiB takes %.2f ms here
processor   server %.0f µs, client %.0f µs a decision; server %.0f µs, client %.0f µs an echo
accounts    %d with %d payments before the run
`, r.DecisionsRPS, r.Connections, r.Database, r.Policy, r.EchoRPS, r.Client, r.Ratio, r.P50, r.P99, r.HalfLoadP50, r.HalfLoadP99, r.HalfLoadRPS, r.Outcomes,
		r.BytesPerDecision, r.SyncMS, r.CPU.ServerPerDecision, r.CPU.ClientPerDecision, r.CPU.ServerPerEcho, r.CPU.ClientPerEcho, r.Accounts, r.History)
	return err
}
