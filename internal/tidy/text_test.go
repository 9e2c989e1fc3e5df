package tidy

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// traces are what a developer's machine leaves in files: absolute paths of homes and workplaces, private mirrors. The patterns are
// put together so that this file does not hold what it looks for.
var traces = []*regexp.Regexp{
	regexp.MustCompile(`(^|[^\w./:-])/(` + "wo" + `rk|` + "fa" + `rm|` + "ro" + `ot|` + "work" + `spaces?)/\w`),
	regexp.MustCompile(`(^|[^\w./-])/(` + "ho" + `me|` + "Us" + `ers)/\w+/`),
	regexp.MustCompile(`(?i)\b(` + "arti" + `factory|` + "go" + `proxy)\.`),
	regexp.MustCompile(`(?i)` + "GO" + `PROXY\s*=\s*https?:|` + "index-" + `url\s*=`),
	regexp.MustCompile(`(?i)\b` + "co-authored" + `-by:`),
}

func TestNoTraceOfAMachine(t *testing.T) {
	paths, err := tracked()
	if err != nil {
		t.Fatal(err)
	}
	var findings []string
	for _, name := range paths {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0 {
			continue // no text
		}
		for line := range strings.SplitSeq(string(content), "\n") {
			for _, trace := range traces {
				if found := trace.FindString(line); found != "" {
					findings = append(findings, name+": "+found+" belongs to one machine, not to the project")
				}
			}
		}
	}
	report(t, findings)
}

func TestTraces(t *testing.T) {
	matches := func(line string) bool {
		return slices.ContainsFunc(traces, func(trace *regexp.Regexp) bool { return trace.MatchString(line) })
	}
	for line, want := range map[string]bool{
		`path := "/` + `work/main/x"`:        true,
		"cd /" + "home/ann/probity":          true,
		"GOPROXY" + "=https://mirror.test":   true,
		"https://example.com/" + "work/main": false,
		"internal/" + "work/main":            false,
		"the KYC Center's home page":         false,
		"docs/" + "home/page":                false,
	} {
		if got := matches(line); got != want {
			t.Errorf("%s: got %v, want %v", line, got, want)
		}
	}
}

var (
	markdownLink = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)`)
	heading      = regexp.MustCompile(`(?m)^#{1,6}\s+(.*?)\s*#*\s*$`)
	codeFence    = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```")
	codeSpan     = regexp.MustCompile("`[^`\n]*`")
)

// anchors returns the names under which the headings of a page can be linked to, as GitHub makes them.
func anchors(page string) map[string]bool {
	names := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(codeFence.ReplaceAllString(page, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(found[1], "$1"))
		names[name] = true
	}
	return names
}

func TestLinksBetweenPagesLead(t *testing.T) {
	paths, err := tracked()
	if err != nil {
		t.Fatal(err)
	}
	var findings []string
	for _, page := range paths {
		if !strings.HasSuffix(page, ".md") || strings.Contains(page, "/testdata/") {
			continue
		}
		prose := codeSpan.ReplaceAllString(codeFence.ReplaceAllString(text(t, page), ""), "")
		for _, found := range markdownLink.FindAllStringSubmatch(prose, -1) {
			if reason := broken(t, page, found[1]); reason != "" {
				findings = append(findings, page+": "+found[1]+": "+reason)
			}
		}
	}
	report(t, findings)
}

// broken says why a link of a page leads nowhere, or nothing. Links to other sites are not followed.
func broken(t *testing.T, page, link string) string {
	t.Helper()
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return ""
	}
	target, anchor, hasAnchor := strings.Cut(link, "#")
	name := page
	if target != "" {
		name = path.Join(path.Dir(page), target)
		if strings.HasPrefix(target, "/") {
			name = path.Clean(target[1:])
		}
	}
	if strings.HasPrefix(name, "..") {
		return "leads out of the project"
	}
	if _, err := os.Stat(filepath.Join(root, name)); err != nil {
		return "there is no such file"
	}
	if hasAnchor && strings.HasSuffix(name, ".md") && !anchors(text(t, name))[anchor] {
		return "there is no such heading"
	}
	return ""
}

func TestTheGlossaryNamesEveryDomain(t *testing.T) {
	glossary := strings.ToLower(text(t, "docs/GLOSSARY.md"))
	var findings []string
	for _, f := range sources(t, func(f goFile) bool { return !f.isTest }) {
		name, isDomain := strings.CutPrefix(f.pkg, "internal/domain/")
		if !isDomain || strings.Contains(name, "/") {
			continue
		}
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`).MatchString(glossary) {
			findings = append(findings, "docs/GLOSSARY.md does not say what "+name+" means ("+f.pkg+")")
		}
	}
	for _, word := range []string{
		"Tenant", "Account", "EndUser", "PaymentMethod", "Payment", "Decision", "Restriction", "Verification", "Requirement", "Evidence",
		"Attachment", "Check", "Case", "Review", "Ticket", "Notice", "Deadline", "Enforcement", "Journal",
	} {
		if !strings.Contains(glossary, strings.ToLower(word)) {
			findings = append(findings, "docs/GLOSSARY.md does not say what "+word+" means")
		}
	}
	report(t, findings)
}
