package installation

import (
	"context"
	"io"
	netmail "net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/probity/probity/internal/adapter/enforcer"
	"github.com/probity/probity/internal/adapter/webhook"
)

// Mail is one mail as the recipient's server got it.
type Mail struct {
	To      string
	Subject string // decoded
	Raw     string // headers and body
}

// mailbox is a mail server's backend that keeps what it accepts.
type mailbox struct {
	mu      sync.Mutex
	mails   []Mail
	refusal error
}

// NewSession implements smtp.Backend.
func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{box: m}, nil }

type mailSession struct {
	box *mailbox
	to  string
}

// Mail implements smtp.Session.
func (s *mailSession) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	return s.box.refusal
}

// Data implements smtp.Session.
func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	subject := ""
	if message, err := netmail.ReadMessage(strings.NewReader(string(raw))); err == nil {
		subject = decoded(message.Header.Get("Subject"))
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails = append(s.box.mails, Mail{To: s.to, Subject: subject, Raw: string(raw)})
	return nil
}

// Reset implements smtp.Session.
func (s *mailSession) Reset() {}

// Logout implements smtp.Session.
func (s *mailSession) Logout() error { return nil }

// Mails returns what arrived so far, oldest first.
func (i *Installation) Mails() []Mail {
	i.mails.mu.Lock()
	defer i.mails.mu.Unlock()
	return append([]Mail(nil), i.mails.mails...)
}

// RefuseMail makes the mail server refuse every recipient for good, or take them again.
func (i *Installation) RefuseMail(refuse bool) {
	i.mails.mu.Lock()
	defer i.mails.mu.Unlock()
	i.mails.refusal = nil
	if refuse {
		i.mails.refusal = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
}

// Platform is a tenant's platform that acknowledges every command and keeps it.
type Platform struct {
	mu       sync.Mutex
	commands []enforcer.Command
	silent   bool
}

// Send implements service.Connector.
func (p *Platform) Send(_ context.Context, _ enforcer.Target, command enforcer.Command, _ time.Time) (enforcer.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, command)
	if p.silent {
		return enforcer.Result{Outcome: enforcer.NotAcknowledged, Cause: webhook.CauseTimeout}, nil
	}
	return enforcer.Result{Outcome: enforcer.Acknowledged, StatusCode: 200}, nil
}

// Commands returns what was sent so far, repetitions included.
func (p *Platform) Commands() []enforcer.Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]enforcer.Command(nil), p.commands...)
}

// Silence makes the platform not answer, or answer again.
func (p *Platform) Silence(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

// Hooks is a receiver that takes every webhook and keeps it.
type Hooks struct {
	mu         sync.Mutex
	deliveries []webhook.Delivery
}

// Send implements service.WebhookSender.
func (h *Hooks) Send(_ context.Context, delivery webhook.Delivery) webhook.Result {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deliveries = append(h.deliveries, delivery)
	return webhook.Result{Outcome: webhook.Delivered, StatusCode: 200}
}

// Deliveries returns what was sent so far.
func (h *Hooks) Deliveries() []webhook.Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]webhook.Delivery(nil), h.deliveries...)
}
