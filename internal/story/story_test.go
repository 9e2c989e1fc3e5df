package story

import (
	"net/http"
	"strings"
	"testing"

	"github.com/probity/probity/internal/samples"
	"github.com/probity/probity/internal/testkit/browser"
)

// reviewerEmail is the sign-in name of the first administrator.
const reviewerEmail = "mina@nimbus-cloud.example"

func TestTheWholeStory(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := browser.New(t)
	s := open(t)
	pictures := newAlbum(t)
	at := func(page *browser.Page, who string) *person {
		return &person{Page: page, stage: s, album: pictures, who: who}
	}
	console := &reviewer{at(chromium.Desktop(), "reviewer")}
	scenes := []struct {
		name string
		play func(t *testing.T, s *stage, page *person, console *reviewer)
		page func() *person
	}{
		{"a rejected payment is verified, and its retry passes", approval, func() *person { return at(chromium.Desktop(), "") }},
		{"only the bad item is asked for again, and nothing needs a script", resubmission, func() *person {
			page := at(chromium.Desktop(), "")
			page.DisableScripts()
			return page
		}},
		{"a decline keeps the restriction", decline, func() *person { return at(chromium.Desktop(), "") }},
		{"the same in Chinese on a phone", onAPhone, func() *person {
			page := at(chromium.Phone(), "")
			page.phone = true
			return page
		}},
		{"who does not answer is suspended, and resumed after an approval", suspension, func() *person { return at(chromium.Desktop(), "") }},
	}
	console.join(reviewerEmail)
	for _, scene := range scenes {
		passed := t.Run(scene.name, func(t *testing.T) {
			page := scene.page()
			page.Page, page.stage = page.With(t), s.on(t)
			staff := &reviewer{&person{Page: console.With(t), stage: s.on(t), album: pictures, who: "reviewer"}}
			scene.play(t, s.on(t), page, staff)
		})
		if !passed {
			return
		}
	}
}

func approval(t *testing.T, s *stage, page *person, console *reviewer) {
	alma := s.customer("cust-1001", "Alma Petersen", english, page)
	alma.visit("/")
	alma.look("landing")
	alma.visit("/platform/")
	alma.look("platform")
	alma.visit(alma.platformPath())
	alma.look("customer")
	alma.isRejected()
	alma.look("rejected")
	alert := s.letter(alma.email, alma.alert, 1)
	alma.visit("/mailbox/")
	alma.look("mailbox")
	alma.visit(mailPath(alert))
	alma.look("alert")
	alma.visit("/kyc/")
	alma.look("sign-in")
	alma.signIn()

	alma.visit("/kyc/messages")
	alma.look("messages")
	alma.press("Payment Method Security Alert")
	alma.look("message")
	alma.visit(alma.verificationPath())
	alma.press(alma.start)
	alma.sendWithMistakes()
	code := alma.submitAll()
	if !strings.Contains(s.letter(alma.email, alma.receivedMail, 1).Text, code) {
		t.Errorf("the mail about the submission does not hold the query code")
	}
	alma.press("See the status")
	alma.sees(alma.inReview)
	alma.look("in-review")
	alma.askSupport(code)

	console.visit("/console/")
	console.sees("Alma Petersen")
	console.look("queue")
	console.answer("Alma Petersen", "It is on the first page of your bank's site, under statements.")
	alma.visit("/kyc/tickets")
	alma.look("tickets")
	alma.press("Ticket of")
	alma.sees("It is on the first page of your bank's site")
	alma.look("ticket-answered")

	console.visit("/console/")
	console.press("Alma Petersen")
	console.sees("Decide", code)
	console.look("case")
	console.choose("Approve")
	console.decide("Approve", "Approved.")
	s.letter(alma.email, alma.approvedMail, 1)
	alma.visit(alma.verificationPath())
	alma.sees(alma.approved)
	alma.look("approved")
	alma.visit("/kyc/")
	alma.look("overview-approved")
	alma.press("Sign out")
	alma.sees("You are signed out.")
	alma.retries("Payment accepted")
}

