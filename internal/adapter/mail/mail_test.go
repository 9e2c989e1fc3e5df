package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/standard/problem"
)

var at = time.Date(2026, 11, 9, 10, 0, 0, 0, time.UTC)

func message() mail.Message {
	return mail.Message{To: "li.invented@example.org", Subject: "支付方式安全提醒 · Payment Method Security Alert",
		Text: "您好,请验证。\n.\nFrom here on a dot stood alone.\n", HTML: "<p>您好</p>", ID: "not_01", At: at,
		FromName: "示例云", Header: map[string]string{"List-Id": "notices"}}
}

func sender(t *testing.T, config mail.Config) *mail.Sender {
	t.Helper()
	config.Host = "127.0.0.1"
	if config.From == "" {
		config.From = "Probity <no-reply@probity.example>"
	}
	if config.TLS == "" {
		config.TLS = mail.NoTLS
	}
	s, err := mail.NewSender(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSendDelivers(t *testing.T) {
	server := &mailServer{}
	port, _ := serve(t, server, false, false)
	receipt, err := sender(t, mail.Config{Port: port}).Send(t.Context(), message())
	if err != nil {
		t.Fatal(err)
	}
	if !receipt.At.Equal(at) || receipt.ServerReply == "" {
		t.Errorf("receipt: got %+v, want the instant given and the server's reply", receipt)
	}
	if server.from != "no-reply@probity.example" || server.to != "li.invented@example.org" || server.helo != "probity.example" {
		t.Errorf("envelope: got from %s to %s helo %s", server.from, server.to, server.helo)
	}
	read, err := netmail.ReadMessage(bytes.NewReader(server.accepted))
	if err != nil {
		t.Fatal(err)
	}
	decoder := new(mime.WordDecoder)
	for header, want := range map[string]string{
		"Subject": message().Subject, "Message-ID": "<not_01@probity.example>", "Date": "Mon, 09 Nov 2026 10:00:00 +0000",
		"From": `示例云 <no-reply@probity.example>`, "To": "<li.invented@example.org>", "List-Id": "notices",
		"Auto-Submitted": "auto-generated", "User-Agent": "", "X-Mailer": "",
	} {
		got, err := decoder.DecodeHeader(read.Header.Get(header))
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", header, got, err, want)
		}
	}
	if host, err := os.Hostname(); err == nil && host != "localhost" && bytes.Contains(server.accepted, []byte(host)) {
		t.Error("the machine's name is in the mail")
	}
	_, parameters, err := mime.ParseMediaType(read.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(read.Body, parameters["boundary"])
	for _, want := range []struct{ kind, body string }{{"text/plain", message().Text}, {"text/html", message().HTML}} {
		part, err := parts.NextPart() // decodes quoted-printable
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(part)
		if got := strings.ReplaceAll(string(body), "\r\n", "\n"); got != want.body || !strings.HasPrefix(part.Header.Get("Content-Type"), want.kind) {
			t.Errorf("%s: got %q (%s), want %q", want.kind, got, part.Header.Get("Content-Type"), want.body)
		}
	}
}

func TestSendProtected(t *testing.T) {
	secret := mail.NewPassword("correct horse")
	tests := []struct {
		name              string
		withTLS, implicit bool
		mode              mail.TLSMode
		password          mail.Password
		trusted           bool
		want              *mail.Error
	}{
		{"STARTTLS with a password delivers", true, false, mail.StartTLS, secret, true, nil},
		{"TLS from the first byte with a password delivers", false, true, mail.ImplicitTLS, secret, true, nil},
		{"a wrong password is for the operator to cure", true, false, mail.StartTLS, mail.NewPassword("wrong"), true,
			&mail.Error{Stage: mail.StageAuth, Code: 535}},
		{"an unknown certificate is refused", true, false, mail.StartTLS, secret, false, &mail.Error{Stage: mail.StageConnect}},
		{"an unknown certificate is refused from the first byte too", false, true, mail.ImplicitTLS, secret, false, &mail.Error{Stage: mail.StageConnect}},
		{"a server that does not offer STARTTLS is refused", false, false, mail.StartTLS, secret, true, &mail.Error{Stage: mail.StageConnect}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := &mailServer{password: "correct horse"}
			port, roots := serve(t, server, test.withTLS, test.implicit)
			config := mail.Config{Port: port, TLS: test.mode, Username: "probity", Password: test.password}
			if test.trusted {
				config.TLSConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
			}
			_, err := sender(t, config).Send(t.Context(), message())
			expect(t, err, test.want)
			if got, want := server.count, map[bool]int{true: 1}[test.want == nil]; got != want {
				t.Errorf("delivered: got %d, want %d", got, want)
			}
		})
	}
	t.Run("a password that is needed and not given is for the operator to cure", func(t *testing.T) {
		port, _ := serve(t, &mailServer{password: "x"}, false, false)
		_, err := sender(t, mail.Config{Port: port}).Send(t.Context(), message())
		var failure *mail.Error
		if !errors.As(err, &failure) || failure.Permanent {
			t.Errorf("got %v, want a temporary failure", err)
		}
	})
}

// expect compares stage, code and permanence, and that no address shows.
func expect(t *testing.T, err error, want *mail.Error) {
	t.Helper()
	if want == nil {
		if err != nil {
			t.Errorf("got %v, want no error", err)
		}
		return
	}
	var got *mail.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want %+v", err, want)
	}
	if got.Stage != want.Stage || got.Code != want.Code || got.Permanent != want.Permanent || mail.IsPermanent(err) != want.Permanent {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if text := fmt.Sprintf("%v %+v", err, got); strings.Contains(text, "@") || strings.Contains(text, "li.invented") || strings.Contains(text, "127.0.0.1") {
		t.Errorf("the error names an address: %s", text)
	}
}

func TestSendRefusals(t *testing.T) {
	reply := func(code int, class, subject, detail int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: "<li.invented@example.org> no"}
	}
	tests := []struct {
		name   string
		server *mailServer
		want   mail.Error
	}{
		{"an unknown mailbox is permanent", &mailServer{onRcpt: reply(550, 5, 1, 1)}, mail.Error{Stage: mail.StageRecipient, Code: 550, Permanent: true}},
		{"a full mailbox is temporary", &mailServer{onRcpt: reply(452, 4, 2, 2)}, mail.Error{Stage: mail.StageRecipient, Code: 452}},
		{"greylisting is temporary", &mailServer{onRcpt: reply(451, 4, 7, 1)}, mail.Error{Stage: mail.StageRecipient, Code: 451}},
		{"a refused sender is for the operator to cure", &mailServer{onMail: reply(553, 5, 1, 8)}, mail.Error{Stage: mail.StageSender, Code: 553}},
		{"a refused content is permanent", &mailServer{onData: reply(554, 5, 7, 1)}, mail.Error{Stage: mail.StageContent, Code: 554, Permanent: true}},
		{"a content that is put off is temporary", &mailServer{onData: reply(451, 4, 3, 0)}, mail.Error{Stage: mail.StageContent, Code: 451}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			port, _ := serve(t, test.server, false, false)
			_, err := sender(t, mail.Config{Port: port}).Send(t.Context(), message())
			expect(t, err, &test.want)
			if got, want := test.server.count, 0; got != want {
				t.Errorf("delivered: got %d, want %d", got, want)
			}
		})
	}
	t.Run("the enhanced code is kept", func(t *testing.T) {
		port, _ := serve(t, &mailServer{onRcpt: reply(550, 5, 1, 1)}, false, false)
		_, err := sender(t, mail.Config{Port: port}).Send(t.Context(), message())
		if got, want := err.Error(), "mail: permanent failure at recipient: server replied 550 5.1.1"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestSendToBrokenServers(t *testing.T) {
	const short = 400 * time.Millisecond
	ehlo := "250 mail.example.com\r\n"
	tests := []struct {
		name    string
		port    int
		timeout time.Duration
		want    *mail.Error
	}{
		{"a closed port is temporary", serveAndClose(t), 0, &mail.Error{Stage: mail.StageConnect}},
		{"a server that never greets runs into the timeout", serveScript(t, "", ""), short, &mail.Error{Stage: mail.StageConnect}},
		{"a server that greets with 554 is for the operator to cure", serveScript(t, "554 5.3.2 go away\r\n", ehlo), 0,
			&mail.Error{Stage: mail.StageConnect, Code: 554}},
		{"a server that falls silent after the content runs into the timeout",
			serveScript(t, "220 hello\r\n", ehlo, "250 noop\r\n", "250 from\r\n", "250 to\r\n", "354 go\r\n", ""), short, &mail.Error{Stage: mail.StageContent}},
		{"a server that closes with 421 at RCPT is temporary",
			serveScript(t, "220 hello\r\n", ehlo, "250 noop\r\n", "250 from\r\n", "421 4.3.2 closing\r\n"), 0, &mail.Error{Stage: mail.StageConnect, Code: 421}},
		{"a server that breaks off after accepting has accepted",
			serveScript(t, "220 hello\r\n", ehlo, "250 noop\r\n", "250 from\r\n", "250 to\r\n", "354 go\r\n", "250 queued\r\n"), 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := sender(t, mail.Config{Port: test.port, Timeout: test.timeout}).Send(t.Context(), message())
			expect(t, err, test.want)
		})
	}
	t.Run("a canceled context stops at once", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := sender(t, mail.Config{Port: serveScript(t, "", "")}).Send(ctx, message())
		expect(t, err, &mail.Error{Stage: mail.StageConnect})
	})
	t.Run("the reply is kept without addresses", func(t *testing.T) {
		port := serveScript(t, "220 hello\r\n", ehlo, "250 noop\r\n", "250 from\r\n", "250 to\r\n", "354 go\r\n", "250 2.0.0 <li.invented@example.org> queued as 4F\r\n")
		receipt, err := sender(t, mail.Config{Port: port}).Send(t.Context(), message())
		if got, want := receipt.ServerReply, "2.0.0 [address] queued as 4F"; err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	})
}

