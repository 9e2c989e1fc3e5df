package webhook

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxAttempts is how many times a message is tried, about three days in all. After that the endpoint is disabled and its tenant told.
const MaxAttempts = 10

// maxRetryAfter bounds what a receiver may ask for, so that a wrong header cannot postpone a message for years.
const maxRetryAfter = 24 * time.Hour

// NextRetry returns how long to wait after so many attempts failed, and false when no attempt is left. No attempt yet means now. The
// table is that of Standard Webhooks 1.0.0: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. Jitter, from 0 to 1, spreads a
// wait over ±10 %, so that receivers which failed together are not all tried again together; 0.5 is the table's own value.
func NextRetry(attempts int, jitter float64) (time.Duration, bool) {
	table := [MaxAttempts]time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
		5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
	if attempts >= MaxAttempts {
		return 0, false
	}
	return Spread(table[max(attempts, 0)], jitter), true
}

// Spread moves a wait by up to ±10 %: jitter 0 shortens, 1 lengthens, 0.5 keeps it. Values outside count as the nearer end.
func Spread(wait time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(wait) * (0.9 + 0.2*min(max(jitter, 0), 1))).Truncate(time.Microsecond)
}

// NextRetry returns how long to wait after this result, the attempts made so far counting it, and false when there is nothing more to
// try. What the receiver asked for with Retry-After is a lower bound.
func (r Result) NextRetry(attempts int, jitter float64) (time.Duration, bool) {
	if r.Outcome != Failed {
		return 0, false
	}
	wait, again := NextRetry(attempts, jitter)
	if !again {
		return 0, false
	}
	return max(wait, r.RetryAfter), true
}

// retryAfter reads the Retry-After header (RFC 9110 §10.2.3): seconds, or a date that is judged from now. Unreadable and past values
// are 0.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		if seconds > uint64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
