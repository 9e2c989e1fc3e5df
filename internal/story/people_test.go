package story

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/probity/probity/internal/samples"
	"github.com/probity/probity/internal/testkit/browser"
)

// words are what the pages of the KYC Center say in one language.
type words struct {
	locale                                                      string
	alert, codeMail, receivedMail, approvedMail                 string // subjects of mails, or part of them
	sendCode, codeField, signIn                                 string
	start, toPayment, toStatement, check, submit, add, added    string
	passport, query, approved, awaiting, inReview, resubmission string
}

var english = words{
	locale: "en", alert: "Payment Method Security Alert", codeMail: "Your sign-in code", receivedMail: "We received your documents",
	approvedMail: "Your verification is approved", sendCode: "Send the code", codeField: "Six-digit code", signIn: "Sign in",
	start: "Start: Government ID", toPayment: "Continue: Payment method", toStatement: "Continue: Latest statement", check: "Check and submit",
	submit: "Submit for review", add: "Add", added: "Added. You can see it below.", passport: "Passport", query: "Your query code",
	approved: "Your verification is approved", awaiting: "Please confirm your payment method", inReview: "We are checking what you sent",
	resubmission: "Please send one more thing",
}

var chinese = words{
	locale: "zh-CN", alert: "支付方式安全提醒", codeMail: "您的登录码", receivedMail: "我们已收到您的材料", approvedMail: "您的验证已通过",
	sendCode: "发送验证码", codeField: "六位验证码", signIn: "登录", start: "开始：政府签发的证件", toPayment: "继续：付款方式", toStatement: "继续：最近的月结单",
	check: "检查并提交", submit: "提交审核", add: "添加", added: "已添加，您可以在下方查看。", passport: "护照", query: "您的查询码",
	approved: "您的验证已通过", awaiting: "请确认您的付款方式", inReview: "我们正在审核您的材料", resubmission: "请补充提交材料",
}

// holder is a customer of the demo's platform with their page and their papers.
type holder struct {
	*person
	words
	accountID, externalID, email string
	rejected                     string // address of the rejected payment's page on the platform
	verificationID               string
	papers                       string // directory of what they upload
}

// customer gives a customer of the platform a page. The name is as it stands on their papers, in Latin letters.
func (s *stage) customer(externalID, paperName string, w words, page *person) *holder {
	s.t.Helper()
	found := s.items("/v1/accounts?external_id=" + externalID)
	if len(found) != 1 {
		s.t.Fatalf("got %d accounts with external id %s, want 1", len(found), externalID)
	}
	h := &holder{person: page, words: w, accountID: found[0].text("id"), externalID: externalID, email: found[0].text("email"), papers: s.t.TempDir()}
	h.who = strings.ToLower(strings.Fields(paperName)[0])
	now, err := time.Parse(time.RFC3339, s.want(http.StatusOK, http.MethodGet, "/v1/demo/clock", nil).text("now"))
	if err != nil {
		s.t.Fatal(err)
	}
	options := samples.Options{Name: paperName, Date: now}
	for _, method := range s.items("/v1/accounts/" + h.accountID + "/payment_methods") {
		if isDefault, _ := method["default"].(bool); isDefault {
			options.First6, options.Last4 = method.text("first6"), method.text("last4")
		}
	}
	if options.First6 == "" {
		options.Last4 = "" // not a card, and the papers show one: that of the default person
	}
	if err := samples.Write(h.papers, options); err != nil {
		s.t.Fatal(err)
	}
	return h
}

// isRejected lets the ready-made suspicious payment happen on the platform.
func (h *holder) isRejected() {
	h.stage.t.Helper()
	h.visit(h.platformPath())
	h.press("Suspicious payment")
	h.sees("Payment rejected", "RISK.RISK_CONTROL_REJECTION")
	h.rejected = h.URL()
	h.findVerification()
}

// findVerification remembers the holder's newest verification.
func (h *holder) findVerification() {
	h.stage.t.Helper()
	found := h.stage.items("/v1/verifications?account_id=" + h.accountID)
	if len(found) == 0 || found[0].text("status") != "awaiting_submission" {
		h.stage.t.Fatalf("got verifications %v, want the newest to await its submission", found)
	}
	h.verificationID = found[0].text("id")
}

// retries pays once more, on the page of the rejected payment.
func (h *holder) retries(answer string) {
	h.stage.t.Helper()
	h.Goto(h.rejected)
	h.look("retry")
	h.press("Try the payment again")
	h.sees(answer)
	h.look("retried")
}

// comesFromThePlatform enters the KYC Center as somebody who is signed in on the platform.
func (h *holder) comesFromThePlatform() {
	h.stage.t.Helper()
	h.visit(h.platformPath())
	h.press("Open the KYC Center")
}

func (h *holder) platformPath() string { return "/platform/customers/" + h.externalID }

func (h *holder) verificationPath() string { return "/kyc/verifications/" + h.verificationID }

// verification asks the API where the holder's verification stands.
func (h *holder) verification() object {
	h.stage.t.Helper()
	return h.stage.want(http.StatusOK, http.MethodGet, "/v1/verifications/"+h.verificationID, nil)
}

// enforcement asks the API for the state of enforcement against the account.
func (h *holder) enforcement() string {
	h.stage.t.Helper()
	return h.stage.want(http.StatusOK, http.MethodGet, "/v1/accounts/"+h.accountID, nil).text("enforcement", "state")
}

