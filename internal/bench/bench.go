// Package bench measures durable payment decisions over HTTP against an echo handler, in one run and with one client, so that the ratio
// says something about the code and not about the machine (ADR 0013).
//
// Two processes take part. The server (Serve) opens an installation of its own, fills it with accounts that have a history, and answers on
// two listeners: the API, exactly as `probity serve` mounts it, and an echo handler that reads a body and writes it back. The client
// (Measure) takes turns between the two and prints what it found. They talk in lines over a pipe; a test gives both ends to one process.
package bench

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

// Options say how long and how hard the client asks.
type Options struct {
	Connections int           // keep-alive connections, each with one request under way
	Seconds     time.Duration // how long decisions are asked for at full load, over all rounds
	Rounds      int           // how often echo and decisions take turns; medians are over these
	Rate        float64       // decisions a second of the phase that measures latency; 0 means half of what full load gave
	Standard    bool          // ask with net/http's client instead of one that costs next to nothing
	Keys        bool          // send an Idempotency-Key with each payment, a fresh one each time
	Profile     string        // where to write a CPU profile of the server while it decides; empty means nowhere
	// Now is the machine's clock with its monotonic reading.
	Now      func() time.Time
	Progress io.Writer
}

// Result is what a run found. Rates are per second, medians over the rounds.
type Result struct {
	EchoRPS      float64        `json:"echo_rps"`
	DecisionsRPS float64        `json:"decisions_rps"`
	Ratio        float64        `json:"ratio"` // the median of the rounds' ratios
	P50          float64        `json:"p50_ms"`
	P99          float64        `json:"p99_ms"`
	Outcomes     map[string]int `json:"outcomes"` // approved, review, rejected, and http_STATUS for what was no decision

	HalfLoadRPS float64 `json:"half_load_rps"` // what was asked for; Rate when that was given
	HalfLoadP50 float64 `json:"half_load_p50_ms"`
	HalfLoadP99 float64 `json:"half_load_p99_ms"`

	BytesPerDecision float64 `json:"bytes_per_decision"` // growth of the whole database, indexes and profiles included
	SyncMS           float64 `json:"sync_ms"`            // one durable write of 4 KiB to the data directory, median; near zero means a disk of memory
	CPU              CPU     `json:"cpu"`

	Client      string  `json:"client"` // fast or standard
	Database    string  `json:"database"`
	Policy      string  `json:"policy"`
	Accounts    int     `json:"accounts"`
	History     int     `json:"history_payments"`
	Connections int     `json:"connections"`
	Seconds     float64 `json:"seconds"`
	Rounds      []Round `json:"rounds"`
}

// Round is one turn of echo and decisions.
type Round struct {
	EchoRPS      float64 `json:"echo_rps"`
	DecisionsRPS float64 `json:"decisions_rps"`
	Ratio        float64 `json:"ratio"`
}

// CPU is processor time in microseconds for each request, over all cores. It tells what bounds a run: where both halves of a line add up to
// all cores, the processor does.
type CPU struct {
	ServerPerDecision float64 `json:"server_us_per_decision"`
	ClientPerDecision float64 `json:"client_us_per_decision"`
	ServerPerEcho     float64 `json:"server_us_per_echo"`
	ClientPerEcho     float64 `json:"client_us_per_echo"`
}

// shares of the time that decisions get at full load.
const (
	echoShare   = 0.5
	halfShare   = 0.5
	warmUpShare = 0.1
)

// session is the client's side of a run.
type session struct {
	Options
	ready    Ready
	answers  *bufio.Reader
	commands io.Writer
	payments load
	echo     load
}

