package store

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

// The bounds of Page.Limit.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Page asks for a part of a list. The zero value asks for the first DefaultLimit items.
type Page struct {
	Cursor string // from the answer before; empty for the beginning
	Limit  int    // 1 … MaxLimit; zero means DefaultLimit
}

// listing is a list in the making. A list is ordered by an instant and, within it, by id, neither of which ever changes for an item,
// so pages neither skip nor repeat what was there when the first was read.
type listing[T any] struct {
	name      string // of the list and its order; a cursor is good for one list only
	query     string // SELECT … FROM …
	where     []string
	args      []any
	by        string // column of the instant
	ascending bool
	scan      func(row) (T, error)
	place     func(T) (time.Time, string)
}

// and adds a condition, whose text ends in the operator: "account_id =".
func (l *listing[T]) and(condition string, value any) {
	l.args = append(l.args, value)
	l.where = append(l.where, condition+" $"+strconv.Itoa(len(l.args)))
}

// andText adds a condition unless the value is empty.
func (l *listing[T]) andText(condition, value string) {
	if value != "" {
		l.and(condition, value)
	}
}

// conditions are all that was added, as the text behind WHERE.
func (l *listing[T]) conditions() string { return strings.Join(l.where, " AND ") }

// last is the number of the latest argument.
func (l *listing[T]) last() string { return strconv.Itoa(len(l.args)) }

// read returns one page and the cursor of the next, which is empty at the end.
func (l *listing[T]) read(tx *Tx, page Page) ([]T, string, error) {
	limit, err := page.limit()
	if err != nil {
		return nil, "", err
	}
	order, compare := " DESC", "<"
	if l.ascending {
		order, compare = "", ">"
	}
	if page.Cursor != "" {
		at, id, err := readCursor(l.name, page.Cursor)
		if err != nil {
			return nil, "", err
		}
		l.args = append(l.args, at, id)
		l.where = append(l.where, "("+l.by+", id) "+compare+" ("+placeholders(len(l.args)-1, 2)+")")
	}
	l.args = append(l.args, limit+1)
	items, err := all(tx, l.scan, l.query+" WHERE "+strings.Join(l.where, " AND ")+
		" ORDER BY "+l.by+order+", id"+order+" LIMIT $"+strconv.Itoa(len(l.args)), l.args...)
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	items = items[:limit]
	at, id := l.place(items[limit-1])
	return items, writeCursor(l.name, at.UnixMicro(), id), nil
}

func (p Page) limit() (int, error) {
	switch {
	case p.Limit == 0:
		return DefaultLimit, nil
	case p.Limit < 0 || p.Limit > MaxLimit:
		return 0, problem.Field("limit", "limit_out_of_range", "limit must be from 1 to 200")
	}
	return p.Limit, nil
}

func writeCursor(list string, at int64, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "|" + strconv.FormatInt(at, 10) + "|" + id))
}

// errCursor is the refusal of a cursor that no page of the list gave.
var errCursor = problem.Field("cursor", "cursor_invalid", "cursor must be the next_cursor of a page of this same list, unchanged")

func readCursor(list, cursor string) (at int64, id string, err error) {
	if len(cursor) > 400 {
		return 0, "", errCursor
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return 0, "", errCursor
	}
	parts := strings.Split(string(text), "|")
	if len(parts) != 3 || parts[0] != list {
		return 0, "", errCursor
	}
	at, err = strconv.ParseInt(parts[1], 10, 64)
	if err != nil || checkText([]any{parts[2]}) != nil {
		return 0, "", errCursor
	}
	return at, parts[2], nil
}
