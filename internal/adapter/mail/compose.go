package mail

import (
	netmail "net/mail"
	"regexp"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/probity/probity/internal/standard/problem"
)

const (
	maxAddressLength = 254 // RFC 5321 §4.5.3.1.3, less the brackets
	maxHeaderLength  = 900 // below the 998 of RFC 5322 §2.1.1, before encoding
	maxBodyBytes     = 1 << 20
)

var (
	messageID  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$`)
	headerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
)

// CheckAddress returns a problem of kind Invalid for the field unless text is one bare address, local@domain, that can be written to.
// It does not ask whether the mailbox exists.
func CheckAddress(field, text string) error {
	parsed, err := netmail.ParseAddress(text)
	if err != nil || parsed.Name != "" || parsed.Address != text || hasControl(text) || len(text) > maxAddressLength ||
		strings.ContainsAny(text, " <>,;\"") || !strings.Contains(domainOf(text), ".") && domainOf(text) != "localhost" {
		return problem.Field(field, "email_not_valid", "give one e-mail address such as name@example.com")
	}
	return nil
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// hasControl reports whether text could end a header line or a command: a line break, NUL or another control character.
func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 || r == 0x85 })
}

// check refuses what would forge a header (CWE-93) or be no mail at all.
func (m Message) check() error {
	if err := CheckAddress("to", m.To); err != nil {
		return err
	}
	switch {
	case m.Subject == "" || hasControl(m.Subject) || len(m.Subject) > maxHeaderLength:
		return problem.Field("subject", "subject_not_valid", "a subject is one line of at most 900 bytes")
	case hasControl(m.FromName) || len(m.FromName) > 200:
		return problem.Field("from_name", "from_name_not_valid", "a sender's name is one line of at most 200 bytes")
	case !messageID.MatchString(m.ID):
		return problem.Field("id", "message_id_not_valid", "a message id has letters, digits, dots, dashes and underscores")
	case strings.TrimSpace(m.Text) == "" || len(m.Text)+len(m.HTML) > maxBodyBytes:
		return problem.Field("text", "body_not_valid", "a mail needs a plain text, and with its HTML at most 1 MiB")
	case m.At.IsZero():
		return problem.Field("at", "date_missing", "a mail needs the instant it is sent at")
	}
	for name, value := range m.Header {
		if !headerName.MatchString(name) || isReserved(name) || hasControl(value) || len(value) > maxHeaderLength {
			return problem.Field("header", "header_not_valid",
				"a further header has a name that is not set otherwise, and a value of one line of at most 900 bytes")
		}
	}
	return nil
}

// isReserved names the headers that say who writes to whom, or how to read the rest: they come from Message's own fields.
func isReserved(name string) bool {
	switch name = strings.ToLower(name); name {
	case "from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "return-path", "mime-version", "auto-submitted",
		"user-agent", "x-mailer":
		return true
	default:
		return strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "resent-")
	}
}

// compose writes the message. The library would put this machine's name in the Message-ID and its own in User-Agent; both are set.
func (s *Sender) compose(message Message) (*gomail.Msg, error) {
	if err := message.check(); err != nil {
		return nil, err
	}
	from := *s.from
	if message.FromName != "" {
		from.Name = message.FromName
	}
	composed := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	composed.FromMailAddress(&from)
	composed.ToMailAddress(&netmail.Address{Address: message.To})
	composed.Subject(message.Subject)
	composed.SetMessageIDWithValue(message.ID + "@" + domainOf(from.Address))
	composed.SetDateWithValue(message.At)
	// RFC 3834 §5: keeps holiday notices and other answering machines silent.
	composed.SetGenHeader("Auto-Submitted", "auto-generated")
	for name, value := range message.Header {
		composed.SetGenHeader(gomail.Header(name), value)
	}
	composed.SetBodyString(gomail.TypeTextPlain, message.Text)
	if message.HTML != "" {
		composed.AddAlternativeString(gomail.TypeTextHTML, message.HTML)
	}
	return composed, nil
}
