package tidy

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// selectors calls found with each use of a name of an imported package, also as a value, e.g. "time.Now".
func selectors(f goFile, found func(name string, node ast.Node)) {
	imported := map[string]string{}
	for _, spec := range f.syntax.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := importPath[strings.LastIndex(importPath, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = importPath
	}
	ast.Inspect(f.syntax, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			if base, ok := selector.X.(*ast.Ident); ok {
				if importPath, ok := imported[base.Name]; ok {
					found(importPath+"."+selector.Sel.Name, selector)
				}
			}
		}
		return true
	})
}

// wallClock are the functions that read the clock of the machine. Timers are allowed: they say when to look, not what time it is.
var wallClock = []string{"time.Now", "time.Since", "time.Until"}

// environment are the functions that read what the process was started with.
var environment = []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv"}

func TestTimeAndEnvironmentArePassedIn(t *testing.T) {
	// The client runs in other people's programs, which have no clock of ours.
	mayReadClock := []string{"cmd", "internal/adapter/clock", "client", "examples"}
	mayReadEnvironment := []string{"cmd", "internal/testkit", "examples"}
	allowed := except(map[string]string{})
	in := func(f goFile, folders []string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool { return under(f.pkg, folder) })
	}
	var findings []string
	for _, f := range sources(t, func(f goFile) bool { return !f.isTest }) {
		selectors(f, func(name string, node ast.Node) {
			readsClock := slices.Contains(wallClock, name) && !in(f, mayReadClock)
			readsEnvironment := slices.Contains(environment, name) && !in(f, mayReadEnvironment)
			if (readsClock || readsEnvironment) && !allowed.allow(f.pkg+" "+name) {
				findings = append(findings, f.at(node)+": "+name+" belongs to cmd and the clock adapter: take it as an argument")
			}
		})
	}
	report(t, findings)
	allowed.finish(t)
}

func TestNothingSleeps(t *testing.T) {
	allowed := except(map[string]string{})
	var findings []string
	for _, f := range sources(t, func(f goFile) bool { return !f.generated }) {
		// Inside a bubble of testing/synctest sleeping is how time is moved.
		if slices.Contains(f.imports(), "testing/synctest") {
			continue
		}
		selectors(f, func(name string, node ast.Node) {
			if name == "time.Sleep" && !allowed.allow(f.path) {
				findings = append(findings, f.at(node)+": sleeping guesses how long something takes: wait for the thing, or for a context")
			}
		})
	}
	report(t, findings)
	allowed.finish(t)
}

func TestEveryPackageAndExportedNameIsDocumented(t *testing.T) {
	documented, example := map[string]bool{}, map[string]string{}
	var findings []string
	for _, f := range sources(t, func(f goFile) bool { return !f.isTest && !f.generated }) {
		example[f.pkg] = f.path
		documented[f.pkg] = documented[f.pkg] || f.syntax.Doc.Text() != ""
		if f.syntax.Name.Name == "main" {
			continue
		}
		for _, declaration := range f.syntax.Decls {
			for _, node := range undocumented(declaration) {
				findings = append(findings, f.at(node)+": "+node.Name+" is exported and says nothing about itself")
			}
		}
	}
	for pkg, path := range example {
		if !documented[pkg] {
			findings = append(findings, path+": the package "+pkg+" has no package comment")
		}
	}
	report(t, findings)
}

