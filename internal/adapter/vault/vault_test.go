package vault_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/standard/id"
)

var at = time.Date(2026, 11, 9, 10, 0, 0, 0, time.UTC)

func newKeyFile(t *testing.T) (*vault.KeyFile, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys", "vault.json")
	keys, err := vault.CreateKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return keys, path
}

func newRef() vault.Ref {
	return vault.Ref{TenantID: id.New(id.Tenant, at), SubjectID: id.New(id.Account, at), AttachmentID: id.New(id.Attachment, at)}
}

func wrap(t *testing.T, keys *vault.KeyFile, ref vault.Ref) []byte {
	t.Helper()
	wrapped, err := keys.WrapNewDataKey(ref.TenantID, ref.SubjectID)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}

func seal(t *testing.T, keys *vault.KeyFile, wrapped []byte, ref vault.Ref, plaintext []byte) []byte {
	t.Helper()
	sealed, err := keys.Seal(wrapped, ref, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	keys, path := newKeyFile(t)
	ref := newRef()
	wrapped := wrap(t, keys, ref)
	plaintext := []byte("SPECIMEN passport of an invented person")
	sealed := seal(t, keys, wrapped, ref, plaintext)

	t.Run("what was sealed opens, also after the key file is read again", func(t *testing.T) {
		again, err := vault.OpenKeyFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Open(wrapped, ref, sealed); err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("got %q, %v, want %q", got, err, plaintext)
		}
	})
	t.Run("the same bytes are sealed differently each time", func(t *testing.T) {
		if bytes.Equal(sealed, seal(t, keys, wrapped, ref, plaintext)) {
			t.Error("two ciphertexts are equal")
		}
	})
	t.Run("an empty attachment is sealed too", func(t *testing.T) {
		if got, err := keys.Open(wrapped, ref, seal(t, keys, wrapped, ref, nil)); err != nil || len(got) != 0 {
			t.Errorf("got %q, %v, want nothing", got, err)
		}
	})
	other, _ := newKeyFile(t)
	change := func(alter func(*vault.Ref)) vault.Ref {
		changed := ref
		alter(&changed)
		return changed
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)/2] ^= 1
	wrongKey := bytes.Clone(wrapped)
	wrongKey[len(wrongKey)/2] ^= 1
	stranger := newRef()
	tests := []struct {
		name            string
		keys            *vault.KeyFile
		wrapped, sealed []byte
		ref             vault.Ref
	}{
		{"another tenant", keys, wrapped, sealed, change(func(r *vault.Ref) { r.TenantID = stranger.TenantID })},
		{"another subject", keys, wrapped, sealed, change(func(r *vault.Ref) { r.SubjectID = stranger.SubjectID })},
		{"another attachment", keys, wrapped, sealed, change(func(r *vault.Ref) { r.AttachmentID = stranger.AttachmentID })},
		{"another subject's data key", keys, wrap(t, keys, stranger), sealed, ref},
		{"a new data key of the same subject", keys, wrap(t, keys, ref), sealed, ref},
		{"another key file", other, wrapped, sealed, ref},
		{"a flipped bit in the blob", keys, wrapped, flipped, ref},
		{"a flipped bit in the wrapped key", keys, wrongKey, sealed, ref},
		{"a blob cut short", keys, wrapped, sealed[:len(sealed)-1], ref},
		{"no blob", keys, wrapped, nil, ref},
		{"a deleted data key", keys, nil, sealed, ref},
	}
	for _, test := range tests {
		t.Run(test.name+" does not open it", func(t *testing.T) {
			if got, err := test.keys.Open(test.wrapped, test.ref, test.sealed); !errors.Is(err, vault.ErrUnreadable) || got != nil {
				t.Errorf("got %d bytes and error %v, want ErrUnreadable", len(got), err)
			}
		})
	}
	t.Run("refs that are not ours are refused", func(t *testing.T) {
		for _, bad := range []vault.Ref{{}, {TenantID: "ten_x/acct_y", SubjectID: ref.SubjectID, AttachmentID: ref.AttachmentID},
			change(func(r *vault.Ref) { r.AttachmentID = "../" + r.AttachmentID })} {
			if _, err := keys.Seal(wrapped, bad, plaintext); err == nil {
				t.Errorf("%+v was accepted", bad)
			}
		}
	})
	t.Run("keys do not print themselves", func(t *testing.T) {
		if got, want := fmt.Sprintf("%v %+v %#v", keys, keys, keys), "[key file] [key file] [key file]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestKeyFile(t *testing.T) {
	t.Run("a missing file is an error and is not created", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "vault.json")
		if _, err := vault.OpenKeyFile(path); !errors.Is(err, vault.ErrKeyFileMissing) {
			t.Errorf("got %v, want ErrKeyFileMissing", err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the file was created")
		}
	})
	t.Run("an existing file is never replaced", func(t *testing.T) {
		_, path := newKeyFile(t)
		before, _ := os.ReadFile(path)
		if _, err := vault.CreateKeyFile(path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v, want ErrExist", err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Error("the file changed")
		}
	})
	t.Run("nothing but the key file is left behind, readable by its owner only", func(t *testing.T) {
		_, path := newKeyFile(t)
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Fatalf("got %v, %v, want one file", entries, err)
		}
		info, _ := entries[0].Info()
		if got, want := info.Mode().Perm(), fs.FileMode(0o600); got != want && runtime.GOOS != "windows" {
			t.Errorf("mode: got %o, want %o", got, want)
		}
	})
	t.Run("a file that others may read is refused with the way out", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("Windows has no such permissions")
		}
		_, path := newKeyFile(t)
		for _, mode := range []fs.FileMode{0o640, 0o604, 0o620} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := vault.OpenKeyFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("%o: got %v, want an error that says chmod 600", mode, err)
			}
		}
	})
	for name, content := range map[string]string{"an empty file": "", "a text": "secret words", "a keyset without keys": `{"primaryKeyId":1,"key":[]}`} {
		t.Run(name+" is refused without repeating it", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vault.json")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := vault.OpenKeyFile(path); err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want an error without the content", err)
			}
		})
	}
	t.Run("a folder is refused", func(t *testing.T) {
		if _, err := vault.OpenKeyFile(t.TempDir()); err == nil {
			t.Error("got no error")
		}
	})
}

