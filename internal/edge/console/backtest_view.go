package console

import (
	"github.com/a-h/templ"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
)

// backtestView is a policy tried on stored payments, beside the live one.
type backtestView struct {
	form    *form
	choices []web.Option
	waiting int
	result  *backtestResult // nil before it was run
	// Of a trial that takes long: its steps while it runs, and what comes of it.
	running, ended templ.Component
}

// stepWords says where a trial stands.
func stepWords(p service.TrialProgress) string {
	if p.Payments > 0 {
		return grouped(int64(p.Decided)) + " of " + grouped(int64(p.Payments)) + " payments decided"
	}
	return grouped(int64(p.Read)) + " of about " + grouped(int64(p.OfAbout)) + " payments read"
}

// backtestResult is what came of it, in words.
type backtestResult struct {
	Title    string
	Span     string
	Tried    string // "Version 3"
	Live     string
	Outcomes []besideLine
	Money    []besideLine
	Rules    []besideLine
	Noted    []string // what a reader has to know: no feedback, lists as they stand now
	Changed  int64
	Examples []changedPayment
}

// besideLine is one measure of both policies.
type besideLine struct {
	Label, Note       string
	Live, Tried, Diff string
	Better, Worse     bool
}

// changedPayment is a payment that the tried policy decides otherwise.
type changedPayment struct {
	ID, When, Amount, Live, Tried, Known, Why string
}

// busyRules splits the rules into those that were raised by either policy, or are of one only, and the others.
func (b backtestResult) busyRules() (busy, quiet []besideLine) {
	for _, line := range b.Rules {
		if line.Live == "0" && line.Tried == "0" {
			quiet = append(quiet, line)
		} else {
			busy = append(busy, line)
		}
	}
	return busy, quiet
}

func (b backtestResult) table() web.TableProps {
	props := web.TableProps{Caption: "Payments decided otherwise", Empty: "Every payment is decided as it is now.", Columns: []web.Column{
		{Label: "When"}, {Label: "Amount", Numeric: true}, {Label: b.Live}, {Label: b.Tried}, {Label: "Because"}, {Label: "Known"},
	}}
	for _, c := range b.Examples {
		props.Rows = append(props.Rows, []web.Cell{
			{Text: c.When, URL: "/console/payments/" + c.ID}, {Text: c.Amount}, {Body: statusCell(c.Live)}, {Body: statusCell(c.Tried)}, {Text: c.Why}, {Text: c.Known},
		})
	}
	return props
}
