package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/edge/web/webtest"
)

// with gives a component its children, as @Component() { … } does in a template.
func with(outer templ.Component, inner ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return outer.Render(templ.WithChildren(ctx, templ.Join(inner...)), w)
	})
}

func text(html string) templ.Component { return templ.Raw(html) }

var kitchenNow = time.Date(2026, 2, 12, 15, 59, 59, 0, time.UTC)

// kitchenSink shows every component once, in the words of a real page.
func kitchenSink(locale string) templ.Component {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		shanghai = time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return templ.Join(
		web.ErrorSummary([]web.FieldError{{Field: "code", Message: "Enter the six-digit code from the mail"}, {Message: "The case was decided by someone else"}}),
		web.BackLink("All cases", "/console"),
		web.PageHeader("Help us confirm that it is you", "A payment was stopped to protect your account. Three things are needed; most people are done in ten minutes.", web.Badge("awaiting_submission")),
		web.Due("Please submit by", web.FormatInstant(kitchenNow, shanghai, locale), web.Stamp(kitchenNow)),
		web.BannerText("Your documents are with us", "Nothing is suspended while we review them.", web.Info),
		web.BannerText("Approved", "The restriction on your account is lifted. You can retry the payment.", web.Positive),
		web.BannerText("Please replace one item", "The photo of your identity card was blurred.", web.Attention),
		web.BannerText("", "This link has expired. Sign in to ask for a new one.", web.Negative),
		web.Steps([]web.Step{
			{Label: "Government ID", Detail: "Passport, driving licence or ID card", URL: "#", State: web.StepDone, Aside: web.Badge("provided")},
			{Label: "Payment method", Detail: "Card ending 9876, middle digits covered", URL: "#", State: web.StepProblem, Aside: web.Badge("resubmission_requested")},
			{Label: "Latest statement", Detail: "All pages of January 2026", URL: "#", State: web.StepCurrent, Aside: web.ButtonLink("Add", "#", web.Primary)},
			{Label: "Check and submit", State: web.StepUpcoming},
		}),
		with(web.Card("Examples"), web.RequirementExamples("government_id"), web.RequirementExamples("payment_method"), web.RequirementExamples("billing_statement")),
		with(web.Card("Add your identity card"), text(`<form class="form" method="post" enctype="multipart/form-data" data-upload action="/upload">`),
			web.UploadField(web.UploadProps{Name: "file", Label: "Photo or PDF", Hint: "JPEG, PNG or PDF, up to 20 MB.", Accept: []string{"image/jpeg", "image/png", "application/pdf"}, MaxBytes: 20_000_000, Required: true}),
			text(`<div class="cluster">`), web.Button(web.ButtonProps{Label: "Upload"}), web.ButtonLink("Not now", "#", web.Quiet), text(`</div></form>`)),
		with(web.Card("Sign in"), text(`<form class="form" method="post">`),
			web.Field(web.FieldProps{Name: "code", Label: "Code", Hint: "We sent it to a•••@example.com.", Error: "Enter the six-digit code from the mail", InputMode: "numeric", Autocomplete: "one-time-code", Required: true}),
			web.Select(web.FieldProps{Name: "document_type", Label: "Type of document"}, []web.Option{{Value: "passport", Label: "Passport"}, {Value: "id_card", Label: "ID card", Selected: true}}),
			web.Radios(web.FieldProps{Name: "decision", Label: "Decision"}, []web.Option{{Value: "approve", Label: "Approve", Hint: "Lifts the restriction and grants one retry."}, {Value: "request_resubmission", Label: "Request resubmission", Selected: true}, {Value: "decline", Label: "Decline"}}),
			web.Checkboxes(web.FieldProps{Name: "reasons", Label: "Reasons"}, []web.Option{{Value: "blurred", Label: "The picture is blurred", Selected: true}, {Value: "cropped", Label: "Parts are cut off"}}),
			web.TextArea(web.FieldProps{Name: "note", Label: "Internal note", Optional: true}),
			web.Checkbox(web.FieldProps{Name: "sure", Label: "I have compared the name with the account"}, false),
			web.Hidden("version", "3"),
			text(`<div class="cluster">`), web.Button(web.ButtonProps{Label: "Record decision"}), web.Button(web.ButtonProps{Label: "Save", Kind: web.Secondary, Name: "do", Value: "save"}), web.Button(web.ButtonProps{Label: "Decline", Kind: web.Danger}), text(`</div></form>`)),
		web.CodePlate("Query code", "7KX4M-Q2W9D"),
		text(`<div class="split"><div class="stack">`),
		web.Viewer(web.ViewerProps{ID: "viewer-1", Source: "/picture.png", Alt: "Front of the identity card", Caption: "Government ID, front"}),
		web.Table(web.TableProps{Caption: "Cases", Columns: []web.Column{{Label: "Account"}, {Label: "Status"}, {Label: "Due"}, {Label: "Amount", Numeric: true}},
			Rows: [][]web.Cell{
				{{Text: "Alma Petersen", URL: "#", Note: "individual · DK"}, {Body: web.Badge("in_review")}, {Text: "13 Feb 2026, 18:00", Note: web.FormatRemaining(27*time.Hour, locale)}, {Text: "1,240.00 EUR"}},
				{{Text: "上海云帆科技有限公司", URL: "#", Note: "enterprise · CN"}, {Body: web.Badge("overdue")}, {Text: "11 Feb 2026, 18:00"}, {Text: "98.50 CNY"}},
				{{Text: "Jonas Lindqvist", URL: "#"}, {Body: web.Badge("approved")}, {Text: "10 Feb 2026, 18:00"}, {Text: "12.00 USD"}},
			}}),
		web.Pagination(web.PaginationProps{PreviousURL: "#", NextURL: "#", Summary: "21–40"}),
		text(`</div><div class="stack split__side">`),
		with(web.CardWith("Account", web.Badge("restricted")), web.DefinitionList([]web.Definition{{Term: "Name", Value: "Alma Petersen"}, {Term: "Address", Value: "Havnegade 12\n1058 København"}, {Term: "Date of birth"}, {Term: "Enforcement", Body: web.Badge("grace")}})),
		with(web.Card("History"), web.Timeline([]web.TimelineItem{
			{When: "12 Feb 2026, 10:02", Stamp: "2026-02-12T10:02:00Z", Title: "Submitted", Who: "Account holder", Tone: web.Info},
			{When: "12 Feb 2026, 09:41", Stamp: "2026-02-12T09:41:00Z", Title: "Notice received", Detail: "The mail server accepted it.", Tone: web.Positive},
			{When: "12 Feb 2026, 09:40", Title: "Payment rejected", Detail: "New location; first use of a payment method.", Who: "Risk engine", Tone: web.Negative},
		})),
		with(web.Details("Why are you asking?", true), text(`<p>Someone paid from a place we have not seen before.</p>`)),
		web.EmptyState("Nothing to review", "New cases appear here when documents are submitted."),
		text(`</div></div>`),
	)
}

