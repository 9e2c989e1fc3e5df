package storetest

import (
	"time"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/notice"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
	"github.com/probity/probity/internal/domain/verification"
	"github.com/probity/probity/internal/standard/money"
)

// at returns the instant some minutes after the start.
func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// tenant adds a tenant and returns it.
func (w *world) tenant() policy.Tenant {
	w.Helper()
	t := policy.Tenant{
		ID: w.name("ten"), Name: "Harbour Cloud", BrandColor: "#0a5", SupportEmail: "help@example.com", TimeZone: "Asia/Shanghai",
		Calendar: "weekdays", ConnectorURL: "https://platform.example/commands", ConnectorKey: "whsec_c2VjcmV0", Version: 1, CreatedAt: at(0),
	}
	w.write(func(tx *store.Tx) error { return tx.InsertTenant(of(t.ID), t, said(journal.TenantCreated, t.ID, "")) })
	return t
}

func (w *world) newAccount(tenantID string) account.Account {
	id := w.name("acct")
	return account.Account{
		ID: id, TenantID: tenantID, Version: 1, CreatedAt: at(1), UpdatedAt: at(2),
		Profile: account.Profile{
			ExternalID: "ext-" + id, Kind: account.Enterprise, Name: "Li Na 李娜", Email: "Li.Na+" + id + "@Example.com", Phone: "+86 10 1234",
			Address: account.Address{Lines: []string{"1 Pier Road", "Floor 2"}, City: "Shanghai", Region: "SH", PostalCode: "200000", Country: "CN"},
			Country: "CN", DateOfBirth: "1990-01-31", Locale: "zh-CN", TimeZone: "Asia/Shanghai", Industry: "retail", BusinessActivities: "tea",
		},
	}
}

// account adds an account and returns it.
func (w *world) account(tenantID string) account.Account {
	w.Helper()
	a := w.newAccount(tenantID)
	w.write(func(tx *store.Tx) error {
		return tx.InsertAccount(of(tenantID), a, said(journal.AccountCreated, a.ID, a.ID))
	})
	return a
}

func (w *world) newPayment(a account.Account, outcome payment.Outcome) payment.Payment {
	p := payment.Payment{
		ID: w.name("pay"), TenantID: a.TenantID, Source: payment.FromAPI, Outcome: outcome, PolicyID: "default", PolicyVersion: "1", Facts: []byte(`{"n":1}`),
		CreatedAt: at(3),
		Attempt: payment.Attempt{
			AccountID: a.ID, PaymentMethodID: "pm_1", Amount: money.Amount{AmountMinor: 1250, Currency: "USD"}, IP: "192.0.2.7",
			Location: payment.Location{Country: "SG", Region: "01", City: "Singapore"}, DeviceID: "device-1", Merchant: "Harbour Cloud",
			OccurredAt: at(-60),
		},
	}
	if outcome == payment.Rejected {
		p.VerificationID = w.name("ver")
		p.Reasons = []payment.Reason{{Code: "new_location", Message: "a new place"}}
	}
	return p
}

func (w *world) newVerification(a account.Account) verification.Verification {
	v, _ := verification.Start(verification.Opening{
		ID: w.name("ver"), TenantID: a.TenantID, AccountID: a.ID, PaymentMethodID: "pm_1", PaymentID: "pay_1", Reason: "seen by a person",
		NoticeCode: "ABC-123", PolicyVersion: "2026-03-30", CalendarVersion: "weekdays-1",
	}, at(4))
	return v
}

// verification adds a verification and returns it.
func (w *world) verification(a account.Account) verification.Verification {
	w.Helper()
	v := w.newVerification(a)
	w.write(func(tx *store.Tx) error {
		return tx.InsertVerification(of(a.TenantID), v, said(journal.VerificationOpened, v.ID, a.ID))
	})
	return v
}

// openCase adds an open case and returns it.
func (w *world) openCase(v verification.Verification, opened, due time.Time) casework.Case {
	w.Helper()
	c, drafts := casework.Start(w.name("case"), v, due, opened)
	w.write(func(tx *store.Tx) error { return tx.InsertCase(of(v.TenantID), c, drafts) })
	return c
}

func (w *world) newNotice(v verification.Verification) (notice.Notice, notice.Message) {
	n := notice.Notice{
		ID: w.name("not"), TenantID: v.TenantID, AccountID: v.AccountID, VerificationID: v.ID, Round: 1, Kind: notice.PaymentMethodAlert,
		MessageID: w.name("msg"), Version: 1, CreatedAt: at(5),
	}
	return n, notice.Message{
		ID: n.MessageID, TenantID: n.TenantID, AccountID: n.AccountID, VerificationID: n.VerificationID, NoticeID: n.ID,
		Subject: "Payment Method Security Alert", Body: "Please\nsign in.", CreatedAt: n.CreatedAt,
	}
}

