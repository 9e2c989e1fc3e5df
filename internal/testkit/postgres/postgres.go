// Package postgres gives tests an empty PostgreSQL database each, on a private server that the first caller of a test process
// starts. The server keeps its files in a new temporary folder, listens on a Unix socket in that folder and on nothing else, and
// ends with the test process however that process ends, `kill -9` included. It has nothing to do with any PostgreSQL that runs on
// the machine.
//
// The server runs with fsync off: a test of durability kills our process, not the database.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/probity/probity/internal/testkit/tool"
)

// FolderVariable is the environment variable that names the folder of initdb and postgres where they are in an unusual place.
const FolderVariable = "PROBITY_POSTGRES_BIN"

const (
	startWithin  = time.Minute
	lookEvery    = 20 * time.Millisecond
	administrate = 30 * time.Second
)

// errNoPrograms says that PostgreSQL's server programs were not found.
var errNoPrograms = errors.New("no PostgreSQL server programs (initdb and postgres) on this machine: run scripts/install-test-tools.sh, " +
	"or name their folder in " + FolderVariable)

// shared is the server of this test process. It is started once and has no end of its own: see the package comment.
var shared = sync.OnceValues(start)

// DSN returns the address of a fresh, empty database, as a URL that pgx understands. The database is dropped when the test ends,
// with whatever connections the test left open. Without PostgreSQL on the machine the test is skipped, or fails when
// tool.RequireVariable is set.
func DSN(t testing.TB) string {
	t.Helper()
	server, err := shared()
	if errors.Is(err, errNoPrograms) {
		tool.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatalf("start a private PostgreSQL: %v", err)
	}
	name, err := server.create()
	if err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := server.drop(name); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return server.address(name)
}

// cluster is a running server.
type cluster struct {
	folder string // holds the socket, the log and the data
	owner  string // the database role that owns everything

	mu      sync.Mutex
	admin   *pgx.Conn
	created int
}

// address returns the URL of one database of the cluster.
func (c *cluster) address(database string) string {
	query := url.Values{"host": {c.folder}, "user": {c.owner}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + query.Encode()
}

// create makes an empty database and returns its name.
func (c *cluster) create() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.created++
	name := "probity_test_" + strconv.Itoa(c.created)
	return name, c.execute("CREATE DATABASE " + name)
}

// drop removes a database that create made.
func (c *cluster) drop(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.execute("DROP DATABASE " + name + " WITH (FORCE)")
}

// execute runs one administrative statement. The caller holds mu.
func (c *cluster) execute(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), administrate)
	defer cancel()
	_, err := c.admin.Exec(ctx, statement)
	if err == nil || !c.admin.IsClosed() {
		return err
	}
	// A test may have killed a process of the server, which then ends all connections and recovers.
	for {
		admin, connectError := pgx.Connect(ctx, c.address("postgres"))
		if connectError == nil {
			c.admin = admin
			_, err = admin.Exec(ctx, statement)
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, connectError)
		case <-time.After(lookEvery):
		}
	}
}

// keeper starts the server and outlives the test process just long enough to end the server and remove its folder. Its standard
// input is a pipe whose other end only the test process holds, so the end of that process, of whatever kind, is the end of the
// input. Arguments: folder of the programs, folder of the cluster, name of the owner.
const keeper = `
bin=$1 folder=$2 owner=$3
cd "$folder" || exit 1
"$bin/initdb" --pgdata="$folder/data" --username="$owner" --auth=trust --encoding=UTF8 --no-locale --no-sync >"$folder/log" 2>&1 || exit 1
"$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=200 -c fsync=off -c full_page_writes=off \
  -c timezone=UTC -c log_timezone=UTC -c shared_buffers=64MB -c max_wal_size=2GB >>"$folder/log" 2>&1 </dev/null &
server=$!
while read -r _; do :; done
kill -QUIT "$server" 2>/dev/null
wait "$server"
cd /
rm -rf "$folder"
`

// start makes a cluster and waits until it answers.
func start() (*cluster, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "probity-pg-")
	if err != nil {
		return nil, err
	}
	if err := account.own(folder); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	c := &cluster{folder: folder, owner: "probity"}
	command := exec.Command("/bin/sh", "-c", keeper, "probity-postgres-keeper", programs, folder, c.owner)
	command.SysProcAttr = account.attributes()
	command.Dir = folder
	// The keeper must not inherit the variables that point PostgreSQL's programs somewhere else.
	command.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "PG") })
	// The system closes this end when the process ends. The goroutine below holds on to it, lest it is collected, and so closed,
	// while the server is in use.
	lifeline, err := command.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := command.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	ended := make(chan error, 1)
	go func() {
		state, err := command.Process.Wait()
		ended <- errors.Join(fmt.Errorf("the server ended at once (%v)", state), err)
		_ = lifeline.Close()
	}()
	if err := c.connect(ended); err != nil {
		err = fmt.Errorf("%w; the last lines of its log:\n%s", err, c.logTail())
		return nil, errors.Join(err, lifeline.Close(), os.RemoveAll(folder))
	}
	return c, nil
}

// connect waits until the server takes a connection and keeps it for administration.
func (c *cluster) connect(ended <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.address("postgres"))
		if err == nil {
			c.admin = conn
			return nil
		}
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return fmt.Errorf("it does not answer within %v: %w", startWithin, err)
		case <-look.C:
		}
	}
}

// logTail returns the end of the cluster's log, or why it cannot be read.
func (c *cluster) logTail() string {
	const enough = 2000
	file, err := os.Open(filepath.Join(c.folder, "log"))
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-enough):])
}

// findPrograms returns the folder that holds initdb and postgres: the one that FolderVariable names, the one on the PATH, or the
// newest in the places where packages put them (scripts/install-test-tools.sh looks at the same).
func findPrograms() (string, error) {
	if folder := os.Getenv(FolderVariable); folder != "" {
		if !holdsPrograms(folder) {
			return "", fmt.Errorf("%w (it is set, but its folder holds no initdb and postgres)", errNoPrograms)
		}
		return folder, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		// A link in the PATH may point to a folder that holds the rest of the programs; initdb wants them beside itself.
		if target, err := filepath.EvalSymlinks(path); err == nil && holdsPrograms(filepath.Dir(target)) {
			return filepath.Dir(target), nil
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin",
		"/usr/local/pgsql/bin",
	} {
		folders, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, folder := range slices.Backward(folders) {
			if holdsPrograms(folder) {
				return folder, nil
			}
		}
	}
	return "", errNoPrograms
}

// holdsPrograms reports whether both programs are in the folder.
func holdsPrograms(folder string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(folder, program)); err != nil {
			return false
		}
	}
	return true
}
