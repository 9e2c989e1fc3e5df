package portal_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/edge/web/webtest"
	"github.com/probity/probity/internal/service"
)

func TestTheCatalogsAgreeAndHoldEveryKeyInUse(t *testing.T) {
	webtest.CheckCatalogs(t, os.DirFS("catalog"), "en.json", "zh-CN.json")
	catalog, err := web.Load(os.DirFS("catalog"), "en.json", "zh-CN.json")
	if err != nil {
		t.Fatal(err)
	}
	webtest.CheckKeysUsed(t, ".", catalog)
}

func TestSigningInWithACode(t *testing.T) {
	w := newWorld(t)
	w.alma()
	g := w.guest()
	g.get("/kyc/").wants(t, http.StatusOK, "Sign in to the KYC Center", `autocomplete="email"`)

	sent := g.post("/kyc/sign-in", "email", "alma@mail.example")
	sent.wants(t, http.StatusOK, "If there is an account with that address", `inputmode="numeric"`, `autocomplete="one-time-code"`)
	unknown := w.guest().post("/kyc/sign-in", "email", "nobody@mail.example")
	if unknown.body != sent.body || unknown.path != sent.path {
		t.Error("the answer tells whether an account exists")
	}
	g.post("/kyc/code", "code", "000000x").wants(t, http.StatusUnprocessableEntity, "This code is wrong", `aria-invalid="true"`)
	code := w.code("alma@mail.example")
	w.guest().post("/kyc/code", "code", code).wants(t, http.StatusUnprocessableEntity, "This code is wrong")
	home := g.post("/kyc/code", "code", code)
	home.wants(t, http.StatusOK, "Hello, Alma", "Nothing is needed from you", "Alma Petersen")
	if home.path != "/kyc/" {
		t.Errorf("got %s, want the home page", home.path)
	}
	g.post("/kyc/sign-out").wants(t, http.StatusOK, "You are signed out.")
	g.get("/kyc/messages").wants(t, http.StatusOK, "Sign in to the KYC Center")
}

func TestTheAddressOfSignInIsChecked(t *testing.T) {
	g := newWorld(t).guest()
	for _, email := range []string{"", "alma", strings.Repeat("a", 300) + "@mail.example"} {
		g.post("/kyc/sign-in", "email", email).wants(t, http.StatusUnprocessableEntity, "Enter an email address", "field-email-error")
	}
}

func TestALinkAloneOpensNothing(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	g := w.guest()
	gate := g.get("/kyc/verifications/" + id)
	gate.wants(t, http.StatusOK, "A link alone never opens anything here")
	gate.lacks(t, "Alma", "400012", "Campinas", "1,240.00", "alma@")
	g.post("/kyc/verifications/"+id+"/code").wants(t, http.StatusOK, "We have just sent a code to the email address on file")
	landed := g.post("/kyc/code", "code", w.code("alma@mail.example"), "verification", id)
	landed.wants(t, http.StatusOK, "Please confirm your payment method", "EUR 1,240.00", "Campinas", w.verification(id).NoticeCode)
	if landed.path != "/kyc/verifications/"+id {
		t.Errorf("got %s, want the verification", landed.path)
	}
	// An address of nothing looks the same as one of somebody's.
	other := w.guest().get("/kyc/verifications/ver_" + strings.Repeat("0", 26))
	if strings.ReplaceAll(gate.body, id, "") != strings.ReplaceAll(other.body, "ver_"+strings.Repeat("0", 26), "") {
		t.Error("the page tells whether a verification exists")
	}
}

func TestAnotherHolderIsToldThatThePageIsNotForThisAccount(t *testing.T) {
	w := newWorld(t)
	id := w.reject(w.alma())
	w.yunfan()
	g := w.guest()
	g.signIn("caiwu@yunfan.example")
	w.RunJobs()
	before := w.Digest()
	for _, path := range []string{"", "/government_id", "/check", "/receipt"} {
		page := g.get("/kyc/verifications/" + id + path + "?lang=en")
		page.wants(t, http.StatusNotFound, "This page is not for this account", "Change accounts")
		page.lacks(t, "Alma", "400012", "Campinas")
	}
	g.upload("/kyc/verifications/"+id+"/payment_method", [][]byte{w.papers().PaymentMethod}).wants(t, http.StatusNotFound)
	g.post("/kyc/verifications/"+id+"/submit").wants(t, http.StatusNotFound)
	if w.Digest() != before {
		t.Error("a request about somebody else's verification wrote something")
	}
	g.post("/kyc/sign-out", "verification", id).wants(t, http.StatusOK, "Confirm that it is you")
}

