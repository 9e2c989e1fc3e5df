package console

import (
	"strconv"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
)

func (q queueView) table() web.TableProps {
	props := web.TableProps{Caption: "Cases", Columns: []web.Column{{Label: "Due"}, {Label: "Account"}, {Label: "Holder"}, {Label: "About"}, {Label: "Opened"}}}
	if q.filter == "decided" {
		props.Columns[0].Label = "Decision"
	}
	for _, one := range q.cases {
		about := web.Cell{Text: "First submission"}
		switch {
		case one.Case.Kind == casework.PaymentReview:
			about = web.Cell{Text: "Held payment of " + amount(one.Held), Note: toMerchant(one.Held)}
		case one.Case.Round > 1:
			about.Text = "Submission, round " + strconv.Itoa(one.Case.Round)
		}
		props.Rows = append(props.Rows, []web.Cell{
			{Body: caseDue(q.v, one)}, {Body: caseLink(one)}, {Text: who(one.Account.Profile)}, about, {Text: q.v.short(one.Case.OpenedAt)},
		})
	}
	return props
}

func (a accountView) verificationTable() web.TableProps {
	props := web.TableProps{Caption: "Verifications", Empty: "No verification was ever asked for.", Columns: []web.Column{{Label: "Opened"}, {Label: "Status"}, {Label: "Query code"}, {Label: "Round"}}}
	for _, ver := range a.verifications {
		code := ver.QueryCode
		if code == "" {
			code = "none yet"
		}
		props.Rows = append(props.Rows, []web.Cell{
			{Text: a.v.short(ver.OpenedAt), URL: "/console/verifications/" + ver.ID}, {Body: statusCell(string(ver.Status))}, {Text: code}, {Text: strconv.Itoa(ver.Round)},
		})
	}
	return props
}

func (a accountView) paymentTable() web.TableProps {
	props := web.TableProps{Caption: "Latest payments", Empty: "No payment yet.", Columns: []web.Column{{Label: "When"}, {Label: "Outcome"}, {Label: "Merchant"}, {Label: "Place"}, {Label: "Amount", Numeric: true}}}
	for _, one := range a.payments {
		attempt := one.Payment.Attempt
		props.Rows = append(props.Rows, []web.Cell{
			{Text: a.v.short(attempt.OccurredAt), URL: "/console/payments/" + one.Payment.ID}, {Body: reasonsCell(one)}, {Text: attempt.Merchant}, {Text: place(attempt.Location)}, {Text: amount(one.Payment)},
		})
	}
	return props
}

func (a accountView) ticketTable() web.TableProps {
	props := web.TableProps{Caption: "Tickets", Empty: "No ticket.", Columns: []web.Column{{Label: "Sent"}, {Label: "Status"}, {Label: "Error code"}}}
	for _, t := range a.tickets {
		props.Rows = append(props.Rows, []web.Cell{
			{Text: a.v.short(t.CreatedAt), URL: "/console/tickets/" + t.ID}, {Body: statusCell(string(t.Status))}, {Text: t.ErrorCode},
		})
	}
	return props
}

func (a accountView) messageTable() web.TableProps {
	props := web.TableProps{Caption: "Internal Messages", Empty: "No message.", Columns: []web.Column{{Label: "Sent"}, {Label: "Subject"}, {Label: "Read"}}}
	for _, m := range a.messages {
		read := "Not read"
		if !m.ReadAt.IsZero() {
			read = a.v.short(m.ReadAt)
		}
		props.Rows = append(props.Rows, []web.Cell{{Text: a.v.short(m.CreatedAt)}, {Text: m.Subject}, {Text: read}})
	}
	return props
}

// standing says what is in force against the account.
func (a accountView) standing() []web.Definition {
	d := dossier{v: a.v}
	d.view.Enforcement = a.account.Enforcement
	for _, r := range a.account.Restrictions {
		d.view.Restricted = d.view.Restricted || r.Standing()
	}
	return d.standing()
}

