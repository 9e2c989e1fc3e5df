// Package mail hands messages to an SMTP server (RFC 5321) and says, in a form that can be stored, whether it took them.
//
// Whether acceptance means that the holder's own server has the mail, and so starts a clock, depends on what the configured server is
// (final or a relay) and is not decided here. Nothing this package returns as an error holds an address, a subject or a server's text,
// which often repeats the address.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// TLSMode says how the connection to the server is protected. The zero value is invalid.
type TLSMode string

// The modes.
const (
	NoTLS       TLSMode = "none"     // plain; only for a server on the same machine or network. No password is sent then, but to localhost
	StartTLS    TLSMode = "starttls" // upgraded before anything is sent, usually port 587; a server that does not offer it is refused
	ImplicitTLS TLSMode = "tls"      // from the first byte, usually port 465
)

const defaultTimeout = 30 * time.Second

// Password is a secret that refuses to print, log or marshal itself.
type Password struct{ text string }

// NewPassword wraps a password.
func NewPassword(text string) Password { return Password{text: text} }

// Format writes a placeholder whatever the verb.
func (p Password) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "[password]") }

// MarshalText returns a placeholder.
func (p Password) MarshalText() ([]byte, error) { return []byte("[password]"), nil }

// LogValue returns a placeholder.
func (p Password) LogValue() slog.Value { return slog.StringValue("[password]") }

// Config describes the SMTP server and us towards it.
type Config struct {
	Host     string
	Port     int
	TLS      TLSMode
	Username string // empty: no authentication
	Password Password
	// From is the sender's address, with or without a name: `Probity <no-reply@example.com>`.
	From string
	// Helo is the name we give in EHLO; empty: the domain of From. The machine's own name is never sent.
	Helo string
	// Timeout bounds each message from dialling to the last answer; default 30 s.
	Timeout time.Duration
	// TLSConfig replaces the default (the system's roots, TLS 1.2 or later), e.g. for a private certificate authority.
	TLSConfig *tls.Config
}

// Sender sends messages through one server, a connection for each. It is safe for concurrent use; make one with NewSender.
type Sender struct {
	config Config
	from   *netmail.Address
}

// NewSender checks the configuration. It does not connect.
func NewSender(config Config) (*Sender, error) {
	from, err := netmail.ParseAddress(config.From)
	if err != nil || hasControl(config.From) {
		return nil, errors.New("mail: the sender must be an address such as Example <no-reply@example.com>")
	}
	if config.Host == "" || config.Port < 1 || config.Port > 65535 {
		return nil, errors.New("mail: a host and a port from 1 to 65535 are needed")
	}
	switch config.TLS {
	case NoTLS, StartTLS, ImplicitTLS:
	default:
		return nil, errors.New("mail: the TLS mode is one of none, starttls, tls")
	}
	if config.Helo == "" {
		config.Helo = domainOf(from.Address)
	}
	if hasControl(config.Helo) || strings.Contains(config.Helo, " ") {
		return nil, errors.New("mail: the EHLO name must be a host name")
	}
	if config.Timeout <= 0 {
		config.Timeout = defaultTimeout
	}
	if config.TLSConfig == nil {
		config.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.TLSConfig = config.TLSConfig.Clone()
	if config.TLSConfig.ServerName == "" {
		config.TLSConfig.ServerName = config.Host
	}
	return &Sender{config: config, from: from}, nil
}

// Message is one mail to one recipient.
type Message struct {
	To      string // a bare address
	Subject string
	Text    string // plain text, always needed
	HTML    string // the same for those who prefer it; optional
	// ID becomes the Message-ID, so that a bounce or a repetition can be recognised: letters, digits, dots, dashes and underscores,
	// without a domain (that of From is added).
	ID string
	// FromName replaces the name in From, for the tenant's brand; empty keeps it.
	FromName string
	// Header holds further headers; those that this package sets are refused.
	Header map[string]string
	// At becomes the Date header.
	At time.Time
}

// Receipt says that the server has accepted responsibility for a message (RFC 5321 §4.2.5).
type Receipt struct {
	At time.Time // the Message's At
	// ServerReply is what the server said, often a queue number; at most 200 printable characters, addresses taken out.
	ServerReply string
}

// Send delivers a message to the server. A Receipt means that it was accepted; a message is never reported as refused after that. What
// is wrong with the message itself is a *problem.Problem and no connection is made. Everything else is an *Error, which says whether
// to try again. After a *Error with neither a code nor a certain stage the server may have accepted the message without our hearing
// of it, so a repetition may arrive twice under the same Message-ID.
func (s *Sender) Send(ctx context.Context, message Message) (Receipt, error) {
	composed, err := s.compose(message)
	if err != nil {
		return Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return Receipt{}, &Error{Stage: StageConnect}
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return Receipt{}, connectError(err)
	}
	defer func() {
		// QUIT is a courtesy: what it answers changes nothing about the message.
		_ = client.CloseWithSMTPClient(connection)
	}()
	err = client.SendWithSMTPClient(connection, composed)
	// The message is delivered with the answer to its data; a connection that fails in the RSET after it does not undo that.
	if composed.IsDelivered() {
		return Receipt{At: message.At, ServerReply: cleanReply(composed.ServerResponse())}, nil
	}
	return Receipt{}, sendError(err)
}

// Check connects to the server, with TLS and a sign-in as they are configured, and sends nothing. Its error may hold the server's name
// and words: it is for the operator's own eyes.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return err
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	return client.CloseWithSMTPClient(connection)
}

// client makes the library's client for one message. The connection is closed when ctx ends, so that a silent server cannot hold a
// job beyond its time: the library itself heeds the context only while dialling.
func (s *Sender) client(ctx context.Context) (*gomail.Client, error) {
	dial := func(dialCtx context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{}).DialContext(dialCtx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = raw.Close() })
		if s.config.TLS != ImplicitTLS {
			return raw, nil
		}
		secured := tls.Client(raw, s.config.TLSConfig)
		if err := secured.HandshakeContext(dialCtx); err != nil {
			_ = raw.Close()
			return nil, err
		}
		return secured, nil
	}
	policy := gomail.NoTLS // also under ImplicitTLS, where the dial function has done it
	if s.config.TLS == StartTLS {
		policy = gomail.TLSMandatory
	}
	options := []gomail.Option{
		gomail.WithPort(s.config.Port), gomail.WithHELO(s.config.Helo), gomail.WithTimeout(s.config.Timeout),
		gomail.WithTLSConfig(s.config.TLSConfig), gomail.WithTLSPolicy(policy), gomail.WithDialContextFunc(dial),
	}
	if s.config.Username != "" {
		// The list leaves out what is broken (CRAM-MD5, NTLM) and what sends the password in clear without TLS.
		options = append(options, gomail.WithUsername(s.config.Username), gomail.WithPassword(s.config.Password.text),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.config.Host, options...)
}

// Address returns host and port, for a start-up message.
func (s *Sender) Address() string {
	return net.JoinHostPort(s.config.Host, strconv.Itoa(s.config.Port))
}