func TestEvidenceMessagesAndTicketsOfOthersDoNotExist(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	evidence, err := w.Service.SendEvidence(t.Context(), alma.actor, service.EvidenceUpload{VerificationID: id, Requirement: verification.PaymentMethod, Raw: w.papers().PaymentMethod})
	w.must(err)
	ticket, err := w.Service.OpenTicket(t.Context(), alma.actor, casework.Ticket{AccountID: alma.account.ID, Message: "help"})
	w.must(err)
	owner, other := w.guest(), w.guest()
	owner.signIn("alma@mail.example")
	messages := owner.get("/kyc/messages")
	message := regexp.MustCompile(`/kyc/messages/msg_[0-9a-z]+`).FindString(messages.body)
	w.yunfan()
	other.signIn("caiwu@yunfan.example")
	for _, path := range []string{"/kyc/evidence/" + evidence.ID, "/kyc/tickets/" + ticket.ID, message, "/kyc/evidence/nonsense", "/kyc/nowhere"} {
		other.get(path+"?lang=en").wants(t, http.StatusNotFound)
	}
	other.post("/kyc/evidence/"+evidence.ID+"/withdraw").wants(t, http.StatusNotFound)
	if w.requirement(id, verification.PaymentMethod) != verification.Provided {
		t.Error("somebody else took evidence back")
	}
	for _, path := range []string{"/kyc/evidence/" + evidence.ID, "/kyc/tickets/" + ticket.ID, message} {
		owner.get(path).wants(t, http.StatusOK)
	}
}

func TestAHandOverLinkWorksOnce(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	mint := func() string {
		address, _, err := w.Service.MintPortalSession(t.Context(), w.Actor, alma.account.ID)
		w.must(err)
		parsed, err := url.Parse(address)
		w.must(err)
		return parsed.RequestURI()
	}
	link := mint()
	g := w.guest()
	page := g.get(link)
	page.wants(t, http.StatusOK, "Please confirm your payment method")
	if page.path != "/kyc/verifications/"+id {
		t.Errorf("got %s, want the open verification", page.path)
	}
	replayed := w.guest().get(link)
	replayed.wants(t, http.StatusGone, "This link was used already", "Sign in with a code")
	replayed.lacks(t, "Alma", "token=")
	w.guest().get("/kyc/session?token=unknown").wants(t, http.StatusNotFound, "We do not know this link")
	w.guest().get("/kyc/session").wants(t, http.StatusNotFound, "We do not know this link")

	late := mint()
	w.Advance(6 * time.Minute)
	w.guest().get(late).wants(t, http.StatusGone, "This link has expired")

	// A browser that loads pages in advance uses nothing up.
	fresh := mint()
	eager := w.guest()
	eager.header.Set("Sec-Purpose", "prefetch")
	eager.get(fresh).wants(t, http.StatusNoContent)
	w.guest().get(fresh).wants(t, http.StatusOK)
}

func TestAnotherSiteCanChangeNothing(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	w.provide(alma, id)
	g := w.guest()
	g.signIn("alma@mail.example")
	before := w.Digest()
	g.header.Set("Sec-Fetch-Site", "cross-site")
	g.header.Set("Origin", "https://evil.example")
	g.post("/kyc/verifications/"+id+"/submit").wants(t, http.StatusForbidden, "The request came from another site")
	g.post("/kyc/tickets", "message", "spam").wants(t, http.StatusForbidden)
	g.post("/kyc/sign-out").wants(t, http.StatusForbidden)
	if w.Digest() != before {
		t.Error("another site's request wrote something")
	}
	g.header = http.Header{}
	g.get("/kyc/").wants(t, http.StatusOK, "Hello, Alma")
}

func TestASessionThatIsOverSaysSo(t *testing.T) {
	w := newWorld(t)
	id := w.reject(w.alma())
	g := w.guest()
	g.signIn("alma@mail.example")
	w.Advance(time.Hour)
	over := g.upload("/kyc/verifications/"+id+"/payment_method", [][]byte{w.papers().PaymentMethod})
	over.wants(t, http.StatusUnauthorized, "Your session is over", `href="/kyc/verifications/`+id)
	if got := w.requirement(id, verification.PaymentMethod); got != verification.Required {
		t.Errorf("got %s, want nothing added", got)
	}
	// The cookie is gone with it: the next visit is an ordinary one.
	g.get("/kyc/").wants(t, http.StatusOK, "Sign in to the KYC Center")
}

