package store

import (
	"testing"

	"github.com/probity/probity/internal/standard/problem"
)

func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("YWNjb3VudHN8MXxhY2N0XzE")
	f.Add(writeCursor("accounts", 1772442000000000, "acct_01"))
	f.Add(writeCursor("cases", -1, ""))
	f.Add("!!!!")
	f.Fuzz(func(t *testing.T, cursor string) {
		at, id, err := readCursor("accounts", cursor)
		if err != nil {
			if !problem.Is(err, problem.Invalid) {
				t.Errorf("got error %v, want a problem with the field", err)
			}
			return
		}
		again, id2, err := readCursor("accounts", writeCursor("accounts", at, id))
		if err != nil || again != at || id2 != id {
			t.Errorf("got %d %q %v, want %d %q", again, id2, err, at, id)
		}
	})
}
