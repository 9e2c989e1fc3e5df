package service_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
)

// marks are personal data that can be recognised wherever they turn up.
var marks = []string{
	"Zebulon", "Quirke", "zebulon.quirke@mark.example", "+65 6555 0142", "7 Markgate", "Markville", "1987-06-05", "198.51.100.23", "device-mark",
	"QUIRKE-CARD", "498765", "7531", "fp-mark", "ticket-mark", "answer-mark", "note-mark", "reason-mark", "MARK-IN-ATTACHMENT", "staff-mark",
}

// ours is an identifier of this installation. Chance puts the short marks, a card's digits, into some of them.
var ours = regexp.MustCompile(`\b[a-z]{2,5}_[0-9a-z]{26}\b`)

// unmarked checks that a text holds none of the marks.
func unmarked(t testing.TB, where, text string) {
	t.Helper()
	text = ours.ReplaceAllString(text, "(id)")
	for _, mark := range marks {
		if at := strings.Index(strings.ToLower(text), strings.ToLower(mark)); at >= 0 {
			t.Errorf("%s holds %q: …%s…", where, mark, text[max(0, at-60):min(len(text), at+60)])
		}
	}
}

// onePagePDF is a PDF that says the words.
func onePagePDF(words string) []byte {
	return []byte("%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n" +
		"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] >>\nendobj\n% " + words + "\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n")
}

