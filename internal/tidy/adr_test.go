package tidy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var decisionHead = regexp.MustCompile(`^# (\d{4}): (.+)\n\n- Status: (.+)\n- Date: (.+)\n`)

func TestTheIndexOfDecisionsHasARowForEach(t *testing.T) {
	folder := filepath.Join(root, "docs", "adr")
	index, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "0*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("got %d decisions, %v", len(pages), err)
	}
	var findings []string
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(page)
		head := decisionHead.FindStringSubmatch(string(text))
		if head == nil || !strings.HasPrefix(name, head[1]+"-") {
			findings = append(findings, "docs/adr/"+name+": begin as docs/adr/template.md does, with the number of the file")
			continue
		}
		row := "| [" + head[1] + "](" + name + ") | " + head[2] + " | " + head[3] + " | " + head[4] + " |\n"
		if !strings.Contains(string(index), row) {
			findings = append(findings, "docs/adr/README.md lacks the row: "+strings.TrimSuffix(row, "\n"))
		}
	}
	if rows := strings.Count(string(index), "\n| [0"); rows != len(pages) {
		findings = append(findings, "docs/adr/README.md has a row of no decision, or two of one")
	}
	report(t, findings)
}
