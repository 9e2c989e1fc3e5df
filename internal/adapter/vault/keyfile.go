package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrKeyFileMissing says that there is no key file at the path. Creating one is a decision (CreateKeyFile), never a fallback: a new
// key beside old data would make all of it unreadable.
var ErrKeyFileMissing = errors.New("vault: the key file is missing; put it back from its backup, or create one for a new installation")

const maxKeyFileBytes = 64 << 10

// KeyFile holds the installation's key-encryption key, a tink AES256-GCM keyset in a file that only its owner may read. Losing the file
// loses every attachment: it belongs in a backup apart from the data. A KeyFile refuses to print itself and is safe for concurrent use.
type KeyFile struct{ kek tink.AEAD }

// CreateKeyFile makes a fresh key and writes it to a new file with mode 0600, atomically and durably: after a crash the file is there
// whole or not at all. An existing file is never replaced: the error then satisfies errors.Is(err, fs.ErrExist).
func CreateKeyFile(path string) (*KeyFile, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("vault: make a key: %w", err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return nil, fmt.Errorf("vault: write the key: %w", err)
	}
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return nil, fmt.Errorf("vault: make the key file's folder: %w", err)
	}
	if err := writeNew(path, folder, text.Bytes()); err != nil {
		return nil, fmt.Errorf("vault: create the key file: %w", err)
	}
	return newKeyFile(handle)
}

// OpenKeyFile reads the key file. It returns ErrKeyFileMissing when there is none, and refuses a file that anyone but its owner may
// read or that is no regular file.
func OpenKeyFile(path string) (*KeyFile, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrKeyFileMissing
	}
	if err != nil {
		return nil, fmt.Errorf("vault: look at the key file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFileBytes {
		return nil, errors.New("vault: the key file is not a small regular file; check the path")
	}
	// Windows has no such bits: Go reports 0666 for every writable file there.
	if loose := info.Mode().Perm() & 0o077; loose != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("vault: the key file has mode %04o, so others on this machine may read it; run: chmod 600 %s",
			info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("vault: read the key file: %w", err)
	}
	// tink's own error may quote what it read, so it is not passed on.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("vault: the key file does not hold a key; put it back from its backup")
	}
	return newKeyFile(handle)
}

func newKeyFile(handle *keyset.Handle) (*KeyFile, error) {
	kek, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("vault: the key file holds a key of another kind than AES256-GCM; put it back from its backup")
	}
	return &KeyFile{kek: kek}, nil
}

// String returns a placeholder.
func (k *KeyFile) String() string { return "[key file]" }

// GoString returns a placeholder.
func (k *KeyFile) GoString() string { return "[key file]" }

// LogValue returns a placeholder.
func (k *KeyFile) LogValue() slog.Value { return slog.StringValue("[key file]") }