func accountTable(v *visit, accounts []service.AccountView) web.TableProps {
	props := web.TableProps{Caption: "Accounts", Empty: "No account yet. The platform adds them over the API.", Columns: []web.Column{{Label: "Name"}, {Label: "Holder"}, {Label: "External id"}, {Label: "Payments"}, {Label: "Added"}}}
	for _, one := range accounts {
		standing := web.Cell{Text: "Not restricted"}
		for _, r := range one.Restrictions {
			if r.Standing() {
				standing = web.Cell{Body: statusCell("restricted")}
			}
		}
		props.Rows = append(props.Rows, []web.Cell{
			{Text: one.Account.Profile.Name, URL: "/console/accounts/" + one.Account.ID}, {Text: who(one.Account.Profile)}, {Text: one.Account.Profile.ExternalID},
			standing, {Text: v.short(one.Account.CreatedAt)},
		})
	}
	return props
}

func ticketTable(v *visit, lines []ticketLine, shown string) web.TableProps {
	props := web.TableProps{Caption: "Tickets", Columns: []web.Column{{Label: "Sent"}, {Label: "Account"}, {Label: "What they say"}, {Label: "Error code"}, {Label: "Query code"}}}
	props.Empty = "No ticket waits for an answer."
	if shown == "answered" {
		props.Empty = "No ticket was answered yet."
	}
	for _, line := range lines {
		said := line.ticket.Message
		if said == "" {
			said = line.ticket.StepsTaken
		}
		props.Rows = append(props.Rows, []web.Cell{
			{Text: v.short(line.ticket.CreatedAt), Note: v.ago(line.ticket.CreatedAt)}, {Text: line.account.Profile.Name},
			{Text: shorten(said, 120), URL: "/console/tickets/" + line.ticket.ID}, {Body: codeOrNone(line.ticket.ErrorCode)}, {Body: codeOrNone(line.ticket.QueryCode)},
		})
	}
	return props
}

func undeliveredTable(v *visit, lines []undeliveredLine) web.TableProps {
	props := web.TableProps{Caption: "Undelivered notices", Empty: "Every notice has arrived.", Columns: []web.Column{{Label: "Sent"}, {Label: "Account"}, {Label: "Notice"}, {Label: "E-mail"}, {Label: "Phone"}}}
	for _, line := range lines {
		sent := web.Cell{Text: v.short(line.notice.CreatedAt), Note: "nothing heard"}
		if !line.notice.BouncedAt.IsZero() {
			sent.Note = "bounced"
		}
		props.Rows = append(props.Rows, []web.Cell{
			sent, {Text: line.account.Profile.Name, URL: "/console/verifications/" + line.notice.VerificationID},
			{Text: noticeName(line.notice.Kind)}, {Text: line.account.Profile.Email}, {Text: line.account.Profile.Phone},
		})
	}
	return props
}

func memberTable(s staffView) web.TableProps {
	props := web.TableProps{Caption: "Staff", Columns: []web.Column{{Label: "Name"}, {Label: "E-mail"}, {Label: "Role"}, {Label: "Joined"}, {Label: "Access"}}}
	for _, m := range s.members {
		role := roleName(m.Role)
		if !m.DisabledAt.IsZero() {
			role += ", access ended"
		}
		name := web.Cell{Text: m.Name}
		access := web.Cell{Body: accessButton(m)}
		if m.ID == s.v.actor.ID {
			name.Note, access = "you", web.Cell{}
		}
		props.Rows = append(props.Rows, []web.Cell{name, {Text: m.Email}, {Text: role}, {Text: s.v.short(m.CreatedAt)}, access})
	}
	return props
}

// methodLines is what is known of a payment method: never its number.
func methodLines(m payment.Method) []web.Definition {
	return []web.Definition{{Term: "Method", Body: strongText(m.Label())}, {Term: "In the name of", Body: strongText(m.HolderName)}}
}

func (f *openingForm) methodOptions() []web.Option {
	options := []web.Option{{Value: "", Label: "The account's default payment method"}}
	for _, m := range f.methods {
		options = append(options, web.Option{Value: m.ID, Label: m.Label(), Selected: f.text("payment_method_id") == m.ID})
	}
	return options
}

