package mailbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/mail"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/edge/web/webtest"
)

var noon = time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)

// ticking returns a clock that moves a second at every look.
func ticking() func() time.Time {
	now := noon
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func open(t *testing.T, directory string) *Box {
	t.Helper()
	box, err := Open(directory, ticking())
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// served starts the SMTP server of a box and returns a sender to it.
func served(t *testing.T, box *Box) *mail.Sender {
	t.Helper()
	server, err := Listen(box, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve() }()
	t.Cleanup(func() {
		if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	sender, err := mail.NewSender(mail.Config{Host: "127.0.0.1", Port: server.Port(), TLS: mail.NoTLS, From: "Nimbus <kyc@nimbus.example>"})
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func TestARealMailArrivesWithItsTextAndItsHTML(t *testing.T) {
	directory := t.TempDir()
	box := open(t, directory)
	sender := served(t, box)
	_, err := sender.Send(t.Context(), mail.Message{
		To: "lin@example.com", FromName: "Nimbus Cloud", Subject: "付款方式安全提醒", Text: "Dear 林,\nyour code is ABC-123 = yes\n",
		HTML: "<!doctype html><html><head></head><body><p>Dear 林</p></body></html>", ID: "not_1", At: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, box *Box) {
		t.Helper()
		mails := box.List(Filter{})
		if len(mails) != 1 {
			t.Fatalf("got %d mails, want 1", len(mails))
		}
		got := mails[0]
		if got.To != "lin@example.com" || got.Subject != "付款方式安全提醒" || !strings.Contains(got.From, "Nimbus Cloud") {
			t.Errorf("got to %q, subject %q, from %q", got.To, got.Subject, got.From)
		}
		if want := "Dear 林,\nyour code is ABC-123 = yes\n"; strings.TrimSpace(got.Text) != strings.TrimSpace(want) {
			t.Errorf("got text %q, want %q", got.Text, want)
		}
		if !strings.Contains(got.HTML, "<p>Dear 林</p>") {
			t.Errorf("got HTML %q", got.HTML)
		}
		if !got.Date.Equal(noon) || !got.ReceivedAt.Equal(noon.Add(time.Second)) || !strings.HasPrefix(got.MessageID, "not_1@") {
			t.Errorf("got date %v, received %v, id %q", got.Date, got.ReceivedAt, got.MessageID)
		}
	}
	t.Run("at once", func(t *testing.T) { check(t, box) })
	t.Run("and after a restart", func(t *testing.T) { check(t, open(t, directory)) })
}

func TestAMailToTheRefusedDomainIsRefusedForGood(t *testing.T) {
	box := open(t, t.TempDir())
	_, err := served(t, box).Send(t.Context(), mail.Message{To: "ada@" + RefusedDomain, Subject: "s", Text: "t", ID: "not_2", At: noon})
	if !mail.IsPermanent(err) {
		t.Errorf("got %v, want a permanent refusal", err)
	}
	if got := len(box.List(Filter{})); got != 0 {
		t.Errorf("got %d mails, want none", got)
	}
}

func plain(subject string) []byte {
	return []byte("From: kyc@nimbus.example\r\nSubject: " + subject + "\r\n\r\nHello\r\n")
}

func TestTheOldestMailsMakeRoom(t *testing.T) {
	directory := t.TempDir()
	box := open(t, directory)
	for i := range Keep + 3 {
		if err := box.Deliver("a@example.com", plain(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range map[string]*Box{"in memory": box, "after a restart": open(t, directory)} {
		mails := b.List(Filter{})
		if len(mails) != Keep || mails[0].Subject != fmt.Sprint(Keep+2) || mails[Keep-1].Subject != "3" {
			t.Errorf("%s: got %d mails, from %s to %s", name, len(mails), mails[0].Subject, mails[len(mails)-1].Subject)
		}
	}
}

func TestTheListIsFiltered(t *testing.T) {
	box := open(t, t.TempDir())
	for i, to := range []string{"a@example.com", "b@example.com", "A@example.com"} {
		if err := box.Deliver(to, plain(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	site := httptest.NewServer(Handler(Config{Box: box, Brand: web.Brand{Name: "Nimbus Cloud"}, Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(site.Close)
	for name, test := range map[string]struct {
		query url.Values
		want  string
	}{
		"everything":               {nil, "2 1 0"},
		"one address, in any case": {url.Values{"to": {"a@EXAMPLE.com"}}, "2 0"},
		"after an instant":         {url.Values{"since": {noon.Add(2 * time.Second).Format(time.RFC3339)}}, "2"},
		"nothing":                  {url.Values{"to": {"c@example.com"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := http.Get(site.URL + "/mailbox/messages.json?" + test.query.Encode())
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var answer struct{ Items []struct{ Subject string } }
			if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
				t.Fatal(err)
			}
			var subjects []string
			for _, item := range answer.Items {
				subjects = append(subjects, item.Subject)
			}
			if got := strings.Join(subjects, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestThePages(t *testing.T) {
	box := open(t, t.TempDir())
	html := "From: kyc@nimbus.example\r\nSubject: <b>Alert</b>\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n" +
		"--x\r\nContent-Type: text/plain\r\n\r\nHello\r\n--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		"PGh0bWw+PGhlYWQ+PC9oZWFkPjxib2R5PkhpPC9ib2R5PjwvaHRtbD4=\r\n--x--\r\n"
	if err := box.Deliver("a@example.com", []byte(html)); err != nil {
		t.Fatal(err)
	}
	handler := Handler(Config{Box: box, Brand: web.Brand{Name: "Nimbus Cloud"}, Log: slog.New(slog.DiscardHandler)})
	get := func(path string) (int, http.Header, string) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		body, err := io.ReadAll(recorder.Body)
		if err != nil {
			t.Fatal(err)
		}
		return recorder.Code, recorder.Header(), string(body)
	}
	for path, want := range map[string]int{
		"/mailbox/": http.StatusOK, "/mailbox/?to=a@example.com": http.StatusOK, "/mailbox/messages/000001": http.StatusOK,
		"/mailbox/messages/000009": http.StatusNotFound,
	} {
		status, _, body := get(path)
		if status != want {
			t.Errorf("%s: got status %d, want %d", path, status, want)
		}
		webtest.CheckPage(t, body)
		if strings.Contains(body, "<b>Alert") {
			t.Errorf("%s shows a subject as markup", path)
		}
	}
	status, header, body := get("/mailbox/messages/000001/html")
	if status != http.StatusOK || !strings.Contains(body, `<base target="_top">`) || !strings.Contains(body, "Hi") {
		t.Errorf("got status %d and body %q", status, body)
	}
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script-src") {
		t.Errorf("got policy %q, want a sandbox without scripts", policy)
	}
	if status, _, _ := get("/mailbox/messages.json?since=yesterday"); status != http.StatusBadRequest {
		t.Errorf("got status %d, want 400", status)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(plain("hello"))
	f.Add([]byte("Subject: =?utf-8?B?5LuY5qy+?=\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E4=BB=98</p>"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n--a--\r\n"))
	f.Add([]byte("Content-Type: multipart/mixed\r\n\r\n--\r\n"))
	f.Add([]byte("no header at all"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		mail, err := parse(raw)
		if err != nil {
			return
		}
		for _, text := range []string{mail.Text, mail.HTML, mail.Subject, mail.From} {
			if strings.ToValidUTF8(text, "?") != text {
				t.Errorf("a text of the mail is not UTF-8: %q", text)
			}
		}
	})
}
