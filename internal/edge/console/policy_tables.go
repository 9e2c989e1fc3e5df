package console

import (
	"strconv"
	"strings"

	"github.com/probity/probity/internal/edge/web"
)

// fewRules is how many rules are shown whole, raised or not.
const fewRules = 8

// busy and quiet split the rules into those to see at once, which were raised or only watch, and the others. A short policy is not split.
func (p policyView) busy() []policyRule  { return p.rulesThat(true) }
func (p policyView) quiet() []policyRule { return p.rulesThat(false) }

func (p policyView) rulesThat(busy bool) []policyRule {
	var out []policyRule
	for _, r := range p.Rules {
		if (len(p.Rules) <= fewRules || r.Total > 0 || r.Mode == "shadow") == busy {
			out = append(out, r)
		}
	}
	return out
}

// ruleTable shows rules with how often they were raised.
func (p policyView) ruleTable(rules []policyRule) web.TableProps {
	props := web.TableProps{Caption: "Rules and how often they were raised", Empty: "No rule was raised yet.", Columns: []web.Column{
		{Label: "Rule"}, {Label: "Mode"}, {Label: "Raised, by day"}, {Label: "Today", Numeric: true}, {Label: plural(p.Days, "day", "days"), Numeric: true},
		{Label: "Of all", Numeric: true}, {Label: "A ground", Numeric: true},
	}}
	for _, r := range rules {
		row := []web.Cell{
			{Body: ruleNameCell(r)}, {Body: modeCell(r.Mode)}, {Body: trendCell(r)},
			{Text: grouped(r.Today)}, {Text: grouped(r.Total)}, {Text: r.Share}, {Text: grouped(r.Ground)},
		}
		switch r.Mode {
		case "shadow":
			row[6] = web.Cell{Text: "–"}
		case "disabled":
			row[3], row[4], row[5], row[6] = web.Cell{Text: "–"}, web.Cell{Text: "–"}, web.Cell{Text: "–"}, web.Cell{Text: "–"}
		}
		props.Rows = append(props.Rows, row)
	}
	return props
}

func (p policyView) aggregateTable() web.TableProps {
	props := web.TableProps{Caption: "Aggregates", Columns: []web.Column{{Label: "Name"}, {Label: "What it is"}}}
	for _, a := range p.Aggregates {
		props.Rows = append(props.Rows, []web.Cell{{Body: monoText(a.Name)}, {Text: a.Words, Note: a.Delay}})
	}
	return props
}

func (p policyView) thresholdTable() web.TableProps {
	props := web.TableProps{Caption: "Thresholds", Columns: []web.Column{{Label: "Name"}, {Label: "Value", Numeric: true}, {Label: "What it means"}}}
	for _, t := range p.Thresholds {
		props.Rows = append(props.Rows, []web.Cell{{Body: monoText(t.Name)}, {Text: t.Value}, {Text: t.Meaning}})
	}
	return props
}

func versionTable(lines []versionLine) web.TableProps {
	props := web.TableProps{
		Caption: "Versions", Empty: "No version was written yet: the policy that ships decides. Write a draft to change it.",
		Columns: []web.Column{{Label: "Version"}, {Label: "Status"}, {Label: "Who"}, {Label: "Why"}},
	}
	for _, l := range lines {
		props.Rows = append(props.Rows, []web.Cell{
			{Text: l.Title, URL: "/console/policy/versions/" + l.ID, Note: l.Name}, {Body: versionStateCell(l)}, {Body: whoCell(l)}, {Text: shorten(l.Note, 160)},
		})
	}
	return props
}

func (e editorView) action() string {
	if e.ID == "" {
		return "/console/policy/versions"
	}
	return "/console/policy/versions/" + e.ID + "/edit"
}

func lineNumber(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// oneOf chooses between the word for one and the word for many.
func oneOf(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// linesOf splits a text into its lines, without an empty last one.
func linesOf(text string) []string {
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// diffOf reads a comparison in the unified form: blocks that begin with "@@ -1,7 +1,9 @@", lines that begin with a space, a minus or a plus.
// What lies between two blocks is counted as unchanged.
func diffOf(unified string) (out []diffLine, added, removed int) {
	oldLine, newLine := 1, 1
	for line := range strings.Lines(unified) {
		line = strings.TrimSuffix(line, "\n")
		if place, found := strings.CutPrefix(line, "@@ -"); found {
			start, _, _ := strings.Cut(place, ",")
			at, err := strconv.Atoi(start)
			if err != nil || at < oldLine {
				continue
			}
			if gap := at - oldLine; gap > 0 {
				out = append(out, diffLine{Gap: gap})
				oldLine, newLine = oldLine+gap, newLine+gap
			}
			continue
		}
		if line == "" {
			continue
		}
		one := diffLine{Text: line[1:]}
		if line[0] != '+' {
			one.Old = oldLine
			oldLine++
		}
		if line[0] != '-' {
			one.New = newLine
			newLine++
		}
		switch line[0] {
		case '+':
			one.Sign = "+"
			added++
		case '-':
			one.Sign = "−"
			removed++
		}
		out = append(out, one)
	}
	return out, added, removed
}
