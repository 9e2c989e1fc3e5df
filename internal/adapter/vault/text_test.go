package vault_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/adapter/vault"
	"github.com/probity/probity/internal/standard/id"
)

func TestASealedTextOpensForItsTenantAndPurposeOnly(t *testing.T) {
	keys, err := vault.CreateKeyFile(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	mine, other := id.New(id.Tenant, time.Unix(1, 0)), id.New(id.Tenant, time.Unix(2, 0))
	sealed, err := keys.SealText(mine, "webhook", "whsec_quiet")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed, "quiet") {
		t.Errorf("the secret stands in what is stored")
	}
	if got, err := keys.OpenText(mine, "webhook", sealed); err != nil || got != "whsec_quiet" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, open := range map[string]func() (string, error){
		"another tenant's":   func() (string, error) { return keys.OpenText(other, "webhook", sealed) },
		"another purpose's":  func() (string, error) { return keys.OpenText(mine, "connector", sealed) },
		"a shortened text":   func() (string, error) { return keys.OpenText(mine, "webhook", sealed[:len(sealed)-8]) },
		"not base64":         func() (string, error) { return keys.OpenText(mine, "webhook", "%") },
		"nothing was sealed": func() (string, error) { return keys.OpenText(mine, "webhook", "") },
	} {
		if _, err := open(); !errors.Is(err, vault.ErrUnreadable) {
			t.Errorf("%s: got %v, want ErrUnreadable", name, err)
		}
	}
}
