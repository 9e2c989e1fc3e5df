package risk

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/probity/probity/internal/domain/risk/history"
)

func TestListsAfterChangesMatchAsIfTheyHadBeenPreparedAnew(t *testing.T) {
	values := []string{"203.0.113.7", "203.0.113.0/24", "203.0.0.0/16", "2001:db8::7", "2001:db8::/32", "198.51.100.9"}
	asked := []string{"203.0.113.7", "203.0.113.8", "203.0.1.1", "2001:db8::7", "2001:db8::8", "198.51.100.9", "::ffff:203.0.113.7", ""}
	rapid.Check(t, func(t *rapid.T) {
		lists := NewLists(nil)
		stands := map[string]time.Time{}
		for range rapid.IntRange(0, 20).Draw(t, "groups") {
			var changes []ListChange
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				c := ListChange{ListEntry: ListEntry{List: "ips", Value: rapid.SampledFrom(values).Draw(t, "value")}}
				if _, there := stands[c.Value]; there {
					c.Removed = true
					delete(stands, c.Value)
				} else {
					if rapid.Bool().Draw(t, "expires") {
						c.ExpiresAt = time.Unix(rapid.Int64Range(1, 3).Draw(t, "expiry"), 0)
					}
					stands[c.Value] = c.ExpiresAt
				}
				changes = append(changes, c)
			}
			lists = lists.With(changes)
		}
		var entries []ListEntry
		for value, expiry := range stands {
			entries = append(entries, ListEntry{List: "ips", Value: value, ExpiresAt: expiry})
		}
		anew := NewLists(entries)
		for _, ip := range asked {
			for second := range int64(4) {
				p := history.Payment{IP: ip, OccurredAt: time.Unix(second, 0)}
				got, want := hasIn(lists, &p), hasIn(anew, &p)
				if got != want {
					t.Errorf("at %d: got %v for %s, want %v; %v stand", second, got, ip, want, stands)
				}
			}
		}
	})
}

func hasIn(l *Lists, p *history.Payment) bool {
	set := l.named["ips"]
	return set != nil && set.has(history.IP, p, p.OccurredAt)
}

func TestManyChangesOfAListAreFoldedIntoIt(t *testing.T) {
	lists := NewLists([]ListEntry{{List: "devices", Value: "first"}, {List: "devices", Value: "second"}})
	before := lists
	for i := range maxFresh + 10 {
		lists = lists.With([]ListChange{{ListEntry: ListEntry{List: "devices", Value: fmt.Sprint(i)}}})
	}
	lists = lists.With([]ListChange{{ListEntry: ListEntry{List: "devices", Value: "first"}, Removed: true}})
	set := lists.named["devices"]
	if len(set.gone) > 20 || len(set.values) < maxFresh {
		t.Errorf("got %d values and %d changes beside them", len(set.values), len(set.gone))
	}
	has := func(l *Lists, device string) bool {
		return l.named["devices"].has(history.Device, &history.Payment{DeviceID: device}, time.Unix(1, 0))
	}
	if has(lists, "first") || !has(lists, "second") || !has(lists, "0") || !has(lists, fmt.Sprint(maxFresh+9)) {
		t.Error("a value was lost or kept")
	}
	if !has(before, "first") || has(before, "0") {
		t.Error("the lists before were changed")
	}
}
