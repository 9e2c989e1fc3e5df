// Package demo runs Probity with a world around it: a pretend cloud platform that is its tenant, a mailbox that takes its mails, and
// customers with a past. Probity itself runs as it does anywhere, on a data directory of its own; everything around it goes through
// the public API, the connector and SMTP.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/demo/mailbox"
	"github.com/probity/probity/internal/demo/platform"
	"github.com/probity/probity/internal/demo/world"
)

// Config says where the demo runs. Every field is required.
type Config struct {
	DataDir string
	Listen  string // host:port; port 0 lets the system choose
	Now     func() time.Time
	Log     *slog.Logger
	// Ready is called once, when everything can be used.
	Ready func(Ready)
}

// Ready is what a visitor needs to begin.
type Ready struct {
	URL         string // of the landing page, without a slash at its end
	APIKey      string
	ConsoleLink string // the first-start link, or the sign-in page once somebody has joined
	FirstStart  bool   // ConsoleLink is the first-start link
	MailboxURL  string
	PlatformURL string
	KYCURL      string
	Exposed     bool // other machines can reach it
	Played      bool // the world's past was played during this start
	Within      time.Duration
}

// demo is a running demo, while it is put together.
type demo struct {
	Config
	listener net.Listener
	base     string
	timeline *timeline
	clock    *clock.Clock
	app      *app.App
	state    *state
	box      *mailbox.Box
	store    *platform.Store
	client   *client.Client
	// firstStart is the link printed at this start, for the landing page; nil when somebody had joined.
	firstStart atomic.Pointer[string]
	prepared   atomic.Bool // the world's past was played
}

// Run runs the demo until ctx ends. What was changed by then is there again at the next start with the same directory.
func Run(ctx context.Context, c Config) error {
	started := c.Now()
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	d := &demo{Config: c, listener: listener, base: "http://" + reachable(c.Listen, listener), timeline: &timeline{source: c.Now}}
	d.clock = clock.New(d.timeline.now)
	smtpServer, err := d.openMailbox()
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- smtpServer.Serve() }()
	err = d.run(ctx, started, smtpServer.Port())
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, smtpServer.Shutdown(ending), <-served)
}

func (d *demo) openMailbox() (*mailbox.Server, error) {
	var err error
	if d.box, err = mailbox.Open(filepath.Join(d.DataDir, "mailbox"), d.clock.Wall); err != nil {
		return nil, err
	}
	return mailbox.Listen(d.box, d.Log)
}

// run opens the installation, serves it, and plays the world's past if that was not done yet.
func (d *demo) run(ctx context.Context, started time.Time, smtpPort int) error {
	if err := d.open(ctx, smtpPort); err != nil {
		return err
	}
	defer d.app.Close()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- d.app.Serve(serving, d.listener) }()
	err := d.prepare(ctx, started)
	if err != nil {
		stop()
	}
	ended := <-served
	if ctx.Err() != nil {
		// It was told to stop, so what was interrupted by that is no failure.
		return ended
	}
	return errors.Join(err, ended)
}

// prepare plays the world's past if that was not done, and says when everything can be used.
func (d *demo) prepare(ctx context.Context, started time.Time) error {
	played := !d.state.Complete
	if err := d.play(ctx); err != nil {
		return fmt.Errorf("make the demo's world: %w", err)
	}
	ready, err := d.ready(ctx)
	if err != nil {
		return err
	}
	ready.Played, ready.Within = played, d.Now().Sub(started)
	d.Ready(ready)
	return nil
}

func (d *demo) open(ctx context.Context, smtpPort int) error {
	var err error
	d.app, err = app.Open(ctx, app.Config{
		DataDir: d.DataDir, BaseURL: d.base, Demo: true, Serves: true, CreateDataKey: true, Clock: d.clock, Log: d.Log,
		Mail:                  mail.Config{Host: "127.0.0.1", Port: smtpPort, TLS: mail.NoTLS, From: "Nimbus Cloud <kyc@nimbus-cloud.example>"},
		MailAcceptanceIsFinal: true, AllowLoopback: true, AllowNetworks: ownNetworks(d.listener),
	})
	if err != nil {
		return err
	}
	if err := d.openTenant(ctx); err != nil {
		d.app.Close()
		return err
	}
	d.client = client.New(d.own(), d.state.APIKey)
	if err := d.mount(ctx); err != nil {
		d.app.Close()
		return err
	}
	return nil
}

