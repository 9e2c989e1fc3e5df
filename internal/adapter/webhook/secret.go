package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

const (
	secretPrefix    = "whsec_"
	redacted        = "[webhook secret]"
	newSecretBytes  = 32
	minSecretBytes  = 24 // Standard Webhooks 1.0.0, "Signature scheme"
	maxSecretBytes  = 64
	signatureScheme = "v1"
)

// Secret is a symmetric signing secret of 24 to 64 bytes. It refuses to print, log or marshal itself; ask for it by name with
// Reveal. The zero value is no secret: it is refused when a delivery is sent.
type Secret struct{ key []byte }

// NewSecret returns a fresh secret of 32 random bytes.
func NewSecret() Secret {
	key := make([]byte, newSecretBytes)
	_, _ = rand.Read(key) // never fails: it ends the program when the system has no randomness
	return Secret{key: key}
}

// ParseSecret reads the written form, "whsec_" and standard base64 of 24 to 64 bytes. What it refuses is a problem of kind Invalid
// for the field "secret".
func ParseSecret(text string) (Secret, error) {
	encoded, found := strings.CutPrefix(text, secretPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	// The decoder passes over line breaks, which have no business in a secret.
	if !found || err != nil || strings.ContainsAny(encoded, "\r\n") || len(key) < minSecretBytes || len(key) > maxSecretBytes {
		return Secret{}, problem.Field("secret", "webhook_secret_not_valid",
			"a webhook secret is whsec_ followed by the base64 of 24 to 64 bytes; leave it out to have one made")
	}
	return Secret{key: key}, nil
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return len(s.key) == 0 }

// Reveal returns the written form, to hand to the tenant once and to store sealed.
func (s Secret) Reveal() string { return secretPrefix + base64.StdEncoding.EncodeToString(s.key) }

// Sign returns one signature, "v1,<base64 of HMAC-SHA256>", over "id.timestamp.body" with the timestamp in Unix seconds. The id must
// be the webhook-id header's value and at the webhook-timestamp's.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s.key)
	// Writing to a hash never fails.
	_, _ = io.WriteString(mac, id+"."+strconv.FormatInt(at.Unix(), 10)+".")
	_, _ = mac.Write(body)
	return signatureScheme + "," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// String returns a placeholder.
func (s Secret) String() string { return redacted }

// Format writes the placeholder whatever the verb, so that %v, %+v, %#v and %x of a struct that holds a Secret stay quiet.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// MarshalText returns the placeholder; JSON, YAML and XML use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns the placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
