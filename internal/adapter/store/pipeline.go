package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Statements to PostgreSQL travel together where the next does not need what the last one answers: on a busy machine, each way to the server
// and back costs a group of decisions more than the statement itself. They are executed in their order, each with a snapshot of its own.

// asked is a statement that is sent with others.
type asked struct {
	query string
	args  []any
	rows  func(row) error // takes each row; nil when there are none
}

// later has a statement executed before the next one whose answer somebody waits for, or before the commit. Only on PostgreSQL.
func (tx *Tx) later(query string, args ...any) {
	tx.waiting = append(tx.waiting, asked{query: query, args: args})
}

// sendWaiting executes what waits.
func (tx *Tx) sendWaiting() error {
	if len(tx.waiting) == 0 {
		return nil
	}
	return tx.together()
}

// together executes statements in one exchange, after those that wait. An error poisons the transaction.
func (tx *Tx) together(statements ...asked) error {
	if !tx.writable {
		return errReadOnly
	}
	if tx.poisoned != nil {
		return tx.poisoned
	}
	all := append(tx.waiting, statements...)
	tx.waiting = nil
	for _, s := range all {
		if err := checkText(s.args); err != nil {
			tx.poison(err)
			return err
		}
	}
	err := tx.conn.Raw(func(under any) (err error) {
		conn, ok := under.(*stdlib.Conn)
		if !ok {
			return errors.New("not a connection to PostgreSQL")
		}
		defer func() {
			// A panic that came through database/sql would have it wait for the end of the transaction that it would have to end.
			if cause := recover(); cause != nil {
				err = fmt.Errorf("statements to PostgreSQL panicked: %v", cause)
				_ = conn.Conn().Close(tx.ctx)
			}
		}()
		var batch pgx.Batch
		for _, s := range all {
			batch.Queue(s.query, s.args...)
		}
		results := conn.Conn().SendBatch(tx.ctx, &batch)
		return errors.Join(readAll(results, all), results.Close())
	})
	if err != nil {
		return tx.broken(err)
	}
	return nil
}

func readAll(results pgx.BatchResults, all []asked) error {
	for _, s := range all {
		if s.rows == nil {
			if _, err := results.Exec(); err != nil {
				return err
			}
			continue
		}
		rows, err := results.Query()
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := s.rows(rows); err != nil {
				rows.Close()
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// begin begins a transaction; on PostgreSQL on a connection of its own, which close gives back.
func (s *Store) begin(tx *Tx, db *sql.DB, options *sql.TxOptions) (close func(), err error) {
	if s.dialect != onPostgres || !tx.writable {
		tx.sql, err = db.BeginTx(tx.ctx, options)
		return func() {}, err
	}
	for range beginTries {
		if tx.conn, err = db.Conn(tx.ctx); err != nil {
			return func() {}, err
		}
		if tx.sql, err = tx.conn.BeginTx(tx.ctx, options); err == nil {
			return func() { _ = tx.conn.Close() }, nil // it only gives back, after the transaction
		}
		_ = tx.conn.Close()
		if !errors.Is(err, driver.ErrBadConn) {
			break
		}
	}
	return func() {}, err
}

// beginTries is on how many connections a transaction is tried to begin: the server may have ended those that nobody used.
const beginTries = 3
