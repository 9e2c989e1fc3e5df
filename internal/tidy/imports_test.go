package tidy

import (
	"slices"
	"strings"
	"testing"
)

// floors says which packages live on which floor of the house (ARCHITECTURE.md). A package imports only floors below its own.
var floors = []struct {
	folder string
	floor  int
}{
	{"internal/standard", 0},
	{"internal/domain", 1},
	{"internal/adapter", 2},
	{"internal/service", 3},
	{"internal/edge", 4},
	{"internal/samples", 4},
	{"internal/app", 5},
	{"internal/bench", 6},
	{"internal/demo", 6},
	{"cmd", 7},
}

// floorOf returns the floor of a package of the module, or -1 for those that stand outside the house.
func floorOf(pkg string) int {
	for _, f := range floors {
		if under(pkg, f.folder) {
			return f.floor
		}
	}
	return -1
}

// spoken are the domains that every other domain may import.
var spoken = []string{"internal/domain/journal", "internal/domain/policy", "internal/domain/access"}

// mayImport reports whether the floors allow an arrow between two packages of the module.
func mayImport(from, to string) bool {
	if under(from, "client") || under(from, "examples") {
		// The client is what other people's programs import: it is a copy of the promise, not of the code.
		return under(to, "client")
	}
	if isForTests(from) {
		return true
	}
	lower, upper := floorOf(to), floorOf(from)
	switch {
	case upper < 0:
		return false
	case lower < 0:
		// The demo's pretend platform and the commands use Probity as anyone does: through the client.
		return upper >= floorOf("internal/demo") && under(to, "client")
	case lower < upper:
		return true
	case lower > upper:
		return false
	case under(from, to) || under(to, from) || concept(from) != "" && concept(from) == concept(to):
		return true // a package and the packages inside its folder are one concept
	case to == "internal/edge/web":
		return true // what the pages of all edges are made of
	case upper == 0 || upper >= floorOf("internal/demo"):
		return true // facts of the outside world may build on each other; so may what wires the house
	case upper == floorOf("internal/domain"):
		return slices.Contains(spoken, to)
	}
	return false
}

// concept returns the domain that a package belongs to, as risk for internal/domain/risk/history; empty for other floors.
func concept(pkg string) string {
	inside, isDomain := strings.CutPrefix(pkg, "internal/domain/")
	if !isDomain {
		return ""
	}
	name, _, _ := strings.Cut(inside, "/")
	return name
}

func TestPackagesImportOnlyFloorsBelowTheirOwn(t *testing.T) {
	allowed := except(map[string]string{
		"internal/domain/casework -> internal/domain/account":      "texts people write are bounded by the same rule on tickets as on accounts",
		"internal/domain/casework -> internal/domain/verification": "a case is opened for one verification, and its decision names that verification's requirements",
		"internal/domain/payment -> internal/domain/account":       "texts people write are bounded by the same rule on payments as on accounts",
		"internal/domain/verification -> internal/domain/account":  "which documents count depends on whether the account is a person or an enterprise",
		"internal/adapter/enforcer -> internal/adapter/webhook":    "a command to a platform is a signed message in the same format, sent the same way",
		"internal/adapter/webhook -> internal/adapter/netguard":    "nothing goes to an address that a tenant wrote but through the guard",
	})
	var findings []string
	for _, f := range sources(t, func(f goFile) bool { return !f.isTest }) {
		for _, imported := range f.imports() {
			to, isOurs := strings.CutPrefix(imported, module+"/")
			if !isOurs || mayImport(f.pkg, to) || allowed.allow(f.pkg+" -> "+to) {
				continue
			}
			findings = append(findings, f.path+": "+f.pkg+" must not import "+to+": an arrow goes down, never up or sideways")
		}
	}
	report(t, findings)
	allowed.finish(t)
}

