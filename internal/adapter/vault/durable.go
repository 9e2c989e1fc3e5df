package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// writeNew writes a file of mode 0600 that did not exist, so that after a crash it is there whole or not at all: temporary file in
// the same folder, fsync, link, fsync of the folder. A link, unlike a rename, fails when the name is taken, also when two writers race.
func writeNew(path, folder string, content []byte) (err error) {
	temporary, err := os.CreateTemp(folder, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		// The link keeps the content; the temporary name goes either way. A failure to remove it loses nothing.
		_ = os.Remove(temporary.Name())
	}()
	_, err = temporary.Write(content)
	if err == nil {
		err = temporary.Sync()
	}
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Link(temporary.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fs.ErrExist // without the path
		}
		return fmt.Errorf("the file system must support hard links: %w", err)
	}
	return syncFolder(folder)
}

// makeFolder makes a folder of mode 0700 and those above it, and makes each new name durable in its parent.
func makeFolder(folder string) error {
	switch info, err := os.Stat(folder); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return errors.New("there is a file where a folder should be")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(folder)
	if parent != folder {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

// syncFolder makes names in a folder durable. Windows cannot open a folder for that and does not need it.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	opened, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = opened.Sync()
	if closeErr := opened.Close(); err == nil {
		err = closeErr
	}
	return err
}
