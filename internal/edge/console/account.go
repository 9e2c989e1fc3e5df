package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/country"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/standard/querycode"
)

// recent is how many of the latest of each sort an account's page shows.
const recent = 10

// accountView is an account with what happened around it lately.
type accountView struct {
	v             *visit
	account       service.AccountView
	methods       []payment.Method
	verifications []verification.Verification
	payments      []service.PaymentView
	tickets       []casework.Ticket
	messages      []notice.Message
	history       []web.TimelineItem
	open          string // id of the verification that is open, or ""
}

func showAccount(v *visit) error {
	a := accountView{v: v}
	ctx, accountID, page := v.r.Context(), v.r.PathValue("id"), store.Page{Limit: recent}
	var err error
	if a.account, err = v.s.Service.Account(ctx, v.actor, accountID); err != nil {
		return err
	}
	if a.methods, err = v.s.Service.PaymentMethods(ctx, v.actor, accountID); err != nil {
		return err
	}
	if a.verifications, _, err = v.s.Service.Verifications(ctx, v.actor, store.VerificationFilter{AccountID: accountID}, page); err != nil {
		return err
	}
	for _, ver := range a.verifications {
		if ver.Status.Open() {
			a.open = ver.ID
		}
	}
	if a.payments, _, err = v.s.Service.Payments(ctx, v.actor, accountID, page); err != nil {
		return err
	}
	if a.tickets, _, err = v.s.Service.Tickets(ctx, v.actor, store.TicketFilter{AccountID: accountID}, page); err != nil {
		return err
	}
	if a.messages, _, err = v.s.Service.Messages(ctx, v.actor, accountID, page); err != nil {
		return err
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	entries, _, err := v.s.Service.History(ctx, v.actor, accountID, store.Page{Limit: 2 * recent})
	if err != nil {
		return err
	}
	a.history = v.timeline(slices.DeleteFunc(entries, echo), p)
	return v.show(http.StatusOK, a.account.Account.Profile.Name, "/console/accounts", accountPage(a))
}

// showHistory shows the whole journal of an account, a page at a time.
func showHistory(v *visit) error {
	view, err := v.s.Service.Account(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	entries, next, err := v.s.Service.History(v.r.Context(), v.actor, view.Account.ID, v.page(store.DefaultLimit))
	if err != nil {
		return err
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "History", "/console/accounts", historyPage(v, view, v.timeline(entries, p), next))
}

func showAccounts(v *visit) error {
	accounts, next, err := v.s.Service.Accounts(v.r.Context(), v.actor, "", v.page(store.DefaultLimit))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "Accounts", "/console/accounts", accountsPage(v, accounts, next))
}

// profileLines is what the tenant says about an account holder.
func profileLines(p account.Profile) []web.Definition {
	lines := []web.Definition{{Term: "Name", Body: strongText(p.Name)}, {Term: "Holder", Value: who(p)}}
	if p.Kind == account.Individual {
		lines = append(lines, web.Definition{Term: "Date of birth", Value: p.DateOfBirth})
	}
	lines = append(lines, web.Definition{Term: "Address", Value: addressOf(p.Address)}, web.Definition{Term: "E-mail", Value: p.Email}, web.Definition{Term: "Phone", Value: p.Phone})
	for _, extra := range []web.Definition{{Term: "Industry", Value: p.Industry}, {Term: "Business", Value: p.BusinessActivities}, {Term: "External id", Value: p.ExternalID}} {
		if extra.Value != "" {
			lines = append(lines, extra)
		}
	}
	return lines
}

// addressOf writes an address: its street lines, then the place.
func addressOf(a account.Address) string {
	place := comma(strings.TrimSpace(a.PostalCode+" "+a.City), a.Region)
	if a.Country != "" {
		place = comma(place, country.Name(a.Country, web.English))
	}
	lines := append([]string{}, a.Lines...)
	if place != "" {
		lines = append(lines, place)
	}
	return strings.Join(lines, "\n")
}

// search leads from a code or an id to its page.
func search(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	f.refuseCardNumbers("q")
	query := f.text("q")
	if len(f.errors) > 0 {
		return v.show(http.StatusUnprocessableEntity, "Search", "", searchPage("", f.errorOf("q")))
	}
	target, err := v.find(query)
	if err != nil {
		return err
	}
	if target == "" {
		return v.show(http.StatusNotFound, "Search", "", searchPage(query, ""))
	}
	return v.leave(target, "")
}

// find returns the address of what the words name, or "".
func (v *visit) find(query string) (string, error) {
	ctx := v.r.Context()
	missing := func(target string, err error) (string, error) {
		if problem.Is(err, problem.NotFound) {
			return "", nil
		}
		return target, err
	}
	switch {
	case query == "":
		return "", nil
	case id.Valid(id.Account, query):
		_, err := v.s.Service.Account(ctx, v.actor, query)
		return missing("/console/accounts/"+query, err)
	case id.Valid(id.Verification, query):
		view, err := v.s.Service.Verification(ctx, v.actor, query)
		return missing(placeOf(view), err)
	case id.Valid(id.Case, query):
		_, err := v.s.Service.Case(ctx, v.actor, query)
		return missing("/console/cases/"+query, err)
	case id.Valid(id.Ticket, query):
		_, err := v.s.Service.Ticket(ctx, v.actor, query)
		return missing("/console/tickets/"+query, err)
	case id.Valid(id.Payment, query):
		_, err := v.s.Service.Payment(ctx, v.actor, query)
		return missing("/console/payments/"+query, err)
	}
	// An external id may look like a query code, and the other way round; the tenant's own name for an account comes first.
	accounts, _, err := v.s.Service.Accounts(ctx, v.actor, query, store.Page{Limit: 1})
	if err == nil && len(accounts) > 0 {
		return "/console/accounts/" + accounts[0].Account.ID, nil
	}
	if err != nil && problem.As(err) == nil {
		return "", err
	}
	code, err := querycode.Parse(query)
	if err != nil {
		return "", nil
	}
	view, err := v.s.Service.VerificationByQueryCode(ctx, v.actor, code)
	return missing(placeOf(view), err)
}

// placeOf is where a verification is looked at: its case once there is one.
func placeOf(view service.VerificationView) string {
	if view.Case.ID != "" {
		return "/console/cases/" + view.Case.ID
	}
	return "/console/verifications/" + view.Verification.ID
}

// openingForm is the form that opens a verification.
type openingForm struct {
	form
	account service.AccountView
	methods []payment.Method
}

func (v *visit) openingForm() (*openingForm, error) {
	f := &openingForm{form: form{values: map[string][]string{}}}
	var err error
	if f.account, err = v.s.Service.Account(v.r.Context(), v.actor, v.r.PathValue("id")); err != nil {
		return nil, err
	}
	f.methods, err = v.s.Service.PaymentMethods(v.r.Context(), v.actor, f.account.Account.ID)
	return f, err
}

func showOpenVerification(v *visit) error {
	f, err := v.openingForm()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "Open a verification", "/console/accounts", openVerificationPage(f))
}

