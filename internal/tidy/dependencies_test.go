package tidy

import (
	"regexp"
	"strings"
	"testing"
)

const catalogue = "docs/dependencies.md"

// requirement is one line of go.mod.
type requirement struct {
	version  string
	indirect bool
}

var requireLine = regexp.MustCompile(`(?m)^\s*(?:require\s+)?([\w.~-]+\.[\w.~-]+/[^\s]+|[\w-]+\.[\w.-]+/[^\s]+)\s+(v[^\s]+)(\s*//\s*indirect)?`)

// requirements returns what go.mod requires.
func requirements(t *testing.T) map[string]requirement {
	t.Helper()
	found := map[string]requirement{}
	for line := range strings.SplitSeq(text(t, "go.mod"), "\n") {
		if strings.HasPrefix(line, "exclude") || strings.HasPrefix(line, "replace") || strings.HasPrefix(line, "module") {
			continue
		}
		if match := requireLine.FindStringSubmatch(line); match != nil {
			found[match[1]] = requirement{version: match[2], indirect: match[3] != ""}
		}
	}
	return found
}

// owner returns the required module that an imported package belongs to, or nothing.
func owner(imported string, required map[string]requirement) string {
	best := ""
	for name := range required {
		if under(imported, name) && len(name) > len(best) {
			best = name
		}
	}
	return best
}

var catalogueLine = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v[^ |]+) \\|")

func TestEveryDirectDependencyIsInTheCatalogue(t *testing.T) {
	required := requirements(t)
	if len(required) == 0 {
		t.Fatal("no requirement found in go.mod")
	}
	direct := map[string]bool{}
	for name, r := range required {
		if !r.indirect {
			direct[name] = true
		}
	}
	for _, f := range sources(t, func(goFile) bool { return true }) {
		for _, imported := range f.imports() {
			if name := owner(imported, required); name != "" {
				direct[name] = true
			}
		}
	}
	listed := map[string]string{}
	for _, match := range catalogueLine.FindAllStringSubmatch(text(t, catalogue), -1) {
		listed[match[1]] = match[2]
	}
	var findings []string
	for name := range direct {
		if _, found := listed[name]; !found {
			findings = append(findings, name+" is used and has no line in "+catalogue+": say its licence and why it is worth its weight")
		}
	}
	for name, version := range listed {
		switch r, found := required[name]; {
		case !found:
			findings = append(findings, catalogue+" names "+name+", which go.mod does not require")
		case r.version != version:
			findings = append(findings, catalogue+" says "+name+" "+version+", and go.mod "+r.version)
		}
	}
	report(t, findings)
}

func TestRequirements(t *testing.T) {
	required := requirements(t)
	const pgx = "github.com/jackc/pgx/v5"
	if required[pgx].version == "" {
		t.Fatalf("got no version of %s among %d requirements", pgx, len(required))
	}
	if got, want := owner(pgx+"/pgxpool", required), pgx; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := owner("net/http", required), ""; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := required["golang.org/x/exp"].version; strings.HasPrefix(got, "v0.0.0-20261011") {
		t.Errorf("an excluded version counts as required: %s", got)
	}
}
