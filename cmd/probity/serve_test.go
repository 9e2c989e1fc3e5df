package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASQLiteFileIsNotServedAsADistributedDatabase(t *testing.T) {
	c := serveCommand{Distributed: true}
	c.MailFrom, c.Data, c.Create = "probity@mail.example", filepath.Join(t.TempDir(), "data"), true
	err := c.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--database postgres://") {
		t.Errorf("got %v, want what to give instead", err)
	}
	if _, err := os.Stat(c.Data); !os.IsNotExist(err) {
		t.Errorf("got %v of the data folder, want none made", err)
	}
}
