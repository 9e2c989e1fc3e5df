package mail

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// Stage says how far a message got. The zero value is invalid.
type Stage string

// The stages.
const (
	StageConnect   Stage = "connect"   // name, connection, greeting, TLS
	StageAuth      Stage = "auth"      // our user name and password
	StageSender    Stage = "sender"    // MAIL FROM
	StageRecipient Stage = "recipient" // RCPT TO: the mailbox
	StageContent   Stage = "content"   // DATA: the message itself
)

// Error says why a message was not accepted, without saying to whom it went.
type Error struct {
	Stage Stage
	// Code is the SMTP reply code, 0 when there was no reply (network, timeout, TLS).
	Code int
	// Enhanced is the enhanced status code (RFC 3463) such as "5.1.1", empty when there was none.
	Enhanced string
	// Permanent says that trying again will not help because this mailbox or message was refused (5xx at recipient or content). What the
	// operator can cure (connection, TLS, password, sender address) is never permanent: the mail goes out once it is cured.
	Permanent bool
}

// Error describes the failure in words that are safe to log.
func (e *Error) Error() string {
	class := "temporary"
	if e.Permanent {
		class = "permanent"
	}
	if e.Code == 0 {
		return fmt.Sprintf("mail: %s failure at %s: no reply from the server", class, e.Stage)
	}
	return strings.TrimSpace(fmt.Sprintf("mail: %s failure at %s: server replied %d %s", class, e.Stage, e.Code, e.Enhanced))
}

// connectError sorts what went wrong before MAIL FROM. None of it is about the recipient.
func connectError(err error) *Error {
	failure := &Error{Stage: StageConnect}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		failure.Code = reply.Code
		failure.Enhanced = enhancedOf(reply.Msg)
	}
	if failure.Code != 0 && isAboutAuth(failure.Code) {
		failure.Stage = StageAuth
	}
	return failure
}

// sendError sorts what went wrong from MAIL FROM on.
func sendError(err error) *Error {
	failure := &Error{Stage: StageContent}
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		failure.Code, failure.Enhanced = refused.ErrorCode(), refused.EnhancedStatusCode()
		switch refused.Reason {
		case gomail.ErrConnCheck:
			failure.Stage = StageConnect
		case gomail.ErrGetSender, gomail.ErrSMTPMailFrom:
			failure.Stage = StageSender
		case gomail.ErrGetRcpts, gomail.ErrSMTPRcptTo:
			failure.Stage = StageRecipient
		default:
			// The rest happens while the content is handed over.
		}
	}
	switch {
	case failure.Code == 421: // the server is closing, whatever the command was
		failure.Stage = StageConnect
	case isAboutAuth(failure.Code):
		failure.Stage = StageAuth
	case failure.Code >= 500 && (failure.Stage == StageRecipient || failure.Stage == StageContent):
		failure.Permanent = true
	}
	return failure
}

// isAboutAuth names the codes that speak of our credentials (RFC 4954 §6), which the operator can cure.
func isAboutAuth(code int) bool {
	switch code {
	case 432, 454, 530, 534, 535, 538:
		return true
	}
	return false
}

func enhancedOf(text string) string {
	first, _, _ := strings.Cut(text, " ")
	if len(first) >= 5 && len(first) <= 9 && (first[0] == '4' || first[0] == '5') && first[1] == '.' &&
		strings.Trim(first, "0123456789.") == "" {
		return first
	}
	return ""
}

// cleanReply makes a server's words fit to store: printable, short, and without anything that looks like an address.
func cleanReply(reply string) string {
	words := strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, reply))
	for i, word := range words {
		if strings.Contains(word, "@") {
			words[i] = "[address]"
		}
	}
	text := strings.Join(words, " ")
	return text[:min(len(text), 200)]
}

// IsPermanent reports whether err is an *Error that trying again will not cure.
func IsPermanent(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Permanent
}
