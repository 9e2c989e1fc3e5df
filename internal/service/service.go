// Package service holds the use cases, one file each. It is the only writer: load → decide (a pure function of the domain) → save
// the state, its journal entries and its follow-up jobs in one transaction. Permissions are checked here and nowhere else.
package service

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/probity/probity/internal/adapter/clock"
	"github.com/probity/probity/internal/adapter/enforcer"
	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/adapter/netguard"
	"github.com/probity/probity/internal/adapter/reader"
	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/adapter/webhook"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/standard/calendar"
	"github.com/probity/probity/internal/standard/problem"
)

// Mailer hands one mail to a mail server.
type Mailer interface {
	Send(ctx context.Context, message mail.Message) (mail.Receipt, error)
}

// Keys wraps data keys and seals attachments with them; short secrets that have to be used again it seals itself.
type Keys interface {
	WrapNewDataKey(tenantID, subjectID string) ([]byte, error)
	Seal(wrapped []byte, ref vault.Ref, plaintext []byte) ([]byte, error)
	Open(wrapped []byte, ref vault.Ref, sealed []byte) ([]byte, error)
	SealText(tenantID, purpose, text string) (string, error)
	OpenText(tenantID, purpose, sealed string) (string, error)
}

// Blobs keeps sealed attachments. When Put returns, the blob is on stable storage.
type Blobs interface {
	Put(ctx context.Context, id string, sealed []byte) error
	Get(ctx context.Context, id string) ([]byte, error)
	Delete(ctx context.Context, id string) error
}

// Inspector turns untrusted bytes into a clean page, or says why it will not.
type Inspector interface {
	Inspect(ctx context.Context, raw []byte) (reader.Page, error)
}

// Connector tells a tenant's platform to suspend or resume an account's resources.
type Connector interface {
	Send(ctx context.Context, target enforcer.Target, command enforcer.Command, at time.Time) (enforcer.Result, error)
}

// WebhookSender delivers one signed webhook.
type WebhookSender interface {
	Send(ctx context.Context, delivery webhook.Delivery) webhook.Result
}

// Config is what a Service is made of. Every field is required unless it says otherwise.
type Config struct {
	Store     *store.Store
	Clock     *clock.Clock
	Keys      Keys
	Blobs     Blobs
	Inspector Inspector
	Mailer    Mailer
	Connector Connector
	Webhooks  WebhookSender
	// Outbound says which addresses webhooks and connectors may be registered at. The zero value allows public https only.
	Outbound netguard.Rules
	// Policy is number 0 of every tenant: what decides its payments until it publishes a version of its own. PolicyText is what it was
	// compiled from; empty means the policy that ships with the program.
	Policy     *risk.Policy
	PolicyText []byte
	Calendar   calendar.Calendar
	// BaseURL is how browsers reach this installation, e.g. https://kyc.example.com, without a slash at its end.
	BaseURL string
	// MailAcceptanceIsFinal says that the mail server we hand mails to is the recipient's own, so that its acceptance is receipt.
	// Behind a relay it is false, and only an opened Internal Message counts (design §5).
	MailAcceptanceIsFinal bool
	// Distributed says that the PostgreSQL database keeps its shards on several machines, so that a group of decisions must hold one.
	Distributed bool
	// Demo allows the clock to be moved.
	Demo bool
	Log  *slog.Logger
	// Wake is called after the clock was moved, so that the worker need not wait for its next look. Optional.
	Wake func()
}

// Service is the set of use cases. It is safe for concurrent use.
type Service struct {
	Config
	keys        rememberedKeys
	policies    policyCache
	follower    follower
	ruleHits    hitCounter
	trying      trials              // policies that are tried on history
	inFlight    sync.Map            // idempotency keys that are being worked on by this process
	payments    *paymentQueue       // payments that wait for their decision
	payersToUse sync.Pool           // of *payer, for the memory of their profiles
	importing   *semaphore.Weighted // held while past payments are brought in
	imported    importedSince       // belongs to whoever holds importing
	refolds     refolds
	warm        warmList
	hashing     *semaphore.Weighted // bounds the memory that passphrases take
}

// New returns a Service, or an error that names the part that is missing.
func New(c Config) (*Service, error) {
	for _, part := range []struct {
		name    string
		missing bool
	}{
		{"store", c.Store == nil}, {"clock", c.Clock == nil}, {"keys", c.Keys == nil}, {"blobs", c.Blobs == nil},
		{"inspector", c.Inspector == nil}, {"mailer", c.Mailer == nil}, {"connector", c.Connector == nil},
		{"webhook sender", c.Webhooks == nil}, {"policy", c.Policy == nil}, {"calendar", c.Calendar == nil},
		{"base URL", c.BaseURL == ""}, {"log", c.Log == nil},
	} {
		if part.missing {
			return nil, problem.New(problem.Unavailable, "service_misconfigured", "the service was started without its "+part.name)
		}
	}
	if c.Wake == nil {
		c.Wake = func() {}
	}
	if c.Distributed && c.Store.Dialect() != "postgres" {
		return nil, errors.New("service: only a PostgreSQL database can be distributed")
	}
	if len(c.PolicyText) == 0 {
		c.PolicyText = risk.DefaultYAML()
	}
	s := &Service{Config: c, hashing: semaphore.NewWeighted(hashedAtOnce), importing: semaphore.NewWeighted(1)}
	atOnce := 1
	if c.Store.Dialect() == "postgres" {
		atOnce = groupsPostgres
	}
	s.refolds.room = semaphore.NewWeighted(refoldsAtOnce)
	s.payments = newPaymentQueue(atOnce, func(ctx context.Context, decisions []*decision) {
		for _, d := range decisions {
			d.patient = true
		}
		s.storeGroup(ctx, decisions)
	})
	s.payments.late = s.decideLate
	if c.Distributed {
		s.payments.atOnce = groupsDistributed
		s.payments.shard = func(d *decision) int { return store.ShardOf(askedBy(d).AccountKey) }
	}
	return s, nil
}

// hashedAtOnce is how many passphrases are hashed at a time.
const hashedAtOnce = 4

// write runs fn in one write transaction.
func (s *Service) write(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	return s.Store.Write(ctx, fn)
}

// read runs fn on one consistent view.
func (s *Service) read(ctx context.Context, fn func(ctx context.Context, tx *store.Tx) error) error {
	return s.Store.Read(ctx, fn)
}

// code returns n random symbols of an alphabet without look-alikes.
func code(n int) string {
	const symbols = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	out := make([]byte, 0, n)
	buffer := make([]byte, 1)
	for len(out) < n {
		_, _ = rand.Read(buffer)
		// Values that would make some symbols likelier than others are thrown away.
		if int(buffer[0]) < len(symbols)*(256/len(symbols)) {
			out = append(out, symbols[int(buffer[0])%len(symbols)])
		}
	}
	return string(out)
}

// noticeCode returns a code such as "K7Q-4TP", printed in mails and shown in the KYC Center.
func noticeCode() string {
	c := code(6)
	return c[:3] + "-" + c[3:]
}
