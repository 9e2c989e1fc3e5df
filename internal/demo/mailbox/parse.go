package mailbox

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth bounds how deep parts of a mail may lie inside each other.
const maxDepth = 4

// parse reads a stored mail. Its texts are valid UTF-8; parts in other character sets come out with replacement characters.
func parse(raw []byte) (Mail, error) {
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, errNotAMail
	}
	decode := func(name string) string {
		text, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get(name))
		if err != nil {
			text = message.Header.Get(name)
		}
		return strings.ToValidUTF8(text, "�")
	}
	mail := Mail{
		From: decode("From"), To: message.Header.Get(headerDeliveredTo), Subject: decode("Subject"),
		MessageID: strings.Trim(message.Header.Get("Message-Id"), "<> "),
	}
	if date, err := message.Header.Date(); err == nil {
		mail.Date = date.UTC()
	}
	if received, err := time.Parse(time.RFC3339Nano, message.Header.Get(headerReceivedAt)); err == nil {
		mail.ReceivedAt = received.UTC()
	}
	top := part{contentType: message.Header.Get("Content-Type"), encoding: message.Header.Get("Content-Transfer-Encoding"), body: message.Body}
	if err := top.into(&mail, 0); err != nil {
		return Mail{}, err
	}
	return mail, nil
}

// part is a body with what its headers say about it.
type part struct {
	contentType, encoding string
	body                  io.Reader
}

// into adds what the part says to the mail: the first text and the first HTML count.
func (p part) into(mail *Mail, depth int) error {
	media, parameters, err := mime.ParseMediaType(p.contentType)
	if err != nil {
		media = "text/plain"
	}
	if strings.HasPrefix(media, "multipart/") {
		if depth == maxDepth {
			return errNotAMail
		}
		return p.parts(mail, parameters["boundary"], depth)
	}
	target := &mail.Text
	switch media {
	case "text/plain":
	case "text/html":
		target = &mail.HTML
	default:
		return nil
	}
	if *target != "" {
		return nil
	}
	content, err := io.ReadAll(p.decoded())
	if err != nil {
		return errNotAMail
	}
	text := string(content)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "�")
	}
	*target = strings.ReplaceAll(text, "\r\n", "\n")
	return nil
}

func (p part) parts(mail *Mail, boundary string, depth int) error {
	reader := multipart.NewReader(p.body, boundary)
	for {
		next, err := reader.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errNotAMail
		}
		inner := part{contentType: next.Header.Get("Content-Type"), encoding: next.Header.Get("Content-Transfer-Encoding"), body: next}
		if err := inner.into(mail, depth+1); err != nil {
			return err
		}
	}
}

func (p part) decoded() io.Reader {
	switch strings.ToLower(strings.TrimSpace(p.encoding)) {
	case "quoted-printable":
		return quotedprintable.NewReader(p.body)
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, p.body)
	default:
		return p.body
	}
}
