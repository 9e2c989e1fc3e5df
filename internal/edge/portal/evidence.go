package portal

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// uploadLimit is what the page says and what the script checks; package reader has the last word (20 MiB).
const uploadLimit = 20_000_000

// accepted are the media types that a browser offers. A telephone turns its own kinds of photo into JPEG for it.
func accepted() []string { return []string{"image/jpeg", "image/png", "image/webp", "application/pdf"} }

// item is one requirement as its page shows it.
type item struct {
	status
	kind     verification.RequirementKind
	document verification.DocumentType // chosen in the form
	side     verification.Side
	errors   []web.FieldError
}

// findItem loads the requirement that the address names.
func (p *portal) findItem(r *http.Request, v visitor) (item, error) {
	kind := verification.RequirementKind(r.PathValue("requirement"))
	if !slices.Contains(verification.RequirementKinds, kind) || !wellFormed(r.PathValue("verification")) {
		return item{}, problem.New(problem.NotFound, pageUnknown, "no such page")
	}
	s, err := p.status(r, v, r.PathValue("verification"))
	if err != nil {
		return item{}, err
	}
	if s.view.Verification.Requirement(kind) == nil {
		return item{}, problem.Missing("requirement")
	}
	found := item{status: s, kind: kind, side: verification.Front}
	found.suggest()
	return found, nil
}

// suggest chooses what most likely comes next: the back of the document whose front is there.
func (i *item) suggest() {
	sent := i.evidence(i.kind)
	if len(sent) == 0 {
		return
	}
	last := sent[len(sent)-1]
	i.document = last.DocumentType
	if i.kind == verification.GovernmentID && i.backMissing() {
		i.side = verification.Back
	}
}

// asksSides reports whether the form asks which side a photo shows.
func (i item) asksSides() bool {
	return i.kind == verification.GovernmentID || (i.kind == verification.PaymentMethod && i.view.Method.Kind == payment.Card)
}

// hasExamples reports whether the kit's pictures fit what is asked for: those of a payment method are all of cards.
func (i item) hasExamples() bool {
	return i.kind != verification.PaymentMethod || i.view.Method.Kind == payment.Card
}

// needs are the sentences that say what exactly is asked for.
func (i item) needs() []string {
	switch i.kind {
	case verification.GovernmentID:
		kind := string(i.view.Account.Profile.Kind)
		return []string{i.p.T("need.government_id." + kind), i.p.T("need.government_id.whole"), i.p.T("need.government_id.valid")}
	case verification.PaymentMethod:
		method := i.view.Method
		if method.Kind == payment.Card {
			return []string{
				i.p.T("need.payment_method.card.mask", "first6", method.First6, "last4", method.Last4), i.p.T("need.payment_method.card.name"),
				i.p.T("need.payment_method.card.how"), i.p.T("need.payment_method.card.code"),
			}
		}
		return []string{i.p.T("need.payment_method.other.owner"), i.p.T("need.payment_method.other.last4"), i.p.T("need.payment_method.other.how")}
	case verification.BillingStatement:
		return []string{
			i.p.T("need.billing_statement.month", "month", latestMonth(i.p, i.now, i.view.Zone)), i.p.T("need.billing_statement.name"),
			i.p.T("need.billing_statement.pages"), i.p.T("need.billing_statement.amounts"),
		}
	}
	return nil
}

func (i item) lead() string {
	switch i.kind {
	case verification.PaymentMethod:
		return i.p.T("need.payment_method.lead", "method", methodName(i.p, i.view.Method))
	case verification.BillingStatement:
		return i.p.T("need.billing_statement.lead", "method", shortMethodName(i.p, i.view.Method))
	case verification.GovernmentID:
		return i.p.T("need.government_id.lead", "name", i.view.Account.Profile.Name)
	}
	return ""
}

func (p *portal) showRequirement(w http.ResponseWriter, r *http.Request, v visitor) {
	found, err := p.findItem(r, v)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	found.flash = p.flash(w, r)
	p.renderItem(w, r, http.StatusOK, found)
}

func (p *portal) renderItem(w http.ResponseWriter, r *http.Request, status int, found item) {
	page := p.frame(found.visitor, r, requirementTitle(found.p, found.kind))
	page.Scripts = []string{"upload.js"}
	p.render(w, r, status, page, requirementBody(found))
}

// addEvidence takes one attachment. What is wrong with it is told on the same page, which keeps the choices.
func (p *portal) addEvidence(w http.ResponseWriter, r *http.Request, v visitor) {
	found, err := p.findItem(r, v)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	end, free := p.uploads.begin(v.actor.ID)
	if !free {
		drain(r.Body)
		p.answerUpload(w, r, found, tooManyUploads())
		return
	}
	defer end()
	defer p.allowSlowUpload(w)()
	sent, err := readUpload(r)
	if document := verification.DocumentType(sent.fields.Get("document_type")); slices.Contains(verification.DocumentTypes(v.account.Profile.Kind), document) {
		found.document = document
	}
	if verification.Side(sent.fields.Get("side")) == verification.Back {
		found.side = verification.Back
	}
	if err == nil && sent.raw == nil {
		err = problem.Field("file", "required", "choose a photo or a PDF")
	}
	if err == nil {
		in := service.EvidenceUpload{VerificationID: found.view.Verification.ID, Requirement: found.kind, Side: found.side, Raw: sent.raw}
		if found.kind == verification.GovernmentID {
			in.DocumentType = verification.DocumentType(sent.fields.Get("document_type"))
		}
		_, err = p.Service.SendEvidence(r.Context(), v.actor, in)
	}
	p.answerUpload(w, r, found, err)
}

