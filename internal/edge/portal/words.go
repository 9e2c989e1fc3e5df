package portal

import (
	"fmt"
	"strings"
	"time"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/standard/country"
)

// methodName names a payment method in the visitor's language, e.g. "Visa 411111••••••1111" or "银行账户 ••••4321".
func methodName(p web.Printer, m payment.Method) string {
	if m.ID == "" {
		return p.T("method.unknown")
	}
	name := m.BrandName()
	if name == "" {
		name = p.T("method." + string(m.Kind))
	}
	switch {
	case m.First6 != "" && m.Last4 != "":
		return name + " " + m.First6 + "••••••" + m.Last4
	case m.Last4 != "":
		return name + " ••••" + m.Last4
	}
	return name
}

// shortMethodName leaves out the first six digits, which tell a person nothing in a list.
func shortMethodName(p web.Printer, m payment.Method) string {
	m.First6 = ""
	return methodName(p, m)
}

// place writes where a payment was made, from the smallest to the largest that is known.
func place(p web.Printer, l payment.Location) string {
	if l.Country == "" {
		return ""
	}
	parts := []string{country.Name(l.Country, p.Locale())}
	if l.Region != "" && l.Region != l.City {
		parts = append([]string{l.Region}, parts...)
	}
	if l.City != "" {
		parts = append([]string{l.City}, parts...)
	}
	return strings.Join(parts, p.T("list.separator"))
}

// reasonText tells in plain words why a payment was stopped. A policy of the tenant's own may have reasons that the catalog does not
// know; they bring their own sentence.
func reasonText(p web.Printer, r payment.Reason) string {
	key := "reason." + r.Code
	if texts().Has(p.Locale(), key) {
		return p.T(key)
	}
	return r.Message
}

// evidenceReason tells why an item is asked for again, or was not accepted. What the reviewer noted for colleagues stays theirs.
func evidenceReason(p web.Printer, r verification.Reason) string {
	if text := casework.Catalogue().Text(r.Code, p.Locale()); text != "" {
		return text
	}
	return p.T("reason.evidence.other")
}

// verdictReason tells why an item was not accepted, without what could be done about it: nothing can be sent any more.
func verdictReason(p web.Printer, r verification.Reason) string {
	if text := casework.Catalogue().Ground(r.Code, p.Locale()); text != "" {
		return text
	}
	return p.T("reason.evidence.other")
}

// findingText tells what was noticed about an attachment.
func findingText(p web.Printer, f verification.Finding) string {
	if text := casework.Catalogue().Text(f.Code, p.Locale()); text != "" {
		return text
	}
	return f.Message
}

// dueText writes a due instant exactly as the mails do.
func dueText(p web.Printer, at time.Time, zone *time.Location) string {
	return notice.FormatDue(at, zone, p.Locale())
}

// latestMonth names the month whose statement is the latest one by now: the last complete one.
func latestMonth(p web.Printer, now time.Time, zone *time.Location) string {
	local := now.In(zone)
	month := time.Date(local.Year(), local.Month()-1, 1, 0, 0, 0, 0, zone)
	if p.Locale() == web.SimplifiedChinese {
		return month.Format("2006年1月")
	}
	return month.Format("January 2006")
}

func requirementTitle(p web.Printer, kind verification.RequirementKind) string {
	return p.T("requirement." + string(kind))
}

// evidenceTitle says what a piece of evidence shows: "ID card, back". The side is told where there are two: of a payment method only
// the back, because most have no sides at all.
func evidenceTitle(p web.Printer, e verification.Evidence) string {
	what := requirementTitle(p, e.Requirement)
	if e.DocumentType != "" {
		what = p.T("document." + string(e.DocumentType))
	}
	toldBack := e.Requirement == verification.PaymentMethod && e.Side == verification.Back
	if e.MediaType == "application/pdf" || !(toldBack || twoSided(e.DocumentType)) {
		return what
	}
	return what + p.T("list.separator") + p.T("side."+string(e.Side))
}

// twoSided reports whether a document has a back that matters.
func twoSided(document verification.DocumentType) bool {
	return document == verification.IDCard || document == verification.DrivingLicence
}

// evidenceMeta is the small line beside a piece of evidence.
func evidenceMeta(v visitor, e verification.Evidence) string {
	sent := web.FormatShort(e.CreatedAt, v.zone(), v.locale)
	if e.MediaType == "application/pdf" {
		return "PDF · " + sent
	}
	return sent
}

// documentOptions lists what the account may send as its government ID.
func documentOptions(p web.Printer, kind account.Kind, chosen verification.DocumentType) []web.Option {
	var options []web.Option
	for _, document := range verification.DocumentTypes(kind) {
		options = append(options, web.Option{
			Value: string(document), Label: p.T("document." + string(document)), Hint: p.T("document." + string(document) + ".hint"), Selected: document == chosen,
		})
	}
	return options
}

func sideOptions(p web.Printer, kind verification.RequirementKind, chosen verification.Side) []web.Option {
	prefix := "side.choice."
	if kind == verification.PaymentMethod {
		prefix = "side.choice.card."
	}
	var options []web.Option
	for _, side := range []verification.Side{verification.Front, verification.Back} {
		options = append(options, web.Option{Value: string(side), Label: p.T(prefix + string(side)), Selected: side == chosen})
	}
	return options
}

// paragraphs takes the plain text of an Internal Message apart. The text is laid out by package notice: an empty line ends a piece, a
// heading stands right above what it heads, and items begin with "- ".
func paragraphs(body string) []paragraph {
	var found []paragraph
	for chunk := range strings.SplitSeq(strings.TrimSpace(body), "\n\n") {
		lines := strings.Split(chunk, "\n")
		var one paragraph
		if len(lines) > 1 && !strings.HasPrefix(lines[0], "- ") {
			one.heading, lines = lines[0], lines[1:]
		}
		for _, line := range lines {
			if item, isItem := strings.CutPrefix(line, "- "); isItem {
				one.items = append(one.items, item)
			} else {
				one.lines = append(one.lines, line)
			}
		}
		found = append(found, one)
	}
	return found
}

// paragraph is a piece of an Internal Message.
type paragraph struct {
	heading string
	lines   []string
	items   []string
}

// isLink reports whether the piece only repeats the address of the verification, which the page has a button for.
func (g paragraph) isLink() bool {
	return len(g.lines) == 1 && len(g.items) == 0 && (strings.HasPrefix(g.lines[0], "http://") || strings.HasPrefix(g.lines[0], "https://"))
}

// firstName greets without the formality of a full name where that works; names of enterprises and names in other scripts stay whole.
func firstName(a account.Account) string {
	name := strings.TrimSpace(a.Profile.Name)
	if a.Profile.Kind != account.Individual {
		return name
	}
	for _, r := range name {
		if r > 0x24f {
			return name
		}
	}
	first, _, _ := strings.Cut(name, " ")
	return first
}

// clockText writes a time of day given as the time since midnight: "18:00".
func clockText(sinceMidnight time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(sinceMidnight.Hours()), int(sinceMidnight.Minutes())%60)
}
