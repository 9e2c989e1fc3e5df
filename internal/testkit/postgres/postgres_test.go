package postgres

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// connect opens a connection that ends with the test.
func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// value returns the one text that a query yields.
func value(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	var got string
	if err := conn.QueryRow(t.Context(), query).Scan(&got); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

func TestDSN(t *testing.T) {
	t.Run("each caller gets an empty database of its own", func(t *testing.T) {
		first, second := connect(t, DSN(t)), connect(t, DSN(t))
		if _, err := first.Exec(t.Context(), "CREATE TABLE accounts (id TEXT PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
		const tables = "SELECT CAST(COUNT(*) AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
		if got, want := value(t, second, tables), "0"; got != want {
			t.Errorf("got %s tables in the second database, want %s", got, want)
		}
		if got, want := value(t, first, tables), "1"; got != want {
			t.Errorf("got %s tables in the first database, want %s", got, want)
		}
	})
	t.Run("texts are UTF-8 and ordered by bytes, as in SQLite", func(t *testing.T) {
		conn := connect(t, DSN(t))
		if got, want := value(t, conn, "SHOW server_encoding"), "UTF8"; got != want {
			t.Errorf("got encoding %s, want %s", got, want)
		}
		if got, want := value(t, conn, "SELECT MIN(word) FROM (VALUES ('a'), ('B')) AS words (word)"), "B"; got != want {
			t.Errorf("got %s first, want %s", got, want)
		}
	})
	t.Run("the server listens on no network address", func(t *testing.T) {
		if got, want := value(t, connect(t, DSN(t)), "SHOW listen_addresses"), ""; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("the database is dropped after its test even if the test left a connection open", func(t *testing.T) {
		var address string
		t.Run("leaves one open", func(t *testing.T) {
			address = DSN(t)
			if _, err := pgx.Connect(context.Background(), address); err != nil {
				t.Fatal(err)
			}
		})
		if conn, err := pgx.Connect(t.Context(), address); err == nil {
			_ = conn.Close(t.Context())
			t.Error("the database is still there")
		}
	})
	t.Run("many tests may ask at once", func(t *testing.T) {
		DSN(t) // skips here, where skipping is allowed, and not in a goroutine
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				server, err := shared()
				if err != nil {
					t.Error(err)
					return
				}
				name, err := server.create()
				if err != nil {
					t.Error(err)
					return
				}
				if err := server.drop(name); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}

// childVariable makes this test binary, run as a child, start a server, print its folder and wait to be killed.
const childVariable = "PROBITY_TESTKIT_POSTGRES_CHILD"

func TestServerEndsWithTheTestProcess(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		DSN(t)
		server, err := shared()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString("folder " + server.folder + "\n"); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	DSN(t) // skips without PostgreSQL
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerEndsWithTheTestProcess$")
	child.Env = append(os.Environ(), childVariable+"=1")
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 4096)
	count, err := output.Read(said)
	if err != nil {
		t.Fatalf("the child said nothing: %v", err)
	}
	line, _, _ := strings.Cut(string(said[:count]), "\n")
	folder, isFolder := strings.CutPrefix(line, "folder ")
	if !isFolder {
		t.Fatalf("the child said %q", line)
	}
	if _, err := os.Stat(filepath.Join(folder, "data")); err != nil {
		t.Fatalf("the child has no server: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	gone := func() bool {
		_, err := os.Stat(folder)
		return errors.Is(err, fs.ErrNotExist)
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for deadline := time.NewTimer(startWithin); !gone(); {
		select {
		case <-deadline.C:
			t.Fatalf("the folder of a killed test process is still there after %v", startWithin)
		case <-look.C:
		}
	}
}

func TestFindPrograms(t *testing.T) {
	t.Run("a folder that is named but holds no programs is refused with advice", func(t *testing.T) {
		t.Setenv(FolderVariable, t.TempDir())
		if _, err := findPrograms(); !errors.Is(err, errNoPrograms) {
			t.Errorf("got %v, want %v", err, errNoPrograms)
		}
	})
}
