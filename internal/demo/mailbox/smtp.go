package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// RefusedDomain is the domain whose mailboxes do not exist: every mail to it is refused for good, as a mistyped address is. It is
// reserved and belongs to nobody (RFC 2606).
const RefusedDomain = "nobody-here.example"

// maxMessageBytes bounds one mail.
const maxMessageBytes = 1 << 20

// Server is the SMTP server in front of a box. Make one with Listen.
type Server struct {
	server   *smtp.Server
	listener net.Listener
}

// Listen opens a port of the loopback interface for the box; the system chooses which. Mails are taken when Serve runs.
func Listen(box *Box, log *slog.Logger) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the mailbox's SMTP port: %w", err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: box}, nil }))
	server.Domain = "mailbox.localhost"
	server.MaxMessageBytes = maxMessageBytes
	server.MaxRecipients = 10
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	// What goes wrong on a connection may quote an address, so only that something did is logged.
	server.ErrorLog = quiet{log}
	return &Server{server: server, listener: listener}, nil
}

// Port returns the port that was opened.
func (s *Server) Port() int {
	address, isTCP := s.listener.Addr().(*net.TCPAddr)
	if !isTCP {
		return 0
	}
	return address.Port
}

// Serve takes mails until Shutdown.
func (s *Server) Serve() error {
	if err := s.server.Serve(s.listener); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Shutdown lets the mails in hand arrive, at most until ctx ends, and closes the port.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if closeError := s.listener.Close(); err == nil && !errors.Is(closeError, net.ErrClosed) {
		err = closeError
	}
	return err
}

// quiet logs that something went wrong with a connection, and nothing of what.
type quiet struct{ log *slog.Logger }

// Printf is called by the server with the error of a connection.
func (q quiet) Printf(string, ...any) { q.log.Debug("an SMTP connection ended early") }

// Println is called by the server with the error of a connection.
func (q quiet) Println(...any) { q.log.Debug("an SMTP connection ended early") }

// session is one SMTP conversation.
type session struct {
	box        *Box
	recipients []string
}

// Reset forgets the mail in hand.
func (s *session) Reset() { s.recipients = nil }

// Logout ends the conversation.
func (s *session) Logout() error { return nil }

// Mail begins a mail. Anyone on this machine may send.
func (s *session) Mail(string, *smtp.MailOptions) error {
	s.recipients = nil
	return nil
}

// Rcpt accepts an address, unless its domain is RefusedDomain.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	_, domain, found := strings.Cut(to, "@")
	if !found || strings.EqualFold(domain, RefusedDomain) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox here"}
	}
	s.recipients = append(s.recipients, to)
	return nil
}

// Data takes the mail itself. It is accepted once it is stored for every recipient.
func (s *session) Data(body io.Reader) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	for _, to := range s.recipients {
		err := s.box.Deliver(to, raw)
		if errors.Is(err, errNotAMail) {
			return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "This is not a mail after RFC 5322"}
		}
		if err != nil {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The mail could not be stored; try again"}
		}
	}
	return nil
}