// play plays the chapters of the world's past that were not finished, each in its own time.
func (d *demo) play(ctx context.Context) error {
	if d.state.Complete {
		return nil
	}
	w, err := world.New(world.Config{Client: d.client, Platform: d.store, Now: d.clock.Now})
	if err != nil {
		return err
	}
	for chapter := max(d.state.Chapter, world.Past); chapter <= world.Today; chapter++ {
		if err := d.begin(chapter); err != nil {
			return err
		}
		if err := w.Play(ctx, chapter); err != nil {
			return err
		}
	}
	d.state.Complete = true
	return d.state.save()
}

// begin moves the timeline to a chapter. How far behind it is was written down before anything happened in it, so that a chapter that
// was interrupted goes on where it was, and time never runs backwards.
func (d *demo) begin(chapter world.Chapter) error {
	if d.state.Chapter != chapter {
		behind, err := behindOf(chapter, d.Now(), tenantZone())
		if err != nil {
			return err
		}
		d.state.Chapter, d.state.Behind = chapter, behind
		if err := d.state.save(); err != nil {
			return err
		}
	}
	d.timeline.setBehind(d.state.Behind)
	d.app.Worker.Wake()
	return nil
}

// ready collects what a visitor needs. The first-start link is made anew at each start while nobody has joined.
func (d *demo) ready(ctx context.Context) (Ready, error) {
	link, err := d.app.Service.FirstStartLink(ctx, tenantID)
	if err != nil {
		return Ready{}, err
	}
	r := Ready{
		URL: d.base, APIKey: d.state.APIKey, ConsoleLink: d.base + "/console/", MailboxURL: d.base + mailbox.Prefix,
		PlatformURL: d.base + platform.Prefix, KYCURL: d.base + "/kyc/", Exposed: exposed(d.listener),
	}
	if link != "" {
		r.ConsoleLink, r.FirstStart = link, true
		d.firstStart.Store(&link)
	}
	d.prepared.Store(true)
	return r, nil
}

// listen opens the address, or says in words why it cannot be had.
func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use by another program; stop it, or choose another one with --listen, e.g. --listen localhost:0", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// reachable returns how a browser on this machine reaches the listener: the host as it was asked for, the port as it was given.
func reachable(asked string, listener net.Listener) string {
	host, _, err := net.SplitHostPort(asked)
	address := tcpAddress(listener)
	if err != nil || host == "" || address.Addr().IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(int(address.Port())))
}

// own returns the address at which this process calls itself, without asking a name server.
func (d *demo) own() string {
	address := tcpAddress(d.listener)
	if address.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), address.Port())
	}
	return "http://" + address.String()
}

func tcpAddress(listener net.Listener) netip.AddrPort {
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
}

// exposed reports whether other machines can reach the listener.
func exposed(listener net.Listener) bool { return !tcpAddress(listener).Addr().IsLoopback() }

// ownNetworks is this machine's own address when it listens on one that is not loopback: commands to the platform go there.
func ownNetworks(listener net.Listener) []netip.Prefix {
	address := tcpAddress(listener).Addr()
	if address.IsLoopback() || address.IsUnspecified() || !address.IsValid() {
		return nil
	}
	return []netip.Prefix{netip.PrefixFrom(address, address.BitLen())}
}

// mount adds the platform, the mailbox and the landing page to what the installation answers.
func (d *demo) mount(ctx context.Context) error {
	var err error
	if d.store, err = platform.OpenStore(filepath.Join(d.DataDir, "platform.json")); err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	d.app.Mount(platform.Prefix, platform.Handler(platform.Config{
		Client: d.client, Store: d.store, ConnectorSecret: d.state.ConnectorSecret, Now: d.clock.Wall, Brand: brand(), Nav: doors(platform.Prefix), Log: d.Log,
	}))
	d.app.Mount(mailbox.Prefix, mailbox.Handler(mailbox.Config{Box: d.box, Brand: brand(), Nav: doors(mailbox.Prefix), Log: d.Log}))
	d.app.Mount("/platform", http.RedirectHandler(platform.Prefix, http.StatusSeeOther))
	d.app.Mount("/mailbox", http.RedirectHandler(mailbox.Prefix, http.StatusSeeOther))
	d.app.Mount("GET /specimens/{name}", specimens(d.clock.Now))
	d.app.Mount("/{$}", d.landing())
	return nil
}
