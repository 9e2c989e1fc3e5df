package console_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/testkit/browser"
)

// names are people who do not exist.
var names = []string{
	"Jonas Lindqvist", "Nora Berg", "Mateus Carvalho", "李静怡", "Aisha Mwangi", "Tomáš Novák", "Camille Laurent", "Yuto Tanaka", "Sofía Herrera",
	"Elias Korhonen", "Priya Raman", "Ingrid Solheim", "Marek Zieliński", "Fatima Zahra El Idrissi", "Oluwaseun Adebayo-Williams", "Kim Min-seo",
}

// busyDesk fills the queue with cases of several days, and returns the first.
func (w *world) busyDesk() service.VerificationView {
	w.Helper()
	var first service.VerificationView
	for i, name := range names {
		view := w.submitted(w.key, func(p *account.Profile) {
			p.Name = name
			if i%5 == 3 {
				p.Kind, p.Country, p.DateOfBirth, p.Name = account.Enterprise, "CN", "", "上海云帆科技有限公司"
			}
		})
		if i == 0 {
			first = view
		}
		_, err := w.Clock.Advance(7 * time.Hour) // business time only: nobody's session ends
		w.must(err)
	}
	return first
}

// The pictures land in the directory of "go test -artifacts -outputdir DIR".
func TestTheConsoleInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	w := newWorld(t)
	pictures := t.ArtifactDir()
	chromium := browser.New(t)
	desk := chromium.Desktop()
	link, err := w.s.FirstStartLink(t.Context(), w.Tenant.ID)
	w.must(err)
	link = w.server.URL + strings.TrimPrefix(link, "http://localhost:8080")
	both := func(name, path string) {
		t.Helper()
		if path != "" {
			desk.Goto(w.server.URL + path)
		}
		desk.Accessible()
		desk.Screenshot(filepath.Join(pictures, name+"-1280.png"))
	}
	desk.Goto(link)
	both("join", "")
	desk.Fill("#field-name", "Ana Ruiz")
	desk.Fill("#field-email", "ana@nimbus.example")
	desk.Fill("#field-passphrase", passphrase)
	desk.Fill("#field-passphrase_again", passphrase)
	desk.Submit(".gate .button--primary")
	both("queue-empty", "")

	first := w.busyDesk()
	waiting := w.holder(w.key, func(p *account.Profile) { p.Name = "Vera Kask" })
	w.RefuseMail(true)
	w.RunJobs()
	w.RefuseMail(false)
	ticket, err := w.s.OpenTicket(t.Context(), w.key, casework.Ticket{
		AccountID: first.Account.ID, ErrorCode: "RISK.RISK_CONTROL_REJECTION", QueryCode: first.Verification.QueryCode,
		StepsTaken: "Signed in, sent the passport, the card and the statement of October.", Message: "My card was rejected although it worked last week. How long does the review take?",
	})
	w.must(err)
	casePath := "/console/cases/" + first.Case.ID
	both("queue", "/console/")
	both("queue-overdue", "/console/?show=overdue")
	desk.Goto(w.server.URL + casePath)
	desk.WaitText("Fit")
	both("case", "")
	desk.Click(".viewer [data-viewer-action=zoom-in]")
	desk.Click(".viewer [data-viewer-action=rotate-right]")
	desk.Click(".viewer [data-viewer-action=contrast]")
	if got := browser.Evaluate[string](desk, `document.querySelector(".viewer__image").style.filter`); got != "contrast(160%)" {
		t.Errorf("got filter %q after a click on contrast", got)
	}
	desk.Click("#field-decision-1")
	desk.Click(".grounds details summary")
	desk.Click(`[value="id.blurred"]`)
	desk.Fill("#field-note", "The lower third is soft; everything else agrees.")
	both("case-deciding", "")
	desk.Submit(`.decision button[value=check]`)
	both("confirm", "")
	desk.Submit(`button[value=confirm]`)
	both("case-asked-again", "")
	w.RunJobs()
	both("verification-waiting", "/console/verifications/"+first.Verification.ID)
	w.secondRound(first)
	round2, err := w.s.Verification(t.Context(), w.key, first.Verification.ID)
	w.must(err)
	desk.Goto(w.server.URL + "/console/cases/" + round2.Case.ID)
	desk.Click("#field-decision")
	both("case-round-2", "")
	w.approveByColleague(round2)
	desk.Expect("409")
	if got := desk.Submit(`.decision button[value=check]`); got != 409 {
		t.Errorf("got %d for a decided case, want 409", got)
	}
	both("too-late", "")
	both("case-approved", "/console/cases/"+round2.Case.ID)
	both("queue-decided", "/console/?show=decided")
	both("account", "/console/accounts/"+first.Account.ID)
	both("history", "/console/accounts/"+first.Account.ID+"/history")
	both("accounts", "/console/accounts")
	both("open-verification", "/console/accounts/"+first.Account.ID+"/verifications/new")
	both("add-evidence", "/console/verifications/"+waiting.Verification.ID+"/evidence")
	both("cancel", "/console/verifications/"+waiting.Verification.ID+"/cancel")
	both("bounced", "/console/verifications/"+waiting.Verification.ID)
	both("tickets", "/console/tickets")
	both("ticket", "/console/tickets/"+ticket.ID)
	both("undelivered", "/console/undelivered")
	desk.Goto(w.server.URL + "/console/staff")
	desk.Fill("#field-email", "ben@nimbus.example")
	desk.Submit(".split .button--primary")
	both("staff", "")
	desk.Expect("404")
	both("not-found", "/console/nowhere")

	phone := chromium.Phone()
	phone.DisableScripts()
	phone.Goto(w.server.URL + "/console/")
	phone.Screenshot(filepath.Join(pictures, "sign-in-390.png"))
	phone.Fill("#field-email", "ana@nimbus.example")
	phone.Fill("#field-passphrase", passphrase)
	phone.Submit(".gate .button--primary")
	next, _, err := w.s.Cases(t.Context(), w.key, store.CaseFilter{Status: casework.Open}, store.Page{Limit: 1})
	w.must(err)
	for name, path := range map[string]string{
		"queue": "/console/", "case": "/console/cases/" + next[0].Case.ID, "account": "/console/accounts/" + first.Account.ID, "ticket": "/console/tickets/" + ticket.ID,
		"staff": "/console/staff", "accounts": "/console/accounts", "add-evidence": "/console/verifications/" + waiting.Verification.ID + "/evidence",
	} {
		phone.Goto(w.server.URL + path)
		phone.Screenshot(filepath.Join(pictures, name+"-390.png"))
		if wide := browser.Evaluate[int](phone, `document.documentElement.scrollWidth`); wide > 390 {
			t.Errorf("%s is %d pixels wide on a phone", name, wide)
		}
	}
}

