package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/probity/probity/internal/adapter/mail"
)

// post is the recipients' mail server. It keeps what it accepted.
type post struct {
	mu   sync.Mutex
	sent []mail.Message
	// fail, when set, is asked for each mail; accept says whether the mail is kept although an error is returned.
	fail func(m mail.Message) (accept bool, err error)
}

func (p *post) Send(_ context.Context, m mail.Message) (mail.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		if accept, err := p.fail(m); err != nil {
			if accept {
				p.sent = append(p.sent, m)
			}
			return mail.Receipt{}, err
		}
	}
	p.sent = append(p.sent, m)
	return mail.Receipt{At: m.At}, nil
}

// mails returns what was accepted so far.
func (p *post) mails() []mail.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]mail.Message{}, p.sent...)
}

// about returns the accepted mails whose subject holds the words.
func (p *post) about(words string) []mail.Message {
	var found []mail.Message
	for _, m := range p.mails() {
		if strings.Contains(m.Subject, words) {
			found = append(found, m)
		}
	}
	return found
}

var (
	temporary = func(mail.Message) (bool, error) { return false, &mail.Error{Stage: mail.StageConnect} }
	permanent = func(mail.Message) (bool, error) {
		return false, &mail.Error{Stage: mail.StageRecipient, Code: 550, Enhanced: "5.1.1", Permanent: true}
	}
	sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)
)

// code returns the sign-in code of the latest mail to an address.
func (w *world) code(to string) string {
	w.Helper()
	mails := w.post.mails()
	for i := len(mails) - 1; i >= 0; i-- {
		// Notices hold six digits too: of cards. Their Message-IDs begin with that of the notice.
		if mails[i].To == to && strings.HasPrefix(mails[i].ID, "job_") {
			if code := sixDigits.FindString(mails[i].Text); code != "" {
				return code
			}
		}
	}
	w.Fatal("no mail with a sign-in code")
	return ""
}

func newPlatform(t testing.TB) *platform {
	p := &platform{sequences: map[string]int64{}, suspended: map[string]bool{}}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies = append(p.bodies, string(body))
	var message struct {
		Type string `json:"type"`
		Data struct {
			AccountID string `json:"account_id"`
			Sequence  int64  `json:"sequence"`
		} `json:"data"`
	}
	if r.URL.Path != "/commands" && json.Valid(body) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := json.Unmarshal(body, &message); err != nil || r.Header.Get("webhook-signature") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	status, carryOut := 0, true
	if p.answer != nil {
		status, carryOut = p.answer(message.Type)
	}
	if carryOut {
		account := message.Data.AccountID
		switch last := p.sequences[account]; {
		case message.Data.Sequence < last:
			w.WriteHeader(http.StatusConflict)
			return
		case message.Data.Sequence > last:
			p.sequences[account] = message.Data.Sequence
			p.suspended[account] = message.Type == "enforcement.suspend"
			p.carried = append(p.carried, fmt.Sprintf("%s %d", strings.TrimPrefix(message.Type, "enforcement."), message.Data.Sequence))
		}
	}
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
}

func (p *platform) answerWith(answer func(command string) (int, bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// did returns the commands carried out, in order, separated by commas.
func (p *platform) did() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.carried, ", ")
}
