package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/probity/probity/internal/demo"
)

// demoCommand runs the demo.
type demoCommand struct {
	Data   string `help:"Where the demo keeps its data; it is there again at the next start." default:"./probity-data" env:"PROBITY_DATA" type:"path"`
	Listen string `help:"Address to listen on; port 0 lets the system choose." default:"localhost:8080" env:"PROBITY_LISTEN"`
	JSON   bool   `help:"Print one line of JSON on standard output when ready: url, api_key, console_link, mailbox_url." name:"json"`
}

// Run runs the demo until it is told to stop. Standard output holds what a visitor needs to begin, everything else goes to standard
// error.
func (c *demoCommand) Run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var printError error
	err := demo.Run(ctx, demo.Config{DataDir: c.Data, Listen: c.Listen, Now: time.Now, Log: log, Ready: func(r demo.Ready) {
		if r.Exposed {
			fmt.Fprintln(os.Stderr, "WARNING: other machines can reach this demo. Whoever does can read every mail in it, and so sign in as any of its customers.")
		}
		if c.JSON {
			fmt.Fprintf(os.Stderr, "ready within %.1f s\n", r.Within.Seconds())
			printError = printJSON(os.Stdout, r)
			return
		}
		printError = c.printGuide(os.Stdout, r)
	}})
	if err == nil {
		err = printError
	}
	return err
}

// printJSON prints the one line that a script waits for.
func printJSON(to io.Writer, r demo.Ready) error {
	return json.NewEncoder(to).Encode(struct {
		URL         string `json:"url"`
		APIKey      string `json:"api_key"`
		ConsoleLink string `json:"console_link"`
		MailboxURL  string `json:"mailbox_url"`
	}{r.URL, r.APIKey, r.ConsoleLink, r.MailboxURL})
}

func (c *demoCommand) printGuide(to io.Writer, r demo.Ready) error {
	made := "The world of the last visit is there again"
	if r.Played {
		made = "A world was made"
	}
	console := "Console     " + r.ConsoleLink
	if r.FirstStart {
		console = "Console     " + r.URL + "/console/\n            nobody has joined yet; on this machine, within 24 hours, open\n            " + r.ConsoleLink
	}
	_, err := fmt.Fprintf(to, `%s in %s, within %.1f s. Stop with Ctrl+C.

Start here  %s/
Platform    %s
KYC Center  %s
%s
Mailbox     %s
API key     %s

Try this first: open the platform, choose "Suspicious payment", and follow the mail.
`, made, c.Data, r.Within.Seconds(), r.URL, r.PlatformURL, r.KYCURL, console, r.MailboxURL, r.APIKey)
	return err
}