var (
	linkInMail = regexp.MustCompile(`http://localhost:\d+/kyc/verifications/ver_[0-9a-z]+`)
	sixDigits  = regexp.MustCompile(`\b\d{6}\b`)
	noticeCode = regexp.MustCompile(`\b[A-Z]{3}-\d{3}\b|\b[0-9A-Z]{3}-[0-9A-Z]{3}\b`)
	queryCode  = regexp.MustCompile(`\b[0-9A-Z]{5}-[0-9A-Z]{5}\b`)
)

// signIn follows the link of the alert and signs in with a code from the mail.
func (h *holder) signIn() {
	h.stage.t.Helper()
	alert := h.stage.letter(h.email, h.alert, 1)
	link := linkInMail.FindString(alert.Text)
	if link == "" || !strings.Contains(alert.HTML, link) {
		h.stage.t.Fatalf("the alert has no link in both of its parts:\n%s", alert.Text)
	}
	h.Goto(link)
	if h.locale == chinese.locale {
		h.press("简体中文")
	}
	h.look("gate")
	h.press(h.sendCode)
	h.look("code")
	code := sixDigits.FindString(h.stage.letter(h.email, h.codeMail, 1).Text)
	h.enter(h.codeField, code)
	h.press(h.words.signIn)
	h.sees(h.awaiting)
	if inMail := noticeCode.FindString(alert.Text); inMail == "" || !strings.Contains(h.Text("main"), inMail) {
		h.stage.t.Errorf("the code of the mail, %q, is not on the page", inMail)
	}
	h.look("verification")
}

// paper returns the path of one of the holder's documents.
func (h *holder) paper(name string) string { return filepath.Join(h.papers, name) }

// notes writes a file that is no photo and returns its path.
func (h *holder) notes() string {
	h.stage.t.Helper()
	path := h.paper("notes.txt")
	if err := os.WriteFile(path, []byte("these are words"), 0o600); err != nil {
		h.stage.t.Fatal(err)
	}
	return path
}

// upload adds a file to the item at hand and waits until the page shows it.
func (h *holder) upload(path, added string) {
	h.stage.t.Helper()
	h.Upload("input[type=file]", path)
	h.touch(h.add)
	h.sees(added)
}

// sendThree sends the three items one after another, the first as that sort of document, and returns when all are there to be checked.
func (h *holder) sendThree(document string) {
	h.stage.t.Helper()
	h.press(h.start)
	h.look("government-id")
	h.choose(document)
	h.upload(h.paper(samples.GovernmentIDFile), h.added)
	h.look("government-id-added")
	h.press(h.toPayment)
	h.look("payment-method")
	h.upload(h.paper(samples.PaymentMethodFile), h.added)
	h.press(h.toStatement)
	h.look("statement")
	h.upload(h.paper(samples.BillingStatementFile), h.added)
	h.look("statement-added")
}

// submitAll checks and submits, and returns the query code.
func (h *holder) submitAll() string {
	h.stage.t.Helper()
	h.press(h.check)
	h.look("check")
	h.press(h.submit)
	h.sees(h.query)
	h.look("receipt")
	code := queryCode.FindString(h.Text(".receipt__code"))
	if code == "" || code != h.verification().text("query_code") {
		h.stage.t.Fatalf("got query code %q on the page, want that of the API, %q", code, h.verification().text("query_code"))
	}
	return code
}

// reviewer is a member of staff at the console.
type reviewer struct{ *person }

const passphrase = "four unrelated words suffice"

// join opens the first-start link and sets the first administrator up.
func (r *reviewer) join(email string) {
	r.stage.t.Helper()
	r.Goto(r.stage.ready.ConsoleLink)
	r.look("join")
	r.enter("Your name", "Mina Okafor")
	r.enter("E-mail address", email)
	r.enter("Passphrase", passphrase)
	r.enter("The same passphrase again", passphrase)
	r.press("Join and sign in")
	r.sees("Queue")
	r.look("queue")
}

// open finds the case of a submission by its query code.
func (r *reviewer) open(code, name string) {
	r.stage.t.Helper()
	r.visit("/console/")
	r.Fill("#search-q", strings.ToLower(strings.ReplaceAll(code, "-", "")))
	r.press("Find")
	r.sees(name, code)
}

// decide chooses a decision, confirms it, and waits for what the console says then.
func (r *reviewer) decide(decision, said string) {
	r.stage.t.Helper()
	r.press("Continue")
	r.sees("What will follow")
	r.look("confirm")
	r.press(decision)
	r.sees(said)
	r.look("decided")
}

// ground gives a reason for an item, with a note for colleagues.
func (r *reviewer) ground(item, reason, note string) {
	r.stage.t.Helper()
	r.touchIn("#decision", item)
	r.choose(reason)
	if note != "" {
		r.enter("Internal note on this item", note)
	}
}

// touchIn opens a summary inside a part of the page, where the same words stand elsewhere too.
func (r *reviewer) touchIn(part, summary string) {
	r.stage.t.Helper()
	found := browser.Evaluate[bool](r.Page, fmt.Sprintf(`(() => {
		const one = [...document.querySelectorAll('%s summary')].find(e => e.innerText.trim() === %q);
		for (const marked of document.querySelectorAll('[data-played]')) marked.removeAttribute('data-played');
		if (one) one.setAttribute('data-played', '');
		return !!one;
	})()`, part, summary))
	if !found {
		r.stage.t.Fatalf("%s has no %s to open", part, summary)
	}
	r.Click(marked)
}

// mailPath is the page of a mail in the mailbox.
func mailPath(one letter) string { return "/mailbox/messages/" + url.PathEscape(one.ID) }
