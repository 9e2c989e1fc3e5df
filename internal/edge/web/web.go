// Package web is the kit that every page of the product is built from: the KYC Center, the review console and the demo. It holds
// the stylesheet and the small scripts, the security headers, the page frame and the components, the message catalogs, and the
// way instants are written for people.
//
// The model is plain: a GET renders a page, a form POST changes something and redirects (post-redirect-get), and nothing needs
// JavaScript. Scripts only improve what already works. The content security policy forbids inline styles and scripts, so a page
// author uses the classes of base.css and never a style attribute.
//
// A page is rendered by Render with a Page (its frame) and a body component:
//
//	web.Render(w, r, http.StatusOK, web.Page{Title: "Status", Locale: locale, Brand: brand}, statusBody(view))
package web

import "github.com/a-h/templ"

// The version must be that of the library in go.mod. Named like this, the tool's own dependencies stay out of go.mod.
//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.1020 generate -path .

// Brand is how a tenant looks: the name people know it by, and one colour.
type Brand struct {
	Name   string
	Colour string // "#rrggbb"; anything else means DefaultColour. Contrast is repaired, so any colour is safe
}

// NavItem is a link of the header, or a language of the language switch.
type NavItem struct {
	Label   string
	URL     string
	Current bool
	Count   int    // shown as a small number beside the label when above zero, e.g. unread messages
	Lang    string // BCP 47 tag of the label when it is not in the page's language
}

// SignedIn says who is at the browser, and how they leave.
type SignedIn struct {
	Name       string
	SignOutURL string // receives a POST
}

// Page is the frame around a body: everything the layout needs besides the content itself.
type Page struct {
	Title     string // of the document; the body writes its own <h1>
	Locale    string // "en" or "zh-CN"; Render falls back to "en"
	Brand     Brand
	Area      string // the part of the product, beside the brand: "KYC Center", "Review console"
	HomeURL   string // where the brand links to
	Nav       []NavItem
	Languages []NavItem // see LanguageLinks; empty shows no switch
	SignedIn  *SignedIn // nil when nobody is
	Wide      bool      // the console's width instead of the reading width
	Above     templ.Component
	Footer    templ.Component
	Scripts   []string        // names of asset modules, e.g. "upload.js"
	Styles    []string        // names of further stylesheets, after base.css, e.g. "console.css"
	Tools     templ.Component // at the end of the header, before who is signed in: a search box
}

// Tone is the colour family of a badge, banner or timeline entry. Colour never stands alone: a label always says the same.
type Tone string

// The tones.
const (
	Neutral   Tone = "neutral"
	Info      Tone = "info"
	Positive  Tone = "positive"
	Attention Tone = "attention"
	Negative  Tone = "negative"
)

// ToneOf returns the tone of a status of any object: verifications, requirements, payments, cases, checks, enforcement,
// tickets, and jobs share their words, so one table serves all. An unknown status is Neutral.
func ToneOf(status string) Tone {
	switch status {
	case "approved", "accepted", "passed", "active", "acknowledged", "delivered", "resumed", "running":
		return Positive
	case "awaiting_submission", "resubmission_requested", "grace", "inconclusive", "needed", "suspending", "held":
		return Attention
	case "declined", "rejected", "failed", "suspended", "release_scheduled", "released", "restricted", "overdue", "bounced":
		return Negative
	case "processing", "in_review", "review", "open", "submitted", "provided", "received", "pending":
		return Info
	default:
		return Neutral
	}
}

// ButtonKind is how much weight a button has on its page.
type ButtonKind string

// The kinds of button. A page has one Primary at most.
const (
	Primary   ButtonKind = "primary"
	Secondary ButtonKind = "secondary"
	Danger    ButtonKind = "danger"
	Quiet     ButtonKind = "quiet"
)

// ButtonProps describes a submit button. Name and Value are sent with the form when set.
type ButtonProps struct {
	Label      string
	Kind       ButtonKind // "" is Primary
	Name       string
	Value      string
	Form       string // id of the form it submits when it stands outside of it
	FormAction string // another address than the form's
	Attributes templ.Attributes
}