func kitchenPage(locale string) web.Page {
	return web.Page{Title: "Kitchen sink", Locale: locale, Brand: web.Brand{Name: "Nimbus Cloud", Colour: "#1f5fbf"}, Area: "KYC Center", HomeURL: "/kyc",
		Nav:       []web.NavItem{{Label: "Overview", URL: "#", Current: true}, {Label: "Messages", URL: "#", Count: 2}, {Label: "Support", URL: "#"}},
		Languages: []web.NavItem{{Label: "English", URL: "?lang=en", Current: locale == "en", Lang: "en"}, {Label: "简体中文", URL: "?lang=zh-CN", Current: locale != "en", Lang: "zh-CN"}},
		SignedIn:  &web.SignedIn{Name: "Alma Petersen", SignOutURL: "/sign-out"}, Scripts: []string{"upload.js", "viewer.js"}}
}

func TestTheKitchenSinkIsAPageThatPolicyAndScreenReadersAccept(t *testing.T) {
	for _, locale := range web.Locales() {
		t.Run(locale, func(t *testing.T) {
			var out bytes.Buffer
			if err := web.RenderTo(t.Context(), &out, kitchenPage(locale), kitchenSink(locale)); err != nil {
				t.Fatal(err)
			}
			webtest.CheckPage(t, out.String())
			if !strings.Contains(out.String(), `<html lang="`+locale+`"`) {
				t.Error("the document does not say its language")
			}
		})
	}
}

// kitchen serves the sink with its assets and a picture, under the headers of the product.
func kitchen(picture, statement []byte) *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle("/assets/", web.Assets())
	mux.HandleFunc("/picture.png", func(w http.ResponseWriter, _ *http.Request) {
		web.AttachmentHeaders(w, "image/png", "")
		_, _ = w.Write(picture)
	})
	mux.HandleFunc("/statement.pdf", func(w http.ResponseWriter, _ *http.Request) {
		web.AttachmentHeaders(w, "application/pdf", "statement.pdf")
		_, _ = w.Write(statement)
	})
	mux.Handle("/", web.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		locale := web.ChooseLocale(w, r, "")
		page := kitchenPage(locale)
		page.Wide = r.URL.Query().Has("wide")
		_ = web.Render(w, r, http.StatusOK, page, kitchenSink(locale))
	})))
	return httptest.NewServer(mux)
}

func TestTheKitsOwnCatalogsAgree(t *testing.T) {
	webtest.CheckCatalogs(t, os.DirFS("catalog"), "en.json", "zh-CN.json")
}

func TestTextIsEscapedWhereverItStands(t *testing.T) {
	const attack = `<script>alert(1)</script>" onload="x`
	page := web.Page{Title: attack, Locale: attack, Brand: web.Brand{Name: attack, Colour: attack}, Area: attack,
		Nav: []web.NavItem{{Label: attack, URL: "javascript:alert(1)"}}, SignedIn: &web.SignedIn{Name: attack, SignOutURL: "javascript:alert(1)"}}
	body := templ.Join(web.PageHeader(attack, attack, nil), web.Badge(attack), web.ButtonLink(attack, "javascript:alert(1)", web.Quiet),
		web.Field(web.FieldProps{Name: "a", Label: attack, Value: attack, Error: attack}),
		web.Table(web.TableProps{Caption: attack, Columns: []web.Column{{Label: attack}}, Rows: [][]web.Cell{{{Text: attack, URL: "javascript:alert(1)"}}}}))
	var out bytes.Buffer
	if err := web.RenderTo(t.Context(), &out, page, body); err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{"<script>alert", "javascript:", `" onload="`} {
		if strings.Contains(out.String(), forbidden) {
			t.Errorf("the page holds %q", forbidden)
		}
	}
}
