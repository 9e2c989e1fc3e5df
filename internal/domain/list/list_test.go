package list

import (
	"strings"
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/standard/problem"
)

var (
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	ana  = access.Actor{Kind: access.Staff, TenantID: "ten_1", ID: "stf_ana", Role: access.Analyst}
)

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if p := problem.As(err); p == nil || p.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestLists(t *testing.T) {
	for name, code := range map[string]string{"blocked_devices": "", "Blocked": "name_malformed", "": "name_malformed", "a b": "name_malformed"} {
		_, _, err := Start("lst_1", name, Block, "", ana, noon)
		if code == "" && err != nil {
			t.Error(err)
		} else if code != "" {
			wantCode(t, err, code)
		}
	}
	_, _, err := Start("lst_1", "x", "grey", "", ana, noon)
	wantCode(t, err, "kind_unknown")
}

func TestEntries(t *testing.T) {
	l, _, _ := Start("lst_1", "blocked", Block, "", ana, noon)
	for _, c := range []struct {
		name string
		in   NewEntry
		want string // value or code
		code bool
	}{
		{"a value is trimmed", NewEntry{Value: " dev-1 "}, "dev-1", false},
		{"an address is kept in its shortest spelling", NewEntry{Value: "2001:0DB8::0007"}, "2001:db8::7", false},
		{"an address of the old sort in a new coat is the same one", NewEntry{Value: "::ffff:203.0.113.7"}, "203.0.113.7", false},
		{"an empty value is refused", NewEntry{Value: "  "}, "required", true},
		{"a long value is refused", NewEntry{Value: strings.Repeat("x", 201)}, "too_long", true},
		{"an entry that has expired is refused", NewEntry{Value: "x", ExpiresAt: noon}, "out_of_range", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, drafts, err := l.Add("lse_1", c.in, ana, noon)
			if c.code {
				wantCode(t, err, c.want)
				return
			}
			if err != nil || e.Value != c.want {
				t.Fatalf("got %q %v, want %q", e.Value, err, c.want)
			}
			for _, value := range drafts[0].Data {
				if strings.Contains(value, e.Value) {
					t.Error("the journal holds the value")
				}
			}
		})
	}
}

func TestAnEntryStandsUntilItExpiresOrIsRemoved(t *testing.T) {
	l, _, _ := Start("lst_1", "blocked", Block, "", ana, noon)
	e, _, _ := l.Add("lse_1", NewEntry{Value: "x", ExpiresAt: noon.Add(time.Hour)}, ana, noon)
	if !e.Stands(noon) || e.Stands(noon.Add(time.Hour)) {
		t.Error("an entry stands until it expires, and not then")
	}
	gone, drafts, changed := l.Remove(e, ana, noon)
	if !changed || len(drafts) != 1 || gone.Stands(noon) {
		t.Errorf("got %+v", gone)
	}
	if _, _, changed := l.Remove(gone, ana, noon); changed {
		t.Error("an entry was removed twice")
	}
}