// notice adds a notice with its message and returns both.
func (w *world) notice(v verification.Verification) (notice.Notice, notice.Message) {
	w.Helper()
	n, m := w.newNotice(v)
	w.write(func(tx *store.Tx) error {
		return tx.InsertNotice(of(v.TenantID), n, m, said(journal.NoticeCreated, n.ID, n.AccountID))
	})
	return n, m
}

// story is one of everything, of one tenant.
type story struct {
	tenant       policy.Tenant
	account      account.Account
	method       payment.Method
	restriction  account.Restriction
	payment      payment.Payment
	rejected     payment.Payment
	grant        payment.RetryGrant
	verification verification.Verification
	evidence     verification.Evidence
	case_        casework.Case
	review       casework.Review
	ticket       casework.Ticket
	notice       notice.Notice
	message      notice.Message
	enforcement  enforcement.Enforcement
	command      enforcement.Command
	endpoint     journal.Endpoint
	key          access.APIKey
	member       access.Member
	link         access.Link
	session      access.Session
	challenge    access.Challenge
	record       store.IdempotencyRecord
}

// story adds one of everything to a new tenant.
func (w *world) story() story {
	w.Helper()
	s := story{tenant: w.tenant()}
	s.account = w.account(s.tenant.ID)
	s.verification = w.verification(s.account)
	s.case_ = w.openCase(s.verification, at(6), at(60))
	s.notice, s.message = w.notice(s.verification)
	tenantID, accountID := s.tenant.ID, s.account.ID
	s.method = payment.Method{
		ID: w.name("pm"), TenantID: tenantID, AccountID: accountID, Kind: payment.Card, Brand: "Visa", First6: "411111", Last4: "1111",
		HolderName: "LI NA", Fingerprint: "fp", Default: true, CreatedAt: at(3),
	}
	s.restriction = account.Restriction{
		ID: w.name("res"), TenantID: tenantID, AccountID: accountID, Kind: account.PaymentsRestricted, VerificationID: s.verification.ID,
		Version: 1, PlacedAt: at(4),
	}
	s.payment, s.rejected = w.newPayment(s.account, payment.Approved), w.newPayment(s.account, payment.Rejected)
	s.grant = payment.RetryGrant{
		ID: w.name("grant"), TenantID: tenantID, AccountID: accountID, VerificationID: s.verification.ID, PaymentID: s.rejected.ID,
		PaymentMethodID: s.method.ID, Amount: money.Amount{AmountMinor: 900, Currency: "USD"}, CreatedAt: at(5), ExpiresAt: at(5).Add(payment.RetryGrantFor),
	}
	s.evidence = verification.Evidence{
		ID: w.name("evi"), TenantID: tenantID, VerificationID: s.verification.ID, AccountID: accountID, Requirement: verification.GovernmentID,
		DocumentType: verification.Passport, Side: verification.Front, Round: 1, AttachmentID: w.name("att"), MediaType: "image/png",
		Size: 12345, Width: 640, Height: 480, Pages: 1, Findings: []verification.Finding{{Code: "dark", Message: "the photo is dark"}},
		SentBy: "holder", CreatedAt: at(5),
	}
	s.review = casework.Review{
		ID: w.name("rev"), TenantID: tenantID, CaseID: s.case_.ID, Decision: casework.Approve, Note: "clear",
		Reasons:   []verification.Reason{{Requirement: verification.GovernmentID, Code: "id.blurred", Note: "corner"}},
		ActorKind: "staff", ActorID: "stf_1", DecidedAt: at(7),
	}
	s.ticket = casework.Ticket{
		ID: w.name("tkt"), TenantID: tenantID, AccountID: accountID, VerificationID: s.verification.ID, ErrorCode: "RISK", QueryCode: "AAAAA-BBBBB",
		StepsTaken: "tried again", Message: "help", Status: casework.TicketOpen, Version: 1, CreatedAt: at(6),
	}
	s.enforcement = enforcement.Enforcement{
		TenantID: tenantID, AccountID: accountID, State: enforcement.Grace, Version: 1, VerificationID: s.verification.ID, DueAt: at(99), Sequence: 1,
	}
	s.command = enforcement.Command{
		ID: w.name("cmd"), TenantID: tenantID, AccountID: accountID, VerificationID: s.verification.ID, Kind: enforcement.Suspend, Sequence: 1,
		State: enforcement.Pending, CreatedAt: at(8),
	}
	s.endpoint = journal.Endpoint{
		ID: w.name("whe"), TenantID: tenantID, URL: "https://platform.example/hooks", Secret: "whsec_aG9vaw==", CreatedAt: at(1),
		EventTypes: []journal.EventType{journal.ClockAdvanced},
	}
	s.accessRecords(w)
	w.write(s.insert)
	return s
}