func TestDirectory(t *testing.T) {
	root := t.TempDir()
	blobs, err := vault.OpenDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()

	t.Run("a blob is stored, read and deleted", func(t *testing.T) {
		name := id.New(id.Attachment, at)
		want := make([]byte, 1<<20)
		_, _ = rand.Read(want)
		if err := blobs.Put(ctx, name, want); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, "blobs", name[len(name)-4:len(name)-2], name[len(name)-2:], name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := info.Mode().Perm(), fs.FileMode(0o600); got != want && runtime.GOOS != "windows" {
			t.Errorf("mode: got %o, want %o", got, want)
		}
		if got, err := blobs.Get(ctx, name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v, want those stored", len(got), err)
		}
		for range 2 { // an erasure that is repeated succeeds
			if err := blobs.Delete(ctx, name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := blobs.Get(ctx, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want ErrNotExist", err)
		}
	})
	t.Run("an id that is there is refused and keeps its bytes", func(t *testing.T) {
		name := id.New(id.Attachment, at)
		if err := blobs.Put(ctx, name, []byte("first")); err != nil {
			t.Fatal(err)
		}
		if err := blobs.Put(ctx, name, []byte("second")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v, want ErrExist", err)
		}
		if got, _ := blobs.Get(ctx, name); string(got) != "first" {
			t.Errorf("got %q, want first", got)
		}
	})
	t.Run("of writers that race for an id one wins", func(t *testing.T) {
		name := id.New(id.Attachment, at)
		var won atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if blobs.Put(ctx, name, []byte("x")) == nil {
					won.Add(1)
				}
			})
		}
		group.Wait()
		if got := won.Load(); got != 1 {
			t.Errorf("got %d winners, want 1", got)
		}
	})
	t.Run("ids that are not ours are refused everywhere", func(t *testing.T) {
		for _, bad := range []string{"", "..", "../../etc/passwd", "att_", "att_short", id.New(id.Account, at), id.New(id.Attachment, at) + "/x",
			strings.ToUpper(id.New(id.Attachment, at)), "att_" + strings.Repeat(".", 26)} {
			_, getErr := blobs.Get(ctx, bad)
			for _, err := range []error{blobs.Put(ctx, bad, []byte("x")), getErr, blobs.Delete(ctx, bad)} {
				if err == nil || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%q: got %v, want a refusal", bad, err)
				}
			}
		}
	})
	t.Run("a canceled context stores nothing", func(t *testing.T) {
		canceled, cancel := context.WithCancel(ctx)
		cancel()
		name := id.New(id.Attachment, at)
		if err := blobs.Put(canceled, name, []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want canceled", err)
		}
		if _, err := blobs.Get(ctx, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want ErrNotExist", err)
		}
	})
}

func TestPlaintextNeverReachesTheDisk(t *testing.T) {
	root := t.TempDir()
	keys, err := vault.CreateKeyFile(filepath.Join(root, "vault.json"))
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := vault.OpenDirectory(root)
	if err != nil {
		t.Fatal(err)
	}
	marker := []byte("MARKER-OF-AN-INVENTED-PERSON")
	ref := newRef()
	if err := blobs.Put(t.Context(), ref.AttachmentID, seal(t, keys, wrap(t, keys, ref), ref, bytes.Repeat(marker, 1000))); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if bytes.Contains(content, marker) {
			t.Errorf("the plaintext is in a file")
		}
		return err
	})
	if err != nil || files != 2 {
		t.Errorf("got %d files, %v, want the key file and one blob", files, err)
	}
}

func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "vault.json")
	keys, err := vault.CreateKeyFile(path)
	if err != nil {
		f.Fatal(err)
	}
	ref := newRef()
	wrapped, err := keys.WrapNewDataKey(ref.TenantID, ref.SubjectID)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := keys.Seal(wrapped, ref, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped, sealed)
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, key, blob []byte) {
		plaintext, err := keys.Open(key, ref, blob)
		if err == nil && string(plaintext) != "x" {
			t.Error("a forged blob opened")
		}
	})
}
