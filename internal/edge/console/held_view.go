package console

import (
	"slices"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/edge/web"
)

// heldView is the case of a payment that waits for a person.
type heldView struct {
	caseID      string
	version     int64
	accountID   string
	accountName string
	accountWho  string

	due      string
	dueTone  web.Tone
	dueWhen  string
	dueStamp string

	decided     string // "" while it waits
	decidedTone web.Tone
	decidedBy   string
	decidedWhy  []string
	decidedNote string
	notice      heldNotice

	explanation explanationView
	latest      []paymentLine
	form        *form // nil where nothing is to be decided
}

// paymentLine is a payment in a short list.
type paymentLine struct {
	URL, Amount, Note, Outcome string
	Tone                       web.Tone
}

// heldNotice is what a reader has to know besides: the case moved on since the form was shown.
type heldNotice struct {
	changed bool   // the form is still good
	late    bool   // somebody else decided
	wanted  string // what the reader would have decided
	note    string // what the reader wrote
}

// heldVerdict is one of the decisions on a held payment.
type heldVerdict struct {
	decision casework.Decision
	label    string
	follows  []string
}

// heldVerdicts are in the order in which a reviewer meets them.
func heldVerdicts() []heldVerdict {
	return []heldVerdict{
		{casework.Approve, "Approve", []string{"The payment passes, and the platform is told.", "Its place, device and payment method become known for the account."}},
		{casework.Reject, "Reject", []string{"The payment does not pass, and the platform is told.", "The account itself is not restricted, unless you also ask for a verification."}},
	}
}

// ticked reports whether a ground is chosen for a decision.
func (h heldView) ticked(d casework.Decision, code string) bool {
	return slices.Contains(h.form.values["reason."+string(d)], code)
}
