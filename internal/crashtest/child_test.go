// Package crashtest ends a running installation with `kill -9` again and again in the middle of the story, starts it again, and checks
// that nothing that was answered is lost and that nothing is done twice.
package crashtest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/app"
)

// The variables that make this test binary an installation instead of a test.
const (
	childData     = "PROBITY_CRASHTEST_DATA"
	childSMTP     = "PROBITY_CRASHTEST_SMTP"
	childDatabase = "PROBITY_CRASHTEST_DATABASE" // empty: SQLite in the data directory
)

func TestMain(m *testing.M) {
	if directory := os.Getenv(childData); directory != "" {
		if err := serve(directory, os.Getenv(childSMTP), os.Getenv(childDatabase)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// policyName is the policy of an installation that has one of its own, in its data directory.
const policyName = "policy.yaml"

// config is the installation under test: as `probity serve` makes it, with a clock that can be moved.
func config(directory, smtpPort, database string) (app.Config, error) {
	port, err := strconv.Atoi(smtpPort)
	policyFile := filepath.Join(directory, policyName)
	if _, missing := os.Stat(policyFile); missing != nil {
		policyFile = ""
	}
	return app.Config{
		DataDir: directory, PolicyFile: policyFile, Database: database, BaseURL: "http://localhost:8080", CreateDataKey: true, Demo: true, AllowLoopback: true, MailAcceptanceIsFinal: true,
		Mail:  mail.Config{Host: "127.0.0.1", Port: port, TLS: mail.NoTLS, From: "Harbour Cloud <kyc@harbour.example>"},
		Clock: clock.System(), Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}, err
}

// serve runs an installation until it is killed. The first line on standard output is its address.
func serve(directory, smtpPort, database string) error {
	ctx := context.Background()
	c, err := config(directory, smtpPort, database)
	if err != nil {
		return err
	}
	c.Serves = true
	a, err := app.Open(ctx, c)
	if err != nil {
		return err
	}
	defer a.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return a.Serve(ctx, listener)
}
