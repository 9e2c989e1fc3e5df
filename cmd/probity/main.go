// Command probity is the whole product: the server, the demo, and the tools of an operator.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // due dates need every zone, also on a machine without a zone database

	"github.com/alecthomas/kong"

	"github.com/probity/probity/internal/standard/problem"
)

// commands is the command line, a file each.
type commands struct {
	Demo     demoCommand     `cmd:"" help:"Run a KYC Center with a pretend cloud platform, its customers and a mailbox."`
	Serve    serveCommand    `cmd:"" help:"Run a KYC Center for real."`
	Tenant   tenantCommand   `cmd:"" help:"Create and list the organisations that use this installation."`
	Key      keyCommand      `cmd:"" help:"Create, list and revoke API keys."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database schema up to date, or show where it stands."`
	Doctor   doctorCommand   `cmd:"" help:"Look for what is wrong with an installation and say how to mend it."`
	Bench    benchCommand    `cmd:"" help:"Measure this machine with this program."`
	Payments paymentsCommand `cmd:"" help:"Bring past payments in."`
	Policy   policyCommand   `cmd:"" help:"Check, try and compare payment policies."`
	Samples  samplesCommand  `cmd:"" help:"Write specimen documents of invented people, good to upload."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	parser := kong.Must(&c, kong.Name("probity"), kong.Description("An open-source KYC Center and payment-security platform."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	parsed, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "probity:", plain(err))
		os.Exit(1)
	}
}

// plain is an error as a person at a terminal reads it.
func plain(err error) string {
	if p := problem.As(err); p != nil {
		if p.Field != "" {
			return p.Field + ": " + p.Message
		}
		return p.Message
	}
	if errors.Is(err, context.Canceled) {
		return "stopped"
	}
	return err.Error()
}
