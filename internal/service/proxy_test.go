package service_test

import (
	"bytes"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/probity/probity/internal/testkit/postgres"
)

// newWorldBehindProxy returns a world on PostgreSQL, and a function after which the answer to the next commit that wrote something is
// lost: the server carries it out, and the connection ends before the client hears of it.
func newWorldBehindProxy(t *testing.T) (*world, func()) {
	t.Helper()
	direct := postgres.DSN(t)
	address, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	options := address.Query()
	socket := options.Get("host") + "/.s.PGSQL.5432"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var lose atomic.Bool
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", socket)
			if err != nil {
				_ = client.Close()
				continue
			}
			go relay(client, server, &lose)
		}
	}()
	options.Set("host", "127.0.0.1")
	options.Set("port", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	address.RawQuery = options.Encode()
	w := newWorld(t, address.String())
	return w, func() { lose.Store(true) }
}

// relay passes bytes on both ways, until it has to lose the answer to a commit.
func relay(client, server net.Conn, lose *atomic.Bool) {
	defer client.Close()
	defer server.Close()
	var losing, wrote atomic.Bool
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := client.Read(buffer)
			if bytes.Contains(buffer[:n], []byte("begin")) {
				wrote.Store(!bytes.Contains(buffer[:n], []byte("read only")))
			}
			if bytes.Contains(buffer[:n], []byte("commit\x00")) && wrote.Load() && lose.CompareAndSwap(true, false) {
				losing.Store(true)
			}
			if _, writeError := server.Write(buffer[:n]); err != nil || writeError != nil {
				_ = server.Close()
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if losing.Load() {
			return
		}
		if _, writeError := client.Write(buffer[:n]); err != nil || writeError != nil {
			return
		}
	}
}
