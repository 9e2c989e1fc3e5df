package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Unreachable reports whether err says that the database could not be reached, or stopped answering in the middle: nobody's mistake, and
// the same may go well in a moment. The end of the asker's own context is none.
func Unreachable(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	if errors.Is(err, ErrBegin) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	if _, is := errors.AsType[*pgconn.ConnectError](err); is {
		return true
	}
	if _, is := errors.AsType[*net.OpError](err); is {
		return true
	}
	refused, is := errors.AsType[*pgconn.PgError](err)
	// Class 08 is connections; 57P01 to 57P03 a server that ends, crashed or is just starting; 53300 one with too many connections.
	return is && (strings.HasPrefix(refused.Code, "08") || refused.Code == "57P01" || refused.Code == "57P02" || refused.Code == "57P03" || refused.Code == "53300")
}
