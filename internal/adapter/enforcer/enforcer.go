// Package enforcer tells a tenant's platform to suspend or resume the resources of an account, and reads its answer.
//
// The contract with the platform (the connector), for its documentation:
//
//	POST {connector_url}                       signed after Standard Webhooks 1.0.0, see package webhook
//	Idempotency-Key: <command_id>              the same for every repetition; webhook-id is the same value
//
//	{"type": "enforcement.suspend",            or "enforcement.resume"
//	 "timestamp": "2026-11-09T10:00:00Z",      when the command was decided; the same in every repetition
//	 "data": {"command_id", "account_id", "external_id", "sequence", "verification_id", "reason"}}
//
// The platform verifies the signature, and under one lock per account compares the sequence with the highest it has carried out for
// that account: a higher one is carried out, recorded and answered 2xx; the same command again is answered 2xx without doing it
// twice; a lower sequence is answered 409. So a late repetition of a suspension cannot overtake the resumption that followed it.
// 2xx means that it is done, not that it was queued.
//
// Every other answer, 4xx and 410 among them, counts as "not done yet": a misconfigured platform must not leave a holder suspended
// who has been approved, so commands are repeated, ever more slowly, until answered or superseded, and staff are told early.
package enforcer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/probity/probity/internal/adapter/webhook"
)

// Action is what the platform is told to do. The zero value is invalid.
type Action string

// The actions; their text is the message type.
const (
	Suspend Action = "enforcement.suspend"
	Resume  Action = "enforcement.resume"
)

// Command is one instruction, made once and sent as often as needed.
type Command struct {
	ID     string // also the idempotency key
	Action Action
	// DecidedAt is when the command was decided; it is written into the body and so must not change between attempts.
	DecidedAt      time.Time
	AccountID      string
	ExternalID     string // the tenant's own id of the account
	Sequence       int64  // per account, rising, from 1
	VerificationID string
	Reason         string // a code such as "submission_overdue", never free text about a person
}

// Target is where a tenant's platform listens.
type Target struct {
	URL     string
	Secrets []webhook.Secret
}

// Outcome says what the platform made of a command. The zero value is invalid.
type Outcome string

// The outcomes.
const (
	Acknowledged    Outcome = "acknowledged"     // 2xx: done; final
	Superseded      Outcome = "superseded"       // 409: the platform has carried out a newer command for the account; final
	NotAcknowledged Outcome = "not_acknowledged" // anything else: perhaps done, perhaps not; repeat after NextRetry
)

// Result is what came of one attempt.
type Result struct {
	Outcome Outcome
	// Cause says why there was no acknowledgement, for the log, a metric and the note to staff; empty otherwise.
	Cause      webhook.Cause
	StatusCode int           // 0 without an answer
	RetryAfter time.Duration // what the platform asked for, 0 when it did not
}

// TellStaffAfter is the number of unanswered attempts, spanning about ten minutes, after which staff are told.
const TellStaffAfter = 5

// maxWait is the longest wait between attempts. Someone approved may be waiting for a resumption, so it is far shorter than for
// ordinary webhooks.
const maxWait = time.Hour

// Client sends commands. It is safe for concurrent use; make one with New.
type Client struct{ sender *webhook.Sender }

// New returns a client that sends through the sender.
func New(sender *webhook.Sender) *Client { return &Client{sender: sender} }

// Send makes one attempt at a command. At is the wall time of the attempt, for the signature. The error is only for a command that
// cannot be written at all, which no repetition will cure; whatever the platform or the network does is a Result.
func (c *Client) Send(ctx context.Context, target Target, command Command, at time.Time) (Result, error) {
	body, err := command.body()
	if err != nil {
		return Result{}, err
	}
	answer := c.sender.Send(ctx, webhook.Delivery{
		URL: target.URL, Secrets: target.Secrets, ID: command.ID, Timestamp: at, Body: body,
		Header: map[string]string{"Idempotency-Key": command.ID},
	})
	switch {
	case answer.Outcome == webhook.Delivered:
		return Result{Outcome: Acknowledged, StatusCode: answer.StatusCode}, nil
	case answer.StatusCode == http.StatusConflict:
		return Result{Outcome: Superseded, StatusCode: answer.StatusCode}, nil
	default:
		return Result{Outcome: NotAcknowledged, Cause: answer.Cause, StatusCode: answer.StatusCode, RetryAfter: answer.RetryAfter}, nil
	}
}

func (c Command) body() ([]byte, error) {
	switch c.Action {
	case Suspend, Resume:
	default:
		return nil, errors.New("enforcer: a command needs an action, enforcement.suspend or enforcement.resume")
	}
	if c.ID == "" || c.AccountID == "" || c.Sequence < 1 || c.DecidedAt.IsZero() {
		return nil, errors.New("enforcer: a command needs an id, an account, a sequence from 1 and the instant it was decided")
	}
	return webhook.Message(string(c.Action), c.DecidedAt, struct {
		CommandID      string `json:"command_id"`
		AccountID      string `json:"account_id"`
		ExternalID     string `json:"external_id"`
		Sequence       int64  `json:"sequence"`
		VerificationID string `json:"verification_id"`
		Reason         string `json:"reason"`
	}{c.ID, c.AccountID, c.ExternalID, c.Sequence, c.VerificationID, c.Reason})
}

// NextRetry returns how long to wait after so many attempts at a command went unacknowledged: 5 s, 30 s, 2 min, 10 min, 30 min, then
// hourly without end. The platform's Retry-After is a lower bound, but it cannot ask for more than an hour. Jitter, from 0 to 1,
// spreads the wait by ±10 %.
func (r Result) NextRetry(attempts int, jitter float64) time.Duration {
	table := []time.Duration{0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}
	wait := maxWait
	if attempts < len(table) {
		wait = table[max(attempts, 0)]
	}
	return max(webhook.Spread(wait, jitter), min(r.RetryAfter, maxWait))
}