// accessRecords makes what has to do with signing in.
func (s *story) accessRecords(w *world) {
	tenantID, hash := s.tenant.ID, func(what string) []byte { return []byte(what + s.tenant.ID) }
	s.key = access.APIKey{ID: w.name("key"), TenantID: tenantID, Name: "platform", Hint: "wxyz", Hash: hash("key"), CreatedAt: at(1)}
	s.member = access.Member{
		ID: w.name("stf"), TenantID: tenantID, Name: "Ana", Email: "Ana@" + tenantID + ".example", Role: access.Administrator,
		PassphraseHash: "$argon2id$", Failures: 2, LockedUntil: at(9), Version: 1, CreatedAt: at(1),
	}
	s.link = access.Link{
		ID: w.name("lnk"), TenantID: tenantID, Purpose: access.StaffInvite, Hash: hash("link"), Role: access.Reviewer, Email: "bo@example.com",
		CreatedBy: s.member.ID, CreatedAt: at(1), ExpiresAt: at(1000),
	}
	s.session = access.Session{
		ID: w.name("ses"), TenantID: tenantID, Kind: access.HolderSession, SubjectID: s.account.ID, Hash: hash("session"), CreatedAt: at(1),
		SeenAt: at(2), ExpiresAt: at(100), ReturnPath: "/kyc",
	}
	s.challenge = access.Challenge{
		AskedBy: access.ByEmail,
		ID:      w.name("sgn"), TenantID: tenantID, AccountID: s.account.ID, BrowserHash: hash("browser"), Attempts: 1, CreatedAt: at(1), ExpiresAt: at(10),
	}
	s.record = store.IdempotencyRecord{
		TenantID: tenantID, Key: "key-1", Route: "POST /v1/payments", BodyHash: hash("body"), Status: 201, Response: []byte(`{"id":"pay_1"}`),
		CreatedAt: at(1), ExpiresAt: at(60 * 24),
	}
}

// insert writes what the story's helpers have not written yet.
func (s *story) insert(tx *store.Tx) error {
	tenantID, accountID := s.tenant.ID, s.account.ID
	actor := of(tenantID)
	drafts := func(t journal.EventType, objectID string) []journal.Draft { return said(t, objectID, accountID) }
	for _, step := range []func() error{
		func() error {
			return tx.InsertPaymentMethod(actor, s.method, drafts(journal.PaymentMethodAdded, s.method.ID))
		},
		func() error {
			return tx.PlaceRestriction(actor, s.restriction, drafts(journal.RestrictionPlaced, s.restriction.ID))
		},
		func() error { return tx.InsertPayment(s.payment) },
		func() error {
			return tx.InsertRejectedPayment(actor, s.rejected, drafts(journal.PaymentRejected, s.rejected.ID))
		},
		func() error { return tx.SaveProfile(tenantID, accountID, 0, []byte(`{"newest":1}`)) },
		func() error { return tx.InsertRetryGrant(actor, s.grant, drafts(journal.RetryGranted, s.grant.ID)) },
		func() error { return tx.InsertEvidence(s.evidence) },
		func() error { return tx.InsertDataKey(tenantID, accountID, []byte("wrapped")) },
		func() error { return tx.InsertReview(s.review) },
		func() error { return tx.InsertTicket(actor, s.ticket, drafts(journal.TicketOpened, s.ticket.ID)) },
		func() error {
			return tx.SaveEnforcement(actor, s.enforcement, drafts(journal.EnforcementGrace, accountID))
		},
		func() error { return tx.InsertCommand(s.command) },
		func() error {
			return tx.InsertEndpoint(actor, s.endpoint, drafts(journal.WebhookEndpointMade, s.endpoint.ID))
		},
		func() error { return tx.InsertAPIKey(actor, s.key, drafts(journal.KeyCreated, s.key.ID)) },
		func() error { return tx.InsertMember(actor, s.member, drafts(journal.StaffJoined, s.member.ID)) },
		func() error { return tx.InsertLink(s.link) },
		func() error { return tx.InsertSession(s.session) },
		func() error { return tx.InsertChallenge(s.challenge) },
		func() error { return tx.InsertIdempotency(s.record) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
