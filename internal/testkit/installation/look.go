package installation

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // the driver of the database that is looked into
)

// State is how much there was at a moment.
type State struct {
	Rows  map[string]int // by table, and "attachments" for the sealed blobs
	Types []string       // of all journal entries of all tenants, in order of their making
	Mails int
}

// State looks at everything that is stored.
func (i *Installation) State() State {
	i.t.Helper()
	out := State{Rows: map[string]int{"attachments": len(i.attachments())}, Mails: len(i.Mails())}
	i.look(func(db *sql.DB) {
		for _, table := range i.tables(db) {
			var count int
			i.must("count "+table, db.QueryRow("SELECT count(*) FROM "+table).Scan(&count))
			out.Rows[table] = count
		}
		rows, err := db.Query("SELECT type FROM journal ORDER BY rowid")
		i.must("read the journal", err)
		defer rows.Close()
		for rows.Next() {
			var kind string
			i.must("read the journal", rows.Scan(&kind))
			out.Types = append(out.Types, kind)
		}
		i.must("read the journal", rows.Err())
	})
	return out
}

// Change is what came to be between two moments: tables with other numbers of rows than before, and journal entries.
type Change struct {
	Rows  map[string]int // difference by table; tables without one are left out, and so is the journal
	Types []string       // of the new journal entries, in order
	Mails int
}

// Since returns what came to be since a State.
func (i *Installation) Since(before State) Change {
	i.t.Helper()
	now := i.State()
	out := Change{Rows: map[string]int{}, Types: now.Types[len(before.Types):], Mails: now.Mails - before.Mails}
	for table, count := range now.Rows {
		if difference := count - before.Rows[table]; difference != 0 && table != "journal" {
			out.Rows[table] = difference
		}
	}
	return out
}

// Digest is a hash over every row of every table and every attachment: equal when nothing at all was written but the hour in which a key
// was used.
func (i *Installation) Digest() string {
	i.t.Helper()
	sum := sha256.New()
	i.look(func(db *sql.DB) {
		for _, table := range i.tables(db) {
			fmt.Fprintln(sum, table)
			for _, line := range i.dump(db, table) {
				fmt.Fprintln(sum, line)
			}
		}
	})
	for _, name := range i.attachments() {
		fmt.Fprintln(sum, name)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Holds reports whether any row of any table holds the text, for what must not be stored.
func (i *Installation) Holds(text string) bool {
	i.t.Helper()
	found := false
	i.look(func(db *sql.DB) {
		for _, table := range i.tables(db) {
			for _, line := range i.dump(db, table) {
				found = found || strings.Contains(line, text)
			}
		}
	})
	return found
}

// look opens the database beside the store.
func (i *Installation) look(at func(db *sql.DB)) {
	i.t.Helper()
	db, err := sql.Open("sqlite", "file:"+i.database+"?mode=ro&_pragma=busy_timeout(10000)")
	i.must("look into the database", err)
	defer db.Close()
	at(db)
}

func (i *Installation) tables(db *sql.DB) []string {
	i.t.Helper()
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose%' ORDER BY name")
	i.must("list the tables", err)
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		i.must("list the tables", rows.Scan(&name))
		names = append(names, name)
	}
	i.must("list the tables", rows.Err())
	return names
}

// dump writes each row of a table as one line, in an order that does not depend on when it was written.
func (i *Installation) dump(db *sql.DB, table string) []string {
	i.t.Helper()
	rows, err := db.Query("SELECT * FROM " + table)
	i.must("read "+table, err)
	defer rows.Close()
	columns, err := rows.Columns()
	i.must("read "+table, err)
	var lines []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for at := range values {
			into[at] = &values[at]
		}
		i.must("read "+table, rows.Scan(into...))
		for at, value := range values {
			if raw, isBytes := value.([]byte); isBytes {
				values[at] = string(raw)
			}
			if table == "api_keys" && columns[at] == "last_used_at" {
				values[at] = nil // that a key was used is noted whatever came of the request
			}
		}
		lines = append(lines, fmt.Sprintf("%v", values))
	}
	i.must("read "+table, rows.Err())
	slices.Sort(lines)
	return lines
}

// attachments lists the files of the vault, temporary ones too.
func (i *Installation) attachments() []string {
	i.t.Helper()
	var names []string
	err := filepath.WalkDir(i.blobs, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	i.must("list the attachments", err)
	return names
}

// decoded returns a header as people read it (RFC 2047).
func decoded(header string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		return header
	}
	return text
}
