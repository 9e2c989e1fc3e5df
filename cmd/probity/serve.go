package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/lines"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/app"
)

// installationFlags say where an installation's data is. Commands that only touch data need no more.
type installationFlags struct {
	Data     string `help:"Data directory: key file, attachments and, by default, the database." default:"./probity-data" env:"PROBITY_DATA" type:"path"`
	Database string `help:"postgres://… or sqlite:PATH; by default a SQLite file in the data directory." env:"PROBITY_DATABASE" placeholder:"DSN"`
	Create   bool   `help:"Make a new installation if the data directory holds none." env:"PROBITY_CREATE"`
}

// outboundFlags say what webhooks and enforcement connectors may reach beside public addresses.
type outboundFlags struct {
	AllowNetworks []string `help:"Private networks (CIDR) that webhooks and enforcement connectors may reach." env:"PROBITY_ALLOW_NETWORKS" name:"allow-network" placeholder:"CIDR"`
	AllowLoopback bool     `help:"Let webhooks and enforcement connectors reach this machine." env:"PROBITY_ALLOW_LOOPBACK"`
}

// open opens the installation for a command that serves nothing.
func (f installationFlags) open(ctx context.Context, outbound outboundFlags) (*app.App, error) {
	networks, err := parseNetworks(outbound.AllowNetworks)
	if err != nil {
		return nil, err
	}
	return app.Open(ctx, app.Config{
		AllowNetworks: networks, AllowLoopback: outbound.AllowLoopback,
		DataDir: f.Data, Database: f.Database, BaseURL: "http://localhost:8080", CreateDataKey: f.Create, Clock: clock.System(),
		Mail: mail.Config{Host: "localhost", Port: 25, TLS: mail.NoTLS, From: "probity@localhost.localdomain"},
		Log:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

// mailFlags say how mail leaves.
type mailFlags struct {
	SMTPHost     string `help:"Mail server." default:"localhost" env:"PROBITY_SMTP_HOST" name:"smtp-host"`
	SMTPPort     int    `help:"Its port." default:"25" env:"PROBITY_SMTP_PORT" name:"smtp-port"`
	SMTPTLS      string `help:"none, starttls or tls." enum:"none,starttls,tls" default:"starttls" env:"PROBITY_SMTP_TLS" name:"smtp-tls"`
	SMTPUser     string `help:"User name, if the server wants one." env:"PROBITY_SMTP_USER" name:"smtp-user"`
	SMTPPassword string `help:"Password; better given in the environment." env:"PROBITY_SMTP_PASSWORD" name:"smtp-password"`
	MailFrom     string `help:"Sender address of all mails." env:"PROBITY_MAIL_FROM" name:"mail-from"`
	MailServer   string `help:"relay: acceptance proves nothing, only an opened Internal Message is receipt. recipient: the server is the recipients' own, its acceptance is receipt." enum:"relay,recipient" default:"relay" env:"PROBITY_MAIL_SERVER" name:"mail-server"`
}

func (f mailFlags) config() mail.Config {
	return mail.Config{
		Host: f.SMTPHost, Port: f.SMTPPort, TLS: mail.TLSMode(f.SMTPTLS), Username: f.SMTPUser, Password: mail.NewPassword(f.SMTPPassword), From: f.MailFrom,
	}
}

// serveCommand runs an installation.
type serveCommand struct {
	installationFlags
	mailFlags
	outboundFlags
	Listen      string `help:"Address to listen on." default:"localhost:8080" env:"PROBITY_LISTEN"`
	BaseURL     string `help:"How browsers reach this installation; by default http:// and the listen address." env:"PROBITY_BASE_URL" name:"base-url"`
	Policy      string `help:"Payment policy (YAML); by default the one that ships with Probity." env:"PROBITY_POLICY" type:"existingfile"`
	Distributed bool   `help:"The PostgreSQL database keeps its shards on several machines (Citus and the like): each transaction of decisions holds one shard's payments." env:"PROBITY_DISTRIBUTED_DATABASE" name:"distributed-database"`
	LogFormat   string `help:"text or json." enum:"text,json" default:"text" env:"PROBITY_LOG_FORMAT"`
}

// Run serves until it is told to stop.
func (c *serveCommand) Run(ctx context.Context) (err error) {
	if c.MailFrom == "" {
		return errors.New("--mail-from is required: account holders must be able to tell who writes to them")
	}
	if c.Distributed && !strings.HasPrefix(c.Database, "postgres") {
		return errors.New("--distributed-database is about a PostgreSQL database: give one with --database postgres://…, or leave it out")
	}
	networks, err := parseNetworks(c.AllowNetworks)
	if err != nil {
		return err
	}
	collectLess(ctx)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	defer func() { _ = listener.Close() }()
	base := strings.TrimRight(c.BaseURL, "/")
	if base == "" {
		base = "http://" + reachable(c.Listen, listener)
	}
	log, endLog := newLog(c.LogFormat, os.Stderr)
	defer func() { err = errors.Join(err, endLog()) }()
	a, err := app.Open(ctx, app.Config{
		DataDir: c.Data, Database: c.Database, BaseURL: base, Mail: c.config(), MailAcceptanceIsFinal: c.MailServer == "recipient",
		AllowNetworks: networks, AllowLoopback: c.AllowLoopback, PolicyFile: c.Policy, Distributed: c.Distributed, Serves: true, CreateDataKey: c.Create, Clock: clock.System(), Log: log,
	})
	if err != nil {
		return err
	}
	defer a.Close()
	if err := printStart(ctx, a, base, listener); err != nil {
		return err
	}
	return a.Serve(ctx, listener)
}

// printStart tells the operator where things are, and how the first administrator of each tenant gets in.
func printStart(ctx context.Context, a *app.App, base string, listener net.Listener) error {
	tenants, err := a.Service.Tenants(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("KYC Center  %s/kyc\nConsole     %s/console\nAPI         %s/v1 (described at %s/openapi.json)\n", base, base, base, base)
	if len(tenants) == 0 {
		fmt.Println("\nThere is no tenant yet. Make one, and an API key for its platform, then start again to get the console link:\n" +
			"  probity tenant create \"Name shown to account holders\"\n  probity key create --tenant TENANT_ID --name \"my platform\"")
	}
	for _, t := range tenants {
		link, err := a.Service.FirstStartLink(ctx, t.ID)
		if err != nil {
			return err
		}
		if link != "" {
			_, path, _ := strings.Cut(strings.TrimPrefix(link, base), "/")
			_, port, _ := net.SplitHostPort(listener.Addr().String())
			fmt.Printf("\n%s has no staff yet. On this machine, within 24 hours, its first administrator opens\n  http://localhost:%s/%s\n", t.Name, port, path)
		}
	}
	return nil
}

// reachable returns the listen address with the port that the system chose, if it was left to the system.
func reachable(listen string, listener net.Listener) string {
	host, _, err := net.SplitHostPort(listen)
	_, port, portError := net.SplitHostPort(listener.Addr().String())
	if err != nil || portError != nil {
		return listen
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func parseNetworks(texts []string) ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, errors.New("--allow-network must be a CIDR such as 10.0.0.0/8")
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// newLog returns a log in the format, and what ends it: a line of a request is written a moment after it, together with others'.
func newLog(format string, to io.Writer) (*slog.Logger, func() error) {
	collected := lines.NewWriter(to)
	var handler slog.Handler = slog.NewTextHandler(collected, nil)
	if format == "json" {
		handler = slog.NewJSONHandler(collected, nil)
	}
	return slog.New(lines.Handler(handler, collected)), collected.Close
}