// uploadWithin is how long an attachment may take on its way: 20 MB at 300 kbit/s.
const uploadWithin = 10 * time.Minute

// allowSlowUpload replaces the server's limits on reading and writing, which suit pages and not telephones in a tunnel, by uploadWithin.
// The returned function ends it.
func (p *portal) allowSlowUpload(w http.ResponseWriter) func() {
	connection := http.NewResponseController(w)
	// A writer that knows no deadlines, as in a test, has none to lift.
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Time{})
	timer := time.AfterFunc(uploadWithin, func() { _ = connection.SetReadDeadline(time.Unix(1, 0)) })
	return func() { timer.Stop() }
}

func (p *portal) answerUpload(w http.ResponseWriter, r *http.Request, found item, err error) {
	if err == nil {
		web.SetFlash(w, root, "flash.added")
		http.Redirect(w, r, found.requirementURL(found.kind), http.StatusSeeOther)
		return
	}
	refused := problem.As(err)
	if refused == nil || refused.Kind == problem.NotFound {
		p.fail(w, r, found.visitor, err)
		return
	}
	if refused.Kind == problem.Conflict {
		// Something changed meanwhile, so the page is shown as it stands now.
		if current, again := p.findItem(r, found.visitor); again == nil {
			found = current
		}
	}
	found.errors = fieldErrors(found.p, err)
	p.renderItem(w, r, web.StatusOf(refused.Kind), found)
}

// withdrawEvidence takes back one attachment before submission.
func (p *portal) withdrawEvidence(w http.ResponseWriter, r *http.Request, v visitor) {
	evidenceID := r.PathValue("evidence")
	if !id.Valid(id.Evidence, evidenceID) {
		p.showMissing(w, r, v)
		return
	}
	form, err := readForm(w, r)
	if err == nil {
		err = p.Service.WithdrawEvidence(r.Context(), v.actor, evidenceID)
	}
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	target := home
	kind := verification.RequirementKind(form.Get("requirement"))
	if from := form.Get("verification"); wellFormed(from) && slices.Contains(verification.RequirementKinds, kind) {
		target = verificationURL(from) + "/" + string(kind)
	}
	web.SetFlash(w, root, "flash.removed")
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// serveAttachment shows the holder what they sent.
func (p *portal) serveAttachment(w http.ResponseWriter, r *http.Request, v visitor) {
	evidenceID := r.PathValue("evidence")
	if !id.Valid(id.Evidence, evidenceID) {
		p.showMissing(w, r, v)
		return
	}
	end, err := p.views.wait(r.Context(), v.actor.ID)
	if err != nil {
		return // whoever asked has gone
	}
	defer end()
	evidence, plain, err := p.Service.Attachment(r.Context(), v.actor, evidenceID)
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	name := string(evidence.Requirement)
	if evidence.MediaType == "application/pdf" {
		name += ".pdf"
	}
	web.AttachmentHeaders(w, evidence.MediaType, name)
	w.Header().Set("Content-Length", strconv.Itoa(len(plain)))
	// A reader that went away is no concern of ours.
	_, _ = w.Write(plain)
}

// showCheck lets the holder look at everything once more before it is submitted.
func (p *portal) showCheck(w http.ResponseWriter, r *http.Request, v visitor) {
	p.renderCheck(w, r, v, nil)
}

func (p *portal) renderCheck(w http.ResponseWriter, r *http.Request, v visitor, refused error) {
	s, err := p.status(r, v, r.PathValue("verification"))
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	if !s.awaitsHolder() {
		// Submitted meanwhile, in another window or by a second click: the verification's page says so.
		http.Redirect(w, r, s.url(), http.StatusSeeOther)
		return
	}
	code := http.StatusOK
	if refused != nil {
		code = http.StatusUnprocessableEntity
	}
	p.render(w, r, code, p.frame(v, r, v.p.T("check.title")), checkBody(s, fieldErrors(v.p, refused)))
}

// submit hands the evidence over. A second click on the button finds it done and leads to the same receipt.
func (p *portal) submit(w http.ResponseWriter, r *http.Request, v visitor) {
	verificationID := r.PathValue("verification")
	if !wellFormed(verificationID) {
		p.showMissing(w, r, v)
		return
	}
	_, err := p.Service.Submit(r.Context(), v.actor, verificationID)
	switch {
	case err == nil, problem.Is(err, problem.Conflict):
		http.Redirect(w, r, verificationURL(verificationID)+"/receipt", http.StatusSeeOther)
	case problem.Is(err, problem.Invalid):
		p.renderCheck(w, r, v, err)
	default:
		p.fail(w, r, v, err)
	}
}

// showReceipt is the page after submission, with the query code.
func (p *portal) showReceipt(w http.ResponseWriter, r *http.Request, v visitor) {
	s, err := p.status(r, v, r.PathValue("verification"))
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	if s.view.Verification.QueryCode == "" || s.mood() != string(verification.InReview) {
		http.Redirect(w, r, s.url(), http.StatusSeeOther)
		return
	}
	p.render(w, r, http.StatusOK, p.frame(v, r, v.p.T("receipt.title")), receiptBody(s))
}
