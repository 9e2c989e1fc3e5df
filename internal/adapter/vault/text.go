package vault

import (
	"encoding/base64"
	"fmt"
)

// SealText encrypts a short secret that has to be used again, such as the one that signs a tenant's webhooks, for the column it is kept
// in. It opens only for the same tenant and purpose.
func (k *KeyFile) SealText(tenantID, purpose, text string) (string, error) {
	sealed, err := k.kek.Encrypt([]byte(text), textBinding(tenantID, purpose))
	if err != nil {
		return "", fmt.Errorf("vault: seal a secret: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(sealed), nil
}

// OpenText decrypts what SealText returned for the same tenant and purpose. Anything else is ErrUnreadable.
func (k *KeyFile) OpenText(tenantID, purpose, sealed string) (string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrUnreadable
	}
	text, err := k.kek.Decrypt(raw, textBinding(tenantID, purpose))
	if err != nil {
		return "", ErrUnreadable
	}
	return string(text), nil
}

func textBinding(tenantID, purpose string) []byte {
	return []byte("probity/secret/v1/" + tenantID + "/" + purpose)
}
