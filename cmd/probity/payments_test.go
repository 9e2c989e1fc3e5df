package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/app"
	"github.com/probity/probity/internal/domain/policy"
)

// platform is an installation that answers, with one account.
func platform(t *testing.T) (url, key string) {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{
		DataDir: filepath.Join(t.TempDir(), "data"), BaseURL: "http://localhost", CreateDataKey: true, Clock: clock.System(), Log: slog.New(slog.DiscardHandler),
		Mail: mail.Config{Host: "localhost", Port: 25, TLS: mail.NoTLS, From: "probity@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	tenant, err := a.Service.CreateTenant(t.Context(), policy.Tenant{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := a.Service.CreateKey(t.Context(), tenant.ID, "shop")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	_, err = client.New(server.URL, secret.Reveal()).CreateAccount(t.Context(), client.NewAccount{Kind: "individual", Name: "Alma", ExternalID: "customer-1"})
	if err != nil {
		t.Fatal(err)
	}
	return server.URL, secret.Reveal()
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const pastCSV = `transaction_id,timestamp,customer_id,amount,currency,merchant
a,2026-01-01T10:00:00Z,customer-1,12.50,USD,m
b,yesterday,customer-1,12.50,USD,m
c,2026-01-03T10:00:00Z,customer-9,12.50,USD,m
d,2026-01-02T10:00:00Z,customer-1,-12.50,USD,m
e,2026-01-02T10:00:00Z,customer-1,12.50,USD,m
`

// imported runs the command and returns its report.
func (c *paymentsImportCommand) imported(t *testing.T) (importReport, error) {
	t.Helper()
	var out bytes.Buffer
	c.JSON, c.out = true, &out
	if c.FromLine == 0 {
		c.FromLine = 1
	}
	err := c.Run(t.Context())
	var report importReport
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatalf("%q: %v", out.String(), err)
		}
	}
	return report, err
}

func TestAnImportAccountsForEveryLine(t *testing.T) {
	url, key := platform(t)
	refused := filepath.Join(t.TempDir(), "refused.ndjson")
	c := &paymentsImportCommand{File: written(t, "past.csv", pastCSV), URL: url, Key: key, Refused: refused}
	got, err := c.imported(t)
	if err == nil || !strings.Contains(err.Error(), "3 lines") {
		t.Errorf("got %v", err)
	}
	if got.Imported != 2 || got.Known != 0 || got.Refused != 3 || got.ThroughLine != 6 {
		t.Errorf("got %+v", got)
	}
	var lines []int64
	for _, one := range got.Listed {
		lines = append(lines, one.Line)
	}
	if fmt.Sprint(lines) != "[3 4 5]" {
		t.Errorf("got %+v", got.Listed)
	}
	all, err := os.ReadFile(refused)
	if err != nil || strings.Count(string(all), "\n") != 3 || strings.Contains(string(all), "customer-9") {
		t.Errorf("got %s, %v", all, err)
	}
	again, _ := c.imported(t)
	if again.Imported != 0 || again.Known != 2 {
		t.Errorf("a second time: got %+v", again)
	}
	c.FromLine = 6
	if rest, err := c.imported(t); err != nil || rest.Known != 1 || rest.Refused != 0 {
		t.Errorf("from line 6: got %+v, %v", rest, err)
	}
}

func TestAnImportPrintsForPeople(t *testing.T) {
	url, key := platform(t)
	var out bytes.Buffer
	c := &paymentsImportCommand{File: written(t, "past.csv", pastCSV), URL: url, Key: key, FromLine: 1, out: &out}
	if err := c.Run(t.Context()); err == nil {
		t.Error("lines were refused, and nothing was said")
	}
	for _, want := range []string{"2 payments brought in, 0 known already, 3 lines not brought in", "line 3: at: not an instant", "line 4: account_external_id:", "line 5: amount: negative"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestImportsThatCannotBegin(t *testing.T) {
	url, key := platform(t)
	noID := "timestamp,customer_id,amount,currency\n2026-01-01T10:00:00Z,customer-1,12.50,USD\n"
	for name, test := range map[string]struct {
		c    paymentsImportCommand
		want string
	}{
		"without a key":           {paymentsImportCommand{File: written(t, "a.csv", pastCSV), URL: url}, "PROBITY_KEY"},
		"with a wrong key":        {paymentsImportCommand{File: written(t, "a.csv", pastCSV), URL: url, Key: "pk_live_none"}, "api_key_unknown"},
		"of an empty file":        {paymentsImportCommand{File: written(t, "a.csv", ""), URL: url, Key: key}, "empty"},
		"of a file without ids":   {paymentsImportCommand{File: written(t, "a.csv", noID), URL: url, Key: key}, "--id-prefix"},
		"of columns nobody knows": {paymentsImportCommand{File: written(t, "a.csv", "x,y\n1,2\n"), URL: url, Key: key}, "column"},
		"with a map that is none": {paymentsImportCommand{File: written(t, "a.csv", pastCSV), Map: written(t, "m.yaml", "x: 1"), URL: url, Key: key}, "map"},
		"with a wrong currency":   {paymentsImportCommand{File: written(t, "a.csv", pastCSV), Currency: "euro", URL: url, Key: key}, "--currency"},
		"with an address":         {paymentsImportCommand{File: written(t, "a.csv", pastCSV), URL: "nowhere", Key: key}, "base URL"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.c.imported(t)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	c := &paymentsImportCommand{File: written(t, "a.csv", noID), URL: url, Key: key, IDPrefix: "2026-"}
	if got, err := c.imported(t); err != nil || got.Imported != 1 {
		t.Errorf("with ids of lines: got %+v, %v", got, err)
	}
}

func TestAConnectionThatBroughtPastPaymentsInServesTheNextRequest(t *testing.T) {
	url, key := platform(t)
	for range 40 {
		c := &paymentsImportCommand{File: written(t, "a.csv", "transaction_id,timestamp,customer_id,amount,currency\na,2026-01-01T10:00:00Z,customer-1,12.50,USD\n"), URL: url, Key: key}
		if _, err := c.imported(t); err != nil {
			t.Fatal(err)
		}
	}
}