// Measure runs the client against a server that Serve runs at the other ends of the two streams. It ends the server by ending its
// commands; whoever opened the stream closes it.
func Measure(ctx context.Context, o Options, answers io.Reader, commands io.Writer) (Result, error) {
	s := &session{Options: o, answers: bufio.NewReaderSize(answers, 1<<16), commands: commands}
	if err := s.read(&s.ready); err != nil {
		return Result{}, err
	}
	bodies, err := readBodies(s.ready.Bodies)
	if err != nil {
		return Result{}, err
	}
	s.payments = load{address: s.ready.API, path: "/v1/payments", key: s.ready.Key, keys: o.Keys, bodies: bodies, connections: o.Connections, standard: o.Standard, now: o.Now}
	s.echo = s.payments
	s.echo.address, s.echo.keys = s.ready.Echo, false
	out := Result{
		Database: s.ready.Database, Policy: s.ready.Policy, Accounts: s.ready.Accounts, History: s.ready.History, SyncMS: s.ready.SyncMS,
		Client: "fast", Connections: o.Connections, Seconds: o.Seconds.Seconds(), Outcomes: map[string]int{},
	}
	if o.Standard {
		out.Client = "standard"
	}
	if err := s.fullLoad(ctx, &out); err != nil {
		return out, err
	}
	return out, s.halfLoad(ctx, &out)
}

// fullLoad takes turns between echo and decisions, each connection asking again as soon as it was answered.
func (s *session) fullLoad(ctx context.Context, out *Result) error {
	share := func(part float64) time.Duration { return time.Duration(part * float64(s.Seconds)) }
	for _, l := range []load{s.echo, s.payments} {
		if _, err := l.closed(ctx, share(warmUpShare)); err != nil {
			return err
		}
	}
	if err := s.profile(s.Profile); err != nil {
		return err
	}
	var echo, decisions phase
	for round := range s.Rounds {
		s.say("round %d of %d", round+1, s.Rounds)
		one, err := s.turn(ctx, s.echo, share(echoShare/float64(s.Rounds)))
		if err != nil {
			return err
		}
		two, err := s.turn(ctx, s.payments, share(1/float64(s.Rounds)))
		if err != nil {
			return err
		}
		echo.add(one)
		decisions.add(two)
		r := Round{EchoRPS: one.rate(), DecisionsRPS: two.decisionRate()}
		r.Ratio = r.DecisionsRPS / r.EchoRPS
		out.Rounds = append(out.Rounds, r)
		s.say(": echo %.0f/s, decisions %.0f/s, ratio %.2f\n", r.EchoRPS, r.DecisionsRPS, r.Ratio)
	}
	if err := s.profile(""); err != nil {
		return err
	}
	out.Outcomes = decisions.outcomes
	out.P50, out.P99 = decisions.quantile(0.50), decisions.quantile(0.99)
	out.CPU = CPU{
		ServerPerDecision: decisions.serverCPU / float64(decisions.answered), ClientPerDecision: decisions.clientCPU / float64(decisions.answered),
		ServerPerEcho: echo.serverCPU / float64(echo.answered), ClientPerEcho: echo.clientCPU / float64(echo.answered),
	}
	out.BytesPerDecision = decisions.stored / float64(max(decisions.decided(), 1))
	out.EchoRPS = medianOf(out.Rounds, func(r Round) float64 { return r.EchoRPS })
	out.DecisionsRPS = medianOf(out.Rounds, func(r Round) float64 { return r.DecisionsRPS })
	out.Ratio = medianOf(out.Rounds, func(r Round) float64 { return r.Ratio })
	if decisions.decided() == 0 {
		return errors.New("no payment was decided; the outcomes tell what was answered instead: " + fmt.Sprint(decisions.outcomes))
	}
	return nil
}

// halfLoad asks at a steady rate and measures how long each answer takes from when its request was due.
func (s *session) halfLoad(ctx context.Context, out *Result) error {
	out.HalfLoadRPS = s.Rate
	if out.HalfLoadRPS == 0 {
		out.HalfLoadRPS = out.DecisionsRPS / 2
	}
	s.say("latency at %.0f decisions a second", out.HalfLoadRPS)
	paced, err := s.payments.paced(ctx, time.Duration(halfShare*float64(s.Seconds)), out.HalfLoadRPS)
	if err != nil {
		return err
	}
	out.HalfLoadP50, out.HalfLoadP99 = paced.quantile(0.50), paced.quantile(0.99)
	s.say(": p50 %.2f ms, p99 %.2f ms\n", out.HalfLoadP50, out.HalfLoadP99)
	return nil
}

