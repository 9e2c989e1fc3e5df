package tidy

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// hole stands in a statement for a part that is not a constant.
const hole = "?"

// statement is a constant text of the source that may hold SQL.
type statement struct {
	where string // file:line
	path  string
	text  string
}

// statements returns the texts of the product's code, each with what it is concatenated with, and its .sql files.
func statements(t *testing.T) []statement {
	t.Helper()
	var all []statement
	for _, f := range sources(t, goFile.isProduct) {
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.BinaryExpr:
				if joined, isText := concatenation(n); isText {
					all = append(all, statement{f.at(n), f.path, joined})
					return false
				}
			case *ast.BasicLit:
				if literal, isText := concatenation(n); isText {
					all = append(all, statement{f.at(n), f.path, literal})
				}
			}
			return true
		})
	}
	paths, err := tracked()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range paths {
		if strings.HasSuffix(name, ".sql") {
			content, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, statement{name, name, string(content)})
		}
	}
	return all
}

// concatenation returns the text of a string literal, or of strings put together with +, with a hole for each part that is no
// literal. It reports whether there is a literal at all.
func concatenation(expression ast.Expr) (string, bool) {
	switch e := expression.(type) {
	case *ast.ParenExpr:
		return concatenation(e.X)
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return hole, false
		}
		literal, err := strconv.Unquote(e.Value)
		return literal, err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return hole, false
		}
		left, leftIsText := concatenation(e.X)
		right, rightIsText := concatenation(e.Y)
		return left + right, leftIsText || rightIsText
	}
	return hole, false
}

var (
	updates  = regexp.MustCompile(`(?is)\bUPDATE\s+(?:ONLY\s+)?([\w.?%"]+)(?:\s+(?:AS\s+)?\w+)?\s+SET\s(.*)`)
	upserts  = regexp.MustCompile(`(?is)\bINSERT\s+INTO\s+([\w.?%"]+).*\bDO\s+UPDATE\s+SET\s(.*)`)
	endOfSet = regexp.MustCompile(`(?is)\b(WHERE|FROM|RETURNING)\b|;`)
	stateSet = regexp.MustCompile(`(?is)(?:^|[,(\s])"?(status|state)"?\s*(?:=|,[^=()]*\)\s*=)`)
)

// stateWrites returns the tables whose status or state a text of SQL sets.
func stateWrites(sql string) []string {
	var tables []string
	for _, pattern := range []*regexp.Regexp{updates, upserts} {
		rest := sql
		for {
			found := pattern.FindStringSubmatchIndex(rest)
			if found == nil {
				break
			}
			table, assignments := rest[found[2]:found[3]], rest[found[4]:found[5]]
			if end := endOfSet.FindStringIndex(assignments); end != nil {
				assignments = assignments[:end[0]]
			}
			if stateSet.MatchString(assignments) {
				tables = append(tables, strings.ToLower(strings.Trim(table, `"`)))
			}
			rest = rest[found[4]:]
		}
	}
	return tables
}

func TestAStatusMovesOnlyThroughTheOneTransition(t *testing.T) {
	// The one function that moves a state compares the version, and writes the journal entry in the same transaction.
	const transition = "internal/adapter/store/transition.go"
	machinery := except(map[string]string{
		"idempotency": "the HTTP status of an answer that is kept, not a state of anything",
	})
	var findings []string
	for _, s := range statements(t) {
		for _, table := range stateWrites(s.text) {
			if s.path != transition && !machinery.allow(table) {
				findings = append(findings, s.where+": the status of "+table+" is set past the one transition ("+transition+")")
			}
		}
	}
	report(t, findings)
	machinery.finish(t)
}

func TestStateWrites(t *testing.T) {
	tests := []struct {
		name, sql, want string
	}{
		{"a plain update", "UPDATE cases SET status = $1 WHERE id = $2", "cases"},
		{"among other columns", "update cases set version = version + 1,\n\tstatus=$1 where id=$2", "cases"},
		{"with an alias", "UPDATE enforcements AS e SET state = 'none' FROM accounts", "enforcements"},
		{"a table that is put in", "UPDATE ? SET status = $1", "?"},
		{"an upsert", "INSERT INTO cases (id, status) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET status = excluded.status", "cases"},
		{"the second statement of a text", "UPDATE a SET x = 1; UPDATE b SET state = 2", "b"},
		{"several columns at once", "UPDATE cases SET (version, status, x) = ($1, $2, $3)", "cases"},
		{"a condition is no write", "UPDATE cases SET version = 2 WHERE status = 'open'", ""},
		{"a column with a longer name", "UPDATE cases SET http_status = 200", ""},
		{"a select", "SELECT status FROM cases WHERE state = 1", ""},
		{"a sentence", "update the state of the case", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(stateWrites(test.sql), " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

var selectAll = regexp.MustCompile(`(?is)\bSELECT\s+(?:DISTINCT\s+|ALL\s+)?(?:\w+\.)?\*|\bRETURNING\s+(?:\w+\.)?\*`)

func TestQueriesNameTheirColumns(t *testing.T) {
	var findings []string
	for _, s := range statements(t) {
		if selectAll.MatchString(s.text) {
			findings = append(findings, s.where+": name the columns: a new column must not change what a query returns")
		}
	}
	report(t, findings)
	for sql, want := range map[string]bool{"SELECT * FROM a": true, "select a.* from a": true, "SELECT COUNT(*) FROM a": false, "SELECT a * 2": false} {
		if got := selectAll.MatchString(sql); got != want {
			t.Errorf("%s: got %v, want %v", sql, got, want)
		}
	}
}
