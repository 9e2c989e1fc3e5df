// Package id makes and checks the prefixed, time-sortable identifiers of every object: a prefix that says what it is, an
// underscore, and 26 characters of lower-case Crockford base32 that hold 48 bits of Unix milliseconds and 80 random bits
// (the layout of a UUID version 7, RFC 9562 §5.7, without its version and variant bits).
package id

import (
	"crypto/rand"
	"strings"
	"time"
)

// Prefix says what an identifier names.
type Prefix string

// The prefixes in use.
const (
	Tenant          Prefix = "ten"
	Account         Prefix = "acct"
	PaymentMethod   Prefix = "pm"
	Payment         Prefix = "pay"
	Restriction     Prefix = "res"
	RetryGrant      Prefix = "grant"
	Verification    Prefix = "ver"
	Evidence        Prefix = "evi"
	Attachment      Prefix = "att"
	Case            Prefix = "case"
	Review          Prefix = "rev"
	Message         Prefix = "msg"
	Notice          Prefix = "not"
	Ticket          Prefix = "tkt"
	Event           Prefix = "evt"
	Job             Prefix = "job"
	WebhookEndpoint Prefix = "whe"
	Command         Prefix = "cmd"
	APIKey          Prefix = "key"
	Staff           Prefix = "stf"
	Session         Prefix = "ses"
	SignIn          Prefix = "sgn"
	Link            Prefix = "lnk"
	Policy          Prefix = "pol"
	List            Prefix = "lst"
	ListEntry       Prefix = "lse"
	Finding         Prefix = "fnd"
	Node            Prefix = "node"
)

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const bodyLength = 26

// New returns a fresh identifier made at the instant. Identifiers made in different milliseconds sort by time.
func New(prefix Prefix, at time.Time) string {
	var raw [16]byte
	milliseconds := uint64(at.UnixMilli())
	for i := range 6 {
		raw[i] = byte(milliseconds >> (8 * (5 - i)))
	}
	// crypto/rand.Read never fails: it ends the program when the system has no randomness.
	_, _ = rand.Read(raw[6:])
	return string(prefix) + "_" + encode(raw)
}

// encode writes 128 bits as 26 symbols of 5 bits, the first of which holds only 3.
func encode(raw [16]byte) string {
	var out [bodyLength]byte
	var high, low uint64
	for i := range 8 {
		high = high<<8 | uint64(raw[i])
		low = low<<8 | uint64(raw[i+8])
	}
	for i := bodyLength - 1; i >= 0; i-- {
		out[i] = alphabet[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(out[:])
}

// Valid reports whether s is an identifier with the prefix. It does not say that the object exists.
func Valid(prefix Prefix, s string) bool {
	body, found := strings.CutPrefix(s, string(prefix)+"_")
	return found && validBody(body)
}

// Looks reports whether s has the shape of one of our identifiers, whatever its prefix. The card guard leaves such values alone.
func Looks(s string) bool {
	prefix, body, found := strings.Cut(s, "_")
	if !found || prefix == "" || len(prefix) > 5 {
		return false
	}
	for _, r := range prefix {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	return validBody(body)
}

func validBody(body string) bool {
	if len(body) != bodyLength || body[0] > '7' {
		return false
	}
	for i := range len(body) {
		if !strings.Contains(alphabet, body[i:i+1]) {
			return false
		}
	}
	return true
}