func TestTheWholeStoryWithoutScripts(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	set := w.papers()
	g := w.guest()
	g.signIn("alma@mail.example")
	at := "/kyc/verifications/" + id

	g.get(at).wants(t, http.StatusOK, "Please submit by", "Start: Government ID", "It came from a place", "2026-11", "How this date was computed", "kept for 15 days")
	form := g.get(at + "/government_id")
	form.wants(t, http.StatusOK, `value="passport"`, `value="id_card"`, `accept="image/jpeg,image/png,image/webp,application/pdf"`)
	form.lacks(t, "business_licence")
	g.upload(at+"/government_id", [][]byte{set.GovernmentID}, "side", "front").wants(t, http.StatusUnprocessableEntity, "Choose which document it is")
	added := g.upload(at+"/government_id", [][]byte{set.GovernmentID}, "document_type", "id_card", "side", "front")
	added.wants(t, http.StatusOK, "Added. You can see it below.", "ID card, front", "The back is not there yet", "Continue: Payment method")
	added.lacks(t, "private name")
	picture := regexp.MustCompile(`/kyc/evidence/evi_[0-9a-z]+`).FindString(added.body)
	bytes := g.get(picture)
	bytes.wants(t, http.StatusOK)
	if got := bytes.header.Get("Content-Type"); got != "image/png" {
		t.Errorf("got %s, want the picture", got)
	}
	g.post(picture+"/withdraw", "verification", id, "requirement", "government_id").wants(t, http.StatusOK, "Removed.")
	g.get(picture).wants(t, http.StatusNotFound)
	g.upload(at+"/government_id", [][]byte{set.GovernmentID}, "document_type", "passport").wants(t, http.StatusOK, "Passport")
	page := g.get(at + "/payment_method")
	page.wants(t, http.StatusOK, "400012", "9876", "middle digits covered")
	g.upload(at+"/payment_method", [][]byte{set.PaymentMethod}, "side", "front").wants(t, http.StatusOK, "Added")
	g.get(at+"/check").wants(t, http.StatusOK, "Something is still missing")
	g.post(at+"/submit").wants(t, http.StatusUnprocessableEntity, "Something is still missing. Add it first")
	g.get(at+"/billing_statement").wants(t, http.StatusOK, "October 2026")
	g.upload(at+"/billing_statement", [][]byte{set.BillingStatement}).wants(t, http.StatusOK, "PDF", "Check and submit")
	g.get(at+"/check").wants(t, http.StatusOK, "Submit for review")

	receipt := g.post(at + "/submit")
	code := w.verification(id).QueryCode
	receipt.wants(t, http.StatusOK, "We have received everything", code, "11 November 2026")
	again := g.post(at + "/submit")
	again.wants(t, http.StatusOK, code)
	if w.verification(id).QueryCode != code {
		t.Error("a second click gave another query code")
	}
	g.get(at).wants(t, http.StatusOK, "We are checking what you sent", code)
	g.upload(at+"/payment_method", [][]byte{set.PaymentMethod}).wants(t, http.StatusConflict, "Nothing can be changed now")

	w.decide(id, service.CaseDecision{Decision: casework.RequestResubmission, Reasons: []verification.Reason{
		{Requirement: verification.GovernmentID, Code: "id.blurred", Note: "reviewers only"},
	}})
	asked := g.get(at)
	asked.wants(t, http.StatusOK, "Please send one more thing", "is blurred", "Send again: Government ID")
	asked.lacks(t, "reviewers only")
	g.upload(at+"/payment_method", [][]byte{set.PaymentMethod}).wants(t, http.StatusConflict, "This item was accepted already")
	g.get(at+"/government_id").wants(t, http.StatusOK, "Please send this again", "is blurred")
	g.upload(at+"/government_id", [][]byte{set.GovernmentID}, "document_type", "passport").wants(t, http.StatusOK, "Check and submit")
	g.post(at+"/submit").wants(t, http.StatusOK, code)
	w.decide(id, service.CaseDecision{Decision: casework.Approve})
	g.get(at).wants(t, http.StatusOK, "Your verification is approved", "EUR 1,240.00", "within the next 30 days")
	g.get("/kyc/").wants(t, http.StatusOK, "Nothing is needed from you", "Earlier verifications")
}

