package crashtest

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// outside is what lives on when the installation dies: the recipients' mail server and the tenant's platform. Both may kill it before
// or after they have done what they were asked.
type outside struct {
	mu        sync.Mutex
	kill      func()
	chance    float64
	random    *rand.Rand
	mails     []received
	sequences map[string]float64
	carried   map[string][]string
}

type received struct{ to, subject, id string }

// perhaps kills the child with the chance that is set.
func (o *outside) perhaps() {
	o.mu.Lock()
	hit := o.random.Float64() < o.chance
	o.mu.Unlock()
	if hit {
		o.kill()
	}
}

// NewSession implements smtp.Backend.
func (o *outside) NewSession(*smtp.Conn) (smtp.Session, error) { return &conversation{o: o}, nil }

type conversation struct {
	o  *outside
	to string
}

func (c *conversation) Reset()                               {}
func (c *conversation) Logout() error                        { return nil }
func (c *conversation) Mail(string, *smtp.MailOptions) error { return nil }
func (c *conversation) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to = to
	return nil
}

func (c *conversation) Data(body io.Reader) error {
	c.o.perhaps()
	message, err := mail.ReadMessage(body)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, message.Body); err != nil {
		return err
	}
	c.o.mu.Lock()
	c.o.mails = append(c.o.mails, received{c.to, message.Header.Get("Subject"), message.Header.Get("Message-ID")})
	c.o.mu.Unlock()
	c.o.perhaps()
	return nil
}

// ServeHTTP is the platform: it carries commands out in the order of their sequence numbers.
func (o *outside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var command struct {
		Type string
		Data struct {
			AccountID string  `json:"account_id"`
			Sequence  float64 `json:"sequence"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&command); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	o.perhaps()
	o.mu.Lock()
	account, status := command.Data.AccountID, http.StatusOK
	switch last := o.sequences[account]; {
	case command.Data.Sequence < last:
		status = http.StatusConflict
	case command.Data.Sequence > last:
		o.sequences[account] = command.Data.Sequence
		o.carried[account] = append(o.carried[account], fmt.Sprintf("%s %v", strings.TrimPrefix(command.Type, "enforcement."), command.Data.Sequence))
	}
	o.mu.Unlock()
	o.perhaps()
	w.WriteHeader(status)
}

// open starts both servers and returns the port of the mail server and the address of the platform.
func (o *outside) open(t *testing.T) (smtpPort int, platform string) {
	t.Helper()
	server := smtp.NewServer(o)
	server.Domain, server.ErrorLog = "mx.mail.example", log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // ends with an error when it is closed
	t.Cleanup(func() { _, _ = server.Close(), listener.Close() })
	platformServer := httptest.NewServer(o)
	t.Cleanup(platformServer.Close)
	return listener.Addr().(*net.TCPAddr).Port, platformServer.URL
}