// undocumented returns the exported names of a top-level declaration that have no comment: of their own, of the line, or, for
// constants and variables, of their group.
func undocumented(declaration ast.Decl) []*ast.Ident {
	var names []*ast.Ident
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		isReachable := d.Recv == nil || ast.IsExported(receiver(d))
		if d.Name.IsExported() && isReachable && d.Doc.Text() == "" {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				own := s.Doc.Text() != "" || s.Comment.Text() != "" || !d.Lparen.IsValid() && d.Doc.Text() != ""
				if s.Name.IsExported() && !own {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				own := s.Doc.Text() != "" || s.Comment.Text() != "" || d.Doc.Text() != ""
				for _, name := range s.Names {
					if name.IsExported() && !own {
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

// receiver returns the name of the type that a method belongs to.
func receiver(method *ast.FuncDecl) string {
	expression := method.Recv.List[0].Type
	for {
		switch e := expression.(type) {
		case *ast.StarExpr:
			expression = e.X
		case *ast.IndexExpr:
			expression = e.X
		case *ast.IndexListExpr:
			expression = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// bannedWords are words that the glossary gave to nobody, with what to say instead. They are looked for as whole words of exported
// names: EndUser and UserAgent are terms of their own.
var bannedWords = map[string]string{
	"User":          "Account (of a tenant), EndUser (who is verified) or Staff",
	"Users":         "Account (of a tenant), EndUser (who is verified) or Staff",
	"Ban":           "Restriction",
	"Banned":        "Restriction",
	"Org":           "Tenant",
	"Organisation":  "Tenant",
	"Organization":  "Tenant",
	"TTL":           "Deadline, or the instant it ends at",
	"Notification":  "Notice (starts a clock) or Message",
	"Notifications": "Notice (starts a clock) or Message",
	"Blacklist":     "a list with a name of its own",
	"Whitelist":     "a list with a name of its own",
}

// bannedTypes are words that mean too much, or something else, as the whole name of a type.
var bannedTypes = map[string]string{
	"Client":      "Tenant; the API's client lives in client/",
	"Card":        "PaymentMethod",
	"Transaction": "Payment and Decision; a database transaction is a Tx",
	"File":        "Evidence, and Attachment for its bytes",
	"Upload":      "Evidence, and Attachment for its bytes",
	"Flow":        "Verification",
	"Step":        "Requirement",
	"Block":       "Restriction",
	"Data":        "what it is",
	"Info":        "what it is",
	"Manager":     "what it does",
	"Helper":      "what it does",
	"Util":        "what it does",
}

// terms are names in which a banned word is part of somebody else's term.
var terms = []string{"EndUser", "UserAgent", "UserInfo", "SMTPUser"}

func TestNamesSpeakTheGlossary(t *testing.T) {
	allowed := except(map[string]string{
		"internal/adapter/enforcer.Client": "the client of a tenant's platform, not a tenant",
		"internal/adapter/netguard.Client": "a client of HTTP, not a tenant",
		"internal/edge/web.Step":           "a line of a progress list on a page; what is asked for is a Requirement",
	})
	var findings []string
	for _, f := range sources(t, goFile.isProduct) {
		isClient := under(f.pkg, "client")
		for _, name := range exported(f.syntax) {
			for _, word := range camelWords(name.Name) {
				if instead, banned := bannedWords[word]; banned && !allowed.allow(f.pkg+"."+name.Name) {
					findings = append(findings, f.at(name)+": "+name.Name+": do not say "+word+", say "+instead)
				}
			}
		}
		for _, declaration := range f.syntax.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok || general.Tok != token.TYPE {
				continue
			}
			for _, spec := range general.Specs {
				name := spec.(*ast.TypeSpec).Name
				instead, banned := bannedTypes[name.Name]
				if banned && !isClient && !allowed.allow(f.pkg+"."+name.Name) {
					findings = append(findings, f.at(name)+": a type must not be called "+name.Name+", say "+instead)
				}
			}
		}
	}
	report(t, findings)
	allowed.finish(t)
}

// exported returns the exported names that a file declares at its top level, fields and methods of interfaces included.
func exported(file *ast.File) []*ast.Ident {
	var names []*ast.Ident
	add := func(name *ast.Ident) {
		if name.IsExported() {
			names = append(names, name)
		}
	}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			add(d.Name)
		case *ast.GenDecl:
			ast.Inspect(d, func(node ast.Node) bool {
				switch n := node.(type) {
				case *ast.TypeSpec:
					add(n.Name)
				case *ast.ValueSpec:
					for _, name := range n.Names {
						add(name)
					}
				case *ast.Field:
					for _, name := range n.Names {
						add(name)
					}
				}
				return true
			})
		}
	}
	return names
}

// camelWords splits a name into its words: "TTLSeconds" into "TTL" and "Seconds". Terms of others stay whole.
func camelWords(name string) []string {
	for _, term := range terms {
		name = strings.ReplaceAll(name, term, "_"+term[:1]+strings.ToLower(term[1:])+"_")
	}
	var words []string
	start, runes := 0, []rune(name)
	cut := func(end int) {
		if end > start {
			words = append(words, string(runes[start:end]))
		}
		start = end
	}
	for i, r := range runes {
		switch {
		case r == '_':
			cut(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) && !unicode.IsUpper(runes[i-1]):
			cut(i)
		case i > start && unicode.IsUpper(r) && i+1 < len(runes) && unicode.IsLower(runes[i+1]):
			cut(i)
		}
	}
	cut(len(runes))
	return words
}

func TestCamelWords(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"UserID", []string{"User", "ID"}},
		{"EndUserID", []string{"Enduser", "ID"}},
		{"TTLSeconds", []string{"TTL", "Seconds"}},
		{"SignInTTL", []string{"Sign", "In", "TTL"}},
		{"Username", []string{"Username"}},
		{"Bank", []string{"Bank"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := camelWords(test.name); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// longest is how many lines a file may have before it is two files.
const longest = 500

func TestFilesFitTheHead(t *testing.T) {
	// A ratchet: a file named here may not grow beyond its number, and leaves the list when it is short enough.
	ratchet := map[string]int{}
	var findings []string
	for _, f := range sources(t, func(f goFile) bool { return !f.generated && !f.isTest }) {
		limit, isOld := ratchet[f.path]
		switch {
		case isOld && f.lines <= longest:
			findings = append(findings, f.path+" is short enough now: take it off the ratchet")
		case isOld && f.lines > limit:
			findings = append(findings, f.path+" grew to "+strconv.Itoa(f.lines)+" lines from "+strconv.Itoa(limit)+": split it")
		case !isOld && f.lines > longest:
			findings = append(findings, f.path+" has "+strconv.Itoa(f.lines)+" lines, and "+strconv.Itoa(longest)+" is the limit: split it")
		}
	}
	report(t, findings)
}