// sendWithMistakes sends the three items as somebody does who tries: a file of the wrong sort, the front without the back, a break.
func (h *holder) sendWithMistakes() {
	h.stage.t.Helper()
	h.look("government-id")
	h.Upload("input[type=file]", h.notes())
	h.sees("This type cannot be used")
	h.look("wrong-type")
	h.choose("ID card")
	h.choose("Front, or the only side")
	h.upload(h.paper(samples.GovernmentIDFile), h.added)
	h.sees("Is there a back side?")
	h.look("back-missing")
	h.choose("ID card")
	h.choose("Back")
	h.upload(h.paper(samples.GovernmentIDFile), "ID card, back")
	h.press(h.toPayment)
	h.look("payment-method")
	h.upload(h.paper(samples.PaymentMethodFile), h.added)
	h.visit("/kyc/")
	h.sees("2 of 3 items added.")
	h.look("overview-halfway")
	h.press(h.toStatement)
	h.look("statement")
	h.upload(h.paper(samples.BillingStatementFile), h.added)
}

// askSupport opens a ticket from the page of the verification.
func (h *holder) askSupport(code string) {
	h.stage.t.Helper()
	h.press("Open a support ticket")
	h.look("new-ticket")
	if got := browser.Evaluate[string](h.Page, `document.querySelector('[name=query_code]').value`); got != code {
		h.stage.t.Errorf("got query code %q in the new ticket, want %s", got, code)
	}
	h.enter("What happened?", "I am not sure which statement is the latest.")
	h.enter("What have you tried?", "I looked at the site of my bank.")
	h.press("Send")
	h.sees("Sent. Thank you.")
	h.look("ticket")
}

// answer answers the ticket of an account that waits.
func (r *reviewer) answer(name, text string) {
	r.stage.t.Helper()
	r.visit("/console/tickets")
	r.look("tickets")
	r.pressIn(name)
	r.look("ticket")
	r.enter("Your answer to the holder", text)
	r.press("Send and close")
	r.sees("Answered.")
}

func resubmission(t *testing.T, s *stage, page *person, console *reviewer) {
	ines := s.customer("cust-1013", "Ines Okafor", english, page)
	ines.isRejected()
	ines.signIn()
	ines.press(ines.start)
	ines.choose(ines.passport)
	ines.Upload("input[type=file]", ines.notes())
	if got := ines.press(ines.add); got != http.StatusUnprocessableEntity && got != http.StatusUnsupportedMediaType {
		t.Errorf("got status %d for words that call themselves nothing, want a refusal", got)
	}
	ines.look("refused")
	ines.visit(ines.verificationPath())
	ines.sendThree(ines.passport)
	code := ines.submitAll()

	console.open(code, "Ines Okafor")
	console.choose("Request resubmission")
	console.ground("Payment method", "Name not visible", "thumb over the name")
	console.look("case-resubmission")
	console.decide("Request resubmission", "Asked again.")

	s.letter(ines.email, "Please send some items again", 1)
	ines.visit("/kyc/")
	ines.sees(ines.resubmission)
	ines.look("overview-again")
	ines.visit(ines.verificationPath())
	ines.look("again")
	ines.seesNot("thumb over the name")
	ines.press("Send again: Payment method")
	ines.look("again-item")
	ines.upload(ines.paper(samples.PaymentMethodFile), ines.added)
	ines.press(ines.check)
	ines.look("again-check")
	ines.press(ines.submit)
	ines.sees(code)
	ines.look("again-receipt")
	if got := ines.verification(); got.text("status") != "in_review" || got["round"] != float64(2) {
		t.Errorf("got status %v in round %v, want in_review in round 2", got["status"], got["round"])
	}

	console.open(code, "Ines Okafor")
	console.look("case-second-round")
	console.choose("Approve")
	console.decide("Approve", "Approved.")
	ines.retries("Payment accepted")
}