// FieldProps describes one labelled control. The component wires label, hint and error to it for assistive technology.
type FieldProps struct {
	Name         string
	ID           string // "" is FieldID(Name)
	Label        string
	Hint         string
	Error        string
	Value        string
	Type         string // of an <input>: "text" when empty
	Autocomplete string
	InputMode    string
	Placeholder  string
	Required     bool
	Optional     bool // says "(optional)" after the label
	Rows         int  // of a TextArea; 4 when zero
	Attributes   templ.Attributes
}

// FieldID returns the element id of the control with the name; an error summary links to it.
func FieldID(name string) string { return "field-" + name }

func (f FieldProps) id() string {
	if f.ID != "" {
		return f.ID
	}
	return FieldID(f.Name)
}

func (f FieldProps) inputType() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f FieldProps) rows() int {
	if f.Rows == 0 {
		return 4
	}
	return f.Rows
}

// describedBy returns the ids for aria-describedby, or "" when there is neither hint nor error.
func (f FieldProps) describedBy() string {
	ids := ""
	if f.Hint != "" {
		ids = f.id() + "-hint"
	}
	if f.Error != "" {
		if ids != "" {
			ids += " "
		}
		ids += f.id() + "-error"
	}
	return ids
}

// Option is one choice of a Select, a Radios or a Checkboxes group.
type Option struct {
	Value    string
	Label    string
	Hint     string
	Selected bool
	Disabled bool
}

// FieldError is one line of an error summary. Field is the name of the control, or "" for a general error.
type FieldError struct {
	Field   string
	Message string
}

// StepState is where a step of a progress list stands.
type StepState string

// The states of a step.
const (
	StepUpcoming StepState = "upcoming"
	StepCurrent  StepState = "current"
	StepDone     StepState = "done"
	StepProblem  StepState = "problem"
)

// Step is one line of a progress list. With a URL its label is a link.
type Step struct {
	Label  string
	Detail string
	URL    string
	State  StepState
	Aside  templ.Component // e.g. a badge or a button, at the end of the line
}

// TimelineItem is one thing that happened, newest or oldest first as the page likes.
type TimelineItem struct {
	When   string // as the reader sees it, from FormatInstant
	Stamp  string // machine-readable, RFC 3339, or ""
	Title  string
	Detail string
	Who    string
	Tone   Tone
}

// Definition is a term with its value. Body, when set, is shown instead of Value. Lines breaks in Value are kept.
type Definition struct {
	Term  string
	Value string
	Body  templ.Component
}

// Column is the head of a table column. Numeric columns are right-aligned with tabular digits.
type Column struct {
	Label   string
	Numeric bool
}

// Cell is one cell of a table. URL makes its text a link; Body, when set, is shown instead of Text.
type Cell struct {
	Text string
	URL  string
	Note string // second, quieter line
	Body templ.Component
}

// TableProps describes a table; on a narrow screen each row becomes a small card of labelled lines.
type TableProps struct {
	Caption     string
	ShowCaption bool // otherwise it is only for screen readers
	Columns     []Column
	Rows        [][]Cell
	Empty       string // what to say when there are no rows
}

// PaginationProps holds the addresses of the neighbouring pages; an empty one is not shown.
type PaginationProps struct {
	PreviousURL string
	NextURL     string
	Summary     string // e.g. "21–40"
}

// UploadProps describes the control that takes one evidence item. It belongs in
// <form method="post" enctype="multipart/form-data" data-upload>, with "upload.js" among the page's scripts.
type UploadProps struct {
	Name     string // of the file part, e.g. "file"
	Label    string
	Hint     string
	Error    string
	Accept   []string // media types, e.g. "image/jpeg", "application/pdf"
	MaxBytes int64
	Required bool
}

// ViewerProps describes one evidence item in the viewer; "viewer.js" must be among the page's scripts.
type ViewerProps struct {
	ID      string // unique on the page
	Source  string // address of the attachment's bytes
	Alt     string
	Caption string
	PDF     bool // shown in a frame instead of an image
}

// Example is one picture of a good or bad photo.
type Example struct {
	Asset   string
	Good    bool
	Alt     string
	Caption string
}
