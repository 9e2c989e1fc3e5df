package console

import "github.com/probity/probity/internal/edge/web"

// policyView is the policy that decides now, as its page shows it.
type policyView struct {
	Title       string // "Version 3"
	Name        string // policy and version as payments name it
	Description string
	Since       string
	By          string
	VersionURL  string // "" for the policy that ships
	Waiting     []versionLine
	CanDraft    bool

	Rules      []policyRule
	Decided    int64 // payments in the days that are shown
	Days       int
	Combined   []string // how raised rules become an outcome, a sentence each
	Thresholds []namedValue
	Aggregates []aggregateLine
	Lists      []policyList
	Scorecard  []web.Definition
}

// policyRule is a rule with how often it was raised.
type policyRule struct {
	Name   string
	Code   string
	Mode   string // active, shadow or disabled
	Effect string
	When   string
	Hits   spark
	Today  int64
	Total  int64
	Share  string // of all payments of the days
	Ground int64  // raised, and a ground of the outcome
}

// namedValue is a named number with its meaning.
type namedValue struct{ Name, Value, Meaning string }

// aggregateLine is an aggregate in words.
type aggregateLine struct{ Name, Words, Window, Delay string }

// policyList is a list that the policy asks.
type policyList struct {
	Name, Field, Meaning, URL string
	Entries                   int
	Missing                   bool // the tenant has no list of the name, so nothing stands on it
}

// versionLine is one version in a list.
type versionLine struct {
	ID, Title, Name string
	State           string
	Tone            web.Tone
	Detail          string // "live since …", "effective from …"
	Who             []string
	Note            string
	Share           float64 // of the preparation; below 0 when there is none
	Progress        string
}

// versionPage is one version with what can be done.
type versionPage struct {
	Line     versionLine
	Revision int64
	Facts    []web.Definition
	Text     []string // the lines of the policy's text
	LiveURL  string   // the page of what changed against the live version; "" when this is it
	LiveName string

	// Alone says that one person may publish by themselves here.
	Alone, CanDraft                                         bool
	LiveNumber                                              int64 // of the version that is live as the page is shown
	CanEdit, CanPropose, CanApprove, CanWithdraw, CanReturn bool
	// WhyNot says why the reader can't approve although it waits for approval.
	WhyNot string
	Form   *form
}

// versionsView is the list of versions.
type versionsView struct {
	lines       []versionLine
	shippedLive bool // the policy that ships decides
	canDraft    bool
	waiting     int
	next        string // cursor
}

// editorView is the text of a draft as it is being written.
type editorView struct {
	ID       string // "" for a new draft
	Revision int64
	Title    string
	Back     linkTo
	Form     *form
	Faults   []faultLine
	Changed  bool // somebody else changed the draft meanwhile
	Checked  string
}

// faultLine is one thing wrong with the text, with the lines around it.
type faultLine struct {
	Place   string // "Line 12, column 5"
	Path    string
	Message string
	Lines   []listingLine
}

// listingLine is a line of the text; Caret is the text of the line that points at a column of it.
type listingLine struct {
	Number int
	Text   string
	Here   bool
	Caret  string
}

// diffView is what differs between two versions.
type diffView struct {
	From, To   versionLine
	Lines      []diffLine
	Added      int
	Removed    int
	Summary    []string
	Choices    []web.Option
	Compared   string // id of the version that is shown
	NothingNew bool
}

// diffLine is a line of a comparison. Gap counts unchanged lines that are left out.
type diffLine struct {
	Old, New int // line numbers; 0 where the line is not
	Sign     string
	Text     string
	Gap      int
}

func (d diffLine) class() string {
	switch d.Sign {
	case "+":
		return "diff--added"
	case "−":
		return "diff--removed"
	default:
		return "diff--same"
	}
}

// around is how many lines are shown before and after a fault, and around a change.
const around = 2

// listing returns the lines around a place of a text, with a caret under the column. Line and column count from 1; a line of 0 shows
// nothing. Columns count characters; tabs keep their width so that the caret stands where it should.
func listing(text []string, line, column int) []listingLine {
	if line < 1 || line > len(text)+1 {
		return nil
	}
	var out []listingLine
	for n := max(1, line-around); n <= min(len(text), line+around); n++ {
		one := listingLine{Number: n, Text: text[n-1], Here: n == line}
		if one.Here && column > 0 {
			one.Caret = caretUnder(one.Text, column)
		}
		out = append(out, one)
	}
	return out
}

func caretUnder(text string, column int) string {
	pad := make([]rune, 0, column)
	for _, r := range text {
		if len(pad) >= column-1 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		pad = append(pad, r)
	}
	return string(pad) + "^"
}
