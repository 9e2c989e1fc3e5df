package app

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/testkit/postgres"
)

// forwarder passes connections on to a PostgreSQL server until it is cut.
type forwarder struct {
	listener net.Listener
	mutex    sync.Mutex
	open     []net.Conn
}

// forward returns the address of a database behind a forwarder.
func forward(t *testing.T) (*forwarder, string) {
	t.Helper()
	address, err := url.Parse(postgres.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	options := address.Query()
	socket := options.Get("host") + "/.s.PGSQL.5432"
	f := &forwarder{}
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.cut)
	go func() {
		for {
			client, err := f.listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", socket)
			if err != nil {
				_ = client.Close()
				return
			}
			f.mutex.Lock()
			f.open = append(f.open, client, server)
			f.mutex.Unlock()
			go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
			go func() { _, _ = io.Copy(client, server); _ = client.Close() }()
		}
	}()
	options.Set("host", "127.0.0.1")
	options.Set("port", strconv.Itoa(f.listener.Addr().(*net.TCPAddr).Port))
	address.RawQuery = options.Encode()
	return f, address.String()
}

// cut ends all connections and takes no more: the server is gone.
func (f *forwarder) cut() {
	_ = f.listener.Close()
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, connection := range f.open {
		_ = connection.Close()
	}
	f.open = nil
}

func TestWithoutItsPostgresEverythingAnswersTryAgainLater(t *testing.T) {
	between, address := forward(t)
	c := config(filepath.Join(t.TempDir(), "data"))
	c.Database = address
	a := open(t, c)
	tenant, err := a.Service.CreateTenant(t.Context(), policy.Tenant{Name: "Harbour Cloud"})
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := a.Service.CreateKey(t.Context(), tenant.ID, "tests")
	if err != nil {
		t.Fatal(err)
	}
	handler := a.Handler()
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(t.Context(), method, "http://localhost:8080"+path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+key.Reveal())
		request.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(path, "/console") {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer
	}
	if got := ask(http.MethodGet, "/v1/cases", ""); got.Code != http.StatusOK {
		t.Fatalf("got %d before the database went away: %s", got.Code, got.Body)
	}
	between.cut()
	for _, one := range []struct{ method, path, body, want string }{
		{http.MethodGet, "/v1/cases", "", `"code":"database_unavailable"`},
		{http.MethodGet, "/v1/policies", "", `"code":"database_unavailable"`},
		{http.MethodPost, "/v1/accounts", `{"kind":"individual","name":"Alma Petersen"}`, `"code":"database_unavailable"`},
		{http.MethodPost, "/v1/payments", `{"account_id":"acct_06f3q8x2m4v7t9k1c5n0b8h2w6","amount":{"amount_minor":100,"currency":"USD"}}`, `"code":"`},
		{http.MethodPost, "/console/sign-in", "email=ana%40harbour.example&passphrase=correct+horse+battery", "The database does not answer"},
	} {
		got := ask(one.method, one.path, one.body)
		if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" || !strings.Contains(got.Body.String(), one.want) {
			t.Errorf("%s %s: got %d, Retry-After %q, %s", one.method, one.path, got.Code, got.Header().Get("Retry-After"), got.Body)
		}
	}
}
