package main

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

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/app"
)

// installed makes an installation and returns a doctor that looks at it.
func installed(t *testing.T) *doctorCommand {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "data")
	a, err := app.Open(t.Context(), app.Config{
		DataDir: directory, BaseURL: "http://localhost:8080", CreateDataKey: true, Clock: clock.System(), Log: slog.New(slog.DiscardHandler),
		Mail: mail.Config{Host: "localhost", Port: 25, TLS: mail.NoTLS, From: "probity@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	c := &doctorCommand{}
	c.Data = directory
	return c
}

func TestTheDoctorKnowsTheKeyOfAnotherInstallation(t *testing.T) {
	c := installed(t)
	if err := c.checkKey(t.Context()); err != nil {
		t.Fatalf("the installation's own key: %v", err)
	}
	file := filepath.Join(c.Data, "master.key")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.CreateKeyFile(file); err != nil {
		t.Fatal(err)
	}
	if err := c.checkKey(t.Context()); err == nil || !strings.Contains(err.Error(), "not the one") {
		t.Errorf("another key: got %v, want it refused", err)
	}
	if err := c.checkDatabase(t.Context()); err != nil {
		t.Errorf("the database is well all the same, got %v", err)
	}
}

func TestTheDoctorSpeaksToTheMailServer(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go plainServer(connection)
		}
	}()
	c := &doctorCommand{}
	c.SMTPHost, c.SMTPPort, c.SMTPTLS = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port, "none"
	if err := c.checkMail(context.Background()); err != nil {
		t.Errorf("without TLS: %v", err)
	}
	c.SMTPTLS = "starttls"
	if err := c.checkMail(context.Background()); err == nil {
		t.Error("a server without STARTTLS passed, although no mail could be sent through it")
	}
}

// plainServer is a mail server that knows no TLS.
func plainServer(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	_, _ = io.WriteString(connection, "220 x ESMTP\r\n")
	buffer := make([]byte, 1024)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if strings.HasPrefix(string(buffer[:n]), "QUIT") {
			_, _ = io.WriteString(connection, "221 bye\r\n")
			return
		}
		_, _ = io.WriteString(connection, "250 x\r\n")
	}
}

func TestTheDoctorSeesJobsThatNobodyRuns(t *testing.T) {
	c := installed(t)
	if err := c.checkJobs(t.Context()); err != nil {
		t.Fatalf("an installation without jobs: %v", err)
	}
	s, err := c.openStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = s.Write(t.Context(), func(_ context.Context, tx *store.Tx) error {
		return tx.Enqueue(store.Job{Kind: "send_notice", DueAt: tx.Now().Add(-time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.checkJobs(t.Context()); err == nil || !strings.Contains(err.Error(), "has been due for 1h0m") {
		t.Errorf("a job due for an hour: got %v", err)
	}
	jobs, err := s.Claim(t.Context(), 1, time.Minute)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("got %d jobs, %v", len(jobs), err)
	}
	if err := s.Bury(t.Context(), jobs[0], "unknown_kind"); err != nil {
		t.Fatal(err)
	}
	if err := c.checkJobs(t.Context()); err == nil || !strings.Contains(err.Error(), "given up") {
		t.Errorf("a job that was given up: got %v", err)
	}
}