// turn is one phase with what it cost both processes and the database.
func (s *session) turn(ctx context.Context, l load, d time.Duration) (phase, error) {
	before, err := s.usage()
	if err != nil {
		return phase{}, err
	}
	own := processorTime()
	p, err := l.closed(ctx, d)
	if err != nil {
		return p, err
	}
	p.clientCPU = micros(processorTime() - own)
	after, err := s.usage()
	p.serverCPU = (after.ProcessorSeconds - before.ProcessorSeconds) * 1e6
	p.stored = float64(after.StoredBytes - before.StoredBytes)
	return p, err
}

func (s *session) usage() (Usage, error) {
	var u Usage
	err := s.ask("usage", &u)
	return u, err
}

// profile starts a CPU profile of the server, or ends it when there is no path.
func (s *session) profile(path string) error {
	if s.Profile == "" {
		return nil
	}
	var done struct{}
	return s.ask("profile "+path, &done)
}

// ask sends one command and reads its answer.
func (s *session) ask(command string, into any) error {
	if _, err := io.WriteString(s.commands, command+"\n"); err != nil {
		return fmt.Errorf("the server of the bench is gone: %w", err)
	}
	return s.read(into)
}

func (s *session) read(into any) error {
	line, err := s.answers.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return errors.New("the server of the bench ended; what it printed above says why")
	}
	if err != nil {
		return fmt.Errorf("read from the server of the bench: %w", err)
	}
	return json.Unmarshal(line, into)
}

func (s *session) say(format string, args ...any) { _, _ = fmt.Fprintf(s.Progress, format, args...) }

// readBodies reads one JSON body from each line.
func readBodies(path string) ([][]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var bodies [][]byte
	for len(raw) > 0 {
		end := slices.Index(raw, '\n')
		if end < 0 {
			return nil, errors.New("the bodies of the bench end in the middle of a line")
		}
		bodies = append(bodies, raw[:end])
		raw = raw[end+1:]
	}
	if len(bodies) == 0 {
		return nil, errors.New("there are no payments to ask about")
	}
	return bodies, nil
}

// medianOf returns the middle of what is taken from each.
func medianOf[T any, N cmp.Ordered](all []T, take func(T) N) N {
	values := make([]N, len(all))
	for i := range all {
		values[i] = take(all[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// rounded keeps the digits of a measurement that mean something.
func rounded(value float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(value*scale) / scale
}

// Rounded returns the result as it is printed.
func (r Result) Rounded() Result {
	for _, whole := range []*float64{&r.EchoRPS, &r.DecisionsRPS, &r.HalfLoadRPS, &r.BytesPerDecision} {
		*whole = rounded(*whole, 0)
	}
	for _, fine := range []*float64{&r.Ratio, &r.P50, &r.P99, &r.HalfLoadP50, &r.HalfLoadP99, &r.SyncMS} {
		*fine = rounded(*fine, 3)
	}
	for _, time := range []*float64{&r.CPU.ServerPerDecision, &r.CPU.ClientPerDecision, &r.CPU.ServerPerEcho, &r.CPU.ClientPerEcho} {
		*time = rounded(*time, 1)
	}
	r.Rounds = slices.Clone(r.Rounds)
	for i := range r.Rounds {
		one := &r.Rounds[i]
		one.EchoRPS, one.DecisionsRPS, one.Ratio = rounded(one.EchoRPS, 0), rounded(one.DecisionsRPS, 0), rounded(one.Ratio, 3)
	}
	return r
}