func TestSendRefusesForgedAndBrokenMessages(t *testing.T) {
	server := &mailServer{}
	port, _ := serve(t, server, false, false)
	s := sender(t, mail.Config{Port: port})
	tests := []struct {
		name  string
		field string
		alter func(*mail.Message)
	}{
		{"a line break in the subject", "subject", func(m *mail.Message) { m.Subject = "a\r\nBcc: x@example.com" }},
		{"a bare line feed in the subject", "subject", func(m *mail.Message) { m.Subject = "a\nb" }},
		{"no subject", "subject", func(m *mail.Message) { m.Subject = "" }},
		{"a line break in the recipient", "to", func(m *mail.Message) { m.To = "a@example.com\r\nRCPT TO:<b@example.com>" }},
		{"two recipients", "to", func(m *mail.Message) { m.To = "a@example.com, b@example.com" }},
		{"a recipient with a name", "to", func(m *mail.Message) { m.To = "A <a@example.com>" }},
		{"a recipient without a domain", "to", func(m *mail.Message) { m.To = "a@" }},
		{"no recipient", "to", func(m *mail.Message) { m.To = "" }},
		{"a line break in the sender's name", "from_name", func(m *mail.Message) { m.FromName = "A\r\nBcc: x@example.com" }},
		{"a line break in a header", "header", func(m *mail.Message) { m.Header = map[string]string{"X-A": "a\r\nBcc: x@example.com"} }},
		{"a line break in a header's name", "header", func(m *mail.Message) { m.Header = map[string]string{"X-A\r\nBcc": "x@example.com"} }},
		{"a second recipient by header", "header", func(m *mail.Message) { m.Header = map[string]string{"bcc": "x@example.com"} }},
		{"another content type by header", "header", func(m *mail.Message) { m.Header = map[string]string{"Content-Type": "text/html"} }},
		{"a message id with a bracket", "id", func(m *mail.Message) { m.ID = "a>b" }},
		{"no message id", "id", func(m *mail.Message) { m.ID = "" }},
		{"no text", "text", func(m *mail.Message) { m.Text = " \n" }},
		{"an endless text", "text", func(m *mail.Message) { m.Text = strings.Repeat("x", 2<<20) }},
		{"no date", "at", func(m *mail.Message) { m.At = time.Time{} }},
	}
	for _, test := range tests {
		t.Run(test.name+" is refused before anything is sent", func(t *testing.T) {
			forged := message()
			test.alter(&forged)
			_, err := s.Send(t.Context(), forged)
			p := problem.As(err)
			if p == nil || p.Kind != problem.Invalid || p.Field != test.field {
				t.Fatalf("got %v, want a problem for %s", err, test.field)
			}
			if strings.Contains(err.Error(), "x@example.com") || server.helo != "" {
				t.Errorf("the value shows or the server was reached: %v", err)
			}
		})
	}
}

