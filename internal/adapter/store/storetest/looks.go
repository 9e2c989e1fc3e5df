package storetest

import (
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/standard/problem"
)

// look is one way to find something of a story.
type look struct {
	name string
	want func(s story) any
	find func(tx *store.Tx, tenantID string, s story) (any, error)
}

// got makes a value and an error of three results: what was not found is nil.
func got[T any](value T, found bool, err error) (any, error) {
	if !found {
		return nil, err
	}
	return value, err
}

// only makes a value of a list of one.
func only[T any](items []T, err error) (any, error) {
	if len(items) == 0 {
		return nil, err
	}
	if len(items) > 1 {
		return items, err
	}
	return items[0], err
}

// paged is only, of a page.
func paged[T any](items []T, _ string, err error) (any, error) { return only(items, err) }

// value makes what a getter that can miss returns.
func value[T any](item T, err error) (any, error) {
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	return item, err
}

// looks are the getters and lists that take a tenant.
var looks = []look{
	{"tenant", func(s story) any { return s.tenant }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		t, err := tx.Tenant(tenantID)
		t.JournalLength = 0
		if t.ID != s.tenant.ID {
			return nil, err
		}
		return t, err
	}},
	{"account", func(s story) any { return s.account }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Account(tenantID, s.account.ID))
	}},
	{"lock on the account", func(story) any { return "held" }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value("held", tx.LockAccount(tenantID, s.account.ID))
	}},
	{"account by external id", func(s story) any { return s.account }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.AccountByExternalID(tenantID, s.account.Profile.ExternalID))
	}},
	{"restriction", func(s story) any { return s.restriction }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return got(tx.StandingRestriction(tenantID, s.account.ID))
	}},
	{"restrictions", func(s story) any { return s.restriction }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return only(tx.Restrictions(tenantID, s.account.ID))
	}},
	{"payment method", func(s story) any { return s.method }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.PaymentMethod(tenantID, s.account.ID, s.method.ID))
	}},
	{"payment methods", func(s story) any { return s.method }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return only(tx.PaymentMethods(tenantID, s.account.ID))
	}},
	{"default payment method", func(s story) any { return s.method }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return got(tx.DefaultPaymentMethod(tenantID, s.account.ID))
	}},
	{"payment", func(s story) any { return s.payment }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Payment(tenantID, s.payment.ID))
	}},
	{"rejected payment", func(s story) any { return s.rejected }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Payment(tenantID, s.rejected.ID))
	}},
	{"payments", func(s story) any { return 2 }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		items, _, err := tx.ListPayments(tenantID, s.account.ID, store.Page{})
		return got(len(items), len(items) > 0, err)
	}},
	{"profile", func(story) any { return `{"newest":1}` }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		body, _, err := tx.Profile(tenantID, s.account.ID)
		return got(string(body), body != nil, err)
	}},
	{"retry grants", func(s story) any { return s.grant }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return only(tx.OpenRetryGrants(tenantID, s.account.ID))
	}},
	{"verification", func(s story) any { return s.verification }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Verification(tenantID, s.verification.ID))
	}},
	{"open verification", func(s story) any { return s.verification }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return got(tx.OpenVerificationOf(tenantID, s.account.ID))
	}},
	{"verifications", func(s story) any { return s.verification }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return paged(tx.ListVerifications(tenantID, store.VerificationFilter{AccountID: s.account.ID}, store.Page{}))
	}},
	{"evidence", func(s story) any { return s.evidence }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Evidence(tenantID, s.evidence.ID))
	}},
	{"evidence of the verification", func(s story) any { return s.evidence }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return only(tx.EvidenceOf(tenantID, s.verification.ID))
	}},
	{"data key", func(story) any { return []byte("wrapped") }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return got(tx.DataKey(tenantID, s.account.ID))
	}},
	{"case", func(s story) any { return s.case_ }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Case(tenantID, s.case_.ID))
	}},
	{"cases", func(s story) any { return s.case_ }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return paged(tx.ListCases(tenantID, store.CaseFilter{VerificationID: s.verification.ID}, store.Page{}))
	}},
	{"count of cases", func(story) any { return 1 }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		open, _, err := tx.CountCases(tenantID)
		return got(open, tenantID == s.tenant.ID, err)
	}},
	{"reviews", func(s story) any { return s.review }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return only(tx.ReviewsOf(tenantID, s.verification.ID))
	}},
	{"ticket", func(s story) any { return s.ticket }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Ticket(tenantID, s.ticket.ID))
	}},
	{"tickets", func(s story) any { return s.ticket }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return paged(tx.ListTickets(tenantID, store.TicketFilter{AccountID: s.account.ID}, store.Page{}))
	}},
	{"notice", func(s story) any { return s.notice }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Notice(tenantID, s.notice.ID))
	}},
	{"notices", func(s story) any { return s.notice }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return only(tx.NoticesOf(tenantID, s.verification.ID))
	}},
	{"message", func(s story) any { return s.message }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Message(tenantID, s.account.ID, s.message.ID))
	}},
	{"messages", func(s story) any { return s.message }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return paged(tx.Messages(tenantID, s.account.ID, store.Page{}))
	}},
	{"unread messages", func(story) any { return 1 }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		count, err := tx.UnreadMessages(tenantID, s.account.ID)
		return got(count, count > 0, err)
	}},
	{"enforcement", func(s story) any { return s.enforcement }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		e, err := tx.Enforcement(tenantID, s.account.ID)
		return got(e, e.Version > 0, err)
	}},
	{"command", func(s story) any { return s.command }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Command(tenantID, s.command.ID))
	}},
	{"latest command", func(s story) any { return s.command }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return got(tx.LatestCommand(tenantID, s.account.ID))
	}},
	{"journal of the account", func(s story) any { return s.account.ID }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		items, _, err := tx.EntriesOf(tenantID, store.EntryFilter{AccountID: s.account.ID}, store.Page{})
		return got(s.account.ID, len(items) > 0, err)
	}},
	{"journal of the case", func(s story) any { return journal.CaseOpened }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		items, _, err := tx.EntriesOf(tenantID, store.EntryFilter{ObjectIDs: []string{s.case_.ID, "x"}}, store.Page{})
		if len(items) == 0 {
			return nil, err
		}
		return items[0].Type, err
	}},
	{"webhook endpoint", func(s story) any { return s.endpoint }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Endpoint(tenantID, s.endpoint.ID))
	}},
	{"API keys", func(s story) any { return s.key }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return forTenant(tenantID, s, func() (any, error) { return only(tx.APIKeys(tenantID)) })
	}},
	{"member", func(s story) any { return s.member }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Member(tenantID, s.member.ID))
	}},
	{"challenge", func(s story) any { return s.challenge }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return value(tx.Challenge(tenantID, s.challenge.ID))
	}},
	{"challenges counted", func(s story) any { return 1 }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		count, err := tx.CountChallenges(tenantID, s.account.ID, access.ByEmail, at(1))
		return got(count, count > 0, err)
	}},
	{"idempotency record", func(s story) any { return s.record }, func(tx *store.Tx, tenantID string, s story) (any, error) {
		return forTenant(tenantID, s, func() (any, error) { return got(tx.FindIdempotency(tenantID, s.record.Route, s.record.Key, tx.Now())) })
	}},
}

// forTenant asks only for the story's own tenant: the other has such things of its own, which is checked by their being equal here.
func forTenant(tenantID string, s story, find func() (any, error)) (any, error) {
	if tenantID != s.tenant.ID {
		return nil, nil
	}
	return find()
}