func TestEveryPackageHasItsFloor(t *testing.T) {
	outside := []string{"client", "examples", "internal/testkit", "internal/tidy", "internal/story", "internal/crashtest"}
	var findings []string
	for _, f := range sources(t, func(goFile) bool { return true }) {
		isOutside := slices.ContainsFunc(outside, func(folder string) bool { return under(f.pkg, folder) })
		if !isOutside && floorOf(f.pkg) < 0 {
			findings = append(findings, f.pkg+" is on no floor: put it on one, or give it one in floors with the ARCHITECTURE.md")
		}
	}
	report(t, findings)
}

func TestHelpersOfTestsStayInTests(t *testing.T) {
	var findings []string
	for _, f := range sources(t, goFile.isProduct) {
		for _, imported := range f.imports() {
			pkg, isOurs := strings.CutPrefix(imported, module+"/")
			if isOurs && isForTests(pkg) || imported == "testing" {
				findings = append(findings, f.path+" imports "+imported+", which is for tests")
			}
		}
	}
	report(t, findings)
}

// impure are the packages that bring in what floors 0 and 1 must not know: time that passes, the machine, the network, the
// database, chance. Types of time and addresses are values and allowed.
var impure = []string{
	"context", "database/sql", "net", "net/http", "net/smtp", "os", "os/exec", "os/signal", "syscall", "log", "crypto/rand", "math/rand",
	"math/rand/v2", "testing", "expvar", "plugin",
}

// pure are the modules that floors 0 and 1 may use: functions of their arguments.
var pure = map[string]string{
	"cel.dev/cel-go":                  "conditions of policies: evaluation of compiled expressions, no input or output",
	"go.yaml.in/yaml/v3":              "policies are YAML: bytes to values",
	"golang.org/x/text":               "names, normal forms and plurals: tables",
	"golang.org/x/mod":                "the arithmetic of the sealed log",
	"github.com/nyaruka/phonenumbers": "numbering plans: tables",
}

func TestTheLowestFloorsArePure(t *testing.T) {
	allowed := except(map[string]string{
		"internal/standard/id crypto/rand": "an identifier is chance by definition; it decides nothing",
	})
	var findings []string
	for _, f := range sources(t, func(f goFile) bool { return f.isProduct() && floorOf(f.pkg) >= 0 && floorOf(f.pkg) <= 1 }) {
		for _, imported := range f.imports() {
			first, _, _ := strings.Cut(imported, "/")
			isStandard := !strings.Contains(first, ".")
			isPure := strings.HasPrefix(imported, module+"/") || isStandard && !slices.Contains(impure, imported)
			for prefix := range pure {
				isPure = isPure || under(imported, prefix)
			}
			if !isPure && !allowed.allow(f.pkg+" "+imported) {
				findings = append(findings, f.path+": floors 0 and 1 are functions of their arguments and must not import "+imported)
			}
		}
	}
	report(t, findings)
	allowed.finish(t)
}

func TestMayImport(t *testing.T) {
	tests := []struct {
		name, from, to string
		want           bool
	}{
		{"a service uses a domain", "internal/service", "internal/domain/payment", true},
		{"a domain knows no service", "internal/domain/payment", "internal/service", false},
		{"a domain knows no other domain", "internal/domain/payment", "internal/domain/account", false},
		{"every domain speaks journal", "internal/domain/payment", "internal/domain/journal", true},
		{"a standard builds on a standard", "internal/standard/money", "internal/standard/problem", true},
		{"an adapter knows no other adapter", "internal/adapter/mail", "internal/adapter/store", false},
		{"an adapter is made of its own folders", "internal/adapter/store", "internal/adapter/store/sqlite", true},
		{"an edge knows no other edge", "internal/edge/portal", "internal/edge/console", false},
		{"the client imports nothing internal", "client", "internal/standard/id", false},
		{"the demo is a client", "internal/demo", "client", true},
		{"a domain is no client", "internal/domain/payment", "client", false},
		{"the command wires everything", "cmd/probity", "internal/app", true},
		{"a package on no floor imports nothing", "internal/stray", "internal/standard/id", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mayImport(test.from, test.to); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