func TestNoPersonalDataLeavesItsPlace(t *testing.T) {
	on(t, func(w *world) {
		ctx := w.Context()
		_, err := w.s.AddWebhookEndpoint(ctx, w.key, w.platform.server.URL+"/events", nil)
		w.must(err)
		p := w.personOf(w.key, account.Profile{
			Kind: account.Individual, Name: "Zebulon Quirke", Email: "zebulon.quirke@mark.example", Phone: "+65 6555 0142", Country: "SG",
			Address: account.Address{Lines: []string{"7 Markgate"}, City: "Markville", Country: "SG"}, DateOfBirth: "1987-06-05", TimeZone: "Asia/Singapore",
		})
		p.method, err = w.s.AddPaymentMethod(ctx, w.key, payment.Method{
			AccountID: p.account.ID, Kind: payment.Card, Brand: "Visa", First6: "498765", Last4: "7531", HolderName: "ZEBULON QUIRKE-CARD", Fingerprint: "fp-mark", Default: true,
		})
		w.must(err)
		attempt := p.attempt(dollars(900))
		attempt.IP, attempt.DeviceID, attempt.Location.City, attempt.Merchant = "198.51.100.23", "device-mark", "Markville", "Harbour Cloud"
		// look is called before the jobs run, because they are gone afterwards.
		look := func() {
			w.Helper()
			unmarked(w, "the journal", w.text("journal"))
			unmarked(w, "a job", w.text("jobs"))
			w.work()
			unmarked(w, "a job", w.text("jobs"))
		}
		rejected := w.pay(attempt)
		look()
		w.post.fail = temporary
		browser, err := w.s.RequestSignInCode(ctx, service.SignInRequest{Email: "zebulon.quirke@mark.example"})
		w.must(err)
		look()
		w.post.fail = nil
		w.pass(10 * time.Second)
		look()
		_, _, err = w.s.SignInWithCode(ctx, browser, w.code("zebulon.quirke@mark.example"))
		w.must(err)
		v := w.verification(rejected.Payment.VerificationID)
		_, err = w.s.OpenMessage(ctx, p.holder, p.account.ID, w.messageOf(v, notice.PaymentMethodAlert))
		w.must(err)
		w.platform.answerWith(func(string) (int, bool) { return 500, false })
		w.at(w.verification(v.ID).DueAt.Add(time.Second))
		look()
		w.platform.answerWith(nil)
		// Refused uploads, then good ones, one of them a PDF that is kept as it is.
		for _, raw := range [][]byte{[]byte("MARK-IN-ATTACHMENT is no picture"), nil, sample()[:200]} {
			bad := upload(v.ID, verification.PaymentMethod)
			bad.Raw = raw
			if _, err := w.s.SendEvidence(ctx, p.holder, bad); err == nil {
				w.Error("a broken attachment was accepted")
			}
		}
		statement := upload(v.ID, verification.BillingStatement)
		statement.Raw = onePagePDF("MARK-IN-ATTACHMENT")
		sent, err := w.s.SendEvidence(ctx, p.holder, statement)
		w.must(err)
		w.provide(p.holder, v.ID, verification.GovernmentID, verification.PaymentMethod)
		_, plain, err := w.s.Attachment(ctx, w.reviewer, sent.ID)
		w.must(err)
		if !bytes.Equal(plain, statement.Raw) {
			w.Error("the PDF did not come back as it was sent")
		}
		submitted, err := w.s.Submit(ctx, p.holder, v.ID)
		w.must(err)
		look()
		ticket, err := w.s.OpenTicket(ctx, p.holder, casework.Ticket{
			AccountID: p.account.ID, Message: "ticket-mark", StepsTaken: "ticket-mark", ErrorCode: payment.RejectionCode, QueryCode: submitted.Verification.QueryCode,
		})
		w.must(err)
		_, err = w.s.CloseTicket(ctx, w.reviewer, ticket.ID, "answer-mark")
		w.must(err)
		again := askAgain()
		again.Note, again.Reasons[0].Note = "note-mark", "note-mark"
		w.decide(submitted.Case.ID, again)
		look()
		w.provide(p.holder, v.ID, verification.GovernmentID)
		second, err := w.s.Submit(ctx, p.holder, v.ID)
		w.must(err)
		w.post.fail = permanent
		w.decide(second.Case.ID, service.CaseDecision{Decision: casework.Approve, Note: "note-mark"})
		look()
		w.pay(attempt)
		_, err = w.s.OpenVerification(ctx, w.key, service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity, Reason: "reason-mark"})
		w.must(err)
		link, err := w.s.FirstStartLink(ctx, w.tenant.ID)
		w.must(err)
		_, _, err = w.s.JoinStaff(ctx, service.Join{Token: linkToken(link), Local: true, Name: "staff-mark", Email: "staff-mark@mark.example", Passphrase: passphrase})
		w.must(err)
		_, _, err = w.s.SignInStaff(ctx, "staff-mark@mark.example", "not the right passphrase")
		if err == nil {
			w.Error("a wrong passphrase signed in")
		}
		w.at(w.now().Add(2 * time.Hour))
		look()

		unmarked(w, "the log", w.logs.String())
		w.platform.mu.Lock()
		received := len(w.platform.bodies)
		unmarked(w, "a webhook or command", strings.Join(w.platform.bodies, "\n"))
		w.platform.mu.Unlock()
		if received < 30 {
			w.Errorf("got %d webhooks and commands, want the whole story", received)
		}
		if pending, dead, err := w.store.CountJobs(ctx); err != nil || pending+dead != 0 {
			w.Errorf("got %d pending and %d dead jobs (%v), want none: %s", pending, dead, err, w.text("jobs"))
		}
		for _, path := range w.files() {
			content, err := os.ReadFile(path)
			w.must(err)
			unmarked(w, "an attachment on disk", string(content))
			if bytes.Contains(content, sample()[:64]) || bytes.HasPrefix(content, []byte("\x89PNG")) || bytes.HasPrefix(content, []byte("%PDF")) {
				w.Error("an attachment lies on disk unsealed")
			}
		}
		if strings.Contains(w.text(tables...), "MARK-IN-ATTACHMENT") {
			w.Error("the content of an attachment is in the database")
		}
		if strings.Contains(w.text("webhook_endpoints", "tenants"), "whsec_") {
			w.Error("a signing secret is stored in clear")
		}
	})
}
