package api

import (
	"net/http"
	"testing"
)

func TestHowLongToWaitIsSaid(t *testing.T) {
	for _, c := range []struct {
		name, code string
		status     int
		want       string
	}{
		{"a queue of payments is done in a second", "too_many_payments_waiting", http.StatusTooManyRequests, "1"},
		{"others are given more time", "too_many_tickets", http.StatusTooManyRequests, "5"},
		{"and so is a database", "payment_not_stored", http.StatusServiceUnavailable, "5"},
		{"nothing is said of other refusals", "required", http.StatusUnprocessableEntity, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := recorder{header: http.Header{}, status: c.status}
			out.body.WriteString(`{"code":"` + c.code + `"}`)
			out.complete(&request{id: "req_1"})
			if got := out.header.Get("Retry-After"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