// secondRound sends and submits what was asked for again.
func (w *world) secondRound(view service.VerificationView) {
	w.Helper()
	set, err := papers()
	w.must(err)
	holder := access.Actor{Kind: access.Holder, TenantID: w.Tenant.ID, ID: view.Account.ID}
	_, err = w.s.SendEvidence(w.Context(), holder, service.EvidenceUpload{
		VerificationID: view.Verification.ID, Requirement: verification.GovernmentID, DocumentType: verification.IDCard, Raw: set.GovernmentID,
	})
	w.must(err)
	_, err = w.s.Submit(w.Context(), holder, view.Verification.ID)
	w.must(err)
	w.RunJobs()
}

// approveByColleague lets somebody else decide first.
func (w *world) approveByColleague(view service.VerificationView) {
	w.Helper()
	link, _, err := w.s.InviteStaff(w.Context(), w.actorOf("ana@nimbus.example"), "cleo@nimbus.example", access.Reviewer)
	w.must(err)
	cleo := w.joined(link, "Cleo Martin", "")
	p := cleo.send("/console/cases/"+view.Case.ID+"/decision", url.Values{
		"expected_version": {fmt.Sprint(view.Case.Version)}, "decision": {"approve"}, "step": {"confirm"}, "note": {"All three agree."},
	})
	w.status(p, 200)
	w.RunJobs()
}
