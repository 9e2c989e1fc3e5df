package mail_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// mailServer is a real SMTP server on loopback whose answers a test may set, and that keeps what it accepted.
type mailServer struct {
	mu                     sync.Mutex
	onMail, onRcpt, onData error
	password               string // non-empty: AUTH PLAIN as user "probity" is required
	helo                   string
	from, to               string
	accepted               []byte
	count                  int
}

func (s *mailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.helo = c.Hostname()
	return &mailSession{server: s}, nil
}

type mailSession struct {
	server   *mailServer
	signedIn bool
}

func (m *mailSession) AuthMechanisms() []string {
	if m.server.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (m *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "probity" || password != m.server.password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "bad credentials"}
		}
		m.signedIn = true
		return nil
	}), nil
}

func (m *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if m.server.password != "" && !m.signedIn {
		return smtp.ErrAuthRequired
	}
	m.server.from = from
	return m.server.onMail
}

func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	m.server.to = to
	return m.server.onRcpt
}

func (m *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if m.server.onData != nil {
		return m.server.onData
	}
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	m.server.accepted = body
	m.server.count++
	return nil
}

func (m *mailSession) Reset()        {}
func (m *mailSession) Logout() error { return nil }

// serve starts the server; withTLS offers STARTTLS, implicit speaks TLS from the first byte.
func serve(t *testing.T, backend *mailServer, withTLS, implicit bool) (port int, roots *x509.CertPool) {
	t.Helper()
	server := smtp.NewServer(backend)
	server.Domain = "mail.example.com"
	server.ErrorLog = log.New(io.Discard, "", 0)
	server.AllowInsecureAuth = true
	server.EnableSMTPUTF8 = true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if withTLS || implicit {
		certificates := httptest.NewTLSServer(nil) // brings a certificate for 127.0.0.1
		certificates.Close()
		roots = x509.NewCertPool()
		roots.AddCert(certificates.Certificate())
		server.TLSConfig = &tls.Config{Certificates: certificates.TLS.Certificates, MinVersion: tls.VersionTLS12}
	}
	port = listener.Addr().(*net.TCPAddr).Port
	if implicit {
		listener = tls.NewListener(listener, server.TLSConfig)
		server.TLSConfig = nil
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // the server does not know it yet when it has only just begun to serve
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("the mail server ended with %v", err)
		}
	})
	return port, roots
}

// serveScript answers each line a client sends with the next of the replies, for what a proper server would not do. An empty reply
// says nothing and keeps the line open; after the last, the connection is cut.
func serveScript(t *testing.T, greeting string, replies ...string) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, greeting)
		lines := bufio.NewScanner(connection)
		inContent := false
		for _, reply := range replies {
			if reply == "" {
				_, _ = io.Copy(io.Discard, connection) // until the client gives up
				return
			}
			for lines.Scan() && inContent && lines.Text() != "." {
			}
			_, _ = io.WriteString(connection, reply)
			inContent = strings.HasPrefix(reply, "354")
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// serveAndClose returns a port of loopback on which nobody listens any more.
func serveAndClose(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
