package journal

import (
	"time"

	"github.com/probity/probity/internal/domain/policy"
)

// Endpoint is where a tenant wants to be told of journal entries, by Standard Webhooks.
type Endpoint struct {
	ID         string
	TenantID   string
	URL        string
	EventTypes []EventType // empty means all
	Secret     policy.Secret
	CreatedAt  time.Time
	DisabledAt time.Time // zero while it is used
	DeletedAt  time.Time
}

// Wants reports whether the endpoint is to be told of the type.
func (e Endpoint) Wants(t EventType) bool {
	if !e.DisabledAt.IsZero() || !e.DeletedAt.IsZero() {
		return false
	}
	for _, want := range e.EventTypes {
		if want == t {
			return true
		}
	}
	return len(e.EventTypes) == 0
}
