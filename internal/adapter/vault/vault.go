// Package vault keeps attachments sealed at rest: the bytes of an identity document touch the disk only as ciphertext.
//
// Three layers (envelope encryption). The installation's key file holds the key-encryption key. It wraps one data key for each
// subject (an account or end user), bound to its tenant and subject. The data key seals attachments with AES-256-GCM, each bound to its
// tenant, subject and attachment, so a blob moved to another row, account or tenant does not open. The wrapped data key is a row in the
// database: deleting that row makes every attachment of the subject unreadable at once, wherever copies of the blobs lie
// (crypto-shredding). This package never stores the wrapped key; the caller passes it in.
package vault

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/probity/probity/internal/standard/id"
)

// ErrUnreadable says that a wrapped key or a ciphertext does not open: another tenant's, subject's or attachment's, changed, or under
// another key file. Which of them it was cannot be told, by design.
var ErrUnreadable = errors.New("vault: this does not open under this key for this tenant, subject and attachment")

// Ref names an attachment and whose it is. All three are ids in the sense of package id.
type Ref struct {
	TenantID     string
	SubjectID    string
	AttachmentID string
}

func (r Ref) check() error {
	if !id.Valid(id.Attachment, r.AttachmentID) {
		return errors.New("vault: an attachment needs an id that begins with att_")
	}
	return checkOwner(r.TenantID, r.SubjectID)
}

func checkOwner(tenantID, subjectID string) error {
	// The shape of an id has no slash, so that the bindings below cannot be read in two ways.
	if !id.Valid(id.Tenant, tenantID) || !id.Looks(subjectID) {
		return errors.New("vault: a tenant id that begins with ten_ and a subject id are needed")
	}
	return nil
}

// The associated data of each layer. Its text is part of what is stored: changing it makes everything unreadable.
func dataKeyBinding(tenantID, subjectID string) []byte {
	return []byte("probity/data-key/v1/" + tenantID + "/" + subjectID)
}

func (r Ref) binding() []byte {
	return []byte("probity/attachment/v1/" + r.TenantID + "/" + r.SubjectID + "/" + r.AttachmentID)
}

// WrapNewDataKey makes a data key for a subject and returns it wrapped, about 170 bytes, to be stored with the subject. It opens only
// for the same tenant and subject.
func (k *KeyFile) WrapNewDataKey(tenantID, subjectID string) ([]byte, error) {
	if err := checkOwner(tenantID, subjectID); err != nil {
		return nil, err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("vault: make a data key: %w", err)
	}
	var wrapped bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&wrapped), k.kek, dataKeyBinding(tenantID, subjectID)); err != nil {
		return nil, fmt.Errorf("vault: wrap a data key: %w", err)
	}
	return wrapped.Bytes(), nil
}

// Seal encrypts an attachment under its subject's wrapped data key. The ciphertext is 33 bytes longer than the plaintext. An error that
// is ErrUnreadable means that the wrapped key is not this subject's.
func (k *KeyFile) Seal(wrapped []byte, ref Ref, plaintext []byte) ([]byte, error) {
	cipher, err := k.unwrap(wrapped, ref)
	if err != nil {
		return nil, err
	}
	sealed, err := cipher.Encrypt(plaintext, ref.binding())
	if err != nil {
		return nil, fmt.Errorf("vault: seal an attachment: %w", err)
	}
	return sealed, nil
}

// Open decrypts what Seal returned for the same ref. Anything else is ErrUnreadable.
func (k *KeyFile) Open(wrapped []byte, ref Ref, sealed []byte) ([]byte, error) {
	cipher, err := k.unwrap(wrapped, ref)
	if err != nil {
		return nil, err
	}
	plaintext, err := cipher.Decrypt(sealed, ref.binding())
	if err != nil {
		return nil, ErrUnreadable
	}
	return plaintext, nil
}

func (k *KeyFile) unwrap(wrapped []byte, ref Ref) (tink.AEAD, error) {
	if err := ref.check(); err != nil {
		return nil, err
	}
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), k.kek,
		dataKeyBinding(ref.TenantID, ref.SubjectID))
	if err != nil {
		return nil, ErrUnreadable
	}
	cipher, err := aead.New(handle)
	if err != nil {
		return nil, ErrUnreadable
	}
	return cipher, nil
}
