package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/risk"
)

func config(directory string) Config {
	now := func() time.Time { return time.Date(2026, 11, 9, 2, 0, 0, 0, time.UTC) }
	return Config{
		DataDir: directory, BaseURL: "http://localhost:8080", CreateDataKey: true, Clock: clock.New(now), Log: slog.New(slog.DiscardHandler),
		Mail: mail.Config{Host: "127.0.0.1", Port: 25, TLS: mail.NoTLS, From: "kyc@harbour.example"},
	}
}

func open(t *testing.T, c Config) *App {
	t.Helper()
	a, err := Open(t.Context(), c)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(a.Close)
	return a
}

func TestAnInstallationIsThereAgainAtTheNextStart(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "data")
	a := open(t, config(directory))
	tenant, err := a.Service.CreateTenant(t.Context(), policy.Tenant{Name: "Harbour Cloud"})
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	a.Close() // a second time does nothing
	c := config(directory)
	c.CreateDataKey = false
	again := open(t, c)
	if found, err := again.Service.Tenant(t.Context(), tenant.ID); err != nil || found.Name != tenant.Name {
		t.Errorf("got %q (%v), want the tenant", found.Name, err)
	}
	for _, name := range []string{".", "master.key", "probity.db"} {
		info, err := os.Stat(filepath.Join(directory, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others (%v)", name, err)
		}
	}
}

func TestAPolicyFileThatChangedUnderTheSameVersionIsRefused(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "data"))
	c.PolicyFile = filepath.Join(t.TempDir(), "policy.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(c.PolicyFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shipped := string(risk.DefaultYAML())
	write(shipped)
	open(t, c).Close()
	changed := strings.Replace(shipped, "triggers_to_reject: 2", "triggers_to_reject: 3", 1)
	write(changed)
	if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "give the changed text a new version") {
		t.Fatalf("got %v, want to be told to give the text a new version", err)
	}
	write(shipped)
	open(t, c).Close()
	write(strings.Replace(changed, `version: "2026-11-20"`, "version: ours-1", 1))
	open(t, c)
}

func TestWithoutItsKeyFileAnInstallationDoesNotStart(t *testing.T) {
	directory := t.TempDir()
	open(t, config(directory)).Close()
	keyFile := filepath.Join(directory, "master.key")
	if err := os.Rename(keyFile, keyFile+".lost"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), config(directory))
	if err == nil || !strings.Contains(err.Error(), "key_file_wrong") {
		t.Errorf("got %v, want that the key file is wrong", err)
	}
	if _, err := os.Stat(keyFile); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that no new key file lies there", err)
	}
	if err := os.Rename(keyFile+".lost", keyFile); err != nil {
		t.Fatal(err)
	}
	open(t, config(directory))
}

func TestOverTLSBrowsersAreToldToStayThere(t *testing.T) {
	for base, want := range map[string]string{"https://kyc.example.com": "max-age=63072000", "http://localhost:8080": ""} {
		c := config(t.TempDir())
		c.BaseURL = base
		handler := open(t, c).Handler()
		for _, path := range []string{"/kyc/", "/console/", "/v1/accounts", "/assets/base.css"} {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, http.NoBody))
			if got := answer.Header().Get("Strict-Transport-Security"); got != want {
				t.Errorf("%s%s: got %q, want %q", base, path, got, want)
			}
		}
	}
}

func TestWhatDoesNotOpen(t *testing.T) {
	used := t.TempDir()
	serving := config(used)
	serving.Serves = true
	open(t, serving)
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"a directory that is not there, when none is to be made", func(c *Config) {
			c.DataDir, c.CreateDataKey = filepath.Join(used, "typo"), false
		}, "there is no installation in"},
		{"a directory that another process serves", func(c *Config) { *c = serving }, "in use"},
		{"a policy that cannot be read", func(c *Config) { c.PolicyFile = filepath.Join(used, "none.yaml") }, "read the payment policy"},
		{"a base URL without its scheme", func(c *Config) { c.BaseURL = "kyc.example.com" }, "https://kyc.example.com"},
		{"a base URL with a path", func(c *Config) { c.BaseURL = "https://example.com/kyc" }, "nothing behind it"},
		{"no base URL", func(c *Config) { c.BaseURL = "" }, "required"},
		{"a mail server without a name", func(c *Config) { c.Mail.Host = "" }, "mail"},
		{"a database of another sort", func(c *Config) { c.Database = "mysql://localhost" }, "postgres://"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(t.TempDir())
			test.change(&c)
			a, err := Open(t.Context(), c)
			if err == nil {
				a.Close()
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(used, "typo")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that a mistyped directory is not made", err)
	}
}

func TestMetricsTellOfJobsThatWaitAndThatWereGivenUp(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "data"))
	now := time.Date(2026, 11, 9, 2, 0, 0, 0, time.UTC)
	c.Clock = clock.New(func() time.Time { return now })
	a := open(t, c)
	err := a.Store.Write(t.Context(), func(_ context.Context, tx *store.Tx) error {
		return tx.EnqueueNow(store.Job{Kind: "from_a_newer_version", Key: "one"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Service.RunDueJobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = a.Store.Write(t.Context(), func(_ context.Context, tx *store.Tx) error {
		return tx.EnqueueNow(store.Job{Kind: "from_a_newer_version", Key: "two"})
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(90 * time.Second)
	answer := httptest.NewRecorder()
	a.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`probity_jobs{state="pending"} 1`, `probity_jobs{state="dead"} 1`, "probity_jobs_late_seconds 90", "probity_sqlite_checkpoints_failed 0"} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
}