func openVerification(v *visit) error {
	f, err := v.openingForm()
	if err != nil {
		return err
	}
	read, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	f.form = *read
	f.refuseCardNumbers("reason")
	if f.text("reason") == "" {
		f.fail("reason", "Say why, for whoever reviews it.")
	}
	if len(f.errors) > 0 {
		return v.show(http.StatusUnprocessableEntity, "Open a verification", "/console/accounts", openVerificationPage(f))
	}
	view, err := v.s.Service.OpenVerification(v.r.Context(), v.actor, service.OpenVerification{
		AccountID: f.account.Account.ID, Type: verification.PaymentSecurity, PaymentMethodID: f.text("payment_method_id"), Reason: f.text("reason"),
	})
	switch {
	case err == nil:
		return v.leave("/console/verifications/"+view.Verification.ID, "opened")
	case isConflict(err, "verification_already_open"):
		return v.leave("/console/verifications/"+problem.As(err).Ref, "already_open")
	case f.take(err, map[string]string{"reason": "reason", "payment_method_id": "payment_method_id"}):
		return v.show(statusOf(err), "Open a verification", "/console/accounts", openVerificationPage(f))
	default:
		return err
	}
}

func showCancel(v *visit) error {
	view, err := v.s.Service.Verification(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if !view.Verification.Status.Open() {
		return v.leave(placeOf(view), "")
	}
	return v.show(http.StatusOK, "Cancel the verification", "", cancelPage(view))
}

func cancel(v *visit) error {
	view, err := v.s.Service.CancelVerification(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.leave("/console/verifications/"+view.Verification.ID, "canceled")
}
