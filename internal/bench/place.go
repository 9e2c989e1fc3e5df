package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Place is a database of a run's own, which touches nothing that was there before.
type Place struct {
	Database string       // for ServerConfig
	Remove   func() error // takes everything away that the run has written; waits for nothing
	// Settle is called when the run's accounts are there: PostgreSQL looks at what the tables hold, as it does by itself after some minutes,
	// because until then it plans queries for tables that are empty.
	Settle func(ctx context.Context) error
	Leaves string // what stays and how to remove it when Remove is never called; empty when a folder of the run's own holds everything
}

// schemaPrefix begins the names of the schemas that runs make on PostgreSQL.
const schemaPrefix = "probity_bench_"

// NewPlace prepares a database. Without one it is a SQLite file in dir. "sqlite:PATH" is a file that must not exist. On PostgreSQL it is a
// new schema, so that neither the journal nor the jobs of a running installation meet those of the bench. A server on another machine is
// refused unless remote: the run takes all of its processor for a while.
func NewPlace(ctx context.Context, dir, database string, remote bool, progress io.Writer) (Place, error) {
	if database == "" {
		return Place{Remove: func() error { return nil }, Settle: settled}, nil
	}
	if path, found := strings.CutPrefix(database, "sqlite:"); found {
		return newFile(path)
	}
	if !strings.HasPrefix(database, "postgres://") && !strings.HasPrefix(database, "postgresql://") {
		return Place{}, errors.New("--database must begin with sqlite: or postgres://")
	}
	config, err := pgx.ParseConfig(database)
	if err != nil {
		return Place{}, errors.New("the postgres:// address cannot be read; check its form")
	}
	if !remote && !isLocal(config.Host) {
		return Place{}, errors.New("the database is not on this machine; the bench would take all it can give for a while. If that is what you want, say --remote-database")
	}
	return newSchema(ctx, config, database, progress)
}

func settled(context.Context) error { return nil }

func newFile(path string) (Place, error) {
	if path == "" {
		return Place{}, errors.New("--database sqlite: needs the path of a file")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return Place{}, errors.New("the SQLite file exists; the bench makes its own and removes it afterwards, so name one that does not exist")
	}
	return Place{Database: "sqlite:" + path, Settle: settled, Leaves: "the file " + path, Remove: func() error {
		var failed error
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
				failed = errors.Join(failed, err)
			}
		}
		return failed
	}}, nil
}

// isLocal reports whether a host is this machine: a socket in the file system, localhost, or a loopback address.
func isLocal(host string) bool {
	if host == "" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	address := net.ParseIP(host)
	return address != nil && address.IsLoopback()
}

func newSchema(ctx context.Context, config *pgx.ConnConfig, database string, progress io.Writer) (Place, error) {
	connection, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Place{}, errors.New("PostgreSQL does not answer, or does not let us in; try the address with psql")
	}
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
	for _, name := range leftOver(ctx, connection) {
		_, _ = fmt.Fprintf(progress, "an earlier run left the schema %s; remove it with: DROP SCHEMA %s CASCADE\n", name, name)
	}
	schema := schemaPrefix + strings.ToLower(rand.Text()[:10])
	if _, err := connection.Exec(ctx, "CREATE SCHEMA "+schema); err != nil {
		return Place{}, errors.New("the bench makes a schema of its own and may not: GRANT CREATE ON DATABASE to its role, or name another role")
	}
	address, err := url.Parse(database)
	if err != nil {
		return Place{}, errors.New("the postgres:// address cannot be read; check its form")
	}
	query := address.Query()
	query.Set("search_path", schema)
	address.RawQuery = query.Encode()
	remove := func() error {
		ctx := context.WithoutCancel(ctx)
		connection, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			defer func() { _ = connection.Close(ctx) }()
			_, err = connection.Exec(ctx, "DROP SCHEMA "+schema+" CASCADE")
		}
		if err != nil {
			return errors.New("the schema " + schema + " could not be removed; do it with: DROP SCHEMA " + schema + " CASCADE")
		}
		return nil
	}
	settle := func(ctx context.Context) error {
		connection, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return err
		}
		defer func() { _ = connection.Close(ctx) }()
		rows, err := connection.Query(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = $1", schema)
		if err != nil {
			return err
		}
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, table := range tables {
			if err == nil {
				_, err = connection.Exec(ctx, "ANALYZE "+pgx.Identifier{schema, table}.Sanitize())
			}
		}
		return err
	}
	return Place{Database: address.String(), Remove: remove, Settle: settle, Leaves: "the schema " + schema + " (DROP SCHEMA " + schema + " CASCADE)"}, nil
}

// leftOver lists the schemas of runs that were killed. What cannot be read is told of when it is needed.
func leftOver(ctx context.Context, connection *pgx.Conn) []string {
	rows, err := connection.Query(ctx, "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1) ORDER BY nspname", schemaPrefix)
	if err != nil {
		return nil
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil
	}
	return names
}
