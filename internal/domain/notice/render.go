package notice

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// RenderInput is what a notice says. Values are plain text; Render makes each one line and escapes it.
type RenderInput struct {
	Kind         Kind
	Locale       string // BCP 47; see Language
	Brand        string // the tenant's name, required
	BrandColor   string // #rrggbb; anything else means the default accent
	SupportEmail string // may be empty: then the text speaks of tickets only
	HolderName   string // may be empty
	MethodLabel  string // e.g. "Visa 411111••••••1111"; empty when no payment method is known
	// PaymentAmount is the rejected payment's amount, formatted; empty when the verification was opened without a payment.
	PaymentAmount string
	Link          string // http or https address of the verification in the KYC Center; required when the notice asks for something
	NoticeCode    string // required when the notice asks for something
	QueryCode     string // required in submission_received
	// DueAt is the earliest due instant of a notice that asks for something; zero, when no calendar covers the year, refers the reader
	// to the KYC Center.
	DueAt       time.Time
	ReviewDueAt time.Time      // when the review of a submission is due; zero says nothing of it
	Zone        *time.Location // of both instants; nil means UTC
	Reasons     []Reason       // of resubmission_requested, where they are required, verification_declined, and resources_suspended in a later round
	// KeepSuspendedDays is policy.Consequence.KeepSuspended; zero says nothing of deletion.
	KeepSuspendedDays int
}

// Reason is one thing that the holder is asked to put right, or that a verification was declined for.
type Reason struct {
	Requirement string // government_id, payment_method, billing_statement, or empty when it concerns none of them
	Text        string // in the holder's language, from the reason catalogue
}

// Rendered is a notice ready to be sent. Text and HTML say the same; Message is Text without greeting and signature, the body of
// the Internal Message.
type Rendered struct {
	Subject  string
	Text     string // plain text, "\n" line ends
	HTML     string
	Message  string
	Language string // English or SimplifiedChinese
}

// SignInCode is what the mail with a one-time sign-in code says.
type SignInCode struct {
	Locale       string
	Brand        string
	BrandColor   string
	SupportEmail string
	HolderName   string // whose account the code opens, because several accounts may share an address; may be empty
	Code         string
	ValidMinutes int
}

// Render writes a notice. An error means that the caller left out something that the notice can't do without; it names no value.
func Render(input RenderInput) (Rendered, error) {
	values := map[string]string{
		"brand": input.Brand, "support": input.SupportEmail, "name": input.HolderName, "method": input.MethodLabel,
		"amount": input.PaymentAmount, "code": input.NoticeCode, "query_code": input.QueryCode,
	}
	if !input.DueAt.IsZero() {
		values["due"] = FormatDue(input.DueAt, input.Zone, input.Locale)
	}
	if !input.ReviewDueAt.IsZero() {
		values["review_due"] = FormatDue(input.ReviewDueAt, input.Zone, input.Locale)
	}
	if input.KeepSuspendedDays > 0 {
		values["days"] = strconv.Itoa(input.KeepSuspendedDays)
	}
	if err := checkLink(input); err != nil {
		return Rendered{}, err
	}
	w, err := newWriter(input.Locale, values)
	if err != nil {
		return Rendered{}, err
	}
	subject, blocks, err := compose(w, input)
	if err != nil {
		return Rendered{}, err
	}
	return lay(w, subject, input.BrandColor, blocks)
}

// RenderSignInCode writes the mail with a one-time sign-in code. The code is in the body only: subjects show on locked screens.
func RenderSignInCode(input SignInCode) (Rendered, error) {
	if input.Code == "" || input.ValidMinutes < 1 {
		return Rendered{}, fmt.Errorf("render sign-in code: a code and at least a minute are required")
	}
	w, err := newWriter(input.Locale, map[string]string{
		"brand": input.Brand, "support": input.SupportEmail, "name": input.HolderName, "minutes": strconv.Itoa(input.ValidMinutes),
	})
	if err != nil {
		return Rendered{}, err
	}
	explain := "signin.explain"
	if w.has("name") {
		explain = "signin.explain.named"
	}
	blocks := []block{
		greeting(w), paragraph(w.say(explain)), {Kind: codeBlock, Text: clean(input.Code)}, paragraph(w.count("signin.valid", input.ValidMinutes)),
		paragraph(w.say("signin.secret")), paragraph(w.say("signin.unasked")),
	}
	return lay(w, w.say("signin.subject"), input.BrandColor, blocks)
}