func TestWhatCannotBeAddedIsRefusedWithItsReason(t *testing.T) {
	w := newWorld(t)
	id := w.reject(w.alma())
	g := w.guest()
	g.signIn("alma@mail.example")
	at := "/kyc/verifications/" + id + "/government_id"
	png := w.papers().GovernmentID
	before := w.Digest()
	for _, c := range []struct {
		name        string
		attachments [][]byte
		status      int
		says        string
	}{
		{"nothing chosen", nil, 422, "Choose a photo or a PDF first"},
		{"an empty one", [][]byte{{}}, 422, "This file is empty"},
		{"text that calls itself a picture", [][]byte{[]byte("just words, no picture")}, 415, "This is not a photo or PDF that we can read"},
		{"a truncated picture", [][]byte{png[:len(png)/2]}, 422, "This is damaged or incomplete"},
		{"a hundred at once", hundred(png[:64]), 422, "Send one photo or PDF at a time"},
		{"one over 20 MB", [][]byte{bytes.Repeat([]byte{0xff}, 20<<20+1)}, 413, "This is larger than 20 MB"},
		{"one far over 20 MB", [][]byte{bytes.Repeat([]byte{0xff}, 30<<20)}, 413, "This is larger than 20 MB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := g.upload(at, c.attachments, "document_type", "driving_licence", "side", "back")
			page.wants(t, c.status, c.says, "Please check the following", `value="driving_licence" checked`, `value="back" checked`)
		})
	}
	if before != w.Digest() {
		t.Error("a refused upload wrote something")
	}
	g.upload("/kyc/verifications/"+id+"/selfie", [][]byte{png}).wants(t, http.StatusNotFound, "There is nothing here")
	g.post(at, "document_type", "passport").wants(t, http.StatusBadRequest, "arrived incomplete")
}

func hundred(one []byte) [][]byte {
	all := make([][]byte, 100)
	for i := range all {
		all[i] = one
	}
	return all
}

func TestOpeningAMessageIsReceiptAndListingIsNot(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	address, _, err := w.Service.MintPortalSession(t.Context(), w.Actor, alma.account.ID)
	w.must(err)
	id := w.reject(alma)
	g := w.guest()
	g.get(strings.TrimPrefix(address, w.site.URL)).wants(t, http.StatusOK, "Earliest due date", "No clock runs yet")
	list := g.get("/kyc/messages")
	list.wants(t, http.StatusOK, "Payment Method Security Alert", "New")
	if !w.verification(id).DueAt.IsZero() {
		t.Fatal("listing messages started the clock")
	}
	message := regexp.MustCompile(`/kyc/messages/msg_[0-9a-z]+`).FindString(list.body)
	eager := &guest{w: w, client: g.client, header: http.Header{"Sec-Purpose": {"prefetch;prerender"}}}
	eager.get(message).wants(t, http.StatusNoContent)
	if !w.verification(id).DueAt.IsZero() {
		t.Fatal("a page loaded in advance started the clock")
	}
	g.get(message).wants(t, http.StatusOK, "How to tell that this message is ours", w.verification(id).NoticeCode, "Open the verification")
	if w.verification(id).DueAt.IsZero() {
		t.Error("opening the message did not start the clock")
	}
	g.get("/kyc/messages").lacks(t, "entry--new")
	g.get("/kyc/verifications/"+id).wants(t, http.StatusOK, "Please submit by", "Tuesday 10 November 2026, end of day (Europe/Copenhagen)")
}

func TestAMissedDueDateSaysWhatIsSuspendedAndUntilWhen(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	w.RunJobs()
	g := w.guest()
	g.signIn("alma@mail.example")
	w.pass(3 * 24 * time.Hour)
	w.RunJobs()
	g.get("/kyc/verifications/"+id).wants(t, http.StatusOK, "The due date has passed", "are suspended", "27 November 2026", "You can still send everything")
}

