package platform

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/probity/probity/client"
	"github.com/probity/probity/internal/edge/web"
)

// keepEvents is how many events the feed remembers, showEvents how many of them a page shows.
const (
	keepEvents = 500
	showEvents = 50
)

// feed follows Probity's events, as a platform does that polls them: from where it stopped.
type feed struct {
	mutex  sync.Mutex
	cursor string
	newest []client.Event // oldest first
}

// follow reads what is new and returns the newest events, newest first.
func (f *feed) follow(ctx context.Context, c *client.Client) ([]client.Event, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for {
		page, err := c.ListEvents(ctx, f.cursor, 200)
		if err != nil {
			return nil, err
		}
		f.newest, f.cursor = append(f.newest, page.Items...), page.NextCursor
		if surplus := len(f.newest) - keepEvents; surplus > 0 {
			f.newest = slices.Delete(f.newest, 0, surplus)
		}
		if len(page.Items) == 0 {
			break
		}
	}
	shown := slices.Clone(f.newest[max(0, len(f.newest)-showEvents):])
	slices.Reverse(shown)
	return shown, nil
}

func (s *site) events(w http.ResponseWriter, r *http.Request) {
	found, err := s.feed.follow(r.Context(), s.Client)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	customers := map[string]Customer{}
	for _, c := range s.Store.Customers() {
		customers[c.AccountID] = c
	}
	rows := make([]eventRow, 0, len(found))
	for _, event := range found {
		row := eventRow{
			When: web.FormatShort(event.Timestamp, nil, web.English), Stamp: web.Stamp(event.Timestamp), Type: event.Type, Actor: event.Data["actor_kind"],
			Details: detailsOf(event.Data),
		}
		if c, known := customers[event.Data["account_id"]]; known {
			row.CustomerName, row.CustomerURL = c.Name, customerURL(c.ExternalID)
		}
		rows = append(rows, row)
	}
	s.render(w, r, http.StatusOK, "Events", eventsBody(rows))
}

// detailsOf writes what an event says besides whom it concerns, in alphabetical order; of the ids only the object's own.
func detailsOf(data map[string]string) string {
	var parts []string
	for name, value := range data {
		if name != "actor_kind" && (name == "object_id" || !strings.HasSuffix(name, "_id")) {
			parts = append(parts, name+" "+value)
		}
	}
	slices.SortFunc(parts, cmp.Compare)
	return strings.Join(parts, " · ")
}
