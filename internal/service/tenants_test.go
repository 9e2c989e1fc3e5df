package service_test

import (
	"slices"
	"testing"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

func TestIdsOfAnotherTenantDoNotExist(t *testing.T) {
	on(t, func(w *world) {
		p := w.person()
		rejected, v := w.reject(p)
		w.work()
		submitted := w.submit(p, v.ID)
		w.work()
		evidence := submitted.Evidence[0]
		message := w.messageOf(v, notice.PaymentMethodAlert)
		ticket, err := w.s.OpenTicket(w.Context(), p.holder, casework.Ticket{AccountID: p.account.ID, Message: "what now?"})
		w.must(err)
		endpoint, err := w.s.AddWebhookEndpoint(w.Context(), w.key, w.platform.server.URL+"/events", nil)
		w.must(err)
		key, _, err := w.s.CreateKey(w.Context(), w.tenant.ID, "platform")
		w.must(err)
		w.work()

		other, err := w.s.CreateTenant(w.Context(), policyWithoutConnector())
		w.must(err)
		strangerKey := w.newKey(other.ID)
		strangersOwn := w.personOf(strangerKey, account.Profile{Kind: account.Individual, Name: "Bo Berg", Email: "bo@mail.example"})
		strangers := []access.Actor{
			strangerKey, {Kind: access.Staff, TenantID: other.ID, ID: "staff_other", Role: access.Administrator},
			// A holder of the other tenant, and one of the same tenant with another account.
			strangersOwn.holder, w.person().holder,
		}
		ctx := w.Context()
		attempt := p.attempt(dollars(1))
		borrowed := strangersOwn.attempt(dollars(1))
		borrowed.PaymentMethodID = p.method.ID
		calls := []struct {
			name string
			do   func(actor access.Actor) error
		}{
			{"Account", func(a access.Actor) error { _, err := w.s.Account(ctx, a, p.account.ID); return err }},
			{"UpdateAccount", func(a access.Actor) error {
				_, err := w.s.UpdateAccount(ctx, a, p.account.ID, func(p account.Profile) account.Profile { p.Name = "Mallory"; return p })
				return err
			}},
			{"AddPaymentMethod", func(a access.Actor) error {
				_, err := w.s.AddPaymentMethod(ctx, a, payment.Method{AccountID: p.account.ID, Kind: payment.Wallet})
				return err
			}},
			{"PaymentMethods", func(a access.Actor) error { _, err := w.s.PaymentMethods(ctx, a, p.account.ID); return err }},
			{"AuthorizePayment", func(a access.Actor) error { _, err := w.s.AuthorizePayment(ctx, a, attempt); return err }},
			{"AuthorizePayment with a payment method of theirs", func(a access.Actor) error { _, err := w.s.AuthorizePayment(ctx, a, borrowed); return err }},
			{"Payment", func(a access.Actor) error { _, err := w.s.Payment(ctx, a, rejected.Payment.ID); return err }},
			{"Payments", func(a access.Actor) error { _, _, err := w.s.Payments(ctx, a, p.account.ID, storePage()); return err }},
			{"OpenVerification", func(a access.Actor) error {
				_, err := w.s.OpenVerification(ctx, a, service.OpenVerification{AccountID: p.account.ID, Type: verification.PaymentSecurity})
				return err
			}},
			{"Verification", func(a access.Actor) error { _, err := w.s.Verification(ctx, a, v.ID); return err }},
			{"VerificationByQueryCode", func(a access.Actor) error {
				_, err := w.s.VerificationByQueryCode(ctx, a, submitted.Verification.QueryCode)
				return err
			}},
			{"SendEvidence", func(a access.Actor) error {
				_, err := w.s.SendEvidence(ctx, a, upload(v.ID, verification.PaymentMethod))
				return err
			}},
			{"WithdrawEvidence", func(a access.Actor) error { return w.s.WithdrawEvidence(ctx, a, evidence.ID) }},
			{"Attachment", func(a access.Actor) error { _, _, err := w.s.Attachment(ctx, a, evidence.ID); return err }},
			{"Submit", func(a access.Actor) error { _, err := w.s.Submit(ctx, a, v.ID); return err }},
			{"Case", func(a access.Actor) error { _, err := w.s.Case(ctx, a, submitted.Case.ID); return err }},
			{"DecideCase", func(a access.Actor) error {
				_, err := w.s.DecideCase(ctx, a, service.CaseDecision{CaseID: submitted.Case.ID, Decision: casework.Approve})
				return err
			}},
			{"CancelVerification", func(a access.Actor) error { _, err := w.s.CancelVerification(ctx, a, v.ID); return err }},
			{"History", func(a access.Actor) error { _, _, err := w.s.History(ctx, a, p.account.ID, storePage()); return err }},
			{"NoticesOf", func(a access.Actor) error { _, err := w.s.NoticesOf(ctx, a, v.ID); return err }},
			{"Messages", func(a access.Actor) error { _, _, err := w.s.Messages(ctx, a, p.account.ID, storePage()); return err }},
			{"OpenMessage", func(a access.Actor) error { _, err := w.s.OpenMessage(ctx, a, p.account.ID, message); return err }},
			{"MintPortalSession", func(a access.Actor) error { _, _, err := w.s.MintPortalSession(ctx, a, p.account.ID); return err }},
			{"OpenTicket", func(a access.Actor) error {
				_, err := w.s.OpenTicket(ctx, a, casework.Ticket{AccountID: p.account.ID, Message: "hello"})
				return err
			}},
			{"Ticket", func(a access.Actor) error { _, err := w.s.Ticket(ctx, a, ticket.ID); return err }},
			{"CloseTicket", func(a access.Actor) error { _, err := w.s.CloseTicket(ctx, a, ticket.ID, "closed"); return err }},
			{"DeleteWebhookEndpoint", func(a access.Actor) error { return w.s.DeleteWebhookEndpoint(ctx, a, endpoint.ID) }},
		}
		before, journal := w.counts(), len(w.entries())
		for _, call := range calls {
			for _, stranger := range strangers {
				err := call.do(stranger)
				p := problem.As(err)
				// Whoever may not do such a thing at all is told that.
				mayNot := p != nil && p.Kind == problem.Forbidden && stranger.Require(access.ManageAccounts) != nil
				if p == nil || (p.Kind != problem.NotFound && !mayNot) {
					w.Errorf("%s as %s of %s: got %v, want that it does not exist", call.name, stranger.Kind, stranger.TenantID, err)
				}
				if stranger.Kind == access.Holder && p != nil && p.Kind == problem.NotFound && p.Ref != "" {
					w.Errorf("%s names %s to a stranger", call.name, p.Ref)
				}
			}
		}
		refused(w, w.s.RevokeKey(ctx, other.ID, key.ID), problem.NotFound, "")
		if got := w.grown(before); got != "" || len(w.entries()) != journal {
			w.Errorf("got %s, want nothing changed", got)
		}
		if again, err := w.s.Account(ctx, w.key, p.account.ID); err != nil || again.Account.Version != p.account.Version {
			w.Errorf("the account was changed by a stranger (%v)", err)
		}
		lists(w, strangerKey, strangersOwn.account.ID)
	})
}

// lists checks that lists without a filter show a tenant its own only.
func lists(w *world, key access.Actor, own string) {
	accounts, _, err := w.s.Accounts(w.Context(), key, "", storePage())
	w.must(err)
	if len(accounts) != 1 || accounts[0].Account.ID != own {
		w.Errorf("got %d accounts, want its own", len(accounts))
	}
	cases, _, err := w.s.Cases(w.Context(), key, caseFilter(), storePage())
	w.must(err)
	verifications, _, err := w.s.Verifications(w.Context(), key, storeFilter(), storePage())
	w.must(err)
	tickets, _, err := w.s.Tickets(w.Context(), key, ticketFilter(), storePage())
	w.must(err)
	endpoints, err := w.s.WebhookEndpoints(w.Context(), key)
	w.must(err)
	if len(cases)+len(verifications)+len(tickets)+len(endpoints) != 0 {
		w.Errorf("got %d cases, %d verifications, %d tickets and %d endpoints of another tenant", len(cases), len(verifications), len(tickets), len(endpoints))
	}
	entries, err := w.s.Events(w.Context(), key, 0, 100)
	w.must(err)
	if slices.ContainsFunc(entries, func(e entry) bool { return e.TenantID != key.TenantID }) {
		w.Error("events of another tenant are told")
	}
}

// A tenant is made on the command line, and its name and address go into every mail: what is wrong shows there, not before.
func TestATenantIsCheckedBeforeItExists(t *testing.T) {
	on(t, func(w *world) {
		before := w.counts()["tenants"]
		for field, tenant := range map[string]policy.Tenant{
			"support_email": {Name: "Example Cloud", SupportEmail: "help at example"},
			"name":          {Name: "Example\nBcc: a@b.example"},
			"brand_color":   {Name: "Example Cloud", BrandColor: "red"},
			"time_zone":     {Name: "Example Cloud", TimeZone: "Local"},
		} {
			if _, err := w.s.CreateTenant(w.Context(), tenant); problem.As(err) == nil || problem.As(err).Field != field {
				w.Errorf("%s: got %v, want it refused", field, err)
			}
		}
		if _, err := w.s.CreateTenant(w.Context(), policy.Tenant{Name: "4111 1111 1111 1111"}); err == nil {
			w.Error("a card number became a tenant's name")
		}
		if got := w.counts()["tenants"]; got != before {
			w.Errorf("got %d tenants more, want none", got-before)
		}
		if _, err := w.s.APIKeys(w.Context(), "ten_nobody"); !problem.Is(err, problem.NotFound) {
			w.Errorf("the keys of a tenant that does not exist: got %v, want not found", err)
		}
	})
}
