package service_test

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// maxBytesPerDecision is what an approved payment may take, all indexes included.
const maxBytesPerDecision = 600

// logSize is how many bytes the decision log takes. On SQLite that is all that grows; on PostgreSQL profiles are rewritten with each
// decision, and keep the room of their former versions for the next ones.
func (w *world) logSize() int64 {
	w.Helper()
	query := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if w.store.Dialect() == "postgres" {
		query = "SELECT pg_total_relation_size('payments')"
	}
	var size int64
	w.must(w.db.QueryRowContext(w.Context(), query).Scan(&size))
	return size
}

func TestAnApprovedDecisionTakesLittleRoom(t *testing.T) {
	alone(t)
	on(t, func(w *world) {
		const decisions = 16_000
		people := w.crowd(400, 5)
		before := w.logSize()
		group := make([]service.PaymentRequest, 400)
		for done := 0; done < decisions; done += len(group) {
			w.pass(20 * time.Minute)
			for i := range group {
				group[i] = service.PaymentRequest{Attempt: people[i].attempt(dollars(int64(15 + done%7)))}
			}
			for _, result := range w.s.AuthorizePayments(w.Context(), w.key, group) {
				w.must(result.Err)
				if result.View.Payment.Outcome != payment.Approved {
					w.Fatalf("got %s for %v", result.View.Payment.Outcome, result.View.Payment.Reasons)
				}
			}
		}
		perDecision := float64(w.logSize()-before) / decisions
		w.Logf("%.0f bytes for each approved decision", perDecision)
		if perDecision > maxBytesPerDecision {
			w.Errorf("got %.0f bytes for each approved decision, want at most %d", perDecision, maxBytesPerDecision)
		}
	})
}
