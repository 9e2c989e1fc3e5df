package tidy

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/probity/probity"
	root   = "../.."
)

// goFile is one parsed file of the module. Its path is relative to the module and uses slashes.
type goFile struct {
	path      string
	pkg       string // folder, "." for the module's own
	isTest    bool
	generated bool
	lines     int
	syntax    *ast.File
	positions *token.FileSet
}

// at returns file:line of a node.
func (f goFile) at(node ast.Node) string {
	return f.path + ":" + strconv.Itoa(f.positions.Position(node.Pos()).Line)
}

// imports returns the paths that the file imports.
func (f goFile) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		if unquoted, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, unquoted)
		}
	}
	return paths
}

// isProduct reports whether people wrote the file and users run it: no test, no generated file, no helper of tests.
func (f goFile) isProduct() bool { return !f.isTest && !f.generated && !isForTests(f.pkg) }

// isForTests reports whether a package exists only for tests: the test kit, the story that is played in a browser, and folders named
// after what they test (store/storetest).
func isForTests(pkg string) bool {
	return under(pkg, "internal/testkit") || under(pkg, "internal/tidy") || under(pkg, "internal/story") ||
		strings.HasSuffix(pkg, "test") && !strings.HasSuffix(pkg, "/backtest")
}

// tracked returns the paths of the files that git tracks or would track, or, where there is no git, of all files.
var tracked = sync.OnceValues(func() ([]string, error) {
	command := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	command.Dir = root
	if listed, err := command.Output(); err == nil {
		var paths []string
		for _, listedPath := range strings.Split(strings.TrimRight(string(listed), "\x00"), "\x00") {
			// A file that was deleted and not yet committed is listed still.
			if info, err := os.Stat(filepath.Join(root, listedPath)); err == nil && !info.IsDir() {
				paths = append(paths, listedPath)
			}
		}
		return paths, nil
	}
	var paths []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", "build", "dist", "probity-data"}, relative) {
			return fs.SkipDir
		}
		if !entry.IsDir() {
			paths = append(paths, filepath.ToSlash(relative))
		}
		return nil
	})
	return paths, err
})

// parsed returns every Go file of the module.
var parsed = sync.OnceValues(func() ([]goFile, error) {
	paths, err := tracked()
	if err != nil {
		return nil, err
	}
	var files []goFile
	var broken []error
	positions := token.NewFileSet()
	for _, name := range paths {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "/testdata/") {
			continue
		}
		syntax, err := parser.ParseFile(positions, filepath.Join(root, name), nil, parser.ParseComments)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		files = append(files, goFile{
			path: name, pkg: path.Dir(name), isTest: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(syntax),
			lines: positions.File(syntax.FileStart).LineCount(), syntax: syntax, positions: positions,
		})
	}
	return files, errors.Join(broken...)
})

// sources returns the Go files for which want holds.
func sources(t *testing.T, want func(goFile) bool) []goFile {
	t.Helper()
	files, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go file found")
	}
	return slices.DeleteFunc(slices.Clone(files), func(f goFile) bool { return !want(f) })
}

// text returns what a tracked file holds.
func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// under reports whether a slash-separated path is the folder or lies in it.
func under(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

// exceptions is an allow-list: what is excepted, and why. It notes what was used, so that what is not needed any more is found.
type exceptions struct {
	reasons map[string]string
	used    map[string]bool
}

// except makes an allow-list.
func except(reasons map[string]string) *exceptions {
	return &exceptions{reasons: reasons, used: map[string]bool{}}
}

// allow reports whether the key is excepted.
func (e *exceptions) allow(key string) bool {
	_, found := e.reasons[key]
	if found {
		e.used[key] = true
	}
	return found
}

// finish fails for exceptions without a reason and for those that nothing needs.
func (e *exceptions) finish(t *testing.T) {
	t.Helper()
	for key, reason := range e.reasons {
		if reason == "" {
			t.Errorf("the exception for %s has no reason", key)
		}
		if !e.used[key] {
			t.Errorf("the exception for %s is not needed any more: remove it", key)
		}
	}
}

// report fails once for each finding, in order.
func report(t *testing.T, findings []string) {
	t.Helper()
	slices.Sort(findings)
	for _, finding := range slices.Compact(findings) {
		t.Error(finding)
	}
}
