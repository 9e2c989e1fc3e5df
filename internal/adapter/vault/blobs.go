package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/probity/probity/internal/standard/id"
)

// Blobs stores ciphertext by attachment id. What it is given is already sealed. Ids that are not attachment ids are refused by every
// method.
type Blobs interface {
	// Put stores a new blob. When it returns nil, the bytes have reached stable storage. An id that is already there is refused with an
	// error that satisfies errors.Is(err, fs.ErrExist), and what was stored stays as it was.
	Put(ctx context.Context, attachmentID string, sealed []byte) error
	// Get returns a whole blob; a missing one is an error that satisfies errors.Is(err, fs.ErrNotExist).
	Get(ctx context.Context, attachmentID string) ([]byte, error)
	// Delete removes a blob durably. Deleting one that is not there succeeds, so that an erasure can be repeated after a crash.
	Delete(ctx context.Context, attachmentID string) error
}

// Directory is a Blobs in a folder of the local file system: blobs/ab/cd/<id>, where abcd are the id's last characters (the random
// ones: the first tell the time and would fill one folder). Files have mode 0600, folders 0700. A crash in Put may leave a temporary
// file behind; it holds ciphertext only and is never read.
type Directory struct{ root string }

// OpenDirectory returns the blob store under folder, whose sub-folder "blobs" is made when absent.
func OpenDirectory(folder string) (*Directory, error) {
	root := filepath.Join(folder, "blobs")
	if err := makeFolder(root); err != nil {
		return nil, fmt.Errorf("vault: make the folder of attachments: %w", err)
	}
	return &Directory{root: root}, nil
}

var _ Blobs = (*Directory)(nil)

// Put implements Blobs: a temporary file, fsync, a hard link under the final name, fsync of the folder.
func (d *Directory) Put(ctx context.Context, attachmentID string, sealed []byte) error {
	path, err := d.path(attachmentID)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return fmt.Errorf("vault: make a folder for an attachment: %w", err)
	}
	if err := writeNew(path, folder, sealed); err != nil {
		return fmt.Errorf("vault: store an attachment: %w", err)
	}
	return nil
}

// Get implements Blobs.
func (d *Directory) Get(ctx context.Context, attachmentID string) ([]byte, error) {
	path, err := d.path(attachmentID)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("vault: read an attachment: %w", err)
	}
	return sealed, nil
}

// Delete implements Blobs.
func (d *Directory) Delete(ctx context.Context, attachmentID string) error {
	path, err := d.path(attachmentID)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("vault: delete an attachment: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// path refuses every id that is not ours, and with it every path that leaves the root.
func (d *Directory) path(attachmentID string) (string, error) {
	if !id.Valid(id.Attachment, attachmentID) {
		return "", errors.New("vault: an attachment id begins with att_ and has 26 characters after it")
	}
	tail := attachmentID[len(attachmentID)-4:]
	return filepath.Join(d.root, tail[:2], tail[2:], attachmentID), nil
}
