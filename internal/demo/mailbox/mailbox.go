// Package mailbox is the other end of the demo's mails: an SMTP server that takes them as the recipients' own server would, keeps them
// in a directory, and shows them on a page and as JSON. Nothing that it accepts leaves the machine.
package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Keep is how many mails a box holds; the oldest make room.
const Keep = 500

// The headers under which a mail is stored: what the server knows and the mail itself does not say.
const (
	headerDeliveredTo = "Delivered-To"
	headerReceivedAt  = "X-Mailbox-Received-At"
)

// Mail is one received mail.
type Mail struct {
	ID         string    // a number of six digits or more, in order of receipt
	From       string    // the From header
	To         string    // the address that the mail was delivered to
	Subject    string    // decoded
	MessageID  string    // without its angle brackets
	Date       time.Time // the Date header; zero when it has none
	ReceivedAt time.Time // UTC, microseconds
	Text       string
	HTML       string // empty when the mail has no HTML part
}

// Box is the mails of all addresses. It is safe for concurrent use; make one with Open.
type Box struct {
	directory string
	now       func() time.Time

	mutex sync.Mutex
	mails []Mail // oldest first
	last  int    // the highest number given
}

// Open reads the mails that the directory holds; it makes the directory when it is missing. now tells the time of receipt.
func Open(directory string, now func() time.Time) (*Box, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("make the mailbox directory: %w", err)
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("read the mailbox: %w", err)
	}
	b := &Box{directory: directory, now: now}
	for _, entry := range entries {
		id, isMail := strings.CutSuffix(entry.Name(), ".eml")
		number, err := strconv.Atoi(id)
		if !isMail || err != nil {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(directory, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the mailbox: %w", err)
		}
		stored, err := parse(raw)
		if err != nil {
			return nil, fmt.Errorf("read the mailbox: %s is not a mail; remove it", entry.Name())
		}
		stored.ID = id
		b.mails = append(b.mails, stored)
		b.last = max(b.last, number)
	}
	slices.SortFunc(b.mails, func(x, y Mail) int { return number(x.ID) - number(y.ID) })
	return b, nil
}

func number(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0
	}
	return n
}

// errNotAMail is the refusal of bytes that are not a mail (RFC 5322).
var errNotAMail = errors.New("not a mail")

// Deliver keeps a mail for the address. When it returns without an error the mail is on stable storage.
func (b *Box) Deliver(to string, raw []byte) error {
	received := b.now().UTC().Truncate(time.Microsecond)
	var stored bytes.Buffer
	fmt.Fprintf(&stored, "%s: %s\r\n%s: %s\r\n", headerDeliveredTo, textproto.TrimString(to), headerReceivedAt, received.Format(time.RFC3339Nano))
	stored.Write(raw)
	mail, err := parse(stored.Bytes())
	if err != nil {
		return err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	mail.ID = fmt.Sprintf("%06d", b.last+1)
	if err := writeDurably(filepath.Join(b.directory, mail.ID+".eml"), stored.Bytes()); err != nil {
		return fmt.Errorf("keep a mail: %w", err)
	}
	b.last++
	b.mails = append(b.mails, mail)
	for len(b.mails) > Keep {
		if err := os.Remove(filepath.Join(b.directory, b.mails[0].ID+".eml")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make room for a mail: %w", err)
		}
		b.mails = slices.Delete(b.mails, 0, 1)
	}
	return nil
}

// writeDurably writes a file that is either there whole or not at all.
func writeDurably(path string, content []byte) error {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Filter says which mails are wanted; the zero value means all.
type Filter struct {
	To    string    // the address delivered to, whatever the case of its letters
	Since time.Time // only mails received after it
}

// List returns the mails that the filter lets through, newest first.
func (b *Box) List(filter Filter) []Mail {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	found := []Mail{}
	for _, mail := range slices.Backward(b.mails) {
		if (filter.To == "" || strings.EqualFold(filter.To, mail.To)) && mail.ReceivedAt.After(filter.Since) {
			found = append(found, mail)
		}
	}
	return found
}

// Mail returns one mail, and whether it is there.
func (b *Box) Mail(id string) (Mail, bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	i := slices.IndexFunc(b.mails, func(mail Mail) bool { return mail.ID == id })
	if i < 0 {
		return Mail{}, false
	}
	return b.mails[i], true
}

// Addresses returns every address that has a mail, in alphabetical order.
func (b *Box) Addresses() []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	var addresses []string
	for _, mail := range b.mails {
		addresses = append(addresses, strings.ToLower(mail.To))
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}