func decline(_ *testing.T, s *stage, page *person, console *reviewer) {
	birch := s.customer("cust-1011", "Silver Birch", english, page)
	birch.isRejected()
	birch.comesFromThePlatform()
	birch.sees(birch.awaiting)
	birch.sendThree("Business licence")
	code := birch.submitAll()

	console.open(code, "Silver Birch Analytics")
	console.choose("Decline")
	console.ground("Government ID", "Name differs", "papers of somebody else")
	console.enter("Internal note", "asked the platform to call")
	console.decide("Decline", "Declined.")

	s.letter(birch.email, "The result of your verification", 1)
	birch.visit(birch.verificationPath())
	birch.look("declined")
	birch.seesNot("papers of somebody else")
	birch.retries("Payment rejected")
	console.visit("/console/?show=decided")
	console.look("queue-decided")
	console.visit("/console/accounts/" + birch.accountID)
	console.look("account")
	for _, part := range []string{"accounts", "undelivered", "staff"} {
		console.visit("/console/" + part)
		console.look(part)
	}
}

func onAPhone(_ *testing.T, s *stage, page *person, console *reviewer) {
	lin := s.customer("cust-1002", "Lin Yue", chinese, page)
	lin.findVerification()
	alert := s.letter(lin.email, lin.alert, 1)
	lin.visit(mailPath(alert))
	lin.look("alert")
	// The mail by itself, as a frame's part below the fold is not painted. It is no page of ours, with no main part.
	lin.visit(mailPath(alert) + "/html")
	lin.picture("alert-alone", func() {})
	lin.signIn()
	lin.sendThree(lin.passport)
	code := lin.submitAll()
	lin.visit("/kyc/messages")
	lin.look("messages")
	lin.press(lin.receivedMail)
	lin.look("message")
	lin.visit("/kyc/tickets/new")
	lin.look("new-ticket")

	console.open(code, "林悦")
	console.look("case-wallet")
	console.choose("Approve")
	console.decide("Approve", "Approved.")
	s.letter(lin.email, lin.approvedMail, 1)
	lin.visit(lin.verificationPath())
	lin.sees(lin.approved)
	lin.look("approved")
	lin.visit("/kyc/")
	lin.look("overview")
	lin.visit("/platform/payments/" + lin.verification().text("payment_id"))
	lin.rejected = lin.URL()
	lin.retries("Payment accepted")
}

func suspension(_ *testing.T, s *stage, page *person, console *reviewer) {
	kenji := s.customer("cust-1006", "Kenji Amano", english, page)
	kenji.isRejected()
	s.eventually("a due date that runs", func() bool { return kenji.enforcement() == "grace" })
	console.visit("/console/")
	console.press("3 days")
	console.sees("The clock was moved.")
	console.press("3 days")
	console.look("clock-moved")
	s.eventually("the suspension", func() bool { return kenji.enforcement() == "suspended" })
	s.letter(kenji.email, "The resources of your account are suspended", 1)
	s.eventually("the platform's instances suspended", func() bool {
		kenji.visit(kenji.platformPath())
		return kenji.Count(".banner.tone-negative") > 0
	})
	kenji.sees("The instances are suspended")
	kenji.look("customer-suspended")
	kenji.press("Open the KYC Center")
	kenji.sees("The due date has passed", "are suspended")
	kenji.look("suspended")
	console.visit("/console/verifications/" + kenji.verificationID)
	console.look("verification-suspended")
	kenji.visit(kenji.verificationPath())
	kenji.sendThree(kenji.passport)
	code := kenji.submitAll()

	console.open(code, "Kenji Amano")
	console.look("case-suspended")
	console.choose("Approve")
	console.decide("Approve", "Approved.")
	s.eventually("the end of enforcement", func() bool { return kenji.enforcement() == "none" })
	s.eventually("the platform's instances resumed", func() bool {
		kenji.visit(kenji.platformPath())
		return kenji.Count(".banner.tone-negative") == 0
	})
	kenji.seesNot("The instances are suspended")
	kenji.look("customer-resumed")
	kenji.retries("Payment accepted")
	console.visit("/console/accounts/" + kenji.accountID + "/history")
	console.look("history")
	kenji.visit("/platform/events")
	kenji.look("events")
}