func (f *uploadForm) requirementOptions() []web.Option {
	var options []web.Option
	for _, kind := range verification.RequirementKinds {
		options = append(options, web.Option{Value: string(kind), Label: requirementName(kind), Selected: f.text("requirement") == string(kind)})
	}
	return options
}

func (f *uploadForm) documentOptions() []web.Option {
	options := []web.Option{{Value: "", Label: "Choose for a government ID"}}
	for _, t := range verification.DocumentTypes(f.view.Account.Profile.Kind) {
		options = append(options, web.Option{Value: string(t), Label: documentName(t), Selected: f.text("document_type") == string(t)})
	}
	return options
}

// verdict is one of the decisions that the form offers.
type verdict struct {
	decision casework.Decision
	label    string
}

// verdicts are in the order in which a reviewer meets them.
var verdicts = [...]verdict{
	{casework.Approve, "Approve"}, {casework.RequestResubmission, "Request resubmission"}, {casework.Decline, "Decline"},
}

func verdictID(i int) string {
	if i == 0 {
		return web.FieldID("decision")
	}
	return web.FieldID("decision") + "-" + strconv.Itoa(i)
}

func heldReasonID(d casework.Decision, code string) string { return "reason-" + string(d) + "-" + code }

func reasonID(kind verification.RequirementKind, code string) string {
	return "reason-" + string(kind) + "-" + code
}

func confirmTitle(d casework.Decision, name string) string {
	switch d {
	case casework.Approve:
		return "Approve the verification of " + name + "?"
	case casework.RequestResubmission:
		return "Ask " + name + " again?"
	case casework.Decline:
		return "Decline the verification of " + name + "?"
	default:
		return name
	}
}

func confirmLabel(d casework.Decision) string {
	switch d {
	case casework.Approve:
		return "Approve"
	case casework.RequestResubmission:
		return "Request resubmission"
	case casework.Decline:
		return "Decline"
	default:
		return "Record"
	}
}

func confirmKind(d casework.Decision) web.ButtonKind {
	if d == casework.Decline {
		return web.Danger
	}
	return web.Primary
}

// round is that of the case, or of the verification where there is none.
func (d *dossier) round() int {
	if d.view.ThisCase.ID != "" {
		return d.view.ThisCase.Round
	}
	return d.view.Verification.Round
}

// mayAdd reports whether staff can add evidence now.
func (d *dossier) mayAdd() bool {
	status := d.view.Verification.Status
	latest := d.view.ThisCase.ID == "" || d.view.ThisCase.ID == d.view.Case.ID
	return latest && (status.AwaitsHolder() || status == verification.InReview)
}

// caption says what a piece of evidence is, and where it came from.
func (d *dossier) caption(e verification.Evidence) string {
	text := evidenceTitle(e) + " · " + sentBy(e.SentBy) + " " + d.v.short(e.CreatedAt) + " · " + web.FormatBytes(e.Size)
	switch {
	case e.Pages > 1:
		text += " · " + strconv.Itoa(e.Pages) + " pages"
	case e.Width > 0:
		text += " · " + strconv.Itoa(e.Width) + " × " + strconv.Itoa(e.Height)
	}
	if d.round() > 1 && e.Round == d.round() {
		text += " · new in round " + strconv.Itoa(e.Round)
	}
	return text
}

func missingNames(kinds []verification.RequirementKind) string {
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		names = append(names, requirementName(kind))
	}
	return join(names)
}

func itoa(n int) string     { return strconv.Itoa(n) }
func itoa64(n int64) string { return strconv.FormatInt(n, 10) }

// plural counts: "1 notice", "3 notices".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(int64(n)) + " " + many
}

// comma joins two words unless one is missing.
func comma(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// shorten cuts a text after about limit characters.
func shorten(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit]) + "…"
}

// toMerchant says where a payment was to go, when that is known.
func toMerchant(p payment.Payment) string {
	if p.Attempt.Merchant == "" {
		return ""
	}
	return "to " + p.Attempt.Merchant
}