func TestNewSender(t *testing.T) {
	good := mail.Config{Host: "mail.example.com", Port: 587, TLS: mail.StartTLS, From: "no-reply@example.com", Password: mail.NewPassword("hunter2")}
	if _, err := mail.NewSender(good); err != nil {
		t.Fatal(err)
	}
	for name, alter := range map[string]func(*mail.Config){
		"no host":           func(c *mail.Config) { c.Host = "" },
		"no port":           func(c *mail.Config) { c.Port = 0 },
		"no TLS mode":       func(c *mail.Config) { c.TLS = "" },
		"a sender of words": func(c *mail.Config) { c.From = "nobody" },
		"a forged EHLO":     func(c *mail.Config) { c.Helo = "a\r\nb" },
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			bad := good
			alter(&bad)
			if _, err := mail.NewSender(bad); err == nil {
				t.Error("got no error")
			}
		})
	}
	t.Run("the password does not print itself", func(t *testing.T) {
		asJSON, _ := json.Marshal(good.Password)
		if text := fmt.Sprintf("%v %+v %#v %s", good, good, good, asJSON); strings.Contains(text, "hunter2") {
			t.Errorf("got %s", text)
		}
	})
}

func FuzzCheckAddress(f *testing.F) {
	for _, seed := range []string{"a@example.com", "a b@example.com", `"a"@example.com`, "a@example.com\r\nx", "李@例子.example", "a@localhost", "@", "a@b@c.d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if mail.CheckAddress("email", text) == nil && (strings.ContainsAny(text, "\r\n\x00 <>,;") || strings.Count(text, "@") < 1) {
			t.Errorf("%q is accepted", text)
		}
	})
}
