package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/testkit/postgres"
)

func TestUnreachable(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":                         {nil, false},
		"a transaction that cannot begin": {fmt.Errorf("%w: %w", ErrBegin, errors.New("no")), true},
		"an asker who left":               {fmt.Errorf("%w: %w", ErrBegin, context.Canceled), false},
		"a server that ends":              {fmt.Errorf("store: %w", &pgconn.PgError{Code: "57P01"}), true},
		"too many connections":            {&pgconn.PgError{Code: "53300"}, true},
		"a connection that ended":         {fmt.Errorf("%w: %w", ErrCommit, io.ErrUnexpectedEOF), true},
		"a rule that was broken":          {&pgconn.PgError{Code: "23514"}, false},
		"a refusal":                       {problem.Missing("payment"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Unreachable(c.err); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// A connection that the server ends in the middle of a transaction, and a server that is not there.
func TestAPostgresThatGoesAwayIsUnreachable(t *testing.T) {
	s := openFor(t, postgres.DSN(t))
	killer := openFor(t, s.config.DSN)
	err := s.Read(t.Context(), func(_ context.Context, tx *Tx) error {
		pid, err := one(tx, "process", scanCount64, "SELECT pg_backend_pid()")
		if err != nil {
			return err
		}
		err = killer.Write(t.Context(), func(_ context.Context, tx *Tx) error {
			_, err := tx.exec("SELECT pg_terminate_backend($1::int)", pid)
			return err
		})
		if err != nil {
			return err
		}
		_, _, err = tx.CountCases("tnt_none")
		return err
	})
	if err == nil || !Unreachable(err) {
		t.Errorf("got %v after the connection was ended, want it to be unreachable", err)
	}
	_, err = Open(t.Context(), Config{DSN: "postgres://nobody@127.0.0.1:1/none?connect_timeout=2", Now: time.Now, Wall: time.Now})
	if err == nil || !Unreachable(err) {
		t.Errorf("got %v of a closed port, want it to be unreachable", err)
	}
}
