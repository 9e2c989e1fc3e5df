// Package tool says what a test does when a program that it needs is not on the machine: by itself the test is skipped, so that
// `go test ./...` works with nothing but Go; under `make test`, which installs the programs first, it fails.
package tool

import (
	"os"
	"testing"
)

// RequireVariable is the environment variable that turns a missing program from a skip into a failure. Any value but the empty
// one does.
const RequireVariable = "PROBITY_REQUIRE_TOOLS"

// Missing ends the test because a program is missing: skipped, or failed when RequireVariable is set. The advice says in one
// sentence what is missing and how to get it.
func Missing(t testing.TB, advice string) {
	t.Helper()
	if os.Getenv(RequireVariable) != "" {
		t.Fatalf("%s (this is a failure and not a skip because %s is set)", advice, RequireVariable)
	}
	t.Skip(advice)
}