func TestATicketFromAVerification(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	w.provide(alma, id)
	_, err := w.Service.Submit(t.Context(), alma.actor, id)
	w.must(err)
	code := w.verification(id).QueryCode
	g := w.guest()
	g.signIn("alma@mail.example")
	g.get("/kyc/tickets/new?verification="+id).wants(t, http.StatusOK, `value="RISK.RISK_CONTROL_REJECTION"`, `value="`+code+`"`)
	g.post("/kyc/tickets", "error_code", "X").wants(t, http.StatusUnprocessableEntity, "Tell us what happened")
	g.post("/kyc/tickets", "message", "help", "query_code", "AAAAA-AAAAB").wants(t, http.StatusUnprocessableEntity, "This is not a query code")
	card := g.post("/kyc/tickets", "message", "my card is 4111 1111 1111 1111, please hurry", "steps_taken", "called", "query_code", code)
	card.wants(t, http.StatusUnprocessableEntity, "This holds a full card number", "my card is •••• •••• •••• ••••, please hurry", "called", code)
	card.lacks(t, "4111")
	if w.Holds("hurry") || w.Holds("4111") {
		t.Fatal("a refused ticket was stored")
	}
	opened := g.post("/kyc/tickets", "verification", id, "error_code", "RISK.RISK_CONTROL_REJECTION", "query_code", strings.ToLower(code), "message", "What is taking so long?\r\nThank you", "steps_taken", "waited")
	opened.wants(t, http.StatusOK, "Sent. Thank you.", "What is taking so long?", code, "We have it")
	tickets, _, err := w.Service.Tickets(t.Context(), alma.actor, ticketFilter, firstPage)
	w.must(err)
	_, err = w.Service.CloseTicket(t.Context(), w.reviewer, tickets[0].ID, "A reviewer is looking at it today.")
	w.must(err)
	g.get("/kyc/tickets/"+tickets[0].ID).wants(t, http.StatusOK, "Our answer", "A reviewer is looking at it today.", "Answered")
	g.post("/kyc/tickets", "message", strings.Repeat("long ", 20_000)).wants(t, http.StatusRequestEntityTooLarge, "This is more text than fits")
	if strings.Contains(w.logs.String(), "hurry") || strings.Contains(w.logs.String(), "4111") {
		t.Error("what a holder wrote is in the log")
	}
}

func TestChinesePagesAreChinese(t *testing.T) {
	w := newWorld(t)
	firm := w.yunfan()
	id := w.reject(firm)
	g := w.guest()
	g.header.Set("Accept-Language", "zh-CN,zh;q=0.9")
	g.get("/kyc/").wants(t, http.StatusOK, `lang="zh-CN"`, "登录 KYC 中心")
	g.header = http.Header{}
	g.signIn("caiwu@yunfan.example").wants(t, http.StatusOK, "您好，上海云帆科技有限公司", "请在此之前提交")
	page := g.get("/kyc/verifications/" + id)
	page.wants(t, http.StatusOK, "银行账户 ••••4321", "此次付款来自", "2026年11月10日")
	g.get("/kyc/verifications/"+id+"/government_id").wants(t, http.StatusOK, "营业执照", `value="business_licence"`)
	g.get("/kyc/verifications/"+id+"/payment_method").wants(t, http.StatusOK, "号码的最后四位")
	// The switch is remembered, and wins over what the account has on record.
	g.get("/kyc/?lang=en").wants(t, http.StatusOK, "Hello")
	g.get("/kyc/messages").wants(t, http.StatusOK, `lang="en"`)
}

func TestCookiesStayWithinThePortalAndOutOfScripts(t *testing.T) {
	w := newWorld(t)
	w.alma()
	g := w.guest()
	g.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	g.post("/kyc/sign-in", "email", "alma@mail.example")
	signedIn := g.post("/kyc/code", "code", w.code("alma@mail.example"))
	cookies := strings.Join(signedIn.header.Values("Set-Cookie"), "\n")
	for _, want := range []string{"probity_kyc=", "HttpOnly", "SameSite=Lax", "Path=/kyc"} {
		if !strings.Contains(cookies, want) {
			t.Errorf("got cookies %q, want %s", cookies, want)
		}
	}
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"} {
		if got := g.get("/kyc/").header.Get(name); !strings.Contains(got, want) {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
}

func TestWithoutTheDatabaseThePageSaysTryAgainLater(t *testing.T) {
	w := newWorld(t)
	alma := w.alma()
	id := w.reject(alma)
	g := w.guest()
	g.post("/kyc/verifications/" + id + "/code")
	g.post("/kyc/code", "code", w.code("alma@mail.example"), "verification", id)
	w.must(w.Store.Close())
	for _, path := range []string{"/kyc/", "/kyc/verifications/" + id, "/kyc/messages"} {
		got := g.get(path)
		got.wants(t, http.StatusServiceUnavailable, "not available right now", "Nothing was changed", `href="`+path+`"`)
		got.lacks(t, "support")
	}
	g.post("/kyc/sign-in", "email", "alma@mail.example").wants(t, http.StatusServiceUnavailable, "not available right now")
	g.get("/kyc/?lang=zh-CN").wants(t, http.StatusServiceUnavailable, "KYC 中心暂时无法使用", "重试")
}