func checkLink(input RenderInput) error {
	if input.Link == "" {
		if input.Kind.StartsClock() || input.Kind == ResourcesSuspended {
			return fmt.Errorf("render notice: link is required")
		}
		return nil
	}
	link, err := url.Parse(input.Link)
	if err != nil || (link.Scheme != "https" && link.Scheme != "http") || link.Host == "" || clean(input.Link) != input.Link {
		return fmt.Errorf("render notice: link must be an absolute http or https address")
	}
	return nil
}

// compose returns the subject and the body of a notice.
func compose(w *writer, input RenderInput) (string, []block, error) {
	switch input.Kind {
	case PaymentMethodAlert:
		return w.say("alert.subject"), composeAlert(w, input), nil
	case SubmissionReceived:
		blocks := []block{greeting(w), paragraph(w.say("submitted.thanks")), paragraph(w.say("query.explain"))}
		if w.has("review_due") {
			blocks = append(blocks, paragraph(w.say("submitted.review_due")))
		}
		blocks = append(blocks, paragraph(w.say("submitted.wait")))
		return w.say("submitted.subject"), ending(w, input, blocks), nil
	case ResubmissionRequested:
		return w.say("resubmission.subject"), composeResubmission(w, input), nil
	case VerificationApproved:
		blocks := []block{greeting(w), paragraph(w.say("approved.thanks"))}
		if w.has("amount") {
			blocks = append(blocks, paragraph(w.say("approved.retry")))
		}
		blocks = append(blocks, paragraph(w.say("approved.resumed")))
		return w.say("approved.subject"), ending(w, input, blocks), nil
	case VerificationDeclined:
		blocks := []block{greeting(w), paragraph(w.say("declined.result"))}
		if len(input.Reasons) > 0 {
			blocks = append(blocks, heading(w.say("declined.heading")), list(reasonItems(w, input.Reasons)))
		}
		blocks = append(blocks, paragraph(w.say("declined.appeal")))
		return w.say("declined.subject"), ending(w, input, append(blocks, query(w)...)), nil
	case VerificationCanceled:
		blocks := []block{greeting(w), paragraph(w.say("canceled.result")), paragraph(w.say("canceled.help"))}
		return w.say("canceled.subject"), ending(w, input, blocks), nil
	case ResourcesSuspended:
		blocks := []block{greeting(w), paragraph(w.say("suspended.result")), paragraph(w.say("suspended.remedy"))}
		blocks = append(blocks, release(w, input)...)
		if len(input.Reasons) > 0 { // asked again: only the items with a reason are still to be sent
			blocks = append(blocks, heading(w.say("resubmission.heading")), list(reasonItems(w, input.Reasons)))
		} else {
			blocks = append(blocks, prepare(w)...)
		}
		return w.say("suspended.subject"), ending(w, input, blocks), nil
	}
	return "", nil, fmt.Errorf("render notice: unknown kind")
}

func composeAlert(w *writer, input RenderInput) []block {
	happened := "alert.account"
	switch {
	case w.has("amount") && w.has("method"):
		happened = "alert.payment_method"
	case w.has("amount"):
		happened = "alert.payment"
	case w.has("method"):
		happened = "alert.method"
	}
	blocks := []block{
		greeting(w), heading(w.say("alert.heading")), paragraph(w.say(happened)), paragraph(w.say("alert.paused")), paragraph(w.say("alert.unknown")),
	}
	blocks = append(blocks, due(w)...)
	blocks = append(blocks, action(w, input)...)
	blocks = append(blocks, prepare(w)...)
	return ending(w, input, append(blocks, unanswered(w, input)...))
}

func composeResubmission(w *writer, input RenderInput) []block {
	blocks := []block{greeting(w), paragraph(w.say("resubmission.thanks"))}
	if len(input.Reasons) == 0 {
		w.err = fmt.Errorf("render notice: a request to resubmit needs reasons")
	}
	blocks = append(blocks, heading(w.say("resubmission.heading")), list(reasonItems(w, input.Reasons)), paragraph(w.say("resubmission.others")))
	blocks = append(blocks, due(w)...)
	blocks = append(blocks, action(w, input)...)
	blocks = append(blocks, unanswered(w, input)...)
	return ending(w, input, append(blocks, query(w)...))
}
